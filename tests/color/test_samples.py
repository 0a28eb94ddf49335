"""What the numbers of sample types span."""

import numpy as np
import pytest

from t2c_engine.color.samples import full_scale, to_unit


@pytest.mark.parametrize(
    ("dtype", "full"), [("uint8", 255), (np.uint16, 65535), (np.dtype(">u2"), 65535), ("float32", 1), (np.float64, 1)]
)
def test_the_largest_number_means_one(dtype, full) -> None:
    assert full_scale(dtype) == full
    samples = to_unit(np.array([[0, full]], dtype))
    assert samples.dtype == np.float32 and samples.tolist() == [[0, 1]]
