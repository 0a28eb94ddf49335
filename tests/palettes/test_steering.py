"""Steering: how wishes are written, and palettes that meet them, with a network of random weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from t2c_engine.errors import ModelError, PaletteError, T2CError, UsageError
from t2c_engine.networks.palettes.draw import PaletteDraw
from t2c_engine.networks.palettes.palette_set import PaletteSetConfig, PaletteSetNet
from t2c_engine.networks.palettes.tpn import PaperSampler, TpnGenerator, TpnPaperConfig
from t2c_engine.palettes.negation import COLOR_WORDS, split_negations
from t2c_engine.palettes.palette import Color, Palette, delta_e_2000, palette_distance
from t2c_engine.palettes.sampler import PaletteRequest, PaletteSampler
from t2c_engine.palettes.selection import choose
from t2c_engine.palettes.steering import Steering, colors_lab, escape, parse_locked, refusal
from tests.palette_data import make_data
from trainer.palettes.build_lexicon import build_lexicon

COLORS = st.tuples(*[st.integers(0, 255)] * 3)
NETWORK = {
    "word_dimensions": 16, "width": 16, "heads": 2, "encoder_blocks": 0, "decoder_blocks": 1, "mixtures": 4,
    "positions": 16, "colors": 5, "sources": 6, "dropout": 0.0,
}  # fmt: skip
SAMPLING = {"candidates": 24, "temperature": [0.2, 0.8, 1.2], "typicality": 0.4, "chroma": 0.0}
CARD = {"network": NETWORK, "sampling": SAMPLING}


@pytest.fixture(scope="module")
def sampler(tmp_path_factory: pytest.TempPathFactory) -> PaletteSampler:
    data: Path = make_data(tmp_path_factory.mktemp("data") / "d")
    torch.manual_seed(0)
    weights = {key: value.numpy() for key, value in PaletteSetNet(PaletteSetConfig(**NETWORK)).state_dict().items()}
    weights |= build_lexicon(data / "words", ["red sea"], 16).to_tensors()
    return PaletteSampler.from_tensors("tiny", CARD, weights)


# how it is written


@given(st.dictionaries(st.integers(1, 10), COLORS, min_size=1), st.booleans())
def test_locks_are_read_as_they_are_written(locked: dict[int, Color], spaced: bool) -> None:
    hexes = {place: Palette((color,)).hex[0] for place, color in locked.items()}
    text = (" , " if spaced else ",").join(f"{place}={color}" for place, color in hexes.items())
    assert dict(parse_locked(text)) == {place - 1: color for place, color in locked.items()}


@given(st.text(max_size=30) | st.text("0123456789=#abc, ", max_size=30))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    try:
        for position, color in parse_locked(text):
            assert position >= 0 and len(color) == 3
    except T2CError as error:
        assert str(error).endswith(".")


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "locks no colour"), ("#abc", "locks no colour"), ("0=#abc", "locks no colour"), ("1=#abc,1=#def", "twice")],
)
def test_locks_that_make_no_sense(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_locked(text)
    with pytest.raises(PaletteError, match="not a colour"):
        parse_locked("1=blue")


@pytest.mark.parametrize(
    ("wishes", "message"),
    [({"colors": 2}, "3 to 10"), ({"colors": 11}, "3 to 10"), ({"locked": ((5, (0, 0, 0)),)}, "1 to 5"),
     ({"locked": ((0, (0, 0, 0)), (0, (1, 1, 1)))}, "twice"), ({"avoid": ((0, 0, 0),) * 21}, "At most"),
     ({"locked": ((0, (9, 9, 9)),), "avoid": ((9, 9, 9),)}, "both locked")],
)  # fmt: skip
def test_wishes_out_of_range(wishes: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Steering(**wishes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("phrase", "kept", "denied"),
    [("rose no red", "rose", ["red"]), ("sunset without any red or pink", "sunset", ["red", "pink"]),
     ("no blue", "", ["blue"]), ("not too much green please", "please", ["green"]),
     ("without a heart", "without a heart", []), ("no", "no", []), ("red rose", "red rose", []),
     ("no red and no blue", "and", ["red", "blue"]), ("no red or", "or", ["red"]), ("no no red", "no", ["red"])],
)  # fmt: skip
def test_what_a_phrase_says_no_to(phrase: str, kept: str, denied: list[str]) -> None:
    words = phrase.split()
    indices, names = split_negations(words)
    assert ([words[index] for index in indices], names) == (kept.split(), denied)


@given(st.lists(st.sampled_from(["no", "not", "any", "or", "red", "blue", "rose"]), max_size=9))
def test_every_word_is_kept_or_part_of_a_denial(words: list[str]) -> None:
    kept, denied = split_negations(words)
    assert kept == sorted(set(kept)) and all(0 <= index < len(words) for index in kept)
    assert set(denied) <= {"red", "blue"}
    assert bool(denied) == (len(kept) < len(words))


# palettes


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.integers(0, 9), COLORS, max_size=10), st.integers(3, 10), st.integers(1, 4))
def test_locked_colors_stand_exactly_where_they_are_locked(
    sampler: PaletteSampler, locked: dict[int, Color], colors: int, count: int
) -> None:
    locked = {position: color for position, color in locked.items() if position < colors}
    steering = Steering(tuple(locked.items()), colors=colors)
    palettes = sampler.sample(PaletteRequest("deep sea", count, steering=steering)).palettes
    assert len(palettes) == (1 if len(locked) == colors else count)
    for palette in palettes:
        assert len(palette.colors) == colors
        assert all(palette.colors[position] == color for position, color in locked.items())
        free = Palette(palette.colors).lab[[place for place in range(colors) if place not in locked], 0]
        assert (np.diff(free) >= -1e-4).all()


def test_the_free_colors_know_the_locked_ones() -> None:
    """A network that repeats what it knows: with one colour locked, the others come near it."""
    torch.manual_seed(0)
    network = PaletteSetNet(PaletteSetConfig(**NETWORK | {"word_dimensions": 4, "mixtures": 2, "decoder_blocks": 2}))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    from t2c_engine.networks.palettes.palette_set import log_density

    nothing = (torch.zeros(64, 0, 4), torch.zeros(64, 0, dtype=torch.bool), torch.zeros(64).long())
    for _ in range(150):
        colors = torch.randn(64, 1, 3).expand(-1, 5, -1) + 0.05 * torch.randn(64, 5, 3)
        memory, mask = network.encode(*nothing)
        loss = -log_density(network.decode(memory, mask, colors[:, :4]), colors).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    from t2c_engine.palettes.numpy_network import NumpyPaletteNet

    shape = NETWORK | {"word_dimensions": 4, "mixtures": 2, "decoder_blocks": 2}
    plain = NumpyPaletteNet(shape, {key: value.detach().numpy() for key, value in network.state_dict().items()})
    known = np.array([[[40.0, 30.0, 20.0]]] * 20)
    wanted = PaletteDraw(np.zeros((0, 4), np.float32), 20, 8, 0.5)
    drawn = plain.sample(replace(wanted, known=known), np.random.default_rng(0))
    assert np.array_equal(drawn[:, :1], known.astype(np.float32))
    free = plain.sample(wanted, np.random.default_rng(0))
    assert np.linalg.norm(drawn[:, 1:] - known, axis=-1).mean() < np.linalg.norm(free - known, axis=-1).mean() / 2


@settings(max_examples=30, deadline=None)
@given(st.lists(COLORS, min_size=1, max_size=4))
def test_no_color_is_like_one_to_avoid(sampler: PaletteSampler, avoid: list[Color]) -> None:
    refuse = refusal(avoid)
    assert refuse is not None and refuse(colors_lab(avoid)).all()
    for palette in sampler.sample(PaletteRequest("deep sea", 2, steering=Steering(avoid=tuple(avoid)))).palettes:
        near = delta_e_2000(palette.lab[:, None], colors_lab(avoid)).min()
        assert near > 3
        assert not refuse(palette.lab).all()


def test_who_avoids_red_minds_dark_red_but_not_pink_or_brown() -> None:
    refuse = refusal([COLOR_WORDS["red"]])
    assert refuse is not None
    refused = refuse(colors_lab([(255, 0, 0), (160, 0, 10), (255, 190, 200), (110, 70, 40), (0, 80, 200)]))
    assert refused.tolist() == [True, True, False, False, False]


def test_when_everything_is_to_be_avoided() -> None:
    with pytest.raises(UsageError, match="avoid fewer"):
        escape(np.zeros((1, 3)), lambda lab: np.ones(len(lab), dtype=bool))


def test_a_phrase_may_say_no_to_a_color(sampler: PaletteSampler) -> None:
    result = sampler.sample(PaletteRequest("red sea, not red", count=4))
    refuse = refusal([COLOR_WORDS["red"]])
    assert result.note is not None and "avoiding red" in result.note and refuse is not None
    assert not np.concatenate([refuse(palette.lab) for palette in result.palettes]).any()


def test_palettes_like_another_are_nearer_to_it(sampler: PaletteSampler) -> None:
    like = Palette.from_hex("0b3d0b 176117 2e8b2e 8fd18f e0ffe0")
    plain = sampler.sample(PaletteRequest("deep sea", 6)).palettes
    near = sampler.sample(PaletteRequest("deep sea", 6, steering=Steering(like=like.colors))).palettes
    apart = [np.mean([palette_distance(one, like) for one in palettes]) for palettes in (plain, near)]
    assert apart[1] < apart[0] - 3
    assert len({palette.hex for palette in near}) == 6


@pytest.mark.parametrize("colors", [3, 4, 6, 10])
def test_as_many_colors_as_asked_for(sampler: PaletteSampler, colors: int) -> None:
    request = PaletteRequest("deep sea", 3, steering=Steering(colors=colors))
    result = sampler.sample(request)
    assert result == sampler.sample(request)
    assert [len(palette.colors) for palette in result.palettes] == [colors] * 3


def test_typical_members_are_chosen_the_more_the_more_it_counts() -> None:
    points = np.random.default_rng(0).standard_normal((60, 2))
    distances = np.linalg.norm(points[:, None] - points, axis=-1)
    spread = [np.linalg.norm(points[choose(distances, 5, weight)], axis=-1).mean() for weight in (0.0, 0.5, 3.0)]
    assert spread[0] > spread[1] > spread[2]
    for weight in (0.0, 3.0, 100.0):
        assert len(set(choose(distances, 5, weight))) == 5
    right = points[choose(distances, 5, 0.5, bonus=5 * points[:, 0]), 0].mean()
    assert right > points[choose(distances, 5, 0.5), 0].mean() + 0.5


def test_the_papers_network_says_that_it_cannot_be_steered() -> None:
    paper = PaperSampler(TpnGenerator(TpnPaperConfig(word_dimensions=4, hidden=8, dropout=0.0)))
    rng = np.random.default_rng(0)
    with pytest.raises(ModelError, match="cannot hold"):
        paper.sample(PaletteDraw(np.zeros((1, 4)), 2, 5, 1.0, np.zeros((2, 1, 3))), rng)
    with pytest.raises(ModelError, match="5 colours"):
        paper.sample(PaletteDraw(np.zeros((1, 4)), 2, 6, 1.0), rng)
