"""Layers read: which of them are to be colored, and their pixels as the engine takes them.

Nothing is changed here; `insert` does that. Must not import the client or Gtk. No GIMP, GEGL or babl call at module
level: it would end the plug-in before it has registered.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
gi.require_version("GdkPixbuf", "2.0")
from gi.repository import GdkPixbuf, Gegl, Gimp, GLib  # noqa: E402

from t2c_plugin.image.results import is_result, original_of, siblings  # noqa: E402
from t2c_plugin.pixels import Pixels  # noqa: E402
from t2c_plugin.request import RequestError  # noqa: E402

STRIP_BYTES = 1 << 28  # a transfer with GIMP; it refuses 2 GiB
SAMPLE_BYTES = {"u8": 1, "u16": 2, "float": 4}

# our channels and sample -> babl's name; a name that babl does not know ends the process, so there are no others
BABL_FORMATS = {
    ("Y", "u8"): "Y' u8",
    ("Y", "u16"): "Y' u16",
    ("Y", "float"): "Y' float",
    ("RGB", "u8"): "R'G'B' u8",
    ("RGB", "u16"): "R'G'B' u16",
    ("RGB", "float"): "R'G'B' float",
    ("RGBA", "u8"): "R'G'B'A u8",
    ("RGBA", "u16"): "R'G'B'A u16",
    ("RGBA", "float"): "R'G'B'A float",
    ("A", "u8"): "A u8",
    ("A", "u16"): "A u16",
    ("A", "float"): "A float",
}

_LOOKED_AT = 20_000  # pixels
_GREY = 8  # of 255: more between the channels of a pixel is color
_TINTED = 0.02  # part of the pixels that may be colored in a picture that counts as grey

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Targets:
    """What a user has in mind: the layers to color, and the layer of hints that was selected in place of one."""

    originals: tuple[Gimp.Layer, ...]
    hint_layer: Gimp.Layer | None = None


def suggested(image: Gimp.Image, drawables: Sequence[Gimp.Drawable], open_groups: bool) -> Targets:
    """As `targets`; but one layer that seems to hold color hints stands for the picture below it.

    Raises:
        RequestError: as `targets`.
    """
    found = targets(image, drawables, open_groups)
    below = picture_below(image, found[0]) if len(found) == 1 and not found[0].is_group() else None
    if below is None:
        return Targets(tuple(found))
    return Targets(tuple(targets(image, [below], open_groups)), found[0])


def picture_below(image: Gimp.Image, layer: Gimp.Layer) -> Gimp.Layer | None:
    """The picture that a layer seems to hold color hints for; None when the layer is a picture itself.

    A layer of hints is transparent for the most part, and lies over a layer that is not.
    """
    if not _is_sparse(layer):
        return None
    beside = siblings(image, layer)
    place = next(number for number, one in enumerate(beside) if one.get_id() == layer.get_id())
    below = (one for one in beside[place + 1 :] if not is_result(one))
    return next((one for one in below if not _is_sparse(one)), None)


def _is_sparse(layer: Gimp.Layer) -> bool:
    """Whether at least half of a painted layer is transparent."""
    if not layer.has_alpha() or layer.is_group() or layer.is_text_layer():
        return False
    alpha = read_bytes(layer, "A", "u8")
    sample = alpha[:: max(1, len(alpha) // 1_000_003)]
    return sample.count(0) * 2 >= len(sample)


def targets(image: Gimp.Image, drawables: Sequence[Gimp.Drawable], open_groups: bool) -> list[Gimp.Layer]:
    """The layers meant by the drawables, each once, from the top as given. One of our results means its original.

    Args:
        open_groups: a group stands for the layers in it; otherwise it is one picture.

    Raises:
        RequestError: a drawable is no layer, is of another image or a floating selection, or nothing is left.
    """
    found: dict[int, Gimp.Layer] = {}
    for drawable in drawables:
        if drawable.get_image().get_id() != image.get_id():
            raise RequestError(
                f"'{drawable.get_name()}' belongs to another image, '{drawable.get_image().get_name()}'; "
                f"give the image that holds it."
            )
        for layer in _layers_of(image, drawable, open_groups):
            found.setdefault(layer.get_id(), layer)
    if not found:
        raise RequestError("There is no layer to color; select one in the Layers dialog.")
    layers = list(found.values())
    if not Gimp.Selection.is_empty(image):
        layers = [layer for layer in layers if layer.mask_intersect()[0]]
        if not layers:
            raise RequestError("The selection does not touch the layer; move it, or use Select > None.")
    return layers


def _layers_of(image: Gimp.Image, drawable: Gimp.Drawable, open_groups: bool) -> Iterable[Gimp.Layer]:
    if drawable.is_layer_mask():
        drawable = Gimp.Layer.from_mask(drawable)
    if not drawable.is_layer():
        raise RequestError(f"'{drawable.get_name()}' is a channel, not a layer; select a layer and try again.")
    if is_result(drawable):  # its original is meant, which undo and redo may have deselected
        original = original_of(image, drawable)
        if original is None:
            raise RequestError(
                f"'{drawable.get_name()}' is a result of Text2Colors whose original is no longer there; "
                "select a photograph's layer and try again."
            )
        drawable = original
    if drawable.is_floating_sel():
        raise RequestError("The layer is a floating selection; anchor it (Layer > Anchor Layer) and try again.")
    if drawable.is_group() and open_groups:
        for child in drawable.get_children():
            if not is_result(child):
                yield from _layers_of(image, child, open_groups)
    else:
        yield drawable


def needs_consent(image: Gimp.Image) -> bool:
    """Whether coloring would change the image's mode in a way that the user must agree to (indexed to RGB)."""
    return image.get_base_type() == Gimp.ImageBaseType.INDEXED


