"""Results into the image: one group above the layer, one layer a palette, all in one undo step.

Called with complete results only, so that nothing half-made can stay behind. Must not import the engine.
"""

import json

import gimp
from gimpenums import (
    ADD_SELECTION_MASK,
    CHANNEL_OP_INTERSECT,
    CHANNEL_OP_REPLACE,
    GRAY,
    INTERPOLATION_LINEAR,
    LAYER_MODE_LCH_COLOR,
    LAYER_MODE_NORMAL,
    LAYER_MODE_PASS_THROUGH,
    RGB,
    RGB_IMAGE,
    RGBA_IMAGE,
)
from t2c_plugin.shared.palettes import RequestError, group_name, layer_name

from t2c_legacy import results as kept_results
from t2c_legacy.layers import read_alpha, with_alpha
from t2c_legacy.texts import native, to_text

try:
    from typing import Any, Dict, List, Optional, Sequence, Text
except ImportError:  # Python 2.7 has no typing; the types stand in comments
    pass

pdb = gimp.pdb


class Result(object):
    """A picture under one palette, RGB of 8 bits, of any size, and what is kept with it (see `record`)."""

    def __init__(self, data, width, height, record):
        # type: (bytes, int, int, Dict[str, Any]) -> None
        self.data = data
        self.width = width
        self.height = height
        self.record = record


def record(phrase, palette, number, seed, strength, mode, model, version, hints, count, natural, hint_reach):
    # type: (Text, Sequence[Text], int, int, float, str, Text, Text, Text, int, float, float) -> Dict[str, Any]
    """What is needed to make a result again; the plug-in for GIMP 3 reads the same names."""
    return {
        "phrase": phrase,
        "palette": list(palette),
        "number": number,
        "seed": seed,
        "strength": strength,
        "mode": mode,
        "model": model,
        "version": version,
        "hints": hints,
        "count": count,
        "natural": natural,
        "hint_reach": hint_reach,
    }


def insert(image, original, results, hints=None):
    # type: (gimp.Image, gimp.Layer, Sequence[Result], Optional[gimp.Layer]) -> gimp.GroupLayer
    """Put the results above their layer; returns the group with them.

    A new group lies on the earlier results of its layer, which are hidden, for they would show through. With a
    selection, the results are a region's: they join the regions there are, and hide nothing.

    A grey image becomes RGB in the same undo step: GIMP 2.10 takes no color layer into a grey one. The layer of
    color hints is hidden, for its dabs would lie on the results.

    Raises:
        RequestError: GIMP refuses a step; what was inserted before it has been removed again.
    """
    active = image.active_layer
    grey = image.base_type == GRAY
    alpha = read_alpha(original)  # now: once the image is converted, pixels read through `original` end the plug-in
    regional = not pdb.gimp_selection_is_empty(image)
    made = []  # type: List[gimp.Layer]
    image.undo_group_start()
    try:
        if image.base_type != RGB:
            pdb.gimp_image_convert_rgb(image)
        group = _group_of_regions(image, original) if regional else None
        if group is None:
            group = pdb.gimp_layer_group_new(image)  # of the image's mode, so after that has changed
            made.append(group)
            _insert_group(image, original, group, results[0].record, hide_earlier=not regional)
        layers = []
        for place, one in enumerate(results):
            layers.append(_insert_layer(image, original, alpha, group, place, one, made))
        _mask(image, original, alpha is not None, layers)
        if hints is not None:
            hints.visible = False
        if active is not None:
            image.active_layer = active
    except Exception as error:  # whatever fails, the image is put back, and the failure goes on
        for one in reversed(made):
            if any(there.ID == one.ID for there in kept_results.siblings(image, one)):
                image.remove_layer(one)
        if grey and image.base_type == RGB:
            pdb.gimp_image_convert_grayscale(image)
        if isinstance(error, (gimp.error, RuntimeError)):
            raise RequestError(u"GIMP could not insert the layers ({}).".format(to_text(error)))
        raise
    finally:
        image.undo_group_end()
    return group


