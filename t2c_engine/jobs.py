"""Colouring many pictures: which inputs, which output names, one result a picture, and a contact sheet for each.

Hides the order of things from the command line: models are loaded once, palettes drawn once, each picture is read and
encoded once for all its palettes. Torch is imported only when a job starts. Must not import typer or rich.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from t2c_engine.color import lab_to_srgb, srgb_to_lab
from t2c_engine.errors import OutputError, T2CError, UsageError
from t2c_engine.files import write_file
from t2c_engine.palette import Palette

if TYPE_CHECKING:
    from PIL import Image

log = logging.getLogger(__name__)

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp")
EXTRACTION_SIDE = 256  # short side from which a picture's palette is taken, px
PREVIEW_SIDE = 800  # a picture is thinned to about this for its contact sheet, px

Progress = Callable[[str, int], None]  # what is being done now, and how many results have just been finished


@dataclass(frozen=True, slots=True)
class ColorizeRequest:
    """What to colour and how. Either `phrase` or `palettes` says with which colours.

    palettes: one result each, `count` at most. strength: 0 grey .. 1 full colour, above it stronger. seed, variety: of
    the palettes drawn for the phrase.
    """

    inputs: tuple[Path, ...]
    folder: Path
    phrase: str | None = None
    palettes: tuple[Palette, ...] = ()
    count: int = 5
    seed: int = 0
    variety: float = 0.5
    strength: float = 1.0
    device: str = "auto"
    model: str | None = None
    palette_model: str | None = None
    overwrite: bool = False
    keep_going: bool = True


@dataclass(frozen=True, slots=True)
class Coloured:
    """One picture written; together with phrase and strength this says how to make it again."""

    path: Path
    palette: Palette
    seed: int
    model: str

    def as_json(self) -> dict[str, Any]:
        return {"path": str(self.path), "palette": list(self.palette.hex), "seed": self.seed, "model": self.model}


@dataclass(frozen=True, slots=True)
class PictureResult:
    """What became of one input.

    kept: outputs that existed and were left alone. seconds: without loading the model. error: why it failed, or None.
    """

    input: Path
    results: tuple[Coloured, ...] = ()
    sheet: Path | None = None
    kept: tuple[Path, ...] = ()
    seconds: float = 0.0
    error: str | None = None

    def as_json(self) -> dict[str, Any]:
        values: dict[str, Any] = {
            "input": str(self.input),
            "results": [result.as_json() for result in self.results],
            "seconds": round(self.seconds, 3),
        }
        if self.sheet:
            values["sheet"] = str(self.sheet)
        if self.kept:
            values["kept"] = [str(path) for path in self.kept]
        if self.error:
            values["error"] = self.error
        return values


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the results of one input go: `outputs` one a palette, in order, then the sheet."""

    input: Path
    outputs: tuple[Path, ...]
    sheet: Path


def expand_inputs(words: Sequence[str]) -> tuple[Path, ...]:
    """Files, folders (their pictures, by name, not those of folders inside) and patterns to files, each once.

    A single file that is missing stays in the list, and fails when its turn comes.

    Raises:
        UsageError: nothing is named, or a folder or pattern holds no picture.
    """
    found: dict[Path, Path] = {}
    for word in words:
        path = Path(word)
        if os.path.isdir(path):
            paths = sorted(one for one in path.iterdir() if one.suffix.lower() in PICTURE_SUFFIXES and one.is_file())
        elif not os.path.exists(path) and has_magic(word):
            paths = sorted(Path(one) for one in glob(word, recursive=True) if Path(one).is_file())
        else:
            paths = [path]
        if not paths:
            raise UsageError(f"'{word}' holds no picture; name files, or a folder of {', '.join(PICTURE_SUFFIXES)}.")
        for one in paths:
            found.setdefault(one.resolve(), one)
    if not found:
        raise UsageError("No picture is named; give one or several files, folders or patterns.")
    return tuple(found.values())


def plan_outputs(inputs: Sequence[Path], folder: Path, count: int) -> list[Plan]:
    """Output names: `<stem>-1<suffix>` ... and `<stem>-sheet.png`; equal stems are told apart by `_2`, `_3` ...

    Formats that are not written become .png.
    """
    taken: set[str] = set()
    plans = []
    for path in inputs:
        suffix = path.suffix if path.suffix.lower() in PICTURE_SUFFIXES else ".png"
        stem, number = path.stem, 1
        while stem.casefold() in taken:
            number += 1
            stem = f"{path.stem}_{number}"
        taken.add(stem.casefold())
        outputs = tuple(folder / f"{stem}-{index}{suffix}" for index in range(1, count + 1))
        plans.append(Plan(path, outputs, folder / f"{stem}-sheet.png"))
    return plans


