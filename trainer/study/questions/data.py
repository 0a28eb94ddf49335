"""Judging data as PAT was made: judges say whether a palette reflects a text, and three of four must agree.

Bahng et al. 2018, section 3: a pair is kept when at least three of four annotators decide that the text reflects the
palette. `judged_pairs` is also what a check of training data calls. Must not import torch.
"""

from __future__ import annotations

import csv
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from t2c_engine.errors import PaletteError, UsageError
from t2c_engine.files import reason
from t2c_engine.palettes.palette import Palette
from trainer.study.design import (
    FITS,
    MAX_QUESTIONS,
    UNCLEAR,
    UNFIT,
    Answer,
    Form,
    Kind,
    Question,
    Role,
    Slot,
    Study,
    Wording,
    make_question,
)
from trainer.study.questions.color_names import palette_words
from trainer.study.questions.texts import checked_text, folded
from trainer.study.questions.wording import DATA_WORDING
from trainer.study.sessions import Session
from trainer.study.study_files import make_study

MAX_FILE = 32 << 20  # bytes
MAX_SHOWN = 10  # colours of a pair
CHOICES = {FITS: "It fits", UNFIT: "It does not fit", UNCLEAR: "I do not understand the text"}
ORDERS = 4  # random orders of each part, one for each judge
PRACTICE = {
    "a green meadow": "#1f5c1a #3f8f2f #6cb84f #a3d97c #d8f0a8",
    "a fire": "#00061c #020d33 #05184d #0a2466 #123580",
}


@dataclass(frozen=True, slots=True)
class Pair:
    """A text and its palette, as the file has them."""

    text: str
    colors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AgreementRule:
    """A pair is kept when `agree` of `judges` say that it fits; with more judges, the same share of them."""

    agree: int = 3
    judges: int = 4

    def __post_init__(self) -> None:
        if not 1 <= self.agree <= self.judges:
            raise UsageError(f"{self.agree} of {self.judges} judges cannot agree; give at least 1 and at most all.")

    def verdict(self, votes: Mapping[str, int]) -> str:
        """KEPT, REJECTED or UNDECIDED (votes are missing that could still decide)."""
        total, fits = sum(votes.values()), votes.get(FITS, 0)
        judges = max(self.judges, total)
        needed = math.ceil(self.agree * judges / self.judges)
        if fits >= needed:
            return KEPT
        return REJECTED if fits + judges - total < needed else UNDECIDED


KEPT, REJECTED, UNDECIDED = "kept", "rejected", "undecided"


@dataclass(frozen=True, slots=True)
class Judged:
    """A pair, the number of votes for each choice, and the verdict."""

    pair: Pair
    votes: dict[str, int]
    verdict: str

    def as_json(self) -> dict[str, Any]:
        return {"text": self.pair.text, "hex": list(self.pair.colors), "votes": self.votes}


@dataclass(frozen=True, slots=True)
class DataStudyRequest:
    """What to judge. `part`: pairs in one sitting; more are split into parts, and each form shows one part."""

    pairs: Sequence[Pair]
    part: int = 200
    seed: int = 0
    wording: Wording = DATA_WORDING
    post: str = ""


def read_pairs(path: Path) -> list[Pair]:
    """Pairs of a .jsonl file ({"text": ..., "hex": [...]}) or a .csv file (columns text and hex); doubles once.

    Raises:
        UsageError: the file cannot be read, or a line is none (with its number).
    """
    try:
        if path.stat().st_size > MAX_FILE:
            raise UsageError(f"{path} is larger than {MAX_FILE >> 20} MB; split it.")
        content = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"The pairs in {path} cannot be read ({reason(error)}); give a .jsonl or .csv file."
        ) from error
    pairs: dict[tuple[str, tuple[str, ...]], Pair] = {}
    for number, text, colors in _csv_rows(content, path) if path.suffix == ".csv" else _json_rows(content, path):
        where = f"{path}, line {number},"
        try:
            palette = Palette.from_hex(colors)
        except PaletteError as error:
            raise UsageError(f"{where} has no usable palette: {error}") from error
        if len(palette.colors) > MAX_SHOWN:
            raise UsageError(f"{where} has {len(palette.colors)} colours; at most {MAX_SHOWN} can be shown.")
        pair = Pair(checked_text(text, where), palette.hex)
        pairs.setdefault((folded(pair.text), pair.colors), pair)
    if not pairs:
        raise UsageError(f"{path} holds no pair; give a text and a palette a line.")
    return list(pairs.values())


