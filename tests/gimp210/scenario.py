"""What the plug-in for GIMP 2.10 is asked for, and what comes of it, as plain values. Runs on Python 2.7 and 3.

The same steps run in the fake of this folder and in a real GIMP 2.10 (`make_root.sh`). The engine is the one that
T2C_ENGINE names. Called by `drive.py`; must not import pytest or the engine.
"""

import hashlib
import json

import gimp
from gimpenums import (
    ADD_WHITE_MASK,
    CHANNEL_OP_REPLACE,
    CONVERT_DITHER_NONE,
    CONVERT_PALETTE_GENERATE,
    GRAY,
    GRAY_IMAGE,
    GRAYA_IMAGE,
    LAYER_MODE_NORMAL,
    RGB,
    RGB_IMAGE,
    RGBA_IMAGE,
)

pdb = gimp.pdb
WIDTH, HEIGHT = 48, 32
PALETTE = "#8c2f1b,#d98c3f,#f2d8a7,#5b6b3a,#2b2a33"
KINDS = {1: GRAY_IMAGE, 2: GRAYA_IMAGE, 3: RGB_IMAGE, 4: RGBA_IMAGE}


def text(value):
    """A native str as text."""
    return value.decode("utf-8") if isinstance(value, bytes) else value


def new_image(channels=1, width=WIDTH, height=HEIGHT, offset=(0, 0), name="photo", alpha=None):
    """An image with one layer that holds a wedge from dark to light."""
    image = gimp.Image(width + 20, height + 20, GRAY if channels < 3 else RGB)
    layer = gimp.Layer(image, name, width, height, KINDS[channels], 80.0, LAYER_MODE_NORMAL)
    pdb.gimp_image_insert_layer(image, layer, None, 0)
    layer.set_offsets(*offset)
    row = bytearray()
    for x in range(width):
        grey = 20 + x * 215 // width
        row += bytearray([grey] * min(channels, 3) if channels != 2 else [grey])
        if channels in (2, 4):
            row.append(255 if alpha is None else alpha(x))
    write(layer, bytes(row) * height)
    image.clean_all()
    return image, layer


def write(layer, data):
    layer.get_pixel_rgn(0, 0, layer.width, layer.height, True, False)[0 : layer.width, 0 : layer.height] = data
    layer.flush()
    layer.update(0, 0, layer.width, layer.height)


def pixels(drawable):
    """All samples. What GIMP has converted since must be reached anew, or the reader dies."""
    drawable = gimp._id2drawable(drawable.ID)
    width, height = drawable.width, drawable.height
    return drawable.get_pixel_rgn(0, 0, width, height, False, False)[0:width, 0:height]


def digest(drawable):
    return hashlib.sha1(pixels(drawable)).hexdigest()


