"""GIMP's colors as "#rrggbb". Must not import Gtk."""

from __future__ import annotations

import gi

gi.require_version("Babl", "0.1")
gi.require_version("Gegl", "0.4")
gi.require_version("Gimp", "3.0")
from gi.repository import Babl, Gegl, Gimp  # noqa: E402


def hex_of(color: Gegl.Color) -> str:
    """A color as "#rrggbb"; its own numbers are linear light and must not be used."""
    red, green, blue = color.get_bytes(Babl.format("R'G'B' u8")).get_data()[:3]
    return f"#{red:02x}{green:02x}{blue:02x}"


def palette_colors(palette: Gimp.Palette) -> tuple[str, ...]:
    """All colors of a palette of GIMP's."""
    return tuple(hex_of(color) for color in palette.get_colors())
