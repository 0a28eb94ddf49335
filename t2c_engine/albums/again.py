"""A result made again from the recipe in it.

Must not import the command line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from t2c_engine import __version__
from t2c_engine.batch.picture_job import deepened
from t2c_engine.batch.recipe import Recipe, file_digest, palette_in, picture_with_recipe, read_recipe
from t2c_engine.colorization.color_source import (
    AutomaticColors,
    BaseColors,
    ColorSource,
    DiverseColors,
    PaletteColors,
    ReferenceColors,
    Region,
    ResultColors,
    Variation,
)
from t2c_engine.colorization.decoding import Decoding
from t2c_engine.colorization.looks import LookChoice
from t2c_engine.errors import PictureError, UsageError
from t2c_engine.palettes.palette import Palette
from t2c_engine.palettes.style import parse_styles
from t2c_engine.serving.protocol import DEFAULT_HINT_REACH

NUMBERS = {"strength": 1.0, "natural": 0.0, "hint_reach": DEFAULT_HINT_REACH}  # of a recipe without them


@dataclass(frozen=True, slots=True)
class MadeAgain:
    """Where the new file is, from which input, whether its bytes are the result's, and what is different by now."""

    path: Path
    input: Path
    same_bytes: bool
    notes: tuple[str, ...] = ()


def make_again(result: Path, folder: Path, input_path: Path | None = None, device: str = "auto") -> MadeAgain:
    """Make a result again, under its own name, in another folder.

    Args:
        input_path: of the picture it was made from; if None, it is looked for beside the result, up to three folders
            above it, and in the current folder.

    Raises:
        UsageError: the file holds no recipe. PictureError: the input is not found, or hints or masks are not.
        ModelError: the model is not installed. OutputError: it cannot be written.
    """
    recipe = read_recipe(result)
    if recipe is None:
        raise UsageError(f"{result} holds no recipe; only results of t2c do, unless another program has removed it.")
    if recipe.index == 0:
        raise UsageError(f"{result} is a contact sheet; name one of its results.")
    source, colors, notes = _colors(recipe)
    origin = input_path or _find(recipe, result)
    if recipe.input_digest and file_digest(origin) != recipe.input_digest:
        notes.append(f"{origin} is not the same file as then.")
    if recipe.version != __version__:
        notes.append(f"made by version {recipe.version}; this is {__version__}.")
    path = folder / result.name
    if path.resolve() == result.resolve():
        raise UsageError(f"{path} is the result itself; choose another folder.")
    _make(recipe, source, colors, origin, result, path, device)
    return MadeAgain(path, origin, path.read_bytes() == result.read_bytes(), tuple(notes))


def _make(
    recipe: Recipe, source: ColorSource, colors: ResultColors, origin: Path, result: Path, path: Path, device: str
) -> None:
    from t2c_engine.colorization.colorizer import Colorizer
    from t2c_engine.colorization.composition import compose
    from t2c_engine.pictures.picture import read_picture, write_picture

    picture = read_picture(origin, recipe.page)
    if read_picture(result).pixels.dtype == np.uint16:
        picture = deepened(picture)
    colorizer = Colorizer.load(recipe.model or None, device, source.color_styles)
    ((palette, pixels),) = compose(picture, source, [colors], colorizer)
    made = replace(recipe, palette=tuple(palette.hex), model=colorizer.model, version=__version__)
    write_picture(path, pixels, picture_with_recipe(picture, made), quality=recipe.quality)


def _colors(recipe: Recipe) -> tuple[ColorSource, ResultColors, list[str]]:
    """The source and palettes of a recipe, and what has changed of the files it names."""
    values = recipe.colors
    palette = palette_in(recipe)
    notes: list[str] = []
    base: BaseColors | None = None
    variation = Variation(**values["variation"]) if "variation" in values else None
    if "decoding" in values:
        base = AutomaticColors(Decoding(values["decoding"]))
    elif variation is not None:
        base = DiverseColors(variation.count, variation.seed)
    elif palette is not None and ("phrase" in values or "given" in values):
        base = PaletteColors((palette,))
    reference = _file(values["reference"], notes) if "reference" in values else None
    if reference is not None:
        base = ReferenceColors((reference,))
    hints = _file(values["hints"], notes) if "hints" in values else None
    inner = [Palette.from_hex(",".join(one)) for one in recipe.regions]
    regions = tuple(
        Region(_file(one["mask"], notes), PaletteColors((each,)))
        for one, each in zip(values.get("regions", ()), inner, strict=True)
    )
    strength, natural, reach = (float(values.get(name, usual)) for name, usual in NUMBERS.items())
    styles = parse_styles(str(values.get("color_style", "")))
    look = LookChoice(str(values["look"][0]), float(values["look"][1])) if "look" in values else None
    source = ColorSource(base, hints, regions, strength, natural, reach, styles, look)
    given = palette if isinstance(base, PaletteColors) else variation
    return source, ResultColors(given, tuple(inner), reference), notes


def _file(value: Any, notes: list[str]) -> Path:
    """A hints or mask file of a recipe (name and digest)."""
    path, digest = Path(str(value[0])), str(value[1])
    found = file_digest(path)
    if not found:
        raise PictureError(f"{path}, which the result was made with, is not there; put it back.")
    if found != digest:
        notes.append(f"{path} is not the same file as then.")
    return path


def _find(recipe: Recipe, result: Path) -> Path:
    """The input of a recipe: the file of its name whose content is the same, else any of its name."""
    named = [path for path in _places(recipe, result) if path.is_file() and path.resolve() != result.resolve()]
    same = [path for path in named if file_digest(path) == recipe.input_digest]
    if not named:
        raise PictureError(f"The input {recipe.input} of {result} is not near it; name it with --input.")
    return (same or named)[0]


def _places(recipe: Recipe, result: Path) -> Iterator[Path]:
    folder = result.resolve().parent
    for place in (folder, *folder.parents[:3], Path()):
        yield place / recipe.input
    for place in folder.parents[:2]:  # a tree of inputs beside the tree of results
        yield from sorted(place.glob(f"*/{_escape(recipe.input)}"))
        yield from sorted(place.glob(f"*/{_escape(folder.name)}/{_escape(recipe.input)}"))


def _escape(name: str) -> str:
    from glob import escape

    return escape(name)
