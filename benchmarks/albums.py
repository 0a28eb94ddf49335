"""Figures of album jobs: throughput against `t2c colorize` and Pillow, memory, kills, overhead of the journal.

    python benchmarks/albums.py throughput --pictures 200 --megapixels 2 [--against an/older/checkout]
    python benchmarks/albums.py large --pictures 20 --megapixels 24
    python benchmarks/albums.py memory --pictures 20 --megapixels 24
    python benchmarks/albums.py kills --kills 50
    python benchmarks/albums.py overhead --pictures 10000

Throughput is measured in turns, so that other work on the machine meets both. Kills run on made-up networks.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import shutil
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
_DIFFERENT = 8  # pictures that are written; the others are copies of them
_POLL = 0.05  # seconds
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
    """Grey JPEG files: photographs of scikit-image at that size, the first four with grain."""
    from skimage import data

    folder.mkdir(parents=True, exist_ok=True)
    height = max(6, round((megapixels * 1e6 / 1.5) ** 0.5))
    width = round(height * 1.5)
    scenes = [Image.fromarray(make()).convert("L") for make in (data.camera, data.astronaut, data.coffee, data.chelsea)]
    rng = np.random.default_rng(0)
    for index, scene in zip(range(number), itertools.cycle(scenes)):
        if index < _DIFFERENT:
            side = min(scene.width / 1.5, scene.height)
            large = scene.resize((width, height), Image.Resampling.BICUBIC, (0, 0, 1.5 * side, side))
            grain = rng.normal(0, 3, (height, width)).astype(np.float32)
            pixels = np.clip(np.asarray(large, np.float32) + grain, 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"{index:05}.jpg", quality=92)
        else:
            shutil.copy(folder / f"{index % _DIFFERENT:05}.jpg", folder / f"{index:05}.jpg")


class Run:
    """A command, run to its end: seconds, processor seconds of it and its children, and their memory (PSS) at most."""

    def __init__(self, command: list[str], here: Path, root: Path = ROOT) -> None:
        started, seconds, self.memory = time.perf_counter(), {}, 0
        environment = {**os.environ, "PYTHONPATH": str(root)}
        process = subprocess.Popen(
            command, cwd=here, env=environment, start_new_session=True, stdout=subprocess.DEVNULL
        )
        while process.poll() is None:
            processes = _session(process.pid)
            seconds |= processes
            self.memory = max(self.memory, sum(_pss(pid) for pid in processes))
            time.sleep(_POLL)
        if process.returncode:
            raise SystemExit(f"{command} ended with {process.returncode}")
        self.wall, self.processor = time.perf_counter() - started, sum(seconds.values())


def throughput(number: int, megapixels: float, rounds: int, against: Path) -> None:
    """Seconds and processor seconds of both commands, in turns, and their ratios. against: a checkout of t2c."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        write_pictures(here / "scans", number, megapixels)
        ratios: list[tuple[float, float]] = []
        for turn in range(rounds):
            one = Run([*T2C, "colorize", "scans", "-o", f"one{turn}", "--palette", PALETTE], here, against)
            many = Run([*T2C, "batch", "scans", "--sheets", "-o", f"many{turn}", "--palette", PALETTE], here)
            plain = Run([*T2C, "batch", "scans", "-o", f"plain{turn}", "--palette", PALETTE], here)
            for name, run in (("colorize", one), ("batch --sheets", many), ("batch", plain)):
                each = f"{1e3 * run.wall / number:.0f} ms a picture, {1e3 * run.processor / number:.0f} ms of processor"
                print(f"{name:15} {each}, {run.memory / 1e6:.0f} MB", flush=True)
            ratios.append((one.wall / many.wall, one.wall / plain.wall))
        with_sheets, without = (statistics.median(column) for column in zip(*ratios, strict=True))
        print(f"batch is {with_sheets:.2f} x as fast as colorize; without contact sheets {without:.2f} x (medians)")


def large(number: int, megapixels: float, rounds: int) -> None:
    """One picture and the pipeline against Pillow's decode and encode of the same quality and color resolution."""
    code = (
        "import sys, time; from PIL import Image; t, c = time.perf_counter(), time.process_time()\n"
        "for name in sys.argv[1:]:\n"
        "    Image.open(name).convert('RGB').save('pillow.jpg', quality=95, subsampling=0)\n"
        "print((time.perf_counter() - t) / len(sys.argv[1:]), (time.process_time() - c) / len(sys.argv[1:]))"
    )
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        write_pictures(here / "scans", number, megapixels)
        for turn in range(rounds):
            names = [f"scans/{index:05}.jpg" for index in range(min(number, _DIFFERENT))]
            told = subprocess.run([sys.executable, "-c", code, *names], cwd=here, check=True, capture_output=True)
            pillow, pillow_processor = (float(one) for one in told.stdout.split())
            command = [*T2C, "colorize", *names, "-o", f"one{turn}", "--palette", PALETTE, "--json"]
            told = subprocess.run(command, cwd=here, env=ENVIRONMENT, check=True, capture_output=True)
            singles = [json.loads(line)["seconds"] for line in told.stdout.splitlines()]
            single = statistics.median(singles[1:] or singles)
            first, all_of_them = (
                Run([*T2C, "batch", *which, "-o", f"out{turn}{which[0][-5:]}", "--palette", PALETTE], here)
                for which in ([names[0]], ["scans"])
            )
            pipeline = (all_of_them.wall - first.wall) / (number - 1)  # without the start
            processor = (all_of_them.processor - first.processor) / (number - 1)
            print(
                f"Pillow {pillow:.3f} s ({pillow_processor:.3f} s of processor); "
                f"one picture {single:.3f} s, {single / pillow:.2f} x; "
                f"pipeline {pipeline:.3f} s ({processor:.3f} s of processor), {pipeline / pillow:.2f} x "
                f"({processor / pillow_processor:.2f} x of processor)",
                flush=True,
            )


def memory(number: int, megapixels: float, limit: int) -> None:
    """The largest sum over all processes of what each has to itself and its part of what is shared (PSS)."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        write_pictures(here / "scans", number, megapixels)
        command = [*T2C, "batch", "scans", "-o", "out", "--palette", PALETTE, "--memory", str(limit)]
        print(f"{number} pictures of {megapixels:g} MP: peak {Run(command, here).memory / 1e6:.0f} MB")


def _session(leader: int) -> dict[int, float]:
    """Processor seconds of every process of a session, by process id."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == leader:
                found[int(entry.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
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

    def color_items(items: list[Item], load: Any) -> list[Done]:
        return [Done(PictureResult(item.plan.input), Outcome(item.plan.input, "digest")) for item in items]

    run.color_items = color_items
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
    parser.add_argument("what", choices=("throughput", "large", "memory", "kills", "overhead"))
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--megapixels", type=float, default=2)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", type=int, default=0, help="MB, as of t2c batch")
    parser.add_argument("--against", type=Path, default=ROOT, help="a checkout whose t2c colorize is measured")
    values = parser.parse_args()
    if values.what == "throughput":
        throughput(values.pictures, values.megapixels, values.rounds, values.against.absolute())
    elif values.what == "large":
        large(values.pictures, values.megapixels, values.rounds)
    elif values.what == "memory":
        memory(values.pictures, values.megapixels, values.memory)
    elif values.what == "kills":
        kills(values.kills)
    else:
        overhead(values.pictures)


if __name__ == "__main__":
    main()
