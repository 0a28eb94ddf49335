"""One step of the colouriser's training: its pictures, what is done to them, and all losses. Must not import files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from t2c_engine.color.lab import ab_bins
from t2c_engine.errors import UsageError
from t2c_engine.networks.colorizer import ColorizerNet, Prediction
from t2c_engine.networks.picture_encoder import SCALE, Features
from trainer.colorizer.augmentation import Example, make_example
from trainer.colorizer.config import Stage, StepSettings
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
from trainer.common.picture_data import LEAST_SIDE, Batch, PictureSet, draw_batch, source_probabilities

LOSSES = (
    "loss",
    "ab",
    "mixture",
    "tone",
    "ciede2000",
    "perceptual",
    "chroma",
    "colorfulness",
    "bins",
    "automatic",
)


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Pictures and what follows from all of them.

    indices: of the training part. probabilities: how often each is drawn, sum 1. bins: Q x 2 centres. balance: Q
    weights of class rebalancing.
    """

    pictures: PictureSet
    indices: np.ndarray
    probabilities: np.ndarray
    bins: Tensor
    balance: Tensor

    @classmethod
    def of(cls, pictures: PictureSet, source_weights: Mapping[str, float], device: str) -> TrainingData:
        """Raises UsageError if there is no picture to train on."""
        indices = pictures.indices(validation=False)
        if not len(indices):
            raise UsageError(f"No training picture has a short side of {LEAST_SIDE} px or more; add larger ones.")
        bins = torch.tensor(ab_bins(), device=device)
        drawn = source_probabilities(pictures.names[indices], source_weights)
        return cls(pictures, indices, drawn, bins, class_balance(pictures.ab, bins))


class TrainingModule(nn.Module):
    """The network, and the perceptual distance that its losses need."""

    def __init__(self, network: ColorizerNet, perceptual: PerceptualDistance | None = None) -> None:
        super().__init__()
        self.network = network
        self.perceptual = perceptual


def draw_example(data: TrainingData, config: StepSettings, step: int, device: str, world: World) -> Example:
    """The example of a step: pictures, crops and conditions follow from (seed, step, rank) alone."""
    rng = np.random.default_rng((config.seed, step))  # what all processes share: the size of crops
    crop = int(rng.choice(config.crops))
    share = config.batch * (config.crop / crop) ** 2 / world.size  # as many pixels in every step
    rng = np.random.default_rng((config.seed, step, world.rank))
    crop_scale = (config.shown[0] / crop, config.shown[1] / crop)
    size = max(1, round(share))
    batch = draw_batch(data.pictures, data.indices, rng, size, crop, crop_scale, data.probabilities, config.stretch)
    batch = Batch(batch.lightness.to(device), batch.ab.to(device))
    generator = torch.Generator(device).manual_seed(int(rng.integers(2**62)))
    example = make_example(batch, config.augment, generator)
    return replace(example, lightness=example.lightness.contiguous(memory_format=torch.channels_last))


def cells(ab: Tensor, like: Tensor) -> Tensor:
    """`ab` averaged to the resolution of `like`, if that is lower; float32."""
    return F.avg_pool2d(ab, max(1, ab.shape[-1] // like.shape[-1])).float()


def mixed_colors(prediction: Prediction, like: Tensor) -> tuple[Tensor, Tensor]:
    """Weights (B x (1 + K) x h x w) and colours (B x (1 + K) x 2 x h x w, Lab units) that a prediction mixes."""
    weights, automatic, residual = (
        cells(part, like) for part in (prediction.weights, prediction.automatic, prediction.residual)
    )
    colors = prediction.colors[..., None, None].expand(-1, -1, -1, *automatic.shape[-2:])
    return weights, torch.cat((automatic[:, None], colors), 1) + residual[:, None]


def step_losses(
    module: TrainingModule, example: Example, data: TrainingData, config: StepSettings, step: int
) -> dict[str, Tensor]:
    """All LOSSES of a step; "loss" is their weighted sum. Losses of parts that the step does not train are 0."""
    everything = config.stage is Stage.ALL
    with torch.set_grad_enabled(everything and torch.is_grad_enabled()):
        features = module.network.encode(example.lightness)
    values: dict[str, Tensor] = {}
    if everything:
        values |= {"bins": bins_loss(features, example, data), "automatic": automatic_loss(features, example)}
    if not everything or step >= config.pretraining:
        values |= _decoder_losses(module, features, example, config)
    weights = asdict(config.losses)
    nothing = torch.zeros((), device=features.lightness.device)
    total = sum((weights[name] * value for name, value in values.items()), start=nothing)
    return {name: values.get(name, nothing) for name in LOSSES} | {"loss": total}


def automatic_loss(features: Features, example: Example) -> Tensor:
    """Distance of the automatic colour, and of its chroma, where the target's colours are plausible."""
    true = cells(example.ab, features.automatic)
    plain = example.plausible[:, None, None, None]
    apart = ((features.automatic - true).square().sum(1, keepdim=True) + 1).sqrt()
    distance = (apart * plain).mean() / plain.mean().clamp(min=0.1)
    return distance + 0.15 * chroma_distance(features.automatic * plain, true * plain)


def bins_loss(features: Features, example: Example, data: TrainingData) -> Tensor:
    """Classification over the ab bins at 1/8 (Zhang et al. 2016, eq. 2), where the target's colours are plausible."""
    plain = example.plausible > 0
    if not plain.any():
        return features.logits.sum() * 0
    coarse = cells(example.ab, features.logits)[plain].movedim(1, -1).flatten(0, 2)
    logits = features.logits[plain].movedim(1, -1).flatten(0, 2).float()
    return classification_loss(logits, coarse, data.bins, data.balance)


def _decoder_losses(
    module: TrainingModule, features: Features, example: Example, config: StepSettings
) -> dict[str, Tensor]:
    prediction = module.network.decode(features, example.condition)
    ab, true = cells(prediction.ab, example.ab), cells(example.ab, prediction.ab)
    perceptual = torch.zeros((), device=ab.device)
    if module.perceptual is not None:
        seen = slice(max(1, round(config.perceptual_share * len(ab))))  # features of all would cost too much
        perceptual = module.perceptual.ab_distance(example.clean[seen], prediction.ab[seen], example.ab[seen])
    return {
        "ab": ab_distance(ab, true),
        "mixture": mixture_distance(*mixed_colors(prediction, true), true),
        "tone": tone_restoration_loss(prediction.lightness, F.avg_pool2d(example.clean, SCALE)),
        "ciede2000": ciede2000_distance(ab, true),
        "perceptual": perceptual,
        "chroma": chroma_distance(ab, true),
        "colorfulness": colorfulness_distance(ab, true),
    }
