"""The engine that stays warm: one for all calls of a GIMP, another while it is busy, none after GIMP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import plugin_path
import pytest
from t2c_plugin.engine.client import Engine, EngineError  # pyright: ignore[reportMissingImports]

from tests.engine_helpers import command, gone

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows' Python knows no Unix sockets")

# stands for GIMP: it starts plug-ins one after the other, as many as lines come, and tells what they tell
GIMP = """
import subprocess, sys
for line in sys.stdin:
    print(subprocess.run([sys.executable, "-c", line], stdout=subprocess.PIPE, text=True, check=True).stdout, end="")
    sys.stdout.flush()
"""
PLUG_IN = f"""
import sys
sys.path.insert(0, {str(plugin_path.PLUGIN)!r})
from t2c_plugin.engine.client import Engine
with Engine() as engine:
    print(engine.hello(90)["pid"], len(engine.palettes("autumn", count=2).palettes), flush=True)
"""


@pytest.fixture
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's data folder, whose settings name an engine to keep."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.delenv("T2C_ENGINE", raising=False)
    folder = tmp_path / "text2colors"
    folder.mkdir()
    (folder / "engine.json").write_text(json.dumps({"command": command(), "keep": True}))
    return folder


@pytest.fixture
def gimp(data_folder: Path) -> Iterator[subprocess.Popen[str]]:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", GIMP], stdin=pipe, stdout=pipe, text=True) as process:
        yield process
        process.kill()


def call(gimp: subprocess.Popen[str]) -> tuple[int, int]:
    """What a plug-in of this GIMP is told: the engine's process number, and how many palettes it got."""
    assert gimp.stdin is not None and gimp.stdout is not None
    gimp.stdin.write(f"exec({PLUG_IN!r})\n")
    gimp.stdin.flush()
    pid, count = gimp.stdout.readline().split()
    return int(pid), int(count)


def test_calls_of_one_gimp_share_an_engine_which_ends_with_it(gimp: subprocess.Popen[str]) -> None:
    first, second = call(gimp), call(gimp)
    assert first == second and first[1] == 2
    assert not gone(first[0], 0.2)
    gimp.kill()
    gimp.wait()
    assert gone(first[0], 20)


def test_a_call_beside_another_gets_an_engine_of_its_own(data_folder: Path) -> None:
    with Engine() as kept:
        pid = kept.hello(90)["pid"]
        with Engine() as other:
            own = other.hello(90)["pid"]
            assert own != pid and len(other.palettes("autumn").palettes) == 5
        assert gone(own, 20)
    begun = time.monotonic()
    with Engine() as again:
        assert again.hello(90)["pid"] == pid and time.monotonic() - begun < 5
    os.kill(pid, 15)


@pytest.mark.parametrize(("words", "said"), [(["/no/such/program"], "cannot be started"), (["false"], "has ended")])
def test_an_engine_that_cannot_be_kept_is_an_error_in_words(data_folder: Path, words: list[str], said: str) -> None:
    (data_folder / "engine.json").write_text(json.dumps({"command": words, "keep": True}))
    with pytest.raises(EngineError, match=said), Engine() as engine:
        engine.hello(30)
