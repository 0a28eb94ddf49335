"""What GIMP itself holds, in the fake: images and items by number, undo, conversion, scaling. Runs on Python 2.7 and 3.

The module `gimp` beside it hands out wrappers of these, as the real one does. Pixels are `bytes`, 8 bits a channel.
"""

import copy

CHANNELS = {0: 3, 1: 4, 2: 1, 3: 2, 4: 1, 5: 2}  # by image type: RGB, RGBA, GRAY, GRAYA, INDEXED, INDEXEDA
RGB, GRAY, INDEXED = 0, 1, 2
NAMES = ("rgb", "gray", "indexed")
_ids = [0]

images = {}
items = {}


class GimpError(RuntimeError):
    """What GIMP answers when it cannot do something; the module `gimp` calls it `error`."""


def new_id():
    _ids[0] += 1
    return _ids[0]


class Item(object):
    """A layer, group, channel, mask or selection. `kind` says which; `type` is an image type."""

    def __init__(self, image, kind, name, width, height, type, opacity=100.0, mode=0):
        if width < 1 or height < 1:
            raise GimpError("an item of {} x {} cannot be made".format(width, height))
        self.id = self.tattoo = new_id()
        self.image, self.kind, self.name, self.type = image, kind, name, type
        self.width, self.height, self.x, self.y = width, height, 0, 0
        self.opacity, self.mode, self.visible, self.linked = opacity, mode, True, False
        self.parent, self.children, self.mask, self.masks = None, [], None, None
        self.apply_mask, self.edit_mask = True, False
        self.attached, self.made_for = False, images[image].base_type if image in images else None
        self.parasites = {}
        self.data = b"\0" * (width * height * self.bpp)
        items[self.id] = self

    @property
    def bpp(self):
        return CHANNELS[self.type]

    @property
    def has_alpha(self):
        return self.type in (1, 3, 5)

    def row(self, y):
        return self.data[y * self.width * self.bpp : (y + 1) * self.width * self.bpp]


class Image(object):
    """An image: its items, from the top, and what can be undone."""

    def __init__(self, width, height, base_type):
        self.id = new_id()
        self.width, self.height, self.base_type = width, height, base_type
        self.layers, self.channels, self.active = [], [], None
        self.depth, self.undone_names = 0, []
        self.undo_stack, self.undo_enabled = [], True
        self.selection = Item(self.id, "selection", "Selection Mask", width, height, 2).id
        items[self.selection].attached = True
        images[self.id] = self

    def step(self):
        """Remember the state before a change: one undo step, unless a group of changes has begun."""
        if self.depth == 0 and self.undo_enabled:
            self.undo_stack.append(self.snapshot())

    def snapshot(self):
        own = {key: copy.deepcopy(one.__dict__) for key, one in items.items() if one.image == self.id}
        return copy.deepcopy((self.base_type, self.layers, self.channels, self.active)), own

    def restore(self, state):
        (self.base_type, self.layers, self.channels, self.active), own = copy.deepcopy(state)
        for key in [key for key, one in items.items() if one.image == self.id and key not in own]:
            items[key].attached = False
        for key, values in own.items():
            items[key].__dict__.update(values)

    def undo(self):
        """What the user's Undo does."""
        self.restore(self.undo_stack.pop())

    def siblings(self, item):
        """The list that an item stands in."""
        if item.kind not in ("layer", "group"):
            return self.channels
        return self.layers if item.parent is None else items[item.parent].children

    def insert(self, item, parent, position):
        if item.attached:
            raise GimpError("Item '{}' ({}) has already been added to an image".format(item.name, item.id))
        own = item.made_for if item.kind == "group" else item.type // 2
        if item.kind in ("layer", "group") and own != self.base_type:
            words = "Image '[Untitled]' ({}) is of type '{}', but an image of type '{}' is expected"
            raise GimpError(words.format(self.id, NAMES[self.base_type], NAMES[own]))
        self.step()
        item.name = self.unique_name(item)
        item.parent, item.attached, item.image = parent, True, self.id
        self.siblings(item).insert(len(self.siblings(item)) if position < 0 else position, item.id)
        if item.kind in ("layer", "group"):
            self.active = item.id

    def unique_name(self, item):
        """A name that no other item of its kind in the image has: GIMP adds a number."""
        kinds = ("layer", "group") if item.kind in ("layer", "group") else (item.kind,)
        others = [one for one in items.values() if one.image == self.id and one.attached and one.kind in kinds]
        taken, name, number = set(one.name for one in others if one is not item), item.name, 0
        while name in taken:
            number += 1
            name = "{} #{}".format(item.name, number)
        return name

    def remove(self, item):
        self.step()
        self.siblings(item).remove(item.id)
        item.attached = False
        if self.active == item.id:
            self.active = self.layers[0] if self.layers else None

    def convert(self, base_type):
        if base_type == self.base_type:
            raise GimpError("Image '[Untitled]' ({}) must not be of type '{}'".format(self.id, NAMES[base_type]))
        self.step()
        self.base_type = base_type
        for one in list(items.values()):
            if one.image == self.id and one.kind in ("layer", "group"):
                first = {RGB: 0, GRAY: 2, INDEXED: 4}[base_type]
                convert(one, first + one.has_alpha)


