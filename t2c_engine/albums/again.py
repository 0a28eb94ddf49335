"""A result made again from the recipe in it: its files found, its models compared with those installed now.

Must not import the command line.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from t2c_engine import __version__
from t2c_engine.albums import journal
from t2c_engine.batch.input_files import is_system_file
from t2c_engine.batch.origins import WantedFile, find_file
from t2c_engine.batch.picture_job import deepened
from t2c_engine.batch.recipe import (
    LAYERED_SUFFIX,
    Recipe,
    file_digest,
    palette_in,
    picture_with_recipe,
    read_recipe,
)
from t2c_engine.batch.used_models import OF_PALETTES, differences, installed_name, used_models
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
from t2c_engine.errors import OutputError, UsageError
from t2c_engine.files import real
from t2c_engine.palettes.palette import Palette
from t2c_engine.palettes.style import parse_styles
from t2c_engine.serving.protocol import DEFAULT_HINT_REACH

NUMBERS = {"strength": 1.0, "natural": 0.0, "hint_reach": DEFAULT_HINT_REACH}  # of a recipe without them


@dataclass(frozen=True, slots=True)
class AgainOptions:
    """How results are made again.

    given: files, and folders to look through, for inputs, hints, masks and references. model: the colouring model to
    take; None: that of the recipe. overwrite: replace files that exist.
    """

    given: tuple[Path, ...] = ()
    device: str = "auto"
    model: str | None = None
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class MadeAgain:
    """Where the new file is, from which input, whether its bytes are the result's, and what is different by now.

    difference: of the pixels, at most, in levels of 255; None where the pictures are of different sizes.
    """

    path: Path
    input: Path
    same_bytes: bool
    difference: float | None = 0.0
    notes: tuple[str, ...] = ()


def results_of(paths: Sequence[Path]) -> list[Path]:
    """The files named, and for a folder the results in it and below, but for contact sheets and system files.

    Raises:
        UsageError: a folder holds no result.
    """
    found: dict[str, Path] = {}
    for path in paths:
        own = [path]
        if path.is_dir():
            own = [one for one in sorted(path.rglob("*")) if _is_result(one, path)]
            if not own:
                raise UsageError(f"The folder {path} holds no result of t2c; name results, or another folder.")
        for one in own:
            found.setdefault(os.path.realpath(one), one)
    return list(found.values())


def _is_result(path: Path, folder: Path) -> bool:
    if not path.is_file() or any(is_system_file(Path(part)) for part in path.relative_to(folder).parts):
        return False
    recipe = read_recipe(path)
    return recipe is not None and recipe.index > 0 and path.suffix.lower() != LAYERED_SUFFIX


def places_for(results: Sequence[Path], folder: Path) -> list[Path]:
    """Where each result is made again: under its own name, in its own sub-folder where names are equal otherwise."""
    names = [path.name.casefold() for path in results]
    if len(set(names)) == len(names):
        return [folder / path.name for path in results]
    above = os.path.commonpath([real(path).parent for path in results])
    return [folder / real(path).relative_to(above) for path in results]


def make_again(result: Path, path: Path, options: AgainOptions | None = None) -> MadeAgain:
    """Make a result again, as another file.

    Other weights of a model than then are no hindrance: the new file names those it was made with, and `notes` say it.

    Raises:
        UsageError: the file holds no recipe, or `path` is the result itself. PictureError: the input is not found, or
        hints, masks or references are not. ModelError: the model is not installed. OutputError: it cannot be written.
    """
    options = options or AgainOptions()
    recipe = _recipe_of(result)
    finder = _Finder(recipe, result, options.given)
    origin = finder.input()
    if real(path) == real(result):
        raise UsageError(f"{path} is the result itself; choose another folder with -o.")
    source, colors = _colors(recipe, finder)
    model = options.model or installed_name(recipe.models, recipe.model)
    now = used_models(source, model)
    kept = tuple(one for one in recipe.models if one.kind in OF_PALETTES)
    made = replace(recipe, models=(*now, *kept) if recipe.models else (), version=__version__)
    notes = [*finder.notes, *differences(recipe.models, now)]
    if options.model and recipe.model and options.model != recipe.model and not recipe.models:
        notes.append(f"made with the colouring model '{recipe.model}', now with '{options.model}'.")
    if recipe.version != __version__:
        notes.append(f"made by version {recipe.version}; this is {__version__}.")
    _make(made, source, colors, _Files(origin, result, path), model, options)
    same = path.read_bytes() == result.read_bytes()
    return MadeAgain(path, origin, same, 0.0 if same else _difference(path, result), tuple(notes))


def _recipe_of(result: Path) -> Recipe:
    if result.suffix.lower() == LAYERED_SUFFIX:
        raise UsageError(f"{result} is a layered file, which is not made again; give its input to 't2c batch'.")
    recipe = read_recipe(result)
    if recipe is None:
        state = "holds no recipe; only results of t2c do, unless another program has removed it."
        raise UsageError(f"{result} {state if result.exists() else 'is not there; name a result of t2c.'}")
    if recipe.index == 0:
        raise UsageError(f"{result} is a contact sheet; name one of its results.")
    return recipe


@dataclass(frozen=True, slots=True)
class _Files:
    origin: Path
    result: Path
    path: Path


def _make(
    recipe: Recipe, source: ColorSource, colors: ResultColors, files: _Files, model: str | None, options: AgainOptions
) -> None:
    from t2c_engine.colorization.colorizer import Colorizer
    from t2c_engine.colorization.composition import compose
    from t2c_engine.files import refuse_existing
    from t2c_engine.pictures.picture import read_picture, write_picture

    refuse_existing(files.path, options.overwrite)
    picture = read_picture(files.origin, recipe.page)
    if read_picture(files.result).pixels.dtype == np.uint16:
        picture = deepened(picture)
    weights = tuple(one.sha256 for one in recipe.models)
    colorizer = _loaded(Colorizer.load, model, options.device, source.color_styles, weights)
    ((palette, pixels),) = compose(picture, source, [colors], colorizer)
    made = replace(recipe, palette=tuple(palette.hex), model=colorizer.model)
    like = picture_with_recipe(picture, made)
    write_picture(files.path, pixels, like, options.overwrite, recipe.quality)


@lru_cache(maxsize=1)
def _loaded(load: Any, model: str | None, device: str, styles: tuple[Any, ...], weights: tuple[str, ...]) -> Any:
    """A colorizer, kept for the next result; `weights` are there so that others of the same name are read anew."""
    return load(model, device, styles)


def _difference(path: Path, result: Path) -> float | None:
    from t2c_engine.color.samples import full_scale
    from t2c_engine.pictures.picture import read_picture

    first, second = (read_picture(one).pixels for one in (path, result))
    if first.shape != second.shape or first.dtype != second.dtype:
        return None
    return float(np.abs(first.astype(np.float32) - second).max()) * 255 / full_scale(first.dtype)


def _colors(recipe: Recipe, finder: _Finder) -> tuple[ColorSource, ResultColors]:
    """The source and palettes of a recipe."""
    values = recipe.colors
    palette = palette_in(recipe)
    base: BaseColors | None = None
    variation = Variation(**values["variation"]) if "variation" in values else None
    if "decoding" in values:
        base = AutomaticColors(Decoding(values["decoding"]))
    elif variation is not None:
        base = DiverseColors(variation.count, variation.seed)
    elif palette is not None and ("phrase" in values or "given" in values):
        base = PaletteColors((palette,))
    reference = finder.other("reference", values["reference"]) if "reference" in values else None
    if reference is not None:
        base = ReferenceColors((reference,))
    hints = finder.other("hints", values["hints"]) if "hints" in values else None
    inner = [Palette.from_hex(",".join(one)) for one in recipe.regions]
    regions = tuple(
        Region(finder.other("mask", one["mask"]), PaletteColors((each,)))
        for one, each in zip(values.get("regions", ()), inner, strict=True)
    )
    strength, natural, reach = (float(values.get(name, usual)) for name, usual in NUMBERS.items())
    styles = parse_styles(str(values.get("color_style", "")))
    look = LookChoice(str(values["look"][0]), float(values["look"][1])) if "look" in values else None
    source = ColorSource(base, hints, regions, strength, natural, reach, styles, look)
    given = palette if isinstance(base, PaletteColors) else variation
    return source, ResultColors(given, tuple(inner), reference)


class _Finder:
    """The files of one recipe.

    Attributes:
        notes: what has changed of them.
    """

    def __init__(self, recipe: Recipe, result: Path, given: Sequence[Path]) -> None:
        self.notes: list[str] = []
        self._recipe = recipe
        self._result = result
        self._given = given
        self._beside: tuple[Path, ...] = ()  # where hints and the like may lie too: with the input

    def input(self) -> Path:
        """The picture that is colored."""
        one = self._recipe
        wanted = WantedFile("input", one.input, one.input_digest, one.input_size, one.input_paths)
        found = find_file(wanted, self._result, self._given, _in_journals(self._result))
        self._note(found, one.input_digest)
        self._beside = (found.parent,)
        return found

    def other(self, what: str, value: Sequence[Any]) -> Path:
        """A file of hints, a mask or a reference: path, digest and, in later recipes, size."""
        path, digest = Path(str(value[0])), str(value[1])
        size = value[2] if len(value) > 2 else None
        also = [folder / part for folder in self._beside for part in (path, path.name)]
        found = find_file(WantedFile(what, path.name, digest, size, (str(path),)), self._result, self._given, also)
        self._note(found, digest)
        return found

    def _note(self, path: Path, digest: str) -> None:
        if digest and file_digest(path) != digest:
            self.notes.append(f"{path} is not the same file as then.")


def _in_journals(result: Path) -> list[Path]:
    """Inputs that journals of batch folders above a result name for it."""
    digest = ""
    found = []
    for folder in real(result).parents:
        if not (folder / journal.NAME).is_file():
            continue
        digest = digest or file_digest(result)
        try:
            with journal.Journal(folder, create=False) as job:
                records = [one for one in job.records("done") if digest in [each for _, each in one.outputs]]
        except OutputError:  # damaged, or not to be written
            continue
        found += [place / one.path for one in records for place in (Path(), folder, *folder.parents)]
    return found
