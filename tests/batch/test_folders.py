"""Folders as people have them: results among inputs, system files, other kinds, long names, two runs at once."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from t2c_engine.batch.input_files import expand_inputs
from t2c_engine.batch.output_paths import cut_name
from t2c_engine.batch.recipe import read_recipe
from t2c_engine.errors import UsageError
from t2c_engine.files import name_limit
from tests import fakes
from tests.command_line import HEX, lines, photo, t2c

pytestmark = pytest.mark.usefixtures("fake_networks")
APPLE_DOUBLE = b"\0\5\x16\7\0\2\0\0Mac OS X        "


def names(folder: str | Path) -> list[str]:
    return sorted(os.listdir(folder))


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
def test_results_are_no_inputs_of_the_next_run(suffix: str):
    photo(f"s/photo.{suffix}")
    t2c("colorize", "s", "--phrase", "autumn", "-n", 2, "-o", "s")
    made = names("s")
    assert made == [f"photo-1.{suffix}", f"photo-2.{suffix}", "photo-sheet.png", f"photo.{suffix}"]
    for _ in range(2):
        result = t2c("colorize", "s", "--phrase", "autumn", "-n", 2, "-o", "s", "--json")
        assert "3 earlier results" in result.stderr and names("s") == made
        (found,) = lines(result.stdout)
        assert found["results"] == [] and len(found["kept"]) == 2
    (found,) = lines(t2c("colorize", f"**/*.{suffix}", "--phrase", "autumn", "-n", 2, "-o", "t", "--json").stdout)
    assert found["input"] == f"s/photo.{suffix}"


def test_results_are_known_under_any_name_and_older_ones_by_name():
    photo("s/photo.png")
    t2c("colorize", "s/photo.png", "--palette", HEX)
    os.rename("out/photo-1.png", "s/best.png")
    photo("s/old.png")
    photo("s/old-1.png")  # as made before results were marked
    photo("s/old-sheet.png")
    photo("s/street-1.png")  # one of a person's own, numbered
    assert [path.name for path in expand_inputs(["s"]).paths] == ["old.png", "photo.png", "street-1.png"]
    assert [path.name for path in expand_inputs(["s/best.png"]).paths] == ["best.png"]  # named: wanted
    with pytest.raises(UsageError, match="1 earlier result"):
        expand_inputs(["s/b*.png"])


def test_system_files_are_passed_over_in_silence_and_the_rest_is_named():
    photo("s/photo.jpg")
    for name in ("._photo.jpg", "__MACOSX/._photo.jpg", "sneaky.jpg", "Thumbs.db", ".DS_Store", "desktop.ini"):
        Path("s", name).parent.mkdir(exist_ok=True)
        Path("s", name).write_bytes(APPLE_DOUBLE)
    result = t2c("colorize", "s", "--palette", HEX)
    assert result.stderr == "" and names("out") == ["photo-1.jpg", "photo-sheet.png"]
    photo("s/sub/other.jpg")
    for name in ("a.mov", "b.MOV", "c.docx", "README"):
        Path("s", name).touch()
    for words in ("s", "s/**"):
        notes = " ".join(expand_inputs([words]).notes)
        assert [path.name for path in expand_inputs(["s"]).paths] == ["photo.jpg"]
        if words == "s":
            for part in ("2 MOV files", "1 DOCX file", "1 sub-folder", "1 file without a suffix"):
                assert part in notes
    assert {path.name for path in expand_inputs(["s/**/*.jpg"]).paths} == {"photo.jpg", "other.jpg"}
    assert {path.name for path in expand_inputs(["s/._photo.jpg", "s/photo.jpg"]).paths} == {"photo.jpg"}


def test_hints_and_masks_in_a_folder_are_no_inputs():
    photo("s/photo.png")
    photo("s/mask.png")
    t2c("colorize", "s", "--region", "s/mask.png", HEX)
    assert names("out") == ["photo-1.png", "photo-sheet.png"]


def test_results_of_another_phrase_have_names_of_their_own():
    photo()
    t2c("colorize", "photo.png", "--phrase", "autumn", "-n", 1, "-o", "o")
    before = {name: Path("o", name).read_bytes() for name in names("o")}
    result = t2c("colorize", "photo.png", "--phrase", "Deep Sea!", "-n", 2, "-o", "o", "--json")
    assert "names of their own" in result.stderr and lines(result.stdout)[0]["apart"] is True
    assert {name: Path("o", name).read_bytes() for name in before} == before
    new = ["photo-deep-sea-1.png", "photo-deep-sea-2.png", "photo-deep-sea-sheet.png"]
    assert names("o") == sorted([*before, *new])
    assert [read_recipe(Path("o", name)).colors["phrase"] for name in new] == ["Deep Sea!"] * 3  # type: ignore[union-attr]
    t2c("colorize", "photo.png", "--phrase", "Deep Sea!", "-n", 2, "--seed", 5, "-o", "o")
    assert "photo-deep-sea_2-1.png" in names("o")
    everything = names("o")
    for phrase, options in (("autumn", ["-n", 1]), ("Deep Sea!", ["-n", 2]), ("Deep Sea!", ["-n", 2, "--seed", 5])):
        t2c("colorize", "photo.png", "--phrase", phrase, *options, "-o", "o")
    assert names("o") == everything  # each run finds its own again


@pytest.mark.parametrize("change", [["--strength", "0.5"], ["--phrase", "autumn"], ["--auto"]])
def test_any_other_option_gives_another_result(change: list[str]):
    photo()
    base = ["--palette", HEX] if change[0] == "--strength" else []
    t2c("colorize", "photo.png", "--palette", HEX)
    t2c("colorize", "photo.png", *base, *change, "-n", 1)
    assert len(names("out")) == 4


def test_another_input_of_the_same_name_gives_another_result():
    photo("a/photo.png")
    photo("b/photo.png", least=90)
    t2c("colorize", "a/photo.png", "b/photo.png", "--palette", HEX)
    both = ["photo-1.png", "photo-sheet.png", "photo_2-1.png", "photo_2-sheet.png"]
    assert names("out") == both
    t2c("colorize", "b/photo.png", "--palette", HEX)
    assert names("out") == both
    photo("a/photo.png", least=150)
    t2c("colorize", "a/photo.png", "--palette", HEX)
    assert len(names("out")) == 6


def test_the_sheet_shows_what_the_files_hold():
    photo()
    t2c("colorize", "photo.png", "--phrase", "x", "-n", 2)
    small = Image.open("out/photo-sheet.png").size
    t2c("colorize", "photo.png", "--phrase", "x", "-n", 5)  # the fake sampler begins with the same two
    assert Image.open("out/photo-sheet.png").size > small and len(names("out")) == 6
    sheet = Path("out/photo-sheet.png").read_bytes()
    t2c("colorize", "photo.png", "--phrase", "x", "-n", 3)
    assert Path("out/photo-sheet.png").read_bytes() == sheet
    os.remove("out/photo-sheet.png")
    t2c("colorize", "photo.png", "--phrase", "x", "-n", 5)
    assert Path("out/photo-sheet.png").read_bytes() == sheet  # from the kept files
    result = t2c("colorize", "photo.png", "--phrase", "y", "-n", 2, "--overwrite")
    assert "3 results of an earlier run" in " ".join(result.stderr.split())


@pytest.mark.parametrize("letter", ["y", "é", "漢", "🍂"])
def test_long_names_are_shortened_for_results_and_sheet(letter: str):
    letters = letter * (245 // len(letter.encode()))
    padding = "x" * (246 - len(letters.encode()))
    photo(f"{letters}{padding}.jpg")
    photo(f"{letters}{padding[1:]}y.jpg")
    result = t2c("colorize", ".", "--palette", HEX)
    assert "2 names too long" in result.stderr and len(names("out")) == 4
    assert all(len(os.fsencode(name)) <= 255 for name in names("out"))
    assert "4 existing" not in result.stderr
    t2c("colorize", ".", "--palette", HEX)
    assert len(names("out")) == 4


@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1), st.integers(10, 300))
def test_cut_names_fit_and_stay_different(stem: str, room: int):
    cut, other = cut_name(stem, room), cut_name(f"{stem}!", room)
    assert len(os.fsencode(cut)) <= room and cut != other
    assert cut == stem or len(os.fsencode(stem)) > room


def test_a_folder_says_how_long_names_may_be(tmp_path: Path):
    assert name_limit(tmp_path) >= 143 and name_limit(tmp_path / "none") == 255


def slow_down(monkeypatch: pytest.MonkeyPatch, barrier: threading.Barrier) -> None:
    """Let every encoding wait until the other run encodes too."""
    encode = fakes.Colorizer.encode

    def together(self, lightness):
        barrier.wait(10)
        return encode(self, lightness)

    monkeypatch.setattr(fakes.Colorizer, "encode", together)


@pytest.mark.parametrize("phrases", [("autumn", "autumn"), ("autumn", "deep sea")])
def test_two_runs_into_one_folder_lose_and_double_nothing(phrases: tuple[str, str], monkeypatch: pytest.MonkeyPatch):
    from t2c_engine.batch.colorize import colorize
    from t2c_engine.batch.request import ColorizeRequest, OutputOptions, PictureResult
    from t2c_engine.colorization.color_source import ColorSource, PhraseColors

    photo()
    slow_down(monkeypatch, threading.Barrier(2))
    found: list[PictureResult] = []

    def run(phrase: str) -> None:
        source = ColorSource(PhraseColors(phrase, 3))
        found.extend(colorize(ColorizeRequest((Path("photo.png"),), source, OutputOptions(Path("o")))))

    threads = [threading.Thread(target=run, args=(phrase,)) for phrase in phrases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result.error for result in found] == [None, None]
    written = [one.path for result in found for one in result.results]
    accounted = {one for result in found for one in result.kept} | set(written)
    assert len(written) == len(set(written)) == 3 * len(set(phrases)) and len(accounted) == len(written)
    assert len(names("o")) == 4 * len(set(phrases))
    for stem in {path.name.rpartition("-")[0] for path in written}:
        recipes = [read_recipe(Path("o", f"{stem}-{end}")) for end in ("1.png", "2.png", "3.png", "sheet.png")]
        assert len({str(one.colors["phrase"]) for one in recipes if one}) == 1 and all(recipes)


def test_the_slower_run_says_what_was_kept(monkeypatch: pytest.MonkeyPatch):
    photo()
    encode = fakes.Colorizer.encode

    def overtaken(self, lightness):
        monkeypatch.setattr(fakes.Colorizer, "encode", encode)
        t2c("colorize", "photo.png", "--phrase", "x", "-n", 2)
        return encode(self, lightness)

    monkeypatch.setattr(fakes.Colorizer, "encode", overtaken)
    result = t2c("colorize", "photo.png", "--phrase", "x", "-n", 2, "--json")
    (found,) = lines(result.stdout)
    assert found["results"] == [] and len(found["kept"]) == 2 and "2 existing files kept" in result.stderr


@pytest.mark.slow
def test_a_thousand_pictures_cost_little_when_they_are_done():
    for index in range(1000):
        photo(f"s/{index:04}.png", (8, 6), least=index % 200)
    t2c("colorize", "s", "--palette", HEX, "--json")
    assert len(names("out")) == 2000
    started = time.process_time()
    result = t2c("colorize", "s", "--palette", HEX, "--json")
    assert "1000 existing files kept" in result.stderr
    assert time.process_time() - started < 5  # 5 ms a picture; every pair of pictures compared would take longer


def test_an_interrupted_process_leaves_whole_files_only(tmp_path: Path):
    code = """
