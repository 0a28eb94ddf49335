"""What a picture costs the scheduler of a cluster, and where a job over many workers saturates.

    python benchmarks/album_cluster.py --tasks 2000 --seconds 0.6 --megabytes 17 --network 1250

Tasks that do nothing go through tree, journal, Dask's scheduler and a local cluster of two workers: what is left is
serial, whatever the number of workers. The model: pictures a second are the least of workers / seconds, 1 / serial
seconds, and network / megabytes of a picture read and written.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from t2c_engine.albums import run
from t2c_engine.albums.cluster import LOCAL, cluster_means
from t2c_engine.albums.job import AlbumJob
from t2c_engine.albums.journal import Outcome
from t2c_engine.albums.worker import Done, Item
from t2c_engine.batch.request import PictureResult

WORKERS = (1, 10, 100, 1_000)
MILLION = 1_000_000


def do_nothing(items: list[Item], load: Any) -> list[Done]:
    """In place of coloring; its results are as large as real ones."""
    done = []
    for item in items:
        outputs = ((str(item.output.folder / item.plan.input.name), "0" * 32),)
        done.append(Done(PictureResult(item.plan.input), Outcome(item.plan.input, "0" * 32, 0.0, None, outputs)))
    return done


def serial_seconds(tasks: int) -> tuple[float, float]:
    """Wall and processor seconds a picture of client and scheduler together (one process here)."""
    run.color_items = do_nothing
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        (here / "scans").mkdir()
        for index in range(tasks):
            Image.fromarray(np.zeros((2, 2), np.uint8)).save(here / "scans" / f"{index:06}.png")
        job = AlbumJob((str(here / "scans"),), here / "out", auto=True, workers=2)
        with cluster_means(job, LOCAL) as means:
            started, busy = time.perf_counter(), time.process_time()
            items = run.job_items(job)
            with run.open_journal(job, items) as journal:
                done = sum(1 for _ in run.run_job(items, journal, means))
            assert done == tasks
            return (time.perf_counter() - started) / tasks, (time.process_time() - busy) / tasks


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=0.66, help="processor seconds of one picture")
    parser.add_argument("--megabytes", type=float, default=17.0, help="of one picture, read and written")
    parser.add_argument("--network", type=float, default=1_250.0, help="MB a second of the storage")
    values = parser.parse_args()
    wall, processor = serial_seconds(values.tasks)
    print(f"client and scheduler: {1e3 * wall:.2f} ms a picture, {1e3 * processor:.2f} ms of processor")
    bounds = {"scheduler": 1 / processor, "storage": values.network / values.megabytes}
    for workers in WORKERS:
        rates = {"workers": workers / values.seconds, **bounds}
        limit = min(rates, key=lambda name: rates[name])
        rate = rates[limit]
        print(f"{workers:5} workers: {rate:7.1f} pictures a second (bound by {limit}), "
              f"a million in {MILLION / rate / 3600:.1f} h")  # fmt: skip
    print(f"a million pictures: {MILLION * values.seconds / 3600:.0f} core hours, "
          f"{MILLION * values.megabytes / 1e6:.0f} TB read and written")  # fmt: skip


if __name__ == "__main__":
    main()
