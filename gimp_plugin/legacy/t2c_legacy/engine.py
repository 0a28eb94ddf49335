"""The conversation with one engine: one request after the other, waits that end. Must not import gimp.

A thread reads and a thread writes, so that neither an engine that hangs nor one that dies can hold GIMP up.
"""

import hashlib
import threading
import time

from t2c_plugin.shared import limits, settings
from t2c_plugin.shared.hints import find_hint

from t2c_legacy import frames
from t2c_legacy.texts import to_text
from t2c_legacy.transport import EngineError, connect

try:
    import queue
except ImportError:  # Python 2.7
    import Queue as queue  # type: ignore[import-not-found, no-redef]
try:
    from shutil import which
except ImportError:  # Python 2.7
    from distutils.spawn import find_executable as which  # type: ignore[assignment]
try:
    from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Text, Tuple
except ImportError:  # Python 2.7 has no typing; the types stand in comments
    pass

_TICK = 0.25
_CHUNK = 1 << 20  # bytes written at a time, so that a transfer is seen to move
_REINSTALL = u"Run the installer again."


class Engine(object):
    """One engine: palettes for phrases, colours for pictures.

    Args:
        beside: the plug-in's folder, where settings are looked for too.
        log: file that the engine's stderr is appended to.

    Raises:
        EngineError: it is not installed, or cannot be started.
    """

    def __init__(self, beside, log=None):
        # type: (Text, Optional[Text]) -> None
        try:
            self._place = settings.find_place(beside, which)
        except settings.SettingsError as error:
            raise EngineError(error.message, error.hint)
        self._transport = connect(self._place, log)
        self._incoming = queue.Queue()  # type: queue.Queue
        self._outgoing = queue.Queue()  # type: queue.Queue
        self._failure = None  # type: Optional[EngineError]
        self._hello = None  # type: Optional[Dict[str, Any]]
        self._moved = time.time()
        self._next_id = 0
        self._threads = [threading.Thread(target=work) for work in (self._read, self._write)]
        for thread in self._threads:
            thread.daemon = True
            thread.start()

    def __enter__(self):
        # type: () -> Engine
        return self

    def __exit__(self, *_):
        # type: (object) -> None
        self.close()

    @property
    def where(self):
        # type: () -> Text
        """How the engine is reached, and where that is set."""
        how = u"the socket " + self._place.socket if self._place.socket else u" ".join(self._place.command)
        return u"{} (from {})".format(how, self._place.source)

    def close(self):
        # type: () -> None
        """End the engine, or leave its socket. May be called again."""
        if self._failure is None:
            self._failure = EngineError(u"The engine has been closed.", u"")
        self._outgoing.put(None)
        self._transport.close()
        for thread in self._threads:  # Python 2.7 complains about one that runs on while it shuts down
            thread.join(0.5)

    def hello(self):
        # type: () -> Dict[str, Any]
        """What the engine says of itself: protocol, engine (version), models. Waits for it.

        Raises:
            EngineError: it has ended, speaks another version, or says nothing.
        """
        end = time.time() + limits.HELLO_TIMEOUT
        while self._hello is None:
            if time.time() > end:
                raise self._silent(limits.HELLO_TIMEOUT)
            self._receive()
        return self._hello

    def palettes(self, phrase, count, seed):
        # type: (Text, int, int) -> Dict[str, Any]
        """{"palettes": [["#rrggbb", ...], ...], "note": text or None, "model": text}."""
        params = {"phrase": phrase, "count": count, "seed": seed, "variety": 0.5, "locked": {}}
        return self._ask("palettes", params)

    def set_picture(self, pixels, width, height, format):
        # type: (bytes, int, int, str) -> Text
        """Give the engine a picture; the key names it from now on.

        Args:
            pixels: rows from the top without padding, in one of frames.CHANNELS.
        """
        if len(pixels) != width * height * frames.CHANNELS[format]:
            raise EngineError(u"{} bytes are no {} x {} picture in {}.".format(len(pixels), width, height, format), u"")
        digest = hashlib.sha256(pixels)
        digest.update("{} {} {}".format(width, height, format).encode("ascii"))
        params = {"key": digest.hexdigest(), "width": width, "height": height, "format": format}
        self._ask("set_picture", params, bytes(pixels))
        return digest.hexdigest()

    def colorize(self, key, palettes, strength, natural, device, mode, hints, hint_reach, on_progress):
        # type: (Text, Sequence[Sequence[Text]], float, float, str, str, Optional[Text], float, Callable[[float, Text], None]) -> Iterator[Tuple[int, bytes, int, int]]
        """The picture under each palette: (index of the palette, RGB of 8 bits, width, height), as they are finished.

        Args:
            natural: how far skin, sky and leaves keep their natural color, 0..1.
            mode: "colour": at most 2048 px on the long side; "normal": the whole picture.
            hints: key of a picture of dabs, "RGBA u8"; hint_reach: how far they spread over what looks alike, 0..1.
            on_progress: called with 0..1 and a few words.

        Raises:
            EngineError: the code is frames.UNKNOWN_PICTURE when the engine has dropped a picture; send it again.
        """
        params = {"key": key, "palettes": [list(one) for one in palettes], "strength": strength}
        params.update(natural=natural, device=device, mode=mode, hints=hints, hint_reach=hint_reach)
        for name, told, blob in self._converse("colorize", params, b"", limits.JOB_TIMEOUT):
            if name == "progress":
                on_progress(float(told.get("done", 0.0)), to_text(told.get("text", u"")))
            if name == "picture":
                yield self._checked(told, blob)

    def doctor(self):
        # type: () -> Dict[str, Any]
        """What the engine finds right and wrong with its installation."""
        return self._ask("doctor", {}, timeout=limits.JOB_TIMEOUT)

    # asking and waiting

    def _checked(self, told, pixels):
        # type: (Dict[str, Any], bytes) -> Tuple[int, bytes, int, int]
        index, width, height = told.get("index"), told.get("width"), told.get("height")
        known = isinstance(index, int) and isinstance(width, int) and isinstance(height, int)
        if not known or told.get("format") != "RGB u8":
            raise EngineError(u"The engine sent a picture that it did not describe.", _REINSTALL)
        if min(width, height) < 1 or len(pixels) != width * height * 3:  # type: ignore[type-var, operator]
            raise EngineError(u"The engine sent a picture of the wrong size.", _REINSTALL)
        return index, pixels, width, height  # type: ignore[return-value]

    def _ask(self, method, params, blob=b"", timeout=limits.QUICK_TIMEOUT):
        # type: (str, Dict[str, Any], bytes, float) -> Dict[str, Any]
        for name, told, _ in self._converse(method, params, blob, timeout):
            if name == "result":
                return told
        raise AssertionError("a conversation ends with a result or an exception")

    def _converse(self, method, params, blob, timeout):
        # type: (str, Dict[str, Any], bytes, float) -> Iterator[Tuple[str, Any, bytes]]
        """Send a request and give (name, params, raw bytes) of each notification about it, at last its "result".

        Raises:
            EngineError: the engine cannot do it, has ended, or gives no news for `timeout` seconds.
        """
        self.hello()
        self._next_id += 1
        id = self._next_id
        self._moved = time.time()
        self._outgoing.put(frames.encode({"id": id, "method": method, "params": params}, blob))
        while True:
            message, raw = self._receive()
            if message is None:
                if time.time() - self._moved > timeout:
                    raise self._silent(timeout)
                continue
            told = message.get("params") or {}
            if message.get("id") == id and "error" in message:
                error = message["error"]
                raise EngineError(to_text(error.get("message", u"")), u"", self._transport.tail(), error.get("code"))
            if message.get("id") == id and "result" in message:
                yield "result", message["result"], raw
                return
            if told.get("id") == id:
                yield message.get("method", ""), told, raw

    def _receive(self):
        # type: () -> Tuple[Optional[Dict[str, Any]], bytes]
        """The next message; None when there is none for a moment. Takes the hello for itself."""
        if self._failure is not None and self._incoming.empty():
            raise self._failure
        try:
            message, blob = self._incoming.get(timeout=_TICK)
        except queue.Empty:
            return None, b""
        if message is not None and message.get("method") == "hello":
            spoken = message["params"].get("protocol")
            if spoken != frames.PROTOCOL:
                words = u"The engine speaks another language version, {}, not {}."
                raise EngineError(words.format(spoken, frames.PROTOCOL))
            self._hello = message["params"]
        return message, blob

    def _silent(self, seconds):
        # type: (float) -> EngineError
        hint = u"Try again; if it stays silent, run 't2c doctor' in a terminal."
        if self._place.socket:
            hint = u"Another program may be using it, for it serves one at a time; close that one and try again."
        return EngineError(u"The engine has not answered for {:.0f} seconds.".format(seconds), hint)

    # the two threads that move bytes

    def _came(self, size):
        # type: (int) -> bytes
        data = self._transport.read(size)
        self._moved = time.time()
        return data

    def _read(self):
        # type: () -> None
        try:
            for message, blob in frames.read_frames(self._came):
                self._incoming.put((message, blob))
            error = self._ended()
        except frames.FrameError as broken:
            error = self._broken(broken)
        except (OSError, IOError, ValueError) as broken:
            error = EngineError(u"The engine cannot be understood ({}).".format(to_text(broken)))
        if self._failure is None:
            self._failure = error
        self._incoming.put((None, b""))
        self._outgoing.put(None)

    def _write(self):
        # type: () -> None
        while True:
            parts = self._outgoing.get()
            if parts is None:
                return
            try:
                for part in parts:
                    for start in range(0, len(part), _CHUNK):
                        self._transport.write(part[start : start + _CHUNK])
                        self._moved = time.time()
            except (OSError, IOError, ValueError):  # the reader says why
                return

    def _broken(self, error):
        # type: (frames.FrameError) -> EngineError
        begins = error.junk.decode("ascii", "replace")
        if "ended" in str(error) and self._hello is not None:
            return self._ended()
        if error.junk and all(u" " <= one <= u"~" for one in begins):
            words = u"The engine wrote text where frames were expected: '{}...'.".format(begins)
            return EngineError(words, None, self._transport.tail())
        return EngineError(u"The engine cannot be understood ({}).".format(error), None, self._transport.tail())

    def _ended(self):
        # type: () -> EngineError
        how, tail = self._transport.end(), self._transport.tail()
        lines = [line for line in tail.splitlines() if line.strip()]
        words = u"The engine has ended" + (u"" if self._hello is not None else u" before it said hello")
        words += (u" ({})".format(how) if how else u"") + (u": " + lines[-1] if lines else u"")
        return EngineError(words + u".", find_hint(tail, words) or u"Run the set-up check, or try again.", tail)
