"""Colors from nothing: those that the network finds by itself, and variations of them to choose from.

Variations are drawn together, by number and seed; each row stands for one. A re-roll draws with the next seed and keeps
the rows that are ticked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gtk  # noqa: E402

from t2c_plugin.request import Coloring, Record, format_extra, parse_extra  # noqa: E402
from t2c_plugin.texts import _  # noqa: E402
from t2c_plugin.ui.palette_rows import NOTHING, PaletteRow  # noqa: E402
from t2c_plugin.ui.sources.base import ColorSource, line  # noqa: E402
from t2c_plugin.ui.windows import label  # noqa: E402

VARIATION = "variation"  # the engine's parameter


class NothingSource(ColorSource):
    """A line that says what is shown. The row of natural colors is the list's; variations, where the engine has them,
    are this source's."""

    NAME, LABEL = NOTHING, _("_Nothing")

    def build(self) -> Gtk.Widget:
        self._most = 0  # variations that the engine draws together; 0: it draws none
        self._edited = ""
        words = label(_("The colors that the network finds by itself, without words or a palette."), wrap=False)
        words.set_hexpand(True)
        return line(words)

    def announced(self, info: Mapping[str, Any]) -> None:
        most = info.get("variations", 0)
        self._most = most if isinstance(most, int) else 0

    def chosen(self) -> None:
        if not self._rows:
            self._show()
        if not any(row.chosen for row in self._rows):
            self.desk.list.choose(self.desk.list.natural, besides=False)

    def options_changed(self) -> None:
        self._show()

    @property
    def can_reroll(self) -> bool:
        return self._most > 0

    def reroll(self) -> None:
        self.desk.options.set_seed(self.desk.options.get()["seed"] + 1)  # which draws

    def begin_with(self, record: Record) -> bool:
        if VARIATION in parse_extra(record.extra):
            self._edited = record.extra
            return True
        return not record.extra and not record.palette and not record.phrase

    @property
    def _rows(self) -> list[PaletteRow]:
        """This source's own rows."""
        listed = self.desk.list
        return [row for row in listed.rows if row.source == self.NAME and row is not listed.natural]

    def _show(self) -> None:
        """Draw as many variations as the options say; rows that are ticked stay."""
        if not self._most:
            return
        values, listed = self.desk.options.get(), self.desk.list
        natural = listed.natural.chosen
        kept = {row.number: (row.coloring, row.name) for row in self._rows if row.chosen}
        count = min(values["count"], self._most)
        found = []
        for index in range(count):
            name = _("Variation {number}, seed {seed}").format(number=index + 1, seed=values["seed"])
            told = {"title": name, VARIATION: {"index": index, "count": count, "seed": values["seed"]}}
            found.append(kept.get(index + 1, (Coloring((), format_extra(told)), name)))
        prefer = Coloring((), self._edited) if self._edited else None
        if prefer is not None and all(coloring != prefer for coloring, _name in found):
            found.insert(0, (prefer, prefer.title))
        self.desk.show(self.NAME, found, prefer)
        if prefer is None and natural:
            listed.natural.chosen = True
            for row in self._rows:
                row.chosen = row.number in kept
            listed.changed()
        self._edited = ""
        self.desk.say(_("A tick makes a layer of a variation; re-rolling keeps the ticked ones."))
