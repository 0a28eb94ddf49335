"""How well a network colours held-out photographs: what training is steered by, and the figures of its report.

Goes through the engine's `Colorizer`, so that it sees what users get. Must not import optimisers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from t2c_engine.color.lab import lab_to_srgb, srgb_to_lab
from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.palettes.palette import Palette
from t2c_engine.pictures.picture import Picture
from t2c_engine.pictures.resize import resize
from t2c_engine.rendering.guided_upsampling import render
from trainer.common.picture_data import L_UNIT
from trainer.common.run_log import track
from trainer.evaluation.color_metrics import ab_error, colorfulness, picture_palette
from trainer.evaluation.colors import network_size
from trainer.photographs.check import Checked

WAYS = ("palette", "automatic")  # of colouring: with the true palette, and by itself
SHORT_SIDE = 256  # px, of final figures

Errors = dict[str, np.ndarray]  # mean ab error of every photograph, by way of colouring


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A photograph to be coloured: lab H x W x 3 (ab of half its resolution, enlarged), its palette, 5 x 3 Lab."""

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

    @property
    def grey(self) -> Picture:
        """What is to be coloured."""
        lightness = self.lab[..., 0]
        grey = lab_to_srgb(np.stack((lightness, lightness * 0, lightness * 0), -1))
        return Picture(pixels=np.ascontiguousarray(grey[..., 1], dtype=np.float32))


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one network on photographs, at SHORT_SIDE. colorfulness: ratio to the true one, by way of colouring."""

    errors: Errors
    colorfulness: dict[str, float]


def ab_maps(colorizer: Colorizer, one: HeldOut) -> dict[str, np.ndarray]:
    """ab maps (h x w x 2, half the network's size) of every one of WAYS."""
    lightness = np.ascontiguousarray(one.lab[..., 0], np.float32)
    encoding = colorizer.encode(resize(lightness, network_size(lightness.shape, colorizer.short_side)))
    palette = Palette.from_lab(one.palette)
    return {"palette": colorizer.color(encoding, [palette])[0], "automatic": colorizer.automatic(encoding)}


def quick_errors(colorizer: Colorizer, held_out: Sequence[HeldOut]) -> Errors:
    """Errors at the network's own size, without rendering."""
    found: dict[str, list[float]] = {way: [] for way in WAYS}
    for one in held_out:
        for way, ab in ab_maps(colorizer, one).items():
            true = resize(np.ascontiguousarray(one.lab[..., 1:]), ab.shape[:2])
            found[way].append(float(ab_error(ab, true).mean()))
    return {way: np.array(values) for way, values in found.items()}


def measure(colorizer: Colorizer, held_out: Sequence[HeldOut], words: str) -> Figures:
    """Figures of rendered results; `words` for the progress bar."""
    found: dict[str, list[float]] = {way: [] for way in WAYS}
    colorful: dict[str, list[float]] = {way: [] for way in (*WAYS, "true")}
    for one in track(held_out, len(held_out), words):
        colorful["true"].append(colorfulness(lab_to_srgb(one.lab)))
        for way, ab in ab_maps(colorizer, one).items():
            rgb = render(one.grey, ab)
            found[way].append(float(ab_error(srgb_to_lab(rgb)[..., 1:], one.lab[..., 1:]).mean()))
            colorful[way].append(colorfulness(rgb))
    true = max(float(np.mean(colorful["true"])), 1e-6)
    return Figures(
        {way: np.array(values) for way, values in found.items()},
        {way: float(np.mean(colorful[way])) / true for way in WAYS},
    )


def ratio(after: np.ndarray, before: np.ndarray) -> float:
    """Mean error over mean error before; below 1 is better."""
    return float(after.mean() / max(float(before.mean()), 1e-6))


def ratios(after: Errors, before: Errors) -> dict[str, float]:
    """`ratio` by way of colouring."""
    return {way: ratio(after[way], before[way]) for way in WAYS}


def interval(after: np.ndarray, before: np.ndarray, draws: int = 2000) -> tuple[float, float]:
    """95 % interval of `ratio` over photographs (bootstrap of pairs, Efron and Tibshirani 1993)."""
    rng = np.random.default_rng(0)
    index = rng.integers(0, len(after), (draws, len(after)))
    values = after[index].mean(1) / np.maximum(before[index].mean(1), 1e-6)
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)


def painted(one: HeldOut, ab: np.ndarray) -> np.ndarray:
    """An ab map on the photograph: H x W x 3 sRGB, 0..1."""
    return render(one.grey, ab)
