"""The check of examples: what is left out, what is kept with a note, and that nothing goes without a reason."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from t2c_engine.errors import UsageError
from t2c_engine.palettes.palette import Palette
from t2c_engine.palettes.sampler import PaletteSampler
from trainer.styles.check import Checked, Kind, check_examples, refuse_few
from trainer.styles.check_report import check_page, check_sentences
from trainer.styles.examples import Example, Found


@pytest.fixture(scope="module")
def lexicon():
    return PaletteSampler.load().lexicon


def found(*pairs: tuple[str, str]) -> Found:
    return Found([Example(text, Palette.from_hex(hex), f"row {row}") for row, (text, hex) in enumerate(pairs, start=1)])


def kinds(checked: Checked) -> dict[str, Kind]:
    return {one.example.source: one.kind for one in checked.findings}


SEA = "#0b2545 #13315c #134074 #8da9c4 #eef4ed"


def test_each_kind_is_found(lexicon):
    checked = check_examples(
        found(
            ("deep sea", SEA),
            ("Deep  Sea", " ".join(reversed(SEA.split()))),
            ("deep sea", SEA.replace("0b2545", "0b2546")),
            ("a quiet lake", SEA.replace("0b2545", "0b2546")),
            ("fog", "#808080 #808081 #818181"),
            ("xqzv", "#112233 #ddeeff"),
            ("какой-то текст", "#112233 #ffeedd"),
            ("vert foncé", "#103310 #88bb88"),
            ("autmn leaves", "#8c2f1b #d98c3f"),
            ("red poppies", "#0b2545 #13315c"),
            ("dark night", "#ffffff #f0f0e0 #e0f0f0"),
            ("pale blue", "#cfe3f5 #ffffff"),
            ("no red", "#0b2545 #8da9c4 #445566"),
        ),
        lexicon,
    )
    assert kinds(checked) == {
        "row 2": Kind.DUPLICATE,
        "row 3": Kind.NEAR_DUPLICATE,
        "row 4": Kind.SHARED,
        "row 5": Kind.ONE_COLOR,
        "row 6": Kind.UNKNOWN_TEXT,
        "row 7": Kind.LANGUAGE,
        "row 8": Kind.TRANSLATED,
        "row 9": Kind.SPELLING,
        "row 10": Kind.CONTRADICTION,
        "row 11": Kind.CONTRADICTION,
    }
    assert {one.source for one in checked.left_out} == {"row 2", "row 5", "row 3"}
    sources = {one.source for one in checked.kept}
    assert sources | {one.source for one in checked.left_out} == {f"row {row}" for row in range(1, 14)}
    groups = dict(zip((one.source for one in checked.kept), checked.groups, strict=True))
    assert groups["row 1"] == groups["row 4"] and len(set(groups.values())) == len(groups) - 1
    offers = {one.example.source: one.offer for one in checked.findings}
    assert offers["row 9"] == "autumn leaves"


def test_offers_are_taken_only_when_asked(lexicon):
    examples = found(("autmn leaves", "#8c2f1b #d98c3f"))
    assert check_examples(examples, lexicon).kept[0].text == "autmn leaves"
    assert check_examples(examples, lexicon, correct=True).kept[0].text == "autumn leaves"


def test_ten_thousand_duplicates_are_one_palette(lexicon):
    examples = found(("deep sea", SEA))
    checked = check_examples(dataclasses.replace(examples, examples=examples.examples * 10_000), lexicon)
    assert len(checked.kept) == 1
    with pytest.raises(UsageError, match="folder holds 1 usable palette "):
        refuse_few(checked, Path("some/folder"))


def test_thousands_of_nearly_equal_palettes_are_one_group(lexicon):
    rng = np.random.default_rng(0)
    colors = np.clip(np.array([[11, 37, 69], [19, 49, 92], [141, 169, 196]]) + rng.integers(0, 3, (3000, 3, 3)), 0, 255)
    examples = [
        Example(f"sea {index}", Palette(tuple(map(tuple, one.tolist()))), str(index))
        for index, one in enumerate(colors)
    ]
    checked = check_examples(Found(examples), lexicon)
    assert len(set(checked.groups)) == 1 and checked.counts[Kind.SHARED] == len(checked.kept) - 1 > 2000


def test_the_page_shows_findings_and_escapes_texts(lexicon):
    checked = check_examples(found(("<script>alert(1)</script> sea", SEA), ("fog", "#808080 #808081")), lexicon)
    page = check_page(checked, "The palettes of <b>").decode()
    assert "<script" not in page and "&lt;script&gt;" in page and "http" not in page
    assert "One colour only: 1, left out" in page and 'style="background:#0b2545"' in page
    assert any("1 left out, one colour only" in sentence for sentence in check_sentences(checked))
