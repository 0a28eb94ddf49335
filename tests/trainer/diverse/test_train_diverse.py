"""Training of diverse colours on pictures made on the spot: losses, runs that resume exactly, export, refusals."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.distributions import LowRankMultivariateNormal
from typer.testing import CliRunner

from t2c_engine.color.lab import lab_to_srgb
from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.colorization.diverse_colors import ColorFieldSampler
from t2c_engine.errors import UsageError
from t2c_engine.networks.diverse import FieldDistribution
from trainer.cli import app
from trainer.common.arguments import CONFIGS
from trainer.common.checkpoints import load_checkpoint
from trainer.diverse.config import DiverseTrainConfig, read_diverse_config
from trainer.diverse.export import export_diverse
from trainer.diverse.losses import (
    FieldStatistics,
    draws_colorfulness,
    field_losses,
    mixture_loss,
    nearest_distance,
    negative_log_likelihood,
)
from trainer.diverse.train import train_diverse

NAMES = ("diverse", "diverse-paper")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wedges that are red or green, which their lightness does not tell."""
    path = tmp_path_factory.mktemp("pictures")
    wedge = np.tile(np.linspace(20, 80, 160), (160, 1))
    for index in range(12):
        ab = np.full((160, 160), 40.0 if index % 2 else -40.0)
        lab = np.stack((wedge + index, ab, ab * 0 + 5), -1)
        Image.fromarray((lab_to_srgb(lab) * 255).round().astype(np.uint8)).save(path / f"{index:02d}.png")
    return path


def config(name: str, steps: int, first_steps: int) -> DiverseTrainConfig:
    settings = read_diverse_config(CONFIGS / f"{name}.toml")
    small = {"factors": 4, "width": 16, "fine_width": 8} if name == "diverse" else {"code": 8, "width": 8, "hidden": 16}
    return replace(
        settings, steps=steps, first_steps=first_steps, cooldown=2, warmup=2, batch=4, pictures=12, network=small,
        sampling=replace(settings.sampling, candidates=8),
    )  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(name: str, pictures: Path, tmp_path: Path) -> None:
    wanted = config(name, 8, 4)
    train_diverse(wanted, [pictures], tmp_path / "whole", tmp_path / "cache")
    # what is stopped after step 6 has the same schedule
    _stopped_after(wanted, 6, pictures, tmp_path / "parts", tmp_path / "cache")
    train_diverse(wanted, [pictures], tmp_path / "parts", tmp_path / "cache")
    whole, parts = (load_checkpoint(tmp_path / one, "cpu") for one in ("whole", "parts"))
    assert whole is not None and parts is not None and whole["step"] == parts["step"] == 8
    for key, value in whole["average"].items():
        assert torch.equal(value, parts["average"][key]), key
    card = export_diverse(tmp_path / "parts", tmp_path / "models")
    assert card.kind == "diverse" and card.default is (name == "diverse") and card.figures["steps"] == 8
    assert any("EfficientNet" in line for line in card.data)


def test_a_run_may_start_from_exported_weights_and_then_leaves_the_first_part_out(
    pictures: Path, tmp_path: Path
) -> None:
    first = config("diverse", 2, 2)
    train_diverse(first, [pictures], tmp_path / "first", tmp_path / "cache")
    card = export_diverse(tmp_path / "first", tmp_path / "first")
    (tmp_path / "settings.toml").write_text(_settings_of(first))
    arguments = [str(pictures), "-o", str(tmp_path / "next"), "--cache", str(tmp_path / "cache"), "--device", "cpu"]
    arguments += ["--init", str(card.folder / card.file), "--config", str(tmp_path / "settings.toml")]
    result = CliRunner().invoke(app, ["diverse", *arguments, "--steps", "1", "--pictures", "8"])
    assert result.exit_code == 0, result.output
    state = load_checkpoint(tmp_path / "next", "cpu")
    assert state is not None
    used = json.loads(state["config"])
    assert (used["steps"], used["first_steps"], used["pictures"]) == (1, 0, 8)
    before = load_checkpoint(tmp_path / "first", "cpu")
    assert before is not None
    for name, value in before["average"].items():
        if value.is_floating_point():
            torch.testing.assert_close(state["average"][name], value, atol=3e-2, rtol=0.05)


def _settings_of(settings: DiverseTrainConfig) -> str:
    """As TOML."""
    tables = {name: value for name, value in asdict(settings).items() if isinstance(value, dict)}
    plain = [f"{name} = {json.dumps(value)}" for name, value in asdict(settings).items() if name not in tables]
    for name, table in tables.items():
        plain += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    return "\n".join(plain)


def _stopped_after(wanted: DiverseTrainConfig, steps: int, pictures: Path, out: Path, cache: Path) -> None:
    """Train and stop early, as a person does who presses Ctrl-C after a save."""
    from trainer.diverse import train

    taken = 0

    def interrupt(sequence, total, description):
        nonlocal taken
        for one in sequence:
            if taken == steps:
                raise KeyboardInterrupt
            taken += 1
            yield one

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "SAVE_EVERY", steps)
        patch.setattr(train, "track", interrupt)
        with pytest.raises(KeyboardInterrupt):
            train_diverse(wanted, [pictures], out, cache)


