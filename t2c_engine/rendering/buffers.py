"""Memory for the pixels of results, used again for the next picture of a worker process.

A new array of 72 MB costs the system up to 0.1 s: pages are found, zeroed and given back for every picture. Must import
numpy alone.
"""

from __future__ import annotations

import math
import sys
import threading

import numpy as np
from numpy.typing import DTypeLike

_OURS = 2  # references to a buffer that nobody uses: `_Kept.buffer`, and the argument of getrefcount


class _Kept(threading.local):
    """Each thread's buffer; None until `keep_buffers` is called, for memory is kept from others by it."""

    buffer: np.ndarray | None = None


_kept = _Kept()
_keeps = False


def keep_buffers() -> None:
    """From now on, this process keeps the memory of the last result for the next one."""
    global _keeps
    _keeps = True


def new_pixels(shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
    """An array of any content, contiguous. One that is kept is used again only when no view of it is left."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if not _keeps:
        return np.empty(shape, dtype)
    if _kept.buffer is None or _kept.buffer.size < size or sys.getrefcount(_kept.buffer) > _OURS:
        _kept.buffer = np.empty(size, np.uint8)
    return _kept.buffer[:size].view(dtype).reshape(shape)
