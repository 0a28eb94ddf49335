"""Colors from a picture: a layer of any open image, or a file; a row for each that is chosen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Any

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gimp, Gtk, Pango  # noqa: E402

from t2c_plugin.image import other_pictures  # noqa: E402
from t2c_plugin.request import (  # noqa: E402
    REFERENCE,
    Coloring,
    Record,
    RequestError,
    format_extra,
    is_picture,
    parse_extra,
    reference_extra,
)
from t2c_plugin.texts import _  # noqa: E402
from t2c_plugin.ui.preview import Thumbnail, pixbuf_of  # noqa: E402
from t2c_plugin.ui.sources.base import ColorSource, line  # noqa: E402

_THUMBNAIL = (64, 48)  # px
_NONE = "0"  # no layer has this number


class ReferenceSource(ColorSource):
    """A list of layers, a button for a file, and the picture chosen last, small."""

    NAME, LABEL = REFERENCE, _("A Pic_ture")

    def build(self) -> Gtk.Widget:
        self._found: list[tuple[Coloring, str]] = []
        self._quiet = False
        self._layers = Gtk.ComboBoxText(hexpand=True)
        self._layers.set_tooltip_text(_("Take the colors of this layer"))
        for cell in self._layers.get_cells():
            cell.set_property("ellipsize", Pango.EllipsizeMode.END)
        self._layers.connect("changed", lambda _combo: self._quiet or self._use_layer())
        self._file = Gtk.FileChooserButton(title=_("Take the Colors of a Picture"), width_chars=18)
        self._file.set_tooltip_text(_("Take the colors of this file"))
        images = Gtk.FileFilter()
        images.set_name(_("Pictures"))
        images.add_pixbuf_formats()
        self._file.add_filter(images)
        self._file.connect("file-set", lambda _button: self._use_file())
        for widget, name in ((self._layers, _("Layer")), (self._file, _("File"))):
            accessible = widget.get_accessible()
            if accessible is not None:
                accessible.set_name(name)
        self._thumbnail = Thumbnail(*_THUMBNAIL)
        return line(self._layers, self._file, self._thumbnail)

    def chosen(self) -> None:
        self._list_layers()
        if self._found:
            self.desk.show(self.NAME, self._found)
        else:
            self.desk.say(_("Choose a layer or a file: the picture takes its colors where things are alike."))

    def focus(self) -> None:
        self._layers.grab_focus()

    def begin_with(self, record: Record) -> bool:
        told = parse_extra(record.extra).get(REFERENCE)
        return isinstance(told, dict) and is_picture(told) and self._use(told, record.title)

    def _list_layers(self) -> None:
        """Every layer of every open image, under a line that asks for one."""
        self._quiet = True
        self._layers.remove_all()
        self._layers.append(_NONE, _("A layer of an open image"))
        for image in Gimp.get_images():
            for layer in _flat(image.get_layers()):
                self._layers.append(str(layer.get_id()), f"{image.get_name()}: {layer.get_name()}")
        self._layers.set_active_id(_NONE)
        self._quiet = False

    def _use_layer(self) -> None:
        number = int(self._layers.get_active_id() or _NONE)
        layer = Gimp.Layer.get_by_id(number) if number else None
        if layer is not None:
            self._use({"layer": number}, layer.get_name())

    def _use_file(self) -> None:
        path = self._file.get_filename()
        if path:
            self._use({"file": path}, PurePath(path).stem)

    def _use(self, told: dict[str, Any], name: str) -> bool:
        """Read a picture and show a row for it; False, and an error, when it cannot be read."""
        try:
            pixels = other_pictures.read(told)
        except RequestError as error:
            self.desk.fail(error)
            return False
        self.desk.forget_error()
        self._thumbnail.show_picture(pixbuf_of(pixels))
        self.desk.engine.set_other(format_extra(told), pixels)
        coloring = Coloring((), reference_extra(told, name))
        self._found = [one for one in self._found if one[0] != coloring] + [(coloring, name)]
        self.desk.show(self.NAME, self._found, prefer=coloring)
        return True


def _flat(layers: Iterable[Gimp.Layer]) -> Iterator[Gimp.Layer]:
    """Layers, and those in groups."""
    for layer in layers:
        if layer.is_group():
            yield from _flat(layer.get_children())
        else:
            yield layer
