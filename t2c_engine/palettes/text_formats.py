"""The palette formats that are text: GIMP's .gpl, JASC's .pal, lists, CSS, JSON; text in, (name, colours) groups out.

Must not import torch, Pillow (but for CSS names) or anything that touches files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from t2c_engine.errors import PaletteError
from t2c_engine.palettes.binary_formats import Group
from t2c_engine.palettes.notation import Color, find_links, find_notations, not_a_color, parse_bare
from t2c_engine.serving.protocol import MAX_PALETTE_COLORS

GROUP_MARK = "# Palette:"  # a comment to other programs; where the next palette begins to us
_GPL_HEADER = re.compile(r"[^\W\d][\w .-]*:")
_COMMENT = re.compile(r"(?:;|//|#(?=\s|$)).*")
BLOCK_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_DECLARATION = re.compile(r"(?P<name>[-$@\w][-\w.]*)[\"']?\s*:\s*(?P<value>[^;{}]{1,2000})")
_TRIPLE = re.compile(r"[\[(]\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*(?:,\s*[\d.]+\s*)?[\])]")
_ATTRIBUTE = re.compile(r"\b(?:hex|color|rgb|value)\s*=\s*[\"']([0-9a-fA-F]{6}|[0-9a-fA-F]{8})[\"']")
_CODE = re.compile(r"(?=.*\d)(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{8})")  # hex digits that are no English word
_COLOR_KEYS = ("hex", "hexcode", "color", "colour", "value", "rgb", "code")
_MAX_DEPTH = 8
_SAME = 6  # of 255: what rounded hsl() values may differ from the hex codes they stand beside


def decode(content: bytes) -> str:
    """The text of a file: UTF-8 or, after its byte order mark, UTF-16; what is neither becomes replacement marks."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace")
    return content.decode("utf-8-sig", "replace")


def parse_gpl(text: str, where: str) -> list[Group]:
    """GIMP's palette: a first line, headers of any name ("Channels: RGBA" adds alpha), "#" comments, rows."""
    lines = text.splitlines()
    if not lines or lines[0].strip() != "GIMP Palette":
        raise PaletteError(f"{where}, line 1: a .gpl file begins with 'GIMP Palette'; this one does not.")
    groups: list[Group] = [("", [])]
    channels = 3
    begun = False
    for number, line in enumerate(lines[1:], start=2):
        line = line.strip()
        if line.startswith(GROUP_MARK):
            groups.append((line.removeprefix(GROUP_MARK).strip(), []))
        elif not line or line.startswith("#"):
            continue
        elif _GPL_HEADER.match(line) or (not begun and line[0].isalpha()):
            key, _, value = line.partition(":")
            if key == "Name" and not groups[0][0]:
                groups[0] = (value.strip(), groups[0][1])
            elif key.strip().lower() == "channels":
                channels = 4 if value.strip().upper() == "RGBA" else 3
        else:
            begun = True
            groups[-1][1].append(_row(line, channels, f"{where}, line {number}"))
            if len(groups[-1][1]) > MAX_PALETTE_COLORS:
                break  # too many already, which the caller says
    return groups


def _row(line: str, channels: int, where: str) -> Color:
    """Red, green, blue of a line of decimal numbers, behind which a name may stand."""
    words = line.split(maxsplit=channels)
    if len(words) < channels or not all(
        re.fullmatch("[0-9]{1,3}", word) and int(word) < 256 for word in words[:channels]
    ):
        number = "three" if channels == 3 else "four"
        raise PaletteError(f"{where}: '{line[:40]}' does not begin with {number} values of 0..255.")
    return int(words[0]), int(words[1]), int(words[2])


def parse_jasc(text: str, where: str) -> list[Group]:
    """Paint Shop Pro's palette: "JASC-PAL", version, count, then rows; the count is not trusted."""
    colors: list[Color] = []
    for number, line in enumerate(text.splitlines()[1:], start=2):
        line = line.strip()
        if line and (number > 3 or len(line.split()) > 1):  # lines 2 and 3 hold one number each
            colors.append(_row(line, 3, f"{where}, line {number}"))
        if len(colors) > MAX_PALETTE_COLORS:
            break
    return [("", colors)]


