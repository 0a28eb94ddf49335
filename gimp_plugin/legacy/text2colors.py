#!/usr/bin/env python
# -*- coding: utf-8 -*-
"""Text2Colors for GIMP 2.10: registers the procedures, and answers GIMP's calls.

GIMP drops a plug-in silently when anything fails while it registers, so this file imports gimpfu only; everything else
is imported when a procedure runs, and what is wrong is then said in words.
"""

import sys

import gimp
import gimpfu

COLORIZE = "plug-in-text2colors"
CHECK = "plug-in-text2colors-check"
MENU = "<Image>/Colors/Text2Colors"

_shown = []  # holds something once a dialog is about to be shown


def colorize(image, drawable, phrase, palettes, count, seed, strength, natural, mode, device, use_hints, hints, hint_reach):
    # type: (gimp.Image, gimp.Drawable, str, str, float, float, float, float, int, int, bool, gimp.Layer, float) -> gimp.GroupLayer | None
    """Color a layer; returns the group with the new layers."""

    def work():
        # type: () -> gimp.GroupLayer
        from t2c_legacy import colorize as job

        request = job.request_from(phrase, palettes, count, seed, strength, natural, mode, device, hint_reach)
        return job.colorize(image, drawable, request, hints if use_hints else None)

    return _answer(work)


def check():
    # type: () -> str | None
    """Say in words whether the engine is installed and works; returns the report."""

    def work():
        # type: () -> str
        from t2c_legacy import colorize as job
        from t2c_legacy.texts import native

        report = native(u"\n".join(job.report_lines()))
        gimp.message(report)
        return report

    return _answer(work)


def _answer(work):
    # type: (...) -> ...
    """What the work gives. A failure is said in a sentence; without a dialog the procedure fails as well."""
    try:
        return work()
    except Exception as error:  # the edge of the process: GIMP would show a traceback, or nothing
        words = error.in_words() if hasattr(error, "in_words") else _sentence(error)  # type: ignore[attr-defined]
        gimp.message(words if isinstance(words, str) else words.encode("utf-8"))
        if _shown:
            return None
        raise


def _sentence(error):
    # type: (Exception) -> str
    if type(error).__name__ == "RequestError":
        return error.args[0]
    import traceback

    traceback.print_exc(file=sys.stderr)
    return "Text2Colors has made a mistake ({}: {}); please report it.".format(type(error).__name__, error)


gimpfu.register(
    COLORIZE,
    "Colors a layer from a phrase such as 'autumn breeze'",
    "Draws palettes for the phrase (or takes those given) and inserts, above the layer, a group with one layer a palette "
    "that gives color only. The original keeps its pixels; everything is one undo step. Returns the group.",
    "The Text2Colors authors",
    "MIT licence",
    "2026",
    "_Colorize...",
    "RGB*, GRAY*",
    [
        (gimpfu.PF_IMAGE, "image", "Image", None),
        (gimpfu.PF_DRAWABLE, "drawable", "Layer", None),
        (gimpfu.PF_STRING, "phrase", "_Phrase", ""),
        (gimpfu.PF_STRING, "palettes", "Pale_ttes (#rrggbb,...; override the phrase)", ""),
        (gimpfu.PF_SPINNER, "count", "_Number of palettes", 5, (1, 20, 1)),
        (gimpfu.PF_SPINNER, "seed", "S_eed", 0, (0, 2**31 - 1, 1)),
        (gimpfu.PF_SLIDER, "strength", "St_rength (0 natural, 1 the palette's)", 1.0, (0.0, 2.0, 0.05)),
        (gimpfu.PF_SLIDER, "natural", "N_atural (how far skin, sky and leaves keep their color)", 0.2, (0.0, 1.0, 0.05)),
        (gimpfu.PF_OPTION, "result-mode", "Resu_lt", 0, ("Color layers", "Normal layers")),
        (gimpfu.PF_OPTION, "device", "_Device", 0, ("Automatic", "CPU", "GPU (NVIDIA)", "GPU (Apple)")),
        (gimpfu.PF_TOGGLE, "use-hints", "_Use color hints", False),
        (gimpfu.PF_LAYER, "hints", "Color h_ints layer", None),
        (gimpfu.PF_SLIDER, "hint-reach", "Reach o_f hints (0 only the thing below them)", 0.25, (0.0, 1.0, 0.05)),
    ],
    [(gimpfu.PF_LAYER, "group", "The group with the new layers")],
    colorize,
    menu=MENU,
    on_run=lambda: _shown.append(True),
)
gimpfu.register(
    CHECK,
    "Says in words whether the engine is installed and works",
    "Starts the engine and reports its version, models and device. Returns the report.",
    "The Text2Colors authors",
    "MIT licence",
    "2026",
    "Set-up _Check",
    "",
    [],
    [(gimpfu.PF_STRING, "report", "What was found")],
    check,
    menu=MENU,
)
gimpfu.main()
