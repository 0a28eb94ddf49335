"""Small windows, and what all windows share: style, colors of GIMP. Gtk, so never loaded without a dialog."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("GimpUi", "3.0")
gi.require_version("Gegl", "0.4")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, GdkPixbuf, Gegl, Gimp, GimpUi, Gio, GLib, Gtk, Pango  # noqa: E402

from t2c_plugin.image.colors import hex_of, palette_colors  # noqa: E402
from t2c_plugin.request import RequestError  # noqa: E402
from t2c_plugin.texts import _  # noqa: E402

log = logging.getLogger(__name__)

BINARY = "text2colors"
SPACE = 12  # px between things that do not belong together; half of it between those that do

_STRIP = (12, 12, 16)  # colors of a palette in a list, and the width and height of each, px

_STYLE = b"""
.t2c-phrase { font-size: 115%; padding: 6px; }
.t2c-note { font-size: 92%; }
.t2c-chip { padding: 1px 8px; border-radius: 10px; background-color: alpha(currentColor, 0.08); font-size: 92%; }
.t2c-row { border: 2px solid transparent; border-radius: 8px; padding: 4px; margin: 1px; }
.t2c-row:selected, .t2c-row:selected:focus { background-color: alpha(currentColor, 0.10); color: inherit; }
.t2c-row:hover { background-color: alpha(currentColor, 0.06); }
.t2c-row:focus { outline: none; border-color: alpha(currentColor, 0.5); }
.t2c-row.chosen { border-color: @theme_selected_bg_color; background-color: alpha(@theme_selected_bg_color, 0.18); }
.t2c-row * { background-color: transparent; }
.t2c-swatch { background-image: none; border: 1px solid alpha(currentColor, 0.45); border-radius: 5px; }
.t2c-padlock { min-width: 18px; min-height: 18px; padding: 2px; border: none; border-radius: 9px;
  background-image: none; background-color: rgba(0, 0, 0, 0.55); color: white; box-shadow: none; }
.t2c-padlock image { color: white; }
.t2c-tab { padding: 3px 12px; }
.t2c-tab:checked { background-image: none; background-color: @theme_selected_bg_color;
  color: @theme_selected_fg_color; }
"""


def prepare() -> None:
    """Start Gtk as GIMP wants it, and load our style; before any window."""
    GimpUi.init(BINARY)
    Gegl.init(None)
    try:
        gi.require_foreign("cairo")
    except ImportError as error:
        raise RequestError("GIMP's Python lacks cairo; install the package python3-gi-cairo.") from error
    provider = Gtk.CssProvider()
    provider.load_from_data(_STYLE)
    screen = Gdk.Screen.get_default()
    Gtk.StyleContext.add_provider_for_screen(screen, provider, Gtk.STYLE_PROVIDER_PRIORITY_USER)


def window(title: str, *buttons: tuple[str, Gtk.ResponseType]) -> GimpUi.Dialog:
    """A dialog as GIMP makes them, with a help-less set of buttons; the last is the default."""
    dialog = GimpUi.Dialog(title=title, role=BINARY)
    for label, response in buttons:
        dialog.add_button(label, response)
    dialog.set_default_response(buttons[-1][1])
    dialog.get_content_area().set_border_width(SPACE)
    dialog.get_content_area().set_spacing(SPACE)
    return dialog


def label(text: str, *classes: str, wrap: bool = True) -> Gtk.Label:
    """A left-aligned text."""
    made = Gtk.Label(label=text, xalign=0.0)
    made.set_line_wrap(wrap)
    for name in classes:
        made.get_style_context().add_class(name)
    return made


def name_it(widget: Gtk.Widget, name: str) -> None:
    """Give a widget the name that assistive programs say."""
    accessible = widget.get_accessible()
    if accessible is not None:
        accessible.set_name(name)


def describe_it(widget: Gtk.Widget, words: str) -> None:
    """Give a widget a description that assistive programs say."""
    accessible = widget.get_accessible()
    if accessible is not None:
        accessible.set_description(words)


def mnemonic_label(text: str, widget: Gtk.Widget) -> Gtk.Label:
    """A text before a widget, whose mnemonic goes to the widget; it is the widget's name, too."""
    made = Gtk.Label.new_with_mnemonic(text)
    made.set_mnemonic_widget(widget)
    made.set_xalign(0.0)
    name_it(widget, made.get_text())
    return made


