"""An engine that stays loaded while GIMP runs: on a Unix socket of its own, found again by every later call.

It is started with `--listen`, with `--while` and GIMP's process number, so that it ends with GIMP, and with
`--idle-exit`. It serves one conversation at a time: while it is busy, a call gets an engine of its own on pipes.
Standard library only; must not import gi.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import select
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

from t2c_plugin.engine.settings import Target, runtime_folder
from t2c_plugin.engine.transport import ProcessTransport, SocketTransport, Transport, open_log, start_process

IDLE_EXIT = 900  # seconds without a word after which it leaves
_ANSWER = 1.0  # seconds in which an engine that is free says hello
_FIRST_ANSWER = 30.0  # the same, just started
_TICK = 0.02


def can_keep(target: Target) -> bool:
    """Whether the engine of a target can be kept: it says so, and the system knows Unix sockets."""
    return target.keep and sys.platform != "win32" and hasattr(socket, "AF_UNIX")


def socket_of(target: Target, owner: int) -> Path:
    """The socket of the engine that a process (GIMP) keeps for a command."""
    name = hashlib.blake2b("\0".join(target.command).encode("utf-8", "surrogateescape"), digest_size=6).hexdigest()
    return runtime_folder() / f"{owner}-{name}.sock"


class KeptTransport:
    """A connection to the kept engine, which is started if need be. The first read connects, and may wait."""

    def __init__(self, target: Target, log: Path | None) -> None:
        self._target, self._log = target, log
        self._owner = os.getppid()  # GIMP
        self._path = socket_of(target, self._owner)
        self._inner: Transport | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        self._connected = threading.Event()
        self._closed = False
        self._socket = _connection(self._path)
        if self._socket is None:
            self._start()

    def readinto(self, buffer: memoryview) -> int | None:
        if self._inner is None:
            try:
                self._inner = self._connect()
            finally:
                self._connected.set()
        return self._inner.readinto(buffer) if self._inner is not None else 0

    def write(self, data: memoryview) -> int | None:
        self._connected.wait()
        if self._inner is None:
            raise OSError("the engine has gone")
        return self._inner.write(data)

    def end(self) -> str:
        if self._inner is not None and (how := self._inner.end()):
            return how
        code = self._process.poll() if self._process is not None else None
        return "" if code is None else f"exit code {code}" if code >= 0 else f"signal {-code}"

    def tail(self) -> str:
        if isinstance(self._inner, ProcessTransport):
            return self._inner.tail()
        if self._log is None or self._process is None:
            return ""
        with contextlib.suppress(OSError), self._log.open("rb") as file:
            file.seek(self._log_start)
            return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-200:])
        return ""

    def close(self) -> None:
        self._closed = True
        if self._inner is not None:
            self._inner.close()

    def _connect(self) -> Transport | None:
        """The kept engine; one of our own while it serves another call; None when it cannot be started."""
        begun, patience = time.monotonic(), _ANSWER if self._process is None else _FIRST_ANSWER
        while self._socket is None and not self._closed and time.monotonic() - begun < _FIRST_ANSWER:
            time.sleep(_TICK)
            ended = self._process is not None and self._process.poll() is not None
            self._socket = _connection(self._path)  # perhaps of an engine that another call has just started
            if ended and self._socket is None:
                return None
        if self._closed or self._socket is None:
            return None
        if select.select([self._socket], [], [], patience)[0]:
            return SocketTransport(self._socket)
        self._socket.close()
        return None if self._closed else ProcessTransport(self._target, self._log)

    def _start(self) -> None:
        path = self._path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        words = [*self._target.command, "--listen", str(path), "--idle-exit", str(IDLE_EXIT)]
        with contextlib.ExitStack() as stack:
            log = open_log(self._log)
            if log is not None:
                stack.enter_context(log)
                self._log_start = log.tell()
            self._process = start_process(
                replace(self._target, command=(*words, "--while", str(self._owner))),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log if log is not None else subprocess.DEVNULL,
            )


def _connection(path: Path) -> socket.socket | None:
    """A connection to the engine that listens there; None when none does."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        return None
    return connection
