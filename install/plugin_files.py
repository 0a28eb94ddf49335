"""Where GIMP 3 keeps a user's plug-ins, and our files put there and taken away. Standard library only.

Must run on any Python from 3.10 and import nothing of the project, for the installer starts before there is an engine.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "gimp_plugin" / "text2colors"
PROTOCOL = ROOT / "t2c_engine" / "serving" / "protocol.py"
PROTOCOL_COPY = Path("t2c_plugin", "t2c_protocol.py")  # where the plug-in looks for it
NAME = "text2colors"  # folder and file of a GIMP plug-in have one name
SETTINGS = "engine.json"
_GIMP_3 = re.compile(r"3\.\d+")


def data_folder() -> Path:
    """This user's text2colors folder, the one that platformdirs gives and the plug-in looks into; need not exist."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Application Support")
    else:
        base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "text2colors"


def gimp_folders() -> list[Path]:
    """Every GIMP 3 configuration folder of this user: the one that GIMP3_DIRECTORY names, and GIMP/3.x.

    GIMP makes it when it first runs; where there is none but a GIMP 3 program, the folder of its version is named.
    """
    named = os.environ.get("GIMP3_DIRECTORY")
    folders = [Path(named)] if named else []
    for base in _config_bases():
        if base.is_dir():
            folders += sorted(one for one in base.iterdir() if _GIMP_3.fullmatch(one.name) and one.is_dir())
    if not folders:
        folders = [_config_bases()[0] / version for version in sorted(_installed_versions())]
    return list(dict.fromkeys(folder.resolve() for folder in folders))


def _config_bases() -> list[Path]:
    """Folders that hold GIMP/3.x, of the system's own GIMP and of sandboxed ones."""
    home = Path.home()
    if sys.platform == "win32":
        return [Path(os.environ.get("APPDATA") or home / "AppData" / "Roaming") / "GIMP"]
    if sys.platform == "darwin":
        return [home / "Library" / "Application Support" / "GIMP"]
    return [
        Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "GIMP",
        home / ".var" / "app" / "org.gimp.GIMP" / "config" / "GIMP",
        home / "snap" / "gimp" / "current" / ".config" / "GIMP",
    ]


def _installed_versions() -> set[str]:
    """Versions ("3.0") of the GIMP 3 programs on the PATH, by their names."""
    found = set()
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        if folder and os.path.isdir(folder):
            for name in os.listdir(folder):
                match = re.fullmatch(r"gimp(?:-console)?-(3\.\d+)(?:\.exe)?", name)
                if match:
                    found.add(match[1])
    return found


def copy_plugin(gimp_folder: Path, settings: Mapping[str, Any] | None = None) -> Path:
    """Put the plug-in into a GIMP configuration, replacing an older one as a whole; returns its folder.

    Args:
        settings: written beside it as engine.json when given.

    Raises:
        OSError: the folder cannot be written.
    """
    plug_ins = gimp_folder / "plug-ins"
    plug_ins.mkdir(parents=True, exist_ok=True)
    target = plug_ins / NAME
    # made outside `plug-ins`, where a GIMP that is just starting would take the half-made folder for a plug-in
    new = Path(tempfile.mkdtemp(prefix=f".{NAME}-", dir=gimp_folder))
    try:
        new.chmod(0o755)
        for source in sorted([*SOURCE.rglob("*.py"), *SOURCE.rglob("*.po")]):
            copy = new / source.relative_to(SOURCE)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
        shutil.copyfile(PROTOCOL, new / PROTOCOL_COPY)
        if settings is not None:
            write_json(new / SETTINGS, settings)
        main = new / f"{NAME}.py"
        main.chmod(main.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        remove_plugin(gimp_folder)
        new.rename(target)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    return target


def remove_plugin(gimp_folder: Path) -> bool:
    """Take the plug-in, and what it has left half-copied, out of a configuration; whether there was one."""
    target = gimp_folder / "plug-ins" / NAME
    there = target.is_dir()
    if there:
        shutil.rmtree(target)
    return there


def remove_settings(gimp_folder: Path) -> bool:
    """Take away the values that GIMP has kept for the plug-in's procedures; whether there were any."""
    kept = [path for path in gimp_folder.glob(f"plug-in-settings/*{NAME}*") if path.is_file()]
    for path in kept:
        path.unlink()
    return bool(kept)


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write a small JSON file whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(values, file, indent=1)
            file.write("\n")
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def engine_settings(command: Sequence[str], keep: bool = False) -> dict[str, Any]:
    """What engine.json holds for a command; `keep`: the engine, of this machine, stays warm while GIMP runs."""
    return {"command": list(command), **({"keep": True} if keep else {})}
