"""Measures palettes sampled from phrases against PAT's test split. Used by `t2c-train evaluate`; must not import torch.

The palettes are those a user gets: `PaletteSampler.sample`, five a text, seed 0. Distances are CIEDE2000.
- match(A, B): mean distance of the best one-to-one assignment of A's five colours to B's.
- single: match to the true palette, mean over samples and texts. best_of_5: the smallest of the five, mean over texts.
- inside: mean pairwise distance of a palette's colours. between: mean match of two samples of one text.
- ab_kl: colours of all training palettes and of all sampled ones, each in its nearest of the 313 ab bins, 0.5 added to
  every bin, normalised; KL(training || sampled).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from t2c_engine.color.lab import ab_bins, nearest_bin
from t2c_engine.errors import UsageError
from t2c_engine.palettes.palette import PALETTE_SIZE, delta_e_2000, palette_distance
from t2c_engine.palettes.sampler import PaletteRequest, PaletteSampler
from t2c_engine.text.lexicon import split_words
from trainer.common.run_log import track
from trainer.palettes.data import TextColors, read_texts

PER_TEXT = 5
_CHUNK = 128  # texts whose distances are computed at once


@dataclass(frozen=True, slots=True)
class PaletteScores:
    """Figures of one set of texts; see the module's text. `between` and the references' gaps may be None."""

    texts: int
    single: float
    best_of_5: float
    inside: float
    between: float | None
    ab_kl: float


@dataclass(frozen=True, slots=True)
class PaletteFigures:
    """Scores on all test texts, on those not in train or val, on those of unseen words only, and of references."""

    model: str
    split: str
    all: PaletteScores
    new_texts: PaletteScores
    unseen_words: PaletteScores
    references: dict[str, PaletteScores]

    def as_json(self) -> dict[str, Any]:
        """Plain numbers, rounded to four digits after the point."""
        return _rounded(asdict(self))


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def evaluate_palettes(
    sampler: PaletteSampler, data: Path, *, split: str = "test", limit: int | None = None, references: bool = True
) -> PaletteFigures:
    """Measure a sampler.

    Args:
        data: the data folder; its `text/pat.jsonl` is used.
        split: "test", or "val" to choose settings by.
        limit: only so many texts, for a quick look.
        references: also score random, average and true palettes.

    Raises:
        UsageError: the data folder has no PAT rows of that split or none to train on.
    """
    rows = [row for row in read_texts(data, pat_only=True) if len(row.lab) == PALETTE_SIZE]
    training = [row for row in rows if row.split == "train"]
    tested = [row for row in rows if row.split == split][:limit]
    if not training or not tested:
        raise UsageError(f"{data / 'text' / 'pat.jsonl'} holds no rows of the splits 'train' and '{split}'.")
    truth = np.stack([row.lab for row in tested]).astype(np.float64)  # N x 5 x 3
    sampled = sample_palettes(sampler, tested)
    colors = np.concatenate([row.lab for row in training])
    parts = {
        "all": np.ones(len(tested), dtype=bool),
        "new_texts": new_texts(tested, [row for row in rows if row.split != split and row.split != "test"]),
        "unseen_words": unseen_words(tested, training),
    }
    scores = {name: score_palettes(sampled[rows], truth[rows], colors) for name, rows in parts.items()}
    others = _references(training, truth, colors) if references else {}
    return PaletteFigures(sampler.name, split, **scores, references=others)


def sample_palettes(sampler: PaletteSampler, tested: Sequence[TextColors]) -> np.ndarray:
    """The five palettes of each text (N x 5 x 5 x 3 Lab)."""
    return np.stack([_palettes(sampler, row.text) for row in track(tested, len(tested), "texts")])


def _palettes(sampler: PaletteSampler, text: str) -> np.ndarray:
    """The five palettes of a text (5 x 5 x 3 Lab)."""
    result = sampler.sample(PaletteRequest(text, count=PER_TEXT, seed=0))
    return np.stack([palette.lab for palette in result.palettes]).astype(np.float64)


def new_texts(tested: Sequence[TextColors], others: Sequence[TextColors]) -> np.ndarray:
    """Which tested texts do not occur among the others (as written, but for case and white space)."""
    known = {" ".join(row.text.casefold().split()) for row in others}
    return np.array([" ".join(row.text.casefold().split()) not in known for row in tested])


def unseen_words(tested: Sequence[TextColors], training: Sequence[TextColors]) -> np.ndarray:
    """Which tested texts have no word in common with the training texts."""
    known = {word for row in training for word in split_words(row.text)}
    return np.array([known.isdisjoint(split_words(row.text)) for row in tested])


def score_palettes(sampled: np.ndarray, truth: np.ndarray, training_colors: np.ndarray) -> PaletteScores:
    """Score palettes N x S x 5 x 3 against the true ones N x 5 x 3 (S samples a text)."""
    if not len(sampled):
        return PaletteScores(0, 0.0, 0.0, 0.0, None, 0.0)
    matches = np.concatenate([palette_distance(sampled[rows], truth[rows][:, None]) for rows in _chunks(len(sampled))])
    between = [
        palette_distance(sampled[rows, first], sampled[rows, second]).mean() * len(sampled[rows]) / len(sampled)
        for first, second in combinations(range(sampled.shape[1]), 2)
        for rows in _chunks(len(sampled))
    ]
    pairs = list(combinations(range(PALETTE_SIZE), 2))
    inside = np.mean([delta_e_2000(sampled[..., i, :], sampled[..., j, :]).mean() for i, j in pairs])
    return PaletteScores(
        texts=len(sampled),
        single=float(matches.mean()),
        best_of_5=float(matches.min(axis=1).mean()),
        inside=float(inside),
        between=float(np.sum(between) / (len(between) / len(_chunks(len(sampled))))) if between else None,
        ab_kl=ab_divergence(training_colors, sampled.reshape(-1, 3)),
    )


def _chunks(count: int) -> list[slice]:
    return [slice(start, start + _CHUNK) for start in range(0, count, _CHUNK)]


def ab_divergence(training: np.ndarray, sampled: np.ndarray) -> float:
    """KL(training || sampled) of the distributions of Lab colours (each n x 3) over the 313 ab bins."""
    p, q = (np.bincount(nearest_bin(lab[:, 1:]), minlength=len(ab_bins())) + 0.5 for lab in (training, sampled))
    p, q = p / p.sum(), q / q.sum()
    return float((p * np.log(p / q)).sum())


def _references(training: Sequence[TextColors], truth: np.ndarray, colors: np.ndarray) -> dict[str, PaletteScores]:
    """Scores of random training palettes, of their average, and of the true palettes themselves."""
    known = np.stack([row.lab for row in training]).astype(np.float64)
    random = known[np.random.default_rng(0).integers(len(known), size=(len(truth), PER_TEXT))]
    by_light = np.take_along_axis(known, known[..., :1].argsort(axis=1), axis=1)
    average = np.broadcast_to(by_light.mean(axis=0), (len(truth), 1, PALETTE_SIZE, 3))
    return {
        "random training palettes": score_palettes(random, truth, colors),
        "the average training palette": score_palettes(average, truth, colors),
        "true palettes": score_palettes(truth[:, None], truth, colors),
    }
