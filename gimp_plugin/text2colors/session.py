"""Between the dialog and the engine: calls run in threads, their results come back in Gtk's. Must not import Gtk.

Results of a call that a newer one of the same kind has overtaken are dropped.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

import work
from client_errors import EngineCancelled, EngineError
from gi.repository import GLib
from request import Palette, Request, RequestError, Result

log = logging.getLogger(__name__)

OnError = Callable[[Exception], None]
Preview = tuple[bytes, int, int]
Sent = tuple[bytes, int, int, str]  # pixels, width, height, format

_GREY = ("#808080",)
_SMALLEST = 16  # px, of a preview


class Session:
    """An engine that is starting or running, and the calls under way."""

    def __init__(self, on_error: OnError) -> None:
        self._engine = work.new_engine()
        self._engine.start()
        self._on_error = on_error
        self._latest: dict[str, int] = {}
        self._picture: Sent | None = None
        self._hints: Sent | None = None
        self._closed = False

    def restart(self) -> None:
        """Another engine, after the one there has failed."""
        old, self._engine = self._engine, work.new_engine()
        self._engine.start()
        threading.Thread(target=old.close, daemon=True).start()

    def give_picture(self, pixels: bytes, width: int, height: int, format: str, device: str) -> None:
        """The picture that previews are to show; it is sent ahead, and made ready on the device."""
        engine, picture = self._engine, (pixels, width, height, format)
        self._picture = picture

        def prepare() -> None:
            # one preview that nobody sees: the network gets onto the device and looks at the picture
            engine.preview(engine.set_picture(*picture), [_GREY], max_side=_SMALLEST, device=device)

        self._call("picture", prepare, (), lambda _: None)

    def give_hints(self, hints: work.PictureLike | None) -> bool:
        """The dabs of colour that previews are to show; whether they are others than before."""
        before = self._hints
        self._hints = (hints.pixels, hints.width, hints.height, hints.format) if hints else None
        return self._hints != before

    def draw(
        self, phrase: str, count: int, seed: int, locked: dict[int, str], done: Callable[[dict[str, Any]], None]
    ) -> None:
        """Palettes for a phrase; `done` gets the engine's answer."""
        engine = self._engine
        self._call("draw", lambda: engine.palettes(phrase, count=count, seed=seed, locked=locked), (), done)

    def preview(
        self,
        kind: str,
        palettes: Sequence[Palette],
        side: int,
        strength: float,
        device: str,
        done: Callable[[list[Preview]], None],
    ) -> None:
        """The picture under each palette. Calls of different `kind` do not overtake one another."""
        engine, picture, dabs = self._engine, self._picture, self._hints
        if picture is None:
            return

        def ask() -> list[Preview]:
            key = engine.set_picture(*picture)
            hints = engine.set_picture(*dabs) if dabs else None
            return engine.preview(key, palettes, max_side=side, strength=strength, device=device, hints=hints)

        self._call(f"preview {kind}", lambda: work.insisting(ask), (), done)

    def colour(
        self,
        request: Request,
        pictures: Sequence[work.PictureLike],
        models: str,
        numbers: Sequence[int],
        hints: Sequence[work.PictureLike | None],
        on_progress: Callable[[float, str], None],
        done: Callable[[list[list[Result]]], None],
    ) -> None:
        """All pictures under all palettes; progress comes in Gtk's thread too."""
        engine = self._engine

        def tell(fraction: float, text: str) -> None:
            GLib.idle_add(lambda: (on_progress(fraction, text), GLib.SOURCE_REMOVE)[1])

        self._call("colour", lambda: work.colour(engine, request, pictures, tell, models, numbers, hints), (), done)

    def stop(self) -> None:
        """Stop what is under way; whoever waits gets EngineCancelled."""
        self._engine.cancel()

    def close(self) -> None:
        """End the engine; nothing is called back any more."""
        self._closed = True
        self._engine.close()

    def _call(self, kind: str, work: Callable[..., Any], arguments: Sequence[Any], done: Callable[[Any], None]) -> None:
        ticket = self._latest[kind] = self._latest.get(kind, 0) + 1

        def deliver(give: Callable[[Any], None], value: Any) -> bool:
            if not self._closed and self._latest[kind] == ticket:
                give(value)
            return GLib.SOURCE_REMOVE

        def run() -> None:
            try:
                value = work(*arguments)
            except (EngineError, RequestError) as error:
                if not isinstance(error, EngineCancelled) or kind == "colour":
                    GLib.idle_add(deliver, self._on_error, error)
            except Exception as error:  # the edge of a thread: nobody else would see it
                log.exception("%s failed", kind)
                GLib.idle_add(deliver, self._on_error, error)
            else:
                GLib.idle_add(deliver, done, value)

        threading.Thread(target=run, name=f"text2colors {kind}", daemon=True).start()
