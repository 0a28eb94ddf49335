"""Results in an image: which groups are ours, whose results they are, and what is kept with them.

A group of results keeps the tattoo of the layer that it was made for, which GIMP saves and never uses twice. Must not
import the engine package or Gtk. No GIMP, GEGL or babl call at module level.
"""

from __future__ import annotations

from collections.abc import Sequence

import gi

gi.require_version("Gimp", "3.0")
from gi.repository import Gimp  # noqa: E402

from t2c_plugin.request import PARASITE, Record, RequestError  # noqa: E402
from t2c_plugin.shared.limits import ORIGINAL  # noqa: E402


def is_result(item: Gimp.Item) -> bool:
    """Whether we have made this layer, or this group."""
    return item.get_parasite(PARASITE) is not None


def record_of(item: Gimp.Item) -> Record:
    """What is kept with a result.

    Raises:
        RequestError: it is no result of ours, or one of another version.
    """
    parasite = item.get_parasite(PARASITE)
    if parasite is None:
        raise RequestError(f"'{item.get_name()}' was not made by Text2Colors.")
    return Record.from_bytes(bytes(parasite.get_data()))


def keep(item: Gimp.Item, record: Record, original: Gimp.Layer | None = None) -> bool:
    """Keep the record with a result, and with a group also whose result it is; whether GIMP did."""
    kept = item.attach_parasite(_parasite(PARASITE, record.to_bytes()))
    if original is None:
        return kept
    return kept and item.attach_parasite(_parasite(ORIGINAL, str(original.get_tattoo()).encode("ascii")))


def _parasite(name: str, data: bytes) -> Gimp.Parasite:
    flags = Gimp.PARASITE_PERSISTENT | Gimp.PARASITE_UNDOABLE  # without the second, undo complains in a window
    return Gimp.Parasite.new(name, flags, list(data))


def groups_of(image: Gimp.Image, original: Gimp.Layer) -> list[Gimp.GroupLayer]:
    """The groups of a layer's results, the topmost first."""
    beside = siblings(image, original)
    place = next(number for number, one in enumerate(beside) if one.get_id() == original.get_id())
    found = []
    for number, one in enumerate(beside):
        if one.is_group() and is_result(one):
            tattoo = _original_tattoo(one)
            # of groups from versions that kept no tattoo, those that lie right on the layer are its own
            right_on = number < place and all(is_result(between) for between in beside[number:place])
            if tattoo == original.get_tattoo() or (tattoo is None and right_on):
                found.append(one)
    return found


def original_of(image: Gimp.Image, result: Gimp.Layer) -> Gimp.Layer | None:
    """The layer that a result, or a group of results, was made for; None when it is no longer there."""
    parent = result.get_parent()
    group = result if result.is_group() or parent is None or not is_result(parent) else parent
    tattoo = _original_tattoo(group)
    beside = siblings(image, group)
    if tattoo is not None:
        return next((one for one in beside if one.get_tattoo() == tattoo), None)
    place = next(number for number, one in enumerate(beside) if one.get_id() == group.get_id())
    return next((one for one in beside[place + 1 :] if not is_result(one)), None)


def newest(image: Gimp.Image, original: Gimp.Layer) -> Gimp.Layer | None:
    """The result of a layer that can be seen, or else the topmost; None when it has none."""
    results = [layer for group in groups_of(image, original) for layer in group.get_children() if is_result(layer)]
    seen = (one for one in results if one.get_visible() and one.get_parent().get_visible())
    return next(seen, results[0] if results else None)


def siblings(image: Gimp.Image, layer: Gimp.Layer) -> Sequence[Gimp.Layer]:
    """The layers beside this one, itself among them, from the top."""
    parent = layer.get_parent()
    return image.get_layers() if parent is None else parent.get_children()


def _original_tattoo(group: Gimp.Layer) -> int | None:
    parasite = group.get_parasite(ORIGINAL)
    if parasite is None:
        return None
    text = bytes(parasite.get_data()).rstrip(b"\0").decode("ascii", "replace")
    return int(text) if text.isdigit() else None
