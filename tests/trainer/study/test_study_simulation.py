"""Known preferences of simulated observers are recovered, and 30 observers with 25 questions suffice."""

from __future__ import annotations

import re

import numpy as np
import pytest

from t2c_engine.errors import UsageError
from trainer.study.design import HUMAN, FormConfig, Study
from trainer.study.results.choices import make_choices
from trainer.study.results.report import conclusion
from trainer.study.results.simulation import PowerRequest, SimulatedPeople, example_study, power_of, simulate
from trainer.study.results.statistics import Analysis, analyze
from trainer.study.sessions import ExclusionRules, apply_rules, parse_session

TRUE = {HUMAN: 0.0, "shipped": -0.2, "paper": -1.2, "other": 0.5}


def asked(study: Study, people: SimulatedPeople, observers: int = 30, seed: int = 0) -> tuple[Analysis, int]:
    """Figures of simulated observers, and how many were left out."""
    sessions = [parse_session(study, one) for one in simulate(study, people, observers, seed)]
    kept, excluded = apply_rules(study, sessions, ExclusionRules())
    return analyze(make_choices(study, kept), draws=200, seed=seed), len(excluded)


@pytest.mark.parametrize("answers", [2, 3, 4])
def test_known_strengths_are_recovered(answers: int) -> None:
    study = example_study(["shipped", "paper", "other"], 100, answers, FormConfig(forms=30))
    runs = [asked(study, SimulatedPeople(TRUE, text_sd=0.2, observer_sd=0.2), seed=seed)[0] for seed in range(4)]
    found = np.array([[{m.method: m.strength.value for m in run.methods}[name] for name in TRUE] for run in runs])
    assert found.mean(axis=0) == pytest.approx(list(TRUE.values()), abs=0.15)
    assert all(run.methods[0].method == "other" and run.methods[-1].method == "paper" for run in runs)
    inside = [m.strength.low <= TRUE[m.method] <= m.strength.high for run in runs for m in run.methods]
    assert np.mean(inside) >= 0.9


def test_thirty_observers_with_25_questions_suffice() -> None:
    """A fooling rate of 40 % is told from 50 %, and 50 % is seldom taken for a difference."""
    different = power_of(PowerRequest(rate=0.4, runs=30, draws=120))
    assert different.power >= 0.8 and different.error < 3 and different.width < 18
    assert different.coverage >= 0.9
    same = power_of(PowerRequest(rate=0.5, runs=30, draws=120))
    assert same.power <= 0.14


def test_fewer_observers_tell_less() -> None:
    few, many = (power_of(PowerRequest(observers=n, rate=0.42, runs=15, draws=100)) for n in (6, 40))
    assert few.power < many.power and few.width > 1.5 * many.width


def test_careless_observers_are_found() -> None:
    study = example_study(["shipped"], 60, 2, FormConfig(forms=30))
    people = SimulatedPeople({"shipped": -1.0}, careless=0.3)
    analysis, excluded = asked(study, people, 40, seed=3)
    assert 5 <= excluded <= 20
    assert analysis.methods[1].strength.value == pytest.approx(-1, abs=0.3)
    _, none = asked(study, SimulatedPeople({"shipped": -1.0}), 40, seed=3)
    assert none <= 1


def test_a_favoured_place_does_not_favour_a_method() -> None:
    study = example_study(["shipped"], 60, 2, FormConfig(forms=30))
    analysis, _ = asked(study, SimulatedPeople(first_place=0.8), seed=1)
    assert analysis.methods[1].strength.low < 0 < analysis.methods[0].strength.high + 0.4


@pytest.mark.parametrize(
    ("strengths", "sentence"),
    [
        ({"shipped": -2.0, "paper": -3.0}, "the human answers are preferred, and shipped is preferred to paper"),
        ({"shipped": 2.0, "paper": 2.0}, "it is preferred to the human answers, and .* is not shown to be better than"),
        ({"shipped": 0.0, "paper": -2.0}, "about equally good|no difference between the two is shown"),
    ],
)
def test_the_conclusion_says_what_is_true(strengths: dict[str, float], sentence: str) -> None:
    study = example_study(["shipped", "paper"], 100, 3, FormConfig(forms=30))
    analysis, _ = asked(study, SimulatedPeople(strengths), 40, seed=2)
    text = conclusion(study, analysis)
    assert text.count(".") == 1 and re.search("(39|40) observers and 100 texts", text) and "95 % interval" in text
    assert re.search(sentence, text), text


def test_few_observers_are_said_to_be_few() -> None:
    study = example_study(["shipped"], 20, 2, FormConfig(forms=4))
    analysis, _ = asked(study, SimulatedPeople(), 2)
    assert "2 observers are too few to speak of other people" in conclusion(study, analysis)


def test_impossible_simulations_are_refused() -> None:
    study = example_study(["shipped"], 5, 2, FormConfig(forms=4))
    for people, observers in ((SimulatedPeople(), 0), (SimulatedPeople(careless=2), 3)):
        with pytest.raises(UsageError):
            simulate(study, people, observers)
    for request in (PowerRequest(rate=1.0), PowerRequest(texts=5), PowerRequest(runs=0)):
        with pytest.raises(UsageError):
            power_of(request)
