"""Layers read: which one is to be coloured, its pixels, and the color hints over it. Nothing is changed here.

GIMP 2.10 gives Python 8 bits a channel, whatever the image's precision.
"""

import gimp
from gimpenums import GRAY, INDEXED, INTERPOLATION_LINEAR, MASK_DISCARD, RGB, RGBA_IMAGE
from t2c_plugin.shared.limits import FAINT, HINT_SIDE
from t2c_plugin.shared.palettes import RequestError

from t2c_legacy import results
from t2c_legacy.texts import to_text

try:
    from typing import Any, Optional, Tuple
except ImportError:  # Python 2.7 has no typing; the types stand in comments
    pass

pdb = gimp.pdb

GREY_IMAGE = u"A grey image holds no colors; use Image > Mode > RGB, then paint the color hints."


class Pixels(object):
    """Rows from the top without padding; `format` in the protocol's words ("Y u8", "RGB u8", "RGBA u8")."""

    def __init__(self, data, width, height, format):
        # type: (bytes, int, int, str) -> None
        self.data = data
        self.width = width
        self.height = height
        self.format = format


def target(image, drawable):
    # type: (gimp.Image, gimp.Drawable) -> gimp.Layer
    """The layer meant by a drawable; a layer's mask stands for the layer, one of our results for its original.

    Raises:
        RequestError: it cannot be coloured.
    """
    if image.base_type == INDEXED:
        raise RequestError(
            u"The image is indexed, which holds too few colors; convert it with Image > Mode > RGB and try again."
        )
    if drawable.is_layer_mask:
        drawable = pdb.gimp_layer_from_mask(drawable)  # type: ignore[assignment]
    name = to_text(drawable.name)
    if not isinstance(drawable, gimp.Layer):
        raise RequestError(u"'{}' is a channel, not a layer; select a layer and try again.".format(name))
    if drawable.image.ID != image.ID:
        raise RequestError(u"'{}' belongs to another image; give the image that holds it.".format(name))
    if results.is_result(drawable):  # its original is meant
        original = results.original_of(image, drawable)
        if original is None:
            words = u"'{}' is a result of Text2Colors whose original is no longer there; select a photograph's layer."
            raise RequestError(words.format(name))
        drawable = original
    if drawable.is_floating_sel:
        raise RequestError(u"The layer is a floating selection; anchor it (Layer > Anchor Layer) and try again.")
    if not pdb.gimp_selection_is_empty(image) and not selection_touches(image, drawable):
        raise RequestError(u"The selection does not touch the layer; move it, or use Select > None.")
    return drawable


def selection_touches(image, layer):
    # type: (gimp.Image, gimp.Layer) -> bool
    """Whether the selection's bounds and the layer overlap."""
    _, left, top, right, bottom = pdb.gimp_selection_bounds(image)
    x, y = layer.offsets
    return left < x + layer.width and x < right and top < y + layer.height and y < bottom


def read(layer):
    # type: (gimp.Layer) -> Pixels
    """A layer's pixels, without its opacity, mask and transparency; a group's or text layer's as rendered."""
    data = read_bytes(layer)
    channels = layer.bpp
    if channels in (2, 4):  # the last is opacity
        data = data[0::2] if channels == 2 else without_alpha(data)
    return Pixels(data, layer.width, layer.height, "Y u8" if layer.is_gray else "RGB u8")


def read_bytes(drawable):
    # type: (Any) -> bytes
    """All samples of a drawable."""
    width, height = drawable.width, drawable.height
    return drawable.get_pixel_rgn(0, 0, width, height, False, False)[0:width, 0:height]


def read_alpha(layer):
    # type: (gimp.Layer) -> Optional[bytes]
    """A layer's opacity, a byte a pixel; None when it has none or is opaque throughout."""
    if not layer.has_alpha:
        return None
    alpha = read_bytes(layer)[layer.bpp - 1 :: layer.bpp]
    return None if alpha.count(b"\xff") == len(alpha) else alpha


def without_alpha(data):
    # type: (bytes) -> bytes
    """RGB from RGBA."""
    colors = bytearray(len(data) // 4 * 3)
    for channel in range(3):
        colors[channel::3] = data[channel::4]
    return bytes(colors)


def with_alpha(data, alpha):
    # type: (bytes, bytes) -> bytes
    """RGBA from RGB and opacity."""
    mixed = bytearray(len(alpha) * 4)
    for channel in range(3):
        mixed[channel::4] = data[channel::3]
    mixed[3::4] = alpha
    return bytes(mixed)


def read_hints(hints, layer):
    # type: (gimp.Layer, gimp.Layer) -> Pixels
    """The color hints in the layer's rectangle, "RGBA u8", at most HINT_SIDE px long.

    What the hints do not reach is transparent. Their mask and opacity do not count.

    Raises:
        RequestError: the layer cannot hold dabs for this one, or has none over it.
    """
    name = to_text(hints.name)
    if hints.image.ID != layer.image.ID:
        raise RequestError(u"The color hints '{}' are in another image; choose a layer of this one.".format(name))
    if hints.ID == layer.ID:
        raise RequestError(u"'{}' is to be colored itself; paint the color hints on a layer of its own.".format(name))
    if layer.image.base_type == GRAY:
        raise RequestError(GREY_IMAGE)
    if not hints.has_alpha:
        raise RequestError(u"'{}' is opaque; paint the color hints on a new, transparent layer.".format(name))
    dabs = _over(hints, layer)
    if max(bytearray(dabs.data[3::4])) < FAINT:
        words = u"There is no color on '{}' over '{}'; paint hints there, or use no color hints."
        raise RequestError(words.format(name, to_text(layer.name)))
    return dabs


def _over(hints, layer):
    # type: (gimp.Layer, gimp.Layer) -> Pixels
    """The dabs cut to the layer's rectangle and made small, by GIMP, in an image that nobody sees."""
    (x, y), (left, top) = hints.offsets, layer.offsets
    scratch = gimp.Image(layer.width, layer.height, RGB)
    try:
        scratch.disable_undo()
        copy = pdb.gimp_layer_new_from_drawable(hints, scratch)
        pdb.gimp_image_insert_layer(scratch, copy, None, 0)
        if copy.mask is not None:
            copy.remove_mask(MASK_DISCARD)
        copy.resize(layer.width, layer.height, x - left, y - top)
        scale = HINT_SIDE / float(max(layer.width, layer.height))
        if scale < 1:
            size = [max(1, int(round(side * scale))) for side in (layer.width, layer.height)]
            copy.scale(size[0], size[1], True, INTERPOLATION_LINEAR)
        if copy.type != RGBA_IMAGE:
            raise RequestError(u"The color hints '{}' cannot be read.".format(to_text(hints.name)))
        return Pixels(read_bytes(copy), copy.width, copy.height, "RGBA u8")
    finally:
        gimp.delete(scratch)
