"""How a transfer sub-net stands on held-out pairs: references of the picture itself, of neighbors, of no relation.

Must not import optimizers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.colorization.palette_extraction import extract_palettes
from t2c_engine.networks.exemplar import ExemplarNet, seen
from t2c_engine.networks.pretrained_encoder import MULTIPLE
from trainer.common.picture_data import PictureSet
from trainer.common.sheets import color_sheet
from trainer.exemplar.config import PairConfig
from trainer.exemplar.data import PreparedPictures, prepare, regraded

PAIRS = 40  # of each kind
SHEET_ROWS = 4  # of each kind
KINDS = ("own", "neighbor", "unrelated")
SETTINGS = PairConfig(1.0, 1.0, 1.0, 1, 0.6, (1.0, 1.0), 0.25, 0.2, 3.0, 0.0, 0.0, 0.0, 0.0)  # of regrading, neighbors


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Pictures that nothing is trained on."""

    pictures: PictureSet
    indices: np.ndarray


def validation_pairs(pictures: PictureSet | None, training: PictureSet) -> HeldOut:
    """All of `pictures`, or those held out of the training pictures."""
    if pictures is not None:
        return HeldOut(pictures, np.arange(len(pictures.shapes)))
    return HeldOut(training, training.indices(validation=True))


def validate(network: ExemplarNet, colorizer: Colorizer, held_out: HeldOut, sheet: Path) -> dict[str, float]:
    """ab error by kind of pair, of automatic color, of `T_ab`, and of both mixed by confidence; a sheet beside.

    The sheet's columns: grey, true, reference's colors at their own places, automatic, `T_ab`, mixed.
    """
    if len(held_out.indices) < 2:
        return {}
    prepared = prepare(held_out.pictures, held_out.indices, colorizer, SETTINGS, sheet.with_name("validation.npz"))
    sums: dict[str, list[float]] = defaultdict(list)
    shown: list[tuple[Tensor, ...]] = []
    for kind in KINDS:
        for row, (position, reference) in enumerate(held_out_pairs(prepared, kind, PAIRS)):
            light, ab = prepared.picture(position)
            maps = _maps(network, colorizer, (light, ab), prepared.automatic[position], reference)
            for name, one in zip(("automatic", "transfer", "mixed"), maps[2:5], strict=True):
                sums[f"{name}_{kind}"].append(float((one - maps[0]).square().sum(1).sqrt().mean()))
            sums[f"confidence_{kind}"].append(float(maps[5].mean()))
            if row < SHEET_ROWS:
                shown.append((_tensor(light[..., None]), *maps[:5]))
    _sheet(sheet, shown)
    return {name: float(np.mean(values)) for name, values in sums.items()}


def held_out_pairs(
    prepared: PreparedPictures, kind: str, count: int
) -> Iterator[tuple[int, tuple[np.ndarray, np.ndarray]]]:
    """`count` pairs, at most, of a kind of KINDS, always the same: position of the target; lightness, ab of the
    reference."""
    order = np.random.default_rng(0).permutation(len(prepared.indices))
    chosen = [int(one) for one in order if kind != "neighbor" or prepared.neighbors[one, 0] >= 0]
    for position in chosen[:count]:
        rng = np.random.default_rng(position)
        other = {"own": position, "neighbor": int(prepared.neighbors[position, 0])}.get(
            kind, int(rng.integers(len(order)))
        )
        light, ab = prepared.picture(other)
        if kind == "own":
            light, ab = regraded(light[:, ::-1], ab[:, ::-1], rng, SETTINGS)
        yield position, (light, ab)


@torch.inference_mode()
def _maps(
    network: ExemplarNet,
    colorizer: Colorizer,
    target: tuple[np.ndarray, np.ndarray],
    automatic: np.ndarray,
    reference: tuple[np.ndarray, np.ndarray],
) -> list[Tensor]:
    """True ab, the reference's ab, automatic, `T_ab`, mixed (each 1 x 2 x h x w at the true ab's size), confidence."""
    true = _tensor(target[1])
    size = (true.shape[-2], true.shape[-1])
    own = _tensor(automatic.astype(np.float32))
    seen_target = seen(colorizer.encoder, _fitted(target[0]), own, network.config.colored)
    reference_ab = _tensor(reference[1])
    seen_reference = seen(colorizer.encoder, _fitted(reference[0]), reference_ab, network.config.colored)
    output = network(seen_target, seen_reference)
    parts = (reference_ab, own, output.ab, output.confidence)
    shown, own, moved, confidence = (F.interpolate(one, size, mode="bilinear", align_corners=False) for one in parts)
    return [true, shown, own, moved, own + confidence * (moved - own), confidence]


def _fitted(lightness: np.ndarray) -> Tensor:
    """1 x 1 x H x W, sides multiples of the encoder's."""
    light = _tensor(lightness[..., None])
    height, width = (max(MULTIPLE, round(side / MULTIPLE) * MULTIPLE) for side in light.shape[-2:])
    return F.interpolate(light, (height, width), mode="bilinear", antialias=True, align_corners=False)


def _tensor(array: np.ndarray) -> Tensor:
    """h x w x C to 1 x C x h x w."""
    return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1), np.float32))[None]


def _sheet(path: Path, rows: list[tuple[Tensor, ...]]) -> None:
    """All pictures brought to one square size."""
    side = 128
    columns = [
        torch.cat([F.interpolate(one, (side, side), mode="bilinear", antialias=True) for one in column])
        for column in zip(*rows, strict=True)
    ]
    lab = torch.cat((columns[0], columns[2]), 1)
    color_sheet(path, columns[0], columns[1:], extract_palettes(lab), rows=len(rows))
