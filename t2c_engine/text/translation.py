"""German, French, Spanish and Vietnamese colour words and common nouns, with and without accents, to English.

The words stand in `dictionary.tsv`: English, then one column a language, alternatives separated by "/"; "!" marks a
word that is also an English one, which says little about the language. Must not import numpy or the vocabulary.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LANGUAGES = ("German", "French", "Spanish", "Vietnamese")
UNDERSTOOD = "English, and common words of German, French, Spanish and Vietnamese, are understood"
_DICTIONARY = Path(__file__).with_name("dictionary.tsv")
_WORD = re.compile(r"(?<![\w#])[^\W\d_]+(?!\w)")  # of letters alone, so no part of a colour code
_LONGEST = 4  # words of an entry
_FUNCTION = set("and with without no not nothing except avoid or nor too very in of the a".split()) | {
    "everything except"
}
_DROPPED = {"the", "a", "of"}
_ENDINGS: Mapping[str, tuple[str, ...]] = {
    "German": ("e", "er", "es", "en", "em", "n", "s", "ern", "nen"),
    "French": ("s", "x", "e", "es", "ne"),
    "Spanish": ("s", "es"),
    "Vietnamese": (),
}
_LINKING = ("", "s", "n", "en", "es", "e", "er")  # between the parts of a German compound
_UMLAUTS = {"ä": "ae", "ö": "oe", "ü": "ue"}
_LETTERS = str.maketrans({"đ": "d", "œ": "oe", "æ": "ae", "ø": "o"})
_APOSTROPHES = str.maketrans("'’", "  ")
_NATIVE, _FOREIGN, _SHARED = 2.0, 1.0, 0.5  # evidence: unknown to English, known to it too, an ordinary English word
_ENOUGH = 0.5


@dataclass(frozen=True, slots=True)
class Translation:
    """A phrase in English. `language` is None, and the text the phrase's own, where it was taken for English."""

    text: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class _Entry:
    english: str
    shared: bool  # also an English word
    unaccented: bool = False  # found without the accents it should have


@dataclass(frozen=True, slots=True)
class _Match:
    start: int  # tokens
    end: int
    english: str
    evidence: float


def translate(phrase: str, known: Callable[[str], bool]) -> Translation:
    """Replace the words of the language a phrase is in by English ones; words without a translation stay.

    A phrase is taken for another language only if more speaks for it than for English, so that "rust" or "film noir"
    stay.

    Args:
        phrase: any text.
        known: whether a lower-case word without accents is a usual English one.
    """
    text = unicodedata.normalize("NFC", phrase)
    spans = [match.span() for match in _WORD.finditer(text)]
    tokens = [text[start:end].casefold() for start, end in spans]
    english = [known(_plain(token)) for token in tokens]
    best: tuple[float, str, list[_Match]] = (_ENOUGH, "", [])
    for language in LANGUAGES:
        matches = list(_matches(tokens, english, language))
        covered = {index for match in matches for index in range(match.start, match.end)}
        against = sum(usual for index, usual in enumerate(english) if index not in covered)
        score = sum(match.evidence for match in matches) - against
        content = [match for match in matches if match.english not in _FUNCTION]
        if content and any(match.evidence >= _FOREIGN for match in matches) and score > best[0]:
            best = (score, language, matches)
    if not best[1]:
        return Translation(phrase)
    parts, at = [], 0
    for match in best[2]:
        parts += [text[at : spans[match.start][0]], "" if match.english in _DROPPED else match.english]
        at = spans[match.end - 1][1]
    return Translation(" ".join("".join([*parts, text[at:]]).translate(_APOSTROPHES).split()), best[1])


def _matches(tokens: list[str], english: list[bool], language: str) -> Iterator[_Match]:
    """Entries found from left to right, the longest first."""
    at = 0
    while at < len(tokens):
        for length in range(min(_LONGEST, len(tokens) - at), 0, -1):
            entry = _look_up(tuple(tokens[at : at + length]), language)
            if entry is None and length == 1 and not english[at]:
                entry = _inflected(tokens[at], language) or (_compound(tokens[at]) if language == "German" else None)
            if entry is not None:
                usual = all(english[at : at + length]) and all(token.isascii() for token in tokens[at : at + length])
                evidence = _SHARED if entry.shared or (usual and entry.unaccented) else _FOREIGN if usual else _NATIVE
                if entry.english in _FUNCTION:
                    evidence = min(evidence, _SHARED if usual else _FOREIGN)
                yield _Match(at, at + length, entry.english, evidence)
                at += length
                break
        else:
            at += 1


def _look_up(words: tuple[str, ...], language: str) -> _Entry | None:
    return _entries()[language].get(words)


def _inflected(word: str, language: str) -> _Entry | None:
    """The entry of an ending's stem: German -e, -er, -en; French and Spanish plurals and feminines."""
    for ending in _ENDINGS[language]:
        stem = word.removesuffix(ending)
        if len(stem) < 3 or stem == word:
            continue
        for candidate in (stem, stem + "e", stem[:-1] + "o") if language == "Spanish" else (stem, stem + "e"):
            entry = _look_up((candidate,), language)
            if entry is not None and entry.english not in _FUNCTION:
                return entry
    if language == "Spanish" and word.endswith("a"):
        return _look_up((word[:-1] + "o",), language)
    return None


def _compound(word: str) -> _Entry | None:
    """A German compound of two entries: "herbstwald" is "autumn forest"."""
    for cut in range(len(word) - 3, 2, -1):
        right = _part(word[cut:])
        if right is None:
            continue
        for link in _LINKING:
            left = _part(word[:cut].removesuffix(link)) if word[:cut].endswith(link) else None
            if left is not None:
                return _Entry(f"{left.english} {right.english}", False)
    return None


def _part(word: str) -> _Entry | None:
    if len(word) < 3:
        return None
    entry = _look_up((word,), "German") or _look_up((word + "e",), "German") or _inflected(word, "German")
    return None if entry is None or entry.english in _FUNCTION else entry


def _plain(word: str) -> str:
    """Without accents, lower case."""
    if word.isascii():
        return word.casefold()
    letters = unicodedata.normalize("NFD", word.casefold())
    return "".join(c for c in letters if unicodedata.category(c) != "Mn").translate(_LETTERS)


@cache
def _entries() -> Mapping[str, Mapping[tuple[str, ...], _Entry]]:
    """For each language: words, with accents and without, to their entry; the first of equals counts."""
    exact: dict[str, dict[tuple[str, ...], _Entry]] = {language: {} for language in LANGUAGES}
    plain: dict[str, dict[tuple[str, ...], _Entry]] = {language: {} for language in LANGUAGES}
    for line in _DICTIONARY.read_text("utf-8").splitlines():
        english, *columns = line.split("\t")
        for language, column in zip(LANGUAGES, columns, strict=True):
            for cell in column.split("/"):
                text = cell.removesuffix("!").casefold()
                entry = _Entry(english, cell[-1] == "!")
                exact[language].setdefault(_words(text), entry)
                if not text.isascii():
                    for without in (_plain(text), _plain("".join(_UMLAUTS.get(letter, letter) for letter in text))):
                        if without != "the":  # tea without its accent
                            plain[language].setdefault(_words(without), _Entry(english, entry.shared, unaccented=True))
    return {language: {**plain[language], **exact[language]} for language in LANGUAGES}


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.replace("-", " ").split())
