"""Colors from a palette: one of GIMP's, or colors typed in."""

from __future__ import annotations

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gtk  # noqa: E402

from t2c_plugin.request import Palette, Record, RequestError, parse_palettes  # noqa: E402
from t2c_plugin.texts import _  # noqa: E402
from t2c_plugin.ui import windows  # noqa: E402
from t2c_plugin.ui.palette_rows import PALETTE  # noqa: E402
from t2c_plugin.ui.sources.base import ColorSource, button, line  # noqa: E402
from t2c_plugin.ui.swatches import SIZE  # noqa: E402


class PaletteSource(ColorSource):
    """A field for colors as text, and GIMP's palettes."""

    NAME, LABEL = PALETTE, _("A P_alette")

    def build(self) -> Gtk.Widget:
        self._entry = Gtk.Entry(placeholder_text="#8c2f1b, #d98c3f, #f2d8a7", hexpand=True)
        self._entry.set_tooltip_text(_("Colors as #rrggbb; palettes apart by a semicolon"))
        self._entry.connect("activate", lambda _entry: self._add_typed())
        windows.name_it(self._entry, _("Colors of a palette"))
        add = button(_("A_dd"), self._add_typed, _("Add a row with these colors (Enter)"))
        use = button(_("Use _GIMP Palette..."), self._use_palette, _("Add a row with a palette of GIMP's"))
        return line(self._entry, add, use)

    def focus(self) -> None:
        self._entry.grab_focus()

    def begin_with(self, record: Record) -> bool:
        if record.extra or record.phrase or not record.palette:
            return False
        self._add(record.palette, _("Palette of the result"))
        return True

    def _add_typed(self) -> None:
        try:
            palettes = parse_palettes(self._entry.get_text())
        except RequestError as error:
            self.desk.say(str(error))
            return
        for palette in palettes:
            if palette:
                self._add(palette, _("Own palette"))
        if palettes:
            self._entry.set_text("")

    def _use_palette(self) -> None:
        found = windows.choose_gimp_palette(self.desk.window)
        if found is not None and found[1]:
            self._add(found[1], found[0])

    def _add(self, palette: Palette, name: str) -> None:
        row = self.desk.list.add_own(palette, name)
        self.desk.preview([row])
        if len(palette) > SIZE:
            self.desk.engine.fit(palette, row.show_used)
