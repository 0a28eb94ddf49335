"""What a worker process does: colors one picture after another with one colorizer, loaded once.

Nothing here writes the journal. Torch is imported when the first picture needs it. Must not import the command line.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2c_engine.albums.journal import Outcome
from t2c_engine.albums.layered import LayeredJob
from t2c_engine.albums.storage import RemoteFile, opened, staged
from t2c_engine.batch.output_paths import Plan
from t2c_engine.batch.picture_job import FAILURES, PictureJob, Ready, Task, failure
from t2c_engine.batch.recipe import LAYERED_SUFFIX, file_digest
from t2c_engine.batch.request import Models, OutputOptions, PictureResult
from t2c_engine.colorization.color_source import ColorSource, resolve_colors
from t2c_engine.errors import T2CError
from t2c_engine.files import is_remote, location, real
from t2c_engine.palettes.style import StyleWeight
from t2c_engine.pictures.threads import set_threads
from t2c_engine.rendering.buffers import keep_buffers

if TYPE_CHECKING:
    import numpy as np

    from t2c_engine.pictures.picture import Picture

Job = PictureJob | LayeredJob
Loader = Callable[[Models], Any]

_colorizers: dict[tuple[Models, tuple[StyleWeight, ...]], Any] = {}
_loading = threading.Lock()


@dataclass(frozen=True, slots=True)
class Item:
    """One picture of a job, ready for a worker anywhere.

    source: None where nothing says which colors. remote: what a listing says of an input at a URL.
    """

    plan: Plan
    source: ColorSource | None
    models: Models
    output: OutputOptions
    remote: RemoteFile | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What a worker sends back."""

    result: PictureResult
    outcome: Outcome


def color_item(item: Item, load: Loader | None = None) -> Done:
    """Color one picture, or say in its result why not.

    Args:
        load: gives the colorizer of models; the installed one if None.
    """
    if _is_far(item):
        return _color_far(item, load)
    return _finish(item, _begin(item), load)


def color_items(items: Sequence[Item], load: Loader | None = None) -> list[Done]:
    """Color several pictures; those on this machine are encoded together, as many at once as have equal sizes."""
    begun = [None if _is_far(item) else _begin(item) for item in items]
    ready = _encode_together(items, begun, load)
    return [
        _color_far(item, load) if job is None else _finish(item, job, load, ready.get(index))
        for index, (item, job) in enumerate(zip(items, begun, strict=True))
    ]


def _is_far(item: Item) -> bool:
    return is_remote(item.plan.input) or is_remote(item.output.folder)


def _begin(item: Item) -> Job | str:
    """The job of a picture on this machine, or why there is none."""
    path = item.plan.input
    if item.source is None:
        return f"{path} has no caption, and the job has no phrase; give one of them."
    try:
        colors = resolve_colors(item.source, item.models.palettes)
        task = Task(item.source, colors, item.output, inputs=frozenset([real(path)]), models=item.models)
        return (LayeredJob if item.plan.suffix == LAYERED_SUFFIX else PictureJob)(task, item.plan)
    except FAILURES as error:
        return failure(error, path)


def _encode_together(items: Sequence[Item], begun: Sequence[Job | str | None], load: Loader | None) -> dict[int, Ready]:
    """Pictures read and encoded, by their number; one that cannot be read is left for its own job to say so."""
    if len(items) < 2:
        return {}
    from t2c_engine.colorization.encoded_picture import Encoded
    from t2c_engine.pictures.picture import small_lightness

    read: dict[int, tuple[Any, Picture, np.ndarray]] = {}
    for index, (item, job) in enumerate(zip(items, begun, strict=True)):
        if item.source is None or job is None or isinstance(job, str) or job.is_done:
            continue
        with suppress(*FAILURES):
            colorizer = _colorizer(item.models, item.source.color_styles, load)
            picture = job.read()
            read[index] = colorizer, picture, small_lightness(picture, colorizer.short_side)
    ready: dict[int, Ready] = {}
    for one in {id(found[0]): found[0] for found in read.values()}.values():
        mine = {index: found for index, found in read.items() if found[0] is one}
        with suppress(T2CError):
            encodings = one.encode_many([lightness for _, _, lightness in mine.values()])
            for (index, (_, picture, lightness)), encoding in zip(mine.items(), encodings, strict=True):
                ready[index] = Ready(picture, Encoded(one, lightness, encoding))
    return ready