def color_strip(palette: Sequence[str], height: int = 40) -> Gtk.Box:
    """A palette to look at."""
    box = Gtk.Box(spacing=3, homogeneous=True)
    for color in palette:
        patch = Gtk.EventBox()
        patch.set_size_request(-1, height)
        patch.set_tooltip_text(color)
        paint(patch, color)
        box.pack_start(patch, True, True, 0)
    return box


def paint(widget: Gtk.Widget, color: str) -> None:
    """Give a widget a background of one color; called again, another."""
    provider = getattr(widget, "t2c_provider", None)
    if provider is None:
        provider = Gtk.CssProvider()
        widget.get_style_context().add_provider(provider, Gtk.STYLE_PROVIDER_PRIORITY_USER + 1)
        widget.t2c_provider = provider
    red, green, blue = (int(color[start : start + 2], 16) for start in (1, 3, 5))
    ink = "black" if 0.30 * red + 0.59 * green + 0.11 * blue > 140 else "white"
    provider.load_from_data(f"* {{ background-color: {color}; color: {ink}; border-radius: 5px; }}".encode())


def show_text(title: str, text: str, palette: Sequence[str] = ()) -> None:
    """A window with a text to read and copy, and a palette above it."""
    prepare()
    dialog = window(title, (_("_Close"), Gtk.ResponseType.CLOSE))
    if palette:
        dialog.get_content_area().pack_start(color_strip(palette), False, False, 0)
    words = label(text)
    words.set_selectable(True)
    words.set_max_width_chars(60)
    words.set_width_chars(36)
    dialog.get_content_area().pack_start(words, False, False, 0)
    dialog.set_resizable(False)  # as small as its text
    dialog.show_all()
    dialog.run()
    dialog.destroy()


def show_check(report_lines: Callable[[], list[str]]) -> str:
    """A window that fills while the check runs in a thread; returns the report, empty when closed too early."""
    prepare()
    dialog = window(
        _("Text2Colors Set-up Check"), (_("_Copy"), Gtk.ResponseType.APPLY), (_("_Close"), Gtk.ResponseType.CLOSE)
    )
    spinner = Gtk.Spinner()
    words = label(_("Starting the engine and asking it ..."))
    words.set_selectable(True)
    words.set_width_chars(80)  # from the start, for a window does not become wider when its text does
    for widget in (spinner, words):
        dialog.get_content_area().pack_start(widget, False, False, 0)
    dialog.show_all()
    spinner.start()
    found: list[str] = []

    def show(lines: list[str]) -> bool:
        found[:] = lines
        if dialog.get_realized():
            spinner.stop()
            spinner.hide()
            words.set_text("\n".join(lines))
        return GLib.SOURCE_REMOVE

    threading.Thread(target=lambda: GLib.idle_add(show, report_lines()), daemon=True).start()
    while dialog.run() == Gtk.ResponseType.APPLY:
        Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD).set_text(words.get_text(), -1)
    dialog.destroy()
    return "\n".join(found)


def ask(parent: Gtk.Window | None, question: str, yes: str) -> bool:
    """Whether the user agrees."""
    dialog = Gtk.MessageDialog(
        transient_for=parent, modal=True, message_type=Gtk.MessageType.QUESTION, text=question, title="Text2Colors"
    )
    dialog.add_button(_("_Cancel"), Gtk.ResponseType.CANCEL)
    dialog.add_button(yes, Gtk.ResponseType.OK)
    dialog.set_default_response(Gtk.ResponseType.OK)
    answer = dialog.run()
    dialog.destroy()
    return answer == Gtk.ResponseType.OK


def edit_color(parent: Gtk.Window, color: str) -> str | None:
    """GIMP's own color selection; the new color, or None."""
    dialog = window(_("Edit Color"), (_("_Cancel"), Gtk.ResponseType.CANCEL), (_("_OK"), Gtk.ResponseType.OK))
    dialog.set_transient_for(parent)
    chooser = GimpUi.ColorSelection()
    chooser.set_show_alpha(False)
    for give in (chooser.set_old_color, chooser.set_color):
        give(Gegl.Color.new(color))
    dialog.get_content_area().pack_start(chooser, True, True, 0)
    dialog.get_content_area().show()
    chooser.show()  # not show_all, which reveals all that it hides: every slider group, two rows of alpha
    answer = hex_of(chooser.get_color()) if dialog.run() == Gtk.ResponseType.OK else None
    dialog.destroy()
    return answer


