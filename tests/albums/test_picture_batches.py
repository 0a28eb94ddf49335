"""Pictures that are encoded together, as on a GPU: forced on the processor, and compared with one by one."""

from __future__ import annotations

from concurrent.futures import BrokenExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from t2c_engine.albums import worker
from t2c_engine.albums.executors import GPU_BATCH, local_means
from t2c_engine.albums.run import Means, job_items, open_journal, run_job
from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.palettes.palette import Palette
from tests import fakes
from tests.album_jobs import album, files
from tests.command_line import HEX, photo
from tests.inline_executor import Inline

PALETTE = Palette.from_hex(HEX)


@pytest.mark.parametrize("scales", [(1.0,), (1.0, 0.7)])
def test_pictures_encoded_together_have_the_colors_of_each_alone(scales: tuple[float, ...]) -> None:
    colorizer = Colorizer.load(None, "cpu")
    colorizer.inference = replace(colorizer.inference, scales=scales)
    rng = np.random.default_rng(0)
    sizes = ((64, 96), (60, 90), (96, 64), (64, 96), (128, 64))  # the first, second and fourth are padded to one size
    pictures = [rng.uniform(0, 100, size).astype(np.float32) for size in sizes]
    together = colorizer.encode_many(pictures)
    for picture, encoding in zip(pictures, together, strict=True):
        alone = colorizer.encode(picture)
        assert (encoding.height, encoding.width) == (alone.height, alone.width)
        for of in (lambda one: colorizer.color(one, [PALETTE, None]), lambda one: [colorizer.automatic(one)]):
            for ab, expected in zip(of(encoding), of(alone), strict=True):
                assert np.abs(ab - expected).max() < 0.05 and np.abs(expected).max() > 1


def color(together: int, out: str, executor: Any = Inline) -> list[str]:
    """Files of a job whose workers are given so many pictures at once; sentences of those that fail."""
    job = replace(album(), output=Path(out))
    items = job_items(job, (PALETTE,))
    with open_journal(job, items) as journal:
        means = Means(executor, 2, 1 << 30, together=together)
        return sorted(one.error or one.results[0].path.name for one in run_job(items, journal, means))


@pytest.fixture
def scans(fake_networks: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_colorizers", {})
    monkeypatch.setattr(fakes.Colorizer, "batches", [])
    for index in range(10):
        photo(f"scans/{index}.jpg")
    Path("scans/4.jpg").write_bytes(b"no picture")


@pytest.mark.usefixtures("scans")
def test_a_job_in_batches_writes_the_same_files() -> None:
    alone, together = color(1, "alone"), color(4, "together")
    assert fakes.Colorizer.batches == [3, 3, 4] or sum(fakes.Colorizer.batches) == 9
    assert alone == together and len(files("alone")) == 9
    for name in files("alone"):
        assert Path("alone", name).read_bytes() == Path("together", name).read_bytes()


@pytest.mark.usefixtures("scans")
def test_a_batch_whose_worker_dies_is_done_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    real, sizes = worker.color_items, []

    def color_items(items: list[worker.Item], load: Any) -> list[worker.Done]:
        sizes.append(len(items))
        if any(item.plan.input.name == "2.jpg" for item in items):
            raise BrokenExecutor
        return real(items, load)

    monkeypatch.setattr("t2c_engine.albums.run.color_items", color_items)
    told = color(4, "out")
    assert sum("ended its worker process" in one for one in told) == 1 and len(files("out")) == 8
    assert sizes[0] == 4 and sizes.count(1) >= 3


def test_batches_are_for_gpus() -> None:
    for device, expected in (("cpu", 1), ("cuda", GPU_BATCH)):
        with local_means(album(device=device, workers=1)) as means:
            assert means.together == expected
