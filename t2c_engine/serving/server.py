"""The engine process: frames in, frames out, on stdin and stdout or on a Unix socket (`t2c engine`).

The main thread reads, so that the end of the stream is seen at once, whatever the workers of the `session` do. Nothing
is kept on disk: the process may end at any moment, and it does when its stdin closes. Imports the standard library and
`session` only; everything heavier comes after stdout has been put out of the way, and torch after the hello.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2c_engine import __version__
from t2c_engine.errors import ModelError, OutputError
from t2c_engine.files import reason
from t2c_engine.serving import protocol as p
from t2c_engine.serving.pipes import PipeListener, is_pipe
from t2c_engine.serving.session import Outbox, Session
from t2c_engine.serving.sources import sources

if TYPE_CHECKING:
    from t2c_engine.serving.service import Service

log = logging.getLogger(__name__)

PIPE_BYTES = 1 << 20  # asked of Linux for a pipe, in place of 64 KiB
_IDLE_TICK = 0.5


class Server:
    """The process as a whole: one service, one session after the other, and when to end."""

    def __init__(
        self,
        idle_exit: float | None = None,
        device: str = "cpu",
        service: Service | None = None,
        while_running: int | None = None,
    ) -> None:
        self._idle_exit = idle_exit
        self._while_running = while_running
        self._device = device
        self._service = service
        self._last_activity = time.monotonic()
        self._session: Session | None = None
        self._outbox: Outbox | None = None
        self._warming = False

    def serve_pipes(self, incoming: int, outgoing: int) -> int:
        """Serve the editor at the other ends of two file descriptors until it goes; returns the exit code.

        When it can no longer be written to, the process ends at once.
        """
        reader, writer = io.FileIO(incoming, "rb"), io.FileIO(outgoing, "wb")
        for stream in (reader, writer):
            _widen(stream)
        outbox = Outbox(writer.write, on_gone=lambda: os._exit(0))
        self._start_idle_watch(lambda: os._exit(0))
        understood = self._converse(outbox, reader.readinto)
        if not understood:
            outbox.close(0.5)  # so that the editor hears why
        return 0 if understood else 2

    def serve_socket(self, path: Path) -> None:
        """Serve editors one after the other on a Unix socket in a folder that is ours alone, until stopped.

        On Windows `path` is the name of a pipe.

        Raises:
            OutputError: the folder is open to others, or the socket cannot be made or is in use.
        """
        listener = PipeListener(str(path)) if is_pipe(str(path)) else open_socket(path)
        signal.signal(signal.SIGTERM, _stop)
        self._start_idle_watch(lambda: os.kill(os.getpid(), signal.SIGTERM))
        log.info("listening on %s", path)
        try:
            while True:
                connection, _ = listener.accept()
                with connection:
                    outbox = Outbox(connection.send, on_gone=lambda: None)
                    with contextlib.suppress(OSError):  # the editor has gone in the middle
                        self._converse(outbox, connection.recv_into)
                        outbox.close(0.5)
                    with contextlib.suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)
        finally:
            listener.close()
            if not is_pipe(str(path)):
                path.unlink(missing_ok=True)

    def _converse(self, outbox: Outbox, readinto: p.ReadInto) -> bool:
        """One session, from hello to its end; False when the editor sent something else than frames."""
        outbox.send(p.Notification("hello", hello()))
        self._touch()
        service = self._warm_service()
        session = Session(service, outbox, hello)
        self._session, self._outbox = session, outbox
        outbox.send(p.Notification("status", service.status))
        try:
            session.serve(p.read_frames(readinto), self._touch)
        except p.ProtocolError as error:
            log.error("the editor cannot be understood: %s", error)
            outbox.send(p.Failure(None, p.ErrorCode.PARSE, f"The engine cannot read the stream: {error}."))
            return False
        finally:
            self._session = self._outbox = None
            session.end()
        return True

    def _warm_service(self) -> Service:
        """The service; at the first call it begins to load in the background."""
        if self._service is None:
            from t2c_engine.serving.service import Service

            self._service = Service()
        if not self._warming:
            self._warming = True
            arguments = (self._device, self._notify_status)
            threading.Thread(target=self._service.warm_up, args=arguments, name="warm-up", daemon=True).start()
        return self._service

    def _notify_status(self, status: Mapping[str, Any]) -> None:
        outbox = self._outbox
        if outbox is not None:
            outbox.send(p.Notification("status", status))

    def _touch(self) -> None:
        self._last_activity = time.monotonic()

    def _start_idle_watch(self, leave: Callable[[], None]) -> None:
        """End the process when nothing has been heard for `idle_exit` seconds and nothing is under way.

        It ends also when the process `while_running` has, whatever is under way.
        """
        idle_exit, other = self._idle_exit, self._while_running
        if idle_exit is None and other is None:
            return

        def watch() -> None:
            while True:
                time.sleep(min(_IDLE_TICK, idle_exit or _IDLE_TICK))
                session = self._session
                if other is not None and not _is_running(other):
                    log.info("process %d has ended; leaving", other)
                    leave()
                elif session is not None and session.busy:
                    self._touch()
                elif idle_exit is not None and time.monotonic() - self._last_activity > idle_exit:
                    log.info("nothing heard for %g seconds; leaving", idle_exit)
                    leave()

        threading.Thread(target=watch, name="idle-watch", daemon=True).start()


def hello() -> dict[str, Any]:
    """What the engine says of itself: versions, models ("name version" by kind), styles, process, formats, sources."""
    from t2c_engine.models import find_model, scan_models

    models: dict[str, str] = {}
    for kind in ("palette", "colorizer", "exemplar", "diverse"):
        try:
            card = find_model(kind)
        except ModelError as error:
            log.error("%s", error)
        else:
            models[kind] = f"{card.name} {card.version}"
    greeting = {"protocol": p.PROTOCOL, "engine": __version__, "models": models, "pid": os.getpid()}
    styles = [card.name for card in scan_models()[0] if card.kind == "style"]
    greeting |= {"styles": styles, "sources": sources(styles, models)}
    return greeting | {"python": sys.version.split()[0], "formats": list(p.PIXEL_FORMATS)}


def open_socket(path: Path) -> socket.socket:
    """Listen on a Unix socket whose folder nobody else may enter; a socket left by an engine that died is replaced.

    Raises:
        OutputError: see `Server.serve_socket`.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise OutputError(
            "This system's Python knows no Unix sockets; give the name of a pipe, such as '\\\\.\\pipe\\text2colors'."
        )
    folder = path.resolve().parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
        if status.st_mode & 0o077 or status.st_uid != os.getuid():
            raise OutputError(f"The folder {folder} is open to others; put the socket into one of mode 0700.")
        if path.is_socket():
            _refuse_living(path)
        elif path.exists():
            raise OutputError(f"{path} is a file, not a socket; choose another path.")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        unheard = path.with_name(f".{os.getpid()}")  # who sees the socket may connect: it gets its name once it listens
        try:
            listener.bind(str(unheard))
            listener.listen(8)
            unheard.replace(path)
        except OSError:
            listener.close()
            raise
        return listener
    except OSError as error:
        raise OutputError(f"The socket {path} cannot be made ({reason(error)}); choose another path.") from error


