"""Picture files in and out: JPEG, PNG, TIFF and WebP, 8 and 16 bit and float, grey and RGB.

Orientation is applied, numbers mean what the profile says, alpha and metadata travel along. Also the picture as the
network wants it: lightness at a small size. Must not import torch or know of palettes and networks.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from t2c_engine.color.depth import full_scale, to_depth
from t2c_engine.color.lab import XYZ_TO_RGB, lab_f
from t2c_engine.color.rgb_spaces import SRGB, SRGB_CURVE, RgbSpace, grey_curve, rgb_space
from t2c_engine.errors import OutputError
from t2c_engine.files import refuse_existing, write_file
from t2c_engine.pictures.decode import Decoded, decode
from t2c_engine.pictures.encode import encode
from t2c_engine.pictures.metadata import Metadata, upright_xmp
from t2c_engine.pictures.resize import resize

log = logging.getLogger(__name__)

FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".tif": "TIFF", ".tiff": "TIFF", ".webp": "WEBP"}
MIN_SIDE = 8  # of a small picture
MAX_ASPECT = 4  # long side of a small picture over the short side asked for
_THREADS = 2
_STRIP = 1 << 16  # pixels that are converted at a time


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, upright.

    pixels: H x W (grey, sRGB's tone curve) or H x W x 3 (RGB, in the space of `icc`); uint8, uint16 or float32 0..1.
    alpha: H x W of the same type, or None. icc: an RGB matrix profile, or None for sRGB. exif, xmp: bytes or None, with
    the orientation reset. dpi: (x, y) or None. format: JPEG, PNG, TIFF or WEBP. lossless: how the file was packed.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    format: str = "PNG"
    path: Path | None = None
    lossless: bool = True

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.pixels.shape[0], self.pixels.shape[1]

    @property
    def space(self) -> RgbSpace:
        """What the numbers mean."""
        return rgb_space(self.icc) or SRGB


def read_picture(path: Path) -> Picture:
    """Read a picture; its content decides the format, not its name.

    RGB with a matrix profile (sRGB, Adobe RGB, Display P3 ...) keeps its numbers and its profile. Grey with a profile
    of its own, CMYK and RGB with a table profile cannot keep theirs in a coloured result: they are converted to sRGB
    and carry its profile from then on. Palette and 1-bit pictures are expanded. Of an animation or a file of many pages
    the first picture counts (logged). Float numbers are clipped to 0..1.

    Raises:
        PictureError: the file is missing, empty, cut short, damaged, not a picture, of a kind that is not read, holds
            NaN, or is larger than 400 megapixels.
    """
    path = Path(path)
    raw = decode(path)
    pixels, icc = _understood(raw, path)
    if pixels.dtype.kind == "f":
        if pixels.min() < 0 or pixels.max() > 1:
            log.warning("%s holds numbers outside 0..1; they are clipped.", path)
        pixels = np.clip(pixels, 0, 1)
    alpha = raw.alpha
    dpi = raw.metadata.dpi
    if raw.orientation != 1:
        pixels = _upright(pixels, raw.orientation)
        alpha = None if alpha is None else _upright(alpha, raw.orientation)
        dpi = (dpi[1], dpi[0]) if dpi and raw.orientation > 4 else dpi
    return Picture(pixels, alpha, icc, raw.metadata.exif, upright_xmp(raw.metadata.xmp), dpi, raw.format, path,
                   raw.metadata.lossless)  # fmt: skip


def write_picture(path: Path, pixels: np.ndarray, like: Picture, overwrite: bool = False) -> None:
    """Write a coloured result with the alpha, profile and metadata of the picture it comes from.

    The suffix of `path` decides the format. Written under a temporary name and renamed, so that a failure leaves
    nothing behind.

    Args:
        pixels: H x W x 3, uint8, uint16 or float32 (0..1), in the space of `like`.

    Raises:
        OutputError: unknown suffix, a file that exists (unless `overwrite`), a folder that cannot be written or is
            full, or a picture too large for the format.
    """
    path = Path(path)
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise OutputError(f"{path} has no suffix that names a format; use one of {', '.join(FORMATS)}.")
    refuse_existing(path, overwrite)
    alpha = None if like.alpha is None else to_depth(like.alpha, pixels.dtype)
    metadata = Metadata(like.icc, like.exif, like.xmp, like.dpi, like.lossless)
    write_file(path, encode(pixels, alpha, kind, metadata), overwrite)


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

    _parallel(strip, range(0, len(pixels), rows))
    return np.clip(result, 0, 100, out=result)


def luminance(
    pixels: np.ndarray, space: RgbSpace = SRGB, out: np.ndarray | None = None, work: np.ndarray | None = None
) -> np.ndarray:
    """Y (H x W float32, 0..1; CIE 1931) of H x W or H x W x 3 pixels, in `out` with the help of `work` where given."""
    out = np.empty(pixels.shape[:2], np.float32) if out is None else out
    if pixels.ndim == 2:
        return _decoded(pixels, space, 1.0, out)
    work = np.empty_like(out) if work is None else work
    weights = space.to_xyz[1]
    _decoded(pixels[..., 0], space, weights[0], out)
    for channel in (1, 2):
        out += _decoded(pixels[..., channel], space, weights[channel], work)
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


def _decoded(channel: np.ndarray, space: RgbSpace, weight: float, out: np.ndarray) -> np.ndarray:
    """Linear light of one channel times `weight`, in `out`."""
    if channel.dtype.kind == "f":
        return np.multiply(space.curve.decode(channel), np.float32(weight), out=out)
    # no number lies beyond the table; "clip" only spares the check
    return np.take(_table(space, channel.dtype.name, weight), channel, out=out, mode="clip")


def _understood(raw: Decoded, path: Path) -> tuple[np.ndarray, bytes | None]:
    """Pixels and the profile they are in: RGB in a matrix profile or grey with sRGB's curve; see `read_picture`."""
    pixels, icc = raw.pixels, raw.metadata.icc
    if pixels.ndim == 2:
        curve = grey_curve(icc) if icc else None
        if icc is None or curve is None:
            return pixels, None if icc is None else srgb_profile()
        return _recoded(pixels, lambda values: SRGB_CURVE.encode(curve.decode(values))), srgb_profile()
    if pixels.shape[2] == 3 and rgb_space(icc) is not None:
        return pixels, icc
    log.info("%s is converted to sRGB.", path)
    return _converted(pixels, icc, path), srgb_profile() if icc else None


