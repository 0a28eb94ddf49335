"""Lightness to everything that the decoder needs of a picture, before any condition is known. Must not import files.

Three branches: a tone encoder at 1/4 to 1/16, a pretrained classifier under a feature pyramid, and edges at 1/2.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from t2c_engine.networks.global_attention import PictureAttention, PlaceEmbedding
from t2c_engine.networks.layers import Residual, conv_norm, upsampled
from t2c_engine.networks.pretrained_encoder import LEVEL_WIDTHS, PretrainedEncoder

SCALE = 4  # input pixels to one pixel of the finest features, along each side
DETAIL = 2  # resolution of the colour that comes out over that of the finest features
AB_SCALE = 110.0  # heads predict ab in units of this
ATTENTION_LEVEL = 2  # level of the pyramid, 1/16, in which all places attend to each other
PYRAMID_BLOCKS = (1, 2, 1, 1)  # residual blocks at 1/4 ... 1/32


@dataclass(frozen=True, slots=True)
class ColorizerConfig:
    """Sizes of `ColorizerNet`; stored in checkpoints and model cards."""

    tone_widths: tuple[int, int, int] = (40, 80, 160)  # channels of the tone encoder at 1/4, 1/8, 1/16
    tone_blocks: tuple[int, int, int] = (1, 3, 6)  # residual blocks of each
    pyramid_widths: tuple[int, int, int, int] = (48, 96, 128, 128)  # of the feature pyramid at 1/4 ... 1/32
    decoder_widths: tuple[int, int, int] = (40, 64, 128)  # at 1/4, 1/8, 1/16
    decoder_blocks: tuple[int, int, int] = (1, 2, 2)  # residual blocks of each
    token_levels: int = 2  # decoder levels, coarsest first, that palette tokens attend to
    token_mixers: int = 3  # self-attention layers of the palette before
    token_width: int = 128
    heads: int = 4
    detail_width: int = 24  # channels at 1/2
    detail_blocks: int = 2
    filter_rounds: int = 4  # of `EdgeAvoidingFilter`
    attention_width: int = 192  # of self-attention among the places at 1/16
    attention_heads: int = 6
    picture_layers: int = 2  # of `PictureAttention`
    placement_layers: int = 4  # of `PalettePlacement`
    bins: int = 313


@dataclass(frozen=True, slots=True)
class Features:
    """What the decoder needs of a picture; each B x C x h x w."""

    lightness: Tensor  # 1/4, 1 channel, 0..100
    detailed: Tensor  # the same at 1/2
    edges: Tensor  # 1/2
    skips: tuple[Tensor, Tensor, Tensor]  # 1/4, 1/8, 1/16, of the decoder's widths
    places: Tensor  # 1/16, for `PalettePlacement`
    logits: Tensor  # 1/8, over the ab bins
    automatic: Tensor  # 1/4, 2 channels, Lab units: ab that needs no condition
    pretrained: tuple[Tensor, ...]  # of the pretrained encoder, 1/4 to 1/32

    def repeat(self, count: int) -> Features:
        """One picture's features for `count` conditions (B must be 1; no copy)."""
        parts = (self.lightness, self.detailed, self.edges, *self.skips, self.places, self.logits, self.automatic)
        lightness, detailed, edges, fine, middle, coarse, places, logits, automatic, *pretrained = (
            part.expand(count, -1, -1, -1) for part in (*parts, *self.pretrained)
        )
        return Features(
            lightness, detailed, edges, (fine, middle, coarse), places, logits, automatic, tuple(pretrained)
        )

    def of(self, index: int) -> Features:
        """Those of one picture of a batch (no copy)."""
        parts = (self.lightness, self.detailed, self.edges, *self.skips, self.places, self.logits, self.automatic)
        lightness, detailed, edges, fine, middle, coarse, places, logits, automatic = (
            part[index : index + 1] for part in parts
        )
        return Features(lightness, detailed, edges, (fine, middle, coarse), places, logits, automatic)


class ToneEncoder(nn.Module):
    """Lightness to features at 1/4, 1/8 and 1/16, of the decoder's widths: tones and textures, which need no names."""

    def __init__(self, config: ColorizerConfig) -> None:
        super().__init__()
        widths = config.tone_widths
        self.stem = conv_norm(SCALE * SCALE, widths[0])
        self.downs = nn.ModuleList(conv_norm(a, b, stride=2) for a, b in pairwise(widths))
        self.stages = nn.ModuleList(
            nn.Sequential(*(Residual(width) for _ in range(count)))
            for width, count in zip(widths, config.tone_blocks, strict=True)
        )
        self.projections = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in zip(widths, config.decoder_widths, strict=True))

    def forward(self, scaled: Tensor) -> tuple[Tensor, ...]:
        """B x 1 x H x W, -1..1, to three levels, finest first."""
        x = F.relu(self.stem(F.pixel_unshuffle(scaled, SCALE)))
        levels = []
        for index, (stage, project) in enumerate(zip(self.stages, self.projections, strict=True)):
            if index:
                x = F.relu(self.downs[index - 1](x))
            x = stage(x)
            levels.append(project(x))
        return tuple(levels)


