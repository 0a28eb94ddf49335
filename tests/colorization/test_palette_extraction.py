"""The one palette extraction: right on pictures whose palette is known, deterministic, independent of its batch."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from t2c_engine.colorization.palette_extraction import extract_palettes, palette_of_points

COLORS = np.array([[20, 10, -40], [40, 50, 30], [55, -45, 40], [75, 5, 70], [92, 0, 0]], dtype=np.float32)


def blocks(shares: list[int], noise: float = 0.0) -> torch.Tensor:
    """A 48 x 48 picture of horizontal bands, `shares` rows of each colour (1 x 3 x 48 x 48)."""
    rows = np.repeat(COLORS, shares, axis=0)
    picture = np.repeat(rows[:, None], 48, axis=1)
    picture = picture + np.random.default_rng(0).normal(0, noise, picture.shape) if noise else picture
    return torch.tensor(picture, dtype=torch.float32).permute(2, 0, 1)[None]


@pytest.mark.parametrize("shares", [[10, 10, 10, 10, 8], [2, 30, 4, 4, 8], [40, 2, 2, 2, 2]])
def test_bands_give_their_own_colors_darkest_first(shares: list[int]) -> None:
    palette = extract_palettes(blocks(shares))[0].numpy()
    assert np.abs(palette - COLORS).max() < 0.5


def test_noise_moves_the_colors_little() -> None:
    palette = extract_palettes(blocks([10, 10, 10, 10, 8], noise=4.0))[0].numpy()
    assert np.abs(palette - COLORS).max() < 2.5


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.integers(2, 4), st.integers(1, 70), st.integers(1, 70))
def test_same_result_alone_and_in_a_batch_twice(seed: int, batch: int, height: int, width: int) -> None:
    pictures = torch.randn(batch, 3, height, width, generator=torch.Generator().manual_seed(seed)) * 30
    together = extract_palettes(pictures)
    assert torch.equal(together, extract_palettes(pictures))
    assert torch.allclose(together[:1], extract_palettes(pictures[:1]), atol=1e-3)
    assert torch.isfinite(together).all()
    assert (together[:, 1:, 0] >= together[:, :-1, 0]).all(), "darkest first"


def test_a_flat_picture_repeats_its_color() -> None:
    flat = torch.tensor([50.0, 20.0, -30.0]).view(1, 3, 1, 1).expand(1, 3, 30, 40)
    assert torch.allclose(extract_palettes(flat)[0], torch.tensor([50.0, 20.0, -30.0]).expand(5, 3), atol=1e-3)


def test_the_colors_of_points_are_found_once_each_darkest_first() -> None:
    colors = torch.tensor([[80.0, 10, 60], [20.0, 40, 0], [50.0, -40, 0]])
    points = colors.repeat_interleave(4, 0) + torch.linspace(-0.5, 0.5, 12)[:, None]
    found = palette_of_points(points)
    assert found.shape == (3, 3)
    assert torch.allclose(found, colors[[1, 2, 0]], atol=1.0)
    assert palette_of_points(points[:1]).shape == (1, 3)
