"""Figures of looks on looks whose effect is known, with a judge of mean colors and a plain distance."""

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from PIL import Image

from t2c_engine.color.lab import lab_to_srgb, srgb_to_lab
from tests import fakes
from tests.look_models import make_look
from trainer.evaluation.colors import EvalPicture
from trainer.evaluation.looks.figures import TruePictures, edge_strength, evaluate_looks
from trainer.evaluation.looks.judge import LookFeatures, LookJudge
from trainer.evaluation.looks.sheets import look_sheet
from trainer.looks.sorting import Domain

RNG = np.random.default_rng(0)


def toned(a: float, b: float) -> np.ndarray:
    """64 x 64 Lab of blocks around one colour."""
    lightness = np.kron(RNG.uniform(35, 70, (8, 8)), np.ones((8, 8)))
    noise = np.kron(RNG.normal(0, 1.5, (8, 8, 2)), np.ones((8, 8, 1)))
    return np.concatenate((lightness[..., None], noise + np.array((a, b))), -1).astype(np.float32)


def mean_color(rgb: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(srgb_to_lab(rgb).mean((0, 1))).float()


class Pixels:
    """Features that are the pixels themselves."""

    def features(self, rgb: torch.Tensor) -> list[torch.Tensor]:
        return [rgb]


def truth(name: str, a: float, b: float) -> TruePictures:
    pictures = [toned(a, b) for _ in range(12)]
    return TruePictures(Domain(name, name), tuple(pictures[:8]), tuple(pictures[8:]))


@pytest.fixture
def figures(tmp_path, monkeypatch, fake_networks):
    """Of "red" and "blue", which move automatic colours that far, and "none", which moves nothing."""
    from t2c_engine.colorization import encoded_picture

    decoding = encoded_picture.Decoding.DIRECT  # the fake's own colour is (1, 6), within sRGB everywhere
    monkeypatch.setattr(fakes.Colorizer, "automatic", lambda self, e, d=decoding, h=None: self.color(e, [None], h)[0])
    make_look(tmp_path / "models", "red", (16.0, 4.0))
    make_look(tmp_path / "models", "blue", (4.0, -20.0))
    make_look(tmp_path / "models", "none", (0.0, 0.0))
    pictures = []
    for index in range(3):
        lab = toned(2, 9)
        pictures.append(EvalPicture(f"{index}", lab_to_srgb(lab), lab, lab[::13, 5][:5]))
    others = [truth("red", 17, 10), truth("blue", 5, -14)]
    return evaluate_looks(
        cast(Any, fakes.Colorizer()),
        pictures,
        others,
        cast(Any, Pixels()),
        [truth("none", 1, 6), truth("absent", 1, 6)],
        features=mean_color,  # type: ignore[arg-type]
    )


def test_tonings_are_judged_told_apart_and_compared_with_the_truth(figures):
    together, looks = figures["tonings"], figures["looks"]
    assert together["judged"] == 1.0 and together["judged_true"] == 1.0 and together["judged_error"] == 0
    assert "absent" not in looks, "it is not installed"
    assert together["pairs_least"] == pytest.approx(np.hypot(12, 24), abs=1.5)
    assert looks["none"]["perceptual_to_automatic"] == pytest.approx(1.0, abs=0.02)
    assert looks["none"]["ab_from_automatic"] < 0.5 and looks["none"]["identity"] < 1.5
    assert looks["red"]["perceptual_to_automatic"] > 1.5, "the pictures are not red"
    assert looks["red"]["own_perceptual_to_automatic"] < 1, "true red pictures are nearer to red than automatic ones"
    assert looks["blue"]["identity"] == pytest.approx(np.hypot(4, 20), abs=1.5), "this look does not leave its own kind"


def test_sharp_and_blurred_edges_are_told_apart_however_faint():
    lab = toned(0, 0)
    lab[:, 32:, 1] += 20
    edges = np.zeros((64, 64), bool)
    edges[:, 31:33] = True
    faint, blurred = lab.copy(), lab.copy()
    faint[..., 1:] *= 0.3
    blurred[..., 1] = np.interp(np.arange(64), [12, 52], [0, 20])[None]
    assert edge_strength(faint, edges) == pytest.approx(edge_strength(lab, edges), rel=1e-3)
    assert edge_strength(blurred, edges) < 0.3 * edge_strength(lab, edges)


def test_the_judge_sees_color_through_the_layers_it_looks_at():
    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self._conv_stem = torch.nn.Conv2d(3, 8, 3, 2)
            self._blocks = torch.nn.ModuleList(torch.nn.Conv2d(8, 8, 3) for _ in range(3))

        def extract_features(self, x: torch.Tensor) -> torch.Tensor:
            x = self._conv_stem(x)
            for block in self._blocks:
                x = torch.relu(block(x))
            return x

    features = LookFeatures(Network().eval())
    shown = [(lab_to_srgb(toned(a, b)), number) for number, (a, b) in enumerate([(15, 5), (0, -20)]) for _ in range(12)]
    judge = LookJudge.fit(features, shown[::2], 2)
    assert all(judge.domain(rgb) == number for rgb, number in shown[1::2])


def test_a_sheet_shows_every_picture_in_every_look(fake_networks, tmp_path):
    make_look(tmp_path / "models", "red", (16.0, 4.0))
    Image.fromarray(np.full((40, 60), 128, np.uint8)).save("a.png")
    path = look_sheet([Path("a.png"), Path("a.png")], Path("looks.jpg"), fakes.Colorizer())  # type: ignore[arg-type]
    sheet = np.asarray(Image.open(path).convert("RGB"), int)
    assert sheet.shape == (16 + 2 * 150, 3 * 150, 3)
    grey, red = sheet[16 + 75, 75], sheet[16 + 75, 2 * 150 + 75]
    assert np.ptp(grey) < 6 and red[0] - red[1] > 25
