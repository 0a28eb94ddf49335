"""The phrases last used, kept in the user's data folder. Standard library only; must not import gi."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from pathlib import Path

from t2c_plugin.engine.settings import user_data_folder

MOST = 8
EXAMPLES = ("autumn breeze", "deep sea", "old town in summer", "spring meadow")

log = logging.getLogger(__name__)


def recent_file() -> Path:
    """Where they are kept; need not exist."""
    return user_data_folder() / "recent.json"


def recent_phrases() -> list[str]:
    """The newest first; none when there is no file, or one that cannot be read."""
    try:
        phrases = json.loads(recent_file().read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return []
    return [one for one in phrases if isinstance(one, str)][:MOST] if isinstance(phrases, list) else []


def remember_phrase(phrase: str) -> None:
    """Put a phrase first. What cannot be written is not missed."""
    phrases = [phrase, *(one for one in recent_phrases() if one.casefold() != phrase.casefold())][:MOST]
    path = recent_file()
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(phrases, ensure_ascii=False), "utf-8")
        part.replace(path)
    except OSError as error:
        log.warning("the phrase is not remembered: %s", error)
        with contextlib.suppress(OSError):
            part.unlink()
