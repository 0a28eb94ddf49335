"""The conversation with one engine: threads that move its bytes, answers told apart by their ids, waits that end.

Standard library only; must not import gi or the engine.
"""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from t2c_plugin.engine.errors import EngineCancelled, EngineError, EngineTimeout, find_hint
from t2c_plugin.engine.kept import KeptTransport, can_keep
from t2c_plugin.engine.settings import Target, find_target, parse_target
from t2c_plugin.engine.transport import Transport, connect
from t2c_plugin.wire import protocol

SILENCE = 20.0  # seconds without a sign of life, while we ping, before the engine is called dead
PING_EVERY = 4.0
_TICK = 0.25
_CHUNK = 1 << 20  # bytes written at a time, so that a transfer is seen to move
_BULK = 4096  # bytes; more at once are part of a picture


def _transport(target: Target, log: Path | None) -> Transport:
    return KeptTransport(target, log) if can_keep(target) else connect(target, log)


class Link:
    """One engine, started or connected to, and what is under way with it. Any method, from any thread."""

    def __init__(self, command: Sequence[str] | str | None, log: Path | None) -> None:
        self._command = command
        self._log = log
        self._lock = threading.Lock()
        self._target: Target | None = None
        self._transport: Transport | None = None
        self._failure: EngineError | None = None
        self._hello: Mapping[str, Any] | None = None
        self._status: Mapping[str, Any] = {}
        self._news = threading.Event()  # hello has come, or all is lost
        self._inboxes: dict[protocol.Id, queue.SimpleQueue[Any]] = {}
        self._outgoing: queue.SimpleQueue[protocol.Message | None] = queue.SimpleQueue()
        self._ids = itertools.count(1)
        self._moved = time.monotonic()  # when the engine last gave a sign of life
        self._bulk = 0.0  # when a part of a picture last did
        self._pinged = 0.0

    def start(self) -> None:
        """Start the engine and return at once; a second call does nothing. What fails is raised by the first wait."""
        with self._lock:
            if self._transport is not None or self._failure is not None:
                return
            try:
                self._target = find_target() if self._command is None else parse_target(self._command)
                self._transport = _transport(self._target, self._log)
            except EngineError as error:
                self._failure = error
                self._news.set()
                return
            self._moved = time.monotonic()
            for work in (self._read, self._write):
                threading.Thread(
                    target=work, args=(self._transport,), name=f"engine{work.__name__}", daemon=True
                ).start()

    def hello(self, timeout: float) -> dict[str, Any]:
        """Start if need be, and wait for the engine's hello.

        Raises:
            EngineError: it cannot be started, has ended, speaks another version, or (EngineTimeout) says nothing.
        """
        self.start()
        if not self._news.wait(timeout):
            hint = "Try again; if it stays silent, run 't2c doctor' in a terminal."
            if self._target is not None and self._target.socket:
                hint = "Another program may be using it, for it serves one at a time; close that one and try again."
            raise EngineTimeout(f"The engine has not answered for {timeout:g} seconds.", hint, self.tail())
        if self._failure is not None:
            raise self._failure
        return dict(self._hello or {})

    @property
    def status(self) -> dict[str, Any]:
        """The engine's last `status` notification."""
        return dict(self._status)

    def tail(self) -> str:
        """The engine's last lines on stderr."""
        return self._transport.tail() if self._transport is not None else ""

    def notify(self, method: str, params: Mapping[str, Any] | None = None) -> None:
        """Send a notification, if there is an engine; returns at once."""
        if self._transport is not None and self._failure is None:
            self._outgoing.put(protocol.Notification(method, params or {}))

    def close(self) -> None:
        """End the engine, or leave its socket. Returns within about two seconds; may be called again."""
        with self._lock:
            transport = self._transport
            if self._failure is None:
                self._failure = EngineError("The engine has been closed.", "")
        self._outgoing.put(None)
        if transport is not None:
            transport.close()
        self._wake_all()

    def converse(
        self, method: str, params: Mapping[str, Any], blob: bytes, timeout: float, hello_timeout: float
    ) -> Iterator[protocol.Notification | protocol.Result]:
        """Send a request and give what comes back, up to the result. Left early, the job is cancelled.

        Args:
            timeout: seconds without news of this request; bytes of pictures on their way count as news.

        Raises:
            EngineError: the engine cannot do it, has ended, or (EngineTimeout) does not answer.
            EngineCancelled: the request was cancelled.
        """
        self.hello(hello_timeout)
        id, inbox = next(self._ids), queue.SimpleQueue()
        self._inboxes[id] = inbox
        finished = False
        try:
            self._outgoing.put(protocol.Request(id, method, params, blob))
            while not finished:
                message = self._next(inbox, method, timeout)
                if isinstance(message, protocol.Failure):
                    finished = True
                    raise self._as_error(message)
                finished = isinstance(message, protocol.Result)
                yield message
        finally:
            del self._inboxes[id]
            if not finished:
                self.notify("cancel", {"id": id})

    def _next(self, inbox: queue.SimpleQueue[Any], method: str, timeout: float) -> Any:
        """The next message of a conversation. Waits while bytes move, pings when they do not.

        Raises:
            EngineError: the engine has ended.
            EngineTimeout: no news of this conversation in `timeout`, or not a byte in SILENCE, seconds.
        """
        begun = time.monotonic()
        while True:
            if self._failure is not None and inbox.empty():
                raise self._failure
            now = time.monotonic()
            waited, silent = now - max(begun, self._bulk), now - max(begun, self._moved)
            if waited > timeout or silent > SILENCE:
                raise EngineTimeout(
                    f"The engine has not answered for {max(min(waited, timeout), silent):.0f} seconds ({method}).",
                    "Try again; a smaller picture or another device may help.",
                    self.tail(),
                )
            if silent > PING_EVERY and now - self._pinged > PING_EVERY:
                self._pinged = now
                self.notify("ping")
            try:
                message = inbox.get(timeout=min(_TICK, max(0.01, timeout - waited)))
            except queue.Empty:
                continue
            if message is not None:  # None only wakes us
                return message

    def _as_error(self, failure: protocol.Failure) -> EngineError:
        kind = EngineCancelled if failure.code == protocol.ErrorCode.CANCELLED else EngineError
        internal = failure.code == protocol.ErrorCode.INTERNAL
        hint = None if internal else ""  # the engine's own sentences say what to do
        return kind(failure.message, hint, self.tail() if internal else "", failure.code)

    # the two threads that move bytes

    def _came(self, count: int | None) -> int | None:
        self._moved = time.monotonic()
        return self._went(count)

    def _went(self, count: int | None) -> int | None:
        """Parts of pictures count as a sign of life; small messages do not, for a pipe swallows them unread."""
        if count and count >= _BULK:
            self._moved = self._bulk = time.monotonic()
        return count

    def _write(self, transport: Transport) -> None:
        """Send what is in `_outgoing` until it holds None or the engine has gone (which the reader reports)."""
        while (message := self._outgoing.get()) is not None:
            try:
                protocol.write_message(lambda data: self._went(transport.write(data[:_CHUNK])), message)
            except (OSError, ValueError):  # ValueError: closed on our side
                return

    def _read(self, transport: Transport) -> None:
        """Hand out what comes until the stream ends, then say so to everyone who waits."""
        try:
            for frame in protocol.read_frames(lambda buffer: self._came(transport.readinto(buffer))):
                self._dispatch(protocol.parse(frame))
        except protocol.ProtocolError as error:
            self._lose(transport, self._broken(transport, error))
        except (protocol.MessageError, OSError, ValueError) as error:
            self._lose(transport, EngineError(f"The engine cannot be understood ({error}).", None, transport.tail()))
        else:
            self._lose(transport, self._ended(transport))

    def _dispatch(self, message: protocol.Message) -> None:
        call = isinstance(message, (protocol.Notification, protocol.Request))
        id = message.params.get("id") if call else message.id
        inbox = self._inboxes.get(id) if isinstance(id, (int, str)) else None
        if inbox is not None:
            inbox.put(message)
        elif isinstance(message, protocol.Notification) and message.method == "hello":
            spoken = message.params.get("protocol")
            if spoken != protocol.PROTOCOL:
                raise ValueError(f"it speaks another language version, {spoken}, not {protocol.PROTOCOL}")
            self._hello = message.params
            self._news.set()
        elif isinstance(message, protocol.Notification) and message.method == "status":
            self._status = message.params

    def _broken(self, transport: Transport, error: protocol.ProtocolError) -> EngineError:
        """The stream cannot be read on: cut short by the engine's end, or filled with something else."""
        begins = error.junk.decode("ascii", "replace")
        if "ended" in str(error) and self._hello is not None:
            return self._ended(transport)
        if error.junk and begins.isprintable() and len(begins) == len(error.junk):
            return EngineError(
                f"The engine wrote text where frames were expected: '{begins}...'.", None, transport.tail()
            )
        return EngineError(f"The engine cannot be understood ({error}).", None, transport.tail())

    def _ended(self, transport: Transport) -> EngineError:
        how, tail = transport.end(), transport.tail()
        last = next((line for line in reversed(tail.splitlines()) if line.strip()), "")
        when = "" if self._hello is not None else " before it said hello"
        words = f"The engine has ended{when}" + (f" ({how})" if how else "") + (f": {last}" if last else "")
        return EngineError(words + ".", find_hint(tail, words) or "Run the set-up check, or try again.", tail)

    def _lose(self, transport: Transport, error: EngineError) -> None:
        """The conversation is over; everyone who waits gets `error`."""
        if self._failure is None:
            self._failure = error
        self._wake_all()
        self._outgoing.put(None)
        transport.close()

    def _wake_all(self) -> None:
        self._news.set()
        for inbox in list(self._inboxes.values()):
            inbox.put(None)
