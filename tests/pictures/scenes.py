"""The picture that the tests of picture files use."""

import numpy as np


def scene(height: int = 48, width: int = 64, dtype: type = np.uint8, channels: int = 3) -> np.ndarray:
    """A smooth picture without symmetry: H x W (x C)."""
    y, x = np.mgrid[:height, :width] / max(height, width)
    planes = np.stack((0.2 + 0.6 * x, 0.8 - 0.5 * y, 0.3 + 0.3 * x * y, 0.5 + 0.4 * x), -1)[..., :channels]
    planes = planes[..., 0] if channels == 1 else planes
    return planes.astype(dtype) if dtype == np.float32 else (planes * np.iinfo(dtype).max).astype(dtype)
