#!/usr/bin/env python3
"""Text2Colors for GIMP 3: registers the procedures, and answers GIMP's calls.

GIMP drops a plug-in silently when anything fails while it registers, so this file imports the standard library and gi
only; everything else is imported when a procedure runs, and what is wrong is then said in words.
"""

from __future__ import annotations

import logging
import logging.handlers
import sys
from collections.abc import Callable
from typing import Any

import gi

gi.require_version("Gimp", "3.0")
from gi.repository import Gimp, GLib, GObject  # noqa: E402

COLORIZE = "plug-in-text2colors"
LAYERS = "plug-in-text2colors-layers"
AGAIN = "plug-in-text2colors-again"
EDIT = "plug-in-text2colors-edit"
HINTS = "plug-in-text2colors-hints-layer"
CHECK = "plug-in-text2colors-check"
ABOUT = "plug-in-text2colors-about"

MENU = "<Image>/Colors/Text2Colors"
# GIMP replaces an argument out of its range by the default and says nothing, so ranges are ours to check
WHOLE = (-(2**31), 2**31 - 1)
READWRITE = GObject.ParamFlags.READWRITE

# name: menu label ("" for scripts only), tooltip (what the action search looks through, too), help
TEXTS = {
    COLORIZE: (
        "_Colorize...",
        "Text2Colors: color the selected layers from a phrase, a palette, or by themselves",
        "Draws palettes for the phrase (or takes those given) and inserts, above each layer, a group with one layer a "
        "palette that gives color only. The original keeps its pixels; everything is one undo step. A result of "
        "Text2Colors stands for the layer it was made for. Returns the new layers.",
    ),
    LAYERS: (
        "",
        "Text2Colors: color the layers, and the layers of groups, alike",
        "As plug-in-text2colors, but a group stands for the layers in it. same-palettes gives all layers the same "
        "palettes; otherwise each gets its own for the phrase.",
    ),
    AGAIN: (
        "Colorize _Again",
        "Text2Colors: color the selected layers as the last time, without asking",
        "Runs plug-in-text2colors on the layers given with the values of its last interactive run.",
    ),
    EDIT: (
        "_Edit this Result...",
        "Text2Colors: open the dialog with the phrase, palettes and locks of the selected result",
        "As plug-in-text2colors, interactively, with the values that are kept with a result.",
    ),
    HINTS: (
        "New Color _Hints Layer",
        "Text2Colors: add a transparent layer to paint dabs of the colors that you know",
        "Makes the image RGB if it is not, and inserts a transparent layer above the layer and its results. "
        "Returns the new layer.",
    ),
    CHECK: (
        "Set-up _Check",
        "Text2Colors: say in words whether the engine is installed and works",
        "Starts the engine and reports its version, models and device. Returns the report.",
    ),
    ABOUT: (
        "A_bout this Result",
        "Text2Colors: show phrase, palette, seed and model of the selected layer's result",
        "Of a layer, the result that can be seen. Returns what Text2Colors keeps with it, as JSON.",
    ),
}


def run_colorize(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: list[Gimp.Drawable],
    config: Gimp.ProcedureConfig,
    data: Any,
) -> Gimp.ValueArray:
    """Color the drawables; with a dialog only when run interactively."""
    from t2c_plugin import colorize, reports

    def act() -> Gimp.ValueArray:
        name = procedure.get_name()
        edited = reports.find_result(image, drawables) if name == EDIT else None
        layers = colorize.colorize(procedure, run_mode, image, drawables, config, name == LAYERS, edited)
        if layers is None:
            return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, GLib.Error())
        return _with_layers(procedure, layers)

    return _answer(procedure, act)


def run_again(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: list[Gimp.Drawable],
    config: Gimp.ProcedureConfig,
    data: Any,
) -> Gimp.ValueArray:
    """Call plug-in-text2colors with its last values."""
    from t2c_plugin import colorize

    def act() -> Gimp.ValueArray:
        return _with_layers(procedure, colorize.again(COLORIZE, image, drawables))

    return _answer(procedure, act)


def run_hints(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: list[Gimp.Drawable],
    config: Gimp.ProcedureConfig,
    data: Any,
) -> Gimp.ValueArray:
    """Insert a layer to paint color hints on."""
    from t2c_plugin import colorize

    return _answer(procedure, lambda: _with_layers(procedure, [colorize.new_hints_layer(image, drawables)]))


def run_about(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: list[Gimp.Drawable],
    config: Gimp.ProcedureConfig,
    data: Any,
) -> Gimp.ValueArray:
    """Tell what is kept with the selected layer."""
    from t2c_plugin import reports

    return _answer(procedure, lambda: _with_text(procedure, reports.about(image, drawables, run_mode)))


def run_check(procedure: Gimp.Procedure, config: Gimp.ProcedureConfig, data: Any) -> Gimp.ValueArray:
    """Tell what is right and wrong with the installation."""
    from t2c_plugin import reports

    return _answer(procedure, lambda: _with_text(procedure, reports.check(config.get_property("run-mode"))))


def _answer(procedure: Gimp.Procedure, act: Callable[[], Gimp.ValueArray]) -> Gimp.ValueArray:
    """What `act` returns, or its error in words. The edge of the process: nothing may pass."""
    _log_to_file()
    try:
        return act()
    except Exception as error:
        logging.getLogger(__name__).exception("%s failed", procedure.get_name())
        # our own errors are sentences for the user; of the others only the name and text are known
        known = type(error).__name__ in ("RequestError", "EngineError", "EngineCancelled", "EngineTimeout")
        text = str(error) if known else f"Text2Colors has failed unexpectedly ({type(error).__name__}: {error})."
        failure = GLib.Error.new_literal(Gimp.PlugIn.error_quark(), text, 0)
        return procedure.new_return_values(Gimp.PDBStatusType.EXECUTION_ERROR, failure)


