"""Where a job's pictures are colored: worker processes on this machine. `cluster` has the other way.

Must not import torch, networks or the command line.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

from t2c_engine.albums.job import AlbumJob
from t2c_engine.albums.run import WORKER_MB, Means, picture_budget, worker_count
from t2c_engine.albums.worker import Loader, prepare_worker
from t2c_engine.devices import has_cuda
from t2c_engine.pictures.threads import cores

_PART = 0.6  # of the memory that is free, used where the job does not say
GPU_BATCH = 8  # pictures that are encoded at once where there is a GPU
_MAX_TASKS = 500  # pictures after which a worker is replaced, so that memory in pieces is given back


@contextmanager
def local_means(job: AlbumJob, load: Loader | None = None) -> Iterator[Means]:
    """Worker processes, one thread each, as many as cores and memory allow."""
    workers, memory = local_shares(job)
    pools: list[ProcessPoolExecutor] = []

    def make() -> Executor:
        pool = ProcessPoolExecutor(
            workers, _context(), prepare_worker, (dict(os.environ),), max_tasks_per_child=_MAX_TASKS
        )
        pools.append(pool)
        return pool

    try:
        together = GPU_BATCH if job.device == "cuda" or (job.device == "auto" and has_cuda()) else 1
        yield Means(make, workers, picture_budget(memory, workers), load, together)
    finally:
        for pool in pools:
            pool.shutdown(wait=True, cancel_futures=True)


def _context() -> Any:
    """How workers are started: forked from a server that has torch loaded, once for all, where that is safe."""
    if not sys.platform.startswith("linux"):
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["t2c_engine.albums.preload"])
    return context


def local_shares(job: AlbumJob) -> tuple[int, int]:
    """Worker processes on this machine, and MB for all of them together."""
    memory = job.memory or round(_available_mb() * _PART)
    return worker_count(job.workers, memory, cores()), memory


def _available_mb() -> int:
    """Memory free for use; a guess where the system does not say."""
    try:
        with open("/proc/meminfo", encoding="ascii") as stream:
            values = dict(line.split(":", 1) for line in stream)
        return int(values["MemAvailable"].split()[0]) // 1024
    except (OSError, KeyError, ValueError):
        return 4 * WORKER_MB