import pytest
from tests import fakes
fakes.use(pytest.MonkeyPatch())
from t2c_engine.cli.main import main
main()
"""
    for index in range(60):
        photo(f"s/{index:03}.png", (8, 6))
    command = [sys.executable, "-c", code, "colorize", "s", "--palette", HEX]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(command, env=environment)
    end = time.monotonic() + 60
    while time.monotonic() < end and not Path("out/010-1.png").exists():
        time.sleep(0.01)
    process.kill()
    process.wait()
    for name in names("out"):
        if not name.startswith("."):
            Image.open(Path("out", name)).load()
    assert subprocess.run(command, env=environment).returncode == 0
    assert len([name for name in names("out") if not name.startswith(".")]) == 120


def test_inputs_of_one_stem_in_runs_of_their_own_keep_sheets_of_their_own():
    """photo.tif after photo.jpg: its results had no sheet, for that of photo.jpg lay there."""
    for name in ("photo.jpg", "photo.png"):
        photo(name, least=20 if name.endswith("jpg") else 90)
        t2c("colorize", name, "--palette", HEX)
    recipes = [read_recipe(path) for path in Path("out").glob("*-sheet.png")]
    assert sorted(one.input for one in recipes if one) == ["photo.jpg", "photo.png"]
    assert "1 existing file kept" in t2c("colorize", "photo.png", "--palette", HEX).stderr
    assert len(list(Path("out").iterdir())) == 4, "found again"
