"""Colours as people and programs write them: hex of 3, 4, 6 or 8 digits, rgb(), hsl(), hwb(), hsv(), and lists of them.

Alpha is read and left out. Values out of range are no colour: they are refused, never clipped. Syntax after CSS Color
Module Level 4, sections 5-8. Must not import anything of the project but `errors`.
"""

from __future__ import annotations

import colorsys
import re
from collections.abc import Iterator
from dataclasses import dataclass

from t2c_engine.errors import PaletteError

Color = tuple[int, int, int]

_DIGITS = "[0-9a-fA-F]"
_HEX = re.compile(rf"#?(?:{_DIGITS}{{3}}|{_DIGITS}{{6}})")
_MARKED = re.compile(
    rf"""(?<![\w#&])(?:\#|0[xX])(?P<hex>{_DIGITS}{{8}}|{_DIGITS}{{6}}|{_DIGITS}{{4}}|{_DIGITS}{{3}})(?![\w])
    |(?<!\w)(?P<space>rgb|hsl|hwb|hsv|hsb)a?\s*\(\s*(?P<values>[^()]{{1,80}})\)""",
    re.VERBOSE | re.IGNORECASE,
)
_NUMBER = re.compile(r"([+-]?(?:\d{1,9}\.?\d{0,9}|\.\d{1,9}))(%|deg|grad|rad|turn)?", re.IGNORECASE)
_TURNS = {"": 360.0, "deg": 360.0, "grad": 400.0, "rad": 6.283185307179586, "turn": 1.0}
_LINK = re.compile(r"\b(?:https?://|(?:www\.)?(?:coolors\.co|colorhunt\.co)/)\S+", re.IGNORECASE)
_LINK_COLORS = re.compile(rf"(?<![0-9a-zA-Z]){_DIGITS}{{6}}(?:(?:[-,_+]|%2C|%23)+{_DIGITS}{{6}})*(?![0-9a-zA-Z])")
_LINK_ROW = re.compile(rf"(?<![0-9a-zA-Z])(?:{_DIGITS}{{6}}){{2,10}}(?![0-9a-zA-Z])")  # Color Hunt's four in a row


@dataclass(frozen=True, slots=True)
class Notation:
    """A colour found in a text at [start, end)."""

    start: int
    end: int
    color: Color


def parse_hex(text: str) -> Color:
    """One colour written #rgb or #rrggbb, with or without '#', in any case, white space around it ignored.

    Raises:
        PaletteError: the text is no such colour.
    """
    word = text.strip()
    if not _HEX.fullmatch(word):
        raise not_a_color(word)
    return from_digits(word.removeprefix("#"))


def not_a_color(word: str) -> PaletteError:
    return PaletteError(f"'{word[:40]}' is not a colour; write it as #rrggbb, for example #d98c3f.")


def from_digits(digits: str, alpha_first: bool = False) -> Color:
    """The colour of 3, 4, 6 or 8 hex digits; the fourth or last two are alpha, with `alpha_first` the first two."""
    if len(digits) < 6:
        digits = "".join(digit * 2 for digit in digits)
    if len(digits) == 8 and alpha_first:
        digits = digits[2:]
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def find_notations(text: str) -> Iterator[Notation]:
    """Colours in running text that cannot be anything else: with '#' or 0x, or as a function such as rgb(1, 2, 3).

    Eight digits are rrggbbaa after '#' (CSS), aarrggbb after 0x (program code).

    Raises:
        PaletteError: a function holds something else than its values.
    """
    for match in _MARKED.finditer(text):
        digits = match["hex"]
        if digits:
            color = from_digits(digits, alpha_first=match[0][0] == "0")
        else:
            color = _from_function(match["space"].lower(), match["values"], match[0])
        yield Notation(match.start(), match.end(), color)


def find_links(text: str) -> Iterator[tuple[int, int, list[Color]]]:
    """Links to palettes (Coolors, Color Hunt and the like) with their colours: start, end, colours."""
    for match in _LINK.finditer(text):
        colors: list[Color] = []
        for part in reversed(re.split(r"[/?#&=]", match[0])):
            found = _LINK_COLORS.fullmatch(part) or _LINK_ROW.fullmatch(part)
            if found:
                digits = re.sub("%2C|%23|[-,_+]", "", part)
                colors = [from_digits(digits[at : at + 6]) for at in range(0, len(digits), 6)]
                break
        yield match.start(), match.end(), colors


def parse_bare(words: list[str]) -> list[Color]:
    """Colours of words without '#': 3, 4, 6 or 8 hex digits each.

    Eight digits are aarrggbb (Paint.NET) unless every such word ends in ff and not every one begins with it.

    Raises:
        PaletteError: a word is no colour.
    """
    long = [word.lower() for word in words if len(word) == 8]
    last = all(word.endswith("ff") for word in long) and not all(word.startswith("ff") for word in long)
    colors = []
    for word in words:
        if len(word) not in (3, 4, 6, 8) or not re.fullmatch(f"{_DIGITS}+", word):
            raise not_a_color(word)
        colors.append(from_digits(word, alpha_first=not last))
    return colors


def _from_function(space: str, values: str, whole: str) -> Color:
    """rgb, hsl, hwb, hsv and hsb with three values and perhaps alpha, with commas or without."""
    parts = [part for part in re.split(r"[\s,/]+", values.strip()) if part]
    numbers = [_NUMBER.fullmatch(part) if part.lower() != "none" else _NUMBER.fullmatch("0") for part in parts]
    if len(parts) not in (3, 4) or not all(numbers):
        raise not_a_color(whole)
    read = [(float(number[1]), (number[2] or "").lower()) for number in numbers if number]
    if space == "rgb":
        unit = [value / (100 if sign == "%" else 255) for value, sign in read[:3]]
        wrong_sign = any(sign not in ("", "%") for _, sign in read[:3])
    else:
        wrong_sign = read[0][1] not in _TURNS or any(sign not in ("", "%") for _, sign in read[1:3])
        unit = [0.0 if wrong_sign else read[0][0] / _TURNS[read[0][1]] % 1, *(value / 100 for value, _ in read[1:3])]
    if wrong_sign or not all(0 <= value <= 1 for value in unit):
        raise not_a_color(whole)
    red, green, blue = (round(value * 255) for value in _to_rgb(space, unit))
    return red, green, blue


def _to_rgb(space: str, unit: list[float]) -> tuple[float, float, float]:
    first, second, third = unit
    if space == "hsl":
        return colorsys.hls_to_rgb(first, third, second)
    if space in ("hsv", "hsb"):
        return colorsys.hsv_to_rgb(first, second, third)
    if space == "hwb":  # CSS Color 4, section 8: whiteness and blackness that fill more than all are a grey
        total = second + third
        if total >= 1:
            gray = second / total
            return gray, gray, gray
        red, green, blue = colorsys.hsv_to_rgb(first, 1, 1)
        part = 1 - total
        return red * part + second, green * part + second, blue * part + second
    return first, second, third
