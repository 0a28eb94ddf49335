"""The drop-down of the layer with dabs of color. Gtk; knows nothing of the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gimp, Gtk, Pango  # noqa: E402

from t2c_plugin.image import hints  # noqa: E402
from t2c_plugin.pixels import Pixels  # noqa: E402

_NONE = "0"  # no layer has this number
_HELP = "A transparent layer with dabs of color: the result has these colors there, and what belongs to a dab follows"
_NO_LAYER = "Paint dabs of color on a new, transparent layer above the picture, then choose it here"


class HintChooser(Gtk.Box):
    """None, or one of the image's other layers.

    Args:
        chosen: the layer to begin with, if it can be chosen.
        on_change: called when the user chooses another one.
    """

    def __init__(
        self,
        image: Gimp.Image,
        originals: Sequence[Gimp.Layer],
        chosen: Gimp.Layer | None,
        on_change: Callable[[], None],
    ) -> None:
        super().__init__(spacing=12)
        self._image, self._originals = image, list(originals)
        self._layers: dict[str, Gimp.Layer] = {}
        self._shown: list[tuple[str, str]] = []
        self._quiet = False
        self._combo = Gtk.ComboBoxText(hexpand=True)
        for cell in self._combo.get_cells():
            cell.set_property("ellipsize", Pango.EllipsizeMode.END)
        name = Gtk.Label.new_with_mnemonic("Color h_ints layer")
        name.set_mnemonic_widget(self._combo)
        self.pack_start(name, False, False, 0)
        self.pack_start(self._combo, True, True, 0)
        self._combo.connect("changed", lambda _: self._quiet or on_change())
        self.refresh()
        self._quiet = True
        if chosen is not None:
            self._combo.set_active_id(str(chosen.get_id()))  # nothing happens if it is not there
        self._quiet = False

    @property
    def layer(self) -> Gimp.Layer | None:
        """The layer chosen."""
        return self._layers.get(self._combo.get_active_id() or _NONE)

    def read(self) -> list[Pixels | None]:
        """The chosen layer's dabs over each layer to be colored.

        Raises:
            RequestError: as `hints.read`.
        """
        return [None] * len(self._originals) if self.layer is None else hints.read(self.layer, self._originals)

    def read_first(self) -> Pixels | None:
        """The chosen layer's dabs over the first layer to be colored, the one that previews show.

        Raises:
            RequestError: as `hints.read`; several layers need not have dabs on the first.
        """
        if self.layer is None or len(self._originals) == 1:
            return self.read()[0]
        hints.check(self.layer, self._originals)
        return hints.over(self.layer, self._originals[0])

    def refresh(self) -> None:
        """Take in what has happened to the image's layers."""
        grey = self._image.get_base_type() == Gimp.ImageBaseType.GRAY
        found = [] if grey else hints.choices(self._image, self._originals)
        shown = [(_NONE, "None"), *((str(layer.get_id()), layer.get_name()) for layer in found)]
        if shown == self._shown:
            return
        before = self._combo.get_active_id() or _NONE
        self._layers = {str(layer.get_id()): layer for layer in found}
        self._shown = shown
        self._quiet = True
        self._combo.remove_all()
        for number, text in shown:
            self._combo.append(number, text)
        self._combo.set_active_id(before if before in self._layers else _NONE)
        self._quiet = False
        self._combo.set_sensitive(bool(found))
        self.set_tooltip_text(hints.GREY_IMAGE if grey else _HELP if found else _NO_LAYER)
