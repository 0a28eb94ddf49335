"""The module `gimp` of Python-Fu, in memory: the part that the plug-in and its tests use, with GIMP 2.10's behaviour.

That behaviour was looked at in GIMP 2.10.34 (`scenario.py` runs in both). Runs on Python 2.7 and 3.
"""

import sys

import core
import database

error = core.GimpError
version = (2, 10, 34)
directory = locale_directory = data_directory = "/nowhere"

told = {"messages": [], "progress": [], "texts": [], "flushed": 0}
_data = {}


class _Wrapper(object):
    """What a plug-in holds of a thing of GIMP's: its number."""

    __hash__ = None  # as in the real one

    def __eq__(self, other):
        return isinstance(other, _Wrapper) and self.ID == other.ID

    def __ne__(self, other):
        return not self == other


class Parasite(object):
    def __init__(self, name, flags, data):
        self.name, self.flags, self.data = name, flags, data + "\0"  # GIMP counts the NUL


def _look(name, writable=True):
    def get(self):
        return getattr(self._item, name)

    def put(self, value):
        core.images[self._item.image].step()
        setattr(self._item, name, value)

    return property(get, put if writable else None)


class Drawable(_Wrapper):
    name = _look("name")
    visible = _look("visible")
    linked = _look("linked")
    width = _look("width", False)
    height = _look("height", False)
    type = _look("type", False)
    bpp = _look("bpp", False)
    has_alpha = _look("has_alpha", False)

    def __init__(self, ID):
        self.ID = ID
        self._seen = None

    @property
    def _item(self):
        item = core.items[self.ID]
        if item.kind == "group":
            core.fit_group(item)
        return item

    @property
    def tattoo(self):
        return self._item.tattoo

    @property
    def image(self):
        return _image(self._item.image)

    @property
    def parent(self):
        return _drawable(self._item.parent)

    @property
    def children(self):
        return [_drawable(one) for one in self._item.children]

    @property
    def offsets(self):
        return self._item.x, self._item.y

    @property
    def is_layer_mask(self):
        return self._item.kind == "mask"

    @property
    def is_gray(self):
        return self._item.type in (2, 3)

    @property
    def is_rgb(self):
        return self._item.type in (0, 1)

    @property
    def is_indexed(self):
        return self._item.type in (4, 5)

    def get_pixel_rgn(self, x, y, width, height, dirty=True, shadow=False):
        return PixelRgn(self, x, y, width, height, dirty, shadow)

    def flush(self):
        pass

    def merge_shadow(self, undo=False):
        if not self._item.attached or not hasattr(self._item, "shadow"):
            raise error("could not merge the shadow buffer on drawable (ID {})".format(self.ID))
        if undo:
            core.images[self._item.image].step()
        self._item.data = self._item.shadow

    def update(self, x, y, width, height):
        pass

    def parasite_find(self, name):
        return self._item.parasites.get(name)

    def parasite_list(self):
        return tuple(self._item.parasites)

    def attach_new_parasite(self, name, flags, data):
        if not isinstance(data, str):
            raise TypeError("attach_new_parasite() argument 3 must be string")
        core.images[self._item.image].step()
        self._item.parasites[name] = Parasite(name, flags, data)


class Layer(Drawable):
    mode = _look("mode")
    opacity = _look("opacity")
    apply_mask = _look("apply_mask")
    edit_mask = _look("edit_mask")

    def __init__(self, image, name, width, height, type=0, opacity=100.0, mode=28):
        item = core.Item(image.ID, "layer", name, width, height, type, opacity, mode)
        Drawable.__init__(self, item.id)

    @property
    def is_floating_sel(self):
        return False

    @property
    def mask(self):
        return _drawable(self._item.mask)

    def create_mask(self, type):
        item = self._item
        mask = core.Item(item.image, "mask", item.name + " mask", item.width, item.height, 2)
        mask.x, mask.y, mask.masks = item.x, item.y, item.id
        fill = {0: b"\xff", 1: b"\0"}.get(type)
        mask.data = core.mask_from_selection(item) if fill is None else fill * (item.width * item.height)
        return _drawable(mask.id)

    def add_mask(self, mask):
        if not self._item.attached:
            raise error("could not add mask (ID {}) to layer (ID {})".format(mask.ID, self.ID))
        core.images[self._item.image].step()
        self._item.mask, self._item.edit_mask = mask.ID, True

    def remove_mask(self, mode):
        core.images[self._item.image].step()
        self._item.mask = None

    def resize(self, width, height, offset_x=0, offset_y=0):
        core.images[self._item.image].step()
        core.resize(self._item, width, height, offset_x, offset_y)

    def scale(self, width, height, local_origin=False, interpolation=-1):
        core.images[self._item.image].step()
        core.scale(self._item, width, height)

    def set_offsets(self, offset_x, offset_y):
        core.images[self._item.image].step()
        self._item.x, self._item.y = offset_x, offset_y


