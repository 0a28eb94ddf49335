"""Album jobs for tests: over folders of the working directory, by workers in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from t2c_engine.albums import worker
from t2c_engine.albums.job import AlbumJob
from t2c_engine.albums.journal import NAME
from t2c_engine.albums.run import Means, job_items, open_journal, run_job
from t2c_engine.batch.request import PictureResult
from t2c_engine.palettes.palette import Palette
from tests.command_line import HEX
from tests.inline_executor import Inline


@pytest.fixture(autouse=True)
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker processes, and no colorizer of an earlier test."""
    from contextlib import nullcontext

    from t2c_engine.albums import executors

    monkeypatch.setattr(worker, "_colorizers", {})
    monkeypatch.setattr(executors, "local_means", lambda job: nullcontext(Means(Inline, 2, 1 << 30)))


def album(**options: Any) -> AlbumJob:
    values: dict[str, Any] = {"inputs": ("scans",), "output": Path("out"), "palette": HEX, **options}
    if "phrase" in options or "captions" in options or "auto" in options:
        values["palette"] = None
    return AlbumJob(**values)


def run(job: AlbumJob, retry_failed: bool = False) -> list[PictureResult]:
    palettes = (Palette.from_hex(HEX),) if job.palette else ()
    items = job_items(job, palettes)
    with open_journal(job, items, retry_failed) as journal:
        return list(run_job(items, journal, Means(Inline, 2, 1 << 30)))


def files(folder: str | Path) -> list[str]:
    """Files of a folder and below, but the journal."""
    found = (path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file())
    return sorted(name for name in found if name != NAME)
