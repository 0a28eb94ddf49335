#!/usr/bin/env python3
"""Text2Colors for GIMP 3: registers the procedures. What they do is `t2c_plugin.procedures`'.

GIMP drops a plug-in silently when anything fails while it registers, so this file imports the standard library and gi
only; everything else is imported when a procedure runs, and what is wrong is then said in words. Only the translations
are read before; without them, labels are English.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import gi

gi.require_version("Gimp", "3.0")
from gi.repository import Gimp, GObject  # noqa: E402

try:
    from t2c_plugin.texts import _
except Exception:  # whatever it is, the menu must be there

    def _(text: str) -> str:
        return text


COLORIZE = "plug-in-text2colors"
LAYERS = "plug-in-text2colors-layers"
AGAIN = "plug-in-text2colors-again"
EDIT = "plug-in-text2colors-edit"
HINTS = "plug-in-text2colors-hints-layer"
FILES = "plug-in-text2colors-files"
TEACH = "plug-in-text2colors-teach"
CHECK = "plug-in-text2colors-check"
ABOUT = "plug-in-text2colors-about"

# GIMP sorts entries by path and label; a section that a menu has not is put aside after that, and leaves our order
MENU = "<Image>/Colors/Text2Colors/[{place}]"
# GIMP replaces an argument out of its range by the default and says nothing, so ranges are ours to check
WHOLE = (-(2**31), 2**31 - 1)
REAL = (-1e9, 1e9)
READWRITE = GObject.ParamFlags.READWRITE


@dataclass(frozen=True)
class Entry:
    """A procedure. The tooltip is what GIMP's action search looks through, besides the label ("" for scripts only)."""

    label: str
    tooltip: str
    help: str
    on_image: bool = True  # takes an image and drawables
    arguments: tuple[str, ...] = ()  # names in ARGUMENTS
    returns: str = "layers"  # or "report", a text


# (kind, label, help, *further parameters of `add_KIND_argument`); `request.request_from` reads them by name
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "phrase": ("string", "_Phrase", "What the colors should speak of", ""),
    "palettes": (
        "string",
        "Pale_ttes",
        "Colors as #rrggbb,#rrggbb,... and palettes apart by ';'; override the phrase",
        "",
    ),
    "count": ("int", "_Number of palettes", "How many to draw, 1 to 20", *WHOLE, 5),
    "seed": ("int", "_Seed", "The same seed gives the same palettes", *WHOLE, 0),
    "strength": ("double", "St_rength", "0 is natural color, 1 the palette, 2 twice as strong", *REAL, 1.0),
    "natural": ("double", "_Natural", "How far skin (to 0.2), sky and leaves keep natural color, 0 to 1", *REAL, 0.2),
    "hint-reach": ("double", "Reach o_f hints", "How far hints spread over what looks alike, 0 to 1", *REAL, 0.25),
    "device": ("string", "_Device", "What computes: auto, cpu, cuda or mps", "auto"),
    "result-mode": ("string", "Resu_lt", "How the result is inserted: colour (color layers) or normal", "colour"),
    "same-palettes": (
        "boolean",
        "Same p_alettes for all layers",
        "Several layers share the palettes of the first",
        True,
    ),
    "extras": (
        "string",
        "E_xtras",
        "For each of the palettes, an object with what else the engine is told, as a JSON list; none if left out",
        "",
    ),
    "look": (
        "string",
        "_Look",
        "Names of looks, apart by commas: a layer each, after the natural colors or one palette; overrides the phrase",
        "",
    ),
    "style": ("string", "St_yle", "A style of yours for palettes of the phrase, as studio or studio:0.7", ""),
    "hints": (
        "layer",
        "Color h_ints layer",
        "A transparent layer with hints of color, which the results keep there; none if left out",
        True,
    ),
    "reference": (
        "layer",
        "R_eference",
        "A layer of any image, whose colors the results take in place of a phrase or palettes; none if left out",
        True,
    ),
    "reference-files": ("string", "Re_ference files", "The same with picture files, one a line: a result for each", ""),
    "inputs": ("string", "_Pictures", "Files and folders, one a line", ""),
    "output": ("string", "_Output folder", "Where results and the job's journal go", ""),
    "captions": ("string", "_Captions", "Phrases of their own: sidecar, metadata, or a CSV file; none if left out", ""),
    "palette-per": ("string", "Palette p_er", "What shares a draw of palettes: album, folder or picture", "album"),
    "palette-names": ("string", "_Palettes", "Names of GIMP palettes, one a line; all if left out", ""),
    "style-name": ("string", "_Name", "What the style is to be called: letters, digits, '-', '_' and '.'", ""),
    "replace": ("boolean", "_Replace", "Replace the style of this name", False),
    "format": ("string", "_Format", "Of the results: same, png, jpeg, webp, tiff16 or ora", "same"),
}
COLORING = ("phrase", "palettes", "count", "seed", "strength", "natural", "hint-reach", "device", "result-mode")
COLORING += ("same-palettes", "extras", "look", "style", "hints", "reference", "reference-files")
OF_FILES = ("inputs", "output", "phrase", "captions", "palette-per", "count", "seed", "strength", "natural")
OF_FILES += ("format", "device")

