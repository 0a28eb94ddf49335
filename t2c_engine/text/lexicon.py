"""Phrases to known words and their vectors, for any phrase at all.

Hides Unicode, emoji, digits and the packing of word vectors in a weight file. Must not import torch or the trainer.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from t2c_engine.errors import EmptyPhraseError, ModelError
from t2c_engine.text.translation import UNDERSTOOD
from t2c_engine.text.vocabulary import How, Reading, Vocabulary

MAX_CHARACTERS = 4000  # of a phrase that are read
MAX_WORDS = 128  # known words of a phrase that are used

_TOKEN = re.compile(r"(?:19|20)?\d0s\b|[^\W\d_]+|\d+")
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'"})
_CLITICS = (
    (r"\bcan't\b", "can not"), (r"\bwon't\b", "will not"), (r"n't\b", " not"), (r"'m\b", " am"), (r"'re\b", " are"),
    (r"'ll\b", " will"), (r"'ve\b", " have"), (r"'(?:s|d)\b", ""), (r"(\w)'(\w)", r"\1\2"),
)  # fmt: skip
_UNITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_TENS = {1: "ten", 2: "twenty", 3: "thirty", 4: "forty", 5: "fifty", 6: "sixty", 7: "seventy", 8: "eighty", 9: "ninety"}
_EMOJI_NOISE = {"sign", "symbol", "with", "face", "of", "and", "black", "white", "heavy", "squared", "emoji",
                "variation", "selector", "modifier", "button", "type"}  # fmt: skip


def _emoji_words(character: str) -> str:
    """The words of a pictograph's Unicode name ("maple leaf"), without those that say nothing of the thing."""
    name = unicodedata.name(character, "").casefold().replace("-", " ")
    emoji = ord(character) >= 0x1F000  # there "black" and "white" are colours, below they mean filled and outlined
    kept = [word for word in name.split() if word not in _EMOJI_NOISE or (emoji and word in {"black", "white"})]
    return f" {' '.join(kept)} "


def _number_words(token: str) -> list[str]:
    """A decade or a small number in words; other numbers say nothing about colour and give none."""
    if token.endswith("s"):
        tens = int(token[-3])
        recent = token.startswith("20") or tens in (0, 1, 9)
        style = "modern" if recent else "retro" if tens >= 5 else "vintage"
        return [_TENS[tens], style] if tens in _TENS else [style]
    return [_UNITS[int(token)]] if len(token) <= 2 and int(token) < len(_UNITS) else []


def split_words(phrase: str) -> list[str]:
    """Lower-case words of a phrase: accents removed, emoji named, contractions and small numbers written out.

    Letters of other scripts stay as they are. Only the first `MAX_CHARACTERS` characters are read.
    """
    text = unicodedata.normalize("NFKC", phrase[:MAX_CHARACTERS]).translate(_APOSTROPHES)
    text = "".join(_emoji_words(c) if unicodedata.category(c) == "So" else c for c in text)
    text = unicodedata.normalize("NFD", text.casefold())
    text = "".join(c for c in text if unicodedata.category(c) not in ("Mn", "Cf"))
    for pattern, replacement in _CLITICS:
        text = re.sub(pattern, replacement, text)
    words: list[str] = []
    for token in _TOKEN.findall(text):
        words.extend(_number_words(token) if token[0].isdecimal() and token.isascii() else [token])
    return words


@dataclass(frozen=True, slots=True)
class EncodedPhrase:
    """A phrase as the networks see it.

    `words` (T) are known words in order, `vectors` (T x d, float32) theirs; T is 0 when nothing was understood.
    `note` tells the user what was guessed or passed over, if anything was.
    """

    phrase: str
    readings: tuple[Reading, ...]
    words: tuple[str, ...]
    vectors: np.ndarray
    note: str | None


class Lexicon:
    """A vocabulary with its word vectors."""

    def __init__(self, vocabulary: Vocabulary, vectors: np.ndarray, scale: np.ndarray) -> None:
        """
        Args:
            vocabulary: n words.
            vectors: n x d int8.
            scale: n, what a row is multiplied with.
        """
        self.vocabulary = vocabulary
        self.vectors = vectors
        self.scale = scale

    @property
    def dimensions(self) -> int:
        """Length of a word vector."""
        return self.vectors.shape[1]

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, np.ndarray]) -> Lexicon:
        """Read what `to_tensors` has packed.

        Raises:
            ModelError: the tensors hold no vocabulary, or its parts do not fit together.
        """
        try:
            words = bytes(tensors["words.text"]).decode().split("\n")
            forms = dict(line.split(" ") for line in bytes(tensors["words.forms"]).decode().split("\n") if line)
            uses, vectors, scale = tensors["words.uses"], tensors["words.vectors"], tensors["words.scale"]
        except (KeyError, ValueError) as error:
            raise ModelError(f"The palette model holds no readable vocabulary ({error}); install it again.") from error
        if not len(words) == len(uses) == len(vectors) == len(scale) or not set(forms.values()) <= set(words):
            raise ModelError("The palette model's vocabulary and word vectors do not fit; install it again.")
        return cls(Vocabulary(words, forms, uses), vectors, scale)

    def to_tensors(self) -> dict[str, np.ndarray]:
        """The lexicon as plain arrays for a safetensors file."""
        forms = "\n".join(f"{form} {base}" for form, base in sorted(self.vocabulary.forms.items()))
        return {
            "words.text": np.frombuffer("\n".join(self.vocabulary.words).encode(), dtype=np.uint8).copy(),
            "words.forms": np.frombuffer(forms.encode(), dtype=np.uint8).copy(),
            "words.uses": self.vocabulary.uses.astype(np.uint8),
            "words.vectors": self.vectors,
            "words.scale": self.scale.astype(np.float16),
        }

    def embed(self, rows: list[int]) -> np.ndarray:
        """Vectors of the given rows (T x d, float32)."""
        return self.vectors[rows].astype(np.float32) * self.scale[rows].astype(np.float32)[:, None]

    def encode(self, phrase: str) -> EncodedPhrase:
        """Read a phrase.

        Raises:
            EmptyPhraseError: the phrase is empty or only white space.
        """
        if not phrase.strip():
            raise EmptyPhraseError("The phrase is empty; write a few words, for example: autumn breeze.")
        return self.encode_words(split_words(phrase), phrase)

    def encode_words(self, tokens: Iterable[str], phrase: str = "") -> EncodedPhrase:
        """Read words of a phrase, lower case, as `split_words` gives them; there may be none."""
        readings = [self.vocabulary.read(token) for token in tokens]
        words = tuple(word for reading in readings for word in reading.words)[:MAX_WORDS]
        vectors = self.embed(self.vocabulary.rows(words))
        return EncodedPhrase(phrase, tuple(readings), words, vectors, note_on(readings))


def note_on(readings: Sequence[Reading]) -> str | None:
    """One sentence on what was guessed or not understood, or None."""
    if not any(reading.words for reading in readings):
        return f"no known word; drawing from all palettes ({UNDERSTOOD})"
    guesses = {r.token: " ".join(r.words) for r in readings if r.how is How.SPELLING}
    parts = [f"read '{token}' as '{word}'" for token, word in list(guesses.items())[:5]]
    unknown = list(dict.fromkeys(r.token[:24] for r in readings if r.how is How.UNKNOWN))
    if unknown:
        more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
        parts.append("not understood: " + ", ".join(f"'{token}'" for token in unknown[:5]) + more)
    return "; ".join(parts) or None
