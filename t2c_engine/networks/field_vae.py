"""Document 001's set-up (Deshpande et al. 2017): a VAE over colour fields, and a mixture density network to its codes.

The encoder embeds 64 x 64 fields; the mixture density network predicts a Gaussian mixture over the embedding from grey
features; samples of it, decoded, are colour fields. Must not import files, pictures or the colouriser's network.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from t2c_engine.networks.diverse import (
    COARSE,
    COLORS,
    ENCODER_UNIT,
    MIDDLE,
    TONES,
    Draw,
    FieldNetwork,
    GreyFeatures,
    scaled_colors,
)

FIELD_SIDE = 64  # px of a field
AB_RANGE = 50.0  # ab units to one unit of encoder and decoder
GRID = 5  # side to which grey features are pooled before the mixture density network
NORM_GROUPS = 8


@dataclass(frozen=True, slots=True)
class FieldVaeConfig:
    """code: dimensions of the embedding; width: channels of the finest convolutions; mixtures: Gaussians;
    deviation: standard deviation of each, fixed as in the paper; hidden: width of the mixture density network."""

    code: int = 64
    width: int = 24
    mixtures: int = 8
    deviation: float = 0.1
    hidden: int = 256


class FieldVae(FieldNetwork):
    """Encoder, decoder and mixture density network."""

    def __init__(self, config: FieldVaeConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or FieldVaeConfig()
        widths = [config.width * factor for factor in (1, 2, 4, 4)]
        channels = [2, *widths]
        self.encoder = nn.Sequential(
            *(_down(a, b) for a, b in zip(channels, widths, strict=False)),
            nn.Flatten(),
            nn.Linear(widths[-1] * 16, 2 * config.code),
        )
        self.start = nn.Linear(config.code, widths[-1] * 16)
        self.decoder = nn.Sequential(
            *(_up(a, b) for a, b in zip(reversed(widths), [*reversed(widths[:-1]), config.width], strict=True)),
            nn.Conv2d(config.width, 2, 3, padding=1),
        )
        self.reduce = nn.Conv2d(COARSE + MIDDLE + COLORS + TONES, 64, 1)
        self.mixture = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(64 * GRID * GRID, config.hidden),
            nn.ReLU(),
            nn.Linear(config.hidden, config.mixtures * (config.code + 1)),
        )

    def encode(self, fields: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance, B x code each, of B x 2 x 64 x 64 fields in ab."""
        mean, log_variance = self.encoder(fields / AB_RANGE).chunk(2, 1)
        return mean, log_variance.clamp(-12, 4)

    def decode(self, codes: Tensor) -> Tensor:
        """B x 2 x 64 x 64 ab of B x code."""
        return AB_RANGE * self.decoder(F.relu(self.start(codes)).unflatten(1, (-1, 4, 4)))

    def density(self, grey: GreyFeatures) -> tuple[Tensor, Tensor]:
        """Log-weights, B x M, and means, B x M x code, of the mixture over codes."""
        parts = (grey.coarse / ENCODER_UNIT, grey.middle / ENCODER_UNIT, scaled_colors(grey))
        pooled = torch.cat([F.adaptive_avg_pool2d(part, GRID) for part in parts], 1)
        weights, means = self.mixture(F.relu(self.reduce(pooled))).split(
            (self.config.mixtures, self.config.mixtures * self.config.code), 1
        )
        return weights.log_softmax(1), means.unflatten(1, (self.config.mixtures, self.config.code))

    def sample(self, grey: GreyFeatures, draw: Draw) -> Tensor:
        """B x count x 2 x h x w, ab; the temperature is a factor on the Gaussians' standard deviation."""
        count, generator = draw.count, draw.generator()
        log_weights, means = self.density(grey)
        chosen = torch.multinomial(log_weights.exp().cpu(), count, replacement=True, generator=generator)
        noise = torch.randn(len(chosen), count, self.config.code, generator=generator)
        codes = means.gather(1, chosen.to(means.device)[..., None].expand(-1, -1, self.config.code))
        codes = codes + draw.temperature * self.config.deviation * noise.to(means.device)
        fields = self.decode(codes.flatten(0, 1))
        size = (grey.colors.shape[-2], grey.colors.shape[-1])
        return F.interpolate(fields, size, mode="bilinear", antialias=True).unflatten(0, (len(chosen), count))


def _down(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 5, 2, 2), nn.GroupNorm(NORM_GROUPS, outputs), nn.ReLU())


def _up(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.Upsample(scale_factor=2, mode="bilinear"),
        nn.Conv2d(inputs, outputs, 3, padding=1),
        nn.GroupNorm(NORM_GROUPS, outputs),
        nn.ReLU(),
    )
