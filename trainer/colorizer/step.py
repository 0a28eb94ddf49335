"""One step of the colouriser's training: its pictures, what is done to them, and all losses. Must not import files."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from t2c_engine.color.lab import ab_bins
from t2c_engine.errors import UsageError
from t2c_engine.networks.colorizer import SCALE, ColorizerNet, Prediction
from trainer.colorizer.augmentation import Example, make_example
from trainer.colorizer.auxiliary_heads import KindHead, Teacher
from trainer.colorizer.config import TrainConfig
from trainer.common.distributed import World
from trainer.common.losses import (
    ab_distance,
    chroma_distance,
    ciede2000_distance,
    class_balance,
    classification_loss,
    colorfulness_distance,
    mixture_distance,
    tone_restoration_loss,
)
from trainer.common.perceptual import PerceptualDistance
from trainer.common.picture_data import LARGE_SIDE, SMALL_SIDE, Batch, PictureSet, class_probabilities, draw_batch

LOSSES = (
    "loss",
    "ab",
    "mixture",
    "light",
    "ciede2000",
    "perceptual",
    "chroma",
    "colourful",
    "bins",
    "kinds",
    "teacher",
)


@dataclass(frozen=True, slots=True)
class Pool:
    """Pictures to draw from: their indices, and how often each is drawn (sum 1)."""

    indices: np.ndarray
    chances: np.ndarray

    @classmethod
    def of(cls, pictures: PictureSet, kind_balance: float, *, small: bool) -> Pool:
        """The small (or large) pictures of the training part; `kind_balance` as in `class_probabilities`."""
        indices = pictures.indices(small=small, validation=False)
        return cls(indices, class_probabilities(pictures.classes[indices], kind_balance))


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Pictures and what follows from all of them. bins: Q x 2 centres; balance: Q weights."""

    pictures: PictureSet
    large: Pool
    small: Pool
    bins: Tensor
    balance: Tensor

    @classmethod
    def of(cls, pictures: PictureSet, kind_balance: float, device: str) -> TrainingData:
        """Raises UsageError if there is no large picture."""
        large, small = (Pool.of(pictures, kind_balance, small=size) for size in (False, True))
        if not len(large.indices):
            raise UsageError(f"No training picture has a short side of {LARGE_SIDE} px or more; add larger ones.")
        bins = torch.tensor(ab_bins(), device=device)
        return cls(pictures, large, small, bins, class_balance(pictures.ab, bins))


class Learner(nn.Module):
    """All that is trained together: the network, and the heads that training alone needs."""

    def __init__(
        self,
        network: ColorizerNet,
        kinds: KindHead,
        teacher: Teacher | None = None,
        perceptual: PerceptualDistance | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.kinds = kinds
        self.teacher = teacher
        self.perceptual = perceptual


def draw_example(data: TrainingData, config: TrainConfig, step: int, device: str, world: World) -> Example:
    """The example of a step: pictures, crops and conditions follow from (seed, step, rank) alone."""
    rng = np.random.default_rng((config.seed, step))  # what all processes share: the kind of batch
    use_small = len(data.small.indices) and rng.random() < config.small_share
    crop = int(rng.choice([c for c in config.crops if not use_small or c <= SMALL_SIDE] or config.crops))
    share = config.batch * (config.crop / crop) ** 2 / world.size  # as many pixels in every step
    rng = np.random.default_rng((config.seed, step, world.rank))
    least, most = config.shown_small if use_small else config.shown
    zoom = (least / crop, most / crop)
    pool = data.small if use_small else data.large
    batch = draw_batch(data.pictures, pool.indices, rng, max(1, round(share)), crop, zoom, pool.chances, config.stretch)
    batch = Batch(batch.lightness.to(device), batch.ab.to(device), batch.classes.to(device))
    generator = torch.Generator(device).manual_seed(int(rng.integers(2**62)))
    example = make_example(batch, config.augment, generator)
    return replace(example, lightness=example.lightness.contiguous(memory_format=torch.channels_last))


def cells(ab: Tensor, like: Tensor) -> Tensor:
    """`ab` averaged to the resolution of `like`, if that is lower; float32."""
    return F.avg_pool2d(ab, max(1, ab.shape[-1] // like.shape[-1])).float()


def mixed_colours(prediction: Prediction, like: Tensor) -> tuple[Tensor, Tensor]:
    """Shares (B x (1 + K) x h x w) and colours (B x (1 + K) x 2 x h x w, Lab units) that a prediction mixes."""
    shares, own, residual = (cells(part, like) for part in (prediction.shares, prediction.own, prediction.residual))
    colours = prediction.colours[..., None, None].expand(-1, -1, -1, *own.shape[-2:])
    return shares, torch.cat((own[:, None], colours), 1) + residual[:, None]


def step_losses(
    learner: Learner, example: Example, data: TrainingData, config: TrainConfig, step: int
) -> dict[str, Tensor]:
    """All LOSSES of a step; "loss" is the weighted sum of the others."""
    features = learner.network.encode(example.lightness)
    prediction = learner.network.decode(features, example.condition)
    ab, true = cells(prediction.ab, example.ab), cells(example.ab, prediction.ab)
    perceptual = taught = nothing = torch.zeros((), device=ab.device)
    if learner.perceptual is not None:
        seen = slice(max(1, round(config.perceptual_share * len(ab))))  # features of all would cost too much
        perceptual = learner.perceptual.ab_distance(example.clean[seen], prediction.ab[seen], example.ab[seen])
    if learner.teacher is not None and step % 2 == 0:
        taught = 2 * learner.teacher(features, example.clean)
    weighted = {
        "ab": (1.0, ab_distance(ab, true)),
        "mixture": (config.mixture_weight, mixture_distance(*mixed_colours(prediction, true), true)),
        "light": (config.light_weight, tone_restoration_loss(prediction.lightness, F.avg_pool2d(example.clean, SCALE))),
        "ciede2000": (config.ciede2000_weight, ciede2000_distance(ab, true)),
        "perceptual": (config.perceptual_weight, perceptual),
        "chroma": (config.chroma_weight, chroma_distance(ab, true)),
        "colourful": (config.colourfulness_weight, colorfulness_distance(ab, true)),
        "bins": (config.bins_weight, _bins_loss(learner, prediction, example, data, config, step)),
        "kinds": (config.kinds_weight, learner.kinds(features, example.kinds)),
        "teacher": (config.teacher_weight / 2, taught),
    }
    total = sum((weight * value for weight, value in weighted.values()), start=nothing)
    return {"loss": total} | {name: value for name, (_, value) in weighted.items()}


def _bins_loss(
    learner: Learner, prediction: Prediction, example: Example, data: TrainingData, config: TrainConfig, step: int
) -> Tensor:
    """Of a few pixels of each picture: 313 logits for all of them would cost more than the network."""
    coarse = cells(example.ab, prediction.features)
    rng = np.random.default_rng((config.seed, step, 1))
    area = coarse[0, 0].numel()
    chosen = torch.from_numpy(rng.choice(area, min(area, config.bins_pixels), replace=False)).to(coarse.device)
    pixels = prediction.features.flatten(2)[:, :, chosen]  # B x C x n
    logits = learner.network.classify(pixels[..., None]).squeeze(-1).transpose(1, 2).flatten(0, 1).float()
    of_pixels = coarse.flatten(2)[:, :, chosen].transpose(1, 2).flatten(0, 1)
    return classification_loss(logits, of_pixels, data.bins, data.balance)
