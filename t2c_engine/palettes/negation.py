"""Plain words for colours, and which of them a phrase says no to ("sunset, no red").

Hues and values are those of the xkcd colour survey (CC0). Must not import torch or the networks.
"""

from __future__ import annotations

from collections.abc import Sequence

from t2c_engine.palettes.palette import Color, parse_hex

COLOR_WORDS: dict[str, Color] = {
    name: parse_hex(color)
    for name, color in (
        pair.split(":")
        for pair in (
            "red:e50000 orange:f97306 yellow:ffff14 green:15b01a blue:0343df purple:7e1e9c pink:ff81c0 brown:653700 "
            "black:000000 white:ffffff grey:929591 gray:929591 teal:029386 cyan:00ffff magenta:c20078 "
            "turquoise:06c2ac violet:9a0eea beige:e6daa6 gold:dbb40c silver:c5c9c7 navy:01153e olive:6e750e "
            "maroon:650021 lavender:c79fef lilac:cea2fd mauve:ae7181 peach:ffb07c salmon:ff796c coral:fc5a50 "
            "lime:aaff32 mint:9ffeb0 aqua:13eac9 indigo:380282 fuchsia:ed0dd9 crimson:8c000f scarlet:be0119 "
            "burgundy:610023 mustard:ceb301 tan:d1b26f khaki:aaa662 cream:ffffc2 ochre:bf9005 plum:580f41 rust:a83c09 "
            "ivory:ffffcb charcoal:343837 periwinkle:8e82fe cerulean:0485d1 bronze:a87900 copper:b66325 ruby:ca0147 "
            "emerald:01a049 jade:1fa774 amber:feb308"
        ).split()
    )
}

_NEGATIONS = {"no", "not", "without", "minus", "never", "neither"}
_FILLERS = {"any", "too", "much", "the", "a", "so"}
_LINKS = {"or", "nor"}


def split_negations(words: Sequence[str]) -> tuple[list[int], list[str]]:
    """Take what a phrase says no to out of it: "rose no red or pink" keeps "rose" and denies red and pink.

    Only plain words for colours can be negated; "without a heart" stays as it is.

    Args:
        words: lower-case words of the phrase in base form.

    Returns:
        Indices of the words that are kept, and the negated words, each one of COLOR_WORDS.
    """
    kept: list[int] = []
    negated: list[str] = []
    index = 0
    while index < len(words):
        end = _negation_end(words, index)
        if end > index:
            negated += [word for word in words[index:end] if word in COLOR_WORDS]
            index = end
        else:
            kept.append(index)
            index += 1
    return kept, list(dict.fromkeys(negated))


def _negation_end(words: Sequence[str], start: int) -> int:
    """Where the denial that begins at `start` ends; `start` itself if none begins there."""
    if words[start] not in _NEGATIONS:
        return start
    end, place = start, start + 1
    while place < len(words):
        if words[place] in _FILLERS:
            place += 1
        elif words[place] in COLOR_WORDS:
            place += 1
            end = place
            if place < len(words) and words[place] in _LINKS:
                place += 1
            else:
                break
        else:
            break
    return end
