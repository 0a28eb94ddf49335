"""A perceptual distance from SqueezeNet 1.0's features: for losses and metrics only, its weights are never shipped.

As LPIPS (Zhang et al. 2018) without its learned weights: not comparable with published LPIPS figures.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from t2c_engine.color.lab import lab_to_srgb
from t2c_engine.errors import UsageError
from t2c_engine.files import reason

MEAN_BGR = (104.0, 117.0, 123.0)
POOL_BEFORE = (4, 8)  # the pools stand after conv1, fire4 and fire8


class PerceptualDistance(nn.Module):
    """Mean over the eight fire modules of the squared difference of channel-normalised features."""

    def __init__(self, weights: Path) -> None:
        """Read `squeezenet_v1.0.npz`. Raises UsageError if it is not there."""
        super().__init__()
        try:
            with np.load(weights) as arrays:
                for name in arrays.files:
                    self.register_buffer(_plain(name), torch.from_numpy(arrays[name]), persistent=False)
        except (OSError, ValueError) as error:
            raise UsageError(
                f"The SqueezeNet weights {weights} cannot be read ({reason(error)}); give squeezenet_v1.0.npz."
            ) from error

    def features(self, rgb: Tensor) -> list[Tensor]:
        """B x 3 x H x W sRGB in 0..1 to the outputs of fire2 .. fire9."""
        x = rgb.flip(1) * 255 - rgb.new_tensor(MEAN_BGR)[:, None, None]
        x = F.max_pool2d(F.relu(self._conv("conv1", x, stride=2)), 3, 2, ceil_mode=True)
        outputs = []
        for index in range(2, 10):
            squeezed = F.relu(self._conv(f"fire{index}/conv1x1_1", x))
            wide = (self._conv(f"fire{index}/conv1x1_2", squeezed), self._conv(f"fire{index}/conv3x3_2", squeezed))
            x = F.relu(torch.cat(wide, 1))
            outputs.append(x)
            if index in POOL_BEFORE:
                x = F.max_pool2d(x, 3, 2, ceil_mode=True)
        return outputs

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        """Distance of each pair of pictures (B x 3 x H x W, 0..1), B numbers."""
        distances = []
        for a, b in zip(self.features(one), self.features(other), strict=True):
            a, b = F.normalize(a.float(), dim=1), F.normalize(b.float(), dim=1)
            distances.append((a - b).square().sum(1).mean((1, 2)))
        return torch.stack(distances).mean(0)

    def ab_distance(self, lightness: Tensor, predicted: Tensor, true: Tensor) -> Tensor:
        """Mean distance of pictures of the same lightness, for training: colours beyond sRGB are clipped.

        Args:
            lightness: B x 1 x H x W, 0..100. predicted, true: B x 2 x h x w, Lab units, brought to H x W.
        """
        with torch.no_grad():
            wanted = _rgb(lightness, true)
        return self(_rgb(lightness, predicted), wanted).mean()

    def _conv(self, name: str, x: Tensor, stride: int = 1) -> Tensor:
        weight, bias = (self.get_buffer(_plain(f"{name}.{part}")) for part in ("weight", "bias"))
        return F.conv2d(x, weight, bias, stride, padding=1 if weight.shape[-1] == 3 else 0)


def _rgb(lightness: Tensor, ab: Tensor) -> Tensor:
    """B x 3 x H x W sRGB, 0..1."""
    ab = F.interpolate(ab.float(), lightness.shape[-2:], mode="bilinear", align_corners=False)
    return lab_to_srgb(torch.cat((lightness, ab), 1).movedim(1, -1)).movedim(-1, 1)


def _plain(name: str) -> str:
    """A name that a buffer may have."""
    return name.replace(".", "_").replace("/", "_")
