"""Reading what observers sent: files of sessions, checked against the study's key, and who is left out and why.

A session is JSON as the page makes it; a file holds one, a list of them, or one a line. Files are not trusted. Must not
import torch.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scipy.stats import binomtest

from t2c_engine.errors import UsageError
from t2c_engine.files import reason
from trainer.study.design import ABSURD, Kind, Question, Role, Study

FORMAT, VERSION = "text2colors-study-session", 1
MAX_BYTES = 16 << 20  # of a file
MAX_SECONDS = 86_400.0  # of one answer; more is a clock that was set
_SIDE_P = 1e-4  # chance of a favoured place, below which an observer is taken not to look


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer: ids of question and answers in the order shown, the method chosen, its place, and the time."""

    question: str
    shown: tuple[str, ...]
    method: str
    place: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Session:
    """One observer's answers. `checks` are those to attention checks, `choices` all others."""

    id: str
    form: int
    complete: bool
    choices: tuple[Choice, ...]
    checks: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class ExclusionRules:
    """Observers are left out who fall below these; see `exclusion_reason`.

    failed_checks: more failed attention checks than this. seconds: a smaller median time. answered: a smaller part of
    the form.
    """

    failed_checks: int = 0
    seconds: float = 1.0
    answered: float = 0.5


@dataclass(frozen=True, slots=True)
class Excluded:
    """A session, or a file, that is not counted, and why, as a sentence."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Collected:
    """Sessions that count, and what does not."""

    kept: tuple[Session, ...]
    excluded: tuple[Excluded, ...]
    unreadable: tuple[Excluded, ...]


def collect(study: Study, paths: Sequence[Path], rules: ExclusionRules | None = None) -> Collected:
    """Read results, each session once (the longest of one id), and leave out observers by the rules.

    Raises:
        UsageError: no file holds a session of the study.
    """
    sessions: dict[str, Session] = {}
    unreadable: list[Excluded] = []
    for path in dict.fromkeys(paths):
        try:
            found = list(read_sessions(study, path))
        except UsageError as error:
            unreadable.append(Excluded(path.name, str(error)))
            continue
        for session in found:
            known = sessions.get(session.id)
            if known is None or len(known.choices) < len(session.choices):
                sessions[session.id] = session
    if not sessions:
        reason = unreadable[0].reason if unreadable else "No file was given."
        raise UsageError(f"No session of the study can be read. {reason}")
    kept, excluded = apply_rules(study, list(sessions.values()), rules or ExclusionRules())
    return Collected(tuple(kept), tuple(excluded), tuple(unreadable))


def apply_rules(
    study: Study, sessions: Sequence[Session], rules: ExclusionRules
) -> tuple[list[Session], list[Excluded]]:
    """Sessions that count, and those that do not with the reason."""
    kept, excluded = [], []
    for session in sessions:
        reason = exclusion_reason(study, session, rules)
        if reason:
            excluded.append(Excluded(session.id, reason))
        else:
            kept.append(session)
    return kept, excluded


def exclusion_reason(study: Study, session: Session, rules: ExclusionRules) -> str | None:
    """Why an observer is not counted, or None. The place is looked at where answers stand at random places."""
    asked = len(study.forms[session.form])
    answered = len(session.choices) + len(session.checks)
    if answered < rules.answered * asked:
        return f"Only {answered} of {asked} questions were answered."
    failed = sum(check.method == ABSURD for check in session.checks)
    if failed > rules.failed_checks:
        return f"{failed} of {len(session.checks)} attention checks were answered with the absurd answer."
    times = sorted(choice.seconds for choice in session.choices)
    if times and times[len(times) // 2] < rules.seconds:
        return f"Half of the answers took less than {rules.seconds:g} s."
    if study.kind is not Kind.DATA and session.choices:
        place, times_chosen = Counter(choice.place for choice in session.choices).most_common(1)[0]
        chance = max(1 / len(choice.shown) for choice in session.choices)
        if binomtest(times_chosen, len(session.choices), chance, "greater").pvalue < _SIDE_P:
            return f"{times_chosen} of {len(session.choices)} answers stood at place {place + 1}, whatever was shown."
    return None


def read_sessions(study: Study, path: Path) -> Iterator[Session]:
    """The sessions of one file.

    Raises:
        UsageError: the file cannot be read, is of another study, or does not say what was chosen.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"{path} is larger than {MAX_BYTES >> 20} MB; that is no result of the page.")
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read ({reason(error)}); give the file that the page made.") from error
    values = list(_values(text, path))
    if not values:
        raise UsageError(f"{path} is empty; give the file that the page made.")
    reader = _Reader(study)
    for number, value in enumerate(values, start=1):
        try:
            yield reader.session(value)
        except _Wrong as error:
            where = f"{path}, session {number}," if len(values) > 1 else str(path)
            raise UsageError(f"{where} cannot be counted: {error}.") from error