# in the menu's order
ENTRIES = {
    COLORIZE: Entry(
        _("_Colorize..."),
        _("Text2Colors: color the selected layers from words, a palette, or by themselves"),
        "Draws palettes for the phrase (or takes those given) and inserts, above each layer, a group with one layer a "
        "palette that gives color only. The original keeps its pixels; everything is one undo step. A result of "
        "Text2Colors stands for the layer it was made for. Returns the new layers.",
        arguments=COLORING,
    ),
    LAYERS: Entry(
        "",
        "Text2Colors: color the layers, and the layers of groups, alike",
        "As plug-in-text2colors, but a group stands for the layers in it. same-palettes gives all layers the same "
        "palettes; otherwise each gets its own for the phrase.",
        arguments=COLORING,
    ),
    AGAIN: Entry(
        _("Colorize _Again"),
        _("Text2Colors: color the selected layers as the last time, without asking"),
        "Runs plug-in-text2colors on the layers given with the values of its last interactive run.",
    ),
    EDIT: Entry(
        _("_Edit this Result..."),
        _("Text2Colors: open the dialog with what the selected result was made with"),
        "As plug-in-text2colors, interactively, with the values that are kept with a result.",
        arguments=COLORING,
    ),
    HINTS: Entry(
        _("New Color _Hints Layer"),
        _("Text2Colors: add a transparent layer to paint hints of the colors that you know"),
        "Makes the image RGB if it is not, and inserts a transparent layer above the layer and its results. "
        "Returns the new layer.",
    ),
    FILES: Entry(
        _("Colorize _Files..."),
        _("Text2Colors: color folders of pictures as a job that can be stopped and gone on with"),
        "Hands the pictures to the engine's program (t2c batch), which keeps a journal in the output folder: the same "
        "call goes on where it stopped. Returns a report.",
        on_image=False,
        arguments=OF_FILES,
        returns="report",
    ),
    TEACH: Entry(
        _("_Teach from GIMP Palettes..."),
        _("Text2Colors: teach a style of your own from palettes of GIMP"),
        "Trains a small addition to the palette model in the engine; the names of the palettes are their texts. "
        "The style can then be chosen by its name. Returns what became of it, in words.",
        on_image=False,
        arguments=("style-name", "palette-names", "replace"),
        returns="report",
    ),
    CHECK: Entry(
        _("Set-up _Check"),
        _("Text2Colors: say in words whether the engine is installed and works"),
        "Starts the engine and reports its version, models and device. Returns the report.",
        on_image=False,
        returns="report",
    ),
    ABOUT: Entry(
        _("A_bout this Result"),
        _("Text2Colors: show phrase, palette, seed and model of the selected layer's result"),
        "Of a layer, the result that can be seen. Returns what Text2Colors keeps with it, as JSON.",
        returns="report",
    ),
}


def run_on_image(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: list[Gimp.Drawable],
    config: Gimp.ProcedureConfig,
    data: Any,
) -> Gimp.ValueArray:
    """Answer a procedure that takes an image."""
    from t2c_plugin import procedures

    return procedures.answer(procedure, run_mode, config, image, drawables)


def run(procedure: Gimp.Procedure, config: Gimp.ProcedureConfig, data: Any) -> Gimp.ValueArray:
    """Answer a procedure that takes none."""
    from t2c_plugin import procedures

    return procedures.answer(procedure, config.get_property("run-mode"), config)


class Text2Colors(Gimp.PlugIn):
    """The plug-in as GIMP sees it."""

    def do_set_i18n(self, name: str) -> bool:
        return False  # labels are translated here already

    def do_query_procedures(self) -> list[str]:
        return list(ENTRIES)

    def do_create_procedure(self, name: str) -> Gimp.Procedure:
        entry = ENTRIES[name]
        if entry.on_image:
            procedure = Gimp.ImageProcedure.new(self, name, Gimp.PDBProcType.PLUGIN, run_on_image, None)
            procedure.set_image_types("*")
            mask = Gimp.ProcedureSensitivityMask
            procedure.set_sensitivity_mask(mask.DRAWABLE | mask.DRAWABLES)
        else:
            procedure = Gimp.Procedure.new(self, name, Gimp.PDBProcType.PLUGIN, run, None)
            mode = ("Run mode", "Whether a dialog may be shown", Gimp.RunMode.__gtype__, Gimp.RunMode.NONINTERACTIVE)
            procedure.add_enum_argument("run-mode", *mode, READWRITE)
        procedure.set_documentation(entry.tooltip, entry.help, name)
        procedure.set_attribution("The Text2Colors authors", "MIT licence", "2026")
        if entry.label:
            procedure.set_menu_label(entry.label)
            procedure.add_menu_path(MENU.format(place=list(ENTRIES).index(name)))
        for argument in entry.arguments:
            kind, *parameters = ARGUMENTS[argument]
            getattr(procedure, f"add_{kind}_argument")(argument, *parameters, READWRITE)
        if entry.returns == "report":
            procedure.add_string_return_value("report", "Report", "What was found", "", READWRITE)
        else:
            procedure.add_core_object_array_return_value(
                "layers", "Layers", "The new layers, those of the first drawable first", Gimp.Layer.__gtype__, READWRITE
            )
            procedure.add_string_array_return_value("layer-ids", "Layer IDs", "The same, as numbers", READWRITE)
        return procedure


Gimp.main(Text2Colors.__gtype__, sys.argv)
