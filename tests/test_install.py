"""The installer's own part: where GIMP's folders are, what is copied, what --uninstall leaves. No download, no GIMP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROTOCOL = "t2c_plugin/t2c_protocol.py"
ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the folders are named as on Linux")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for version in ("3.0", "3.2", "2.10"):
        (tmp_path / ".config" / "GIMP" / version).mkdir(parents=True)
    return tmp_path


def install(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin", **variables}
    command = [sys.executable, str(ROOT / "install" / "install.py"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, cwd=home)


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_plug_in_goes_into_every_gimp_3(home: Path) -> None:
    run = install(home, "--plugin-only", "--engine", "ssh gpubox t2c engine")
    assert run.returncode == 0, run.stdout + run.stderr
    for version in ("3.0", "3.2"):
        folder = home / ".config" / "GIMP" / version / "plug-ins" / "text2colors"
        assert os.access(folder / "text2colors.py", os.X_OK)
        assert {"t2c_plugin/engine/client.py", "t2c_plugin/ui/dialog.py", "t2c_plugin/locale/de.po", PROTOCOL} <= files(
            folder
        )
        assert (folder / PROTOCOL).read_bytes() == (ROOT / "t2c_engine" / "serving" / "protocol.py").read_bytes()
    settings = json.loads((home / ".local" / "share" / "text2colors" / "engine.json").read_text())
    assert settings == {"command": ["ssh", "gpubox", "t2c", "engine"]}


def test_gimp_210_gets_the_plug_in_of_its_own(home: Path) -> None:
    flatpak = home / ".var" / "app" / "org.gimp.GIMP" / "config" / "GIMP" / "2.10"
    flatpak.mkdir(parents=True)
    run = install(home, "--plugin-only")
    assert run.returncode == 0 and run.stdout.count("sandbox") == 1
    for configuration in (home / ".config" / "GIMP" / "2.10", flatpak):
        folder = configuration / "plug-ins" / "text2colors"
        assert os.access(folder / "text2colors.py", os.X_OK)
        assert {"t2c_legacy/engine.py", "t2c_plugin/shared/settings.py"} <= files(folder)
        assert "gimpfu.register" in (folder / "text2colors.py").read_text()
        assert not [one for one in files(folder) if one.startswith(("t2c_plugin/ui", "t2c_protocol"))]
    assert install(home, "--uninstall").returncode == 0
    assert not list(home.rglob("text2colors"))


@pytest.mark.parametrize("legacy", [False, True])
def test_the_archive_unpacks_to_what_the_installer_copies(legacy: bool, tmp_path: Path) -> None:
    sys.path.insert(0, str(ROOT / "install"))
    import plugin_files  # pyright: ignore[reportMissingImports]

    plugin_files.write_zip(tmp_path / "plugin.zip", legacy)
    with zipfile.ZipFile(tmp_path / "plugin.zip") as archive:
        modes = {one.filename: one.external_attr >> 16 for one in archive.infolist()}
        archive.extractall(tmp_path / "unpacked")
    assert modes["text2colors/text2colors.py"] & 0o777 == 0o755
    copied = plugin_files.copy_plugin(tmp_path / "gimp", legacy=legacy)
    assert files(tmp_path / "unpacked" / "text2colors") == files(copied)
    assert [one.name for one in tmp_path.iterdir() if one.suffix == ".part"] == []


def test_an_unmatched_quote_in_the_engine_command_is_said_in_words(home: Path) -> None:
    run = install(home, "--plugin-only", "--engine", "'x engine")
    assert run.returncode == 1 and "check its quotes" in run.stdout + run.stderr


@pytest.mark.parametrize(("there", "words"), [("is there", "GIMP sees it"), ("is missing", "Python-Fu")])
def test_gimp_210_is_asked_whether_it_sees_the_plug_in(there: str, words: str, home: Path) -> None:
    program = home / "bin" / "gimp-console-2.10"
    program.parent.mkdir()
    asked = home / "asked"
    program.write_text(f'#!/bin/sh\necho "$GIMP2_DIRECTORY $@" > {asked}\necho "text2colors {there}" >&2\n')
    program.chmod(0o755)
    run = install(home, "--plugin-only", PATH=f"{program.parent}:/usr/bin:/bin")
    assert run.returncode == 0 and words in run.stdout
    assert "plug-in-text2colors" in asked.read_text() and str(home / ".config" / "GIMP" / "2.10") in asked.read_text()


def test_an_older_plug_in_is_replaced_as_a_whole(home: Path) -> None:
    folder = home / ".config" / "GIMP" / "3.0" / "plug-ins" / "text2colors"
    folder.mkdir(parents=True)
    (folder / "left_over.py").write_text("old")
    assert install(home, "--plugin-only").returncode == 0
    assert "left_over.py" not in files(folder) and "text2colors.py" in files(folder)
    assert not [name for name in os.listdir(folder.parent.parent) if name.startswith(".text2colors-")]


def test_uninstalling_leaves_nothing(home: Path) -> None:
    before = files(home)
    assert install(home, "--plugin-only", "--engine", "x engine").returncode == 0
    assert files(home) != before
    for version in ("3.0", "3.2"):  # as GIMP keeps last values and named settings
        kept = home / ".config" / "GIMP" / version / "plug-in-settings"
        kept.mkdir()
        (kept / "plug-in-text2colors.last").write_text("(phrase)")
    assert install(home, "--uninstall").returncode == 0
    assert files(home) == before
    assert not (home / ".local" / "share" / "text2colors").exists()


def test_own_models_are_not_deleted(home: Path) -> None:
    models = home / ".local" / "share" / "text2colors" / "models"
    models.mkdir(parents=True)
    (models / "mine.safetensors").write_bytes(b"weights")
    run = install(home, "--uninstall")
    assert run.returncode == 1 and "mine.safetensors" in run.stdout + run.stderr
    assert (models / "mine.safetensors").exists()


def test_without_a_gimp_the_user_is_told(tmp_path: Path) -> None:
    run = install(tmp_path, "--plugin-only", PATH=str(tmp_path))
    assert run.returncode == 0 and "No GIMP 3 or 2.10 was found" in run.stdout + run.stderr
    assert "in the menu" not in run.stdout + run.stderr


def test_gimps_own_folder_may_be_named(home: Path) -> None:
    named = home / "elsewhere"
    assert install(home, "--plugin-only", GIMP3_DIRECTORY=str(named)).returncode == 0
    assert (named / "plug-ins" / "text2colors" / "text2colors.py").exists()


def test_a_folder_that_cannot_be_made_is_said_in_words(home: Path) -> None:
    (home / ".local").write_text("a file where a folder should be")
    run = install(home, "--plugin-only", "--engine", "x engine")
    assert run.returncode == 1
    assert "run this again" in run.stdout + run.stderr and "Traceback" not in run.stdout + run.stderr


def test_the_shell_script_finds_a_python_and_passes_everything_on(home: Path) -> None:
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin", "PYTHON": sys.executable}
    command = ["bash", str(ROOT / "install" / "install.sh"), "--plugin-only"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert (home / ".config" / "GIMP" / "3.0" / "plug-ins" / "text2colors" / "text2colors.py").exists()
