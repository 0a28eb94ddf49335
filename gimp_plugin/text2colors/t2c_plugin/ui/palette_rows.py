"""The rows of palettes beside the preview: pointed at, chosen, locked, edited, removed. Knows nothing of the engine.

A row is pointed at by the mouse or walked to by the arrow keys, and then shown large. A click or Space chooses it; a
click on its tick, or Ctrl and a click, chooses it besides others. The padlock that appears on a color locks it; the
row's menu (right click, or the Menu key) locks, edits and copies each color.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("GdkPixbuf", "2.0")
from gi.repository import Gdk, GdkPixbuf, GLib, Gtk  # noqa: E402

from t2c_plugin.pixels import Pixels  # noqa: E402
from t2c_plugin.request import Palette  # noqa: E402
from t2c_plugin.ui.preview import Thumbnail, pixbuf_of  # noqa: E402
from t2c_plugin.ui.texts import _  # noqa: E402
from t2c_plugin.ui.windows import edit_color, label, paint  # noqa: E402
from t2c_plugin.wire import protocol  # noqa: E402

THUMBNAIL = (92, 60)  # px that a thumbnail may take
SIZE = protocol.PALETTE_SIZE
_SHOWN = 12  # swatches of longer palettes


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
        self._patch.set_size_request(18, 36)
        self.add(self._patch)
        self._padlock = Gtk.Button(relief=Gtk.ReliefStyle.NONE, halign=Gtk.Align.CENTER, valign=Gtk.Align.CENTER)
        self._padlock.get_style_context().add_class("t2c-padlock")
        self._padlock.set_focus_on_click(False)
        self._padlock.connect("clicked", lambda _button: self._locks.toggle(self.position, self.color))
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

    def show_padlock(self, shown: bool) -> None:
        """Show the padlock; one that is closed stays."""
        self._padlock.set_opacity(1.0 if self.locked else 0.6 if shown else 0.0)


class PaletteRow(Gtk.ListBoxRow):
    """A palette: a tick, a thumbnail, its colors. `drawn`: for a phrase; an empty palette is "natural colors"."""

    def __init__(self, owner: PaletteList, number: int, palette: Palette, name: str, drawn: bool) -> None:
        super().__init__()
        self.number, self.palette, self.drawn, self.name = number, tuple(palette), drawn, name
        self._owner = owner
        self.get_style_context().add_class("t2c-row")
        self.tick = Gtk.CheckButton(valign=Gtk.Align.CENTER, can_focus=False)
        self.tick.set_tooltip_text(_("Make a layer with this palette"))
        self.tick.connect("toggled", lambda _button: owner.changed())
        self.thumbnail = Thumbnail(*THUMBNAIL)
        self._swatches = [Swatch(self, index, color, owner.locks) for index, color in enumerate(self.palette[:_SHOWN])]
        colors = Gtk.Box(spacing=3, homogeneous=True)
        for swatch in self._swatches:
            colors.pack_start(swatch, True, True, 0)
        column = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=3, valign=Gtk.Align.CENTER)
        if name:
            column.pack_start(label(name, *(("dim-label", "t2c-note") if palette else ()), wrap=False), False, False, 0)
        if palette:
            column.pack_start(colors, True, True, 0)
        box = Gtk.Box(spacing=8)
        box.pack_start(self.tick, False, False, 2)
        box.pack_start(self.thumbnail, False, False, 0)
        box.pack_start(column, True, True, 0)
        events = Gtk.EventBox()
        events.add(box)
        events.add_events(Gdk.EventMask.ENTER_NOTIFY_MASK | Gdk.EventMask.LEAVE_NOTIFY_MASK)
        events.connect("enter-notify-event", lambda *_args: owner.point_at(self))
        events.connect("leave-notify-event", self._on_leave)
        events.connect("button-press-event", self._on_press)
        self.connect("popup-menu", lambda _row: self._show_menu(None))
        self.add(events)
        self._name_it()

    @property
    def chosen(self) -> bool:
        """Whether a layer is wanted for this palette."""
        return self.tick.get_active()

    @chosen.setter
    def chosen(self, value: bool) -> None:
        self.tick.set_active(value)

    def refresh(self) -> None:
        """Show choice and locks as they are now."""
        for swatch in self._swatches:
            swatch.refresh()
        context = self.get_style_context()
        (context.add_class if self.chosen else context.remove_class)("chosen")

    def show_padlocks(self, shown: bool) -> None:
        """Show what can be locked."""
        for swatch in self._swatches:
            swatch.show_padlock(shown)

    def show_preview(self, picture: Pixels) -> None:
        """Show a small picture, RGB u8."""
        self.thumbnail.show_picture(pixbuf_of(picture))

    def _name_it(self) -> None:
        accessible = self.get_accessible()
        if accessible is not None:
            accessible.set_name(self.name or f"{_('Palette')} {self.number}: {' '.join(self.palette)}")

    def _on_leave(self, _widget: Gtk.Widget, event: Gdk.EventCrossing) -> bool:
        if event.detail != Gdk.NotifyType.INFERIOR:
            self._owner.point_at(None)
        return False

    def _on_press(self, _widget: Gtk.Widget, event: Gdk.EventButton) -> bool:
        if event.type != Gdk.EventType.BUTTON_PRESS:
            return True  # the second press of a double click is no other choice
        if event.button == Gdk.BUTTON_SECONDARY:
            return self._show_menu(event)
        if event.button == Gdk.BUTTON_PRIMARY:
            self._owner.choose(self, besides=bool(event.state & Gdk.ModifierType.CONTROL_MASK))
            return True
        return False

    def _show_menu(self, event: Gdk.EventButton | None) -> bool:
        menu = Gtk.Menu()

        def add(text: str, act: Callable[[], Any], to: Gtk.Menu = menu) -> None:
            item = Gtk.MenuItem(label=text)
            item.connect("activate", lambda _item: act())
            to.append(item)

        for swatch in self._swatches:
            item = Gtk.MenuItem(label=f"{_('Color')} {swatch.position + 1}: {swatch.color}")
            inner = Gtk.Menu()
            add(_("Edit..."), lambda one=swatch: self._edit(one), inner)
            if swatch.lockable:
                words = _("Unlock") if swatch.locked else _("Lock")
                add(words, lambda one=swatch: self._owner.locks.toggle(one.position, one.color), inner)
            copy = lambda one=swatch: Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD).set_text(one.color, -1)  # noqa: E731
            add(_("Copy"), copy, inner)
            item.set_submenu(inner)
            menu.append(item)
        if self.palette:
            add(_("Remove this Row"), lambda: self._owner.remove_row(self))
        menu.attach_to_widget(self, None)
        menu.show_all()
        if event is None:
            menu.popup_at_widget(self, Gdk.Gravity.SOUTH_WEST, Gdk.Gravity.NORTH_WEST, None)
        else:
            menu.popup_at_pointer(event)
        return True

    def _edit(self, swatch: Swatch) -> None:
        new = edit_color(self.get_toplevel(), swatch.color)
        if new is None or new == swatch.color:
            return
        locked, swatch.color = swatch.locked, new
        if locked:
            self._owner.locks.colors[swatch.position] = new
        self.palette = tuple(one.color for one in self._swatches) + self.palette[_SHOWN:]
        self._name_it()
        self._owner.edited(self)


class PaletteList(Gtk.ScrolledWindow):
    """All rows: natural colors, the user's own palettes, those drawn for the phrase.

    Args:
        on_changed: called after a choice or a lock has changed, with a remark or "".
        on_pointed: called with the row to be shown large.
        on_edited: called with a row that has another color.
    """

    def __init__(
        self,
        on_changed: Callable[[str], None],
        on_pointed: Callable[[PaletteRow], None],
        on_edited: Callable[[PaletteRow], None],
    ) -> None:
        super().__init__(hscrollbar_policy=Gtk.PolicyType.NEVER)
        self._on_changed, self._on_pointed, self.edited = on_changed, on_pointed, on_edited
        self.locks = Locks({}, self.changed)
        self._box = Gtk.ListBox(selection_mode=Gtk.SelectionMode.BROWSE, activate_on_single_click=False)
        self._box.connect("row-selected", lambda *_args: self._point())
        self._box.connect("row-activated", lambda _box, row: self.choose(row, besides=False))
        self._box.connect("key-press-event", self._on_key)
        self.add(self._box)
        self._pointed: PaletteRow | None = None
        self._choosing = False
        self._placeholder: GdkPixbuf.Pixbuf | None = None
        self._own_count = 0
        self.rows: list[PaletteRow] = []
        self.natural = self._add(0, (), _("Natural colors"), drawn=False, place=0)
        self._choosing = True  # nobody is to be told yet
        self.natural.chosen = True
        self._choosing = False

    @property
    def shown(self) -> PaletteRow:
        """The row that is to be seen large."""
        row = self._pointed or self._box.get_selected_row()
        return row if row in self.rows else self.natural

    @property
    def chosen(self) -> list[PaletteRow]:
        """The rows that layers are wanted for."""
        return [row for row in self.rows if row.chosen]

    def set_placeholder(self, picture: Pixels) -> None:
        """What thumbnails show, dimmed, until their previews come."""
        self._placeholder = pixbuf_of(picture)
        for row in self.rows:
            row.thumbnail.show_picture(self._placeholder, current=False)

    def show_drawn(self, palettes: Sequence[Palette], prefer: Palette | None = None) -> None:
        """Replace the drawn rows; the choice stays at the same numbers, or goes to `prefer`, or to the first."""
        before = {row.number for row in self.rows if row.chosen and row.drawn}
        for row in [row for row in self.rows if row.drawn]:
            self._take_out(row)
        drawn = [self._add(index + 1, one, "", drawn=True) for index, one in enumerate(palettes)]
        wanted = [row for row in drawn if row.palette == prefer][:1]
        wanted = wanted or [row for row in drawn if row.number in before and prefer is None]
        if not wanted and self.chosen in ([], [self.natural]):
            wanted = drawn[:1]
        if wanted:
            self.natural.chosen = False
        for row in wanted:
            row.chosen = True
        if wanted:
            self._box.select_row(wanted[0])
        self.changed()

    def add_own(self, palette: Palette, name: str) -> PaletteRow:
        """Add a palette of the user's below the natural colors, chosen; numbered from 101, apart from drawn ones."""
        if len(palette) > SIZE:
            name = _("{name}, {count} colors; the engine uses {used} of them").format(
                name=name, count=len(palette), used=SIZE
            )
        self._own_count += 1
        row = self._add(100 + self._own_count, palette, name, drawn=False, place=1)
        self.choose(row, besides=False)
        return row

    def remove_row(self, row: PaletteRow) -> None:
        """Take a row out."""
        self._take_out(row)
        if not self.chosen:
            self.natural.chosen = True
        self._box.select_row(self.chosen[0])
        self.changed()

    def choose(self, row: PaletteRow, besides: bool) -> None:
        """Choose a row, alone or `besides` others; then it is also the one shown."""
        self._choosing = True
        if besides:
            row.chosen = not row.chosen
        else:
            for one in self.rows:
                one.chosen = one is row
        self._choosing = False
        self._box.select_row(row)
        row.grab_focus()
        self.changed()

    def point_at(self, row: PaletteRow | None) -> bool:
        """The pointer is over a row, or over none."""
        self._pointed = row
        GLib.idle_add(self._point)
        return False

    def changed(self, remark: str = "") -> None:
        """A choice or a lock has changed."""
        if not self._choosing:
            for row in self.rows:
                row.refresh()
            self.shown.show_padlocks(True)
            self._on_changed(remark)

    def set_waiting(self, waiting: bool) -> None:
        """Dim the rows while others are drawn."""
        self._box.set_opacity(0.45 if waiting else 1.0)

    def _point(self) -> bool:
        for row in self.rows:
            row.show_padlocks(row is self.shown)
        self._on_pointed(self.shown)
        return GLib.SOURCE_REMOVE

    def _add(self, number: int, palette: Palette, name: str, drawn: bool, place: int = -1) -> PaletteRow:
        row = PaletteRow(self, number, palette, name, drawn)
        self._box.insert(row, place)
        self.rows.insert(len(self.rows) if place < 0 else place, row)
        if self._placeholder is not None:
            row.thumbnail.show_picture(self._placeholder, current=False)
        row.show_all()
        return row

    def _take_out(self, row: PaletteRow) -> None:
        self.rows.remove(row)
        if self._pointed is row:
            self._pointed = None
        row.destroy()

    def _on_key(self, _widget: Gtk.Widget, event: Gdk.EventKey) -> bool:
        row = self._box.get_selected_row()
        if event.keyval == Gdk.KEY_space and row is not None and isinstance(self.get_focus_row(), PaletteRow):
            self.choose(row, besides=True)
            return True
        return False

    def get_focus_row(self) -> Gtk.Widget | None:
        """What has the focus in the window."""
        window = self.get_toplevel()
        return window.get_focus() if isinstance(window, Gtk.Window) else None
