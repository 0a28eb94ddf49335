"""The rules of Linux, macOS and Windows for folders, commands, environments and processes, all on any system."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

import plugin_path  # noqa: F401  (makes `t2c_plugin` importable)
import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "install"))

from places import LONGEST_BELOW, Places, configurations  # pyright: ignore[reportMissingImports]
from t2c_plugin.shared import processes, settings  # pyright: ignore[reportMissingImports]

from install import InstallError, refuse_long_paths  # pyright: ignore[reportAttributeAccessIssue]

J = "J\xfcrgen Gro\xdf"
WINDOWS = Places(
    "win32",
    {"APPDATA": f"C:\\Users\\{J}\\AppData\\Roaming", "LOCALAPPDATA": f"C:\\Users\\{J}\\AppData\\Local"},
    PureWindowsPath(f"C:\\Users\\{J}"),
)
BARE_WINDOWS = Places("win32", {}, PureWindowsPath(f"C:\\Users\\{J}"))
MAC = Places("darwin", {"XDG_CONFIG_HOME": "/ignored"}, PurePosixPath(f"/Users/{J}"))
LINUX = Places("linux", {}, PurePosixPath("/home/me"))


@pytest.mark.parametrize(
    ("places", "data", "first_base"),
    [
        (WINDOWS, f"C:\\Users\\{J}\\AppData\\Local\\text2colors", f"C:\\Users\\{J}\\AppData\\Roaming\\GIMP"),
        (BARE_WINDOWS, f"C:\\Users\\{J}\\AppData\\Local\\text2colors", f"C:\\Users\\{J}\\AppData\\Roaming\\GIMP"),
        (MAC, f"/Users/{J}/Library/Application Support/text2colors", f"/Users/{J}/Library/Application Support/GIMP"),
        (LINUX, "/home/me/.local/share/text2colors", "/home/me/.config/GIMP"),
    ],
)
def test_folders_by_system(places: Places, data: str, first_base: str) -> None:
    assert str(places.data_folder()) == data
    assert str(places.gimp_bases()[0]) == first_base


def test_sandboxed_gimps_are_linuxs_only() -> None:
    assert len(LINUX.gimp_bases()) == 3 and len(WINDOWS.gimp_bases()) == len(MAC.gimp_bases()) == 1


@pytest.mark.parametrize(
    ("places", "folder", "python"),
    [
        (WINDOWS, PureWindowsPath("D:\\My Files\\venv"), "D:\\My Files\\venv\\Scripts\\python.exe"),
        (MAC, PurePosixPath("/x y/venv"), "/x y/venv/bin/python"),
        (LINUX, PurePosixPath("/x/venv"), "/x/venv/bin/python"),
    ],
)
def test_programs_of_a_virtual_environment(places: Places, folder: PurePath, python: str) -> None:
    assert str(places.python_of(folder)) == python
    assert str(places.program_of(folder, "t2c")) == python.replace("python", "t2c")


WORDS = st.lists(st.text("ab \\\"'\t\xfc", max_size=7), min_size=1, max_size=4)


@given(WORDS)
def test_windows_words_are_split_as_windows_does(words: list[str]) -> None:
    """list2cmdline is Python's side of what Windows' programs do."""
    assert list(settings.split_command(subprocess.list2cmdline(words), "win32")) == words


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (r"C:\t2c\t2c.exe engine", ["C:\\t2c\\t2c.exe", "engine"]),
        (r'"C:\Program Files\t2c.exe" engine', ["C:\\Program Files\\t2c.exe", "engine"]),
        (r"C:\Users\O'Neil\t2c.exe engine", ["C:\\Users\\O'Neil\\t2c.exe", "engine"]),
        (rf'"C:\Users\{J}\t2c.exe" engine --device cpu', [f"C:\\Users\\{J}\\t2c.exe", "engine", "--device", "cpu"]),
    ],
)
def test_commands_with_blanks_quotes_and_umlauts(command: str, words: list[str]) -> None:
    assert WINDOWS.words(command) == words


def test_an_open_quote_is_refused_on_every_system() -> None:
    for places in (WINDOWS, MAC, LINUX):
        with pytest.raises(ValueError, match="quotation"):
            places.words('"C:\\x')


def test_folders_too_deep_for_windows_are_refused_before_anything_is_made() -> None:
    fits = PureWindowsPath("C:\\Users\\me\\AppData\\Local\\text2colors\\venv")
    deep = PureWindowsPath("C:\\Users\\" + "m" * 60 + "\\AppData\\Local\\text2colors\\venv")
    assert WINDOWS.too_long(fits) == 0 and LINUX.too_long(deep) == 0
    longest = len(str(deep)) + len("\\Lib\\site-packages\\") + LONGEST_BELOW
    assert WINDOWS.too_long(deep) == longest - 259
    refuse_long_paths(WINDOWS, fits, allowed=False)
    refuse_long_paths(WINDOWS, deep, allowed=True)
    with pytest.raises(InstallError, match="LongPathsEnabled"):
        refuse_long_paths(WINDOWS, deep, allowed=False)


def test_no_file_of_torch_is_longer_than_the_check_allows() -> None:
    import torch

    packages = Path(torch.__file__).parents[1]
    found = (
        one for name in ("torch", "torch-*.dist-info") for folder in packages.glob(name) for one in folder.rglob("*")
    )
    assert max(len(str(one.relative_to(packages))) for one in found) <= LONGEST_BELOW


def test_both_kinds_of_gimp_are_found_with_their_versions(tmp_path: Path) -> None:
    base = tmp_path / ".config" / "GIMP"
    for name in ("2.8", "2.10", "3.0", "3.2", "4.0", "notes"):
        (base / name).mkdir(parents=True)
    found = configurations(Places(sys.platform, {"XDG_CONFIG_HOME": str(tmp_path / ".config")}, tmp_path))
    assert [(one.folder.name, one.legacy) for one in found] == [("2.10", True), ("3.0", False), ("3.2", False)]


def test_named_configurations_come_first_and_once(tmp_path: Path) -> None:
    environ = {
        "GIMP2_DIRECTORY": str(tmp_path / "old"),
        "GIMP3_DIRECTORY": str(tmp_path / "3.2"),
        "XDG_CONFIG_HOME": "/x",
    }
    found = configurations(Places(sys.platform, environ, tmp_path))
    assert [(one.folder, one.version) for one in found] == [(tmp_path / "3.2", "3.2"), (tmp_path / "old", "2.10")]


@pytest.mark.parametrize(("places", "name"), [(WINDOWS, "gimp-2.10.exe"), (LINUX, "gimp-console-2.10")])
def test_a_gimp_that_never_ran_is_known_by_its_program(places: Places, name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    from places import installed_versions  # pyright: ignore[reportMissingImports]

    separator = ";" if places.windows else ":"
    environ = {"PATH": separator.join(["nowhere", str(tmp_path)])}
    assert installed_versions(Places(places.system, environ, places.home)) == {"2.10"}


def test_no_console_window_on_windows_and_a_session_elsewhere() -> None:
    assert processes.popen_options(windows=True) == {"creationflags": 0x08000000}
    assert processes.popen_options(windows=False) == {"start_new_session": True}
    if os.name == "nt":
        assert processes.CREATE_NO_WINDOW == subprocess.CREATE_NO_WINDOW  # pyright: ignore[reportAttributeAccessIssue]


def test_variables_of_gimps_python_do_not_reach_the_engine() -> None:
    kept = processes.scrubbed_environment(
        {"PYTHONHOME": "x", "DYLD_LIBRARY_PATH": "y", "PATH": "z", "MYPYTHONPATH": "w"}
    )
    assert kept == {"PATH": "z", "MYPYTHONPATH": "w"}


def test_a_windows_pipe_stands_for_a_socket() -> None:
    place = settings.parse_place(r"\\.\pipe\text2colors", "a test", "win32")
    assert (place.socket, tuple(place.command)) == (r"\\.\pipe\text2colors", ())
