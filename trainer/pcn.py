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
from trainer.checkpoints import CHECKPOINT, load_checkpoint, save_checkpoint
from trainer.image_data import draw_batch, load_pictures
from trainer.progress import RunLog, track
from trainer.sheets import colour_sheet

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

    # networks and optimisers
    torch.manual_seed(config.seed)
    generator = PCN(config.width).to(device)
    discriminator = PCNDiscriminator(config.width, config.crop).to(device)
    optimizers = [
        torch.optim.Adam(network.parameters(), lr=config.learning_rate, betas=(0.5, 0.999))
        for network in (generator, discriminator)
    ]

    # resume
    out.mkdir(parents=True, exist_ok=True)
    first = 0
    state = load_checkpoint(out, device)
    if state is not None:
        generator.load_state_dict(state["generator"])
        discriminator.load_state_dict(state["discriminator"])
        for optimizer, values in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(values)
        first = state["step"]
    run = RunLog(out, ["generator", "discriminator", "huber"], first)

    # loop
    for step in track(range(first, config.steps), config.steps, "pcn-paper"):
        batch = draw_batch(pictures, large, np.random.default_rng((config.seed, step)), config.batch, config.crop)
        lightness, small_ab = batch.lightness.to(device), batch.ab.to(device)
        palette = extract_palettes(torch.cat((F.avg_pool2d(lightness, SCALE), small_ab), 1))
        ab = F.interpolate(small_ab, scale_factor=SCALE, mode="bilinear", align_corners=False)

        fake = generator(lightness, palette)
        real_logits = discriminator(lightness, ab, palette)
        fake_logits = discriminator(lightness, fake.detach(), palette)
        loss_d = _adversarial(real_logits, True) + _adversarial(fake_logits, False)
        _step(optimizers[1], loss_d)

        huber = F.huber_loss(fake / AB_UNIT, ab / AB_UNIT, delta=1.0)
        loss_g = _adversarial(discriminator(lightness, fake, palette), True) + config.huber_weight * huber
        _step(optimizers[0], loss_g)
        losses = {"generator": loss_g, "discriminator": loss_d, "huber": huber}
        run.add(step, {name: float(loss.detach()) for name, loss in losses.items()})

        done = step + 1
        if done % save_every == 0 or done == config.steps:
            networks = {"generator": generator.state_dict(), "discriminator": discriminator.state_dict()}
            states = [optimizer.state_dict() for optimizer in optimizers]
            save_checkpoint(out, networks | {"optimizers": states, "step": done, "config": str(asdict(config))})
            colour_sheet(out / "sheet.png", lightness.cpu(), [ab.cpu(), fake.detach().cpu()], palette.cpu(), rows=8)
            run.draw()
    return out / CHECKPOINT


def _adversarial(logits: Tensor, real: bool) -> Tensor:
    """-log D for real, -log(1 - D) for fake; the generator uses the non-saturating form."""
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))


def _step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
