"""How a network that draws colour fields stands: figures over chosen sets, and a sheet. Must not import optimisers."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from t2c_engine.colorization.colorizer import InferenceConfig
from t2c_engine.colorization.decoding import vivid
from t2c_engine.colorization.diverse_colors import DiverseInference, choose_fields
from t2c_engine.colorization.palette_extraction import extract_palettes
from t2c_engine.networks.diverse import Draw, FieldNetwork
from trainer.common.sheets import color_sheet
from trainer.diverse.data import FieldData
from trainer.diverse.losses import at_side, colorfulness

CHOSEN = 5  # fields of a picture
SHEET_ROWS = 12
INFERENCE = InferenceConfig()  # by which automatic color is made vivid


@torch.inference_mode()
def validate(network: FieldNetwork, data: FieldData, sampling: DiverseInference, sheet: Path) -> dict[str, float]:
    """Means over pictures, at the fields' size: ab error of the best and of all five, of the automatic colour, and how
    far apart the five are; colourfulness as a ratio. A sheet of the true field and the five beside."""
    network.eval()
    rows: list[tuple[float, ...]] = []
    shown: list[Tensor] = []
    for index in range(len(data)):
        batch = data.batch([index])
        fields = sampling.gain * network.sample(batch.grey, Draw(sampling.candidates, 0, sampling.temperature))[0]
        five = fields[choose_fields(fields, CHOSEN, sampling.inner)]
        ab = at_side(batch.ab, five.shape[-1])
        automatic = vivid(batch.grey.automatic, INFERENCE.vivid_gain, INFERENCE.vivid_chroma)
        five = automatic + sampling.share * (five - automatic)
        errors = _distance(five, ab)
        pairs = [float(_distance(a, b)) for a, b in combinations(five, 2)]
        rows.append(
            (
                float(errors.min()),
                float(errors.mean()),
                float(_distance(automatic, ab)),
                sum(pairs) / len(pairs),
                float(colorfulness(five).mean()),
                float(colorfulness(ab)),
            )
        )
        if len(shown) < SHEET_ROWS:
            shown.append(torch.cat((ab, five)))
    best, single, automatic_error, apart, vividness, true = (
        sum(column) / len(rows) for column in zip(*rows, strict=True)
    )
    _sheet(sheet, data, shown)
    return {
        "best_of_5": best,
        "single": single,
        "automatic": automatic_error,
        "best_to_automatic": best / automatic_error,
        "apart": apart,
        "colourfulness_ratio": vividness / true,
    }


def _distance(one: Tensor, other: Tensor) -> Tensor:
    """Mean ab distance of ... x 2 x h x w."""
    return (one - other).square().sum(-3).sqrt().mean((-2, -1))


def _sheet(path: Path, data: FieldData, shown: list[Tensor]) -> None:
    lightness = torch.cat([data.batch([index]).grey.tones[:, :1] for index in range(len(shown))])
    abs_ = list(torch.stack(shown).transpose(0, 1))
    lab = torch.cat((lightness, abs_[0]), 1)
    large = F.interpolate(lightness, scale_factor=6, mode="bilinear")
    color_sheet(path, large, abs_, extract_palettes(lab), rows=SHEET_ROWS)
