"""Results into the image: one group a layer, one layer a palette, all in one undo step.

Called only with complete results, so that nothing half-made can stay behind. Must not import the client or Gtk. No
GIMP, GEGL or babl call at module level.
"""

from __future__ import annotations

import array
import logging
from collections.abc import Iterator, Sequence

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
gi.require_version("GdkPixbuf", "2.0")
from gi.repository import GdkPixbuf, Gegl, Gimp, GLib  # noqa: E402

from t2c_plugin.image import hints, results  # noqa: E402
from t2c_plugin.image.layers import BABL_FORMATS, SAMPLE_BYTES, read_bytes  # noqa: E402
from t2c_plugin.pixels import Pixels  # noqa: E402
from t2c_plugin.request import COLOR_LAYERS, Record, RequestError, Result  # noqa: E402
from t2c_plugin.shared import palettes  # noqa: E402

STRIP_BYTES = 1 << 25  # small strips: GdkPixbuf's bytes are copied once on their way
_ARRAY_TYPES = {"u8": "B", "u16": "H", "float": "f"}

log = logging.getLogger(__name__)


def insert(
    image: Gimp.Image, colored: Sequence[tuple[Gimp.Layer, Sequence[Result]]], hint_layer: Gimp.Layer | None = None
) -> list[Gimp.Layer]:
    """Put the results above their layers; returns the new layers, those of the first original first.

    A new group lies on the earlier results of its layer, which are hidden, for they would show through. With a
    selection, the results are a region's: they join the regions there are, and hide nothing.

    A grey or indexed image becomes RGB in the same undo step: in a grey one, color layers would silently be grey. The
    layer of color hints is hidden, for its hints would lie on the results.

    Raises:
        RequestError: GIMP refuses a step; what was inserted before it has been removed again.
    """
    selected = image.get_selected_layers()
    regional = not Gimp.Selection.is_empty(image)
    groups: list[Gimp.GroupLayer] = []
    layers: list[Gimp.Layer] = []
    image.undo_group_start()
    try:
        if image.get_base_type() != Gimp.ImageBaseType.RGB:
            _must(image.convert_rgb(), "convert the image to RGB")
        for original, pictures in colored:
            group = _group_of_regions(image, original) if regional else None
            if group is None:
                group = _insert_group(image, original, pictures[0].record, hide_earlier=not regional)
                groups.append(group)
            for position, one in enumerate(pictures):
                layers.append(_insert_layer(image, original, group, position, one))
            _mask(image, original, layers[-len(pictures) :])
        if hint_layer is not None:
            hint_layer.set_visible(False)
        hints.remember(image, hint_layer)
        if selected:
            image.set_selected_layers(selected)
    except (RequestError, GLib.Error) as error:
        for made in [*layers, *groups]:
            if made.is_valid():
                image.remove_layer(made)
        raise error if isinstance(error, RequestError) else RequestError(error.message) from error
    finally:
        image.undo_group_end()
    return layers


def insert_hints_layer(image: Gimp.Image, original: Gimp.Layer) -> Gimp.Layer:
    """A transparent layer of the original's size above it and its results, selected; one undo step.

    The image becomes RGB, for a grey one holds no colors.

    Raises:
        RequestError: GIMP refuses a step.
    """
    image.undo_group_start()
    try:
        if image.get_base_type() != Gimp.ImageBaseType.RGB:
            _must(image.convert_rgb(), "convert the image to RGB")
        layer = Gimp.Layer.new(
            image,
            "Color hints",
            original.get_width(),
            original.get_height(),
            Gimp.ImageType.RGBA_IMAGE,
            100.0,
            Gimp.LayerMode.NORMAL,
        )
        layer.fill(Gimp.FillType.TRANSPARENT)
        found, left, top = original.get_offsets()
        _must(found and layer.set_offsets(left, top), "place the new layer")
        _must(image.insert_layer(layer, original.get_parent(), _top_of(image, original)), "insert the new layer")
        hints.remember(image, layer)
        image.set_selected_layers([layer])
    finally:
        image.undo_group_end()
    return layer


def _top_of(image: Gimp.Image, original: Gimp.Layer) -> int:
    """The position of the topmost of a layer and its results."""
    return min(image.get_item_position(one) for one in [original, *results.groups_of(image, original)])


def _group_of_regions(image: Gimp.Image, original: Gimp.Layer) -> Gimp.GroupLayer | None:
    """The group that another region of the layer joins: the topmost of its results that can be seen."""
    return next((group for group in results.groups_of(image, original) if group.get_visible()), None)


def _insert_group(image: Gimp.Image, original: Gimp.Layer, record: Record, hide_earlier: bool) -> Gimp.GroupLayer:
    group = Gimp.GroupLayer.new(image, palettes.group_name(record.phrase, record.palette))
    group.set_mode(Gimp.LayerMode.PASS_THROUGH)
    group.set_opacity(original.get_opacity())
    group.set_visible(original.get_visible())
    earlier = results.groups_of(image, original)
    _must(image.insert_layer(group, original.get_parent(), _top_of(image, original)), "insert a layer group")
    _must(results.keep(group, record, original), "keep the settings with the group")
    for one in earlier if hide_earlier else ():
        one.set_visible(False)
    return group


def _insert_layer(
    image: Gimp.Image, original: Gimp.Layer, group: Gimp.GroupLayer, position: int, one: Result
) -> Gimp.Layer:
    width, height = original.get_width(), original.get_height()
    color_only = one.record.mode == COLOR_LAYERS
    alpha = not color_only and original.has_alpha()
    layer = Gimp.Layer.new(
        image,
        one.record.layer_name,
        width,
        height,
        Gimp.ImageType.RGBA_IMAGE if alpha else Gimp.ImageType.RGB_IMAGE,
        100.0,
        Gimp.LayerMode.LCH_COLOR if color_only else Gimp.LayerMode.NORMAL,
    )
    _write(layer, one.picture, original if alpha else None)
    layer.set_visible(position == 0)
    found, left, top = original.get_offsets()
    _must(found and layer.set_offsets(left, top), "place the new layer")
    _must(image.insert_layer(layer, group, position), "insert the new layer")
    _must(results.keep(layer, one.record), "keep the settings with the layer")
    return layer


