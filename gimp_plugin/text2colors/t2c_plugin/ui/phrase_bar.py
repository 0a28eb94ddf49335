"""Where the words are typed: the entry, chips of recent and example phrases, back and forward. No engine, no GIMP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gtk, Pango  # noqa: E402

from t2c_plugin.recent import EXAMPLES, recent_phrases  # noqa: E402
from t2c_plugin.request import PaletteAnswer  # noqa: E402
from t2c_plugin.texts import _  # noqa: E402
from t2c_plugin.ui.windows import name_it  # noqa: E402

_CHIPS = 5


@dataclass(frozen=True, slots=True)
class Drawn:
    """Palettes drawn once: for what, and which."""

    phrase: str
    count: int
    seed: int
    locked: tuple[tuple[int, str], ...]
    answer: PaletteAnswer


class History:
    """What has been drawn, to go back and forward in; what is drawn after going back replaces what was after."""

    def __init__(self) -> None:
        self._all: list[Drawn] = []
        self._place = -1

    @property
    def current(self) -> Drawn | None:
        """What is shown."""
        return self._all[self._place] if self._all else None

    def add(self, drawn: Drawn) -> None:
        """Something new is shown."""
        if drawn != self.current:
            self._all[self._place + 1 :] = [drawn]
            self._place = len(self._all) - 1

    def can_go(self, step: int) -> bool:
        """Whether there is something before (-1) or after (1)."""
        return 0 <= self._place + step < len(self._all)

    def go(self, step: int) -> Drawn | None:
        """Go there, if it can be gone to."""
        if self.can_go(step):
            self._place += step
        return self.current


class PhraseBar(Gtk.Box):
    """The entry with its buttons; below it the chips."""

    def __init__(self, on_draw: Callable[[], None], on_go: Callable[[int], None]) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        self._on_draw = on_draw
        self.entry = Gtk.Entry(placeholder_text=EXAMPLES[0], hexpand=True)
        self.entry.get_style_context().add_class("t2c-phrase")
        self.entry.connect("activate", lambda _entry: on_draw())
        name_it(self.entry, _("Phrase"))
        show = Gtk.Button.new_with_mnemonic(_("Show _Palettes"))
        show.set_tooltip_text(_("Draw palettes for the phrase (Enter)"))
        show.connect("clicked", lambda _button: on_draw())
        self.back = self._arrow("go-previous-symbolic", _("Palettes before (Alt+Left)"), lambda: on_go(-1))
        self.forward = self._arrow("go-next-symbolic", _("Palettes after (Alt+Right)"), lambda: on_go(1))
        line = Gtk.Box(spacing=6)
        line.pack_start(self.entry, True, True, 0)
        for widget in (show, self.back, self.forward):
            line.pack_start(widget, False, False, 0)
        self.pack_start(line, False, False, 0)
        self._chips = Gtk.Box(spacing=6)
        self.pack_start(self._chips, False, False, 0)
        self._fill([*recent_phrases(), *EXAMPLES])

    def add_beside_chips(self, widget: Gtk.Widget) -> None:
        """Put a setting of what is drawn at the end of the line of chips."""
        self._chips.pack_end(widget, False, False, 0)

    @property
    def phrase(self) -> str:
        """What is typed."""
        return self.entry.get_text().strip()

    def _fill(self, phrases: Sequence[str]) -> None:
        different = {one.casefold(): one for one in reversed(phrases)}
        for phrase in list(reversed(different.values()))[:_CHIPS]:
            chip = Gtk.Button(label=phrase, relief=Gtk.ReliefStyle.NONE)
            chip.get_child().set_ellipsize(Pango.EllipsizeMode.END)
            chip.get_child().set_max_width_chars(20)
            chip.get_style_context().add_class("t2c-chip")
            chip.connect("clicked", self._on_chip, phrase)
            self._chips.pack_start(chip, False, True, 0)

    def _on_chip(self, _button: Gtk.Button, phrase: str) -> None:
        self.entry.set_text(phrase)
        self._on_draw()

    def _arrow(self, icon: str, tooltip: str, act: Callable[[], None]) -> Gtk.Button:
        button = Gtk.Button.new_from_icon_name(icon, Gtk.IconSize.BUTTON)
        button.set_tooltip_text(tooltip)
        button.set_sensitive(False)
        button.connect("clicked", lambda _button: act())
        name_it(button, tooltip)
        return button
