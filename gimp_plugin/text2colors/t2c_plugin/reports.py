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
from t2c_plugin.request import PARASITE, Record, RequestError  # noqa: E402

log = logging.getLogger(__name__)

_SIGNS = {"ok": "\u2713", "warning": "!", "problem": "\u2717"}


def about(drawables: Sequence[Gimp.Drawable], run_mode: Gimp.RunMode) -> str:
    """What is kept with a result, as JSON; also shown in a window when run interactively.

    Raises:
        RequestError: the layer is no result of ours.
    """
    for drawable in drawables:
        parasite = drawable.get_parasite(PARASITE)
        if parasite is None:
            continue
        data = bytes(parasite.get_data())
        record = Record.from_bytes(data)
        if run_mode == Gimp.RunMode.INTERACTIVE:
            from t2c_plugin.ui import windows

            windows.show_text("About this Result", record.in_words(), record.palette)
        return data.decode("ascii")
    raise RequestError("This layer was not made by Text2Colors; select a layer in a group named 'Text2Colors: ...'.")


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
