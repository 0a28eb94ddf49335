"""One conversation with one editor: its requests on two workers, its answers in order, cancels and pings at once.

Quick requests (palettes) and slow ones (about pictures) wait in lanes of their own, so that a phrase is answered while
a picture is coloured. Knows messages, not where the bytes go (`server`). Must not import torch or numpy itself.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from t2c_engine.errors import DeviceError, ModelError, PictureError, T2CError, UsageError
from t2c_engine.serving import protocol as p

if TYPE_CHECKING:
    from t2c_engine.serving.service import Job, Service

log = logging.getLogger(__name__)

Hello = Callable[[], Mapping[str, Any]]

_CODES: tuple[tuple[type[T2CError], p.ErrorCode], ...] = (
    (DeviceError, p.ErrorCode.DEVICE),
    (UsageError, p.ErrorCode.USAGE),
    (PictureError, p.ErrorCode.PICTURE),
    (ModelError, p.ErrorCode.MODEL),
    (T2CError, p.ErrorCode.USAGE),
)


class Outbox:
    """Sends messages in order from a thread of its own, so that the reader never waits for a slow editor."""

    def __init__(self, write: p.Write, on_gone: Callable[[], None]) -> None:
        self._write = write
        self._on_gone = on_gone
        self._waiting: queue.SimpleQueue[tuple[p.Message, threading.Event] | None] = queue.SimpleQueue()
        self.gone = threading.Event()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def send(self, message: p.Message, wait: bool = False) -> None:
        """Send a message; with `wait`, return when it has been written, so that pictures do not pile up."""
        sent = threading.Event()
        self._waiting.put((message, sent))
        while wait and not sent.wait(0.2) and not self.gone.is_set():
            pass

    def close(self, timeout: float = 1.0) -> None:
        """Send what waits, then stop."""
        self._waiting.put(None)
        self._thread.join(timeout)

    def _run(self) -> None:
        while (item := self._waiting.get()) is not None:
            message, sent = item
            try:
                self._write_whole(message)
            except OSError as error:
                log.info("the editor has gone (%s)", error)
                self.gone.set()
                self._on_gone()
                return
            finally:
                sent.set()

    def _write_whole(self, message: p.Message) -> None:
        """Write a message; one that cannot be put into a frame becomes a failure, before any byte of it is sent."""
        try:
            p.write_message(self._write, message)
        except (TypeError, ValueError) as error:
            log.exception("a message cannot be sent")
            if isinstance(message, p.Result):
                sentence = f"The engine made a mistake ({error}); please report it with the engine's log."
                p.write_message(self._write, p.Failure(message.id, p.ErrorCode.INTERNAL, sentence))


class Session:
    """One conversation with one editor, from hello to the end of its stream."""

    def __init__(self, service: Service, outbox: Outbox, hello: Hello) -> None:
        self._service = service
        self._hello = hello
        self._outbox = outbox
        self._jobs: dict[p.Id, threading.Event] = {}  # under way or waiting, each with its cancel
        self._lock = threading.Lock()
        self._lanes: tuple[queue.SimpleQueue[p.Request | None], ...] = (queue.SimpleQueue(), queue.SimpleQueue())
        for lane, name in zip(self._lanes, ("quick", "pictures"), strict=True):
            threading.Thread(target=self._work, args=(lane,), name=name, daemon=True).start()

    @property
    def busy(self) -> bool:
        """Whether a request is under way."""
        return bool(self._jobs)

    def serve(self, frames: Iterator[p.Frame], on_frame: Callable[[], None]) -> None:
        """Answer frames until there are no more; `on_frame` is called at each.

        Raises:
            ProtocolError: the stream holds something else than frames, or ends inside one.
        """
        for frame in frames:
            on_frame()
            try:
                self._receive(p.parse(frame))
            except p.MessageError as error:
                self._outbox.send(p.Failure(error.id, error.code, f"The message is not understood: {error}."))

    def end(self) -> None:
        """Cancel everything; the workers stop after the step they are in."""
        self._cancel(None)
        for lane in self._lanes:
            lane.put(None)

    def _receive(self, message: p.Message) -> None:
        if isinstance(message, (p.Result, p.Failure)):
            return  # we ask nothing, so nothing is answered
        if message.method == "cancel":
            self._cancel(message.params.get("id"))
        if isinstance(message, p.Notification):
            if message.method == "ping":
                self._outbox.send(p.Notification("pong"))
        elif message.method in ("ping", "cancel"):
            self._outbox.send(p.Result(message.id, {}))
        elif message.method == "hello":
            self._outbox.send(p.Result(message.id, self._hello()))
        elif message.method in self._service.at_once:
            self._outbox.send(self._carry_out(message, self._service.at_once[message.method], lambda: False))
        elif message.method not in self._service.quick and message.method not in self._service.slow:
            self._fail(message, p.ErrorCode.UNKNOWN_METHOD, f"The engine knows no method '{message.method[:40]}'.")
        else:
            with self._lock:
                known = message.id in self._jobs
                if not known:
                    self._jobs[message.id] = threading.Event()
            if known:
                self._fail(message, p.ErrorCode.INVALID_REQUEST, "The id of that request is in use already.")
            else:
                self._lanes[message.method in self._service.slow].put(message)

    def _cancel(self, id: Any) -> None:
        """Cancel one job, or all for None."""
        with self._lock:
            for known, event in self._jobs.items():
                if id is None or id == known:
                    event.set()

    def _work(self, lane: queue.SimpleQueue[p.Request | None]) -> None:
        while (request := lane.get()) is not None:
            stop = self._jobs[request.id]
            method = self._service.quick.get(request.method) or self._service.slow[request.method]
            answer = self._carry_out(request, method, lambda stop=stop: stop.is_set() or self._outbox.gone.is_set())
            with self._lock:
                del self._jobs[request.id]
            self._outbox.send(answer)

    def _carry_out(
        self, request: p.Request, method: Callable[[Job], Any], cancelled: Callable[[], bool]
    ) -> p.Result | p.Failure:
        from t2c_engine.serving.picture_store import UnknownPictureError
        from t2c_engine.serving.service import CancelledError

        try:
            if cancelled():
                raise CancelledError
            return p.Result(request.id, method(self._job(request, cancelled)))
        except CancelledError:
            return p.Failure(request.id, p.ErrorCode.CANCELLED, "The job was stopped.")
        except UnknownPictureError as error:
            return p.Failure(request.id, p.ErrorCode.UNKNOWN_PICTURE, str(error))
        except T2CError as error:
            log.warning("%s: %s", request.method, error)
            return p.Failure(request.id, next(code for kind, code in _CODES if isinstance(error, kind)), str(error))
        except Exception as error:  # the edge of the process: whatever it is, the editor must hear of it
            log.exception("%s failed", request.method)
            if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":  # the latter is torch's
                sentence = (
                    "There is not enough memory for this picture; close other programs, or choose another device."
                )
                return p.Failure(request.id, p.ErrorCode.MEMORY, sentence)
            sentence = f"The engine made a mistake ({type(error).__name__}: {error})"[:500]
            return p.Failure(request.id, p.ErrorCode.INTERNAL, f"{sentence}; please report it with the engine's log.")

    def _job(self, request: p.Request, cancelled: Callable[[], bool]) -> Job:
        from t2c_engine.serving.service import Job

        def notify(method: str, params: Mapping[str, Any], blob: p.Buffer) -> None:
            message = p.Notification(method, {"id": request.id, **params}, blob)
            self._outbox.send(message, wait=memoryview(blob).nbytes > 0)

        return Job(request.params, request.blob, notify, cancelled)

    def _fail(self, request: p.Request, code: p.ErrorCode, sentence: str) -> None:
        self._outbox.send(p.Failure(request.id, code, sentence))
