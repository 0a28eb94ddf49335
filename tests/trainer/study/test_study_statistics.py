"""Statistics against published examples, closed forms and a general optimiser."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from trainer.study.results.choices import Choices
from trainer.study.results.statistics import analyze, bradley_terry, krippendorff_alpha, wilson


def choices(rows: list[tuple[int, int, str, str]], methods: tuple[str, ...] = ("human", "a", "b")) -> Choices:
    """Rows of observer, question, methods shown (letters' first) and method chosen."""
    names = {name[0]: index for index, name in enumerate(methods)}
    shown = np.zeros((len(rows), len(methods)), dtype=bool)
    for row, (_, _, letters, _) in enumerate(rows):
        shown[row, [names[letter] for letter in letters]] = True
    observer, question = (np.array([row[i] for row in rows]) for i in (0, 1))
    return Choices(methods, shown, np.array([names[row[3]] for row in rows]), observer, question, question)


def test_wilson_intervals_are_those_of_the_book() -> None:
    share = wilson(15, 148).interval  # Newcombe 1998, table I
    assert (share.low, share.high) == pytest.approx((0.0624, 0.1605), abs=1e-4)
    assert wilson(0, 20).interval.low == 0 and wilson(0, 20).interval.high == pytest.approx(0.1611, abs=1e-4)
    assert wilson(0, 0).interval.high == 1


def test_alpha_is_that_of_krippendorffs_example() -> None:
    """Krippendorff 2011, section C: four observers, 12 units, nominal alpha 0.743."""
    observers = ("123321412***", "1233224125*3", "*3332342251*", "12332441251*")
    units = [[one[unit] for one in observers if one[unit] != "*"] for unit in range(12)]
    assert krippendorff_alpha(units) == pytest.approx(0.743421, abs=1e-6)


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=2, max_size=5), min_size=2, max_size=8))
def test_alpha_is_one_for_agreement_and_at_most_one(units: list[list[str]]) -> None:
    alpha = krippendorff_alpha(units)
    assert alpha is None or alpha <= 1 + 1e-9
    agreed = [[unit[0]] * len(unit) for unit in units]
    assert krippendorff_alpha(agreed) in (None, pytest.approx(1))


def test_alpha_of_chance_is_about_zero() -> None:
    rng = np.random.default_rng(0)
    units = [[str(value) for value in rng.integers(0, 3, 6)] for _ in range(400)]
    assert krippendorff_alpha(units) == pytest.approx(0, abs=0.04)
    assert krippendorff_alpha([["a"], ["b"]]) is None


def test_strengths_of_two_are_the_log_odds() -> None:
    sets = np.array([[True, True]])
    logits = bradley_terry(np.array([30.0, 10.0]), sets, np.array([40.0]), prior=0)
    assert logits[0] - logits[1] == pytest.approx(np.log(3), abs=1e-5)


def test_strengths_are_the_maximum_of_the_likelihood() -> None:
    rng = np.random.default_rng(1)
    sets = np.array([[1, 1, 0, 0], [1, 0, 1, 1], [0, 1, 1, 1], [1, 1, 1, 1]], dtype=bool)
    true = np.array([0.5, 0.0, -0.4, 0.9])
    of_set = rng.integers(0, 4, 600)
    utilities = np.where(sets[of_set], true + rng.gumbel(size=(600, 4)), -np.inf)
    won = np.eye(4)[utilities.argmax(1)]

    def loss(logits: np.ndarray) -> float:
        inside = np.where(sets[of_set], logits, -np.inf)
        return float((np.log(np.exp(inside).sum(1)) - (won * logits).sum(1)).sum())

    best = minimize(loss, np.zeros(4), method="BFGS").x
    found = bradley_terry(won.sum(0), sets, np.bincount(of_set, minlength=4).astype(float), prior=0)
    assert found == pytest.approx(best - best.mean(), abs=2e-3)
    assert found == pytest.approx(true - true.mean(), abs=0.3)


def test_a_method_never_chosen_has_a_finite_strength() -> None:
    found = analyze(choices([(o, q, "hab", "h") for o in range(4) for q in range(5)]), draws=50)
    assert all(np.isfinite([one.strength.value, one.strength.low, one.strength.high]).all() for one in found.methods)
    assert found.methods[0].method == "human" and found.agreement.alpha is None
    never = found.methods[1]
    assert never.fooling is not None and never.fooling.chosen == 0
    assert never.fooling_wide is not None and never.fooling_wide.low == 0 and never.fooling_wide.high > 0.1
    assert never.strength.high - never.strength.low > 2, "answers that are all alike are not proof"
    assert found.difference("a", "b").low < 0 < found.difference("a", "b").high


def test_fooling_rate_counts_choices_between_the_two_alone() -> None:
    rows = [(0, q, "hab", c) for q, c in enumerate("hhaabbbb")] + [(1, q, "ha", "a") for q in range(8, 10)]
    found = {one.method: one for one in analyze(choices(rows), draws=50).methods}
    fooling = found["a"].fooling
    assert fooling is not None and (fooling.chosen, fooling.of) == (4, 6)
    assert found["human"].fooling is None and (found["human"].best.chosen, found["human"].best.of) == (2, 10)
    assert found["b"].chance == pytest.approx(1 / 3) and found["a"].chance == pytest.approx(0.3667, abs=1e-3)


def test_resamples_draw_whole_observers_and_prompts() -> None:
    drawn = choices([(o, q, "ha", "h") for o in range(6) for q in range(5)]).resampled(40, np.random.default_rng(0))
    observers, prompts, single = drawn.reshape(3, 40, 6, 5)
    assert (observers == observers[:, :, :1]).all() and (prompts == prompts[:, :1, :]).all()
    assert (drawn.sum(axis=2) == 30).all() and drawn.std(axis=1).min() > 0
    assert not (single == single[:, :, :1]).all()


def test_an_interval_holds_for_other_people_and_texts_when_these_differ() -> None:
    """Everybody agrees on each of 8 texts: many observers do not make the interval narrow."""
    rows = [(o, q, "ha", "ha"[q % 2]) for o in range(40) for q in range(8)]
    found = {one.method: one for one in analyze(choices(rows), draws=200).methods}["a"]
    assert found.fooling is not None and found.fooling_wide is not None
    narrow, wide = found.fooling.interval, found.fooling_wide
    assert narrow.high - narrow.low < 0.12 and wide.high - wide.low > 0.5


def test_one_observer_gives_no_interval_for_others() -> None:
    found = analyze(choices([(0, q, "ha", "ha"[q % 2]) for q in range(8)]), draws=20)
    assert all(np.isnan(one.strength.low) for one in found.methods)


def test_the_same_seed_gives_the_same_intervals() -> None:
    rows = [(o, q, "hab", "hab"[(o * q) % 3]) for o in range(5) for q in range(7)]
    first, again, other = (analyze(choices(rows), draws=60, seed=seed) for seed in (1, 1, 2))
    assert first.methods == again.methods != other.methods
    apart = first.difference(first.methods[0].method, first.methods[-1].method)
    assert apart.low <= apart.value <= apart.high
