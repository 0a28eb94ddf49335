"""What a picture's numbers mean: ICC profiles read by LittleCMS, sRGB where none is given.

A space knows how to get from its numbers to the project's XYZ (D65) and back, so that lightness is right under the
picture's own profile and a result is right under the profile it carries. Profiles are never parsed here: LittleCMS
transforms sample colours, and curve and matrix are read off the answers. Must not import torch or open files.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from t2c_engine.color.lab import RGB_TO_XYZ, lab_f, lab_f_inverse
from t2c_engine.color.samples import to_depth

log = logging.getLogger(__name__)

# sRGB's colorants as profiles hold them: adapted to D50 by Bradford (ICC.1:2022, IEC 61966-2-1)
_SRGB_D50 = np.array([[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]])  # fmt: skip # noqa: E501
_D50 = np.array([0.9642, 1.0, 0.8249])  # white of the profile connection space (ICC.1:2022, 7.2.16)
_SAME = 4e-3  # a profile that differs from sRGB by less than this is sRGB, written with fewer digits
_MATRIX_ERROR = 0.5  # Lab distance up to which a profile counts as curve and matrix; tables lie far above
_NEAR_SRGB_ERROR = 2.0  # the same for profiles that are sRGB but for rounding
_RAMP = 4096  # samples of a tone curve
_RELATIVE = 1  # relative colorimetric intent
_DEVICE_CLASSES = (
    b"scnr",
    b"mntr",
    b"prtr",
    b"spac",
)  # not links, abstract or named-colour profiles (ICC.1:2022, 7.2.5)
_COLORSPACES = {b"GRAY": "gray", b"RGB ": "rgb", b"CMYK": "cmyk", b"Lab ": "lab"}
_BAD_PROFILE = (RuntimeError, ValueError, OverflowError, KeyError, TypeError)  # what imagecodecs raises


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


def profile_colorspace(icc: bytes) -> str | None:
    """gray, rgb, cmyk, lab, or another signature (ICC.1:2022, 7.2.6); None when it is no device profile."""
    if len(icc) < 132 or icc[36:40] != b"acsp" or icc[12:16] not in _DEVICE_CLASSES:
        return None
    return _COLORSPACES.get(icc[16:20]) or icc[16:20].decode("latin-1").strip()


@lru_cache(maxsize=16)
def rgb_space(icc: bytes | None) -> RgbSpace | None:
    """The space that an ICC profile describes; sRGB for none at all.

    Returns None when LittleCMS cannot use it, or when it is not RGB by one curve and a matrix (grey, CMYK, tables):
    such a picture has to be converted.
    """
    if icc is None:
        return SRGB
    if profile_colorspace(icc) != "rgb":
        return None
    try:
        return _measured_space(icc)
    except _BAD_PROFILE as error:
        log.info("LittleCMS cannot use the colour profile (%s).", error)
        return None


@lru_cache(maxsize=16)
def grey_tones(icc: bytes) -> np.ndarray | None:
    """What the grey numbers under a grey or RGB profile are in sRGB's tone curve, by their L.

    Returns:
        65,536 float32, 0..1, one for each 16-bit number; None when LittleCMS cannot use the profile.
    """
    kind = profile_colorspace(icc)
    if kind not in ("gray", "rgb"):
        return None
    ramp = np.linspace(0, 1, 1 << 16, dtype=np.float32)
    try:
        lab = _transform(ramp if kind == "gray" else np.repeat(ramp[:, None], 3, 1), icc, kind, "lab")
    except _BAD_PROFILE as error:
        log.info("LittleCMS cannot use the colour profile (%s).", error)
        return None
    lightness = np.clip(lab[:, 0].astype(np.float64), 0, 100)
    if not np.isfinite(lightness).all() or np.ptp(lightness) < 1:
        return None
    tones = SRGB_CURVE.encode(lab_f_inverse((lightness + 16) / 116)).astype(np.float32)
    tones.flags.writeable = False
    return tones


def to_srgb(pixels: np.ndarray, icc: bytes) -> np.ndarray | None:
    """Convert pixels under any RGB, CMYK or Lab profile to sRGB by LittleCMS, relative colorimetric.

    Args:
        pixels: H x W x 3 (RGB) or H x W x 4 (CMYK, 0 = no ink), uint8, uint16 or float32 0..1.

    Returns:
        H x W x 3 of the same type, or None when LittleCMS cannot use the profile for such pixels.
    """
    import imagecodecs

    kind = {3: "rgb", 4: "cmyk"}[pixels.shape[2]]
    if profile_colorspace(icc) != kind:
        return None
    dtype = pixels.dtype
    if kind == "cmyk":  # LittleCMS wants float ink in per cent
        pixels = to_depth(pixels, np.uint16 if dtype.kind == "f" else dtype)
    try:
        result = imagecodecs.cms_transform(
            np.ascontiguousarray(pixels), icc, srgb_profile(), colorspace=kind, outcolorspace="rgb", intent=_RELATIVE
        )
    except _BAD_PROFILE as error:
        log.info("LittleCMS cannot use the colour profile (%s).", error)
        return None
    if result.dtype.kind == "f":
        if not np.isfinite(result).all():
            return None
        result = np.clip(result, 0, 1)
    return to_depth(result, dtype)


def lab_to_srgb_d50(lab: np.ndarray) -> np.ndarray:
    """CIE Lab under D50 (... x 3, L 0..100) to sRGB (... x 3 float32, clipped to 0..1), adapted by Bradford."""
    lab = lab.astype(np.float64)
    fy = (lab[..., 0] + 16) / 116
    xyz = lab_f_inverse(np.stack((fy + lab[..., 1] / 500, fy, fy - lab[..., 2] / 200), -1)) * _D50
    return SRGB_CURVE.encode(xyz @ np.linalg.inv(_SRGB_D50).T).astype(np.float32)


@lru_cache(maxsize=1)
def srgb_profile() -> bytes:
    """A small sRGB profile, made by LittleCMS."""
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@lru_cache(maxsize=16)
def calibrated_profile(
    channels: int, white: tuple[float, float], primaries: tuple[float, ...], gamma: float | None
) -> bytes:
    """A profile made by LittleCMS from chromaticities and a tone curve, as PNG chunks, BMP or EXIF give them.

    Args:
        channels: 1 (grey) or 3. white: x, y. primaries: x, y of red, green and blue. gamma: of the numbers, linear
            light = number ** gamma; None: sRGB's curve.

    Raises:
        ValueError: no profile can be made of these numbers.
    """
    import imagecodecs

    curve = None if gamma else SRGB_CURVE.decode(np.linspace(0, 1, _RAMP, dtype=np.float32))
    xyy = [value for index in (0, 2, 4) for value in (*primaries[index : index + 2], 1.0)]
    try:
        return imagecodecs.cms_profile(
            "gray" if channels == 1 else "rgb", whitepoint=[*white, 1.0], primaries=None if channels == 1 else xyy,
            gamma=gamma, transferfunction=curve,
        )  # fmt: skip
    except _BAD_PROFILE as error:
        raise ValueError(f"no profile has white {white} and primaries {primaries}") from error


def _measured_space(icc: bytes) -> RgbSpace | None:
    """Curve and matrix of an RGB profile, from what LittleCMS makes of sample colours; None when these are not all."""
    ramp = np.linspace(0, 1, _RAMP, dtype=np.float32)
    neutral = _transform(np.repeat(ramp[:, None], 3, 1), icc, "rgb", "xyz").astype(np.float64)
    colorants = _transform(np.eye(3, dtype=np.float32), icc, "rgb", "xyz").astype(np.float64).T
    if not (np.isfinite(neutral).all() and np.isfinite(colorants).all()) or neutral[-1, 1] < 0.1:
        return None
    if abs(np.linalg.det(colorants)) < 1e-4:
        return None
    space = _space(colorants, _fitted(ramp, neutral[:, 1] / neutral[-1, 1]))
    # the model against LittleCMS, at colours that no matrix through the corners would hit by chance
    samples = np.random.default_rng(0).random((256, 3)).astype(np.float32)
    expected = _transform(samples, icc, "rgb", "lab")
    to_pcs = _SRGB_D50 @ np.linalg.inv(RGB_TO_XYZ) @ space.to_xyz
    f = lab_f(np.maximum(space.curve.decode(samples) @ to_pcs.T, 0) / _D50)
    found = np.stack((116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])), 1)
    limit = _NEAR_SRGB_ERROR if space is SRGB else _MATRIX_ERROR
    return space if np.abs(found - expected).max() < limit else None


def _fitted(ramp: np.ndarray, linear: np.ndarray) -> Curve:
    """A pure power where that is what the samples are, else the samples."""
    middle = linear[len(linear) // 2]
    if 0 < middle < 1:
        gamma = float(np.log(middle) / np.log(ramp[len(ramp) // 2]))
        if 0.1 < gamma < 20 and np.abs(ramp**gamma - linear).max() < 2e-5:
            return Curve(g=gamma)
    return Curve(samples=tuple(float(value) for value in linear))


def _space(colorants: np.ndarray, curve: Curve) -> RgbSpace:
    ramp = np.linspace(0, 1, 64)
    to_linear_srgb = np.linalg.inv(_SRGB_D50) @ colorants  # both adapted to D50 the same way
    to_linear_srgb /= to_linear_srgb.sum(1, keepdims=True)  # R = G = B is neutral, whatever the rounding
    near_curve = np.abs(curve.encode(SRGB_CURVE.decode(ramp)) - ramp).max() < _SAME
    if near_curve and np.abs(to_linear_srgb - np.eye(3)).max() < _SAME:
        return SRGB
    return RgbSpace(RGB_TO_XYZ @ to_linear_srgb, curve)


def _transform(values: np.ndarray, icc: bytes, kind: str, to: str) -> np.ndarray:
    """Device numbers (N or N x 3, float32 0..1) to "lab" or "xyz" (D50), N x 3 float32."""
    import imagecodecs

    pixels = np.ascontiguousarray(values[None], np.float32)
    result = imagecodecs.cms_transform(
        pixels, icc, _connection_profile(to), colorspace=kind, outcolorspace=to, outdtype="f4", intent=_RELATIVE
    )
    return np.asarray(result).reshape(-1, 3)


@lru_cache(maxsize=2)
def _connection_profile(name: str) -> bytes:
    from PIL import ImageCms

    created = ImageCms.createProfile("LAB" if name == "lab" else "XYZ")
    return ImageCms.ImageCmsProfile(created).tobytes()