def _json_rows(content: str, path: Path) -> Iterable[tuple[int, str, str | list[str]]]:
    for number, line in enumerate(content.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
            text, colors = value["text"], value["hex"]
            if not isinstance(text, str) or not isinstance(colors, list) or not all(isinstance(c, str) for c in colors):
                raise TypeError("text and hex colours are expected")
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise UsageError(f'{path}, line {number}, is not {{"text": ..., "hex": [...]}}: {error}.') from error
        yield number, text, colors


def _csv_rows(content: str, path: Path) -> Iterable[tuple[int, str, str | list[str]]]:
    table = csv.DictReader(content.splitlines())
    if not {"text", "hex"} <= set(table.fieldnames or ()):
        raise UsageError(f"{path} has no columns text and hex; name them in its first line.")
    try:
        for row in table:
            yield table.line_num, row["text"] or "", row["hex"] or ""
    except csv.Error as error:
        raise UsageError(f"{path}, line {table.line_num}, cannot be read: {error}.") from error


def data_study(request: DataStudyRequest) -> Study:
    """A study that asks every judge about every pair of a part.

    Raises:
        UsageError: there are too many pairs, or a part has no size.
    """
    if request.part < 1:
        raise UsageError(f"A part of {request.part} pairs cannot be judged; give 1 or more.")
    if len(request.pairs) > MAX_QUESTIONS:
        raise UsageError(f"{len(request.pairs)} pairs are too many for one page; at most {MAX_QUESTIONS} fit.")
    questions = [_question(request.seed, "pair", pair, Role.QUESTION) for pair in request.pairs]
    practice = [Pair(text, Palette.from_hex(colors).hex) for text, colors in PRACTICE.items()]
    questions += [_question(request.seed, "practice", pair, Role.PRACTICE) for pair in practice]
    forms = _forms(questions, len(request.pairs), request.part, request.seed)
    return make_study(Kind.DATA, request.wording, questions, forms, request.post)


def _question(seed: int, name: str, pair: Pair, role: Role) -> Question:
    answers = [Answer("", method, label=label) for method, label in CHOICES.items()]
    words = palette_words(Palette.from_hex(pair.colors))
    key = f"{name}|{pair.text}|{' '.join(pair.colors)}"
    one = make_question(seed, key, pair.text, answers, role)
    return Question(one.id, one.text, one.answers, role, palette=pair.colors, description=words)


def parts_of(request: DataStudyRequest) -> int:
    """In how many sittings a judge sees all pairs; forms 0, 1 ... show the parts in turn."""
    return _parts(len(request.pairs), request.part)


def _parts(pairs: int, part: int) -> int:
    return math.ceil(pairs / part)


def _forms(questions: Sequence[Question], pairs: int, part: int, seed: int) -> tuple[Form, ...]:
    """Every part in `ORDERS` random orders; the choices stand at the same places throughout."""
    rng = np.random.default_rng(seed)
    parts = np.array_split(np.arange(pairs), _parts(pairs, part))
    places = list(CHOICES)
    forms = []
    for _ in range(ORDERS):
        for some in parts:
            order = [int(index) for index in rng.permutation(some)]
            forms.append(tuple(Slot(i, tuple(questions[i].methods.index(name) for name in places)) for i in order))
    return tuple(forms)


def judged_pairs(study: Study, sessions: Sequence[Session], rule: AgreementRule) -> list[Judged]:
    """Every pair of the study with its votes and verdict, in the study's order.

    Raises:
        UsageError: the study is none of data.
    """
    if study.kind is not Kind.DATA:
        raise UsageError("Only a study of data keeps pairs; this one asks which answer is best.")
    votes: dict[str, Counter[str]] = {}
    for session in sessions:
        for choice in session.choices:
            votes.setdefault(choice.question, Counter())[choice.method] += 1
    judged = []
    for question in study.questions:
        if question.role is Role.QUESTION:
            counted = {method: votes.get(question.id, Counter())[method] for method in CHOICES}
            judged.append(Judged(Pair(question.text, question.palette), counted, rule.verdict(counted)))
    return judged


def judged_lines(judged: Sequence[Judged], verdict: str) -> bytes:
    """Pairs of one verdict as .jsonl, with their votes; the trainer's data folder takes the file as it is."""
    lines = [json.dumps(one.as_json(), ensure_ascii=False) for one in judged if one.verdict == verdict]
    return "".join(line + "\n" for line in lines).encode("utf-8", "replace")
