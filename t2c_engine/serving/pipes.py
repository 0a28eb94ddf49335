"""Named pipes, Windows' way to listen for editors on this machine, with the face of a listening socket.

A pipe carries messages; here they make one stream of bytes. Only the user who made it (and administrators) may write
to it, as Windows has it unless told otherwise. Standard library only: `multiprocessing.connection` does the work.
"""

from __future__ import annotations

from multiprocessing.connection import Connection, Listener

from t2c_engine.errors import OutputError
from t2c_engine.files import reason

PREFIX = "\\\\.\\pipe\\"  # of a pipe's name
_CHUNK = 1 << 20  # bytes of a message


def is_pipe(address: str) -> bool:
    """Whether an address is the name of a Windows pipe."""
    return address.startswith(PREFIX)


class PipeStream:
    """One editor's connection; what `socket.socket` has of the same names."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rest = memoryview(b"")

    def recv_into(self, buffer: memoryview) -> int:
        """Fill a part of the buffer; 0 when the editor has gone."""
        if not len(self._rest):
            try:
                self._rest = memoryview(self._connection.recv_bytes())
            except (EOFError, BrokenPipeError, ConnectionResetError):
                return 0
        count = min(len(self._rest), len(buffer))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def send(self, data: memoryview) -> int:
        """Write a part of the data; OSError when the editor has gone."""
        part = data[:_CHUNK]
        self._connection.send_bytes(part)
        return len(part)

    def shutdown(self, how: int) -> None:
        """End both directions."""
        self._connection.close()

    def __enter__(self) -> PipeStream:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()


class PipeListener:
    """Waits for editors on a named pipe.

    Args:
        address: the pipe's name.
        family: in `multiprocessing.connection`'s words; for tests on systems without named pipes.

    Raises:
        OutputError: the pipe cannot be made, or another engine listens on it.
    """

    def __init__(self, address: str, family: str = "AF_PIPE") -> None:
        try:
            self._listener = Listener(address, family)
        except (OSError, ValueError) as error:
            raise OutputError(
                f"The pipe {address} cannot be made ({reason(error)}); an engine may listen on it already: "
                "use that one, or choose another name."
            ) from error

    def accept(self) -> tuple[PipeStream, None]:
        """The next editor; the second value stands for a socket's address."""
        return PipeStream(self._listener.accept()), None

    def close(self) -> None:
        self._listener.close()
