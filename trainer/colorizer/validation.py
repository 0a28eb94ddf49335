"""How a run stands: figures and a sheet of pictures that it does not train on. Must not import optimisers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from t2c_engine.networks.colorizer import ColorizerNet, Condition
from t2c_engine.networks.picture_encoder import Features
from trainer.colorizer.augmentation import AugmentConfig, Example, make_example
from trainer.colorizer.config import TrainConfig
from trainer.colorizer.step import TrainingData, cells
from trainer.common.picture_data import Batch, PictureSet, draw_batch
from trainer.common.sheets import color_sheet

VALIDATION_PICTURES = 192
PIECE = 24  # pictures that go through the network at once
SHEET_ROWS = 12


def validation_batch(pictures: PictureSet | None, data: TrainingData, config: TrainConfig) -> Example | None:
    """Square crops with their own palettes, always the same; None where nothing is held out.

    Args:
        pictures: that are for validation, all of them; None takes those held out of the training pictures.
    """
    rng = np.random.default_rng(0)
    source = pictures or data.pictures
    indices = np.arange(len(source.shapes)) if pictures else source.indices(validation=True)
    chosen = rng.permutation(indices)[:VALIDATION_PICTURES]
    if not len(chosen):
        return None
    parts = [draw_batch(source, chosen[i : i + 1], rng, 1, config.crop) for i in range(len(chosen))]
    batch = Batch(torch.cat([part.lightness for part in parts]), torch.cat([part.ab for part in parts]))
    return make_example(batch, AugmentConfig(), torch.Generator().manual_seed(0))


def validate(network: ColorizerNet, example: Example | None, device: str, sheet: Path) -> dict[str, float]:
    """ab error with the true palette, with none, with another picture's, and of the automatic colour; a sheet beside.

    "ab_shuffled" is the true palette with the deepest features of another picture (feature-shuffle ablation): where it
    is no worse, the network sees tones alone. "chroma_*" are ratios to the true chroma.
    """
    if example is None:
        return {}
    network.eval()
    palette, given = example.condition.palette, example.condition.palette_mask
    conditions = {
        "true": (palette, given),
        "none": (palette, torch.zeros_like(given)),
        "other": (palette.roll(1, 0), given),
        "shuffled": (palette, given),
    }
    parts: dict[str, list[Tensor]] = {name: [] for name in (*conditions, "automatic")}
    with torch.inference_mode():
        for piece in torch.arange(len(palette)).split(PIECE):
            features = network.encode(example.lightness[piece].to(device))
            parts["automatic"].append(features.automatic.cpu())
            for name, (colors, mask) in conditions.items():
                seen = _shuffled(features) if name == "shuffled" else features
                prediction = network.decode(seen, Condition(colors[piece].to(device), mask[piece].to(device)))
                parts[name].append(cells(prediction.ab, example.ab).cpu())
    outputs = {name: torch.cat(pieces) for name, pieces in parts.items()}
    figures = {f"ab_{name}": _ab_error(ab, example) for name, ab in outputs.items()}
    figures |= {f"chroma_{name}": _chroma_ratio(outputs[name], example) for name in ("true", "none", "automatic")}
    figures["ab_grey"] = _ab_error(torch.zeros_like(outputs["true"]), example)
    figures["contrast"] = float((outputs["true"] - outputs["other"]).square().sum(1).sqrt().mean())
    shown = [outputs[name] for name in ("true", "none", "other", "automatic")]
    color_sheet(sheet, example.lightness, [example.ab, *shown], palette, rows=SHEET_ROWS)
    return figures


def _shuffled(features: Features) -> Features:
    fine, middle, coarse = features.skips
    return replace(features, skips=(fine, middle, coarse.roll(1, 0)))


def _ab_error(ab: Tensor, example: Example) -> float:
    return float((ab - cells(example.ab, ab)).square().sum(1).sqrt().mean())


def _chroma_ratio(ab: Tensor, example: Example) -> float:
    chroma, true = (part.square().sum(1).sqrt().mean() for part in (ab, cells(example.ab, ab)))
    return float(chroma / true)
