"""What a phrase asks for, in all wordings: negations, colour codes, other languages; palettes obey."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2c_engine.errors import PaletteError
from t2c_engine.palettes.negation import COLOR_WORDS
from t2c_engine.palettes.palette import Palette, parse_hex
from t2c_engine.palettes.phrases import PhraseReading, read_phrase
from t2c_engine.palettes.sampler import PaletteRequest, PaletteSampler
from t2c_engine.palettes.steering import Steering


@pytest.fixture(scope="module")
def sampler() -> PaletteSampler:
    return PaletteSampler.load()


def read(sampler: PaletteSampler, phrase: str) -> PhraseReading:
    return read_phrase(sampler.lexicon, phrase)


def negated(reading: PhraseReading) -> set[str]:
    names = {color: name for name, color in COLOR_WORDS.items()}
    return {names[color] for color in reading.avoid} | set(reading.qualities)


@pytest.mark.parametrize(
    ("phrase", "names"),
    [
        ("anything but red", "red"), ("everything but red", "red"), ("all but red", "red"),
        ("anything except red", "red"),
        ("any colour but red", "red"), ("every color except red", "red"), ("anything other than red", "red"),
        ("avoid green", "green"), ("avoiding green", "green"), ("exclude green", "green"), ("skip the green", "green"),
        ("without any blue", "blue"), ("without blues", "blue"), ("no blue tones", "blue"), ("no hint of blue", "blue"),
        ("no red or green", "red green"), ("no red, green or blue", "red green blue"),
        ("no red nor green", "red green"),
        ("neither red nor green", "red green"), ("sunset without red and green", "red green"),
        ("avoid red, green", "red green"), ("no red, green, blue", "red green blue"),
        ("forest except brown", "brown"), ("except for brown, a forest", "brown"), ("free of red", "red"),
        ("free from red", "red"), ("red-free sunset", "red"), ("sunset, red free", "red"), ("devoid of any red", "red"),
        ("sunset -red", "red"), ("-red -green sunset", "red green"), ("sunset minus red", "red"),
        ("!red sunset", "red"),
        ("sunset, not reddish", "red"), ("non-red rose", "red"), ("redless sunset", "red"), ("sans red", "red"),
        ("don't use red", "red"), ("I don't want any red", "red"), ("it should not be red", "red"),
        ("hate pink", "pink"),
        ("blue rather than red", "red"), ("ocean instead of green", "green"), ("apart from purple", "purple"),
        ("red is not allowed", "red"), ("no red please", "red"), ("leave out the red", "red"), ("keep red out", "red"),
        ("not a fan of red", "red"), ("less red", "red"), ("lacking red", "red"), ("no colour red", "red"),
        ("not too dark", "dark"), ("nothing dark", "dark"), ("no dark colours", "dark"), ("not very bright", "bright"),
        ("not too colorful", "vivid"), ("not so dull", "dull"), ("avoid warm tones", "warm"), ("not cold", "cold"),
        ("ohne Rot", "red"), ("kein Rot oder Grün", "red green"), ("nicht zu dunkel", "dark"),
        ("alles außer Rot", "red"),
        ("sans rouge", "red"), ("pas de rouge", "red"), ("pas trop sombre", "dark"), ("tout sauf le rouge", "red"),
        ("sin rojo", "red"), ("todo menos rojo", "red"), ("evita el verde", "green"),
        ("không đỏ", "red"), ("khong do", "red"), ("không có màu xanh lá", "green"), ("ngoại trừ đỏ", "red"),
    ],
)  # fmt: skip
def test_negations(sampler: PaletteSampler, phrase: str, names: str) -> None:
    reading = read(sampler, phrase)
    assert negated(reading) == set(names.split())
    assert reading.note is not None and "avoiding" in reading.note


@pytest.mark.parametrize(
    ("phrase", "words"),
    [
        ("nothing but red", 1), ("not only red", 1), ("no lack of red", 1), ("without a heart", 3), ("red", 1),
        ("no light in the forest", 5), ("red, green or blue", 4), ("sunset - red and gold", 4), ("no smoking", 2),
        ("blue-red", 2), ("free red wine", 3), ("a less known rose", 4),
    ],
)  # fmt: skip
def test_what_is_no_negation(sampler: PaletteSampler, phrase: str, words: int) -> None:
    reading = read(sampler, phrase)
    assert not negated(reading) and len(reading.vectors) == words


def test_what_follows_a_negation_is_wanted(sampler: PaletteSampler) -> None:
    for phrase, wanted in (
        ("no red, gold", "gold"),
        ("no red and gold leaves", "gold leaves"),
        ("rose no red", "rose"),
    ):
        reading = read(sampler, phrase)
        found = {vector.tobytes() for vector in reading.vectors}
        assert negated(reading) == {"red"}
        assert {vector.tobytes() for vector in sampler.lexicon.encode(wanted).vectors} <= found


def test_a_shade_is_negated_with_its_colour(sampler: PaletteSampler) -> None:
    (dark,), (light,) = (read(sampler, f"no {shade} red").avoid for shade in ("dark", "light"))
    lightness = Palette((dark, COLOR_WORDS["red"], light)).lab[:, 0]
    assert (np.diff(lightness) > 10).all()


@pytest.mark.parametrize("phrase", ["anything but red", "avoid red", "sunset -red", "rose, not red", "không đỏ"])
def test_palettes_hold_no_negated_colour(sampler: PaletteSampler, phrase: str) -> None:
    result = sampler.sample(PaletteRequest(phrase, 10))
    lab = np.concatenate([palette.lab for palette in result.palettes])
    hue, chroma = np.degrees(np.arctan2(lab[:, 2], lab[:, 1])), np.hypot(lab[:, 1], lab[:, 2])
    assert not ((np.abs(hue - 40) < 19) & (chroma > 52) & (np.abs(lab[:, 0] - 48) < 29)).any()


@pytest.mark.parametrize(
    ("phrase", "test"),
    [
        ("forest, not too dark", lambda lab: lab[:, 0] < 37),
        ("candy, not too colorful", lambda lab: np.hypot(*lab[:, 1:].T) > 46),
    ],
)
def test_palettes_have_no_negated_quality(sampler: PaletteSampler, phrase: str, test) -> None:
    for palette in sampler.sample(PaletteRequest(phrase, 10)).palettes:
        assert not test(palette.lab).any()


@pytest.mark.parametrize(
    ("phrase", "codes"),
    [
        ("#8c2f1b", "#8c2f1b"), ("a rose in #8C2F1B", "#8c2f1b"), ("#f00 and #00f", "#ff0000 #0000ff"),
        ("rgb(140, 47, 27) leaves", "#8c2f1b"), ("hsl(120, 100%, 50%)", "#00ff00"), ("8c2f1b rust", "#8c2f1b"),
        ("rgba(0 0 255 / 50%), calm", "#0000ff"), ("#8c2f1bff", "#8c2f1b"), ("0x8c2f1b", "#8c2f1b"),
    ],
)  # fmt: skip
def test_codes_are_in_every_palette(sampler: PaletteSampler, phrase: str, codes: str) -> None:
    result = sampler.sample(PaletteRequest(phrase, 4))
    assert result.note is not None and "in every palette" in result.note and len(set(result.palettes)) == 4
    for palette in result.palettes:
        assert set(codes.split()) <= set(palette.hex) and len(palette.colors) == 5
        assert (np.diff(palette.lab[:, 0]) >= -1e-3).all()


@given(st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=1, max_size=8, unique=True))
def test_as_many_codes_as_there_is_room_for(sampler: PaletteSampler, colors: list[tuple[int, int, int]]) -> None:
    codes = Palette(tuple(colors)).hex
    result = sampler.sample(PaletteRequest(" ".join(codes), 1))
    assert set(codes[:5]) <= set(result.palettes[0].hex)
    assert ("no place for" in (result.note or "")) == (len(codes) > 5)


def test_codes_beside_locked_and_avoided_colours(sampler: PaletteSampler) -> None:
    red, blue = parse_hex("#ff0000"), parse_hex("#0000ff")
    steering = Steering(locked=((0, red),), avoid=(blue,))
    result = sampler.sample(PaletteRequest("sea #ff0000 #0000fe #8c2f1b", 2, steering=steering))
    for palette in result.palettes:
        assert palette.colors[0] == red and palette.hex.count("#ff0000") == 1 and "#8c2f1b" in palette.hex
    assert result.note is not None and "no place for #0000fe" in result.note
    assert read(sampler, "no #ff0000").avoid == (red,)


@pytest.mark.parametrize("phrase", ["facade", "decade 123456", "#1 dad", "rgb", "room 101", "no. 5"])
def test_what_is_no_code(sampler: PaletteSampler, phrase: str) -> None:
    assert not read(sampler, phrase).colors


def test_codes_out_of_range_are_refused(sampler: PaletteSampler) -> None:
    with pytest.raises(PaletteError, match="rgb"):
        read(sampler, "rgb(300, 0, 0) sea")


def test_other_languages_are_said_and_give_the_english_palettes_words(sampler: PaletteSampler) -> None:
    for phrase, english in (("Herbstwald", "autumn forest"), ("ciel bleu", "sky blue"), ("mùa thu", "autumn")):
        reading = read(sampler, phrase)
        assert np.array_equal(reading.vectors, read(sampler, english).vectors)
        assert reading.note is not None and english in reading.note
    note = read(sampler, "закат").note
    assert note is not None and "no known word" in note and "Vietnamese" in note


@given(st.text(max_size=60) | st.lists(st.sampled_from(
    "no not red #f00 rgb(1,2,3) , or and without free of but anything -red dark too rouge không -".split()
), max_size=12).map(" ".join))  # fmt: skip
def test_any_phrase_is_read(sampler: PaletteSampler, phrase: str) -> None:
    if not phrase.strip():
        return
    try:
        reading = read(sampler, phrase)
    except PaletteError as error:
        assert str(error).endswith(".")
        return
    assert reading.vectors.ndim == 2 and np.isfinite(reading.vectors).all()
    assert len(reading.vectors) or reading.colors or reading.note
