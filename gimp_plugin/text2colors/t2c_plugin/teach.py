"""A style taught from palettes of GIMP: which palettes there are, their colors, and the engine's work."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gi

gi.require_version("Gimp", "3.0")
from gi.repository import Gimp  # noqa: E402

from t2c_plugin.engine import jobs  # noqa: E402
from t2c_plugin.image.colors import palette_colors  # noqa: E402
from t2c_plugin.request import RequestError  # noqa: E402
from t2c_plugin.wire import protocol  # noqa: E402

MOST_COLORS = 24  # a palette of more is a color table, not a choice
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

Example = tuple[str, tuple[str, ...]]  # a text and "#rrggbb"


def gimp_palettes() -> list[Example]:
    """Name and colors of every palette of GIMP's that has 2 to MOST_COLORS colors, by name."""
    found = [(one.get_name(), palette_colors(one)) for one in Gimp.palettes_get_list("")]
    return sorted((one for one in found if 2 <= len(one[1]) <= MOST_COLORS), key=lambda one: one[0].casefold())


def check(name: str, examples: Sequence[Example]) -> None:
    """Raises RequestError where the engine need not be asked."""
    if not _NAME.fullmatch(name):
        raise RequestError("Give the style a name of letters, digits, '-', '_' and '.', as studio.")
    if len(examples) < protocol.MIN_TAUGHT:
        raise RequestError(
            f"{len(examples)} palettes are too few to learn from; take {protocol.MIN_TAUGHT}, better 50."
        )
    if len(examples) > protocol.MAX_TAUGHT:
        raise RequestError(f"{len(examples)} palettes are too many; take at most {protocol.MAX_TAUGHT}.")


def teach_named(value: Callable[[str], Any]) -> str:
    """Teach as a procedure's arguments say (`value` gives one by its name); what became of it.

    Raises:
        RequestError: a palette is not there, or the name is none. EngineError: the engine cannot do it.
    """
    wanted = [line.strip() for line in (value("palette-names") or "").splitlines() if line.strip()]
    known = dict(gimp_palettes())
    missing = [name for name in wanted if name not in known]
    if missing:
        raise RequestError(f"GIMP has no palette '{missing[0]}' of 2 to {MOST_COLORS} colors.")
    name = (value("style-name") or "").strip()
    examples = [(one, known[one]) for one in wanted or known]
    check(name, examples)
    Gimp.progress_init("Text2Colors")
    with jobs.new_engine() as engine:
        result = engine.teach(name, examples, value("replace"), lambda done, _text: Gimp.progress_update(done))
    Gimp.progress_end()
    return in_words(result)


def in_words(result: Mapping[str, Any]) -> str:
    """What became of it, for the user."""
    return f"{result.get('verdict', '')}\n{result.get('report', '')}"
