"""How well a network colours held-out photographs, at the network's own size: what training is steered by.

Goes through the engine's `Colorizer`, so that it sees what users get. Must not import optimisers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from t2c_engine.color.lab import lab_to_srgb
from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.palettes.palette import Palette
from t2c_engine.pictures.picture import Picture
from t2c_engine.pictures.resize import resize
from t2c_engine.rendering.guided_upsampling import render
from trainer.common.picture_data import L_UNIT
from trainer.evaluation.color_metrics import ab_error, picture_palette
from trainer.evaluation.colors import network_size
from trainer.photographs.check import Checked

WAYS = ("palette", "automatic")  # of colouring: with the true palette, and by itself


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A photograph to be coloured: lab H x W x 3 (ab at half its resolution, enlarged), its palette, 5 x 3 Lab."""

    name: str
    lab: np.ndarray
    palette: np.ndarray

    @classmethod
    def of(cls, one: Checked, short_side: int) -> HeldOut:
        """A checked photograph at `short_side` px."""
        assert one.lightness is not None and one.ab is not None
        size = network_size(one.lightness.shape, short_side)
        light = resize(one.lightness.astype(np.float32) / np.float32(L_UNIT), size)
        lab = np.concatenate((light[..., None], resize(one.ab.astype(np.float32), size)), -1)
        return cls(one.name, lab, picture_palette(lab))


def colored(colorizer: Colorizer, one: HeldOut) -> dict[str, np.ndarray]:
    """ab maps (h x w x 2, half the photograph's size) of every one of WAYS."""
    encoding = colorizer.encode(np.ascontiguousarray(one.lab[..., 0], np.float32))
    palette = Palette.from_lab(one.palette)
    return {"palette": colorizer.color(encoding, [palette])[0], "automatic": colorizer.automatic(encoding)}


def errors(colorizer: Colorizer, held_out: Sequence[HeldOut]) -> dict[str, np.ndarray]:
    """Mean ab error of every photograph (N, Lab units), by way of colouring."""
    found: dict[str, list[float]] = {way: [] for way in WAYS}
    for one in held_out:
        for way, ab in colored(colorizer, one).items():
            true = resize(np.ascontiguousarray(one.lab[..., 1:]), ab.shape[:2])
            found[way].append(float(ab_error(ab, true).mean()))
    return {way: np.array(values) for way, values in found.items()}


def ratios(after: Mapping[str, np.ndarray], before: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Mean error over mean error before, by way of colouring; below 1 is better."""
    return {way: float(after[way].mean() / max(before[way].mean(), 1e-6)) for way in WAYS}


def painted(one: HeldOut, ab: np.ndarray) -> np.ndarray:
    """An ab map on the photograph: H x W x 3 sRGB, 0..1."""
    lightness = one.lab[..., 0]
    grey = lab_to_srgb(np.stack((lightness, lightness * 0, lightness * 0), -1))
    return render(Picture(pixels=np.ascontiguousarray(grey[..., 1], dtype=np.float32)), ab)