def prepare_folder(folder: Path) -> None:
    """Make the output folder, and see that it can be written, before any work is done.

    Raises:
        OutputError: it cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK | os.X_OK)
    except OSError as error:
        raise OutputError(f"The folder {folder} cannot be made ({error.strerror}); choose another with -o.") from error
    if not writable:
        raise OutputError(f"The folder {folder} is not writable for you; choose another with -o.")


def draw_palettes(request: ColorizeRequest) -> tuple[Palette, ...]:
    """The palettes of a request: those given, brought to five colours, or drawn for the phrase."""
    if request.palettes:
        return tuple(palette.to_size() for palette in request.palettes[: request.count])
    if request.phrase is None:
        raise UsageError("Nothing says which colours to use; give a phrase or a palette.")
    from t2c_engine.sampler import PaletteRequest, PaletteSampler

    wanted = PaletteRequest(request.phrase, count=request.count, seed=request.seed, variety=request.variety)
    result = PaletteSampler.load(request.palette_model).sample(wanted)
    if result.note:
        log.warning("%s", result.note)
    return tuple(result.palettes)


def colorize(request: ColorizeRequest, progress: Progress = lambda doing, done: None) -> Iterator[PictureResult]:
    """Colour every input, one result at a time; each file is written whole, so stopping loses only the current one.

    A picture that fails gives a result with `error`, and the next is begun (unless `keep_going` is false). Existing
    outputs are kept unless `overwrite`; a picture whose outputs all exist is not even read.

    Raises:
        UsageError, ModelError, OutputError: nothing can be done at all; raised before the first result.
    """
    prepare_folder(request.folder)
    palettes = draw_palettes(request)
    plans = plan_outputs(request.inputs, request.folder, len(palettes))
    colorizer = None
    for plan in plans:
        kept = () if request.overwrite else tuple(path for path in plan.outputs if os.path.exists(path))
        if len(kept) == len(plan.outputs):
            progress(plan.input.name, len(palettes))
            yield PictureResult(plan.input, kept=kept)
            continue
        if colorizer is None:
            progress("loading the model", 0)
            from t2c_engine.colorizer import Colorizer

            colorizer = Colorizer.load(request.model, request.device)
        started = time.perf_counter()
        done: list[Coloured] = []
        sheet, error = None, None
        try:
            sheet = _colour_one(request, plan, palettes, colorizer, done, progress)
        except (T2CError, MemoryError) as problem:
            error = str(problem) or f"{plan.input} does not fit the memory; free some, or use a smaller picture."
            progress(plan.input.name, len(palettes) - len(done) - len(kept))
        yield PictureResult(plan.input, tuple(done), sheet, kept, time.perf_counter() - started, error)
        if error and not request.keep_going:
            return


def _colour_one(
    request: ColorizeRequest,
    plan: Plan,
    palettes: Sequence[Palette],
    colorizer: Any,
    done: list[Coloured],
    progress: Progress,
) -> Path | None:
    """Colour one picture with every palette, appending to `done`; returns the sheet written, if one was."""
    from t2c_engine.pictures import read_picture, small_lightness, write_picture
    from t2c_engine.upsample import render

    inputs = {path.resolve() for path in request.inputs}
    if any(path.resolve() in inputs for path in (*plan.outputs, plan.sheet)):
        raise OutputError(f"The results of {plan.input} would replace an input; choose another folder with -o.")
    progress(plan.input.name, 0)
    picture = read_picture(plan.input)
    lightness = small_lightness(picture, colorizer.short_side)
    colours = colorizer.colour(colorizer.encode(lightness), palettes)
    previews: list[Image.Image] = []
    for path, palette, ab in zip(plan.outputs, palettes, colours, strict=True):
        pixels = render(picture, ab, request.strength, lightness=lightness)
        previews.append(preview(pixels))
        if request.overwrite or not os.path.exists(path):
            write_picture(path, pixels, like=picture, overwrite=request.overwrite)
            done.append(Coloured(path, palette, request.seed, colorizer.model))
            progress(plan.input.name, 1)
    return _write_sheet(request, plan, palettes, previews)


def _write_sheet(
    request: ColorizeRequest, plan: Plan, palettes: Sequence[Palette], previews: Sequence[Image.Image]
) -> Path | None:
    """The grey picture and every result; None where a sheet exists and is kept."""
    from t2c_engine.swatches import contact_sheet, png_bytes

    if os.path.exists(plan.sheet) and not request.overwrite:
        return None
    captions = [plan.input.name, *(path.name for path in plan.outputs)]
    sheet = contact_sheet([without_colour(previews[0]), *previews], [None, *palettes], captions, request.phrase or "")
    write_file(plan.sheet, png_bytes(sheet), request.overwrite)
    return plan.sheet


def preview(pixels: np.ndarray) -> Image.Image:
    """A small 8-bit picture (grey or RGB) of pixels H x W or H x W x 3: uint8, uint16 or float 0..1."""
    from PIL import Image

    step = max(1, max(pixels.shape[:2]) // PREVIEW_SIDE)
    pixels = pixels[::step, ::step]
    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    elif pixels.dtype != np.uint8:
        pixels = np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(pixels))


def without_colour(small: Image.Image) -> Image.Image:
    """The lightness of a small RGB picture, which is that of the picture it was made from."""
    lab = srgb_to_lab(np.asarray(small.convert("RGB"), dtype=np.float32) / 255)
    lab[..., 1:] = 0
    return preview(lab_to_srgb(lab))


def palette_of_picture(path: Path) -> Palette:
    """The five-colour palette of a picture, darkest first, by the one extraction that training uses too.

    Raises:
        PictureError: the picture cannot be read.
    """
    from t2c_engine.pictures import read_picture, small_srgb

    picture = read_picture(path)
    import torch  # only now: a missing file is said at once

    from t2c_engine.extraction import extract_palettes

    lab = srgb_to_lab(small_srgb(picture, EXTRACTION_SIDE))
    batch = torch.from_numpy(np.ascontiguousarray(lab.transpose(2, 0, 1)))[None]
    colors = extract_palettes(batch)[0].numpy()
    return Palette.from_lab(colors, name=path.stem)
