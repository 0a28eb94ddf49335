"""Palettes and results as pictures: a sheet of swatches with hex codes, and a contact sheet of coloured results.

Everything here is small and drawn with Pillow in sRGB. Must not import torch or read files other than fonts.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from t2c_engine.errors import PaletteError
from t2c_engine.files import write_file
from t2c_engine.palettes.palette import Palette

INK, PAPER, FAINT = (34, 34, 38), (255, 255, 255), (118, 118, 124)
MARGIN = 32
_SHEET_WIDTH = 960
_SWATCH_HEIGHT = 104
CELL = 400  # longest side of a picture on a contact sheet, px
_STRIP = 34  # height of the palette under it
_MAX_ROWS = 200  # palettes on one sheet

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def swatch_sheet(palettes: Sequence[Palette], title: str = "") -> Image.Image:
    """A sheet (RGB, 960 px wide) with one row of swatches and hex codes for each palette, under the title.

    Raises:
        PaletteError: there is no palette, or more than fit one sheet.
    """
    if not 1 <= len(palettes) <= _MAX_ROWS:
        raise PaletteError(f"A swatch sheet shows 1 to {_MAX_ROWS} palettes, not {len(palettes)}.")
    heading, row = 56 if title else 0, _SWATCH_HEIGHT + 48
    sheet = Image.new("RGB", (_SHEET_WIDTH, 2 * MARGIN + heading + row * len(palettes) - 16), PAPER)
    draw = ImageDraw.Draw(sheet)
    inner = _SHEET_WIDTH - 2 * MARGIN
    if title:
        _text(draw, (MARGIN, MARGIN), title, 30, INK, inner)
    for index, palette in enumerate(palettes):
        top = MARGIN + heading + index * row
        draw_strip(sheet, palette, (MARGIN, top, MARGIN + inner, top + _SWATCH_HEIGHT))
        width = inner / len(palette.colors)
        for position, code in enumerate(palette.hex):
            if width >= 76:
                _text(draw, (round(MARGIN + position * width), top + _SWATCH_HEIGHT + 5), code, 17, FAINT, width)
    return sheet


def contact_sheet(
    pictures: Sequence[Image.Image],
    palettes: Sequence[Palette | None],
    captions: Sequence[str],
    title: str = "",
    columns: int | None = None,
) -> Image.Image:
    """Pictures in a grid (RGB), each with its palette as a strip and its caption below, under the title.

    Args:
        pictures: at least one, of any size and mode; shown at most 400 px large, transparency on white.
        palettes, captions: one for each picture; None leaves the strip out. columns: by their number if not said.

    Raises:
        ValueError: the three differ in length, or are empty.
    """
    if not pictures or not len(pictures) == len(palettes) == len(captions):
        raise ValueError("A contact sheet takes a palette and a caption for each of at least one picture.")
    small = [_thumbnail(picture) for picture in pictures]
    columns = columns or (len(small) if len(small) <= 3 else 3 if len(small) <= 9 else 4)
    rows = -(-len(small) // columns)
    width, height = max(180, *(one.width for one in small)), max(one.height for one in small)
    heading = 56 if title else 0
    cell_width, cell_height = width + 24, height + _STRIP + 60
    size = (2 * MARGIN + columns * cell_width - 24, 2 * MARGIN + heading + rows * cell_height - 24)
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    if title:
        _text(draw, (MARGIN, MARGIN), title, 30, INK, size[0] - 2 * MARGIN)
    for index, (picture, palette, caption) in enumerate(zip(small, palettes, captions, strict=True)):
        left = MARGIN + index % columns * cell_width
        top = MARGIN + heading + index // columns * cell_height
        sheet.paste(picture, (left + (width - picture.width) // 2, top + height - picture.height))
        below = top + height + 6
        if palette is not None:
            draw_strip(sheet, palette, (left, below, left + width, below + _STRIP))
        _text(draw, (left, below + (_STRIP + 4 if palette is not None else 0)), caption, 17, FAINT, width)
    return sheet


def draw_strip(sheet: Image.Image, palette: Palette, box: tuple[int, int, int, int]) -> None:
    """Fill `box` (left, top, right, bottom) of an RGB picture with the palette's colours side by side."""
    left, top, right, bottom = box
    draw = ImageDraw.Draw(sheet)
    count = len(palette.colors)
    for index, color in enumerate(palette.colors):
        start, end = (left + (right - left) * step // count for step in (index, index + 1))
        draw.rectangle((start, top, max(start, end - 1), bottom - 1), fill=color)
    draw.rectangle((left, top, right - 1, bottom - 1), outline=(222, 222, 226))  # white swatches need an edge


def png_bytes(picture: Image.Image) -> bytes:
    """The picture as a PNG file."""
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def write_swatch_sheet(path: Path, palettes: Sequence[Palette], title: str = "", overwrite: bool = False) -> None:
    """Write `swatch_sheet` as PNG, whole or not at all.

    Raises:
        OutputError: the file exists and `overwrite` is false, or it cannot be written.
    """
    write_file(path, png_bytes(swatch_sheet(palettes, title)), overwrite)


def _thumbnail(picture: Image.Image) -> Image.Image:
    """A copy within `CELL` x `CELL`, at least 1 px each way, RGB on white."""
    scale = min(1.0, CELL / max(picture.size))
    width, height = (max(1, round(side * scale)) for side in picture.size)
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        small = picture.convert("RGBA").resize((width, height), Image.Resampling.LANCZOS)
        paper = Image.new("RGB", small.size, PAPER)
        paper.paste(small, mask=small.getchannel("A"))
        return paper
    return picture.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)


def _font(size: int, text: str) -> Font:
    """Pillow's own font; for letters beyond Latin-1 a wider one of the system, where there is one."""
    if not text.isascii():
        for name in ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial Unicode.ttf", "arial.ttf"):
            try:
                return ImageFont.truetype(name, size)
            except OSError:
                continue
    return ImageFont.load_default(size)


def _text(
    draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, size: int, fill: tuple[int, int, int], width: float
) -> None:
    """One line of text, cut with an ellipsis where it would be wider than `width` px."""
    text = " ".join(text.split())[:500]
    font = _font(size, text)
    if draw.textlength(text, font=font) > width:
        while text and draw.textlength(text + "...", font=font) > width:
            text = text[: max(0, min(len(text) - 1, int(len(text) * 0.95)))]
        text = text.rstrip() + "..."
    draw.text(at, text, font=font, fill=fill)
