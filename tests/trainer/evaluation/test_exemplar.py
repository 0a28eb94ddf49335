"""Figures of color from a reference: the histogram distance, and which pairs are measured how."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.colorization.exemplar import ColorTransfer
from t2c_engine.networks.colorizer import ColorizerNet
from t2c_engine.networks.exemplar import ExemplarConfig, ExemplarNet
from tests.small_network import SMALL
from trainer.evaluation.color_metrics import histogram_distance
from trainer.evaluation.exemplar import evaluate_exemplar, pair_sets


def test_the_histogram_distance_is_the_way_that_colors_move() -> None:
    rng = np.random.default_rng(0)
    ab = rng.uniform(-30, 30, (40, 50, 2))
    assert histogram_distance(ab, ab[::-1]) == pytest.approx(0, abs=1e-9)
    assert histogram_distance(ab, ab[:20] + np.array([20, 0])) == pytest.approx(20, abs=2)
    one, other = np.zeros((4, 4, 2)), np.zeros((4, 4, 2))
    other[:2] = (30, 40)
    assert histogram_distance(one, other) == pytest.approx(25)


class NoDistance:
    def __call__(self, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return (one - other).abs().mean()[None]


def test_pairs_go_each_way_but_for_grey_references(tmp_path) -> None:
    colors = {"a_1": (200, 80, 60), "a_2": (60, 90, 200), "b_1": (120, 120, 120), "b_2": (60, 160, 70)}
    for folder in ("exemplar_pairs", "bsds500_test50", "dtd_patterns"):
        (tmp_path / folder).mkdir()
        for name, color in colors.items():
            pixels = np.full((64, 64, 3), color, np.uint8)
            pixels[::2] //= 2
            Image.fromarray(pixels).save(tmp_path / folder / f"{name}.png")
    sets = pair_sets(tmp_path)
    assert [(one.target.name[-7:-4], one.reference.name[-7:-4], one.true) for one in sets["pairs"]] == [
        ("a_1", "a_2", True),
        ("a_2", "a_1", True),
        ("b_1", "b_2", False),
    ]
    assert len(sets["own"]) == 4 and len(sets["unrelated"]) == 4
    colorizer = Colorizer(ColorizerNet(SMALL), "small", torch.device("cpu"))
    small = ExemplarNet(ExemplarConfig(widths=(8, 8, 8, 8), embedding=8))
    colorizer.use_transfer(ColorTransfer(small, colorizer.encoder, "small", colorizer.device))
    figures = evaluate_exemplar(colorizer, tmp_path, NoDistance(), limit=1)  # pyright: ignore[reportArgumentType]
    assert set(figures) == {"pairs", "own", "unrelated", "time"} and figures["pairs"]["pairs"] == 1
    for method in ("grey", "automatic", "palette", "transfer", "reference", "reference_refined"):
        assert set(figures["own"][method]) == {"histogram", "colorfulness", "ab_error", "perceptual"}
    assert figures["time"]["processor"] > 0
