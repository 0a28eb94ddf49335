"""Makes what people download: wheel, source archive, the stubs' wheel, and each plug-in as a zip to be unpacked.

    python install/package.py dist

Needs pip and setuptools. The zips go into GIMP's folder `plug-ins`: gimp3 for GIMP 3, gimp2.10 for GIMP 2.10.
"""

from __future__ import annotations

import argparse
import logging
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import plugin_files
from places import ROOT

STUBS = ROOT / "gimp_plugin" / "stubs" / "gimpfu-stubs"

log = logging.getLogger("package")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="where to put everything")
    folder = parser.parse_args(arguments).folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for path in package(folder):
        log.info("%s", path)
    return 0


def package(folder: Path) -> list[Path]:
    """Everything, in a folder; the files made.

    Raises:
        subprocess.CalledProcessError: a build has failed; what it printed says why.
    """
    made = [*_build(ROOT, folder, source=True), *_build(STUBS, folder, source=False)]
    for name, legacy in (("gimp3", False), ("gimp2.10", True)):
        path = folder / f"text2colors-{version()}-{name}.zip"
        plugin_files.write_zip(path, legacy)
        made.append(path)
    return made


def version() -> str:
    """The version of text2colors, as its source has it."""
    text = (ROOT / "t2c_engine" / "__init__.py").read_text("utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    assert found, "t2c_engine/__init__.py names no __version__"
    return found[1]


def _build(project: Path, folder: Path, source: bool) -> list[Path]:
    """A wheel, and the source archive, built from a copy: builds leave files beside their sources."""
    with tempfile.TemporaryDirectory() as name:
        copy, out = Path(name) / "project", Path(name) / "out"
        left_out = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "runs", "cache", "*.egg-info")
        shutil.copytree(project, copy, ignore=left_out)
        commands = ["bdist_wheel", "sdist"] if source else ["bdist_wheel"]
        for command in commands:
            build = [sys.executable, "setup.py", "--quiet", command, "--dist-dir", str(out)]
            subprocess.run(build, cwd=copy, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        return [Path(shutil.move(one, folder / one.name)) for one in sorted(out.iterdir())]


if __name__ == "__main__":
    sys.exit(main())
