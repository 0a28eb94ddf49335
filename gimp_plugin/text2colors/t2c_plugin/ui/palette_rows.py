"""The rows of palettes beside the preview: pointed at, chosen, locked, edited, removed. Knows nothing of the engine.

A row is pointed at by the mouse or walked to by the arrow keys, and then shown large. A click or Space chooses it; a
click on its tick, or Ctrl and a click, chooses it besides others. The padlock that appears on a color locks it, as the
keys 1 to 5 do; the row's menu (right click, or the Menu key) locks, edits and copies each color.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("GdkPixbuf", "2.0")
from gi.repository import Gdk, GdkPixbuf, GLib, Gtk  # noqa: E402

from t2c_plugin.pixels import Pixels  # noqa: E402
from t2c_plugin.request import Coloring, Palette  # noqa: E402
from t2c_plugin.texts import _  # noqa: E402
from t2c_plugin.ui.preview import Thumbnail, pixbuf_of  # noqa: E402
from t2c_plugin.ui.swatches import SIZE, Locks, Swatch  # noqa: E402
from t2c_plugin.ui.windows import edit_color, label, name_it  # noqa: E402

THUMBNAIL = (84, 54)  # px that a thumbnail may take
_SHOWN = 12  # swatches of longer palettes
WORDS, PALETTE, NOTHING = "words", "palette", "nothing"  # sources that every engine has


class PaletteRow(Gtk.ListBoxRow):
    """A coloring: a tick, a thumbnail, its name or its palette's colors. `source`: what has given it."""

    def __init__(self, owner: PaletteList, number: int, coloring: Coloring, name: str, source: str) -> None:
        super().__init__()
        palette = coloring.palette
        self.number, self.palette, self.extra, self.name = number, palette, coloring.extra, name
        self.source, self.drawn = source, source == WORDS
        self._owner = owner
        self.get_style_context().add_class("t2c-row")
        self.tick = Gtk.CheckButton(valign=Gtk.Align.CENTER, can_focus=False)
        self.tick.set_tooltip_text(_("Make a layer with this palette"))
        self.tick.connect("toggled", lambda _button: owner.changed())
        self.thumbnail = Thumbnail(*THUMBNAIL)
        self._colors = Gtk.Box(spacing=3, homogeneous=True)
        self._fill(self.palette[:_SHOWN])
        column = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=3, valign=Gtk.Align.CENTER)
        if name:
            column.pack_start(label(name, *(("dim-label", "t2c-note") if palette else ()), wrap=False), False, False, 0)
        if palette:
            column.pack_start(self._colors, True, True, 0)
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
    def coloring(self) -> Coloring:
        """What the picture is colored with."""
        return Coloring(self.palette, self.extra)

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

    def toggle_lock(self, place: int) -> bool:
        """Lock or unlock the color at a place; whether it can be locked."""
        lockable = place < len(self._swatches) and self._swatches[place].lockable
        if lockable:
            self._swatches[place].toggle_lock()
        return lockable

    def show_used(self, used: Palette) -> None:
        """Show which colors of a longer palette are used; of one too long to be shown, only these are left."""
        if len(self.palette) > _SHOWN:
            self.palette = used
            self._fill(used)
        for swatch in self._swatches:
            swatch.show_use(swatch.color in used)

    def _fill(self, colors: Palette) -> None:
        for old in self._colors.get_children():
            old.destroy()
        self._swatches = [Swatch(self, index, color, self._owner.locks) for index, color in enumerate(colors)]
        for swatch in self._swatches:
            self._colors.pack_start(swatch, True, True, 0)
        self._colors.show_all()

    def _name_it(self) -> None:
        name_it(self, self.name or f"{_('Palette')} {self.number}: {' '.join(self.palette)}")

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
                add(words, lambda one=swatch: one.toggle_lock(), inner)
            copy = lambda one=swatch: Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD).set_text(one.color, -1)  # noqa: E731
            add(_("Copy"), copy, inner)
            item.set_submenu(inner)
            menu.append(item)
        if self is not self._owner.natural:
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
    """All rows: natural colors, and what each source has given. Those of the source in use and the chosen are seen.

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
        self._source = WORDS
        self.rows: list[PaletteRow] = []
        self.natural = self._add(0, Coloring(), _("Natural colors"), NOTHING, place=0)
        self._box.set_filter_func(self._is_seen)
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

    def use(self, source: str) -> None:
        """Show the rows of this source, natural colors, and what is chosen."""
        self._source = source
        self._box.invalidate_filter()
        if not self._is_seen(self.shown):
            self._box.select_row(self.natural)

    def show_drawn(self, palettes: Sequence[Palette], prefer: Palette | None = None) -> None:
        """Replace the rows drawn for a phrase; as `show_found`."""
        preferred = None if prefer is None else Coloring(prefer)
        self.show_found(WORDS, [(Coloring(palette), "") for palette in palettes], preferred)

    def show_found(
        self, source: str, found: Sequence[tuple[Coloring, str]], prefer: Coloring | None = None
    ) -> list[PaletteRow]:
        """Replace a source's rows by these, each with its name; the choice stays at the same numbers, or goes to
        `prefer`, or to the first."""
        before = {row.number for row in self.rows if row.chosen and row.source == source and row is not self.natural}
        for row in [row for row in self.rows if row.source == source and row is not self.natural]:
            self._take_out(row)
        added = [self._add(index + 1, one, name, source) for index, (one, name) in enumerate(found)]
        wanted = [row for row in added if row.coloring == prefer][:1]
        wanted = wanted or [row for row in added if row.number in before and prefer is None]
        if not wanted and self.chosen in ([], [self.natural]):
            wanted = added[:1]
        if wanted:
            self.natural.chosen = False
        for row in wanted:
            row.chosen = True
        if wanted:
            self._box.select_row(wanted[0])
        self.changed()
        return added

    def add_own(self, palette: Palette, name: str) -> PaletteRow:
        """Add a palette of the user's below the natural colors, chosen; numbered from 101, apart from drawn ones."""
        if len(palette) > SIZE:
            name = _("{name}, {count} colors; {used} of them are used").format(name=name, count=len(palette), used=SIZE)
        self._own_count += 1
        row = self._add(100 + self._own_count, Coloring(palette), name, PALETTE, place=1)
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
            self._box.invalidate_filter()
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

    def _is_seen(self, row: PaletteRow, _data: object = None) -> bool:
        return row is self.natural or row.source == self._source or row.chosen

    def _add(self, number: int, coloring: Coloring, name: str, source: str, place: int = -1) -> PaletteRow:
        row = PaletteRow(self, number, coloring, name, source)
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
        place = event.keyval - Gdk.KEY_1
        if 0 <= place < SIZE and row is not None and self.get_focus_row() is row:
            return row.toggle_lock(place)
        return False

    def get_focus_row(self) -> Gtk.Widget | None:
        """What has the focus in the window."""
        window = self.get_toplevel()
        return window.get_focus() if isinstance(window, Gtk.Window) else None
