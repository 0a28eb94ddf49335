"""Statistics of choices: shares, fooling rates, Bradley-Terry strengths and agreement, each with an interval.

Must not import torch, pages or files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit
from scipy.stats import binomtest, t

from trainer.study.design import HUMAN
from trainer.study.results.choices import Choices

CONFIDENCE = 0.95
DRAWS = 1000  # resamples
_PRIOR = 0.1  # virtual wins and losses of each method against every other, so that strengths stay finite
_STEPS, _TOLERANCE = 2000, 1e-7
_CHUNK = 250  # resamples at once


@dataclass(frozen=True, slots=True)
class Interval:
    """A value and the ends of its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Share:
    """How often something was chosen of the times it could be; `interval` is Wilson's (1927)."""

    chosen: int
    of: int
    interval: Interval


@dataclass(frozen=True, slots=True)
class MethodResult:
    """Figures of one method.

    best: share of the questions that showed it. chance: that share if all were chosen alike. fooling: of the choices
    that fell on it or on the human answer beside it, the share that fell on it; None of the human answer itself.
    fooling_wide: the same with the interval that holds for other people and texts. strength: Bradley-Terry, in logits
    against the reference (the human answer, or the first method).
    """

    method: str
    best: Share
    chance: float
    strength: Interval
    fooling: Share | None = None
    fooling_wide: Interval | None = None


@dataclass(frozen=True, slots=True)
class Agreement:
    """Krippendorff's alpha over the questions; None where no question has two answers or all answers are alike."""

    alpha: float | None
    low: float | None = None
    high: float | None = None


def wilson(chosen: int, of: int) -> Share:
    """A share with Wilson's interval; 0 to 1 of nothing."""
    if of == 0:
        return Share(0, 0, Interval(float("nan"), 0.0, 1.0))
    ends = binomtest(chosen, of).proportion_ci(CONFIDENCE, method="wilson")
    return Share(chosen, of, Interval(chosen / of, float(ends.low), float(ends.high)))


