"""Pictures that lie over a picture: masks of regions and color hints, and results blended along masks.

Must not import torch, networks or the command line.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from t2c_engine.color.samples import to_unit
from t2c_engine.colorization.hints import Hints, hints_from_pixels
from t2c_engine.errors import PictureError
from t2c_engine.pictures.picture import Picture, lightness, read_picture
from t2c_engine.pictures.resize import resize
from t2c_engine.serving.protocol import DEFAULT_HINT_REACH

ASPECT_TOLERANCE = 0.02  # how much an overlay's shape may differ from the picture's
BORDER = 0.006  # width of the soft border of a region, as part of the picture's short side
EMPTY = 0.02  # coverage below which nothing is covered
_STRIP = 256  # rows blended at a time


def read_mask(path: Path, size: tuple[int, int]) -> np.ndarray:
    """Which part of a picture of `size` (height, width) is meant: what is opaque, or white if nothing is transparent.

    Returns:
        height x width float32, 0..1, borders softened.

    Raises:
        PictureError: it cannot be read, has another shape than the picture, or covers nothing.
    """
    picture = _read_overlay(path, size)
    if picture.alpha is not None and np.ptp(picture.alpha) > 0:
        mask = to_unit(picture.alpha)
    else:
        mask = lightness(picture.pixels, picture.space) / np.float32(100)
    if mask.max() < EMPTY:
        raise PictureError(f"The mask {path} covers nothing; make the region white, or opaque on transparency.")
    step = max(2, round(BORDER * min(size)))  # thinned and enlarged again: a linear ramp
    return resize(resize(mask, tuple(max(1, side // step) for side in size)), size)  # pyright: ignore[reportArgumentType]


def read_hints(path: Path, size: tuple[int, int], reach: float = DEFAULT_HINT_REACH) -> Hints:
    """Hints from a picture with transparency, for a picture of `size` (height, width); `reach` is that of `Hints`.

    Raises:
        PictureError: it cannot be read, has no transparency, no hint, or another shape than the picture.
    """
    picture = _read_overlay(path, size)
    if picture.alpha is None:
        raise PictureError(f"{path} has no transparency; save the colour hints on a transparent layer, as PNG.")
    pixels = to_unit(picture.pixels)
    rgb = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, 2)
    hints = hints_from_pixels(rgb, to_unit(picture.alpha), reach)
    if not hints.mask.any():
        raise PictureError(f"{path} is transparent everywhere; paint colour hints on it.")
    return hints


def blend(base: np.ndarray, mask: np.ndarray, over: np.ndarray) -> None:
    """Put a result over another, in place.

    Args:
        base, over: H x W x 3 of the same type; `base` is changed. mask: H x W, 0..1.
    """
    rounding = np.float32(0.5 if base.dtype.kind == "u" else 0)
    for top in range(0, len(base), _STRIP):
        rows = slice(top, top + _STRIP)
        below = base[rows].astype(np.float32)
        base[rows] = below + mask[rows, :, None] * (over[rows] - below) + rounding


def _read_overlay(path: Path, size: tuple[int, int]) -> Picture:
    picture = read_picture(path)
    height, width = picture.size
    if abs(height * size[1] / (width * size[0]) - 1) > ASPECT_TOLERANCE:
        raise PictureError(
            f"{path} is {width} x {height} px, but the picture it belongs to is {size[1]} x {size[0]}; "
            "make them the same shape."
        )
    return picture
