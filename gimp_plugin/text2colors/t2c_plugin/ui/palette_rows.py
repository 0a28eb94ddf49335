"""The rows of swatches: one palette each, to be chosen, locked and edited. Gtk; knows nothing of the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("GdkPixbuf", "2.0")
from gi.repository import Atk, Gdk, GdkPixbuf, GLib, Gtk  # noqa: E402

from t2c_plugin.pixels import Pixels  # noqa: E402
from t2c_plugin.ui.windows import edit_color, label, paint  # noqa: E402

PREVIEW = (108, 62)  # px that a preview may take
SIZE = 5  # colors of a palette that can be locked
_SHOWN = 16  # swatches of longer palettes
_DOUBLE_CLICK = 230  # ms; a click locks only when no second one has followed


@dataclass(slots=True)
class Locks:
    """Colors that every new palette must have, by position (0..4); shared by all rows."""

    colors: dict[int, str]
    changed: Callable[[], None]

    def toggle(self, position: int, color: str) -> None:
        """Lock the color at its place; unlock it when it is the one locked there."""
        if self.colors.get(position) == color:
            del self.colors[position]
        else:
            self.colors[position] = color
        self.changed()

    def hold(self, position: int, color: str) -> bool:
        """Whether this color is locked here."""
        return self.colors.get(position) == color


class Swatch(Gtk.Button):
    """One color: click locks it, double click or the Menu key edits it."""

    def __init__(self, row: PaletteRow, position: int, color: str, locks: Locks) -> None:
        super().__init__()
        self.get_style_context().add_class("t2c-swatch")
        self._row, self._position, self._locks = row, position, locks
        self._waiting = 0
        self.color = color
        self._icon = Gtk.Image.new_from_icon_name("changes-prevent-symbolic", Gtk.IconSize.MENU)
        self._icon.set_no_show_all(True)
        self.add(self._icon)
        self.connect("clicked", self._on_clicked)
        self.connect("button-press-event", self._on_press)
        self.connect("popup-menu", lambda _: self._edit())
        self.refresh()

    @property
    def _lockable(self) -> bool:
        return self._position < SIZE and len(self._row.palette) == SIZE

    def refresh(self) -> None:
        """Show color and lock as they are now."""
        paint(self, self.color)
        paint(self._icon, self.color)  # GIMP's themes have an ink of their own for the icons of buttons
        locked = self._lockable and self._locks.hold(self._position, self.color)
        self._icon.set_visible(locked)
        state = "locked" if locked else "not locked"
        hint = f"Click to {'unlock' if locked else 'lock'}, double-click to edit" if self._lockable else "Double-click"
        self.set_tooltip_text(f"{self.color}\n{hint}")
        accessible = self.get_accessible()
        if isinstance(accessible, Atk.Object):
            accessible.set_name(f"Color {self._position + 1} of {len(self._row.palette)}, {self.color}, {state}")

    def _on_clicked(self, _: Gtk.Button) -> None:
        if self._lockable and not self._waiting:
            self._waiting = GLib.timeout_add(_DOUBLE_CLICK, self._lock)

    def _lock(self) -> bool:
        self._waiting = 0
        self._locks.toggle(self._position, self.color)
        return GLib.SOURCE_REMOVE

    def _on_press(self, _: Gtk.Button, event: Gdk.EventButton) -> bool:
        if event.type == Gdk.EventType.DOUBLE_BUTTON_PRESS or event.button == Gdk.BUTTON_SECONDARY:
            return self._edit()
        return False

    def _edit(self) -> bool:
        if self._waiting:
            GLib.source_remove(self._waiting)
            self._waiting = 0
        new = edit_color(self.get_toplevel(), self.color)
        if new is not None and new != self.color:
            locked = self._lockable and self._locks.hold(self._position, self.color)
            self.color = new
            if locked:
                self._locks.colors[self._position] = new
            self._row.edited()
        return True


class PaletteRow(Gtk.EventBox):
    """A palette: a tick, a small preview of the picture, its colors. A click beside the colors chooses it."""

    def __init__(
        self,
        number: int,
        palette: Sequence[str],
        name: str,
        locks: Locks,
        on_chosen: Callable[[], None],
        on_edited: Callable[[PaletteRow], None],
    ) -> None:
        super().__init__()
        self.number = number
        self.palette = tuple(palette)
        self._on_edited = on_edited
        self._frame = Gtk.Box(spacing=10)
        self._frame.get_style_context().add_class("t2c-row")
        self.tick = Gtk.CheckButton(valign=Gtk.Align.CENTER)
        self.tick.set_tooltip_text("Colorize with this palette")
        self.tick.connect("toggled", lambda _: (self._show_choice(), on_chosen()))
        self._image = Gtk.Image()
        waiting = Gtk.Spinner(active=True, halign=Gtk.Align.CENTER, valign=Gtk.Align.CENTER)
        self._preview = Gtk.Stack()
        self._preview.set_size_request(*PREVIEW)
        self._preview.add(waiting)
        self._preview.add(self._image)
        self._swatches = [Swatch(self, index, color, locks) for index, color in enumerate(palette[:_SHOWN])]
        colors = Gtk.Box(spacing=4, homogeneous=True)
        for swatch in self._swatches:
            colors.pack_start(swatch, True, True, 0)
        self._frame.pack_start(self.tick, False, False, 2)
        self._frame.pack_start(self._preview, False, False, 0)
        column = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=4, valign=Gtk.Align.FILL)
        if name:
            words = f"{name}" if len(palette) <= _SHOWN else f"{name}, {len(palette)} colors"
            column.pack_start(label(words, "dim-label", "t2c-note", wrap=False), False, False, 0)
        column.pack_start(colors, True, True, 0)
        self._frame.pack_start(column, True, True, 0)
        self.add(self._frame)
        self.connect("button-press-event", self._on_press)
        self.add_events(Gdk.EventMask.ENTER_NOTIFY_MASK | Gdk.EventMask.LEAVE_NOTIFY_MASK)

    @property
    def chosen(self) -> bool:
        """Whether a layer is wanted for this palette."""
        return self.tick.get_active()

    @chosen.setter
    def chosen(self, value: bool) -> None:
        self.tick.set_active(value)

    def refresh(self) -> None:
        """Show locks as they are now."""
        for swatch in self._swatches:
            swatch.refresh()

    def edited(self) -> None:
        """A swatch has a new color."""
        self.palette = tuple(swatch.color for swatch in self._swatches) + self.palette[_SHOWN:]
        self.refresh()
        self._on_edited(self)

    def show_preview(self, picture: Pixels) -> None:
        """Show a small picture, RGB u8."""
        width, height = picture.width, picture.height
        pixbuf = GdkPixbuf.Pixbuf.new_from_bytes(
            GLib.Bytes.new(picture.pixels), GdkPixbuf.Colorspace.RGB, False, 8, width, height, width * 3
        )
        scale = min(PREVIEW[0] / width, PREVIEW[1] / height)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        self._image.set_from_pixbuf(pixbuf.scale_simple(*size, GdkPixbuf.InterpType.BILINEAR))
        self._preview.set_visible_child(self._image)

    def _show_choice(self) -> None:
        context = self._frame.get_style_context()
        (context.add_class if self.chosen else context.remove_class)("chosen")

    def _on_press(self, _: Gtk.EventBox, event: Gdk.EventButton) -> bool:
        if event.type == Gdk.EventType.BUTTON_PRESS and event.button == Gdk.BUTTON_PRIMARY:
            self.chosen = not self.chosen
            return True
        return False


class PaletteList(Gtk.ScrolledWindow):
    """All rows; palettes taken from GIMP stay on top when new ones are drawn."""

    def __init__(self, on_chosen: Callable[[], None], on_edited: Callable[[PaletteRow], None]) -> None:
        super().__init__(hscrollbar_policy=Gtk.PolicyType.NEVER)
        self._on_chosen, self._on_edited = on_chosen, on_edited
        self.locks = Locks({}, self._on_locks)
        self._box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        self.add(self._box)
        self.rows: list[PaletteRow] = []
        self._own: list[PaletteRow] = []
        self._empty = label("Type a phrase and press Enter.", "dim-label", "t2c-empty")
        self._empty.set_property("margin", 40)
        self._empty.set_xalign(0.5)
        self._box.pack_start(self._empty, True, True, 0)

    def say(self, text: str) -> None:
        """What to show while there is no row."""
        self._empty.set_text(text)

    def show_drawn(self, palettes: Sequence[Sequence[str]]) -> None:
        """Replace the drawn rows; the choice stays with the same numbers, and the first is chosen when none is."""
        before = {row.number for row in self.rows if row.chosen and row not in self._own}
        for row in self.rows:
            if row not in self._own:
                row.destroy()
        drawn = [self._make(index + 1, palette, "") for index, palette in enumerate(palettes)]
        self.rows = self._own + drawn
        for row in drawn:
            self._box.pack_start(row, False, False, 0)
            row.chosen = row.number in before
        if drawn and not any(row.chosen for row in self.rows):
            drawn[0].chosen = True
        self._show()

    def add_own(self, palette: Sequence[str], name: str) -> PaletteRow:
        """Put a palette of the user's on top, chosen; numbered from 101, apart from the drawn ones."""
        row = self._make(101 + len(self._own), palette, name)
        self._own.insert(0, row)
        self.rows.insert(0, row)
        self._box.pack_start(row, False, False, 0)
        self._box.reorder_child(row, 0)
        row.chosen = True
        self._show()
        return row

    def _make(self, number: int, palette: Sequence[str], name: str) -> PaletteRow:
        return PaletteRow(number, palette, name, self.locks, self._on_chosen, self._on_edited)

    def _show(self) -> None:
        self._empty.set_visible(not self.rows)
        for row in self.rows:
            row.show_all()
        self._on_chosen()

    def _on_locks(self) -> None:
        for row in self.rows:
            row.refresh()
        self._on_chosen()
