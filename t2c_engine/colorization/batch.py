"""Colouring many pictures: results by palettes, by the network alone, by dabs and by region, and a contact sheet each.

Hides the order of things from the command line: models are loaded once, palettes drawn once, each picture is read and
encoded once for all its palettes. Torch is imported only when a job starts. Must not import typer or rich.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from t2c_engine.color.lab import lab_to_srgb, srgb_to_lab
from t2c_engine.colorization.decoding import Decoding
from t2c_engine.colorization.encoded_picture import Encoded
from t2c_engine.colorization.output_paths import Plan, plan_outputs, prepare_folder
from t2c_engine.errors import OutputError, T2CError, UsageError
from t2c_engine.files import write_file
from t2c_engine.palettes.palette import Palette
from t2c_engine.pictures.resize import resize

if TYPE_CHECKING:
    from PIL import Image

    from t2c_engine.colorization.colorizer import Colorizer
    from t2c_engine.pictures.picture import Picture

log = logging.getLogger(__name__)

EXTRACTION_SIDE = 256  # short side from which a picture's palette is taken, px
PREVIEW_SIDE = 800  # a picture is thinned to about this for its contact sheet, px

Progress = Callable[[str, int], None]  # what is being done now, and how many results have just been finished


@dataclass(frozen=True, slots=True)
class Region:
    """A part of every picture with colours of its own: `mask` is a file (`overlays.read_mask`).

    Either `phrase` or `palettes` says with which colours; fewer than there are results are used again from the first.
    """

    mask: Path
    phrase: str | None = None
    palettes: tuple[Palette, ...] = ()


@dataclass(frozen=True, slots=True)
class ColorizeRequest:
    """What to colour and how.

    phrase or palettes: one result a palette, `count` at most. automatic: one result in the network's own colours, by
    `decoding`. None of these: one result that follows the hints, or, with regions alone,
    no colour outside them.
    hints: a picture with dabs of colour (`overlays.read_hints`). strength: 0 the network's own colours .. 1 the
    palette's, above it stronger; without a palette 0 is grey. seed, variety: of the palettes drawn for phrases.
    page: number of the page or frame of every input, from 1 (None: the first that is not a thumbnail).
    """

    inputs: tuple[Path, ...]
    folder: Path
    phrase: str | None = None
    palettes: tuple[Palette, ...] = ()
    automatic: bool = False
    decoding: Decoding = Decoding.VIVID
    hints: Path | None = None
    regions: tuple[Region, ...] = ()
    count: int = 5
    seed: int = 0
    variety: float = 0.5
    strength: float = 1.0
    device: str = "auto"
    model: str | None = None
    palette_model: str | None = None
    overwrite: bool = False
    keep_going: bool = True
    page: int | None = None


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


def results_of(request: ColorizeRequest) -> int:
    """How many results each picture gets."""
    numbers = [len(one.palettes[: request.count]) or request.count for one in request.regions]
    if request.palettes or request.phrase is not None:
        return len(request.palettes[: request.count]) or request.count
    return max([1, *numbers])


@dataclass(frozen=True, slots=True)
class Wanted:
    """The colours of every result: `base` has one a result (None: the network's own), `regions` as many each."""

    base: tuple[Palette | None, ...]
    regions: tuple[tuple[Path, tuple[Palette, ...]], ...]


def draw_colours(request: ColorizeRequest) -> Wanted:
    """The palettes of a request: those given, brought to five colours, or drawn for the phrases.

    Raises:
        UsageError: nothing says which colours to use. ModelError: palettes cannot be drawn.
    """
    base: tuple[Palette | None, ...] = _draw(request, request.phrase, request.palettes)
    regions = [(region.mask, _draw(request, region.phrase, region.palettes)) for region in request.regions]
    if not base and not (request.automatic or request.hints or regions):
        raise UsageError("Nothing says which colours to use; give a phrase, a palette, --auto, hints or a region.")
    if not base:
        base = (None,) * max([1, *(len(palettes) for _, palettes in regions)])
    return Wanted(base, tuple((mask, tuple(islice(cycle(palettes), len(base)))) for mask, palettes in regions))


def _draw(request: ColorizeRequest, phrase: str | None, palettes: tuple[Palette, ...]) -> tuple[Palette, ...]:
    if palettes:
        return tuple(palette.to_size() for palette in palettes[: request.count])
    if phrase is None:
        return ()
    from t2c_engine.palettes.sampler import PaletteRequest, PaletteSampler

    wanted = PaletteRequest(phrase, count=request.count, seed=request.seed, variety=request.variety)
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
    wanted = draw_colours(request)
    plans = plan_outputs(request.inputs, request.folder, len(wanted.base))
    colorizer = None
    for plan in plans:
        kept = () if request.overwrite else tuple(path for path in plan.outputs if os.path.exists(path))
        if len(kept) == len(plan.outputs):
            progress(plan.input.name, len(wanted.base))
            yield PictureResult(plan.input, kept=kept)
            continue
        if colorizer is None:
            progress("loading the model", 0)
            from t2c_engine.colorization.colorizer import Colorizer

            colorizer = Colorizer.load(request.model, request.device)
        started = time.perf_counter()
        done: list[Coloured] = []
        sheet, error = None, None
        try:
            sheet = _colour_one(request, plan, wanted, colorizer, done, progress)
        except (T2CError, MemoryError) as problem:
            error = str(problem) or f"{plan.input} does not fit the memory; free some, or use a smaller picture."
            progress(plan.input.name, len(wanted.base) - len(done) - len(kept))
        yield PictureResult(plan.input, tuple(done), sheet, kept, time.perf_counter() - started, error)
        if error and not request.keep_going:
            return


def _colour_one(
    request: ColorizeRequest,
    plan: Plan,
    wanted: Wanted,
    colorizer: Colorizer,
    done: list[Coloured],
    progress: Progress,
) -> Path | None:
    """Colour one picture in every way wanted, appending to `done`; returns the sheet written, if one was."""
    from t2c_engine.pictures.picture import read_picture, small_lightness, write_picture

    inputs = {path.resolve() for path in request.inputs}
    if any(path.resolve() in inputs for path in (*plan.outputs, plan.sheet)):
        raise OutputError(f"The results of {plan.input} would replace an input; choose another folder with -o.")
    progress(plan.input.name, 0)
    picture = read_picture(plan.input, request.page)
    lightness = small_lightness(picture, colorizer.short_side)
    previews: list[Image.Image] = []
    palettes: list[Palette] = []
    results = _results(request, wanted, colorizer, picture, lightness)
    for path, (palette, pixels) in zip(plan.outputs, results, strict=True):
        previews.append(preview(pixels))
        palettes.append(palette)
        if request.overwrite or not os.path.exists(path):
            write_picture(path, pixels, like=picture, overwrite=request.overwrite)
            done.append(Coloured(path, palette, request.seed, colorizer.model))
            progress(plan.input.name, 1)
    return _write_sheet(request, plan, palettes, previews)


def _results(
    request: ColorizeRequest, wanted: Wanted, colorizer: Colorizer, picture: Picture, lightness: np.ndarray
) -> Iterator[tuple[Palette, np.ndarray]]:
    """Palette and pixels of every result; the palette of the network's own colours is taken from them."""
    from t2c_engine.colorization.overlays import blend, read_hints, read_mask
    from t2c_engine.rendering.guided_upsampling import render

    hints = None if request.hints is None else read_hints(request.hints, picture.size)
    masks = [read_mask(mask, picture.size) for mask, _ in wanted.regions]
    encoded = Encoded(colorizer, lightness)
    inner = [list(encoded.ab_maps(palettes, hints, request.strength)) for _, palettes in wanted.regions]
    if wanted.base[0] or request.automatic or hints:
        decoding = request.decoding if request.automatic else None
        maps = list(encoded.ab_maps(wanted.base, hints, request.strength, decoding))
        own = next(encoded.ab_maps(wanted.base[:1], hints, decoding=decoding))
    else:  # no colour outside the regions
        own = np.zeros_like(inner[0][0])
        maps = [own] * len(wanted.base)
    for index, (palette, ab) in enumerate(zip(wanted.base, maps, strict=True)):
        pixels = render(picture, ab, lightness=lightness)
        for mask, others in zip(masks, inner, strict=True):
            blend(pixels, mask, render(picture, others[index], lightness=lightness))
        yield palette or _palette_of(lightness, own), pixels


def _palette_of(lightness: np.ndarray, ab: np.ndarray) -> Palette:
    """The five colours of a result, from its colour map and its small lightness."""
    small = resize(lightness, (ab.shape[0], ab.shape[1]))
    return extract(np.concatenate((small[..., None], ab), -1))


def _write_sheet(
    request: ColorizeRequest, plan: Plan, palettes: Sequence[Palette], previews: Sequence[Image.Image]
) -> Path | None:
    """The grey picture and every result; None where a sheet exists and is kept."""
    from t2c_engine.palettes.swatches import contact_sheet, png_bytes

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
    from t2c_engine.pictures.picture import read_picture, small_srgb

    lab = srgb_to_lab(small_srgb(read_picture(path), EXTRACTION_SIDE))
    return extract(lab, path.stem)


def extract(lab: np.ndarray, name: str = "") -> Palette:
    """The palette of H x W x 3 Lab, by the one extraction that training uses too."""
    import torch

    from t2c_engine.colorization.palette_extraction import extract_palettes

    batch = torch.from_numpy(np.ascontiguousarray(lab.transpose(2, 0, 1), np.float32))[None]
    return Palette.from_lab(extract_palettes(batch)[0].numpy(), name)
