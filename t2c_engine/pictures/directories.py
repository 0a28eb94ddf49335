"""TIFF directories (IFDs) as raw entries: read from TIFF, BigTIFF and EXIF blocks, written again byte for byte.

No value is interpreted, so that text in any encoding, private tags and maker notes travel unchanged. Must not import
any other part of the engine.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from io import SEEK_END
from typing import BinaryIO

import numpy as np

# bytes a value of each TIFF type takes, and bytes that belong together when byte order changes
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_UNITS = {**_SIZES, 5: 4, 10: 4}
SHORT, LONG, UNDEFINED = 3, 4, 7
_BIG_TYPES = {16: 4, 17: 9, 18: 13}  # BigTIFF types and what they become in a classic file
_MOST_ENTRIES = 4096
_MOST_BYTES = 1 << 26  # of one value


class DirectoryError(ValueError):
    """Bytes that are no TIFF structure."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One tag: TIFF type, number of values, the values little-endian, and where they lie in the source."""

    type: int
    count: int
    data: bytes
    place: int = 0

    @property
    def number(self) -> int | None:
        """The first value, where it is an unsigned integer."""
        if self.type not in (1, 3, 4, 13, 16, 18) or not self.data:
            return None
        return int.from_bytes(self.data[: _SIZES[self.type]], "little")

    @property
    def ratios(self) -> tuple[float, ...]:
        """Values of type RATIONAL; empty where a denominator is 0 or the type another."""
        if self.type != 5:
            return ()
        numbers = struct.unpack(f"<{2 * self.count}I", self.data)
        if not all(numbers[1::2]):
            return ()
        return tuple(top / bottom for top, bottom in zip(numbers[::2], numbers[1::2], strict=True))


Directory = Mapping[int, Entry]


def short(value: int) -> Entry:
    return Entry(SHORT, 1, struct.pack("<H", value))


def long(value: int) -> Entry:
    return Entry(LONG, 1, struct.pack("<I", value))


@dataclass(frozen=True, slots=True)
class Layout:
    """Byte order ("<" or ">"), whether the file is a BigTIFF, and where its first directory lies."""

    order: str
    big: bool
    first: int

    @property
    def entry_size(self) -> int:
        return 20 if self.big else 12

    @property
    def inline(self) -> int:
        """Bytes of a value that an entry holds itself."""
        return 8 if self.big else 4

    @property
    def offset_format(self) -> str:
        return self.order + ("Q" if self.big else "I")


def read_layout(stream: BinaryIO) -> Layout:
    """The header of a TIFF, BigTIFF or EXIF block. Raises DirectoryError."""
    stream.seek(0)
    head = stream.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 8:
        raise DirectoryError("no TIFF header")
    (version,) = struct.unpack_from(order + "H", head, 2)
    if version == 42:
        return Layout(order, False, *struct.unpack_from(order + "I", head, 4))
    if version == 43 and len(head) == 16 and struct.unpack_from(order + "HH", head, 4) == (8, 0):
        return Layout(order, True, *struct.unpack_from(order + "Q", head, 8))
    raise DirectoryError("no TIFF header")


def read_directory(stream: BinaryIO, layout: Layout, offset: int) -> tuple[dict[int, Entry], int]:
    """One directory and the offset of the next (0: none). Entries that lie outside the source are left out.

    Raises:
        DirectoryError: there is no directory at `offset`.
    """
    length = stream.seek(0, SEEK_END)
    count_format = layout.order + ("Q" if layout.big else "H")
    head = _read(stream, offset, struct.calcsize(count_format))
    (count,) = struct.unpack(count_format, head)
    start = offset + len(head)
    if count > _MOST_ENTRIES:
        raise DirectoryError("a directory with too many entries")
    table = _read(stream, start, count * layout.entry_size)
    entries: dict[int, Entry] = {}
    entry_format = layout.order + ("HHQ" if layout.big else "HHI")
    for index in range(count):
        position = index * layout.entry_size
        tag, kind, number = struct.unpack_from(entry_format, table, position)
        size = _SIZES.get(kind, 0) * number
        place = start + position + layout.entry_size - layout.inline
        if size > layout.inline:
            (place,) = struct.unpack_from(layout.offset_format, table, position + layout.entry_size - layout.inline)
        if kind in _SIZES and size <= _MOST_BYTES and place + size <= length and tag not in entries:
            data = _swapped(_read(stream, place, size), _UNITS[kind], layout.order)
            entries[tag] = Entry(kind, number, data, place)
    end = start + len(table)
    stream.seek(end)
    after = stream.read(struct.calcsize(layout.offset_format))
    following = struct.unpack(layout.offset_format, after)[0] if len(after) == layout.inline else 0
    return entries, following


def pack_directory(directory: Directory, offset: int, layout: Layout, following: int = 0) -> bytes:
    """A directory that is to lie at `offset` (even), its long values behind it.

    BigTIFF types are narrowed for a classic layout. Raises DirectoryError where a value or an offset does not fit.
    """
    if not layout.big:
        directory = {tag: _narrowed(entry) for tag, entry in directory.items()}
    count_format = layout.order + ("Q" if layout.big else "H")
    entry_format = layout.order + ("HHQ" if layout.big else "HHI")
    table = struct.pack(count_format, len(directory))
    place = offset + len(table) + layout.entry_size * len(directory) + layout.inline
    values = b""
    for tag, entry in sorted(directory.items()):
        data = _swapped(entry.data, _UNITS[entry.type], layout.order)
        table += struct.pack(entry_format, tag, entry.type, entry.count)
        if len(data) <= layout.inline:
            table += data.ljust(layout.inline, b"\0")
        else:
            if place + len(values) >= 1 << (64 if layout.big else 32):
                raise DirectoryError("metadata beyond what a TIFF file can address")
            table += struct.pack(layout.offset_format, place + len(values))
            values += data + b"\0" * (len(data) % 2)
    return table + struct.pack(layout.offset_format, following) + values


def _narrowed(entry: Entry) -> Entry:
    if entry.type not in _BIG_TYPES:
        return entry
    numbers = struct.unpack(f"<{entry.count}{'q' if entry.type == 17 else 'Q'}", entry.data)
    try:
        data = struct.pack(f"<{entry.count}{'i' if entry.type == 17 else 'I'}", *numbers)
    except struct.error as error:
        raise DirectoryError("a number that needs BigTIFF") from error
    return Entry(_BIG_TYPES[entry.type], entry.count, data)


def _read(stream: BinaryIO, offset: int, size: int) -> bytes:
    if offset < 0 or offset >= 1 << 62:
        raise DirectoryError("an offset outside the file")
    stream.seek(offset)
    data = stream.read(size)
    if len(data) != size:
        raise DirectoryError("a directory that is cut short")
    return data


def _swapped(data: bytes, unit: int, order: str) -> bytes:
    """Little-endian from the order of the file, or back."""
    if order == "<" or unit == 1:
        return data
    return np.frombuffer(data, f"u{unit}").byteswap().tobytes()
