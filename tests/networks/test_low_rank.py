"""Low-rank changes of weights: what is added, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2c_engine.networks.low_rank import changed

WEIGHTS = {"conv.weight": np.arange(24, dtype=np.float16).reshape(2, 3, 2, 2), "norm": np.ones(3, np.float16)}
UP, DOWN = np.array([[1.0], [2.0]], np.float16), np.linspace(-1, 1, 12, dtype=np.float16)[None]
DELTA = {"conv.weight.up": UP, "conv.weight.down": DOWN, "norm.change": np.array([0, 1, 2], np.float16)}


@given(st.floats(0, 2), st.floats(0, 2))
def test_amounts_add_up(one: float, other: float) -> None:
    both = changed(WEIGHTS, [(DELTA, one), (DELTA, other)])
    once = changed(WEIGHTS, [(DELTA, one + other)])
    for name, weight in WEIGHTS.items():
        np.testing.assert_allclose(both[name], once[name], atol=1e-4)
        assert both[name].shape == weight.shape
    np.testing.assert_allclose(once["norm"], 1 + (one + other) * np.arange(3), atol=1e-4)
    expected = WEIGHTS["conv.weight"] + (one + other) * (UP @ DOWN).reshape(2, 3, 2, 2)
    np.testing.assert_allclose(once["conv.weight"], expected.astype(np.float32), atol=0.02)


def test_a_number_may_be_stored_as_a_vector() -> None:
    bias = np.array(-2, np.float32)
    assert changed({"bias": bias}, [({"bias.change": np.ones(1)}, 0.5)])["bias"] == np.float32(-1.5)
    assert changed({"bias": bias}, [({"bias.change": np.ones(1)}, 0.5)])["bias"].shape == ()


def test_without_changes_the_weights_are_the_same_objects() -> None:
    assert all(changed(WEIGHTS, [])[name] is weight for name, weight in WEIGHTS.items())


@pytest.mark.parametrize(
    ("delta", "words"),
    [
        ({"other.change": np.zeros(3)}, "there is no weight 'other'"),
        ({"norm.change": np.zeros(4)}, "is \\(4,\\), not \\(3,\\)"),
        ({"norm.sideways": np.zeros(3)}, "no change of a weight"),
        ({"conv.weight.up": UP}, "incomplete"),
        ({"conv.weight.up": UP, "conv.weight.down": np.zeros((2, 12))}, "incomplete"),
        ({"conv.weight.up": UP, "conv.weight.down": np.zeros((1, 13))}, "does not fit"),
        ({"conv.weight.up": np.zeros((10**7, 1)), "conv.weight.down": DOWN}, "does not fit"),
    ],
)
def test_what_does_not_fit_is_refused(delta: dict[str, np.ndarray], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        changed(WEIGHTS, [(delta, 1.0)])
