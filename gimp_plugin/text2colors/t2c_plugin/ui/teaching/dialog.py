"""The window of *Teach from GIMP Palettes*: ticks, texts to edit, the style's name, progress, Stop, and the report."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import GdkPixbuf, Gimp, GLib, Gtk, Pango  # noqa: E402

from t2c_plugin import teach  # noqa: E402
from t2c_plugin.engine import jobs  # noqa: E402
from t2c_plugin.engine.client import Engine  # noqa: E402
from t2c_plugin.engine.errors import EngineCancelled, EngineError  # noqa: E402
from t2c_plugin.request import RequestError  # noqa: E402
from t2c_plugin.texts import _  # noqa: E402
from t2c_plugin.ui import windows  # noqa: E402
from t2c_plugin.ui.sources.base import button, line  # noqa: E402

log = logging.getLogger(__name__)

_SIZE = (560, 560)  # px
_TICK, _TEXT, _PICTURE, _COLORS = range(4)  # columns


def run(config: Gimp.ProcedureConfig) -> str | None:
    """Show the window until it is closed; what became of the last style, or None when none was taught."""
    windows.prepare()
    dialog = TeachDialog(config)
    dialog.loop.run()
    dialog.close()
    return dialog.report


class TeachDialog:
    """One showing of the window."""

    def __init__(self, config: Gimp.ProcedureConfig) -> None:
        self._config = config
        self._engine: Engine | None = None
        self.report: str | None = None
        self.loop = GLib.MainLoop()
        self._page: Path | None = None
        self._window = windows.window(_("Teach from GIMP Palettes"), (_("Close"), Gtk.ResponseType.CLOSE))
        self._window.set_default_size(*_SIZE)
        self._window.connect("response", lambda *_args: self.loop.quit())
        self._open = button(_("Open _Report"), self._open_report, _("Show what the style has learned in the browser"))
        self._stop = button(_("_Stop"), self._on_stop, _("Stop; the same palettes go on later"))
        self._start = button(_("_Teach"), self._on_start, _("Learn from the ticked palettes; takes a minute or two"))
        for widget in (self._open, self._stop, self._start):
            self._window.get_action_area().pack_end(widget, False, False, 0)
        self._name = Gtk.Entry(hexpand=True, text=config.get_property("style-name") or "")
        self._name.set_placeholder_text("studio")
        self._replace = Gtk.CheckButton.new_with_mnemonic(_("_Replace a style of this name"))
        self._list = self._build_list()
        self._bar = Gtk.ProgressBar(show_text=True, text="")
        self._words = windows.label("")
        self._words.set_selectable(True)
        self._words.set_max_width_chars(60)
        tick_all = button(_("Tick _All"), lambda: self._tick(True), _("Learn from all palettes"))
        tick_none = button(_("Tick N_one"), lambda: self._tick(False), _("Learn from none, to tick some"))
        explanation = _("Tick palettes that show your style, better fifty. The text of each says what it is for.")
        content = self._window.get_content_area()
        name = line(windows.mnemonic_label(_("Name of the st_yle"), self._name), self._name)
        for widget in (windows.label(explanation), self._list, line(tick_all, tick_none), name, self._replace):
            content.pack_start(widget, widget is self._list, widget is self._list, 0)
        content.pack_start(self._bar, False, False, 0)
        content.pack_start(self._words, False, False, 0)
        self._window.show_all()
        self._bar.hide()
        self._show_possible()

    def close(self) -> None:
        """Take the window away; what is being taught is stopped."""
        self._on_stop()
        self._window.destroy()
        while Gtk.events_pending():
            Gtk.main_iteration()

    def _build_list(self) -> Gtk.Widget:
        self._store = Gtk.ListStore(bool, str, GdkPixbuf.Pixbuf, object)
        for text, colors in teach.gimp_palettes():
            self._store.append((True, text, windows.strip_of(colors), colors))
        view = Gtk.TreeView(model=self._store, enable_search=False)
        tick = Gtk.CellRendererToggle()
        tick.connect("toggled", self._on_toggled)
        text = Gtk.CellRendererText(editable=True, ellipsize=Pango.EllipsizeMode.END)
        text.connect("edited", self._on_edited)
        view.append_column(Gtk.TreeViewColumn(_("Learn"), tick, active=_TICK))
        column = Gtk.TreeViewColumn(_("Text, to edit"), text, text=_TEXT)
        column.set_expand(True)
        view.append_column(column)
        view.append_column(Gtk.TreeViewColumn(_("Colors"), Gtk.CellRendererPixbuf(), pixbuf=_PICTURE))
        windows.name_it(view, _("Palettes to learn from"))
        scrolled = Gtk.ScrolledWindow(shadow_type=Gtk.ShadowType.IN, vexpand=True)
        scrolled.add(view)
        return scrolled

    def _on_toggled(self, _cell: Gtk.CellRendererToggle, path: str) -> None:
        self._store[path][_TICK] = not self._store[path][_TICK]

    def _on_edited(self, _cell: Gtk.CellRendererText, path: str, text: str) -> None:
        if text.strip():
            self._store[path][_TEXT] = text.strip()

    def _tick(self, ticked: bool) -> None:
        for row in self._store:
            row[_TICK] = ticked

    def _show_possible(self) -> None:
        going_on = self._engine is not None
        for widget in (self._list, self._name, self._replace, self._start):
            widget.set_sensitive(not going_on)
        self._stop.set_sensitive(going_on)
        self._open.set_sensitive(not going_on and self._page is not None)

    def _on_start(self) -> None:
        name = self._name.get_text().strip()
        examples = [(row[_TEXT], tuple(row[_COLORS])) for row in self._store if row[_TICK]]
        replace = self._replace.get_active()
        try:
            teach.check(name, examples)
        except RequestError as error:
            self._words.set_text(str(error))
            return
        self._config.set_property("style-name", name)
        self._engine = engine = jobs.new_engine()
        self._bar.set_fraction(0.0)
        self._bar.set_text(_("Starting"))
        self._bar.show()
        self._words.set_text("")
        self._show_possible()

        def told(done: float, text: str) -> None:
            GLib.idle_add(self._on_progress, done, text)

        def work() -> None:
            try:
                result = engine.teach(name, examples, replace, told)
            except EngineCancelled:
                GLib.idle_add(self._on_end, {}, _("Stopped."))
            except EngineError as error:
                GLib.idle_add(self._on_end, {}, str(error))
            except Exception as error:  # the edge of a thread: nobody else would see it
                log.exception("teaching failed")
                GLib.idle_add(self._on_end, {}, str(error))
            else:
                GLib.idle_add(self._on_end, result, "")
            finally:
                engine.close()

        threading.Thread(target=work, name="text2colors teach", daemon=True).start()

    def _on_progress(self, done: float, text: str) -> bool:
        self._bar.set_fraction(min(max(done, 0.0), 1.0))
        self._bar.set_text(text)
        return GLib.SOURCE_REMOVE

    def _on_end(self, result: Mapping[str, Any], error: str) -> bool:
        self._engine = None
        self._bar.hide()
        if not error:
            self.report, self._page = teach.in_words(result), Path(str(result.get("report", "")))
        self._words.set_text(error or self.report or "")
        self._show_possible()
        return GLib.SOURCE_REMOVE

    def _on_stop(self) -> None:
        if self._engine is not None:
            self._bar.set_text(_("Stopping..."))
            self._stop.set_sensitive(False)
            self._engine.cancel()

    def _open_report(self) -> None:
        if self._page is not None:
            windows.open_in_browser(self._page)
