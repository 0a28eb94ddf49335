"""The dialog: a phrase, rows of swatches, options, progress. Ties the widgets, the session and the layers together.

It opens before the engine has answered. GIMP is called in this thread only; the engine only in the session's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gimp, GLib, Gtk  # noqa: E402

from t2c_plugin.colorize import gather  # noqa: E402
from t2c_plugin.engine.errors import EngineCancelled  # noqa: E402
from t2c_plugin.image import hints, insertion, layers  # noqa: E402
from t2c_plugin.pixels import Pixels  # noqa: E402
from t2c_plugin.request import PaletteAnswer, Record, Request, RequestError, Result, format_palettes  # noqa: E402
from t2c_plugin.ui import windows  # noqa: E402
from t2c_plugin.ui.engine_calls import EngineCalls  # noqa: E402
from t2c_plugin.ui.hint_chooser import HintChooser  # noqa: E402
from t2c_plugin.ui.options import Options  # noqa: E402
from t2c_plugin.ui.palette_rows import PREVIEW, PaletteList, PaletteRow  # noqa: E402

log = logging.getLogger(__name__)

_OPTIONS = ("count", "seed", "strength", "device", "result-mode", "same-palettes")
_SETTLE = 80  # ms without another change of an option before it is acted upon


def run(
    image: Gimp.Image, targets: layers.Targets, config: Gimp.ProcedureConfig, edited: Record | None
) -> list[Gimp.Layer] | None:
    """Show the dialog; the new layers, or None when it was closed. The values used are left in `config`."""
    windows.prepare()
    dialog = ColorizeDialog(image, targets.originals, config)
    try:
        return dialog.run()
    finally:
        dialog.close()


class ColorizeDialog:
    """One showing of the dialog."""

    def __init__(self, image: Gimp.Image, originals: Sequence[Gimp.Layer], config: Gimp.ProcedureConfig) -> None:
        self._image, self._originals, self._config = image, list(originals), config
        self._made: list[Gimp.Layer] | None = None
        self._drawn_for: tuple[Any, ...] = ()
        self._model = ""
        self._working = False
        self._wrong_hints = False  # the bar says why
        self._agreed = not layers.needs_consent(image)
        self._loop = GLib.MainLoop()
        self._engine = EngineCalls(self._on_error)
        self._build()
        self._entry.set_text(config.get_property("phrase") or "")
        self._options.set({name: config.get_property(name) for name in _OPTIONS})
        self._options.on_change(self._settle(self._draw_again), self._settle(self._preview_again))

    # showing

    def run(self) -> list[Gimp.Layer] | None:
        """Show it until it is closed or the layers are in the image."""
        self._window.show_all()
        self._bar.hide()
        self._revealer.hide()
        self._on_chosen()
        self._entry.grab_focus()
        GLib.idle_add(self._after_showing, priority=GLib.PRIORITY_LOW)
        self._loop.run()
        return self._made

    def close(self) -> None:
        """Take the window away and end the engine."""
        self._window.destroy()
        while Gtk.events_pending():  # so that it is gone before the engine takes its time to end
            Gtk.main_iteration()
        self._engine.close()

    def _build(self) -> None:
        several = len(self._originals) > 1
        title = f"Colorize {len(self._originals)} Layers with Words" if several else "Colorize with Words"
        self._window = windows.window(title, ("Close", Gtk.ResponseType.CLOSE), ("_Colorize", Gtk.ResponseType.OK))
        self._window.set_default_size(700, 724)
        self._window.connect("response", self._on_response)
        self._window.connect("delete-event", lambda *_: True)  # a response comes with it
        self._window.connect("focus-in-event", lambda *_: self._after_painting())
        content = self._window.get_content_area()
        content.set_spacing(8)

        self._entry = Gtk.Entry(placeholder_text="autumn breeze and falling leaves", hexpand=True)
        self._entry.get_style_context().add_class("t2c-phrase")
        self._entry.connect("activate", lambda _: self._draw())
        self._show = self._button("Show _Palettes", self._draw, "Draw palettes for the phrase (Enter)")
        self._pack(content, self._entry, self._show)

        self._note = windows.label("", "dim-label", "t2c-note")
        content.pack_start(self._note, False, False, 0)
        self._bar = self._build_bar()
        content.pack_start(self._bar, False, False, 0)
        self._list = PaletteList(self._on_chosen, self._on_edited)
        content.pack_start(self._list, True, True, 0)

        self._reroll = self._button("_Re-roll", self._on_reroll, "Other palettes, around the locked colors")
        self._unlock = self._button("_Unlock All", self._on_unlock, "Free all locked colors")
        use = self._button("Use _GIMP Palette...", self._on_use, "Color with a palette of GIMP's")
        self._save = self._button("Sa_ve as GIMP Palette", self._on_save, "Keep the chosen palettes in GIMP")
        self._actions = self._pack(content, self._reroll, self._unlock, use, self._save)

        chosen = self._config.get_property("hints") or hints.remembered(self._image, self._originals)
        self._hints = HintChooser(self._image, self._originals, chosen, self._look_at_hints)
        content.pack_start(self._hints, False, False, 0)
        self._options = Options(several)
        content.pack_start(self._options, False, False, 0)
        self._progress = Gtk.ProgressBar(show_text=True, hexpand=True, valign=Gtk.Align.CENTER)
        self._stop = self._button("_Stop", self._engine.stop, "Stop the work; nothing is inserted")
        self._revealer = self._pack(content, self._progress, self._stop)

    def _build_bar(self) -> Gtk.InfoBar:
        bar = Gtk.InfoBar(message_type=Gtk.MessageType.ERROR, show_close_button=True)
        bar.connect("response", lambda *_: bar.hide())
        self._message = windows.label("")
        self._message.set_selectable(True)
        self._message.set_max_width_chars(70)
        self._message.show()
        bar.get_content_area().add(self._message)
        bar.set_no_show_all(True)
        return bar

    def _button(self, text: str, action: Any, tooltip: str) -> Gtk.Button:
        button = Gtk.Button.new_with_mnemonic(text)
        button.set_tooltip_text(tooltip)
        button.connect("clicked", lambda _: action())
        return button

    def _pack(self, content: Gtk.Box, *widgets: Gtk.Widget) -> Gtk.Box:
        box = Gtk.Box(spacing=6)
        for widget in widgets:
            box.pack_start(widget, widget.get_hexpand(), widget.get_hexpand(), 0)
        content.pack_start(box, False, False, 0)
        return box

    def _after_showing(self) -> bool:
        """What takes time, once the window can be seen."""
        try:
            picture = layers.read(self._originals[0], exact=False)
        except RequestError as error:
            self._on_error(error)
            return GLib.SOURCE_REMOVE
        device = self._options.get()["device"]
        self._engine.set_picture(picture, device)
        self._look_at_hints()
        if self._entry.get_text().strip():
            self._draw()
        return GLib.SOURCE_REMOVE

    # palettes

    def _draw(self) -> None:
        phrase = self._entry.get_text().strip()
        if not phrase:
            self._list.say("Type a phrase and press Enter.")
            self._entry.grab_focus()
            return
        values = self._options.get()
        wanted = (phrase, values["count"], values["seed"], tuple(sorted(self._list.locks.colors.items())))
        self._bar.hide()
        if not self._list.rows:
            self._list.say("The engine is starting ...")
        self._engine.draw(
            phrase,
            values["count"],
            values["seed"],
            dict(self._list.locks.colors),
            lambda answer: self._on_drawn(wanted, answer),
        )

    def _on_drawn(self, wanted: tuple[Any, ...], answer: PaletteAnswer) -> None:
        self._drawn_for, self._model = wanted, answer.model
        self._note.set_text(answer.note or "Click a row to choose it, a color to lock it; double-click to edit.")
        self._list.show_drawn(answer.palettes)
        self._preview("all", self._list.rows)

    def _preview(self, kind: str, rows: Sequence[PaletteRow]) -> None:
        """Show the picture in these rows, as the options say."""
        rows, values = list(rows), self._options.get()
        side = max(PREVIEW) * self._window.get_scale_factor()
        palettes = [row.palette for row in rows]
        self._engine.preview(
            kind, palettes, side, values["strength"], values["device"], lambda shown: _fill(rows, shown)
        )

    def _on_edited(self, row: PaletteRow) -> None:
        for one in self._list.rows:
            one.refresh()
        self._preview(f"row {row.number}", [row])
        self._on_chosen()

    def _on_reroll(self) -> None:
        self._options.next_seed()  # which draws

    def _settle(self, act: Callable[[], None]) -> Callable[..., None]:
        """A handler that acts once, when its signal has stopped coming."""
        waiting = 0

        def settled() -> bool:
            nonlocal waiting
            waiting = 0
            act()
            return GLib.SOURCE_REMOVE

        def changed(*_: Any) -> None:
            nonlocal waiting
            if waiting:
                GLib.source_remove(waiting)
            waiting = GLib.timeout_add(_SETTLE, settled)

        return changed

    def _draw_again(self) -> None:
        if self._drawn_for:
            self._draw()

    def _preview_again(self) -> None:
        if self._list.rows and not self._working:
            self._preview("all", self._list.rows)

    def _after_painting(self) -> bool:
        """The user comes back to this window, perhaps from the hints layer."""
        if not self._working:
            self._hints.refresh()
            self._look_at_hints()
        return False

    def _look_at_hints(self) -> None:
        """Let the previews follow the dabs as they are now."""
        try:
            found = self._hints.read_first()
        except RequestError as error:
            found, self._wrong_hints = None, True
            self._on_error(error)
        else:
            if self._wrong_hints:
                self._bar.hide()
            self._wrong_hints = False
        if self._engine.set_hints(found):
            self._preview_again()

    def _on_unlock(self) -> None:
        self._list.locks.colors.clear()
        self._list.locks.changed()

    def _on_use(self) -> None:
        found = windows.choose_gimp_palette(self._window)
        if found is not None and found[1]:
            self._on_edited(self._list.add_own(found[1], found[0]))

    def _on_save(self) -> None:
        phrase = self._entry.get_text().strip() or "Text2Colors"
        names = [windows.save_gimp_palette(f"{phrase} {row.number}", row.palette) for row in self._chosen()]
        self._note.set_text("Saved as GIMP palette: " + ", ".join(f"\u201c{name}\u201d" for name in names))

    def _chosen(self) -> list[PaletteRow]:
        return [row for row in self._list.rows if row.chosen]

    def _on_chosen(self) -> None:
        """Show what can be done now."""
        chosen = len(self._chosen())
        self._window.set_response_sensitive(Gtk.ResponseType.OK, chosen > 0 and not self._working)
        self._save.set_sensitive(chosen > 0)
        self._reroll.set_sensitive(bool(self._drawn_for) and not self._working)
        self._unlock.set_sensitive(bool(self._list.locks.colors))
        button = self._window.get_widget_for_response(Gtk.ResponseType.OK)
        total = chosen * len(self._originals)
        button.set_label("_Colorize" if total < 2 else f"_Colorize ({total} layers)")

    # coloring

    def _on_response(self, _: Gtk.Dialog, response: int) -> None:
        if response == Gtk.ResponseType.OK:
            self._colorize()
        elif self._working:
            self._engine.stop()
            self._loop.quit()
        else:
            self._loop.quit()

    def _colorize(self) -> None:
        if self._working or not self._agree():
            return
        rows = self._chosen()
        values, hint_layer = self._options.get(), self._hints.layer
        own_palettes = [row.palette for row in rows] if values["same-palettes"] or len(self._originals) == 1 else []
        try:
            request = Request(
                phrase=self._entry.get_text().strip(),
                palettes=tuple(own_palettes),
                count=len(rows),
                seed=values["seed"],
                strength=values["strength"],
                device=values["device"],
                mode=values["result-mode"],
                same_palettes=values["same-palettes"],
                hints=hint_layer.get_name() if hint_layer else "",
            )
            inputs = gather(self._originals, request, hint_layer)
        except RequestError as error:
            self._on_error(error)
            return
        self._set_working(True)
        numbers = [row.number for row in rows] if own_palettes else []
        self._engine.colorize(
            request,
            inputs,
            self._model,
            numbers,
            self._on_progress,
            lambda results: self._on_colored(request, results),
        )

    def _agree(self) -> bool:
        self._agreed = self._agreed or windows.ask(
            self._window,
            "This image is indexed, which holds too few colors.\nConvert it to RGB? Undo brings it back as it was.",
            "_Convert and Colorize",
        )
        return self._agreed

    def _on_progress(self, done: float, text: str) -> None:
        self._progress.set_fraction(min(1.0, max(0.0, done)))
        if text:
            self._progress.set_text(text)

    def _on_colored(self, request: Request, results: list[list[Result]]) -> None:
        self._progress.set_text("inserting layers")
        while Gtk.events_pending():
            Gtk.main_iteration()
        try:
            pairs = list(zip(self._originals, results, strict=True))
            self._made = insertion.insert(self._image, pairs, self._hints.layer)
        except RequestError as error:
            self._on_error(error)
            return
        Gimp.displays_flush()
        self._keep_values(request)
        self._loop.quit()

    def _keep_values(self, request: Request) -> None:
        for name, value in self._options.get().items():
            self._config.set_property(name, value)
        self._config.set_property("phrase", request.phrase)
        self._config.set_property("palettes", format_palettes(request.palettes))

    def _set_working(self, working: bool) -> None:
        self._working = working
        self._progress.set_fraction(0.0)
        self._progress.set_text("coloring")
        self._revealer.set_visible(working)
        for widget in (self._entry, self._show, self._list, self._actions, self._hints, self._options):
            widget.set_sensitive(not working)
        self._on_chosen()

    def _on_error(self, error: Exception) -> None:
        """Say what is wrong, and make everything possible again."""
        log.warning("%s", error)
        if self._working:
            self._set_working(False)
        if isinstance(error, EngineCancelled):
            self._note.set_text("Stopped; nothing has been inserted.")
            return
        if not self._list.rows:
            self._list.say("No palettes yet.")
        self._message.set_text(str(error))
        self._message.set_tooltip_text(getattr(error, "details", "") or None)
        self._bar.show()
        if getattr(error, "code", None) is None and not isinstance(error, RequestError):
            self._engine.restart()  # it did not answer; the next click finds a new one


def _fill(rows: Sequence[PaletteRow], shown: Sequence[Pixels]) -> None:
    for row, preview in zip(rows, shown, strict=False):
        row.show_preview(preview)
