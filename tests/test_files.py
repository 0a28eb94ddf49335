"""Writing whole files or none."""

import os
from pathlib import Path

import pytest

from t2c_engine.errors import OutputError
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
