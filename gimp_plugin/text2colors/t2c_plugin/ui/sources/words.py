"""Colors from words: a phrase, the palettes drawn for it, back and forward through them, re-rolls around locks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gtk  # noqa: E402

from t2c_plugin.recent import remember_phrase  # noqa: E402
from t2c_plugin.request import Record  # noqa: E402
from t2c_plugin.texts import _  # noqa: E402
from t2c_plugin.ui.options import combo  # noqa: E402
from t2c_plugin.ui.palette_rows import WORDS  # noqa: E402
from t2c_plugin.ui.phrase_bar import Drawn, History, PhraseBar  # noqa: E402
from t2c_plugin.ui.sources.base import ColorSource, line  # noqa: E402
from t2c_plugin.ui.swatches import SIZE  # noqa: E402
from t2c_plugin.ui.windows import mnemonic_label  # noqa: E402


class WordsSource(ColorSource):
    """The phrase's field, chips, and the history of what was drawn."""

    NAME, LABEL = WORDS, _("_Words")

    def build(self) -> Gtk.Widget:
        self._history = History()
        self._edited: Record | None = None
        self._listing = False  # while the styles are being listed anew
        self.bar = PhraseBar(self.draw, self.go)
        self._style = combo([("", _("None"))])
        self._style.set_tooltip_text(_("A style of your own, taught from palettes, for what is drawn"))
        self._style.connect("changed", lambda _combo: self._on_style())
        self._style_line = line(mnemonic_label(_("Styl_e"), self._style), self._style)
        for widget in self._style_line.get_children():
            widget.show()
        self._style_line.set_no_show_all(True)
        self.bar.add_beside_chips(self._style_line)
        return self.bar

    def announced(self, info: Mapping[str, Any]) -> None:
        """Offer the styles that the engine has; none are offered where there are none."""
        told = info.get("styles")
        names = [str(name) for name in told] if isinstance(told, list) else []
        before, self._listing = self.style, True
        self._style.remove_all()
        for name in ("", *names):
            self._style.append(name, name or _("None"))
        self._style.set_active_id(before if before in names else "")
        self._listing = False
        self._style_line.set_visible(bool(names))

    @property
    def style(self) -> str:
        """The style chosen; "" for none."""
        return self._style.get_active_id() or ""

    def _on_style(self) -> None:
        if not self._listing and self._history.current is not None:
            self.draw()

    def focus(self) -> None:
        self.bar.entry.grab_focus()

    def draw_params(self) -> dict[str, Any]:
        """What the engine is told besides phrase, number, seed and locks when it draws palettes."""
        return {"style": self.style} if self.style else {}

    def draw(self) -> None:
        """Draw palettes for the phrase."""
        phrase, desk = self.bar.phrase, self.desk
        if not phrase:
            desk.say(_("Type a phrase and press Enter."))
            self.focus()
            return
        values, locked = desk.options.get(), dict(desk.list.locks.colors)
        desk.forget_error()
        desk.wait(_("Drawing palettes..."))
        kept = tuple(sorted(locked.items()))
        desk.engine.draw(
            phrase,
            values["count"],
            values["seed"],
            locked,
            self.draw_params(),
            lambda answer: self._on_drawn(Drawn(phrase, values["count"], values["seed"], kept, answer)),
        )

    def options_changed(self) -> None:
        drawn, values = self._history.current, self.desk.options.get()
        if drawn is not None and (drawn.seed, drawn.count) != (values["seed"], values["count"]):
            self.draw()

    @property
    def can_reroll(self) -> bool:
        return self._history.current is not None

    def reroll(self) -> None:
        if len(self.desk.list.locks.colors) == SIZE:
            self.desk.say(_("All {count} colors are locked; unlock one to re-roll.").format(count=SIZE))
            return
        self.desk.options.set_seed(self.desk.options.get()["seed"] + 1)  # which draws

    def can_go(self, step: int) -> bool:
        return self._history.can_go(step)

    def go(self, step: int) -> None:
        drawn = self._history.go(step) if self._history.can_go(step) else None
        if drawn is not None:
            self.bar.entry.set_text(drawn.phrase)
            self.desk.options.set({**self.desk.options.get(), "count": drawn.count, "seed": drawn.seed})
            self._show(drawn)

    def request_part(self) -> dict[str, Any]:
        drawn = self._history.current
        return {} if drawn is None else {"phrase": drawn.phrase, "count": drawn.count, "style": self.style}

    @property
    def model(self) -> str:
        return self._history.current.answer.model if self._history.current is not None else ""

    def begin_with(self, record: Record) -> bool:
        if not record.phrase or record.extra:
            return False
        self._edited = record
        self.bar.entry.set_text(record.phrase)
        self.desk.list.locks.colors.update(dict(record.locked))
        return True

    def _on_drawn(self, drawn: Drawn) -> None:
        self._history.add(drawn)
        remember_phrase(drawn.phrase)
        self._show(drawn)

    def _show(self, drawn: Drawn) -> None:
        desk, edited = self.desk, self._edited
        desk.wait("")
        desk.say(drawn.answer.note or _("Click a row to choose it; a padlock keeps a color."))
        prefer = edited.palette if edited is not None and edited.palette else None
        desk.list.show_drawn(drawn.answer.palettes, prefer)
        if prefer is not None and all(row.palette != prefer for row in desk.list.rows):
            desk.list.add_own(prefer, _("Palette of the result"))
        self._edited = None
        desk.preview(desk.list.rows)
