"""Helpers for scripts that run inside GIMP; `host.Host.batch` puts this text in front of each.

Runs in GIMP's Python, whose batch interpreter has imported Gimp, Gegl, GLib and Gio already.
"""

# pyright: reportMissingImports=false

import json

from gi.repository import Gegl, Gimp, Gio, GLib

Gegl.init(None)
SIDE = 64


def gradient(width, height):
    """Grey values 0..1, row by row: a slanted ramp with a bright square in it."""
    values = []
    for y in range(height):
        for x in range(width):
            inside = width // 4 <= x < width // 2 and height // 4 <= y < height // 2
            values.append(0.9 if inside else 0.1 + 0.8 * (x + y) / (width + height))
    return values


def new_image(kind="GRAY", precision="U8_NON_LINEAR", width=SIDE, height=SIDE, alpha=False, size=None, offset=(0, 0)):
    """An image with one layer that holds `gradient`; `size` and `offset` are the layer's when not the image's."""
    import array

    wide, high = size or (width, height)
    base = {"GRAY": Gimp.ImageBaseType.GRAY, "RGB": Gimp.ImageBaseType.RGB}[kind]
    types = {
        ("GRAY", False): Gimp.ImageType.GRAY_IMAGE,
        ("GRAY", True): Gimp.ImageType.GRAYA_IMAGE,
        ("RGB", False): Gimp.ImageType.RGB_IMAGE,
        ("RGB", True): Gimp.ImageType.RGBA_IMAGE,
    }
    image = Gimp.Image.new_with_precision(width, height, base, getattr(Gimp.Precision, precision))
    layer = Gimp.Layer.new(image, "scan", wide, high, types[kind, alpha], 100, Gimp.LayerMode.NORMAL)
    values = gradient(wide, high)
    if alpha:  # the left quarter is transparent
        flat = []
        for index, value in enumerate(values):
            flat += [value, 0.0 if index % wide < wide // 4 else 1.0]
        values, name = flat, "Y'A float"
    else:
        name = "Y' float"
    buffer = layer.get_buffer()
    buffer.set(Gegl.Rectangle.new(0, 0, wide, high), name, array.array("f", values).tobytes())
    buffer.flush()
    layer.update(0, 0, wide, high)
    layer.set_offsets(*offset)
    image.insert_layer(layer, None, 0)
    return image, layer


def add_dabs(image, size, offset, box, kind="RGBA"):
    """A new layer on top, blue in a box of its own pixels (left, top, right, bottom), transparent elsewhere."""
    layer = Gimp.Layer.new(image, "dabs", *size, getattr(Gimp.ImageType, f"{kind}_IMAGE"), 100, Gimp.LayerMode.NORMAL)
    width, height = size
    left, top, right, bottom = box
    row = bytes(4 * left) + bytes((0, 0, 255, 255)) * (right - left) + bytes(4 * (width - right))
    data = bytes(4 * width * top) + row * (bottom - top) + bytes(4 * width * (height - bottom))
    buffer = layer.get_buffer()
    buffer.set(Gegl.Rectangle.new(0, 0, width, height), "R'G'B'A u8", data)
    buffer.flush()
    layer.update(0, 0, width, height)
    layer.set_offsets(*offset)
    image.insert_layer(layer, None, 0)
    return layer


def pixels(drawable, name="R'G'B' u8"):
    """All bytes of a drawable in a babl format."""
    rectangle = Gegl.Rectangle.new(0, 0, drawable.get_width(), drawable.get_height())
    return drawable.get_buffer().get(rectangle, 1.0, name, Gegl.AbyssPolicy.NONE)


def composite(image, name="R'G'B' u8"):
    """The bytes of what the image shows."""
    copy = image.duplicate()
    merged = copy.merge_visible_layers(Gimp.MergeType.CLIP_TO_IMAGE)
    result = pixels(merged, name)
    copy.delete()
    return result


def call(image, layers, name="plug-in-text2colors", **arguments):
    """Call a procedure NONINTERACTIVE; returns the new layers, or raises what GIMP says."""
    procedure = Gimp.get_pdb().lookup_procedure(name)
    assert procedure is not None, f"GIMP knows no procedure {name}"
    config = procedure.create_config()
    config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
    config.set_property("image", image)
    config.set_core_object_array("drawables", layers)
    for key, value in arguments.items():
        config.set_property(key.replace("_", "-"), value)
    values = procedure.run(config)
    if values.index(0) != Gimp.PDBStatusType.SUCCESS:
        raise RuntimeError(Gimp.get_pdb().get_last_error())
    return [Gimp.Layer.get_by_id(int(number)) for number in values.index(2)]


def record(layer):
    """What the plug-in keeps with a layer."""
    return json.loads(bytes(layer.get_parasite("text2colors").get_data()))


def save(image, path):
    """Write the image to a file of the format that its name says."""
    assert Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path(path), None)


def load(path):
    """Read an image file."""
    return Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(path))


def dump(path, data):
    """Bytes for the test to look at."""
    with open(path, "wb") as file:
        file.write(data)


def attempt(image, layers, **arguments):
    """A call that is expected to fail: what GIMP says, and what is left in the image."""
    try:
        made = call(image, layers, **arguments)
    except RuntimeError as error:
        return {"error": str(error), "layers": len(image.get_layers()), "base": image.get_base_type().value_nick}
    return {"error": "", "made": len(made)}


def say(**facts):
    """Tell the test: one line of JSON."""
    print("FACTS " + json.dumps(facts), flush=True)


GLib.set_prgname("text2colors-test")
