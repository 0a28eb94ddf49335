"""Calls of the engine in threads; their results come back in Gtk's. Must not import Gtk.

Results of a call that a newer one of the same kind has overtaken are dropped. An engine that has failed is replaced at
the next call, so that settings corrected meanwhile are read then.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gi.repository import GLib

from t2c_plugin.engine import jobs
from t2c_plugin.engine.client import Engine
from t2c_plugin.engine.errors import EngineCancelled, EngineError
from t2c_plugin.pixels import Pixels
from t2c_plugin.request import Coloring, Inputs, Palette, PaletteAnswer, Request, RequestError, Result
from t2c_plugin.wire import protocol

log = logging.getLogger(__name__)

OnError = Callable[[Exception], None]

_STAY_AWAKE = 60  # seconds between two signs that the dialog is still there; a kept engine leaves after a silence


class EngineCalls:
    """An engine that is starting or running, and the calls under way."""

    def __init__(self, on_error: OnError, on_hello: Callable[[dict[str, Any]], None]) -> None:
        self._engine: Engine | None = None
        self._on_error, self._on_hello = on_error, on_hello
        self._others: dict[str, Pixels] = {}
        self._latest: dict[str, int] = {}
        self._picture: Pixels | None = None
        self._hints: Pixels | None = None
        self._closed = False
        self._start()
        self._timer = GLib.timeout_add_seconds(_STAY_AWAKE, self._stay_awake)

    def forget(self) -> None:
        """The engine has failed: the next call starts another."""
        old, self._engine = self._engine, None
        if old is not None:
            threading.Thread(target=old.close, daemon=True).start()

    def set_picture(self, picture: Pixels) -> None:
        """The picture that previews are to show."""
        self._picture = picture

    def set_hints(self, hints: Pixels | None) -> bool:
        """The color hints that previews are to show; whether they are others than before."""
        before, self._hints = self._hints, hints
        return hints != before

    def set_other(self, name: str, picture: Pixels) -> None:
        """A picture that colorings speak of; `name`: `format_extra` of what stands for it."""
        self._others[name] = picture

    @property
    def others(self) -> dict[str, Pixels]:
        """The pictures that colorings speak of."""
        return dict(self._others)

    def draw(
        self,
        phrase: str,
        count: int,
        seed: int,
        locked: dict[int, str],
        extra: Mapping[str, Any],
        done: Callable[[PaletteAnswer], None],
    ) -> None:
        """Palettes for a phrase; `extra`: further parameters of the engine's."""
        engine = self._start()
        self._call("draw", lambda: engine.palettes(phrase, count, seed, locked=locked, extra=extra), done)

    def fit(self, palette: Palette, done: Callable[[Palette], None]) -> None:
        """The colors of a palette that are used."""
        engine = self._start()
        self._call(f"fit {palette}", lambda: engine.fit([palette])[0], done)

    def preview(
        self,
        kind: str,
        colorings: Sequence[Coloring],
        side: int,
        sliders: Mapping[str, float],
        device: str,
        done: Callable[[list[Pixels]], None],
    ) -> None:
        """The picture in each coloring; `sliders` as `options.Sliders.get` has them.

        Calls of different `kind` do not overtake one another.
        """
        engine, picture, hints, others = self._start(), self._picture, self._hints, self.others
        if picture is None or not colorings:
            return
        side = min(protocol.MAX_PREVIEW_SIDE, max(protocol.MIN_PREVIEW_SIDE, side))
        ticket = self._ticket(f"preview {kind}")

        def ask() -> list[Pixels]:
            if self._latest[f"preview {kind}"] != ticket:  # overtaken while others were waited for
                return []
            return jobs.preview(engine, picture, hints, colorings, others, max_side=side, device=device, **sliders)

        self._call(f"preview {kind}", lambda: jobs.insisting(ask), done, ticket)

    def drop_previews(self) -> None:
        """Whatever previews are under way are no longer wanted."""
        for kind in self._latest:
            if kind.startswith("preview"):
                self._ticket(kind)

    def colorize(
        self,
        request: Request,
        inputs: Inputs,
        models: str,
        numbers: Sequence[int],
        on_progress: Callable[[float, str], None],
        done: Callable[[list[list[Result]]], None],
    ) -> None:
        """All pictures under all palettes; progress comes in Gtk's thread too."""
        engine = self._start()

        def notify(fraction: float, text: str) -> None:
            GLib.idle_add(lambda: (on_progress(fraction, text), GLib.SOURCE_REMOVE)[1])

        self._call("colorize", lambda: jobs.color_pictures(engine, request, inputs, notify, models, numbers), done)

    def stop(self) -> None:
        """Stop what is under way; who colorizes gets EngineCancelled."""
        if self._engine is not None:
            self._engine.cancel()

    def close(self) -> None:
        """Leave the engine; nothing is called back any more."""
        self._closed = True
        GLib.source_remove(self._timer)
        if self._engine is not None:
            self._engine.cancel()
            self._engine.close()

    def _start(self) -> Engine:
        if self._engine is None:
            self._engine = engine = jobs.new_engine()
            engine.start()
            self._call("hello", engine.hello, self._on_hello)
        return self._engine

    def _stay_awake(self) -> bool:
        engine = self._engine
        if engine is not None:
            self._call("ping", engine.ping, lambda _seconds: None)
        return GLib.SOURCE_CONTINUE

    def _ticket(self, kind: str) -> int:
        ticket = self._latest[kind] = self._latest.get(kind, 0) + 1
        return ticket

    def _call(self, kind: str, call: Callable[[], Any], done: Callable[[Any], None], ticket: int = 0) -> None:
        ticket = ticket or self._ticket(kind)

        def deliver(give: Callable[[Any], None], value: Any) -> bool:
            if not self._closed and self._latest[kind] == ticket:
                give(value)
            return GLib.SOURCE_REMOVE

        def run() -> None:
            try:
                value = call()
            except (EngineError, RequestError) as error:
                # whoever asks for more hears the hello's failure, too
                if kind != "hello" and (not isinstance(error, EngineCancelled) or kind == "colorize"):
                    GLib.idle_add(deliver, self._on_error, error)
            except Exception as error:  # the edge of a thread: nobody else would see it
                log.exception("%s failed", kind)
                GLib.idle_add(deliver, self._on_error, error)
            else:
                GLib.idle_add(deliver, done, value)

        threading.Thread(target=run, name=f"text2colors {kind}", daemon=True).start()