class GroupLayer(Layer):
    def __init__(self, image, name="Layer Group", opacity=100.0, mode=28):
        item = core.Item(image.ID, "group", name, 1, 1, 1, opacity, mode)
        Drawable.__init__(self, item.id)

    layers = Drawable.children


class Channel(Drawable):
    pass


class Image(_Wrapper):
    def __init__(self, width, height, type=0):
        self.ID = core.Image(width, height, type).id

    @property
    def _image(self):
        return core.images[self.ID]

    base_type = property(lambda self: self._image.base_type)
    width = property(lambda self: self._image.width)
    height = property(lambda self: self._image.height)
    layers = property(lambda self: [_drawable(one) for one in self._image.layers])
    channels = property(lambda self: [_drawable(one) for one in self._image.channels])

    @property
    def active_layer(self):
        return _drawable(self._image.active)

    @active_layer.setter
    def active_layer(self, layer):
        self._image.active = layer.ID

    def insert_layer(self, layer, parent=None, position=0):
        self._image.insert(layer._item, parent and parent.ID, position)

    def remove_layer(self, layer):
        self._image.remove(layer._item)

    def remove_channel(self, channel):
        self._image.remove(channel._item)

    def undo_group_start(self):
        self._image.step()
        self._image.depth += 1

    def undo_group_end(self):
        self._image.depth -= 1

    def disable_undo(self):
        self._image.undo_enabled = False

    def clean_all(self):
        self._image.undo_stack = []


class PixelRgn(object):
    """Pixels of a rectangle. A wrapper keeps the size and type it saw first: GIMP ends who reads on after a change."""

    def __init__(self, drawable, x, y, width, height, dirty, shadow):
        item = drawable._item
        self.drawable, self.x, self.y, self.w, self.h, self.bpp = drawable, x, y, width, height, item.bpp
        self._item, self._shadow = item, shadow
        now = (item.bpp, item.width, item.height)
        drawable._seen = drawable._seen or now
        if drawable._seen != now:
            raise SystemExit("received tile info did not match computed tile info")

    def _rows(self, place):
        columns, rows = place
        (x0, x1, _), (y0, y1, _) = columns.indices(self.x + self.w), rows.indices(self.y + self.h)
        if x0 >= x1:
            raise IndexError("invalid x slice")
        if y0 >= y1:
            raise IndexError("invalid y slice")
        if (columns.stop, rows.stop) != (x1, y1):
            raise IndexError("invalid x slice")
        return x0, x1, y0, y1

    def __getitem__(self, place):
        x0, x1, y0, y1 = self._rows(place)
        return b"".join(self._item.row(y)[x0 * self.bpp : x1 * self.bpp] for y in range(y0, y1))

    def __setitem__(self, place, data):
        x0, x1, y0, y1 = self._rows(place)
        if type(data) is not bytes:
            raise TypeError("must assign string to subscript")
        row = (x1 - x0) * self.bpp
        if len(data) != row * (y1 - y0):
            raise TypeError("string is wrong length")
        old = bytearray(getattr(self._item, "shadow", self._item.data) if self._shadow else self._item.data)
        for y in range(y0, y1):
            start = (y * self._item.width + x0) * self.bpp
            old[start : start + row] = data[(y - y0) * row : (y - y0 + 1) * row]
        setattr(self._item, "shadow" if self._shadow else "data", bytes(old))


def _drawable(ID):
    if ID not in core.items:
        return None
    kind = {"layer": Layer, "group": GroupLayer}.get(core.items[ID].kind, Channel)
    wrapper = kind.__new__(kind)
    Drawable.__init__(wrapper, ID)
    return wrapper


def _image(ID):
    if ID not in core.images:
        return None
    wrapper = Image.__new__(Image)
    wrapper.ID = ID
    return wrapper


_id2drawable, _id2image = _drawable, _image


def delete(thing):
    del core.images[thing.ID]


def message(text):
    if not isinstance(text, str):
        raise TypeError("message() argument 1 must be string, not {}".format(type(text).__name__))
    told["messages"].append(text)
    sys.stderr.write("Warning: " + text + "\n")


def progress_init(text=""):
    told["progress"].append(0.0)


def progress_update(fraction):
    told["progress"].append(float(fraction))


def displays_flush():
    told["flushed"] += 1


def set_data(name, data):
    _data[name] = data


def get_data(name):
    if name not in _data:
        raise error("Procedure 'gimp-get-data' failed")
    return _data[name]


pdb = database.Database(sys.modules[__name__])
