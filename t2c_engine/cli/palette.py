"""`t2c palette`: palettes drawn for phrases or taken from a picture, shown and written. The work is done in `palettes`.

Must not import torch or Pillow at module level.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from t2c_engine.cli.common import (
    AsJson,
    Count,
    Overwrite,
    Seed,
    StyleOption,
    Variety,
    print_error,
    print_json,
    reported,
    takes,
)
from t2c_engine.cli.terminal import output, print_palettes
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


def palette_models() -> list[str]:
    """Names of the palette models that a shell may complete."""
    from t2c_engine.models import scan_models

    return [card.name for card in scan_models()[0] if card.kind == "palette"]


PhrasesFile = Annotated[Path | None, typer.Option("--file", help="Phrases, one a line; - reads standard input.")]
FromImage = Annotated[Path | None, typer.Option("--from-image", help="Take the palette of this picture.")]
PaletteFile = Annotated[
    Path | None, typer.Option("-o", "--output", help="Write a .gpl, .aco, .ase, .hex, .txt or .png file.")
]
PaletteModel = Annotated[
    str | None, typer.Option("--model", help="Which palette model; see 't2c models'.", autocompletion=palette_models)
]
Colors = Annotated[int, typer.Option("--colors", help=f"{MIN_DRAWN_COLORS} to {MAX_DRAWN_COLORS} colours a palette.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaletteOptions:
    """The options of `t2c palette`, in the order of its help."""

    phrase: Annotated[str | None, typer.Argument(help="What the colours are to say.")] = None
    count: Count = DEFAULT_COUNT
    seed: Seed = 0
    variety: Variety = DEFAULT_VARIETY
    file: PhrasesFile = None
    from_image: FromImage = None
    out: PaletteFile = None
    as_json: AsJson = False
    overwrite: Overwrite = False
    model: PaletteModel = None
    style: StyleOption = ""
    lock: Annotated[str, typer.Option("--lock", help="Colours that stay, by place: '1=#aabbcc,4=#112233'.")] = ""
    avoid: Annotated[str, typer.Option("--avoid", help="Colours not wanted: '#ff0000,#00ff00'.")] = ""
    like: Annotated[str, typer.Option("--like", help="More like this palette: '#8c2f1b,#d98c3f'.")] = ""
    colors: Colors = PALETTE_SIZE

    @property
    def steering(self) -> Steering:
        """What is asked of palettes beside the phrase. Raises UsageError where it cannot be met."""
        return Steering(
            locked=parse_locked(self.lock) if self.lock else (),
            avoid=Palette.from_hex(self.avoid).colors if self.avoid else (),
            like=Palette.from_hex(self.like).colors if self.like else (),
            colors=self.colors,
        )


@reported
@takes(PaletteOptions)
def palette(options: PaletteOptions) -> None:
    """Palettes for a phrase, for every line of a file, or from a picture; of five colours if not asked otherwise."""
    if sum(source is not None for source in (options.phrase, options.file, options.from_image)) != 1:
        raise UsageError("Give one of: a phrase, --file with phrases, or --from-image with a picture.")
    if options.out is not None:
        check_output(options.out, options.overwrite)
    found = show_picture(options, options.from_image) if options.from_image is not None else show_drawn(options)
    if options.out is not None:
        write_palettes(options.out, found, options.phrase or options.out.stem, options.overwrite)
        print_error(f"written {options.out}")


def show_picture(options: PaletteOptions, picture: Path) -> list[Palette]:
    """Print and return the palette of a picture."""
    if options.steering != Steering() or options.style:
        raise UsageError(
            "--style, --lock, --avoid, --like and --colors are for palettes drawn for a phrase, not a picture's."
        )
    from t2c_engine.colorization.picture_palette import palette_of_picture

    found = palette_of_picture(picture)
    show(options.as_json, {"image": str(picture)}, [found], str(picture))
    return [found]


def show_drawn(options: PaletteOptions) -> list[Palette]:
    """Print the palettes of each phrase, and return them all, each named by its phrase."""
    from t2c_engine.palettes.sampler import PaletteRequest, PaletteSampler
    from t2c_engine.palettes.style import parse_styles

    steering = options.steering
    phrases = [options.phrase] if options.phrase is not None else read_phrases(options.file or Path())
    sampler = PaletteSampler.load(options.model, parse_styles(options.style))
    found: list[Palette] = []
    for one in phrases:
        result = sampler.sample(PaletteRequest(one, options.count, options.seed, options.variety, steering))
        if result.note:
            print_error(result.note)
        show(options.as_json, {"phrase": one, "seed": options.seed, "model": result.model}, result.palettes, one)
        found.extend(Palette(each.colors, one) for each in result.palettes)
    return found


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
    from t2c_engine.files import check_folder, refuse_existing

    if path.suffix.lower() not in (*PALETTE_SUFFIXES, ".png"):
        raise UsageError(f"{path} has no ending that can be written; use one of {', '.join(PALETTE_SUFFIXES)} or .png.")
    refuse_existing(path, overwrite)
    check_folder(path.parent)


def write_palettes(path: Path, palettes: list[Palette], title: str, overwrite: bool) -> None:
    if path.suffix.lower() == ".png":
        from t2c_engine.palettes.swatches import write_swatch_sheet

        write_swatch_sheet(path, palettes, title, overwrite)
    else:
        from t2c_engine.palettes.files import write_palette

        write_palette(path, palettes, overwrite)
