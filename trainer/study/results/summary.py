"""Prints what a study found, and writes its report. Must not import torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from t2c_engine.cli.terminal import output
from t2c_engine.files import write_files
from trainer.study.design import Study
from trainer.study.questions.data import KEPT, REJECTED, UNDECIDED, AgreementRule, judged_lines, judged_pairs
from trainer.study.results.choices import make_choices
from trainer.study.results.report import (
    COLUMNS,
    NOTE,
    agreement_words,
    conclusion,
    excluded_words,
    judged_words,
    markdown,
    plots_png,
    result_json,
    table,
)
from trainer.study.results.statistics import analyze
from trainer.study.sessions import Collected

WIDE = 100  # columns of a terminal that has room for digits after the point


def report_preferences(study: Study, collected: Collected, out: Path | None, *, as_json: bool, overwrite: bool) -> None:
    """Print the table and the conclusion; into a folder also result.json, result.md and result.png.

    Raises:
        UsageError: nobody's answers count. OutputError: the folder cannot be written.
    """
    analysis = analyze(make_choices(study, collected.kept))
    values = result_json(study, analysis, collected)
    if out is not None:
        files = {"result.json": _json(values), "result.md": markdown(study, analysis, collected)}
        write_files(
            {out / name: content for name, content in (files | {"result.png": plots_png(analysis)}).items()}, overwrite
        )
    console = output()
    if as_json:
        console.print(json.dumps(values), markup=False)
        return
    shown = Table(box=None, pad_edge=False)
    for index, name in enumerate(COLUMNS):
        shown.add_column(name, justify="right" if index else "left")
    for row in table(analysis, digits=1 if console.width >= WIDE else 0):
        shown.add_row(*map(escape, row))
    console.print(shown)
    for line in (
        NOTE,
        agreement_words(analysis.agreement),
        *excluded_words(collected),
        "",
        conclusion(study, analysis),
    ):
        console.print(line, markup=False)


def report_data(
    study: Study, collected: Collected, rule: AgreementRule, out: Path | None, *, as_json: bool, overwrite: bool
) -> None:
    """Print what became of the pairs; into a folder also kept.jsonl, rejected.jsonl and undecided.jsonl.

    Raises:
        UsageError: the study is none of data. OutputError: the folder cannot be written.
    """
    judged = judged_pairs(study, collected.kept, rule)
    if out is not None:
        write_files({out / f"{one}.jsonl": judged_lines(judged, one) for one in (KEPT, REJECTED, UNDECIDED)}, overwrite)
    agreement = analyze(make_choices(study, collected.kept)).agreement
    console = output()
    if as_json:
        counts = {one: sum(pair.verdict == one for pair in judged) for one in (KEPT, REJECTED, UNDECIDED)}
        values = {"study": study.id, "judges": len(collected.kept), "alpha": agreement.alpha}
        console.print(json.dumps(values | counts), markup=False)
        return
    for line in (*excluded_words(collected), judged_words(judged, agreement, len(collected.kept))):
        console.print(line, markup=False)


def _json(values: dict[str, Any]) -> bytes:
    return (json.dumps(values, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "replace")
