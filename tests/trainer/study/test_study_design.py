"""Forms are balanced, and the page tells nobody which method is which."""

from __future__ import annotations

import json
from collections import Counter
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2c_engine.errors import UsageError
from t2c_engine.palettes.palette import Palette
from tests.trainer.study.studies import HUMAN_PALETTES, NamedSampler, small_data_study, small_palette_study
from trainer.study.design import ABSURD, HUMAN, RIGHT, FormConfig, Role, answer_sets, draw_forms
from trainer.study.page.builder import page_data, page_html
from trainer.study.questions.palettes import PaletteStudyRequest, check_questions, load_models, palette_study
from trainer.study.results.simulation import example_study
from trainer.study.study_files import find_key, make_study, read_study, study_json


@settings(max_examples=30)
@given(
    methods=st.integers(1, 4),
    texts=st.integers(1, 12),
    questions=st.integers(1, 15),
    checks=st.integers(0, 3),
    forms=st.integers(1, 8),
    seed=st.integers(0, 99),
)
def test_forms_are_balanced(methods: int, texts: int, questions: int, checks: int, forms: int, seed: int) -> None:
    config = FormConfig(questions, checks, forms, seed)
    study = example_study([f"m{i}" for i in range(methods)], texts, methods + 1, config)
    assert len(study.forms) == forms
    used: Counter[int] = Counter()
    for form in study.forms:
        asked = [study.questions[slot.question] for slot in form]
        counted = [one for one in asked if one.role is Role.QUESTION]
        assert len(counted) == min(questions, texts) and len({one.prompt for one in counted}) == len(counted)
        assert sum(one.role is Role.CHECK for one in asked) == checks
        assert asked[0].role is Role.QUESTION, "no check comes first"
        places: Counter[tuple[str, int]] = Counter()
        for slot in form:
            one = study.questions[slot.question]
            assert sorted(slot.order) == list(range(methods + 1))
            if one.role is Role.QUESTION:
                used[slot.question] += 1
                places.update((one.methods[answer], place) for place, answer in enumerate(slot.order))
        numbers = [places[name, place] for name in study.methods for place in range(methods + 1)]
        assert max(numbers) - min(numbers) <= 1, "each method stands at each place as often"
    numbers = [used[index] for index, one in enumerate(study.questions) if one.role is Role.QUESTION]
    assert max(numbers) - min(numbers) <= 1, "each question is asked as often"


def test_subsets_of_methods_come_as_often_with_the_human_answer_in_each() -> None:
    assert answer_sets(["a", "b", "c"], 3, human=True) == [(HUMAN, "a", "b"), (HUMAN, "a", "c"), (HUMAN, "b", "c")]
    assert answer_sets(["a", "b", "c"], 2, human=False) == [("a", "b"), ("a", "c"), ("b", "c")]
    study = example_study(["a", "b", "c"], 30, 2, FormConfig(questions=15, forms=24))
    seen = Counter(
        study.questions[slot.question].methods[answer]
        for form in study.forms
        for slot in form
        for answer in slot.order
        if study.questions[slot.question].role is Role.QUESTION
    )
    assert seen[HUMAN] == 24 * 15 and all(abs(seen[name] - 24 * 5) <= 3 for name in "abc")
    for form in study.forms:
        inside = Counter(name for slot in form for name in study.questions[slot.question].methods)
        assert all(4 <= inside[name] <= 6 for name in "abc"), "each observer meets each method as often"


@pytest.mark.parametrize(("count", "human"), [(1, True), (6, True), (4, True), (4, False)])
def test_impossible_numbers_of_answers_are_refused(count: int, human: bool) -> None:
    with pytest.raises(UsageError, match="answers a question"):
        answer_sets(["a", "b"], count, human)


def test_checks_have_one_right_answer_and_differ_without_red_and_green() -> None:
    for count in (2, 3, 5):
        for one in check_questions(count, 0):
            assert Counter(one.methods) == {RIGHT: 1, ABSURD: count - 1}
            light = {a.method: Palette.from_hex(a.palette).lab for a in one.answers if a.method == RIGHT}
            for answer in one.answers:
                if answer.method == ABSURD:
                    lab = Palette.from_hex(answer.palette).lab
                    apart = abs(lab.mean(0) - light[RIGHT].mean(0))
                    assert apart[0] > 15 or apart[2] > 25, (one.text, answer.palette)