def bradley_terry(wins: np.ndarray, sets: np.ndarray, counts: np.ndarray, prior: float = _PRIOR) -> np.ndarray:
    """Strengths for choices of one among several (Luce 1959; fitted by Hunter's MM algorithm, 2004, eq. 30).

    P(i chosen of S) = exp(s_i) / sum over j in S of exp(s_j).

    Args:
        wins: ... x m, how often each method was chosen.
        sets: s x m bool, methods shown together.
        counts: ... x s, how often each set was shown.
        prior: virtual wins and losses of each method against every other.

    Returns:
        ... x m logits with a mean of 0.
    """
    methods = sets.shape[1]
    pairs = np.zeros((methods * (methods - 1) // 2, methods), dtype=bool)
    for row, (i, j) in enumerate(zip(*np.triu_indices(methods, 1), strict=True)):
        pairs[row, [i, j]] = True
    member = np.concatenate([sets, pairs]).astype(float)
    virtual = np.full((*counts.shape[:-1], len(pairs)), 2 * prior)
    shown = np.concatenate([counts, virtual], axis=-1).astype(float)
    won = wins + prior * (methods - 1)
    strength = np.full(won.shape, 1 / methods)
    for _ in range(_STEPS):
        new = won / ((shown / (strength @ member.T)) @ member)
        new /= new.sum(axis=-1, keepdims=True)
        moved = np.abs(np.log(new) - np.log(strength)).max()
        strength = new
        if moved < _TOLERANCE:
            break
    logits = np.log(strength)
    return logits - logits.mean(axis=-1, keepdims=True)


def krippendorff_alpha(units: Sequence[Sequence[str]]) -> float | None:
    """Krippendorff's alpha for nominal data (Krippendorff 2011, section C).

    Args:
        units: the values that raters gave each unit; units with one value are left out.

    Returns:
        1 for full agreement, about 0 for chance, below 0 for less; None if undefined.
    """
    counted = [Counter(unit) for unit in units if len(unit) > 1]
    values = sorted({value for unit in counted for value in unit})
    if len(values) < 2:
        return None
    table = np.array([[unit[value] for value in values] for unit in counted], dtype=float)
    return _alpha(table, np.ones((1, len(table))))[0]


def _alpha(table: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Alpha of units x values, for each row of units' weights (draws x units)."""
    raters = table.sum(axis=1)
    disagreed = (raters**2 - (table**2).sum(axis=1)) / (raters - 1)
    totals = weights @ table  # draws x values
    everything = totals.sum(axis=1)
    expected = (everything**2 - (totals**2).sum(axis=1)) / (everything - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return 1 - (weights @ disagreed) / expected


@dataclass(frozen=True, slots=True)
class Analysis:
    """All figures of a study; methods strongest first. `strengths`: resampled logits (3 x draws x m, as `names`).

    `chosen`: how often each was chosen, as `names`.
    """

    reference: str
    methods: tuple[MethodResult, ...]
    agreement: Agreement
    names: tuple[str, ...]
    strengths: np.ndarray
    chosen: tuple[int, ...]
    observers: int
    choices: int
    prompts: int

    def difference(self, first: str, second: str) -> Interval:
        """By how many logits the first is stronger than the second."""
        points = {one.method: one.strength.value for one in self.methods}
        columns = self.strengths[..., [self.names.index(first), self.names.index(second)]]
        clusters = min(self.observers, self.prompts)
        counts = (self.chosen[self.names.index(first)], self.chosen[self.names.index(second)])
        return two_way_interval(points[first] - points[second], columns[..., 0] - columns[..., 1], clusters, counts)


def two_way_interval(
    value: float, resampled: np.ndarray, clusters: int, counts: tuple[float, float] = (np.inf, np.inf)
) -> Interval:
    """An interval that speaks of other observers and other texts or pictures, from bootstrap standard errors.

    The variance is that over resampled observers plus that over resampled prompts minus that over resampled choices
    (Cameron, Gelbach and Miller 2011, eq. 2.11), and no less than either of the first two. It is no less than that of a
    log ratio of independent `counts` either, as resamples of answers that are all alike do not vary. Student's t with
    `clusters` - 1 degrees of freedom takes account of few observers or prompts; of one there is no interval.

    Args:
        resampled: 3 x draws, over observers, prompts and choices.
        clusters: the number of observers or of prompts, whichever is smaller.
        counts: how often either of two methods was chosen, where the value is a log ratio.
    """
    if clusters < 2:
        return Interval(value, float("nan"), float("nan"))
    observers, prompts, single = resampled.var(axis=1, ddof=1)
    independent = sum(1 / (count + 0.5) for count in counts)
    variance = max(observers + prompts - single, observers, prompts, independent)
    half = float(t.ppf((1 + CONFIDENCE) / 2, clusters - 1) * np.sqrt(variance))
    return Interval(value, value - half, value + half)


def analyze(choices: Choices, draws: int = DRAWS, seed: int = 0) -> Analysis:
    """All figures; the same choices and seed give the same intervals."""
    rng = np.random.default_rng(seed)
    methods = choices.methods
    reference = methods.index(HUMAN) if HUMAN in methods else 0
    sets, of_set = choices.sets()
    each_set = np.eye(len(sets))[of_set]
    won = choices.won.astype(float)
    beside = choices.shown & choices.shown[:, [reference]]
    ours, theirs = (beside & choices.won).astype(float), (beside & choices.won[:, [reference]]).astype(float)
    point = bradley_terry(won.sum(axis=0), sets, each_set.sum(axis=0))
    strengths, rates = [], []
    for start in range(0, draws, _CHUNK):
        weights = choices.resampled(min(_CHUNK, draws - start), rng)
        strengths.append(bradley_terry(weights @ won, sets, weights @ each_set))
        rates.append(np.log((weights @ ours + 0.5) / (weights @ theirs + 0.5)))
    against = np.concatenate(strengths, axis=1)
    against = against - against[..., [reference]]
    fooled = np.concatenate(rates, axis=1)
    prompts = len(np.unique(choices.prompt))
    clusters = min(choices.observers, prompts)
    results = []
    for index, name in enumerate(methods):
        shown = choices.shown[:, index]
        chance = float((1 / choices.shown[shown].sum(axis=1)).mean()) if shown.any() else float("nan")
        best = wilson(int((choices.chosen == index).sum()), int(shown.sum()))
        counts = (won[:, index].sum(), won[:, reference].sum() if index != reference else np.inf)
        strength = two_way_interval(float(point[index] - point[reference]), against[..., index], clusters, counts)
        fooling = fooling_wide = None
        if methods[reference] == HUMAN and index != reference:
            fooling = wilson(int(ours[:, index].sum()), int(ours[:, index].sum() + theirs[:, index].sum()))
            fooling_wide = _wide(fooling, fooled[..., index], clusters)
        results.append(MethodResult(name, best, chance, strength, fooling, fooling_wide))
    results.sort(key=lambda one: -one.strength.value)
    agreement = _agreement(choices, draws, rng)
    return Analysis(
        methods[reference],
        tuple(results),
        agreement,
        methods,
        against,
        tuple(map(int, won.sum(axis=0))),
        choices.observers,
        len(choices),
        prompts,
    )


def _wide(share: Share, resampled: np.ndarray, clusters: int) -> Interval:
    """The two-way interval of a share, worked out in logits so that it stays within 0 and 1."""
    center = float(logit((share.chosen + 0.5) / (share.of + 1)))
    wide = two_way_interval(center, resampled, clusters, (share.chosen, share.of - share.chosen))
    value = share.interval.value
    return Interval(value, min(value, float(expit(wide.low))), max(value, float(expit(wide.high))))


def _agreement(choices: Choices, draws: int, rng: np.random.Generator) -> Agreement:
    questions = np.unique(choices.question)
    units = [[choices.methods[m] for m in choices.chosen[choices.question == one]] for one in questions]
    alpha = krippendorff_alpha(units)
    if alpha is None:
        return Agreement(None)
    counted = [Counter(unit) for unit in units if len(unit) > 1]
    table = np.array([[unit[name] for name in choices.methods] for unit in counted], dtype=float)
    weights = rng.multinomial(len(table), np.full(len(table), 1 / len(table)), size=draws)
    resampled = _alpha(table, weights.astype(float))
    low, high = np.nanquantile(resampled, ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2))
    return Agreement(alpha, float(low), float(high))
