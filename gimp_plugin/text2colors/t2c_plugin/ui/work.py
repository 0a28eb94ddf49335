"""One coloring from the dialog: the layers are read, the engine works, results are inserted; progress and Stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gimp, Gtk  # noqa: E402

from t2c_plugin.colorize import gather  # noqa: E402
from t2c_plugin.engine.errors import EngineCancelled  # noqa: E402
from t2c_plugin.image import insertion, layers  # noqa: E402
from t2c_plugin.request import Request, RequestError, Result  # noqa: E402
from t2c_plugin.texts import _  # noqa: E402
from t2c_plugin.ui import windows  # noqa: E402
from t2c_plugin.ui.dialog_layout import DialogLayout  # noqa: E402
from t2c_plugin.ui.engine_calls import EngineCalls  # noqa: E402


class Work:
    """At most one coloring at a time.

    Args:
        on_made: called when the layers are in the image.
        on_changed: called when the work begins (None), and when it ends without layers (why).
    """

    def __init__(
        self,
        image: Gimp.Image,
        originals: Sequence[Gimp.Layer],
        ui: DialogLayout,
        engine: EngineCalls,
        on_made: Callable[[Request], None],
        on_changed: Callable[[Exception | None], None],
    ) -> None:
        self._image, self._originals, self._ui, self._engine = image, list(originals), ui, engine
        self._on_made, self._on_changed = on_made, on_changed
        self._agreed = not layers.needs_consent(image)
        self._stopping = False
        self.going_on = False
        self.made: list[Gimp.Layer] | None = None

    def begin(self, request: Request, models: str, numbers: Sequence[int]) -> None:
        """Color the layers, if the user agrees to what must happen to the image.

        Args:
            models, numbers: as `jobs.color_pictures` has them.
        """
        if self.going_on or not self._agree():
            return
        try:
            inputs = gather(self._originals, request, self._ui.hints.layer)
        except RequestError as error:
            self._on_changed(error)
            return
        self._engine.drop_previews()
        self._set_going_on(True)
        self._on_changed(None)
        self._engine.colorize(
            request, inputs, models, numbers, self._on_progress, lambda results: self._on_colored(request, results)
        )

    def stop(self) -> None:
        """Stop; what comes too late to be stopped is dropped."""
        if self.going_on:
            self._stopping = True
            self._ui.say_progress(_("Stopping..."))
            self._ui.stop.set_sensitive(False)
            self._engine.stop()

    def end(self, error: Exception) -> None:
        """It has failed, or was stopped."""
        self._set_going_on(False)
        self._on_changed(error)

    def _set_going_on(self, going_on: bool) -> None:
        self.going_on, self._stopping = going_on, False
        self._ui.set_working(going_on)

    def _agree(self) -> bool:
        self._agreed = self._agreed or windows.ask(
            self._ui.window,
            _("This image is indexed, which holds too few colors.\nConvert it to RGB? Undo brings it back as it was."),
            _("_Convert and Colorize"),
        )
        return self._agreed

    def _on_progress(self, done: float, text: str) -> None:
        self._ui.progress.set_fraction(min(1.0, max(0.0, done)))
        if text and not self._stopping:
            self._ui.say_progress(text)

    def _on_colored(self, request: Request, results: list[list[Result]]) -> None:
        if self._stopping:  # it was finished before it could be stopped
            self.end(EngineCancelled("The work was stopped.", ""))
            return
        self._ui.say_progress(_("Inserting layers"))
        self._ui.stop.set_sensitive(False)  # from here on there is no way back but Undo
        while Gtk.events_pending():
            Gtk.main_iteration()
        try:
            pairs = list(zip(self._originals, results, strict=True))
            self.made = insertion.insert(self._image, pairs, self._ui.hints.layer)
        except RequestError as error:
            self.end(error)
            return
        Gimp.displays_flush()
        self._on_made(request)
