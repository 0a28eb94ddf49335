"""Colour as classification over the 313 ab bins, as published (Zhang et al. 2016, 2.1; poster "CNN with GAN").

Kept so that the published methods can be compared with the shipped network, whose own head does the same. Must not
import files, pictures or the trainer.
"""

from __future__ import annotations

from torch import Tensor, nn

from t2c_engine.color.lab import ab_bins
from trainer.papers.pcn_network import convs


class ColorClassifier(nn.Module):
    """B x 1 x H x W lightness (0..100) to B x 313 x H/4 x W/4 logits.

    Eight blocks of two or three convolutions, each with ReLU, and a BatchNorm after the block; no pooling: resolution
    changes by stride and by upsampling. At width 64 it has the published size (32 M). H and W are multiples of 8.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        w = width
        self.blocks = nn.Sequential(
            convs(1, w, 2, stride=2),
            convs(w, 2 * w, 2, stride=2),
            convs(2 * w, 4 * w, 3, stride=2),
            convs(4 * w, 8 * w, 3),
            convs(8 * w, 8 * w, 3, dilation=2),
            convs(8 * w, 8 * w, 3, dilation=2),
            convs(8 * w, 8 * w, 3),
        )
        self.up = nn.ConvTranspose2d(8 * w, 4 * w, 4, 2, 1)
        self.last = nn.Sequential(nn.ReLU(), convs(4 * w, 4 * w, 2))
        self.output = nn.Conv2d(4 * w, len(ab_bins()), 1)

    def forward(self, lightness: Tensor) -> Tensor:
        return self.output(self.last(self.up(self.blocks(lightness / 50 - 1))))
