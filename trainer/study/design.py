"""What a study asks and in which order: questions, answers, attention checks and balanced forms.

A form is what one observer sees: which questions, in which order, with the answers at which places. Forms are drawn
here, so that their balance is a property of the study and not of a browser. Must not import torch, networks or the
engine's models.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations, pairwise, permutations

import numpy as np

from t2c_engine.errors import UsageError

MIN_ANSWERS, MAX_ANSWERS = 2, 5
MAX_QUESTIONS = 2000  # of a whole study
HUMAN = "human"  # method name of true palettes and true colours
RIGHT, ABSURD = "check: right", "check: absurd"  # method names of attention checks' answers
FITS, UNFIT, UNCLEAR = "fits", "does not fit", "not understood"  # answers of the data-judging mode


Prompt = tuple[str, str, tuple[str, ...]]  # text, picture and palette that are asked about


class Kind(StrEnum):
    """What is asked: PALETTES for a text, PICTURES coloured from grey, or whether a pair of DATA fits together."""

    PALETTES = "palettes"
    PICTURES = "pictures"
    DATA = "data"


class Role(StrEnum):
    """What a question is for. Only the answers to QUESTION are counted; PRACTICE is not even stored."""

    QUESTION = "question"
    CHECK = "check"
    PRACTICE = "practice"


@dataclass(frozen=True, slots=True)
class Answer:
    """One thing to choose: a palette ('#rrggbb' each), a picture (data URI) or, without either, a label.

    `id` tells the page's readers nothing of the method. `description` is read out by screen readers.
    """

    id: str
    method: str
    palette: tuple[str, ...] = ()
    picture: str = ""
    label: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A text, a grey picture (data URI) or a text with a palette, and 2 to 5 answers in the order of their ids.

    `about` names the picture where the picture itself is left out.
    """

    id: str
    text: str
    answers: tuple[Answer, ...]
    role: Role = Role.QUESTION
    palette: tuple[str, ...] = ()
    picture: str = ""
    about: str = ""
    description: str = ""

    @property
    def prompt(self) -> Prompt:
        """What is asked about; questions with other answers about the same thing have the same."""
        return self.text, self.about or self.picture, self.palette

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods in the order of the answers."""
        return tuple(answer.method for answer in self.answers)


@dataclass(frozen=True, slots=True)
class Slot:
    """One question of a form: its index in the study, and which answer stands at each place."""

    question: int
    order: tuple[int, ...]


Form = tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class FormConfig:
    """How forms are drawn. `questions` and `checks` are numbers in one form; `forms` is how many there are."""

    questions: int = 25
    checks: int = 2
    forms: int = 60
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Wording:
    """What observers read; `consent` is plain text, paragraphs apart by an empty line."""

    title: str
    consent: str
    question: str


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """How a study asks. `answers`: side by side; None: every method's, five at most. `post`: as in `Study`."""

    wording: Wording
    answers: int | None = None
    forms: FormConfig = field(default_factory=FormConfig)
    post: str = ""

    def answers_of(self, methods: int) -> int:
        """How many answers a question has where there are so many methods."""
        return self.answers or min(MAX_ANSWERS, methods)


@dataclass(frozen=True, slots=True)
class Study:
    """A whole study. `id` follows from its content. `post`: URL that results are sent to, or empty."""

    id: str
    kind: Kind
    wording: Wording
    questions: tuple[Question, ...]
    practice: tuple[int, ...]
    forms: tuple[Form, ...]
    post: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)  # method to what made it, for the report

    @property
    def methods(self) -> tuple[str, ...]:
        """Methods of counted questions: human first, then by first appearance."""
        counted = [q for q in self.questions if q.role is Role.QUESTION]
        names = dict.fromkeys(name for question in counted for name in sorted(question.methods))
        return tuple(sorted(names, key=lambda name: name != HUMAN))


def answer_id(seed: int, *parts: str) -> str:
    """A short name that does not tell the parts it is made of."""
    text = "\0".join((str(seed), *parts))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:10]


def make_question(
    seed: int,
    name: str,
    text: str,
    answers: Sequence[Answer],
    role: Role = Role.QUESTION,
    palette: tuple[str, ...] = (),
    picture: str = "",
    about: str = "",
) -> Question:
    """A question whose id and answers' ids tell nothing of the methods; `name` sets it apart from others.

    Raises:
        UsageError: there are too few or too many answers.
    """
    if not MIN_ANSWERS <= len(answers) <= MAX_ANSWERS:
        raise UsageError(
            f"The question '{text[:60]}' has {len(answers)} answers; {MIN_ANSWERS} to {MAX_ANSWERS} can be shown."
        )
    named = [
        Answer(answer_id(seed, name, str(index), one.method), one.method, one.palette, one.picture, one.label,
               one.description)
        for index, one in enumerate(answers)
    ]  # fmt: skip
    named.sort(key=lambda one: one.id)
    return Question(answer_id(seed, name), text, tuple(named), role, palette, picture, about)


