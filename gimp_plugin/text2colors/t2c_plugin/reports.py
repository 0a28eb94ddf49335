"""Words about a result and about the installation. Gtk is imported only when a window is wanted."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from typing import Any

import gi

gi.require_version("Gimp", "3.0")
from gi.repository import Gimp  # noqa: E402

from t2c_plugin.engine import jobs  # noqa: E402
from t2c_plugin.engine.client import EngineError  # noqa: E402
from t2c_plugin.engine.settings import find_target  # noqa: E402
from t2c_plugin.image import results  # noqa: E402
from t2c_plugin.request import RequestError  # noqa: E402
from t2c_plugin.texts import _  # noqa: E402

log = logging.getLogger(__name__)

_SIGNS = {"ok": "\u2713", "warning": "!", "problem": "\u2717"}


def about(image: Gimp.Image, drawables: Sequence[Gimp.Drawable], run_mode: Gimp.RunMode) -> str:
    """What is kept with a result, as JSON; also shown in a window when run interactively.

    Raises:
        RequestError: the layer neither is nor has a result of ours.
    """
    result = find_result(image, drawables)
    record = results.record_of(result)
    if run_mode == Gimp.RunMode.INTERACTIVE:
        from t2c_plugin.ui import windows

        windows.show_text(_("About this Result"), f"{result.get_name()}\n{record.in_words()}", record.palette)
    return record.to_bytes().decode("ascii")


def find_result(image: Gimp.Image, drawables: Sequence[Gimp.Drawable]) -> Gimp.Layer:
    """The result that is meant by the drawables: one of them, or that of one which can be seen.

    Raises:
        RequestError: there is none.
    """
    for drawable in drawables:
        layer = Gimp.Layer.from_mask(drawable) if drawable.is_layer_mask() else drawable
        if layer.is_layer() and results.is_result(layer):
            children = layer.get_children() if layer.is_group() else []
            seen = next((one for one in children if one.get_visible()), None)
            return seen or next(iter(children), layer)
        found = results.newest(image, layer) if layer.is_layer() else None
        if found is not None:
            return found
    raise RequestError("This layer has no results of Text2Colors yet; use Colors > Text2Colors > Colorize first.")


def check(run_mode: Gimp.RunMode) -> str:
    """A report on the installation; also shown in a window when run interactively."""
    if run_mode == Gimp.RunMode.INTERACTIVE:
        from t2c_plugin.ui import windows

        report = windows.show_check(report_lines)
    else:
        report = "\n".join(report_lines())
    log.info("set-up check:\n%s", report)
    return report


def report_lines() -> list[str]:
    """What is right and wrong, one line each: plug-in, where the engine is set, what it says of itself."""
    lines = [_line("ok", f"GIMP {Gimp.version()}, its Python {sys.version.split()[0]}")]
    try:
        target = find_target()
    except EngineError as error:
        return [*lines, _line("problem", str(error))]
    how = f"the socket {target.socket}" if target.socket else " ".join(target.command)
    lines.append(_line("ok", f"Engine: {how} (from {target.source})"))
    try:
        with jobs.new_engine() as engine:
            hello = engine.hello()
            lines.append(_line("ok", f"The engine answers; version {hello.get('engine')}"))
            lines += doctor_lines(engine.doctor())
    except EngineError as error:
        lines.append(_line("problem", str(error)))
        lines += [f"    {line}" for line in error.details.splitlines()[-8:]]
    lines.append(f"Log: {jobs.log_folder()}")
    return lines


def doctor_lines(answer: dict[str, Any]) -> list[str]:
    """The engine's own checks: {"checks": [{"name", "state", "words", "advice"}]}, whatever of it is there."""
    lines = []
    for one in answer.get("checks", ()):
        if isinstance(one, dict):
            words = f"{one.get('name', '')}: {one.get('words', '')} {one.get('advice') or ''}"
            lines.append(_line(str(one.get("state", "")), words.strip()))
    return lines


def _line(status: str, text: str) -> str:
    return f"{_SIGNS.get(status, '-')} {text}"
