"""TIFF files with odd tags: read as they are, and what libraries say of the tags does not reach the terminal."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

Tag = tuple[int, int, int, int]  # code, type, count, value or offset

FAR = 10**8
ODD: dict[str, list[Tag]] = {
    "far": [(33723, 4, 5000, FAR)],
    "type": [(34675, 99, 4, 8)],
    "many": [(306, 2, 20, FAR), (700, 1, 10, FAR), (33723, 7, 100, 8)],
    "twice": [(305, 2, 4, 0), (305, 2, 4, 0)],
    "rational": [(282, 5, 1, FAR), (283, 5, 1, 8), (296, 3, 5, 8)],
    "count": [(330, 4, 2, FAR), (700, 7, 0, 0), (34853, 13, 3, FAR)],
    "text": [(270, 2, 0, 0), (315, 2, 2**31, 8)],
}


def write(path: Path, tags: list[Tag]) -> None:
    """A grey TIFF of 32 x 32 px with these tags as they are."""
    pixels = np.arange(1024, dtype=np.uint8).tobytes()
    own = [(256, 3, 1, 32), (257, 3, 1, 32), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8)]
    entries = sorted([*own, (277, 3, 1, 1), (278, 3, 1, 32), (279, 4, 1, 1024), *tags])
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *one) for one in entries) + bytes(4)
    path.write_bytes(b"II*\0" + struct.pack("<I", 8 + 1024) + pixels + directory)


@pytest.mark.parametrize(
    "words",
    [
        ["colorize", "scans", "--palette", "#8c2f1b,#d98c3f,#f2d8a7,#5b6b3a,#2b2a33", "--stop-on-error"],
        ["palette", "--from-image", "scans/far.tif"],
    ],
)
def test_nothing_but_our_own_words_is_printed(words: list[str], tmp_path: Path):
    (tmp_path / "scans").mkdir()
    for name, tags in ODD.items():
        write(tmp_path / f"scans/{name}.tif", tags)
    code = (
        "import pytest\nfrom tests import fakes\nfakes.use(pytest.MonkeyPatch())\n"
        "from t2c_engine.cli.main import main\nmain()"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    run = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert (run.returncode, run.stderr) == (0, "")
    if words[0] == "colorize":
        assert len(list((tmp_path / "out").glob("*-1.tif"))) == len(ODD)
