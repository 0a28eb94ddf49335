"""The command line, `t2c`: arguments in, results to standard output, everything else to standard error.

Only arguments are handled here; the work is done in `palettes`, `colorization`, `models` and `doctor`. Exit codes: 0
done, 1 some inputs failed, 2 wrong usage, 130 interrupted. Must not import torch or Pillow at module level.
"""

from __future__ import annotations

import io
import logging
import platform
import sys
from pathlib import Path
from typing import Annotated

import typer

from t2c_engine import __version__
from t2c_engine.cli.batch import batch
from t2c_engine.cli.colorize import ColorizeCommand, colorize
from t2c_engine.cli.common import AsJson, flush_output, print_error, print_json, print_os_error, reported
from t2c_engine.cli.looks import looks
from t2c_engine.cli.models import models_app
from t2c_engine.cli.option_rules import CheckedCommand
from t2c_engine.cli.palette import palette
from t2c_engine.cli.review import again, review
from t2c_engine.cli.terminal import output, print_table, printable

app = typer.Typer(
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Palettes from phrases, and colour for grey pictures.",
)


def _print_versions(asked: bool) -> None:
    """Version of this program, of Python and of torch, and the device; torch itself is not imported."""
    if asked:
        from t2c_engine.devices import installed_torch

        typer.echo(f"text2colors {__version__}")
        typer.echo(f"Python {platform.python_version()}")
        typer.echo(installed_torch())
        raise typer.Exit


@app.callback(invoke_without_command=True)
def options(
    version: Annotated[
        bool,
        typer.Option(
            "-V", "--version", help="Print version, torch and device.", is_eager=True, callback=_print_versions
        ),
    ] = False,
) -> None:
    """Options before the command."""


app.command(cls=CheckedCommand, short_help="Palettes for a phrase, a file of phrases, or a picture.")(palette)
app.command(cls=ColorizeCommand, short_help="Colour pictures by phrase, palette, hints or region.")(colorize)
app.command(short_help="The looks installed, for --look.")(looks)
app.command(cls=CheckedCommand)(batch)
app.command()(review)
app.command(cls=CheckedCommand)(again)


app.add_typer(models_app, name="models")


@app.command()
@reported
def doctor(as_json: AsJson = False) -> None:
    """What is wrong with this installation, in words."""
    from t2c_engine.doctor import examine

    marks = {"ok": "ok", "warning": "WARNING", "problem": "PROBLEM"}
    styles = {"ok": "green", "warning": "yellow", "problem": "red"}
    problems = 0
    for check in examine():
        problems += check.state == "problem"
        if as_json:
            print_json(check.as_json())
            continue
        console = output()
        console.print(f"{marks[check.state]:8}", style=styles[check.state], end="")
        console.print(f"{check.name}: {check.words}", markup=False)
        if check.advice:
            console.print(f"        {check.advice}", markup=False)
    if problems:
        print_error(f"{problems} problem{'s' if problems > 1 else ''} found.")
        raise typer.Exit(1)


@app.command(short_help="The licences of all that is installed.")
@reported
def licences(as_json: AsJson = False) -> None:
    """The licences of text2colors, its models and everything that is installed with it."""
    from t2c_engine.cli.licences import installed_licences
    from t2c_engine.models import scan_models

    found = installed_licences()
    cards, _ = scan_models()
    if as_json:
        for one in found:
            print_json(one.as_json())
        for card in cards:
            print_json({"name": card.name, "version": str(card.version), "licence": card.licence, "extra": "model"})
        return
    rows = [(f"{one.name} {one.version}", one.licence + (f"  [{one.extra}]" if one.extra else "")) for one in found]
    print_table(output(), [*rows, *((f"{card.name} {card.version}", f"{card.licence}  [model]") for card in cards)])


@app.command(short_help="The process that an editor's plug-in talks to.")
@reported
def engine(
    listen: Annotated[
        Path | None,
        typer.Option(
            "--listen",
            help="Serve a Unix socket here (on Windows, the pipe of this name), not standard input and output.",
        ),
    ] = None,
    idle_exit: Annotated[
        float | None, typer.Option("--idle-exit", min=1, help="Leave after so many seconds without a word.")
    ] = None,
    while_running: Annotated[
        int | None, typer.Option("--while", min=1, help="Leave when the process of this number has ended.")
    ] = None,
    device: Annotated[str, typer.Option("--device", help="Where to load the colour network in advance.")] = "cpu",
) -> None:
    """The engine process that an editor's plug-in talks to; not for typing."""
    from t2c_engine.serving.server import run

    run(listen, idle_exit, device, while_running)


class _OneLine(logging.Formatter):
    """Messages hold names of files, and those any character."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        return printable(super().formatMessage(record))


def run() -> int:
    """Run the command line on the arguments of this process; returns the exit code."""
    messages = logging.StreamHandler()
    messages.setFormatter(_OneLine("t2c: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[messages])
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # file names need not be text
    try:
        app(prog_name="t2c")
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except OSError as error:  # of --help and --version; commands report their own
        print_os_error(error)
        return 1
    return code if flush_output() else code or 1


def main() -> None:
    """Run the command line and end the process."""
    sys.exit(run())


if __name__ == "__main__":
    main()
