"""The paper's PCN (Bahng et al. 2018, section 4.2) and its discriminator, as configuration "pcn-paper".

The main colorization network is the layout of Zhang et al. 2017 (conv1 - conv10, 34 M parameters at width 64), here
over lightness alone; the conditioning network adds features of the palette at conv9, conv8 and conv4. Its size also
serves as the reference of all speed figures. Must not import files, pictures or the trainer.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from t2c_engine.serving.protocol import PALETTE_SIZE

PALETTE_NUMBERS = 3 * PALETTE_SIZE  # Lab


def convs(inputs: int, outputs: int, count: int, *, dilation: int = 1, stride: int = 1) -> nn.Sequential:
    """`count` times 3 x 3 convolution and ReLU, the last one with the stride; then BatchNorm."""
    layers: list[nn.Module] = []
    for index in range(count):
        step = stride if index == count - 1 else 1
        layers.append(nn.Conv2d(outputs if index else inputs, outputs, 3, step, padding=dilation, dilation=dilation))
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers, nn.BatchNorm2d(outputs))


class ConditioningNetwork(nn.Module):
    """p in R^15 through 1 x 1 convolutions and ReLU; layers 1, 2 and 4 are handed out."""

    def __init__(self, width: int) -> None:
        super().__init__()
        sizes = (PALETTE_NUMBERS, 2 * width, 4 * width, 8 * width, 8 * width)
        self.layers = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in pairwise(sizes))

    def forward(self, palette: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """B x 15 to B x 2w x 1 x 1 (conv9), B x 4w x 1 x 1 (conv8), B x 8w x 1 x 1 (conv4)."""
        features = []
        x = palette[:, :, None, None]
        for layer in self.layers:
            x = F.relu(layer(x))
            features.append(x)
        return features[0], features[1], features[3]


class PCN(nn.Module):
    """Generator G1: B x 1 x H x W lightness (0..100) and B x 5 x 3 Lab palettes to B x 2 x H x W ab (Lab units).

    H and W must be multiples of 8.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        w = width
        self.conv1 = convs(1, w, 2)
        self.conv2 = convs(w, 2 * w, 2)
        self.conv3 = convs(2 * w, 4 * w, 3)
        self.conv4 = convs(4 * w, 8 * w, 3)
        self.conv5 = convs(8 * w, 8 * w, 3, dilation=2)
        self.conv6 = convs(8 * w, 8 * w, 3, dilation=2)
        self.conv7 = convs(8 * w, 8 * w, 3)
        self.up8 = nn.ConvTranspose2d(8 * w, 4 * w, 4, 2, 1)
        self.short8 = nn.Conv2d(4 * w, 4 * w, 3, padding=1)
        self.conv8 = convs(4 * w, 4 * w, 2)
        self.up9 = nn.ConvTranspose2d(4 * w, 2 * w, 4, 2, 1)
        self.short9 = nn.Conv2d(2 * w, 2 * w, 3, padding=1)
        self.conv9 = convs(2 * w, 2 * w, 1)
        self.up10 = nn.ConvTranspose2d(2 * w, 2 * w, 4, 2, 1)
        self.short10 = nn.Conv2d(w, 2 * w, 3, padding=1)
        self.conv10 = nn.Conv2d(2 * w, 2 * w, 3, padding=1)
        self.output = nn.Conv2d(2 * w, 2, 1)
        self.conditioning = ConditioningNetwork(w)

    def forward(self, lightness: Tensor, palette: Tensor) -> Tensor:
        at9, at8, at4 = self.conditioning(scale_palette(palette).flatten(1))
        conv1 = self.conv1(lightness / 50 - 1)
        conv2 = self.conv2(conv1[:, :, ::2, ::2])
        conv3 = self.conv3(conv2[:, :, ::2, ::2])
        conv4 = self.conv4(conv3[:, :, ::2, ::2]) + at4
        conv7 = self.conv7(self.conv6(self.conv5(conv4)))
        conv8 = self.conv8(F.relu(self.up8(conv7) + self.short8(conv3))) + at8
        conv9 = self.conv9(F.relu(self.up9(conv8) + self.short9(conv2))) + at9
        conv10 = F.leaky_relu(self.conv10(F.relu(self.up10(conv9) + self.short10(conv1))), 0.2)
        return torch.tanh(self.output(conv10)) * 110


class PCNDiscriminator(nn.Module):
    """Discriminator D1, a DCGAN variant: Lab picture and tiled palette to one logit a picture (real or fake).

    With `palette` False it sees the picture alone.
    """

    def __init__(self, width: int = 64, side: int = 256, *, palette: bool = True) -> None:
        super().__init__()
        widths = [3 + PALETTE_NUMBERS * palette, width, 2 * width, 4 * width, 8 * width]
        layers: list[nn.Module] = []
        for index, (a, b) in enumerate(pairwise(widths)):
            layers.append(nn.Conv2d(a, b, 4, 2, 1))
            if index:
                layers.append(nn.BatchNorm2d(b))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
        self.body = nn.Sequential(*layers)
        self.output = nn.Linear(widths[-1] * (side // 16) ** 2, 1)

    def forward(self, lightness: Tensor, ab: Tensor, palette: Tensor | None) -> Tensor:
        """B x 1 x side x side, B x 2 x side x side, B x 5 x 3 (Lab units) to B logits."""
        parts = [lightness / 50 - 1, ab / 110]
        if palette is not None:
            parts.append(scale_palette(palette).flatten(1)[:, :, None, None].expand(-1, -1, *lightness.shape[-2:]))
        return self.output(self.body(torch.cat(parts, 1)).flatten(1)).squeeze(1)


def scale_palette(palette: Tensor) -> Tensor:
    """Lab (... x 3) to about -1..1."""
    return palette / palette.new_tensor([50.0, 110.0, 110.0]) - palette.new_tensor([1.0, 0.0, 0.0])
