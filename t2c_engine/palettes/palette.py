"""The palette: a few sRGB colours with a name, how it becomes five, and the distance between two palettes.

Used alike by training, evaluation and use. Must not import torch, scipy, scikit-image or Pillow; files live in
`files`, extraction from pictures in `colorization.palette_extraction`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from t2c_engine.color.lab import fit_gamut, lab_to_srgb, srgb_to_lab
from t2c_engine.errors import PaletteError
from t2c_engine.palettes.notation import Color, find_links, find_notations, parse_bare, parse_hex
from t2c_engine.serving.protocol import MAX_PALETTE_COLORS, PALETTE_SIZE

_LIGHTNESS_STEPS = tuple(sign * step for step in range(14, 99, 14) for sign in (1, -1))
_VARIANT_RANGE = (4.0, 96.0)  # a variant darker or lighter than this is black or white, no longer the colour
_VARIANT_APART = 5.0  # CIEDE2000 that a variant keeps from every other colour
_PERMUTATIONS = np.array(list(permutations(range(PALETTE_SIZE))))  # 120 x 5


@dataclass(frozen=True, slots=True)
class Palette:
    """One to `MAX_PALETTE_COLORS` colours, each (red, green, blue) in 0..255 of sRGB, in the order given.

    The networks want `PALETTE_SIZE` of them (`to_size`); files may hold any number.

    Raises:
        PaletteError: no colour, too many colours, or a channel outside 0..255.
    """

    colors: tuple[Color, ...]
    name: str = ""

    def __post_init__(self) -> None:
        if not self.colors:
            raise PaletteError("The palette holds no colour; give at least one, such as #d98c3f.")
        if len(self.colors) > MAX_PALETTE_COLORS:
            raise PaletteError(f"The palette holds {len(self.colors)} colours; give at most {MAX_PALETTE_COLORS}.")
        for color in self.colors:
            if len(color) != 3 or not all(0 <= channel <= 255 for channel in color):
                raise PaletteError(f"{tuple(color)} is not a colour; each takes three values from 0 to 255.")

    @classmethod
    def from_hex(cls, colors: str | Iterable[str], name: str = "") -> Palette:
        """From hex colours: a text such as "#8c2f1b, d98c3f, #fff", or one string each.

        A text may also hold rgb(), hsl() and a palette's link; it is split at commas, semicolons, brackets, quotes and
        white space, and between bare codes at dashes.

        Raises:
            PaletteError: a colour cannot be read, or there is none.
        """
        if not isinstance(colors, str):
            return cls(tuple(parse_hex(word) for word in colors), name)
        found: list[Color] = []
        at = 0
        links = [(start, end, inside) for start, end, inside in find_links(colors) if inside]
        marked = [(one.start, one.end, [one.color]) for one in find_notations(colors)]
        marked = [one for one in marked if not any(start <= one[0] < end for start, end, _ in links)]
        for start, end, inside in [*sorted(links + marked), (len(colors), len(colors), [])]:
            words = re.split(r"[\s,;|\[\](){}\"'-]+", colors[at:start])
            found += parse_bare([word for word in words if word]) + inside
            at = end
        return cls(tuple(found), name)

    @classmethod
    def from_lab(cls, lab: np.ndarray, name: str = "") -> Palette:
        """From Lab colours (n x 3, L 0..100); colours that sRGB cannot show lose chroma, not lightness or hue.

        Raises:
            PaletteError: the array has another shape, no row, or holds NaN or infinity.
        """
        lab = np.asarray(lab, dtype=np.float64)
        if lab.ndim != 2 or lab.shape[1] != 3 or not np.isfinite(lab).all():
            raise PaletteError("A palette is made from n x 3 finite Lab values; this array is something else.")
        rgb = np.rint(lab_to_srgb(fit_gamut(lab)) * 255).astype(int)
        return cls(tuple((int(red), int(green), int(blue)) for red, green, blue in rgb), name)

    @property
    def hex(self) -> tuple[str, ...]:
        """The colours as '#rrggbb', lower case."""
        return tuple("#{:02x}{:02x}{:02x}".format(*color) for color in self.colors)

    @property
    def lab(self) -> np.ndarray:
        """The colours in Lab (n x 3, float32)."""
        return srgb_to_lab(np.array(self.colors, dtype=np.float64) / 255).astype(np.float32)

    def sorted(self) -> Palette:
        """The same colours by lightness, lightest last; equals keep their order."""
        order = np.argsort(self.lab[:, 0], kind="stable")
        return Palette(tuple(self.colors[i] for i in order), self.name)

    def to_size(self, size: int = PALETTE_SIZE) -> Palette:
        """The same palette with exactly `size` colours; unchanged when it has them already.

        Fewer: all are kept, and lighter and darker variants of them are appended, the nearest lightness first.
        More: the `size` medoids by CIEDE2000 (a colour that occurs k times weighs k), in the palette's order.
        """
        if size < 1:
            raise PaletteError(f"A palette cannot have {size} colours; ask for at least one.")
        if len(self.colors) < size:
            return Palette(_with_variants(self, size), self.name)
        if len(self.colors) > size:
            return Palette(_medoid_colors(self, size), self.name)
        return self


def _with_variants(palette: Palette, size: int) -> tuple[Color, ...]:
    """The palette's colours, then variants L +14, -14, +28 ... of each in turn, that differ from all before them."""
    base = palette.lab.astype(np.float64)
    colors, lab = list(palette.colors), list(base)
    for apart in (_VARIANT_APART, 0.0):  # near-identical variants only when there is nothing else
        for step in _LIGHTNESS_STEPS:
            for row in base:
                if len(colors) == size:
                    return tuple(colors)
                if not _VARIANT_RANGE[0] <= row[0] + step <= _VARIANT_RANGE[1]:
                    continue
                variant = Palette.from_lab(np.array([[row[0] + step, row[1], row[2]]]))
                if delta_e_2000(variant.lab, np.array(lab)).min() > apart:
                    colors.append(variant.colors[0])
                    lab.append(variant.lab[0])
    while len(colors) < size:  # sizes beyond anything the lightness scale can tell apart
        colors.append(colors[len(colors) % len(palette.colors)])
    return tuple(colors)


