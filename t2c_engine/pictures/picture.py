"""Picture files in and out: 8 and 16 bit and float, grey and RGB, of the formats in `formats`.

Orientation is applied, numbers mean what the profile says, alpha and metadata travel along. Also the picture as the
network wants it: lightness at a small size. Must not import torch or know of palettes and networks.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from t2c_engine.color.lab import XYZ_TO_RGB, lab_f
from t2c_engine.color.rgb_spaces import SRGB, SRGB_CURVE, RgbSpace, rgb_space
from t2c_engine.color.samples import full_scale, to_depth
from t2c_engine.errors import OutputError
from t2c_engine.files import refuse_existing, write_file
from t2c_engine.pictures.color_conversion import in_known_space
from t2c_engine.pictures.decode import decode
from t2c_engine.pictures.encode import encode
from t2c_engine.pictures.formats import WRITTEN
from t2c_engine.pictures.metadata import Metadata, upright_xmp
from t2c_engine.pictures.resize import resize
from t2c_engine.pictures.threads import spread

log = logging.getLogger(__name__)

MIN_SIDE = 8  # of a small picture
MAX_ASPECT = 4  # long side of a small picture over the short side asked for
_STRIP = 1 << 16  # pixels that are converted at a time


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, upright.

    pixels: H x W (grey, sRGB's tone curve) or H x W x 3 (RGB, in the space of `icc`); uint8, uint16 or float32 0..1.
    alpha: H x W of the same type, or None. icc: an RGB matrix profile, or None for sRGB. metadata: what else the file
    carries, with the orientation reset. format: of the file, see `formats.format_of`.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    icc: bytes | None = None
    metadata: Metadata = field(default_factory=Metadata)
    format: str = "PNG"
    path: Path | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.pixels.shape[0], self.pixels.shape[1]

    @property
    def space(self) -> RgbSpace:
        """What the numbers mean."""
        return rgb_space(self.icc) or SRGB


def read_picture(path: Path, page: int | None = None) -> Picture:
    """Read a picture; its content decides the format, not its name.

    RGB with a matrix profile (sRGB, Adobe RGB, Display P3 ...) keeps its numbers and its profile; grey under such a
    profile becomes RGB. Grey with a profile of its own, CMYK and RGB with a table profile cannot keep theirs in a
    coloured result: LittleCMS converts them to sRGB, whose profile they carry from then on. A profile that LittleCMS
    cannot use is left out (logged). Palette and 1-bit pictures are expanded. Float numbers a little outside 0..1 are
    clipped (logged).

    Args:
        page: number of the page or frame, from 1; None: the first that is neither a thumbnail nor a mask. Where a file
            holds several, all are logged.

    Raises:
        PictureError: the file is missing, empty, cut short, damaged, not a picture, of a kind that is not read, holds
            NaN or float numbers of another scale, is larger than 400 megapixels, or has no such page.
    """
    path = Path(path)
    raw = decode(path, page)
    pixels, icc = in_known_space(raw.pixels, raw.metadata.icc, path)
    if pixels.dtype.kind == "f":
        if pixels.min() < 0 or pixels.max() > 1:
            log.warning("%s holds numbers outside 0..1; they are clipped.", path)
        pixels = np.clip(pixels, 0, 1)
    alpha, dpi = raw.alpha, raw.metadata.dpi
    if raw.orientation != 1:
        pixels = _upright(pixels, raw.orientation)
        alpha = None if alpha is None else _upright(alpha, raw.orientation)
        dpi = (dpi[1], dpi[0]) if dpi and raw.orientation > 4 else dpi
    metadata = replace(raw.metadata, icc=None, xmp=upright_xmp(raw.metadata.xmp), dpi=dpi)
    return Picture(pixels, alpha, icc, metadata, raw.format, path)


def write_picture(
    path: Path, pixels: np.ndarray, like: Picture, overwrite: bool = False, quality: int | None = None
) -> None:
    """Write a coloured result with the alpha, profile and metadata of the picture it comes from.

    The suffix of `path` decides the format. Written under a temporary name and renamed, so that a failure leaves
    nothing behind. What of the metadata is not kept is logged.

    Args:
        pixels: H x W x 3, uint8, uint16 or float32 (0..1), in the space of `like`. quality: 1..100, of JPEG and WebP.

    Raises:
        OutputError: unknown suffix, a file that exists (unless `overwrite`), a folder that cannot be written or is
            full, or a picture too large for the format.
    """
    path = Path(path)
    kind = WRITTEN.get(path.suffix.lower())
    if kind is None:
        raise OutputError(f"{path} has no suffix that names a format; use one of {', '.join(WRITTEN)}.")
    refuse_existing(path, overwrite)
    alpha = None if like.alpha is None else to_depth(like.alpha, pixels.dtype)
    metadata = replace(like.metadata, icc=like.icc)
    data, lost = encode(pixels, alpha, kind, metadata, quality)
    write_file(path, data, overwrite)
    if lost := (*metadata.lost, *lost):
        _say_lost(str(like.path or path), kind, lost)


@lru_cache(maxsize=256)
def _say_lost(source: str, kind: str, lost: tuple[str, ...]) -> None:
    """Once for all results of one picture."""
    log.warning("%s: a coloured %s file does not keep its %s.", source, kind, "; nor its ".join(lost))


def lightness(pixels: np.ndarray, space: RgbSpace = SRGB) -> np.ndarray:
    """CIE L of a picture or a strip of one.

    Args:
        pixels: H x W or H x W x 3, uint8, uint16 or float32 0..1.

    Returns:
        H x W float32, 0..100.
    """
    result = np.empty(pixels.shape[:2], np.float32)
    rows = max(1, _STRIP // max(1, pixels.shape[1]))

    def strip(start: int) -> None:
        part = slice(start, start + rows)
        result[part] = 116 * lab_f(luminance(pixels[part], space)) - 16

    spread(strip, range(0, len(pixels), rows), most=2)
    return np.clip(result, 0, 100, out=result)


def luminance(
    pixels: np.ndarray,
    space: RgbSpace = SRGB,
    out: np.ndarray | None = None,
    work: np.ndarray | None = None,
    index: np.ndarray | None = None,
) -> np.ndarray:
    """Y (H x W float32, 0..1; CIE 1931) of H x W or H x W x 3 pixels.

    Args:
        out, work (float32), index (intp): of the result's shape; given, nothing is allocated.
    """
    out = np.empty(pixels.shape[:2], np.float32) if out is None else out
    index = np.empty(out.shape, np.intp) if index is None else index
    if pixels.ndim == 2:
        return _decoded(pixels, space, 1.0, out, index)
    work = np.empty_like(out) if work is None else work
    weights = space.to_xyz[1]
    _decoded(pixels[..., 0], space, weights[0], out, index)
    for channel in (1, 2):
        out += _decoded(pixels[..., channel], space, weights[channel], work, index)
    return out


def small_lightness(picture: Picture, short_side: int) -> np.ndarray:
    """Lightness of the whole picture for the network: h x w float32, 0..100, aspect kept.

    The short side has `short_side` pixels (a smaller picture is enlarged smoothly). Where that would make the long side
    more than four times as long, the long side is held there instead and the short side goes down to 8 pixels at least,
    with which a strip of 40,000 x 2 loses its aspect.
    """
    return lightness_at(picture, small_size(picture.size, short_side))


def lightness_at(picture: Picture, size: tuple[int, int]) -> np.ndarray:
    """Lightness of the whole picture at any size (h, w), by area means: h x w float32, 0..100."""
    return _small(picture, size, lambda pixels: lightness(pixels, picture.space))


def small_srgb(picture: Picture, short_side: int) -> np.ndarray:
    """The picture's own colours at the size of `small_lightness`: h x w x 3 float32 sRGB, 0..1."""

    def convert(pixels: np.ndarray) -> np.ndarray:
        if pixels.ndim == 2:
            pixels = np.repeat(pixels[..., None], 3, 2)
        if picture.space is SRGB:
            return pixels
        matrix = (XYZ_TO_RGB @ picture.space.to_xyz).T.astype(np.float32)
        return SRGB_CURVE.encode(picture.space.curve.decode(pixels) @ matrix)

    return np.clip(_small(picture, small_size(picture.size, short_side), convert), 0, 1)


