"""The command line: palettes, coloured pictures, exit codes, and what happens to bad input."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from t2c_engine.models import export_model
from t2c_engine.palettes.files import read_palettes
from tests import fakes
from tests.command_line import HEX, lines, photo, t2c

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.usefixtures("fake_networks")


def test_a_phrase_gives_palettes_that_repeat():
    first = t2c("palette", "autumn breeze", "-n", 3, "--seed", 7).stdout
    assert first == t2c("palette", "autumn breeze", "-n", 3, "--seed", 7).stdout
    assert first != t2c("palette", "autumn breeze", "-n", 3, "--seed", 8).stdout
    assert len(first.splitlines()) == 4 and first.count("#") == 15


def test_palette_json_is_one_object_a_phrase():
    (one,) = lines(t2c("palette", "lá rơi 🍂", "-n", 2, "--seed", 7, "--json").stdout)
    assert list(one) == ["phrase", "seed", "model", "palettes"]
    assert (one["phrase"], one["seed"], one["model"]) == ("lá rơi 🍂", 7, "fake-palettes")
    assert [len(palette) for palette in one["palettes"]] == [5, 5]
    Path("phrases.txt").write_text("\ufeffred rose\n\n   \nblue sea\r\n", "utf-8")
    found = lines(t2c("palette", "--file", "phrases.txt", "-n", 1, "--json").stdout)
    assert [each["phrase"] for each in found] == ["red rose", "blue sea"]
    assert lines(t2c("palette", "--file", "-", "-n", 1, "--json", stdin="red rose\n").stdout) == found[:1]


@pytest.mark.parametrize("ending", ["gpl", "aco", "ase", "hex"])
def test_palettes_are_written_and_kept(ending):
    path = Path(f"deep/autumn.{ending}")
    palettes = lines(t2c("palette", "autumn", "-n", 2, "-o", path, "--json").stdout)[0]["palettes"]
    assert [code for one in read_palettes(path) for code in one.hex] == palettes[0] + palettes[1]
    before = path.read_bytes()
    assert "exists" in t2c("palette", "autumn", "-o", path, code=1).stderr
    assert path.read_bytes() == before
    t2c("palette", "winter", "-n", 1, "-o", path, "--overwrite")
    assert [len(one.colors) for one in read_palettes(path)] == [5]


def test_a_swatch_sheet_is_written():
    t2c("palette", "autumn", "-o", "autumn.PNG")
    assert Image.open("autumn.PNG").size[0] == 960


def test_palettes_are_steered():
    done = t2c("palette", "autumn", "--json", "-n", "2", "--lock", "1=#aabbcc, 4=#112233", "--colors", "6")
    palettes = json.loads(done.stdout)["palettes"]
    assert [(len(one), one[0], one[3]) for one in palettes] == [(6, "#aabbcc", "#112233")] * 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--lock", "7=#abc"), "Colour 7 cannot be locked"),
        (("--lock", "red"), "locks no colour"),
        (("--avoid", "red"), "not a colour"),
        (("--like", "#12"), "not a colour"),
        (("--colors", "11"), "ask for 3 to 10"),
    ],
)
def test_wishes_that_cannot_be_met_are_refused_in_words(arguments: tuple[str, ...], words: str):
    assert words in " ".join(t2c("palette", "autumn", *arguments, code=2).stderr.split())


def test_a_note_about_the_phrase_goes_to_standard_error():
    result = t2c("palette", "qqq", "--json")
    assert "no word of the phrase is known" in result.stderr and len(lines(result.stdout)) == 1


@pytest.mark.parametrize(
    "words",
    [
        ["palette"],
        ["palette", "  "],
        ["palette", "x", "--from-image", "y.png"],
        ["palette", "x", "-n", "0"],
        ["palette", "x", "--variety", "2"],
        ["palette", "x", "-o", "x.pal"],
        ["palette", "--file", "none.txt"],
        ["palette", "--unknown"],
        ["nonsense"],
        ["colorize", "x.png"],
        ["colorize", "--phrase", "x"],
        ["colorize", "x.png", "--phrase", "x", "--palette", HEX],
        ["colorize", "x.png", "--palette", "#12"],
        ["colorize", "x.png", "--palette", ""],
        ["colorize", "x.png", "--palette", "none.gpl"],
        ["colorize", "*.png", "--palette", HEX],
        ["colorize", ".", "--palette", HEX],
        ["colorize", "x.png", "--palette", HEX, "--strength", "-1"],
    ],
)
def test_wrong_usage_is_exit_code_two_and_a_sentence(words):
    result = t2c(*words, code=2)
    assert result.stderr and "Traceback" not in result.stderr and not result.stdout
    assert not any(Path().iterdir())


def test_a_picture_is_coloured_from_a_phrase():
    photo()
    (found,) = lines(t2c("colorize", "photo.png", "--phrase", "red rose", "-n", 3, "--seed", 7, "--json").stdout)
    assert list(found) == ["input", "results", "seconds", "sheet"] and found["input"] == "photo.png"
    assert [one["path"] for one in found["results"]] == [f"out/photo-{index}.png" for index in (1, 2, 3)]
    palettes = lines(t2c("palette", "red rose", "-n", 3, "--seed", 7, "--json").stdout)[0]["palettes"]
    assert [one["palette"] for one in found["results"]] == palettes
    assert {(one["seed"], one["model"]) for one in found["results"]} == {(7, "fake-colorizer")}
    assert sorted(os.listdir("out")) == ["photo-1.png", "photo-2.png", "photo-3.png", "photo-sheet.png"]
    grey, coloured = np.asarray(Image.open("photo.png"), float), np.asarray(Image.open("out/photo-1.png"), float)
    assert coloured.shape == (40, 60, 3) and np.ptp(coloured, axis=2).max() > 5
    assert np.corrcoef(grey.ravel(), coloured.mean(2).ravel())[0, 1] > 0.99


def test_sixteen_bits_stay_and_alpha_and_odd_shapes_work():
    tifffile.imwrite("deep.tif", np.linspace(0, 65535, 2400).astype(np.uint16).reshape(40, 60))
    Image.new("RGBA", (30, 20), (90, 90, 90, 128)).save("alpha.png")
    Image.new("L", (1, 1), 120).save("dot.png")
    Image.new("L", (4000, 2), 120).save("line.png")
    t2c("colorize", ".", "--palette", HEX)
    assert tifffile.imread("out/deep-1.tif").dtype == np.uint16
    assert Image.open("out/alpha-1.png").mode == "RGBA"
    sizes = [Image.open(f"out/{name}-1.png").size for name in ("dot", "line")]
    assert sizes == [(1, 1), (4000, 2)] and len(os.listdir("out")) == 8


def test_the_same_request_gives_the_same_bytes():
    photo("photo.jpg")
    for folder in ("a", "b"):
        t2c("colorize", "photo.jpg", "--phrase", "x", "-n", 2, "-o", folder)
    for name in os.listdir("a"):
        assert Path("a", name).read_bytes() == Path("b", name).read_bytes()


def test_existing_results_are_kept_unless_told():
    photo()
    t2c("colorize", "photo.png", "--phrase", "x", "-n", 2)
    Path("out/photo-1.png").write_bytes(b"mine")
    result = t2c("colorize", "photo.png", "--phrase", "x", "-n", 3, "--json")
    assert "2 existing files kept" in result.stderr and Path("out/photo-1.png").read_bytes() == b"mine"
    (found,) = lines(result.stdout)
    assert found["kept"] == ["out/photo-1.png", "out/photo-2.png"]
    assert [one["path"] for one in found["results"]] == ["out/photo-3.png"]
    loaded = fakes.Colorizer.loaded
    t2c("colorize", "photo.png", "--phrase", "x", "-n", 3)
    assert fakes.Colorizer.loaded == loaded  # nothing to do
    t2c("colorize", "photo.png", "--phrase", "x", "-n", 3, "--overwrite")
    assert Image.open("out/photo-1.png").size == (60, 40)


def test_one_bad_picture_does_not_stop_the_others():
    photo("a.png")
    Path("b.png").write_text("no picture")
    Path("c.png").touch()
    photo("e.png")
    result = t2c("colorize", "a.png", "b.png", "c.png", "none.png", "e.png", "--palette", HEX, "--json", code=1)
    found = lines(result.stdout)
    assert [Path(one["input"]).stem for one in found if "error" in one] == ["b", "c", "none"]
    assert [Path(one["input"]).stem for one in found if one["results"]] == ["a", "e"]
    assert "3 of 5 pictures failed" in result.stderr and "Traceback" not in result.stderr
    assert sorted(os.listdir("out")) == ["a-1.png", "a-sheet.png", "e-1.png", "e-sheet.png"]
    t2c("colorize", "b.png", "e.png", "--palette", HEX, "-o", "stopped", "--stop-on-error", code=1)
    assert not Path("stopped").exists()


def test_folders_patterns_and_equal_names():
    for name in ("in/a.png", "in/a.jpg", "in/B.PNG", "more/a.png"):
        Path(name).parent.mkdir(exist_ok=True)
        photo(name)
    Path("in/notes.txt").touch()
    t2c("colorize", "in", "more/*.png", "in/a.png", "--palette", HEX)
    assert sorted(name for name in os.listdir("out") if "sheet" not in name) == [
        "B-1.PNG",
        "a-1.jpg",
        "a_2-1.png",
        "a_3-1.png",
    ]


def test_an_input_is_never_replaced():
    photo("a.png")
    photo("a-1.png")
    before = Path("a-1.png").read_bytes()
    result = t2c("colorize", "a.png", "a-1.png", "--palette", HEX, "-o", ".", "--overwrite", code=1)
    assert Path("a-1.png").read_bytes() == before and "replace an input" in result.stderr
    assert Path("a-1-1.png").exists()


def test_palettes_of_other_sizes_are_said():
    photo()
    for colors, words in (
        ("#f00", "1 colour,"),
        ("#f00,#0f0,#00f,#fff", "4 colours,"),
        (",".join(["#123"] * 300), "300"),
    ):
        result = t2c("colorize", "photo.png", "--palette", colors, "--overwrite", "--json")
        assert words in result.stderr and len(lines(result.stdout)[0]["results"][0]["palette"]) == 5


def test_every_palette_of_a_file_gives_a_result():
    photo()
    t2c("palette", "x", "-n", 4, "-o", "four.gpl")
    (found,) = lines(t2c("colorize", "photo.png", "--palette", "four.gpl", "--json").stdout)
    assert [tuple(one["palette"]) for one in found["results"]] == [one.hex for one in read_palettes("four.gpl")]
    result = t2c("colorize", "photo.png", "--palette", "four.gpl", "-n", 3, "-o", "three")
    assert "first 3 are used" in result.stderr and len(os.listdir("three")) == 4


def test_an_output_folder_that_cannot_be_written():
    photo()
    Path("file").touch()
    for folder in ("file", "file/below"):
        assert "choose another" in t2c("colorize", "photo.png", "--palette", HEX, "-o", folder, code=1).stderr


def test_ctrl_c_keeps_what_is_finished(monkeypatch):
    photo("a.png")
    photo("b.png")
    real = fakes.Colorizer.encode
    calls = []

    def interrupted(self, lightness):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(self, lightness)

    monkeypatch.setattr(fakes.Colorizer, "encode", interrupted)
    result = t2c("colorize", "a.png", "b.png", "--palette", HEX, code=130)
    assert "Interrupted" in result.stderr and sorted(os.listdir("out")) == ["a-1.png", "a-sheet.png"]


def test_a_palette_is_taken_from_a_picture():
    pixels = np.zeros((50, 100, 3), np.uint8)
    for index, color in enumerate([(200, 30, 30), (30, 160, 60), (40, 60, 190), (240, 230, 200), (20, 20, 25)]):
        pixels[:, index * 20 : index * 20 + 20] = color
    Image.fromarray(pixels).save("stripes.png")
    (found,) = lines(t2c("palette", "--from-image", "stripes.png", "--json").stdout)
    assert found["image"] == "stripes.png" and len(found["palettes"][0]) == 5
    assert "none.png" in t2c("palette", "--from-image", "none.png", code=1).stderr


def test_models_are_listed_and_bad_cards_named(tmp_path):
    assert "No model is installed" in t2c("models", code=1).stderr
    weights = {"w": np.ones(3)}
    export_model(
        tmp_path / "models",
        weights,
        name="small",
        version="1.2",
        kind="palette",
        licence="MIT",
        data=["PAT", "names"],
        figures={"best of 5": 18.25},
    )
    text = t2c("models").stdout
    for words in ("small 1.2", "MIT", "PAT", "names", "best of 5: 18.25", "sha256"):
        assert words in text
    (card,) = lines(t2c("models", "--json").stdout)
    assert card["name"] == "small" and len(card["sha256"]) == 64
    (tmp_path / "models/bad.json").write_text("{")
    assert "bad.json" in t2c("models", code=1).stderr


def test_doctor_finds_missing_and_tampered_models(tmp_path):
    for kind in ("palette", "colorizer"):
        export_model(tmp_path / "models", {"w": np.ones(3)}, name=kind, version="1", kind=kind, licence="MIT")
    checks = lines(t2c("doctor", "--json").stdout)
    assert {"Python", "torch", "device", "model", "writing", "memory"} <= {check["name"] for check in checks}
    assert all(check["state"] != "problem" for check in checks)
    (tmp_path / "models/palette.safetensors").write_bytes(b"x" * 80)
    result = t2c("doctor", code=1)
    assert "sha256 differs" in result.stdout and "no usable palette model" in result.stdout


def test_palettes_start_without_torch():
    code = """
