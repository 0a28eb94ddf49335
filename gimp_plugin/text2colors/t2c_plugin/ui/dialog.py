"""The dialog: a large preview, palettes beside it, words above. Ties widgets, engine and layers together.

It opens before the engine has answered, and begins with the natural colors. GIMP is called in this thread only; the
engine only in the threads of `engine_calls`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, Gimp, GLib, Gtk  # noqa: E402

from t2c_plugin.colorize import gather  # noqa: E402
from t2c_plugin.engine.errors import EngineCancelled  # noqa: E402
from t2c_plugin.image import hints, insertion, layers  # noqa: E402
from t2c_plugin.recent import remember_phrase  # noqa: E402
from t2c_plugin.request import Record, Request, RequestError, Result, format_palettes  # noqa: E402
from t2c_plugin.ui import windows  # noqa: E402
from t2c_plugin.ui.dialog_layout import DialogLayout  # noqa: E402
from t2c_plugin.ui.engine_calls import EngineCalls  # noqa: E402
from t2c_plugin.ui.options import SOFT_STRENGTH  # noqa: E402
from t2c_plugin.ui.palette_rows import SIZE, PaletteRow  # noqa: E402
from t2c_plugin.ui.phrase_bar import Drawn, History  # noqa: E402
from t2c_plugin.ui.previews import LARGEST, Previews  # noqa: E402
from t2c_plugin.ui.texts import _  # noqa: E402

log = logging.getLogger(__name__)

_OPTIONS = ("count", "seed", "device", "result-mode", "same-palettes")
_SETTLE = 80  # ms without another change of an option before it is acted upon
_LIVE = 900  # ms between two looks at the hints while the user paints
_LIVE_PIXELS = 10_000_000  # of a layer of hints that may be looked at so often


def run(
    image: Gimp.Image, targets: layers.Targets, config: Gimp.ProcedureConfig, edited: Record | None
) -> list[Gimp.Layer] | None:
    """Show the dialog; the new layers, or None when it was closed. The values used are left in `config`."""
    windows.prepare()
    dialog = ColorizeDialog(image, targets, config, edited)
    try:
        return dialog.run()
    finally:
        dialog.close()


class ColorizeDialog:
    """One showing of the dialog."""

    def __init__(
        self, image: Gimp.Image, targets: layers.Targets, config: Gimp.ProcedureConfig, edited: Record | None
    ) -> None:
        self._image, self._originals, self._config = image, list(targets.originals), config
        self._edited = edited
        self._made: list[Gimp.Layer] | None = None
        self._history = History()
        self._working = self._stopping = False
        self._wrong_hints = False  # the bar says why
        self._agreed = not layers.needs_consent(image)
        self._loop = GLib.MainLoop()
        self._engine = EngineCalls(self._on_error)
        chosen_hints = targets.hint_layer or config.get_property("hints")
        chosen_hints = chosen_hints or hints.remembered(image, self._originals)
        self._ui = DialogLayout(self, image, self._originals, chosen_hints)
        self._previews = Previews(self._engine, self._ui, may_fetch=lambda: not self._working)
        self._ui.say_target(self._originals, targets.hint_layer)
        self._set_values()
        self._ui.options.on_change(self._settle(self._draw_again), self._settle(self._previews.show_all))
        self._ui.sliders.on_change(self._settle(self._previews.show_all))
        self._live = 0

    def _set_values(self) -> None:
        """Show the last values, those of the result that is edited, or the first ones for this layer."""
        values = {name: self._config.get_property(name) for name in _OPTIONS}
        sliders = {name: self._config.get_property(name) for name in ("strength", "natural")}
        phrase = self._config.get_property("phrase") or ""
        if not phrase and self._originals[0].is_gray():
            sliders["strength"] = SOFT_STRENGTH
        if self._edited is not None:
            record = self._edited
            values |= {"count": record.count, "seed": record.seed, "result-mode": record.mode}
            sliders, phrase = {"strength": record.strength, "natural": record.natural}, record.phrase
            self._ui.list.locks.colors.update(dict(record.locked))
        self._ui.phrase.entry.set_text(phrase)
        self._ui.options.set(values)
        self._ui.sliders.set(sliders)

    # showing

    def run(self) -> list[Gimp.Layer] | None:
        """Show it until it is closed or the layers are in the image."""
        self._ui.show()
        self.on_changed("")
        GLib.idle_add(self._after_showing, priority=GLib.PRIORITY_LOW)
        self._loop.run()
        return self._made

    def close(self) -> None:
        """Take the window away and leave the engine."""
        if self._live:
            GLib.source_remove(self._live)
        self._ui.window.destroy()
        while Gtk.events_pending():  # so that it is gone before the engine takes its time to end
            Gtk.main_iteration()
        self._engine.close()

    def _after_showing(self) -> bool:
        """What takes time, once the window can be seen."""
        original = self._originals[0]
        try:
            picture = layers.read(original, exact=False)
            before = layers.small_rgb(picture, LARGEST)
            region = layers.selected_part(self._image, original, before.width, before.height)
        except RequestError as error:
            self._on_error(error)
            return GLib.SOURCE_REMOVE
        self._ui.view.set_before(before, region)
        self._ui.list.set_placeholder(before)
        self._engine.set_picture(picture)
        self._look_at_hints()
        if self._edited is not None and self._edited.palette and not self._edited.phrase:
            self.on_edited(self._ui.list.add_own(self._edited.palette, _("Palette of the result")))
        if self._ui.phrase.phrase:
            self.draw()
        self._previews.show_all()
        self._live = GLib.timeout_add(_LIVE, self._look_while_painting)
        return GLib.SOURCE_REMOVE

    # palettes

    def draw(self) -> None:
        """Draw palettes for the phrase."""
        phrase = self._ui.phrase.phrase
        if not phrase:
            self._ui.say(_("Type a phrase and press Enter."))
            self._ui.phrase.entry.grab_focus()
            return
        values, locked = self._ui.options.get(), dict(self._ui.list.locks.colors)
        self._ui.bar.hide()
        self._ui.wait(_("Drawing palettes..."))
        kept = tuple(sorted(locked.items()))
        self._engine.draw(
            phrase,
            values["count"],
            values["seed"],
            locked,
            lambda answer: self._on_drawn(Drawn(phrase, values["count"], values["seed"], kept, answer)),
        )

    def _on_drawn(self, drawn: Drawn) -> None:
        self._history.add(drawn)
        remember_phrase(drawn.phrase)
        self._show_drawn(drawn)

    def _show_drawn(self, drawn: Drawn) -> None:
        self._ui.wait("")
        self._ui.say(drawn.answer.note or _("Click a row to choose it; a padlock keeps a color."))
        prefer = self._edited.palette if self._edited is not None and self._edited.palette else None
        self._ui.list.show_drawn(drawn.answer.palettes, prefer)
        if prefer is not None and all(row.palette != prefer for row in self._ui.list.rows):
            self._ui.list.add_own(prefer, _("Palette of the result"))
        self._edited = None
        self._previews.show_large()
        self._previews.show_rows("all", self._ui.list.rows)

    def go(self, step: int) -> None:
        """Back (-1) or forward (1) through what was drawn."""
        if self._working or not self._history.can_go(step):
            return
        drawn = self._history.go(step)
        if drawn is not None:
            self._ui.phrase.entry.set_text(drawn.phrase)
            self._ui.options.set({**self._ui.options.get(), "count": drawn.count, "seed": drawn.seed})
            self._show_drawn(drawn)

    def reroll(self) -> None:
        """Other palettes, around the locked colors."""
        if len(self._ui.list.locks.colors) == SIZE:
            self._ui.say(_("All {count} colors are locked; unlock one to re-roll.").format(count=SIZE))
            return
        self._ui.options.set_seed(self._ui.options.get()["seed"] + 1)  # which draws

    def unlock_all(self) -> None:
        """Free all locked colors."""
        self._ui.list.locks.colors.clear()
        self._ui.list.changed()

    def use_palette(self) -> None:
        """Add a row with a palette of GIMP's."""
        found = windows.choose_gimp_palette(self._ui.window)
        if found is not None and found[1]:
            self.on_edited(self._ui.list.add_own(found[1], found[0]))

    def save_palettes(self) -> None:
        """Keep the chosen palettes in GIMP."""
        phrase = self._ui.phrase.phrase or "Text2Colors"
        rows = [row for row in self._ui.list.chosen if row.palette]
        names = [windows.save_gimp_palette(f"{phrase} {row.number}", row.palette) for row in rows]
        self._ui.say(_("Saved as GIMP palette: ") + ", ".join(f"\u201c{name}\u201d" for name in names))

    def _draw_again(self) -> None:
        drawn, values = self._history.current, self._ui.options.get()
        if drawn is not None and (drawn.seed, drawn.count) != (values["seed"], values["count"]):
            self.draw()

    def _settle(self, act: Callable[[], None]) -> Callable[..., None]:
        """A handler that acts once, when its signal has stopped coming."""
        waiting = 0

        def settled() -> bool:
            nonlocal waiting
            waiting = 0
            act()
            return GLib.SOURCE_REMOVE

        def changed(*_args: Any) -> None:
            nonlocal waiting
            if waiting:
                GLib.source_remove(waiting)
            waiting = GLib.timeout_add(_SETTLE, settled)

        return changed

    def on_pointed(self, row: PaletteRow) -> None:
        """A row is pointed at or walked to."""
        self._previews.look_at(row)

    def on_edited(self, row: PaletteRow) -> None:
        """A row has other colors, or is new."""
        self._previews.show_large()
        self._previews.show_rows(f"row {row.number}", [row])
        self._ui.list.changed()

    # hints

    def new_hints_layer(self) -> None:
        """Make a layer to paint hints on."""
        try:
            layer = insertion.insert_hints_layer(self._image, self._originals[0])
        except RequestError as error:
            self._on_error(error)
            return
        Gimp.displays_flush()
        self._ui.hints.refresh()
        self._ui.hints.choose(layer)
        self._ui.say(_("Paint dabs on the new layer in the image window; the preview here follows."))

    def look_at_hints(self) -> bool:
        """The user comes back to this window, or has chosen another layer."""
        if not self._working:
            self._ui.hints.refresh()
            self._look_at_hints()
        return False

    def _look_while_painting(self) -> bool:
        layer = self._ui.hints.layer
        small = layer is not None and layer.get_width() * layer.get_height() <= _LIVE_PIXELS
        if small and not self._ui.window.is_active():
            self.look_at_hints()
        return GLib.SOURCE_CONTINUE

    def _look_at_hints(self) -> None:
        """Let the previews follow the hints as they are now."""
        try:
            found = self._ui.hints.read_first()
        except RequestError as error:
            found = None
            if not self._wrong_hints:
                self._on_error(error)
            self._wrong_hints = True
        else:
            if self._wrong_hints:
                self._ui.bar.hide()
            self._wrong_hints = False
        if self._engine.set_hints(found):
            self._previews.forget()
            self._previews.show_all()

    # coloring

    def on_changed(self, remark: str) -> None:
        """A choice or a lock has changed: show what can be done now."""
        if remark:
            self._ui.say(remark)
        self._ui.show_possible(
            layers=len(self._ui.list.chosen) * len(self._originals),
            working=self._working,
            drawn=self._history.current is not None,
            back=self._history.can_go(-1),
            forward=self._history.can_go(1),
        )

    def on_response(self, response: int) -> None:
        """A button at the bottom, Escape, or the window's close button."""
        if response == Gtk.ResponseType.OK:
            self._colorize()
            return
        if self._working:
            self._engine.stop()
        self._loop.quit()

    def on_key(self, event: Gdk.EventKey) -> bool:
        """Ctrl+Enter colorizes, Alt with an arrow goes through what was drawn."""
        state = event.state & Gtk.accelerator_get_default_mod_mask()
        if state == Gdk.ModifierType.CONTROL_MASK and event.keyval in (Gdk.KEY_Return, Gdk.KEY_KP_Enter):
            self._colorize()
            return True
        if state == Gdk.ModifierType.MOD1_MASK and event.keyval in (Gdk.KEY_Left, Gdk.KEY_Right):
            self.go(-1 if event.keyval == Gdk.KEY_Left else 1)
            return True
        return False

    def stop(self) -> None:
        """Stop the work; what comes too late to be stopped is dropped."""
        if self._working:
            self._stopping = True
            self._ui.progress.set_text(_("Stopping..."))
            self._ui.stop.set_sensitive(False)
            self._engine.stop()

    def _colorize(self) -> None:
        rows = self._ui.list.chosen
        if self._working or not rows or not self._agree():
            return
        values, hint_layer = self._ui.options.get(), self._ui.hints.layer
        given = values["same-palettes"] or len(self._originals) == 1 or any(not row.drawn for row in rows)
        palettes = tuple(row.palette for row in rows) if given else ()
        drawn = self._history.current
        try:
            request = Request(
                phrase=drawn.phrase if drawn is not None and any(row.drawn for row in rows) else "",
                palettes=palettes,
                count=drawn.count if drawn is not None and given else len(rows),
                seed=values["seed"],
                **self._ui.sliders.get(),
                device=values["device"],
                mode=values["result-mode"],
                same_palettes=values["same-palettes"],
                hints=hint_layer.get_name() if hint_layer else "",
                locked=tuple(sorted(self._ui.list.locks.colors.items())),
            )
            inputs = gather(self._originals, request, hint_layer)
        except RequestError as error:
            self._on_error(error)
            return
        self._engine.drop_previews()
        self._set_working(True)
        self._engine.colorize(
            request,
            inputs,
            drawn.answer.model if drawn is not None else "",
            [row.number for row in rows] if given else [],
            self._on_progress,
            lambda results: self._on_colored(request, results),
        )

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
            self._ui.progress.set_text(text)

    def _on_colored(self, request: Request, results: list[list[Result]]) -> None:
        if self._stopping:  # it was finished before it could be stopped
            self._on_error(EngineCancelled("The work was stopped.", ""))
            return
        self._ui.progress.set_text(_("Inserting layers"))
        self._ui.stop.set_sensitive(False)  # from here on there is no way back but Undo
        while Gtk.events_pending():
            Gtk.main_iteration()
        try:
            pairs = list(zip(self._originals, results, strict=True))
            self._made = insertion.insert(self._image, pairs, self._ui.hints.layer)
        except RequestError as error:
            self._on_error(error)
            return
        Gimp.displays_flush()
        self._keep_values(request)
        self._loop.quit()

    def _keep_values(self, request: Request) -> None:
        for name, value in (self._ui.options.get() | self._ui.sliders.get()).items():
            self._config.set_property(name, value)
        self._config.set_property("phrase", request.phrase)
        self._config.set_property("palettes", format_palettes(request.palettes))

    def _set_working(self, working: bool) -> None:
        self._working, self._stopping = working, False
        self._ui.set_working(working)
        self.on_changed("")

    def _on_error(self, error: Exception) -> None:
        """Say what is wrong, and make everything possible again."""
        log.warning("%s", error)
        self._ui.wait("")
        if self._working:
            self._set_working(False)
            self._previews.show_rows("all", self._ui.list.rows)  # which stopping has stopped, too
            self._previews.show_large()
        if isinstance(error, EngineCancelled):
            self._ui.say(_("Stopped; nothing has been inserted."))
            return
        self._ui.view.wait("")
        self._ui.say("")
        self._ui.say_error(str(error), getattr(error, "details", ""))
        if getattr(error, "code", None) is None and not isinstance(error, RequestError):
            self._engine.forget()  # it did not answer; the next click finds a new one
