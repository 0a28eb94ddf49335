"""Palette models side by side, as the paper compares its losses (Bahng et al. 2018, 5.1.1): figures and ab plots.

Must not import networks or torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from t2c_engine.errors import ModelError
from t2c_engine.models import load_weights, read_card
from t2c_engine.palettes.palette import PALETTE_SIZE
from t2c_engine.palettes.sampler import PaletteSampler
from trainer.evaluation.palettes import sample_palettes, score_palettes
from trainer.evaluation.report_palettes import ab_page
from trainer.palettes.data import read_texts


def load_run(folder: Path) -> PaletteSampler:
    """The palette model that lies in a run's folder.

    Raises:
        ModelError: there is none, or it cannot be read.
    """
    cards = sorted(folder.glob("*.json"))
    if not cards:
        raise ModelError(f"No exported model is in {folder}; let the run come to its end.")
    card = read_card(cards[0])
    return PaletteSampler.from_tensors(card.name, card.config, load_weights(card))


def compare_models(folders: Sequence[Path], data: Path, plot: Path, limit: int | None = None) -> dict[str, Any]:
    """Score models on PAT's test texts and plot their colours beside the training palettes'.

    Args:
        folders: runs with an exported palette model each.
        plot: PNG to write.
        limit: only so many texts.

    Returns:
        Figures (see `trainer.evaluation.palettes`) by model name, best ab_kl first.

    Raises:
        ModelError, UsageError: a model or the data cannot be read.
    """
    rows = [row for row in read_texts(data, pat_only=True) if len(row.lab) == PALETTE_SIZE]
    training = np.concatenate([row.lab for row in rows if row.split == "train"])
    tested = [row for row in rows if row.split == "test"][:limit]
    truth = np.stack([row.lab for row in tested]).astype(np.float64)
    figures: dict[str, Any] = {}
    colors: dict[str, np.ndarray] = {}
    for folder in folders:
        sampler = load_run(folder)
        sampled = sample_palettes(sampler, tested)
        figures[sampler.name] = asdict(score_palettes(sampled, truth, training))
        colors[sampler.name] = sampled.reshape(-1, 3)
    order = sorted(figures, key=lambda name: figures[name]["ab_kl"])
    ab_page(plot, {"training palettes": training} | {f"{k}: KL {figures[k]['ab_kl']:.3f}": colors[k] for k in order})
    return {name: figures[name] for name in order}
