"""Worker processes of this machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from t2c_engine.albums.executors import local_means
from t2c_engine.albums.job import AlbumJob


def test_workers_have_the_environment_that_the_job_is_started_in(monkeypatch: pytest.MonkeyPatch) -> None:
    job = AlbumJob(("scans",), Path("out"), auto=True, workers=1)
    found = []
    for value in ("first", "second"):
        monkeypatch.setenv("T2C_MODELS", value)
        with local_means(job) as means, means.make_executor() as pool:
            found.append(
                (pool.submit(os.getenv, "T2C_MODELS").result(), pool.submit(os.getenv, "OMP_NUM_THREADS").result())
            )
    assert found == [("first", "1"), ("second", "1")]
