"""Palettes as people write them, and the checks of a request's numbers. Runs on Python 2.7 and 3.

Standard library only; must not import gi or gimp.
"""

import re

from t2c_plugin.shared.limits import MAX_COLORS, NATURAL, TITLE_LENGTH

try:
    from typing import Sequence, Text, Tuple
except ImportError:  # Python 2.7 has no typing; the types stand in comments
    pass

_COLOR = re.compile(r"#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})\Z")


class RequestError(ValueError):
    """The request cannot be carried out as it is; the text says why and what to do."""


def parse_palettes(text):
    # type: (Text) -> Tuple[Tuple[Text, ...], ...]
    """Palettes from text: colors are split at commas or spaces, palettes at semicolons or line ends.

    "#8c2f1b,#d98c3f;#2b2a33,#fff" gives two palettes. Colors are '#rrggbb' or '#rgb', the '#' may be missing. The word
    "natural" stands for the colors that the network finds without a palette, an empty one.

    Raises:
        RequestError: a color cannot be read, or a palette has too many.
    """
    palettes = []
    for part in re.split(r"[;\r\n]+", text):
        words = [word for word in re.split(r"[,\s]+", part) if word]
        if len(words) > MAX_COLORS:
            raise RequestError(
                "A palette of {} colors is too long; at most {} can be used.".format(len(words), MAX_COLORS)
            )
        if [word.lower() for word in words] == [NATURAL]:
            palettes.append(())
        elif words:
            palettes.append(tuple(parse_color(word) for word in words))
    return tuple(palettes)


def parse_color(word):
    # type: (Text) -> Text
    """A color as '#rrggbb', lower case.

    Raises:
        RequestError: the word is no color.
    """
    if not _COLOR.match(word):
        raise RequestError("'" + word[:40] + "' is not a color; write it as #rrggbb, for example #d98c3f.")
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


def title(phrase, palette):
    # type: (Text, Sequence[Text]) -> Text
    """What a result's colors come from, on one line, short enough for the Layers dialog."""
    words = u" ".join(phrase.split()) if palette else u"natural colors"
    return (words if len(words) <= TITLE_LENGTH else words[: TITLE_LENGTH - 1] + u"\u2026") or u"own palette"


def layer_name(number, phrase, palette):
    # type: (int, Text, Sequence[Text]) -> Text
    """The name of a result's layer: the number first, for a narrow dock shows the beginning only."""
    words = title(phrase, palette)
    return u"{} {}".format(number, words) if palette else words


def group_name(phrase, palette):
    # type: (Text, Sequence[Text]) -> Text
    """The name of the group of results."""
    return title(phrase, palette) + u" (Text2Colors)"