def _group_of_regions(image, original):
    # type: (gimp.Image, gimp.Layer) -> Optional[gimp.GroupLayer]
    """The group that another region of the layer joins: the topmost of its results that can be seen."""
    seen = [group for group in kept_results.groups_of(image, original) if group.visible]
    return seen[0] if seen else None


def _insert_group(image, original, group, kept, hide_earlier):
    # type: (gimp.Image, gimp.Layer, gimp.GroupLayer, Dict[str, Any], bool) -> None
    earlier = kept_results.groups_of(image, original)
    group.name = native(group_name(kept["phrase"], kept["palette"]))
    position = min(pdb.gimp_image_get_item_position(image, one) for one in [original] + earlier)
    pdb.gimp_image_insert_layer(image, group, original.parent, position)
    group.mode = LAYER_MODE_PASS_THROUGH
    group.opacity = original.opacity
    group.visible = original.visible
    _keep(group, kept)
    kept_results.keep_original(group, original)
    for one in earlier if hide_earlier else ():
        one.visible = False


def _insert_layer(image, original, alpha, group, place, one, made):
    # type: (gimp.Image, gimp.Layer, Optional[bytes], gimp.GroupLayer, int, Result, List[gimp.Layer]) -> gimp.Layer
    """One result at its place in the group; it is added to `made` before anything can fail."""
    color_only = one.record["mode"] == "colour"
    alpha = None if color_only else alpha
    name = native(layer_name(one.record["number"], one.record["phrase"], one.record["palette"]))
    mode = LAYER_MODE_LCH_COLOR if color_only else LAYER_MODE_NORMAL
    kind = RGB_IMAGE if alpha is None else RGBA_IMAGE
    layer = gimp.Layer(image, name, one.width, one.height, kind, 100.0, mode)
    made.append(layer)
    pdb.gimp_image_insert_layer(image, layer, group, place)  # GIMP scales and masks layers of an image only
    _write(layer, one.data if alpha is None else with_alpha(one.data, alpha))
    if (one.width, one.height) != (original.width, original.height):
        layer.scale(original.width, original.height, True, INTERPOLATION_LINEAR)
    left, top = original.offsets
    layer.set_offsets(left, top)
    layer.visible = place == 0
    _keep(layer, one.record)
    return layer


def _write(layer, data):
    # type: (gimp.Layer, bytes) -> None
    """Fill a layer, without undo of its own: to undo the insertion is to undo this."""
    width, height = layer.width, layer.height
    layer.get_pixel_rgn(0, 0, width, height, True, False)[0:width, 0:height] = data  # type: ignore[index]
    layer.flush()
    layer.update(0, 0, width, height)


def _keep(layer, kept):
    # type: (gimp.Layer, Dict[str, Any]) -> None
    kept_results.keep(layer, str(json.dumps(kept, sort_keys=True)))


def _mask(image, original, clear, layers):
    # type: (gimp.Image, gimp.Layer, bool, List[gimp.Layer]) -> None
    """Give the layers a mask where the original has not all of its pixels: selection, its own mask, transparency."""
    mask = original.mask if original.mask is not None and original.apply_mask else None
    clear = clear and not layers[0].has_alpha  # a normal layer carries the transparency in its own alpha
    saved = None
    if mask is not None or clear:
        saved = pdb.gimp_selection_save(image)
        operation = CHANNEL_OP_REPLACE if pdb.gimp_selection_is_empty(image) else CHANNEL_OP_INTERSECT
        pdb.gimp_image_select_item(image, operation, mask if mask is not None else original)
        if mask is not None and clear:
            pdb.gimp_image_select_item(image, CHANNEL_OP_INTERSECT, original)
    elif pdb.gimp_selection_is_empty(image):
        return
    try:
        for layer in layers:
            layer.add_mask(layer.create_mask(ADD_SELECTION_MASK))
            layer.edit_mask = False
    finally:
        if saved is not None:
            pdb.gimp_image_select_item(image, CHANNEL_OP_REPLACE, saved)
            image.remove_channel(saved)
