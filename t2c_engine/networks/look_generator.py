"""The generator of looks: a low-resolution grid of colour transforms and a tone curve, from one coloured picture.

A cell of the grid holds an affine map of (L, a, b) to ab for each of several tones, sliced by lightness as in bilateral
learning (Gharbi et al. 2017), so that the result is as sharp as the ab it is applied to. Serves CycleGAN (Zhu et al.
2017, one target) and StarGAN (Choi et al. 2018, a label among several). Must not import files or other networks but
the pretrained encoder's sizes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from t2c_engine.networks.color_profile import PROFILE, color_profile
from t2c_engine.networks.pretrained_encoder import LEVEL_WIDTHS

FEATURE_LEVEL = 2  # of the pretrained encoder: 1/16
AB_UNIT, L_UNIT = 50.0, 50.0  # Lab units to one of the network
COEFFICIENTS = 8  # of a cell and tone: two rows over L, a, b and 1
AB_LIMIT = 110.0  # results stay within it
DARKEST = 25.0  # L that a curve may give to black
SLOPES = (-1.6, 0.7)  # natural logarithm of the flattest and steepest part of a curve
CHROMATIC = (1, 2)  # of a row's coefficients: those of a and b
PROFILE_UNIT = 25.0  # Lab units of a colour profile to one of the network
PROFILE_WIDTH = 32  # channels of the layer that recognises looks


@dataclass(frozen=True, slots=True)
class LookConfig:
    """Sizes of `LookGenerator`; stored in checkpoints and model cards.

    targets: looks that it knows. side: short side of its input, px. levels: halvings from the input to the grid.
    tones: of the grid. knots: of the tone curve. features: whether it sees the pretrained encoder's. base: the ab that
    it starts from, "automatic" (any colours that the picture has been given) or "grey" (none). recognizes: whether it
    changes a picture the less the more it has the look already. monochrome: targets whose ab is a function of L alone.
    """

    targets: int = 1
    side: int = 32
    width: int = 16
    levels: int = 2
    blocks: int = 2
    tones: int = 4
    knots: int = 9
    features: bool = True
    base: str = "automatic"
    recognizes: bool = False
    monochrome: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Raises ValueError: a size is not usable."""
        if self.base not in ("automatic", "grey"):
            raise ValueError(f"the base '{self.base}' is neither automatic nor grey")
        smallest = {"targets": 1, "side": 16, "width": 4, "levels": 1, "blocks": 0, "tones": 1, "knots": 2}
        for name, least in smallest.items():
            if not least <= getattr(self, name) <= 1024:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be {least} to 1024")
        if self.side % 2**self.levels:
            raise ValueError(f"the side {self.side} is no multiple of {2**self.levels}")
        object.__setattr__(self, "monochrome", tuple(self.monochrome))  # a list in cards and settings
        if not set(self.monochrome) <= set(range(self.targets)):
            raise ValueError(f"monochrome names other targets than 0 to {self.targets - 1}")


