"""`t2c batch`: an album or archive as a job with a journal. The work is done in `t2c_engine.albums`.

Must not import torch or Pillow at module level.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

import typer

from t2c_engine.albums.job import AlbumJob, Format, Scope, read_job
from t2c_engine.batch.source_options import parse_colors
from t2c_engine.cli.batch_report import ProgressKind, Style, error_events, reporting
from t2c_engine.cli.colorize import Natural, References, counted, given_palettes
from t2c_engine.cli.common import AsJson, Seed, StyleOption, Variety, print_error, print_json, reported
from t2c_engine.cli.looks import Look
from t2c_engine.cli.terminal import output
from t2c_engine.colorization.color_source import BaseColors, DiverseColors, ReferenceColors
from t2c_engine.colorization.looks import find_look
from t2c_engine.errors import UsageError
from t2c_engine.files import is_remote, location
from t2c_engine.palettes.palette import Palette
from t2c_engine.serving.protocol import DEFAULT_NATURAL, DEFAULT_VARIETY, MAX_PALETTES, MAX_STRENGTH

if TYPE_CHECKING:
    from t2c_engine.albums.run import Means

Inputs = Annotated[
    list[str] | None, typer.Argument(help="Folders with all below them, pictures, patterns; or one JOB.toml.")
]
Captions = Annotated[
    str | None,
    typer.Option("--captions", help="sidecar (.txt files), metadata, or a CSV file: each caption is a phrase."),
]
Colors = Annotated[
    str | None,
    typer.Option("--colors", help="Any source with its options, as 'auto decoding=mean'; see docs/albums.md."),
]
Exclude = Annotated[list[str] | None, typer.Option("--exclude", help="Leave out files and folders of this pattern.")]
Scheduler = Annotated[
    str | None, typer.Option("--scheduler", help="A Dask scheduler, as tcp://host:8786; 'local' starts one.")
]
Choices = Annotated[
    Path | None, typer.Option("--choices", help="Of 't2c review': copy what was accepted in INPUT to OUTPUT.")
]

Progress = Annotated[
    ProgressKind, typer.Option("--progress", help="json: events for programs, one a line; see docs/albums.md.")
]


Output = Annotated[Path | None, typer.Option("-o", "--output", help="The folder for results and journal.")]
Phrase = Annotated[str | None, typer.Option("--phrase", help="Of all pictures without a caption.")]
PaletteText = Annotated[str | None, typer.Option("--palette", help="Colours, or a palette file.")]
Count = Annotated[int, typer.Option("-n", "--count", min=1, max=MAX_PALETTES, help="Results a picture.")]
Name = Annotated[str, typer.Option("--name", help="Results' names, of {stem}, {folder} and {phrase}.")]
Quality = Annotated[int | None, typer.Option("--quality", min=1, max=100, help="Of JPEG and WebP.")]
Sidecar = Annotated[bool, typer.Option("--sidecar", help="Put each recipe beside its result, as JSON.")]
Sheets = Annotated[bool, typer.Option("--sheets", help="Make a contact sheet for each picture.")]
Memory = Annotated[int, typer.Option("--memory", min=0, help="MB for all together; 0: most of what is free.")]
PaletteModel = Annotated[str | None, typer.Option("--palette-model", help="Which palette model.")]
Status = Annotated[bool, typer.Option("--status", help="Say how far the job in OUTPUT is, and do nothing.")]
RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="Try the failed pictures again.")]


@reported
def batch(
    inputs: Inputs = None,
    out: Output = None,
    phrase: Phrase = None,
    captions: Captions = None,
    palette: PaletteText = None,
    auto: Annotated[bool, typer.Option("--auto", help="The network's own colours.")] = False,
    reference: References = None,
    diverse: Annotated[bool, typer.Option("--diverse", help="-n plausible colourings that differ.")] = False,
    colors: Colors = None,
    scope: Annotated[Scope, typer.Option("--palette-per", help="What shares one draw of palettes.")] = Scope.ALBUM,
    count: Count = 1,
    seed: Seed = 0,
    variety: Variety = DEFAULT_VARIETY,
    style: StyleOption = "",
    strength: Annotated[float, typer.Option("--strength", min=0, max=MAX_STRENGTH, help="As in colorize.")] = 1.0,
    natural: Natural = DEFAULT_NATURAL,
    look: Look = None,
    exclude: Exclude = None,
    name: Name = "{stem}",
    format: Annotated[Format, typer.Option("--format", help="Of the results.")] = Format.SAME,
    quality: Quality = None,
    sidecar: Sidecar = False,
    sheets: Sheets = False,
    workers: Annotated[int, typer.Option("--workers", min=0, help="Processes; 0: all cores.")] = 0,
    memory: Memory = 0,
    scheduler: Scheduler = None,
    device: Annotated[str, typer.Option("--device", help="auto, cpu, cuda or mps.")] = "auto",
    model: Annotated[str | None, typer.Option("--model", help="Which colouring model.")] = None,
    palette_model: PaletteModel = None,
    status: Status = False,
    retry_failed: RetryFailed = False,
    choices: Choices = None,
    as_json: AsJson = False,
    progress: Progress = ProgressKind.BAR,
) -> None:
    """Colour whole trees of pictures as a job that can be stopped, killed and gone on with."""
    told = choose_style(as_json, progress)
    if choices is not None:
        return deliver_choices(inputs or [], choices, out)
    base = given_colors(colors, reference, diverse, count, seed)
    job = partial(
        AlbumJob, phrase=phrase, palette=palette, auto=auto, colors=base, captions=captions, scope=scope,
        count=count, seed=seed, variety=variety, strength=strength, natural=natural,
        look=look, exclude=tuple(exclude or ()), name=name, format=format, quality=quality, sidecar=sidecar,
        sheets=sheets, device=device, model=model, palette_model=palette_model, style=style,
    )  # fmt: skip
    start(chosen_job(inputs, out, job, workers, memory, status), out, status, scheduler, retry_failed, told)


def chosen_job(
    inputs: list[str] | None,
    out: Path | None,
    make: Callable[..., AlbumJob],
    workers: int,
    memory: int,
    status: bool,
) -> AlbumJob | None:
    """The job of a file or of the options (`make`); None where only the status of a folder is asked for.

    Raises:
        UsageError: there is neither.
    """
    if inputs and len(inputs) == 1 and inputs[0].lower().endswith(".toml"):
        job = read_job(Path(inputs[0]))
        return replace(job, workers=workers or job.workers, memory=memory or job.memory)
    if status and out is not None:
        return None
    if not inputs or out is None:
        raise UsageError("Give folders or pictures and -o with the output folder; or a job file, as scans.toml.")
    return make(tuple(inputs), out, workers=workers, memory=memory)


def start(
    job: AlbumJob | None, out: Path | None, status: bool, scheduler: str | None, retry_failed: bool, told: Style
) -> None:
    """Run a job, or say how far it is."""
    if status:
        say_status(out or (job.output if job else None), told is Style.RESULTS)
    elif job is not None:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended from outside is ended like Ctrl-C
        with error_events(told):
            run(job, scheduler, retry_failed, told)


def given_colors(
    colors: str | None, reference: list[Path] | None, diverse: bool, count: int, seed: int
) -> BaseColors | None:
    """What --colors, --reference or --diverse ask for; None where none is given.

    Raises:
        UsageError: several are given, or one cannot be.
    """
    if sum((diverse, colors is not None, bool(reference))) > 1:
        raise UsageError("Give one of --colors, --reference and --diverse.")
    if reference:
        return ReferenceColors(tuple(reference))
    if diverse:
        return DiverseColors(count, seed)
    return parse_colors(colors) if colors is not None else None


def run(job: AlbumJob, scheduler: str | None, retry_failed: bool, style: Style) -> None:
    """Run a job and say what becomes of it; exit code 1 where pictures have failed."""
    from t2c_engine.albums.run import job_items, open_journal, run_job

    if job.look is not None:
        find_look(job.look)
    if scheduler is not None:  # workers elsewhere have another current folder
        inputs = tuple(one if is_remote(one) else os.path.abspath(one) for one in job.inputs)
        job = replace(job, inputs=inputs, output=job.output if is_remote(job.output) else job.output.absolute())
    palettes: tuple[Palette, ...] = given_palettes(job.palette, job.count) if job.palette is not None else ()
    items = job_items(job, palettes)
    if not items:
        raise UsageError(f"{', '.join(job.inputs)}: there is no picture in it.")
    with open_journal(job, items, retry_failed) as journal:
        with (
            reporting(style, journal, job.output) as tell,
            choose_means(job, scheduler) as means,
            stop_signals() as stop,
            closing(run_job(items, journal, means, stop)) as results,
        ):
            for result in results:
                tell(result)
            if stop.is_set():
                raise KeyboardInterrupt
        failed = journal.counts()["failed"]
    if failed:
        raise typer.Exit(1)


@contextmanager
def stop_signals() -> Iterator[Event]:
    """An event that SIGINT and SIGTERM set; a second one interrupts at once."""
    stop = Event()

    def handle(number: int, frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    for number in numbers:
        signal.signal(number, handle)
    try:
        yield stop
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def choose_style(as_json: bool, progress: ProgressKind) -> Style:
    """How a run is told."""
    if progress is ProgressKind.JSON:
        if as_json:
            raise UsageError("Give one of --json (results) and --progress json (events).")
        return Style.EVENTS
    return Style.RESULTS if as_json else Style.WORDS


def choose_means(job: AlbumJob, scheduler: str | None) -> AbstractContextManager[Means]:
    """Processes of this machine, or a cluster."""
    if scheduler is not None:
        from t2c_engine.albums.cluster import cluster_means

        return cluster_means(job, scheduler)
    from t2c_engine.albums.executors import local_means

    return local_means(job)


def deliver_choices(inputs: list[str], choices: Path, out: Path | None) -> None:
    """Copy the accepted results, and say what could not be."""
    from t2c_engine.albums.review import deliver, read_choices

    if len(inputs) != 1 or out is None:
        raise UsageError("--choices takes the folder of the results, and -o with the folder for the chosen ones.")
    written, problems = deliver(Path(inputs[0]), read_choices(choices), out)
    for sentence in problems:
        print_error(sentence)
    output().print(f"{counted(len(written), 'picture')} written to {out}.", markup=False)
    if problems:
        raise typer.Exit(1)


def say_status(out: Path | None, as_json: bool) -> None:
    """How many pictures are in which state, and why some failed."""
    from t2c_engine.albums.journal import Journal
    from t2c_engine.albums.storage import journal_folder

    if out is None:
        raise UsageError("Name the job's output folder with -o, or its job file.")
    with Journal(journal_folder(out), create=False) as journal:
        counts: dict[str, Any] = journal.counts()
        others = journal.others()
        failed = [(str(one.path), one.error or "") for one in journal.records("failed")]
    if as_json:
        print_json({**counts, "processes": others, "failures": [{"path": a, "error": b} for a, b in failed]})
        return
    words = ", ".join(f"{number} {state}" for state, number in counts.items())
    output().print(
        f"{location(out)}: {words}; {counted(others, 'process')} at work.".replace("processs", "processes"),
        markup=False,
    )
    for _, error in failed:
        output().print(f"  {error}", markup=False)
