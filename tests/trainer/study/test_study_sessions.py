"""Results are read as sent, bad files become sentences, and observers are left out for reasons."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2c_engine.errors import UsageError
from tests.trainer.study.studies import small_palette_study
from trainer.study.design import ABSURD, FormConfig, Role
from trainer.study.results.choices import make_choices
from trainer.study.results.simulation import SimulatedPeople, example_study, simulate
from trainer.study.sessions import ExclusionRules, collect, exclusion_reason, parse_session, read_sessions

STUDY = small_palette_study()
VALUES = simulate(STUDY, SimulatedPeople(), 4, seed=5)


def write(folder: Path, name: str, value: Any) -> Path:
    path = folder / name
    path.write_text(value if isinstance(value, str) else json.dumps(value), "utf-8")
    return path


def test_sessions_are_read_from_one_file_each_a_list_or_lines(tmp_path: Path) -> None:
    one = write(tmp_path, "one.json", VALUES[0])
    several = write(tmp_path, "list.json", VALUES[1:3])
    lines = write(tmp_path, "lines.jsonl", "\n".join(map(json.dumps, VALUES)) + "\n\n")
    assert [len(list(read_sessions(STUDY, path))) for path in (one, several, lines)] == [1, 2, 4]
    found = collect(STUDY, [one, several, lines])
    assert len(found.kept) == 4 and not found.excluded and not found.unreadable
    counted = make_choices(STUDY, found.kept)
    assert len(counted) == 4 * 6 and counted.observers == 4 and counted.methods[0] == "human"
    first = VALUES[0]["answers"][0]
    assert found.kept[0].choices[0].place == first["shown"].index(first["chosen"])


def test_the_longest_of_one_session_counts(tmp_path: Path) -> None:
    short = VALUES[0] | {"answers": VALUES[0]["answers"][:5], "complete": False}
    for order in ("ab", "ba"):
        paths = [write(tmp_path, f"{n}.json", {"a": short, "b": VALUES[0]}[n]) for n in order]
        (kept,) = collect(STUDY, paths).kept
        assert kept.complete and len(kept.choices) == 6


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no JSON|is empty"),
        ("[]", "is empty"),
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("\x00\x01", "no JSON"),
        ('{"format": "other"}', "no result of a study"),
        ("3\n4", "session 1, cannot be counted"),
    ],
)
def test_files_that_hold_no_session_become_sentences(tmp_path: Path, text: str, sentence: str) -> None:
    path = write(tmp_path, "bad.json", text)
    with pytest.raises(UsageError, match=sentence):
        list(read_sessions(STUDY, path))
    good = write(tmp_path, "good.json", VALUES[0])
    found = collect(STUDY, [path, good])
    assert len(found.kept) == 1 and found.unreadable[0].name == "bad.json"
    with pytest.raises(UsageError, match="No session of the study can be read"):
        collect(STUDY, [path])
    with pytest.raises(UsageError, match="cannot be read"):
        list(read_sessions(STUDY, tmp_path / "missing.json"))
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot be read"):
        list(read_sessions(STUDY, path))


def _changed(change: str) -> dict[str, Any]:
    value = copy.deepcopy(VALUES[0])
    answer = value["answers"][0]
    elsewhere = next(one for one in STUDY.questions if one.id != answer["question"])
    match change:
        case "study":
            value["study"] = "0" * 16
        case "version":
            value["version"] = 9
        case "form":
            value["form"] = 10**6
        case "bool form":
            value["form"] = True
        case "session":
            value["session"] = "../../x"
        case "complete":
            value["complete"] = "yes"
        case "answers":
            value["answers"] = {"a": 1}
        case "twice":
            value["answers"].append(answer)
        case "unknown":
            answer["question"] = "nobody"
        case "chosen":
            answer["chosen"] = elsewhere.answers[0].id
        case "shown":
            answer["shown"] = answer["shown"][:-1]
        case "shown type":
            answer["shown"] = [1, 2, 3]
        case "practice":
            practised = STUDY.questions[STUDY.practice[0]]
            ids = [one.id for one in practised.answers]
            value["answers"].append({"question": practised.id, "shown": ids, "chosen": ids[0], "seconds": 1})
        case "seconds":
            answer["seconds"] = -1
        case "nan":
            answer["seconds"] = float("nan")
        case "huge":
            answer["seconds"] = 10**400
    return value


@pytest.mark.parametrize(
    "change",
    [
        *("study", "version", "form", "bool form", "session", "complete", "answers", "twice", "unknown", "chosen"),
        *("shown", "shown type", "practice", "seconds", "nan", "huge"),
    ],
)
def test_sessions_that_do_not_fit_the_study_become_sentences(tmp_path: Path, change: str) -> None:
    path = write(tmp_path, "bad.json", _changed(change))
    with pytest.raises(UsageError, match=r"cannot be counted: .+\.$"):
        list(read_sessions(STUDY, path))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(sorted(VALUES[0])), json_values)
def test_any_value_in_any_field_is_read_or_refused(field: str, value: Any) -> None:
    try:
        parse_session(STUDY, VALUES[0] | {field: value})
    except UsageError as error:
        assert str(error).endswith(".")


@given(st.sampled_from(["question", "shown", "chosen", "seconds"]), json_values)
def test_any_value_in_an_answer_is_read_or_refused(field: str, value: Any) -> None:
    answers = copy.deepcopy(VALUES[0]["answers"])
    answers[2][field] = value
    try:
        parse_session(STUDY, VALUES[0] | {"answers": answers})
    except UsageError as error:
        assert str(error).endswith(".")


def test_observers_are_left_out_with_the_reason() -> None:
    rules = ExclusionRules()
    value = copy.deepcopy(VALUES[0])
    assert exclusion_reason(STUDY, parse_session(STUDY, value), rules) is None
    few = value | {"answers": value["answers"][:3]}
    assert "Only 3 of 8" in str(exclusion_reason(STUDY, parse_session(STUDY, few), rules))
    quick = copy.deepcopy(value)
    for answer in quick["answers"]:
        answer["seconds"] = 0.4
    assert "less than 1 s" in str(exclusion_reason(STUDY, parse_session(STUDY, quick), rules))
    absurd = copy.deepcopy(value)
    questions = {one.id: one for one in STUDY.questions}
    for answer in absurd["answers"]:
        one = questions[answer["question"]]
        if one.role is Role.CHECK:
            answer["chosen"] = next(a.id for a in one.answers if a.method == ABSURD)
    session = parse_session(STUDY, absurd)
    assert "2 of 2 attention checks" in str(exclusion_reason(STUDY, session, rules))
    assert exclusion_reason(STUDY, session, ExclusionRules(failed_checks=2)) is None


def test_who_always_takes_the_same_place_is_left_out() -> None:
    people, rules = SimulatedPeople(first_place=30), ExclusionRules(failed_checks=2)
    for questions, reason in ((6, None), (25, "25 of 25 answers stood at place 1, whatever was shown.")):
        study = example_study(["a"], questions, 2, FormConfig(questions, 2, 4))
        session = parse_session(study, simulate(study, people, 1, seed=1)[0])
        assert exclusion_reason(study, session, rules) == reason
