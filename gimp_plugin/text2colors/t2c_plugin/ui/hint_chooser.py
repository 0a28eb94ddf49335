"""The drop-down of the layer with color hints, and a button that makes one. Gtk; knows nothing of the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gimp, Gtk, Pango  # noqa: E402

from t2c_plugin.image import hints  # noqa: E402
from t2c_plugin.pixels import Pixels  # noqa: E402
from t2c_plugin.texts import _  # noqa: E402
from t2c_plugin.ui.windows import mnemonic_label  # noqa: E402

_NONE = "0"  # no layer has this number
_HELP = _("Transparent layer with hints of color: results have these colors there, and what belongs to a hint follows")
_NO_LAYER = _("Paint hints of color on a new, transparent layer above the picture, then choose it here")


class HintChooser(Gtk.Box):
    """None, or one of the image's other layers.

    Args:
        chosen: the layer to begin with, if it can be chosen.
        on_change: called when the user chooses another one.
        on_new: called when the user wants a new layer for hints.
    """

    def __init__(
        self,
        image: Gimp.Image,
        originals: Sequence[Gimp.Layer],
        chosen: Gimp.Layer | None,
        on_change: Callable[[], object],
        on_new: Callable[[], None],
    ) -> None:
        super().__init__(spacing=12)
        self._image, self._originals = image, list(originals)
        self._layers: dict[str, Gimp.Layer] = {}
        self._shown: list[tuple[str, str]] = []
        self._quiet = False
        self._combo = Gtk.ComboBoxText(hexpand=True)
        for cell in self._combo.get_cells():
            cell.set_property("ellipsize", Pango.EllipsizeMode.END)
        name = mnemonic_label(_("Color h_ints"), self._combo)
        new = Gtk.Button.new_with_mnemonic(_("New Hints La_yer"))
        new.set_tooltip_text(_("A transparent layer to paint hints of the colors that you know; makes the image RGB"))
        new.connect("clicked", lambda _button: on_new())
        self.pack_start(name, False, False, 0)
        self.pack_start(self._combo, True, True, 0)
        self.pack_start(new, False, False, 0)
        self._combo.connect("changed", lambda _combo: self._quiet or on_change())
        self.refresh()
        self.choose(chosen)

    @property
    def layer(self) -> Gimp.Layer | None:
        """The layer chosen."""
        layer = self._layers.get(self._combo.get_active_id() or _NONE)
        return layer if layer is not None and layer.is_valid() else None

    def choose(self, layer: Gimp.Layer | None) -> None:
        """Choose a layer without telling; nothing happens if it cannot be chosen."""
        self._quiet = True
        if layer is not None:
            self._combo.set_active_id(str(layer.get_id()))
        self._quiet = False

    def read_first(self) -> Pixels | None:
        """The chosen layer's hints over the first layer to be colored, which previews show; None while it has none.

        Raises:
            RequestError: the layer cannot hold hints.
        """
        if self.layer is None:
            return None
        hints.check(self.layer, self._originals)
        return hints.over(self.layer, self._originals[0])

    def refresh(self) -> None:
        """Take in what has happened to the image's layers."""
        grey = self._image.get_base_type() == Gimp.ImageBaseType.GRAY
        found = [] if grey else hints.choices(self._image, self._originals)
        shown = [(_NONE, _("None")), *((str(layer.get_id()), layer.get_name()) for layer in found)]
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
