"""German, French, Spanish and Vietnamese phrases in English; English phrases stay as they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2c_engine.palettes.sampler import PaletteSampler
from t2c_engine.text.translation import Translation, translate
from tests.golden.record import PHRASES


@pytest.fixture(scope="module")
def usual():
    return PaletteSampler.load().lexicon.vocabulary.usual


@pytest.mark.parametrize(
    ("phrase", "language", "english"),
    [
        ("rot und gelb", "German", "red and yellow"), ("dunkler Wald", "German", "dark forest"),
        ("Sonnenuntergang am Meer", "German", "sunset in sea"), ("Erdbeermilch", "German", "strawberry milk"),
        ("gruene Wiese im Fruehling", "German", "green meadow in spring"), ("weiße Wolken", "German", "white cloud"),
        ("forêt d'automne", "French", "forest autumn"), ("foret d’automne", "French", "forest autumn"),
        ("coucher de soleil sur la mer", "French", "sunset in sea"), ("roses rouges", "French", "rose red"),
        ("mar azul", "Spanish", "sea blue"), ("bosque oscuro", "Spanish", "forest dark"),
        ("otono", "Spanish", "autumn"),
        ("flores rosadas", "Spanish", "flower pink"), ("puesta de sol", "Spanish", "sunset"),
        ("hoàng hôn trên biển", "Vietnamese", "sunset in sea"), ("bien xanh", "Vietnamese", "sea blue"),
        ("mua thu", "Vietnamese", "autumn"), ("lá vàng", "Vietnamese", "leaf yellow"),
        ("hoa anh đào", "Vietnamese", "cherry blossom"), ("xanh lá cây", "Vietnamese", "green"),
    ],
)  # fmt: skip
def test_phrases_of_other_languages(usual, phrase: str, language: str, english: str) -> None:
    assert translate(phrase, usual) == Translation(english, language)


@pytest.mark.parametrize(
    "phrase",
    [*PHRASES, "rot", "hell", "film noir", "die hard", "desert sand", "rose gold", "orange", "the mango", "sea song",
     "man on fire", "the cat sang a song", "gift for a child", "no pain no gain", "in the hall of the mountain king",
     "café at night", "las vegas", "chat with me", "go to sleep", "fire and ice", "may day", "закат", "夕焼け", ""],
)  # fmt: skip
def test_english_and_unknown_phrases_stay(usual, phrase: str) -> None:
    assert translate(phrase, usual) == Translation(phrase)


@given(st.text(max_size=80))
def test_any_text_is_translated_or_stays(usual, phrase: str) -> None:
    result = translate(phrase, usual)
    assert result.language or result.text == phrase
