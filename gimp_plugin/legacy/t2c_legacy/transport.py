"""The bytes to and from an engine: a child process on its stdin and stdout, or a Unix socket. Must not import gimp."""

import io
import os
import socket
import subprocess
import sys
import threading
import time
from collections import deque

from t2c_plugin.shared import limits
from t2c_plugin.shared.hints import find_hint
from t2c_plugin.shared.processes import popen_options, scrubbed_environment
from t2c_plugin.shared.settings import PIPE_PREFIX, Place

from t2c_legacy.texts import to_text

try:
    from typing import Any, Callable, Dict, List, Optional, Text, Union
except ImportError:  # Python 2.7 has no typing; the types stand in comments
    pass

PYTHON_2 = sys.version_info[0] == 2
WINDOWS = sys.platform == "win32"


class EngineError(Exception):
    """The engine could not do what was asked.

    `message` is a sentence, `hint` says what to do, `code` is the engine's (frames.py) or None.
    """

    def __init__(self, message, hint=None, details=u"", code=None):
        # type: (Text, Optional[Text], Text, Optional[int]) -> None
        Exception.__init__(self, message)
        self.message = message
        self.hint = find_hint(message, details) if hint is None else hint
        self.details = details
        self.code = code

    def in_words(self):
        # type: () -> Text
        """Sentence and hint."""
        return u"{} {}".format(self.message, self.hint).strip()


def connect(place, log):
    # type: (Place, Optional[Text]) -> Union[Process, Socket]
    """Start the engine, or connect to its socket.

    Raises:
        EngineError: the program cannot be started, or nobody listens on the socket.
    """
    return Socket(place.socket) if place.socket else Process(place, log)


class Process(object):
    """An engine that is our child; it ends when its stdin closes, so also when this process is killed."""

    def __init__(self, place, log):
        # type: (Place, Optional[Text]) -> None
        command = [program_word(word) for word in place.command]
        options = popen_options(WINDOWS, new_session=not PYTHON_2)  # type: Dict[str, Any]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                close_fds=not WINDOWS,  # GIMP's own pipes are not the engine's; Python 2.7 on Windows refuses it
                env=scrubbed_environment(os.environ),
                **options
            )
        except (OSError, ValueError) as error:
            words = u"The engine cannot be started: '{}' ({}), the command set by {}."
            raise EngineError(words.format(place.command[0], to_text(error), place.source))
        self._ring = deque(maxlen=limits.RING_LINES)  # type: deque
        self._reader = threading.Thread(target=self._keep_stderr, args=(log,))
        self._reader.daemon = True
        self._reader.start()

    def read(self, size):
        # type: (int) -> bytes
        return self._process.stdout.read(size)  # type: ignore[union-attr]

    def write(self, data):
        # type: (bytes) -> None
        view = data
        while view:  # a pipe without buffer may take less than all on Python 3
            count = self._process.stdin.write(view)  # type: ignore[union-attr]
            view = view[count:] if count is not None else b""
        self._process.stdin.flush()  # type: ignore[union-attr]

    def end(self):
        # type: () -> Text
        """Wait briefly for an engine that has closed its stream; how it ended, in words."""
        self._wait(2.0)
        self._reader.join(0.5)
        code = self._process.poll()
        if code is None:
            return u"it closed its output but still runs"
        return u"signal {}".format(-code) if code < 0 else u"exit code {}".format(code)

    def tail(self):
        # type: () -> Text
        return u"\n".join(list(self._ring))

    def close(self):
        # type: () -> None
        """End the engine. Returns within about two seconds; may be called again."""
        if self._process.poll() is None:
            # closing a pipe that another thread writes to would wait for it
            closer = threading.Thread(target=_close, args=(self._process.stdin,))
            closer.daemon = True
            closer.start()
            if not self._wait(0.7):
                self._process.kill()
                self._wait(1.0)
        self._reader.join(0.3)

    def _wait(self, seconds):
        # type: (float) -> bool
        end = time.time() + seconds
        while self._process.poll() is None and time.time() < end:
            time.sleep(0.02)
        return self._process.poll() is not None

    def _keep_stderr(self, log):
        # type: (Optional[Text]) -> None
        file = _open_log(log)
        for line in iter(self._process.stderr.readline, b""):  # type: ignore[union-attr]
            self._ring.append(to_text(line[:2000]).rstrip())
            if file is not None:
                try:
                    file.write(line)
                    file.flush()
                except (OSError, IOError):
                    file = None
        if file is not None:
            file.close()


