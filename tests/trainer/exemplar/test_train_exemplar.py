"""The transfer sub-net's trainer on pictures made on the spot: pairs, losses, resume, export, the paper's layout."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.colorization.exemplar import ColorTransfer, TransferInference
from t2c_engine.colorization.reference import Reference
from t2c_engine.errors import UsageError
from t2c_engine.networks.colorizer import ColorizerNet
from t2c_engine.networks.exemplar import ExemplarConfig
from tests.small_network import SMALL
from trainer.common.arguments import CONFIGS
from trainer.common.picture_data import PictureSet, load_pictures
from trainer.exemplar.config import TransferTrainConfig, read_transfer_config
from trainer.exemplar.data import NEIGHBOR, OWN, UNRELATED, PairBatch, draw_pairs, prepare
from trainer.exemplar.export import export_exemplar, read_transfer_use
from trainer.exemplar.losses import gram, style_loss
from trainer.exemplar.train import train_transfer

PICTURES = 10


@pytest.fixture(scope="module")
def colorizer() -> Colorizer:
    torch.manual_seed(0)
    return Colorizer(ColorizerNet(SMALL), "small", torch.device("cpu"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half of the pictures red above blue, half green above yellow; in brightness they are noise of two kinds."""
    path = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for index in range(PICTURES):
        light = rng.integers(60, 200, (20, 20) if index % 2 else (80, 80))
        light = np.asarray(Image.fromarray(light.astype(np.uint8)).resize((160, 160)))[..., None] / 255
        above, below = ((1, 0.3, 0.3), (0.3, 0.4, 1)) if index % 2 else ((0.3, 1, 0.3), (1, 1, 0.2))
        tint = np.where(np.arange(160)[:, None, None] < 80, above, below)
        Image.fromarray((255 * light * tint).astype(np.uint8)).save(path / f"p{index}.png")
    return path


@pytest.fixture(scope="module")
def config() -> TransferTrainConfig:
    read = read_transfer_config(CONFIGS / "exemplar.toml", steps=6)
    small = ExemplarConfig(widths=(8, 8, 8, 8), embedding=8)
    return replace(read, batch=4, crop=64, warmup=1, cooldown=2, network=small)


