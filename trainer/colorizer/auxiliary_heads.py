"""Teachers for the encoder, since colour alone teaches what things are slowly. Used in training only, never shipped.

What a picture shows (Iizuka et al. 2016 learn it jointly with colour), and SqueezeNet's features of the clean grey
picture, to be guessed from the worn one. Must not import data.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from t2c_engine.networks.colorizer import ColorizerConfig, Features
from trainer.common.perceptual import PerceptualDistance

TEACHER_CHANNELS = 512  # of fire9, at 1/16 of the input's resolution


class KindHead(nn.Module):
    """Loss of telling from the deepest features, averaged over the picture, of what kind it is."""

    def __init__(self, config: ColorizerConfig, kinds: int) -> None:
        super().__init__()
        self.normalise = nn.LayerNorm(config.decoder_widths[2])
        self.tell = nn.Linear(config.decoder_widths[2], max(1, kinds))

    def forward(self, features: Features, kinds: Tensor) -> Tensor:
        """Mean cross-entropy over the pictures of known kind (B int64, -1 where not known); 0 if there is none."""
        told = self.tell(self.normalise(features.skips[2].mean((2, 3)).float()))
        return F.cross_entropy(told, kinds, ignore_index=-1, reduction="sum") / (kinds >= 0).sum().clamp(min=1)


class Teacher(nn.Module):
    """Loss between the teacher's features, normalised by channel, and a linear guess from the encoder's."""

    def __init__(self, weights: Path, config: ColorizerConfig) -> None:
        """Raises UsageError if the teacher's weights cannot be read."""
        super().__init__()
        self.squeezenet = PerceptualDistance(weights)
        self.guess = nn.Conv2d(config.decoder_widths[2], TEACHER_CHANNELS, 1)
        self.normalise = nn.BatchNorm2d(TEACHER_CHANNELS, affine=False)

    def forward(self, features: Features, lightness: Tensor) -> Tensor:
        """Mean squared error in units of each channel's variance; `lightness` is the clean one, B x 1 x H x W."""
        coarse = features.skips[2]
        size = coarse.shape[-2:]
        with torch.no_grad():
            rgb = (lightness / 100).expand(-1, 3, -1, -1)  # close enough to gamma-encoded grey
            target = self.normalise(F.interpolate(self.squeezenet.features(rgb)[-1], size=size, mode="bilinear"))
        return F.mse_loss(self.guess(coarse), target)
