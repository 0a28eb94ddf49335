"""Color hints: the layers that may hold them, and what of one lies over the layers to be colored.

Must not import the client or Gtk. No GIMP, GEGL or babl call at module level.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("GdkPixbuf", "2.0")
from gi.repository import GdkPixbuf, Gimp, GLib  # noqa: E402

from t2c_plugin.image.layers import read_bytes  # noqa: E402
from t2c_plugin.image.results import is_result  # noqa: E402
from t2c_plugin.pixels import Pixels  # noqa: E402
from t2c_plugin.request import RequestError  # noqa: E402
from t2c_plugin.shared.limits import FAINT, HINT_SIDE  # noqa: E402

_KEPT = "text2colors-hints"  # name under which GIMP keeps with an image which layer had the hints
GREY_IMAGE = "A grey image holds no colors; use Image > Mode > RGB, then paint the color hints."


def choices(image: Gimp.Image, originals: Sequence[Gimp.Layer]) -> list[Gimp.Layer]:
    """The layers that may hold hints, from the top: not those to be colored, groups around them, and our results."""
    taken: set[int] = set()
    for item in originals:
        while item is not None:
            taken.add(item.get_id())
            item = item.get_parent()
    return [layer for layer in _without_results(image.get_layers()) if layer.get_id() not in taken]


def _without_results(layers: Sequence[Gimp.Layer]) -> Iterator[Gimp.Layer]:
    for layer in layers:
        if not is_result(layer):
            yield layer
            if layer.is_group():
                yield from _without_results(layer.get_children())


def remember(image: Gimp.Image, hints: Gimp.Layer | None) -> None:
    """Keep with the image which layer has its hints, or that none has, for the next time; can be undone."""
    if hints is not None:
        flags = Gimp.PARASITE_PERSISTENT | Gimp.PARASITE_UNDOABLE
        image.attach_parasite(Gimp.Parasite.new(_KEPT, flags, list(str(hints.get_tattoo()).encode("ascii"))))
    elif image.get_parasite(_KEPT) is not None:
        image.detach_parasite(_KEPT)


def remembered(image: Gimp.Image, originals: Sequence[Gimp.Layer]) -> Gimp.Layer | None:
    """The layer that had the hints when the image was last colored, if it may have them now."""
    kept = image.get_parasite(_KEPT)
    if kept is None:
        return None
    tattoo = bytes(kept.get_data()).rstrip(b"\0").decode("ascii", "replace")
    return next((layer for layer in choices(image, originals) if str(layer.get_tattoo()) == tattoo), None)


def read(hints: Gimp.Layer, originals: Sequence[Gimp.Layer]) -> list[Pixels | None]:
    """The hints over each layer; None where there are none.

    Raises:
        RequestError: the layer cannot hold hints for these layers, or has none over any of them.
    """
    check(hints, originals)
    found = [over(hints, layer) for layer in originals]
    if not any(found):
        where = f"'{originals[0].get_name()}'" if len(originals) == 1 else "the layers to be colored"
        raise RequestError(
            f"There is no color on '{hints.get_name()}' over {where}; paint hints there, or use no color hints."
        )
    return found


def check(hints: Gimp.Layer, originals: Sequence[Gimp.Layer]) -> None:
    """Whether the layer can hold hints for these layers.

    Raises:
        RequestError: it cannot.
    """
    if not hints.is_valid():
        raise RequestError("The layer of color hints is no longer there; choose another one, or none.")
    name = hints.get_name()
    if hints.get_image().get_id() != originals[0].get_image().get_id():
        raise RequestError(f"The color hints '{name}' are in another image; choose a layer of this one.")
    if any(hints.get_id() == layer.get_id() for layer in originals):
        raise RequestError(f"'{name}' is to be colored itself; paint the color hints on a layer of their own.")
    if hints.is_gray():
        raise RequestError(GREY_IMAGE)
    if not hints.has_alpha():
        raise RequestError(f"'{name}' is opaque; paint the color hints on a new, transparent layer.")


def over(hints: Gimp.Layer, layer: Gimp.Layer) -> Pixels | None:
    """The hints in a layer's rectangle, "RGBA u8", at most HINT_SIDE px long; None when there are none.

    What the hints do not reach is transparent. Their mask and opacity do not count.
    """
    (_, left, top), (_, own_left, own_top) = layer.get_offsets(), hints.get_offsets()
    width, height = layer.get_width(), layer.get_height()
    pixels = read_bytes(hints, "RGBA", "u8", (left - own_left, top - own_top, width, height))
    picture = _shrunk(pixels, width, height)
    return picture if max(picture.pixels[3::4]) >= FAINT else None


def _shrunk(pixels: bytes, width: int, height: int) -> Pixels:
    scale = HINT_SIDE / max(width, height)
    if scale < 1:
        # colors count by their opacity there, so that the edges of hints keep theirs
        source = GdkPixbuf.Pixbuf.new_from_bytes(
            GLib.Bytes.new(pixels), GdkPixbuf.Colorspace.RGB, True, 8, width, height, width * 4
        )
        width, height = max(1, round(width * scale)), max(1, round(height * scale))
        small = source.scale_simple(width, height, GdkPixbuf.InterpType.BILINEAR)
        if small is None:
            raise RequestError("There is not enough memory for the color hints; close other images and try again.")
        pixels = small.read_pixel_bytes().get_data()
    return Pixels(pixels, width, height, "RGBA u8")
