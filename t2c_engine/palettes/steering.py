"""What a user may ask of palettes beside the phrase: locked colours, colours to avoid, a palette to be like, how many.

Hides how such wishes are written and when two colours count as alike. Must not import torch or the networks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from t2c_engine.color.lab import srgb_to_lab
from t2c_engine.errors import UsageError
from t2c_engine.palettes.palette import Color, Palette, parse_hex
from t2c_engine.palettes.selection import din99
from t2c_engine.serving.protocol import MAX_DRAWN_COLORS, MIN_DRAWN_COLORS, PALETTE_SIZE

MAX_AVOIDED = 20
MAX_LIKE = 20
_RADIUS = 12.0  # DIN99 distance below which two colours are alike
_HUE, _LIGHTNESS, _CHROMA = 20.0, 30.0, 0.5  # ... or so near in hue (degrees) and L, with so much of the chroma
_MIN_CHROMA = 15.0  # chroma below which a colour has no hue to speak of

Refuse = Callable[[np.ndarray], np.ndarray]  # Lab colours n x 3 to n booleans


@dataclass(frozen=True, slots=True)
class Steering:
    """Wishes beside the phrase.

    locked: (position from 0, colour), each position once. avoid: colours that no free colour may be like. like: colours
    of a palette around which to draw. colors: how many a palette has.

    Raises:
        UsageError: a number or position is out of range, a colour is both locked and to be avoided, or all colours of
            `like` are to be avoided.
    """

    locked: tuple[tuple[int, Color], ...] = ()
    avoid: tuple[Color, ...] = ()
    like: tuple[Color, ...] = ()
    colors: int = PALETTE_SIZE

    def __post_init__(self) -> None:
        if not MIN_DRAWN_COLORS <= self.colors <= MAX_DRAWN_COLORS:
            raise UsageError(
                f"A palette of {self.colors} colours cannot be drawn; ask for {MIN_DRAWN_COLORS} to {MAX_DRAWN_COLORS}."
            )
        places = [position for position, _ in self.locked]
        for position in places:
            if not 0 <= position < self.colors:
                raise UsageError(f"Colour {position + 1} cannot be locked; the palette has colours 1 to {self.colors}.")
            if places.count(position) > 1:
                raise UsageError(f"Colour {position + 1} is locked twice; lock it once.")
        if len(self.avoid) > MAX_AVOIDED or len(self.like) > MAX_LIKE:
            raise UsageError(f"At most {MAX_AVOIDED} colours can be avoided and {MAX_LIKE} be given as an example.")
        if self.like and set(self.like) <= set(self.avoid):
            raise UsageError("The colours to be like are all to be avoided too; choose one of the two.")
        for position, color in self.locked:
            if self.avoid and color in self.avoid:
                raise UsageError(f"Colour {position + 1} is both locked and to be avoided; choose one of the two.")

    @property
    def free(self) -> int:
        """How many colours are to be drawn."""
        return self.colors - len(self.locked)

    def arrange(self, free: np.ndarray, name: str = "", exact: Sequence[Color] = ()) -> Palette:
        """The locked colours at their places; the free ones (n x 3 Lab) and those `exact` around them by lightness."""
        colors = (*(Palette.from_lab(free).colors if len(free) else ()), *exact)
        drawn = iter(Palette(colors).sorted().colors if colors else ())
        held = dict(self.locked)
        return Palette(
            tuple(held[position] if position in held else next(drawn) for position in range(self.colors)), name
        )


def parse_locked(text: str) -> tuple[tuple[int, Color], ...]:
    """Locked colours as a user writes them, "1=#aabbcc,4=#112233"; positions count from 1.

    Raises:
        UsageError: something else is written there, or a position occurs twice.
        PaletteError: a colour cannot be read.
    """
    locked: dict[int, Color] = {}
    for part in text.split(","):
        place, sign, color = part.partition("=")
        place = place.strip()
        if not sign or not (place.isascii() and place.isdigit()) or len(place) > 3 or int(place) < 1:
            raise UsageError(f"'{part.strip()[:40]}' locks no colour; write the place and the colour, as 1=#aabbcc.")
        if int(place) - 1 in locked:
            raise UsageError(f"Colour {int(place)} is locked twice; lock it once.")
        locked[int(place) - 1] = parse_hex(color)
    return tuple(sorted(locked.items()))


def colors_lab(colors: Sequence[Color]) -> np.ndarray:
    """sRGB colours (0..255) in Lab, n x 3 float64."""
    return srgb_to_lab(np.array(colors, dtype=np.float64).reshape(-1, 3) / 255)


def refusal(avoid: Sequence[Color]) -> Refuse | None:
    """A test of Lab colours (n x 3) for being like one of those to avoid; None if there are none.

    Alike are two colours with a small DIN99 distance, and a coloured one with those of about its hue and lightness that
    have half its chroma or more: who avoids red wants no dark red either, but does not mind pink or brown.
    """
    if not len(avoid):
        return None
    wanted = colors_lab(avoid)
    space, chroma = din99(wanted), np.hypot(wanted[:, 1], wanted[:, 2])
    hue = np.degrees(np.arctan2(wanted[:, 2], wanted[:, 1]))

    def refuse(lab: np.ndarray) -> np.ndarray:
        lab = np.asarray(lab, dtype=np.float64)
        near = np.linalg.norm(din99(lab)[:, None] - space, axis=-1) < _RADIUS
        turn = np.abs((np.degrees(np.arctan2(lab[:, 2], lab[:, 1]))[:, None] - hue + 180) % 360 - 180)
        same = (turn < _HUE) & (np.abs(lab[:, :1] - wanted[:, 0]) < _LIGHTNESS) & (chroma > _MIN_CHROMA)
        same &= np.hypot(lab[:, 1], lab[:, 2])[:, None] > np.maximum(_CHROMA * chroma, _MIN_CHROMA)
        return (near | same).any(axis=1)

    return refuse


@cache
def _all_colors() -> np.ndarray:
    """Colours of all sRGB in Lab, n x 3."""
    steps = np.linspace(0, 1, 12)
    return srgb_to_lab(np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3))


def escape(lab: np.ndarray, refuse: Refuse) -> np.ndarray:
    """Lab colours (... x 3) with each refused one replaced by the nearest of a grid of colours that is not refused.

    Raises:
        UsageError: nearly every colour is refused.
    """
    flat = lab.reshape(-1, 3).copy()
    bad = np.flatnonzero(refuse(flat))
    if len(bad):
        left = _all_colors()[~refuse(_all_colors())]
        if not len(left):
            raise UsageError("So many colours are to be avoided that none is left; avoid fewer.")
        costs = np.linalg.norm(din99(flat[bad])[:, None] - din99(left), axis=-1)
        flat[bad] = left[costs.argmin(axis=1)]
    return flat.reshape(lab.shape)
