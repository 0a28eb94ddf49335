"""What a phrase asks for: words, colours it names by code, and colours and qualities it says no to.

Hides other languages, colour codes and negation from the sampler. Must not import torch or the networks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from t2c_engine.errors import EmptyPhraseError
from t2c_engine.palettes.negation import (
    BREAK,
    QUALITIES,
    avoided_color,
    color_word,
    is_negation,
    split_negations,
)
from t2c_engine.palettes.notation import find_notations, from_digits
from t2c_engine.palettes.palette import Color, Palette, parse_hex
from t2c_engine.text.lexicon import MAX_CHARACTERS, MAX_WORDS, Lexicon, note_on, split_words
from t2c_engine.text.translation import translate
from t2c_engine.text.vocabulary import How, Reading

_BARE_CODE = re.compile(r"(?<![\w#&.])(?=[0-9]*[a-fA-F])(?=[a-fA-F]*[0-9])[0-9a-fA-F]{6}(?!\w)")  # letters and digits
_MARKS = re.compile(r"[,;:.!?()\[\]\n|，、。；：！？]+")
_MINUS = re.compile(r"(?:(?<=\s)|^)[-−–!](?=(\w+|$))")


@dataclass(frozen=True, slots=True)
class PhraseReading:
    """words: those that are wanted; vectors: theirs, T x d. colors: given by code. avoid, qualities: negated.

    note: what was guessed, translated, negated or passed over, if anything was.
    """

    vectors: np.ndarray
    colors: tuple[Color, ...]
    avoid: tuple[Color, ...]
    qualities: tuple[str, ...]
    note: str | None
    words: tuple[str, ...] = ()


def read_phrase(lexicon: Lexicon, phrase: str) -> PhraseReading:
    """Read a phrase in any wording.

    Raises:
        EmptyPhraseError: the phrase is empty or only white space.
        PaletteError: a colour in it is out of range, as rgb(300, 0, 0).
    """
    if not phrase.strip():
        raise EmptyPhraseError("The phrase is empty; write a few words, for example: autumn breeze.")
    translation = translate(phrase[:MAX_CHARACTERS], lexicon.vocabulary.usual)
    words = [word for token in _tokens(translation.text) for word in _words(lexicon, token)]
    kept, names = split_negations([word.text for word in words])
    wanted = [words[index] for index in kept]
    colors = tuple(dict.fromkeys(parse_hex(word.text) for word in wanted if word.text.startswith("#")))
    known = [one for word in wanted for one in word.known][:MAX_WORDS]
    readings = list(dict.fromkeys(word.reading for word in wanted if word.reading))
    notes = [f"read as {translation.language}: {translation.text}"] if translation.language else []
    if names:
        notes.append(f"avoiding {' and '.join(f'{name} colours' if name in QUALITIES else name for name in names)}")
    if readings or not (notes or colors):
        notes += filter(None, [note_on(readings)])
    return PhraseReading(
        vectors=lexicon.embed(lexicon.vocabulary.rows(known)),
        colors=colors,
        avoid=tuple(avoided_color(name) for name in names if name not in QUALITIES),
        qualities=tuple(name for name in names if name in QUALITIES),
        note="; ".join(notes) or None,
        words=tuple(known),
    )


@dataclass(frozen=True, slots=True)
class _Word:
    """One word as negation sees it, the words of the vocabulary it stands for, and how it was read."""

    text: str
    known: tuple[str, ...] = ()
    reading: Reading | None = None


def _words(lexicon: Lexicon, token: str) -> list[_Word]:
    """A token as one word, or as the several that it was written together from."""
    if token == BREAK or token.startswith("#"):
        return [_Word(token)]
    reading = lexicon.vocabulary.read(token)
    if len(reading.words) > 1:
        return [_Word(word, (word,), reading) for word in reading.words]
    guessed = reading.words and reading.how is How.SPELLING and not is_negation(token)
    return [_Word("".join(reading.words) if guessed else token, reading.words, reading)]


def _tokens(text: str) -> Iterator[str]:
    """Lower-case words, colours as "#rrggbb", BREAK for marks, "minus" for a dash before a colour ("-red")."""
    codes = [(one.start, one.end, one.color) for one in find_notations(text)]
    bare = [(match.start(), match.end(), from_digits(match[0])) for match in _BARE_CODE.finditer(text)]
    codes += [one for one in bare if not any(start <= one[0] < end for start, end, _ in codes)]
    at = 0
    for start, end, color in sorted(codes):
        yield from _plain_tokens(text[at:start], before_code=True)
        yield Palette((color,)).hex[0]
        at = end
    yield from _plain_tokens(text[at:], before_code=False)


def _plain_tokens(text: str, before_code: bool) -> Iterator[str]:
    def minus(match: re.Match[str]) -> str:
        word = match[1].casefold()
        return " minus " if (color_word(word) if word else before_code) else match[0]

    parts = _MARKS.split(_MINUS.sub(minus, text))
    for index, part in enumerate(parts):
        if index:
            yield BREAK
        yield from split_words(part)
