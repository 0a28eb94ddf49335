"""The arithmetic of colouring one block of pixels: lightness and colour to the numbers of the picture.

Exact but for tables (0.1 of a level), in place on float32 planes that fit the cache; numpy lets go of the interpreter
lock, so that threads help. CIE f stands for lightness throughout (L = 116 f - 16), colour is given as dx = a / 500 and
dz = -b / 200, the distances of f(X) and f(Z) from it. Must not import torch or open files.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from t2c_engine.color.lab import EPSILON, KAPPA, WHITE, lab_f, srgb_to_linear
from t2c_engine.color.rgb_spaces import RgbSpace
from t2c_engine.color.samples import full_scale
from t2c_engine.pictures.picture import luminance

_CODES = 1 << 15  # steps of linear light in the table that encodes 8 bits: 0.1 of a level where it is steepest
_EPSILON, _EDGE = np.float32(EPSILON), np.float32(EPSILON ** (1 / 3))  # where the straight part of CIE f ends
_GAMUT_STEPS = 2
_GATHERED = 4  # blocks' worth of pixels outside the gamut that are fitted together


class Workspace:
    """One thread's planes for blocks of up to `rows` x `width` pixels; nothing is allocated while blocks are painted.

    Planes of 120 KB and more come from the system zeroed, page by page, which would cost more than the arithmetic.

    Attributes:
        outside: the planes of pixels outside the gamut, gathered over several blocks; the first `waiting` columns are
            in use. places: where they lie in the result, as flat indices.
    """

    def __init__(self, rows: int, width: int) -> None:
        self._planes = np.empty((12, rows, width), np.float32)
        self.outside = np.empty((13, _GATHERED * rows * width), np.float32)
        self.places = np.empty(_GATHERED * rows * width, np.intp)
        self.waiting = 0
        self._index = np.empty((rows, width), np.intp)
        self._codes = np.empty((rows, width), np.uint8)
        self._pixels = np.empty((rows, width, 3), np.uint8)

    def block(self, rows: int) -> np.ndarray:
        """12 x `rows` x width."""
        return self._planes[:, :rows]

    def index(self, rows: int) -> np.ndarray:
        """`rows` x width, into tables."""
        return self._index[:rows]

    def codes(self, rows: int) -> np.ndarray:
        """`rows` x width uint8."""
        return self._codes[:rows]

    def pixels(self, rows: int) -> np.ndarray:
        """`rows` x width x 3 uint8, in which channels are woven together: in the cache, not in new memory."""
        return self._pixels[:rows]


class BlockRenderer:
    """Colours blocks of pictures of one type (uint8, uint16 or float32) in one RGB space. Immutable.

    The planes of a block (12 x rows x width, or 12 x pixels): 0..2 X, Z, Y relative to white; 3 CIE f of Y; 4 to spare;
    5 dx, 6 dz; 7 and 8 to spare; 9..11 linear r, g, b. What is done to two or three planes alike is one call.
    """

    def __init__(self, space: RgbSpace, dtype: np.dtype) -> None:
        self.space = space
        self._eight = dtype == np.uint8
        self._sixteen = dtype == np.uint16
        # linear light runs from 0 to scale
        self._scale = np.float32(_CODES if self._eight else 1)
        to_rgb = space.from_xyz * WHITE * self._scale
        self._matrix = np.ascontiguousarray(to_rgb[:, (0, 2, 1)], np.float32)  # from X, Z, Y relative to white
        tolerance = 0.5 / full_scale(np.uint8 if self._eight else np.uint16)  # floats are held as closely as 16 bits
        self._low = np.float32(-tolerance / 12.92) * self._scale
        self._high = np.float32(float(srgb_to_linear(np.array(1 + tolerance)))) * self._scale

    def read(self, pixels: np.ndarray, workspace: Workspace) -> None:
        """Fill Y and f of the block from pixels (rows x width, or x 3)."""
        planes, index = workspace.block(len(pixels)), workspace.index(len(pixels))
        y, f, spare = planes[2:5]
        if pixels.ndim == 2 and pixels.dtype.kind == "u":
            np.copyto(index, pixels)
            _grey_f(self.space, pixels.dtype.name).take(index, out=f, mode="clip")
            _cube(f, spare, y)
            return
        luminance(pixels, self.space, y, spare, index)
        np.cbrt(y, out=f)
        if y.min() < _EPSILON:
            np.multiply(y, np.float32(KAPPA / 116), out=spare)
            spare += np.float32(16 / 116)
            np.copyto(f, spare, where=f < _EDGE)

    def tone(self, planes: np.ndarray, curve: np.ndarray) -> None:
        """Change Y and f by a curve: the L (0..100) that evenly spaced L become. Call it after dx and dz are filled."""
        y, f, spare = planes[2:5]
        places = (np.linspace(0, 100, len(curve)) + 16) / 116
        f[...] = np.interp(f, places, (np.asarray(curve, np.float64) + 16) / 116)
        _cube(f, spare, y)

    def write(self, workspace: Workspace, result: np.ndarray, top: int, bottom: int) -> None:
        """Fill rows top..bottom of `result` (H x W x 3, contiguous) from Y, f, dx and dz in the block.

        Pixels outside the gamut are final after `finish`.
        """
        planes = workspace.block(bottom - top)
        self._linear(planes)
        outside = self._outside(planes)
        if len(outside):
            if workspace.waiting + len(outside) > len(workspace.places):
                self.finish(workspace, result)
            self._gather(planes.reshape(12, -1), outside, workspace, top * result.shape[1])
        self._encode(planes[9:], result[top:bottom], workspace)

    def finish(self, workspace: Workspace, result: np.ndarray) -> None:
        """Fill the pixels outside the gamut that have been gathered: many at once, for each call costs."""
        number, workspace.waiting = workspace.waiting, 0
        if not number:
            return
        light = self._fit(workspace.outside[:12, :number], workspace.outside[12, :number])
        flat, places = result.reshape(-1), workspace.places[:number]
        places *= 3
        for channel in range(3):
            flat[places] = self._numbers(light[channel])
            places += 1

    def _gather(self, planes: np.ndarray, outside: np.ndarray, workspace: Workspace, start: int) -> None:
        part = slice(workspace.waiting, workspace.waiting + len(outside))
        for index in (2, 3, 5, 6, 9, 10, 11):
            planes[index].take(outside, out=workspace.outside[index, part], mode="clip")
        np.add(outside, start, out=workspace.places[part])
        workspace.waiting = part.stop

    def _linear(self, planes: np.ndarray) -> None:
        """Fill X, Z and r, g, b from Y, f, dx and dz."""
        around, pixels = planes[7:9], planes[0].size
        np.add(planes[5:7], planes[3], out=around)
        _cube(around, planes[9:11], planes[:2])
        np.matmul(self._matrix, planes[:3].reshape(3, pixels), out=planes[9:].reshape(3, pixels))

    def _outside(self, planes: np.ndarray) -> np.ndarray:
        """Flat indices of the pixels that the space cannot show."""
        least = np.minimum.reduce(planes[9:], axis=0, out=planes[7])
        most = np.maximum.reduce(planes[9:], axis=0, out=planes[8])
        return np.flatnonzero((least < self._low) | (most > self._high))

    def _fit(self, part: np.ndarray, factor: np.ndarray) -> np.ndarray:
        """Linear r, g, b (3 x pixels) of pixels outside the gamut, their chroma lowered.

        The factor of ab at which the gamut ends is found by secants from grey, where nothing is outside. What is left
        (parts of a level) goes towards grey in linear light, which keeps lightness.

        Args:
            part: 12 x pixels, changed. factor: of so many pixels, to work in.
        """
        self._headroom(part, factor)
        headroom, chroma = part[4], part[5:7]
        for step in range(_GAMUT_STEPS):
            chroma *= factor
            self._linear(part)
            self._headroom(part, headroom)
            if step < _GAMUT_STEPS - 1:
                factor[...] = headroom  # may lead out again, for the first secant lies inside where the gamut bulges
        np.minimum(headroom, 1, out=headroom)
        grey, light = np.multiply(part[2], self._scale, out=part[7]), part[9:]
        light -= grey
        light *= headroom
        light += grey
        return light

    def _headroom(self, planes: np.ndarray, out: np.ndarray) -> None:
        """How many times farther from grey each colour could lie in linear light; below 1 it is outside."""
        rgb, t, grey = planes[9:], planes[7], np.multiply(planes[2], self._scale, out=planes[8])
        np.maximum.reduce(rgb, axis=0, out=t)
        np.maximum(np.subtract(t, grey, out=t), 1e-12, out=t)
        np.divide(np.subtract(self._high, grey, out=out), t, out=out)
        np.minimum.reduce(rgb, axis=0, out=t)
        np.maximum(np.subtract(grey, t, out=t), 1e-12, out=t)
        grey -= self._low
        np.minimum(out, np.divide(grey, t, out=t), out=out)

    def _encode(self, light: np.ndarray, result: np.ndarray, workspace: Workspace) -> None:
        if self._eight:
            rows = len(result)
            index, codes, pixels = workspace.index(rows), workspace.codes(rows), workspace.pixels(rows)
            table = _byte_codes(self.space)
            for channel in range(3):
                np.copyto(index, light[channel], casting="unsafe")
                pixels[..., channel] = table.take(index, out=codes, mode="clip")
            result[...] = pixels
            return
        for channel in range(3):
            result[..., channel] = self._numbers(light[channel])

    def _numbers(self, light: np.ndarray) -> np.ndarray:
        """Linear light of any shape as the picture's numbers."""
        if self._eight:
            return _byte_codes(self.space).take(light.astype(np.intp), mode="clip")
        values = self.space.curve.encode(np.clip(light, 0, 1))
        if self._sixteen:
            values *= full_scale(np.uint16)
            values += 0.5
        return values


def _cube(f: np.ndarray, work: np.ndarray, out: np.ndarray) -> None:
    """Inverse of CIE f: f ** 3, and below _EDGE the tangent there."""
    if f.min() >= _EDGE:
        np.multiply(f, f, out=out)
        out *= f
        return
    np.maximum(f, _EDGE, out=work)
    np.multiply(work, work, out=out)
    out *= work
    np.subtract(f, work, out=work)
    work *= np.float32(116 / KAPPA)
    out += work


@lru_cache(maxsize=8)
def _grey_f(space: RgbSpace, depth: str) -> np.ndarray:
    """CIE f of every grey number of 8 or 16 bits (256 or 65,536, float32)."""
    numbers = np.arange(np.iinfo(depth).max + 1) / np.iinfo(depth).max
    return lab_f(space.curve.decode(numbers)).astype(np.float32)


@lru_cache(maxsize=4)
def _byte_codes(space: RgbSpace) -> np.ndarray:
    """8-bit number of each of _CODES steps of linear light."""
    middles = (np.arange(_CODES) + 0.5) / _CODES
    return np.rint(space.curve.encode(middles) * full_scale(np.uint8)).astype(np.uint8)
