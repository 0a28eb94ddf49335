"""A color of a row with its padlock, and the locks that all rows share. Knows nothing of the engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gtk  # noqa: E402

from t2c_plugin.texts import _  # noqa: E402
from t2c_plugin.ui.windows import paint  # noqa: E402
from t2c_plugin.wire import protocol  # noqa: E402

if TYPE_CHECKING:
    from t2c_plugin.ui.palette_rows import PaletteRow

SIZE = protocol.PALETTE_SIZE
_HEIGHT = 36  # px of a color


@dataclass(slots=True)
class Locks:
    """Colors that every new palette must have, by position (0..4); shared by all rows."""

    colors: dict[int, str]
    changed: Callable[[str], None]  # gets what is to be said about it, or ""

    def toggle(self, position: int, color: str) -> None:
        """Lock the color at its place; unlock it when it is the one locked there."""
        words = ""
        if self.colors.get(position) == color:
            del self.colors[position]
        else:
            if position in self.colors:
                words = _("{new} replaces the lock on {old}; a place can hold one color.").format(
                    new=color, old=self.colors[position]
                )
            self.colors[position] = color
        self.changed(words)

    def hold(self, position: int, color: str) -> bool:
        """Whether this color is locked here."""
        return self.colors.get(position) == color


class Swatch(Gtk.Overlay):
    """One color with an outline; a padlock is seen on it in the row shown large, and everywhere while it is locked."""

    def __init__(self, row: PaletteRow, position: int, color: str, locks: Locks) -> None:
        super().__init__()
        self._row, self.position, self._locks = row, position, locks
        self.color = color
        self._patch = Gtk.EventBox()
        self._patch.get_style_context().add_class("t2c-swatch")
        self._patch.set_size_request(18, _HEIGHT)
        self.add(self._patch)
        self._padlock = Gtk.Button(relief=Gtk.ReliefStyle.NONE, halign=Gtk.Align.CENTER, valign=Gtk.Align.CENTER)
        self._padlock.get_style_context().add_class("t2c-padlock")
        self._padlock.set_can_focus(False)  # Tab goes from row to row; keys 1 to 5 lock, and the row's menu
        self._padlock.connect("clicked", lambda _button: self.toggle_lock())
        if self.lockable:
            self.add_overlay(self._padlock)
        self.refresh()

    @property
    def lockable(self) -> bool:
        """Whether new palettes can have this color at this place."""
        return self._row.drawn and len(self._row.palette) == SIZE

    @property
    def locked(self) -> bool:
        """Whether new palettes will have it."""
        return self.lockable and self._locks.hold(self.position, self.color)

    def toggle_lock(self) -> None:
        """Lock the color at its place, or unlock it."""
        self._locks.toggle(self.position, self.color)

    def refresh(self) -> None:
        """Show color and lock as they are now."""
        paint(self._patch, self.color)
        icon = "changes-prevent-symbolic" if self.locked else "changes-allow-symbolic"
        self._padlock.set_image(Gtk.Image.new_from_icon_name(icon, Gtk.IconSize.MENU))
        self._padlock.set_tooltip_text(_("Unlock this color") if self.locked else _("Lock: re-roll around this color"))
        self._patch.set_tooltip_text(self.color)
        accessible = self._padlock.get_accessible()
        if accessible is not None:
            state = _("locked") if self.locked else _("not locked")
            accessible.set_name(f"{_('Color')} {self.position + 1}, {self.color}, {state}")
        self.show_padlock(False)

    def show_use(self, used: bool) -> None:
        """Show whether the color is one of those that are used."""
        self.set_opacity(1.0 if used else 0.4)
        self.set_valign(Gtk.Align.FILL if used else Gtk.Align.CENTER)
        self._patch.set_size_request(18, _HEIGHT if used else _HEIGHT // 3)
        self._patch.set_tooltip_text(self.color if used else _("{color}, not used").format(color=self.color))

    def show_padlock(self, shown: bool) -> None:
        """Show the padlock; one that is closed stays."""
        self._padlock.set_opacity(1.0 if self.locked else 0.6 if shown else 0.0)
