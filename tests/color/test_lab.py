"""The colour space against scikit-image, the gamut and the 313 bins."""

import time

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2c_engine.color import lab as color

# lowest and highest b for each a of the 313 bins that Zhang et al. (2016) publish; none is missing in between
GOLDEN_BINS = {
    -90: (50, 90), -80: (20, 90), -70: (0, 90), -60: (-20, 90), -50: (-30, 100), -40: (-40, 100), -30: (-50, 100),
    -20: (-50, 100), -10: (-60, 100), 0: (-70, 100), 10: (-80, 90), 20: (-80, 90), 30: (-90, 90), 40: (-100, 90),
    50: (-100, 80), 60: (-110, 80), 70: (-110, 80), 80: (-110, 70), 90: (-110, 70), 100: (-90, 0),
}  # fmt: skip

lab_colors = hnp.arrays(np.float64, (4, 3), elements=st.floats(-130, 130)).map(lambda x: x * [0.5, 1, 1] + [50, 0, 0])


@pytest.fixture(scope="module")
def rgb() -> np.ndarray:
    """A lattice of sRGB colours (4913 x 3), black, white and the primaries included."""
    steps = np.linspace(0, 1, 17)
    return np.stack(np.meshgrid(steps, steps, steps), -1).reshape(-1, 3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_agrees_with_skimage_up_to_its_tinted_white(rgb: np.ndarray, dtype: type) -> None:
    from skimage.color import rgb2lab

    assert np.abs(color.srgb_to_lab(rgb.astype(dtype)) - rgb2lab(rgb)).max() < 6e-3


def test_agrees_with_skimage_under_one_white(rgb: np.ndarray) -> None:
    from skimage.color import rgb2xyz, xyz2lab

    tabulated = np.array([0.95047, 1.0, 1.08883])  # skimage's D65
    xyz = rgb2xyz(rgb) / rgb2xyz(np.ones((1, 3))) * tabulated
    assert np.abs(color.srgb_to_lab(rgb.astype(np.float32)) - xyz2lab(xyz)).max() < 1e-3


def test_published_values() -> None:
    """Red, green and blue of sRGB in Lab under D65 (Lindbloom's calculator, two decimals)."""
    expected = [[53.24, 80.09, 67.20], [87.73, -86.18, 83.18], [32.30, 79.19, -107.86]]
    np.testing.assert_allclose(color.srgb_to_lab(np.eye(3)), expected, atol=0.02)


def test_neutral_has_no_color() -> None:
    grey = np.repeat(np.linspace(0, 1, 256)[:, None], 3, 1)
    lab = color.srgb_to_lab(grey)
    assert np.abs(lab[:, 1:]).max() < 1e-9
    np.testing.assert_allclose(lab[[0, -1], 0], [0, 100], atol=1e-9)
    np.testing.assert_allclose(color.lab_to_srgb(lab), grey, atol=1e-9)


def test_round_trip(rgb: np.ndarray) -> None:
    lab = color.srgb_to_lab(rgb.astype(np.float32))
    np.testing.assert_allclose(color.lab_to_srgb(lab), rgb, atol=2e-5)
    assert color.in_gamut(lab).all()
    np.testing.assert_allclose(color.fit_gamut(lab), lab)


def test_torch_gives_the_same(rgb: np.ndarray) -> None:
    torch = pytest.importorskip("torch")
    lab = color.srgb_to_lab(rgb) * [1, 1.3, 1.3]
    tensor = torch.from_numpy(lab)
    for function in (color.fit_gamut, color.lab_to_srgb, color.in_gamut):
        result = function(tensor)
        assert isinstance(result, torch.Tensor)
        np.testing.assert_allclose(result.numpy(), function(lab), atol=1e-9)
    np.testing.assert_allclose(color.srgb_to_lab(torch.from_numpy(rgb)).numpy(), color.srgb_to_lab(rgb), atol=1e-9)
    assert torch.equal(color.nearest_bin(tensor[:, 1:]), torch.from_numpy(color.nearest_bin(lab[:, 1:])))


@given(lab_colors)
@settings(max_examples=200, deadline=None)
def test_fit_gamut_lowers_chroma_alone(lab: np.ndarray) -> None:
    before = lab.copy()
    fitted = color.fit_gamut(lab)
    np.testing.assert_array_equal(lab, before)  # the argument is not touched
    assert color.in_gamut(fitted).all()
    np.testing.assert_array_equal(fitted[:, 0], np.clip(lab[:, 0], 0, 100))
    chroma, was = np.linalg.norm(fitted[:, 1:], axis=1), np.linalg.norm(lab[:, 1:], axis=1)
    assert (chroma <= was + 1e-9).all()
    cross = fitted[:, 1] * lab[:, 2] - fitted[:, 2] * lab[:, 1]
    assert np.abs(cross).max() <= 1e-6 * max(was.max(), 1) ** 2  # same direction in the ab plane
    inside = color.in_gamut(np.concatenate((fitted[:, :1], lab[:, 1:]), 1))
    np.testing.assert_array_equal(fitted[inside, 1:], lab[inside, 1:])


def test_fit_gamut_reaches_the_edge() -> None:
    lab = np.array([[50.0, 150.0, 40.0]])
    fitted = color.fit_gamut(lab, steps=16)
    assert not color.in_gamut(fitted + (lab - fitted) * 0.001).any()


def test_the_bins() -> None:
    golden = [(a, b) for a, (low, high) in GOLDEN_BINS.items() for b in range(low, high + 10, 10)]
    assert len(golden) == 313
    np.testing.assert_array_equal(color.ab_bins(), np.array(golden, np.float32))
    assert color.ab_bins().dtype == np.float32


def test_the_bins_are_quick() -> None:
    color.ab_bins.cache_clear()
    start = time.perf_counter()
    color.ab_bins()
    assert time.perf_counter() - start < 0.2  # 5 ms alone; the margin is for busy machines


@given(hnp.arrays(np.float32, (3, 5, 2), elements=st.floats(-200, 200, width=32)))
@settings(max_examples=100, deadline=None)
def test_nearest_bin_is_nearest(ab: np.ndarray) -> None:
    index = color.nearest_bin(ab)
    assert index.shape == (3, 5)
    distances = np.linalg.norm(ab[..., None, :] - color.ab_bins(), axis=-1)
    chosen = np.take_along_axis(distances, index[..., None], -1)[..., 0]
    np.testing.assert_allclose(chosen, distances.min(-1), atol=1e-3)
