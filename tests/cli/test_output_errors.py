"""Places that cannot be written or read: every command says which, why and what to do, in words and not in numbers."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import typer
from PIL import Image
from typer.testing import CliRunner

from t2c_engine.cli.main import app
from t2c_engine.errors import OutputError
from t2c_engine.files import building, explain, replacing
from tests import fakes
from tests.album_jobs import inline  # noqa: F401
from tests.command_line import HEX, photo, t2c
from trainer.cli import app as trainer_app
from trainer.common.checkpoints import CHECKPOINT, save_checkpoint

resource: Any = pytest.importorskip("resource")  # limits of processes, which Windows has not
LONG = "n" * 300
# a folder that no one can make, a file where a folder must be, below a file, a name too long for the file system
PLACES = ("/proc/y", "file", "file/below", LONG)
T2C = (
    ("colorize", "scans", "--palette", HEX, "-o", "{}"),
    ("batch", "scans", "--palette", HEX, "-o", "{}"),
    ("batch", "done", "--choices", "choices.json", "-o", "{}"),
    ("palette", "sea", "-o", "{}/sea.gpl"),
    ("palette", "sea", "-o", "{}/sea.png"),
    ("models", "export", "tonings", "-o", "{}/x.safetensors"),
    ("again", "done", "-o", "{}"),
)
TRAINER = (
    ("palettes", "data", "-o", "{}"),
    ("style", "palettes.csv", "--name", "mine", "-o", "{}", "--check-only"),
    ("photographs", "scans", "--name", "mine", "-o", "{}", "--check-only"),
    ("report", "{}"),
    ("evaluate", "data", "--only", "palettes", "-o", "{}/figures.json"),
    ("study", "data", "{}", "--pairs", "pairs.csv"),
    ("export-palettes", "run", "--into", "{}"),
    ("exemplar", "scans", "-o", "{}"),
    ("diverse", "scans", "-o", "{}"),
)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files in the working folder that the commands read, and fake networks beside the shipped models."""
    fakes.use(monkeypatch)
    monkeypatch.chdir(tmp_path)
    photo("scans/a.png")
    Path("file").touch()
    Path("choices.json").write_text('{"pictures": [{"name": "a.png", "state": "accepted", "choice": "a-1.png"}]}')
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 120), np.uint8)).save("noise.png")
    t2c("batch", "scans", "-o", "done", "--palette", HEX)
    Path("palettes.csv").write_text(f"text,palette\nsea,{HEX.replace(',', ' ')}\n")
    Path("pairs.csv").write_text(f"text,hex\nsea,{HEX.replace(',', ' ')}\n")


def check_sentence(command: tuple[str, ...], program: typer.Typer) -> str:
    result = CliRunner().invoke(program, [*command])
    assert result.exit_code in (1, 2) and isinstance(result.exception, SystemExit), (command, result.exception)
    assert re.search(r"\w[.)]$", result.stderr.strip()) and "Errno" not in result.stderr, (command, result.stderr)
    return result.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
@pytest.mark.parametrize("place", PLACES, ids=("proc", "file", "below", "long"))
@pytest.mark.parametrize("command", [*T2C, *TRAINER], ids=lambda one: "-".join(one[:2]))
def test_places_that_cannot_be_written_are_said(command: tuple[str, ...], place: str, folders: None):
    program = app if command in T2C else trainer_app
    said = check_sentence(tuple(word.format(place) for word in command), program)
    assert place in said.replace("\n", ""), said


@contextmanager
def full_disk(free: int = 0) -> Iterator[None]:
    """No file may become larger than `free` bytes: writing fails as on a disk without room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    "command",
    [
        ("colorize", "noise.png", "--palette", HEX),
        ("batch", "scans", "--palette", HEX, "-o", "new"),
        ("batch", "done", "--choices", "choices.json", "-o", "chosen"),
        ("palette", "sea", "-o", "sea.png"),
        ("models", "export", "tonings"),
        ("review", "done"),
    ],
    ids=lambda one: one[0],
)
def test_a_full_disk_is_said_and_leaves_nothing_half_written(command: tuple[str, ...], folders: None):
    before = {path for path in Path().rglob("*") if path.is_file()}
    with full_disk(100):
        check_sentence(command, app)
    left = {path for path in Path().rglob("*") if path.is_file() and path.stat().st_size} - before
    assert not left, left


def test_a_checkpoint_and_a_cache_stay_whole_on_a_full_disk(tmp_path: Path):
    save_checkpoint(tmp_path, {"step": torch.ones(5)})
    with full_disk(200), pytest.raises(OutputError, match=r"checkpoint\.pt cannot be written"):
        save_checkpoint(tmp_path, {"step": torch.ones(5000)})
    assert torch.load(tmp_path / CHECKPOINT)["step"].numel() == 5
    with (
        full_disk(200),
        pytest.raises(OutputError, match="cache cannot be written"),
        building(tmp_path / "cache") as new,
    ):
        np.save(new / "ab.npy", np.zeros(5000))
    assert os.listdir(tmp_path) == [CHECKPOINT]


def test_a_folder_that_another_process_made_first_stays(tmp_path: Path):
    with building(tmp_path / "cache") as new:
        (new / "a").write_bytes(b"ours")
        (tmp_path / "cache").mkdir()
        (tmp_path / "cache/a").write_bytes(b"theirs")
    assert (tmp_path / "cache/a").read_bytes() == b"theirs" and os.listdir(tmp_path) == ["cache"]


def test_a_file_is_replaced_only_by_a_whole_one(tmp_path: Path):
    with replacing(tmp_path / "new/a") as stream:
        stream.write(b"one")
    with pytest.raises(ValueError), replacing(tmp_path / "new/a") as stream:
        stream.write(b"tw")
        raise ValueError
    assert (tmp_path / "new/a").read_bytes() == b"one" and os.listdir(tmp_path / "new") == ["a"]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "No space left on device); free some space"),
        (errno.EROFS, "Read-only file system); choose another folder"),
        (errno.EACCES, "Permission denied); check its permissions"),
        (errno.ENAMETOOLONG, "the name is too long); shorten it"),
        (errno.ENOTDIR, "a file is where a folder must be); choose another folder"),
        (errno.EISDIR, "it is a folder); give the name of a file"),
        (errno.EIO, f"{os.strerror(errno.EIO)}); check it, or choose another folder"),
    ],
)
def test_errors_of_the_system_are_sentences(number: int, words: str):
    assert explain(OSError(number, os.strerror(number), "a/b")).startswith(f"a/b cannot be used ({words}")


def test_what_no_command_expects_is_a_sentence_too(folders: None, monkeypatch: pytest.MonkeyPatch):
    def broken(*given: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "weights.safetensors")

    monkeypatch.setattr("t2c_engine.model_store.installed", broken)
    said = t2c("models", "export", "tonings", code=1).stderr
    assert said.startswith("t2c: weights.safetensors cannot be used (Permission denied); check its permissions")
