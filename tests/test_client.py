"""The plug-in's client against a scripted engine that answers, hangs, dies and lies."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import plugin_path
import pytest
from t2c_plugin.engine.client import Engine, EngineCancelled, EngineError, EngineTimeout  # pyright: ignore[reportMissingImports]
from t2c_plugin.pixels import Pixels  # pyright: ignore[reportMissingImports]

from t2c_engine.serving.protocol import ErrorCode

FAKE = Path(__file__).parent / "fake_engine.py"
PALETTES = [["#112233", "#445566", "#778899", "#aabbcc", "#ddeeff"], ["#000000", "#ff0000", "#00ff00", "#123456"]]
GREY = bytes(range(24))  # 6 x 4

Start = Callable[..., Engine]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts fake engines in a mode, and ends them after the test."""
    engines: list[Engine] = []

    def begin(mode: str, log: Path | None = None) -> Engine:
        engines.append(Engine([sys.executable, str(FAKE), mode], log))
        engines[-1].start()
        return engines[-1]

    yield begin
    for engine in engines:
        engine.close()


def ready(engine: Engine) -> str:
    """The key of a picture that the engine has."""
    return engine.set_picture(Pixels(GREY, 6, 4, "Y u8"))


def gone(pid: int, within: float) -> bool:
    """Whether a process ends in time."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def failure(act: Callable[[], Any], kind: type[EngineError] = EngineError) -> EngineError:
    with pytest.raises(kind) as caught:
        act()
    assert caught.value.message.endswith("."), "errors are sentences"
    return caught.value


def test_a_phrase_becomes_palettes_with_the_locked_colours_in_place(start: Start) -> None:
    engine = start("good")
    assert engine.hello(90)["engine"] == "fake"
    answer = engine.palettes("autumn", count=3, seed=7, locked={1: "#ffffff"})
    assert (answer.model, answer.note) == ("fake 1", "")
    assert [palette[1] for palette in answer.palettes] == ["#ffffff"] * 3


def test_a_picture_is_coloured_once_a_palette_with_progress(start: Start) -> None:
    engine, told = start("good"), []
    results = list(engine.colorize(ready(engine), PALETTES, on_progress=lambda done, text: told.append((done, text))))
    assert [(index, len(one.pixels), one.width, one.height, one.format) for index, one in results] == [
        (0, 72, 6, 4, "RGB u8"),
        (1, 72, 6, 4, "RGB u8"),
    ]
    assert results[0][1].pixels[:3] == bytes.fromhex("aabbcc") and isinstance(results[0][1].pixels, bytes)
    assert told == [(0.0, "Colorizing 1 of 2"), (0.5, "Colorizing 2 of 2")]


def test_previews_come_in_the_palettes_order(start: Start) -> None:
    engine = start("good")
    key = engine.set_picture(Pixels(bytes(600 * 400 * 2), 600, 400, "Y u16"))
    previews = engine.preview(key, PALETTES, max_side=150)
    assert [(one.width, one.height, one.pixels[:3].hex()) for one in previews] == [
        (150, 100, "aabbcc"),
        (150, 100, "123456"),
    ]


def test_a_picture_is_sent_only_once(start: Start) -> None:
    engine = start("good")
    keys = [engine.set_picture(Pixels(GREY, *shape, "Y u8")) for shape in ((6, 4), (6, 4), (4, 6))]
    assert keys[0] == keys[1] != keys[2]
    assert engine.doctor()["received"] == 2 * len(GREY)


@pytest.mark.parametrize(
    "arguments", [(GREY, 5, 4, "Y u8"), (GREY, 6, 4, "Y u9"), (b"", 0, 4, "Y u8"), (GREY, -6, -4, "Y u8")]
)
def test_pixels_that_do_not_fit_their_size_are_refused_at_once(start: Start, arguments: Any) -> None:
    assert "picture in the format" in failure(lambda: start("good").set_picture(Pixels(*arguments))).message


def test_the_engine_does_not_get_the_variables_of_gimps_python(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    scrubbed = ["PYTHONHOME", "GI_TYPELIB_PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_INSERT_LIBRARIES"]
    for name in [*scrubbed, "PYTHONPATH", "T2C_TEST"]:
        monkeypatch.setenv(name, "/nowhere")
    environment = start("good").doctor()["environment"]
    assert "T2C_TEST" in environment
    assert not set(environment) & {*scrubbed, "PYTHONPATH"}


def test_starting_does_not_wait(start: Start) -> None:
    engine = start("silent")
    assert engine.status == {}, "it has said nothing yet, and may never"


@pytest.mark.parametrize(
    ("mode", "message", "hint"),
    [
        ("old", "another language version, 2", "run the installer again"),
        ("greeting", "'Welcome ...'", "start files silent"),
        ("crash", "before it said hello (exit code 1): RuntimeError", ""),
        ("broken-library", "No module named 'torch'", "lacks a library"),
    ],
)
def test_an_engine_that_does_not_start_well(start: Start, mode: str, message: str, hint: str) -> None:
    error = failure(lambda: start(mode).hello(90))
    assert message in error.message and hint in error.hint


def test_an_engine_that_says_nothing_is_given_up(start: Start) -> None:
    error = failure(lambda: start("silent").hello(0.5), EngineTimeout)
    assert "0.5 seconds" in error.message and error.hint


@pytest.mark.parametrize(
    ("command", "hint"), [(["/nowhere/t2c", "engine"], "installer"), ([str(FAKE)], "may not be opened or started")]
)
def test_a_command_that_cannot_be_run_is_said_by_the_first_wait(command: list[str], hint: str) -> None:
    engine = Engine(command)
    engine.start()
    error = failure(lambda: engine.hello(1))
    assert command[0] in error.message and hint in error.hint
    engine.close()


@pytest.mark.parametrize("mode", ["junk", "huge", "bad-json"])
def test_an_engine_that_cannot_be_understood(start: Start, mode: str) -> None:
    engine = start(mode)
    assert "cannot be understood" in failure(lambda: engine.palettes("autumn")).message
    assert "cannot be understood" in failure(lambda: engine.palettes("again")).message, "it stays so"


def test_an_engine_that_dies_is_reported_with_its_last_words(start: Start) -> None:
    engine = start("die")
    key = ready(engine)
    error = failure(lambda: list(engine.colorize(key, PALETTES)))
    assert "exit code 3" in error.message and "about to die" in error.message
    assert error.details.endswith("\nabout to die") and error.hint


def test_a_result_cut_short_is_never_given_out(start: Start) -> None:
    engine = start("die-in-frame")
    stream = engine.colorize(ready(engine), PALETTES)
    assert next(stream)[0] == 0
    assert "has ended" in failure(lambda: next(stream)).message


def test_a_picture_of_the_wrong_size_is_refused(start: Start) -> None:
    engine = start("wrong-size")
    key = ready(engine)
    assert "wrong size" in failure(lambda: list(engine.colorize(key, PALETTES))).message


def test_the_engines_own_words_are_passed_on(start: Start) -> None:
    error = failure(lambda: start("refuse").palettes("autumn"))
    assert error.message == "The engine will not do 'palettes' today."
    assert (error.hint, error.code) == ("", ErrorCode.USAGE)


def test_a_picture_that_the_engine_has_dropped_is_sent_again_when_set_again(start: Start) -> None:
    engine = start("forgetful")
    key = ready(engine)
    assert failure(lambda: list(engine.colorize(key, PALETTES))).code == ErrorCode.UNKNOWN_PICTURE
    assert ready(engine) == key
    assert engine.doctor()["received"] == 2 * len(GREY)


def test_a_job_without_news_times_out_though_pings_are_answered(start: Start) -> None:
    engine = start("busy")
    error = failure(lambda: engine.palettes("autumn", timeout=0.6), EngineTimeout)
    assert "(palettes)" in error.message


@pytest.mark.parametrize("mode", ["hang", "deaf"])
def test_an_engine_that_hangs_is_noticed(start: Start, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from t2c_plugin.engine import link  # pyright: ignore[reportMissingImports]

    engine = start(mode)
    engine.hello(90)
    monkeypatch.setattr(link, "SILENCE", 0.8)
    monkeypatch.setattr(link, "PING_EVERY", 0.2)
    failure(lambda: engine.set_picture(Pixels(bytes(9_000_000), 3000, 3000, "Y u8")), EngineTimeout)
    pid = engine.hello(90)["pid"]
    engine.close()
    assert gone(pid, 30)


def test_an_engine_that_was_left_alone_for_long_still_answers(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    from t2c_plugin.engine import link  # pyright: ignore[reportMissingImports]

    engine = start("good")
    engine.hello(90)
    monkeypatch.setattr(link, "SILENCE", 2.0)
    time.sleep(2.5)
    assert engine.palettes("autumn").palettes


def test_cancel_stops_the_job_and_the_engine_lives_on(start: Start) -> None:
    engine, taken = start("slow"), []

    def take() -> None:
        for index, *_ in engine.colorize(key, PALETTES * 50):
            taken.append(index)
            threading.Thread(target=engine.cancel).start()

    key = ready(engine)
    error = failure(take, EngineCancelled)
    assert error.code == ErrorCode.CANCELLED
    assert 1 <= len(taken) < 20
    assert engine.palettes("autumn").palettes


def test_leaving_early_cancels(start: Start) -> None:
    engine = start("slow")
    for index, *_ in engine.colorize(ready(engine), PALETTES * 50):
        assert index == 0
        break
    # the other 99 pictures would take 20 seconds, in which this fake answers nothing else
    assert engine.palettes("autumn", timeout=15).palettes


@pytest.mark.parametrize("mode", ["good", "stubborn", "deaf"])
def test_close_ends_the_engine(start: Start, mode: str) -> None:
    engine = start(mode)
    pid = engine.hello(90)["pid"]
    engine.close()
    assert gone(pid, 30)
    assert "closed" in failure(lambda: engine.palettes("autumn")).message
    engine.close()


def test_close_wakes_those_who_wait(start: Start) -> None:
    engine = start("busy")
    engine.hello(90)
    threading.Timer(0.3, engine.close).start()
    assert "closed" in failure(lambda: engine.palettes("autumn")).message


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_the_engine_ends_when_the_plug_in_is_killed() -> None:
    code = f"""
import sys, time
sys.path.insert(0, {str(plugin_path.PLUGIN)!r})
from t2c_plugin.engine.client import Engine
engine = Engine([sys.executable, {str(FAKE)!r}, "good"])
print(engine.hello(90)["pid"], flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as plug_in:
        assert plug_in.stdout is not None
        pid = int(plug_in.stdout.readline())
        plug_in.kill()
        assert gone(pid, 30)


def test_stderr_goes_to_the_log(start: Start, tmp_path: Path) -> None:
    log = tmp_path / "new" / "engine.log"
    engine = start("die", log)
    key = ready(engine)
    failure(lambda: list(engine.colorize(key, PALETTES)))
    engine.close()
    assert log.read_text().splitlines()[-1] == "about to die"


def test_the_client_needs_nothing_but_the_standard_library() -> None:
    code = f"""
import sys
sys.path.insert(0, {str(plugin_path.PLUGIN)!r})
before = set(sys.modules)
import t2c_plugin.engine.client
own = {{"t2c_plugin", "t2c_protocol"}}
foreign = {{name.split(".")[0] for name in set(sys.modules) - before}} - own - sys.stdlib_module_names
sys.exit(f"imports {{foreign}}" if foreign else 0)
"""
    run = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
