"""Which previews are shown: the large one of the row that is looked at, and the thumbnails; fetched and kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from t2c_plugin.pixels import Pixels
from t2c_plugin.request import Coloring
from t2c_plugin.texts import _
from t2c_plugin.ui.palette_rows import THUMBNAIL, PaletteRow
from t2c_plugin.wire import protocol

if TYPE_CHECKING:
    from t2c_plugin.ui.dialog_layout import DialogLayout
    from t2c_plugin.ui.engine_calls import EngineCalls

LARGEST = protocol.MAX_PREVIEW_SIDE  # px
_KEPT = 40  # large previews


@dataclass(frozen=True, slots=True)
class _Look:
    """What a large preview depends on, besides picture and hints."""

    coloring: Coloring
    sliders: tuple[tuple[str, float], ...]
    device: str
    side: int


class Previews:
    """The previews of one dialog.

    Args:
        may_fetch: whether the engine is free for previews now.
    """

    def __init__(self, engine: EngineCalls, ui: DialogLayout, may_fetch: Callable[[], bool]) -> None:
        self._engine, self._ui, self._may_fetch = engine, ui, may_fetch
        self._looks: dict[_Look, Pixels] = {}
        self._wanted: _Look | None = None

    def forget(self) -> None:
        """The hints are others: nothing that is kept counts any more."""
        self._looks.clear()

    def show_all(self) -> None:
        """Show picture and rows as the options say now."""
        if self._may_fetch():
            self.show_large()
            self.show_rows("all", self._ui.list.rows)

    def look_at(self, row: PaletteRow) -> None:
        """A row is pointed at or walked to."""
        if self._may_fetch() and self._look(row) != self._wanted:
            self.show_large()

    def show_large(self) -> None:
        """Show the row that is looked at; fetch its preview unless there is one."""
        self._wanted = look = self._look(self._ui.list.shown)
        found = self._looks.get(look)
        if found is not None:
            self._ui.view.show_after(found)
            return
        self._ui.view.wait(_("Coloring..."))

        def arrived(pictures: list[Pixels]) -> None:
            if pictures:
                self._looks[look] = pictures[0]
                for old in list(self._looks)[:-_KEPT]:
                    del self._looks[old]
                if look == self._wanted:
                    self._ui.view.show_after(pictures[0])

        self._engine.preview("large", [look.coloring], look.side, dict(look.sliders), look.device, arrived)

    def show_rows(self, kind: str, rows: Sequence[PaletteRow]) -> None:
        """Fetch the thumbnails of rows. Calls of different `kind` do not overtake one another."""
        rows, device = list(rows), self._ui.options.get()["device"]
        side = max(THUMBNAIL) * self._ui.window.get_scale_factor()
        sliders = self._ui.sliders.get()

        def arrived(pictures: list[Pixels]) -> None:
            for row, picture in zip(rows, pictures, strict=False):
                if row in self._ui.list.rows:
                    row.show_preview(picture)

        self._engine.preview(kind, [row.coloring for row in rows], side, sliders, device, arrived)

    def _look(self, row: PaletteRow) -> _Look:
        side = min(LARGEST, self._ui.view.device_side)
        sliders = tuple(self._ui.sliders.get().items())
        return _Look(row.coloring, sliders, self._ui.options.get()["device"], side)
