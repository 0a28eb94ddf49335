"""One OpenRaster file (.ora) a picture: the original below, a layer for each result above it, the first one visible.

OpenRaster 0.0.6; GIMP, Krita and MyPaint open it. Must not import torch at module level, or the command line.
"""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np

from t2c_engine.batch.output_paths import Plan, outputs_of
from t2c_engine.batch.picture_job import FAILURES, Progress, Ready, Task, choose_outputs, failure, finished, read_input
from t2c_engine.batch.recipe import LAYERED_ENTRY, file_digest, recipes_of, sheet_recipe
from t2c_engine.batch.request import ColoredPicture, PictureResult
from t2c_engine.errors import ExistsError
from t2c_engine.files import write_file
from t2c_engine.palettes.palette import Palette

if TYPE_CHECKING:
    from t2c_engine.pictures.picture import Picture

_THUMBNAIL_SIDE = 256  # px, by the specification


class LayeredJob:
    """Colors one picture in every way of a task, into one file. As `PictureJob`, but without sheets. `run` once."""

    def __init__(self, task: Task, plan: Plan) -> None:
        self._task = task
        self._plan = plan
        self.input_digest = file_digest(plan.input)
        recipes = recipes_of(task.source, task.colors, plan.input, self.input_digest)
        self._recipe = replace(sheet_recipe(recipes), index=1)
        self._path = choose_outputs(task, plan, (self._recipe,)).results[0]
        self._written: ColoredPicture | None = None
        self.is_done = not task.output.overwrite and self._path.exists()

    def read(self) -> Picture:
        """The input, as deep as results are to be. Raises PictureError."""
        return read_input(self._task, self._plan)

    def run(
        self, colorizer: Any, progress: Progress = lambda doing, done: None, ready: Ready | None = None
    ) -> PictureResult:
        """Write the file; an error becomes part of the result."""
        started = time.perf_counter()
        error = None
        try:
            progress(self._plan.input.name, 0)
            content, palette = self._compose(colorizer, ready)
            write_file(self._path, content, self._task.output.overwrite)
            self._written = ColoredPicture(self._path, palette, self._task.source.seed, colorizer.model)
        except ExistsError:
            self.is_done = True  # another run was quicker
        except FAILURES as problem:
            error = failure(problem, self._plan.input)
        return self.result(time.perf_counter() - started, error)

    def result(self, seconds: float = 0.0, error: str | None = None) -> PictureResult:
        """What has become of the picture so far."""
        first = outputs_of(self._task.output.folder, self._plan, 1).results[0]
        return PictureResult(
            self._plan.input,
            (self._written,) if self._written else (),
            kept=(self._path,) if self.is_done and not self._written else (),
            apart=self._path != first,
            seconds=seconds,
            error=error,
        )

    def _compose(self, colorizer: Any, ready: Ready | None) -> tuple[bytes, Palette]:
        from t2c_engine.colorization.composition import compose

        picture = ready.picture if ready else self.read()
        layers: list[tuple[str, bytes]] = []
        palettes: list[Palette] = []
        first = picture.pixels
        encoded = ready.encoded if ready else None
        for palette, pixels in compose(picture, self._task.source, self._task.colors, colorizer, encoded):
            first = first if layers else pixels
            layers.append((f"{self._task.source.label}: {' '.join(palette.hex)}", png_of(pixels, picture)))
            palettes.append(palette)
        layers.append((f"Original {self._plan.input.name}", png_of(picture.pixels, picture)))
        recipe = finished(self._recipe, self._task, self._plan, palettes[0], colorizer)
        extra = {LAYERED_ENTRY: json.dumps(recipe.as_json(), ensure_ascii=True).encode()}
        return open_raster(layers, picture.size, thumbnail(first), picture.metadata.dpi, extra), palettes[0]


def open_raster(
    layers: list[tuple[str, bytes]],
    size: tuple[int, int],
    thumb: bytes,
    dpi: tuple[float, float] | None = None,
    extra: dict[str, bytes] | None = None,
) -> bytes:
    """An OpenRaster file.

    Args:
        layers: name and PNG of each, the top one first; the first and the last are visible. size: (height, width).
        thumb: a PNG of at most 256 px. extra: further entries by name.
    """
    image = ElementTree.Element("image", version="0.0.6", w=str(size[1]), h=str(size[0]))
    if dpi:
        image.set("xres", str(round(dpi[0])))
        image.set("yres", str(round(dpi[1])))
    stack = ElementTree.SubElement(image, "stack")
    for index, (name, _) in enumerate(layers):
        visible = index in (0, len(layers) - 1)
        attributes = {
            "name": "".join(one for one in name if one.isprintable()),
            "src": f"data/layer{index}.png",
            "x": "0",
            "y": "0",
            "opacity": "1.0",
            "visibility": "visible" if visible else "hidden",
            "composite-op": "svg:src-over",
        }
        ElementTree.SubElement(stack, "layer", attributes)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:  # PNG is packed already
        put = _putter(archive)
        put("mimetype", b"image/openraster")  # first, by the specification
        put("stack.xml", ElementTree.tostring(image, "utf-8", xml_declaration=True))
        for index, (_, png) in enumerate(layers):
            put(f"data/layer{index}.png", png)
        put("mergedimage.png", layers[0][1])
        put("Thumbnails/thumbnail.png", thumb)
        for name, content in (extra or {}).items():
            put(name, content)
    return buffer.getvalue()


def _putter(archive: zipfile.ZipFile) -> Callable[[str, bytes], None]:
    """Entries without the time of day: the same request gives the same bytes."""
    return lambda name, content: archive.writestr(zipfile.ZipInfo(name), content)


def png_of(pixels: np.ndarray, like: Picture) -> bytes:
    """A layer (grey or RGB) as PNG of 8 or 16 bits, with alpha, profile and resolution of the picture."""
    from t2c_engine.color.samples import to_depth
    from t2c_engine.pictures.encode import encode
    from t2c_engine.pictures.metadata import Metadata

    pixels = np.repeat(pixels[..., None], 3, 2) if pixels.ndim == 2 else pixels
    alpha = None if like.alpha is None else to_depth(like.alpha, pixels.dtype)
    return encode(pixels, alpha, "PNG", Metadata(icc=like.icc, dpi=like.metadata.dpi))[0]


def thumbnail(pixels: np.ndarray) -> bytes:
    """A PNG of at most 256 px."""
    from t2c_engine.batch.previews import preview
    from t2c_engine.palettes.swatches import png_bytes

    small = preview(pixels)
    small.thumbnail((_THUMBNAIL_SIDE, _THUMBNAIL_SIDE))
    return png_bytes(small)