def parse_list(text: str, where: str) -> list[Group]:
    """Colours in lines, in any notation, with comments: hex lists, Paint.NET's, links, decimal triples.

    When a line holds several colours, every line is a palette of its own; else all lines make one. Words beside colours
    that are marked as such ("#8c2f1b Rust") are names.
    """
    text = BLOCK_COMMENT.sub(lambda match: "\n" * match[0].count("\n"), text)
    lines: list[list[Color]] = []
    bare: list[tuple[int, list[str]]] = []  # place in `lines`, words: alpha's place is told by all of them
    total = 0
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            colors, words = _read_line(line.strip())
        except PaletteError as error:
            raise PaletteError(f"{where}, line {number}: {error}") from error
        if words:
            bare.append((len(lines), words))
        if colors or words:
            lines.append(colors)
            total += len(colors) + len(words)
        if total > 64 * MAX_PALETTE_COLORS:
            break  # far more than all palettes of one file; the check below says so
    values = parse_bare([word for _, words in bare for word in words])
    for place, words in bare:
        lines[place] = values[: len(words)]
        del values[: len(words)]
    if all(len(line) == 1 for line in lines):
        return [("", [color for line in lines for color in line])]
    return [("", line) for line in lines]


def _read_line(line: str) -> tuple[list[Color], list[str]]:
    """A line's colours, or else its words that are hex digits only; neither for a comment or a blank line."""
    links = [colors for _, _, colors in find_links(line)]
    if any(links):
        return [color for colors in links for color in colors], []
    line = re.sub(r"https?://\S+", " ", line)
    if _COMMENT.match(line):
        return [], []
    marked = [one.color for one in find_notations(line)]
    if not marked:
        triples = [match.groups() for match in _TRIPLE.finditer(line)]
        if triples:
            return [_row(" ".join(triple), 3, "here") for triple in triples[: MAX_PALETTE_COLORS + 1]], []
        attributes = _ATTRIBUTE.findall(line)
        if attributes:
            return [], attributes[: MAX_PALETTE_COLORS + 1]
    words = [word for word in re.split(r"[\s,;|\[\](){}\"'-]+", line, maxsplit=MAX_PALETTE_COLORS + 2) if word]
    if marked:
        if "#" in line and any(word[0] == "#" and not list(find_notations(word)) for word in words):
            raise not_a_color(next(word for word in words if word[0] == "#" and not list(find_notations(word))))
        return marked[: MAX_PALETTE_COLORS + 1], []
    words = words[: MAX_PALETTE_COLORS + 1]
    decimal = [word for word in words[:3] if re.fullmatch("[0-9]{1,3}", word) and int(word) < 256]
    if len(decimal) == 3 and (len(words) == 3 or not re.fullmatch("[0-9a-fA-F]+", words[3]) or len(words) == 4):
        return [(int(words[0]), int(words[1]), int(words[2]))], []
    if len(words) > 1 and _CODE.fullmatch(words[0]) and not any(_CODE.fullmatch(word) for word in words[1:]):
        return [], words[:1]  # a name stands behind it
    for word in words:
        parse_bare([word])  # the first that is no colour is named
    return [], words


def parse_css(text: str, where: str) -> list[Group]:
    """Style sheets: every colour in a declaration, variables once however often they are written.

    Where one list of colours stands in several notations (an export of Coolors), it counts once.
    """
    parts = BLOCK_COMMENT.split(text)
    sections = [_css_colors(part, where) for part in parts]
    if not any(sections):
        sections = [_css_colors(part, where, gradients=True) for part in parts]
    sections = [part for part in sections if part]
    if len(sections) > 1 and all(alike(sections[0], part) for part in sections):
        return [("", sections[0])]
    return [("", list(dict.fromkeys(color for part in sections for color in part)))]


def _css_colors(text: str, where: str, gradients: bool = False) -> list[Color]:
    """The colours of declarations; those of gradients, which repeat others, only where asked for."""
    found: dict[str, list[Color]] = {}
    for number, match in enumerate(_DECLARATION.finditer(text)):
        name, value = match["name"], match["value"]
        variable = name.startswith(("--", "$", "@"))
        if "gradient(" in value and not gradients:
            continue
        try:
            colors = [one.color for one in find_notations(value)] or _named(value)
        except PaletteError as error:
            raise PaletteError(f"{where}, '{name}': {error}") from error
        key = name.lstrip("-$@") if variable else f"{name} {number}"
        if colors:
            found.setdefault(key, colors)
    return [color for colors in found.values() for color in colors][: MAX_PALETTE_COLORS + 1]


