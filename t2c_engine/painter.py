"""The arithmetic of colouring one block of pixels: lightness and colour to the numbers of the picture.

Exact but for tables (0.1 of a level), in place on float32 planes that fit the cache; numpy lets go of the interpreter
lock, so that threads help. CIE f stands for lightness throughout (L = 116 f - 16), colour is given as dx = a / 500 and
dz = -b / 200, the distances of f(X) and f(Z) from it. Must not import torch or open files.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from t2c_engine.color import EPSILON, KAPPA, WHITE, srgb_to_linear
from t2c_engine.pictures import luminance
from t2c_engine.profiles import RgbSpace

Plane = np.ndarray  # rows x width, float32

_CODES = 1 << 15  # steps of linear light in the table that encodes 8 bits: 0.1 of a level where it is steepest
_EDGE = np.float32(EPSILON ** (1 / 3))  # of the linear part of CIE f
_GAMUT_STEPS = 2
_CROWDED = 0.4  # share of pixels outside the gamut from which picking them out does not pay


class Painter:
    """Colours blocks of pictures of one type (uint8, uint16 or float32) in one RGB space. Immutable."""

    def __init__(self, space: RgbSpace, dtype: np.dtype) -> None:
        self.space = space
        self._eight = dtype == np.uint8
        self._sixteen = dtype == np.uint16
        # linear light runs from 0 to scale
        self._scale = np.float32(_CODES if self._eight else 1)
        self._matrix = (space.from_xyz * WHITE * self._scale).astype(np.float32)  # from X, Y, Z relative to white
        tolerance = 0.5 / (255 if self._eight else 65535)
        self._low = np.float32(-tolerance / 12.92) * self._scale
        self._high = np.float32(float(srgb_to_linear(np.array(1 + tolerance)))) * self._scale

    def read(self, pixels: np.ndarray, y: Plane, f: Plane) -> None:
        """Fill y (0..1) and f from pixels (rows x width, or x 3)."""
        luminance(pixels, self.space, y, f)
        np.cbrt(y, out=f)
        if f.min() < _EDGE:
            np.copyto(f, y * np.float32(KAPPA / 116) + np.float32(16 / 116), where=f < _EDGE)

    def paint(self, y: Plane, f: Plane, dx: Plane, dz: Plane, work: np.ndarray, result: np.ndarray) -> None:
        """Fill `result` (rows x width x 3). `work`: four planes that are overwritten."""
        r, g, b, t = work
        self._linear(y, f, dx, dz, work)
        if self._some_outside(r, g, b, t):
            self._fit(y, f, dx, dz, work)
        for channel, light in enumerate((r, g, b)):
            self._encode(light, result[..., channel])

    def _linear(self, y: Plane, f: Plane, dx: Plane, dz: Plane, work: np.ndarray) -> None:
        """Linear light r, g, b; `work`: r, g, b and a plane to spare."""
        r, g, b, t = work
        m = self._matrix
        x, z = r, b  # these are overwritten last
        _cube(np.add(f, dx, out=t), g, x)
        _cube(np.add(f, dz, out=t), g, z)
        np.multiply(x, m[1, 0], out=g)
        g += np.multiply(y, m[1, 1], out=t)
        g += np.multiply(z, m[1, 2], out=t)
        blue = x * m[2, 0]
        x *= m[0, 0]
        x += np.multiply(z, m[0, 2], out=t)
        z *= m[2, 2]
        z += blue
        r += np.multiply(y, m[0, 1], out=t)
        b += np.multiply(y, m[2, 1], out=t)

    def _some_outside(self, r: Plane, g: Plane, b: Plane, t: Plane) -> bool:
        if np.minimum(np.minimum(r, g, out=t), b, out=t).min() < self._low:
            return True
        return bool(np.maximum(np.maximum(r, g, out=t), b, out=t).max() > self._high)

    def _fit(self, y: Plane, f: Plane, dx: Plane, dz: Plane, work: np.ndarray) -> None:
        """Lower the chroma of the pixels outside the gamut.

        The factor of ab at which the gamut ends is found by secants from grey, where nothing is outside. What is
        left (parts of a level) goes towards grey in linear light, which keeps lightness.
        """
        room = self._room(y, work)
        outside = room < 1
        count = np.count_nonzero(outside)
        if not count:
            return
        crowded = count > _CROWDED * outside.size
        part = work
        if not crowded:
            y, f, dx, dz, room = (plane[outside] for plane in (y, f, dx, dz, room))
            part = np.empty((4, len(y)), np.float32)
        factor = np.minimum(room, 1, out=room)
        for step in range(_GAMUT_STEPS):
            self._linear(y, f, dx * factor, dz * factor, part)
            room = self._room(y, part)
            if step < _GAMUT_STEPS - 1:
                factor = np.minimum(np.multiply(factor, room, out=factor), 1, out=factor)
        np.minimum(room, 1, out=room)
        grey = y * self._scale
        for light, whole in zip(part[:3], work[:3], strict=True):
            light -= grey
            light *= room
            light += grey
            if not crowded:
                whole[outside] = light

    def _room(self, y: Plane, work: np.ndarray) -> Plane:
        """How many times farther from grey each colour could lie in linear light; below 1 it is outside."""
        r, g, b, t = work
        grey = y * self._scale
        np.maximum(np.maximum(r, g, out=t), b, out=t)
        t -= grey
        above = (self._high - grey) / np.maximum(t, 1e-12, out=t)
        np.minimum(np.minimum(r, g, out=t), b, out=t)
        np.subtract(grey, t, out=t)
        grey -= self._low
        grey /= np.maximum(t, 1e-12, out=t)
        return np.minimum(above, grey, out=above)

    def _encode(self, light: Plane, out: np.ndarray) -> None:
        if self._eight:
            out[...] = np.take(_byte_codes(self.space), light.astype(np.intp), mode="clip")
            return
        values = self.space.curve.encode(np.clip(light, 0, 1))
        if self._sixteen:
            values *= 65535
            values += 0.5
        out[...] = values


def _cube(f: Plane, work: Plane, out: Plane) -> None:
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
    return np.rint(space.curve.encode(middles) * 255).astype(np.uint8)
