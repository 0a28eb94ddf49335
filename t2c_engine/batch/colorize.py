"""A run over pictures: models are loaded once, palettes drawn once, and one failure stops nothing else.

Torch is imported when the first picture needs it. Must not import typer or rich.
"""

from __future__ import annotations

from collections.abc import Iterator

from t2c_engine.batch.output_paths import folded, plan_outputs
from t2c_engine.batch.picture_job import PictureJob, Progress, Task
from t2c_engine.batch.request import ColorizeRequest, PictureResult
from t2c_engine.colorization.color_source import resolve_colors
from t2c_engine.errors import UsageError
from t2c_engine.files import check_folder, real


def colorize(request: ColorizeRequest, progress: Progress = lambda doing, done: None) -> Iterator[PictureResult]:
    """Color every input, one result at a time; each file is written whole, so stopping loses only the current one.

    A picture that fails gives a result with `error`, and the next is begun (unless `keep_going` is false). Results that
    exist are kept unless `overwrite`; a picture whose results all exist is not even decoded.

    Raises:
        UsageError, PictureError, ModelError, OutputError: nothing can be done at all; raised before the first result.
    """
    check_folder(request.output.folder)
    colors = resolve_colors(request.source, request.models.palettes)
    check_references(request)
    plans = plan_outputs(request.inputs)
    task = Task(
        request.source,
        colors,
        request.output,
        stems=frozenset(folded(plan.stem) for plan in plans),
        inputs=frozenset(real(path) for path in request.inputs),
        page=request.page,
        models=request.models,
    )
    colorizer = None
    for plan in plans:
        job = PictureJob(task, plan)
        if job.is_done:
            progress(plan.input.name, len(colors))
            yield job.result()
            continue
        if colorizer is None:
            progress("loading the model", 0)
            from t2c_engine.colorization.colorizer import Colorizer

            colorizer = Colorizer.load(request.models.colorizer, request.models.device, request.source.color_styles)
        result = job.run(colorizer, progress)
        yield result
        if result.error and not request.output.keep_going:
            return


def check_references(request: ColorizeRequest) -> None:
    """Refuse references that give no colors, before anything is colored.

    Raises:
        UsageError: a reference is an input too. PictureError: one cannot be read, is tiny, or has no colors.
    """
    from t2c_engine.colorization.reference import read_reference

    inputs = {real(path) for path in request.inputs}
    for path in request.source.references:
        if path is None:
            continue
        if real(path) in inputs:
            raise UsageError(f"{path} is to be coloured, and is the reference too; give another picture as reference.")
        read_reference(path)
