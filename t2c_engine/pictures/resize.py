"""The one resize of the project, for training, evaluation and use alike.

Numpy in and out. Reduction is exact area averaging (antialiased, no ringing), enlargement is bilinear; each axis is
treated by itself, so that one may shrink while the other grows. Must import numpy alone.
"""

from __future__ import annotations

import numpy as np

from t2c_engine.pictures.threads import spread

_LARGE = 4_000_000  # numbers from which a second thread pays


def resize(array: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize the first two axes.

    Args:
        array: H x W or H x W x C, any real type; both sides at least 1.
        size: (h, w), both at least 1.

    Returns:
        h x w (x C), float32, in the units of `array`; the values stay within those of `array`.

    Raises:
        ValueError: a side of `array` or of `size` is below 1.
    """
    if min(*array.shape[:2], *size) < 1:
        raise ValueError(f"Cannot resize {array.shape[:2]} to {size}: every side must be at least 1.")
    # shrink first, and the contiguous rows before the columns: most of the data is gone after one cheap pass
    for axis in (0, 1):
        if size[axis] < array.shape[axis]:
            array = _shrink(array, size[axis], axis)
    for axis in (1, 0):
        if size[axis] > array.shape[axis]:
            array = _enlarge(array, size[axis], axis)
    return np.ascontiguousarray(array, np.float32)


def _shrink(array: np.ndarray, size: int, axis: int) -> np.ndarray:
    """Mean over `size` equal intervals of one axis; a pixel that a border cuts counts for its part in both."""
    length = array.shape[axis]
    borders = np.arange(size + 1) * (length / size)
    whole = np.minimum(np.floor(borders + 1e-9).astype(np.intp), length)
    part = np.maximum(borders - whole, 0).astype(np.float32)
    # bytes add up fastest in 16 bits, which hold 257 of them; long sums need more than float32
    longest = np.diff(whole).max()
    kind = np.uint16 if array.dtype == np.uint8 and longest < 257 else np.float32 if longest < 4096 else np.float64
    sums = np.empty([size if index == axis else side for index, side in enumerate(array.shape)], np.float32)

    def add(first: int, last: int) -> None:
        for index in range(first, last):
            interval = _slice(array, axis, slice(whole[index], whole[index + 1]))
            _slice(sums, axis, index)[...] = np.add.reduce(interval, axis, dtype=kind)

    if array.size < _LARGE:
        add(0, size)
    else:
        spread(lambda half: add(*half), ((0, size // 2), (size // 2, size)))
    if part.any():
        cut = np.take(array, np.minimum(whole, length - 1), axis).astype(np.float32)
        cut *= _along(part, axis, array.ndim)
        sums -= _slice(cut, axis, slice(None, -1))
        sums += _slice(cut, axis, slice(1, None))
    sums *= np.float32(size / length)
    return sums


def _enlarge(array: np.ndarray, size: int, axis: int) -> np.ndarray:
    """Bilinear interpolation between pixel centres along one axis; beyond the outer centres the edge pixel holds."""
    low, high, weight = linear_taps(array.shape[axis], size)
    array = array.astype(np.float32, copy=False)
    result = np.take(array, high, axis)
    base = np.take(array, low, axis)
    result -= base
    result *= _along(weight, axis, array.ndim)
    result += base
    return result


def linear_taps(length: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where each of `size` samples lies among `length` pixels that cover the same extent.

    Returns:
        low, high (size, intp: the neighbouring pixels, in range) and the weight of `high` (size, float32, 0..1).
    """
    centres = np.clip((np.arange(size) + 0.5) * (length / size) - 0.5, 0, length - 1)
    low = np.minimum(centres.astype(np.intp), max(length - 2, 0))
    return low, np.minimum(low + 1, length - 1), (centres - low).astype(np.float32)


def _along(vector: np.ndarray, axis: int, ndim: int) -> np.ndarray:
    return vector.reshape([-1 if index == axis else 1 for index in range(ndim)])


def _slice(array: np.ndarray, axis: int, part: slice | int) -> np.ndarray:
    return array[(slice(None),) * axis + (part,)]
