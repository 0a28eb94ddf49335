"""An engine that someone else has started and that listens on a named pipe, Windows' way within one machine.

A pipe carries messages; here they make one stream of bytes, as on the engine's side (`t2c_engine.serving.pipes`).
Standard library only; must not import gi.
"""

from __future__ import annotations

import contextlib

from t2c_plugin.engine.errors import EngineError

_CHUNK = 1 << 20  # bytes of a message


class PipeTransport:
    """A connection to an engine's pipe; the engine runs on when it ends.

    Args:
        address: the pipe's name.
        family: in `multiprocessing.connection`'s words; for tests on systems without named pipes.

    Raises:
        EngineError: nobody listens there, or it belongs to another user.
    """

    def __init__(self, address: str, family: str = "AF_PIPE") -> None:
        from multiprocessing.connection import Client

        try:
            self._connection = Client(address, family)
        except (OSError, ValueError) as error:
            raise EngineError(f"No engine listens on the pipe {address} ({error}).") from error
        self._rest = memoryview(b"")

    def readinto(self, buffer: memoryview) -> int:
        if not len(self._rest):
            try:
                self._rest = memoryview(self._connection.recv_bytes())
            except (EOFError, OSError):
                return 0
        count = min(len(self._rest), len(buffer))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def write(self, data: memoryview) -> int:
        part = data[:_CHUNK]
        self._connection.send_bytes(part)
        return len(part)

    def end(self) -> str:
        return ""

    def tail(self) -> str:
        return ""

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._connection.close()
