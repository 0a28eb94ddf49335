"""What a study found, for people: a table as the paper's, plots, and one sentence with its uncertainty.

Must not import torch; matplotlib only when plots are drawn.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from io import BytesIO
from typing import Any

import numpy as np

from t2c_engine.errors import UsageError
from trainer.study.design import HUMAN, Kind, Study
from trainer.study.questions.data import KEPT, REJECTED, UNDECIDED, Judged
from trainer.study.results.statistics import Agreement, Analysis, Interval, MethodResult, Share
from trainer.study.sessions import Collected

COLUMNS = ("method", "best match %", "chance %", "fooling rate %", "for others", "strength (logits)")
NOTE = (
    "Brackets hold 95 % intervals. Those of best match and fooling rate are Wilson's, for these observers and "
    "questions; the interval 'for others' and those of strengths hold for other people and other texts or pictures."
)
CLOSE = 0.1  # fooling rates this near to one half count as equally good
FEW = 5  # observers below which nothing is concluded about other people


def table(analysis: Analysis, digits: int = 1) -> list[tuple[str, ...]]:
    """A row a method, strongest first, below `COLUMNS`; percentages with so many digits after the point."""
    return [_row(one, one.method == analysis.reference, digits) for one in analysis.methods]


def _row(one: MethodResult, reference: bool, digits: int) -> tuple[str, ...]:
    strength = "0 (reference)" if reference else f"{one.strength.value:+.2f} {_brackets(one.strength, 1, 2)}"
    return (
        one.method,
        _percent(one.best, digits),
        f"{100 * one.chance:.0f}",
        "-" if one.fooling is None else _percent(one.fooling, digits),
        "-" if one.fooling_wide is None else _brackets(one.fooling_wide, 100, digits),
        strength,
    )


def _percent(share: Share, digits: int) -> str:
    """Such as "46.0 [42.1, 49.9]"."""
    if math.isnan(share.interval.value):
        return "-"
    return f"{100 * share.interval.value:.{digits}f} {_brackets(share.interval, 100, digits)}"


def _brackets(interval: Interval, scale: float, digits: int) -> str:
    if math.isnan(interval.low):
        return "[no interval]"
    return f"[{scale * interval.low:.{digits}f}, {scale * interval.high:.{digits}f}]"


def _range(interval: Interval, scale: float, digits: int) -> str:
    if math.isnan(interval.low):
        return "no interval"
    return f"{scale * interval.low:.{digits}f} to {scale * interval.high:.{digits}f}"


def conclusion(study: Study, analysis: Analysis) -> str:
    """One sentence: the best method against the human answers, or against the second best, and how sure that is."""
    asked = "texts" if study.kind is Kind.PALETTES else "pictures"
    seen = f"{analysis.observers} observer{'s' if analysis.observers != 1 else ''} and {analysis.prompts} {asked}"
    made = [one for one in analysis.methods if one.method != HUMAN]
    best = made[0]
    if best.fooling_wide is not None:
        rate = best.fooling_wide
        text = (
            f"With {seen}, {best.method} was chosen over the human answer in {100 * rate.value:.0f} % of the choices "
            f"between the two (95 % interval {_range(rate, 100, 0)} %): {_verdict(rate)}"
        )
        if len(made) > 1:
            text += f", and {best.method} is {_beside(analysis, best, made[1])}"
    elif len(made) > 1:
        text = f"With {seen}, {best.method} is {_beside(analysis, best, made[1])}"
    else:
        return f"With {seen}, there was one method alone, so nothing can be said."
    if analysis.observers < FEW:
        text += f"; {analysis.observers} observers are too few to speak of other people"
    return text + "."


def _verdict(rate: Interval) -> str:
    if math.isnan(rate.low):
        return "too few answers to tell"
    if rate.high < 0.5:
        return "the human answers are preferred"
    if rate.low > 0.5:
        return "it is preferred to the human answers"
    if rate.low > 0.5 - CLOSE and rate.high < 0.5 + CLOSE:
        return "the two are about equally good"
    return "no difference between the two is shown"


def _beside(analysis: Analysis, best: MethodResult, other: MethodResult) -> str:
    apart = analysis.difference(best.method, other.method)
    rate = Interval(*(1 / (1 + math.exp(-end)) for end in (apart.value, apart.low, apart.high)))
    shown = "preferred to" if apart.low > 0 else "not shown to be better than"
    return f"{shown} {other.method} ({100 * rate.value:.0f} %, {_range(rate, 100, 0)} %)"


def agreement_words(agreement: Agreement) -> str:
    """Krippendorff's alpha in words."""
    if agreement.alpha is None:
        return "Agreement between observers: undefined (no question has two answers, or all answers are alike)."
    between = "" if agreement.low is None else f" ({agreement.low:.2f} to {agreement.high:.2f})"
    return f"Agreement between observers: Krippendorff's alpha {agreement.alpha:.2f}{between}; 0 is chance, 1 is full."


