"""Figures of diverse colourings as a set."""

from __future__ import annotations

import numpy as np
import pytest

from t2c_engine.color.lab import fit_gamut, lab_to_srgb
from t2c_engine.colorization.colorizer import Colorizer
from trainer.evaluation.colors import EvalPicture
from trainer.evaluation.diverse import ALIKE, PLAIN, evaluate_diverse, roughness, set_figures


def picture(a: float = 20.0) -> EvalPicture:
    """A wedge in one colour."""
    lightness = np.tile(np.linspace(30, 80, 160, dtype=np.float32), (160, 1))
    lab = fit_gamut(np.stack((lightness, np.full_like(lightness, a), np.full_like(lightness, 10)), -1))
    return EvalPicture("made/wedge.png", lab_to_srgb(lab), lab, np.zeros((5, 3), np.float32))


def shifted(one: EvalPicture, a: float) -> np.ndarray:
    return lab_to_srgb(fit_gamut(one.lab + np.array((0, a, 0), np.float32)))


def test_the_best_of_a_set_counts_and_its_members_distances() -> None:
    one = picture()
    figures = set_figures([shifted(one, 0), shifted(one, 6), shifted(one, -6)], one)
    assert figures["best_of_5"] == pytest.approx(0, abs=0.05)
    assert figures["single"] == pytest.approx(4, abs=0.3)
    assert figures["apart"] == pytest.approx(8, abs=0.5)
    assert "apart" not in set_figures([one.rgb], one)


def test_roughness_looks_at_pixels_that_are_alike_only() -> None:
    lightness = np.zeros((4, 6))
    lightness[:, 3:] = 50
    ab = np.zeros((4, 6, 2))
    ab[:, 3:] = 30
    assert roughness(ab, lightness) == 0, "colours change at an edge"
    ab[:, ::2, 0] += 2
    assert roughness(ab, lightness) == pytest.approx(2 * 16 / (16 + 18))
    assert roughness(ab[:1, :2], np.array([[0.0, ALIKE + 1]])) == 0


def test_the_plain_mixture_is_rougher_than_fields_and_less_apart() -> None:
    figures = evaluate_diverse(Colorizer.load(device="cpu"), [picture(), picture(-15.0)])
    assert set(figures) == {"grey", "automatic", "diverse-fields", PLAIN}
    ours, plain = figures["diverse-fields"], figures[PLAIN]
    assert ours["best_of_5"] <= ours["single"] and figures["automatic"]["best_to_automatic"] == 1
    assert plain["roughness_to_automatic"] > ours["roughness_to_automatic"] and ours["apart"] > plain["apart"]
    assert figures["grey"]["colourfulness_ratio"] < 0.01
