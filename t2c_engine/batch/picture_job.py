"""One picture of a run: where its results go, which of them are there already, and the making of the others.

Must not import torch at module level, typer or rich.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from os.path import lexists
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from t2c_engine.batch.origins import recorded_paths
from t2c_engine.batch.output_paths import Outputs, Plan, candidates, outputs_of, stale_results
from t2c_engine.batch.recipe import (
    Recipe,
    file_digest,
    palette_in,
    picture_with_recipe,
    read_recipe,
    recipes_of,
    sheet_recipe,
    xmp_with_recipe,
)
from t2c_engine.batch.request import ColoredPicture, Models, OutputOptions, PictureResult
from t2c_engine.batch.used_models import used_models
from t2c_engine.colorization.color_source import ColorSource, ResultColors
from t2c_engine.errors import ExistsError, OutputError, PictureError, T2CError
from t2c_engine.files import explain, real, write_file
from t2c_engine.palettes.palette import Palette

if TYPE_CHECKING:
    from PIL import Image

    from t2c_engine.colorization.encoded_picture import Encoded
    from t2c_engine.pictures.picture import Picture

Progress = Callable[[str, int], None]  # what is being done now, and how many results have just been finished


@dataclass(frozen=True, slots=True)
class Task:
    """What the pictures of a run share.

    stems: folded stems of all results of the run; inputs: resolved paths, none of which may be replaced.
    """

    source: ColorSource
    colors: tuple[ResultColors, ...]
    output: OutputOptions
    stems: frozenset[str] = frozenset()
    inputs: frozenset[Path] = frozenset()
    page: int | None = None
    models: Models = field(default_factory=Models)


def finished(recipe: Recipe, task: Task, plan: Plan, palette: Palette, colorizer: Any) -> Recipe:
    """A recipe with what is known once the result is made: palette, models, and where the input is."""
    try:
        size = plan.input.stat().st_size
    except OSError:  # gone meanwhile
        size = None
    return replace(
        recipe,
        palette=tuple(palette.hex),
        model=colorizer.model,
        models=used_models(task.source, colorizer.model, task.models.palettes),
        input_size=size,
        input_paths=recorded_paths(plan.input, task.output.folder, plan.origin),
    )


@dataclass(frozen=True, slots=True)
class Ready:
    """A picture that has been read (`PictureJob.read`) and encoded before its job is run."""

    picture: Picture
    encoded: Encoded


def choose_outputs(task: Task, plan: Plan, recipes: tuple[Recipe, ...]) -> Outputs:
    """Names that hold these results already, or are free, or whose files tell nothing of their origin."""
    folder, count = task.output.folder, len(recipes)
    outputs = outputs_of(folder, plan, count)
    sheets = task.output.sheets
    if task.output.overwrite or _fits(outputs, recipes, sheets, unknown=True):
        return outputs
    for outputs in candidates(folder, plan, count, task.source.label, task.stems):
        if _fits(outputs, recipes, sheets, unknown=False):
            break
    return outputs  # the last candidate is free, and fits


def _fits(outputs: Outputs, recipes: tuple[Recipe, ...], sheets: bool, unknown: bool) -> bool:
    """Whether the files that exist are these results, and the sheet none of another input's, as photo.tif is.

    Args:
        sheets: whether one is made. unknown: what a file without a recipe counts as.
    """
    sheet = read_recipe(outputs.sheet) if sheets else None
    if sheet is not None and not sheet.same_input(recipes[0]):
        return False
    there = [(path, recipe) for path, recipe in zip(outputs.results, recipes, strict=True) if lexists(path)]
    marks = [(read_recipe(path), recipe) for path, recipe in there]
    return all(unknown if mark is None else mark.same_result(recipe) for mark, recipe in marks)


class PictureJob:
    """Colors one picture in every way of a task. `run` once.

    Attributes:
        outputs: the files of the results. is_done: nothing is left to do.
    """

    def __init__(self, task: Task, plan: Plan) -> None:
        self._task = task
        self._plan = plan
        digest = file_digest(plan.input)
        self._recipes = recipes_of(task.source, task.colors, plan.input, digest, task.page, task.output.quality)
        self._written: dict[int, ColoredPicture] = {}
        self._previews: dict[int, Image.Image] = {}
        self._sheet: Path | None = None
        self.outputs = self._choose_outputs()
        self._kept = {} if task.output.overwrite else self._existing()
        self.is_done = len(self._kept) == len(self._recipes) and self._sheet_is_current()

    @property
    def input_digest(self) -> str:
        """`recipe.file_digest` of the input."""
        return self._recipes[0].input_digest

    def read(self) -> Picture:
        """The input, as deep as results are to be. Raises PictureError."""
        return read_input(self._task, self._plan)

    def run(
        self, colorizer: Any, progress: Progress = lambda doing, done: None, ready: Ready | None = None
    ) -> PictureResult:
        """Make what is missing; an error becomes part of the result, beside what was made before it."""
        started = time.perf_counter()
        error = None
        already = len(self._kept)
        try:
            progress(self._plan.input.name, already)
            self._refuse_inputs()
            self._color(colorizer, progress, ready)
            self._write_sheet()
        except FAILURES as problem:
            error = failure(problem, self._plan.input)
            progress(self._plan.input.name, len(self._recipes) - max(already, len(self._kept)) - len(self._written))
        return self.result(time.perf_counter() - started, error)

    def result(self, seconds: float = 0.0, error: str | None = None) -> PictureResult:
        """What has become of the picture so far."""
        first = outputs_of(self._task.output.folder, self._plan, len(self._recipes))
        stale = stale_results(self.outputs) if self._task.output.overwrite else ()
        return PictureResult(
            self._plan.input,
            tuple(self._written[index] for index in sorted(self._written)),
            self._sheet,
            tuple(self._kept[index] for index in sorted(self._kept)),
            apart=self.outputs.sheet != first.sheet,
            shortened=self.outputs.shortened,
            stale=tuple(path for path in stale if read_recipe(path)),
            seconds=seconds,
            error=error,
        )

    def _choose_outputs(self) -> Outputs:
        return choose_outputs(self._task, self._plan, self._recipes)

    def _existing(self) -> dict[int, Path]:
        return {index: path for index, path in enumerate(self.outputs.results) if lexists(path)}

    def _refuse_inputs(self) -> None:
        if any(real(path) in self._task.inputs for path in (*self.outputs.results, self.outputs.sheet)):
            raise OutputError(
                f"The results of {self._plan.input} would replace an input; choose another folder with -o."
            )

    def _color(self, colorizer: Any, progress: Progress, ready: Ready | None) -> None:
        """Compose and write the results that are missing."""
        missing = [index for index in range(len(self._recipes)) if index not in self._kept]
        if not missing:
            return
        from t2c_engine.batch.previews import preview
        from t2c_engine.colorization.composition import compose

        picture = ready.picture if ready else self.read()
        colors = [self._task.colors[index] for index in missing]
        results = compose(picture, self._task.source, colors, colorizer, ready and ready.encoded)
        for index, (palette, pixels) in zip(missing, results, strict=True):
            recipe = finished(self._recipes[index], self._task, self._plan, palette, colorizer)
            if self._put(index, pixels, picture, recipe):
                if self._task.output.sheets:
                    self._previews[index] = preview(pixels)
                path = self.outputs.results[index]
                self._written[index] = ColoredPicture(path, palette, self._task.source.seed, colorizer.model)
            progress(self._plan.input.name, 1)

    def _put(self, index: int, pixels: np.ndarray, picture: Picture, recipe: Recipe) -> bool:
        """Write a result; False where another run has written the same meanwhile.

        Where another run has taken the name for other results, names are chosen anew, unless some are used already.
        """
        from t2c_engine.pictures.picture import write_picture

        like = picture_with_recipe(picture, recipe)
        while True:
            path = self.outputs.results[index]
            try:
                write_picture(path, pixels, like, self._task.output.overwrite, self._task.output.quality)
                if self._task.output.sidecars:
                    text = json.dumps(recipe.as_json(), ensure_ascii=False, indent=1)
                    write_file(path.with_name(f"{path.name}.json"), text.encode("utf-8", "replace"), overwrite=True)
                return True
            except ExistsError:
                mark = read_recipe(path)
                if mark is None or mark.same_result(recipe):
                    self._kept[index] = path
                    return False
                if self._written or self._kept:
                    raise
                self.outputs = self._choose_outputs()
                self._kept = {at: there for at, there in self._existing().items() if at < index}

    def _sheet_is_current(self) -> bool:
        """Whether a sheet shows all these results, or is somebody's own."""
        if not self._task.output.sheets:
            return True
        mark = read_recipe(self.outputs.sheet)
        if mark is None:
            return lexists(self.outputs.sheet)
        return mark.identity.startswith(sheet_recipe(self._recipes).identity)

    def _write_sheet(self) -> None:
        """Write the contact sheet; one that t2c wrote and that shows less is replaced."""
        overwrite = self._task.output.overwrite
        if not self._task.output.sheets or (not overwrite and self._sheet_is_current()):
            return
        from t2c_engine.batch.previews import result_sheet, sheet_bytes

        outputs = self.outputs
        self._previews |= self._kept_previews()
        shown = sorted(self._previews)
        if not shown:
            return
        sheet = result_sheet(
            self._plan.input,
            [outputs.results[index] for index in shown],
            [self._palette(index) for index in shown],
            [self._previews[index] for index in shown],
            sheet_title(self._task.source),
        )
        content = sheet_bytes(sheet, xmp_with_recipe(None, sheet_recipe(self._recipes)))
        ours = overwrite or read_recipe(outputs.sheet) is not None
        try:
            write_file(outputs.sheet, content, ours)
            self._sheet = outputs.sheet
        except ExistsError:  # another run has just written it
            return

    def _kept_previews(self) -> dict[int, Image.Image]:
        """What the kept files show; one that is no picture is left off the sheet."""
        from t2c_engine.batch.previews import preview_of_file

        previews = {}
        for index, path in self._kept.items():
            with suppress(PictureError):
                previews[index] = preview_of_file(path)
        return previews

    def _palette(self, index: int) -> Palette | None:
        if index in self._written:
            return self._written[index].palette
        return palette_in(read_recipe(self.outputs.results[index]))


FAILURES = (T2CError, OSError, MemoryError)  # of one picture: the run goes on


def failure(problem: Exception, path: Path) -> str:
    """What became of a picture that one of FAILURES ended."""
    if isinstance(problem, OSError):
        return explain(problem)
    return str(problem) or f"{path} does not fit the memory; free some, or use a smaller picture."


def read_input(task: Task, plan: Plan) -> Picture:
    """The picture of a plan, as deep as the task wants it. Raises PictureError."""
    from t2c_engine.pictures.picture import read_picture

    picture = read_picture(plan.input, task.page)
    return deepened(picture) if task.output.deep else picture


def sheet_title(source: ColorSource) -> str:
    """The phrase, and what the palettes shown lack of the colors seen."""
    before = f"palettes before {' and '.join(source.changes)}" if source.changes else ""
    return "; ".join(filter(None, (source.phrase, before)))


def deepened(picture: Picture) -> Picture:
    """The picture with at least 16 bits."""
    from t2c_engine.color.samples import to_depth

    if picture.pixels.dtype != np.uint8:
        return picture
    alpha = None if picture.alpha is None else to_depth(picture.alpha, np.uint16)
    return replace(picture, pixels=to_depth(picture.pixels, np.uint16), alpha=alpha)
