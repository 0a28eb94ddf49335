"""Picture files to arrays: the reading half of `picture`, without a thought for what numbers mean.

The content decides the format, never the name; each format has a module. Library warnings never reach the user as they
are. Must not import torch or anything of the engine but `errors`, `color` and other modules of `pictures`.
"""

from __future__ import annotations

import errno
import logging
import stat
import struct
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from t2c_engine.color.rgb_spaces import calibrated_profile
from t2c_engine.errors import PictureError
from t2c_engine.pictures import jpeg, png
from t2c_engine.pictures.exif import ExifNotes
from t2c_engine.pictures.formats import START, format_of, quiet_libraries, why_not
from t2c_engine.pictures.metadata import Metadata
from t2c_engine.pictures.other_formats import choose_frame, decode_other, plain, refuse_page, split_alpha
from t2c_engine.pictures.tiff import decode_tiff

log = logging.getLogger(__name__)

MAX_PIXELS = 400_000_000
MAX_SIDE = 500_000
# Pillow's own limit is below ours, and it only warns up to twice of it; `_check_size` is the one that counts
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
quiet_libraries()

# everything that the libraries are known to raise on damaged data; imagecodecs' errors are RuntimeErrors
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, TypeError, AttributeError, RuntimeError,
            OverflowError, ZeroDivisionError, AssertionError, struct.error, zlib.error)  # fmt: skip
_ADOBE_RGB = ((0.3127, 0.3290), (0.64, 0.33, 0.21, 0.71, 0.15, 0.06), 563 / 256)  # white, primaries, gamma


@dataclass(frozen=True, slots=True)
class Decoded:
    """A file's numbers, as they lie in it.

    pixels: H x W (grey), H x W x 3 (RGB) or H x W x 4 (CMYK, 0 = no ink), uint8, uint16 or float32 (about 0..1).
    alpha: H x W of the same type, or None. format: see `formats.format_of`. orientation: EXIF's 1..8, not applied yet.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None
    format: str
    orientation: int
    metadata: Metadata


def decode(path: Path, page: int | None = None) -> Decoded:
    """Read one picture of a file: page or frame number `page`, from 1, or the first that is not a thumbnail.

    Raises:
        PictureError: the file is missing, empty, no picture, damaged, of a kind that is not read, or too large, or has
            no such page.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            what = "a folder; name a picture in it" if path.is_dir() else "no file; name a picture"
            raise PictureError(f"{path} is {what}.")
        with path.open("rb") as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # damage is found by our own checks, and said in our own words
            return _decode(path, stream, page)
    except FileNotFoundError as error:
        raise PictureError(f"{path} does not exist; check the name.") from error
    except PermissionError as error:
        raise PictureError(f"{path} may not be read; check its permissions.") from error
    except (MemoryError, Image.DecompressionBombError) as error:
        raise PictureError(f"{path} is too large for the memory of this machine; scale it down first.") from error
    except UnidentifiedImageError as error:
        log.info("%s: %r", path, error)
        raise PictureError(f"{path} is damaged or of a kind that is not read; get a whole copy of it.") from error
    except NotImplementedError as error:
        log.info("%s: %r", path, error)
        raise PictureError(f"{path} is of a kind that is not read; save it as plain RGB or grey.") from error
    except _DAMAGED as error:
        log.info("%s: %r", path, error)
        if isinstance(error, OSError) and error.errno == errno.ELOOP:
            raise PictureError(f"{path} is a link that leads back to itself; name a picture.") from error
        raise PictureError(f"{path} is damaged or cut short; get a whole copy of it.") from error


def _decode(path: Path, stream: BinaryIO, page: int | None) -> Decoded:
    start = stream.read(START)
    stream.seek(0)
    if not start:
        raise PictureError(f"{path} is empty; there is no picture in it.")
    kind = format_of(start)
    if kind is None:
        raise PictureError(f"{path} {why_not(start)}")
    check = _size_check(path)
    if kind == "TIFF":
        found = decode_tiff(path, stream, page, check)
        return Decoded(found.pixels, found.alpha, kind, found.orientation, found.metadata)
    data = stream.read()
    if kind == "JPEG":
        return _decode_jpeg(path, data, page, check)
    if kind == "PNG":
        return _decode_png(path, data, page, check)
    pixels, alpha, orientation, metadata = decode_other(path, kind, data, page, check)
    return Decoded(pixels, alpha, kind, orientation, metadata)


def _size_check(path: Path) -> Callable[[int, int], None]:
    def check(width: int, height: int) -> None:
        if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
            raise PictureError(
                f"{path} is {width} x {height} pixels, more than the {MAX_PIXELS // 10**6} megapixels that are read; "
                "scale it down first."
            )
        if min(width, height) < 1:
            raise PictureError(f"{path} has no pixels.")

    return check


def _decode_jpeg(path: Path, data: bytes, page: int | None, check: Callable[[int, int], None]) -> Decoded:
    refuse_page(path, page, 1)
    found = jpeg.structure(data)
    check(found.width, found.height)
    pixels = jpeg.decode_pixels(path, data, found)
    metadata, notes = jpeg.read_metadata(found)
    return Decoded(pixels, None, "JPEG", notes.orientation, _with_named_space(metadata, notes, pixels))


def _with_named_space(metadata: Metadata, notes: ExifNotes, pixels: np.ndarray) -> Metadata:
    """Adobe RGB, where EXIF names it (DCF 2.0, 3.2) and there is no profile."""
    if metadata.icc or not notes.adobe_rgb or pixels.ndim != 3 or pixels.shape[2] != 3:
        return metadata
    return replace(metadata, icc=calibrated_profile(3, *_ADOBE_RGB))


def _decode_png(path: Path, data: bytes, page: int | None, check: Callable[[int, int], None]) -> Decoded:
    chunks, lost = png.read_chunks(data)
    check(*png.dimensions(chunks))
    if any(name == b"acTL" for name, _ in chunks):
        with Image.open(BytesIO(data), formats=("PNG",)) as image:
            choose_frame(path, image, page)
            image.load()
            pixels, alpha = split_alpha(np.asarray(plain(image)))
    else:
        refuse_page(path, page, 1)
        deep = png.is_deep(chunks)
        pixels, alpha = split_alpha(png.decode_deep(chunks) if deep else np.asarray(plain(png.decode_shallow(chunks))))
    metadata, notes = png.read_metadata(path, chunks, lost)
    return Decoded(pixels, alpha, "PNG", notes.orientation, metadata)
