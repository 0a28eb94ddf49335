"""A distribution of colour fields, given a grey picture: low-rank Gaussian around the automatic colour.

A field is C(x) = mean(x) + sum_k z_k B_k(x) + noise, with z ~ N(0, I) (Monteiro et al. 2020, stochastic segmentation
networks, eq. 5). The network predicts mean and factors B_k from grey features, so a draw of a few numbers changes a
whole picture at once, and colours stay coherent in space. Must not import files, pictures or other networks than the
encoders.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from t2c_engine.networks.layers import upsampled
from t2c_engine.networks.picture_encoder import Features
from t2c_engine.networks.pretrained_encoder import LEVEL_WIDTHS

COARSE, MIDDLE = LEVEL_WIDTHS[3], LEVEL_WIDTHS[2]  # channels at 1/32 and 1/16
COLORS = 9  # channels of `GreyFeatures.colors`
TONES = 2
AB_UNIT = 10.0  # ab units to one unit of the heads
ENCODER_UNIT = 3.0  # of the pretrained features, whose standard deviations are about this
BINS_TEMPERATURE = 0.38  # of the annealed mean (Zhang et al. 2016)
START_DEVIATION = 8.0  # ab units, of the noise before training
GROUPS = 8  # of the group norms


@dataclass(frozen=True, slots=True)
class GreyFeatures:
    """What colours are drawn from: frozen outputs of the colouriser alone, B x C x h x w.

    coarse: 1/32 of the input, COARSE channels; middle: 1/16, MIDDLE channels, of the pretrained encoder.
    colors: 1/8, COLORS channels, ab units: automatic ab, mean and annealed mean of the bins, their deviations and
    covariance. tones: 1/8, mean and deviation of lightness, 0..100.
    """

    coarse: Tensor
    middle: Tensor
    colors: Tensor
    tones: Tensor

    @property
    def automatic(self) -> Tensor:
        """B x 2 x h x w, ab."""
        return self.colors[:, :2]

    def to(self, device: str) -> GreyFeatures:
        """The same on another device."""
        return GreyFeatures(*(part.to(device) for part in (self.coarse, self.middle, self.colors, self.tones)))


def grey_features(lightness: Tensor, levels: tuple[Tensor, ...], features: Features, bins: Tensor) -> GreyFeatures:
    """The inputs of a picture.

    Args:
        lightness: B x 1 x H x W, 0..100, as the colouriser's network got it. levels: of `PretrainedEncoder`.
        features: of the colouriser. bins: Q x 2, centres of the ab bins.
    """
    logits = features.logits.float()
    probable = logits.softmax(1)
    mean = _mean(probable, bins)
    deviation = (_mean(probable, bins.square()) - mean.square()).clamp(min=0).sqrt()
    product = _mean(probable, bins[:, :1] * bins[:, 1:]) - mean[:, :1] * mean[:, 1:]
    covariance = product / (deviation[:, :1] * deviation[:, 1:] + 1)
    annealed = _mean((logits / BINS_TEMPERATURE).softmax(1), bins)
    automatic = F.avg_pool2d(features.automatic.float(), 2)
    light = F.avg_pool2d(lightness, 8)
    spread = (F.avg_pool2d(lightness.square(), 8) - light.square()).clamp(min=0).sqrt()
    colors = torch.cat((automatic, mean, annealed, deviation, covariance), 1)
    return GreyFeatures(levels[3].float(), levels[2].float(), colors, torch.cat((light, spread), 1))


def _mean(probable: Tensor, values: Tensor) -> Tensor:
    return torch.einsum("bqhw,qc->bchw", probable, values)


@dataclass(frozen=True, slots=True)
class DiverseConfig:
    """Sizes of `LowRankFields`. factors: K; width: channels at 1/16; fine_width: at 1/8."""

    factors: int = 16
    width: int = 128
    fine_width: int = 64
    blocks: int = 3
    dropout: float = 0.1


@dataclass(frozen=True, slots=True)
class FieldDistribution:
    """mean: B x 2 x h x w, ab. factors: B x K x 2 x h x w, ab units. log_variance: B x 1 x h x w, of the noise."""

    mean: Tensor
    factors: Tensor
    log_variance: Tensor

    def fields(self, codes: Tensor) -> Tensor:
        """B x N x 2 x h x w of B x N x K codes, without noise."""
        return self.mean[:, None] + torch.einsum("bnk,bkchw->bnchw", codes, self.factors)


@dataclass(frozen=True, slots=True)
class Draw:
    """How many fields of each picture are drawn; the same seed gives the same ones. temperature: factor on the standard
    deviation of the codes."""

    count: int
    seed: int
    temperature: float

    def generator(self) -> torch.Generator:
        """What all chance of the draw comes from, on the CPU."""
        return torch.Generator().manual_seed(self.seed)


class FieldNetwork(nn.Module, ABC):
    """A network that draws colour fields."""

    @abstractmethod
    def sample(self, grey: GreyFeatures, draw: Draw) -> Tensor:
        """B x count x 2 x h x w, ab, at the size of `grey.colors`."""


class SeparableBlock(nn.Module):
    """Depthwise 5 x 5 and two pointwise convolutions around a shortcut, and what the whole picture says."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, 5, padding=2, groups=width)
        self.norm = nn.GroupNorm(GROUPS, width)
        self.expand = nn.Conv2d(width, 2 * width, 1)
        self.project = nn.Conv2d(2 * width, width, 1)
        self.context = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """B x width x h x w to the same."""
        x = x + self.project(F.relu(self.expand(self.norm(self.depthwise(x)))))
        return x + self.context(F.relu(x).mean((2, 3)))[..., None, None]


