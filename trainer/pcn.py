"""Train the paper's PCN (Bahng et al. 2018, section 4.2) as published: a conditional GAN with a Huber loss.

Kept so that the paper's claims can be checked; what is shipped comes from `trainer.colorizer`. Reads top-down:
settings, data, networks, loop. Colour is learned at the input's resolution, from ab kept at a quarter of it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from t2c_engine.errors import UsageError
from t2c_engine.extraction import extract_palettes
from t2c_engine.networks.colorizer import SCALE
from t2c_engine.networks.pcn import PCN, PCNDiscriminator
from trainer.checkpoints import CHECKPOINT, Stateful, load_checkpoint, restore, save_checkpoint, states_of
from trainer.image_data import draw_batch, load_pictures
from trainer.progress import RunLog, track
from trainer.sheets import colour_sheet

LOSSES = ("generator", "discriminator", "huber")
AB_UNIT = 110.0  # the Huber loss (delta 1) is taken in these units of ab


@dataclass(frozen=True, slots=True)
class PCNConfig:
    """Settings of a run. `width` 64 is the paper's size (34 M parameters)."""

    steps: int = 80_000
    batch: int = 12
    crop: int = 160
    width: int = 64
    learning_rate: float = 2e-4
    huber_weight: float = 100.0
    seed: int = 1


def read_pcn_config(path: Path, **changes: Any) -> PCNConfig:
    """A TOML file's settings; `changes` that are not None win. Raises UsageError if the file cannot be used."""
    try:
        config = PCNConfig(**tomllib.loads(path.read_text("utf-8")))
    except (OSError, tomllib.TOMLDecodeError, TypeError) as error:
        raise UsageError(f"The settings in {path} cannot be used: {error}.") from error
    return replace(config, **{k: v for k, v in changes.items() if v is not None})


def train_pcn(
    config: PCNConfig, sources: Sequence[Path], out: Path, cache: Path, *, device: str = "cpu", save_every: int = 500
) -> Path:
    """Train G1 against D1 (eqs. 9-10) until `config.steps`, going on from the run's checkpoint; returns its path."""
    # data
    if config.crop % 16:
        raise UsageError(f"The crop of {config.crop} px cannot be used; give a multiple of 16.")
    pictures = load_pictures(sources, cache, crop=config.crop)
    large = pictures.indices(small=False, validation=False)

    # networks, resume
    run = Adversaries(config, device)
    out.mkdir(parents=True, exist_ok=True)
    state = load_checkpoint(out, device)
    first = 0
    if state is not None:
        restore(run.parts, state, out)
        first = state["step"]
    history = RunLog(out, LOSSES, first)

    # loop
    for step in track(range(first, config.steps), config.steps, "pcn-paper"):
        batch = draw_batch(pictures, large, np.random.default_rng((config.seed, step)), config.batch, config.crop)
        lightness, small_ab = batch.lightness.to(device), batch.ab.to(device)
        palette = extract_palettes(torch.cat((F.avg_pool2d(lightness, SCALE), small_ab), 1))
        ab = F.interpolate(small_ab, scale_factor=SCALE, mode="bilinear", align_corners=False)
        fake, losses = run.step(lightness, ab, palette)
        history.add(step, losses)
        done = step + 1
        if done % save_every == 0 or done == config.steps:
            save_checkpoint(out, states_of(run.parts) | {"step": done, "config": str(asdict(config))})
            colour_sheet(out / "sheet.png", lightness.cpu(), [ab.cpu(), fake.cpu()], palette.cpu(), rows=8)
            history.draw()
    return out / CHECKPOINT


class Adversaries:
    """G1 and D1 with their optimisers.

    Attributes:
        parts: all that a checkpoint keeps.
    """

    def __init__(self, config: PCNConfig, device: str) -> None:
        torch.manual_seed(config.seed)
        self._huber_weight = config.huber_weight
        self._generator = PCN(config.width).to(device)
        self._discriminator = PCNDiscriminator(config.width, config.crop).to(device)
        self._optimizer, self._critic_optimizer = (
            torch.optim.Adam(network.parameters(), lr=config.learning_rate, betas=(0.5, 0.999))
            for network in (self._generator, self._discriminator)
        )
        self.parts: dict[str, Stateful] = {"generator": self._generator, "discriminator": self._discriminator}
        self.parts |= {"generator's optimizer": self._optimizer, "discriminator's optimizer": self._critic_optimizer}

    def step(self, lightness: Tensor, ab: Tensor, palette: Tensor) -> tuple[Tensor, dict[str, float]]:
        """One step of D1, then one of G1; the colours that G1 gave, and LOSSES. B x 1, 2 x H x W, B x 5 x 3."""
        fake = self._generator(lightness, palette)
        real_logits = self._discriminator(lightness, ab, palette)
        fake_logits = self._discriminator(lightness, fake.detach(), palette)
        loss_d = _adversarial(real_logits, True) + _adversarial(fake_logits, False)
        _step(self._critic_optimizer, loss_d)

        huber = F.huber_loss(fake / AB_UNIT, ab / AB_UNIT, delta=1.0)
        loss_g = _adversarial(self._discriminator(lightness, fake, palette), True) + self._huber_weight * huber
        _step(self._optimizer, loss_g)
        values = (loss_g, loss_d, huber)
        return fake.detach(), {name: float(loss.detach()) for name, loss in zip(LOSSES, values, strict=True)}


def _adversarial(logits: Tensor, real: bool) -> Tensor:
    """-log D for real, -log(1 - D) for fake; the generator uses the non-saturating form."""
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))


def _step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
