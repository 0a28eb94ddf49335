"""Colors from a look: this picture in every look that the engine has, several may be chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gtk  # noqa: E402

from t2c_plugin.request import Coloring, Record, look_coloring, parse_extra  # noqa: E402
from t2c_plugin.texts import _  # noqa: E402
from t2c_plugin.ui.sources.base import ColorSource, line  # noqa: E402
from t2c_plugin.ui.windows import label  # noqa: E402


class LookSource(ColorSource):
    """A row with a thumbnail for each look; the strength is the look's."""

    NAME, LABEL = "look", _("A Loo_k")

    def build(self) -> Gtk.Widget:
        self._looks: list[tuple[str, str]] = []
        self._shown = False
        self._wanted: Coloring | None = None
        words = label(_("This picture in every look. Ctrl+click chooses several; strength is the look's."), wrap=False)
        words.set_hexpand(True)
        return line(words)

    def announced(self, info: Mapping[str, Any]) -> None:
        told = info.get("looks")
        found = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
        self._looks = [(str(one["name"]), str(one.get("title") or one["name"])) for one in found if one.get("name")]

    def chosen(self) -> None:
        if self._shown or not self._looks:
            return
        self._shown = True
        rows = [(look_coloring(name, title), title) for name, title in self._looks]
        wanted = next((one for one, _title in rows if _same_look(one, self._wanted)), None)
        self.desk.show(self.NAME, rows, wanted)

    def focus(self) -> None:
        self.desk.list.shown.grab_focus()

    def begin_with(self, record: Record) -> bool:
        if "look" not in parse_extra(record.extra):
            return False
        self._wanted = Coloring(record.palette, record.extra)
        return True


def _same_look(one: Coloring, other: Coloring | None) -> bool:
    return other is not None and parse_extra(one.extra)["look"] == parse_extra(other.extra).get("look")
