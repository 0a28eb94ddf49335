"""Keeps the previews with the color hints as they are now, while the user paints. Called in Gtk's thread only."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import gi

gi.require_version("Gimp", "3.0")
from gi.repository import Gimp, GLib  # noqa: E402

from t2c_plugin.image import insertion  # noqa: E402
from t2c_plugin.request import RequestError  # noqa: E402
from t2c_plugin.texts import _  # noqa: E402
from t2c_plugin.ui.dialog_layout import DialogLayout  # noqa: E402
from t2c_plugin.ui.engine_calls import EngineCalls  # noqa: E402
from t2c_plugin.ui.previews import Previews  # noqa: E402

_LIVE = 900  # ms between two looks at the hints while the user paints
_LIVE_PIXELS = 10_000_000  # of a layer of hints that may be looked at so often


class HintWatch:
    """The layer of hints that the dialog's chooser names.

    Args:
        may_look: whether previews may change now.
        on_change: called when there may be hints where none were, or none any more.
        on_error: told what is wrong with the hints, once.
    """

    def __init__(
        self,
        ui: DialogLayout,
        engine: EngineCalls,
        previews: Previews,
        may_look: Callable[[], bool],
        on_change: Callable[[], None],
        on_error: Callable[[Exception], None],
    ) -> None:
        self._ui, self._engine, self._previews = ui, engine, previews
        self._may_look, self._on_change, self._on_error = may_look, on_change, on_error
        self._wrong = False  # the bar says why
        self._timer = 0

    def start(self) -> None:
        """Look now, and now and then."""
        self.look()
        self._timer = GLib.timeout_add(_LIVE, self._look_while_painting)

    def stop(self) -> None:
        """Look no more."""
        if self._timer:
            GLib.source_remove(self._timer)
            self._timer = 0

    def new_layer(self, image: Gimp.Image, originals: Sequence[Gimp.Layer]) -> None:
        """Make a layer to paint hints on."""
        try:
            layer = insertion.insert_hints_layer(image, originals[0])
        except RequestError as error:
            self._on_error(error)
            return
        Gimp.displays_flush()
        self._ui.hints.refresh()
        self._ui.hints.choose(layer)
        self._on_change()
        self._ui.say(_("Paint hints on the new layer in the image window; the preview here follows."))

    def refresh(self) -> bool:
        """The user comes back to this window, or has chosen another layer."""
        if self._may_look():
            self._ui.hints.refresh()
            self.look()
        return False

    def look(self) -> None:
        """Let the previews follow the hints as they are now."""
        self._on_change()
        try:
            found = self._ui.hints.read_first()
        except RequestError as error:
            found = None
            if not self._wrong:
                self._on_error(error)
            self._wrong = True
        else:
            if self._wrong:
                self._ui.bar.hide()
            self._wrong = False
        if self._engine.set_hints(found):
            self._previews.forget()
            self._previews.show_all()

    def _look_while_painting(self) -> bool:
        layer = self._ui.hints.layer
        small = layer is not None and layer.get_width() * layer.get_height() <= _LIVE_PIXELS
        if small and not self._ui.window.is_active():
            self.refresh()
        return GLib.SOURCE_CONTINUE
