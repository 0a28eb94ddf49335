"""What CycleGAN and StarGAN runs share: settings, averages, the loop, exact resume, curves and sheets.

A step draws its data and chance from (seed, step) alone. Must not import data that is not handed in.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from t2c_engine.color.lab import fit_gamut, lab_to_srgb
from t2c_engine.errors import UsageError
from t2c_engine.networks.look_generator import LookConfig, LookGenerator, Transform
from trainer.common.checkpoints import CHECKPOINT, Stateful, load_checkpoint, restore, save_checkpoint, states_of
from trainer.common.run_log import RunLog, track
from trainer.common.schedule import learning_rate
from trainer.common.settings import build_settings, read_settings
from trainer.looks.data import Sample

BETAS = (0.5, 0.999)


@dataclass(frozen=True, slots=True)
class LookWeights:
    """Weight of each loss, 0 and up. `cycle` is StarGAN's reconstruction.

    typical: distance from the colours of true pictures. Of StarGAN alone: classification, by its discriminator;
    recognition, by a classifier fitted to true pictures; content, the distance of its features from the input's.
    """

    adversarial: float
    cycle: float
    identity: float
    smoothness: float
    typical: float
    classification: float
    recognition: float
    content: float


@dataclass(frozen=True, slots=True)
class LookTrainConfig:
    """Settings of a run; the fields are explained in configs/cyclegan.toml."""

    steps: int
    warmup: int
    cooldown: int
    batch: int
    learning_rate: float
    ema: float
    critic_width: int
    critic_levels: int
    grey_kernel: int
    detail: int
    save_every: int
    show_every: int
    seed: int
    losses: LookWeights
    network: LookConfig


def read_look_config(path: Path, network: Mapping[str, Any], **changes: Any) -> LookTrainConfig:
    """A TOML file's settings; `network` and `changes` that are not None win over the file's.

    Raises:
        UsageError: the file cannot be read, lacks a setting, or names one that does not exist.
    """
    table = read_settings(path)
    sizes = {**table.get("network", {}), **{k: v for k, v in network.items() if v is not None}}
    try:
        table["network"] = LookConfig(**sizes)
    except (TypeError, ValueError) as error:
        raise UsageError(f"The settings in [network] of {path} cannot be used: {error}.") from error
    table["losses"] = build_settings(LookWeights, table.get("losses", {}), path, "losses")
    config = build_settings(LookTrainConfig, table | {k: v for k, v in changes.items() if v is not None}, path)
    if min(config.steps, config.save_every, config.show_every, config.detail) < 1:
        raise UsageError(f"steps, save_every, show_every and detail in {path} must be 1 or more.")
    if config.network.side % 2**config.critic_levels:
        raise UsageError(f"The side of {config.network.side} px must be a multiple of {2**config.critic_levels}.")
    return config


class Run(Protocol):
    """A method's networks and step."""

    config: LookTrainConfig

    @property
    def losses(self) -> tuple[str, ...]:
        """Names of what `step` returns."""
        ...

    @property
    def parts(self) -> dict[str, Stateful]:
        """All that a checkpoint keeps, by name."""
        ...

    def step(self, step: int) -> dict[str, float]:
        """One step of all optimisers; all losses."""
        ...

    def sheet(self, path: Path) -> None:
        """Pictures in the look as it is now."""
        ...


def train_run(run: Run, out: Path, facts: Mapping[str, Any]) -> Path:
    """Train until the settings' steps, from the folder's checkpoint if there is one; returns its path.

    Args:
        facts: what the export needs to know besides the networks; kept in the checkpoint as JSON.

    Raises:
        UsageError: the checkpoint is damaged, or of other settings or pictures.
    """
    config = run.config
    out.mkdir(parents=True, exist_ok=True)
    state = load_checkpoint(out, "cpu")
    first = 0
    if state is not None:
        restore(run.parts, state, out)
        first = state["step"]
    history = RunLog(out, run.losses, first)
    for step in track(range(first, config.steps), config.steps, out.name):
        set_rate(run, step)
        history.add(step, run.step(step))
        done = step + 1
        if done % config.save_every == 0 or done == config.steps:
            texts = {"config": json.dumps(asdict(config)), "facts": json.dumps(dict(facts))}
            save_checkpoint(out, states_of(run.parts) | {"step": done} | texts)
        if done % config.show_every == 0 or done == config.steps:
            history.draw()
            run.sheet(out / "sheet.png")
    return out / CHECKPOINT


def set_rate(run: Run, step: int) -> None:
    """The learning rate of a step, for every optimiser of a run."""
    for part in run.parts.values():
        if isinstance(part, torch.optim.Optimizer):
            for group in part.param_groups:
                group["lr"] = learning_rate(run.config, step)


def adam(*networks: nn.Module) -> torch.optim.Adam:
    """An optimiser of networks; `set_rate` says how fast."""
    return torch.optim.Adam([p for one in networks for p in one.parameters()], lr=0.0, betas=BETAS)


def averaged(network: LookGenerator, config: LookTrainConfig) -> AveragedModel:
    """A moving average of weights, which is what is shipped and shown."""
    return AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(config.ema), use_buffers=True)


def optimize(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """One step of an optimiser."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


def weighted(terms: Mapping[str, Tensor], weights: LookWeights) -> Tensor:
    """The sum of losses, each times its weight."""
    return torch.stack([getattr(weights, name) * value for name, value in terms.items()]).sum()


def applied(transform: Transform, sample: Sample) -> Tensor:
    """B x 3 x s x s Lab of a sample under a transform."""
    return torch.cat((transform.tones(sample.lightness), transform.colors(sample.lightness, sample.ab)), 1)


def roughness(transform: Transform) -> Tensor:
    """How much cells differ from their neighbours, and a curve from a straight line.

    Neighbouring cells that differ would colour one thing in several ways.
    """
    grid, curve = transform.grid, transform.curve / 100
    across = (grid[..., 1:] - grid[..., :-1]).square().mean() + (grid[..., 1:, :] - grid[..., :-1, :]).square().mean()
    bends = curve[:, 2:] - 2 * curve[:, 1:-1] + curve[:, :-2]
    return across + 10 * bends.square().mean()


def write_sheet(path: Path, columns: list[Tensor], row_height: int = 96) -> None:
    """Write a PNG, a row a picture: `columns` are B x 3 x s x s Lab."""
    tiles = torch.cat(columns, 3).permute(0, 2, 3, 1)  # B x s x (s * n) x 3
    rgb = lab_to_srgb(fit_gamut(tiles.detach().float()))
    pixels = (np.asarray(rgb).reshape(-1, tiles.shape[2], 3) * 255).round().clip(0, 255).astype(np.uint8)
    image = Image.fromarray(pixels)
    scale = row_height / columns[0].shape[2]
    image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC)
    image.save(path.with_suffix(".part.png"))
    os.replace(path.with_suffix(".part.png"), path)
