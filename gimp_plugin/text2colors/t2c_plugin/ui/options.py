"""What is set besides the palettes: sliders in plain sight, and the rest behind a button. Knows nothing of the engine.

Values go by the names of the procedure's arguments (`get`, `set`). A further slider is one more entry of SLIDERS.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gtk  # noqa: E402

from t2c_plugin.request import COLOR_LAYERS, MAX_COUNT, MAX_SEED, NORMAL_LAYERS  # noqa: E402
from t2c_plugin.texts import _  # noqa: E402
from t2c_plugin.ui.windows import mnemonic_label  # noqa: E402
from t2c_plugin.wire import protocol  # noqa: E402

# name in requests (arguments have hyphens): label, tooltip, largest value; shown in per cent
SLIDERS = (
    (
        "strength",
        _("Strengt_h"),
        _("0: natural colors without the palette; 100: the palette's; above it stronger"),
        protocol.MAX_STRENGTH,
    ),
    ("natural", _("Natura_l"), _("How far skin, sky and leaves keep their natural color"), 1.0),
    (
        "hint_reach",
        _("Reach o_f hints"),
        _("How far hints spread over what looks alike; 0: only over the thing below them"),
        1.0,
    ),
)
HINTS = "hints"  # beside the sources
ALL_SOURCES = frozenset().union(*protocol.OPTION_SOURCES.values())
SOFT_STRENGTH = 0.65  # for old photographs, which are noisy and low in contrast: more of the palette looks painted
_DEVICE_NAMES = {"auto": _("Automatic"), "cpu": _("CPU"), "cuda": _("GPU (NVIDIA)"), "mps": _("GPU (Apple)")}
_RESULT_NAMES = {COLOR_LAYERS: _("Color layers"), NORMAL_LAYERS: _("Normal layers")}


class Sliders(Gtk.Grid):
    """The sliders side by side; `show_for` shows those that have an effect.

    Args:
        sources: what colors may come from, as the protocol names it (HINTS among it); others' options have no slider.
    """

    def __init__(self, sources: Collection[str] = ALL_SOURCES) -> None:
        super().__init__(column_spacing=8, row_spacing=2)
        self._scales: dict[str, Gtk.Scale] = {}
        self._labels: dict[str, Gtk.Label] = {}
        possible = [one for one in SLIDERS if protocol.OPTION_SOURCES[one[0]] & set(sources)]
        for place, (name, text, tooltip, largest) in enumerate(possible):
            scale = Gtk.Scale.new_with_range(Gtk.Orientation.HORIZONTAL, 0, largest * 100, 1)
            scale.set_value_pos(Gtk.PositionType.RIGHT)
            scale.set_hexpand(True)
            scale.set_tooltip_text(tooltip)
            if largest > 1:
                scale.add_mark(100, Gtk.PositionType.BOTTOM, None)
            label = mnemonic_label(text + ", %", scale)
            self.attach(label, 2 * place, 0, 1, 1)
            self.attach(scale, 2 * place + 1, 0, 1, 1)
            self._scales[name], self._labels[name] = scale, label
        self.show_all()
        self.set_no_show_all(True)

    def on_change(self, changed: Callable[..., None]) -> None:
        """What to call when a value changes."""
        for scale in self._scales.values():
            scale.connect("value-changed", changed)

    def show_for(self, sources: Collection[str]) -> None:
        """Show the sliders that have an effect on colors from one of these."""
        for name, scale in self._scales.items():
            shown = bool(protocol.OPTION_SOURCES[name] & set(sources))
            for widget in (self._labels[name], scale):
                widget.set_visible(shown)

    @property
    def names(self) -> tuple[str, ...]:
        """What the sliders set, as requests call it."""
        return tuple(self._scales)

    def get(self) -> dict[str, float]:
        """All values."""
        return {name: scale.get_value() / 100 for name, scale in self._scales.items()}

    def set(self, values: dict[str, Any]) -> None:
        """Show these values."""
        for name, scale in self._scales.items():
            scale.set_value(round(values[name] * 100))


class Options(Gtk.MenuButton):
    """Number, seed, device, result, in a popover, so that the list keeps its room."""

    def __init__(self, several_layers: bool) -> None:
        super().__init__(label=_("_Options"), use_underline=True)
        self._count = Gtk.SpinButton.new_with_range(1, MAX_COUNT, 1)
        self._seed = Gtk.SpinButton.new_with_range(0, MAX_SEED, 1)
        for button in (self._count, self._seed):
            button.set_width_chars(8)
        self._device = combo([(nick, _DEVICE_NAMES[nick]) for nick in protocol.DEVICES])
        self._result = combo([(nick, _RESULT_NAMES[nick]) for nick in protocol.MODES])
        self._same = Gtk.CheckButton.new_with_mnemonic(_("Same p_alettes for all layers"))
        grid = Gtk.Grid(row_spacing=6, column_spacing=12, margin=12)
        rows: list[tuple[str, Gtk.Widget]] = [
            (_("_Number of palettes"), self._count),
            (_("S_eed"), self._seed),
            (_("_Device"), self._device),
            (_("Resu_lt"), self._result),
        ]
        for top, (text, widget) in enumerate(rows):
            grid.attach(mnemonic_label(text, widget), 0, top, 1, 1)
            grid.attach(widget, 1, top, 1, 1)
        if several_layers:
            grid.attach(self._same, 0, len(rows), 2, 1)
        grid.show_all()
        popover = Gtk.Popover()
        popover.add(grid)
        self.set_popover(popover)

    def on_change(self, palettes: Callable[..., None], pictures: Callable[..., None]) -> None:
        """What to call when options change that ask for other palettes, and those that color otherwise."""
        for button in (self._seed, self._count):
            button.connect("value-changed", palettes)
        self._device.connect("changed", pictures)

    def get(self) -> dict[str, Any]:
        """All values."""
        return {
            "count": self._count.get_value_as_int(),
            "seed": self._seed.get_value_as_int(),
            "device": self._device.get_active_id(),
            "result-mode": self._result.get_active_id(),
            "same-palettes": self._same.get_active(),
        }

    def set(self, values: dict[str, Any]) -> None:
        """Show these values."""
        self._count.set_value(values["count"])
        self._seed.set_value(values["seed"])
        self._device.set_active_id(values["device"] or protocol.DEVICES[0])
        self._result.set_active_id(values["result-mode"] or COLOR_LAYERS)
        self._same.set_active(bool(values["same-palettes"]))

    def set_seed(self, seed: int) -> None:
        """Go to a seed, for other palettes that can be had again."""
        self._seed.set_value(seed % (MAX_SEED + 1))


def combo(choices: Sequence[tuple[str, str]]) -> Gtk.ComboBoxText:
    """A drop-down of texts by their names; the first is chosen."""
    made = Gtk.ComboBoxText()
    for nick, text in choices:
        made.append(nick, text)
    made.set_active(0)
    return made
