"""Small pictures of results, and the contact sheet made of them.

Must not import torch, networks or the command line.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from t2c_engine.color.lab import lab_to_srgb, srgb_to_lab
from t2c_engine.palettes.palette import Palette
from t2c_engine.palettes.swatches import CELL, contact_sheet
from t2c_engine.pictures.picture import read_picture
from t2c_engine.pictures.png import LEVEL

PREVIEW_SIDE = 800  # a picture is thinned to about this for its contact sheet, px


def preview(pixels: np.ndarray) -> Image.Image:
    """A small 8-bit picture (grey or RGB) of pixels H x W or H x W x 3: uint8, uint16 or float 0..1."""
    step = max(1, max(pixels.shape[:2]) // PREVIEW_SIDE)
    pixels = pixels[::step, ::step]
    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    elif pixels.dtype != np.uint8:
        pixels = np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(pixels))


def preview_of_file(path: Path) -> Image.Image:
    """A small picture of a file.

    Raises:
        PictureError: it cannot be read.
    """
    return preview(read_picture(path).pixels)


def without_color(small: Image.Image) -> Image.Image:
    """The lightness of a small RGB picture, which is that of the picture it was made from."""
    lab = srgb_to_lab(np.asarray(small.convert("RGB"), dtype=np.float32) / 255)
    lab[..., 1:] = 0
    return preview(lab_to_srgb(lab))


def result_sheet(
    source: Path, outputs: Sequence[Path], palettes: Sequence[Palette | None], previews: Sequence[Image.Image],
    title: str,
) -> Image.Image:  # fmt: skip
    """The grey picture, then every result with its palette and its file's name."""
    captions = [source.name, *(path.name for path in outputs)]
    grey = previews[0].copy()
    grey.thumbnail((CELL, CELL), Image.Resampling.LANCZOS)  # as small as it is shown: colors cost by the pixel
    return contact_sheet([without_color(grey), *previews], [None, *palettes], captions, title)


def sheet_bytes(sheet: Image.Image, xmp: bytes) -> bytes:
    """A sheet as a PNG file with XMP."""
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8"))
    stream = BytesIO()
    sheet.save(stream, "PNG", pnginfo=info, compress_level=LEVEL)
    return stream.getvalue()
