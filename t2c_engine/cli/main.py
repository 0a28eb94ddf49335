"""The command line, `t2c`: arguments in, results to standard output, everything else to standard error.

Only arguments are handled here; the work is done in `palettes`, `colorization`, `models` and `doctor`. Exit codes: 0
done, 1 some inputs failed, 2 wrong usage, 130 interrupted. Must not import torch or Pillow at module level.
"""

from __future__ import annotations

import io
import logging
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from t2c_engine import __version__
from t2c_engine.cli.batch import batch
from t2c_engine.cli.colorize import ColorizeCommand, colorize
from t2c_engine.cli.common import (
    AsJson,
    Count,
    Overwrite,
    Seed,
    StyleOption,
    Variety,
    discard_output,
    flush_output,
    print_error,
    print_json,
    reported,
)
from t2c_engine.cli.looks import looks
from t2c_engine.cli.models import models_app
from t2c_engine.cli.review import again, review
from t2c_engine.cli.terminal import output, print_palettes, print_table
from t2c_engine.errors import UsageError
from t2c_engine.palettes.palette import Palette
from t2c_engine.palettes.steering import Steering, parse_locked
from t2c_engine.serving.protocol import (
    DEFAULT_COUNT,
    DEFAULT_VARIETY,
    MAX_DRAWN_COLORS,
    MIN_DRAWN_COLORS,
    PALETTE_SIZE,
    PALETTE_SUFFIXES,
)

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


def palette_models() -> list[str]:
    """Names of the palette models that a shell may complete."""
    from t2c_engine.models import scan_models

    return [card.name for card in scan_models()[0] if card.kind == "palette"]


@app.command(short_help="Palettes for a phrase, a file of phrases, or a picture.")
@reported
def palette(
    phrase: Annotated[str | None, typer.Argument(help="What the colours are to say.")] = None,
    count: Count = DEFAULT_COUNT,
    seed: Seed = 0,
    variety: Variety = DEFAULT_VARIETY,
    file: Annotated[Path | None, typer.Option("--file", help="Phrases, one a line; - reads standard input.")] = None,
    from_image: Annotated[Path | None, typer.Option("--from-image", help="Take the palette of this picture.")] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write a .gpl, .aco, .ase, .hex, .txt or .png file.")
    ] = None,
    as_json: AsJson = False,
    overwrite: Overwrite = False,
    model: Annotated[
        str | None,
        typer.Option("--model", help="Which palette model; see 't2c models'.", autocompletion=palette_models),
    ] = None,
    style: StyleOption = "",
    lock: Annotated[str, typer.Option("--lock", help="Colours that stay, by place: '1=#aabbcc,4=#112233'.")] = "",
    avoid: Annotated[str, typer.Option("--avoid", help="Colours not wanted: '#ff0000,#00ff00'.")] = "",
    like: Annotated[str, typer.Option("--like", help="More like this palette: '#8c2f1b,#d98c3f'.")] = "",
    colors: Annotated[
        int, typer.Option("--colors", help=f"{MIN_DRAWN_COLORS} to {MAX_DRAWN_COLORS} colours a palette.")
    ] = PALETTE_SIZE,
) -> None:
    """Palettes for a phrase, for every line of a file, or from a picture; of five colours if not asked otherwise."""
    if sum(source is not None for source in (phrase, file, from_image)) != 1:
        raise UsageError("Give one of: a phrase, --file with phrases, or --from-image with a picture.")
    if out is not None:
        check_output(out, overwrite)
    steering = Steering(
        locked=parse_locked(lock) if lock else (),
        avoid=Palette.from_hex(avoid).colors if avoid else (),
        like=Palette.from_hex(like).colors if like else (),
        colors=colors,
    )
    found: list[Palette] = []
    if from_image is not None:
        if steering != Steering() or style:
            raise UsageError(
                "--style, --lock, --avoid, --like and --colors are for palettes drawn for a phrase, not a picture's."
            )
        from t2c_engine.colorization.picture_palette import palette_of_picture

        found.append(palette_of_picture(from_image))
        show(as_json, {"image": str(from_image)}, found, str(from_image))
    else:
        from t2c_engine.palettes.sampler import PaletteRequest, PaletteSampler
        from t2c_engine.palettes.style import parse_styles

        phrases = [phrase] if phrase is not None else read_phrases(file or Path())
        sampler = PaletteSampler.load(model, parse_styles(style))
        for one in phrases:
            result = sampler.sample(PaletteRequest(one, count, seed, variety, steering))
            if result.note:
                print_error(result.note)
            show(as_json, {"phrase": one, "seed": seed, "model": result.model}, result.palettes, one)
            found.extend(Palette(each.colors, one) for each in result.palettes)
    if out is not None:
        write_palettes(out, found, phrase or out.stem, overwrite)
        print_error(f"written {out}")


def show(as_json: bool, values: dict[str, Any], palettes: Any, title: str) -> None:
    if as_json:
        print_json({**values, "palettes": [list(one.hex) for one in palettes]})
    else:
        print_palettes(output(), palettes, title)


def read_phrases(file: Path) -> Iterator[str]:
    """The lines of a file (or of standard input for "-") that are not blank."""
    try:
        if str(file) == "-":
            lines = sys.stdin.read().splitlines()
        else:
            lines = file.read_text("utf-8-sig", errors="replace").splitlines()
    except OSError as error:
        raise UsageError(f"The phrases {file} cannot be read ({error.strerror}); check its name.") from error
    phrases = [line.strip() for line in lines if line.strip()]
    if not phrases:
        raise UsageError(f"{file} holds no phrase; write one a line.")
    return iter(phrases)


def check_output(path: Path, overwrite: bool) -> None:
    """Refuse, before any work, an ending that cannot be written and a file that may not be replaced."""
    from t2c_engine.files import refuse_existing

    if path.suffix.lower() not in (*PALETTE_SUFFIXES, ".png"):
        raise UsageError(f"{path} has no ending that can be written; use one of {', '.join(PALETTE_SUFFIXES)} or .png.")
    refuse_existing(path, overwrite)


def write_palettes(path: Path, palettes: list[Palette], title: str, overwrite: bool) -> None:
    if path.suffix.lower() == ".png":
        from t2c_engine.palettes.swatches import write_swatch_sheet

        write_swatch_sheet(path, palettes, title, overwrite)
    else:
        from t2c_engine.palettes.files import write_palette

        write_palette(path, palettes, overwrite)


app.command(cls=ColorizeCommand, short_help="Colour pictures by phrase, palette, hints or region.")(colorize)
app.command(short_help="The looks installed, for --look.")(looks)
app.command()(batch)
app.command()(review)
app.command()(again)


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


def run() -> int:
    """Run the command line on the arguments of this process; returns the exit code."""
    logging.basicConfig(level=logging.WARNING, format="t2c: %(message)s")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # file names need not be text
    try:
        app(prog_name="t2c")
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except OSError as error:  # what commands do with files they report themselves: it is the output's
        discard_output()
        print_error(
            f"{error.filename or 'The output'} cannot be written ({error.strerror or error}); choose another place."
        )
        return 1
    return code if flush_output() else code or 1


def main() -> None:
    """Run the command line and end the process."""
    sys.exit(run())


if __name__ == "__main__":
    main()
