"""The Pythons that the plug-in for GIMP 2.10 is run with: this one, and those of version 2.7 that are here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent


def python_27() -> str | None:
    """A CPython 2.7: the one that T2C_PYTHON27 names, on the PATH, or pyenv's."""
    pyenv = sorted(Path.home().glob(".pyenv/versions/2.7*/bin/python2.7"))
    candidates = [os.environ.get("T2C_PYTHON27"), *map(str, pyenv), shutil.which("python2.7"), shutil.which("python2")]
    return next((one for one in candidates if one and _is_27(one)), None)


def _is_27(program: str) -> bool:
    check = "import sys; sys.exit(sys.version_info[:2] != (2, 7))"
    try:
        return subprocess.run([program, "-c", check], capture_output=True, timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def interpreter(name: str) -> str:
    """The program for "this", "python2.7" or "jython"; skips the test when there is none."""
    found = sys.executable if name == "this" else python_27() if name == "python2.7" else shutil.which("jython")
    if found is None:
        wanted = {"python2.7": "a Python 2.7 (set T2C_PYTHON27)", "jython": "jython (Debian's package of that name)"}
        pytest.skip(f"{wanted[name]} is not installed here")
    return found


def drive(program: str, folder: Path, engine: str, work: Path, *steps: str) -> dict[str, Any]:
    """What `drive.py` tells, run by a Python with the plug-in of a folder and the engine that T2C_ENGINE is to name."""
    environment = {**os.environ, "T2C_ENGINE": engine, "XDG_DATA_HOME": str(work), "HOME": str(Path.home())}
    command = [program, str(HERE / "drive.py"), str(folder), str(work / "told.json"), *steps]
    (work / "told.json").unlink(missing_ok=True)
    run = subprocess.run(command, env=environment, cwd=work, capture_output=True, text=True, timeout=240)
    assert run.returncode == 0, run.stderr[-3000:]
    told = json.loads((work / "told.json").read_text())["told"]
    for name, values in told.items():
        assert "traceback" not in values, f"{name}: {values['traceback']}\n{run.stderr[-2000:]}"
    return told
