"""Texts made for training, and the figures that tell whether words move palettes as they should."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from t2c_engine.errors import UsageError
from trainer.evaluation.words import DIRECTIONS, NameScores, modifier_shares, most_used_names, negation_share
from trainer.palettes.data import TextColors, hex_to_lab, read_color_names
from trainer.palettes.synthetic_texts import MODIFIERS, NOUNS, modified_texts, named_palettes

PLAIN = hex_to_lab(["#333344", "#884422", "#33aa66", "#8899dd", "#eeddcc"])


def rows() -> list[TextColors]:
    words = ["lemon", "old house", "quiet lake", "plum", "engine", "carpet"] * 20
    return [TextColors(f"{word} {'abcdefghij'[index % 10]}", PLAIN, "pat") for index, word in enumerate(words)]


def test_modifiers_move_palettes_in_their_direction() -> None:
    sampled = modified_texts(rows())
    assert len(sampled) == 120 and {row.source for row in sampled} == {"modified"}
    seen = set()
    for row in sampled:
        word = row.text.split()[0]
        if word in DIRECTIONS:
            measure, sign = DIRECTIONS[word]
            assert (measure(row.lab) - measure(PLAIN)) * sign > 0, row.text
            seen.add(word)
    assert seen == set(MODIFIERS)
    assert [row.text for row in modified_texts(rows())] == [row.text for row in sampled]


@pytest.mark.parametrize("text", ["dark plum", "a rose", "old roses", "one two three four", "no plum", "..."])
def test_texts_that_are_not_modified(text: str) -> None:
    assert modified_texts([TextColors(text, PLAIN, "pat")]) == []
    assert modified_texts([TextColors("plum", PLAIN, "pat", "val"), TextColors("plum", PLAIN, "colorhunt")]) == []


def test_a_name_gets_palettes_that_hold_its_color() -> None:
    lab = hex_to_lab(["#35ac68"])
    name = TextColors("clover", lab, "names", palettes_around=4)
    far = TextColors("pinkest", hex_to_lab(["#ff00aa"]), "names", palettes_around=4)
    idle = TextColors("idle", lab, "names", palettes_around=0)
    sampled = named_palettes([*rows(), name, far, idle])
    assert [row.text for row in sampled] == ["clover"] * 4
    for row in sampled:
        assert (row.lab == lab[0]).all(axis=1).sum() == 1
        assert (row.lab[[0, 1, 3, 4]] == PLAIN[[0, 1, 3, 4]]).all()
    assert named_palettes([name]) == []


def test_shares_of_a_sampler_that_knows_one_modifier() -> None:
    """Palettes that get darker with every modifier: right for "dark" alone (and for none of chroma and warmth)."""

    def palettes(phrase: str) -> np.ndarray:
        lab = np.tile([60.0, 20.0, 20.0], (5, 5, 1))
        lab[..., 0] -= 10 * (phrase.split()[0] in MODIFIERS)
        return lab

    shares = modifier_shares(palettes, NOUNS[:3])
    assert shares == {word: float(word == "dark") for word in MODIFIERS}


def test_denials_and_names_by_hand() -> None:
    red = hex_to_lab(["#e50000"]).astype(np.float64)
    assert negation_share(lambda phrase: np.tile(red, (5, 5, 1)), ["rose"]) == pytest.approx(7 / 8)
    rows = [TextColors("red", red.astype(np.float32), "names"), TextColors("light", red + np.array([8, 0, 0]), "names")]
    scores = NameScores.of(rows, lambda phrase: np.tile(red, (5, 5, 1)))
    assert scores.names == 2 and 0 < scores.mean < 10 and scores.median == pytest.approx(scores.mean, rel=1e-5)
    assert NameScores.of([], lambda phrase: np.zeros((1, 5, 3))).names == 0


def test_the_most_used_names(tmp_path: Path) -> None:
    (tmp_path / "xkcd_color_names.csv").write_text("name,hex\nlime green,#89fe05\nred,#e50000\nrare,#123456\n")
    # cell = colour * 3 + term, then how often: lime green 5 + 4, red 7, a term of no name 50
    table = {"terms": ["red", "limegreen", "gone"], "color": [0, 0, 0] * 2, "T": [1, 5, 0, 7, 4, 4, 2, 50]}
    (tmp_path / "xkcd_c3.json").write_text(json.dumps(table))
    assert [row.text for row in most_used_names(tmp_path)] == ["lime green", "red"]
    with pytest.raises(UsageError, match="cannot be read"):
        most_used_names(tmp_path / "nowhere")


def test_some_names_are_held_out(tmp_path: Path) -> None:
    path = tmp_path / "color_names.csv"
    lines = [f"name {index},#12{index % 100:02d}56,{'x' if index % 2 else ''}" for index in range(400)]
    path.write_text("\n".join(["name,hex,good name", *lines]))
    rows = read_color_names(path)
    held = sum(row.split == "test" for row in rows)
    assert 5 < held < 45 and {row.palettes_around for row in rows} == {0, 1}
    with pytest.raises(UsageError, match="no table"):
        read_color_names(tmp_path / "none.csv")
