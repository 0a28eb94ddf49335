"""The vocabulary of the palette networks: which known words a written word stands for.

Hides inflection, contractions, compounds and misspellings. Holds no vectors and no tokenising (`lexicon`).
Must not import torch, scipy or the trainer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache

import numpy as np

LONGEST_WORD = 24  # longer words are never looked for among misspellings or compounds
_SHORTEST_PART = 3  # letters of the smallest part of a compound
_SHORTEST_SPELLING = 4  # shorter words have too many neighbours to guess from
_SHORTEST_TWO_EDITS = 7

_CONTRACTIONS = {
    "im": "i am", "ive": "i have", "dont": "do not", "doesnt": "do not", "didnt": "do not", "isnt": "be not",
    "cant": "can not", "wont": "will not", "youre": "you be", "youve": "you have", "thats": "that be",
    "whats": "what be", "lets": "let we", "theyre": "they be",
}  # fmt: skip

# ending, what stands in its place in the base form; the first that gives a known word wins
_ENDINGS = (
    ("ies", "y"), ("ied", "y"), ("ier", "y"), ("iest", "y"), ("ily", "y"), ("iness", "y"),
    ("s", ""), ("es", ""), ("ves", "f"), ("ves", "fe"),
    ("ed", "e"), ("ed", ""), ("ing", ""), ("ing", "e"), ("in", "ing"),
    ("er", ""), ("er", "e"), ("est", ""), ("est", "e"), ("ly", ""), ("ly", "le"),
    ("en", ""), ("en", "e"), ("n", ""), ("ness", ""), ("less", ""), ("ful", ""), ("like", ""),
    ("ish", ""), ("ish", "e"), ("ey", "e"), ("ey", ""),
    ("y", ""), ("y", "e"), ("esque", ""), ("e", ""),
)  # fmt: skip
_DOUBLED = ("ed", "ing", "er", "est", "y", "ish")  # endings before which a consonant may be doubled


class How(StrEnum):
    """How a written word was understood."""

    KNOWN = "known"
    FORM = "form"  # an inflected form or a contraction
    SPELLING = "spelling"
    COMPOUND = "compound"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Reading:
    """One written word (`token`, lower case) and the known words it was taken for (none if unknown)."""

    token: str
    words: tuple[str, ...]
    how: How


def base_candidates(word: str) -> Iterator[str]:
    """Base forms that the English endings of `word` allow, likeliest first; they need not be words."""
    for ending, replacement in _ENDINGS:
        stem = word.removesuffix(ending)
        if len(stem) < 2 or len(stem) == len(word):
            continue
        if ending in _DOUBLED and replacement == "" and len(stem) > 3 and stem[-1] == stem[-2]:
            yield stem[:-1]
        yield stem + replacement


def edit_distances(word: bytes, others: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Optimal string alignment distance (insert, delete, replace, swap neighbours) from one word to many.

    Args:
        word: m letters.
        others: n x w uint8, zero-padded letters.
        lengths: n, letters of each.

    Returns:
        n integers.
    """
    width = int(lengths.max(initial=0))
    columns = [others[:, j] for j in range(width)]
    before: list[np.ndarray] = []
    above = [np.full(len(others), j, dtype=np.int16) for j in range(width + 1)]
    for i, letter in enumerate(word, start=1):
        row = [np.full(len(others), i, dtype=np.int16)]
        for j in range(1, width + 1):
            cost = above[j - 1] + (columns[j - 1] != letter)
            cost = np.minimum(cost, np.minimum(above[j], row[j - 1]) + 1)
            if i > 1 and j > 1:
                swapped = (columns[j - 1] == word[i - 2]) & (columns[j - 2] == letter)
                cost = np.where(swapped, np.minimum(cost, before[j - 2] + 1), cost)
            row.append(cost.astype(np.int16))
        before, above = above, row
    return np.stack(above, axis=1)[np.arange(len(others)), lengths]


