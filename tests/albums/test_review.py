"""The review page in a real browser, its choices made into files, and results made again."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from t2c_engine.batch.recipe import read_recipe
from tests.command_line import HEX, photo, t2c

pytestmark = pytest.mark.usefixtures("fake_networks")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture
def results() -> Path:
    for name in ("a.jpg", "b & <c>.png", "sub/d.png"):
        photo(f"scans/{name}", (300, 200), least=40)
    t2c("colorize", "scans/a.jpg", "scans/b & <c>.png", "--phrase", "red rose", "-n", 3, "-o", "out")
    t2c("colorize", "scans/sub/d.png", "--auto", "-o", "out/sub")
    return Path("out")


@pytest.fixture
def page(results: Path) -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no Chromium")
    t2c("review", results)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(offline=True, accept_downloads=True)
        page = context.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("requestfailed", lambda request: problems.append(request.url))
        page.goto((results / "review/index.html").resolve().as_uri())
        yield page
        assert not problems
        browser.close()


@pytest.mark.slow
def test_pictures_are_accepted_rejected_and_chosen_by_keys_and_the_choices_become_files(page: Any, results: Path):
    assert page.title() == "Review of out"
    buttons = page.get_by_role("list", name="Pictures").get_by_role("button")
    assert buttons.count() == 3
    assert page.get_by_role("img", name="a.jpg, coloured: red rose").evaluate("one => one.naturalWidth") == 300
    page.keyboard.press("2")
    assert page.get_by_role("button", name="Result 2").get_attribute("aria-pressed") == "true"
    page.keyboard.press("a")
    assert "b & <c>" in page.locator("#name").text_content()  # the next one
    page.keyboard.press("r")
    page.get_by_role("button", name="Accept A").click()
    assert page.get_by_role("status").text_content() == "2 accepted, 1 rejected, 0 undecided"
    slider = page.get_by_role("slider", name="How much of the grey")
    slider.fill("20")
    assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--split')") == "20%"
    page.get_by_role("combobox").select_option("rejected")
    assert buttons.count() == 1
    page.reload()
    assert page.get_by_role("status").text_content() == "2 accepted, 1 rejected, 0 undecided"
    if shots := os.environ.get("T2C_SCREENSHOTS"):
        page.screenshot(path=str(Path(shots, "review.png")))
    with page.expect_download() as download:
        page.get_by_role("button", name="Save choices").click()
    download.value.save_as("choices.json")
    result = t2c("batch", "out", "--choices", "choices.json", "-o", "final")
    assert "2 pictures written" in result.stdout
    written = sorted(path.relative_to("final").as_posix() for path in Path("final").rglob("*.*"))
    assert written == ["a.jpg", "sub/d.png"]
    assert Path("final/a.jpg").read_bytes() == Path("out/a-2.jpg").read_bytes()
    t2c("batch", "out", "--choices", "choices.json", "-o", "final")  # the same again: nothing to say


@pytest.mark.slow
def test_every_control_has_a_name_for_screen_readers(page: Any):
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll('button, select, input, img, [role]')].filter(one =>
        !(one.getAttribute('aria-label') || one.labels?.length || one.textContent.trim() || one.hasAttribute('alt')))
        .map(one => one.outerHTML)"""
    )
    assert unnamed == []
    assert page.locator("html").get_attribute("lang") == "en"


def test_the_page_is_one_file_and_no_name_breaks_it(results: Path):
    photo("scans/x.png")
    t2c("colorize", "scans/x.png", "--phrase", "</script><!-- $& \u2028", "-o", "out")
    text = Path(t2c("review", "out").stdout.strip()).read_text("utf-8")
    assert "http" not in text.replace("urn:", "") and text.count("</script>") == 1
    data = json.loads(
        text[text.index("const data = ") + 13 : text.index(";\nconst $")].replace("<\\/", "</").replace("<\\!", "<!")
    )
    assert [one["name"] for one in data["pictures"]] == ["a", "b & <c>", "sub/d", "x"]
    assert Image.open(Path("out/review", data["pictures"][0]["results"][0]["thumb"])).size == (300, 200)


def test_thumbnails_are_kept_and_nothing_to_review_is_said(results: Path):
    t2c("review", "out")
    times = {path: path.stat().st_mtime_ns for path in Path("out/review/thumbs").iterdir()}
    t2c("review", "out")
    assert {path: path.stat().st_mtime_ns for path in Path("out/review/thumbs").iterdir()} == times
    assert "holds no results" in t2c("review", "scans", code=2).stderr


@pytest.mark.parametrize("text", ["", "{}", '{"pictures": [{"name": 1}]}', "[]"])
def test_choices_that_are_none_are_sentences(text: str, results: Path):
    Path("choices.json").write_text(text)
    assert "no choices" in t2c("batch", "out", "--choices", "choices.json", "-o", "final", code=2).stderr


def test_choices_reach_nothing_outside_the_folder(results: Path):
    Path("secret.png").write_bytes(b"x")
    entries = [
        {"name": "../../evil", "state": "accepted", "choice": "a-1.jpg"},
        {"name": "evil", "state": "accepted", "choice": "../secret.png"},
        {"name": "gone", "state": "accepted", "choice": "none-1.jpg"},
    ]
    Path("choices.json").write_text(json.dumps({"pictures": entries}))
    result = t2c("batch", "out", "--choices", "choices.json", "-o", "final", code=1)
    assert result.stderr.count("outside") == 2 and "no longer" in result.stderr and not Path("final").exists()


@pytest.mark.parametrize(
    "options",
    [
        ["--phrase", "autumn", "-n", "2", "--seed", "7", "--strength", "0.5"],
        ["--palette", HEX],
        ["--auto"],
        ["--auto", "--region", "mask.png", "#16537e,#3d85c6,#9fc5e8,#0b5394,#cfe2f3"],
    ],
)
def test_results_are_made_again_to_the_byte(options: list[str]):
    photo("mask.png")
    for suffix in ("jpg", "tif"):
        photo(f"scans/photo.{suffix}")
        t2c("colorize", f"scans/photo.{suffix}", *options, "-o", "out")
        results = sorted(path for path in Path("out").glob(f"photo*-[12].{suffix}"))
        made = t2c("again", *results, "--json").stdout.splitlines()
        assert [json.loads(one)["same"] for one in made] == [True] * len(results)
        recipe = read_recipe(results[0])
        assert recipe is not None and recipe.input == f"photo.{suffix}"


def test_what_cannot_be_made_again_is_said():
    photo("photo.png")
    assert "no recipe" in t2c("again", "photo.png", code=2).stderr
    t2c("colorize", "photo.png", "--palette", HEX)
    assert "contact sheet" in t2c("again", "out/photo-sheet.png", code=2).stderr
    os.makedirs("far/away")
    os.rename("photo.png", "far/away/moved.png")
    assert "--input" in t2c("again", "out/photo-1.png", code=1).stderr
    t2c("again", "out/photo-1.png", "--input", "far/away/moved.png")
    photo("moved.png", least=99)
    assert "not the same file" in t2c("again", "out/photo-1.png", "--input", "moved.png", "-o", "b").stderr
