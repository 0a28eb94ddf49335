"""What results are called: numbered names that fit the file system, apart from results of other origin.

Must not import anything that opens pictures, networks or the command line.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import count as count_up
from itertools import takewhile
from pathlib import Path

from t2c_engine.files import name_limit
from t2c_engine.pictures.formats import WRITTEN

SHEET_TAIL = "-sheet.png"
_LABEL_LENGTH = 40  # characters of a phrase in a name


@dataclass(frozen=True, slots=True)
class Plan:
    """One input, and the stem and suffix of its results; stems of one run differ.

    origin: the input's place where `input` is but a copy of it.
    """

    input: Path
    stem: str
    suffix: str
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Outputs:
    """The files of one input's results, in order, and their contact sheet. shortened: the stem did not fit a name."""

    results: tuple[Path, ...]
    sheet: Path
    shortened: bool = False


def plan_outputs(inputs: Sequence[Path]) -> list[Plan]:
    """Stems and suffixes of results: the input's; equal stems are told apart by `_2`, `_3` ...

    Formats that are not written become .png.
    """
    taken: set[str] = set()
    numbers: dict[str, int] = {}
    plans = []
    for path in inputs:
        suffix = path.suffix if path.suffix.lower() in WRITTEN else ".png"
        stem, number = path.stem, numbers.get(folded(path.stem), 1)
        while folded(stem) in taken:
            number += 1
            stem = f"{path.stem}_{number}"
        numbers[folded(path.stem)] = number
        taken.add(folded(stem))
        plans.append(Plan(path, stem, suffix))
    return plans


def outputs_of(folder: Path, plan: Plan, count: int, stem: str | None = None) -> Outputs:
    """`<stem>-1<suffix>` ... and `<stem>-sheet.png`; a stem too long for the file system is cut, with a mark of it."""
    stem = plan.stem if stem is None else stem
    room = name_limit(folder) - max(len(os.fsencode(f"-{count}{plan.suffix}")), len(SHEET_TAIL))
    fitting = cut_name(stem, room)
    results = tuple(folder / f"{fitting}-{index}{plan.suffix}" for index in range(1, count + 1))
    return Outputs(results, folder / f"{fitting}{SHEET_TAIL}", fitting != stem)


def candidates(folder: Path, plan: Plan, count: int, label: str, taken: Collection[str]) -> Iterator[Outputs]:
    """Where results may lie that cannot lie at the plan's own stem.

    First those numbered `<stem>_2` ... that exist, then `<stem>-<label>`, `<stem>-<label>_2` ... up to the first that
    does not exist.

    Args:
        label: words that tell these results from others. taken: folded stems that other inputs of the run have.
    """
    for base, first in ((plan.stem, 2), (f"{plan.stem}-{slug(label)}", 1)):
        for number in count_up(first):
            stem = base if number == 1 else f"{base}_{number}"
            if folded(stem) in taken:
                continue
            outputs = outputs_of(folder, plan, count, stem)
            exists = any(map(os.path.lexists, (*outputs.results, outputs.sheet)))
            if exists or base != plan.stem:
                yield outputs
            if not exists:
                break


def stale_results(outputs: Outputs) -> tuple[Path, ...]:
    """Files that continue the numbers of these results: of an earlier run with more of them."""
    last = outputs.results[-1]
    stem = last.stem.rpartition("-")[0]
    further = (last.with_name(f"{stem}-{number}{last.suffix}") for number in count_up(len(outputs.results) + 1))
    return tuple(takewhile(os.path.lexists, further))


def folded(stem: str) -> str:
    """A name as file systems compare it that know no case or no difference between accents written in two ways."""
    return unicodedata.normalize("NFC", stem).casefold()


def slug(label: str) -> str:
    """Words as part of a file name: letters and digits of any language joined by hyphens."""
    words = "-".join(re.findall(r"\w+", unicodedata.normalize("NFC", label.casefold())))
    return words[:_LABEL_LENGTH].strip("-_") or "colours"


def cut_name(stem: str, room: int) -> str:
    """A stem of at most `room` bytes; one that is cut ends in a digest of the whole, so that stems stay different."""
    raw = os.fsencode(stem)
    if len(raw) <= room:
        return stem
    mark = f"~{hashlib.sha256(raw).hexdigest()[:6]}"
    kept = stem
    while len(os.fsencode(kept)) > room - len(mark):
        kept = kept[: min(len(kept) - 1, room)]
    return kept + mark
