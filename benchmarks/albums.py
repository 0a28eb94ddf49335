"""Figures of album jobs: throughput against `t2c colorize`, memory, kills at random moments, overhead of the journal.

    python benchmarks/albums.py throughput --pictures 200 --megapixels 2
    python benchmarks/albums.py memory --pictures 20 --megapixels 24
    python benchmarks/albums.py kills --kills 50
    python benchmarks/albums.py overhead --pictures 10000

Throughput is measured in turns, so that other work on the machine meets both. Kills run on made-up networks.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
PALETTE = "#8c2f1b,#d98c3f,#f2d8a7,#5b6b3a,#2b2a33"
T2C = [sys.executable, "-m", "t2c_engine"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
_KILLED = """
import sys
from pathlib import Path
from tests import fakes
from t2c_engine.albums.executors import local_means
from t2c_engine.albums.job import AlbumJob
from t2c_engine.albums.run import job_items, open_journal, run_job
from t2c_engine.palettes.palette import Palette

if __name__ == "__main__":
    job = AlbumJob(("scans",), Path("out"), palette="x", workers=2, memory=2000)
    items = job_items(job, (Palette.from_hex(sys.argv[1]),))
    with open_journal(job, items) as journal, local_means(job, fakes.load) as means:
        for result in run_job(items, journal, means):
            print(result.input.name, len(result.results), flush=True)
"""


def write_pictures(folder: Path, number: int, megapixels: float) -> None:
    """Grey JPEG files with the grain and the edges of photographs."""
    folder.mkdir(parents=True, exist_ok=True)
    height = max(6, round((megapixels * 1e6 / 1.5) ** 0.5))
    width = round(height * 1.5)
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (12, 18), dtype=np.uint8)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    base = np.asarray(coarse, np.float32)
    for index in range(number):
        grain = rng.normal(0, 4, (height, width)).astype(np.float32) if index < 4 else 0
        pixels = np.clip(np.roll(base, index * 37, 1) + grain, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{index:05}.jpg", quality=92)


def throughput(number: int, megapixels: float, rounds: int) -> None:
    """Seconds of both commands, in turns, and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        write_pictures(here / "scans", number, megapixels)
        ratios = []
        for turn in range(rounds):
            times = []
            for words in (
                ["colorize", "scans", "-o", f"one{turn}"],
                ["batch", "scans", "--sheets", "-o", f"many{turn}"],
            ):
                started = time.perf_counter()
                command = [*T2C, *words, "--palette", PALETTE]
                subprocess.run(command, cwd=here, env=ENVIRONMENT, check=True, stdout=subprocess.DEVNULL)
                times.append(time.perf_counter() - started)
            ratios.append(times[0] / times[1])
            print(f"colorize {times[0]:.1f} s, batch {times[1]:.1f} s: {ratios[-1]:.2f} x", flush=True)
        print(f"median {statistics.median(ratios):.2f} x")


def memory(number: int, megapixels: float) -> None:
    """The largest sum over all processes of what each has to itself and its part of what is shared (PSS)."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        write_pictures(here / "scans", number, megapixels)
        command = [*T2C, "batch", "scans", "-o", "out", "--palette", PALETTE, "--memory", "1500"]
        process = subprocess.Popen(command, cwd=here, env=ENVIRONMENT, start_new_session=True)
        peak = 0
        while process.poll() is None:
            peak = max(peak, sum(_pss(pid) for pid in _session(process.pid)))
            time.sleep(0.05)
        print(f"{number} pictures of {megapixels:g} MP: peak {peak / 1e6:.0f} MB, exit {process.returncode}")


def _session(leader: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == leader:
                found.append(int(entry.name))
    return found


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def kills(number: int) -> None:
    """Kill a run again and again; then count what is lost, done twice, or half."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        write_pictures(here / "scans", 10 * number, 0.002)
        (here / "run.py").write_text(_KILLED)
        rng = random.Random(0)
        written: list[str] = []
        for turn in range(number + 1):
            command = [sys.executable, "run.py", PALETTE]
            process = subprocess.Popen(command, cwd=here, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)
            assert process.stdout is not None
            if turn < number:
                for _ in range(rng.randrange(12)):
                    written.append(process.stdout.readline())
                time.sleep(rng.random() / 10)
                process.kill()
            written += process.communicate()[0].splitlines(keepends=True)
        names = sorted(path.name for path in (here / "out").iterdir() if path.suffix == ".jpg")
        lost = 10 * number - len([name for name in names if name.endswith("-1.jpg")])
        half = [name for name in os.listdir(here / "out") if name.endswith(".part")]
        for name in names:
            Image.open(here / "out" / name).load()
        made = [line.split()[0] for line in written if line.endswith(" 1\n")]
        twice = len(made) - len(set(made)) + len([name for name in names if not name.endswith("-1.jpg")])
        print(f"{number} kills, {10 * number} pictures: {lost} lost, {twice} twice, {len(half)} half")


class _Inline(Executor):
    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def overhead(number: int) -> None:
    """Milliseconds a picture of everything but the coloring: tree, journal, claims, records."""
    from t2c_engine.albums import run
    from t2c_engine.albums.job import AlbumJob
    from t2c_engine.albums.journal import Outcome
    from t2c_engine.albums.worker import Done, Item
    from t2c_engine.batch.request import PictureResult
    from t2c_engine.palettes.palette import Palette

    def color_item(item: Item, load: Any) -> Done:
        return Done(PictureResult(item.plan.input), Outcome(item.plan.input, "digest"))

    run.color_item = color_item
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        write_pictures(here / "scans", number, 0.0001)
        job = AlbumJob((str(here / "scans"),), here / "out", palette="x")
        for what in ("first run", "nothing to do"):
            started, busy = time.perf_counter(), time.process_time()
            items = run.job_items(job, (Palette.from_hex(PALETTE),))
            with run.open_journal(job, items) as journal:
                done = sum(1 for _ in run.run_job(items, journal, run.Means(_Inline, 2, 1 << 30)))
            wall, cpu = time.perf_counter() - started, time.process_time() - busy
            each = f"{1e3 * wall / number:.2f} ms a picture, {1e3 * cpu / number:.2f} ms of processor"
            print(f"{what}, {done} of {number}: {each}")


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("throughput", "memory", "kills", "overhead"))
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--megapixels", type=float, default=2)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    values = parser.parse_args()
    if values.what == "throughput":
        throughput(values.pictures, values.megapixels, values.rounds)
    elif values.what == "memory":
        memory(values.pictures, values.megapixels)
    elif values.what == "kills":
        kills(values.kills)
    else:
        overhead(values.pictures)


if __name__ == "__main__":
    main()
