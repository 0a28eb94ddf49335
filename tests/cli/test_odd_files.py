"""Files that are no files: pipes, loops of links, folders with names of pictures, names that a terminal would obey."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.album_jobs import inline  # noqa: F401
from tests.command_line import HEX, photo, t2c

pytestmark = pytest.mark.usefixtures("fake_networks")


@pytest.fixture
def scans() -> Path:
    photo("scans/a.png")
    os.mkfifo("scans/pipe.jpg")
    os.symlink("loop.jpg", "scans/loop.jpg")
    os.symlink("nowhere.png", "scans/broken.png")
    os.symlink("..", "scans/up")
    Path("scans/folder.jpg").mkdir()
    return Path("scans")


def test_a_folder_of_them_is_colored_and_what_is_passed_over_is_named(scans: Path):
    result = t2c("colorize", scans, "--palette", HEX)
    for words in ("2 sub-folders", "2 broken links", "1 special file"):
        assert words in result.stderr
    assert sorted(os.listdir("out")) == ["a-1.png", "a-sheet.png"]


@pytest.mark.parametrize(
    ("name", "words", "code"),
    [
        ("pipe.jpg", "is no file", 1),
        ("loop.jpg", "link that leads back to itself", 1),
        ("broken.png", "does not exist", 1),
        ("folder.jpg", "holds no picture", 2),
    ],
)
def test_one_that_is_named_gives_a_sentence(scans: Path, name: str, words: str, code: int):
    result = t2c("colorize", scans / name, "--palette", HEX, code=code)
    assert words in " ".join(result.stderr.split()) and not Path("out").exists()


def test_a_job_over_them_ends(scans: Path):
    result = t2c("batch", scans, "-o", "out", "--palette", HEX, code=1)
    assert Path("out/a-1.png").exists() and "pipe.jpg is no file" in " ".join((result.stdout + result.stderr).split())


def test_names_are_printed_on_one_line_and_command_no_terminal():
    photo("scans/new\nline\x1b[31m\u202e.png")
    Path("scans/bad\n.png").write_text("x")
    result = t2c("colorize", "scans", "--palette", HEX, code=1)
    assert r"new\nline\x1b[31m\u202e-1.png" in result.stdout and r"bad\n.png is no picture" in result.stderr
    assert not {"\x1b", "\u202e"} & set(result.stdout + result.stderr)
    assert Path("out/new\nline\x1b[31m\u202e-1.png").exists()
    again = t2c("again", "out/new\nline\x1b[31m\u202e-1.png")
    assert again.stdout.count("\n") == 1 and "the same bytes" in again.stdout


@pytest.mark.parametrize(
    "options", [["--phrase", "  "], ["--palette", HEX, "--stop-on-error"], ["--reference", "x.png"]]
)
def test_a_run_that_fails_leaves_no_folder(options: list[str]):
    Path("bad.png").write_text("no picture")
    t2c("colorize", "bad.png", *options, "-o", "deep/down", code=2 if options[0] == "--phrase" else 1)
    assert os.listdir() == ["bad.png"]
    os.mkdir("mine")
    t2c("colorize", "bad.png", *options, "-o", "mine/new", code=2 if options[0] == "--phrase" else 1)
    assert os.listdir("mine") == [], "folders that were there stay"


def test_palettes_say_before_what_they_are():
    photo("a.png")
    assert "palettes before strength 0.5" in t2c("colorize", "a.png", "--palette", HEX, "--strength", 0.5).stdout
    assert "before" not in t2c("colorize", "a.png", "--palette", HEX).stdout
    said = t2c("colorize", "a.png", "--palette", HEX, "--strength", 0.7, "--json").stdout
    assert '"palettes_before": ["strength 0.7"]' in said


def test_a_picture_is_no_palette_file():
    photo("a.png")
    words = " ".join(t2c("colorize", "a.png", "--palette", "a.png", code=2).stderr.split())
    assert "--from-image" in words and "--reference" in words
