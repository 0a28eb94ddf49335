"""Where the engine is: the command that starts it, or the socket it listens on. Runs on Python 2.7 and 3.

The first that is set counts: the environment variable T2C_ENGINE, `engine.json` in the user's data folder,
`engine.json` beside the plug-in (for sandboxes that have a data folder of their own), a `t2c` on the PATH. The file
holds one object:

    {"command": ["/path/to/t2c", "engine"]}     or one text, split like a shell does
    {"command": ["/path/to/t2c", "engine"], "keep": true}      stays loaded while GIMP 3 runs, and takes --listen
    {"command": "ssh gpubox t2c engine"}
    {"socket": "/path/to/engine.sock"}          on Windows the name of a pipe: "\\\\.\\pipe\\text2colors"

Every function that differs by system takes the system as an argument, in sys.platform's words. Standard library only;
must not import gi or gimp.
"""

import io
import json
import ntpath
import os
import posixpath
import shlex
import sys

try:
    from typing import Any, Mapping, Optional, Sequence, Text, Tuple, Union
except ImportError:  # Python 2.7 has no typing; the types stand in comments
    pass

ENVIRONMENT_VARIABLE = "T2C_ENGINE"
SETTINGS_FILE = "engine.json"
SOCKET_PREFIX = "unix:"
PIPE_PREFIX = "\\\\.\\pipe\\"
_CORRECT = "Correct it there, or run the installer again."


class SettingsError(Exception):
    """The engine cannot be found; `message` is a sentence, `hint` says what to do."""

    def __init__(self, message, hint):
        # type: (Text, Text) -> None
        Exception.__init__(self, message)
        self.message = message
        self.hint = hint


class Place(object):
    """Where an engine is: `command`, words to start it with, or `socket`, the address of one that listens.

    `source` says where that was found. `keep`: the engine of the command may be kept running between calls, for it
    takes --listen and runs here.
    """

    def __init__(self, command=(), socket=u"", source=u"the caller", keep=False):
        # type: (Sequence[Text], Text, Text, bool) -> None
        self.command = tuple(command)
        self.socket = socket
        self.source = source
        self.keep = keep


def data_folder(system=sys.platform, environ=os.environ, home=None):
    # type: (str, Mapping[str, str], Optional[Text]) -> Text
    """This user's text2colors folder, the same that platformdirs gives; need not exist."""
    home = os.path.expanduser("~") if home is None else home
    if system == "win32":
        base = environ.get("LOCALAPPDATA") or ntpath.join(home, "AppData", "Local")
        return ntpath.join(base, "text2colors")
    if system == "darwin":
        return posixpath.join(home, "Library", "Application Support", "text2colors")
    return posixpath.join(environ.get("XDG_DATA_HOME") or posixpath.join(home, ".local", "share"), "text2colors")


def split_command(text, system=sys.platform):
    # type: (Text, str) -> Sequence[Text]
    """The words of a command line, as the system's shell or, on Windows, programs themselves split it.

    Raises:
        ValueError: quotes do not match.
    """
    return _split_windows(text) if system == "win32" else shlex.split(text)


def _split_windows(text):
    # type: (Text) -> Sequence[Text]
    """Words apart at blanks outside double quotes; backslashes count only before a quote, as Windows has it."""
    words, word, started, quoted, slashes = [], u"", False, False, 0
    for one in text + u" ":
        if one == u"\\":
            slashes, started = slashes + 1, True
            continue
        if one == u'"':
            word += u"\\" * (slashes // 2) + (u'"' if slashes % 2 else u"")
            quoted, started = quoted if slashes % 2 else not quoted, True
        elif one in u" \t\r\n" and not quoted:
            word += u"\\" * slashes
            if started:
                words.append(word)
            word, started = u"", False
        else:
            word, started = word + u"\\" * slashes + one, True
        slashes = 0
    if quoted:
        raise ValueError("No closing quotation")
    return words


def parse_place(value, source, system=sys.platform):
    # type: (Union[Text, Sequence[Text]], Text, str) -> Place
    """A command as one text or as a list; the texts "unix:PATH" and a Windows pipe's name stand for sockets.

    Raises:
        SettingsError: it is empty or its quotes do not match.
    """
    words = value
    if isinstance(value, (type(u""), str)):
        if value.startswith(SOCKET_PREFIX):
            return Place(socket=value[len(SOCKET_PREFIX) :], source=source)
        if value.startswith(PIPE_PREFIX):
            return Place(socket=value, source=source)
        try:
            words = split_command(value, system)
        except ValueError as error:
            raise SettingsError(u"The engine command in {} cannot be read ({}).".format(source, error), _CORRECT)
    if not words or not words[0]:
        raise SettingsError(u"The engine command in {} is empty.".format(source), _CORRECT)
    return Place(command=words, source=source)


def find_place(beside, which, environ=os.environ, system=sys.platform):
    # type: (Text, Any, Mapping[str, str], str) -> Place
    """The engine that is set, see above.

    Args:
        beside: the plug-in's folder.
        which: finds a program on the PATH, as shutil.which does.

    Raises:
        SettingsError: nothing is set and no `t2c` is on the PATH, or a settings file cannot be used.
    """
    value = environ.get(ENVIRONMENT_VARIABLE, "").strip()
    if value:
        return parse_place(value, u"the environment variable " + ENVIRONMENT_VARIABLE, system)
    folder = data_folder(system, environ)
    for path in (os.path.join(folder, SETTINGS_FILE), os.path.join(beside, SETTINGS_FILE)):
        place = read_settings(path, system)
        if place:
            return place
    program = which("t2c")
    if program:
        return Place(command=(program, "engine"), source=u"the PATH")
    raise SettingsError(
        u"The Text2Colors engine is not installed, or this GIMP cannot see it.",
        u"Run the installer; it writes {}.".format(os.path.join(folder, SETTINGS_FILE)),
    )


def read_settings(path, system=sys.platform):
    # type: (Text, str) -> Optional[Place]
    """What one settings file says; None when there is no such file.

    Raises:
        SettingsError: the file cannot be read, or names neither a command nor a socket.
    """
    if not os.path.exists(path):
        return None
    try:
        with io.open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, IOError, ValueError) as error:
        raise SettingsError(u"The settings file {} cannot be read ({}).".format(path, error), _CORRECT)
    try:
        values = json.loads(text)
    except (ValueError, RuntimeError) as error:  # RuntimeError: nested too deep
        raise SettingsError(u"The settings file {} is no JSON ({}).".format(path, error), _CORRECT)
    words = (type(u""), str)
    socket = values.get("socket") if isinstance(values, dict) else None
    command = values.get("command") if isinstance(values, dict) else None
    if isinstance(socket, words) and socket:
        return Place(socket=socket, source=path)
    if isinstance(command, words) or (isinstance(command, list) and all(isinstance(one, words) for one in command)):
        place = parse_place(command, path, system)
        place.keep = values.get("keep") is True
        return place
    raise SettingsError(u"The settings file {} names neither a command nor a socket.".format(path), _CORRECT)
