"""The dialog: a large preview, rows of colorings beside it, what colors come from above. Ties all of it together.

It opens before the engine has answered, and begins with the natural colors. GIMP is called in this thread only; the
engine only in the threads of `engine_calls`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, Gimp, GLib, Gtk  # noqa: E402

from t2c_plugin.engine.errors import EngineCancelled  # noqa: E402
from t2c_plugin.image import hints, layers, other_pictures  # noqa: E402
from t2c_plugin.request import Record, Request, RequestError, format_extras, format_palettes  # noqa: E402
from t2c_plugin.texts import _  # noqa: E402
from t2c_plugin.ui import windows  # noqa: E402
from t2c_plugin.ui.colors_from import all_sources  # noqa: E402
from t2c_plugin.ui.dialog_layout import DialogLayout  # noqa: E402
from t2c_plugin.ui.engine_calls import EngineCalls  # noqa: E402
from t2c_plugin.ui.hint_watch import HintWatch  # noqa: E402
from t2c_plugin.ui.options import HINTS, SOFT_STRENGTH  # noqa: E402
from t2c_plugin.ui.palette_rows import PaletteRow  # noqa: E402
from t2c_plugin.ui.previews import LARGEST, Previews  # noqa: E402
from t2c_plugin.ui.sources.base import ColorSource, Desk  # noqa: E402
from t2c_plugin.ui.work import Work  # noqa: E402

log = logging.getLogger(__name__)

_OPTIONS = ("count", "seed", "device", "result-mode", "same-palettes")
_SETTLE = 80  # ms without another change of an option before it is acted upon


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
        self._loop = GLib.MainLoop()
        self._engine = EngineCalls(self._on_error, self._on_hello)
        chosen_hints = targets.hint_layer or config.get_property("hints")
        chosen_hints = chosen_hints or hints.remembered(image, self._originals)
        self._ui = DialogLayout(self, image, self._originals, chosen_hints)
        self._work = Work(image, self._originals, self._ui, self._engine, self._on_made, self._on_work_changed)
        self._previews = Previews(self._engine, self._ui, may_fetch=lambda: not self._work.going_on)
        self._hints = HintWatch(
            self._ui, self._engine, self._previews, lambda: not self._work.going_on, self._show_sliders, self._on_error
        )
        self._ui.colors_from.add_sources(all_sources(self._desk()))
        self._ui.say(_("Preview: scroll to zoom, drag to move."))
        self._ui.say_target(self._originals, targets.hint_layer)
        self._set_values()
        redraw = self._settle(lambda: self._source.options_changed())
        self._ui.options.on_change(redraw, self._settle(self._previews.show_all))
        self._ui.sliders.on_change(self._settle(self._previews.show_all))

    def _desk(self) -> Desk:
        ui = self._ui
        return Desk(
            self._engine, ui.list, ui.options, ui.say, ui.wait, self._on_error, ui.bar.hide, self._preview,
            lambda: self.on_changed(""), ui.window,
        )  # fmt: skip

    def _set_values(self) -> None:
        """Show the last values, those of the result that is edited, or the first ones for this layer."""
        values = {name: self._config.get_property(name) for name in _OPTIONS}
        sliders = {name: self._config.get_property(_argument(name)) for name in self._ui.sliders.names}
        phrase = self._config.get_property("phrase") or ""
        self._soft = not phrase and not self._config.get_property("palettes")  # nothing was chosen before
        if self._soft and self._originals[0].is_gray():
            sliders["strength"] = SOFT_STRENGTH
        if self._edited is not None:
            record, phrase = self._edited, ""
            values |= {"count": record.count, "seed": record.seed, "result-mode": record.mode}
            sliders = {name: getattr(record, name) for name in self._ui.sliders.names}
        self._ui.options.set(values)
        self._ui.sliders.set(sliders)
        self._phrase = phrase

    @property
    def _source(self) -> ColorSource:
        return self._ui.colors_from.current

    # showing

    def run(self) -> list[Gimp.Layer] | None:
        """Show it until it is closed or the layers are in the image."""
        self._ui.show()
        self.on_changed("")
        GLib.idle_add(self._after_showing, priority=GLib.PRIORITY_LOW)
        self._loop.run()
        return self._work.made

    def close(self) -> None:
        """Take the window away and leave the engine."""
        self._hints.stop()
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
        if self._soft and self._edited is None and not original.is_gray() and layers.looks_grey(before):
            self._ui.sliders.set({**self._ui.sliders.get(), "strength": SOFT_STRENGTH})
        self._ui.view.set_before(before, region)
        self._ui.list.set_placeholder(before)
        self._engine.set_picture(picture)
        self._hints.start()
        self._begin()
        self._previews.show_all()
        return GLib.SOURCE_REMOVE

    def _begin(self) -> None:
        """Show what the edited result was made with, or the phrase last used."""
        sources = self._ui.colors_from
        if self._edited is not None:
            opened = next((source for source in sources.sources if source.begin_with(self._edited)), None)
            if opened is not None:
                sources.choose(opened.NAME)
        words = sources.words
        if self._phrase and not words.bar.phrase:  # nothing has been typed yet
            words.bar.entry.set_text(self._phrase)
            words.focus()  # which selects it, so that other words replace it
        if words.bar.phrase:
            words.draw()

    def _preview(self, rows: Sequence[PaletteRow]) -> None:
        """Rows are new, or have other colors."""
        try:
            for name, picture in other_pictures.read_all(row.extra for row in rows).items():
                self._engine.set_other(name, picture)
        except RequestError as error:
            self._on_error(error)
            return
        self._previews.show_large()
        kind = "all" if len(rows) != 1 else f"row {rows[0].source} {rows[0].number}"
        self._previews.show_rows(kind, rows)
        self.on_changed("")

    def _on_hello(self, hello: dict[str, Any]) -> None:
        self._ui.colors_from.announced(hello)

    # what widgets tell

    def on_switch(self, source: ColorSource) -> None:
        """Another tab is chosen."""
        self._ui.list.use(source.NAME)
        source.chosen()
        source.focus()
        self.on_changed("")

    def go(self, step: int) -> None:
        """Back (-1) or forward (1) through what the source has shown."""
        if not self._work.going_on:
            self._source.go(step)

    def reroll(self) -> None:
        """Other rows."""
        self._source.reroll()

    def unlock_all(self) -> None:
        """Free all locked colors."""
        self._ui.list.locks.colors.clear()
        self._ui.list.changed()

    def save_palettes(self) -> None:
        """Keep the chosen palettes in GIMP."""
        phrase = self._ui.colors_from.words.bar.phrase or "Text2Colors"
        rows = [row for row in self._ui.list.chosen if row.palette]
        names = [windows.save_gimp_palette(f"{phrase} {row.number}", row.palette) for row in rows]
        self._ui.say(_("Saved as GIMP palette: ") + ", ".join(f"\u201c{name}\u201d" for name in names))

    def on_pointed(self, row: PaletteRow) -> None:
        """A row is pointed at or walked to."""
        self._previews.look_at(row)

    def on_edited(self, row: PaletteRow) -> None:
        """A row has other colors."""
        self._preview([row])
        self._ui.list.changed()

    def new_hints_layer(self) -> None:
        """Make a layer to paint hints on."""
        self._hints.new_layer(self._image, self._originals)

    def look_at_hints(self) -> bool:
        """The user comes back to this window, or has chosen another layer."""
        return self._hints.refresh()

    def on_changed(self, remark: str) -> None:
        """A choice or a lock has changed: show what can be done now."""
        if remark:
            self._ui.say(remark)
        self._ui.show_possible(
            layers=len(self._ui.list.chosen) * len(self._originals),
            working=self._work.going_on,
            reroll=self._source.can_reroll,
            back=self._source.can_go(-1),
            forward=self._source.can_go(1),
        )
        self._show_sliders()

    def _show_sliders(self) -> None:
        """Show what has an effect on the rows of this tab and on those chosen."""
        hints = {HINTS} if self._ui.hints.layer is not None else set()
        self._ui.sliders.show_for({self._source.NAME, *(row.source for row in self._ui.list.chosen), *hints})

    def on_response(self, response: int) -> None:
        """A button at the bottom, Escape, or the window's close button."""
        if response == Gtk.ResponseType.OK:
            self._colorize()
            return
        self._work.stop()
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
        self._work.stop()

    # coloring

    def _colorize(self) -> None:
        rows = self._ui.list.chosen
        if rows and not self._work.going_on:
            try:
                request = self._request(rows)
            except RequestError as error:
                self._on_error(error)
                return
            models = (source.model for source in self._ui.colors_from.of(rows))
            self._work.begin(request, next(models, ""), [row.number for row in rows] if request.palettes else [])

    def _request(self, rows: Sequence[PaletteRow]) -> Request:
        values, hint_layer = self._ui.options.get(), self._ui.hints.layer
        given = values["same-palettes"] or len(self._originals) == 1 or any(not row.drawn for row in rows)
        fields: dict[str, Any] = {"phrase": "", "count": values["count"], **self._ui.sliders.get()}
        for source in self._ui.colors_from.of(rows):
            fields |= source.request_part()
        if not given:
            fields["count"] = len(rows)
        return Request(
            **fields,
            palettes=tuple(row.palette for row in rows) if given else (),
            extras=tuple(row.extra for row in rows) if given and any(row.extra for row in rows) else (),
            seed=values["seed"],
            device=values["device"],
            mode=values["result-mode"],
            same_palettes=values["same-palettes"],
            hints=hint_layer.get_name() if hint_layer else "",
            locked=tuple(sorted(self._ui.list.locks.colors.items())),
        )

    def _on_work_changed(self, error: Exception | None) -> None:
        """The work has begun, or has ended without layers."""
        self.on_changed("")
        if not self._work.going_on:
            self._previews.show_all()  # which stopping has stopped, too
        if error is not None:
            self._on_error(error)

    def _on_made(self, request: Request) -> None:
        """The layers are in the image."""
        for name, value in (self._ui.options.get() | self._ui.sliders.get()).items():
            self._config.set_property(_argument(name), value)
        self._config.set_property("phrase", request.phrase)
        self._config.set_property("palettes", format_palettes(request.palettes))
        self._config.set_property("extras", format_extras(request.extras))
        self._config.set_property("style", request.style)
        self._loop.quit()

    def _on_error(self, error: Exception) -> None:
        """Say what is wrong, and make everything possible again."""
        log.warning("%s", error)
        if self._work.going_on:
            self._work.end(error)  # which comes back here
            return
        self._ui.wait("")
        if isinstance(error, EngineCancelled):
            self._ui.say(_("Stopped; nothing has been inserted."))
            return
        self._ui.view.wait("")
        self._ui.say("")
        self._ui.say_error(str(error), getattr(error, "details", ""))
        if getattr(error, "code", None) is None and not isinstance(error, RequestError):
            self._engine.forget()  # it did not answer; the next click finds a new one

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


def _argument(name: str) -> str:
    """The procedure's argument of that name in requests."""
    return name.replace("_", "-")
