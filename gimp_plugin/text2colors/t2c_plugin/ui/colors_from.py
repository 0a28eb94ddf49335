"""*Colors from*: one tab for each source that the engine announces. Knows no source by name but the first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gtk  # noqa: E402

from t2c_plugin.texts import _  # noqa: E402
from t2c_plugin.ui.palette_rows import NOTHING, PALETTE, WORDS, PaletteRow  # noqa: E402
from t2c_plugin.ui.sources.base import ColorSource, Desk  # noqa: E402
from t2c_plugin.ui.sources.look import LookSource  # noqa: E402
from t2c_plugin.ui.sources.nothing import NothingSource  # noqa: E402
from t2c_plugin.ui.sources.palette import PaletteSource  # noqa: E402
from t2c_plugin.ui.sources.reference import ReferenceSource  # noqa: E402
from t2c_plugin.ui.sources.words import WordsSource  # noqa: E402
from t2c_plugin.ui.windows import label  # noqa: E402

_ALWAYS: Mapping[str, Mapping[str, Any]] = {WORDS: {}, PALETTE: {}, NOTHING: {}}  # engines that announce nothing


def all_sources(desk: Desk) -> list[ColorSource]:
    """Every source that the plug-in knows, in the tabs' order."""
    return [
        WordsSource(desk),
        PaletteSource(desk),
        ReferenceSource(desk),
        NothingSource(desk),
        LookSource(desk),
    ]


class ColorsFrom(Gtk.Box):
    """The tabs, and below them the widgets of the one that is chosen; `target`, at the end, names what is colored."""

    def __init__(self, target: Gtk.Widget, on_switch: Callable[[ColorSource], None]) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        self._on_switch = on_switch
        self._tabs: dict[str, Gtk.RadioButton] = {}
        self._buttons = Gtk.Box()
        self._buttons.get_style_context().add_class("linked")
        self._stack = Gtk.Stack()
        top = Gtk.Box(spacing=12)
        top.pack_start(label(_("Colors from"), wrap=False), False, False, 0)
        top.pack_start(self._buttons, False, False, 0)
        top.pack_end(target, False, False, 0)
        self.pack_start(top, False, False, 0)
        self.pack_start(self._stack, False, False, 0)
        self.sources: list[ColorSource] = []

    def add_sources(self, sources: Sequence[ColorSource]) -> None:
        """Make a tab for each; before the engine's hello, those that every engine has are shown."""
        self.sources = list(sources)
        first = None
        for source in sources:
            tab = Gtk.RadioButton.new_with_mnemonic_from_widget(first, source.LABEL)
            tab.set_mode(False)  # drawn as a button
            tab.get_style_context().add_class("t2c-tab")
            tab.connect("toggled", self._on_toggled, source)
            first = first or tab
            self._tabs[source.NAME] = tab
            self._buttons.pack_start(tab, False, False, 0)
            source.widget.set_valign(Gtk.Align.START)
            self._stack.add_named(source.widget, source.NAME)
        self.show_all()
        self.announced({})

    def announced(self, hello: Mapping[str, Any]) -> None:
        """Show the sources that the engine has."""
        told = hello.get("sources")
        known = told if isinstance(told, dict) else _ALWAYS
        for source in self.sources:
            info = known.get(source.NAME)
            self._tabs[source.NAME].set_visible(info is not None)
            if isinstance(info, Mapping):
                source.announced(info)
        if not self._tabs[self.current.NAME].get_visible():
            self.choose(WORDS)

    @property
    def words(self) -> WordsSource:
        """The source with the phrase."""
        return next(source for source in self.sources if isinstance(source, WordsSource))

    @property
    def current(self) -> ColorSource:
        """The source whose tab is chosen."""
        return next(source for source in self.sources if self._tabs[source.NAME].get_active())

    def of(self, rows: Sequence[PaletteRow]) -> list[ColorSource]:
        """The sources that the rows come from."""
        return [source for source in self.sources if any(row.source == source.NAME for row in rows)]

    def choose(self, name: str) -> None:
        """Choose a tab."""
        self._tabs[name].set_active(True)

    def _on_toggled(self, tab: Gtk.RadioButton, source: ColorSource) -> None:
        if tab.get_active():
            self._stack.set_visible_child(source.widget)
            self._on_switch(source)
