"""Smoothing of shares: what is flat comes together, what is parted by an edge does not."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from t2c_engine.networks.colorizer import ColorizerConfig, ColorizerNet, Condition
from t2c_engine.networks.edge_avoiding_filter import WEIGHT, WIDTH, Smoothing

SMALL = ColorizerConfig(widths=(8, 16, 24), decoder_widths=(8, 12, 16), token_width=16, detail=2, detail_width=6)


def wavering(height: int, width: int, seed: int = 0) -> Tensor:
    """Shares of two colours that no pixel is sure of: 1 x 2 x h x w."""
    first = torch.rand(1, 1, height, width, generator=torch.Generator().manual_seed(seed))
    return torch.cat((first, 1 - first), 1)


def test_one_round_is_the_weighted_mean_of_a_pixel_and_its_neighbours_along_columns_then_rows() -> None:
    shares, light = wavering(3, 4), torch.rand(1, 1, 3, 4, generator=torch.Generator().manual_seed(1)) * 10
    expected, level = shares[0].tolist(), light[0, 0].tolist()
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
    assert torch.allclose(Smoothing(1, 0)(shares, light, None)[0], torch.tensor(expected), atol=1e-6)


@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 5))
def test_shares_still_sum_to_one_at_any_size(height: int, width: int, rounds: int) -> None:
    light = torch.rand(1, 1, height, width, generator=torch.Generator().manual_seed(1)) * 100
    smooth = Smoothing(rounds, 0)(wavering(height, width), light, None)
    assert smooth.shape == (1, 2, height, width)
    assert torch.allclose(smooth.sum(1), torch.ones(1, height, width), atol=1e-5)
    assert (smooth >= 0).all()


def test_a_flat_area_agrees_and_an_edge_of_lightness_stays() -> None:
    shares = wavering(24, 24)
    shares[:, 0, :, :12] *= 0.5
    shares[:, 0, :, 12:] = shares[:, 0, :, 12:] * 0.5 + 0.5
    shares[:, 1] = 1 - shares[:, 0]
    light = torch.full((1, 1, 24, 24), 80.0)
    light[..., 12:] = 40
    first = Smoothing(4, 0)(shares, light, None)[0, 0]
    assert first[:, :12].std() < 0.4 * shares[0, 0, :, :12].std()
    assert first[:, 11].max() < 0.4 and first[:, 12].min() > 0.6


def test_the_network_can_learn_edges_that_lightness_does_not_show() -> None:
    smoothing = Smoothing(4, 3)
    assert smoothing.guide is not None
    shares = torch.zeros(1, 2, 16, 16)
    shares[:, 0, :, :8] = shares[:, 1, :, 8:] = 1
    texture = torch.zeros(1, 3, 16, 16)
    texture[:, 0, :, 8:] = 1
    flat = torch.full((1, 1, 16, 16), 50.0)
    with torch.no_grad():
        smoothing.guide.weight.zero_()
        assert smoothing(shares, flat, texture)[0, 0, 8, 7] < 0.9
        smoothing.guide.weight[0, 0] = 4
    assert smoothing(shares, flat, texture)[0, 0, 8, 7] > 0.99


@pytest.mark.parametrize("detail_width", [0, 6])
def test_a_network_that_smooths_colours_flat_areas_more_evenly(detail_width: int) -> None:
    torch.manual_seed(0)
    config = replace(SMALL, detail_width=detail_width)
    rough = ColorizerNet(config).eval()
    smooth = ColorizerNet(replace(config, smoothings=4)).eval()
    smooth.load_state_dict(smooth.state_dict() | rough.state_dict())
    light = 50 + torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    palette = Condition(torch.tensor([[[50.0, 40, 0], [50, -40, 0]]]), torch.ones(1, 2))
    with torch.no_grad():
        for network in (rough, smooth):
            torch.nn.init.normal_(network.assign_pixel.weight, generator=torch.Generator().manual_seed(2))
        spread = [network(light, palette).ab[0, 0].std() for network in (rough, smooth)]
    assert spread[1] < 0.7 * spread[0]
