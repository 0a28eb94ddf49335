"""Palette files: .gpl (GIMP), .aco (Photoshop), .ase (Adobe Swatch Exchange) and plain lists (.hex, .txt).

Reading never trusts a count or a length in a file. The binary formats live in `binary_formats`. Must not import torch
or Pillow.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from t2c_engine.errors import PaletteError
from t2c_engine.files import write_file
from t2c_engine.palettes.binary_formats import Group, parse_aco, parse_ase, render_aco, render_ase
from t2c_engine.palettes.palette import Color, Palette, parse_hex
from t2c_engine.serving.protocol import MAX_PALETTE_COLORS, PALETTE_SUFFIXES

MAX_BYTES = 1 << 20  # far beyond any palette
_GROUP_MARK = "# Palette:"  # a comment to other programs; where the next palette begins to us


def read_palettes(path: str | Path) -> tuple[Palette, ...]:
    """Every palette of a file: the groups of an .ase, the parts of a .gpl written here, the lines of a list.

    A file without such parts gives one palette. Names are those in the file, else the file's own.

    Raises:
        PaletteError: missing, unreadable or malformed (with line or byte offset), of an unknown kind, or empty.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in PALETTE_SUFFIXES:
        raise PaletteError(f"{path} is no palette file this program knows; use one of {', '.join(PALETTE_SUFFIXES)}.")
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise PaletteError(f"The palette {path} cannot be read ({error.strerror}); check its name.") from error
    if len(content) > MAX_BYTES:
        raise PaletteError(f"{path} is larger than {MAX_BYTES >> 20} MB, so it is no palette; choose another file.")
    groups = parse_palettes(content, kind, str(path))
    return tuple(Palette(tuple(colors), name or path.stem) for name, colors in groups)


def read_palette(path: str | Path) -> Palette:
    """All colours of a file as one palette, whatever parts it has. Errors as `read_palettes`."""
    palettes = read_palettes(path)
    colors = tuple(color for palette in palettes for color in palette.colors)
    if len(colors) > MAX_PALETTE_COLORS:
        raise PaletteError(f"{path} holds {len(colors)} colours; at most {MAX_PALETTE_COLORS} can be used.")
    return Palette(colors, palettes[0].name if len(palettes) == 1 else Path(path).stem)


def write_palette(path: str | Path, palettes: Palette | Sequence[Palette], overwrite: bool = False) -> None:
    """Write one or several palettes in the format of the name's ending, whole or not at all.

    Several become groups in .ase, parts with numbered colours in .gpl, one line each in .hex and .txt, and one list
    with numbered names in .aco. The first palette's name is the file's.

    Raises:
        PaletteError: there is none, or the ending is unknown.
        OutputError: the file exists and `overwrite` is false, or it cannot be written.
    """
    path = Path(path)
    several = [palettes] if isinstance(palettes, Palette) else list(palettes)
    if not several:
        raise PaletteError(f"There is no palette to write to {path}; give at least one.")
    write_file(path, render_palettes(several, path.suffix.lower()), overwrite)


def parse_palettes(content: bytes, kind: str, where: str = "the palette") -> list[Group]:
    """The (name, colours) groups in a file's bytes; `kind` is one of `PALETTE_SUFFIXES`, `where` stands in messages.

    Raises:
        PaletteError: malformed, no colour, or more than `MAX_PALETTE_COLORS` in one group.
    """
    parse = {".gpl": _parse_gpl, ".aco": parse_aco, ".ase": parse_ase, ".hex": _parse_list, ".txt": _parse_list}
    groups = [(name, colors) for name, colors in parse[kind](content, where) if colors]
    if not groups:
        raise PaletteError(f"{where} holds no colour; give a palette with at least one.")
    for _, colors in groups:
        if len(colors) > MAX_PALETTE_COLORS:
            raise PaletteError(f"{where} holds more than {MAX_PALETTE_COLORS} colours; shorten the palette.")
    return groups