def _refuse_living(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except OSError:
            return
    raise OutputError(f"An engine listens on {path} already; use that one, or choose another path.")


def _is_running(process: int) -> bool:
    """Whether a process of this machine runs, someone else's too."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _stop(number: int, frame: object) -> None:
    raise SystemExit(0)


def _widen(stream: io.FileIO) -> None:
    """Larger pipes move pictures in fewer turns; only Linux has them, and it may refuse."""
    if sys.platform == "linux":
        import fcntl

        with contextlib.suppress(OSError, AttributeError):
            fcntl.fcntl(stream.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def take_pipes() -> tuple[int, int]:
    """stdin and stdout under numbers of their own; whatever else reads gets nothing, whatever prints goes to stderr."""
    incoming, outgoing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return incoming, outgoing


def run(
    listen: Path | None = None,
    idle_exit: float | None = None,
    device: str = "cpu",
    while_running: int | None = None,
    **parts: Any,
) -> None:
    """Be the engine. On pipes this ends the process; with `listen` it returns when stopped.

    Args:
        listen: path of a Unix socket; None for stdin and stdout.
        idle_exit: leave after so many seconds without a word; None stays.
        device: which device the colouriser is loaded on in advance; a GPU is left alone until someone asks for it.
        while_running: number of the process, the editor's, with which the engine ends. Not on Windows.
        parts: for `Server`.

    Raises:
        OutputError: the socket cannot be made.
    """
    pipes = take_pipes() if listen is None else None
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
    server = Server(idle_exit, device, while_running=while_running, **parts)
    if listen is not None:
        server.serve_socket(listen)
    elif pipes is not None:
        code = 1
        try:
            code = server.serve_pipes(*pipes)
        except KeyboardInterrupt:
            code = 130
        except Exception:  # the edge of the process: the log must tell why it ends
            log.exception("the engine cannot go on")
        finally:
            os._exit(code)  # at once, whatever the workers are doing
