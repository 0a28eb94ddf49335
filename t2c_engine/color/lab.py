"""The one colour space of the project: sRGB <-> CIE Lab (D65, 2 degrees), gamut handling and the 313 ab bins.

Every function takes numpy arrays or torch tensors, channels last, and returns the same kind; computation is in the
input's floating type (float32 in the project). Whites are the row sums of the sRGB matrix, so that a neutral grey has
ab = 0 exactly (scikit-image's tabulated white leaves a tint of 0.005). Must not import torch, which costs seconds:
a tensor can only arrive here when torch is loaded already.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

import numpy as np

# linear sRGB -> CIE XYZ (IEC 61966-2-1), its inverse, and its white (XYZ of R = G = B = 1)
RGB_TO_XYZ = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
XYZ_TO_RGB = np.linalg.inv(RGB_TO_XYZ)
WHITE = RGB_TO_XYZ.sum(axis=1)

EPSILON = 216 / 24389  # CIE: below this f is linear
KAPPA = 24389 / 27
GRID = 10  # step of the ab bins (Zhang et al. 2016)
GAMUT_TOLERANCE = 0.5 / 255  # a channel this far outside [0, 1] still rounds to a valid 8-bit value

Array = Any  # np.ndarray or torch.Tensor


def _namespace(array: Array) -> Any:
    """The module whose functions take the array. torch is looked at for tensors only: in `sys.modules` it may be half
    imported by another thread, and it is whole wherever there is a tensor."""
    return np if isinstance(array, (np.ndarray, np.generic, float, int)) else sys.modules["torch"]


def _matrix_rows(matrix: np.ndarray, array: Array) -> list[Array]:
    """The three channels of `matrix @ pixel`, each ... (no channel axis)."""
    x, y, z = array[..., 0], array[..., 1], array[..., 2]
    return [x * float(row[0]) + y * float(row[1]) + z * float(row[2]) for row in matrix]


def srgb_to_linear(rgb: Array) -> Array:
    """Gamma-encoded sRGB in 0..1 to linear light in 0..1, any shape."""
    xp = _namespace(rgb)
    return xp.where(rgb <= 0.04045, rgb / 12.92, ((xp.clip(rgb, 0.04045, None) + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(linear: Array) -> Array:
    """Linear light to gamma-encoded sRGB, any shape; values outside 0..1 stay outside."""
    xp = _namespace(linear)
    return xp.where(linear <= 0.0031308, linear * 12.92, 1.055 * xp.clip(linear, 0.0031308, None) ** (1 / 2.4) - 0.055)


def lab_f(t: Array) -> Array:
    """CIE f: relative XYZ to the scale on which L, a and b are linear."""
    xp = _namespace(t)
    return xp.where(t > EPSILON, xp.clip(t, EPSILON, None) ** (1 / 3), (t * KAPPA + 16) / 116)


def lab_f_inverse(f: Array) -> Array:
    """Inverse of `lab_f`."""
    xp = _namespace(f)
    return xp.where(f > EPSILON ** (1 / 3), f * f * f, (f * 116 - 16) / KAPPA)


def srgb_to_lab(rgb: Array) -> Array:
    """sRGB (... x 3, 0..1) to Lab (... x 3, L 0..100, ab about -108..99)."""
    xp = _namespace(rgb)
    xyz = _matrix_rows(RGB_TO_XYZ, srgb_to_linear(rgb))
    fx, fy, fz = (lab_f(channel / float(white)) for channel, white in zip(xyz, WHITE, strict=True))
    return xp.stack((116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)), -1)


def lab_to_linear(lab: Array) -> Array:
    """Lab (... x 3) to linear sRGB (... x 3), not clipped."""
    xp = _namespace(lab)
    fy = (lab[..., 0] + 16) / 116
    fs = (fy + lab[..., 1] / 500, fy, fy - lab[..., 2] / 200)
    xyz = xp.stack([lab_f_inverse(f) * float(white) for f, white in zip(fs, WHITE, strict=True)], -1)
    return xp.stack(_matrix_rows(XYZ_TO_RGB, xyz), -1)


def lab_to_srgb(lab: Array) -> Array:
    """Lab (... x 3) to sRGB (... x 3, clipped to 0..1). Call `fit_gamut` first to keep lightness and hue."""
    xp = _namespace(lab)
    return xp.clip(linear_to_srgb(lab_to_linear(lab)), 0.0, 1.0)


def in_gamut(lab: Array, tolerance: float = GAMUT_TOLERANCE) -> Array:
    """Whether sRGB can show each Lab colour (... x 3 to ... of bool); `tolerance` is in gamma-encoded sRGB."""
    rgb = linear_to_srgb(lab_to_linear(lab))
    return ((rgb >= -tolerance) & (rgb <= 1 + tolerance)).all(-1)


def fit_gamut(lab: Array, steps: int = 12) -> Array:
    """Bring Lab colours (... x 3) into sRGB by lowering chroma alone; lightness (clipped to 0..100) and hue stay.

    Bisection on the chroma, so the result lies within 2**-steps of the gamut's edge.
    """
    xp = _namespace(lab)
    lightness = xp.clip(lab[..., :1], 0.0, 100.0)
    ab = lab[..., 1:]
    lab = xp.concatenate((lightness, ab), -1)
    outside = ~in_gamut(lab)
    if not bool(outside.any()):
        return lab
    light, chroma = lightness[outside], ab[outside]
    low, high = xp.zeros_like(light), xp.ones_like(light)
    for _ in range(steps):
        middle = (low + high) / 2
        fits = in_gamut(xp.concatenate((light, chroma * middle), -1))[..., None]
        low, high = xp.where(fits, middle, low), xp.where(fits, high, middle)
    lab[outside] = xp.concatenate((light, chroma * low), -1)
    return lab


@cache
def ab_bins() -> np.ndarray:
    """Centres of the 313 ab bins (313 x 2, float32, read-only; Zhang et al. 2016): a outer, b inner, ascending.

    The rule: the corners of all cells of the grid of tens that touch the convex hull of sRGB's ab projection. A corner
    qualifies when it lies inside that hull grown by one cell to each side, tested on its support lines. (Nearest bins
    hold 9.73 to the hull, the nearest others 10.12, so the choice of samples and directions is not delicate.)
    """
    steps = np.linspace(0, 1, 9)
    colors = srgb_to_lab(np.stack(np.meshgrid(steps, steps, steps), -1).reshape(-1, 3))[:, 1:]
    angles = np.arange(720) * (np.pi / 360)
    normals = np.stack((np.cos(angles), np.sin(angles)))  # 2 x 720
    support = (colors @ normals).max(0) + GRID * np.abs(normals).sum(0)
    axis = np.arange(-13 * GRID, 14 * GRID, GRID, dtype=np.float64)
    corners = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    bins = corners[(corners @ normals < support).all(1)].astype(np.float32)
    bins.flags.writeable = False
    return bins


@cache
def _bin_table() -> np.ndarray:
    """Index of the bin at each grid point (27 x 27, ab -130..130), -1 where there is none."""
    table = np.full((27, 27), -1, np.int64)
    cells = (ab_bins() / GRID).astype(np.int64) + 13
    table[cells[:, 0], cells[:, 1]] = np.arange(len(cells))
    return table


def nearest_bin(ab: Array) -> Array:
    """Index (..., int64, 0..312) of the bin nearest to each ab (... x 2, finite), ties going either way."""
    xp = _namespace(ab)
    flat = ab.reshape(-1, 2)
    # a copy, for torch warns about read-only arrays
    table, bins = (
        (_bin_table(), ab_bins())
        if xp is np
        else (xp.as_tensor(array.copy(), device=ab.device) for array in (_bin_table(), ab_bins()))
    )
    cells = xp.clip(xp.round(flat / GRID), -13, 13) + 13
    cells = cells.astype(np.int64) if xp is np else cells.long()
    index = table[cells[:, 0], cells[:, 1]]
    for rows in _chunks(xp.where(index < 0)[0]):  # outside the bins: look at all of them
        index[rows] = ((flat[rows][:, None] - bins[None]) ** 2).sum(-1).argmin(-1)
    return index.reshape(ab.shape[:-1])


def _chunks(rows: Array, size: int = 4096) -> list[Array]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]
