"""What a program reads of `t2c batch --progress json`, to the end, to an error, and to a stop from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from t2c_engine.albums import executors, worker
from t2c_engine.albums.journal import Journal
from t2c_engine.albums.run import Means
from tests.command_line import HEX, lines, photo, t2c
from tests.inline_executor import Inline

ROOT = Path(__file__).parents[2]
COMMAND = ["batch", "scans", "-o", "out", "--palette", HEX, "--progress", "json"]


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch, fake_networks: None) -> None:
    """No worker processes."""
    monkeypatch.setattr(worker, "_colorizers", {})
    monkeypatch.setattr(executors, "local_means", lambda job: nullcontext(Means(Inline, 2, 1 << 30)))


@pytest.mark.usefixtures("inline")
def test_events_tell_the_start_every_picture_and_the_end():
    photo("scans/a.png")
    Path("scans/b.png").write_bytes(b"no picture")
    photo("scans/c.png")
    start, *pictures, end = lines(t2c(*COMMAND, code=1).stdout)
    assert start == {
        "event": "start", "output": "out", "pictures": 3, "done": 0, "failed": 0, "other_processes": 0,
    }  # fmt: skip
    assert [(one["event"], one["number"], one["pictures"]) for one in pictures] == [
        ("picture", 1, 3), ("picture", 2, 3), ("picture", 3, 3),
    ]  # fmt: skip
    by_input = {Path(one["input"]).name: one for one in pictures}
    assert by_input["a.png"]["results"][0]["path"] == os.path.join("out", "a-1.png")
    assert "b.png" in by_input["b.png"]["error"] and pictures[-1]["failed"] == 1
    assert end == {"event": "end", "stopped": False, "waiting": 0, "running": 0, "done": 2, "failed": 1}
    again = lines(t2c(*COMMAND, code=1).stdout)
    assert [one["event"] for one in again] == ["start", "end"] and again[0]["done"] == 2


@pytest.mark.usefixtures("inline")
def test_what_ends_a_run_is_an_event_and_a_sentence():
    Path("scans").mkdir()
    result = t2c(*COMMAND, code=2)
    (event,) = lines(result.stdout)
    assert event["event"] == "error" and event["error"] in " ".join(result.stderr.split())
    assert "one of --json" in t2c(*COMMAND, "--json", code=2).stderr


@pytest.mark.slow
def test_a_stop_from_outside_finishes_what_is_in_work_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for index in range(40):
        photo(f"scans/{index:02}.jpg", (900, 600))
    command = [sys.executable, "-m", "t2c_engine", *COMMAND, "--workers", "2"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    before = [process.stdout.readline() for _ in range(3)]
    process.send_signal(signal.SIGTERM)
    rest, errors = process.communicate(timeout=60)
    events = lines("".join(before) + rest)
    assert process.returncode == 130 and "Interrupted" in errors and "Traceback" not in errors
    end = events[-1]
    assert end["event"] == "end" and end["stopped"] and end["failed"] == 0
    made = sorted(path.name for path in Path("out").rglob("*") if path.is_file())
    assert not [name for name in made if name.endswith(".part")]
    assert 2 <= end["done"] == len([name for name in made if name.endswith("-1.jpg")]) < 40
    with Journal(Path("out"), create=False) as journal:
        counts = journal.counts()
    assert counts["waiting"] == 40 - end["done"] and counts["running"] == 0
