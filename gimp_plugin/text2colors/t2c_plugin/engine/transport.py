"""The two ways to an engine: a child process on its stdin and stdout, or a Unix socket. Bytes only, no messages.

Hides the environment a child gets, its last words on stderr, and how it is ended. Standard library only; must not
import gi.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from typing import Any, Protocol

from t2c_plugin.engine.errors import EngineError, find_hint
from t2c_plugin.engine.named_pipe import PipeTransport
from t2c_plugin.engine.settings import Target
from t2c_plugin.shared.limits import LOG_LIMIT, RING_LINES
from t2c_plugin.shared.processes import popen_options, scrubbed_environment
from t2c_plugin.shared.settings import PIPE_PREFIX

PIPE_BYTES = 1 << 20  # asked of Linux for a pipe, in place of 64 KiB


class Transport(Protocol):
    """A stream of bytes to an engine and one back."""

    def readinto(self, buffer: memoryview) -> int | None:
        """Fill a part of the buffer; 0 when the engine has gone."""
        ...

    def write(self, data: memoryview) -> int | None:
        """Write a part of the data; OSError when the engine has gone."""
        ...

    def end(self) -> str:
        """Wait briefly for an engine that has closed its stream; how it ended, in words, or ""."""
        ...

    def tail(self) -> str:
        """The last lines of stderr."""
        ...

    def close(self) -> None:
        """End the engine, or the connection to it. Returns within about two seconds; may be called again."""
        ...


def connect(target: Target, log: Path | None, timeout: float = 5.0) -> Transport:
    """Start the engine, or connect to its socket.

    Raises:
        EngineError: the program cannot be started, or nobody listens on the socket.
    """
    if target.socket.startswith(PIPE_PREFIX):
        return PipeTransport(target.socket)
    if target.socket:
        return SocketTransport(_connected(target, timeout))
    return ProcessTransport(target, log)


def _connected(target: Target, timeout: float) -> socket.socket:
    """A connection to the socket of a target."""
    family = getattr(socket, "AF_UNIX", None)
    if family is None:
        raise EngineError(
            "This Python knows no Unix sockets.", "Set an engine command, or the name of a Windows pipe, in its place."
        )
    connection = socket.socket(family, socket.SOCK_STREAM)
    connection.settimeout(timeout)
    try:
        connection.connect(target.socket)
    except OSError as error:
        connection.close()
        raise EngineError(f"No engine listens on the socket {target.socket} ({error}).") from error
    connection.settimeout(None)
    return connection


def start_process(target: Target, **streams: Any) -> subprocess.Popen[bytes]:
    """Start a target's command, in a session of its own: ssh then asks for nothing on GIMP's terminal.

    Raises:
        EngineError: it cannot be started.
    """
    options = popen_options(sys.platform == "win32")
    try:
        process: Any = subprocess.Popen(
            target.command, env=scrubbed_environment(dict(os.environ)), **streams, **options
        )
        return process
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise EngineError(
            f"The engine '{target.command[0]}' cannot be started ({reason}).",
            f"{find_hint(reason, repr(error))} It is set by {target.source}.",
        ) from error


class ProcessTransport:
    """An engine that is our child; it ends when its stdin closes, so also when this process is killed."""

    def __init__(self, target: Target, log: Path | None) -> None:
        pipe = subprocess.PIPE
        self._process = start_process(target, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0)
        self._ring: deque[str] = deque(maxlen=RING_LINES)
        for stream in (self._process.stdin, self._process.stdout):
            _widen(stream)
        self._stderr_reader = threading.Thread(target=self._keep_stderr, args=(log,), name="engine-stderr", daemon=True)
        self._stderr_reader.start()

    @property
    def pid(self) -> int:
        """Process number of the child."""
        return self._process.pid

    def readinto(self, buffer: memoryview) -> int | None:
        return self._process.stdout.readinto(buffer)  # type: ignore[union-attr]

    def write(self, data: memoryview) -> int | None:
        return self._process.stdin.write(data)  # type: ignore[union-attr]

    def end(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(2.0)
        self._stderr_reader.join(0.5)
        code = self._process.poll()
        if code is None:
            return "it closed its output but still runs"
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def tail(self) -> str:
        return "\n".join(list(self._ring))

    def close(self) -> None:
        process = self._process
        if process.poll() is None:
            # closing a pipe that another thread is blocked in would block too, so the descriptor goes with the process
            closer = threading.Thread(target=_close, args=(process.stdin,), daemon=True)
            closer.start()
            try:
                process.wait(0.7)
            except subprocess.TimeoutExpired:
                process.kill()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(1.0)
        self._stderr_reader.join(0.3)

    def _keep_stderr(self, log: Path | None) -> None:
        stream = self._process.stderr
        if stream is None:
            return
        with contextlib.ExitStack() as stack:
            file = open_log(log)
            if file is not None:
                stack.enter_context(file)
            for line in iter(stream.readline, b""):
                self._ring.append(line[:2000].decode("utf-8", "replace").rstrip())
                if file is not None:
                    with contextlib.suppress(OSError):
                        file.write(line)
                        file.flush()


class SocketTransport:
    """An engine at the other end of a Unix socket; it runs on when the connection ends."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection

    def readinto(self, buffer: memoryview) -> int | None:
        try:
            return self._socket.recv_into(buffer)
        except ConnectionResetError:
            return 0

    def write(self, data: memoryview) -> int | None:
        return self._socket.send(data)

    def end(self) -> str:
        return ""

    def tail(self) -> str:
        return ""

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def _close(stream: Any) -> None:
    with contextlib.suppress(OSError, ValueError):
        stream.close()


def _widen(stream: Any) -> None:
    """Larger pipes move pictures in fewer turns; only Linux has them, and it may refuse."""
    if sys.platform == "linux":
        import fcntl

        with contextlib.suppress(OSError, AttributeError):
            fcntl.fcntl(stream.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def open_log(path: Path | None) -> Any:
    """The log to append to, begun anew when long; None when there is none or it cannot be written."""
    if path is None:
        return None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        long = path.exists() and path.stat().st_size > LOG_LIMIT
        return path.open("wb" if long else "ab")
    except OSError:
        return None
