"""The procedural database of the fake: GIMP's procedures that the tests use, and those that plug-ins register.

Runs on Python 2.7 and 3.
"""

import core


class Database(object):
    """gimp.pdb. A procedure is called with exactly its arguments."""

    def __init__(self, gimp):
        self._gimp = gimp
        self.registered = {}  # name to a function of (run mode, arguments)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        if name.replace("_", "-") in self.registered:
            return self[name.replace("_", "-")]
        procedure = getattr(Procedures(self._gimp), name, None)
        if procedure is None:
            raise self._gimp.error("procedure not found")
        return procedure

    def __getitem__(self, name):
        if name not in self.registered:
            raise KeyError(name)
        return lambda *arguments, **keywords: self.registered[name](keywords.get("run_mode", 1), arguments)


class Procedures(object):
    """GIMP's own."""

    def __init__(self, gimp):
        self._gimp = gimp

    def gimp_image_insert_layer(self, image, layer, parent, position):
        image.insert_layer(layer, parent, position)

    def gimp_image_reorder_item(self, image, item, parent, position):
        inner = image._image
        inner.step()
        inner.siblings(item._item).remove(item.ID)
        item._item.parent = parent and parent.ID
        inner.siblings(item._item).insert(position, item.ID)

    def gimp_image_get_item_position(self, image, item):
        return image._image.siblings(item._item).index(item.ID)

    def gimp_image_convert_rgb(self, image):
        image._image.convert(core.RGB)

    def gimp_image_convert_grayscale(self, image):
        image._image.convert(core.GRAY)

    def gimp_image_convert_indexed(self, image, dither, palette, colours, alpha_dither, remove_unused, name):
        image._image.convert(core.INDEXED)

    def gimp_layer_group_new(self, image):
        return self._gimp.GroupLayer(image)

    def gimp_layer_new_from_drawable(self, drawable, image):
        source = drawable._item
        made = core.Item(image.ID, "layer", source.name, source.width, source.height, source.type)
        made.data = source.data
        core.convert(made, (2 if image.base_type == core.GRAY else 0) + source.has_alpha)
        made.mask = source.mask
        return self._gimp._drawable(made.id)

    def gimp_layer_from_mask(self, mask):
        return self._gimp._drawable(mask._item.masks)

    def gimp_selection_is_empty(self, image):
        return 1 - core.selection_bounds(image._image)[0]

    def gimp_selection_bounds(self, image):
        return core.selection_bounds(image._image)

    def gimp_selection_none(self, image):
        image._image.step()
        selection = core.items[image._image.selection]
        selection.data = b"\0" * len(selection.data)

    def gimp_selection_save(self, image):
        selection = core.items[image._image.selection]
        channel = core.Item(image.ID, "channel", "Selection Mask copy", image.width, image.height, 2)
        channel.data = selection.data
        image._image.insert(channel, None, 0)
        return self._gimp._drawable(channel.id)

    def gimp_image_select_item(self, image, operation, item):
        core.select(image._image, operation, item._item)

    def gimp_image_select_rectangle(self, image, operation, x, y, width, height):
        core.select(image._image, operation, None, (x, y, width, height))

    def gimp_progress_set_text(self, text):
        self._gimp.told["texts"].append(text)