def _mask(image: Gimp.Image, original: Gimp.Layer, layers: Sequence[Gimp.Layer]) -> None:
    """Give the layers a mask where the original has not all of its pixels: selection, its own mask, transparency."""
    mask = original.get_mask()
    masked = mask is not None and original.get_apply_mask()
    # a normal layer carries the transparency in its own alpha
    clear = original.has_alpha() and not layers[0].has_alpha() and not _is_opaque(original)
    saved = None
    if masked or clear:
        saved = Gimp.Selection.save(image)
        image.select_item(
            Gimp.ChannelOps.REPLACE if Gimp.Selection.is_empty(image) else Gimp.ChannelOps.INTERSECT,
            mask if masked else original,
        )
        if masked and clear:
            image.select_item(Gimp.ChannelOps.INTERSECT, original)
    elif Gimp.Selection.is_empty(image):
        return
    try:
        for layer in layers:
            _must(layer.add_mask(layer.create_mask(Gimp.AddMaskType.SELECTION)), "add a layer mask")
            layer.set_edit_mask(False)
    finally:
        if saved is not None:
            image.select_item(Gimp.ChannelOps.REPLACE, saved)
            image.remove_channel(saved)


def _is_opaque(layer: Gimp.Layer) -> bool:
    alpha = read_bytes(layer, "A", "u8")
    return alpha.count(b"\xff") == len(alpha)


def _write(layer: Gimp.Layer, one: Pixels, alpha_of: Gimp.Layer | None) -> None:
    """Fill a layer that is in no image yet, scaling the colors to its size.

    Args:
        alpha_of: the layer whose transparency the new one gets; needs a layer with alpha.
    """
    width, height = layer.get_width(), layer.get_height()
    sample = one.sample
    if one.channels != "RGB" or (sample != "u8" and (one.width, one.height) != (width, height)):
        raise RequestError("The engine's answer does not fit the layer; run the installer again.")
    strips = _same_size(one) if (one.width, one.height) == (width, height) else _scaled(one, width, height)
    alpha = memoryview(read_bytes(alpha_of, "A", sample)) if alpha_of is not None else None
    buffer = layer.get_buffer()
    for top, rows, wide, data in strips:
        name = BABL_FORMATS[("RGB" if alpha is None else "RGBA"), sample]
        if alpha is not None:
            row = width * SAMPLE_BYTES[sample]
            data = _with_alpha(data, wide, alpha[top * row : (top + rows) * row], width, sample)
        buffer.set(Gegl.Rectangle.new(0, top, wide if alpha is None else width, rows), name, data)
    buffer.flush()
    layer.update(0, 0, width, height)


Strip = tuple[int, int, int, bytes]  # top, rows, width (may exceed the layer's by up to 3), pixels


def _same_size(one: Pixels) -> Iterator[Strip]:
    row = one.width * 3 * SAMPLE_BYTES[one.sample]
    rows = max(1, STRIP_BYTES // row)
    view = memoryview(one.pixels)
    for top in range(0, one.height, rows):
        count = min(rows, one.height - top)
        yield top, count, one.width, bytes(view[top * row : (top + count) * row])


def _scaled(one: Pixels, width: int, height: int) -> Iterator[Strip]:
    """Strips of the picture scaled bilinearly; a fifth of the time that GIMP takes to scale a layer.

    GdkPixbuf starts rows at multiples of four bytes, so the strips are a multiple of four pixels wide; GIMP drops what
    lies outside its layer.
    """
    source = GdkPixbuf.Pixbuf.new_from_bytes(
        GLib.Bytes.new(one.pixels), GdkPixbuf.Colorspace.RGB, False, 8, one.width, one.height, one.width * 3
    )
    wide = -(-width // 4) * 4
    rows = max(1, STRIP_BYTES // (wide * 3))
    for top in range(0, height, rows):
        count = min(rows, height - top)
        strip = GdkPixbuf.Pixbuf.new(GdkPixbuf.Colorspace.RGB, False, 8, wide, count)
        if strip is None or strip.get_rowstride() != wide * 3:
            raise RequestError("There is not enough memory for a new layer; close other images and try again.")
        source.scale(
            strip, 0, 0, wide, count, 0, -top, width / one.width, height / one.height, GdkPixbuf.InterpType.BILINEAR
        )
        yield top, count, wide, strip.read_pixel_bytes().get_data()


def _with_alpha(data: bytes, wide: int, alpha: memoryview, width: int, sample: str) -> bytes:
    """RGBA of `width` pixels a row, from RGB of `wide` pixels a row and alpha of `width`."""
    kind = _ARRAY_TYPES[sample]
    colors, opacity = array.array(kind, data), array.array(kind, alpha.tobytes())
    if wide != width:
        kept = array.array(kind)
        for start in range(0, len(colors), wide * 3):
            kept += colors[start : start + width * 3]
        colors = kept
    mixed = array.array(kind, bytes(len(opacity) * 4 * SAMPLE_BYTES[sample]))
    for channel in range(3):
        mixed[channel::4] = colors[channel::3]
    mixed[3::4] = opacity
    return mixed.tobytes()


def _must(done: bool, what: str) -> None:
    if not done:
        raise RequestError(f"GIMP could not {what}; its Error Console may say why.")
