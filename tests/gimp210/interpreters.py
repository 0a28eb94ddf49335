"""What the plug-in for GIMP 2.10 is run with: this Python, those of version 2.7 that are here, and a real GIMP 2.10."""

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


# a real GIMP 2.10, in the folder that make_root.sh makes

DRIVER = """#!/usr/bin/env python
import gimpfu


def drive():
    import json
    import scenario

    with open("/share/told.json", "w") as file:
        json.dump(scenario.run(), file)


gimpfu.register("drive", "b", "h", "a", "c", "d", "Drive", "", [], [], drive, menu="<Image>/Filters")
gimpfu.main()
"""


def gimp_root() -> Path:
    """The folder with the real GIMP 2.10; skips the test when there is none."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    root = Path(os.environ.get("T2C_GIMP210_ROOT") or Path(cache) / "text2colors" / "gimp-2.10")
    if not (root / ".ready").exists() or os.geteuid() != 0:
        pytest.skip(
            "no root folder with GIMP 2.10; as root, tests/gimp210/make_root.sh makes one (it needs a Python 2.7)"
        )
    return root


def drive_gimp(root: Path, folder: Path, socket: str) -> dict[str, Any]:
    """What the scenario tells in the real GIMP. The plug-in's folder is copied in.

    Args:
        socket: of an engine, as seen from inside the root.
    """
    profile, told = root / "share" / "profile", root / "share" / "told.json"
    shutil.rmtree(profile, ignore_errors=True)
    shutil.copytree(folder, profile / "plug-ins" / "text2colors")
    driver = profile / "plug-ins" / "drive" / "drive.py"
    driver.parent.mkdir()
    driver.write_text(DRIVER)
    driver.chmod(0o755)
    shutil.copy(HERE / "scenario.py", driver.parent)
    told.unlink(missing_ok=True)
    variables = ["PATH=/usr/bin:/bin", "HOME=/root", "LC_ALL=C.UTF-8", "GIMP2_DIRECTORY=/share/profile"]
    command = ["chroot", str(root), "env", "-i", *variables, f"T2C_ENGINE={socket}", "gimp-console-2.10", "-idfs"]
    command += ["-b", "(python-fu-drive RUN-NONINTERACTIVE)", "-b", "(gimp-quit 0)"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert told.exists(), run.stdout[-1500:] + run.stderr[-3000:]
    seen = json.loads(told.read_text())
    for name, values in seen.items():
        assert "traceback" not in values, f"{name}: {values['traceback']}\n{run.stderr[-2000:]}"
    return seen
