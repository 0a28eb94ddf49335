"""Colors from nothing: those that the network finds by itself."""

from __future__ import annotations

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gtk  # noqa: E402

from t2c_plugin.request import Record  # noqa: E402
from t2c_plugin.texts import _  # noqa: E402
from t2c_plugin.ui.palette_rows import NOTHING  # noqa: E402
from t2c_plugin.ui.sources.base import ColorSource, line  # noqa: E402
from t2c_plugin.ui.windows import label  # noqa: E402


class NothingSource(ColorSource):
    """A line that says what is shown; the row of natural colors is the list's."""

    NAME, LABEL = NOTHING, _("_Nothing")

    def build(self) -> Gtk.Widget:
        words = label(_("The colors that the network finds by itself, without words or a palette."), wrap=False)
        words.set_hexpand(True)
        return line(words)

    def chosen(self) -> None:
        self.desk.list.choose(self.desk.list.natural, besides=False)

    def begin_with(self, record: Record) -> bool:
        return not record.extra and not record.palette and not record.phrase
