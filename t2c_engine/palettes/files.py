"""Palette files: those of GIMP, Photoshop, Adobe, Paint Shop Pro, Paint.NET and Windows, lists, style sheets, JSON.

Reading never trusts a count or a length in a file, nor its ending where its first bytes say more. The formats live in
`binary_formats` and `text_formats`. Must not import torch or Pillow.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from t2c_engine.errors import PaletteError
from t2c_engine.files import write_file
from t2c_engine.palettes.binary_formats import (
    Group,
    parse_aco,
    parse_act,
    parse_ase,
    parse_riff,
    render_aco,
    render_ase,
)
from t2c_engine.palettes.notation import find_links
from t2c_engine.palettes.palette import Palette
from t2c_engine.palettes.text_formats import (
    BLOCK_COMMENT,
    GROUP_MARK,
    alike,
    decode,
    parse_css,
    parse_gpl,
    parse_jasc,
    parse_json,
    parse_list,
)
from t2c_engine.pictures.formats import READ_SUFFIXES as PICTURE_SUFFIXES
from t2c_engine.serving.protocol import MAX_PALETTE_COLORS, PALETTE_SUFFIXES

READABLE_SUFFIXES = (*PALETTE_SUFFIXES, ".act", ".pal", ".css", ".scss", ".less", ".json", ".url")
MAX_BYTES = 1 << 20  # far beyond any palette


def read_palettes(path: str | Path) -> tuple[Palette, ...]:
    """Every palette of a file: the groups of an .ase, the parts of a .gpl written here, the lines of a list.

    A file without such parts gives one palette. Names are those in the file, else the file's own.

    Raises:
        PaletteError: missing, unreadable or malformed (with line or byte offset), of an unknown kind, or empty.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in READABLE_SUFFIXES:
        advice = f"use one of {', '.join(READABLE_SUFFIXES)}"
        if kind in PICTURE_SUFFIXES:
            advice = "of a picture take the colours with 't2c palette --from-image', or give it as --reference"
        raise PaletteError(f"{path} is no palette file this program knows; {advice}.")
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise PaletteError(f"The palette {path} cannot be read ({error.strerror}); check its name.") from error
    if len(content) > MAX_BYTES:
        raise PaletteError(f"{path} is larger than {MAX_BYTES >> 20} MB, so it is no palette; choose another file.")
    groups = parse_palettes(content, kind, str(path))
    return tuple(Palette(tuple(colors), name or path.stem) for name, colors in groups)


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
    """The (name, colours) groups in a file's bytes; `kind` is one of `READABLE_SUFFIXES`, `where` stands in messages.

    Raises:
        PaletteError: malformed, no colour, or more than `MAX_PALETTE_COLORS` in one group.
    """
    binary = {".aco": parse_aco, ".act": parse_act, ".ase": parse_ase}
    if kind in binary:
        groups = binary[kind](content, where)
    elif content[:4] == b"RIFF":
        groups = parse_riff(content, where)
    else:
        groups = _parse_text(decode(content), kind, where)
    groups = [(name, colors) for name, colors in groups if colors]
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


def _parse_text(text: str, kind: str, where: str) -> list[Group]:
    """The groups of a text by what it begins with, then by its ending, then by what is in it."""
    begin = text.lstrip()
    first = begin.split("\n", 1)[0].strip()
    if kind == ".gpl" or first == "GIMP Palette":
        return parse_gpl(text, where)
    if first == "JASC-PAL":
        return parse_jasc(begin, where)
    if kind == ".json":
        return parse_json(text, where)
    if kind == ".url":
        return [("", colors) for _, _, colors in find_links(text)]
    if kind in (".css", ".scss", ".less") or (kind == ".txt" and _is_css(text)):
        return parse_css(text, where)
    if begin[:1] in ("[", "{"):
        try:
            json.loads(text)
        except (ValueError, RecursionError):  # another language's array: read as a list
            return parse_list(text, where)
        return parse_json(text, where)
    return _first_section(text, where) or parse_list(text, where)


def _first_section(text: str, where: str) -> list[Group] | None:
    """The first part between block comments if the next says the same in another notation (an export of Coolors)."""
    sections = [part for part in BLOCK_COMMENT.split(text) if part.strip()]
    if len(sections) < 2:
        return None
    try:
        first, second = (_parse_text(part, "", where) for part in sections[:2])
    except PaletteError:
        return None
    colors = [[color for _, group in groups for color in group] for groups in (first, second)]
    return first if alike(*colors) else None


def _is_css(text: str) -> bool:
    """Whether a text without a telling ending holds style declarations: "--rust: #8c2f1b;"."""
    return any(line.lstrip().startswith(("--", "$", "@", ":root", ".")) and ":" in line for line in text.splitlines())


def _render_gpl(palettes: Sequence[Palette]) -> bytes:
    lines = ["GIMP Palette", f"Name: {one_line(palettes[0].name) or 'Text2Colors'}"]
    lines.append(f"Columns: {min(len(palettes[0].colors), 64)}")
    for index, palette in enumerate(palettes, start=1):
        name = one_line(palette.name)
        lines.append(f"{GROUP_MARK} {name}".rstrip() if len(palettes) > 1 else "#")
        label = f"{name} {index}".strip() if len(palettes) > 1 else name
        for color, code in zip(palette.colors, palette.hex, strict=True):
            lines.append("{:3d} {:3d} {:3d}".format(*color) + f"\t{label} {code}".replace("\t ", "\t"))
    return ("\n".join(lines) + "\n").encode()


def _render_list(palettes: Sequence[Palette]) -> bytes:
    separator = "\n" if len(palettes) == 1 else " "
    return "".join(separator.join(palette.hex) + "\n" for palette in palettes).encode()
