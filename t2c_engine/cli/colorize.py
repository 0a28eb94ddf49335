"""`t2c colorize`: its options, and what it says about each picture.

The work is done in `t2c_engine.batch`. Must not import torch or Pillow at module level.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from t2c_engine.cli.color_options import given_palettes, parse_region
from t2c_engine.cli.common import (
    AsJson,
    Count,
    Device,
    Overwrite,
    Seed,
    StyleOption,
    Variety,
    print_error,
    print_json,
    reported,
    takes,
)
from t2c_engine.cli.looks import Look
from t2c_engine.cli.option_rules import CheckedCommand
from t2c_engine.cli.terminal import output, print_palettes, printable, progress
from t2c_engine.colorization.color_source import (
    AutomaticColors,
    BaseColors,
    ColorSource,
    DiverseColors,
    PaletteColors,
    PhraseColors,
    ReferenceColors,
    with_look,
)
from t2c_engine.colorization.color_styles import split_styles
from t2c_engine.colorization.decoding import Decoding
from t2c_engine.colorization.looks import find_look
from t2c_engine.errors import UsageError
from t2c_engine.palettes.style import parse_styles, styles_text
from t2c_engine.serving.protocol import (
    DEFAULT_COUNT,
    DEFAULT_HINT_REACH,
    DEFAULT_NATURAL,
    DEFAULT_VARIETY,
    MAX_STRENGTH,
    MAX_VARIATIONS,
)

if TYPE_CHECKING:
    from t2c_engine.batch.request import ColorizeRequest, PictureResult

Natural = Annotated[
    float,
    typer.Option(
        "--natural",
        min=0,
        max=1,
        help="How far automatic colour is kept: up to 0.2 of skin, beyond of sky and leaves too.",
    ),
]
PaletteText = Annotated[
    str | None, typer.Option("--palette", help="Colours such as '#8c2f1b,#d98c3f', or a palette file.")
]
DecodingOption = Annotated[
    Decoding, typer.Option("--decoding", help="Of --auto; all but vivid are fainter, centroid is blotchy.")
]
Diverse = Annotated[
    int | None,
    typer.Option("--diverse", min=1, max=MAX_VARIATIONS, help="So many plausible colourings that differ."),
]
HintsFile = Annotated[
    Path | None, typer.Option("--hints", help="A transparent PNG with colour hints where they belong.")
]
HintReach = Annotated[
    float,
    typer.Option(
        "--hint-reach",
        min=0,
        max=1,
        help="How far hints spread over what looks alike: 0 over their own thing alone, 1 all of it.",
    ),
]
Regions = Annotated[
    list[str] | None,
    typer.Option("--region", metavar="MASK COLOURS", help="A mask, and a phrase or palette for what it covers."),
]
Strength = Annotated[
    float,
    typer.Option(
        "--strength",
        min=0,
        max=MAX_STRENGTH,
        help="0: natural colours; 1: the palette's; 2: twice those. --auto: 0 is grey. --look: of the look.",
    ),
]
KeepGoing = Annotated[
    bool, typer.Option("--keep-going/--stop-on-error", help="Whether others are coloured after one failed.")
]
Page = Annotated[
    int | None, typer.Option("--page", min=1, help="Which page or frame of each file; else its first picture.")
]

References = Annotated[
    list[Path] | None,
    typer.Option("--reference", help="Take the colours of this picture; several give a result each."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColorizeOptions:
    """The options of `t2c colorize`, in the order of its help."""

    inputs: Annotated[list[str], typer.Argument(help="Pictures, folders of pictures, or patterns.")]
    phrase: Annotated[str | None, typer.Option("--phrase", help="Draw palettes for this phrase.")] = None
    palette: PaletteText = None
    auto: Annotated[bool, typer.Option("--auto", help="The network's own colours, without any palette.")] = False
    reference: References = None
    diverse: Diverse = None
    decoding: DecodingOption = Decoding.VIVID
    hints: HintsFile = None
    hint_reach: HintReach = DEFAULT_HINT_REACH
    region: Regions = None
    count: Count = DEFAULT_COUNT
    seed: Seed = 0
    variety: Variety = DEFAULT_VARIETY
    style: StyleOption = ""
    look: Look = None
    strength: Strength = 1.0
    natural: Natural = DEFAULT_NATURAL
    out: Annotated[Path, typer.Option("-o", "--output", help="The folder for the results.")] = Path("out")
    device: Device = "auto"
    as_json: AsJson = False
    overwrite: Overwrite = False
    keep_going: KeepGoing = True
    page: Page = None
    model: Annotated[str | None, typer.Option("--model", help="Which colouring model; see 't2c models'.")] = None
    palette_model: Annotated[str | None, typer.Option("--palette-model", help="Which palette model.")] = None


@reported
@takes(ColorizeOptions)
def colorize(options: ColorizeOptions) -> None:
    """Colour pictures by phrase, palette, reference, hints or by themselves: OUT/<name>-1 ..., OUT/<name>-sheet.png."""
    from t2c_engine.batch.input_files import expand_inputs
    from t2c_engine.batch.request import ColorizeRequest, Models, OutputOptions

    source = source_of(options)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended from outside is ended like Ctrl-C
    hints = [options.hints] if options.hints else []
    overlays = [*(one.mask for one in source.regions), *hints, *(options.reference or ())]
    found = expand_inputs(options.inputs, excluded=overlays)
    for note in found.notes:
        print_error(note)
    output = OutputOptions(options.out, options.overwrite, options.keep_going)
    models = Models(options.model, options.palette_model, options.device)
    run(ColorizeRequest(found.paths, source, output, models, options.page), options.as_json)


def source_of(options: ColorizeOptions) -> ColorSource:
    """The colors that the options ask for.

    Raises:
        UsageError: none or several sources are named, a look or style is not installed, or a style has nothing to do.
    """
    given = (options.phrase, options.palette, options.auto or None, options.diverse, options.reference or None)
    sources = sum(one is not None for one in given)
    painted = options.hints or options.region
    if sources > 1 or not (sources or painted or options.look):
        raise UsageError(
            "Give one of --phrase, --palette, --reference, --auto and --diverse; or --look, --hints, or --region."
        )
    if options.look is not None:
        find_look(options.look)
    palette_styles, color_styles = split_styles(parse_styles(options.style))
    drawn = PhraseColors("", options.count, options.seed, options.variety, styles_text(palette_styles))
    regions = tuple(parse_region(one, drawn) for one in options.region or ())
    draws = options.phrase is not None or any(isinstance(one.colors, PhraseColors) for one in regions)
    if palette_styles and not draws:
        raise UsageError(f"The style '{palette_styles[0].name}' is for palettes drawn for a phrase; give --phrase too.")
    base = base_of(options, drawn)
    if base is None and not painted:
        base = AutomaticColors(options.decoding)  # for the look
    source = ColorSource(
        base, options.hints, regions, options.strength, options.natural, options.hint_reach, color_styles
    )
    return with_look(source, options.look)


def base_of(options: ColorizeOptions, drawn: PhraseColors) -> BaseColors | None:
    """The source of the whole picture that is named; palettes for a phrase are drawn as `drawn`."""
    if options.phrase is not None:
        return replace(drawn, phrase=options.phrase)
    if options.palette is not None:
        return PaletteColors(given_palettes(options.palette, options.count))
    if options.reference:
        return ReferenceColors(tuple(options.reference))
    if options.diverse is not None:
        return DiverseColors(options.diverse, options.seed)
    return AutomaticColors(options.decoding) if options.auto else None


def run(request: ColorizeRequest, as_json: bool) -> None:
    """Color the pictures of a request and say what became of each."""
    from t2c_engine.batch import colorize as batch

    summary = Summary()
    with progress(request.result_count, shown=not as_json) as bar:
        for result in batch.colorize(request, bar):
            summary.add(result)
            with bar.paused():
                report(result, as_json, request.source.changes)
    for sentence in summary.sentences(len(request.inputs)):
        print_error(sentence)
    if summary.failed:
        raise typer.Exit(1)


@dataclass(slots=True)
class Summary:
    """Counts over the pictures of a run, and what is said of them at its end."""

    failed: int = 0
    kept: int = 0
    apart: list[Path] = field(default_factory=list)
    shortened: list[Path] = field(default_factory=list)
    stale: list[Path] = field(default_factory=list)

    def add(self, result: PictureResult) -> None:
        self.failed += result.error is not None
        self.kept += len(result.kept)
        self.stale += result.stale
        written = [*(one.path for one in result.results), *result.kept]
        if written and result.apart:
            self.apart.append(written[0])
        if written and result.shortened:
            self.shortened.append(written[0])

    def sentences(self, pictures: int) -> Iterator[str]:
        """One a kind of news."""
        if self.apart:
            yield (
                f"{counted(len(self.apart), 'picture')} had results of other colours or of another input there; "
                f"the new ones have names of their own, as {self.apart[0]}."
            )
        if self.shortened:
            yield (
                f"{counted(len(self.shortened), 'name')} too long for the results; shortened, as {self.shortened[0]}."
            )
        if self.stale:
            yield f"{counted(len(self.stale), 'result')} of an earlier run left beside these, as {self.stale[0]}."
        if self.kept:
            yield f"{counted(self.kept, 'existing file')} kept; add --overwrite to replace."
        if self.failed:
            yield f"{self.failed} of {counted(pictures, 'picture')} failed."


def counted(number: int, what: str) -> str:
    """ "1 picture", "2 pictures"."""
    return f"{number} {what}{'' if number == 1 else 's'}"


class ColorizeCommand(CheckedCommand):
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


def report(result: PictureResult, as_json: bool, changes: Sequence[str] = ()) -> None:
    """One picture's result: JSON, or its path and palette lines; errors in words.

    Args:
        changes: what the colors of the palettes went through before they are seen.
    """
    if as_json:
        print_json(result.as_json() | ({"palettes_before": list(changes)} if changes else {}))
    elif result.results:
        console = output()
        before = f", palettes before {' and '.join(changes)}" if changes else ""
        console.print(printable(f"{result.input} ({result.seconds:.1f} s){before}"), markup=False)
        for one in result.results:
            print_palettes(console, [one.palette])
            console.print(f"    {printable(one.path)}", markup=False)
        if result.sheet:
            console.print(f"  {printable(result.sheet)}", markup=False)
    if result.error:
        print_error(result.error)
