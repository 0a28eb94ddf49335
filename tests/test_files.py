"""Writing whole files or none."""

import os
from pathlib import Path

import pytest

from t2c_engine.errors import ExistsError, OutputError
from t2c_engine.files import write_file, write_files


def test_a_file_is_written_into_a_new_folder_with_the_usual_rights(tmp_path):
    write_file(tmp_path / "new/deep/a.txt", b"one")
    assert (tmp_path / "new/deep/a.txt").read_bytes() == b"one"
    usual = tmp_path / "usual"
    usual.touch()
    assert (tmp_path / "new/deep/a.txt").stat().st_mode == usual.stat().st_mode


def test_an_existing_file_is_kept_unless_told(tmp_path):
    path = tmp_path / "a.txt"
    write_file(path, b"one")
    with pytest.raises(OutputError, match="--overwrite"):
        write_file(path, b"two")
    assert path.read_bytes() == b"one"
    write_file(path, b"two", overwrite=True)
    assert path.read_bytes() == b"two"
    with pytest.raises(OutputError, match="folder"):
        write_file(tmp_path, b"", overwrite=True)


def test_nothing_is_put_in_place_when_one_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        write_files({tmp_path / "a": b"1", tmp_path / "file/b": b"2"})
    real = os.fdopen

    def full(handle: int, mode: str):
        if Path(f"/dev/fd/{handle}").resolve().name.startswith(".b."):
            os.close(handle)
            raise OSError(28, "No space left on device")
        return real(handle, mode)

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(OutputError, match="No space left"):
        write_files({tmp_path / "a": b"1", tmp_path / "b": b"2"})
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_appears_meanwhile_is_kept(links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "a.txt"
    real = os.fdopen

    def overtaken(handle: int, mode: str):
        path.write_bytes(b"theirs")
        return real(handle, mode)

    monkeypatch.setattr(os, "fdopen", overtaken)
    if not links:
        monkeypatch.setattr(os, "link", lambda *names: (_ for _ in ()).throw(PermissionError(1, "no links")))
    with pytest.raises(ExistsError, match="exists and is kept"):
        write_file(path, b"ours")
    assert path.read_bytes() == b"theirs" and os.listdir(tmp_path) == ["a.txt"]
    monkeypatch.undo()
    if not links:
        monkeypatch.setattr(os, "link", lambda *names: (_ for _ in ()).throw(PermissionError(1, "no links")))
    write_file(tmp_path / "b.txt", b"ours")
    assert (tmp_path / "b.txt").read_bytes() == b"ours"


@pytest.mark.parametrize("letter", ["n", "漢", "🍂"])
def test_names_that_are_too_long_are_said_and_the_longest_work(letter: str, tmp_path: Path):
    longest = letter * (250 // len(letter.encode()))
    write_file(tmp_path / f"{longest}.txt", b"x")
    with pytest.raises(OutputError, match=r"too long\); shorten it"):
        write_file(tmp_path / f"{longest}{letter * 3}.txt", b"x")
