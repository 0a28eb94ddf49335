"""Folders colored from GIMP: the procedure for scripts, and the window. The engine's program is tests/fake_t2c.py."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from gui import missing_programs, running, wait_for
from host import CHECKOUT, Host

sys.path.insert(0, str(CHECKOUT / "install"))
import plugin_files  # pyright: ignore[reportMissingImports]


def program(host: Host) -> str:
    return host.engine(sys.executable, str(CHECKOUT / "tests" / "fake_t2c.py"), "engine")


def scans(host: Host, name: str, count: int = 3) -> Path:
    folder = host.share / name
    folder.mkdir()
    for number in range(count):
        (folder / f"scan-{number}{'-broken' * (number == 1)}.png").write_bytes(b"")
    return folder


SCRIPT = """
def files(**arguments):
    procedure = Gimp.get_pdb().lookup_procedure("plug-in-text2colors-files")
    config = procedure.create_config()
    for key, value in arguments.items():
        config.set_property(key.replace("_", "-"), value)
    values = procedure.run(config)
    done = values.index(0) == Gimp.PDBStatusType.SUCCESS
    return values.index(1) if done else Gimp.get_pdb().get_last_error()
"""


def test_a_script_colors_folders_and_gets_a_report(host: Host) -> None:
    folder, out = scans(host, "script-scans"), host.share / "script-out"
    outcome = host.batch(
        f"""{SCRIPT}
say(report=files(inputs={str(folder)!r}, output={str(out)!r}, phrase="autumn", format="png", count=2))
say(nothing=files(output={str(out)!r}), format=files(inputs="a", output="b", format="gif"))
say(count=files(inputs="a", output="b", count=21), missing=files(inputs="/nowhere", output={str(out)!r}))
""",
        program(host),
    )
    assert outcome.code == 0, outcome.text[-3000:]
    facts: dict[str, Any] = outcome.facts
    assert facts["report"].startswith("2 of 3 pictures colored; 1 could not be colored.")
    assert "scan-1-broken.png is no picture" in facts["report"]
    assert "choose a folder" in facts["nothing"] and "format 'gif' is unknown" in facts["format"]
    assert "number of palettes is 21" in facts["count"] and "there is no such file" in facts["missing"]
    assert {"--phrase", "autumn", "--count", "2"} <= set(json.loads((out / "words.json").read_text("utf-8")))


def test_the_window_is_the_fifth_entry_of_the_menu_and_stops_and_goes_on(root: Path, tmp_path: Path) -> None:
    missing = missing_programs()
    if missing:
        pytest.skip(f"no windows here: install {missing}")
    host = Host(root, tmp_path)
    plugin_files.copy_plugin(host.profile)
    words = shlex.split(program(host))
    plugin_files.write_json(host.share / "data" / "text2colors" / "engine.json", {"command": words})
    folder, out = scans(host, "slow", 30), host.share / "out"
    colored = lambda: len(list(out.glob("*.png"))) if out.exists() else 0  # noqa: E731
    with running(host, "") as gui:
        gui.tell("image, layer = new_image(width=200, height=120)\ndisplay = Gimp.Display.new(image)")
        gui.xdotool("windowactivate", "--sync", gui.window("Untitled"))
        gui.settle()
        gui.keys("alt+c")
        gui.settle()
        gui.keys("End", "Up", "Right", "Down", "Down", "Down", "Down", "Return")
        gui.window("^Colorize Files$")
        gui.still()
        gui.type(str(folder))
        gui.keys("alt+e")
        gui.type(str(out))
        gui.keys("alt+a")
        gui.type("autumn")
        gui.keys("alt+c")
        wait_for(lambda: colored() > 1, "pictures to be colored")
        gui.keys("alt+s")
        gui.still()
        stopped = colored()
        assert 1 < stopped < 29
        gui.keys("alt+c")
        wait_for(lambda: colored() == 29, "the job to go on to its end")
        gui.still()
        gui.keys("alt+r")
        wait_for(lambda: (out / "review" / "index.html").exists(), "the page of results")
        gui.keys("Escape")
        wait_for(lambda: gui.is_gone("Colorize Files"), "the window to close")


@pytest.mark.slow
def test_the_real_program_colors_a_folder(host: Host) -> None:
    from PIL import Image
    from skimage import data

    folder, out = host.share / "photographs", host.share / "photographs-colorized"
    folder.mkdir()
    Image.fromarray(data.chelsea()).convert("L").save(folder / "cat.png")
    outcome = host.batch(
        f"{SCRIPT}\nsay(report=files(inputs={str(folder)!r}, output={str(out)!r}, phrase='autumn', count=1))",
        host.real_engine(),
        timeout=500,
    )
    assert outcome.code == 0, outcome.text[-3000:]
    assert outcome.facts["report"].startswith("1 of 1 pictures colored."), outcome.facts["report"]
    with Image.open(next(out.glob("cat*.png"))) as picture:
        assert picture.mode == "RGB" and len(set(picture.resize((1, 1)).tobytes())) > 1
