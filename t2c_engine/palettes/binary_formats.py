"""The binary palette formats: .aco and .act (Photoshop), .ase (Adobe), RIFF .pal (Windows); bytes in, groups out.

Written from the formats' published descriptions (Adobe Photoshop File Formats Specification, "Color swatches"; the
Swatch Exchange blocks as documented by its users). CMYK is converted without a profile, Lab as if its white were D65.
Must not import torch, Pillow or anything that touches files.
"""

from __future__ import annotations

import colorsys
import struct
from collections.abc import Iterator, Sequence

import numpy as np

from t2c_engine.errors import PaletteError
from t2c_engine.palettes.palette import Color, Palette
from t2c_engine.serving.protocol import MAX_PALETTE_COLORS

Group = tuple[str, list[Color]]  # a name, which may be empty, and colours

_ACO_RGB, _ACO_HSB, _ACO_CMYK, _ACO_LAB, _ACO_GREY = 0, 1, 2, 7, 8
_ASE_COLOR, _ASE_GROUP_START, _ASE_GROUP_END = 0x0001, 0xC001, 0xC002
_ASE_CHANNELS = {b"RGB ": 3, b"CMYK": 4, b"LAB ": 3, b"Gray": 1}
_ACT_TABLE = 768  # bytes
_MAX_NAME = 1000  # characters written
_MAX_GROUPS = 256


class _Bytes:
    """A span of bytes read from its start: every read past its end is a PaletteError with its offset."""

    def __init__(self, content: bytes, where: str, at: int = 0, end: int | None = None) -> None:
        self.content, self.where, self.at = content, where, at
        self.end = len(content) if end is None else end

    def take(self, count: int) -> bytes:
        if count > self.end - self.at:
            raise self.error(f"{count} bytes should follow but only {self.end - self.at} do; it is cut off or damaged")
        self.at += count
        return self.content[self.at - count : self.at]

    def unpack(self, layout: str) -> tuple:
        return struct.unpack(f">{layout}", self.take(struct.calcsize(f">{layout}")))

    def name(self, length: int) -> str:
        """UTF-16 of `length` units, the closing zero included."""
        return self.take(2 * length).decode("utf-16-be", "replace").split("\0")[0]

    def error(self, what: str) -> PaletteError:
        return PaletteError(f"{self.where}, byte {self.at}: {what}.")


def parse_aco(content: bytes, where: str) -> list[Group]:
    """Photoshop's swatches, version 1 with or without version 2 behind it; colours of unknown spaces are an error."""
    reader = _Bytes(content, where)
    version, count = reader.unpack("HH")
    if version not in (0, 1, 2):
        raise PaletteError(f"{where}, byte 0: an .aco file begins with version 0, 1 or 2, not {version}.")
    if count > MAX_PALETTE_COLORS:
        raise PaletteError(f"{where}, byte 2: {count} colours are more than a palette can use, {MAX_PALETTE_COLORS}.")
    colors = []
    for _ in range(count):
        colors.append(_aco_color(reader))
        if version == 2:
            (length,) = reader.unpack("L")
            reader.name(length)
    return [("", colors)]  # version 2 behind version 1 repeats the colours with names


def _aco_color(reader: _Bytes) -> Color:
    space, *values = reader.unpack("HHHHH")
    unit = [value / 65535 for value in values]
    if space == _ACO_RGB:
        return _from_rgb(*unit[:3])
    if space == _ACO_HSB:
        return _from_rgb(*colorsys.hsv_to_rgb(*unit[:3]))
    if space == _ACO_CMYK:  # 0 is full ink
        return _from_cmyk(*(1 - value for value in unit))
    if space == _ACO_LAB:  # L in hundredths, a and b signed hundredths
        signed = struct.unpack(">hh", struct.pack(">HH", values[1], values[2]))
        return _from_lab(values[0] / 100, signed[0] / 100, signed[1] / 100)
    if space == _ACO_GREY:  # 0 (white) to 10000 (black), as Photoshop writes it
        return _from_rgb(*[1 - min(values[0], 10000) / 10000] * 3)
    raise reader.error(f"colour space {space} is not known; save the swatches as RGB")


