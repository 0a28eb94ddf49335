"""Number types of pixels: what counts as full scale, and conversion between 8 bits, 16 bits and float.

Must not import anything but numpy.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def full_scale(dtype: Any) -> float:
    """The number that stands for 1.0: 255 (uint8), 65535 (uint16), 1 (any float)."""
    dtype = np.dtype(dtype)
    return 1.0 if dtype.kind == "f" else float(np.iinfo(dtype).max)


def to_depth(array: np.ndarray, dtype: Any) -> np.ndarray:
    """Convert between uint8, uint16 and float32 (0..1), rounding to the nearest value; any shape."""
    if array.dtype == dtype:
        return array
    full, target = full_scale(array.dtype), full_scale(dtype)
    if np.dtype(dtype).kind == "f":
        return array.astype(np.float32) * np.float32(1 / full)
    result = array.astype(np.float32) * np.float32(target / full)
    return np.clip(np.rint(result, out=result), 0, target, out=result).astype(dtype)