def answer_sets(methods: Sequence[str], count: int, human: bool) -> list[tuple[str, ...]]:
    """Which methods stand side by side: every set of `count`, with the human answer in each where there is one.

    Raises:
        UsageError: there are fewer methods than answers, or the count is out of range.
    """
    if not MIN_ANSWERS <= count <= MAX_ANSWERS:
        raise UsageError(f"{count} answers a question cannot be shown; choose {MIN_ANSWERS} to {MAX_ANSWERS}.")
    if len(methods) + human < count:
        raise UsageError(f"{count} answers a question need as many methods; there are {len(methods) + human}.")
    fixed = (HUMAN,) if human else ()
    return [(*fixed, *some) for some in combinations(methods, count - human)]


def split_method(entry: str, taken: Container[str], what: str) -> tuple[str, str]:
    """NAME or NAME=FOLDER as name and folder ("" where there is none).

    Args:
        taken: names that are given already. what: the word for it in the error, "method" or "model".

    Raises:
        UsageError: the name is empty, taken or reserved.
    """
    name, _, folder = entry.partition("=")
    if not name or name in taken or name == HUMAN or name.startswith("check:"):
        raise UsageError(f"'{entry}' cannot name a {what} here; give each {what} a name of its own.")
    return name, folder


def draw_forms(questions: Sequence[Question], config: FormConfig) -> tuple[Form, ...]:
    """Forms in which every question, and every method at every place, comes as often as any other.

    A form asks no text or picture twice. Within a form a method's numbers at two places differ by one at most where
    all questions have the same methods. Forms that follow one another use the questions used least so far.

    Raises:
        UsageError: numbers are out of range, or there is nothing to ask.
    """
    counted = [index for index, one in enumerate(questions) if one.role is Role.QUESTION]
    checks = [index for index, one in enumerate(questions) if one.role is Role.CHECK]
    if config.questions < 1 or config.forms < 1 or config.checks < 0:
        raise UsageError("A study needs at least one question and one form, and no negative number of checks.")
    if not counted:
        raise UsageError("There is nothing to ask; give texts, pictures or pairs.")
    if len(counted) > MAX_QUESTIONS:
        raise UsageError(f"{len(counted)} questions are too many for one page; at most {MAX_QUESTIONS} fit.")
    rng = np.random.default_rng(config.seed)
    used: Counter[int] = Counter()
    placed: Counter[tuple[int, int, int]] = Counter()
    forms = []
    for _ in range(config.forms):
        chosen = _least_used(questions, counted, config.questions, used, rng)
        watched = _least_used(questions, checks, config.checks, used, rng)
        forms.append(_placed(questions, _with_checks(chosen, watched, rng), placed, rng))
    return tuple(forms)


def _least_used(
    questions: Sequence[Question], pool: Sequence[int], count: int, used: Counter[int], rng: np.random.Generator
) -> list[int]:
    """`count` of the pool's questions (or as many as differ), in random order.

    Those used least come first, and of these the ones whose set of methods is used least in this form.
    """
    waiting = [pool[index] for index in rng.permutation(len(pool))]
    chosen: dict[Prompt, int] = {}
    sets: Counter[frozenset[str]] = Counter()
    while waiting and len(chosen) < count:
        index = min(waiting, key=lambda one: (used[one], sets[frozenset(questions[one].methods)]))
        one = questions[index]
        chosen[one.prompt] = index
        sets[frozenset(one.methods)] += 1
        waiting = [other for other in waiting if questions[other].prompt != one.prompt]
    used.update(chosen.values())
    return [list(chosen.values())[index] for index in rng.permutation(len(chosen))]


def _with_checks(questions: list[int], checks: Sequence[int], rng: np.random.Generator) -> list[int]:
    """Checks spread over the form, one in each part of equal length, never in front."""
    ends = np.linspace(0, len(questions), len(checks) + 1).astype(int)
    places = [max(1, int(rng.integers(min(low + 1, high), high + 1))) for low, high in pairwise(ends)]
    mixed = list(questions)
    for place, check in sorted(zip(places, checks, strict=True), reverse=True):
        mixed.insert(place, check)
    return mixed


def _placed(
    questions: Sequence[Question],
    form: Sequence[int],
    placed: Counter[tuple[int, int, int]],
    rng: np.random.Generator,
) -> Form:
    """Orders of answers: of all permutations one that evens out the form first, then each question over forms."""
    here: Counter[tuple[str, int]] = Counter()
    slots = []
    for index in form:
        one = questions[index]
        orders = list(permutations(range(len(one.answers))))
        costs = [
            (
                sum(here[one.methods[answer], place] for place, answer in enumerate(order)),
                sum(placed[index, answer, place] for place, answer in enumerate(order)),
                draw,
            )
            for order, draw in zip(orders, rng.random(len(orders)), strict=True)
        ]
        order = orders[min(range(len(orders)), key=costs.__getitem__)]
        here.update((one.methods[answer], place) for place, answer in enumerate(order))
        placed.update((index, answer, place) for place, answer in enumerate(order))
        slots.append(Slot(index, order))
    return tuple(slots)
