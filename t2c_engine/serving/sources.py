"""What an editor may ask the engine to take colors from, as its hello announces it.

The editor's dialog shows only these. The hello must not wait: no torch, nothing slow.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from t2c_engine.serving.protocol import MAX_VARIATIONS


def sources(styles: Sequence[str] = (), kinds: Collection[str] = ()) -> dict[str, dict[str, Any]]:
    """Each source's name, and its choices (JSON): what the editor must know to offer it.

    Args:
        styles: names of the user's styles for palettes drawn for words. kinds: of models that are installed.
    """
    from t2c_engine.colorization.looks import installed_looks

    nothing = {"variations": MAX_VARIATIONS} if "diverse" in kinds else {}
    found: dict[str, dict[str, Any]] = {"words": {"styles": list(styles)}, "palette": {}, "nothing": nothing}
    if "exemplar" in kinds:
        found["reference"] = {}
    looks = [{"name": one.name, "title": one.title} for one in installed_looks()]
    return found | ({"look": {"looks": looks}} if looks else {})