def render_palettes(palettes: Sequence[Palette], kind: str) -> bytes:
    """The bytes of a file of that kind; at least one palette. Raises PaletteError for an unknown kind."""
    render = {".gpl": _render_gpl, ".aco": render_aco, ".ase": render_ase, ".hex": _render_list, ".txt": _render_list}
    if kind not in render:
        raise PaletteError(f"Palettes are written as {', '.join(render)}, not as '{kind}'.")
    return render[kind](palettes)


def one_line(name: str) -> str:
    """A name that fits a line of a text format: no control characters, no line ends."""
    return " ".join("".join(char if char.isprintable() else " " for char in name).split())


def _parse_gpl(content: bytes, where: str) -> list[Group]:
    """GIMP's palette: a header line, "Name:" and "Columns:", "#" comments, then "red green blue name" lines."""
    lines = content.decode("utf-8", "replace").splitlines()
    if not lines or lines[0].lstrip("\ufeff").strip() != "GIMP Palette":
        raise PaletteError(f"{where}, line 1: a .gpl file begins with 'GIMP Palette'; this one does not.")
    groups: list[Group] = [("", [])]
    for number, line in enumerate(lines[1:], start=2):
        line = line.strip()
        if line.startswith(_GROUP_MARK):
            groups.append((line.removeprefix(_GROUP_MARK).strip(), []))
        elif line.startswith("Name:") and not groups[0][0]:
            groups[0] = (line.removeprefix("Name:").strip(), groups[0][1])
        elif line and not line.startswith(("#", "Name:", "Columns:")):
            words = line.split(maxsplit=3)
            if len(words) < 3 or not all(re.fullmatch("[0-9]{1,3}", word) and int(word) < 256 for word in words[:3]):
                raise PaletteError(f"{where}, line {number}: '{line[:40]}' does not begin with three values of 0..255.")
            groups[-1][1].append((int(words[0]), int(words[1]), int(words[2])))
            if len(groups[-1][1]) > MAX_PALETTE_COLORS:
                break  # too many already, which the caller says
    return groups


def _render_gpl(palettes: Sequence[Palette]) -> bytes:
    lines = ["GIMP Palette", f"Name: {one_line(palettes[0].name) or 'Text2Colors'}"]
    lines.append(f"Columns: {min(len(palettes[0].colors), 64)}")
    for index, palette in enumerate(palettes, start=1):
        name = one_line(palette.name)
        lines.append(f"{_GROUP_MARK} {name}".rstrip() if len(palettes) > 1 else "#")
        label = f"{name} {index}".strip() if len(palettes) > 1 else name
        for color, code in zip(palette.colors, palette.hex, strict=True):
            lines.append("{:3d} {:3d} {:3d}".format(*color) + f"\t{label} {code}".replace("\t ", "\t"))
    return ("\n".join(lines) + "\n").encode()


def _parse_list(content: bytes, where: str) -> list[Group]:
    """Hex codes, one or several a line, "; comment" and "# comment" lines (a space after the #) left out.

    When a line holds several colours, every line is a palette of its own; else all lines make one.
    """
    lines: list[list[Color]] = []
    for number, line in enumerate(content.decode("utf-8-sig", "replace").splitlines(), start=1):
        line = line.strip()
        if not line or line.startswith((";", "//")) or re.match(r"#(\s|$)", line):
            continue
        words = re.split(r"[,;\s]+", line.strip(",; \t"), maxsplit=MAX_PALETTE_COLORS + 1)
        try:
            lines.append([parse_hex(word) for word in words[: MAX_PALETTE_COLORS + 1]])
        except PaletteError as error:
            raise PaletteError(f"{where}, line {number}: {error}") from error
    if all(len(line) == 1 for line in lines):
        return [("", [color for line in lines for color in line])]
    return [("", line) for line in lines]


def _render_list(palettes: Sequence[Palette]) -> bytes:
    separator = "\n" if len(palettes) == 1 else " "
    return "".join(separator.join(palette.hex) + "\n" for palette in palettes).encode()
