"""A job on a Dask cluster whose workers are killed in the middle."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any, cast

import pytest

from t2c_engine.albums.cluster import cluster_means
from t2c_engine.albums.job import AlbumJob
from t2c_engine.albums.journal import Journal
from t2c_engine.albums.run import job_items, open_journal, run_job
from t2c_engine.errors import UsageError
from t2c_engine.palettes.palette import Palette
from tests import fakes
from tests.command_line import HEX, photo

pytest.importorskip("distributed")
pytestmark = pytest.mark.usefixtures("fake_networks")


@pytest.mark.slow
def test_workers_killed_in_turn_lose_and_double_nothing():
    import distributed

    for index in range(30):
        photo(f"scans/{index:02}.png", (40, 30), least=index)
    here = Path().absolute()
    job = AlbumJob((str(here / "scans"),), here / "out", palette="x")
    items = job_items(job, (Palette.from_hex(HEX),))
    results = []
    cluster: Any = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=cast(str, None))
    client: Any = distributed.Client(cluster, set_as_default=False)
    with (
        cluster,
        client,
        cluster_means(job, cluster.scheduler_address, fakes.load) as means,
        open_journal(job, items) as journal,
    ):
        victims = list(client.run(os.getpid).values())
        for result in run_job(items, journal, means):
            results.append(result)
            if len(results) in (4, 12):
                os.kill(victims.pop(), signal.SIGKILL)
    assert [one.error for one in results] == [None] * 30
    assert len({one.input for one in results}) == 30 and not victims
    assert sorted(path.name for path in (here / "out").glob("*.png")) == [f"{index:02}-1.png" for index in range(30)]
    with Journal(here / "out") as journal:
        assert journal.counts()["done"] == 30


def test_a_scheduler_that_is_not_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("t2c_engine.albums.cluster._PATIENCE", 1.0)
    job = AlbumJob(("scans",), Path("out"), palette="x")
    with pytest.raises(UsageError, match="no Dask scheduler"), cluster_means(job, "tcp://127.0.0.1:1"):
        pass
