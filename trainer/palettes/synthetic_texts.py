"""Texts made from other texts: modifiers ("dark rose" from "rose") and palettes around named colours.

Palette titles seldom say the same thing twice with one word added, so what "dark" or "muted" does to a palette is
learned from palettes moved in Lab; and a colour's name comes with one colour only, so it is set into a palette that
people chose around one like it. The nouns that `trainer.evaluation.words` measures modifiers with are left out. Must
not import torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from t2c_engine.color.lab import fit_gamut, lab_to_srgb, srgb_to_lab
from t2c_engine.palettes.palette import PALETTE_SIZE
from t2c_engine.palettes.selection import din99
from t2c_engine.text.lexicon import split_words
from trainer.palettes.data import TextColors

WARM_HUE = 50.0  # degrees in ab, orange; cold is the opposite, blue
NOUNS = tuple(
    "rose ocean forest sunset autumn winter spring summer garden sky fire love heart night morning desert mountain "
    "candy coffee wine flower rainbow city dream moon river storm beach sea tree".split()
)  # of the modifier figures: texts with one of them are never modified for training
MODIFIERS = ("dark", "pale", "pastel", "neon", "muted", "warm", "cold")
SYNONYMS = {
    "deep": "dark", "midnight": "dark", "light": "pale", "soft": "pastel", "bright": "neon", "vivid": "neon",
    "electric": "neon", "faded": "muted", "dusty": "muted", "dull": "muted", "cool": "cold", "icy": "cold",
}  # fmt: skip
_SYNONYM_SHARE = 0.25  # of the modified texts
_LONGEST = 3  # words of a text that is modified
_NEAR = 8.0  # DIN99 distance within which a palette's colour can be taken for the named one
_CHOICE = 40  # palettes a name chooses among
_WEIGHTS = np.array([1.0, 0.5, 0.25, 0.1, 0.0], dtype=np.float32)  # of a palette's colours, the nearest first

Move = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def _dark(lab: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return lab * [rng.uniform(0.35, 0.65), *[rng.uniform(0.6, 0.95)] * 2]


def _lighten(lab: np.ndarray, rest: float, chroma: float) -> np.ndarray:
    return np.concatenate((100 - (100 - lab[:, :1]) * rest, lab[:, 1:] * chroma), axis=1)


def _pale(lab: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return _lighten(lab, rng.uniform(0.3, 0.6), rng.uniform(0.35, 0.65))


def _pastel(lab: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Light, with a chroma of 15 to 35 whatever it was; greys stay grey."""
    chroma = np.hypot(lab[:, 1], lab[:, 2]).mean()
    return _lighten(lab, rng.uniform(0.3, 0.5), np.clip(rng.uniform(15, 35) / max(chroma, 1), 0.3, 1.5))


def _neon(lab: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    light = lab[:, :1] + (65 - lab[:, :1]) * rng.uniform(0.1, 0.5)
    return np.concatenate((light, lab[:, 1:] * rng.uniform(1.5, 2.8)), axis=1)


def _muted(lab: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    light = 55 + (lab[:, :1] - 55) * rng.uniform(0.6, 0.95)
    return np.concatenate((light, lab[:, 1:] * rng.uniform(0.3, 0.6)), axis=1)


def _tint(sign: float) -> Move:
    axis = np.array([0, np.cos(np.radians(WARM_HUE)), np.sin(np.radians(WARM_HUE))])

    def move(lab: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return lab + sign * rng.uniform(12, 35) * axis

    return move


MOVES: dict[str, Move] = {
    "dark": _dark, "pale": _pale, "pastel": _pastel, "neon": _neon, "muted": _muted,
    "warm": _tint(1), "cold": _tint(-1),
}  # fmt: skip


def modified_texts(rows: Sequence[TextColors], seed: int = 0) -> list[TextColors]:
    """Each short training text of PAT with one modifier in front and its palette moved, source "modified".

    Left out are texts that hold a modifier already and those with one of `NOUNS`.
    """
    rng = np.random.default_rng(seed)
    taken = {*NOUNS, *MODIFIERS, *SYNONYMS, "not", "no", "without", "black", "white"}
    texts: list[str] = []
    palettes: list[np.ndarray] = []
    for row in rows:
        words = split_words(row.text)
        if row.source != "pat" or row.split != "train" or not 0 < len(words) <= _LONGEST:
            continue
        if not taken.isdisjoint(words) or not taken.isdisjoint(word.rstrip("s") for word in words):
            continue
        word = str(rng.choice(list(SYNONYMS) if rng.random() < _SYNONYM_SHARE else list(MODIFIERS)))
        texts.append(f"{word} {row.text}")
        palettes.append(MOVES[SYNONYMS.get(word, word)](row.lab.astype(np.float64), rng))
    if not texts:
        return []
    shown = srgb_to_lab(lab_to_srgb(fit_gamut(np.concatenate(palettes)))).astype(np.float32)
    parts = np.split(shown, np.cumsum([len(palette) for palette in palettes])[:-1])
    return [TextColors(text, part, "modified") for text, part in zip(texts, parts, strict=True)]


def named_palettes(rows: Sequence[TextColors], seed: int = 0) -> list[TextColors]:
    """For each colour name, training palettes of PAT dominated by colours like it, with the named one set in.

    The palette's colour nearest to the named one is replaced by it. Source "named".
    """
    rng = np.random.default_rng(seed)
    full = [row.lab for row in rows if row.source == "pat" and row.split == "train" and len(row.lab) == PALETTE_SIZE]
    if not full:
        return []
    palettes = np.stack(full)
    space = din99(palettes).astype(np.float32)
    flat, lengths = space.reshape(-1, 3).T.copy(), (space**2).sum(-1)
    synthetic = []
    for row in rows:
        if row.source != "names" or row.split != "train" or not row.palettes_around:
            continue
        wanted = din99(row.lab[0]).astype(np.float32)
        square = lengths + wanted @ wanted - 2 * (wanted @ flat).reshape(lengths.shape)
        apart = np.sqrt(np.maximum(square, 0))  # n x 5
        order = np.sort(apart, axis=1)
        cost = order @ _WEIGHTS + 1e6 * (order[:, 0] > _NEAR)
        best = np.argpartition(cost, _CHOICE)[:_CHOICE] if len(cost) > _CHOICE else np.arange(len(cost))
        best = best[cost[best] < 1e6]
        for index in rng.permutation(best)[: row.palettes_around]:
            colors = palettes[index].copy()
            colors[int(apart[index].argmin())] = row.lab[0]
            synthetic.append(TextColors(row.text, colors, "named"))
    return synthetic
