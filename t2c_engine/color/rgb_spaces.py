"""What an RGB picture's numbers mean: ICC matrix profiles, sRGB where none is given.

A space knows how to get from its numbers to the project's XYZ (D65) and back, so that lightness is right under the
picture's own profile and a result is right under the profile it carries. Reads ICC.1:2022 (v2 and v4) matrix/TRC
profiles; for all others see `pictures`. Must not import torch or anything that opens files.
"""

from __future__ import annotations

import logging
import struct
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from t2c_engine.color.lab import RGB_TO_XYZ

log = logging.getLogger(__name__)

# sRGB's colorants as profiles hold them: adapted to D50 by Bradford (ICC.1:2022, IEC 61966-2-1)
_SRGB_D50 = np.array([[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]])  # fmt: skip # noqa: E501
_SAME = 4e-3  # a profile that differs from sRGB by less than this is sRGB, written with fewer digits


@dataclass(frozen=True, slots=True)
class Curve:
    """A tone curve, numbers 0..1 to linear light 0..1.

    Either the ICC parametric form 4, `x >= d: (a x + b)**g + e, else c x + f`, or equidistant samples.
    """

    g: float = 1.0
    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0
    e: float = 0.0
    f: float = 0.0
    samples: tuple[float, ...] = ()

    def decode(self, values: np.ndarray) -> np.ndarray:
        """Numbers (any shape, float) to linear light of the same type."""
        if self.samples:
            table = np.asarray(self.samples)
            return np.interp(values, np.linspace(0, 1, len(table)), table).astype(values.dtype)
        upper = np.maximum(values * self.a + self.b, 0) ** self.g + self.e
        return np.where(values >= self.d, upper, values * self.c + self.f).astype(values.dtype)

    def encode(self, linear: np.ndarray) -> np.ndarray:
        """Linear light (any shape, float) to numbers of the same type, clipped to 0..1."""
        if self.samples:
            table = np.maximum.accumulate(np.asarray(self.samples))
            table = table + np.arange(len(table)) * 1e-12  # strictly rising, so that it can be inverted
            return np.interp(linear, table, np.linspace(0, 1, len(table))).astype(linear.dtype)
        values = (np.maximum(linear - self.e, 0) ** (1 / self.g) - self.b) / self.a
        if self.d > 0:
            lower = (linear - self.f) / self.c if self.c else np.zeros_like(linear)
            values = np.where(linear >= self.c * self.d + self.f, values, lower)
        return np.clip(values, 0, 1).astype(linear.dtype)


SRGB_CURVE = Curve(g=2.4, a=1 / 1.055, b=0.055 / 1.055, c=1 / 12.92, d=0.04045)


@dataclass(frozen=True, slots=True, eq=False)
class RgbSpace:
    """An RGB space: `to_xyz` (3 x 3, linear RGB to XYZ, D65, white = the project's) and one curve for all channels."""

    to_xyz: np.ndarray
    curve: Curve

    @property
    def from_xyz(self) -> np.ndarray:
        """3 x 3, XYZ to linear RGB."""
        return np.linalg.inv(self.to_xyz)


SRGB = RgbSpace(RGB_TO_XYZ, SRGB_CURVE)


@lru_cache(maxsize=16)
def rgb_space(icc: bytes | None) -> RgbSpace | None:
    """The space that an ICC profile describes; sRGB for none at all.

    Returns None when it is not an RGB matrix profile with one curve (grey, CMYK, tables) or is damaged: such a picture
    has to be converted.
    """
    if icc is None:
        return SRGB
    tags = _tags(icc)
    if tags is None or icc[16:20] != b"RGB ":
        return None
    try:
        colorants = np.stack([_xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")], 1)
        curves = {_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")}
    except (KeyError, ValueError, struct.error) as error:
        log.info("The colour profile has no usable matrix (%s).", error)
        return None
    if len(curves) != 1 or abs(np.linalg.det(colorants)) < 1e-4:
        return None
    return _space(colorants, curves.pop())


def grey_curve(icc: bytes) -> Curve | None:
    """The tone curve of a grey profile, or None when there is none to be found."""
    tags = _tags(icc)
    if tags is None or icc[16:20] != b"GRAY":
        return None
    try:
        return _curve(tags[b"kTRC"])
    except (KeyError, ValueError, struct.error):
        return None


def _space(colorants: np.ndarray, curve: Curve) -> RgbSpace:
    ramp = np.linspace(0, 1, 64)
    to_linear_srgb = np.linalg.inv(_SRGB_D50) @ colorants  # both adapted to D50 the same way
    to_linear_srgb /= to_linear_srgb.sum(1, keepdims=True)  # R = G = B is neutral, whatever the rounding
    near_curve = np.abs(curve.encode(SRGB_CURVE.decode(ramp)) - ramp).max() < _SAME
    if near_curve and np.abs(to_linear_srgb - np.eye(3)).max() < _SAME:
        return SRGB
    return RgbSpace(RGB_TO_XYZ @ to_linear_srgb, curve)


def _tags(icc: bytes) -> dict[bytes, bytes] | None:
    """Tag table of a profile (ICC.1:2022, 7.3), or None when the bytes are no profile."""
    if len(icc) < 132 or icc[36:40] != b"acsp":
        return None
    (count,) = struct.unpack_from(">I", icc, 128)
    if count > 1000 or len(icc) < 132 + 12 * count:
        return None
    entries = (struct.unpack_from(">4sII", icc, 132 + 12 * index) for index in range(count))
    return {name: icc[offset : offset + size] for name, offset, size in entries}


def _xyz(tag: bytes) -> np.ndarray:
    kind, *numbers = struct.unpack_from(">4s4x3i", tag)
    if kind != b"XYZ ":
        raise ValueError("a colorant is not of type XYZ")
    return np.array(numbers) / 65536


def _curve(tag: bytes) -> Curve:
    """A `curv` or `para` element (ICC.1:2022, 10.6 and 10.18)."""
    kind, count = struct.unpack_from(">4s4xI", tag)
    if kind == b"curv":
        numbers = struct.unpack_from(f">{count}H", tag, 12)
        if count == 0:
            return Curve()
        if count == 1:
            return _checked(Curve(g=numbers[0] / 256))
        return _checked(Curve(samples=tuple(number / 65535 for number in numbers)))
    if kind != b"para":
        raise ValueError(f"a tone curve has the unknown type {kind!r}")
    (form,) = struct.unpack_from(">H", tag, 8)
    names = {0: "g", 1: "gab", 2: "gabc", 3: "gabcd", 4: "gabcdef"}.get(form)
    if names is None:
        raise ValueError(f"a tone curve has the unknown form {form}")
    value = dict(zip(names, (n / 65536 for n in struct.unpack_from(f">{len(names)}i", tag, 12)), strict=True))
    if form in (1, 2):  # below -b/a the curve is 0, or c
        constant = value.pop("c", 0.0)
        value |= {"d": -value["b"] / value["a"], "e": constant, "f": constant}
    return _checked(Curve(**value))


def _checked(curve: Curve) -> Curve:
    """The curve, if it can be inverted and leads from about 0 to about 1."""
    if not curve.samples and not (0.1 <= curve.g <= 20 and 0 < curve.a < 100):
        raise ValueError("a tone curve cannot be inverted")
    ends = curve.decode(np.array([0.0, 1.0]))
    if not (np.isfinite(ends).all() and abs(ends[0]) < 0.1 and abs(ends[1] - 1) < 0.1):
        raise ValueError("a tone curve does not lead from 0 to 1")
    return curve
