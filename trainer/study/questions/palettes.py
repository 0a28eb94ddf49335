"""Palette studies: for each text the palettes of people and of models, side by side (Bahng et al. 2018, user study).

Every palette is shown darkest colour first, so that the order of colours does not tell who made it. Must not import
torch at module level.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from t2c_engine.palettes.palette import Palette, palette_distance
from trainer.study.design import (
    ABSURD,
    HUMAN,
    RIGHT,
    Answer,
    Kind,
    Question,
    Role,
    Study,
    StudyPlan,
    answer_sets,
    make_question,
    split_method,
)
from trainer.study.questions.color_names import palette_words
from trainer.study.questions.wording import PALETTE_WORDING
from trainer.study.study_files import planned_study

if TYPE_CHECKING:
    from t2c_engine.palettes.sampler import PaletteSampler

log = logging.getLogger(__name__)

SHIPPED = "shipped"  # name of the default palette model
OFFERED = 5  # palettes a user is offered; the first of them is asked about
SAME = 1.0  # mean CIEDE2000 below which two palettes are the same answer

CHECKS = {
    "a moonless black night": "#000000 #0b0b14 #14141f #1d1d29 #2a2a36",
    "fresh white snow": "#d9e2ea #e6edf2 #eef3f7 #f6f9fb #ffffff",
    "ripe yellow lemons": "#e0b400 #f2cb05 #ffdd1f #ffe95c #fff4a3",
    "the dark blue deep sea": "#00061c #020d33 #05184d #0a2466 #123580",
    "pale pink candy floss": "#f2a6c4 #f7b8d1 #fac9dc #fcd9e7 #fee9f1",
    "dark chocolate": "#1c0f0a #2b1710 #3b2116 #4d2c1e #613a28",
    "a pale blue morning sky": "#9cc4ea #aed0f0 #bfdbf4 #d0e6f8 #e1f0fb",
}
PRACTICE = {
    "a green meadow": "#1f5c1a #3f8f2f #6cb84f #a3d97c #d8f0a8",
    "a sunset": "#3b1530 #8f2d3f #d9583b #f59a4a #ffd98a",
}


@dataclass(frozen=True, slots=True)
class PaletteStudyRequest:
    """What to ask. `human`: text to the palette by people. `models`: name to model."""

    human: Mapping[str, Palette]
    models: Mapping[str, PaletteSampler]
    plan: StudyPlan = field(default_factory=lambda: StudyPlan(PALETTE_WORDING))


def load_models(names: Sequence[str]) -> dict[str, PaletteSampler]:
    """Models by name: "shipped", an installed model's name, or NAME=FOLDER of a finished run.

    Raises:
        UsageError: a name comes twice, or is reserved. ModelError: a model cannot be loaded.
    """
    from t2c_engine.palettes.sampler import PaletteSampler
    from trainer.evaluation.compare_palettes import load_run

    models: dict[str, PaletteSampler] = {}
    for entry in names:
        name, folder = split_method(entry, models, "model")
        models[name] = load_run(Path(folder)) if folder else PaletteSampler.load(None if name == SHIPPED else name)
    return models


def palette_study(request: PaletteStudyRequest) -> Study:
    """Draw the models' palettes and arrange the study. A text for which two answers are the same is left out.

    Raises:
        UsageError: nothing is left to ask, or numbers do not fit.
    """
    count = request.plan.answers_of(len(request.models) + 1)
    sets = answer_sets(list(request.models), count, human=True)
    seed = request.plan.forms.seed
    questions: list[Question] = []
    for text, true in request.human.items():
        answers = _answers(text, true, request.models, seed)
        if answers is None:
            log.warning("'%s' is left out: two of its answers are the same palette.", text)
            continue
        questions += [
            make_question(seed, f"{text}|{'|'.join(some)}", text, [answers[m] for m in some]) for some in sets
        ]
    asked = [*questions, *check_questions(count, seed), *practice_questions(count, seed)]
    sources = {name: model.name for name, model in request.models.items()} | {HUMAN: "palettes by people"}
    return planned_study(Kind.PALETTES, request.plan, asked, sources)


def palette_answer(method: str, palette: Palette) -> Answer:
    """A palette as it is shown: darkest first."""
    ordered = palette.sorted()
    return Answer("", method, ordered.hex, description=palette_words(ordered))


def _answers(text: str, true: Palette, models: Mapping[str, PaletteSampler], seed: int) -> dict[str, Answer] | None:
    """Method to answer; None where two are the same palette."""
    from t2c_engine.palettes.sampler import PaletteRequest

    palettes = {HUMAN: true}
    for name, model in models.items():
        palettes[name] = model.sample(PaletteRequest(text, count=OFFERED, seed=seed)).palettes[0]
    lab = np.stack([palette.to_size().lab for palette in palettes.values()])
    apart = palette_distance(lab[:, None], lab[None])[np.triu_indices(len(lab), 1)]
    if apart.size and apart.min() < SAME:
        return None
    return {name: palette_answer(name, palette) for name, palette in palettes.items()}


def check_questions(count: int, seed: int) -> list[Question]:
    """Attention checks: one palette that a text names outright, and `count` - 1 absurd ones.

    Absurd are those farthest off without a*, so that red-green colour blindness does not fail a check.
    """
    palettes = {text: Palette.from_hex(colors) for text, colors in CHECKS.items()}
    lab = np.stack([palette.lab for palette in palettes.values()]) * [1, 0, 1]
    apart = palette_distance(lab[:, None], lab[None])
    texts = list(palettes)
    questions = []
    for row, text in enumerate(texts):
        absurd = [texts[index] for index in np.argsort(-apart[row], kind="stable")[: count - 1]]
        answers = [palette_answer(RIGHT, palettes[text]), *(palette_answer(ABSURD, palettes[one]) for one in absurd)]
        questions.append(make_question(seed, f"check|{text}", text, answers, Role.CHECK))
    return questions


def practice_questions(count: int, seed: int) -> list[Question]:
    """Questions to get used to the page; what is chosen is not stored."""
    questions = []
    for text, colors in PRACTICE.items():
        others = list(CHECKS.values())[: count - 1]
        answers = [palette_answer("practice", Palette.from_hex(one)) for one in (colors, *others)]
        questions.append(make_question(seed, f"practice|{text}", text, answers, Role.PRACTICE))
    return questions