@pytest.fixture(scope="module")
def pictures(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> PictureSet:
    return load_pictures([folder], tmp_path_factory.mktemp("cache"))


def drawn(pictures: PictureSet, colorizer: Colorizer, config: TransferTrainConfig, **shares: float) -> PairBatch:
    pairs = replace(config.pairs, **{"own": 0.0, "neighbor": 0.0, "unrelated": 0.0, "least_similarity": -1.0, **shares})
    prepared = prepare(pictures, np.arange(PICTURES), colorizer, pairs)
    return draw_pairs(prepared, replace(config, pairs=pairs, batch=12), 3)


@pytest.mark.parametrize(("name", "kind"), [("own", OWN), ("neighbor", NEIGHBOR), ("unrelated", UNRELATED)])
def test_pairs_are_of_the_kind_asked_for(
    pictures: PictureSet, colorizer: Colorizer, config: TransferTrainConfig, name: str, kind: int
) -> None:
    batch = drawn(pictures, colorizer, config, **{name: 1.0})
    assert set(batch.kind.tolist()) == {kind}
    assert batch.lightness.shape == (12, 1, 64, 64) and batch.automatic.shape == (12, 2, 8, 8)
    assert batch.ab.shape == batch.reference_ab.shape == (12, 2, 32, 32)
    again = drawn(pictures, colorizer, config, **{name: 1.0})
    assert torch.equal(batch.reference_ab, again.reference_ab)


def test_joint_regrading_turns_target_and_reference_alike(
    pictures: PictureSet, colorizer: Colorizer, config: TransferTrainConfig
) -> None:
    plain = {"own": 1.0, "gain": 0.0, "shift": 0.0, "crops": (1.0, 1.0)}
    before = drawn(pictures, colorizer, config, **plain, joint=0.0)
    after = drawn(pictures, colorizer, config, **plain, joint=1.0)
    assert (before.ab.mean((2, 3)) - after.ab.mean((2, 3))).norm(dim=1).mean() > 3
    means = torch.cdist(after.ab.flatten(2).mT, after.reference_ab.flatten(2).mT).amin(2).mean()
    assert means < 3, "the target's colors are found in the reference"


def test_gram_matrices_tell_styles_apart_whatever_the_places() -> None:
    torch.manual_seed(2)
    layers = [torch.randn(2, 4, 6, 6).abs() for _ in range(8)]
    moved = [layer.flip(3) for layer in layers]
    assert style_loss(layers, moved).max() < 1e-8 < style_loss(layers, [layer.flip(0) for layer in layers]).min()
    assert gram(layers[0]).shape == (2, 4, 4)


def test_a_killed_run_goes_on_and_its_export_is_used(
    folder: Path, colorizer: Colorizer, config: TransferTrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    train_transfer(config, [folder], tmp_path / "whole", cache, colorizer=colorizer, save_every=2, show_every=6)
    train_transfer(
        replace(config, steps=4), [folder], tmp_path / "part", cache, colorizer=colorizer, save_every=2, show_every=9
    )
    part = torch.load(tmp_path / "part" / "checkpoint.pt", weights_only=True)
    assert part["step"] == 4 and not list((tmp_path / "part").glob("*.part"))
    train_transfer(config, [folder], tmp_path / "part", cache, colorizer=colorizer, save_every=2, show_every=9)
    whole, part = (torch.load(tmp_path / run / "checkpoint.pt", weights_only=True) for run in ("whole", "part"))
    assert part["step"] == 6 and whole["network"].keys() == part["network"].keys()
    lines = (tmp_path / "part" / "log.jsonl").read_text()
    assert lines == "" or json.loads(lines.splitlines()[-1])["step"] <= 6

    use = read_transfer_use(CONFIGS / "exemplar-inference.toml")
    card = export_exemplar(tmp_path / "part", tmp_path / "models", "mine", "1", "test", {"ab": 1.0}, use)
    assert card.kind == "exemplar" and card.conditions == ("reference",) and "folder" not in card.as_json()
    monkeypatch.setattr("t2c_engine.models.model_folders", lambda: [tmp_path / "models"])
    transfer = ColorTransfer.load(colorizer.encoder, torch.device("cpu"))
    grey = np.tile(np.linspace(0, 100, 64, dtype=np.float32), (64, 1))
    found = transfer.transfer(
        grey, np.zeros((64, 64, 2), np.float32), Reference(grey, np.ones((64, 64, 2), np.float32))
    )
    assert np.isfinite(found.ab).all() and 0 <= found.mask.min() <= found.mask.max() <= 1

    slow = replace(config, steps=1, learning_rate=1e-9)
    init = card.folder / card.file
    train_transfer(slow, [folder], tmp_path / "next", cache, colorizer=colorizer, init=init, show_every=9)
    begun = torch.load(tmp_path / "next" / "checkpoint.pt", weights_only=True)
    for name, value in part["average"].items():
        if name.endswith("weight"):
            torch.testing.assert_close(begun["network"][name.removeprefix("module.")], value, atol=2e-3, rtol=2e-3)


def test_the_documents_layout_learns_without_matching(folder: Path, colorizer: Colorizer, tmp_path: Path) -> None:
    read = read_transfer_config(CONFIGS / "exemplar-xu.toml", steps=2)
    assert not read.network.matching and read.network.colored and not read.network.confident
    assert (read.losses.reconstruction, read.losses.content, read.learning_rate) == (0.8, 0.2, 1e-3)
    small = replace(read, crop=64, network=replace(read.network, widths=(8, 8, 8, 8)))
    train_transfer(small, [folder], tmp_path / "run", tmp_path / "cache", colorizer=colorizer, show_every=9)
    state = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    assert state["step"] == 2 and not [name for name in state["network"] if name.startswith("matching")]


@pytest.mark.parametrize(("line", "words"), [("crop = 100", "multiple of 32"), ("speed = 1", "speed")])
def test_settings_that_cannot_be_used_are_refused(tmp_path: Path, line: str, words: str) -> None:
    text = (CONFIGS / "exemplar.toml").read_text()
    text = text.replace("crop = 128", line) if "crop" in line else line + "\n" + text
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(UsageError, match=words):
        read_transfer_config(tmp_path / "own.toml")


def test_runs_of_other_networks_are_not_exported(tmp_path: Path) -> None:
    torch.save({"config": json.dumps({"network": {}}), "average": {}, "step": 1}, tmp_path / "checkpoint.pt")
    with pytest.raises(UsageError, match="no transfer sub-net"):
        export_exemplar(tmp_path, tmp_path, "x", "1", "", {}, TransferInference())
