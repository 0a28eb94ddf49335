"""A job's pictures on a Dask cluster: one task a picture, the colorizer loaded once a worker, the journal here.

Inputs and output lie on storage that client and workers see under the same paths. Imported only where a scheduler is
named; needs the extra [cluster]. Must not import torch, networks or the command line.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import ExitStack, contextmanager
from typing import Any

from t2c_engine.albums.job import AlbumJob
from t2c_engine.albums.run import UNLIMITED, Means
from t2c_engine.albums.worker import Loader
from t2c_engine.errors import OutputError, UsageError
from t2c_engine.files import reason
from t2c_engine.pictures.threads import set_threads

LOCAL = "local"
_SLOTS = 2  # tasks a thread that are with the scheduler at once: a worker never waits for the next
_PATIENCE = 60.0  # seconds for the first worker to come


@contextmanager
def cluster_means(job: AlbumJob, scheduler: str, load: Loader | None = None) -> Iterator[Means]:
    """The workers of a scheduler ("tcp://host:8786"), or of one started here ("local": `workers` processes).

    Raises:
        UsageError: Dask is not installed, or there is no scheduler. OutputError: no worker comes.
    """
    try:
        import distributed
    except ImportError as error:
        raise UsageError("A cluster needs Dask; install it with: pip install 'text2colors[cluster]'.") from error
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # its news are not for users; ours are in the journal
    with ExitStack() as stack:
        if scheduler == LOCAL:
            scheduler = stack.enter_context(_local_cluster(job)).scheduler_address
        try:
            client: Any = stack.enter_context(distributed.Client(scheduler, timeout=_PATIENCE, set_as_default=False))
            client.wait_for_workers(1, timeout=_PATIENCE)
        except (OSError, ValueError) as error:
            if isinstance(error, TimeoutError) and "workers" in str(error):
                raise OutputError(f"The scheduler {scheduler} has no worker; start some, then try again.") from error
            raise UsageError(
                f"There is no Dask scheduler at {scheduler} ({reason(error)}); check the address."
            ) from error
        threads = sum(client.nthreads().values())
        executor = _ClusterExecutor(client)
        yield Means(lambda: executor, _SLOTS * threads, UNLIMITED, load)  # memory is for each worker to watch


def _local_cluster(job: AlbumJob) -> Any:
    from distributed import LocalCluster

    from t2c_engine.albums.executors import local_shares

    workers, memory = local_shares(job)
    options: Any = {"n_workers": workers, "threads_per_worker": 1, "memory_limit": f"{memory // workers}MB"}
    return LocalCluster(dashboard_address="127.0.0.1:0", **options)


def _alone(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function on a worker, which has one thread for pixels as torch has one by Dask's own settings."""
    set_threads(1)
    return fn(*args, **kwargs)


class _ClusterExecutor(Executor):
    """A Dask client as an executor. Dask tries a dead worker's task elsewhere, and gives up after some."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._executor = client.get_executor(pure=False)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        from distributed import KilledWorker

        ours: Future[Any] = Future()

        def finished(theirs: Future[Any]) -> None:
            if theirs.cancelled():
                ours.cancel()
                return
            error = theirs.exception()
            if isinstance(error, KilledWorker):
                ours.set_exception(BrokenExecutor(str(error)))
            elif error is not None:
                ours.set_exception(error)
            else:
                ours.set_result(theirs.result())

        self._executor.submit(_alone, fn, *args, **kwargs).add_done_callback(finished)
        return ours

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._executor.shutdown(wait=wait)
