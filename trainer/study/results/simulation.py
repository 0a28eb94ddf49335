"""Simulated observers with known preferences: whether they are recovered, and how many people a study needs.

Simulated sessions are JSON as the page makes it and are read like any other. Must not import torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from t2c_engine.errors import UsageError
from trainer.study.design import (
    ABSURD,
    RIGHT,
    Answer,
    FormConfig,
    Kind,
    Prompt,
    Question,
    Study,
    answer_sets,
    draw_forms,
    make_question,
)
from trainer.study.questions.palettes import check_questions
from trainer.study.questions.wording import PALETTE_WORDING
from trainer.study.results.choices import make_choices
from trainer.study.results.statistics import analyze
from trainer.study.sessions import FORMAT, VERSION, ExclusionRules, apply_rules, parse_session
from trainer.study.study_files import make_study

_CHECK_LOGIT = 8.0  # by which an attentive observer prefers the right answer of a check


@dataclass(frozen=True, slots=True)
class SimulatedPeople:
    """Observers who choose by logits: P(i) = softmax of strength + text's part + observer's part + place's part.

    strengths: by method, 0 where not named. text_sd, observer_sd: standard deviations of what is particular to a text
    and to an observer, for each method. careless: share of observers who choose blindly and quickly. first_place:
    logits by which the first place is preferred.
    """

    strengths: Mapping[str, float] = field(default_factory=dict)
    text_sd: float = 0.5
    observer_sd: float = 0.3
    careless: float = 0.0
    first_place: float = 0.0


def simulate(study: Study, people: SimulatedPeople, observers: int, seed: int = 0) -> list[dict[str, Any]]:
    """Sessions of so many observers, as the page's JSON.

    Raises:
        UsageError: there is no observer, or a share is out of range.
    """
    if observers < 1 or not 0 <= people.careless <= 1:
        raise UsageError("A simulation needs an observer or more, and a share of careless ones from 0 to 1.")
    rng = np.random.default_rng(seed)
    methods = {name: index for index, name in enumerate((*study.methods, RIGHT, ABSURD))}
    base = np.array([people.strengths.get(name, 0.0) for name in methods])
    base[methods[RIGHT]] += _CHECK_LOGIT
    prompts: dict[Prompt, np.ndarray] = {}
    for one in study.questions:
        prompts.setdefault(one.prompt, rng.normal(0, people.text_sd, len(methods)))
    forms = rng.integers(len(study.forms), size=observers)
    sessions = []
    for number, form in enumerate(forms):
        careless = rng.random() < people.careless
        taste = rng.normal(0, people.observer_sd, len(methods))
        answers = []
        for slot in study.forms[form]:
            one = study.questions[slot.question]
            columns = [methods[one.answers[place].method] for place in slot.order]
            logits = (base + taste + prompts[one.prompt])[columns]
            logits[0] += people.first_place
            if careless:
                logits = np.zeros(len(columns))
            chosen = int(np.argmax(logits + rng.gumbel(size=len(columns))))
            shown = [one.answers[place].id for place in slot.order]
            seconds = round(float(rng.lognormal(-1.0 if careless else 1.5, 0.4)), 2)
            answers.append({"question": one.id, "shown": shown, "chosen": shown[chosen], "seconds": seconds})
        sessions.append(
            {
                "format": FORMAT,
                "version": VERSION,
                "study": study.id,
                "session": f"{seed:08x}{number:08x}",
                "form": int(form),
                "complete": True,
                "answers": answers,
            }
        )
    return sessions


def example_study(methods: Sequence[str], texts: int, answers: int, config: FormConfig) -> Study:
    """A study of human palettes and methods on made-up texts, to simulate with."""
    questions: list[Question] = []
    for number in range(texts):
        for some in answer_sets(list(methods), answers, human=True):
            given = [Answer("", name, palette=("#000000",)) for name in some]
            questions.append(make_question(config.seed, f"{number}|{'|'.join(some)}", f"text {number}", given))
    questions += check_questions(answers, config.seed)
    return make_study(Kind.PALETTES, PALETTE_WORDING, questions, draw_forms(questions, config))


@dataclass(frozen=True, slots=True)
class PowerRequest:
    """A study to be planned: one model against the human answer, beside `answers` - 2 others as good as that.

    rate: the model's true fooling rate over all people and texts, 0 to 1 without the ends.
    """

    observers: int = 30
    questions: int = 25
    texts: int = 100
    answers: int = 2
    rate: float = 0.4
    runs: int = 200
    draws: int = 400
    people: SimulatedPeople = field(default_factory=SimulatedPeople)


@dataclass(frozen=True, slots=True)
class Power:
    """What simulated studies showed.

    power: share of runs whose 95 % interval of the strength excludes that of the human answer. coverage: share of runs
    whose interval of the fooling rate, for other people and texts, holds the true one. width: mean width of that
    interval, in points of 100. error: mean absolute error of the fooling rate, in points of 100.
    """

    power: float
    coverage: float
    width: float
    error: float


def strength_of(rate: float, people: SimulatedPeople) -> float:
    """The strength (logits) that gives a fooling rate over all people and texts, two answers side by side."""
    points, weights = np.polynomial.hermite_e.hermegauss(40)
    spread = np.sqrt(2 * (people.text_sd**2 + people.observer_sd**2))  # of the difference between two answers

    def surplus(strength: float) -> float:
        return float(expit(strength + spread * points) @ weights / weights.sum()) - rate

    return float(brentq(surplus, -20, 20))  # pyright: ignore[reportArgumentType]


def power_of(request: PowerRequest, seed: int = 0) -> Power:
    """Simulate a study many times and count what it shows.

    Raises:
        UsageError: a number is out of range.
    """
    if not 0 < request.rate < 1 or request.runs < 1 or request.texts < request.questions:
        raise UsageError(
            "The rate lies between 0 and 1, runs are 1 or more, and texts are as many as questions or more."
        )
    strength = strength_of(request.rate, request.people)
    names = [f"model {letter}" for letter in "ABCD"[: request.answers - 1]]
    config = FormConfig(questions=request.questions, forms=max(20, request.observers))
    study = example_study(names, request.texts, request.answers, config)
    people = replace(request.people, strengths={names[0]: strength})
    found, covered, widths, errors = [], [], [], []
    for run in range(request.runs):
        values = simulate(study, people, request.observers, seed + run)
        kept, _ = apply_rules(study, [parse_session(study, one) for one in values], ExclusionRules())
        analysis = analyze(make_choices(study, kept), request.draws, seed + run)
        mine = next(one for one in analysis.methods if one.method == names[0])
        assert mine.fooling_wide is not None
        found.append(mine.strength.low > 0 or mine.strength.high < 0)
        covered.append(mine.fooling_wide.low <= request.rate <= mine.fooling_wide.high)
        widths.append(mine.fooling_wide.high - mine.fooling_wide.low)
        errors.append(abs(mine.fooling_wide.value - request.rate))
    figures = (np.mean(found), np.mean(covered), 100 * np.mean(widths), 100 * np.mean(errors))
    return Power(*(float(one) for one in figures))
