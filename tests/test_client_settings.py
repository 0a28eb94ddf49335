"""Where the client looks for the engine, and its hints."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import plugin_path  # noqa: F401  (makes `t2c_plugin` importable)
import pytest
from t2c_plugin.engine.client import Engine, EngineError  # pyright: ignore[reportMissingImports]
from t2c_plugin.engine.errors import find_hint  # pyright: ignore[reportMissingImports]
from t2c_plugin.engine.settings import (  # pyright: ignore[reportMissingImports]
    find_target,
    parse_target,
    read_settings,
    settings_files,
)


def failure(act: Callable[[], Any]) -> EngineError:
    with pytest.raises(EngineError) as caught:
        act()
    assert caught.value.message.endswith("."), "errors are sentences"
    return caught.value


@pytest.fixture
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder of the user, nothing on the PATH, nothing in the environment."""
    for name in ("XDG_DATA_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("T2C_ENGINE", raising=False)
    folder = settings_files()[0].parent
    folder.mkdir(parents=True)
    return folder


def test_the_data_folder_is_the_one_of_platformdirs() -> None:
    import platformdirs

    assert str(settings_files()[0].parent) == platformdirs.user_data_dir("text2colors", appauthor=False)


@pytest.mark.parametrize(
    ("content", "command", "socket"),
    [
        ({"command": ["/my files/t2c", "engine"]}, ("/my files/t2c", "engine"), ""),
        ({"command": "ssh gpubox 't2c' engine"}, ("ssh", "gpubox", "t2c", "engine"), ""),
        ({"command": "unix:/run/t2c/s"}, (), "/run/t2c/s"),
        ({"socket": "/run/t2c/s", "command": "t2c engine"}, (), "/run/t2c/s"),
    ],
)
def test_settings_name_a_command_or_a_socket(data_folder: Path, content: Any, command: Any, socket: str) -> None:
    (data_folder / "engine.json").write_text(json.dumps(content))
    target = find_target()
    assert (target.command, target.socket) == (command, socket)
    assert target.source == str(data_folder / "engine.json")


def test_the_environment_comes_before_the_settings(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (data_folder / "engine.json").write_text('{"command": ["a"]}')
    monkeypatch.setenv("T2C_ENGINE", "b c")
    assert find_target().command == ("b", "c")


def test_without_any_setting_the_user_is_told_to_install(data_folder: Path) -> None:
    error = failure(find_target)
    assert "not installed" in error.message and str(data_folder) in error.hint
    assert failure(lambda: Engine().hello(1)).message == error.message


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"command": 3}', '{"command": []}', '{"command": "\'"}', "\0"])
def test_unusable_settings_are_named(data_folder: Path, text: str) -> None:
    path = data_folder / "engine.json"
    path.write_text(text)
    error = failure(lambda: read_settings(path))
    assert str(path) in error.message and error.hint


def test_an_empty_command_is_an_error() -> None:
    assert "empty" in failure(lambda: parse_target([])).message


def test_no_engine_on_the_socket(tmp_path: Path) -> None:
    engine = Engine(f"unix:{tmp_path}/none.sock")
    error = failure(lambda: engine.hello(1))
    assert "none.sock" in error.message and "--listen" in error.hint


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("ModuleNotFoundError: No module named 'numpy'", "lacks a library"),
        ("python: No module named t2c_engine", "without text2colors"),
        ("me@gpubox: Permission denied (publickey,password).", "ssh key"),
        ("ssh: Could not resolve hostname gpubox", "cannot be reached"),
        ("bash: line 1: t2c: command not found", "engine command"),
        ("PermissionError: [Errno 13] Permission denied: '/x'", "may not be opened"),
        ("OSError: [WinError 126] The specified module could not be found", "Redistributable"),
        ("libtorch.so: version `GLIBC_2.38' not found", "another system"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("all is well", ""),
    ],
)
def test_hints(text: str, hint: str) -> None:
    found = find_hint(text)
    assert hint in found and bool(hint) == bool(found)
