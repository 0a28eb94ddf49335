"""What a style has learned: a verdict in one sentence, and a page with palettes, figures, colours and the curve.

Must not import torch.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markupsafe import Markup

from t2c_engine.palettes.sampler import PaletteSampler
from trainer.common.html_page import curve, heading, page, paragraph, png_picture, swatches, table
from trainer.evaluation.report_palettes import ab_page
from trainer.styles.examples import Example
from trainer.styles.measure import Comparison, drawn, palette_match

_SHOWN = 24  # held-out palettes on the page
_FEW = 8  # held-out palettes with which nothing can be said
_FIGURES = ("texts", "how many", "without", "with the style", "change", "95 % interval")
PHRASES = ("old harbour", "autumn breeze", "birthday party", "night train", "quiet morning", "mango and grapefruit")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the style is kept, whether that is sure, and the sentence that says so."""

    kept: bool
    sure: bool
    sentence: str


def verdict(own: Comparison, general: Comparison) -> Verdict:
    """What the figures say.

    Args:
        own: on the palettes held out. general: on phrases that have nothing to do with the style.
    """
    number, (_, high) = len(own.shipped), own.interval
    better = f"better on your palettes by {-own.change:.0%}"
    lost = f"worse on other phrases by {general.change:.0%}" if general.change > 0.005 else "not worse on other phrases"
    if own.change >= 0:
        words = f"The style is not better on your palettes ({own.change:+.0%}), so the shipped palettes stay in use"
        return Verdict(False, high < 0, f"{words}: give more palettes, or such as have more in common.")
    if number < _FEW or high >= 0:
        return Verdict(True, False, f"Probably {better}, {lost}: too few palettes to tell; {number} were held out.")
    return Verdict(True, True, f"{better[0].upper()}{better[1:]}, {lost}: good.")


@dataclass(frozen=True, slots=True)
class Report:
    """What the page shows. pat: figures on PAT's test texts, where the data are at hand."""

    name: str
    verdict: Verdict
    examples: Sequence[Example]
    held_out: Sequence[Example]
    own: Comparison
    general: Comparison
    pat: Comparison | None
    shipped: PaletteSampler
    styled: PaletteSampler
    course: Sequence[tuple[int, float]]
    best_step: int
    facts: Mapping[str, str]


def report_page(report: Report) -> bytes:
    """The page, self-contained."""
    state = "bad" if not report.verdict.kept else "good" if report.verdict.sure else ""
    styled = f"with {report.name}"
    body = [
        paragraph(report.verdict.sentence, f"verdict {state}".strip()),
        heading("Palettes it has never seen"),
        paragraph(
            "A fifth of your palettes were held out. For each text: your palette, the five of the style, the five "
            "without it. The nearest to yours has a frame.",
            "faint",
        ),
        table(("text", "yours", styled, "without"), _held_out_rows(report)),
        heading("Figures"),
        paragraph(
            "Distance of the best of five palettes to the true one, mean CIEDE2000 of a colour; less is better.",
            "faint",
        ),
        table(_FIGURES, _figure_rows(report), numbers=(1, 2, 3, 4)),
        heading("Other phrases"),
        table(("phrase", styled, "without"), _phrase_rows(report)),
        heading("Colours"),
        paragraph("How often each part of the ab plane is used: red to the right, yellow upwards.", "faint"),
        png_picture(_distribution(report), "distribution of colours over the ab plane"),
        heading("The training"),
        paragraph(f"Loss on the held-out palettes; the best one, of step {report.best_step}, was kept.", "faint"),
        curve(report.course, report.best_step, "loss on the held-out palettes"),
        table(("", ""), list(report.facts.items())),
    ]
    return page(f"The style \N{LEFT DOUBLE QUOTATION MARK}{report.name}\N{RIGHT DOUBLE QUOTATION MARK}", body)


def _held_out_rows(report: Report) -> list[tuple[str, str, str, str]]:
    rows = []
    for example in report.held_out[:_SHOWN]:
        truth = example.palette.to_size() if len(example.palette.colors) > 5 else example.palette
        cells = [_five(sampler, example.text, example) for sampler in (report.styled, report.shipped)]
        rows.append((example.text, swatches(truth.sorted()), *cells))
    return rows


def _five(sampler: PaletteSampler, text: str, example: Example) -> Markup:
    truth = example.palette.to_size() if len(example.palette.colors) > 5 else example.palette
    found = drawn(sampler, text, truth).palettes
    best = int(np.argmin([palette_match(one, truth) for one in found]))
    return Markup().join(swatches(one, index == best) for index, one in enumerate(found))


def _figure_rows(report: Report) -> list[tuple[str, ...]]:
    parts = {"your palettes held out": report.own, "random phrases": report.general}
    if report.pat is not None:
        parts["PAT's test texts"] = report.pat
    rows = []
    for name, one in parts.items():
        low, high = one.interval
        numbers = (f"{one.shipped.mean():.2f}", f"{one.styled.mean():.2f}", f"{one.change:+.1%}")
        rows.append((name, str(len(one.shipped)), *numbers, f"{low:+.1%} to {high:+.1%}"))
    return rows


def _phrase_rows(report: Report) -> list[tuple[str, str, str]]:
    like = next((one.palette for one in report.examples if len(one.palette.colors) == 5), report.examples[0].palette)
    rows = []
    for phrase in PHRASES:
        cells = [
            Markup().join(map(swatches, drawn(one, phrase, like).palettes)) for one in (report.styled, report.shipped)
        ]
        rows.append((phrase, *cells))
    return rows


def _distribution(report: Report) -> bytes:
    """PNG: the ab distribution of the user's palettes, and of both models for the held-out texts."""
    colors = {"your palettes": np.concatenate([one.palette.lab for one in report.examples])}
    for name, sampler in (("with the style", report.styled), ("without", report.shipped)):
        found = [drawn(sampler, one.text, one.palette).palettes for one in report.held_out]
        colors[name] = np.concatenate([palette.lab for some in found for palette in some])
    with tempfile.TemporaryDirectory() as folder:
        ab_page(Path(folder) / "ab.png", colors)
        return (Path(folder) / "ab.png").read_bytes()
