"""`t2c colorize`: its options, and what it says about each picture.

The work is done in `batch`. Must not import torch or Pillow at module level.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from t2c_engine.cli.common import AsJson, Count, Overwrite, Seed, Variety, print_error, print_json, reported
from t2c_engine.cli.terminal import output, print_palettes, progress
from t2c_engine.colorization.decoding import Decoding
from t2c_engine.errors import UsageError
from t2c_engine.palettes.palette import PALETTE_SIZE, Palette


@reported
def colorize(
    inputs: Annotated[list[str], typer.Argument(help="Pictures, folders of pictures, or patterns.")],
    phrase: Annotated[str | None, typer.Option("--phrase", help="Draw palettes for this phrase.")] = None,
    palette: Annotated[
        str | None, typer.Option("--palette", help="Colours such as '#8c2f1b,#d98c3f', or a palette file.")
    ] = None,
    auto: Annotated[bool, typer.Option("--auto", help="The network's own colours, without any palette.")] = False,
    decoding: Annotated[
        Decoding, typer.Option("--decoding", help="Of --auto; all but vivid are fainter, centroid is blotchy.")
    ] = Decoding.VIVID,
    hints: Annotated[
        Path | None, typer.Option("--hints", help="A transparent PNG with dabs of colour where they belong.")
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option("--region", metavar="MASK COLOURS", help="A mask, and a phrase or palette for what it covers."),
    ] = None,
    count: Count = 5,
    seed: Seed = 0,
    variety: Variety = 0.5,
    strength: Annotated[
        float,
        typer.Option(
            "--strength", min=0, max=2, help="0: natural colours; 1: the palette's; 2: twice those. --auto: 0 is grey."
        ),
    ] = 1.0,
    out: Annotated[Path, typer.Option("-o", "--output", help="The folder for the results.")] = Path("out"),
    device: Annotated[str, typer.Option("--device", help="auto, cpu, cuda or mps.")] = "auto",
    as_json: AsJson = False,
    overwrite: Overwrite = False,
    keep_going: Annotated[
        bool, typer.Option("--keep-going/--stop-on-error", help="Whether others are coloured after one failed.")
    ] = True,
    page: Annotated[
        int | None, typer.Option("--page", min=1, help="Which page or frame of each file; else its first picture.")
    ] = None,
    model: Annotated[str | None, typer.Option("--model", help="Which colouring model; see 't2c models'.")] = None,
    palette_model: Annotated[str | None, typer.Option("--palette-model", help="Which palette model.")] = None,
) -> None:
    """Colour pictures from a phrase, a palette, hints or by themselves: OUT/<name>-1 ... and OUT/<name>-sheet.png."""
    from t2c_engine.colorization import batch
    from t2c_engine.colorization.output_paths import expand_inputs

    sources = sum((phrase is not None, palette is not None, auto))
    if sources > 1 or not (sources or hints or region):
        raise UsageError("Give one of --phrase, --palette and --auto; or else --hints, or --region.")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended from outside is ended like Ctrl-C
    given = given_palettes(palette, count) if palette is not None else ()
    request = batch.ColorizeRequest(
        inputs=expand_inputs(inputs),
        folder=out,
        phrase=phrase,
        palettes=given,
        automatic=auto,
        decoding=decoding,
        hints=hints,
        regions=tuple(parse_region(one, count) for one in region or ()),
        count=count,
        seed=seed,
        variety=variety,
        strength=strength,
        device=device,
        model=model,
        palette_model=palette_model,
        overwrite=overwrite,
        keep_going=keep_going,
        page=page,
    )
    failed = kept = 0
    with progress(len(request.inputs) * batch.results_of(request), shown=not as_json) as bar:
        for result in batch.colorize(request, bar):
            failed += result.error is not None
            kept += len(result.kept)
            with bar.paused():
                report(result, as_json)
    if kept:
        print_error(f"{kept} existing file{'s' if kept > 1 else ''} kept; add --overwrite to replace.")
    if failed:
        print_error(f"{failed} of {len(request.inputs)} pictures failed.")
        raise typer.Exit(1)


class ColorizeCommand(TyperCommand):
    """`--region` takes two words, of which typer knows nothing: they are joined as MASK=COLOURS, which it takes too."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        joined: list[str] = []
        words = iter(args)
        for word in words:
            joined.append(word)
            if word == "--region":
                mask = next(words, None)
                if mask is not None:
                    joined.append(mask if "=" in mask else f"{mask}={next(words, '')}")
        return super().parse_args(ctx, joined)


def parse_region(text: str, count: int) -> Any:
    """A `batch.Region` from MASK=COLOURS: colours are a palette file, hex colours, or else a phrase."""
    from t2c_engine.colorization.batch import Region

    mask, _, colours = text.partition("=")
    if not mask or not colours.strip():
        raise UsageError("--region takes two words: a mask, and a phrase or palette for what it covers.")
    if is_palette_file(colours) or colours.lstrip().startswith("#"):
        return Region(Path(mask), palettes=given_palettes(colours, count))
    return Region(Path(mask), phrase=colours)


def is_palette_file(text: str) -> bool:
    from t2c_engine.palettes.files import READABLE_SUFFIXES

    return Path(text).suffix.lower() in READABLE_SUFFIXES or os.path.isfile(text)


def given_palettes(text: str, count: int) -> tuple[Palette, ...]:
    """The first `count` palettes that a text names: a file's, or one of hex colours. Says what is changed in them."""
    from t2c_engine.palettes.files import read_palettes

    is_file = is_palette_file(text)
    palettes = read_palettes(text) if is_file else (Palette.from_hex(text),)
    if len(palettes) > count:
        print_error(f"{text} has {len(palettes)} palettes; the first {count} are used.")
    for index, one in enumerate(palettes[:count], start=1):
        number = len(one.colors)
        if number != PALETTE_SIZE:
            which = f"palette {index} of {text}" if is_file else "the palette"
            how = "lighter and darker variants are added" if number < PALETTE_SIZE else "the most typical are used"
            print_error(f"{which} has {number} colour{'s' if number > 1 else ''}, not {PALETTE_SIZE}; {how}.")
    return palettes[:count]


def report(result: Any, as_json: bool) -> None:
    """One picture's result: JSON, or its path and palette lines; errors in words."""
    if as_json:
        print_json(result.as_json())
    elif result.results:
        console = output()
        console.print(f"{result.input} ({result.seconds:.1f} s)", markup=False)
        for one in result.results:
            print_palettes(console, [one.palette])
            console.print(f"    {one.path}", markup=False)
        if result.sheet:
            console.print(f"  {result.sheet}", markup=False)
    if result.error:
        print_error(result.error)
