"""From a call of GIMP to new layers: reads the layers, has them colored, inserts the results.

Without a dialog everything happens here, one thing after the other. Must not import Gtk at module level.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
from gi.repository import Gegl, Gimp  # noqa: E402

from t2c_plugin.engine import jobs  # noqa: E402
from t2c_plugin.image import hints, insertion, layers, other_pictures, results  # noqa: E402
from t2c_plugin.request import NORMAL_LAYERS, Inputs, Request, RequestError, request_from, with_references  # noqa: E402

ARGUMENTS = (
    "phrase",
    "palettes",
    "count",
    "seed",
    "strength",
    "natural",
    "hint-reach",
    "device",
    "result-mode",
    "same-palettes",
    "extras",
    "look",
    "style",
)

log = logging.getLogger(__name__)


def colorize(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: Sequence[Gimp.Drawable],
    config: Gimp.ProcedureConfig,
    open_groups: bool,
    edited: Gimp.Layer | None = None,
) -> list[Gimp.Layer] | None:
    """The new layers, or None when the user has closed the dialog.

    Args:
        open_groups: a group stands for the layers in it.
        edited: the result whose values the dialog begins with, which is then always shown.

    Raises:
        RequestError, EngineError: it cannot be done; the image is as it was.
    """
    Gegl.init(None)
    if run_mode == Gimp.RunMode.INTERACTIVE or edited is not None:
        from t2c_plugin.ui import dialog

        targets = layers.suggested(image, drawables, open_groups)
        return dialog.run(image, targets, config, None if edited is None else results.record_of(edited))
    originals = layers.targets(image, drawables, open_groups)
    values = {name: config.get_property(name) for name in ARGUMENTS}
    if run_mode != Gimp.RunMode.WITH_LAST_VALS:  # which has references among its extras
        layer = config.get_property("reference")
        told = None if layer is None else (layer.get_id(), layer.get_name())
        values = with_references(values, told, config.get_property("reference-files") or "")
    if run_mode == Gimp.RunMode.WITH_LAST_VALS and not (values["phrase"] or values["palettes"]):
        raise RequestError("There are no last values yet; use Colors > Text2Colors > Colorize first.")
    if layers.needs_consent(image):
        raise RequestError(
            "The image is indexed, which holds too few colors; convert it with Image > Mode > RGB and try again."
        )
    hint_layer = config.get_property("hints")
    if run_mode == Gimp.RunMode.WITH_LAST_VALS:  # GIMP keeps no layers among the last values
        hint_layer = hint_layer or hints.remembered(image, originals)
    return without_dialog(image, originals, request_from(values), hint_layer)


def without_dialog(
    image: Gimp.Image, originals: Sequence[Gimp.Layer], request: Request, hint_layer: Gimp.Layer | None
) -> list[Gimp.Layer]:
    """Color the layers and insert the results, showing progress where GIMP shows it.

    Raises:
        RequestError, EngineError: it cannot be done; the image is as it was.
    """
    Gimp.progress_init("Text2Colors")
    if hint_layer is not None:
        request = replace(request, hints=hint_layer.get_name())
    with jobs.new_engine() as engine:  # starts while the pixels are read
        inputs = gather(originals, request, hint_layer)
        pictures = jobs.color_pictures(engine, request, inputs, _show_progress)
    made = insertion.insert(image, list(zip(originals, pictures, strict=True)), hint_layer)
    Gimp.progress_end()
    Gimp.displays_flush()
    return made


def new_hints_layer(image: Gimp.Image, drawables: Sequence[Gimp.Drawable]) -> Gimp.Layer:
    """A new layer for color hints, above the first of the layers and its results, selected.

    Raises:
        RequestError: there is no layer to paint hints for, or GIMP refuses.
    """
    Gegl.init(None)
    layer = insertion.insert_hints_layer(image, layers.suggested(image, drawables, False).originals[0])
    Gimp.displays_flush()
    return layer


def gather(originals: Sequence[Gimp.Layer], request: Request, hint_layer: Gimp.Layer | None) -> Inputs:
    """What the engine needs of the layers; the one way for dialog and scripts.

    Raises:
        RequestError: GIMP does not give the pixels, or the layer of hints (`hints.read`) or another picture
            (`other_pictures.read`) is of no use.
    """
    return Inputs(
        pictures=tuple(layers.read(layer, exact=request.mode == NORMAL_LAYERS) for layer in originals),
        hints=() if hint_layer is None else tuple(hints.read(hint_layer, originals)),
        others=other_pictures.read_all(request.extras),
    )


def _show_progress(done: float, text: str) -> None:
    Gimp.progress_update(done)
    if text:
        Gimp.progress_set_text(f"Text2Colors: {text}")


def again(name: str, image: Gimp.Image, drawables: Sequence[Gimp.Drawable]) -> list[Gimp.Layer]:
    """Run a coloring procedure with the values of its last interactive run.

    Raises:
        RequestError: it fails; the text is that procedure's.
    """
    procedure = Gimp.get_pdb().lookup_procedure(name)
    config = procedure.create_config()
    config.set_property("run-mode", Gimp.RunMode.WITH_LAST_VALS)
    config.set_property("image", image)
    config.set_core_object_array("drawables", list(drawables))
    values = procedure.run(config)
    if values.index(0) != Gimp.PDBStatusType.SUCCESS:
        error = Gimp.get_pdb().get_last_error()
        raise RequestError(error or "Text2Colors has been stopped.")
    found = (Gimp.Layer.get_by_id(int(number)) for number in values.index(2))
    return [layer for layer in found if layer is not None]