def test_the_page_names_no_method_and_shows_palettes_in_one_manner() -> None:
    study = small_palette_study()
    page = page_html(study).decode()
    told = json.dumps(page_data(study))
    for secret in (HUMAN, "shipped", "paper", ABSURD, RIGHT, "role", "check"):
        assert f'"{secret}' not in told
    assert "fake-palettes" not in page and "\\u003cheart>" in page and "<heart>" not in page
    for one in study.questions:
        assert [answer.id for answer in one.answers] == sorted(answer.id for answer in one.answers)
        for answer in one.answers:
            lightness = Palette.from_hex(answer.palette).lab[:, 0]
            assert (lightness[1:] >= lightness[:-1] - 0.01).all() and len(answer.description.split(", ")) == 5


def test_the_page_may_reach_nothing_but_the_url_to_post_to() -> None:
    assert "connect-src &#x27;none&#x27;" in page_html(small_palette_study()).decode()
    page = page_html(small_palette_study(post="https://lab.example.org/answers?study=1")).decode()
    assert "connect-src https://lab.example.org;" in page and "default-src &#x27;none&#x27;" in page
    for link in ('<link rel="stylesheet', 'src="http', "@import", "url("):
        assert link not in page
    with pytest.raises(UsageError, match="begins with https"):
        small_palette_study(post="ftp://example.org")
    with pytest.raises(UsageError, match="cannot be sent"):
        page_html(small_palette_study(post="https://a b; script-src *"))


def test_a_text_with_two_equal_answers_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    human = {text: Palette.from_hex(colors) for text, colors in HUMAN_PALETTES.items()}
    twins = {"one": NamedSampler("same"), "two": NamedSampler("same")}
    with pytest.raises(UsageError, match="nothing to ask"):
        palette_study(PaletteStudyRequest(human, twins))  # type: ignore[arg-type]
    assert "two of its answers are the same palette" in caplog.text


def test_the_key_is_read_back_without_pictures(tmp_path) -> None:
    for study in (small_palette_study(), small_data_study()):
        (tmp_path / "study.json").write_bytes(study_json(study))
        assert read_study(tmp_path / "study.json") == study
    (tmp_path / "results").mkdir()
    assert find_key([tmp_path / "results" / "one.json"]) == tmp_path / "study.json"
    with pytest.raises(UsageError, match="--study"):
        find_key([tmp_path / "results" / "deeper" / "one.json"])


DATA_KEY = json.loads(study_json(small_data_study()))


@settings(max_examples=40)
@given(
    st.sampled_from(sorted(DATA_KEY)),
    st.recursive(st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)),
)
def test_a_key_that_is_none_is_refused(tmp_path_factory: pytest.TempPathFactory, name: str, value: object) -> None:
    path = tmp_path_factory.getbasetemp() / "key.json"
    path.write_text(json.dumps(value))
    with pytest.raises(UsageError, match="no key of a study"):
        read_study(path)
    path.write_text(json.dumps(DATA_KEY | {name: value}))
    try:
        read_study(path)
    except UsageError as error:
        assert "no key of a study" in str(error)
    else:
        assert name in ("id", "post", "practice", "questions", "forms", "sources")


def test_the_same_study_has_the_same_id() -> None:
    assert small_palette_study().id == small_palette_study().id != small_palette_study(seed=4).id
    study = small_data_study()
    assert make_study(study.kind, study.wording, study.questions, study.forms).id == study.id


@pytest.mark.parametrize("config", [FormConfig(0), FormConfig(checks=-1), FormConfig(forms=0)])
def test_forms_of_nothing_are_refused(config: FormConfig) -> None:
    with pytest.raises(UsageError):
        draw_forms(small_palette_study().questions, config)


def test_judges_see_every_pair_with_the_choices_at_the_same_places() -> None:
    study = small_data_study(pairs=7, part=3)
    labels = {tuple(study.questions[s.question].answers[i].label for i in s.order) for f in study.forms for s in f}
    assert labels == {("It fits", "It does not fit", "I do not understand the text")}
    parts = [sorted(slot.question for slot in form) for form in study.forms]
    assert len(parts) == 12 and sorted(chain(*parts[:3])) == list(range(7)) and parts[:3] == parts[3:6]


@pytest.mark.parametrize("entry", ["", "=folder", "human", "human=folder", "check: right", "check:mine=folder"])
def test_names_that_mean_something_else_name_no_model(entry: str) -> None:
    with pytest.raises(UsageError, match="cannot name a model"):
        load_models([entry])