class Vocabulary:
    """Known words in row order, further forms of them, and how often palette texts use each."""

    def __init__(self, words: Sequence[str], forms: dict[str, str], uses: np.ndarray) -> None:
        """
        Args:
            words: n different lower-case words.
            forms: irregular forms, each to one of `words`.
            uses: n uint8, larger for words that texts about colour use more; decides between equal guesses.
        """
        self.words = tuple(words)
        self.forms = forms
        self.uses = uses
        self._rows = {word: row for row, word in enumerate(self.words)}
        self._remembered = lru_cache(maxsize=1 << 16)(self._read)

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self._rows

    def rows(self, words: Iterable[str]) -> list[int]:
        """Row numbers of known words."""
        return [self._rows[word] for word in words]

    def read(self, token: str) -> Reading:
        """What a lower-case token stands for: itself, its base form, a near spelling, or the parts of a compound."""
        return self._remembered(token)

    def usual(self, token: str) -> bool:
        """Whether a lower-case token is, itself or in an inflected form, a word that texts about colour use."""
        return any(self.uses[row] for row in self.rows(self.exact(token).words))

    def exact(self, token: str) -> Reading:
        """As `read`, but without guessing at misspellings and compounds."""
        if token in self._rows:
            return Reading(token, (token,), How.KNOWN)
        known = self._contraction(token) or self._base(token)
        return Reading(token, known, How.FORM if known else How.UNKNOWN)

    def _read(self, token: str) -> Reading:
        reading = self.exact(token)
        guessable = _SHORTEST_SPELLING <= len(token) <= LONGEST_WORD and token.isascii() and token.isalpha()
        if reading.words or not guessable:
            return reading
        near = self._spelling(token, 1)
        if near:
            return Reading(token, near, How.SPELLING)
        parts = self._compound(token)
        if parts:
            return Reading(token, parts, How.COMPOUND)
        near = self._spelling(token, 2) if len(token) >= _SHORTEST_TWO_EDITS else ()
        return Reading(token, near, How.SPELLING if near else How.UNKNOWN)

    def _contraction(self, token: str) -> tuple[str, ...]:
        return tuple(word for word in _CONTRACTIONS.get(token, "").split() if word in self._rows)

    def _base(self, token: str) -> tuple[str, ...]:
        form = self.forms.get(token)
        if form is not None:
            return (form,)
        for candidate in base_candidates(token):
            if candidate in self._rows:
                return (candidate,)
            if candidate in self.forms:
                return (self.forms[candidate],)
        return ()

    def _part(self, token: str) -> tuple[str, ...]:
        """The part itself or its base form; parts of three letters must be words that texts about colour use."""
        part = (token,) if token in self._rows else self._base(token)
        return part if len(token) > 3 or (part and self.uses[self._rows[part[0]]]) else ()

    def _compound(self, token: str) -> tuple[str, ...]:
        """The two known words that `token` is written together from; the better used pair wins."""
        best: tuple[float, tuple[str, ...]] = (-1.0, ())
        for cut in range(_SHORTEST_PART, len(token) - _SHORTEST_PART + 1):
            parts = (self._part(token[:cut]), self._part(token[cut:]))
            if all(parts):
                words = parts[0] + parts[1]
                best = max(best, (float(min(self.uses[self.rows(words)])) + min(cut, len(token) - cut) / 100, words))
        return best[1]

    @cached_property
    def _letters(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows of the words that can be spelling guesses, their letters (n x LONGEST_WORD) and lengths."""
        lengths = np.array([len(word) for word in self.words])
        plain = np.array([word.isascii() for word in self.words])
        rows = np.flatnonzero((lengths > 2) & (lengths <= LONGEST_WORD) & plain)
        packed = np.array([self.words[row].encode() for row in rows], dtype=f"S{LONGEST_WORD}")
        return rows, packed.view(np.uint8).reshape(len(rows), LONGEST_WORD), lengths[rows]

    def _spelling(self, token: str, most: int) -> tuple[str, ...]:
        """The known word within `most` edits; ties go to the same first letter, then to the word used more.

        A short or twice misspelt word is only taken for one that texts about colour use.
        """
        rows, letters, lengths = self._letters
        word = token.encode()
        first = letters[:, 0] == word[0]
        if most > 1 or len(word) < 6:
            near = first & (np.abs(lengths - len(word)) <= most)
        else:
            near = (np.abs(lengths - len(word)) <= most) & (first | (letters[:, :2] == word[1]).any(axis=1))
        rows, letters, lengths, first = rows[near], letters[near], lengths[near], first[near]
        if not len(rows):
            return ()
        distances = edit_distances(word, letters, lengths)
        cost = distances + 0.4 * ~first - np.minimum(self.uses[rows], 60) / 100
        trusted = (self.uses[rows] > 0) | ((distances <= 1) & (len(word) >= _SHORTEST_TWO_EDITS))
        cost[(distances > most) | ~trusted] = np.inf
        best = int(np.argmin(cost))
        return (self.words[rows[best]],) if np.isfinite(cost[best]) else ()
