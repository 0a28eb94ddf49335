"""JPEG, PNG, TIFF and WebP files to arrays: the reading half of `picture`, without a thought for what numbers mean.

Pillow reads what it reads without loss; tifffile reads every TIFF; imagecodecs reads 16-bit PNG, which Pillow would cut
to 8 bits. The content decides the format, never the name. Must not import torch or any other part of the engine but
`errors` and `metadata`.
"""

from __future__ import annotations

import logging
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from t2c_engine.errors import PictureError
from t2c_engine.pictures.metadata import Metadata, clean_exif, tiff_exif

log = logging.getLogger(__name__)

MAX_PIXELS = 400_000_000
MAX_SIDE = 500_000
# Pillow's own limit is below ours, and it only warns up to twice of it; `_check_size` is the one that counts
Image.MAX_IMAGE_PIXELS = MAX_PIXELS

_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# everything that the three libraries are known to raise on damaged data; imagecodecs' errors are RuntimeErrors
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, TypeError, AttributeError, RuntimeError,
            OverflowError, ZeroDivisionError, struct.error, zlib.error)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Decoded:
    """A file's numbers, as they lie in it.

    pixels: H x W (grey), H x W x 3 (RGB) or H x W x 4 (CMYK, 0 = no ink), uint8, uint16 or float32 (any range).
    alpha: H x W of the same type, or None. format: JPEG, PNG, TIFF or WEBP. orientation: EXIF's 1..8, not applied yet.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None
    format: str
    orientation: int
    metadata: Metadata


def decode(path: Path) -> Decoded:
    """Read the first picture of a file.

    Raises:
        PictureError: the file is missing, empty, no picture, damaged, of a kind that is not read, or too large.
    """
    try:
        with path.open("rb") as stream:
            start = stream.read(4)
            stream.seek(0)
            if not start:
                raise PictureError(f"{path} is empty; there is no picture in it.")
            if start in _TIFF_STARTS:
                return _decode_tiff(path, stream)
            return _decode_with_pillow(path, stream)
    except FileNotFoundError as error:
        raise PictureError(f"{path} does not exist; check the name.") from error
    except IsADirectoryError as error:
        raise PictureError(f"{path} is a folder; name a picture in it.") from error
    except PermissionError as error:
        raise PictureError(f"{path} may not be read; check its permissions.") from error
    except UnidentifiedImageError as error:
        raise PictureError(f"{path} is not a JPEG, PNG, TIFF or WebP picture; convert it to one of these.") from error
    except (MemoryError, Image.DecompressionBombError) as error:
        raise PictureError(f"{path} is too large for the memory of this machine; scale it down first.") from error
    except _DAMAGED as error:
        log.info("%s: %r", path, error)
        raise PictureError(f"{path} is damaged or cut short ({error}); get a whole copy of it.") from error


def _check_size(path: Path, width: int, height: int) -> None:
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise PictureError(
            f"{path} is {width} x {height} pixels, more than the {MAX_PIXELS // 10**6} megapixels that are read; "
            "scale it down first."
        )
    if min(width, height) < 1:
        raise PictureError(f"{path} has no pixels.")


def _decode_with_pillow(path: Path, stream: BinaryIO) -> Decoded:
    with Image.open(stream, formats=("JPEG", "PNG", "WEBP")) as image:
        _check_size(path, *image.size)
        if getattr(image, "is_animated", False) and image.format != "MPO":
            log.warning("%s is animated; only its first frame is used.", path)
        deep = image.format == "PNG" and ";16" in str(image.tile[0][3] if image.tile else "")
        fast = _fast_jpeg(image, stream)
        if fast is None:
            image.load()  # also finds what PNG stores behind the pixels
        kind = {"MPO": "JPEG"}.get(image.format or "", image.format or "")
        info = image.info
        exif, orientation = clean_exif(image)
        metadata = Metadata(
            icc=info.get("icc_profile"),
            exif=exif,
            xmp=_as_bytes(info.get("xmp") or info.get("XML:com.adobe.xmp")),
            dpi=_as_dpi(info.get("dpi")),
            lossless=kind == "PNG" or (kind == "WEBP" and _is_lossless_webp(stream)),
        )
        if fast is not None:
            pixels, alpha = fast, None
        else:
            pixels, alpha = _deep_png(stream) if deep else _split(_plain(image))
    return Decoded(pixels, alpha, kind, orientation, metadata)


def _fast_jpeg(image: Image.Image, stream: BinaryIO) -> np.ndarray | None:
    """A grey or RGB JPEG by libjpeg straight into an array, in half of Pillow's time; None where that is not to be had.

    libjpeg fills the missing end of a cut file with grey and says nothing, so that the end mark is looked for here.
    """
    if image.format not in ("JPEG", "MPO") or image.mode not in ("L", "RGB"):
        return None
    import imagecodecs

    stream.seek(0)
    data = stream.read()
    stream.seek(0)
    place = 2
    while data[place : place + 1] == b"\xff" and data[place + 1] != 0xDA:  # segments up to the start of scan
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    if data.rfind(b"\xff\xd9") <= place or place >= len(data):
        return None
    try:
        array = imagecodecs.jpeg8_decode(data)
    except (RuntimeError, ValueError):
        return None
    return array if array.shape[:2] == image.size[::-1] and array.ndim == (2 if image.mode == "L" else 3) else None


def _plain(image: Image.Image) -> Image.Image:
    """The picture in one of the modes L, LA, RGB, RGBA, CMYK or I;16."""
    mode, transparent = image.mode, "transparency" in image.info
    if mode in ("L", "1", "I;16", "I;16B", "I;16L", "LA", "CMYK"):
        return image.convert("LA" if transparent and mode in ("L", "1") else "L") if mode in ("L", "1") else image
    if mode in ("RGBA", "RGBa", "PA") or transparent:
        return image.convert("RGBA")
    return image.convert("RGB")  # P, YCbCr, RGBX


def _split(image: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
    array = np.asarray(image)
    if image.mode.startswith("I;16"):
        return array.astype(np.uint16), None
    if image.mode == "CMYK":
        return array, None
    return _take_alpha(array)


def _take_alpha(array: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """H x W, or H x W x 1..4 with alpha last, to pixels and alpha."""
    if array.ndim == 2:
        return array, None
    channels = array.shape[2]
    alpha = np.ascontiguousarray(array[..., -1]) if channels in (2, 4) else None
    return np.ascontiguousarray(array[..., 0] if channels < 3 else array[..., :3]), alpha


def _deep_png(stream: BinaryIO) -> tuple[np.ndarray, np.ndarray | None]:
    import imagecodecs

    stream.seek(0)
    return _take_alpha(imagecodecs.png_decode(stream.read()))


def _is_lossless_webp(stream: BinaryIO) -> bool:
    stream.seek(0)
    return b"VP8L" in stream.read(256)


def _as_bytes(value: Any) -> bytes | None:
    return value.encode() if isinstance(value, str) else value or None


def _as_dpi(value: Any) -> tuple[float, float] | None:
    if not value:
        return None
    x, y = float(value[0]), float(value[1])
    return (x, y) if 0 < x < 1e5 and 0 < y < 1e5 else None


def _decode_tiff(path: Path, stream: BinaryIO) -> Decoded:
    import tifffile

    with tifffile.TiffFile(stream) as tiff:
        page: Any = tiff.pages[0]
        _check_size(path, page.imagewidth, page.imagelength)
        if len(tiff.pages) > 1:
            log.warning("%s holds %d pages; only the first is used.", path, len(tiff.pages))
        _check_strips(path, page)
        pixels, alpha = _tiff_channels(path, page)
        tags = page.tags
        icc, xmp = (tags[code].value if code in tags else None for code in (34675, 700))
        exif, orientation = tiff_exif(stream)
        metadata = Metadata(icc or None, exif, xmp or None, _tiff_dpi(tags), lossless=True)
    return Decoded(pixels, alpha, "TIFF", orientation, metadata)


def _check_strips(path: Path, page: Any) -> None:
    """Find a cut file beforehand: tifffile fills what is missing with zeros."""
    end = max((offset + count for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True)), default=0)
    if end > path.stat().st_size or not end:
        raise ValueError("pixels lie behind the end of the file")


def _tiff_channels(path: Path, page: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """Pixels and alpha of a TIFF page, as 8 or 16 bits or float32."""
    kind = page.photometric.name
    array = np.asarray(page.asarray())
    if page.axes == "SYX":
        array = np.moveaxis(array, 0, -1)
    if array.ndim not in (2, 3) or kind not in ("MINISBLACK", "MINISWHITE", "RGB", "YCBCR", "PALETTE", "SEPARATED"):
        raise PictureError(f"{path} is a TIFF of the kind {kind}, {page.axes}; convert it to an RGB or grey picture.")
    if kind == "PALETTE":
        return np.moveaxis(page.colormap[:, array] >> 8, 0, -1).astype(np.uint8), None
    array = _tiff_numbers(path, array, page.bitspersample)
    if kind == "MINISWHITE":
        array = (1 if array.dtype.kind == "f" else np.iinfo(array.dtype).max) - array
    if array.ndim == 2:
        return array, None
    colours = {"SEPARATED": 4, "RGB": 3, "YCBCR": 3}.get(kind, 1)
    if array.shape[2] < colours:
        raise ValueError(f"{array.shape[2]} channels are too few")
    pixels = np.ascontiguousarray(array[..., 0] if colours == 1 else array[..., :colours])
    extra = [int(sample) for sample in page.extrasamples or ()]
    alphas = [index for index, sample in enumerate(extra) if sample in (1, 2)]
    if not alphas or array.shape[2] <= colours + alphas[0]:
        return pixels, None
    alpha = np.ascontiguousarray(array[..., colours + alphas[0]])
    return (_unmultiplied(pixels, alpha) if extra[alphas[0]] == 1 else pixels), alpha


def _tiff_numbers(path: Path, array: np.ndarray, bits: int) -> np.ndarray:
    """Any TIFF number to uint8, uint16 or float32."""
    if array.dtype.kind == "b":
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise PictureError(f"{path} holds pixels that are not numbers (NaN or infinity); repair it first.")
        return array.astype(np.float32)
    if array.dtype.kind != "u":
        raise PictureError(f"{path} holds signed numbers, which no picture has; save it as 8 or 16 bit.")
    if array.dtype.itemsize > 2:
        return (array / np.iinfo(array.dtype).max).astype(np.float32)
    full = np.iinfo(array.dtype).max
    if bits < array.dtype.itemsize * 8:  # 2, 4, 10, 12 ... bits, unpacked
        return np.rint(array * (full / (2**bits - 1))).astype(array.dtype)
    return array.astype(array.dtype.newbyteorder("="))


def _unmultiplied(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Undo associated alpha (TIFF 6.0, ExtraSamples 1)."""
    full = 1.0 if pixels.dtype.kind == "f" else float(np.iinfo(pixels.dtype).max)
    share = np.maximum(alpha, 1e-6 if full == 1 else 1).astype(np.float32) / np.float32(full)
    result = np.clip(pixels / (share[..., None] if pixels.ndim == 3 else share), 0, full)
    return result.astype(np.float32) if full == 1 else np.rint(result).astype(pixels.dtype)


def _tiff_dpi(tags: Any) -> tuple[float, float] | None:
    values = [tags[code].value for code in (282, 283) if code in tags]
    if len(values) < 2 or not all(isinstance(value, tuple) and value[1] for value in values):
        return None
    inch = {2: 1.0, 3: 2.54}.get(int(tags[296].value) if 296 in tags else 2)
    return _as_dpi([value[0] / value[1] * inch for value in values]) if inch else None