def small_size(size: tuple[int, int], short_side: int) -> tuple[int, int]:
    """(h, w) of the small picture of a picture of (H, W); see `small_lightness`."""
    scale = min(short_side / min(size), MAX_ASPECT * short_side / max(size))
    height, width = (max(MIN_SIDE, round(side * scale)) for side in size)
    return height, width


def _small(picture: Picture, size: tuple[int, int], convert: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Area means at twice the size wanted, converted, and from there the exact size."""
    pixels = picture.pixels
    middle = tuple(min(side, 2 * small) for side, small in zip(picture.size, size, strict=True))
    pixels = np.clip(resize(pixels, (middle[0], middle[1])) * np.float32(1 / full_scale(pixels.dtype)), 0, 1)
    return resize(convert(pixels), size)


@lru_cache(maxsize=16)
def _table(space: RgbSpace, depth: str, weight: float) -> np.ndarray:
    """Linear light times `weight` of every 8- or 16-bit number (256 or 65,536, float32)."""
    count = np.iinfo(depth).max + 1
    return (space.curve.decode(np.arange(count) / (count - 1)) * weight).astype(np.float32)


def _decoded(channel: np.ndarray, space: RgbSpace, weight: float, out: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Linear light of one channel times `weight`, in `out`."""
    if channel.dtype.kind == "f":
        return np.multiply(space.curve.decode(channel), np.float32(weight), out=out)
    np.copyto(index, channel)  # numpy would make a new array of them
    # no number lies beyond the table; "clip" only spares the check
    return np.take(_table(space, channel.dtype.name, weight), index, out=out, mode="clip")


def _upright(array: np.ndarray, orientation: int) -> np.ndarray:
    """Apply EXIF orientation 2..8 to H x W (x C)."""
    if orientation in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return np.ascontiguousarray(array)
