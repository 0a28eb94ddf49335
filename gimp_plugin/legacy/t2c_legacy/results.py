"""Results in an image: which groups are ours, whose results they are. Kept as the plug-in for GIMP 3 keeps them.

A group of results keeps the tattoo of the layer that it was made for, which GIMP saves and never uses twice.
"""

import gimp
from t2c_plugin.shared.limits import ORIGINAL, PARASITE

from t2c_legacy.texts import to_text

try:
    from typing import List, Optional
except ImportError:  # Python 2.7 has no typing; the types stand in comments
    pass

_FLAGS = 1 | 2  # persistent, undoable


def is_result(item):
    # type: (gimp.Drawable) -> bool
    """Whether we have made this layer, or this group."""
    return item.parasite_find(PARASITE) is not None


def keep(item, record):
    # type: (gimp.Layer, str) -> None
    """Keep a record, as JSON, with a result."""
    item.attach_new_parasite(PARASITE, _FLAGS, record)


def keep_original(group, original):
    # type: (gimp.GroupLayer, gimp.Layer) -> None
    """Keep with a group whose results it holds."""
    group.attach_new_parasite(ORIGINAL, _FLAGS, str(original.tattoo))


def siblings(image, layer):
    # type: (gimp.Image, gimp.Layer) -> List[gimp.Layer]
    """The layers beside this one, itself among them, from the top."""
    return image.layers if layer.parent is None else layer.parent.children


def groups_of(image, original):
    # type: (gimp.Image, gimp.Layer) -> List[gimp.GroupLayer]
    """The groups of a layer's results, the topmost first."""
    beside = siblings(image, original)
    place = [one.ID for one in beside].index(original.ID)
    found = []
    for number, one in enumerate(beside):
        if isinstance(one, gimp.GroupLayer) and is_result(one):
            tattoo = _original_tattoo(one)
            # of groups from versions that kept no tattoo, those that lie right on the layer are its own
            right_on = number < place and all(is_result(between) for between in beside[number:place])
            if tattoo == original.tattoo or (tattoo is None and right_on):
                found.append(one)
    return found


def original_of(image, result):
    # type: (gimp.Image, gimp.Layer) -> Optional[gimp.Layer]
    """The layer that a result, or a group of results, was made for; None when it is no longer there."""
    parent = result.parent
    group = result
    if parent is not None and not isinstance(result, gimp.GroupLayer) and is_result(parent):
        group = parent
    tattoo = _original_tattoo(group)
    beside = siblings(image, group)
    if tattoo is not None:
        found = [one for one in beside if one.tattoo == tattoo]
    else:
        place = [one.ID for one in beside].index(group.ID)
        found = [one for one in beside[place + 1 :] if not is_result(one)]
    return found[0] if found else None


def _original_tattoo(group):
    # type: (gimp.Layer) -> Optional[int]
    parasite = group.parasite_find(ORIGINAL)
    text = u"" if parasite is None else to_text(parasite.data).rstrip(u"\0")
    return int(text) if text.isdigit() else None
