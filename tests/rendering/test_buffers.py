"""Memory of results that is used again."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import numpy as np
from t2c_engine.rendering.buffers import keep_buffers, new_pixels

first = new_pixels((4, 5, 3), np.uint8)
address = first.ctypes.data
del first
other = new_pixels((4, 5, 3), np.uint8)
keep_buffers()
one = new_pixels((40, 50, 3), np.uint16)
assert one.shape == (40, 50, 3) and one.dtype == np.uint16 and one.flags.c_contiguous
row = one[3]  # a view keeps the whole
place = one.ctypes.data
one[...] = 7
del one
two = new_pixels((40, 50, 3), np.uint16)
two[...] = 9
assert two.ctypes.data != place and (row == 7).all()
place = two.ctypes.data
del two, row
three = new_pixels((10, 10, 3), np.uint8)
assert three.ctypes.data == place
"""


def test_memory_is_used_again_when_nothing_shows_it_any_more() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
