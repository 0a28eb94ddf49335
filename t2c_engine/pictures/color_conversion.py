"""A file's numbers brought into a space that the engine computes in: RGB by a matrix profile, or grey as in sRGB.

Must not import anything of the engine but `color`.
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from t2c_engine.color.rgb_spaces import SRGB, grey_tones, profile_colorspace, rgb_space, srgb_profile, to_srgb
from t2c_engine.color.samples import full_scale, to_depth

log = logging.getLogger(__name__)


def in_known_space(pixels: np.ndarray, icc: bytes | None, path: Path) -> tuple[np.ndarray, bytes | None]:
    """Pixels, and the profile that they are in from now on (None: sRGB); see `picture.read_picture`.

    Args:
        pixels: H x W (grey), H x W x 3 (RGB) or H x W x 4 (CMYK, 0 = no ink), uint8, uint16 or float32.
        icc: the profile of the file. path: for what is logged when the profile does not fit or is damaged.
    """
    if icc is None:
        return (pixels, None) if pixels.ndim == 2 or pixels.shape[2] == 3 else (_from_ink(pixels), None)
    if pixels.ndim == 2:
        return _grey(pixels, icc, path)
    if pixels.shape[2] == 3 and rgb_space(icc) is not None:
        return pixels, icc
    converted = to_srgb(pixels, icc)
    if converted is not None:
        log.info("%s is converted to sRGB.", path)
        return converted, srgb_profile()
    _say_unusable(path, icc, "RGB" if pixels.shape[2] == 3 else "CMYK")
    return (pixels if pixels.shape[2] == 3 else _from_ink(pixels)), None


def _grey(pixels: np.ndarray, icc: bytes, path: Path) -> tuple[np.ndarray, bytes | None]:
    space = rgb_space(icc)
    if space is not None:
        return (pixels if space is SRGB else np.repeat(pixels[..., None], 3, 2)), icc
    tones = grey_tones(icc)
    if tones is None:
        _say_unusable(path, icc, "grey")
        return pixels, None
    if pixels.dtype.kind == "f":
        return np.interp(pixels, np.linspace(0, 1, len(tones)), tones).astype(np.float32), srgb_profile()
    full = full_scale(pixels.dtype)
    numbers = np.arange(int(full) + 1) * (len(tones) - 1) // int(full)
    table = np.rint(tones[numbers] * full).astype(pixels.dtype)
    return table[pixels], srgb_profile()


def _say_unusable(path: Path, icc: bytes, kind: str) -> None:
    space = profile_colorspace(icc)
    fits = space is None or {"gray": "grey", "rgb": "RGB", "cmyk": "CMYK"}.get(space) == kind
    what = "is damaged or of a kind that cannot be used" if fits else f"is not for a {kind} picture"
    meaning = "as plain ink" if kind == "CMYK" else "as sRGB"
    log.warning("The colour profile of %s %s; it is left out, and the numbers are read %s.", path, what, meaning)


def _from_ink(pixels: np.ndarray) -> np.ndarray:
    """CMYK without a profile to sRGB by the plain formula."""
    ink = pixels.astype(np.float32) / np.float32(full_scale(pixels.dtype))
    return to_depth((1 - ink[..., :3]) * (1 - ink[..., 3:]), pixels.dtype)
