"""The one resize: exact area means, bilinear enlargement, bounds."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2c_engine.pictures.resize import linear_taps, resize

sides = st.integers(1, 40)


def area_matrix(length: int, size: int) -> np.ndarray:
    """Share of each input pixel in each output pixel (size x length), from the overlap of intervals."""
    low, high = np.arange(size) * length / size, (np.arange(size) + 1) * length / size
    pixels = np.arange(length)
    overlap = np.minimum(high[:, None], pixels + 1) - np.maximum(low[:, None], pixels)
    return np.maximum(overlap, 0) * size / length


@given(hnp.arrays(np.uint8, st.tuples(sides, sides, st.just(3))), sides, sides)
@settings(max_examples=150, deadline=None)
def test_reduction_is_the_area_mean(array: np.ndarray, h: int, w: int) -> None:
    h, w = min(h, array.shape[0]), min(w, array.shape[1])
    rows, columns = area_matrix(array.shape[0], h), area_matrix(array.shape[1], w)
    expected = np.einsum("hy,yxc,wx->hwc", rows, array.astype(np.float64), columns)
    result = resize(array, (h, w))
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, atol=1e-3)


@given(hnp.arrays(np.float32, st.tuples(sides, sides), elements=st.floats(-100, 100, width=32)), sides, sides)
@settings(max_examples=150, deadline=None)
def test_values_stay_within_bounds(array: np.ndarray, h: int, w: int) -> None:
    result = resize(array, (h, w))
    assert result.shape == (h, w)
    assert result.min() >= array.min() - 1e-3 and result.max() <= array.max() + 1e-3


def test_enlargement_is_bilinear_between_centres() -> None:
    ramp = np.array([[0.0, 4.0]], np.float32)
    np.testing.assert_allclose(resize(ramp, (1, 4)), [[0, 1, 3, 4]])
    np.testing.assert_allclose(resize(ramp, (3, 4)), [[0, 1, 3, 4]] * 3)


def test_the_same_size_changes_nothing_and_copies() -> None:
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    result = resize(array, (3, 4))
    np.testing.assert_array_equal(result, array)


def test_large_eight_bit_sums_do_not_overflow() -> None:
    np.testing.assert_array_equal(resize(np.full((70_000, 2), 255, np.uint8), (1, 1)), [[255]])
    np.testing.assert_array_equal(resize(np.full((300, 301), 255, np.uint8), (2, 3)), np.full((2, 3), 255))


def test_taps_cover_every_pixel() -> None:
    low, high, weight = linear_taps(5, 5)
    np.testing.assert_allclose(low + weight, np.arange(5))
    assert high.max() == 4
    assert [part.tolist() for part in linear_taps(1, 2)] == [[0, 0], [0, 0], [0, 0]]


@pytest.mark.parametrize("size", [(0, 1), (1, 0)])
def test_no_empty_pictures(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        resize(np.zeros((2, 2)), size)
