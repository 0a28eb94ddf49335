"""StarGAN between grey and colour, as document 004 tried it, and how far it copies its input.

WGAN-GP, classification and reconstruction losses with the published weights, at a small size. Nothing is shipped.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from t2c_engine.color.lab import lab_to_srgb, srgb_to_lab
from t2c_engine.files import make_folder
from trainer.common.checkpoints import Stateful, load_checkpoint, restore, save_checkpoint, states_of
from trainer.common.picture_data import PictureSet, draw_batch, load_pictures
from trainer.common.run_log import RunLog, track
from trainer.common.settings import build_settings, read_settings
from trainer.papers.stargan_network import StarDiscriminator, StarGenerator

LOSSES = ("generator", "discriminator", "classification", "reconstruction")
GREY, COLOR = 0, 1
SHOWN = 64  # pictures that the figures are of
WHOLE = 140  # px of a picture that is seen


@dataclass(frozen=True, slots=True)
class StarGanConfig:
    """Settings of configs/stargan-paper.toml. `critic_steps`: of the discriminator to one of the generator."""

    steps: int
    batch: int
    side: int
    width: int
    blocks: int
    levels: int
    learning_rate: float
    classification: float
    reconstruction: float
    penalty: float
    critic_steps: int
    save_every: int
    seed: int


class StarGanRun:
    """Generator, discriminator and their optimisers."""

    def __init__(self, config: StarGanConfig) -> None:
        torch.manual_seed(config.seed)
        self.config = config
        self.generator = StarGenerator(2, config.width, config.blocks)
        self._critic = StarDiscriminator(2, config.width, config.levels, config.side)
        options = {"lr": config.learning_rate, "betas": (0.5, 0.999)}
        self._steps = torch.optim.Adam(self.generator.parameters(), **options)
        self._critic_steps = torch.optim.Adam(self._critic.parameters(), **options)

    @property
    def parts(self) -> dict[str, Stateful]:
        return {
            "generator": self.generator,
            "critic": self._critic,
            "steps": self._steps,
            "critics": self._critic_steps,
        }

    def step(self, color: Tensor, chance: torch.Generator, step: int) -> dict[str, float]:
        """One step of the discriminator and, every `critic_steps`, of the generator, on B x 3 x s x s colour RGB."""
        source = torch.randint(2, (len(color),), generator=chance)
        target = torch.randint(2, (len(color),), generator=chance)
        given = torch.where(source[:, None, None, None] == GREY, greyed(color), color)
        config = self.config
        with torch.no_grad():
            made = self.generator(given, one_hot(target))
        real, classes = self._critic(given)
        known = F.cross_entropy(classes, source)
        critic = self._critic(made)[0].mean() - real.mean() + config.classification * known
        critic = critic + config.penalty * self._gradient_penalty(given, made, chance)
        _optimize(self._critic_steps, critic)
        values = {"discriminator": float(critic.detach()), "classification": float(known.detach())}
        if step % config.critic_steps == 0:
            self._last = self._generator_step(given, source, target)
        return values | self._last

    def _generator_step(self, given: Tensor, source: Tensor, target: Tensor) -> dict[str, float]:
        made = self.generator(given, one_hot(target))
        taken, classes = self._critic(made)
        back = (self.generator(made, one_hot(source)) - given).abs().mean()
        total = self.config.classification * F.cross_entropy(classes, target) - taken.mean()
        total = total + self.config.reconstruction * back
        _optimize(self._steps, total)
        return {"generator": float(total.detach()), "reconstruction": float(back.detach())}

    def _gradient_penalty(self, real: Tensor, made: Tensor, chance: torch.Generator) -> Tensor:
        part = torch.rand((len(real), 1, 1, 1), generator=chance)
        between = (part * real + (1 - part) * made).requires_grad_(True)
        (slope,) = torch.autograd.grad(self._critic(between)[0].sum(), between, create_graph=True)
        return (slope.flatten(1).norm(dim=1) - 1).square().mean()


def _optimize(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


def one_hot(domain: Tensor) -> Tensor:
    """B to B x 2."""
    return F.one_hot(domain, 2).float()


def greyed(rgb: Tensor) -> Tensor:
    """B x 3 x h x w in -1..1 without colour, of the same lightness."""
    lab = srgb_to_lab((rgb / 2 + 0.5).movedim(1, -1).numpy())
    grey = lab_to_srgb(np.stack((lab[..., 0], lab[..., 0] * 0, lab[..., 0] * 0), -1))
    return torch.from_numpy(np.ascontiguousarray(grey, np.float32)).movedim(-1, 1) * 2 - 1


def draw_rgb(pictures: PictureSet, indices: np.ndarray, rng: np.random.Generator, size: int, side: int) -> Tensor:
    """`size` random pictures, B x 3 x side x side in -1..1."""
    batch = draw_batch(pictures, indices, rng, size, side, crop_scale=(WHOLE / side, WHOLE / side))
    ab = F.interpolate(batch.ab, (side, side), mode="bilinear", align_corners=False)
    lab = torch.cat((batch.lightness, ab), 1).movedim(1, -1).numpy()
    rgb = np.clip(lab_to_srgb(lab), 0, 1).astype(np.float32)
    return torch.from_numpy(rgb).movedim(-1, 1) * 2 - 1


def train_stargan(
    config_file: Path, sources: Sequence[Path], out: Path, cache: Path, steps: int | None
) -> dict[str, float]:
    """Train until the settings' steps, going on from the run's checkpoint; returns `collapse_figures`.

    Raises:
        PictureError, UsageError: with a sentence.
    """
    table = read_settings(config_file)
    config = build_settings(StarGanConfig, table | ({"steps": steps} if steps else {}), config_file)
    pictures = load_pictures(sources, cache)
    run = StarGanRun(config)
    make_folder(out)
    state, first = load_checkpoint(out, "cpu"), 0
    if state is not None:
        restore(run.parts, state, out)
        first = state["step"]
    history, known = RunLog(out, LOSSES, first), pictures.indices(validation=False)
    for step in track(range(first, config.steps), config.steps, "stargan"):
        color = draw_rgb(pictures, known, np.random.default_rng((config.seed, step)), config.batch, config.side)
        history.add(step, run.step(color, torch.Generator().manual_seed(step), step))
        done = step + 1
        if done % config.save_every == 0 or done == config.steps:
            save_checkpoint(out, states_of(run.parts) | {"step": done, "config": json.dumps(asdict(config))})
    rng = np.random.default_rng(0)
    held_out = pictures.indices(validation=True)
    return collapse_figures(run.generator, draw_rgb(pictures, held_out, rng, SHOWN, config.side))


def collapse_figures(generator: StarGenerator, color: Tensor) -> dict[str, float]:
    """How far results are from their input, and how much colour they have.

    "moved": mean absolute difference of RGB, 0..255, from the input. "chroma": mean of the result, where that of true
    colour pictures is "chroma_true": near 0 for grey asked to be colour, or near it for colour asked to be grey, the
    generator copies. "label": mean absolute difference, 0..255, between results asked for the one and for the other.
    """
    grey, count = greyed(color), len(color)
    figures = {"chroma_true": _chroma(color)}
    generator.eval()
    with torch.inference_mode():
        for name, given, target in (("to_color", grey, COLOR), ("to_grey", color, GREY)):
            made = generator(given, one_hot(torch.full((count,), target)))
            figures[f"moved_{name}"] = float((made - given).abs().mean()) * 127.5
            figures[f"chroma_{name}"] = _chroma(made)
        both = [generator(color, one_hot(torch.full((count,), target))) for target in (GREY, COLOR)]
        figures["label"] = float((both[0] - both[1]).abs().mean()) * 127.5
    return figures


def _chroma(rgb: Tensor) -> float:
    lab = srgb_to_lab((rgb / 2 + 0.5).clamp(0, 1).movedim(1, -1).numpy())
    return float(np.hypot(lab[..., 1], lab[..., 2]).mean())
