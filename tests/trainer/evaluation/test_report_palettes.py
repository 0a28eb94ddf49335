"""Pictures of palettes, and palette models side by side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from t2c_engine.errors import ModelError
from tests.fakes import PaletteSampler
from tests.trainer.conftest import PaletteRun
from trainer.evaluation.compare_palettes import compare_models
from trainer.evaluation.report_palettes import PAPER_PHRASES, ab_page, palette_page
from trainer.palettes.data import TextColors, hex_to_lab


def test_a_page_shows_true_palettes_where_there_are_some(tmp_path: Path) -> None:
    sampler = PaletteSampler()
    sampler.name = "fake"  # type: ignore[attr-defined]
    row = TextColors("White  Rose", hex_to_lab(["#ff0001", "#00ff02", "#0300ff", "#fefefe", "#010203"]), "pat")
    palette_page(tmp_path / "plain.png", sampler)  # type: ignore[arg-type]
    palette_page(tmp_path / "true.png", sampler, [row])  # type: ignore[arg-type]
    plain, true = (Image.open(tmp_path / name) for name in ("plain.png", "true.png"))
    assert true.width > plain.width and true.height == plain.height > 40 * len(PAPER_PHRASES)
    colors = {color for _, color in true.getcolors(1 << 24) or []}
    assert {(255, 0, 1), (0, 255, 2), (3, 0, 255)} <= colors


def test_distributions_are_plotted_side_by_side(tmp_path: Path) -> None:
    lab = np.random.default_rng(0).uniform((20, -60, -60), (90, 60, 60), (500, 3))
    ab_page(tmp_path / "one.png", {"some": lab})
    ab_page(tmp_path / "two.png", {"some": lab, "grey": lab * [1, 0, 0]})
    one, two = (Image.open(tmp_path / name) for name in ("one.png", "two.png"))
    assert two.width > 1.8 * one.width and two.height == one.height
    assert len(one.getcolors(1 << 24) or []) > 100


def test_models_are_compared_best_first(palette_run: PaletteRun, untrained_run: PaletteRun, tmp_path: Path) -> None:
    figures = compare_models([untrained_run.folder, palette_run.folder], palette_run.data, tmp_path / "ab.png")
    assert set(figures) == {"untrained", "tiny"}
    assert figures["tiny"]["single"] < figures["untrained"]["single"]
    divergences = [one["ab_kl"] for one in figures.values()]
    assert divergences == sorted(divergences) and Image.open(tmp_path / "ab.png").width > 500
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match="No exported model"):
        compare_models([tmp_path / "empty"], palette_run.data, tmp_path / "ab.png")
