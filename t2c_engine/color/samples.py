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