def mean(layer):
    """The mean of each channel."""
    data = bytearray(pixels(layer))
    count = layer.bpp
    return [round(sum(data[one::count]) / float(len(data) // count), 2) for one in range(count)]


def seen(layer):
    """All that is to be told of a layer."""
    told = {
        "name": text(layer.name),
        "mode": layer.mode,
        "opacity": layer.opacity,
        "visible": bool(layer.visible),
        "offsets": list(layer.offsets),
        "size": [layer.width, layer.height],
        "channels": layer.bpp,
        "mean": mean(layer) if layer.width else [],
    }
    parasite = layer.parasite_find("text2colors")
    if parasite is not None:
        told["record"] = json.loads(text(parasite.data).rstrip("\0"))
    if layer.mask is not None:
        told["mask"] = [one for one in bytearray(pixels(layer.mask))[: layer.width]]
    return told


def colorize(image, drawable, phrase="", palettes="", count=5, seed=0, strength=1.0, mode=0, device=1, hints=None):
    """Call the procedure as a script does."""
    natural, reach = 0.25, 0.4
    use = hints is not None
    return pdb["plug-in-text2colors"](
        image, drawable, phrase, palettes, count, seed, strength, natural, mode, device, use, hints, reach
    )


def outcome(image, original, before, group):
    return {
        "group": seen(group),
        "layers": [seen(one) for one in group.children],
        "base_type": image.base_type,
        "order": [text(one.name) for one in image.layers],
        "untouched": digest(original) == before,
        "active": text(image.active_layer.name),
    }


def phrase_on_grey():
    """A phrase, two palettes, a grey layer that is smaller than its image."""
    image, layer = new_image(1, offset=(5, 3), name="f\xc3\xb6to" if str is bytes else "f\xf6to")
    pdb.gimp_image_convert_rgb(image)
    before = digest(layer)
    pdb.gimp_image_convert_grayscale(image)
    group = colorize(image, layer, "autumn breeze \xc3\xa4" if str is bytes else "autumn breeze \xe4", count=2, seed=7)
    return outcome(image, layer, before, group)


def palettes_on_rgb():
    """Two palettes, normal layers, transparency on the right."""
    image, layer = new_image(4, alpha=lambda x: 255 if x < 24 else 0)
    before = digest(layer)
    group = colorize(image, layer, palettes=PALETTE + ";#000080,#ffffff", mode=1, strength=1.2)
    return outcome(image, layer, before, group)


def transparent_colour():
    """Colour layers get what is transparent as a mask."""
    image, layer = new_image(2, alpha=lambda x: 255 if x < 24 else 0)
    group = colorize(image, layer, palettes=PALETTE)
    return {"layers": [seen(one) for one in group.children], "selection": pdb.gimp_selection_is_empty(image)}


def selected():
    """A selection and the layer's own mask become the results' mask; the selection stays."""
    image, layer = new_image(3, offset=(4, 4))
    mask = layer.create_mask(ADD_WHITE_MASK)
    layer.add_mask(mask)
    write(layer.mask, b"\x00" * 10 + b"\xff" * 38 + (b"\x00" * 10 + b"\xff" * 38) * 31)
    pdb.gimp_image_select_rectangle(image, CHANNEL_OP_REPLACE, 4, 4, 20, 32)
    group = colorize(image, layer.mask, palettes=PALETTE)  # a mask stands for its layer
    bounds = pdb.gimp_selection_bounds(image)
    return {"layers": [seen(one) for one in group.children], "bounds": list(bounds), "channels": len(image.channels)}


def large():
    """A layer longer than what the engine sends back for colour."""
    image, layer = new_image(1, 2600, 16)
    group = colorize(image, layer, palettes=PALETTE)
    return {"layers": [seen(one) for one in group.children]}


def hinted():
    """Dabs on a layer of their own, which is hidden afterwards."""
    image, layer = new_image(3)
    dabs = gimp.Layer(image, "dabs", 20, 20, RGBA_IMAGE, 100.0, LAYER_MODE_NORMAL)
    pdb.gimp_image_insert_layer(image, dabs, None, 0)
    dabs.set_offsets(4, 4)
    write(dabs, b"\x20\x40\xe0\xff" * 400)
    plain = colorize(image, layer, palettes=PALETTE)
    group = colorize(image, layer, palettes=PALETTE, hints=dabs)
    return {"plain": seen(plain.children[0]), "hinted": seen(group.children[0]), "visible": bool(dabs.visible)}


def in_a_group():
    """The results of a layer in a group stand above it, in that group."""
    image, layer = new_image(3)
    outer = pdb.gimp_layer_group_new(image)
    pdb.gimp_image_insert_layer(image, outer, None, 0)
    pdb.gimp_image_reorder_item(image, layer, outer, 0)
    group = colorize(image, layer, palettes=PALETTE)
    return {"inside": [text(one.name) for one in outer.children], "parent": group.parent == outer}


def again():
    """Another run on a result means its original: the new group lies on the earlier one, which is hidden."""
    image, layer = new_image(3)
    first = colorize(image, layer, palettes=PALETTE)
    second = colorize(image, first.children[0], palettes="natural")
    pdb.gimp_image_select_rectangle(image, CHANNEL_OP_REPLACE, 0, 0, 9, 9)
    third = colorize(image, layer, palettes="#112233")
    return {
        "order": [text(one.name) for one in image.layers],
        "visible": [bool(one.visible) for one in image.layers],
        "region joins": third == second,
        "names": [text(one.name) for one in second.children],
        "natural": seen(second.children[-1]),
    }


def failures():
    """What is refused; nothing may be changed by it."""
    image, layer = new_image(1)
    indexed, paletted = new_image(3)
    pdb.gimp_image_convert_indexed(indexed, CONVERT_DITHER_NONE, CONVERT_PALETTE_GENERATE, 8, False, False, "")
    channel = pdb.gimp_selection_save(image)
    pdb.gimp_selection_none(image)
    coloured = colorize(*new_image(3), palettes=PALETTE)
    orphan, gone = new_image(3)
    left = colorize(orphan, gone, palettes=PALETTE)
    orphan.remove_layer(gone)
    away, missed = new_image(1)
    pdb.gimp_image_select_rectangle(away, CHANNEL_OP_REPLACE, WIDTH + 2, 2, 5, 5)
    opaque = gimp.Layer(coloured.image, "opaque", 9, 9, RGB_IMAGE, 100.0, LAYER_MODE_NORMAL)
    pdb.gimp_image_insert_layer(coloured.image, opaque, None, 0)
    tries = {
        "nothing": lambda: colorize(image, layer),
        "blank": lambda: colorize(image, layer, "  "),
        "colour": lambda: colorize(image, layer, palettes="#zzz"),
        "count": lambda: colorize(image, layer, "autumn", count=21),
        "strength": lambda: colorize(image, layer, "autumn", strength=2.5),
        "device": lambda: colorize(image, layer, "autumn", device=9),
        "indexed": lambda: colorize(indexed, paletted, "autumn"),
        "channel": lambda: colorize(image, channel, "autumn"),
        "orphan": lambda: colorize(orphan, left.children[0], "autumn"),
        "other image": lambda: colorize(image, missed, "autumn"),
        "selection": lambda: colorize(away, missed, "autumn"),
        "opaque hints": lambda: colorize(coloured.image, coloured.image.layers[-1], "a", hints=opaque),
    }
    told = {}
    for name in sorted(tries):
        try:
            tries[name]()
            told[name] = "went through"
        except (gimp.error, RuntimeError):
            told[name] = "refused"
    return {"told": told, "layers": len(image.layers), "base_type": image.base_type}


def checked():
    """The set-up check."""
    return {"report": text(pdb["plug-in-text2colors-check"]())}


STEPS = (
    phrase_on_grey,
    palettes_on_rgb,
    transparent_colour,
    selected,
    large,
    hinted,
    in_a_group,
    again,
    failures,
    checked,
)


def run(steps=STEPS, names=()):
    """Every step's observations by its name (those of `names` alone if given); one that fails holds a traceback."""
    import traceback

    told = {}
    for step in steps:
        if not names or step.__name__ in names:
            try:
                told[step.__name__] = step()
            except Exception:
                told[step.__name__] = {"traceback": traceback.format_exc()}
    return told