def sample_of(image: Gimp.Image) -> str:
    """The sample type that holds the image's precision: "u8", "u16" or "float"."""
    nick = image.get_precision().value_nick
    if nick.startswith("u8"):
        return "u8"
    return "u16" if nick.startswith("u16") else "float"


def read(layer: Gimp.Layer, exact: bool) -> Pixels:
    """A layer's pixels, without its mask, opacity and offset; a group's or text layer's as rendered.

    Args:
        exact: in the image's precision, for a result that replaces the pixels; 8 bits are enough to find colors for.

    Raises:
        RequestError: GIMP gives other than the bytes asked for.
    """
    channels = "Y" if layer.is_gray() else "RGB"
    sample = sample_of(layer.get_image()) if exact else "u8"
    pixels = read_bytes(layer, channels, sample)
    return Pixels(pixels, layer.get_width(), layer.get_height(), f"{channels} {sample}")


def small_rgb(picture: Pixels, side: int) -> Pixels:
    """A picture of 8-bit samples as "RGB u8", at most so many pixels a side.

    Raises:
        RequestError: there is not enough memory.
    """
    # every so many pixels first, twice as many as wanted, for the whole of a large scan would take a second
    step = max(1, max(picture.width, picture.height) // (2 * side))
    channels = len(picture.channels)
    width, height = -(-picture.width // step), -(-picture.height // step)
    rows = memoryview(picture.pixels)
    row_bytes = picture.width * channels
    sampled = [
        b"".join(
            rows[y * row_bytes : (y + 1) * row_bytes][channel :: step * channels].tobytes()
            for y in range(0, picture.height, step)
        )
        for channel in range(channels)
    ]
    mixed = bytearray(width * height * 3)
    for channel in range(3):
        mixed[channel::3] = sampled[channel % channels]
    pixbuf = GdkPixbuf.Pixbuf.new_from_bytes(
        GLib.Bytes.new(bytes(mixed)), GdkPixbuf.Colorspace.RGB, False, 8, width, height, width * 3
    )
    scale = min(1.0, side / max(width, height))
    wide, high = max(1, round(width * scale)), max(1, round(height * scale))
    small = pixbuf.scale_simple(wide, high, GdkPixbuf.InterpType.BILINEAR)
    if small is None:
        raise RequestError("There is not enough memory for a preview; close other images and try again.")
    stride, data = small.get_rowstride(), small.get_pixels()
    lines = (data[y * stride : y * stride + wide * 3] for y in range(high))
    return Pixels(b"".join(lines), wide, high, "RGB u8")


def looks_grey(picture: Pixels) -> bool:
    """Whether an "RGB u8" picture has no color to speak of, as a photograph that was scanned in color has not."""
    red, green, blue = (picture.pixels[channel::3] for channel in range(3))
    some = range(0, len(red), max(1, len(red) // _LOOKED_AT))
    apart = sum(max(red[at], green[at], blue[at]) - min(red[at], green[at], blue[at]) > _GREY for at in some)
    return apart <= len(some) * _TINTED


def selected_part(image: Gimp.Image, layer: Gimp.Layer, width: int, height: int) -> bytes | None:
    """How much each pixel of a layer is selected, one byte each, at another size; None when nothing is."""
    if Gimp.Selection.is_empty(image):
        return None
    _found, left, top = layer.get_offsets()
    wide, high = layer.get_width(), layer.get_height()
    mask = read_bytes(image.get_selection(), "Y", "u8", (left, top, wide, high))
    columns = [x * wide // width for x in range(width)]
    rows = (mask[(y * high // height) * wide :][:wide] for y in range(height))
    return b"".join(bytes(row[x] for x in columns) for row in rows)


def read_bytes(
    drawable: Gimp.Drawable, channels: str, sample: str, area: tuple[int, int, int, int] | None = None
) -> bytes:
    """All samples of a drawable, in strips.

    Args:
        channels, sample: a key of BABL_FORMATS.
        area: left, top, width and height in the drawable's pixels; all of it when left out. Outside of it all is 0.

    Raises:
        RequestError: GIMP gives other than the bytes asked for.
    """
    left, top, width, height = area or (0, 0, drawable.get_width(), drawable.get_height())
    row_bytes = width * len(channels) * SAMPLE_BYTES[sample]
    rows = max(1, STRIP_BYTES // row_bytes)
    buffer = drawable.get_buffer()
    strips = []
    for row in range(0, height, rows):
        count = min(rows, height - row)
        rectangle = Gegl.Rectangle.new(left, top + row, width, count)
        strips.append(buffer.get(rectangle, 1.0, BABL_FORMATS[channels, sample], Gegl.AbyssPolicy.NONE))
        if len(strips[-1]) != row_bytes * count:
            raise RequestError(f"GIMP did not give all pixels of '{drawable.get_name()}'; try again.")
    return strips[0] if len(strips) == 1 else b"".join(strips)