def excluded_words(collected: Collected) -> list[str]:
    """A line for each observer and file that does not count."""
    lines = [f"Observer {one.name} is left out: {one.reason}" for one in collected.excluded]
    return lines + [f"A file is left out: {one.reason}" for one in collected.unreadable]


def markdown(study: Study, analysis: Analysis, collected: Collected) -> bytes:
    """The whole report as text."""
    lines = [f"# {study.wording.title}", "", conclusion(study, analysis), ""]
    lines += [f"| {' | '.join(row)} |" for row in (COLUMNS, ("---",) * len(COLUMNS), *table(analysis))]
    lines += [
        "",
        "Intervals are of 95 %: Wilson's for shares; resampled observers and texts or pictures for the rest.",
        "",
    ]
    lines += [agreement_words(analysis.agreement), ""]
    lines += [f"- {name}: {source}" for name, source in study.sources.items()]
    lines += ["", f"{len(collected.kept)} observers count, {len(collected.excluded)} are left out.", ""]
    lines += [f"- {line}" for line in excluded_words(collected)]
    return ("\n".join(lines).rstrip() + "\n").encode("utf-8", "replace")


def result_json(study: Study, analysis: Analysis, collected: Collected) -> dict[str, Any]:
    """All figures; undefined ones are null."""
    values = {
        "study": study.id,
        "kind": study.kind.value,
        "conclusion": conclusion(study, analysis),
        "observers": analysis.observers,
        "choices": analysis.choices,
        "prompts": analysis.prompts,
        "reference": analysis.reference,
        "methods": [asdict(one) for one in analysis.methods],
        "agreement": asdict(analysis.agreement),
        "excluded": [asdict(one) for one in (*collected.excluded, *collected.unreadable)],
    }
    return _without_nan(values)


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    if isinstance(value, float):
        return round(value, 5) if math.isfinite(value) else None
    return value


def plots_png(analysis: Analysis) -> bytes:
    """Best match and fooling rate with Wilson's intervals, and Bradley-Terry strengths with theirs, side by side."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    methods = analysis.methods[::-1]  # strongest on top
    fooled = [one for one in methods if one.fooling is not None]
    panels: list[tuple[str, Sequence[MethodResult], list[Interval], float, float | None]] = [
        ("Best match, %  ( | chance)", methods, [one.best.interval for one in methods], 100, None),
        ("Strength, logits", methods, [one.strength for one in methods], 1, 0.0),
    ]
    if fooled:
        rates = [one.fooling.interval for one in fooled if one.fooling is not None]
        panels.insert(1, ("Fooling rate, %", fooled, rates, 100, 50.0))
    figure, axes = pyplot.subplots(1, len(panels), figsize=(4.2 * len(panels), 1.2 + 0.5 * len(methods)))
    for axis, (title, shown, intervals, scale, line) in zip(axes, panels, strict=True):
        values = np.array([[one.value, one.low, one.high] for one in intervals]) * scale
        rows = np.arange(len(shown))
        errors = np.maximum(np.nan_to_num([values[:, 0] - values[:, 1], values[:, 2] - values[:, 0]]), 0)
        axis.errorbar(values[:, 0], rows, xerr=errors, fmt="o", color="#1c1c1c", capsize=4)
        if line is None:
            axis.plot([scale * one.chance for one in shown], rows, "|", color="#8a8a8a", markersize=18)
        else:
            axis.axvline(line, color="#8a8a8a", linewidth=1, linestyle="--")
        axis.set_yticks(rows, [one.method for one in shown])
        axis.set_ylim(-0.6, len(shown) - 0.4)
        axis.set_title(title, fontsize=11)
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    buffer = BytesIO()
    figure.savefig(buffer, dpi=130)
    pyplot.close(figure)
    return buffer.getvalue()


def judged_words(judged: Sequence[Judged], agreement: Agreement, judges: int) -> str:
    """What became of the pairs, in a sentence, and the judges' agreement in another."""
    if not judged:
        raise UsageError("The study has no pairs; give one made by 'study data'.")
    counts = Counter(one.verdict for one in judged)
    return (
        f"{judges} judges: {counts[KEPT]} of {len(judged)} pairs are kept, {counts[REJECTED]} rejected, "
        f"{counts[UNDECIDED]} wait for more votes. {agreement_words(agreement)}"
    )
