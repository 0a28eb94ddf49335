"""Makes the palette networks' lexicon from word vectors: fewer dimensions, 8 bits, irregular forms, words of the texts.

`data/words` holds words.txt and vectors_i8.npy with vectors_scale_f32.npy (a row's vector is int8 times its scale), and
if wanted base_forms.json (form to base) and supplement_words.tsv with supplement_f16.npy. Must not import torch.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from t2c_engine.errors import UsageError
from t2c_engine.files import reason
from t2c_engine.text.lexicon import Lexicon, split_words
from t2c_engine.text.vocabulary import How, Vocabulary

NEW_WORD_USES = 3  # an unknown word that texts use this often gets a vector of its own (zero, to be learned)
_FREQUENT = 4.0  # how much more a word that the texts use counts when directions are chosen


def read_word_vectors(folder: Path) -> tuple[list[str], np.ndarray, dict[str, str]]:
    """Words, their vectors (n x 300, float32, unit length) and the base forms.

    Raises:
        UsageError: a file is missing or the files do not fit together.
    """
    try:
        words = (folder / "words.txt").read_text("utf-8").split("\n")
        words = [word for word in words if word]
        vectors = np.load(folder / "vectors_i8.npy").astype(np.float32)
        vectors *= np.load(folder / "vectors_scale_f32.npy").reshape(-1, 1)
        path = folder / "base_forms.json"
        forms = json.loads(path.read_text("utf-8")) if path.exists() else {}
        if (folder / "supplement_words.tsv").exists():
            lines = (folder / "supplement_words.tsv").read_text("utf-8").split("\n")
            words += [line.split("\t")[0] for line in lines if line]
            more = np.load(folder / "supplement_f16.npy").astype(np.float32)
            vectors = np.concatenate((vectors, more / np.linalg.norm(more, axis=1, keepdims=True).clip(1e-6)))
    except (OSError, ValueError) as error:
        wrong = getattr(error, "filename", None) or folder
        raise UsageError(
            f"The word vectors {wrong} cannot be read ({reason(error)}); check the data folder."
        ) from error
    if len(words) != len(vectors) or len(set(words)) != len(words):
        raise UsageError(f"The word list and the word vectors in {folder} do not fit together.")
    return words, vectors, forms


def build_lexicon(folder: Path, texts: Iterable[str], dimensions: int) -> Lexicon:
    """The lexicon of a network trained on `texts`.

    Vectors are centred and turned onto their `dimensions` main directions (PCA, words of the texts counting more; none
    is dropped when `dimensions` is at least that of the vectors); the average length is 1.

    Raises:
        UsageError: see `read_word_vectors`.
    """
    words, vectors, forms = read_word_vectors(folder)
    tokens = Counter(token for text in texts for token in split_words(text))
    known = set(words)
    plain = Vocabulary(words, {}, np.zeros(len(words), np.uint8))
    irregular = {
        form: base
        for form, base in forms.items()
        if form not in known and base in known and form.isascii() and plain.exact(form).words != (base,)
    }
    vocabulary = Vocabulary(words, irregular, np.zeros(len(words), np.uint8))
    new = sorted(
        token
        for token, uses in tokens.items()
        if uses >= NEW_WORD_USES and len(token) > 2 and vocabulary.read(token).how in (How.UNKNOWN, How.SPELLING)
    )
    words = words + new
    vocabulary = Vocabulary(words, irregular, np.zeros(len(words), np.uint8))
    uses = np.zeros(len(words))
    for token, count in tokens.items():
        uses[vocabulary.rows(vocabulary.exact(token).words)] += count
    level = np.minimum(255, np.rint(8 * np.log2(1 + uses))).astype(np.uint8)
    turned = _main_directions(vectors, 1 + (_FREQUENT - 1) * (uses[: len(vectors)] > 0), dimensions)
    turned = np.concatenate((turned, np.zeros((len(new), turned.shape[1]), dtype=np.float32)))
    return Lexicon(Vocabulary(words, irregular, level), *quantise(turned))


def _main_directions(vectors: np.ndarray, weights: np.ndarray, dimensions: int) -> np.ndarray:
    mean = np.average(vectors, axis=0, weights=weights)
    centred = vectors - mean
    _, axes = np.linalg.eigh((centred * weights[:, None]).T @ centred)
    turned = centred @ axes[:, ::-1][:, :dimensions]
    return (turned / np.linalg.norm(turned, axis=1).mean()).astype(np.float32)


def quantise(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows as int8 (n x d) and their scales (n, float16), so that int8 * scale gives them back to a 254th."""
    scale = (np.abs(vectors).max(axis=1) / 127).clip(1e-7).astype(np.float16).clip(np.float16(6e-8))
    return np.rint(vectors / scale[:, None].astype(np.float32)).clip(-127, 127).astype(np.int8), scale
