"""The networks that train a look and are not shipped with it: critics of pictures, and the way back to grey.

Must not import data.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from t2c_engine.networks.look_generator import AB_UNIT, L_UNIT

GREATEST_CHANGE = 20.0  # L that the way back to grey may add or take away


class Discriminator(nn.Module):
    """Says of patches whether they are real (Isola et al. 2017), and of a picture which domain it is of.

    Spectral normalisation (Miyato et al. 2018) keeps it from winning outright where domains differ by subject.
    """

    def __init__(self, channels: int, width: int, levels: int, domains: int = 0) -> None:
        """channels: 3 for Lab, 1 for L. domains: classes; 0: it does not classify."""
        super().__init__()
        widths = [width * min(2**level, 4) for level in range(levels)]
        inputs = [channels, *widths[:-1]]
        self.downs = nn.ModuleList(
            spectral_norm(nn.Conv2d(a, b, 4, 2, 1, padding_mode="replicate"))
            for a, b in zip(inputs, widths, strict=True)
        )
        self.real = spectral_norm(nn.Conv2d(widths[-1], 1, 3, 1, 1, padding_mode="replicate"))
        self.domain = nn.Linear(2 * widths[-1], domains) if domains else None

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor | None]:
        """B x 3 x h x w Lab (or B x 1 x h x w L) to B x 1 x h' x w' (1 real, 0 made) and B x domains logits."""
        x = scaled(picture)
        for down in self.downs:
            x = F.leaky_relu(down(x), 0.2)
        if self.domain is None:
            return self.real(x), None
        return self.real(x), self.domain(torch.cat((x.mean((2, 3)), x.std((2, 3))), 1))


class GreyGenerator(nn.Module):
    """A colour picture to the grey one that a film would have made of it: lightness, changed by colour."""

    def __init__(self, width: int, kernel: int = 1) -> None:
        """kernel: 1 for a film's response to a colour; more sees neighbours too, as published."""
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, width, kernel, 1, kernel // 2),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, width, kernel, 1, kernel // 2),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 1, 1),
        )

    def forward(self, lab: Tensor) -> Tensor:
        """B x 3 x h x w Lab to B x 1 x h x w L."""
        return (lab[:, :1] + GREATEST_CHANGE * torch.tanh(self.layers(scaled(lab)))).clamp(0, 100)


def scaled(picture: Tensor) -> Tensor:
    """Lab or L to about -1..1."""
    lightness = picture[:, :1] / L_UNIT - 1
    return lightness if picture.shape[1] == 1 else torch.cat((lightness, picture[:, 1:] / AB_UNIT), 1)


def least_squares(logits: Tensor, real: bool) -> Tensor:
    """The adversarial loss of CycleGAN (Mao et al. 2017)."""
    return (logits - float(real)).square().mean()


def distance(one: Tensor, other: Tensor) -> Tensor:
    """Mean absolute difference of Lab or L pictures in units of the networks."""
    return (scaled(one) - scaled(other)).abs().mean()
