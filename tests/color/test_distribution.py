"""Colors moved to another distribution."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2c_engine.color.distribution import shift_to, transport


@settings(max_examples=25, deadline=None)
@given(
    count=st.integers(1, 60),
    others=st.integers(1, 60),
    dimensions=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_points_stay_within_those_wanted_and_come_to_their_mean(
    count: int, others: int, dimensions: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    points, wanted = rng.normal(0, 5, (count, dimensions)), rng.normal(30, 9, (others, dimensions))
    moved = transport(points, wanted)
    assert moved.shape == points.shape and np.isfinite(moved).all()
    np.testing.assert_array_equal(moved, transport(points, wanted))
    centre = wanted.mean(0)
    assert np.linalg.norm(moved - centre, axis=1).max() <= np.linalg.norm(wanted - centre, axis=1).max() * 2 + 1e-6
    if min(count, others) >= 30:
        assert np.linalg.norm(moved.mean(0) - centre) < 3
        assert np.allclose(moved.std(0), wanted.std(0), rtol=0.35)


def test_a_distribution_is_its_own() -> None:
    points = np.random.default_rng(1).normal(0, 10, (200, 2))
    np.testing.assert_allclose(transport(points, points[::-1]), points, atol=1e-6)


def test_dark_places_take_the_colors_of_dark_ones() -> None:
    """Two greys of like ab: what is darker in the reference is red, what is lighter blue."""
    lightness = np.tile(np.linspace(10, 90, 40), (20, 1))
    other_ab = np.where(lightness[..., None] < 50, (40.0, 10.0), (0.0, -40.0))
    moved = shift_to(lightness, np.zeros((20, 40, 2)), lightness, other_ab)
    np.testing.assert_allclose(moved[:, :15].mean((0, 1)), (40, 10), atol=3)
    np.testing.assert_allclose(moved[:, -15:].mean((0, 1)), (0, -40), atol=3)


def test_flat_areas_stay_flat_where_the_other_picture_has_two_colors() -> None:
    rng = np.random.default_rng(2)
    lightness = 60 + rng.normal(0, 1, (24, 36))
    other_ab = np.where(rng.random((24, 36, 1)) < 0.5, (30.0, 30.0), (0.0, -30.0))
    shift = shift_to(lightness, rng.normal(0, 1, (24, 36, 2)), 60 + rng.normal(0, 1, (24, 36)), other_ab)
    assert np.abs(np.diff(shift, axis=0)).mean() < 2 and np.abs(np.diff(shift, axis=1)).mean() < 2
    np.testing.assert_allclose(shift.mean((0, 1)), (15, 0), atol=3)


def test_nothing_has_no_distribution() -> None:
    with pytest.raises(ValueError, match="at least one"):
        transport(np.zeros((0, 2)), np.zeros((3, 2)))
    with pytest.raises(ValueError, match="at least one"):
        transport(np.zeros((3, 2)), np.zeros((0, 2)))
