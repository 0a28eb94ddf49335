"""Palettes as people write them, and the checks of a request's numbers. Runs on Python 2.7 and 3.

Standard library only; must not import gi or gimp.
"""

import re

from t2c_plugin.shared.limits import MAX_COLOURS

try:
    from typing import Sequence, Text, Tuple
except ImportError:  # Python 2.7 has no typing; the types stand in comments
    pass

_COLOUR = re.compile(r"#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})\Z")


class RequestError(Exception):
    """The request cannot be carried out as it is; the text says why and what to do."""


def parse_palettes(text):
    # type: (Text) -> Tuple[Tuple[Text, ...], ...]
    """Palettes from text: colours are split at commas or spaces, palettes at semicolons or line ends.

    "#8c2f1b,#d98c3f;#2b2a33,#fff" gives two palettes. Colours are '#rrggbb' or '#rgb', the '#' may be missing.

    Raises:
        RequestError: a colour cannot be read, or a palette has too many.
    """
    palettes = []
    for part in re.split(r"[;\r\n]+", text):
        words = [word for word in re.split(r"[,\s]+", part) if word]
        if len(words) > MAX_COLOURS:
            raise RequestError(
                "A palette of {} colours is too long; at most {} can be used.".format(len(words), MAX_COLOURS)
            )
        if words:
            palettes.append(tuple(parse_colour(word) for word in words))
    return tuple(palettes)


def parse_colour(word):
    # type: (Text) -> Text
    """A colour as '#rrggbb', lower case.

    Raises:
        RequestError: the word is no colour.
    """
    if not _COLOUR.match(word):
        raise RequestError("'" + word[:40] + "' is not a colour; write it as #rrggbb, for example #d98c3f.")
    digits = word.lstrip("#").lower()
    return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


def check_range(name, value, low, high):
    # type: (str, float, float, float) -> None
    """Refuse a number outside low..high.

    Raises:
        RequestError: it lies outside, or is NaN.
    """
    if not low <= value <= high:
        raise RequestError("The {} is {}; it must lie between {} and {}.".format(name, value, low, high))


def check_choice(name, value, choices):
    # type: (str, Text, Sequence[str]) -> None
    """Refuse a word that is none of the choices.

    Raises:
        RequestError: it is none.
    """
    if value not in choices:
        raise RequestError(
            "The " + name + " '" + value[:40] + "' is unknown; choose one of " + ", ".join(choices) + "."
        )


def title(phrase, limit):
    # type: (Text, int) -> Text
    """A phrase as a layer's name: on one line, at most `limit` characters; "own palette" when it is blank."""
    words = u" ".join(phrase.split())
    return (words if len(words) <= limit else words[: limit - 1] + u"\u2026") or u"own palette"