class FeaturePyramid(nn.Module):
    """Top-down pathway over the pretrained encoder's levels (Lin et al. 2017)."""

    def __init__(self, config: ColorizerConfig) -> None:
        super().__init__()
        widths = config.pyramid_widths
        self.lateral = nn.ModuleList(conv_norm(a, b, kernel=1) for a, b in zip(LEVEL_WIDTHS, widths, strict=True))
        self.top_down = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairwise(widths))
        self.blocks = nn.ModuleList(
            nn.Sequential(*(Residual(width) for _ in range(count)))
            for width, count in zip(widths, PYRAMID_BLOCKS, strict=True)
        )
        self.attention = PictureAttention(
            widths[ATTENTION_LEVEL], config.attention_width, config.attention_heads, config.picture_layers
        )

    def forward(self, levels: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Levels at 1/4 ... 1/32 of LEVEL_WIDTHS channels to the same of the pyramid's widths."""
        outputs: list[Tensor] = []
        for index in reversed(range(len(levels))):
            x = self.lateral[index](levels[index])
            if outputs:
                x = x + upsampled(self.top_down[index](outputs[0]), x)
            x = self.blocks[index](F.relu(x))
            outputs.insert(0, self.attention(x) if index == ATTENTION_LEVEL else x)
        return tuple(outputs)


class EdgeEncoder(nn.Module):
    """Lightness to features of edges and textures at 1/2."""

    def __init__(self, config: ColorizerConfig) -> None:
        super().__init__()
        step = SCALE // DETAIL
        self.layers = nn.Sequential(
            conv_norm(step * step, config.detail_width),
            nn.Sequential(nn.ReLU(), *(Residual(config.detail_width) for _ in range(config.detail_blocks))),
            conv_norm(config.detail_width, config.detail_width),
        )

    def forward(self, scaled: Tensor) -> Tensor:
        """B x 1 x H x W, -1..1, to B x detail_width x H/2 x W/2."""
        return self.layers(F.pixel_unshuffle(scaled, SCALE // DETAIL))


class PictureEncoder(nn.Module):
    """Lightness to `Features`: tones, edges, what the picture shows, and its automatic colour."""

    def __init__(self, config: ColorizerConfig) -> None:
        super().__init__()
        widths = config.pyramid_widths
        self.tone = ToneEncoder(config)
        self.edges = EdgeEncoder(config)
        self.pretrained = PretrainedEncoder()
        self.pyramid = FeaturePyramid(config)
        self.skips = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in zip(widths[:3], config.decoder_widths, strict=True))
        self.places = PlaceEmbedding(config.decoder_widths[2], config.bins, config.attention_width)
        self.logits = nn.Conv2d(widths[1], config.bins, 1)
        self.automatic = nn.Conv2d(widths[0], 2, 1)
        for starts_at_zero in (self.skips, self.automatic):
            for parameter in starts_at_zero.parameters():
                nn.init.zeros_(parameter)

    def forward(self, lightness: Tensor) -> Features:
        """Encode pictures.

        Args:
            lightness: B x 1 x H x W, 0..100; H and W multiples of `pretrained_encoder.MULTIPLE`.
        """
        scaled = lightness / 50 - 1
        pretrained = self.pretrained(lightness)
        pyramid = self.pyramid(pretrained)
        fine, middle, coarse = (
            tone + project(level)
            for tone, project, level in zip(self.tone(scaled), self.skips, pyramid[:3], strict=True)
        )
        logits = self.logits(pyramid[1])
        return Features(
            lightness=F.avg_pool2d(lightness, SCALE),
            detailed=F.avg_pool2d(lightness, SCALE // DETAIL),
            edges=self.edges(scaled),
            skips=(fine, middle, coarse),
            places=self.places(coarse, logits.detach(), scaled),
            logits=logits,
            automatic=AB_SCALE * self.automatic(pyramid[0]).float(),
            pretrained=pretrained,
        )


def bounded(x: Tensor, limit: Tensor | float) -> Tensor:
    """`x` where small, never beyond +-limit."""
    return limit * torch.tanh(x / limit)


def read_network_config(values: dict[str, Any]) -> ColorizerConfig:
    """A network's sizes from a card or a settings file, where tuples are lists.

    Raises:
        TypeError: it has sizes that there are not.
    """
    return ColorizerConfig(**with_tuples(values))


def with_tuples(values: dict[str, Any]) -> dict[str, Any]:
    """The same values, with tuples in place of lists."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