@dataclass(frozen=True, slots=True)
class Transform:
    """What a generator says of a picture.

    grid: B x (8 x tones) x gh x gw, affine coefficients in units of AB_UNIT and L_UNIT. curve: B x knots, the L that
    each of evenly spaced L (0..100) becomes, rising, 0..100.
    """

    grid: Tensor
    curve: Tensor

    def colors(self, lightness: Tensor, ab: Tensor) -> Tensor:
        """The look's ab of a picture at any size.

        Args:
            lightness: B x 1 x h x w, 0..100, before the curve. ab: B x 2 x h x w, Lab units.
        """
        tones = self.grid.shape[1] // COEFFICIENTS
        cells = F.interpolate(self.grid, lightness.shape[-2:], mode="bilinear", align_corners=False)
        cells = cells.unflatten(1, (tones, 2, COEFFICIENTS // 2))  # B x tones x 2 x 4 x h x w
        place = lightness * (tones - 1) / 100
        middles = torch.arange(tones, device=lightness.device, dtype=lightness.dtype)[:, None, None]
        weight = (1 - (place - middles).abs()).clamp(min=0)  # B x tones x h x w
        rows = (cells * weight[:, :, None, None]).sum(1)  # B x 2 x 4 x h x w
        inputs = torch.cat((lightness / L_UNIT - 1, ab / AB_UNIT, torch.ones_like(lightness)), 1)
        result = AB_UNIT * (rows * inputs[:, None]).sum(2)
        return result.clamp(-AB_LIMIT, AB_LIMIT)

    def tones(self, lightness: Tensor) -> Tensor:
        """The curve applied to B x 1 x h x w L, 0..100."""
        last = self.curve.shape[1] - 1
        place = (lightness * (last / 100)).clamp(0, last)
        low = place.detach().floor().clamp(max=last - 1).long()
        flat = low.flatten(1)
        below, above = self.curve.gather(1, flat), self.curve.gather(1, flat + 1)
        return (below + (above - below) * (place - low).flatten(1)).view_as(lightness)


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    """A convolution that repeats the edge: zeros would give borders colours of their own."""
    return nn.Conv2d(inputs, outputs, kernel, stride, 1, padding_mode="replicate")


class LookGenerator(nn.Module):
    """A picture with colours, and a label, to the transform that gives it the look of that label."""

    identity: Tensor
    toned: Tensor
    chromatic: Tensor

    def __init__(self, config: LookConfig) -> None:
        super().__init__()
        self.config = config
        widths = [config.width * min(2**level, 4) for level in range(config.levels)]
        inputs = [3, *widths[:-1]]
        self.downs = nn.ModuleList(_conv(a, b, 4, 2) for a, b in zip(inputs, widths, strict=True))
        inner = widths[-1]
        self.seen = nn.Conv2d(LEVEL_WIDTHS[FEATURE_LEVEL], inner, 1) if config.features else None
        self.whole = nn.Linear(inner, inner)
        self.label = nn.Linear(config.targets, 2 * inner * (config.blocks + 1), bias=False)
        self.blocks = nn.ModuleList(
            nn.ModuleList((_conv(inner, inner, 3), _conv(inner, inner, 3))) for _ in range(config.blocks)
        )
        self.grid = nn.Conv2d(inner, COEFFICIENTS * config.tones, 1)
        self.curve = nn.Linear(inner, config.knots)
        for layer in (self.grid, self.curve):  # begins as the identity
            nn.init.normal_(layer.weight, std=1e-3)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        self.known = None
        if config.recognizes:
            self.known = nn.Sequential(
                nn.Linear(PROFILE, PROFILE_WIDTH), nn.LeakyReLU(0.2), nn.Linear(PROFILE_WIDTH, config.targets)
            )
        identity = torch.zeros(config.tones, 2, COEFFICIENTS // 2)
        identity[:, 0, 1] = identity[:, 1, 2] = 1
        self.register_buffer("identity", identity.reshape(1, -1, 1, 1), persistent=False)
        toned = torch.tensor([float(one in config.monochrome) for one in range(config.targets)])
        self.register_buffer("toned", toned, persistent=False)
        chromatic = torch.zeros(config.tones, 2, COEFFICIENTS // 2)
        chromatic[:, :, CHROMATIC] = 1
        self.register_buffer("chromatic", chromatic.reshape(1, -1, 1, 1), persistent=False)

    def forward(self, lightness: Tensor, ab: Tensor, features: Tensor | None, label: Tensor) -> Transform:
        """The transform of each picture.

        Args:
            lightness: B x 1 x h x w, 0..100, of about `side` px; h and w multiples of 2 ** levels. ab: B x 2 x h x w,
                Lab units; ignored where the base is grey. features: B x 112 x any x any, the pretrained encoder's at
                1/16; ignored where the network sees none. label: B x targets, one-hot.
        """
        if self.config.base == "grey":
            ab = torch.zeros_like(ab)
        x = torch.cat((lightness / L_UNIT - 1, ab / AB_UNIT), 1)
        for down in self.downs:
            x = F.leaky_relu(down(x), 0.2)
        if self.seen is not None:
            assert features is not None
            x = x + F.interpolate(self.seen(features), x.shape[-2:], mode="bilinear", align_corners=False)
        x = x + self.whole(x.mean((2, 3)))[..., None, None]
        styles = self.label(label).unflatten(1, (len(self.blocks) + 1, 2, -1))[..., None, None]
        x = F.leaky_relu(x * (1 + styles[:, 0, 0]) + styles[:, 0, 1], 0.2)
        for index, (first, second) in enumerate(self.blocks, start=1):  # type: ignore[misc]
            inner = F.leaky_relu(first(x) * (1 + styles[:, index, 0]) + styles[:, index, 1], 0.2)
            x = x + second(inner)
        grid, curve = self.identity + self.grid(x), self._curve(self.curve(x.mean((2, 3))))
        toned = label @ self.toned  # 1 where the target is monochrome
        alone = (grid * (1 - self.chromatic)).mean((2, 3), keepdim=True).expand_as(grid)
        grid = torch.where(toned[:, None, None, None] > 0.5, alone, grid)
        if self.known is None:
            return Transform(grid, curve)
        with torch.no_grad():  # learned apart from the rest
            has = (torch.sigmoid(self.recognized(color_profile(torch.cat((lightness, ab), 1)))) * label).sum(1)
        share = (2 * (1 - has)).clamp(max=1)  # how far along the change the picture goes: all of it where it is doubted
        even = torch.linspace(0, 100, self.config.knots, device=curve.device)
        return Transform(
            torch.lerp(self.identity, grid, share[:, None, None, None]), torch.lerp(even, curve, share[:, None])
        )

    def recognized(self, profile: Tensor) -> Tensor:
        """Logits, B x targets, of whether pictures of B x PROFILE `color_profile` have each look already."""
        assert self.known is not None
        return self.known(profile / PROFILE_UNIT)

    def _curve(self, values: Tensor) -> Tensor:
        """B x knots of any size to rising curves; 0 gives the identity."""
        step = 100 / (self.config.knots - 1)
        low, high = SLOPES
        bounded = torch.where(values > 0, high * torch.tanh(values / high), -low * torch.tanh(values / -low))
        rises = step * bounded[:, 1:].exp()
        start = DARKEST * torch.tanh(values[:, :1])
        return torch.cat((start, start + rises.cumsum(1)), 1).clamp(0, 100)
