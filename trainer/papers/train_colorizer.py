"""Train the colour networks of the papers as published, so that their claims can be checked beside the shipped one.

PCN (Bahng et al. 2018, section 4.2: conditional GAN and Huber loss), classification over 313 bins (Zhang et al. 2016,
2.1), and the same with an adversarial term (poster "CNN with GAN"). Reads top-down: settings, methods, adversaries,
loop. What is shipped comes from `trainer.colorizer.train`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from t2c_engine.color.lab import ab_bins
from t2c_engine.colorization.decoding import Decoding, decode_bins
from t2c_engine.colorization.palette_extraction import extract_palettes
from t2c_engine.errors import UsageError
from t2c_engine.files import make_folder
from t2c_engine.networks.picture_encoder import SCALE
from trainer.common.checkpoints import (
    CHECKPOINT,
    Stateful,
    finished_checkpoint,
    load_checkpoint,
    restore,
    save_checkpoint,
    states_of,
)
from trainer.common.losses import class_balance, classification_loss
from trainer.common.picture_data import AB_STEP, PictureSet, draw_batch, load_pictures
from trainer.common.run_log import RunLog, track
from trainer.common.settings import build_settings, read_settings
from trainer.common.sheets import color_sheet
from trainer.papers.classifier_network import ColorClassifier
from trainer.papers.pcn_network import PCN, PCNDiscriminator

LOSSES = ("generator", "discriminator", "reconstruction")
AB_UNIT = 110.0  # the Huber loss (delta 1) is taken in these units of ab
METHODS = ("pcn", "classifier")
WHOLE_SIDE = 160  # px, short side of most training pictures


@dataclass(frozen=True, slots=True)
class PaperConfig:
    """Settings of a run; values stand in configs/*-paper*.toml. `width` 64 is the published size (34 and 32 M)."""

    method: str
    steps: int
    batch: int
    crop: int
    width: int
    learning_rate: float
    reconstruction_weight: float  # of the Huber loss, or of the cross-entropy
    gan_weight: float  # 0: no discriminator
    bfloat16: bool
    seed: int


def read_paper_config(path: Path, **changes: Any) -> PaperConfig | None:
    """A TOML file's settings, or None where they are not of a paper's method; `changes` that are not None win.

    Raises:
        UsageError: the file cannot be used.
    """
    table = read_settings(path)
    if "method" not in table:
        return None
    if table["method"] not in METHODS:
        raise UsageError(f"The method '{table['method']}' in {path} is not known; choose {' or '.join(METHODS)}.")
    config = build_settings(PaperConfig, table | {k: v for k, v in changes.items() if v is not None}, path)
    if config.crop % 64:
        raise UsageError(f"The crop of {config.crop} px in {path} cannot be used; give a multiple of 64.")
    return config


@dataclass(frozen=True, slots=True)
class GeneratorOutput:
    """What a network gave and what a discriminator is to compare, all of one size; `loss`: the method's own."""

    lightness: Tensor
    fake: Tensor
    real: Tensor
    palette: Tensor | None
    loss: Tensor


class PaletteMethod:
    """PCN: colour at the input's resolution, from ab kept at a quarter of it."""

    def __init__(self, config: PaperConfig) -> None:
        self.generator: nn.Module = PCN(config.width)
        self.discriminator = PCNDiscriminator(config.width, config.crop)

    def predict_ab(self, lightness: Tensor, palette: Tensor) -> Tensor:
        """B x 1 x H x W, B x 5 x 3 to B x 2 x H x W ab."""
        return self.generator(lightness, palette)

    def generate(self, lightness: Tensor, ab: Tensor, palette: Tensor) -> GeneratorOutput:
        """`ab` is at a quarter of the resolution of `lightness`."""
        fake = self.predict_ab(lightness, palette)
        real = F.interpolate(ab, scale_factor=SCALE, mode="bilinear", align_corners=False)
        return GeneratorOutput(
            lightness, fake, real, palette, F.huber_loss(fake.float() / AB_UNIT, real / AB_UNIT, delta=1.0)
        )


class BinsMethod:
    """Classification over 313 bins, without a palette: logits at a quarter of the input's resolution."""

    def __init__(self, config: PaperConfig, pictures: PictureSet | None = None) -> None:
        """pictures: for training alone, to which rare colours are rare."""
        self.generator: nn.Module = ColorClassifier(config.width)
        self.discriminator = PCNDiscriminator(config.width, config.crop // SCALE, palette=False)
        self._bins = torch.from_numpy(ab_bins().astype(np.float32))
        self._balance = None if pictures is None else class_balance(pictures.ab, self._bins)

    def predict_ab(self, lightness: Tensor, palette: Tensor) -> Tensor:
        """The annealed mean, B x 2 x H/4 x W/4 ab; the palette is not looked at."""
        return decode_bins(self.generator(lightness).float(), self._bins.to(lightness.device), Decoding.MEAN)

    def generate(self, lightness: Tensor, ab: Tensor, palette: Tensor) -> GeneratorOutput:
        assert self._balance is not None
        bins, balance = self._bins.to(ab.device), self._balance.to(ab.device)
        logits = self.generator(lightness).float()
        flat, true = (part.permute(0, 2, 3, 1).flatten(0, 2) for part in (logits, ab))
        loss = classification_loss(flat, true, bins, balance)
        fake = decode_bins(logits, bins, Decoding.MEAN)
        return GeneratorOutput(F.avg_pool2d(lightness, SCALE), fake, ab, None, loss)


Method = PaletteMethod | BinsMethod


def build_method(config: PaperConfig, pictures: PictureSet | None = None) -> Method:
    """The untrained networks of a run; `pictures` if it is to be trained."""
    return PaletteMethod(config) if config.method == "pcn" else BinsMethod(config, pictures)


def load_method(run: Path) -> tuple[PaperConfig, Method]:
    """The trained networks of a run, ready for use on the CPU.

    Raises:
        UsageError: there is no checkpoint, or it is not of a paper's method.
    """
    state = finished_checkpoint(run)
    try:
        config = PaperConfig(**json.loads(state["config"]))
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"The run in {run} is not of a paper's colour network: {error}.") from error
    method = build_method(config)
    restore({"generator": method.generator}, state, run)
    method.generator.eval()
    return config, method


class AdversarialTrainer:
    """Generator and discriminator with their optimisers.

    Attributes:
        parts: all that a checkpoint keeps.
    """

    def __init__(self, config: PaperConfig, method: Method, device: str) -> None:
        self._config, self._method = config, method
        self._device = torch.device(device)
        networks = (method.generator.to(device), method.discriminator.to(device))
        self._optimizer, self._critic_optimizer = (
            torch.optim.Adam(network.parameters(), lr=config.learning_rate, betas=(0.5, 0.999)) for network in networks
        )
        self.parts: dict[str, Stateful] = {"generator": networks[0], "discriminator": networks[1]}
        self.parts |= {"generator's optimizer": self._optimizer, "discriminator's optimizer": self._critic_optimizer}

    def step(self, lightness: Tensor, ab: Tensor, palette: Tensor) -> tuple[GeneratorOutput, dict[str, float]]:
        """One step of the discriminator, if there is to be one, then one of the generator; LOSSES (eqs. 9-10)."""
        config, discriminator = self._config, self._method.discriminator
        loss_d = torch.zeros(())
        with torch.autocast(self._device.type, torch.bfloat16, enabled=config.bfloat16):
            output = self._method.generate(lightness, ab, palette)
            loss_g = config.reconstruction_weight * output.loss
            if config.gan_weight:
                real = discriminator(output.lightness, output.real, output.palette)
                fake = discriminator(output.lightness, output.fake.detach(), output.palette)
                loss_d = _adversarial(real, True) + _adversarial(fake, False)
        if config.gan_weight:
            _step(self._critic_optimizer, loss_d)
            with torch.autocast(self._device.type, torch.bfloat16, enabled=config.bfloat16):
                taken_for_real = discriminator(output.lightness, output.fake, output.palette)
            loss_g = loss_g + config.gan_weight * _adversarial(taken_for_real, True)
        _step(self._optimizer, loss_g)
        values = (loss_g, loss_d, output.loss)
        return output, {name: float(loss.detach()) for name, loss in zip(LOSSES, values, strict=True)}


def _adversarial(logits: Tensor, real: bool) -> Tensor:
    """-log D for real, -log(1 - D) for fake; the generator uses the non-saturating form."""
    return F.binary_cross_entropy_with_logits(logits.float(), torch.full_like(logits, float(real), dtype=torch.float32))


def _step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


def train_paper_colors(
    config: PaperConfig, sources: Sequence[Path], out: Path, cache: Path, *, device: str = "cpu", save_every: int = 500
) -> Path:
    """Train until `config.steps`, going on from the run's checkpoint; returns its path.

    Raises:
        PictureError, UsageError: with a sentence.
    """
    pictures = load_pictures(sources, cache, crop=config.crop)
    torch.manual_seed(config.seed)
    run = AdversarialTrainer(config, build_method(config, pictures), device)
    make_folder(out)
    state = load_checkpoint(out, device)
    first = 0
    if state is not None:
        restore(run.parts, state, out)
        first = state["step"]
    history = RunLog(out, LOSSES, first)
    for step in track(range(first, config.steps), config.steps, config.method):
        lightness, ab = (part.to(device) for part in _draw(pictures, config, step))
        palette = extract_palettes(torch.cat((F.avg_pool2d(lightness, SCALE), ab), 1))
        output, losses = run.step(lightness, ab, palette)
        history.add(step, losses)
        done = step + 1
        if done % save_every == 0 or done == config.steps:
            save_checkpoint(out, states_of(run.parts) | {"step": done, "config": json.dumps(asdict(config))})
            maps = [part.detach().float().cpu() for part in (output.real, output.fake)]
            color_sheet(out / "sheet.png", lightness.cpu(), maps, palette.cpu(), rows=8)
            history.draw()
    return out / CHECKPOINT


def _draw(pictures: PictureSet, config: PaperConfig, step: int) -> tuple[Tensor, Tensor]:
    """Lightness and ab of a step's crops, each of which shows most of its picture."""
    rng = np.random.default_rng((config.seed, step))
    chosen = pictures.indices(validation=False)
    whole = WHOLE_SIDE / config.crop
    crop_scale = (1.0, 1.0) if config.crop >= 128 else (0.7 * whole, whole)
    batch = draw_batch(pictures, chosen, rng, config.batch, config.crop, crop_scale)
    return batch.lightness, F.avg_pool2d(batch.ab, SCALE // AB_STEP)
