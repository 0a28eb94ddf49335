"""`t2c-train study ...` and `study-result` as a researcher runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from tests import fakes
from tests.palette_data import make_data
from trainer.cli import app
from trainer.study.design import HUMAN
from trainer.study.results.simulation import SimulatedPeople, simulate
from trainer.study.study_files import read_study


@pytest.fixture(autouse=True)
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fake networks, a small data folder, and an empty current folder."""
    fakes.use(monkeypatch)
    monkeypatch.setattr(fakes.PaletteSampler, "name", "fake-palettes", raising=False)
    make_data(tmp_path / "data")
    monkeypatch.chdir(tmp_path)


def run(*words: object, code: int = 0) -> Result:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code, (result.exit_code, result.stdout, result.stderr, result.exception)
    return result


def sent(study: str, people: SimulatedPeople, observers: int) -> None:
    """Results of simulated observers in STUDY/results, a file each."""
    folder = Path(study) / "results"
    folder.mkdir()
    for number, value in enumerate(simulate(read_study(Path(study, "study.json")), people, observers)):
        (folder / f"{number}.json").write_text(json.dumps(value))


def test_palettes_are_asked_about_and_the_answers_reported(tmp_path: Path) -> None:
    Path("texts.txt").write_text("Red  fire\ndeep blue sea\n\ngreen garden\nnight\nRED fire\n", "utf-8")
    run("study", "palettes", "pal", "--texts", "texts.txt", "--against", "pat", "--models", "shipped", "--forms", 8)
    study = read_study(Path("pal/study.json"))
    assert study.methods == (HUMAN, "shipped") and Path("pal/study.html").stat().st_size > 10_000
    assert study.sources == {"shipped": "fake-palettes", HUMAN: "palettes by people"}
    sent("pal", SimulatedPeople({"shipped": -3.0}), 20)
    Path("pal/results/broken.json").write_text("{")
    shown = run("study-result", "pal/results", "-o", "report").stdout
    assert "the human answers are preferred" in shown and "Krippendorff's alpha" in shown
    assert "A file is left out: pal/results/broken.json is no JSON" in shown
    figures = json.loads(Path("report/result.json").read_text())
    assert figures["methods"][0]["method"] == HUMAN and figures["methods"][1]["fooling"]["of"] == figures["choices"]
    assert "| human |" in Path("report/result.md").read_text() and Image.open("report/result.png").width > 800
    assert json.loads(run("study-result", "pal/results", "--json").stdout)["conclusion"] == figures["conclusion"]
    assert "exists and is kept" in run("study-result", "pal/results", "-o", "report", code=1).stderr
    assert "exists and is kept" in run("study", "palettes", "pal", "--texts", "texts.txt", code=1).stderr
    run("study", "palettes", "pal", "--texts", "texts.txt", "--overwrite")


def test_texts_are_drawn_where_none_are_given() -> None:
    run("study", "palettes", "pal", "--count", 3, "--questions", 2, "--checks", 1, "--title", "Colours  of words")
    study = read_study(Path("pal/study.json"))
    assert {len(form) for form in study.forms} == {3} and study.wording.title == "Colours of words"
    assert "cannot be drawn" in run("study", "palettes", "more", "--count", 900, code=2).stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--texts", "none.txt"), "cannot be read"),
        (("--texts", "empty.txt"), "holds no text"),
        (("--texts", "odd.txt"), "line 2, holds no text of 1 to 200 printable"),
        (("--texts", "unknown.txt"), "1 of 2 texts have no palette by people, such as 'zebra'"),
        (("--against", "nobody"), "no palettes of five colours of 'nobody'"),
        (("--models", "shipped,shipped"), "a name of its own"),
        (("--models", "human"), "a name of its own"),
        (("--models", " , "), "No name is given"),
        (("--models", "missing"), "No palette model is called 'missing'"),
        (("--answers", "4"), "need as many methods"),
        (("--post", "mailto:me"), "begins with https"),
        (("--consent", "none.txt"), "consent text in none.txt cannot be read"),
        (("--consent", "empty.txt"), "has 0 characters"),
        (("--title", " "), "title is empty"),
        (("--data", "nowhere"), "No .jsonl file"),
    ],
)
def test_mistakes_become_sentences(words: tuple[str, ...], sentence: str) -> None:
    Path("empty.txt").write_text("\n \n")
    Path("odd.txt").write_text("night\nni\x1bght\n")
    Path("unknown.txt").write_text("zebra\nnight\n")
    result = CliRunner().invoke(app, ["study", "palettes", "out", "--count", "2", *words])
    assert result.exit_code in (1, 2) and sentence in result.stderr, result.stderr
    assert not Path("out").exists()


def test_pairs_are_judged_and_those_that_fit_are_kept() -> None:
    rows = [{"text": text, "hex": ["#112233", "#ddeeff"]} for text in ("cold sea", "fire", "ice", "night")]
    Path("pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    run("study", "data", "dat", "--pairs", "pairs.jsonl", "--part", 2)
    sent("dat", SimulatedPeople({"fits": 3.0}), 12)
    shown = run("study-result", "dat/results", "-o", "kept").stdout
    assert "12 judges: 4 of 4 pairs are kept" in shown
    kept = [json.loads(line) for line in Path("kept/kept.jsonl").read_text().splitlines()]
    assert [row["text"] for row in kept] == [row["text"] for row in rows] and kept[0]["votes"]["fits"] >= 3
    assert Path("kept/rejected.jsonl").read_text() == Path("kept/undecided.jsonl").read_text() == ""
    counts = json.loads(run("study-result", "dat/results", "--json", "--agree", 4).stdout)
    assert counts["kept"] + counts["rejected"] + counts["undecided"] == 4
    assert "cannot agree" in run("study-result", "dat/results", "--agree", 5, code=2).stderr


def test_results_without_their_key_are_refused() -> None:
    Path("some").mkdir()
    assert "No results are in some" in run("study-result", "some", code=2).stderr
    Path("some/a.json").write_text("{}")
    assert "name it with --study" in run("study-result", "some/a.json", code=2).stderr
    assert "is no key of a study" in run("study-result", "some/a.json", "--study", "some/a.json", code=2).stderr
    run("study", "palettes", "pal", "--count", 3)
    result = run("study-result", "some/a.json", "--study", "pal/study.json", code=2)
    assert "some/a.json cannot be counted: it is no result of a study's page" in result.stderr


def test_a_study_is_planned_by_simulation() -> None:
    found = json.loads(run("study", "power", "--runs", 3, "--observers", 8, "--questions", 5, "--texts", 10).stdout)
    assert set(found) == {"power", "coverage", "width", "error"} and 0 < found["width"] < 100


def test_pictures_are_asked_about() -> None:
    from tests.trainer.study.test_study_pictures import folder_of

    folder_of(Path("pictures"))
    run("study", "pictures", "pic", "--pictures", "pictures", "--methods", "auto,palette", "--side", 160)
    study = read_study(Path("pic/study.json"))
    assert study.methods[0] == HUMAN and len(study.methods) == 3
    sent("pic", SimulatedPeople({"auto": -1}), 6)
    assert "pictures" in run("study-result", "pic/results").stdout
    assert "no method" in run("study", "pictures", "x", "--pictures", "pictures", "--methods", "no", code=2).stderr
