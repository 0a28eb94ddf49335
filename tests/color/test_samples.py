"""What the numbers of sample types span."""

import numpy as np
import pytest

from t2c_engine.color.samples import full_scale, to_depth, to_unit


@pytest.mark.parametrize(
    ("dtype", "full"), [("uint8", 255), (np.uint16, 65535), (np.dtype(">u2"), 65535), ("float32", 1), (np.float64, 1)]
)
def test_the_largest_number_means_one(dtype, full) -> None:
    assert full_scale(dtype) == full
    samples = to_unit(np.array([[0, full]], dtype))
    assert samples.dtype == np.float32 and samples.tolist() == [[0, 1]]


@pytest.mark.parametrize("target", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("source", [np.uint8, np.uint16, np.float32])
def test_depths_there_and_back(source: type, target: type) -> None:
    values = to_depth(np.linspace(0, 1, 256).astype(np.float32), source)
    converted = to_depth(values, target)
    assert converted.dtype == target and converted.min() == 0 and converted.max() == full_scale(target)
    step = 0.51 / min(full_scale(source), full_scale(target)) if target is np.uint8 else 1e-4
    np.testing.assert_allclose(converted / full_scale(target), values / full_scale(source), atol=step)
