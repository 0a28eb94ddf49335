"""Arrays to the bytes of a JPEG, PNG, TIFF or WebP file, with their metadata: the writing half of `picture`.

Everything is made in memory, so that writing is one step that can fail as a whole (`files.write_file`). Must not import
torch or any other part of the engine but `errors` and `metadata`.
"""

from __future__ import annotations

import io
import logging
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

from t2c_engine.color.depth import to_depth
from t2c_engine.errors import OutputError
from t2c_engine.pictures.metadata import Metadata, read_exif

log = logging.getLogger(__name__)

JPEG_QUALITY = 95
WEBP_QUALITY = 95
PNG_LEVEL = 3  # of zlib: level 6 takes 2.8 times as long for 5 % less
MAX_SIDE = {"JPEG": 65_500, "WEBP": 16_383}
_SEGMENT = 65_000  # bytes of EXIF or XMP that one JPEG segment is sure to hold


def encode(pixels: np.ndarray, alpha: np.ndarray | None, kind: str, metadata: Metadata) -> bytes:
    """One picture file.

    JPEG and WebP are written with 8 bits, PNG with 8 or 16, TIFF with 8, 16 or float32. JPEG has no alpha: it is left
    out, with a line in the log. JPEG has quality 95 and full colour resolution; WebP is lossless when its source was.

    Args:
        pixels: H x W x 3, uint8, uint16 or float32 (0..1). alpha: H x W of the same type, or None.
        kind: JPEG, PNG, TIFF or WEBP.

    Raises:
        OutputError: the format cannot hold a picture of this size.
    """
    height, width = pixels.shape[:2]
    if max(height, width) > MAX_SIDE.get(kind, 2**31):
        raise OutputError(f"A {kind} file holds at most {MAX_SIDE[kind]} pixels a side; save as PNG or TIFF instead.")
    if kind == "TIFF":
        return _tiff(pixels, alpha, metadata)
    if kind == "PNG":
        depth = np.uint8 if pixels.dtype == np.uint8 else np.uint16
        return _png(_joined(to_depth(pixels, depth), alpha if alpha is None else to_depth(alpha, depth)), metadata)
    if alpha is not None and kind == "JPEG":
        log.warning("JPEG has no transparency; it is left out.")
        alpha = None
    image = Image.fromarray(_joined(to_depth(pixels, np.uint8), alpha if alpha is None else to_depth(alpha, np.uint8)))
    return _with_pillow(image, kind, metadata)


def _joined(pixels: np.ndarray, alpha: np.ndarray | None) -> np.ndarray:
    return np.ascontiguousarray(pixels if alpha is None else np.dstack((pixels, alpha)))


def _with_pillow(image: Image.Image, kind: str, metadata: Metadata) -> bytes:
    options: dict[str, Any] = {"icc_profile": metadata.icc}
    for name, value in (("exif", metadata.exif), ("xmp", metadata.xmp)):
        if value and kind == "JPEG" and len(value) > _SEGMENT:
            log.warning("The picture's %s data is too long for a JPEG file and is left out.", name.upper())
        elif value:
            options[name] = value
    if kind == "JPEG":
        options |= {"quality": JPEG_QUALITY, "subsampling": 0}
        if metadata.dpi:
            options["dpi"] = tuple(min(65_535, max(1, round(value))) for value in metadata.dpi)
    else:
        options |= {"quality": WEBP_QUALITY, "lossless": metadata.lossless, "exact": True}
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _png(array: np.ndarray, metadata: Metadata) -> bytes:
    """PNG by libpng, with the chunks that it does not write put in behind IHDR (PNG, third edition, 11.3)."""
    import imagecodecs

    plain = bytes(imagecodecs.png_encode(array, level=PNG_LEVEL))
    chunks = []
    if metadata.icc:
        chunks.append((b"iCCP", b"ICC profile\0\0" + zlib.compress(metadata.icc)))
    if metadata.dpi:
        chunks.append((b"pHYs", struct.pack(">IIB", *(round(value / 0.0254) for value in metadata.dpi), 1)))
    if metadata.xmp:
        chunks.append((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + metadata.xmp))
    if metadata.exif:
        chunks.append((b"eXIf", metadata.exif.removeprefix(b"Exif\0\0")))
    extra = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    header = 8 + 25  # signature and IHDR
    return plain[:header] + extra + plain[header:]


def _tiff(pixels: np.ndarray, alpha: np.ndarray | None, metadata: Metadata) -> bytes:
    import tifffile

    tags, directories = read_exif(metadata.exif) if metadata.exif else ({}, {})
    extra: list[tuple[int, int, int, Any, bool]] = [
        (tag, 2, 0, value, True) for tag, value in tags.items() if isinstance(value, str) and value.isascii()
    ]
    extra += [(tag, 3, 1, 1, True) for tag in tags if tag == 0x0112]
    extra += [(tag - 1, 4, 1, 0, True) for tag in directories]  # tifffile refuses these tags; see _append_directories
    if metadata.xmp:
        extra.append((700, 1, len(metadata.xmp), metadata.xmp, True))
    options: dict[str, Any] = {"extrasamples": ["unassalpha"]} if alpha is not None else {}
    if metadata.dpi:
        options |= {"resolution": metadata.dpi, "resolutionunit": "INCH"}
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer, _joined(pixels, alpha), photometric="rgb", compression="zlib", predictor=True, iccprofile=metadata.icc,
        metadata=None, software=False, byteorder="<", rowsperstrip=max(1, 2**18 // max(1, pixels[0].nbytes)),
        extratags=sorted(extra), **options,
    )  # fmt: skip
    return _append_directories(buffer, directories)


def _append_directories(buffer: io.BytesIO, directories: dict[int, dict[int, Any]]) -> bytes:
    """Put EXIF directories behind a little-endian TIFF, and their tags in place of those that keep them free."""
    import tifffile
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    if not directories:
        return buffer.getvalue()
    buffer.seek(0)
    with tifffile.TiffFile(buffer) as tiff:
        page: Any = tiff.pages[0]
        places = {tag: page.tags[tag - 1].offset for tag in directories}
    for tag, values in directories.items():
        directory = ImageFileDirectory_v2(prefix=b"II")
        for name, value in values.items():
            directory[name] = value
        offset = buffer.seek(0, io.SEEK_END)
        offset += buffer.write(b"\0" * (offset % 2))
        buffer.write(directory.tobytes(offset))
        buffer.seek(places[tag])
        buffer.write(struct.pack("<HHII", tag, 4, 1, offset))
    return buffer.getvalue()