def _named(value: str) -> list[Color]:
    """Colours of a value that is written with the names of CSS ("tomato")."""
    from PIL.ImageColor import colormap, getrgb

    words = re.findall(r"(?<![-\w])[a-z]{3,20}(?![-\w(])", value.lower())
    return [getrgb(word)[:3] for word in words if word in colormap]


def alike(one: list[Color], other: list[Color]) -> bool:
    """Whether two lists of several colours are one in two notations."""
    pairs = zip(one, other, strict=False)
    return 1 < len(one) == len(other) and all(abs(a - b) <= _SAME for pair in pairs for a, b in zip(*pair, strict=True))


def parse_json(text: str, where: str) -> list[Group]:
    """JSON of any shape: texts and triples that are colours; a list of such is a palette.

    Raises:
        PaletteError: it is no JSON, or nested too deeply.
    """
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PaletteError(f"{where} is no JSON ({str(error)[:80]}); save it again.") from error
    groups = [group for group in _json_groups(values, "", 0) if group[1]]
    loose = [color for name, colors in groups for color in colors]
    return [("", loose)] if all(len(colors) == 1 for _, colors in groups) else groups


def _json_groups(value: Any, name: str, depth: int) -> Iterator[Group]:
    """Palettes of a JSON value, in order."""
    color = _json_color(value)
    if color is not None:
        yield name, [color]
    elif depth > _MAX_DEPTH:
        raise PaletteError("The JSON is nested too deeply for a palette; give a list of colours.")
    elif isinstance(value, dict):
        own = next((value[key] for key in ("name", "title") if isinstance(value.get(key), str)), name)
        yield from _joined((_json_groups(one, own, depth + 1) for one in value.values()), own)
    elif isinstance(value, list):
        if len(value) > 4 and len(value) % 3 == 0 and all(type(one) is int and 0 <= one < 256 for one in value):
            yield name, [(value[at], value[at + 1], value[at + 2]) for at in range(0, len(value), 3)]
        else:
            yield from _joined((_json_groups(one, name, depth + 1) for one in value), name)


def _joined(parts: Iterator[Iterator[Group]], name: str) -> Iterator[Group]:
    """Single colours one after the other become one palette; palettes stay."""
    single: list[Color] = []
    for part in parts:
        groups = list(part)
        if len(groups) == 1 and len(groups[0][1]) == 1:
            single += groups[0][1]
            continue
        if single:
            yield name, single
            single = []
        yield from groups
    if single:
        yield name, single


def _json_color(value: Any) -> Color | None:
    """The colour a JSON value is: a text, three or four numbers, or an object with such under a usual key."""
    if isinstance(value, str):
        word = value.strip()
        found = list(find_notations(word))
        if len(found) == 1 and found[0].start == 0 and found[0].end == len(word):
            return found[0].color
        return parse_bare([word])[0] if re.fullmatch("[0-9a-fA-F]{6}|[0-9a-fA-F]{8}", word) else None
    if isinstance(value, list) and len(value) in (3, 4) and all(type(one) in (int, float) for one in value):
        return _from_numbers(value[:3])
    if isinstance(value, dict):
        lower = {str(key).lower(): one for key, one in value.items()}
        for keys in (("r", "g", "b"), ("red", "green", "blue")):
            if all(type(lower.get(key)) in (int, float) for key in keys):
                return _from_numbers([lower[key] for key in keys])
        for key in _COLOR_KEYS:
            color = _json_color(lower[key]) if isinstance(lower.get(key), str | list | dict) else None
            if color is not None:
                return color
    return None


def _from_numbers(values: list[float]) -> Color | None:
    """Whole numbers of 0..255, or fractions of 0..1 of which one is no whole number."""
    if all(type(one) is int and 0 <= one < 256 for one in values):
        red, green, blue = values
    elif all(0 <= one <= 1 for one in values):
        red, green, blue = (round(one * 255) for one in values)
    else:
        return None
    return int(red), int(green), int(blue)
