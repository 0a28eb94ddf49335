"""The networks of StarGAN (Choi et al. 2018) on pixels: trained between grey and colour, as document 004 did.

Must not import data.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class StarGenerator(nn.Module):
    """RGB and a target label to RGB: two halvings, residual blocks, two doublings, instance norm, tanh."""

    def __init__(self, domains: int, width: int, blocks: int) -> None:
        super().__init__()
        self.enter = _normed(nn.Conv2d(3 + domains, width, 7, 1, 3), width)
        self.downs = nn.ModuleList(
            _normed(nn.Conv2d(width * 2**level, width * 2 ** (level + 1), 4, 2, 1), width * 2 ** (level + 1))
            for level in range(2)
        )
        inner = 4 * width
        self.blocks = nn.ModuleList(
            nn.Sequential(
                _normed(nn.Conv2d(inner, inner, 3, 1, 1), inner),
                nn.ReLU(),
                _normed(nn.Conv2d(inner, inner, 3, 1, 1), inner),
            )
            for _ in range(blocks)
        )
        self.ups = nn.ModuleList(
            _normed(nn.ConvTranspose2d(width * 2 ** (level + 1), width * 2**level, 4, 2, 1), width * 2**level)
            for level in (1, 0)
        )
        self.leave = nn.Conv2d(width, 3, 7, 1, 3)

    def forward(self, rgb: Tensor, label: Tensor) -> Tensor:
        """B x 3 x h x w in -1..1 and B x domains, one-hot, to the same in -1..1."""
        planes = label[:, :, None, None].expand(-1, -1, *rgb.shape[2:])
        x = F.relu(self.enter(torch.cat((rgb, planes), 1)))
        for down in self.downs:
            x = F.relu(down(x))
        for block in self.blocks:
            x = x + block(x)
        for up in self.ups:
            x = F.relu(up(x))
        return torch.tanh(self.leave(x))


class StarDiscriminator(nn.Module):
    """RGB to patches' realness and the picture's domain."""

    def __init__(self, domains: int, width: int, levels: int, side: int) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(levels)]
        inputs = [3, *widths[:-1]]
        self.downs = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1) for a, b in zip(inputs, widths, strict=True))
        self.real = nn.Conv2d(widths[-1], 1, 3, 1, 1, bias=False)
        self.domain = nn.Conv2d(widths[-1], domains, side // 2**levels, bias=False)

    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        """B x 3 x h x w in -1..1 to B x 1 x h' x w' and B x domains logits."""
        for down in self.downs:
            rgb = F.leaky_relu(down(rgb), 0.01)
        return self.real(rgb), self.domain(rgb).flatten(1)


def _normed(convolution: nn.Module, channels: int) -> nn.Sequential:
    return nn.Sequential(convolution, nn.InstanceNorm2d(channels, affine=True, track_running_stats=True))
