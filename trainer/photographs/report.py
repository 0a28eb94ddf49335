"""The report of a fine-tuning: verdict, figures, held-out photographs before and after, what was left out.

Must not import optimisers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from t2c_engine.color.lab import fit_gamut, lab_to_srgb
from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.files import write_file
from trainer.common.html_page import heading, page, paragraph, strip, table
from trainer.photographs.check import DataCheck
from trainer.photographs.judge import WAYS, HeldOut, ab_maps, painted
from trainer.photographs.verdict import Comparison, Verdict

REPORT = "report.html"
SHOWN = 8  # held-out photographs
LISTED = 500  # files left out that are listed; check.csv has all


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that a report tells. seconds: a step. looks: [step, ratio by way] of training."""

    name: str
    command: str
    check: DataCheck
    held_out: Sequence[HeldOut]
    own: Comparison
    others: Comparison | None
    verdict: Verdict
    looks: Sequence[Sequence[float]]
    best_step: int
    seconds: float


def write_report(folder: Path, outcome: Outcome, before: Colorizer, after: Colorizer) -> Path:
    """Write report.html into a run's folder.

    Raises:
        OutputError: it cannot be written.
    """
    path = folder / REPORT
    parts = [
        *_summary(outcome),
        heading("Held-out photographs, before and after"),
        paragraph("The model has not learned from these. Each is coloured with its own palette, and automatically."),
        *_pictures(outcome, before, after),
        *_training(outcome),
        *_data(outcome.check),
    ]
    write_file(path, page(f"Fine-tuning '{outcome.name}'", parts), overwrite=True)
    return path


def _summary(outcome: Outcome) -> Iterator[str]:
    verdict = outcome.verdict
    kind = "good" if verdict.ship and verdict.clear else "bad" if not verdict.ship else ""
    yield paragraph(verdict.sentence, f"verdict {kind}".strip())
    if verdict.ship:
        yield paragraph(f"Use it: t2c colorize PICTURE --auto --style {outcome.name}")
    head = ("photographs", "colours", "error before", "error after", "change", "95 % interval", "colourfulness")
    yield table(head, _figure_rows(outcome), numbers=(2, 3, 4))
    yield paragraph(
        "Error: mean distance in the ab plane from the true colours (CIE Lab; 0 is perfect, 2 is hardly seen). "
        "Colourfulness: of the results over the true one, before and after; 1 is right."
    )


def _figure_rows(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    for words, one in (("yours, held out", outcome.own), ("others", outcome.others)):
        if one is None:
            continue
        for way in WAYS:
            low, high = one.interval(way)
            yield (
                f"{words} ({one.count})",
                {"palette": "with the true palette", "automatic": "automatic"}[way],
                f"{one.before.errors[way].mean():.2f}",
                f"{one.after.errors[way].mean():.2f}",
                f"{100 * (one.ratio(way) - 1):+.1f} %",
                f"{100 * (low - 1):+.1f} to {100 * (high - 1):+.1f} %",
                f"{one.before.colorfulness[way]:.2f}, {one.after.colorfulness[way]:.2f}",
            )


def _pictures(outcome: Outcome, before: Colorizer, after: Colorizer) -> Iterator[str]:
    gains = outcome.own.after.errors["automatic"] - outcome.own.before.errors["automatic"]
    order = np.argsort(gains)  # an even choice from the best gain to the worst, so that none is hidden
    chosen = order[np.linspace(0, len(order) - 1, min(SHOWN, len(order))).round().astype(int)]
    for index in chosen:
        one = outcome.held_out[int(index)]
        old, new = ab_maps(before, one), ab_maps(after, one)
        yield strip(
            [
                ("the photograph", lab_to_srgb(fit_gamut(one.lab))),
                *((f"{way}, before", painted(one, old[way])) for way in ("automatic",)),
                *((f"{way}, after", painted(one, new[way])) for way in ("automatic",)),
                *((f"{way}, before", painted(one, old[way])) for way in ("palette",)),
                *((f"{way}, after", painted(one, new[way])) for way in ("palette",)),
            ]
        )


def _training(outcome: Outcome) -> Iterator[str]:
    yield heading("Training")
    yield paragraph(f"Command: {outcome.command}")
    kept = f"The changes of step {outcome.best_step} are kept." if outcome.best_step else "No step was better."
    yield paragraph(f"{kept} {outcome.seconds:.2f} s a step." if outcome.seconds else kept)
    rows = [(f"{step:.0f}", *(f"{100 * (one - 1):+.1f} %" for one in found)) for step, *found in outcome.looks]
    yield table(("step", "error with palette", "automatic error"), rows, numbers=(0, 1, 2))


def _data(check: DataCheck) -> Iterator[str]:
    yield heading("The photographs")
    for sentence in check.sentences():
        yield paragraph(sentence)
    if not check.left_out:
        return
    rows = [(one.name, str(one.fault), one.sentence) for one in check.left_out[:LISTED]]
    yield f'<div class="scroll">{table(("left out", "why", "in words"), rows)}</div>'
    if len(check.left_out) > LISTED:
        yield paragraph(f"{len(check.left_out) - LISTED} more stand in check.csv.")