import sys
from t2c_engine.cli.main import app
try:
    app(["palette", "x", "-o", sys.argv[1]])
except SystemExit as end:
    assert end.code in (0, None), end.code
heavy = {"torch", "scipy", "skimage", "matplotlib"} & sys.modules.keys()
assert not heavy, heavy
"""
    run = subprocess.run(
        [sys.executable, "-c", code, Path("x.gpl").absolute()], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr


def test_the_module_runs_and_tells_its_version():
    run = subprocess.run([sys.executable, "-m", "t2c_engine", "--version"], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0 and run.stdout.startswith("text2colors ")


def test_names_that_are_too_long_or_no_text():
    long = photo("n" * 251 + ".png")
    assert "too long" in t2c("colorize", long, "--palette", HEX).stderr
    assert sorted(len(name) <= 255 for name in os.listdir("out")) == [True, True]
    assert "name is too long); shorten it" in t2c("palette", "x", "-o", "n" * 300 + ".gpl", code=1).stderr
    t2c("colorize", "n" * 300, "--palette", HEX, code=1)
    run = subprocess.run(
        [sys.executable, "-m", "t2c_engine", "palette", "--from-image", os.fsencode("\udcfe.png"), "--json"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
    )
    assert run.returncode == 1 and b"Traceback" not in run.stderr and rb"\udcfe.png" in run.stderr