def choose_gimp_palette(parent: Gtk.Window) -> tuple[str, tuple[str, ...]] | None:
    """One of GIMP's palettes from a list that can be searched: its name and colors, or None."""
    dialog = window(_("Use GIMP Palette"), (_("_Cancel"), Gtk.ResponseType.CANCEL), (_("_Use"), Gtk.ResponseType.OK))
    dialog.set_transient_for(parent)
    dialog.set_default_size(460, 460)
    store = Gtk.ListStore(str, str, object, GdkPixbuf.Pixbuf)
    for palette in sorted(Gimp.palettes_get_list(""), key=lambda one: one.get_name().casefold()):
        store.append((palette.get_name(), str(palette.get_color_count()), palette, strip_of(palette_colors(palette))))
    search = Gtk.SearchEntry()
    kept = store.filter_new()
    kept.set_visible_func(lambda model, row, _data: search.get_text().casefold() in model[row][0].casefold())
    search.connect("search-changed", lambda _entry: kept.refilter())
    view = Gtk.TreeView(model=kept, headers_visible=True, enable_search=False)
    for index, name in enumerate((_("Palette"), _("Colors"))):
        cell = Gtk.CellRendererText(ellipsize=Pango.EllipsizeMode.END if index == 0 else Pango.EllipsizeMode.NONE)
        column = Gtk.TreeViewColumn(name, cell, text=index)
        column.set_expand(index == 0)
        view.append_column(column)
    view.append_column(Gtk.TreeViewColumn("", Gtk.CellRendererPixbuf(), pixbuf=3))
    view.connect("row-activated", lambda *_args: dialog.response(Gtk.ResponseType.OK))
    scrolled = Gtk.ScrolledWindow()
    scrolled.add(view)
    dialog.get_content_area().pack_start(search, False, False, 0)
    dialog.get_content_area().pack_start(scrolled, True, True, 0)
    dialog.show_all()
    chosen = _selected(view) if dialog.run() == Gtk.ResponseType.OK else None
    dialog.destroy()
    if chosen is None:
        return None
    return chosen.get_name(), palette_colors(chosen)


def strip_of(colors: Sequence[str]) -> GdkPixbuf.Pixbuf:
    """The colors of a palette side by side; of a long one, some from all of it."""
    some = [colors[place * len(colors) // _STRIP[0]] for place in range(_STRIP[0])] if colors else []
    width, height = _STRIP[0] * _STRIP[1], _STRIP[2]
    row = b"".join(bytes(int(one[at : at + 2], 16) for at in (1, 3, 5)) * _STRIP[1] for one in some)
    pixels = GLib.Bytes.new((row or bytes(width * 3)) * height)
    return GdkPixbuf.Pixbuf.new_from_bytes(pixels, GdkPixbuf.Colorspace.RGB, False, 8, width, height, width * 3)


def _selected(view: Gtk.TreeView) -> Any:
    model, row = view.get_selection().get_selected()
    return model[row][2] if row is not None else None


def save_gimp_palette(name: str, colors: Sequence[str]) -> str:
    """Keep colors as a palette of GIMP's, in its file at once; the name it got, for GIMP makes it unique."""
    palette = Gimp.Palette.new(name)
    palette.set_columns(len(colors) if len(colors) <= 16 else 8)
    for color in colors:
        palette.add_entry(color, Gegl.Color.new(color))
    name = palette.get_name()
    Gimp.palettes_refresh()  # writes what has changed, which else would wait for GIMP's end
    return name


def open_in_browser(page: Path) -> None:
    """Show a page of this machine in the user's browser; where there is none, only the log says so."""
    try:
        Gio.AppInfo.launch_default_for_uri(page.resolve().as_uri(), None)
    except GLib.Error as error:
        log.warning("no browser: %s", error.message)
