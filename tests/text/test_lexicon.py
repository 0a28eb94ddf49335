"""Phrases to words and vectors: any phrase at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2c_engine.errors import EmptyPhraseError, ModelError, UsageError
from t2c_engine.text.lexicon import MAX_WORDS, Lexicon, split_words
from t2c_engine.text.vocabulary import How, Vocabulary, edit_distances
from tests.palette_data import WORDS, make_data
from trainer.palettes.build_lexicon import build_lexicon, quantise


@pytest.fixture(scope="module")
def lexicon(tmp_path_factory: pytest.TempPathFactory) -> Lexicon:
    data = make_data(tmp_path_factory.mktemp("data") / "d")
    return build_lexicon(data / "words", ["green garden"] * 3 + ["slytherin"] * 3 + ["red sun flower"], 16)


@pytest.mark.parametrize(
    ("phrase", "words"),
    [
        ("Autumn BREEZE", ["autumn", "breeze"]),
        ("red,green;blue/white - black!", ["red", "green", "blue", "white", "black"]),
        ("I don't know", ["i", "do", "not", "know"]),
        ("the lion’s share", ["the", "lion", "share"]),
        ("café", ["cafe"]),
        ("1950s diner", ["fifty", "retro", "diner"]),
        ("3 pigs in 1984", ["three", "pigs", "in"]),
        ("🍂🍁", ["fallen", "leaf", "maple", "leaf"]),
        ("🖤 and ❤️", ["black", "heart", "and", "heart"]),
        ("...!?", []),
    ],
)
def test_split_words(phrase: str, words: list[str]) -> None:
    assert split_words(phrase) == words


@pytest.mark.parametrize(
    ("token", "words", "how"),
    [
        ("green", ("green",), How.KNOWN),
        ("slytherin", ("slytherin",), How.KNOWN),
        ("leaves", ("leaf",), How.FORM),
        ("froze", ("cold",), How.FORM),
        ("wilted", ("wilt",), How.FORM),
        ("reddish", ("red",), How.FORM),
        ("dont", ("do", "not"), How.FORM),
        ("gardn", ("garden",), How.SPELLING),
        ("grene", ("green",), How.SPELLING),
        ("seafoam", ("sea", "foam"), How.COMPOUND),
        ("sunflower", ("sun", "flower"), How.COMPOUND),
        ("xqzzt", (), How.UNKNOWN),
        ("木", (), How.UNKNOWN),
    ],
)
def test_reading(lexicon: Lexicon, token: str, words: tuple[str, ...], how: How) -> None:
    vocabulary = Vocabulary(lexicon.vocabulary.words, lexicon.vocabulary.forms, np.full(len(lexicon.vocabulary), 9))
    reading = vocabulary.read(token)
    assert (reading.words, reading.how) == (words, how)


def test_a_guess_is_told_and_nonsense_is_told(lexicon: Lexicon) -> None:
    assert lexicon.encode("green garden").note is None
    assert lexicon.encode("gaarden").note == "read 'gaarden' as 'garden'"
    assert lexicon.encode("green xqzzt").note == "not understood: 'xqzzt'"
    nonsense = lexicon.encode("xqzzt ♞ 99")
    assert nonsense.note is not None and nonsense.note.startswith("no known word")
    assert nonsense.vectors.shape == (0, 16)


@pytest.mark.parametrize("phrase", ["", " ", "\t\n\u3000"])
def test_empty_phrase(lexicon: Lexicon, phrase: str) -> None:
    with pytest.raises(EmptyPhraseError, match="empty"):
        lexicon.encode(phrase)


def test_long_phrases_are_cut(lexicon: Lexicon) -> None:
    encoded = lexicon.encode("green " * 500)
    assert encoded.words == ("green",) * MAX_WORDS
    assert encoded.vectors.shape == (MAX_WORDS, 16)


@given(st.text(max_size=80))
def test_any_phrase_is_read_or_empty(lexicon: Lexicon, phrase: str) -> None:
    if not phrase.strip():
        with pytest.raises(EmptyPhraseError):
            lexicon.encode(phrase)
        return
    encoded = lexicon.encode(phrase)
    assert set(encoded.words) <= set(lexicon.vocabulary.words)
    assert encoded.vectors.shape == (len(encoded.words), 16)
    assert np.isfinite(encoded.vectors).all()
    assert encoded.words or encoded.note


@pytest.mark.parametrize(
    ("one", "other", "edits"),
    [("ab", "ab", 0), ("ab", "ba", 1), ("green", "greene", 1), ("abc", "xyz", 3), ("ca", "abc", 3)],
)
def test_edit_distance(one: str, other: str, edits: int) -> None:
    letters = np.frombuffer(other.ljust(8, "\0").encode(), dtype=np.uint8)[None]
    assert edit_distances(one.encode(), letters, np.array([len(other)]))[0] == edits


def test_lexicon_survives_packing(lexicon: Lexicon) -> None:
    again = Lexicon.from_tensors(lexicon.to_tensors())
    assert again.vocabulary.words == lexicon.vocabulary.words
    assert (
        again.vocabulary.forms == lexicon.vocabulary.forms == {"froze": "cold", "knew": "know"}
    )  # "leaves" is regular
    assert again.encode("green leaves").vectors.tobytes() == lexicon.encode("green leaves").vectors.tobytes()


def test_damaged_lexicon_is_refused(lexicon: Lexicon) -> None:
    tensors = lexicon.to_tensors()
    with pytest.raises(ModelError, match="vocabulary"):
        Lexicon.from_tensors({key: value for key, value in tensors.items() if key != "words.text"})
    with pytest.raises(ModelError, match="do not fit"):
        Lexicon.from_tensors(tensors | {"words.uses": tensors["words.uses"][1:]})


def test_all_directions_keep_the_geometry(tmp_path: Path) -> None:
    """With as many dimensions as the given vectors, distances between words stay in proportion."""
    data = make_data(tmp_path / "d")
    given_vectors = (
        np.load(data / "words" / "vectors_i8.npy") * np.load(data / "words" / "vectors_scale_f32.npy")[:, None]
    )
    lexicon = build_lexicon(data / "words", [], 300)
    assert lexicon.vocabulary.words == WORDS
    turned = lexicon.embed(list(range(len(WORDS))))

    def distances(x: np.ndarray) -> np.ndarray:
        return np.linalg.norm(x[:, None] - x[None], axis=2)[np.triu_indices(len(x), 1)]

    ratio = distances(turned) / distances(given_vectors)
    assert ratio.std() / ratio.mean() < 0.01


def test_quantised_vectors_stay_near() -> None:
    vectors = np.random.default_rng(0).standard_normal((50, 20)).astype(np.float32)
    vectors[3] = 0
    codes, scale = quantise(vectors)
    assert codes.dtype == np.int8
    error = np.abs(codes * scale[:, None].astype(np.float32) - vectors).max(axis=1)
    assert (error <= np.abs(vectors).max(axis=1) / 200).all()


def test_word_files_that_do_not_fit(tmp_path: Path) -> None:
    data = make_data(tmp_path / "d")
    (data / "words" / "words.txt").write_text("red\n")
    with pytest.raises(UsageError, match="do not fit"):
        build_lexicon(data / "words", [], 16)
    (data / "words" / "words.txt").unlink()
    with pytest.raises(UsageError, match="cannot be read"):
        build_lexicon(data / "words", [], 16)
