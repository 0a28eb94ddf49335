"""Judging data as PAT was made: reading pairs, votes, and what is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2c_engine.errors import UsageError
from tests.trainer.study.studies import small_data_study, small_palette_study
from trainer.palettes.data import read_texts
from trainer.study.design import FITS, UNCLEAR, UNFIT
from trainer.study.questions.data import (
    KEPT,
    REJECTED,
    UNDECIDED,
    AgreementRule,
    DataStudyRequest,
    data_study,
    judged_lines,
    judged_pairs,
    read_pairs,
)
from trainer.study.results.simulation import SimulatedPeople, simulate
from trainer.study.sessions import parse_session


@pytest.mark.parametrize(
    ("fits", "others", "verdict"),
    [
        (4, 0, KEPT), (3, 1, KEPT), (3, 0, KEPT), (2, 2, REJECTED), (0, 2, REJECTED), (2, 0, UNDECIDED),
        (2, 1, UNDECIDED), (0, 0, UNDECIDED), (0, 1, UNDECIDED), (6, 2, KEPT), (5, 3, REJECTED), (4, 1, KEPT),
        (3, 2, REJECTED),
    ],
)  # fmt: skip
def test_three_of_four_keep_a_pair(fits: int, others: int, verdict: str) -> None:
    assert AgreementRule().verdict({FITS: fits, UNFIT: others}) == verdict
    assert AgreementRule().verdict({FITS: fits, UNFIT: 0, UNCLEAR: others}) == verdict


@given(st.integers(1, 6), st.integers(0, 4), st.integers(0, 12), st.integers(0, 12))
def test_a_further_vote_never_turns_a_verdict_round(agree: int, more: int, fits: int, others: int) -> None:
    rule = AgreementRule(agree, agree + more)
    if fits + others < rule.judges:
        now = rule.verdict({FITS: fits, UNFIT: others})
        later = {rule.verdict({FITS: fits + 1, UNFIT: others}), rule.verdict({FITS: fits, UNFIT: others + 1})}
        assert now == UNDECIDED or later == {now}
    else:
        assert rule.verdict({FITS: fits, UNFIT: others}) != UNDECIDED


def test_votes_decide_and_kept_pairs_go_into_a_data_folder(tmp_path: Path) -> None:
    study = small_data_study(pairs=9, part=5)
    sessions = [parse_session(study, one) for one in simulate(study, SimulatedPeople({FITS: 1.5}), 12, seed=2)]
    judged = judged_pairs(study, sessions, AgreementRule(2, 3))
    votes = {one.pair.text: one.votes for one in judged}
    assert len(judged) == 9 and sum(sum(one.values()) for one in votes.values()) == sum(
        len(s.choices) for s in sessions
    )
    kept = judged_lines(judged, KEPT)
    rows = [json.loads(line) for line in kept.decode().splitlines()]
    assert len(rows) >= 1 and all(row["votes"][FITS] >= 2 for row in rows)
    parts = [judged_lines(judged, verdict).decode().splitlines() for verdict in (KEPT, REJECTED, UNDECIDED)]
    assert sum(map(len, parts)) == 9
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "own.jsonl").write_bytes(kept)
    assert [row.text for row in read_texts(tmp_path)] == [row["text"] for row in rows]
    with pytest.raises(UsageError, match="Only a study of data"):
        judged_pairs(small_palette_study(), [], AgreementRule())
    with pytest.raises(UsageError, match="cannot agree"):
        AgreementRule(5, 4)


def test_pairs_are_read_from_lines_and_tables_once_each(tmp_path: Path) -> None:
    lines = tmp_path / "pairs.jsonl"
    row = {"text": " Warm  autumn ", "hex": ["#A50", "dd9a3a"], "likes": 3}
    lines.write_text("\ufeff" + json.dumps(row) + "\n\n" + json.dumps(row | {"text": "warm autumn"}) + "\n", "utf-8")
    (pair,) = read_pairs(lines)
    assert (pair.text, pair.colors) == ("Warm autumn", ("#aa5500", "#dd9a3a"))
    table = tmp_path / "pairs.csv"
    table.write_text('id,text,hex\n1,"sea, calm","#06263d #0f4c75"\n', "utf-8")
    assert read_pairs(table)[0].text == "sea, calm"


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.jsonl", "", "holds no pair"),
        ("a.jsonl", '{"text": "x"}', "line 1"),
        ("a.jsonl", '{"text": "x", "hex": "#fff"}', "line 1"),
        ("a.jsonl", '{"text": 3, "hex": ["#fff"]}', "line 1"),
        ("a.jsonl", '{"text": "x", "hex": ["#fff"]}\n{"text": "x", "hex": []}', "line 2, has no usable palette"),
        ("a.jsonl", '{"text": "x", "hex": ["red"]}', "'red' is not a colour"),
        ("a.jsonl", json.dumps({"text": "x", "hex": ["#fff"] * 11}), "at most 10"),
        ("a.jsonl", '{"text": "  ", "hex": ["#fff"]}', "printable"),
        ("a.jsonl", json.dumps({"text": "a\x07b", "hex": ["#fff"]}), "printable"),
        ("a.jsonl", json.dumps({"text": "x" * 201, "hex": ["#fff"]}), "printable"),
        ("a.jsonl", "[" * 99_999, "line 1"),
        ("a.csv", "name,color\n1,2", "no columns"),
        ("a.csv", "text,hex\nsea", "no usable palette"),
    ],
)
def test_bad_pairs_become_sentences(tmp_path: Path, name: str, content: str, sentence: str) -> None:
    (tmp_path / name).write_text(content, "utf-8")
    with pytest.raises(UsageError, match=sentence):
        read_pairs(tmp_path / name)
    with pytest.raises(UsageError, match="cannot be read"):
        read_pairs(tmp_path / "missing.jsonl")


def test_parts_without_size_are_refused() -> None:
    with pytest.raises(UsageError, match="1 or more"):
        data_study(DataStudyRequest([], part=0))
