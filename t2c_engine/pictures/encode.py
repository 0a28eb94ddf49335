"""Arrays to the bytes of a JPEG, PNG, TIFF or WebP file, with their metadata: the writing half of `picture`.

Everything is made in memory, so that writing is one step that can fail as a whole (`files.write_file`). Must not import
torch or anything of the engine but `errors`, `color` and other modules of `pictures`.
"""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
from PIL import Image

from t2c_engine.color.samples import to_depth
from t2c_engine.errors import OutputError
from t2c_engine.pictures import jpeg, png
from t2c_engine.pictures.directories import (
    UNDEFINED,
    Directory,
    DirectoryError,
    Entry,
    pack_directory,
    read_directory,
    read_layout,
)
from t2c_engine.pictures.exif import IPTC, PHOTOSHOP, XMP, pack_tree, tree_for_tiff
from t2c_engine.pictures.metadata import Metadata, has_more_than_iptc, iptc_of

QUALITY = 95  # of JPEG and WebP where nothing else is asked for
MAX_SIDE = {"JPEG": 65_500, "WEBP": 16_383}
_BYTE = 1


def encode(
    pixels: np.ndarray, alpha: np.ndarray | None, kind: str, metadata: Metadata, quality: int | None = None
) -> tuple[bytes, tuple[str, ...]]:
    """One picture file.

    JPEG and WebP are written with 8 bits, PNG with 8 or 16, TIFF with 8, 16 or float32. JPEG has full colour
    resolution; WebP is lossless when its source was, and no quality is asked for.

    Args:
        pixels: H x W x 3, uint8, uint16 or float32 (0..1). alpha: H x W of the same type, or None.
        kind: JPEG, PNG, TIFF or WEBP. quality: 1..100, of JPEG and WebP; None: `QUALITY`.

    Returns:
        The bytes, and in words what the format cannot hold.

    Raises:
        OutputError: the format cannot hold a picture of this size.
    """
    height, width = pixels.shape[:2]
    if max(height, width) > MAX_SIDE.get(kind, 2**31):
        raise OutputError(f"A {kind} file holds at most {MAX_SIDE[kind]} pixels a side; save as PNG or TIFF instead.")
    lost: list[str] = []
    if kind == "TIFF":
        data = _tiff(pixels, alpha, metadata, lost)
    elif kind == "PNG":
        depth = np.uint8 if pixels.dtype == np.uint8 else np.uint16
        data = png.encode(_joined(pixels, alpha, depth), metadata, lost)
    elif kind == "JPEG":
        if alpha is not None:
            lost.append("transparency")
        data = jpeg.with_metadata(
            jpeg.encode(to_depth(pixels, np.uint8), quality or QUALITY, metadata.dpi), metadata, lost
        )
    else:
        data = _webp(_joined(pixels, alpha, np.uint8), metadata, lost, quality)
    if kind != "PNG" and (texts := png.texts_of(metadata)):
        lost.append(f"PNG text ({', '.join(texts)})")
    if kind in ("WEBP", "TIFF") and metadata.comments:
        lost.append("comments")
    return data, tuple(lost)


def _joined(pixels: np.ndarray, alpha: np.ndarray | None, depth: Any) -> np.ndarray:
    pixels = to_depth(pixels, depth)
    return np.ascontiguousarray(pixels if alpha is None else np.dstack((pixels, to_depth(alpha, depth))))


def _webp(array: np.ndarray, metadata: Metadata, lost: list[str], quality: int | None) -> bytes:
    options: dict[str, Any] = {"icc_profile": metadata.icc}
    options |= {name: value for name, value in (("exif", metadata.exif), ("xmp", metadata.xmp)) if value}
    if metadata.photoshop:
        lost.append("IPTC or Photoshop data")
    if metadata.xmp_more:
        lost.append("the long part of its XMP data")
    buffer = io.BytesIO()
    lossless = metadata.lossless and quality is None
    Image.fromarray(array).save(buffer, "WEBP", quality=quality or QUALITY, lossless=lossless, exact=True, **options)
    return buffer.getvalue()


def _tiff(pixels: np.ndarray, alpha: np.ndarray | None, metadata: Metadata, lost: list[str]) -> bytes:
    import tifffile

    options: dict[str, Any] = {"extrasamples": ["unassalpha"]} if alpha is not None else {}
    if metadata.dpi:
        options |= {"resolution": metadata.dpi, "resolutionunit": "INCH"}
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer, _joined(pixels, alpha, pixels.dtype), photometric="rgb", compression="zlib", predictor=True,
        iccprofile=metadata.icc, metadata=None, software=False, byteorder="<",
        rowsperstrip=max(1, 2**18 // max(1, pixels[0].nbytes)), **options,
    )  # fmt: skip
    if metadata.xmp_more:
        lost.append("the long part of its XMP data")
    main, below = _tags(metadata, lost)
    return _with_tags(buffer, main, below, lost) if main or below else buffer.getvalue()


def _tags(metadata: Metadata, lost: list[str]) -> tuple[dict[int, Entry], dict[int, Directory]]:
    """The tags that a TIFF file gets beside those of its pixels."""
    main: dict[int, Entry] = {}
    below: dict[int, Directory] = {}
    if metadata.exif:
        try:
            main, below = tree_for_tiff(metadata.exif)
        except DirectoryError:
            lost.append("EXIF data, which are damaged")
    if metadata.xmp:
        main[XMP] = Entry(_BYTE, len(metadata.xmp), metadata.xmp)
    if metadata.photoshop:
        if iptc := iptc_of(metadata.photoshop):
            main[IPTC] = Entry(UNDEFINED, len(iptc), iptc)
        if has_more_than_iptc(metadata.photoshop):
            main[PHOTOSHOP] = Entry(_BYTE, len(metadata.photoshop), metadata.photoshop)
    return main, below


def _with_tags(buffer: io.BytesIO, main: Directory, below: dict[int, Directory], lost: list[str]) -> bytes:
    """Put tags into a TIFF file just written: its directory is written anew behind everything else."""
    layout = read_layout(buffer)
    own, _ = read_directory(buffer, layout, layout.first)
    offset = buffer.seek(0, io.SEEK_END)
    offset += buffer.write(b"\0" * (offset % 2))
    try:
        packed = pack_tree({**main, **own}, below, offset, layout)
    except DirectoryError:
        lost.append("EXIF data, which do not fit into it")
        packed = pack_directory(own, offset, layout)
    buffer.write(packed)
    buffer.seek(8 if layout.big else 4)
    buffer.write(struct.pack(layout.offset_format, offset))
    return buffer.getvalue()
