"""What CycleGAN and StarGAN runs share: networks and their steps, the loop, exact resume, curves and sheets.

A step draws its data and chance from (seed, step) alone. Must not import data that is not handed in.
"""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from t2c_engine.color.lab import fit_gamut, lab_to_srgb
from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.networks.look_generator import LookGenerator, Transform
from trainer.common.checkpoints import (
    CHECKPOINT,
    Stateful,
    load_checkpoint,
    load_initial,
    restore,
    save_checkpoint,
    states_of,
)
from trainer.common.run_log import RunLog, track
from trainer.common.schedule import learning_rate
from trainer.looks.data import LookPictures, Sample, sample
from trainer.looks.networks import Discriminator, least_squares
from trainer.looks.settings import LookTrainConfig, LookWeights

BETAS = (0.5, 0.999)
SHEET_ROWS = 10


class LookRun(ABC):
    """A generator of looks, what learns with it and against it, and their step."""

    losses: tuple[str, ...]  # names of what `step` returns
    looks: int  # targets that are looks; those after them are not shown

    def __init__(self, config: LookTrainConfig, pictures: LookPictures) -> None:
        torch.manual_seed(config.seed)
        self.config, self._pictures = config, pictures
        self.generator = LookGenerator(config.network)
        self.average = averaged(self.generator, config)

    def _learn(self, helpers: Mapping[str, nn.Module], critics: Mapping[str, nn.Module]) -> None:
        """Say which networks learn with the generator, and which against it, by the names that checkpoints have."""
        self._generator_steps, self._critic_steps = adam(self.generator, *helpers.values()), adam(*critics.values())
        self.parts: dict[str, Stateful] = {
            "generator": self.generator,
            "average": self.average,
            **helpers,
            **critics,
            "generator_steps": self._generator_steps,
            "critic_steps": self._critic_steps,
        }

    @abstractmethod
    def step(self, step: int) -> dict[str, float]:
        """One step of all optimisers; all losses."""

    def _update(self, terms: Mapping[str, Tensor], critics: Callable[[], Tensor], **more: Tensor) -> dict[str, float]:
        """Step the generator down its losses, then the critics down theirs; the values of all, and `more`."""
        total = weighted(terms, self.config.losses)
        _optimize(self._generator_steps, total)
        self.average.update_parameters(self.generator)
        against = critics()
        _optimize(self._critic_steps, against)
        values = {"generator": total, "discriminator": against, **terms, **more}
        return {name: float(values[name].detach()) for name in self.losses}

    def transform(self, given: Sample, target: Tensor, network: Any = None) -> Transform:
        """What the generator (or its average) says of pictures for B targets."""
        label = F.one_hot(target, self.config.network.targets).float()
        return (network or self.generator)(given.lightness, given.ab, given.features, label)

    def sheet(self, path: Path) -> None:
        """A row a picture: automatic colour, every look, the picture's own colours."""
        indices = torch.linspace(0, len(self._pictures) - 1, min(SHEET_ROWS, len(self._pictures))).long()
        none = torch.zeros(len(indices), dtype=torch.bool)
        given, true = (sample(self._pictures, indices, none, automatic=one) for one in (True, False))
        small, columns = given.smaller(self.config.detail), [given.lab]
        with torch.inference_mode():
            for look in range(self.looks):
                columns.append(applied(self.transform(small, torch.full_like(indices, look), self.average), given))
        write_sheet(path, [*columns, true.lab])


def start_from(run: LookRun, init: Path | None) -> None:
    """Give a run's generator exported weights, if there are any.

    Raises:
        UsageError: they cannot be read, or are of other sizes.
    """
    if init is not None:
        load_initial(run.generator, init)
        run.average.module.load_state_dict(run.generator.state_dict())


def real_or_made(critic: Discriminator, real: Tensor, made: Tensor) -> Tensor:
    """A critic's loss about pictures that are real and pictures that a generator made."""
    return least_squares(critic(real)[0], True) + least_squares(critic(made.detach())[0], False)


def train_run(run: LookRun, out: Path, facts: Mapping[str, Any]) -> Path:
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


def run_facts(
    method: str, looks: Sequence[Mapping[str, Any]], data: Sequence[str], names: Iterable[str], colorizer: Colorizer
) -> dict[str, Any]:
    """What the export needs to know besides the networks.

    Args:
        data: sentences about the pictures. names: of the pictures whose collections are to be named.
    """
    return {
        "method": method,
        "looks": list(looks),
        "data": list(data),
        "names": sorted({str(name).split("__")[0] for name in names}),
        "colorizer": colorizer.model,
    }


def set_rate(run: LookRun, step: int) -> None:
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


def _optimize(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
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
