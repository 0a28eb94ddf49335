"""Where the engine is: the command that starts it, or the socket it listens on; see `shared.settings` for the rules.

Standard library only; must not import gi.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from t2c_plugin.engine.errors import EngineError
from t2c_plugin.shared import settings

PLUGIN_FOLDER = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Target:
    """One of the two: a command line, or the path of a socket or Windows pipe. `source` says where that was found.

    `keep`: the engine of the command may be kept running between calls, for it takes --listen and runs here.
    """

    command: tuple[str, ...] = ()
    socket: str = ""
    source: str = "the caller"
    keep: bool = False

    @classmethod
    def of(cls, place: settings.Place) -> Target:
        """The same in this form."""
        return cls(tuple(str(word) for word in place.command), place.socket, place.source, place.keep)


def user_data_folder() -> Path:
    """This user's text2colors folder, the same that platformdirs gives; need not exist."""
    return Path(settings.data_folder())


def runtime_folder() -> Path:
    """Where sockets of this user's engines lie, of mode 0700 when it exists; need not exist."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    return Path(base) / "text2colors" if base else user_data_folder() / "run"


def settings_files() -> tuple[Path, Path]:
    """Where settings are looked for, the first first."""
    return user_data_folder() / settings.SETTINGS_FILE, PLUGIN_FOLDER / settings.SETTINGS_FILE


def parse_target(value: str | Sequence[str], source: str = "the caller") -> Target:
    """A command as one text or as a list; the text "unix:PATH" names a socket.

    Raises:
        EngineError: it is empty or its quotes do not match.
    """
    try:
        return Target.of(settings.parse_place(value, source))
    except settings.SettingsError as error:
        raise EngineError(error.message, error.hint) from error


def find_target() -> Target:
    """The engine that is set.

    Raises:
        EngineError: nothing is set and no `t2c` is on the PATH, or a settings file cannot be used.
    """
    try:
        return Target.of(settings.find_place(str(PLUGIN_FOLDER), shutil.which))
    except settings.SettingsError as error:
        raise EngineError(error.message, error.hint) from error


def read_settings(path: Path) -> Target | None:
    """What one settings file says; None when there is no such file.

    Raises:
        EngineError: the file cannot be read, or names neither a command nor a socket.
    """
    try:
        place = settings.read_settings(str(path))
    except settings.SettingsError as error:
        raise EngineError(error.message, error.hint) from error
    return None if place is None else Target.of(place)
