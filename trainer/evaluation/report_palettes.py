"""Pictures of palettes for docs/results: phrases beside their true palettes, and distributions of colour side by side.

Must not import networks or torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from t2c_engine.color.lab import ab_bins, fit_gamut, lab_to_srgb, nearest_bin
from t2c_engine.files import write_file
from t2c_engine.palettes.palette import Palette
from t2c_engine.palettes.sampler import PaletteRequest, PaletteSampler
from t2c_engine.palettes.swatches import FAINT, INK, MARGIN, PAPER, draw_strip, png_bytes
from trainer.palettes.data import TextColors

PAPER_PHRASES = (
    "mango and grapefruit", "bright life", "i love you", "i thought i loved you", "where did our love go",
    "white rose", "black rose", "wilt rose", "melancholy rainbow", "rainbow in pastel", "little bit of rainbow",
    "pastel candy heart", "without a heart", "furious heart", "romantic autumn", "autumnal breeze", "warm autumn",
    "midsummer to autumn", "autumn breeze and falling leaves",
)  # fmt: skip
SAMPLED = 5  # palettes shown of ours
TRUE = 2  # true palettes shown at most
_STRIP, _ROW, _GAP, _WORDS = 150, 58, 12, 325  # px: of a palette, of a row, between palettes, of the phrase
_CELL = 15  # px, of a bin of a distribution


def palette_page(
    path: Path, sampler: PaletteSampler, rows: Sequence[TextColors] = (), phrases: Sequence[str] = PAPER_PHRASES
) -> Path:
    """Write a PNG: for each phrase five palettes of ours, the most typical first, and what people gave that text.

    Returns its path.

    Args:
        rows: texts with their true palettes, of any split; without them only ours are shown.
    """
    truth: dict[str, list[Palette]] = {}
    for row in rows:
        truth.setdefault(" ".join(row.text.casefold().split()), []).append(Palette.from_lab(row.lab).sorted())
    width = _WORDS + SAMPLED * (_STRIP + _GAP) + (30 + TRUE * (_STRIP + _GAP) if rows else 0)
    top = MARGIN + 46
    sheet = Image.new("RGB", (width + 2 * MARGIN, top + _ROW * len(phrases) + MARGIN), PAPER)
    pen, font, small = ImageDraw.Draw(sheet), ImageFont.load_default(20), ImageFont.load_default(16)
    ours, theirs = MARGIN + _WORDS, MARGIN + _WORDS + SAMPLED * (_STRIP + _GAP) + 30
    pen.text((ours, MARGIN), f"made by {sampler.name}, the most typical first", INK, font)
    if rows:
        pen.text((theirs, MARGIN), "what people gave this title (PAT)", INK, font)
    for line, phrase in enumerate(phrases):
        y = top + line * _ROW
        pen.text((MARGIN, y + 10), phrase, INK, font)
        for column, palette in enumerate(sampler.sample(PaletteRequest(phrase, count=SAMPLED)).palettes):
            _strip(sheet, palette, ours + column * (_STRIP + _GAP), y)
        known = truth.get(phrase, [])
        for column, palette in enumerate(known[:TRUE]):
            _strip(sheet, palette, theirs + column * (_STRIP + _GAP), y)
        if rows and not known:
            pen.text((theirs, y + 12), "no such title", FAINT, small)
    write_file(path, png_bytes(sheet), overwrite=True)
    return path


def _strip(sheet: Image.Image, palette: Palette, x: int, y: int) -> None:
    draw_strip(sheet, palette, (x, y, x + _STRIP, y + _ROW - _GAP))


def ab_page(path: Path, colors: Mapping[str, np.ndarray]) -> None:
    """Write a PNG: how often each of the 313 ab bins is used, one panel for each set of Lab colours (n x 3).

    A bin's square has the bin's colour at L 65 and an area that grows with the logarithm of its share.
    """
    bins = ab_bins()
    tones = np.rint(lab_to_srgb(fit_gamut(np.concatenate((np.full((len(bins), 1), 65.0), bins), axis=1))) * 255)
    low = bins.min(axis=0)
    columns, lines = ((bins - low) // 10).astype(int).T  # a to the right, b upwards
    size = _CELL * (max(columns.max(), lines.max()) + 1)
    sheet = Image.new("RGB", (2 * MARGIN + len(colors) * (size + MARGIN) - MARGIN, size + 2 * MARGIN + 30), PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(18)
    for panel, (name, lab) in enumerate(colors.items()):
        left, top = MARGIN + panel * (size + MARGIN), MARGIN + 30
        pen.text((left, MARGIN - 8), name, INK, font)
        share = np.bincount(nearest_bin(lab[:, 1:]), minlength=len(bins)) / len(lab)
        full = np.clip(1 + np.log10(np.maximum(share, 1e-9)) / 4.5, 0, 1) ** 0.5  # 3e-5 and below: nothing
        for column, line, tone, part in zip(columns, lines, tones.astype(int), full, strict=True):
            x, y = left + column * _CELL, top + size - (line + 1) * _CELL
            pen.rectangle((x, y, x + _CELL - 2, y + _CELL - 2), fill=(244, 244, 246))
            half = part * (_CELL - 1) / 2
            if half > 0.5:
                middle = (x + (_CELL - 1) / 2, y + (_CELL - 1) / 2)
                box = (middle[0] - half, middle[1] - half, middle[0] + half - 1, middle[1] + half - 1)
                pen.rectangle(box, fill=tuple(tone.tolist()))
    write_file(path, png_bytes(sheet), overwrite=True)