def parse_session(study: Study, value: Any) -> Session:
    """One session from its JSON.

    Raises:
        UsageError: it is none of this study.
    """
    try:
        return _Reader(study).session(value)
    except _Wrong as error:
        raise UsageError(f"The session cannot be counted: {error}.") from error


def _values(text: str, path: Path) -> Iterator[Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        try:
            yield from [json.loads(line) for line in text.split("\n") if line.strip()]
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{path} is no JSON ({error}); give the file that the page made.") from error
    else:
        yield from value if isinstance(value, list) else [value]


class _Wrong(Exception):
    """What is wrong with a session, as half a sentence."""


class _Reader:
    """Turns JSON into sessions of one study."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._questions = {question.id: question for question in study.questions}

    def session(self, value: Any) -> Session:
        if not isinstance(value, dict) or value.get("format") != FORMAT:
            raise _Wrong("it is no result of a study's page")
        if value.get("version") != VERSION:
            raise _Wrong(f"its version is {_short(value.get('version'))}, not {VERSION}")
        if value.get("study") != self._study.id:
            raise _Wrong(f"it belongs to the study {_short(value.get('study'))}, not to {self._study.id}")
        name, form, answers = value.get("session"), value.get("form"), value.get("answers")
        if not isinstance(name, str) or not 8 <= len(name) <= 64 or not name.isalnum():
            raise _Wrong("the session has no usable id")
        if not isinstance(form, int) or isinstance(form, bool) or not 0 <= form < len(self._study.forms):
            raise _Wrong(f"there is no form {_short(form)}")
        if not isinstance(answers, list) or not isinstance(value.get("complete"), bool):
            raise _Wrong("it does not say what was answered")
        asked = {self._study.questions[slot.question].id for slot in self._study.forms[form]}
        choices, checks = [], []
        for answer in answers:
            question, choice = self._choice(answer)
            if question.id not in asked:
                raise _Wrong(f"the question '{question.id}' was not asked, or answered twice")
            asked.remove(question.id)
            (checks if question.role is Role.CHECK else choices).append(choice)
        return Session(name, form, value["complete"], tuple(choices), tuple(checks))

    def _choice(self, answer: Any) -> tuple[Question, Choice]:
        if not isinstance(answer, dict):
            raise _Wrong("an answer is no object")
        name, shown, chosen = answer.get("question"), answer.get("shown"), answer.get("chosen")
        question = self._questions.get(name) if isinstance(name, str) else None
        if question is None:
            raise _Wrong(f"there is no question {_short(name)}")
        methods = {one.id: one.method for one in question.answers}
        if (
            not isinstance(shown, list)
            or not all(isinstance(one, str) for one in shown)
            or sorted(shown) != sorted(methods)
        ):
            raise _Wrong(f"the answers shown to question '{question.id}' are not its own")
        if not isinstance(chosen, str) or chosen not in methods:
            raise _Wrong(f"the answer {_short(chosen)} to question '{question.id}' was not shown")
        seconds = answer.get("seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= MAX_SECONDS:
            raise _Wrong(f"the time {_short(seconds)} of question '{question.id}' is no number of seconds")
        return question, Choice(question.id, tuple(shown), methods[chosen], shown.index(chosen), float(seconds))


def _short(value: Any) -> str:
    return repr(value)[:40]
