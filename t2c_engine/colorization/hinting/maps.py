"""Hints on ab maps: what the network is given of them, and how far they count in what it answers.

Hints lie on an encoded picture; `regression` says how they spread. Must not import files or the trainer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch.nn import functional as F

from t2c_engine.colorization.encoding import EncodedScale, Encoding
from t2c_engine.colorization.hinting.regression import HintRegression, Places
from t2c_engine.colorization.hints import Hints, spread
from t2c_engine.colorization.palette_extraction import palette_of_points
from t2c_engine.networks.colorizer import Condition
from t2c_engine.palettes.palette import PALETTE_SIZE
from t2c_engine.pictures.resize import resize

HINTED_SHARE = 0.4  # of what the network makes of hints; the rest is their regression's
HINT_COVERAGE = 0.3  # mask from which a cell's colour counts among the hints' own


def with_hints(
    encoding: Encoding,
    outside: Sequence[np.ndarray],
    plain: Sequence[np.ndarray],
    hinted: Sequence[np.ndarray],
    hints: Hints,
) -> list[np.ndarray]:
    """Maps that are `outside` where hints do not reach.

    Where they do, maps are between those without hints and with them, and what is left over at the hints is spread.

    Args:
        outside, plain, hinted: h x w x 2 each, of the same palettes.
    """
    scale, size = encoding.scales[0], (encoding.height, encoding.width)
    small = hints.at_size((scale.height, scale.width))
    if not small.mask.any():
        return list(outside)
    regression = HintRegression(small, _places(scale))
    share = resize(regression.share, size)[..., None]
    maps = []
    for beyond, before, after in zip(outside, plain, hinted, strict=True):
        ab = before + HINTED_SHARE * (after - before)
        ab = ab + resize(regression.residual(_below(ab, hints, small)), size)
        maps.append(beyond + share * (ab - beyond))
    return pasted(maps, hints)


def beside_colors(encoding: Encoding, maps: Sequence[np.ndarray], hints: Hints) -> list[np.ndarray]:
    """Maps of colours that were asked for, a palette's or a reference's, with the hints' things in the hints' colours.

    Args:
        maps: h x w x 2 each, without the hints.
    """
    scale, size = encoding.scales[0], (encoding.height, encoding.width)
    small = hints.at_size((scale.height, scale.width))
    if not small.mask.any():
        return list(maps)
    ab, share = HintRegression(small, _places(scale)).fill()
    ab, share = resize(ab, size), resize(share, size)[..., None]
    return pasted([one + share * (ab - one) for one in maps], hints)


def pasted(maps: Sequence[np.ndarray], hints: Hints | None) -> list[np.ndarray]:
    """Maps with the hints' own colours where they are."""
    if hints is None:
        return list(maps)
    small = hints.at_size((maps[0].shape[0], maps[0].shape[1]))
    return [ab + small.mask[..., None] * (small.ab - ab) for ab in maps]


def spread_over(scale: EncodedScale, hints: Hints) -> Hints:
    """Hints of the scale's size, spread over its lightness and automatic colour."""
    features = scale.features
    both = torch.cat((features.lightness[0], features.automatic[0]))[:, : scale.height, : scale.width]
    lab = both.permute(1, 2, 0).float().cpu().numpy()
    return spread(hints, lab[..., 0], lab[..., 1:])


def hint_palette(scale: EncodedScale, hints: Hints) -> np.ndarray:
    """n x 3 Lab: the hints' colours at the lightness below them. Without a palette they are the picture's."""
    lightness = scale.features.lightness[0, 0, : scale.height, : scale.width].float().cpu()
    covered = torch.from_numpy(hints.mask >= HINT_COVERAGE)
    if not covered.any():
        return np.zeros((0, 3), np.float32)
    points = torch.cat((lightness[covered][:, None], torch.from_numpy(hints.ab)[covered]), 1)
    return palette_of_points(points, PALETTE_SIZE).numpy()


def with_plain(plain: Condition, hinted: Condition) -> Condition:
    """Both conditions as one batch, those without hints first; hints that cover nothing are none."""
    assert hinted.hints is not None
    palette, mask = (torch.cat((getattr(plain, name), getattr(hinted, name))) for name in ("palette", "palette_mask"))
    return replace(
        hinted, palette=palette, palette_mask=mask, hints=torch.cat((torch.zeros_like(hinted.hints), hinted.hints))
    )


def _places(scale: EncodedScale) -> Places:
    """What the cells of a scale are like, for hints to spread."""
    features, (height, width) = scale.features, (scale.height, scale.width)
    longest = max(height, width)
    rows, columns = (torch.arange(side, device=features.lightness.device) / longest for side in (height, width))
    position = torch.stack(torch.meshgrid(rows, columns, indexing="ij"))
    levels = (*features.pretrained, features.logits.float().softmax(1).sqrt())
    full = features.lightness.shape[-2:]
    levels = [F.interpolate(one.float(), full, mode="bilinear", align_corners=False)[0] for one in levels]
    lightness, automatic = features.lightness[0].float(), features.automatic[0].float()
    tensors = (position, lightness / 100, automatic / 50, *levels)
    blocks = tuple(one[:, :height, :width].cpu().numpy() for one in tensors)
    return Places(100 * blocks[1][0], 50 * blocks[2].transpose(1, 2, 0), blocks)


def _below(ab: np.ndarray, hints: Hints, small: Hints) -> np.ndarray:
    """The mean of a map below the hints of each cell, of the size of `small`."""
    weight = hints.at_size((ab.shape[0], ab.shape[1])).mask[..., None] + 1e-3
    return resize(ab * weight, small.size) / resize(weight[..., 0], small.size)[..., None]
