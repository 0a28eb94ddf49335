"""The options below the swatches: number, seed, strength, device, result, preset. Gtk; knows nothing of the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gtk  # noqa: E402

from t2c_plugin.request import MAX_COUNT, MAX_SEED  # noqa: E402

DEVICES = (("auto", "Automatic"), ("cpu", "CPU"), ("cuda", "GPU (NVIDIA)"), ("mps", "GPU (Apple)"))
RESULTS = (("colour", "Color layers"), ("normal", "Normal layers"))
# name: strength; old prints are noisy and low in contrast, where the palette alone looks painted
PRESETS = (
    ("full", "Full palette", 1.0),
    ("old", "Old photograph (softer)", 0.65),
    ("touch", "A touch of the palette", 0.35),
    ("natural", "Natural colors", 0.0),
)


class Options(Gtk.Expander):
    """Values by the names of the procedure's arguments (`get`, `set`)."""

    def __init__(self, several_layers: bool) -> None:
        super().__init__(label="_Options", use_underline=True)
        self._count = Gtk.SpinButton.new_with_range(1, MAX_COUNT, 1)
        self._seed = Gtk.SpinButton.new_with_range(0, MAX_SEED, 1)
        for button in (self._count, self._seed):
            button.set_width_chars(6)
        self._strength = Gtk.Scale.new_with_range(Gtk.Orientation.HORIZONTAL, 0, 150, 1)
        self._strength.set_value_pos(Gtk.PositionType.RIGHT)
        self._strength.set_hexpand(True)
        self._strength.set_tooltip_text("0: natural colors without the palette; 100: the palette's; above it stronger")
        self._device = _combo(DEVICES)
        self._result = _combo(RESULTS)
        self._preset = _combo([(nick, text) for nick, text, _ in PRESETS])
        self._same = Gtk.CheckButton.new_with_mnemonic("Same p_alettes for all layers")
        self._preset.connect("changed", self._on_preset)
        self._strength.connect("value-changed", self._on_strength)

        grid = Gtk.Grid(row_spacing=6, column_spacing=12, margin_top=8)
        rows: list[tuple[tuple[str, Gtk.Widget], ...]] = [
            (("_Number of palettes", self._count), ("S_eed", self._seed)),
            (("Prese_t", self._preset), ("Strengt_h, %", self._strength)),
            (("_Device", self._device), ("Resu_lt", self._result)),
        ]
        for top, pairs in enumerate(rows):
            for left, (text, widget) in enumerate(pairs):
                name = Gtk.Label.new_with_mnemonic(text)
                name.set_mnemonic_widget(widget)
                name.set_xalign(0.0)
                grid.attach(name, left * 2, top, 1, 1)
                grid.attach(widget, left * 2 + 1, top, 1, 1)
        if several_layers:
            grid.attach(self._same, 0, len(rows), 4, 1)
        self.add(grid)

    def on_change(self, palettes: Callable[..., None], pictures: Callable[..., None]) -> None:
        """What to call when options change that ask for other palettes, and those that color otherwise."""
        for button in (self._seed, self._count):
            button.connect("value-changed", palettes)
        self._strength.connect("value-changed", pictures)
        self._device.connect("changed", pictures)

    def get(self) -> dict[str, Any]:
        """All values."""
        return {
            "count": self._count.get_value_as_int(),
            "seed": self._seed.get_value_as_int(),
            "strength": self._strength.get_value() / 100,
            "device": self._device.get_active_id(),
            "result-mode": self._result.get_active_id(),
            "same-palettes": self._same.get_active(),
        }

    def set(self, values: dict[str, Any]) -> None:
        """Show these values."""
        self._count.set_value(values["count"])
        self._seed.set_value(values["seed"])
        self._strength.set_value(round(values["strength"] * 100))
        self._device.set_active_id(values["device"] or "auto")
        self._result.set_active_id(values["result-mode"] or "colour")
        self._same.set_active(bool(values["same-palettes"]))

    def next_seed(self) -> None:
        """Go to the next seed, for other palettes that can be had again."""
        self._seed.set_value((self._seed.get_value_as_int() + 1) % (MAX_SEED + 1))

    def _on_preset(self, combo: Gtk.ComboBoxText) -> None:
        for nick, _, strength in PRESETS:
            if nick == combo.get_active_id():
                self._strength.set_value(strength * 100)

    def _on_strength(self, scale: Gtk.Scale) -> None:
        matching = [nick for nick, _, strength in PRESETS if round(strength * 100) == round(scale.get_value())]
        self._preset.set_active_id(matching[0] if matching else None)


def _combo(choices: Sequence[tuple[str, str]]) -> Gtk.ComboBoxText:
    combo = Gtk.ComboBoxText()
    for nick, text in choices:
        combo.append(nick, text)
    combo.set_active(0)
    return combo
