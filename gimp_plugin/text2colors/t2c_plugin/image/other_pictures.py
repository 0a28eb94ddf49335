"""Pictures besides the layers to be colored, such as references: read by what stands for them in a coloring.

{"file": PATH} is a picture file, {"layer": ID} a layer of any open image. Must not import the client or Gtk. No GIMP,
GEGL or babl call at module level.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import gi

gi.require_version("Gimp", "3.0")
from gi.repository import Gimp, Gio, GLib  # noqa: E402

from t2c_plugin.image import layers  # noqa: E402
from t2c_plugin.pixels import Pixels  # noqa: E402
from t2c_plugin.request import RequestError, format_extra, is_picture, parse_extra  # noqa: E402

_SIDE = 1024  # px; more of a reference is not looked at


def read_all(extras: Iterable[str]) -> dict[str, Pixels]:
    """The pictures that the `extra` of colorings speak of, by `format_extra` of what stands for them.

    Raises:
        RequestError: one cannot be read.
    """
    found: dict[str, Pixels] = {}
    for extra in extras:
        for value in parse_extra(extra).values():
            if is_picture(value) and format_extra(value) not in found:
                found[format_extra(value)] = read(value)
    return found


def read(told: dict[str, Any]) -> Pixels:
    """One picture, "RGB u8", at most `_SIDE` px a side.

    Raises:
        RequestError: the file cannot be read, or the layer is no longer there.
    """
    if "file" in told:
        return _read_file(str(told["file"]))
    layer = Gimp.Layer.get_by_id(told["layer"]) if isinstance(told["layer"], int) else None
    if layer is None or not layer.is_valid():
        raise RequestError("The layer that colors were taken from is no longer there; choose another picture.")
    return layers.small_rgb(layers.read(layer, exact=False), _SIDE)


def _read_file(path: str) -> Pixels:
    try:
        image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(path))
    except GLib.Error as error:
        raise RequestError(f"The picture {path} cannot be read ({error.message}).") from error
    if image is None:
        raise RequestError(f"The picture {path} cannot be read; choose another one.")
    try:
        image.flatten()
        return layers.small_rgb(layers.read(image.get_layers()[0], exact=False), _SIDE)
    finally:
        image.delete()
