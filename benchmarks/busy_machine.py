"""A small picture coloured alone and beside another torch program: wall and processor time, and their ratios.

Each setting runs in a process of its own: "shipped" as t2c sets it, "spinning" with the defaults of GNU OpenMP, "one
thread", "passive". Run it on an idle machine; the load is begun and ended here. The least of several runs is given,
and the median. Settings: --side, --palettes, --runs.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

SETTINGS: Mapping[str, Mapping[str, str]] = {
    "spinning": {"GOMP_SPINCOUNT": "300000"},
    "passive": {"OMP_WAIT_POLICY": "PASSIVE"},
    "one thread": {"OMP_NUM_THREADS": "1"},
    "shipped": {},
}
CHOSEN = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "OMP_NUM_THREADS")
LOAD = """
import torch
pixels, conv = torch.randn(1, 64, 160, 160), torch.nn.Conv2d(64, 64, 3, padding=1)
with torch.inference_mode():
    conv(pixels)
    print("begun", flush=True)
    while True:
        conv(pixels).relu().mean()
"""
log = logging.getLogger(__name__)


def work(width: int, height: int, palettes: int, runs: int) -> dict[str, float]:
    """Seconds to colour noise of that size: least and median wall, median of the processor's."""
    import numpy as np

    from t2c_engine.colorization.colorizer import Colorizer
    from t2c_engine.palettes.palette import Palette

    colorizer = Colorizer.load(device="cpu")
    color = colorizer.color
    palette = Palette.from_hex("#8c2f1b,#d98c3f,#f2d8a7,#5b6b3a,#2b2a33")
    lightness = (np.random.default_rng(0).random((height, width)) * 100).astype(np.float32)
    walls, processors = [], []
    for _ in range(runs + 1):
        wall, processor = time.perf_counter(), time.process_time()
        color(colorizer.encode(lightness), [palette] * palettes)
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
    walls, processors = walls[1:], processors[1:]
    return {"least": min(walls), "median": statistics.median(walls), "processor": statistics.median(processors)}


@contextmanager
def load() -> Iterator[None]:
    """Another torch program, with as many spinning threads as there are processors."""
    environment = {name: value for name, value in os.environ.items() if name not in CHOSEN}
    process = subprocess.Popen([sys.executable, "-c", LOAD], stdout=subprocess.PIPE, env=environment)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield
    finally:
        process.kill()
        process.wait()


def measure(setting: str, arguments: list[str]) -> dict[str, float]:
    environment = {name: value for name, value in os.environ.items() if name not in CHOSEN} | dict(SETTINGS[setting])
    command = [sys.executable, __file__, *arguments, "--work"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", default="128x96", help="Width x height, px.")
    parser.add_argument("--palettes", type=int, default=1)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--settings", nargs="+", choices=list(SETTINGS), default=list(SETTINGS))
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    width, height = (int(part) for part in given.side.split("x"))
    if given.work:
        sys.stdout.write(json.dumps(work(width, height, given.palettes, given.runs)))
        return
    arguments = ["--side", given.side, "--palettes", str(given.palettes), "--runs", str(given.runs)]
    alone = {setting: measure(setting, arguments) for setting in given.settings}
    with load():
        beside = {setting: measure(setting, arguments) for setting in given.settings}
    log.info("%s px, %d palettes; ms: least, median of wall, median of processor", given.side, given.palettes)
    for setting in given.settings:
        one, other = ([1e3 * figure for figure in figures[setting].values()] for figures in (alone, beside))
        log.info(
            "%-10s  alone %6.0f %6.0f %6.0f  beside %6.0f %6.0f %6.0f  ratio %.2f (least), %.2f (median)",
            setting, *one, *other, other[0] / one[0], other[1] / one[1],
        )  # fmt: skip


if __name__ == "__main__":
    main()
