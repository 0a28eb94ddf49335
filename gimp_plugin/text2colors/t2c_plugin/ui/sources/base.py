"""The interface of a source of colors, and what of the dialog a source may use. See the package's docstring."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gtk  # noqa: E402

from t2c_plugin.request import Coloring, Record  # noqa: E402
from t2c_plugin.ui.engine_calls import EngineCalls  # noqa: E402
from t2c_plugin.ui.options import Options  # noqa: E402
from t2c_plugin.ui.palette_rows import PaletteList, PaletteRow  # noqa: E402


@dataclass(frozen=True, slots=True)
class Desk:
    """What of the dialog a source may use.

    Attributes:
        engine, list, options: the engine's calls, the rows, number and seed and device.
        say: a remark below the rows; `wait`: the same while something is waited for, "" ends it.
        fail: shows an error; `forget_error` puts it away.
        preview: fetches the previews of these rows, and of the large picture.
        refresh: lets those buttons be pressed that can do something now.
        window: the dialog's.
    """

    engine: EngineCalls
    list: PaletteList
    options: Options
    say: Callable[[str], None]
    wait: Callable[[str], None]
    fail: Callable[[Exception], None]
    forget_error: Callable[[], None]
    preview: Callable[[Sequence[PaletteRow]], None]
    refresh: Callable[[], None]
    window: Gtk.Window

    def show(
        self, source: str, found: Sequence[tuple[Coloring, str]], prefer: Coloring | None = None
    ) -> list[PaletteRow]:
        """Replace a source's rows by these colorings, each with its name, and fetch their previews."""
        rows = self.list.show_found(source, found, prefer)
        self.preview(rows)
        return rows


class ColorSource:
    """One tab of *Colors from*. Subclasses set NAME and LABEL, and make `widget` in `build`."""

    NAME = ""  # as the engine announces it
    LABEL = ""  # on the tab, with a mnemonic

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.widget = self.build()

    def build(self) -> Gtk.Widget:
        """The widgets of the tab."""
        raise NotImplementedError

    def announced(self, info: Mapping[str, Any]) -> None:
        """What the engine says of this source: its choices."""

    def chosen(self) -> None:
        """The tab is chosen: show what it has."""

    def focus(self) -> None:
        """Put the focus where the user begins."""

    def options_changed(self) -> None:
        """Number or seed have changed, and nothing more is changed for now."""

    @property
    def can_reroll(self) -> bool:
        """Whether other rows can be had."""
        return False

    def reroll(self) -> None:
        """Show other rows."""

    def can_go(self, step: int) -> bool:
        """Whether there are rows from before (-1) or after (1)."""
        return False

    def go(self, step: int) -> None:
        """Show the rows from before (-1) or after (1)."""

    def request_part(self) -> dict[str, Any]:
        """Fields of `Request` when rows of this source are chosen."""
        return {}

    @property
    def model(self) -> str:
        """Name of the model that has made its rows, for the record; "": none."""
        return ""

    def begin_with(self, record: Record) -> bool:
        """Show what a result was made with; False when it is not of this source."""
        return False


def button(text: str, act: Callable[[], None], tooltip: str) -> Gtk.Button:
    """A button with a mnemonic."""
    made = Gtk.Button.new_with_mnemonic(text)
    made.set_tooltip_text(tooltip)
    made.connect("clicked", lambda _button: act())
    return made


def line(*widgets: Gtk.Widget) -> Gtk.Box:
    """Widgets side by side; those that expand take the room that is left."""
    box = Gtk.Box(spacing=6)
    for widget in widgets:
        box.pack_start(widget, widget.get_hexpand(), widget.get_hexpand(), 0)
    return box