class LowRankFields(FieldNetwork):
    """Grey features to `FieldDistribution`."""

    def __init__(self, config: DiverseConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or DiverseConfig()
        width, fine = config.width, config.fine_width
        self.middle = nn.Conv2d(MIDDLE, width, 1)
        self.coarse = nn.Conv2d(COARSE, width, 1)
        self.colors = nn.Conv2d(COLORS + TONES, width, 1)
        self.whole = nn.Linear(COARSE, width)
        self.dropout = nn.Dropout2d(config.dropout)
        self.blocks = nn.Sequential(*(SeparableBlock(width) for _ in range(config.blocks)))
        self.norm = nn.GroupNorm(GROUPS, width)
        self.to_fine = nn.Conv2d(width, fine, 1)
        self.fine_colors = nn.Conv2d(COLORS + TONES, fine, 3, padding=1)
        self.hidden = nn.Conv2d(fine, fine, 1)
        self.heads = nn.Conv2d(fine, 2 + 2 * config.factors + 1, 1)

    def forward(self, grey: GreyFeatures) -> FieldDistribution:
        """The distribution of the fields of B pictures."""
        inputs = scaled_colors(grey)
        coarse, middle = self.dropout(grey.coarse / ENCODER_UNIT), self.dropout(grey.middle / ENCODER_UNIT)
        size = (middle.shape[-2], middle.shape[-1])
        x = self.middle(middle) + upsampled(self.coarse(coarse), middle)
        x = x + self.colors(F.adaptive_avg_pool2d(inputs, size)) + self.whole(coarse.mean((2, 3)))[..., None, None]
        x = F.relu(self.norm(self.blocks(x)))
        fine = F.relu(upsampled(self.to_fine(x), inputs) + self.fine_colors(inputs))
        heads = self.heads(fine + F.relu(self.hidden(fine)))
        mean, factors, noise = heads.split((2, 2 * self.config.factors, 1), 1)
        return FieldDistribution(
            grey.automatic + AB_UNIT * mean,
            AB_UNIT * factors.unflatten(1, (self.config.factors, 2)),
            2 * math.log(START_DEVIATION) + 2 * noise.clamp(-3, 3),
        )

    def sample(self, grey: GreyFeatures, draw: Draw) -> Tensor:
        """B x count x 2 x h x w, ab, without noise."""
        codes = torch.randn(len(grey.colors), draw.count, self.config.factors, generator=draw.generator())
        return self(grey).fields(draw.temperature * codes.to(grey.colors.device))


def scaled_colors(grey: GreyFeatures) -> Tensor:
    """Colours and tones, B x (COLORS + TONES) x h x w, in units of about one standard deviation."""
    light, spread = grey.tones.split(1, 1)
    return torch.cat((grey.colors / (2 * AB_UNIT), light / 25 - 2, spread / 5 - 1), 1)


def build_sampler(config: Mapping[str, Any]) -> FieldNetwork:
    """The network of a card's or a run's config, with random weights.

    Raises:
        KeyError, TypeError, ValueError: the config is of no such network.
    """
    from t2c_engine.networks.field_vae import FieldVae, FieldVaeConfig

    values = dict(config["network"])
    if config["architecture"] == "low-rank":
        return LowRankFields(DiverseConfig(**values))
    if config["architecture"] == "vae-mdn":
        return FieldVae(FieldVaeConfig(**values))
    raise ValueError(f"there is no architecture '{config['architecture']}'")
