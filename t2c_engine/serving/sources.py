"""What an editor may ask the engine to take colors from, as its hello announces it.

The editor's dialog shows only these. Standard library only: the hello must not wait for anything.
"""

from __future__ import annotations

from typing import Any


def sources() -> dict[str, dict[str, Any]]:
    """Each source's name, and its choices (JSON): what the editor must know to offer it."""
    return {"words": {}, "palette": {}, "nothing": {}}