def _log_to_file() -> None:
    """Keep a log in the user's data folder; none when that cannot be written."""
    from t2c_plugin.engine.jobs import log_folder

    try:
        log_folder().mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            log_folder() / "plug-in.log", maxBytes=1 << 20, backupCount=1, encoding="utf-8", delay=True
        )
    except OSError:
        return
    logging.basicConfig(handlers=[handler], level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")


def _with_layers(procedure: Gimp.Procedure, layers: list[Gimp.Layer]) -> Gimp.ValueArray:
    """Success and the layers. Python cannot fill an array of layers, but a configuration can."""
    values = procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, GLib.Error())
    carrier = procedure.create_config()
    carrier.set_core_object_array("drawables", layers)
    array = GObject.Value()
    array.init(GObject.type_from_name("GimpCoreObjectArray"))
    array.set_boxed(carrier.get_property("drawables"))
    values.remove(1)
    values.insert(1, array)
    ids = GObject.Value()
    ids.init(GObject.TYPE_STRV)
    ids.set_boxed([str(layer.get_id()) for layer in layers])
    values.remove(2)
    values.insert(2, ids)
    return values


def _with_text(procedure: Gimp.Procedure, text: str) -> Gimp.ValueArray:
    values = procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, GLib.Error())
    values.remove(1)
    values.insert(1, GObject.Value(GObject.TYPE_STRING, text))
    return values


class Text2Colors(Gimp.PlugIn):
    """The plug-in as GIMP sees it."""

    def do_set_i18n(self, name: str) -> bool:
        return False

    def do_query_procedures(self) -> list[str]:
        return list(TEXTS)

    def do_create_procedure(self, name: str) -> Gimp.Procedure:
        label, blurb, help_text = TEXTS[name]
        if name == CHECK:
            procedure = Gimp.Procedure.new(self, name, Gimp.PDBProcType.PLUGIN, run_check, None)
        else:
            run_function = {ABOUT: run_about, AGAIN: run_again, HINTS: run_hints}.get(name, run_colorize)
            procedure = Gimp.ImageProcedure.new(self, name, Gimp.PDBProcType.PLUGIN, run_function, None)
            procedure.set_image_types("*")
            mask = Gimp.ProcedureSensitivityMask
            procedure.set_sensitivity_mask(mask.DRAWABLE | mask.DRAWABLES)
        procedure.set_documentation(blurb, help_text, name)
        procedure.set_attribution("The Text2Colors authors", "MIT licence", "2026")
        if label:
            procedure.set_menu_label(label)
            procedure.add_menu_path(MENU)
        if name in (COLORIZE, LAYERS, EDIT):
            _add_arguments(procedure)
        if name == CHECK:
            procedure.add_enum_argument(
                "run-mode",
                "Run mode",
                "Whether a dialog may be shown",
                Gimp.RunMode.__gtype__,
                Gimp.RunMode.NONINTERACTIVE,
                READWRITE,
            )
        if name in (CHECK, ABOUT):
            procedure.add_string_return_value("report", "Report", "What was found", "", READWRITE)
        else:
            procedure.add_core_object_array_return_value(
                "layers", "Layers", "The new layers, those of the first drawable first", Gimp.Layer.__gtype__, READWRITE
            )
            procedure.add_string_array_return_value("layer-ids", "Layer IDs", "The same, as numbers", READWRITE)
        return procedure


def _add_arguments(procedure: Gimp.Procedure) -> None:
    """The arguments of a coloring procedure; `request.request_from` reads them by these names."""
    procedure.add_string_argument("phrase", "_Phrase", "What the colors should speak of", "", READWRITE)
    procedure.add_string_argument(
        "palettes",
        "Pale_ttes",
        "Colors as #rrggbb,#rrggbb,... and palettes apart by ';'; override the phrase",
        "",
        READWRITE,
    )
    procedure.add_int_argument("count", "_Number of palettes", "How many to draw, 1 to 20", *WHOLE, 5, READWRITE)
    procedure.add_int_argument("seed", "_Seed", "The same seed gives the same palettes", *WHOLE, 0, READWRITE)
    procedure.add_double_argument(
        "strength", "St_rength", "0 is natural color, 1 the palette, 2 twice as strong", -1e9, 1e9, 1.0, READWRITE
    )
    procedure.add_double_argument(
        "natural",
        "_Natural",
        "How far skin, sky and leaves keep their natural color, 0 to 1",
        -1e9,
        1e9,
        0.0,
        READWRITE,
    )
    procedure.add_string_argument("device", "_Device", "What computes: auto, cpu, cuda or mps", "auto", READWRITE)
    procedure.add_string_argument(
        "result-mode", "Resu_lt", "How the result is inserted: colour (color layers) or normal", "colour", READWRITE
    )
    procedure.add_boolean_argument(
        "same-palettes",
        "Same p_alettes for all layers",
        "Several layers share the palettes of the first",
        True,
        READWRITE,
    )
    procedure.add_string_argument(
        "extras",
        "E_xtras",
        "For each of the palettes, an object with what else the engine is told, as a JSON list; none if left out",
        "",
        READWRITE,
    )
    procedure.add_layer_argument(
        "hints",
        "Color h_ints layer",
        "A transparent layer with dabs of color, which the results keep there; none if left out",
        True,
        READWRITE,
    )


Gimp.main(Text2Colors.__gtype__, sys.argv)
