"""Which colours a phrase says no to: "sunset, no red", "anything but green", "not too dark", "-blue".

Hues and values of colour words are those of the xkcd colour survey (CC0). Must not import torch or the networks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from t2c_engine.palettes.palette import Color, Palette, parse_hex
from t2c_engine.text.vocabulary import base_candidates

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

BREAK = ","  # among the words of a phrase: a comma or another mark that parts them

_Test = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]  # L, chroma, hue (degrees) of n colours: n booleans

# adjectives that can be negated, and which colours (CIELAB) are so
QUALITIES: Mapping[str, _Test] = {
    "dark": lambda light, chroma, hue: light < 38,
    "light": lambda light, chroma, hue: light > 75,
    "bright": lambda light, chroma, hue: (light > 80) | (chroma > 70),
    "vivid": lambda light, chroma, hue: chroma > 45,
    "dull": lambda light, chroma, hue: chroma < 15,
    "pastel": lambda light, chroma, hue: (light > 70) & (chroma > 8) & (chroma < 45),
    "warm": lambda light, chroma, hue: (chroma > 12) & ((hue < 110) | (hue > 330)),
    "cold": lambda light, chroma, hue: (chroma > 8) & (hue > 150) & (hue < 310),
}
_SYNONYMS = {
    "pale": "light", "vibrant": "vivid", "saturated": "vivid", "colorful": "vivid", "colourful": "vivid",
    "neon": "vivid", "garish": "vivid", "loud": "vivid", "intense": "vivid", "flashy": "vivid", "gaudy": "vivid",
    "muted": "dull", "drab": "dull", "faded": "dull", "desaturated": "dull", "washed": "dull", "cool": "cold",
    "gloomy": "dark", "darkness": "dark", "brightness": "bright",
}  # fmt: skip
_SHADES = {"dark": -22.0, "deep": -15.0, "light": 22.0, "pale": 22.0, "pastel": 18.0, "soft": 10.0} | dict.fromkeys(
    ("bright", "hot", "neon", "vivid", "warm", "cold", "cool", "strong", "intense", "dull", "muted", "saturated"), 0.0
)  # before a colour, and by how much (L) it is then lighter

# what begins a negation; the longest that fits counts
_CUES: set[tuple[str, ...]] = {
    tuple(cue.split())
    for cue in (
        "no|not|non|none|without|sans|minus|never|neither|nothing|avoid|avoiding|avoids|except|excepting|exclude|"
        "excluding|excludes|omit|omitting|skip|skipping|remove|removing|ban|forbid|reject|hate|hating|dislike|lacking|"
        "lack of|zero|less|fewer|devoid of|devoid|void of|empty of|free of|free from|clear of|away from|other than|"
        "rather than|instead of|apart from|aside from|but for|save for|but not|but no|but without|"
        "anything but|everything but|all but|whatever but|anything except|everything except|all except|"
        "any color but|any colour but|every color but|every colour but|all color but|all colour but|all colors but|"
        "all colours but|any color except|any colour except|every color except|every colour except|all colors except|"
        "all colours except|any color other than|any colour other than|anything other than|everything other than|"
        "leave out|leaving out|keep out|hold the|get rid of|exclusive of"
    ).split("|")
}
_STRONG = {"avoid", "avoiding", "except", "exclude", "excluding", "omit", "but", "than", "of", "from", "neither"}
# what looks like a negation but is none, as "nothing but red"
_AFFIRMATIONS: set[tuple[str, ...]] = {
    tuple(words.split())
    for words in (
        "not only|not just|not without|never without|nothing but|nothing except|nothing other than|none but|"
        "none other than|no other than|no lack of|no shortage of|not lacking|not avoid"
    ).split("|")
}
_FILLERS = set(
    "any too much very so really overly that the a an some of in it this these to be is are being have has having "
    "contain contains containing include includes including use uses using want wanting like liking need needing show "
    "fan see add adding bit hint trace touch kind sort quite more all even for with as many i you we please tone shade "
    "hue tint color colour tones shades hues tints colors colours".split()
)
_NOUNS = {"tone", "tones", "shade", "shades", "hue", "hues", "tint", "tints", "color", "colors", "colour", "colours"}
_OR, _AND = {"or", "nor"}, {"and"}
_AFTER = {"excluded", "omitted", "forbidden", "banned", "unwanted", "removed", "avoided", "excepted"}
_REFUSED = {"wanted", "allowed", "welcome", "needed", "used"}  # "red not wanted"
_VERBS_OUT = {"keep", "keeping", "leave", "leaving", "cut", "take", "filter"}  # "keep red out"
_LONGEST_CUE = 4


def color_word(word: str) -> str | None:
    """The colour that a word names, itself or in another form ("reddish", "greens"), or a hex code; else None."""
    if word in COLOR_WORDS or word.startswith("#"):
        return word
    if word.endswith("less"):
        return None
    return next((base for base in base_candidates(word) if base in COLOR_WORDS), None)


def is_negation(word: str) -> bool:
    """Whether a word may begin a negation."""
    return any(cue[0] == word for cue in _CUES)


def refuses_qualities(names: Sequence[str]) -> Callable[[np.ndarray], np.ndarray] | None:
    """A test of Lab colours (n x 3) for having one of QUALITIES; None if there are no names."""
    if not names:
        return None

    def refuse(lab: np.ndarray) -> np.ndarray:
        light, a, b = np.asarray(lab, dtype=np.float64).T
        chroma, hue = np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360
        return np.any([QUALITIES[name](light, chroma, hue) for name in names], axis=0)

    return refuse


def avoided_color(name: str) -> Color:
    """The colour of a negated name: a word, a hex code, or a word with a shade before it ("dark red")."""
    shade, _, word = name.rpartition(" ")
    color = parse_hex(word) if word.startswith("#") else COLOR_WORDS[word]
    if not _SHADES.get(shade):
        return color
    lab = Palette((color,)).lab.astype(np.float64)
    lab[:, 0] = np.clip(lab[:, 0] + _SHADES[shade], 5, 95)
    return Palette.from_lab(lab).colors[0]


def split_negations(words: Sequence[str]) -> tuple[list[int], list[str]]:
    """Take what a phrase says no to out of it: "rose no red or pink" keeps "rose" and negates red and pink.

    Colours and a few qualities ("dark") can be negated; "without a heart" stays as it is.

    Args:
        words: lower-case words of the phrase, hex codes, and `BREAK` where a mark parts them.

    Returns:
        Indices of the words that are kept, and the names negated, each once: one of COLOR_WORDS, with a shade before it
        if the phrase has one, a hex code, or one of QUALITIES.
    """
    kept: list[int] = []
    negated: list[str] = []
    index = 0
    while index < len(words):
        length = _longest(words, index, _AFFIRMATIONS)
        if length:
            index += length
            continue
        end, names = _negation(words, index)
        if end > index:
            negated += names
            index = end
        else:
            kept.append(index)
            index += 1
    return kept, list(dict.fromkeys(negated))


def _negation(words: Sequence[str], start: int) -> tuple[int, list[str]]:
    """Where the negation that begins at `start` ends, and what it negates; `start` if none begins there."""
    without = color_word(words[start].removesuffix("less")) if words[start].endswith("less") else None
    if without:
        return start + 1, [without]
    if words[start] in _VERBS_OUT:
        end, name = _term(words, _past_fillers(words, start + 1), start + 1)
        if name is not None and words[end : end + 1] == ["out"]:
            return end + 1, [name]
    end, name = _color_term(words, start)
    if name is not None:
        after = _after(words, end)
        return (after, [name]) if after > end else (start, [])
    length = _longest(words, start, _CUES)
    if not length:
        return start, []
    at = start + length
    cue = words[at - 1]
    end, name = _term(words, _past_fillers(words, at), at)
    if name is None:
        return start, []
    names = [name]
    while (more := _next_term(words, end, cue))[1]:
        end = more[0]
        names += more[1]
    return end, names


def _longest(words: Sequence[str], start: int, table: set[tuple[str, ...]]) -> int:
    """How many words from `start` are an entry of the table; 0 if none is."""
    for length in range(min(_LONGEST_CUE, len(words) - start), 0, -1):
        if tuple(words[start : start + length]) in table:
            return length
    return 0


def _past_fillers(words: Sequence[str], at: int) -> int:
    while at < len(words) and words[at] in _FILLERS:
        at += 1
    return at


def _term(words: Sequence[str], at: int, after_cue: int) -> tuple[int, str | None]:
    """End and name of a colour or a quality at `at`. A bare noun such as "no light" is no quality."""
    end, name = _color_term(words, at)
    if name is not None or at >= len(words):
        return end, name
    quality = _SYNONYMS.get(words[at], words[at])
    if quality not in QUALITIES:
        return at, None
    told = at + 1 < len(words) and words[at + 1] in _NOUNS
    comparing = any(word in ("too", "so", "very", "overly", "much", "as") for word in words[after_cue:at])
    if told or comparing or words[after_cue - 1] in ("not", "never", "avoid", "avoiding", "nothing", "less", "except"):
        return at + 1 + told, quality
    return at, None


def _color_term(words: Sequence[str], at: int) -> tuple[int, str | None]:
    """End and name of a colour with its shade and noun at `at`: "dark red tones"."""
    shade = words[at] if at + 1 < len(words) and words[at] in _SHADES and color_word(words[at + 1]) else ""
    place = at + bool(shade)
    name = color_word(words[place]) if place < len(words) else None
    if name is None:
        return at, None
    end = place + 1
    if end < len(words) and words[end] in _NOUNS:
        end += 1
    return end, f"{shade} {name}".strip()


def _next_term(words: Sequence[str], at: int, cue: str) -> tuple[int, list[str]]:
    """End and names of what a list goes on with: "or pink", ", green or blue", "and pink" where nothing follows."""
    place = at
    parted = place < len(words) and words[place] == BREAK
    place += parted
    link = words[place] if place < len(words) and words[place] in _OR | _AND else ""
    place += bool(link)
    end, name = _color_term(words, _past_fillers(words, place))
    if name is None or not (link or parted):
        return at, []
    if link in _OR:
        return end, [name]
    closed = end == len(words) or words[end] == BREAK or words[end] in _OR | _AND
    if not closed:  # "and green leaves": what follows is wanted
        return at, []
    if link or cue in _STRONG:
        return end, [name]
    further = _next_term(words, end, "of")  # a comma alone goes on only if the list does: "no red, gold" wants gold
    return (further[0], [name, *further[1]]) if further[1] else (at, [])


def _after(words: Sequence[str], end: int) -> int:
    """Where a negation behind a colour ends ("red free", "red is not wanted"); `end` if there is none."""
    if end < len(words) and words[end] == "free" and words[end + 1 : end + 2] not in (["of"], ["from"]):
        return end + 1
    at = end
    while at < len(words) and words[at] in ("is", "are", "be", "was"):
        at += 1
    if at < len(words) and words[at] in _AFTER:
        return at + 1
    if words[at : at + 1] in (["not"], ["no"]) and at + 1 < len(words) and words[at + 1] in _REFUSED:
        return at + 2
    return end
