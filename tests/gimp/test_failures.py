"""When the engine is missing, dies, hangs, or the plug-in itself is killed: words, no half layers, GIMP alive."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import Any

import pytest
from gui import PATIENCE, wait_for
from host import Host, Outcome, end, processes_below

ATTEMPT = """
    image, layer = new_image()
    say(**attempt(image, [layer], phrase="autumn breeze", count=20))
    say(alive=Gimp.Image.new(4, 4, Gimp.ImageBaseType.RGB).is_valid(), coloured=image.get_base_type().value_nick)
"""
SLOW = 4.0  # seconds that the fake engine takes in its mode "slow" for 20 palettes


def start(host: Host, mode: str) -> tuple[subprocess.Popen[str], int, int]:
    """A GIMP whose plug-in has work for some seconds; the numbers of the plug-in's process and the engine's."""
    process = host.start_batch(ATTEMPT, host.fake_engine(mode))

    def find(text: str) -> int:
        found = (number for number, words in processes_below(process.pid).items() if text in words and "-gimp" in words)
        return next(found, 0)

    def engine() -> int:
        below = processes_below(process.pid)
        return next((number for number, words in below.items() if words.rstrip().endswith(f"fake_engine.py {mode}")), 0)

    pid = wait_for(engine, "the engine's start")
    plug_in = find("text2colors.py")
    assert plug_in, "the plug-in's process is not found"
    return process, plug_in, pid


def finish(process: subprocess.Popen[str]) -> Outcome:
    try:
        text, _ = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        raise AssertionError(f"GIMP did not end; it said:\n{end(process)[-3000:]}") from None
    return Outcome(process.returncode, text)


def is_running(number: int) -> bool:
    try:
        with open(f"/proc/{number}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_missing_engine_ends_the_batch_with_64_and_a_sentence(host: Host) -> None:
    outcome = host.batch('image, layer = new_image()\ncall(image, [layer], phrase="autumn breeze")')
    assert outcome.code == 64
    assert "The Text2Colors engine is not installed, or this GIMP cannot see it." in outcome.text


def test_a_wrong_engine_command_is_named(host: Host) -> None:
    outcome = host.batch(ATTEMPT, "/no/such/program engine")
    assert outcome.code == 0
    facts = outcome.facts
    assert facts["error"].count("/no/such/program") == 1 and "T2C_ENGINE" in facts["error"]
    assert "the settings" not in facts["error"], "they are nowhere"
    assert facts["layers"] == 1 and facts["base"] == "gray"


def test_an_engine_killed_in_the_middle_leaves_no_layers(host: Host) -> None:
    process, _, engine = start(host, "slow")
    time.sleep(1.0)
    os.kill(engine, signal.SIGKILL)
    outcome = finish(process)
    assert outcome.code == 0, outcome.text[-2000:]
    facts = outcome.facts
    assert "engine has ended" in facts["error"]
    assert facts["layers"] == 1 and facts["coloured"] == "gray" and facts["alive"]


def test_a_plug_in_killed_in_the_middle_takes_the_engine_with_it(host: Host) -> None:
    process, plug_in, engine = start(host, "slow")
    assert is_running(engine)
    os.kill(plug_in, signal.SIGKILL)
    wait_for(lambda: not is_running(engine), "the engine's end")
    outcome = finish(process)
    facts = outcome.facts
    assert outcome.code == 0 and facts["layers"] == 1 and facts["coloured"] == "gray" and facts["alive"]


def test_an_engine_that_hangs_is_reported_in_time(host: Host) -> None:
    outcome = host.batch(ATTEMPT, host.fake_engine("hang"))
    assert outcome.code == 0
    facts = outcome.facts
    assert "has not answered for" in facts["error"]
    assert facts["layers"] == 1 and facts["coloured"] == "gray"


WRONG = {
    "crash": "ended before it said hello",
    "old": "another language version",
    "wrong-size": "wrong size",
    "refuse": "will not do",
    "junk": "cannot be understood",
}


@pytest.fixture(scope="module")
def wrong(host: Host) -> dict[str, Any]:
    """One GIMP that meets several engines, one after the other, by the settings file in the user's data folder."""
    commands = {mode: {"command": host.fake_engine(mode)} for mode in WRONG} | {"bad": {"command": ""}}
    outcome = host.batch(
        f"""
        import os
        os.makedirs("/share/data/text2colors", exist_ok=True)
        for mode, settings in {commands!r}.items():
            with open("/share/data/text2colors/engine.json", "w") as file:
                json.dump(settings, file)
            image, layer = new_image()
            say(**{{mode: attempt(image, [layer], phrase="autumn breeze")}})
        os.remove("/share/data/text2colors/engine.json")
        """
    )
    assert outcome.code == 0, outcome.text[-3000:]
    return outcome.facts


@pytest.mark.parametrize("mode", WRONG)
def test_what_the_engine_does_wrong_is_said(wrong: dict[str, Any], mode: str) -> None:
    assert WRONG[mode] in wrong[mode]["error"]
    assert wrong[mode]["layers"] == 1 and wrong[mode]["base"] == "gray"


def test_a_bad_settings_file_is_named(wrong: dict[str, Any]) -> None:
    assert "engine.json is empty" in wrong["bad"]["error"]


def test_the_set_up_check_says_what_is_wrong_and_right(host: Host) -> None:
    script = """
        check = Gimp.get_pdb().lookup_procedure("plug-in-text2colors-check")
        config = check.create_config()
        config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
        say(report=check.run(config).index(1))
    """
    assert "is not installed" in host.batch(script).facts["report"]
    report = host.batch(script, host.fake_engine("good")).facts["report"]
    assert "The engine answers; version fake" in report and "fake_engine.py good" in report
