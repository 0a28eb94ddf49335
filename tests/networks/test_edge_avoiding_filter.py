"""The edge-avoiding filter on assignment weights: flat areas agree, areas parted by an edge do not."""

import math

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from t2c_engine.networks.edge_avoiding_filter import WEIGHT, WIDTH, EdgeAvoidingFilter


def plain(rounds: int) -> EdgeAvoidingFilter:
    """A filter that has learned no edges beside lightness."""
    made = EdgeAvoidingFilter(rounds, 1)
    torch.nn.init.zeros_(made.guide.weight)
    return made


def plain_features(light: Tensor) -> Tensor:
    return torch.zeros_like(light)


def uncertain(height: int, width: int, seed: int = 0) -> Tensor:
    """Weights of two colours that are certain nowhere: 1 x 2 x h x w."""
    first = torch.rand(1, 1, height, width, generator=torch.Generator().manual_seed(seed))
    return torch.cat((first, 1 - first), 1)


def test_one_round_is_the_weighted_mean_of_a_pixel_and_its_neighbours_along_columns_then_rows() -> None:
    assigned, light = uncertain(3, 4), torch.rand(1, 1, 3, 4, generator=torch.Generator().manual_seed(1)) * 10
    expected, level = assigned[0].tolist(), light[0, 0].tolist()
    for down, across in ((1, 0), (0, 1)):
        before = [[list(row) for row in channel] for channel in expected]
        for y in range(3):
            for x in range(4):
                places = [(y + s * down, x + s * across) for s in (-1, 0, 1)]
                places = [(i, j) for i, j in places if 0 <= i < 3 and 0 <= j < 4]
                weights = [
                    1.0 if (i, j) == (y, x) else WEIGHT * math.exp(-(((level[i][j] - level[y][x]) / WIDTH) ** 2))
                    for i, j in places
                ]
                for channel in range(2):
                    total = sum(w * before[channel][i][j] for w, (i, j) in zip(weights, places, strict=True))
                    expected[channel][y][x] = total / sum(weights)
    assert torch.allclose(plain(1)(assigned, light, plain_features(light))[0], torch.tensor(expected), atol=1e-6)


@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 5))
def test_weights_still_sum_to_one_at_any_size(height: int, width: int, rounds: int) -> None:
    light = torch.rand(1, 1, height, width, generator=torch.Generator().manual_seed(1)) * 100
    smooth = plain(rounds)(uncertain(height, width), light, plain_features(light))
    assert smooth.shape == (1, 2, height, width)
    assert torch.allclose(smooth.sum(1), torch.ones(1, height, width), atol=1e-5)
    assert (smooth >= 0).all()


def test_a_flat_area_agrees_and_an_edge_of_lightness_stays() -> None:
    assigned = uncertain(24, 24)
    assigned[:, 0, :, :12] *= 0.5
    assigned[:, 0, :, 12:] = assigned[:, 0, :, 12:] * 0.5 + 0.5
    assigned[:, 1] = 1 - assigned[:, 0]
    light = torch.full((1, 1, 24, 24), 80.0)
    light[..., 12:] = 40
    first = plain(4)(assigned, light, plain_features(light))[0, 0]
    assert first[:, :12].std() < 0.4 * assigned[0, 0, :, :12].std()
    assert first[:, 11].max() < 0.4 and first[:, 12].min() > 0.6


def test_the_network_can_learn_edges_that_lightness_does_not_show() -> None:
    learned = EdgeAvoidingFilter(4, 3)
    assigned = torch.zeros(1, 2, 16, 16)
    assigned[:, 0, :, :8] = assigned[:, 1, :, 8:] = 1
    texture = torch.zeros(1, 3, 16, 16)
    texture[:, 0, :, 8:] = 1
    flat = torch.full((1, 1, 16, 16), 50.0)
    with torch.no_grad():
        learned.guide.weight.zero_()
        assert learned(assigned, flat, texture)[0, 0, 8, 7] < 0.9
        learned.guide.weight[0, 0] = 4
    assert learned(assigned, flat, texture)[0, 0, 8, 7] > 0.99