def _recoded(pixels: np.ndarray, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Apply a curve on 0..1 to numbers of any depth."""
    if pixels.dtype.kind == "f":
        return function(np.clip(pixels, 0, 1))
    full = np.iinfo(pixels.dtype).max
    table = np.rint(function(np.arange(full + 1) / full) * full).astype(pixels.dtype)
    return table[pixels]


def _converted(pixels: np.ndarray, icc: bytes | None, path: Path) -> np.ndarray:
    """CMYK, or RGB with a table profile, to sRGB; without a usable profile by the plain formula."""
    import imagecodecs

    kind = "rgb" if pixels.shape[2] == 3 else "cmyk"
    if icc:
        try:
            return imagecodecs.cms_transform(
                np.ascontiguousarray(pixels), icc, srgb_profile(), colorspace=kind, outcolorspace="rgb", intent=1
            )
        except (RuntimeError, ValueError) as error:
            log.warning("The colour profile of %s cannot be used (%s) and is left out.", path, error)
    if kind == "rgb":
        return pixels
    ink = pixels.astype(np.float32) / np.float32(full_scale(pixels.dtype))
    return to_depth((1 - ink[..., :3]) * (1 - ink[..., 3:]), pixels.dtype)


@lru_cache(maxsize=1)
def srgb_profile() -> bytes:
    """A small sRGB profile, made by LittleCMS."""
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _upright(array: np.ndarray, orientation: int) -> np.ndarray:
    """Apply EXIF orientation 2..8 to H x W (x C)."""
    if orientation in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return np.ascontiguousarray(array)


def _parallel(function: Callable[[int], None], items: range) -> None:
    with ThreadPoolExecutor(_THREADS) as pool:
        for _ in pool.map(function, items):
            pass