def convert(item, type):
    """Change an item's pixels to another image type. Colour map entries are greys here."""
    old, new = item.bpp, CHANNELS[type]
    if old == new:
        item.type = type
        return
    source, alpha, result = bytearray(item.data), item.has_alpha, bytearray()
    for start in range(0, len(source), old):
        pixel = list(source[start : start + old])
        opacity = pixel.pop() if alpha else 255
        if type in (0, 1):
            pixel = pixel * 3 if len(pixel) == 1 else pixel
        elif len(pixel) == 3:
            pixel = [(pixel[0] * 54 + pixel[1] * 183 + pixel[2] * 19) // 256]
        result += bytearray(pixel + ([opacity] if type in (1, 3, 5) else []))
    item.type, item.data = type, bytes(result)


def resize(item, width, height, left, top):
    """Another canvas; what was at (0, 0) is now at (left, top). New pixels are transparent, or white without alpha."""
    count = item.bpp
    empty = (b"\0" if item.has_alpha else b"\xff") * count
    rows = []
    for y in range(height):
        row = bytearray(empty * width)
        if 0 <= y - top < item.height:
            begin, end = max(0, left), min(width, left + item.width)
            if begin < end:
                row[begin * count : end * count] = item.row(y - top)[(begin - left) * count : (end - left) * count]
        rows.append(bytes(row))
    item.data, item.width, item.height = b"".join(rows), width, height


def scale(item, width, height):
    """Bilinear."""
    if not item.attached:
        raise GimpError("could not scale layer (ID {}) to size {}x{}".format(item.id, width, height))
    columns = [_between(x, width, item.width) for x in range(width)]
    result, count, data = bytearray(), item.bpp, bytearray(item.data)
    for y in range(height):
        above, below, v = _between(y, height, item.height)
        for left, right, u in columns:
            for channel in range(count):
                a, b, c, d = (
                    data[(row * item.width + column) * count + channel]
                    for row in (above, below)
                    for column in (left, right)
                )
                result.append(int((a * (1 - u) + b * u) * (1 - v) + (c * (1 - u) + d * u) * v + 0.5))
    item.data, item.width, item.height = bytes(result), width, height


def _between(place, size, old):
    at = min(max((place + 0.5) * old / float(size) - 0.5, 0.0), old - 1.0)
    return int(at), min(int(at) + 1, old - 1), at - int(at)


def fit_group(group):
    """A group has the bounds and the look of what is in it (all in normal mode here)."""
    children = [items[one] for one in group.children]
    for one in children:
        if one.kind == "group":
            fit_group(one)
    if not children:
        group.width = group.height = 0
        group.data = b""
        return
    group.x, group.y = min(one.x for one in children), min(one.y for one in children)
    group.width = max(one.x + one.width for one in children) - group.x
    group.height = max(one.y + one.height for one in children) - group.y
    group.type = {3: 1, 4: 1, 1: 3, 2: 3}[children[0].bpp]
    data = bytearray(b"\0" * (group.width * group.height * group.bpp))
    for one in reversed([one for one in children if one.visible]):
        pixels, colours = bytearray(one.data), group.bpp - 1
        for index in range(one.width * one.height):
            alpha = pixels[index * one.bpp + one.bpp - 1] if one.has_alpha else 255
            if alpha:
                x, y = index % one.width + one.x - group.x, index // one.width + one.y - group.y
                start = (y * group.width + x) * group.bpp
                colour = pixels[index * one.bpp : index * one.bpp + colours]
                data[start : start + group.bpp] = colour + bytearray([alpha])
    group.data = bytes(data)


def select(image, operation, item, area=None):
    """Combine the selection with a rectangle, or with what of an item is opaque or white.

    `operation`: 0 adds, 2 replaces, 3 intersects.
    """
    image.step()
    selection = items[image.selection]
    result, old = bytearray(), bytearray(selection.data)
    for index in range(image.width * image.height):
        x, y = index % image.width, index // image.width
        value = _picked(item, x, y) if area is None else 255 * (
            area[0] <= x < area[0] + area[2] and area[1] <= y < area[1] + area[3]
        )
        result.append(value if operation == 2 else max(value, old[index]) if operation == 0 else min(value, old[index]))
    selection.data = bytes(result)


def _picked(item, x, y):
    x, y = x - item.x, y - item.y
    if not (0 <= x < item.width and 0 <= y < item.height):
        return 0
    if item.kind in ("layer", "group"):
        return bytearray(item.data[(y * item.width + x) * item.bpp :][: item.bpp])[-1] if item.has_alpha else 255
    return bytearray(item.data[y * item.width + x :][:1])[0]


def selection_bounds(image):
    """(whether there is one, left, top, right, bottom)."""
    selection = items[image.selection]
    rows = [y for y in range(image.height) if selection.row(y).strip(b"\0")]
    if not rows:
        return 0, 0, 0, image.width, image.height
    columns = [x for x in range(image.width) if selection.data[x :: image.width].strip(b"\0")]
    return 1, columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


def mask_from_selection(layer):
    """The data of a mask that shows what of the layer is selected."""
    image = images[layer.image]
    selection, rows = items[image.selection], []
    for y in range(layer.y, layer.y + layer.height):
        row = selection.row(y) if 0 <= y < image.height else b"\0" * image.width
        rows.append(b"".join(row[x : x + 1] if x >= 0 else b"\0" for x in range(layer.x, layer.x + layer.width)).ljust(
            layer.width, b"\0"
        ))
    return b"".join(rows)
