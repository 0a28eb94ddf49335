"""What the numbers of a picture's sample types span. Must not import anything but numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike


def full_scale(dtype: DTypeLike) -> float:
    """The number that means 1: 1.0 for floats, the largest value of an unsigned integer type (255, 65535)."""
    kind = np.dtype(dtype)
    return 1.0 if kind.kind == "f" else float(np.iinfo(kind.name).max)


def to_unit(samples: np.ndarray) -> np.ndarray:
    """Samples of any shape and type as float32, 0..1."""
    return samples.astype(np.float32) / np.float32(full_scale(samples.dtype))


def to_depth(samples: np.ndarray, dtype: DTypeLike) -> np.ndarray:
    """Convert between uint8, uint16 and float32 (0..1), rounding to the nearest value; any shape."""
    if samples.dtype == dtype:
        return samples
    full, target = full_scale(samples.dtype), full_scale(dtype)
    if np.dtype(dtype).kind == "f":
        return samples.astype(np.float32) * np.float32(1 / full)
    result = samples.astype(np.float32) * np.float32(target / full)
    return np.clip(np.rint(result, out=result), 0, target, out=result).astype(dtype)
