"""Folders handed to the engine's program by the plug-in: arguments, events, Stop, errors; without a GIMP."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import plugin_path  # noqa: F401  (makes `t2c_plugin` importable)
import pytest
from hypothesis import given
from hypothesis import strategies as st
from t2c_plugin import files  # pyright: ignore[reportMissingImports]
from t2c_plugin.engine.errors import EngineError  # pyright: ignore[reportMissingImports]
from t2c_plugin.request import RequestError  # pyright: ignore[reportMissingImports]

FAKE = Path(__file__).with_name("fake_t2c.py")
events = st.dictionaries(
    st.sampled_from(["event", "pictures", "done", "number", "input", "error", "stopped"]),
    st.sampled_from(["start", "picture", "end", "later", 3, 0, None, True, "a.png"]),
)


@pytest.fixture(autouse=True)
def _fake_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("T2C_ENGINE", shlex.join([sys.executable, str(FAKE), "engine"]))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def folder(parent: Path, *names: str, name: str = "scans") -> str:
    made = parent / name
    made.mkdir()
    for one in names:
        (made / one).write_bytes(b"")
    return str(made)


def test_a_folder_is_colored_and_failures_are_named(tmp_path: Path) -> None:
    job = files.FilesJob((folder(tmp_path, "a.png", "b-broken.png", "c.png"),), str(tmp_path / "out"), "autumn")
    steps = list(files.Run(job).progress())
    assert [one.finished for one in steps] == [0, 1, 2, 3, 3] and steps[-1].ended and not steps[-1].stopped
    report = files.report(steps[-1], job.output)
    assert "2 of 3 pictures colored; 1 could not be colored." in report and "b-broken.png is no picture" in report
    assert files.run_and_report(job).startswith("0 of 1 pictures colored, 2 before; 1 could not")
    assert files.make_review(job.output).is_file()


def test_a_stopped_job_goes_on_when_given_again(tmp_path: Path) -> None:
    job = files.FilesJob((folder(tmp_path, *"abcdefghij", name="slow"),), str(tmp_path / "out"), "autumn")
    run = files.Run(job)
    steps = []
    for progress in run.progress():
        steps.append(progress)
        if progress.finished == 2:
            run.stop()
    assert steps[-1].stopped and 2 <= steps[-1].finished < 10 and "Stopped" in files.report(steps[-1], job.output)
    (last,) = [one for one in files.Run(job).progress() if one.ended]
    assert last.finished + last.done_before == 10 and not last.stopped


def test_the_program_is_told_all_that_was_asked_for(tmp_path: Path) -> None:
    scans = folder(tmp_path, "a.png")
    job = files.FilesJob(
        (scans,), str(tmp_path / "out"), " autumn ", "sidecar", "folder", 3, 7, 0.5, 0.25, "ora", "cpu"
    )
    files.run_and_report(job)
    words = json.loads((tmp_path / "out" / "words.json").read_text("utf-8"))
    assert words == [
        *(scans, "-o", str(tmp_path / "out"), "--progress", "json", "--captions", "sidecar", "--phrase", "autumn"),
        *("--palette-per", "folder", "--count", "3", "--seed", "7", "--strength", "0.5", "--natural", "0.25"),
        *("--format", "ora", "--device", "cpu"),
    ]
    automatic = files.FilesJob((scans,), "out", natural=0.5).words()
    assert "--auto" in automatic and "--natural" not in automatic, "it is of palettes alone"


def test_the_real_program_knows_these_arguments() -> None:
    from typer.testing import CliRunner

    from t2c_engine.cli.main import app

    known = CliRunner().invoke(app, ["batch", "--help"], terminal_width=200).output
    job = files.FilesJob(("scans",), "out", "autumn", "sidecar")
    for word in {*job.words(), *files.FilesJob(("scans",), "out").words()}:
        assert not word.startswith("--") or word in known


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"inputs": ()}, "choose a folder with pictures"),
        ({"output": " "}, "choose an output folder"),
        ({"count": 0}, "number of palettes is 0"),
        ({"strength": 3.0}, "strength is 3.0"),
        ({"format": "gif"}, "format 'gif' is unknown"),
        ({"scope": "year"}, "draw of palettes per 'year' is unknown"),
        ({"device": "gpu9"}, "device 'gpu9' is unknown"),
    ],
)
def test_a_job_that_cannot_be_is_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(RequestError, match=words):
        files.FilesJob(**{"inputs": ("a",), "output": "b", **values})


@pytest.mark.parametrize("engine", ["ssh gpubox t2c engine", "unix:/nowhere", "/opt/own-engine --fast"])
def test_an_engine_elsewhere_cannot_color_files(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T2C_ENGINE", engine)
    with pytest.raises(EngineError, match="colored by an engine of this machine"):
        files.run_and_report(files.FilesJob(("a",), "b"))


def test_what_ends_the_program_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = files.FilesJob((str(tmp_path / "nowhere"),), str(tmp_path / "out"))
    with pytest.raises(EngineError, match="there is no such file"):
        files.run_and_report(job)
    monkeypatch.setenv("T2C_ENGINE", shlex.join([sys.executable, "-c", "print('torch is missing'); 1/0", "engine"]))
    with pytest.raises(EngineError, match=r"has ended \(exit code 1\): torch is missing"):
        files.run_and_report(job)
    monkeypatch.setenv("T2C_ENGINE", "/nowhere/t2c engine")
    with pytest.raises(EngineError, match="cannot be started"):
        files.run_and_report(job)


@given(st.lists(events, max_size=8))
def test_no_event_breaks_the_count(told: list[dict[str, Any]]) -> None:
    now = files.Progress()
    try:
        for event in told:
            now = now.after(event)
    except (EngineError, ValueError):
        return
    assert now.in_words()