class Socket(object):
    """An engine that someone else has started and that listens on a Unix socket."""

    def __init__(self, path):
        # type: (Text) -> None
        family = getattr(socket, "AF_UNIX", None)
        if family is None or path.startswith(PIPE_PREFIX):
            raise EngineError(
                u"GIMP 2.10 cannot reach an engine at {}.".format(path), u"Set an engine command in place of it."
            )
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.settimeout(5.0)
        try:
            self._socket.connect(path)
        except (OSError, socket.error) as error:
            self._socket.close()
            raise EngineError(u"No engine listens on the socket {} ({}).".format(path, to_text(error)))
        self._socket.settimeout(None)

    def read(self, size):
        # type: (int) -> bytes
        try:
            return self._socket.recv(size)
        except (OSError, socket.error):
            return b""

    def write(self, data):
        # type: (bytes) -> None
        self._socket.sendall(data)

    def end(self):
        # type: () -> Text
        return u""

    def tail(self):
        # type: () -> Text
        return u""

    def close(self):
        # type: () -> None
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except (OSError, socket.error):
            pass
        self._socket.close()


def program_word(word, windows=WINDOWS, python_2=PYTHON_2, codec="mbcs", short=None):
    # type: (Text, bool, bool, str, Optional[Callable[[Text], Text]]) -> str
    """A word of a command as this Python starts programs with it.

    Python 2.7 on Windows takes bytes in the system's code page. A path that has no form there is given by its short
    (8.3) name.

    Args:
        codec, short: the code page, and what finds the short name of a path; for tests.

    Raises:
        EngineError: the path has no short name either.
    """
    if not python_2 or isinstance(word, str):
        return word  # type: ignore[return-value]
    if not windows:
        return word.encode(sys.getfilesystemencoding() or "utf-8")  # type: ignore[return-value]
    coded = _in_code_page(word, codec)
    if coded is None:
        coded = _in_code_page((short or _short_name)(word), codec)
    if coded is None:
        raise EngineError(
            u"GIMP 2.10 cannot start '{}': its Python cannot write this path.".format(word),
            u"Install the engine into a folder with a name of plain letters, and set it in engine.json.",
        )
    return coded  # type: ignore[return-value]


def _in_code_page(word, codec):
    # type: (Text, str) -> Optional[bytes]
    """The word in a code page; None where it would come back as another word (the system replaces in silence)."""
    try:
        coded = word.encode(codec)
        return coded if coded.decode(codec) == word else None
    except UnicodeError:
        return None


def _short_name(path):
    # type: (Text) -> Text
    import ctypes

    buffer = ctypes.create_unicode_buffer(1024)
    length = ctypes.windll.kernel32.GetShortPathNameW(path, buffer, len(buffer))  # type: ignore[attr-defined]
    return buffer.value if length else path


def _close(stream):
    # type: (Any) -> None
    try:
        stream.close()
    except (OSError, IOError, ValueError):
        pass


def _open_log(path):
    # type: (Optional[Text]) -> Any
    """The log to append to, begun anew when long; None when there is none or it cannot be written."""
    if path is None:
        return None
    try:
        if not os.path.isdir(os.path.dirname(path)):
            os.makedirs(os.path.dirname(path))
        long = os.path.exists(path) and os.path.getsize(path) > limits.LOG_LIMIT
        return io.open(path, "wb" if long else "ab")
    except (OSError, IOError):
        return None
