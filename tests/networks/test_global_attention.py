"""Self-attention among places and colours: nothing at the start, no masked colour, any size."""

import pytest
import torch

from t2c_engine.networks.global_attention import PalettePlacement, PictureAttention, PlaceEmbedding, positions


@pytest.fixture
def placement() -> PalettePlacement:
    torch.manual_seed(0)
    return PalettePlacement(width=16, heads=2, layers=2, token_width=8, outputs=12, hints=3).eval()


def trained(module: torch.nn.Module) -> None:
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.3)


def test_an_untrained_picture_attention_is_the_identity() -> None:
    attention = PictureAttention(12, 16, 2, 1).eval()
    x = torch.rand(2, 12, 3, 5)
    assert torch.equal(attention(x), x)


def test_a_trained_picture_attention_carries_from_one_corner_to_the_other() -> None:
    attention = PictureAttention(12, 16, 2, 1).eval()
    trained(attention)
    x = torch.rand(1, 12, 4, 4)
    changed = x.clone()
    changed[:, :, 0, 0] += 1
    assert (attention(changed) - attention(x))[0, :, -1, -1].abs().max() > 1e-3


def test_an_untrained_placement_changes_nothing(placement: PalettePlacement) -> None:
    parts = placement(torch.rand(1, 16, 3, 4), None, torch.rand(1, 6, 8), torch.ones(1, 6, dtype=torch.bool))
    assert [tuple(part.shape) for part in parts] == [(1, 12, 3, 4), (1, 6, 8), (1, 6, 3, 4)]
    assert all(not part.any() for part in parts)


def test_a_placement_does_not_see_masked_colours(placement: PalettePlacement) -> None:
    trained(placement)
    places, tokens = torch.rand(1, 16, 3, 4), torch.rand(1, 6, 8)
    mask = torch.tensor([[True, True, False, True, True, True]])
    other = tokens.clone()
    other[:, 2] += 5
    one, two = (placement(places, None, colors, mask) for colors in (tokens, other))
    assert torch.allclose(one[0], two[0], atol=1e-5)
    kept = mask[0]
    assert torch.allclose(one[2][:, kept], two[2][:, kept], atol=1e-5)


def test_hints_at_one_place_reach_all(placement: PalettePlacement) -> None:
    trained(placement)
    places, tokens, mask = torch.rand(1, 16, 3, 4), torch.rand(1, 6, 8), torch.ones(1, 6, dtype=torch.bool)
    hints = torch.zeros(1, 3, 12, 16)
    hints[:, :, :4, :4] = 1
    apart = placement(places, hints, tokens, mask)[0] - placement(places, None, tokens, mask)[0]
    assert apart.abs().amax(1).min() > 1e-4


def test_places_see_features_bins_and_tones() -> None:
    torch.manual_seed(0)
    embedding = PlaceEmbedding(12, 7, 16)
    features, logits, scaled = torch.rand(1, 12, 2, 3), torch.rand(1, 7, 4, 6), torch.rand(1, 1, 32, 48)
    plain = embedding(features, logits, scaled)
    assert plain.shape == (1, 16, 2, 3)
    for changed in ((features + 1, logits, scaled), (features, 5 * logits, scaled), (features, logits, scaled - 1)):
        assert not torch.allclose(embedding(*changed), plain)


@pytest.mark.parametrize("size", [(1, 1), (2, 7), (20, 31)])
def test_positions_tell_all_places_apart(size: tuple[int, int]) -> None:
    where = positions(torch.zeros(1, 1, *size))[0].flatten(1).T
    apart = torch.cdist(where, where) + 10 * torch.eye(len(where))
    assert len(where) == 1 or apart.min() > 0.01
