"""Figures of a colouriser: the judge's accuracy and the kinds of pictures beside the measures of every picture."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from torch import Tensor

from t2c_engine.color.lab import lab_to_srgb, srgb_to_lab
from tests.fakes import Colorizer
from trainer.evaluation.color_metrics import picture_palette
from trainer.evaluation.colors import (
    AUTOMATIC,
    DEGRADED,
    DIRECT,
    FOLDERS,
    GREY,
    NEAREST,
    PALETTE,
    TRUE,
    EvalPicture,
    evaluate_colors,
)
from trainer.evaluation.evaluate import figures_text
from trainer.evaluation.judge import Judge
from trainer.evaluation.kinds import KINDS, TABLE, MeansByKind, kinds_of

BIRD, LEOPARD, STONES = (
    "imagenet_birds/n01531178_goldfinch.jpg",
    "imagenet_160/n02128385_leopard.jpg",
    "dtd_patterns/crystalline_0124.jpg",
)


def made_up(name: str, seed: int) -> EvalPicture:
    rng = np.random.default_rng(seed)
    lab = np.kron(rng.uniform((20, -40, -40), (85, 40, 40), (6, 7, 3)), np.ones((16, 16, 1))).astype(np.float32)
    rgb = lab_to_srgb(lab).clip(0, 1)
    lab = srgb_to_lab(rgb)
    return EvalPicture(name, rgb, lab, picture_palette(lab))


def colourful(batch: Tensor) -> Tensor:
    """A network that sees a goldfinch where there is any colour, else a tench."""
    scores = torch.zeros(len(batch), 1000)
    scores[:, 11] = (batch.amax(1) - batch.amin(1)).mean((1, 2)) - 0.02
    return scores


def test_judge_and_kinds_come_with_the_measures_of_each_method() -> None:
    pictures = [made_up(name, seed) for seed, name in enumerate((BIRD, LEOPARD, STONES))]
    kinds = MeansByKind()
    figures = evaluate_colors(Colorizer(), pictures, judge=Judge(colourful), kinds=kinds)  # type: ignore[arg-type]
    assert figures[TRUE] == {"judge": 0.5}, "of the two with a WordNet id, the leopard passes for a finch"
    assert figures[GREY]["judge"] == 0
    assert {method for method, row in figures.items() if "judge" in row} >= {PALETTE, AUTOMATIC, DIRECT, NEAREST}
    assert "judge" not in figures[DEGRADED]

    by_kind = kinds.figures()
    assert set(by_kind) == {"animals", "outdoor", "patterns"}
    assert [by_kind[kind]["pictures"] for kind in ("animals", "outdoor", "patterns")] == [2, 1, 1]
    for method in set(figures) - {TRUE}:
        total = 2 * by_kind["animals"][method] + by_kind["patterns"][method]
        assert total / 3 == pytest.approx(figures[method]["ab_error"])
    text = figures_text({"colors": figures, "kinds": by_kind})
    assert "judge" in text and "  patterns" in text


def test_without_a_judge_nothing_is_judged() -> None:
    figures = evaluate_colors(Colorizer(), [made_up(BIRD, 1), made_up(STONES, 2)])  # type: ignore[arg-type]
    assert TRUE not in figures and not any("judge" in row for row in figures.values())


def test_every_evaluation_picture_has_known_kinds() -> None:
    names = [line.split(",")[0] for line in TABLE.read_text("utf-8").splitlines()[1:]]
    counts = Counter(name.split("/")[0] for name in names)
    assert set(counts) == set(FOLDERS) and len(set(names)) == counts.total() == 376
    for name in names:
        kinds = kinds_of(name)
        assert kinds and set(kinds) <= set(KINDS) and len(set(kinds)) == len(kinds), name
        assert not {"indoor", "outdoor"} <= set(kinds), name
        if name.startswith("imagenet_birds/"):
            assert "animals" in kinds
        if name.startswith("dtd_patterns/"):
            assert kinds == ("patterns",)
    assert all(sum(kind in kinds_of(name) for name in names) >= 15 for kind in KINDS), "a mean of a few says nothing"
    assert kinds_of("elsewhere/1.jpg") == ()
