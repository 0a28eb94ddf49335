"""The start of `t2c` as a process: Ctrl-C at any moment, little memory, closed and full outputs, no home, --version."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits, signals and /dev/full as on Linux")
ROOT = Path(__file__).parents[2]
T2C = [sys.executable, "-m", "t2c_engine"]


def t2c(
    *words: str, limit: int | None = None, environment: Mapping[str, str] | None = None, **streams: Any
) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own; `limit`: kB of address space."""
    command: Sequence[str] = [*T2C, *words]
    if limit:
        command = ["bash", "-c", f'ulimit -v {limit}; exec "$0" "$@"', *command]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
    return subprocess.run(command, cwd=ROOT, env=environment, text=True, timeout=120, **streams)


def test_version_names_torch_and_device_and_does_not_import_torch() -> None:
    for option in ("--version", "-V"):
        started = time.monotonic()
        lines = t2c(option).stdout.splitlines()
        assert [line.split()[0] for line in lines] == ["text2colors", "Python", "torch"]
        assert lines[2].split()[-2:-1] == ["device"] and lines[2].split()[-1] in ("cpu", "cuda", "mps")
        assert time.monotonic() - started < 10
    code = (
        "import sys; from typer.testing import CliRunner; from t2c_engine.cli.main import app; "
        "CliRunner().invoke(app, ['--version']); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60).returncode == 0


def test_short_help_and_completion() -> None:
    assert "Usage: t2c" in t2c("-h").stdout and "Usage: t2c palette" in t2c("palette", "-h").stdout
    named = {**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}  # there may be no shell above the tests
    assert "_t2c_completion" in t2c("--show-completion", "bash", environment=named).stdout
    asked = {**os.environ, "_T2C_COMPLETE": "complete_bash", "COMP_WORDS": "t2c pal", "COMP_CWORD": "1"}
    assert t2c(environment=asked).stdout.split() == ["palette"]


@pytest.mark.parametrize("delay", [0.0, 0.1, 0.25])
def test_ctrl_c_at_any_moment_of_the_start_is_one_sentence(delay: float) -> None:
    """From the moment our first line runs, which standard error tells: Python's own start is not ours."""
    code = "import sys, os; os.write(2, b'+'); from t2c_engine.__main__ import main; sys.argv[0] = 't2c'; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "palette", "--file", "-"], cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None and process.stderr.read(1) == "+"
    time.sleep(0.02 + delay)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.startswith("t2c: Interrupted") and len(errors.splitlines()) == 1 and not output


@pytest.mark.parametrize("limit", [150_000, 600_000])
def test_little_memory_is_one_sentence(limit: int, tmp_path: Path) -> None:
    picture = tmp_path / "p.png"
    from PIL import Image

    Image.new("L", (8, 8), 90).save(picture)
    run = t2c("colorize", str(picture), "--auto", "-o", str(tmp_path / "o"), limit=limit)
    assert "Traceback" not in run.stderr and run.returncode == 1
    assert "emory" in run.stderr and len(run.stderr.splitlines()) == 1


@pytest.mark.parametrize("words", [("palette", "rust", "-n", "40"), ("--help",)])
def test_closed_and_full_outputs(words: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        run = t2c(*words, stdout=writing)
    finally:
        os.close(writing)
    assert run.returncode == 1 and not run.stderr
    with open("/dev/full", "w") as full:
        run = t2c(*words, stdout=full)
        assert run.returncode == 1 and run.stderr.startswith("t2c: The output cannot be written (No space left")
        assert len(run.stderr.splitlines()) == 1
        assert t2c("palette", "xqzzt", "-n", "1", stderr=full).returncode == 0  # a note that nobody hears


def test_closed_standard_streams() -> None:
    for closing in (">&-", "2>&-", "<&-"):
        run = subprocess.run(["bash", "-c", f'"$0" "$@" {closing}', *T2C, "palette", "rust", "-n", "1"], cwd=ROOT,
                             capture_output=True, text=True, timeout=60)  # fmt: skip
        assert run.returncode == 0 and not run.stderr


def test_a_home_that_cannot_be_written_or_is_not_there(tmp_path: Path) -> None:
    for home in (str(tmp_path / "none"), "/proc"):
        environment = {"PATH": os.environ["PATH"], "HOME": home, "TMPDIR": str(tmp_path)}
        run = t2c("palette", "rust", "-n", "1", environment=environment)
        assert run.returncode == 0 and not run.stderr


def test_a_user_without_any_home(monkeypatch: pytest.MonkeyPatch) -> None:
    from t2c_engine import models
    from t2c_engine.errors import ModelError

    def nowhere(*_: object, **__: object) -> str:
        raise RuntimeError("could not determine the home directory")  # platformdirs', for a user of no name

    monkeypatch.setattr(models, "user_data_dir", nowhere)
    monkeypatch.setenv("T2C_MODELS", "~nobody-of-that-name/models")
    assert models.find_model("palette").name and len(models.model_folders()) == 2
    with pytest.raises(ModelError, match="HOME"):
        models.user_folder()
