"""Our files put into GIMP's configurations and taken away: the plug-ins for GIMP 3 and for GIMP 2.10.

Must run on any Python from 3.10 with the standard library, for the installer starts before there is an engine.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from places import ROOT, Places

SOURCE = ROOT / "gimp_plugin" / "text2colors"
PROTOCOL = ROOT / "t2c_engine" / "serving" / "protocol.py"
PROTOCOL_COPY = Path("t2c_plugin", "t2c_protocol.py")  # where the plug-in looks for it
NAME = "text2colors"  # folder and file of a GIMP plug-in have one name
SETTINGS = "engine.json"
LEGACY_SOURCE = ROOT / "gimp_plugin" / "legacy"


def data_folder() -> Path:
    """This user's text2colors folder; need not exist."""
    return Path(Places.here().data_folder())


def contents(legacy: bool = False) -> dict[Path, Path]:
    """The files of the plug-in: where each lies in the plug-in's folder, and here.

    Args:
        legacy: those for GIMP 2.10, which are Python 2.7; what they share with GIMP 3's is shipped with them.
    """
    if not legacy:
        files = sorted([*SOURCE.rglob("*.py"), *SOURCE.rglob("*.po")])
        return {one.relative_to(SOURCE): one for one in files} | {PROTOCOL_COPY: PROTOCOL}
    shared = [SOURCE / "t2c_plugin" / "__init__.py", *sorted((SOURCE / "t2c_plugin" / "shared").glob("*.py"))]
    own = {one.relative_to(LEGACY_SOURCE): one for one in sorted(LEGACY_SOURCE.rglob("*.py"))}
    return own | {one.relative_to(SOURCE): one for one in shared}


def write_zip(path: Path, legacy: bool = False) -> None:
    """The plug-in as an archive to be unpacked into GIMP's folder `plug-ins`; whole, or not at all."""
    unfinished = path.with_name(f".{path.name}.part")
    try:
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
            for place, source in contents(legacy).items():
                entry = zipfile.ZipInfo(f"{NAME}/{place.as_posix()}", (1980, 1, 1, 0, 0, 0))
                mode = 0o755 if place == Path(f"{NAME}.py") else 0o644
                entry.create_system, entry.external_attr = 3, (stat.S_IFREG | mode) << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, source.read_bytes())
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def copy_plugin(gimp_folder: Path, settings: Mapping[str, Any] | None = None, legacy: bool = False) -> Path:
    """Put the plug-in into a GIMP configuration, replacing an older one as a whole; returns its folder.

    Args:
        settings: written beside it as engine.json when given.
        legacy: the plug-in for GIMP 2.10.

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
        for place, source in contents(legacy).items():
            (new / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, new / place)
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
