"""The arithmetic of colouring one block of pixels: lightness and colour to the numbers of the picture.

Exact but for tables (0.1 of a level), in place on float32 planes that fit the cache; numpy lets go of the interpreter
lock, so that threads help. CIE f stands for lightness throughout (L = 116 f - 16), colour is given as dx = a / 500 and
dz = -b / 200, the distances of f(X) and f(Z) from it. Must not import torch or open files.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from t2c_engine.color.lab import EPSILON, KAPPA, WHITE, srgb_to_linear
from t2c_engine.color.rgb_spaces import RgbSpace
from t2c_engine.color.samples import full_scale
from t2c_engine.pictures.picture import luminance

_CODES = 1 << 15  # steps of linear light in the table that encodes 8 bits: 0.1 of a level where it is steepest
_EPSILON, _EDGE = np.float32(EPSILON), np.float32(EPSILON ** (1 / 3))  # where the straight part of CIE f ends
_GAMUT_STEPS = 2


class Workspace:
    """One thread's planes for blocks of up to `rows` x `width` pixels; nothing is allocated while blocks are painted.

    Planes of 120 KB and more come from the system zeroed, page by page, which would cost more than the arithmetic.
    """

    def __init__(self, rows: int, width: int) -> None:
        self._planes = np.empty((12, rows, width), np.float32)
        self.outside = np.empty((13, rows * width), np.float32)  # the same for pixels outside the gamut
        self.index = np.empty((rows, width), np.intp)
        self.codes = np.empty((rows, width), np.uint8)

    def block(self, rows: int) -> np.ndarray:
        """12 x `rows` x width."""
        return self._planes[:, :rows]


class BlockRenderer:
    """Colours blocks of pictures of one type (uint8, uint16 or float32) in one RGB space. Immutable.

    The planes of a block (12 x rows x width, or 12 x pixels): 0..2 X, Y, Z relative to white; 3 CIE f of Y; 4 to spare;
    5 dx, 7 dz; 6 and 8 to spare; 9..11 linear r, g, b.
    """

    def __init__(self, space: RgbSpace, dtype: np.dtype) -> None:
        self.space = space
        self._eight = dtype == np.uint8
        self._sixteen = dtype == np.uint16
        # linear light runs from 0 to scale
        self._scale = np.float32(_CODES if self._eight else 1)
        self._matrix = (space.from_xyz * WHITE * self._scale).astype(np.float32)  # from X, Y, Z relative to white
        tolerance = 0.5 / full_scale(np.uint8 if self._eight else np.uint16)  # floats are held as closely as 16 bits
        self._low = np.float32(-tolerance / 12.92) * self._scale
        self._high = np.float32(float(srgb_to_linear(np.array(1 + tolerance)))) * self._scale

    def read(self, pixels: np.ndarray, planes: np.ndarray) -> None:
        """Fill Y and f from pixels (rows x width, or x 3)."""
        _, y, _, f, spare, *_ = planes
        luminance(pixels, self.space, y, spare)
        np.cbrt(y, out=f)
        if y.min() < _EPSILON:
            np.multiply(y, np.float32(KAPPA / 116), out=spare)
            spare += np.float32(16 / 116)
            np.copyto(f, spare, where=f < _EDGE)

    def tone(self, planes: np.ndarray, curve: np.ndarray) -> None:
        """Change Y and f by a curve: the L (0..100) that evenly spaced L become. Call it after dx and dz are filled."""
        _, y, _, f, spare, *_ = planes
        places = (np.linspace(0, 100, len(curve)) + 16) / 116
        f[...] = np.interp(f, places, (np.asarray(curve, np.float64) + 16) / 116)
        _cube(f, spare, y)

    def write(self, workspace: Workspace, result: np.ndarray) -> None:
        """Fill `result` (rows x width x 3) from Y, f, dx and dz in the block."""
        planes = workspace.block(len(result))
        self._linear(planes)
        outside = self._outside(planes)
        if len(outside):
            self._fit(planes.reshape(12, -1), outside, workspace.outside)
        for channel in range(3):
            self._encode(planes[9 + channel], result[..., channel], workspace)

    def _linear(self, planes: np.ndarray) -> None:
        """Fill X, Z and r, g, b from Y, f, dx and dz."""
        x, _, z, f, spare, dx, t, dz, *_ = planes
        _cube(np.add(f, dx, out=t), spare, x)
        _cube(np.add(f, dz, out=t), spare, z)
        pixels = x.size
        np.matmul(self._matrix, planes[:3].reshape(3, pixels), out=planes[9:12].reshape(3, pixels))

    def _outside(self, planes: np.ndarray) -> np.ndarray:
        """Flat indices of the pixels that the space cannot show."""
        r, g, b = planes[9:12]
        least = np.minimum(np.minimum(r, g, out=planes[4]), b, out=planes[4])
        most = np.maximum(np.maximum(r, g, out=planes[6]), b, out=planes[6])
        return np.flatnonzero((least < self._low) | (most > self._high))

    def _fit(self, planes: np.ndarray, outside: np.ndarray, spare: np.ndarray) -> None:
        """Lower the chroma of the pixels outside the gamut.

        The factor of ab at which the gamut ends is found by secants from grey, where nothing is outside. What is left
        (parts of a level) goes towards grey in linear light, which keeps lightness.
        """
        part, factor = spare[:12, : len(outside)], spare[12, : len(outside)]
        for index in (1, 3, 5, 7, 9, 10, 11):
            np.take(planes[index], outside, out=part[index], mode="clip")
        self._headroom(part, factor)
        headroom, dx, dz = part[4], part[5], part[7]
        for step in range(_GAMUT_STEPS):
            dx *= factor
            dz *= factor
            self._linear(part)
            self._headroom(part, headroom)
            if step < _GAMUT_STEPS - 1:
                factor[...] = headroom  # may lead out again, for the first secant lies inside where the gamut bulges
        np.minimum(headroom, 1, out=headroom)
        grey = np.multiply(part[1], self._scale, out=part[6])
        for index in (9, 10, 11):
            light = part[index]
            light -= grey
            light *= headroom
            light += grey
            planes[index][outside] = light

    def _headroom(self, planes: np.ndarray, out: np.ndarray) -> None:
        """How many times farther from grey each colour could lie in linear light; below 1 it is outside."""
        r, g, b = planes[9:12]
        t, grey = planes[6], np.multiply(planes[1], self._scale, out=planes[8])
        np.maximum(np.maximum(r, g, out=t), b, out=t)
        np.maximum(np.subtract(t, grey, out=t), 1e-12, out=t)
        np.divide(np.subtract(self._high, grey, out=out), t, out=out)
        np.minimum(np.minimum(r, g, out=t), b, out=t)
        np.maximum(np.subtract(grey, t, out=t), 1e-12, out=t)
        grey -= self._low
        np.minimum(out, np.divide(grey, t, out=t), out=out)

    def _encode(self, light: np.ndarray, out: np.ndarray, workspace: Workspace) -> None:
        if self._eight:
            index, codes = workspace.index[: len(out)], workspace.codes[: len(out)]
            np.copyto(index, light, casting="unsafe")
            out[...] = np.take(_byte_codes(self.space), index, out=codes, mode="clip")
            return
        values = self.space.curve.encode(np.clip(light, 0, 1))
        if self._sixteen:
            values *= full_scale(np.uint16)
            values += 0.5
        out[...] = values


def _cube(f: np.ndarray, work: np.ndarray, out: np.ndarray) -> None:
    """Inverse of CIE f."""
    np.multiply(f, f, out=out)
    out *= f
    if f.min() < _EDGE:
        np.multiply(f, np.float32(116 / KAPPA), out=work)
        work -= np.float32(16 / KAPPA)
        np.copyto(out, work, where=f < _EDGE)


@lru_cache(maxsize=4)
def _byte_codes(space: RgbSpace) -> np.ndarray:
    """8-bit number of each of _CODES steps of linear light."""
    middles = (np.arange(_CODES) + 0.5) / _CODES
    return np.rint(space.curve.encode(middles) * full_scale(np.uint8)).astype(np.uint8)
