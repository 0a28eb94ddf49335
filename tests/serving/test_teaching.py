"""A style taught for an editor: the trainer's process is followed, stopped, and its sentences come back."""

import subprocess
import time

import pytest

from t2c_engine.errors import UsageError
from t2c_engine.serving.service import CancelledError, Job, Service

PALETTES = [{"text": f"harbour {index}", "colors": [f"#{index * 9:02x}4060", "#eef4ed"]} for index in range(4)]


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))


def job(told: list[float], stop_after: int = 10**9, **params: object) -> Job:
    def notify(method: str, values: object, blob: object) -> None:
        told.append(time.monotonic())

    return Job({"name": "studio", "palettes": PALETTES, **params}, b"", notify, lambda: len(told) >= stop_after)


def test_what_the_trainer_says_comes_back_as_a_sentence():
    told: list[float] = []
    with pytest.raises(UsageError, match="holds 4 usable palettes") as error:
        Service().teach(job(told))
    assert told and "\n" not in str(error.value)


def test_stop_ends_the_trainer_at_once(monkeypatch):
    started: list[subprocess.Popen] = []
    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: started.append(popen(*a, **k)) or started[-1])
    with pytest.raises(CancelledError):
        Service().teach(job([], stop_after=2))
    assert len(started) == 1 and started[0].poll() is not None, "no process is left"


@pytest.mark.parametrize(
    "params",
    [
        {"name": "../x"},
        {"name": 3},
        {"palettes": []},
        {"palettes": [{"text": "a"}]},
        {"palettes": [{"text": "a", "colors": ["no color"]}]},
        {"palettes": "all"},
    ],
)
def test_what_cannot_be_taught_is_refused_before_anything_starts(params):
    with pytest.raises(UsageError):
        Service().teach(job([], **params))
