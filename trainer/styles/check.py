"""The check of examples before a style is trained, after the making of PAT (Bahng et al. 2018, section 3).

Some examples teach nothing and are left out; others are kept with a note that a person should look at. Nothing goes
without a reason. Must not import torch.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from t2c_engine.color.lab import srgb_to_lab
from t2c_engine.errors import PaletteError, UsageError
from t2c_engine.files import write_files
from t2c_engine.palettes.negation import COLOR_WORDS, QUALITIES, split_negations
from t2c_engine.palettes.palette import Palette, delta_e_2000
from t2c_engine.palettes.phrases import read_phrase
from t2c_engine.serving.protocol import MAX_TAUGHT, MIN_TAUGHT
from t2c_engine.text.lexicon import Lexicon, split_words
from t2c_engine.text.vocabulary import How
from trainer.styles.examples import Example, Found, LeftOut

_ONE_COLOR = 4.0  # CIEDE2000: a palette whose colours are all nearer than this has one colour
_NEAR = 3.0  # Lab units between colours of the same rank: palettes nearer than this are nearly the same
_LACKING = 40.0  # CIEDE2000 from a named colour to the nearest of the palette: more contradicts the name, unless
_SAME_HUE, _SOME_CHROMA = 45.0, 5.0  # a colour is that near in hue (degrees) and no grey
_FEW = 0.2  # share of a palette's colours that a quality in the text ("dark") asks for at least
_ROWS = 512  # palettes compared with all others at once


class Kind(StrEnum):
    """What can be wrong with an example."""

    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "nearly the same palette and the same text"
    SHARED = "nearly the same palette under another text"
    ONE_COLOR = "one colour only"
    UNKNOWN_TEXT = "no known word"
    LANGUAGE = "language not known"
    TRANSLATED = "translated"
    SPELLING = "misspelled"
    CONTRADICTION = "text and palette contradict each other"


LEAVES = (Kind.DUPLICATE, Kind.NEAR_DUPLICATE, Kind.ONE_COLOR)  # what is left out


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about one example. `offer`: a corrected text."""

    kind: Kind
    example: Example
    words: str
    offer: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """The examples to train on, their groups (equal where palettes are nearly the same), and all that was found."""

    kept: tuple[Example, ...]
    groups: tuple[int, ...]
    findings: tuple[Finding, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def counts(self) -> Counter[Kind]:
        """How many findings there are of each kind."""
        return Counter(one.kind for one in self.findings)


def check_examples(found: Found, lexicon: Lexicon, correct: bool = False) -> Checked:
    """Check examples as read.

    Args:
        correct: take the offered corrections of misspellings.

    Raises:
        UsageError: fewer than MIN_TAUGHT or more than MAX_TAUGHT are left.
    """
    findings: list[Finding] = []
    kept: list[Example] = []
    seen: dict[tuple[str, tuple], Example] = {}
    for example in found.examples:
        key = (folded(example.text), tuple(sorted(example.palette.colors)))
        first = seen.get(key)
        seen.setdefault(key, example)
        if first is not None:
            findings.append(Finding(Kind.DUPLICATE, example, f"the same as {first.source}"))
        elif _is_one_color(example.palette):
            findings.append(Finding(Kind.ONE_COLOR, example, "a palette needs at least two colours that differ"))
        else:
            kept.append(example)
    if len(kept) > MAX_TAUGHT:
        raise UsageError(f"{len(kept)} different palettes are too many; take the {MAX_TAUGHT} that show it best.")
    kept, groups = _without_near_duplicates(kept, findings)
    kept = [_read_text(example, lexicon, findings, correct) for example in kept]
    findings += [one for example in kept if (one := _contradiction(example)) is not None]
    return Checked(tuple(kept), tuple(groups), tuple(findings), _left_out(found, findings))


def refuse_few(checked: Checked, root: Path) -> None:
    """Raises UsageError where too few examples are left to hold some of them out."""
    number, out = len(checked.kept), len(checked.left_out)
    if number < MIN_TAUGHT:
        raise UsageError(
            f"{root.name} holds {number} usable palette{'' if number == 1 else 's'} ({out} left out); "
            f"a style needs at least {MIN_TAUGHT}, better 50."
        )


def folded(text: str) -> str:
    """A text as it is compared: case and white space do not matter."""
    return " ".join(text.casefold().split())


def _is_one_color(palette: Palette) -> bool:
    lab = palette.lab.astype(np.float64)
    return float(delta_e_2000(lab[:, None], lab[None]).max()) < _ONE_COLOR


def _without_near_duplicates(kept: Sequence[Example], findings: list[Finding]) -> tuple[list[Example], list[int]]:
    """Examples without those like an earlier one in text and palette; groups join palettes that are alike."""
    groups, nearest = _near_groups([example.palette for example in kept])
    texts = [folded(example.text) for example in kept]
    first = {}  # by group and text
    places = []
    for place, example in enumerate(kept):
        earlier = first.setdefault((groups[place], texts[place]), place)
        if earlier != place:
            findings.append(Finding(Kind.NEAR_DUPLICATE, example, f"like {kept[earlier].source}"))
            continue
        places.append(place)
        near = nearest[place]
        if near is not None:
            other = kept[near]
            findings.append(Finding(Kind.SHARED, example, f'like {other.source}, "{other.text[:60]}"'))
    return [kept[place] for place in places], [groups[place] for place in places]


def _near_groups(palettes: Sequence[Palette]) -> tuple[list[int], list[int | None]]:
    """The group of each palette, and the first earlier one it is near to.

    Near are palettes of one size whose colours, by lightness, differ by less than `_NEAR` each; a group holds all that
    are near to one of it.
    """
    groups = np.arange(len(palettes))
    nearest: list[int | None] = [None] * len(palettes)
    by_size: dict[int, list[int]] = defaultdict(list)
    for index, palette in enumerate(palettes):
        by_size[len(palette.colors)].append(index)
    for members in by_size.values():
        places = np.array(members)
        lab = np.stack([palettes[index].sorted().lab for index in members]).astype(np.float32)
        for start in range(0, len(lab), _ROWS):
            near = _near(lab[start : start + _ROWS], lab)
            for row in range(len(near)):
                earlier = np.flatnonzero(near[row, : start + row])
                if len(earlier):
                    joined = np.unique(groups[places[earlier]])
                    groups[np.isin(groups, joined[1:])] = joined[0]
                    groups[places[start + row]] = joined[0]
                    nearest[members[start + row]] = members[earlier[0]]
    return groups.tolist(), nearest


def _near(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Which of m palettes (m x colours x 3 Lab) are near to which of n (m x n)."""
    near = np.ones((len(some), len(others)), dtype=bool)
    for color in range(others.shape[1]):
        near &= np.linalg.norm(some[:, None, color] - others[None, :, color], axis=-1) < _NEAR
    return near


def _read_text(example: Example, lexicon: Lexicon, findings: list[Finding], correct: bool) -> Example:
    """The example, its text corrected where that is wanted; adds what is unusual about the text."""
    try:
        reading = read_phrase(lexicon, example.text)
    except PaletteError as error:  # "rgb(300, 0, 0)"
        findings.append(Finding(Kind.UNKNOWN_TEXT, example, str(error)))
        return example
    if reading.note and reading.note.startswith("read as "):
        findings.append(Finding(Kind.TRANSLATED, example, reading.note))
        return example
    tokens = split_words(example.text)
    readings = [lexicon.vocabulary.read(token) for token in tokens]
    guesses = {one.token: " ".join(one.words) for one in readings if one.how is How.SPELLING}
    if not (reading.words or reading.colors or reading.avoid or reading.qualities):
        foreign = any(not token.isascii() for token in tokens) or len(tokens) > 1
        words = "the colours are learned, the text is not"
        findings.append(Finding(Kind.LANGUAGE if foreign else Kind.UNKNOWN_TEXT, example, words))
    elif guesses:
        offer = " ".join(guesses.get(token, token) for token in tokens)
        words = ", ".join(f"'{token}' is read as '{word}'" for token, word in guesses.items())
        findings.append(Finding(Kind.SPELLING, example, words, offer))
        if correct:
            return Example(offer, Palette(example.palette.colors, offer), example.source)
    return example


def _contradiction(example: Example) -> Finding | None:
    """A colour or a quality that the text names and the palette lacks."""
    tokens = split_words(example.text)
    kept, _ = split_negations(tokens)
    words = [tokens[index] for index in kept]
    lab = example.palette.lab.astype(np.float64)
    light, chroma = lab[:, 0], np.hypot(lab[:, 1], lab[:, 2])
    hue = np.degrees(np.arctan2(lab[:, 2], lab[:, 1])) % 360
    named = [word for word in words if word in COLOR_WORDS]
    for word in named:
        wanted = srgb_to_lab(np.array(COLOR_WORDS[word], dtype=np.float64) / 255)
        turn = np.abs((hue - np.degrees(np.arctan2(wanted[2], wanted[1])) + 180) % 360 - 180)
        tinted = (turn < _SAME_HUE) & (chroma > _SOME_CHROMA)  # "blue" may be pale
        near = delta_e_2000(lab, wanted) < _LACKING
        if not (near | tinted & (np.hypot(*wanted[1:]) > _SOME_CHROMA)).any():
            return Finding(Kind.CONTRADICTION, example, f"the text says '{word}', and no colour is near to it")
    for word in words:
        if word in QUALITIES and not named and QUALITIES[word](light, chroma, hue).mean() < _FEW:
            return Finding(Kind.CONTRADICTION, example, f"the text says '{word}', and hardly a colour is")
    return None


def _left_out(found: Found, findings: Sequence[Finding]) -> tuple[LeftOut, ...]:
    """What was not readable, and what the check takes out."""
    ours = [
        LeftOut(one.example.source, f"{one.kind}: {one.words}", one.example.text, one.example.palette.hex)
        for one in findings
        if one.kind in LEAVES
    ]
    return (*found.left_out, *ours)


def write_cleaned(checked: Checked, folder: Path) -> tuple[Path, Path]:
    """The cleaned copy (JSON lines, readable as examples again) and the table of what was left out, with reasons."""
    lines = [
        json.dumps({"text": one.text, "hex": list(one.palette.hex), "source": one.source}, ensure_ascii=False)
        for one in checked.kept
    ]
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(("source", "text", "colours", "reason"))
    writer.writerows((one.source, one.text, " ".join(one.colors), one.reason) for one in checked.left_out)
    cleaned, out = folder / "cleaned.jsonl", folder / "left-out.csv"
    text = "".join(line + "\n" for line in lines)
    write_files({cleaned: text.encode("utf-8", "replace"), out: table.getvalue().encode("utf-8", "replace")}, True)
    return cleaned, out
