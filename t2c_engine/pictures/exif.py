"""EXIF blocks: what they say of orientation and resolution, made upright in place, taken from and put into TIFF files.

A block keeps its bytes but for the few that would be wrong in the result (orientation, sides, thumbnail), so that text
in any encoding and maker notes stay as they are. Must not import any other part of the engine.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from t2c_engine.pictures.directories import (
    Directory,
    DirectoryError,
    Entry,
    Layout,
    long,
    pack_directory,
    read_directory,
    read_layout,
    short,
)

HEADER = b"Exif\0\0"
EXIF_IFD, GPS_IFD, INTEROP_IFD = 0x8769, 0x8825, 0xA005
ORIENTATION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 274, 282, 283, 296
XMP, IPTC, PHOTOSHOP, ICC, PHOTOSHOP_LAYERS = 700, 33723, 34377, 34675, 37724
_SIDES = (40962, 40963)  # EXIF's own notes of width and height
# tags of IFD 0 that describe how the old file is laid out, or that are carried separately
_STRUCTURE = {*range(254, 260), *range(262, 267), 273, ORIENTATION, *range(277, 285), *range(288, 294), 296, 297, 301}
_STRUCTURE |= {*range(317, 348), *range(512, 516), *range(517, 522), *range(529, 533), 50341}
_STRUCTURE |= {XMP, IPTC, PHOTOSHOP, ICC, PHOTOSHOP_LAYERS, EXIF_IFD, GPS_IFD}
_CLASSIC = Layout("<", False, 8)


@dataclass(frozen=True, slots=True)
class ExifNotes:
    """What a block says that reading needs: orientation 1..8, dpi (x, y) or None, whether it names Adobe RGB (DCF)."""

    orientation: int = 1
    dpi: tuple[float, float] | None = None
    adobe_rgb: bool = False


def orientation_of(directory: Directory) -> int:
    entry = directory.get(ORIENTATION)
    number = entry.number if entry else None
    return number if number is not None and 1 <= number <= 8 else 1


def resolution_of(directory: Directory) -> tuple[float, float] | None:
    """Pixels an inch (x, y) from tags 282, 283 and 296."""
    values = [directory[tag].ratios for tag in (X_RESOLUTION, Y_RESOLUTION) if tag in directory]
    if len(values) < 2 or not all(values):
        return None
    unit = directory[RESOLUTION_UNIT].number if RESOLUTION_UNIT in directory else 2
    inch = {2: 1.0, 3: 2.54}.get(unit or 0)
    return plausible_dpi(values[0][0] * inch, values[1][0] * inch) if inch else None


def plausible_dpi(x: float, y: float) -> tuple[float, float] | None:
    return (x, y) if 0 < x < 1e5 and 0 < y < 1e5 else None


def upright_exif(block: bytes) -> tuple[bytes, ExifNotes]:
    """The block (with its `Exif` header) as the result may carry it: orientation 1, no thumbnail; and what it said.

    Raises:
        DirectoryError: the block cannot be read.
    """
    data = bytearray(block.removeprefix(HEADER))
    stream = BytesIO(data)
    layout = read_layout(stream)
    main, following = read_directory(stream, layout, layout.first)
    below = _subdirectories(stream, layout, main)
    turned = orientation_of(main) > 4
    if ORIENTATION in main and main[ORIENTATION].type == 3:
        struct.pack_into(layout.order + "H", data, main[ORIENTATION].place, 1)
    if turned:
        for directory, pair in ((below.get(EXIF_IFD, {}), _SIDES), (main, (X_RESOLUTION, Y_RESOLUTION))):
            _exchange(data, layout, directory, pair)
    if following:
        _drop_thumbnail(data, layout, following)
    interop = below.get(INTEROP_IFD, {}).get(1)
    adobe = interop is not None and interop.data.startswith(b"R03")
    return HEADER + bytes(data), ExifNotes(orientation_of(main), resolution_of(main), adobe)


def exif_of_tiff(stream: BinaryIO, main: Directory) -> tuple[bytes | None, list[str]]:
    """The descriptive tags, EXIF and GPS of a TIFF file as a block, and what of them is lost."""
    lost: list[str] = []
    layout = read_layout(stream)
    kept = {tag: entry for tag, entry in main.items() if tag not in _STRUCTURE and entry.type not in (13, 18)}
    if PHOTOSHOP_LAYERS in main:
        lost.append("Photoshop layers")
    below = _subdirectories(stream, layout, main)
    for tag, name in ((EXIF_IFD, "EXIF data"), (GPS_IFD, "GPS position")):
        if tag in main and tag not in below:
            lost.append(name)
    sides = below.get(EXIF_IFD, {})
    if orientation_of(main) > 4 and all(side in sides for side in _SIDES):
        below[EXIF_IFD] = {**sides, _SIDES[0]: sides[_SIDES[1]], _SIDES[1]: sides[_SIDES[0]]}
    if ORIENTATION in main:
        kept[ORIENTATION] = short(1)
    if not kept and not below:
        return None, lost
    try:
        head = b"II*\0" + struct.pack("<I", 8)
        return HEADER + head + pack_tree(kept, below, 8, _CLASSIC), lost
    except DirectoryError:
        return None, [*lost, "EXIF data"]


def tree_for_tiff(block: bytes) -> tuple[dict[int, Entry], dict[int, Directory]]:
    """IFD 0 without what describes a file's layout, and the directories below it, by their tags.

    Raises:
        DirectoryError: the block cannot be read.
    """
    stream = BytesIO(block.removeprefix(HEADER))
    layout = read_layout(stream)
    main, _ = read_directory(stream, layout, layout.first)
    kept = {tag: entry for tag, entry in main.items() if tag not in _STRUCTURE and entry.type not in (13, 18)}
    if ORIENTATION in main:
        kept[ORIENTATION] = short(1)
    return kept, _subdirectories(stream, layout, main)


def pack_tree(main: Directory, below: Mapping[int, Directory], offset: int, layout: Layout) -> bytes:
    """`main` and behind it its EXIF, GPS and interoperability directories, all to lie from `offset` on."""
    pointers = {tag: long(0) for tag in (EXIF_IFD, GPS_IFD) if tag in below}
    nested = {INTEROP_IFD: long(0)} if INTEROP_IFD in below and EXIF_IFD in below else {}
    place = offset + len(pack_directory({**main, **pointers}, offset, layout))
    tail = b""
    inner: dict[int, Directory] = {tag: below[tag] for tag in (INTEROP_IFD, GPS_IFD, EXIF_IFD) if tag in below}
    found: dict[int, Entry] = {}
    for tag, directory in inner.items():
        plain = {name: entry for name, entry in directory.items() if name != INTEROP_IFD}
        if tag == EXIF_IFD and nested:
            plain[INTEROP_IFD] = found[INTEROP_IFD]
        found[tag] = long(place + len(tail))
        tail += pack_directory(plain, place + len(tail), layout)
    pointers = {tag: found[tag] for tag in pointers}
    return pack_directory({**main, **pointers}, offset, layout) + tail


def _subdirectories(stream: BinaryIO, layout: Layout, main: Directory) -> dict[int, Directory]:
    """EXIF, GPS and interoperability directories that can be read, by the tags that point to them."""
    found: dict[int, Directory] = {}
    for tag, parent in ((EXIF_IFD, main), (GPS_IFD, main), (INTEROP_IFD, None)):
        source = found.get(EXIF_IFD, {}) if parent is None else parent
        place = source[tag].number if tag in source else None
        if not place:
            continue
        try:
            found[tag] = read_directory(stream, layout, place)[0]
        except DirectoryError:
            continue
    return found


def _exchange(data: bytearray, layout: Layout, directory: Directory, pair: tuple[int, int]) -> None:
    """Let two values of one type change places."""
    if not all(tag in directory for tag in pair):
        return
    first, second = (directory[tag] for tag in pair)
    if first.type == second.type and first.count == second.count == 1:
        size = len(first.data)
        one, two = (bytes(data[entry.place : entry.place + size]) for entry in (first, second))
        data[first.place : first.place + size] = two
        data[second.place : second.place + size] = one


def _drop_thumbnail(data: bytearray, layout: Layout, following: int) -> None:
    """Cut the link to IFD 1, and its bytes where they close the block, for it shows the old picture."""
    (count,) = struct.unpack_from(layout.order + "H", data, layout.first)
    link = layout.first + 2 + count * layout.entry_size
    stream = BytesIO(bytes(data))
    if data[link : link + 4] == struct.pack(layout.offset_format, following):
        data[link : link + 4] = bytes(4)
    try:
        thumbnail, _ = read_directory(stream, layout, following)
    except DirectoryError:
        return
    start = thumbnail[513].number if 513 in thumbnail else None
    size = thumbnail[514].number if 514 in thumbnail else None
    if start and size and start + size >= len(data) - 3 and start > following:
        del data[start:]
