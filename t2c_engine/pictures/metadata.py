"""What a picture file carries besides its pixels: profile, EXIF, XMP, resolution.

Structure that belongs to the old file (sizes, strips, thumbnails) is left out, and orientation is reset, because
`picture` applies it. Must not import any other part of the engine.
"""

from __future__ import annotations

import logging
import re
import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

from PIL import Image

log = logging.getLogger(__name__)

EXIF_IFD, GPS_IFD = 0x8769, 0x8825
_ORIENTATION, _INTEROP = 0x0112, 0xA005
# tags of IFD 0 that describe how the old file is laid out, or that are carried separately (resolution, XMP, ICC, IPTC)
_STRUCTURE = {*range(254, 260), *range(262, 267), 273, *range(277, 285), *range(288, 294), 296, 297, 301, 700}
_STRUCTURE |= {*range(317, 348), *range(512, 516), *range(517, 522), *range(529, 533), 33723, 34377, 34675, 50341}
_SIZE = {40962: 256, 40963: 257}  # EXIF's own notes of width and height
_UNREADABLE = (OSError, SyntaxError, ValueError, KeyError, IndexError, TypeError, OverflowError, struct.error)


@dataclass(frozen=True, slots=True)
class Metadata:
    """icc, exif (with its `Exif` header), xmp: bytes or None. dpi: (x, y) or None. lossless: how it was packed."""

    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    lossless: bool = True


def clean_exif(image: Image.Image) -> tuple[bytes | None, int]:
    """EXIF of a picture read by Pillow, and its orientation (1..8). Unreadable EXIF is dropped (logged)."""
    try:
        return _cleaned(image.getexif())
    except _UNREADABLE as error:
        log.warning("The EXIF data cannot be read (%s) and are left out.", error)
        return None, 1


def tiff_exif(stream: BinaryIO) -> tuple[bytes | None, int]:
    """EXIF and descriptive tags of a TIFF file, and its orientation (1..8)."""
    exif = Image.Exif()
    try:
        stream.seek(0)
        exif.load_from_fp(stream)  # type: ignore[arg-type]
        return _cleaned(exif)
    except _UNREADABLE as error:
        log.warning("The EXIF data cannot be read (%s) and are left out.", error)
        return None, 1


def _cleaned(exif: Image.Exif) -> tuple[bytes | None, int]:
    orientation = exif.get(_ORIENTATION, 1)
    kept = Image.Exif()
    for tag, value in exif.items():
        if tag not in _STRUCTURE and tag not in (_ORIENTATION, EXIF_IFD, GPS_IFD, 282, 283):
            kept[tag] = value
    for tag in (EXIF_IFD, GPS_IFD):
        directory = dict(exif.get_ifd(tag))
        directory.pop(_INTEROP, None)  # points into the old file
        if tag == EXIF_IFD and orientation in (5, 6, 7, 8) and all(size in directory for size in _SIZE):
            directory[40962], directory[40963] = directory[40963], directory[40962]
        if directory:
            kept.get_ifd(tag).update(directory)
            kept[tag] = kept.get_ifd(tag)
    if _ORIENTATION in exif:
        kept[_ORIENTATION] = 1
    valid = isinstance(orientation, int) and 1 <= orientation <= 8
    return (kept.tobytes() if len(kept) else None), (orientation if valid else 1)


def upright_xmp(xmp: bytes | None) -> bytes | None:
    """XMP whose tiff:Orientation, where it has one, says 1."""
    if xmp is None:
        return None
    xmp = re.sub(rb'(tiff:Orientation\s*=\s*["\'])\d', rb"\g<1>1", xmp)
    return re.sub(rb"(<tiff:Orientation>)\d", rb"\g<1>1", xmp)


def read_exif(data: bytes) -> tuple[dict[int, Any], dict[int, dict[int, Any]]]:
    """Bytes made by `clean_exif` as IFD 0 (tag to value) and its directories (34665 EXIF, 34853 GPS)."""
    exif = Image.Exif()
    exif.load(data)
    directories = {tag: dict(exif.get_ifd(tag)) for tag in (EXIF_IFD, GPS_IFD) if tag in exif}
    return {tag: value for tag, value in exif.items() if tag not in directories}, directories
