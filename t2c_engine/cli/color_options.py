"""What the words of --palette and --region mean: palette files, hex colours, phrases.

Must not import torch or Pillow at module level.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from t2c_engine.cli.common import print_error
from t2c_engine.colorization.color_source import PaletteColors, PhraseColors, Region
from t2c_engine.errors import UsageError
from t2c_engine.palettes.palette import PALETTE_SIZE, Palette


def region_words(text: str) -> tuple[str, str]:
    """Mask and colours of MASK=COLOURS.

    Raises:
        UsageError: one of them is missing.
    """
    mask, _, colors = text.partition("=")
    if not mask or not colors.strip():
        raise UsageError("--region takes two words: a mask, and a phrase or palette for what it covers.")
    return mask, colors


def parse_region(text: str, phrase: PhraseColors) -> Region:
    """A region from MASK=COLOURS: a palette file, hex colours, or else a phrase, drawn as `phrase` is."""
    mask, colors = region_words(text)
    if says_colors(colors):
        return Region(Path(mask), PaletteColors(given_palettes(colors, phrase.count)))
    return Region(Path(mask), replace(phrase, phrase=colors))


def says_colors(text: str) -> bool:
    """Whether words name a palette file or hex colours, and are no phrase."""
    return is_palette_file(text) or text.lstrip().startswith("#")


def is_palette_file(text: str) -> bool:
    from t2c_engine.palettes.files import READABLE_SUFFIXES

    return Path(text).suffix.lower() in READABLE_SUFFIXES or os.path.isfile(text)


def given_palettes(text: str, count: int) -> tuple[Palette, ...]:
    """The first `count` palettes that a text names: a file's, or one of hex colours. Says what is changed in them."""
    from t2c_engine.palettes.files import read_palettes

    is_file = is_palette_file(text)
    palettes = read_palettes(text) if is_file else (Palette.from_hex(text),)
    if len(palettes) > count:
        print_error(f"{text} has {len(palettes)} palettes; the first {count} are used.")
    for index, one in enumerate(palettes[:count], start=1):
        number = len(one.colors)
        if number != PALETTE_SIZE:
            which = f"palette {index} of {text}" if is_file else "the palette"
            how = "lighter and darker variants are added" if number < PALETTE_SIZE else "the most typical are used"
            print_error(f"{which} has {number} colour{'s' if number > 1 else ''}, not {PALETTE_SIZE}; {how}.")
    return palettes[:count]
