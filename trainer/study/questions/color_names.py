"""Plain words for colours, for screen readers: the nearest of the engine's colour words by CIEDE2000.

Must not import torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import Image

from t2c_engine.palettes.negation import COLOR_WORDS
from t2c_engine.palettes.palette import Palette, delta_e_2000

COLORS_NAMED = 4  # of a picture


@lru_cache(maxsize=1)
def _table() -> tuple[tuple[str, ...], np.ndarray]:
    names = tuple(COLOR_WORDS)
    return names, Palette(tuple(COLOR_WORDS.values())).lab.astype(np.float64)


def palette_words(palette: Palette) -> str:
    """Such as "black, maroon, orange, cream": a word a colour, in the palette's order."""
    names, lab = _table()
    nearest = delta_e_2000(palette.lab[:, None].astype(np.float64), lab[None]).argmin(axis=1)
    return ", ".join(names[index] for index in nearest)


def picture_words(rgb: np.ndarray) -> str:
    """The words of the most frequent colours of H x W x 3 uint8 sRGB, the most frequent first, each once."""
    counted = Image.fromarray(rgb).resize((64, 64)).quantize(COLORS_NAMED).convert("RGB").getcolors() or []
    colors = [color for _, color in sorted(counted, reverse=True)]
    return _once(palette_words(Palette(tuple(colors))).split(", "))  # pyright: ignore[reportArgumentType]


def _once(words: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(words))
