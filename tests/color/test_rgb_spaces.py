"""ICC matrix profiles against LittleCMS, and tone curves."""

import struct

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2c_engine.color.lab import RGB_TO_XYZ, WHITE, XYZ_TO_RGB
from t2c_engine.color.rgb_spaces import SRGB, SRGB_CURVE, Curve, grey_tones, rgb_space, srgb_profile

P3_PRIMARIES = [0.68, 0.32, 1, 0.265, 0.69, 1, 0.15, 0.06, 1]
D65 = [0.3127, 0.3290, 1.0]


def wide_profile(gamma: float = 2.2) -> bytes:
    return imagecodecs.cms_profile("rgb", whitepoint=D65, primaries=P3_PRIMARIES, gamma=gamma)


def test_srgb_is_known() -> None:
    assert rgb_space(None) is SRGB
    assert rgb_space(srgb_profile()) is SRGB


def test_wide_profile_agrees_with_littlecms() -> None:
    space = rgb_space(wide_profile())
    assert space is not None and space is not SRGB
    np.testing.assert_allclose(space.to_xyz.sum(1), WHITE, atol=1e-6)
    rng = np.random.default_rng(0)
    # colours that sRGB can show, so that LittleCMS clips nothing
    inside = rng.random((500, 3)) * 0.9 + 0.05
    wide = imagecodecs.cms_transform(
        inside.astype(np.float32)[None], srgb_profile(), wide_profile(), colorspace="rgb", outcolorspace="rgb", intent=1
    )[0]
    linear = space.curve.decode(wide.astype(np.float64)) @ (XYZ_TO_RGB @ space.to_xyz).T
    np.testing.assert_allclose(SRGB_CURVE.encode(linear), inside, atol=2e-3)


@pytest.mark.parametrize(
    "curve",
    [
        SRGB_CURVE,
        Curve(),
        Curve(g=2.2),
        Curve(samples=tuple(np.linspace(0, 1, 300) ** 1.8)),
        Curve(g=3, e=0.01, f=0.01),
    ],
    ids=["srgb", "linear", "gamma", "samples", "offset"],
)
def test_curves_invert(curve: Curve) -> None:
    values = np.linspace(0.02, 1, 500)
    np.testing.assert_allclose(curve.encode(curve.decode(values)), values, atol=2e-4)


def test_srgb_curve_is_the_standard() -> None:
    from t2c_engine.color.lab import linear_to_srgb, srgb_to_linear

    values = np.linspace(0, 1, 1000)
    np.testing.assert_allclose(SRGB_CURVE.decode(values), srgb_to_linear(values), atol=1e-7)
    np.testing.assert_allclose(SRGB_CURVE.encode(values), linear_to_srgb(values), atol=1e-6)


def test_grey_tones() -> None:
    tones = grey_tones(imagecodecs.cms_profile("gray", whitepoint=D65, gamma=1.8))
    assert tones is not None and tones.shape == (65536,)
    values = np.linspace(0, 1, 65536)
    np.testing.assert_allclose(SRGB_CURVE.decode(tones.astype(np.float64)), values**1.8, atol=1e-4)
    same = grey_tones(srgb_profile())
    assert same is not None
    np.testing.assert_allclose(same, values, atol=2e-3)
    assert rgb_space(imagecodecs.cms_profile("gray", whitepoint=D65, gamma=1.8)) is None


@given(st.binary(max_size=400))
def test_rubbish_is_no_profile(data: bytes) -> None:
    assert rgb_space(data) is None or not data
    assert grey_tones(data) is None


@given(st.integers(128, 590), st.binary(min_size=1, max_size=12))
def test_damaged_profiles_raise_nothing(position: int, data: bytes) -> None:
    profile = srgb_profile()
    damaged = (profile[:position] + data + profile[position + len(data) :])[: len(profile)]
    space = rgb_space(damaged)
    assert space is None or np.isfinite(space.to_xyz).all()


@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=7, max_size=7), st.integers(0, 4))
def test_any_parametric_curve_is_finite_or_refused(numbers: list[int], form: int) -> None:
    tag = b"para" + bytes(4) + struct.pack(">Hxx7i", form, *numbers)
    profile = bytearray(srgb_profile())
    for index in range(struct.unpack_from(">I", profile, 128)[0]):
        place = 132 + 12 * index
        if profile[place + 1 : place + 4] == b"TRC":
            profile[place + 4 : place + 12] = struct.pack(">II", len(profile), len(tag))
    space = rgb_space(bytes(profile) + tag)
    if space is not None:
        assert np.isfinite(space.curve.decode(np.linspace(0, 1, 9))).all()
        assert np.isfinite(space.curve.encode(np.linspace(0, 1, 9))).all()


def test_the_srgb_matrix_is_the_projects() -> None:
    np.testing.assert_array_equal(SRGB.to_xyz, RGB_TO_XYZ)
    np.testing.assert_allclose(SRGB.from_xyz @ SRGB.to_xyz, np.eye(3), atol=1e-12)
