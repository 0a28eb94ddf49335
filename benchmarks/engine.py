"""The engine process as the plug-in meets it: hello, memory, palettes, and 24 megapixels to five colour results.

Starts the installed engine (or the command given) through the plug-in's own client and prints medians:

    python benchmarks/engine.py [--runs 5] [--device cpu] [COMMAND ...]
"""

from __future__ import annotations

import argparse
import logging
import math
import os
import re
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "gimp_plugin" / "text2colors"))

from t2c_plugin.engine.client import Engine, EngineError  # noqa: E402  # pyright: ignore[reportMissingImports]
from t2c_plugin.pixels import Pixels  # noqa: E402  # pyright: ignore[reportMissingImports]

WIDTH, HEIGHT = 6000, 4000
PHRASES = ("autumn breeze", "deep sea at night", "pastel candy heart", "furious heart", "bright life")
MEMORY_NOW, MEMORY_PEAK = "VmRSS", "VmHWM"

log = logging.getLogger("benchmark")


def memory(pid: int, name: str) -> str:
    """MB of a process as Linux counts them; "?" elsewhere."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return "?"
    found = re.search(rf"{name}:\s+(\d+) kB", status)
    return f"{int(found[1]) / 1024:.0f} MB" if found else "?"


def processor(pid: int) -> float:
    """Processor seconds that a process has used, which other work on the machine changes little; NaN but on Linux."""
    try:
        ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    except OSError:
        return math.nan
    return sum(int(one) for one in ticks) / os.sysconf("SC_CLK_TCK")


def seconds(act: Callable[[], object]) -> float:
    """How long something takes."""
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def show(name: str, times: Sequence[float], more: str = "") -> None:
    """One line: median, smallest and largest."""
    log.info("%-44s %6.3f s  (%.3f .. %.3f) %s", name, statistics.median(times), min(times), max(times), more)


def grey(seed: int) -> bytes:
    """24 megapixels of soft shapes with grain, uint8."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 216, (HEIGHT // 200, WIDTH // 200), dtype=np.uint8)
    large = np.repeat(np.repeat(coarse, 200, 0), 200, 1)
    return (large + rng.integers(0, 32, large.shape, dtype=np.uint8)).tobytes()


def wait_until_ready(engine: Engine) -> None:
    """Until torch and the colour network are loaded.

    Raises:
        EngineError: they cannot be.
    """
    while engine.status.get("colorizer", "loading") == "loading":
        time.sleep(0.02)
        engine.ping(30.0)
    if engine.status["colorizer"] != "ready":
        raise EngineError(engine.status["colorizer"])


def measure_start(command: Sequence[str], runs: int) -> None:
    """New processes: hello, the first palettes while torch still loads, and when all is ready."""
    hello, work, palettes, ready, memories = [], [], [], [], ("?", "?")
    for _ in range(runs):
        with Engine(command) as engine:
            begun = time.perf_counter()
            pid = engine.hello(60)["pid"]
            hello.append(time.perf_counter() - begun)
            work.append(processor(pid))
            at_hello = memory(pid, MEMORY_NOW)
            palettes.append(seconds(lambda engine=engine: engine.palettes(PHRASES[0])))
            wait_until_ready(engine)
            ready.append(time.perf_counter() - begun)
            memories = at_hello, memory(pid, MEMORY_NOW)
    show("start to hello", hello, f"{memories[0]}, processor {statistics.median(work):.2f} s")
    show("first palettes, asked for at the hello", palettes)
    show("start to colour network ready", ready, memories[1])


def measure_warm(command: Sequence[str], runs: int, device: str) -> None:
    """One process: palettes for new phrases, new 24 MP pictures, and a second try on the same picture."""
    with Engine(command) as engine:
        pid = engine.hello(60)["pid"]
        wait_until_ready(engine)
        drawn = engine.palettes(PHRASES[0]).palettes
        used = processor(pid)
        times = [seconds(lambda seed=seed: engine.palettes(PHRASES[seed % 5], seed=seed)) for seed in range(5 * runs)]
        show("phrase to five palettes", times, f"processor {(processor(pid) - used) / len(times):.3f} s")
        sent, first, again, preview, work = [], [], [], [], []
        for run in range(runs + 1):
            pixels = grey(run)
            key = ""
            begun, used = time.perf_counter(), processor(pid)
            key = engine.set_picture(Pixels(pixels, WIDTH, HEIGHT, "Y u8"))
            sent.append(time.perf_counter() - begun)
            list(engine.colorize(key, drawn, device=device))
            first.append(time.perf_counter() - begun)
            work.append(processor(pid) - used)
            again.append(seconds(lambda key=key: list(engine.colorize(key, drawn, device=device))))
            preview.append(seconds(lambda key=key: engine.preview(key, drawn)))
        show("24 MP grey: sending it", sent[1:])
        show("24 MP grey to five colour results, new", first[1:], f"processor {statistics.median(work[1:]):.2f} s")
        show("the same picture, five other results", again[1:])
        show("the same picture, five previews", preview[1:], f"peak {memory(pid, MEMORY_PEAK)}")
        normal = [seconds(lambda: list(engine.colorize(key, drawn, device=device, mode="normal"))) for _ in range(runs)]
        show("the same picture, five whole RGB pictures", normal, f"peak {memory(pid, MEMORY_PEAK)}")


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--device", default="auto")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    command = arguments.command or [sys.executable, "-m", "t2c_engine", "engine"]
    try:
        measure_start(command, arguments.runs)
        measure_warm(command, arguments.runs, arguments.device)
    except EngineError as error:
        raise SystemExit(f"{error}\n{error.details}") from error


if __name__ == "__main__":
    main()
