"""Where the engine is: the command that starts it, or the socket it listens on.

The first that is set counts: the environment variable T2C_ENGINE, `engine.json` in the user's data folder,
`engine.json` beside the plug-in (for sandboxes that have a data folder of their own), a `t2c` on the PATH. The file
holds one object:

    {"command": ["/path/to/t2c", "engine"]}     or one text, split like a shell does
    {"command": ["/path/to/t2c", "engine"], "keep": true}      stays warm while GIMP runs, and takes --listen
    {"command": "ssh gpubox t2c engine"}
    {"socket": "/path/to/engine.sock"}

Standard library only; must not import gi.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from t2c_plugin.engine.errors import EngineError

ENVIRONMENT_VARIABLE = "T2C_ENGINE"
SETTINGS_FILE = "engine.json"
PLUGIN_FOLDER = Path(__file__).resolve().parents[2]
_SOCKET_PREFIX = "unix:"
_CORRECT = "Correct it there, or run the installer again."


@dataclass(frozen=True, slots=True)
class Target:
    """One of the two: a command line, or the path of a Unix socket. `source` says where that was found.

    `keep`: the engine of the command may be kept running between calls, for it takes --listen and runs here.
    """

    command: tuple[str, ...] = ()
    socket: str = ""
    source: str = "the caller"
    keep: bool = False


def user_data_folder() -> Path:
    """This user's text2colors folder, the same that platformdirs gives; need not exist."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Application Support")
    else:
        base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "text2colors"


def runtime_folder() -> Path:
    """Where sockets of this user's engines lie, of mode 0700 when it exists; need not exist."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    return Path(base) / "text2colors" if base else user_data_folder() / "run"


def settings_files() -> tuple[Path, Path]:
    """Where settings are looked for, the first first."""
    return user_data_folder() / SETTINGS_FILE, PLUGIN_FOLDER / SETTINGS_FILE


def parse_target(value: str | Sequence[str], source: str = "the caller") -> Target:
    """A command as one text or as a list; the text "unix:PATH" names a socket.

    Raises:
        EngineError: it is empty or its quotes do not match.
    """
    if isinstance(value, str) and value.startswith(_SOCKET_PREFIX):
        return Target(socket=value.removeprefix(_SOCKET_PREFIX), source=source)
    try:
        words = _split(value) if isinstance(value, str) else [str(word) for word in value]
    except ValueError as error:
        raise EngineError(f"The engine command in {source} cannot be read ({error}).", _CORRECT) from error
    if not words or not words[0]:
        raise EngineError(f"The engine command in {source} is empty.", _CORRECT)
    return Target(command=tuple(words), source=source)


def _split(text: str) -> list[str]:
    if os.name != "nt":
        return shlex.split(text)
    return [word.strip('"') for word in shlex.split(text, posix=False)]  # keeps the backslashes of paths


def find_target() -> Target:
    """The engine that is set, see above.

    Raises:
        EngineError: nothing is set and no `t2c` is on the PATH, or a settings file cannot be used.
    """
    value = os.environ.get(ENVIRONMENT_VARIABLE, "").strip()
    if value:
        return parse_target(value, f"the environment variable {ENVIRONMENT_VARIABLE}")
    for path in settings_files():
        target = read_settings(path)
        if target:
            return target
    program = shutil.which("t2c")
    if program:
        return Target(command=(program, "engine"), source="the PATH")
    raise EngineError(
        "The Text2Colors engine is not installed, or this GIMP cannot see it.",
        f"Run the installer; it writes {settings_files()[0]}.",
    )


def read_settings(path: Path) -> Target | None:
    """What one settings file says; None when there is no such file.

    Raises:
        EngineError: the file cannot be read, or names neither a command nor a socket.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise EngineError(f"The settings file {path} cannot be read ({error}).", _CORRECT) from error
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise EngineError(f"The settings file {path} is no JSON ({error}).", _CORRECT) from error
    socket = values.get("socket") if isinstance(values, dict) else None
    command = values.get("command") if isinstance(values, dict) else None
    if isinstance(socket, str) and socket:
        return Target(socket=socket, source=str(path))
    if isinstance(command, str) or (isinstance(command, list) and all(isinstance(word, str) for word in command)):
        return replace(parse_target(command, str(path)), keep=values.get("keep") is True)
    raise EngineError(f"The settings file {path} names neither a command nor a socket.", _CORRECT)