def _medoid_colors(palette: Palette, size: int) -> tuple[Color, ...]:
    """`size` of the palette's colours with the smallest weighted CIEDE2000 from every colour to its nearest."""
    counts: dict[Color, int] = {}
    for color in palette.colors:
        counts[color] = counts.get(color, 0) + 1
    distinct = Palette(tuple(counts))
    if len(counts) <= size:
        return distinct.to_size(size).colors
    lab = distinct.lab.astype(np.float64)
    weights = np.array(list(counts.values()), dtype=np.float64)
    chosen = k_medoids(delta_e_2000(lab[:, None], lab[None]), weights, size)
    return tuple(distinct.colors[i] for i in sorted(chosen))


def k_medoids(distances: np.ndarray, weights: np.ndarray, count: int, cost: np.ndarray | None = None) -> list[int]:
    """Indices of `count` medoids (greedy start, then swaps while they help; Kaufman and Rousseeuw 1990, PAM).

    Args:
        distances: n x n, symmetric, zero diagonal, n >= `count`.
        weights: n, how much each point's distance to its nearest medoid counts.
        count: how many medoids; the first is the best single one.
        cost: n, what it costs to choose a point; nothing if not given.
    """
    costs_of_choice = np.zeros(len(distances)) if cost is None else cost
    chosen: list[int] = []
    nearest = np.full(len(distances), np.inf)
    for _ in range(count):
        costs = np.minimum(nearest[:, None], distances).T @ weights + costs_of_choice
        costs[chosen] = np.inf
        chosen.append(int(np.argmin(costs)))
        nearest = np.minimum(nearest, distances[chosen[-1]])
    best = float(nearest @ weights + costs_of_choice[chosen].sum())
    improved = True
    while improved:
        improved = False
        for position in range(count):
            others = chosen[:position] + chosen[position + 1 :]
            rest = distances[others].min(axis=0) if others else np.full(len(distances), np.inf)
            costs = np.minimum(rest[:, None], distances).T @ weights + costs_of_choice + costs_of_choice[others].sum()
            costs[others] = np.inf  # else a point could be chosen twice
            candidate = int(np.argmin(costs))
            if costs[candidate] < best - 1e-6 * abs(best):
                best, improved = float(costs[candidate]), True
                chosen[position] = candidate
    return chosen