def test_the_command_trains_validates_exports_and_its_model_colors(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held_out = tmp_path / "held-out"
    held_out.mkdir()
    for path in sorted(pictures.glob("*.png"))[:3]:
        Image.open(path).rotate(90).save(held_out / f"held-{path.name}")
    text = (CONFIGS / "diverse.toml").read_text("utf-8").replace("batch = 32", "batch = 4")
    (tmp_path / "settings.toml").write_text(text, "utf-8")
    run = CliRunner().invoke(
        app,
        [
            "diverse",
            str(pictures),
            "-o",
            str(tmp_path / "run"),
            "--config",
            str(tmp_path / "settings.toml"),
            "--steps",
            "3",
            "--validation",
            str(held_out),
            "--cache",
            str(tmp_path / "cache"),
            "--device",
            "cpu",
        ],
    )
    assert run.exit_code == 0, run.output
    logged = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    figures = next(line["validation"] for line in logged if "validation" in line)
    assert 0 < figures["best_of_5"] <= figures["single"] and figures["apart"] > 0
    assert Image.open(tmp_path / "run" / "sheet.png").width > 600
    monkeypatch.setenv("T2C_MODELS", str(tmp_path / "run"))
    colorizer, light = Colorizer.load(device="cpu"), np.tile(np.linspace(20, 80, 160, dtype=np.float32), (160, 1))
    encoding = colorizer.encode(light)
    maps = ColorFieldSampler.load("diverse-fields").draw(colorizer, encoding, light, 2, 0)
    assert len(maps) == 2 and all(np.isfinite(one).all() for one in maps)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("architecture = 'gan'", "architecture"),
        ("steps = 5", "must be given"),
        ("other = 1", "no other"),
        ("=", "cannot be read"),
    ],
)
def test_settings_that_cannot_be_are_refused(text: str, words: str, tmp_path: Path) -> None:
    whole = (CONFIGS / "diverse.toml").read_text("utf-8")
    if text.startswith("architecture"):
        text = whole.replace('architecture = "low-rank"', text)
    elif text.startswith("other"):
        text = f"{text}\n{whole}"
    (tmp_path / "settings.toml").write_text(text, "utf-8")
    with pytest.raises(UsageError, match=words):
        read_diverse_config(tmp_path / "settings.toml")


def test_too_few_pictures_and_one_set_for_both_are_refused(pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="fewer than a batch"):
        few = replace(config("diverse", 2, 1), batch=20, pictures=20)
        train_diverse(few, [pictures], tmp_path / "run", tmp_path / "cache")
    with pytest.raises(UsageError, match="for training and for validation"):
        train_diverse(config("diverse", 2, 1), [pictures], tmp_path, tmp_path, validation=[pictures])


# losses


def test_the_likelihood_is_that_of_a_low_rank_gaussian() -> None:
    generator = torch.Generator().manual_seed(3)
    mean, ab = (torch.randn(2, 2, 3, 4, generator=generator) for _ in range(2))
    factors, noise = torch.randn(2, 5, 2, 3, 4, generator=generator), torch.randn(2, 1, 3, 4, generator=generator)
    found = negative_log_likelihood(FieldDistribution(mean, factors, noise), ab)
    diagonal = noise.exp().expand(-1, 2, -1, -1).flatten(1)
    known = LowRankMultivariateNormal(mean.flatten(1), factors.flatten(2).transpose(1, 2), diagonal)
    constant = math.log(2 * math.pi) / 2
    assert float(found) == pytest.approx(float(-known.log_prob(ab.flatten(1)).mean()) / 24 - constant, abs=1e-4)


def test_only_the_nearest_draw_learns() -> None:
    draws = torch.tensor([10.0, 3.0])[None, :, None, None, None].expand(1, 2, 2, 4, 4).clone().requires_grad_()
    nearest_distance(draws, torch.zeros(1, 2, 4, 4)).backward()
    assert draws.grad is not None and float(draws.grad[0, 0].abs().sum()) == 0 and float(draws.grad[0, 1].sum()) > 0


def test_colorfulness_is_missed_by_paler_and_by_more_vivid_draws() -> None:
    ab = 20 * torch.randn(1, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    same, pale, vivid = (float(draws_colorfulness(gain * ab[:, None], ab)) for gain in (1.0, 0.5, 1.5))
    assert same < 1e-3 and pale > 3 and vivid > 3


def test_the_documents_losses_are_zero_for_the_true_field_and_weigh_rare_colors_more() -> None:
    generator = torch.Generator().manual_seed(1)
    fields = torch.randn(40, 2, 16, 16, generator=generator) * 4
    fields[:, 0, :2, :2] = 70.0  # a rare red
    statistics = FieldStatistics.of(fields)
    assert all(float(value) == 0 for value in field_losses(fields, fields, statistics, 50.0).values())
    rare, common = fields.clone(), fields.clone()
    rare[:, :, 0, 0] += 5
    common[:, :, 9, 9] += 5
    errors = [float(field_losses(one, fields, statistics, 50.0)["field"]) for one in (rare, common)]
    assert errors[0] > 3 * errors[1]


def test_the_mixture_moves_its_nearest_gaussian_to_the_code() -> None:
    means = torch.zeros(1, 3, 2)
    means[0, 1] = torch.tensor([1.0, 1.0])
    means.requires_grad_()
    weights = torch.zeros(1, 3, requires_grad=True)
    mixture_loss(weights.log_softmax(1), means, torch.tensor([[1.2, 1.0]]), 0.1).backward()
    assert means.grad is not None and weights.grad is not None
    assert float(means.grad[0, 1, 0]) < 0 and float(means.grad[0, 0].abs().sum()) == 0
    assert float(weights.grad[0, 1]) < 0 < float(weights.grad[0, 0])
