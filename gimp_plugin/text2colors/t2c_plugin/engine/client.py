"""The plug-in's side of the engine: starts it, asks it for palettes and colors, and never waits for ever.

Any method may be called from any thread; answers are told apart by their ids. Standard library only; must not import
gi, numpy or the engine. The conversation itself is `link`'s.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from t2c_plugin.engine.errors import EngineCancelled, EngineError, EngineTimeout
from t2c_plugin.engine.link import Link
from t2c_plugin.pixels import Pixels
from t2c_plugin.request import Palette, PaletteAnswer
from t2c_plugin.shared.limits import HELLO_TIMEOUT, JOB_TIMEOUT, QUICK_TIMEOUT
from t2c_plugin.wire import protocol

__all__ = ["Engine", "EngineCancelled", "EngineError", "EngineTimeout", "ErrorCode"]

ErrorCode = protocol.ErrorCode

_KEPT_KEYS = 64
_REINSTALL = "Run the installer again."

OnProgress = Callable[[float, str], None]
Colored = tuple[int, Pixels]  # the palette's index, and the picture under it


class Engine:
    """One engine: palettes for phrases, colors for pictures.

    Args:
        command: what starts it, a list or one text ("unix:PATH" for a socket); None reads the settings.
        log: file that its stderr is appended to.
    """

    def __init__(self, command: Sequence[str] | str | None = None, log: Path | None = None) -> None:
        self._link = Link(command, log)
        self._keys: dict[str, None] = {}  # pictures that the engine has acknowledged

    def __enter__(self) -> Engine:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the engine and return at once; a second call does nothing. What fails is raised by the first wait."""
        self._link.start()

    def hello(self, timeout: float = HELLO_TIMEOUT) -> dict[str, Any]:
        """What the engine says of itself: protocol, engine (version), models, pid. Waits for it; starts it if need be.

        Raises:
            EngineError: it cannot be started, has ended, speaks another version, or (EngineTimeout) says nothing.
        """
        return self._link.hello(timeout)

    @property
    def status(self) -> dict[str, Any]:
        """What the engine has last told of its coloriser: {"colorizer": "loading" | "ready" | a sentence, ...}."""
        return self._link.status

    def tail(self) -> str:
        """The engine's last lines on stderr."""
        return self._link.tail()

    def ping(self, timeout: float = 5.0) -> float:
        """Seconds that a ping takes there and back."""
        begun = time.monotonic()
        self._ask("ping", {}, timeout=timeout)
        return time.monotonic() - begun

    def palettes(
        self,
        phrase: str,
        count: int = 5,
        seed: int = 0,
        variety: float = 0.5,
        locked: Mapping[int, str] | None = None,
        timeout: float = QUICK_TIMEOUT,
        extra: Mapping[str, Any] | None = None,
    ) -> PaletteAnswer:
        """Palettes for a phrase.

        Args:
            locked: position in the palette (0..4) to the color ("#rrggbb") that must stand there.
            extra: further parameters.
        """
        params: dict[str, Any] = {"phrase": phrase, "count": count, "seed": seed, "variety": variety, **(extra or {})}
        params["locked"] = {str(position): color for position, color in (locked or {}).items()}
        answer = self._ask("palettes", params, timeout=timeout).value
        try:
            return PaletteAnswer.from_json(answer)
        except (KeyError, TypeError, ValueError) as error:
            raise EngineError("The engine sent palettes that cannot be read.", _REINSTALL, self.tail()) from error

    def teach(
        self,
        name: str,
        palettes: Sequence[tuple[str, Sequence[str]]],
        replace: bool = False,
        on_progress: OnProgress | None = None,
        timeout: float = JOB_TIMEOUT,
    ) -> Mapping[str, Any]:
        """Teach a style from texts with colors; takes minutes.

        Args:
            timeout: seconds without news.

        Returns:
            verdict (a sentence), kept (whether there is such a style now), report and check (paths of pages).

        Raises:
            EngineCancelled: `cancel` was called. EngineError: it cannot be taught.
        """
        examples = [{"text": text, "colors": list(colors)} for text, colors in palettes]
        params = {"name": name, "palettes": examples, "overwrite": replace}
        for message in self._converse("teach", params, b"", timeout):
            if isinstance(message, protocol.Result):
                return message.value
            if isinstance(message, protocol.Notification) and message.method == "progress" and on_progress:
                on_progress(float(message.params.get("done", 0.0)), str(message.params.get("text", "")))
        raise AssertionError("a conversation ends with a result or an exception")

    def fit(self, palettes: Sequence[Sequence[str]], timeout: float = QUICK_TIMEOUT) -> list[Palette]:
        """The colors of palettes that are used: five each."""
        answer = self._ask("fit", {"palettes": [list(one) for one in palettes]}, timeout=timeout).value
        try:
            return list(PaletteAnswer.from_json(answer).palettes)
        except (KeyError, TypeError, ValueError) as error:
            raise EngineError("The engine sent palettes that cannot be read.", _REINSTALL, self.tail()) from error

    def set_picture(self, picture: Pixels, timeout: float = QUICK_TIMEOUT) -> str:
        """Give the engine a picture; the key names it from now on. Sent only when the engine does not hold it.

        Args:
            timeout: seconds without news, not for the whole transfer.
        """
        pixels, width, height, format = picture.pixels, picture.width, picture.height, picture.format
        layout = protocol.PIXEL_FORMATS.get(format)
        if layout is None or width < 1 or height < 1 or len(pixels) != layout.size(width, height):
            raise EngineError(f"{len(pixels)} bytes are no {width} x {height} picture in the format '{format}'.", "")
        digest = hashlib.blake2b(pixels, digest_size=16, person=b"t2c picture")
        digest.update(f"{width} {height} {format}".encode())
        key = digest.hexdigest()
        if key not in self._keys:
            params = {"key": key, "width": width, "height": height, "format": format}
            self._ask("set_picture", params, pixels, timeout=timeout)
            self._keys[key] = None
            for old in list(self._keys)[:-_KEPT_KEYS]:
                self._keys.pop(old, None)
        return key

    def colorize(
        self,
        key: str,
        palettes: Sequence[Sequence[str]],
        strength: float = 1.0,
        device: str = "auto",
        mode: str = "colour",
        on_progress: OnProgress | None = None,
        timeout: float = JOB_TIMEOUT,
        hints: str | None = None,
        natural: float = protocol.DEFAULT_NATURAL,
        hint_reach: float = protocol.DEFAULT_HINT_REACH,
        extra: Mapping[str, Any] | None = None,
    ) -> Iterator[Colored]:
        """Color a picture once for each palette; results come as they are finished.

        Args:
            palettes: hex colors; one without colors asks for the network's own.
            mode: "colour": RGB u8 of at most 2048 px on the long side, for a layer that gives color only;
                "normal": the whole picture in its own precision.
            on_progress: called with 0..1 and a few words, in the thread that iterates.
            timeout: seconds without news.
            natural: how far skin, sky and leaves keep their natural color, 0..1.
            hints: key of a picture sent as "RGBA u8" whose opaque pixels are color hints.
            hint_reach: how far they spread over what looks alike, 0..1.
            extra: further parameters.

        Raises:
            EngineCancelled: `cancel` was called, here or on another thread.
            EngineError: the code is UNKNOWN_PICTURE when the engine has dropped the picture; send it again.
        """
        params = {"key": key, "palettes": [list(one) for one in palettes]}
        params |= {"strength": strength, "natural": natural, "device": device, "mode": mode}
        params |= {"hints": hints, "hint_reach": hint_reach}
        params |= extra or {}
        return self._pictures("colorize", params, timeout, on_progress)

    def preview(
        self,
        key: str,
        palettes: Sequence[Sequence[str]],
        max_side: int = 160,
        timeout: float = JOB_TIMEOUT,
        strength: float = 1.0,
        device: str = "auto",
        hints: str | None = None,
        natural: float = protocol.DEFAULT_NATURAL,
        hint_reach: float = protocol.DEFAULT_HINT_REACH,
        extra: Mapping[str, Any] | None = None,
    ) -> list[Pixels]:
        """The picture, small, under each palette ("RGB u8"). Errors as `colorize`."""
        params = {"key": key, "palettes": [list(one) for one in palettes], "max_side": max_side}
        params |= {"strength": strength, "natural": natural, "device": device}
        params |= {"hints": hints, "hint_reach": hint_reach}
        params |= extra or {}
        shown = dict(self._pictures("preview", params, timeout, None))
        return [shown[index] for index in sorted(shown)]

    def cancel(self) -> None:
        """Stop every job under way; whoever waits for one gets EngineCancelled. Returns at once."""
        self._link.notify("cancel")

    def doctor(self, timeout: float = JOB_TIMEOUT) -> dict[str, Any]:
        """What the engine finds right and wrong with its installation."""
        return self._ask("doctor", {}, timeout=timeout).value

    def close(self) -> None:
        """End the engine (or leave its socket). Returns within about two seconds; may be called again."""
        self._link.close()

    # asking and waiting

    def _ask(self, method: str, params: Mapping[str, Any], blob: bytes = b"", *, timeout: float) -> protocol.Result:
        for message in self._converse(method, params, blob, timeout):
            if isinstance(message, protocol.Result):
                return message
        raise AssertionError("a conversation ends with a result or an exception")

    def _pictures(
        self, method: str, params: Mapping[str, Any], timeout: float, on_progress: OnProgress | None
    ) -> Iterator[Colored]:
        for message in self._converse(method, params, b"", timeout):
            if not isinstance(message, protocol.Notification):
                continue
            told = message.params
            if message.method == "progress" and on_progress is not None:
                on_progress(float(told.get("done", 0.0)), str(told.get("text", "")))
            if message.method == "picture":
                yield self._checked(told, bytes(message.blob))

    def _checked(self, told: Mapping[str, Any], pixels: bytes) -> Colored:
        """A picture as it is told of; GIMP writes nothing at all when the length is wrong, so look."""
        index, width, height, format = (told.get(name) for name in ("index", "width", "height", "format"))
        layout = protocol.PIXEL_FORMATS.get(str(format))
        if not (isinstance(index, int) and isinstance(width, int) and isinstance(height, int) and layout is not None):
            raise EngineError("The engine sent a picture that it did not describe.", _REINSTALL, self.tail())
        if min(width, height) < 1 or len(pixels) != layout.size(width, height):
            raise EngineError("The engine sent a picture of the wrong size.", _REINSTALL, self.tail())
        return index, Pixels(pixels, width, height, str(format))

    def _converse(
        self, method: str, params: Mapping[str, Any], blob: bytes, timeout: float
    ) -> Iterator[protocol.Notification | protocol.Result]:
        try:
            yield from self._link.converse(method, params, blob, timeout, HELLO_TIMEOUT)
        except EngineError as error:
            if error.code == ErrorCode.UNKNOWN_PICTURE:
                self._keys.clear()
            raise
