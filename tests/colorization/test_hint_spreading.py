"""Hints spread over what looks alike and stop at its edge."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from t2c_engine.colorization.hints import Hints, spread

RED, BLUE = (50.0, 40.0), (0.0, -50.0)


def hints_at(size: tuple[int, int], reach: float, **places: tuple[int, int]) -> Hints:
    ab, mask = np.zeros((*size, 2), np.float32), np.zeros(size, np.float32)
    for color, place in places.items():
        ab[place], mask[place] = {"red": RED, "blue": BLUE}[color], 1
    return Hints(ab, mask, reach)


def halves(size: tuple[int, int]) -> np.ndarray:
    """Dark on the left, light on the right."""
    lightness = np.full(size, 20, np.float32)
    lightness[:, size[1] // 2 :] = 80
    return lightness


def test_a_hint_fills_what_is_even_and_stops_at_its_edge() -> None:
    size = (20, 30)
    found = spread(hints_at(size, 0.4, red=(10, 7)), halves(size), np.zeros((*size, 2), np.float32))
    assert (found.mask[5:15, 2:14] > 0.3).all()
    assert not found.mask[:, 15:].any()
    assert np.allclose(found.ab[found.mask > 0], RED)


def test_an_edge_of_automatic_color_stops_a_hint_too() -> None:
    size = (20, 30)
    automatic = np.zeros((*size, 2), np.float32)
    automatic[:, 15:] = 60
    found = spread(hints_at(size, 0.4, red=(10, 7)), np.full(size, 50, np.float32), automatic)
    assert found.mask[10, 13] > 0.3 and not found.mask[:, 15:].any()


def test_each_place_takes_the_nearest_hint() -> None:
    size = (10, 40)
    flat = np.full(size, 50, np.float32)
    found = spread(hints_at(size, 0.5, red=(5, 5), blue=(5, 34)), flat, np.zeros((*size, 2), np.float32))
    assert np.allclose(found.ab[:, :15], RED) and np.allclose(found.ab[:, 25:], BLUE)


def test_without_reach_or_hints_nothing_changes() -> None:
    size = (6, 8)
    flat, automatic = np.full(size, 50, np.float32), np.zeros((*size, 2), np.float32)
    for hints in (hints_at(size, 0.0, red=(2, 2)), hints_at(size, 0.5)):
        assert spread(hints, flat, automatic) is hints


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 1))
def test_what_the_user_painted_stays_and_more_reach_covers_no_less(seed: int, reach: float) -> None:
    rng = np.random.default_rng(seed)
    size = (int(rng.integers(1, 12)), int(rng.integers(1, 12)))
    mask = (rng.random(size) < 0.2).astype(np.float32)
    hints = Hints(rng.uniform(-80, 80, (*size, 2)).astype(np.float32) * mask[..., None], mask, reach)
    lightness, automatic = rng.uniform(0, 100, size), rng.uniform(-50, 50, (*size, 2))
    near = spread(hints, lightness, automatic)
    far = spread(Hints(hints.ab, hints.mask, min(1, 2 * reach)), lightness, automatic)
    assert np.array_equal(near.ab[mask > 0], hints.ab[mask > 0]) and (near.mask >= mask).all()
    assert (far.mask >= near.mask - 1e-6).all()


@pytest.mark.parametrize("reach", [-0.1, 1.5, float("nan")])
def test_a_reach_out_of_range_is_refused(reach: float) -> None:
    with pytest.raises(ValueError, match="reach"):
        Hints(np.zeros((2, 2, 2), np.float32), np.zeros((2, 2), np.float32), reach)