def delta_e_2000(lab1: np.ndarray, lab2: np.ndarray) -> np.ndarray:
    """CIEDE2000 (kL = kC = kH = 1) between Lab colours (... x 3, broadcast against each other), float64.

    Sharma, Wu and Dalal 2005, eqs. 2-22.
    """
    light1, a1, b1 = np.moveaxis(np.asarray(lab1, dtype=np.float64), -1, 0)
    light2, a2, b2 = np.moveaxis(np.asarray(lab2, dtype=np.float64), -1, 0)
    mean_chroma7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    stretch = 1.5 - 0.5 * np.sqrt(mean_chroma7 / (mean_chroma7 + 25.0**7))  # 1 + G
    a1, a2 = a1 * stretch, a2 * stretch
    chroma1, chroma2 = np.hypot(a1, b1), np.hypot(a2, b2)
    hue1, hue2 = np.arctan2(b1, a1) % (2 * np.pi), np.arctan2(b2, a2) % (2 * np.pi)

    chromatic = chroma1 * chroma2 != 0
    turn = hue2 - hue1
    turn = np.where(turn > np.pi, turn - 2 * np.pi, np.where(turn < -np.pi, turn + 2 * np.pi, turn)) * chromatic
    d_light, d_chroma = light2 - light1, chroma2 - chroma1
    d_hue = 2 * np.sqrt(chroma1 * chroma2) * np.sin(turn / 2)

    total = hue1 + hue2
    wrapped = np.where(total < 2 * np.pi, total + 2 * np.pi, total - 2 * np.pi)
    hue = np.where(chromatic, np.where(np.abs(hue1 - hue2) <= np.pi, total, wrapped) / 2, total)
    light, chroma = (light1 + light2) / 2, (chroma1 + chroma2) / 2

    t = 1 - 0.17 * np.cos(hue - np.radians(30)) + 0.24 * np.cos(2 * hue)
    t += 0.32 * np.cos(3 * hue + np.radians(6)) - 0.20 * np.cos(4 * hue - np.radians(63))
    scale_light = 1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2)
    scale_chroma, scale_hue = 1 + 0.045 * chroma, 1 + 0.015 * chroma * t
    chroma7 = chroma**7
    swing = np.radians(60) * np.exp(-(((np.degrees(hue) - 275) / 25) ** 2))  # 2 * delta theta
    rotation = -np.sin(swing) * 2 * np.sqrt(chroma7 / (chroma7 + 25.0**7))
    terms = (d_light / scale_light) ** 2 + (d_chroma / scale_chroma) ** 2 + (d_hue / scale_hue) ** 2
    terms += rotation * (d_chroma / scale_chroma) * (d_hue / scale_hue)
    return np.sqrt(np.maximum(terms, 0))


def palette_distance(a: Palette | np.ndarray, b: Palette | np.ndarray) -> np.ndarray:
    """Mean CIEDE2000 of the best one-to-one assignment of five colours to five ("match" in the figures).

    Args:
        a, b: palettes, or Lab arrays (... x 5 x 3) whose leading dimensions broadcast against each other.

    Returns:
        The distance (...), float64; a scalar array for two palettes. The same either way round.

    Raises:
        PaletteError: either side has not five colours.
    """
    lab_a = np.asarray(a.lab if isinstance(a, Palette) else a, dtype=np.float64)
    lab_b = np.asarray(b.lab if isinstance(b, Palette) else b, dtype=np.float64)
    if lab_a.shape[-2:] != (PALETTE_SIZE, 3) or lab_b.shape[-2:] != (PALETTE_SIZE, 3):
        raise PaletteError("Only palettes of five colours can be compared; bring them there with to_size().")
    costs = delta_e_2000(lab_a[..., :, None, :], lab_b[..., None, :, :])  # ... x 5 x 5
    totals = costs[..., np.arange(PALETTE_SIZE), _PERMUTATIONS].sum(axis=-1)  # ... x 120
    return totals.min(axis=-1) / PALETTE_SIZE
