"""Album jobs that meet bad files, dying workers, full disks, other processes and kills."""

from __future__ import annotations

import io
import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from t2c_engine.albums import worker
from t2c_engine.albums.journal import MAX_ATTEMPTS, NAME, Journal
from t2c_engine.albums.run import job_items, open_journal
from t2c_engine.errors import OutputError
from t2c_engine.palettes.palette import Palette
from tests import fakes
from tests.album_jobs import album, files, inline, run  # noqa: F401
from tests.command_line import HEX, photo, t2c

pytestmark = pytest.mark.usefixtures("fake_networks")
ROOT = Path(__file__).parents[2]


def damaged() -> dict[str, bytes]:
    """Forty kinds of bad files by name: eight formats, each damaged in five ways."""
    rng = random.Random(0)
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 64), np.uint8))
    found = {}
    for suffix in ("jpg", "png", "tif", "webp", "bmp", "gif", "ppm", "jp2"):
        stream = io.BytesIO()
        noise.convert("RGB" if suffix == "ppm" else "L").save(stream, Image.registered_extensions()[f".{suffix}"])
        data = stream.getvalue()
        random_bytes = bytes(rng.randrange(256) for _ in range(300))
        ways = (b"", data[:9], data[: len(data) // 3], data[:12] + random_bytes, b"this is a note, no picture\n" * 9)
        found |= {f"bad{number}.{suffix}": content for number, content in enumerate(ways)}
    return found


def test_forty_kinds_of_bad_files_among_two_hundred_are_forty_sentences():
    good = photo("scans/good000.png", (8, 6)).read_bytes()
    for index in range(200):
        Path(f"scans/good{index:03}.png").write_bytes(good)
    bad = damaged()
    for name, content in bad.items():
        Path("scans", name).write_bytes(content)
    result = t2c("batch", "scans", "-o", "out", "--palette", HEX, code=1)
    sentences = [line for line in result.stderr.splitlines() if "bad" in line]
    assert len(bad) == 40 and sorted(line.split("scans/")[1].split()[0] for line in sentences) == sorted(bad)
    assert len(files("out")) == 200 and "Traceback" not in result.stderr
    again = t2c("batch", "scans", "-o", "out", "--palette", HEX, code=1)
    assert "40 pictures failed earlier; --retry-failed" in again.stderr and "bad" not in again.stderr
    status = json.loads(t2c("batch", "-o", "out", "--status", "--json").stdout)
    assert (status["done"], status["failed"], len(status["failures"])) == (200, 40, 40)
    photo("scans/bad0.tif")
    assert t2c("batch", "scans", "-o", "out", "--palette", HEX, "--retry-failed", code=1).stderr.count("bad") == 39


def test_a_worker_that_dies_is_replaced_and_a_deadly_picture_fails(monkeypatch: pytest.MonkeyPatch):
    for name in ("a.png", "deadly.png", "z.png"):
        photo(f"scans/{name}")
    real, deaths = worker.color_items, []

    def color_items(items: list[worker.Item], load: Any) -> list[worker.Done]:
        if any(item.plan.input.name == "deadly.png" for item in items):
            deaths.append(1)
            raise BrokenExecutor
        return real(items, load)

    monkeypatch.setattr("t2c_engine.albums.run.color_items", color_items)
    results = run(album())
    assert len(deaths) == MAX_ATTEMPTS and [one.input.name for one in results if one.error] == ["deadly.png"]
    assert files("out") == ["a-1.png", "z-1.png"]


def test_workers_that_end_whatever_the_picture_pause_the_job(monkeypatch: pytest.MonkeyPatch):
    for index in range(20):
        photo(f"scans/{index}.png")

    def color_items(items: list[worker.Item], load: Any) -> list[worker.Done]:
        raise BrokenExecutor

    with monkeypatch.context() as patch:
        patch.setattr("t2c_engine.albums.run.color_items", color_items)
        with pytest.raises(OutputError, match="The job pauses: worker processes end"):
            run(album())
    monkeypatch.setattr(worker, "_colorizers", {})
    with Journal(Path("out")) as journal:
        assert journal.counts()["waiting"] >= 12
    assert all(one.error is None for one in run(album(), retry_failed=True)) and len(files("out")) == 20


def test_two_processes_share_a_job():
    for index in range(12):
        photo(f"scans/{index:02}.png")
    job = album()
    items = job_items(job, (Palette.from_hex(HEX),))
    with open_journal(job, items) as first, Journal(job.output) as second:
        one, other = first.claim(5), second.claim(20)
        assert len(one) == 5 and len(other) == 7 and not {c.path for c in one} & {c.path for c in other}
        assert first.others() == 1
    assert len(run(job)) == 12  # given back when they ended without finishing


def test_what_a_dead_process_had_claimed_is_free_again():
    photo("scans/a.png")
    job = album()
    items = job_items(job, (Palette.from_hex(HEX),))
    journal = open_journal(job, items)
    assert journal.claim(1)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with sqlite3.connect(job.output / NAME) as database:
        database.execute("UPDATE owners SET pid=?", (ended.pid,))
    database.close()
    assert len(run(job)) == 1


def test_a_full_disk_pauses_the_job(monkeypatch: pytest.MonkeyPatch):
    import shutil

    for name in ("a.png", "b.png", "c.png"):
        photo(f"scans/{name}")
    usage = shutil.disk_usage(".")

    def full(self, lightness):
        raise OutputError("out/a-1.png cannot be written (No space left on device).")

    with monkeypatch.context() as patch:
        patch.setattr(fakes.Colorizer, "encode", full)
        patch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
        result = t2c("batch", "scans", "-o", "out", "--palette", HEX, code=1)
    assert "The job pauses" in result.stderr and "same command" in " ".join(result.stderr.split())
    with Journal(Path("out")) as journal:
        assert journal.counts() == {"waiting": 3, "running": 0, "done": 0, "failed": 0}
    assert len(run(album())) == 3


def test_a_journal_that_is_none_is_a_sentence():
    photo("scans/a.png")
    Path("out").mkdir()
    Path("out", NAME).write_bytes(b"no database" * 1000)
    assert "cannot be used" in t2c("batch", "scans", "-o", "out", "--palette", HEX, code=1).stderr
    assert "no journal" in t2c("batch", "-o", "none", "--status", code=1).stderr


_RUN = """
import sys
from pathlib import Path
from tests import fakes
from t2c_engine.albums.executors import local_means
from t2c_engine.albums.job import AlbumJob
from t2c_engine.albums.run import job_items, open_journal, run_job
from t2c_engine.palettes.palette import Palette

if __name__ == "__main__":
    job = AlbumJob(("scans",), Path("out"), palette="x", workers=2, memory=2000)
    items = job_items(job, (Palette.from_hex("#8c2f1b,#d98c3f,#f2d8a7,#5b6b3a,#2b2a33"),))
    with open_journal(job, items) as journal, local_means(job, fakes.load) as means:
        for result in run_job(items, journal, means):
            print(result.input.name, len(result.results), flush=True)
"""


@pytest.mark.slow
def test_killed_at_random_moments_nothing_is_lost_doubled_or_half():
    """Worker processes and all; three kills here, fifty in `benchmarks/albums.py`."""
    for index in range(24):
        photo(f"scans/{index:02}.png", (40, 30), least=index)
    Path("run.py").write_text(_RUN)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    rng = random.Random(3)
    for kill in (True, True, True, False):
        process = subprocess.Popen([sys.executable, "run.py"], env=environment, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        if kill:
            process.stdout.readline()
            time.sleep(rng.random() / 5)
            process.kill()
        process.communicate()
        if kill:
            time.sleep(1)  # workers end
    assert process.returncode == 0
    made = files("out")
    assert made == [f"{index:02}-1.png" for index in range(24)]
    for name in made:
        Image.open(Path("out", name)).load()
    with Journal(Path("out")) as journal:
        assert journal.counts() == {"waiting": 0, "running": 0, "done": 24, "failed": 0}
