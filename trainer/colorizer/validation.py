"""How a run stands: figures and a sheet of pictures that it does not train on. Must not import optimisers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from t2c_engine.networks.colorizer import ColorizerNet, Condition
from trainer.colorizer.augmentation import AugmentConfig, Example, make_example
from trainer.colorizer.config import TrainConfig
from trainer.colorizer.step import cells
from trainer.common.picture_data import PictureSet, draw_batch
from trainer.common.sheets import color_sheet

VALIDATION_PICTURES = 144


def validation_batch(pictures: PictureSet, config: TrainConfig) -> Example | None:
    """Held-out crops with their own palettes, always the same, or None where nothing is held out."""
    indices = pictures.indices(small=False, validation=True)
    if not len(indices):
        return None
    batch = draw_batch(pictures, indices, np.random.default_rng(0), VALIDATION_PICTURES, config.crop)
    return make_example(batch, AugmentConfig(), torch.Generator().manual_seed(0))


def validate(network: ColorizerNet, example: Example | None, device: str, sheet: Path) -> dict[str, float]:
    """ab error with the true palette, with none, and with another picture's; a sheet of pictures beside.

    "blind" is the true palette with the deepest features of another picture: where it is no worse, the network looks at
    tones alone.
    """
    if example is None:
        return {}
    network.eval()
    palette, given = example.condition.palette, example.condition.palette_mask
    conditions = {
        "true": (palette, given),
        "none": (palette, torch.zeros_like(given)),
        "other": (palette.roll(1, 0), given),
        "blind": (palette, given),
    }
    figures, outputs = {}, {}
    with torch.inference_mode():
        for name, (colours, mask) in conditions.items():
            parts = []
            for part in torch.arange(len(palette)).split(24):
                features = network.encode(example.lightness[part].to(device))
                if name == "blind":
                    fine, middle, coarse = features.skips
                    features = replace(features, skips=(fine, middle, coarse.roll(1, 0)))
                piece = Condition(colours[part].to(device), mask[part].to(device))
                parts.append(cells(network.decode(features, piece).ab, example.ab).cpu())
            outputs[name] = torch.cat(parts)
            true = cells(example.ab, outputs[name])
            figures[f"ab_{name}"] = float((outputs[name] - true).square().sum(1).sqrt().mean())
    del outputs["blind"]
    figures["contrast"] = float((outputs["true"] - outputs["other"]).square().sum(1).sqrt().mean())
    chroma = [ab.square().sum(1).sqrt().mean() for ab in (outputs["true"], outputs["none"], example.ab)]
    figures["chroma_true"], figures["chroma_none"] = float(chroma[0] / chroma[2]), float(chroma[1] / chroma[2])
    color_sheet(sheet, example.lightness, [example.ab, *outputs.values()], palette, rows=12)
    return figures