def _finish(item: Item, job: Job | str, load: Loader | None, ready: Ready | None = None) -> Done:
    """Run a job, and say what became of it."""
    path, digest = item.plan.input, ""
    result = PictureResult(path, error=job if isinstance(job, str) else None)
    if item.source is not None and not isinstance(job, str):
        digest = job.input_digest
        try:
            if job.is_done:
                result = job.result()
            else:
                result = job.run(_colorizer(item.models, item.source.color_styles, load), ready=ready)
        except FAILURES as error:
            result = PictureResult(path, error=failure(error, path))
    files = [*(one.path for one in result.results), *result.kept]
    outputs = tuple((str(one), file_digest(one)) for one in files)
    return Done(result, Outcome(path, digest or file_digest(path), result.seconds, result.error, outputs))


def _color_far(item: Item, load: Loader | None) -> Done:
    """Color a picture of which input or results are at a URL."""
    path = item.plan.input
    try:
        with staged(path, item.output.folder, item.plan.stem) as files:
            here = replace(item.plan, input=files.input, origin=location(path) if is_remote(path) else path.name)
            done = color_item(replace(item, plan=here, output=replace(item.output, folder=files.folder)), load)
    except FAILURES as error:
        result = PictureResult(path, error=failure(error, path))
        return Done(result, Outcome(path, error=result.error))
    error = files.reworded(done.result.error)
    found = done.result
    result = replace(
        found,
        input=path,
        results=tuple(replace(one, path=files.named(one.path)) for one in found.results),
        sheet=found.sheet and files.named(found.sheet),
        kept=tuple(files.named(one) for one in found.kept),
        stale=tuple(files.named(one) for one in found.stale),
        error=error,
    )
    outputs = tuple((location(files.named(Path(name))), digest) for name, digest in done.outcome.outputs)
    return Done(result, replace(done.outcome, path=path, error=error, outputs=outputs))


def prepare_worker(environment: Mapping[str, str]) -> None:
    """At the start of a worker process: one thread each, no Ctrl-C (the parent's), and an end when the parent ends.

    Args:
        environment: the parent's now; the server that workers are forked from has that of its own start.
    """
    os.environ.clear()
    os.environ.update(environment)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    set_threads(1)
    keep_buffers()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)  # files are renamed into place when they are whole, so that nothing is left half done


def _colorizer(models: Models, styles: tuple[StyleWeight, ...], load: Loader | None) -> Any:
    with _loading:  # a cluster's workers may have several threads
        if (models, styles) not in _colorizers:
            _colorizers[models, styles] = load(models) if load else _load(models, styles)
    return _colorizers[models, styles]


def _load(models: Models, styles: tuple[StyleWeight, ...]) -> Any:
    from t2c_engine.colorization.colorizer import Colorizer

    return Colorizer.load(models.colorizer, models.device, styles)


def probe_pixels(path: Path) -> int:
    """Pixels of a picture by its head; 0 where it cannot be read."""
    from PIL import Image

    from t2c_engine.batch.recipe import UNREADABLE

    try:
        with warnings.catch_warnings(action="ignore"), opened(path) as stream, Image.open(stream) as image:
            return image.width * image.height
    except (*UNREADABLE, Image.DecompressionBombError):
        return _tiff_pixels(path)


def _tiff_pixels(path: Path) -> int:
    """Of a TIFF that Pillow does not know, as 16-bit RGB."""
    import tifffile

    from t2c_engine.batch.recipe import UNREADABLE

    try:
        with opened(path) as stream, tifffile.TiffFile(stream) as tiff:
            page: Any = tiff.pages[0]
            return page.imagewidth * page.imagelength
    except UNREADABLE:
        return 0
