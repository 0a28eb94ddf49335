"""The papers' networks beside the shipped one, on pictures made on the spot."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from t2c_engine.color.lab import lab_to_srgb
from t2c_engine.errors import UsageError
from trainer.cli import app
from trainer.evaluation.compare_colors import GROUPS, paper_method
from trainer.papers.train_colorizer import read_paper_config, train_paper_colors


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three pictures a group, and as many to train on, of soft colours."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(3)
    for name in (*(f"images/eval/{group}" for group in GROUPS.values()), "training"):
        (folder / name).mkdir(parents=True)
        for index in range(3):
            lab = np.kron(rng.uniform((20, -40, -40), (85, 40, 40), (6, 7, 3)), np.ones((24, 24, 1)))
            picture = Image.fromarray((lab_to_srgb(lab) * 255).round().astype(np.uint8))
            picture.save(folder / name / f"{index}.png")
    return folder


def test_runs_stand_beside_the_shipped_network_and_the_references(data: Path, tmp_path: Path) -> None:
    for method in ("pcn", "classifier"):
        settings = Path(f"trainer/configs/{method}-paper.toml")
        config = read_paper_config(settings, steps=2, batch=2, crop=64, width=4)
        assert config is not None
        train_paper_colors(config, [data / "training"], tmp_path / method, tmp_path / "cache")
    runs = [str(tmp_path / name) for name in ("pcn", "classifier")]
    sheets = tmp_path / "sheets"
    run = CliRunner().invoke(app, ["compare-colors", str(data), *runs, "--sheets", str(sheets)])
    assert run.exit_code == 0, run.output
    figures = json.loads(run.output)
    assert set(figures) == set(GROUPS)
    for group in figures.values():
        assert set(group) == {"shipped", "pcn", "classifier", "nearest_lightness", "grey"}
        assert group["nearest_lightness"]["ab_error_to_nearest"] == 1
        assert group["shipped"]["ab_error"] < group["pcn"]["ab_error"], "two steps teach nothing"
        assert group["classifier"]["contrast"] < 1e-3 < group["shipped"]["contrast"], "it sees no palette"
    with Image.open(sheets / "birds.png") as sheet:
        assert sheet.width == 9 * 160 and sheet.height > 3 * 160


def test_a_folder_without_such_a_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="train first"):
        paper_method(tmp_path)