def render_aco(palettes: Sequence[Palette]) -> bytes:
    """Version 1 and version 2 (with names), RGB. Raises PaletteError beyond `MAX_PALETTE_COLORS` colours in all."""
    labelled = [(label, color) for palette, label in _labels(palettes) for color in palette.colors]
    if len(labelled) > MAX_PALETTE_COLORS:
        raise PaletteError(f"An .aco file takes {MAX_PALETTE_COLORS} colours, not {len(labelled)}; write less.")
    first, second = [struct.pack(">HH", 1, len(labelled))], [struct.pack(">HH", 2, len(labelled))]
    for label, color in labelled:
        entry = struct.pack(">HHHHH", _ACO_RGB, *(channel * 257 for channel in color), 0)
        name = _utf16(label)
        first.append(entry)
        second.append(entry + struct.pack(">L", len(name) // 2) + name)
    return b"".join(first + second)


def parse_ase(content: bytes, where: str) -> list[Group]:
    """Swatch Exchange: a group each, colours outside all groups first; blocks of unknown kinds are passed over."""
    reader = _Bytes(content, where)
    if reader.take(min(4, len(content))) != b"ASEF":
        raise PaletteError(f"{where}, byte 0: an .ase file begins with 'ASEF'; this one does not.")
    _major, _minor, blocks = reader.unpack("HHL")
    loose: Group = ("", [])
    groups: list[Group] = [loose]
    current = loose
    for _ in range(blocks):
        kind, length = reader.unpack("HL")
        start = reader.at
        reader.take(length)
        body = _Bytes(content, where, start, reader.at)
        if kind == _ASE_GROUP_START:
            (units,) = body.unpack("H")
            current = (body.name(units), [])
            groups.append(current)
            if len(groups) > _MAX_GROUPS:
                raise body.error(f"there are more than {_MAX_GROUPS} groups; split the file")
        elif kind == _ASE_GROUP_END:
            current = loose
        elif kind == _ASE_COLOR:
            (units,) = body.unpack("H")
            body.name(units)
            current[1].append(_ase_color(body))
            if len(current[1]) > MAX_PALETTE_COLORS:
                raise body.error(f"there are more than {MAX_PALETTE_COLORS} colours in one palette; split the file")
    return groups


def _ase_color(body: _Bytes) -> Color:
    model = body.take(4)
    if model not in _ASE_CHANNELS:
        raise body.error(f"colour model {model!r} is not known; save the swatches as RGB")
    values = body.unpack(f"{_ASE_CHANNELS[model]}f")
    if not np.isfinite(values).all():
        raise body.error("a colour value is not a number; save the swatches again")
    if model == b"RGB ":
        return _from_rgb(*values)
    if model == b"CMYK":
        return _from_cmyk(*values)
    if model == b"Gray":
        return _from_rgb(*values * 3)
    return _from_lab(values[0] * 100, values[1], values[2])


def render_ase(palettes: Sequence[Palette]) -> bytes:
    """One group a palette, RGB colours named by their hex code."""
    blocks = []
    for palette, label in _labels(palettes):
        name = _utf16(label)
        blocks.append(_ase_block(_ASE_GROUP_START, struct.pack(">H", len(name) // 2) + name))
        for color, code in zip(palette.colors, palette.hex, strict=True):
            name = _utf16(code)
            values = struct.pack(">4s3fH", b"RGB ", *(channel / 255 for channel in color), 2)  # 2: a normal colour
            blocks.append(_ase_block(_ASE_COLOR, struct.pack(">H", len(name) // 2) + name + values))
        blocks.append(_ase_block(_ASE_GROUP_END, b""))
    return struct.pack(">4sHHL", b"ASEF", 1, 0, len(blocks)) + b"".join(blocks)


def _ase_block(kind: int, body: bytes) -> bytes:
    return struct.pack(">HL", kind, len(body)) + body


def parse_act(content: bytes, where: str) -> list[Group]:
    """Photoshop's colour table: 256 RGB triples, then perhaps how many count and which is transparent.

    Without a count, the black entries that fill the table up are left out.
    """
    if len(content) not in (_ACT_TABLE, _ACT_TABLE + 4):
        raise PaletteError(
            f"{where}, byte {len(content)}: an .act file has 768 or 772 bytes; it is cut off or damaged."
        )
    colors = [(content[at], content[at + 1], content[at + 2]) for at in range(0, _ACT_TABLE, 3)]
    if len(content) > _ACT_TABLE:
        (count,) = struct.unpack_from(">H", content, _ACT_TABLE)
        return [("", colors[: count or 256])]
    while len(colors) > 2 and colors[-1] == colors[-2] == (0, 0, 0):
        colors.pop()
    if len(colors) < 256 and colors[-1] == (0, 0, 0):
        colors.pop()
    return [("", colors)]


def parse_riff(content: bytes, where: str) -> list[Group]:
    """Microsoft's palette: a RIFF file of form "PAL ", each "data" chunk a palette; other chunks are passed over."""
    reader = _Bytes(content, where)
    reader.take(8)
    if reader.take(4) != b"PAL ":
        raise PaletteError(f"{where}, byte 8: a RIFF palette is of the form 'PAL '; this one is not.")
    groups: list[Group] = []
    while reader.end - reader.at >= 8 and len(groups) < _MAX_GROUPS:
        kind = reader.take(4)
        (length,) = struct.unpack("<L", reader.take(4))
        if kind == b"data":
            _version, count = struct.unpack("<HH", reader.take(4))
            if count > MAX_PALETTE_COLORS:
                raise reader.error(f"{count} colours are more than a palette can use, {MAX_PALETTE_COLORS}")
            entries = reader.take(4 * count)
            groups.append(("", [(entries[at], entries[at + 1], entries[at + 2]) for at in range(0, 4 * count, 4)]))
            reader.at += min(max(length - 4 - 4 * count, 0), reader.end - reader.at)
        else:
            reader.at += min(length, reader.end - reader.at)
        reader.at += length & (reader.at < reader.end)  # chunks begin at even places
    return groups


def _labels(palettes: Sequence[Palette]) -> Iterator[tuple[Palette, str]]:
    """Each palette with its name, numbered when there are several."""
    for index, palette in enumerate(palettes, start=1):
        yield palette, f"{palette.name} {index}".strip() if len(palettes) > 1 else palette.name


def _utf16(text: str) -> bytes:
    """A name as both formats want it: UTF-16, big-endian, closed by a zero."""
    return (text.replace("\0", " ")[:_MAX_NAME] + "\0").encode("utf-16-be", "replace")


def _from_rgb(red: float, green: float, blue: float) -> Color:
    red, green, blue = (min(max(round(value * 255), 0), 255) for value in (red, green, blue))
    return red, green, blue


def _from_cmyk(cyan: float, magenta: float, yellow: float, black: float) -> Color:
    return _from_rgb(*((1 - ink) * (1 - black) for ink in (cyan, magenta, yellow)))


def _from_lab(light: float, a: float, b: float) -> Color:
    return Palette.from_lab(np.clip([[light, a, b]], (0, -128, -128), (100, 128, 128))).colors[0]
