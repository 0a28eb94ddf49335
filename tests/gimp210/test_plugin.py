"""The plug-in for GIMP 2.10 as it is shipped, driven end to end in a GIMP of memory, by Python 3 and Python 2.7."""

from __future__ import annotations

import contextlib
import json
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import plugin_files  # pyright: ignore[reportMissingImports]
import pytest
from interpreters import drive, drive_gimp, gimp_root, interpreter
from t2c_plugin.request import Record  # pyright: ignore[reportMissingImports]
from t2c_plugin.shared import limits  # pyright: ignore[reportMissingImports]

LCH_COLOR, NORMAL, PASS_THROUGH, RGB = 26, 28, 61, 0
TESTS = Path(__file__).resolve().parents[1]
OBSERVED = json.loads((Path(__file__).parent / "data" / "observed-2.10.34.json").read_text())
PALETTE = ["#8c2f1b", "#d98c3f", "#f2d8a7", "#5b6b3a", "#2b2a33"]

Told = dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plug-in's folder as the installer makes it."""
    return plugin_files.copy_plugin(tmp_path_factory.mktemp("2.10"), legacy=True)


@contextlib.contextmanager
def engine_at(path: Path) -> Iterator[str]:
    """The engine around made-up networks, on a socket."""
    command = [sys.executable, str(TESTS / "fake_server.py"), "--listen", str(path)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        end = time.monotonic() + 20
        while not path.exists() and time.monotonic() < end:
            time.sleep(0.02)
        yield f"unix:{path}"
        server.kill()


@pytest.fixture(scope="module")
def socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with engine_at(tmp_path_factory.mktemp("socket") / "mine" / "engine.sock") as address:
        yield address


class Steps(dict[str, Told]):
    """Everything that happened, by step; a test of a step that only the fake has is skipped in the real GIMP."""

    def __missing__(self, step: str) -> Told:
        pytest.skip(f"the step '{step}' is the fake's alone")


@pytest.fixture(scope="module", params=["this", "python2.7", pytest.param("gimp", marks=pytest.mark.gimp)])
def told(request: pytest.FixtureRequest, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Steps:
    if request.param == "gimp":
        root = gimp_root()
        with engine_at(root / "share" / "engine" / "engine.sock"):
            return Steps(drive_gimp(root, folder, "unix:/share/engine/engine.sock"))
    program, socket = interpreter(request.param), request.getfixturevalue("socket")
    return Steps(drive(program, folder, socket, tmp_path_factory.mktemp("work")))


def colors(layer: Told) -> list[float]:
    return layer["mean"][:3]


def test_a_phrase_gives_color_layers_above_a_grey_layer(told: Steps) -> None:
    seen = told["phrase_on_grey"]
    assert seen["base_type"] == RGB and seen["untouched"] and seen["active"] == "f\xf6to"
    assert seen["order"] == ["autumn breeze \xe4 (Text2Colors)", "f\xf6to"]
    assert (seen["group"]["mode"], seen["group"]["opacity"]) == (PASS_THROUGH, 80.0)
    assert [one["visible"] for one in seen["layers"]] == [True, False]
    for number, layer in enumerate(seen["layers"], 1):
        assert layer["mode"] == LCH_COLOR and layer["offsets"] == [5, 3] and layer["size"] == [48, 32]
        assert max(colors(layer)) - min(colors(layer)) > 5, "the layer is grey"
        record = layer["record"]
        assert (record["phrase"], record["seed"], record["number"]) == ("autumn breeze \xe4", 7, number)
        assert record["natural"] == 0.25 and record["hint_reach"] == 0.4
        assert record["model"].startswith("fake-") and len(record["palette"]) == 5


def test_normal_layers_keep_the_transparency(told: Steps) -> None:
    first, second = told["palettes_on_rgb"]["layers"]
    assert told["palettes_on_rgb"]["untouched"]
    assert (first["mode"], first["channels"], first["mean"][3]) == (NORMAL, 4, 127.5)
    assert first["record"]["palette"] == PALETTE and second["record"]["palette"] == ["#000080", "#ffffff"]
    assert first["record"]["strength"] == 1.2 and colors(first) != colors(second)


def test_selection_mask_and_transparency_become_the_mask(told: Steps) -> None:
    (layer,) = told["selected"]["layers"]
    assert layer["mask"] == [0] * 10 + [255] * 10 + [0] * 28
    assert told["selected"]["bounds"] == [1, 4, 4, 24, 36] and told["selected"]["channels"] == 0
    (layer,) = told["transparent_colour"]["layers"]
    assert layer["mask"] == [255] * 24 + [0] * 24 and told["transparent_colour"]["selection"] == 1


def test_a_large_layer_gets_a_layer_of_its_size(told: Steps) -> None:
    assert told["large"]["layers"][0]["size"] == [2600, 16]


def test_dabs_of_color_are_followed_and_hidden(told: Steps) -> None:
    seen = told["hinted"]
    assert seen["hinted"]["record"]["hints"] == "dabs" and seen["plain"]["record"]["hints"] == ""
    assert colors(seen["hinted"])[2] > colors(seen["plain"])[2] + 10, "the dab is blue"
    assert seen["visible"] is False


def test_results_stay_in_the_group_of_their_layer(told: Steps) -> None:
    assert told["in_a_group"] == {"inside": ["own palette (Text2Colors)", "photo"], "parent": True}


def test_a_new_result_lies_on_the_earlier_ones_and_regions_join(told: Steps) -> None:
    seen = told["again"]
    assert seen["order"] == ["natural colors (Text2Colors)", "own palette (Text2Colors)", "photo"]
    assert seen["visible"] == [True, False, True] and seen["region joins"]
    assert seen["names"] == ["1 own palette #1", "natural colors"] and seen["natural"]["record"]["palette"] == []


def test_gimp_3_knows_what_gimp_210_has_made(told: Steps) -> None:
    for layer in told["phrase_on_grey"]["layers"]:
        record = Record.from_bytes(json.dumps(layer["record"]).encode())
        assert (record.phrase, record.seed, record.count) == ("autumn breeze \xe4", 7, 2)
        assert layer["name"] == record.layer_name and record.title in told["phrase_on_grey"]["group"]["name"]


def test_what_cannot_be_done_is_refused_and_changes_nothing(told: Steps) -> None:
    seen = told["failures"]
    assert set(seen["told"].values()) == {"refused"} and len(seen["told"]) == 12
    assert (seen["layers"], seen["base_type"]) == (1, 1)


def test_everything_is_one_undo_step(told: Steps) -> None:
    assert told["undone"] == {"steps": 1, "same": True}


def test_a_step_that_gimp_refuses_leaves_the_image_as_it_was(told: Steps) -> None:
    assert told["put_back"]["failed"] and told["put_back"]["same"]
    assert told["put_back"]["message"] == "GIMP could not insert the layers (no more parasites)."


def test_the_dialogs_values_arrive_and_are_used_again(told: Steps) -> None:
    seen = told["with_dialog"]
    assert [one["mode"] for one in seen["shown"]] == [NORMAL] * 2 and seen["closed"] and seen["groups"] == 2
    assert seen["shown"][0]["record"] == seen["again"][0]["record"]
    record = seen["shown"][0]["record"]
    assert (record["phrase"], record["seed"], record["strength"]) == ("deep sea", 5, 0.4)


def test_with_a_dialog_a_failure_is_one_sentence(told: Steps) -> None:
    seen = told["failing_dialog"]
    assert seen["result"] and seen["tracebacks"] == [] and seen["layers"] == 1
    assert seen["messages"] == ["'#zzz' is not a color; write it as #rrggbb, for example #d98c3f."]


def test_progress_moves_on(told: Steps) -> None:
    seen = told["progress"]
    assert seen["sorted"] and seen["steps"] > 3 and 0.5 < seen["last"] <= 1.0
    assert seen["texts"].startswith("Text2Colors: ")


def test_the_check_tells_what_is_there(told: Steps) -> None:
    report = told["checked"]["report"]
    assert report.startswith("GIMP 2.10.34\nEngine: the socket ") and "The engine answers; version " in report


def test_the_fake_does_what_gimp_does(told: Steps) -> None:
    """`observed-2.10.34.json` was written by the same steps in GIMP 2.10.34."""

    def differences(place: str, real: Any, fake: Any) -> Iterator[str]:
        if isinstance(real, dict) and isinstance(fake, dict):
            for name in real.keys() | fake.keys():
                yield from differences(f"{place}/{name}", real.get(name), fake.get(name))
        elif isinstance(real, list) and isinstance(fake, list) and len(real) == len(fake):
            for number, (one, other) in enumerate(zip(real, fake, strict=True)):
                yield from differences(f"{place}/{number}", one, other)
        elif real != fake:
            yield f"{place}: GIMP {real}, the fake {fake}"

    assert not list(differences("", OBSERVED, without_colors({name: told[name] for name in OBSERVED})))


def without_colors(value: Any) -> Any:
    """What does not depend on the networks, nor on the path of the engine."""
    dropped = ("mean", "record", "report")
    if isinstance(value, dict):
        return {name: without_colors(one) for name, one in value.items() if name not in dropped}
    return [without_colors(one) for one in value] if isinstance(value, list) else value


@pytest.mark.slow
@pytest.mark.parametrize("name", ["this", "python2.7"])
def test_the_real_engine_as_a_child_process(name: str, folder: Path, tmp_path: Path) -> None:
    program = interpreter(name)
    engine = shlex.join([sys.executable, "-m", "t2c_engine.serving"])
    told = drive(program, folder, engine, tmp_path, "phrase_on_grey")
    record = told["phrase_on_grey"]["layers"][0]["record"]
    assert "fake" not in record["model"] and " + colorizer-palette" in record["model"]
    assert max(colors(told["phrase_on_grey"]["layers"][0])) - min(colors(told["phrase_on_grey"]["layers"][0])) > 10
    assert (tmp_path / "text2colors" / "log" / "engine.log").stat().st_size > 0


@pytest.mark.parametrize("name", ["this", "python2.7"])
def test_a_missing_engine_is_said_in_words(name: str, folder: Path, tmp_path: Path) -> None:
    seen = drive(interpreter(name), folder, "/no/such/t2c engine", tmp_path, "missing_engine")["missing_engine"]
    assert seen["message"].startswith("The engine cannot be started: '/no/such/t2c'") and seen["same"]
    assert "Run the installer again" in seen["message"]


@pytest.mark.parametrize("name", ["this", "python2.7", pytest.param("jython", marks=pytest.mark.slow)])
def test_it_registers(name: str, folder: Path, tmp_path: Path) -> None:
    told = drive(interpreter(name), folder, "none", tmp_path, "--register")
    assert set(told) == {"plug-in-text2colors", "plug-in-text2colors-check"}
    assert {one["menu"] for one in told.values()} == {"<Image>/Colors/Text2Colors"}
    params = {entry[1]: entry[2] for entry in told["plug-in-text2colors"]["params"]}
    assert list(params)[:2] == ["image", "drawable"]
    # the file that registers imports nothing but gimpfu, so it repeats these
    assert params["count"] == [[1, limits.MAX_COUNT, 1]] and params["seed"] == [[0, limits.MAX_SEED, 1]]
    assert params["strength"][0][:2] == [0.0, limits.MAX_STRENGTH] and params["natural"][0][:2] == [0.0, 1.0]
    assert params["hint-reach"] == [[0.0, 1.0, 0.05]]
    assert len(params["device"][0]) == len(limits.DEVICES) and len(params["result-mode"][0]) == len(limits.MODES)


@pytest.mark.slow
def test_jython_colors_too(folder: Path, tmp_path: Path) -> None:
    engine = shlex.join([sys.executable, str(TESTS / "fake_server.py")])  # Jython knows no Unix sockets
    told = drive(interpreter("jython"), folder, engine, tmp_path, "phrase_on_grey")
    assert [one["mode"] for one in told["phrase_on_grey"]["layers"]] == [LCH_COLOR] * 2
