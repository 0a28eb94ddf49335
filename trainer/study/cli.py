"""`t2c-train study ...` and `t2c-train study-result`: arguments in, pages and reports out; the work is done elsewhere.

Must not import torch at module level.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from t2c_engine.cli.common import reported
from t2c_engine.cli.terminal import output
from t2c_engine.errors import UsageError
from trainer.common.arguments import output_folder

if TYPE_CHECKING:
    from trainer.study.design import Study

PAGE_NAME = "study.html"

study_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Make pages on which people choose.")

Out = Annotated[
    Path,
    typer.Argument(
        callback=output_folder, help="Folder for study.html (for observers) and study.json (the key, for you)."
    ),
]
Answers = Annotated[int | None, typer.Option("--answers", min=2, max=5, help="Side by side; all methods if not given.")]
Questions = Annotated[int, typer.Option("--questions", min=1, max=200, help="Of one observer, without checks.")]
Checks = Annotated[int, typer.Option("--checks", min=0, max=6, help="Attention checks of one observer.")]
Forms = Annotated[int, typer.Option("--forms", min=1, max=500, help="Different orders; each observer gets one.")]
Seed = Annotated[int, typer.Option("--seed", min=0, max=2**32 - 1, help="The same seed makes the same study.")]
Post = Annotated[str, typer.Option("--post", help="URL to which the page may send results; else they are saved.")]
Title = Annotated[str | None, typer.Option("--title", help="What observers read first.")]
Consent = Annotated[Path | None, typer.Option("--consent", help="Text file that observers agree to, in place of ours.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a study that lies there.")]


@study_app.command()
@reported
def palettes(
    out: Out,
    texts: Annotated[Path | None, typer.Option("--texts", help="A text a line; drawn if not given.")] = None,
    count: Annotated[int, typer.Option("--count", min=1, max=1000, help="Texts to draw without --texts.")] = 100,
    against: Annotated[str, typer.Option("--against", help="Palettes by people: pat, or another set in DATA.")] = "pat",
    data: Annotated[Path, typer.Option("--data", help="The data folder, with text/.")] = Path("data"),
    models: Annotated[
        str, typer.Option("--models", help="shipped, installed models, NAME=RUN; by commas.")
    ] = "shipped",
    answers: Answers = None,
    questions: Questions = 25,
    checks: Checks = 2,
    forms: Forms = 60,
    seed: Seed = 0,
    post: Post = "",
    title: Title = None,
    consent: Consent = None,
    overwrite: Overwrite = False,
) -> None:
    """Ask which palette fits a text best: those of people and of models."""
    from trainer.study.design import FormConfig, StudyPlan
    from trainer.study.questions.palettes import PaletteStudyRequest, load_models, palette_study
    from trainer.study.questions.texts import drawn_texts, read_human, read_text_list, true_palettes
    from trainer.study.questions.wording import PALETTE_WORDING, with_changes

    wording = with_changes(PALETTE_WORDING, title, consent)
    human = read_human(data, against)
    asked = drawn_texts(human, count, seed) if texts is None else read_text_list(texts)
    request = PaletteStudyRequest(
        true_palettes(asked, human, seed),
        load_models(_names(models)),
        StudyPlan(wording, answers, FormConfig(questions, checks, forms, seed), post),
    )
    _write(palette_study(request), out, overwrite)


@study_app.command()
@reported
def pictures(
    out: Out,
    folder: Annotated[Path, typer.Option("--pictures", help="Folder of photographs, all in colour or all grey.")],
    methods: Annotated[
        str, typer.Option("--methods", help="auto, palette, reference, or NAME=FOLDER of results; by commas.")
    ] = "auto,palette",
    references: Annotated[
        Path | None, typer.Option("--references", help="Folder, files named as the pictures.")
    ] = None,
    side: Annotated[int, typer.Option("--side", min=160, max=1200, help="Short side as shown, px.")] = 400,
    model: Annotated[str | None, typer.Option("--colorizer", help="Which colouriser.")] = None,
    device: Annotated[str, typer.Option("--device", help="auto, cpu, cuda or mps.")] = "auto",
    answers: Answers = None,
    questions: Questions = 25,
    checks: Checks = 2,
    forms: Forms = 60,
    seed: Seed = 0,
    post: Post = "",
    title: Title = None,
    consent: Consent = None,
    overwrite: Overwrite = False,
) -> None:
    """Ask which colours of a grey picture look the most natural: the true ones and those of methods."""
    from trainer.study.design import FormConfig, StudyPlan
    from trainer.study.questions.pictures import PictureStudyRequest, check_methods, picture_files, picture_study
    from trainer.study.questions.wording import PICTURE_WORDING, with_changes

    request = PictureStudyRequest(
        picture_files(folder),
        _names(methods),
        references,
        side,
        StudyPlan(
            with_changes(PICTURE_WORDING, title, consent), answers, FormConfig(questions, checks, forms, seed), post
        ),
    )
    check_methods(request)
    from t2c_engine.colorization.colorizer import Colorizer

    _write(picture_study(request, Colorizer.load(model, device)), out, overwrite)


@study_app.command()
@reported
def data(
    out: Out,
    pairs: Annotated[Path, typer.Option("--pairs", help="Texts and palettes: .jsonl or .csv with text and hex.")],
    part: Annotated[int, typer.Option("--part", min=1, max=2000, help="Pairs that a judge sees in one sitting.")] = 200,
    seed: Seed = 0,
    post: Post = "",
    title: Title = None,
    consent: Consent = None,
    overwrite: Overwrite = False,
) -> None:
    """Have pairs of text and palette judged, as PAT was made; study-result then keeps those that enough accept."""
    from trainer.study.questions.data import DataStudyRequest, data_study, parts_of, read_pairs
    from trainer.study.questions.wording import DATA_WORDING, with_changes

    request = DataStudyRequest(read_pairs(pairs), part, seed, with_changes(DATA_WORDING, title, consent), post)
    _write(data_study(request), out, overwrite)
    parts = parts_of(request)
    if parts > 1:
        logging.info("%d parts: send each judge %s?form=0 to ?form=%d, a part each.", parts, PAGE_NAME, parts - 1)


@study_app.command()
@reported
def power(
    observers: Annotated[int, typer.Option("--observers", min=1, max=1000, help="Who are asked.")] = 30,
    questions: Questions = 25,
    texts: Annotated[
        int, typer.Option("--texts", min=1, max=1000, help="To draw each observer's questions from.")
    ] = 100,
    answers: Annotated[int, typer.Option("--answers", min=2, max=5, help="Side by side.")] = 2,
    rate: Annotated[float, typer.Option("--rate", min=0.01, max=0.99, help="The model's true fooling rate.")] = 0.4,
    runs: Annotated[int, typer.Option("--runs", min=1, max=10_000, help="Simulated studies.")] = 200,
    careless: Annotated[float, typer.Option("--careless", min=0, max=1, help="Share of careless observers.")] = 0.0,
    seed: Seed = 0,
) -> None:
    """Simulate a study before anyone is asked: how often it would find a difference, as JSON."""
    from dataclasses import asdict

    from trainer.study.results.simulation import PowerRequest, SimulatedPeople, power_of

    people = SimulatedPeople(careless=careless)
    found = power_of(PowerRequest(observers, questions, texts, answers, rate, runs, people=people), seed)
    output().print(json.dumps({name: round(value, 3) for name, value in asdict(found).items()}), soft_wrap=True)


@reported
def study_result(
    results: Annotated[list[Path], typer.Argument(help="Files that observers sent, or folders of them.")],
    study: Annotated[Path | None, typer.Option("--study", help="The study's key; looked for near the results.")] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", callback=output_folder, help="Folder for report, figures and plots.")
    ] = None,
    failed_checks: Annotated[int, typer.Option("--failed-checks", min=0, help="Attention checks one may fail.")] = 0,
    seconds: Annotated[float, typer.Option("--seconds", min=0, help="Least median time of an answer.")] = 1.0,
    agree: Annotated[int, typer.Option("--agree", min=1, help="Judges who must accept a pair ...")] = 3,
    judges: Annotated[int, typer.Option("--judges", min=1, help="... of so many.")] = 4,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace reports that lie there.")] = False,
) -> None:
    """What observers chose: shares, fooling rates, strengths, agreement; of a data study, the pairs that are kept."""
    from trainer.study.design import Kind
    from trainer.study.results.summary import report_data, report_preferences
    from trainer.study.sessions import ExclusionRules, collect
    from trainer.study.study_files import find_key, read_study, result_files

    files = result_files(results)
    asked = read_study(study or find_key(files))
    if asked.kind is Kind.DATA:
        from trainer.study.questions.data import AgreementRule

        rule = AgreementRule(agree, judges)
        collected = collect(asked, files, ExclusionRules(failed_checks, 0.0, 0.0))
        report_data(asked, collected, rule, out, as_json=as_json, overwrite=overwrite)
    else:
        collected = collect(asked, files, ExclusionRules(failed_checks, seconds))
        report_preferences(asked, collected, out, as_json=as_json, overwrite=overwrite)


def _names(text: str) -> list[str]:
    names = [part.strip() for part in text.split(",") if part.strip()]
    if not names:
        raise UsageError("No name is given; separate several by commas.")
    return names


def _write(study: Study, out: Path, overwrite: bool) -> None:
    from t2c_engine.files import write_files
    from trainer.study.page.builder import page_html
    from trainer.study.study_files import KEY_NAME, study_json

    page = page_html(study)
    write_files({out / PAGE_NAME: page, out / KEY_NAME: study_json(study)}, overwrite)
    counted = sum(len(form) for form in study.forms) / len(study.forms)
    logging.info(
        "%s: %d forms of about %.0f questions, %.1f MB", out / PAGE_NAME, len(study.forms), counted, len(page) / 1e6
    )
    logging.info("%s is the key: keep it, and do not give it to observers.", out / KEY_NAME)
