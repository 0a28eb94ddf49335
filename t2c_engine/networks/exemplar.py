"""Transfer sub-net: colors of a reference picture to the places of a grey one (Xu et al. 2020), with a confidence.

Features come from the colorizer's pretrained encoder, where the paper has VGG19. AdaIN gives the target's features the
reference's statistics at every level; a decoder with skips predicts ab. With `matching`, attention from places of the
target to places of the reference gives the first estimate, as in He et al. 2018. Must not import files or the trainer.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from t2c_engine.color.lab import lab_to_srgb
from t2c_engine.networks.layers import Residual, conv_norm, upsampled
from t2c_engine.networks.picture_encoder import AB_SCALE
from t2c_engine.networks.pretrained_encoder import LEVEL_WIDTHS, PretrainedEncoder

ADAIN_EPS = 1e-2
MATCHED = (1, 2, 3)  # levels of the encoder that are matched: 1/8, 1/16, 1/32
MATCHED_WEIGHTS = (0.5, 1.0, 1.0)  # of each level in the cosine of plain features
PLACE = 8  # px of the input to one place of the matching, along each side
FINE = 4  # px of the input to one cell of the result
TONES = 3  # channels of `tone_features`
LIGHT_UNIT = 50.0
COLOR_UNIT = 50.0  # ab units to one in the evidence
EVIDENCE = 11  # channels of `Match.evidence`
START_SHARPNESS = 30.0  # factor on the cosine of plain features before the softmax
START_TONE_WEIGHT = 0.5  # loss of score for a squared difference of 1 in tone features


@dataclass(frozen=True, slots=True)
class ExemplarConfig:
    """Sizes and choices of `ExemplarNet`; stored in checkpoints and model cards.

    widths, blocks: channels and residual blocks of the decoder at 1/4, 1/8, 1/16, 1/32. embedding: channels in which
    places are compared. matching: attention to places of the reference. colored: whether the encoder sees colors, the
    target's being automatic ones, as in the paper. confident: whether a confidence is predicted; else it is 1.
    """

    widths: tuple[int, int, int, int] = (32, 64, 96, 128)
    blocks: tuple[int, int, int, int] = (1, 1, 1, 1)
    embedding: int = 64
    matching: bool = True
    colored: bool = False
    confident: bool = True


@dataclass(frozen=True, slots=True)
class Exemplar:
    """What the network sees of a picture. H and W are multiples of 32.

    levels: the pretrained encoder's features at 1/4 .. 1/32. lightness: B x 1 x H/4 x W/4, 0..100. ab: B x 2 x H/8 x
    W/8, Lab units; of a target its automatic color.
    """

    levels: tuple[Tensor, ...]
    lightness: Tensor
    ab: Tensor


@dataclass(frozen=True, slots=True)
class Transfer:
    """ab: B x 2 x H/4 x W/4, Lab units (`T_ab`); confidence: B x 1 x H/4 x W/4, 0..1."""

    ab: Tensor
    confidence: Tensor


@dataclass(frozen=True, slots=True)
class Match:
    """ab: B x 2 x h x w, the attended color; evidence: B x EVIDENCE x h x w, what speaks for it."""

    ab: Tensor
    evidence: Tensor


def seen(encoder: PretrainedEncoder, lightness: Tensor, ab: Tensor, colored: bool) -> Exemplar:
    """What the network sees of pictures.

    Args:
        lightness: B x 1 x H x W, 0..100; H and W multiples of 32. ab: B x 2 x h x w, Lab units, of any size; of a
            target its automatic color. colored: see `ExemplarConfig`.
    """
    height, width = lightness.shape[-2:]
    if colored:
        lab = torch.cat((lightness, F.interpolate(ab, (height, width), mode="bilinear", align_corners=False)), 1)
        levels = encoder.features_of_rgb(lab_to_srgb(lab.movedim(1, -1)).movedim(-1, 1))
    else:
        levels = encoder(lightness)
    at_places = F.interpolate(
        ab, (height // PLACE, width // PLACE), mode="bilinear", antialias=True, align_corners=False
    )
    return Exemplar(levels, F.avg_pool2d(lightness, FINE), at_places)


def adain(content: Tensor, style: Tensor) -> Tensor:
    """Content with the channel statistics of style (Huang and Belongie 2017, eq. 8); B x C x h x w, of any sizes."""
    mean, deviation = _statistics(style)
    return standardized(content) * deviation + mean


def standardized(x: Tensor) -> Tensor:
    """Every channel of every picture with mean 0 and deviation 1."""
    mean, deviation = _statistics(x)
    return (x - mean) / deviation


def _statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    variance, mean = torch.var_mean(x, (2, 3), correction=0, keepdim=True)
    return mean, (variance + ADAIN_EPS).sqrt()


def tone_features(lightness: Tensor, size: tuple[int, int]) -> Tensor:
    """B x TONES x h x w: lightness by the picture's own mean and deviation, plain lightness, local contrast."""
    mean = F.adaptive_avg_pool2d(lightness, size)
    variance = (F.adaptive_avg_pool2d(lightness.square(), size) - mean.square()).clamp(min=0)
    spread = mean.std((2, 3), keepdim=True).clamp(min=5)
    own = (mean - mean.mean((2, 3), keepdim=True)) / spread
    return torch.cat((own, mean / LIGHT_UNIT - 1, (variance + 1e-2).sqrt().sqrt() / 2), 1)


class Matching(nn.Module):
    """Softmax attention from places of the target to places of the reference.

    Scores are the cosine of standardized features, a learned embedding's cosine, which is 0 at the start, and closeness
    of tones.
    """

    def __init__(self, config: ExemplarConfig) -> None:
        super().__init__()
        width = config.embedding
        self.projections = nn.ModuleList(conv_norm(2 * LEVEL_WIDTHS[level], width, kernel=1) for level in MATCHED)
        self.tones = conv_norm(TONES, width, kernel=1)
        self.embed = nn.Conv2d(width, width, 1)
        self.sharpness = nn.Parameter(torch.tensor(START_SHARPNESS))
        self.learned_sharpness = nn.Parameter(torch.tensor(0.0))
        self.tone_weight = nn.Parameter(torch.full((TONES,), START_TONE_WEIGHT))

    def forward(self, target: Exemplar, reference: Exemplar) -> Match:
        """The reference's ab as each place of the target attends to it."""
        size = (target.ab.shape[-2], target.ab.shape[-1])
        reference_size = (reference.ab.shape[-2], reference.ab.shape[-1])
        tones = tone_features(target.lightness, size), tone_features(reference.lightness, reference_size)
        plain = _places(_joined(target.levels, size)) @ _places(_joined(reference.levels, reference_size)).mT
        embedded = tuple(
            F.normalize(self._embedding(one.levels, tone, one.ab), dim=1)
            for one, tone in zip((target, reference), tones, strict=True)
        )
        learned = _places(embedded[0]) @ _places(embedded[1]).mT
        weights = self.tone_weight.clamp(min=0).sqrt()
        own, other = (_places(tone) * weights for tone in tones)
        apart = torch.cdist(own, other, compute_mode="donot_use_mm_for_euclid_dist").square()
        attention = (self.sharpness * plain + self.learned_sharpness * learned - apart).softmax(2)  # B x N x M
        best = torch.stack((plain.amax(2), learned.amax(2)), 1)
        return _match(attention, best, target, reference, tones)

    def _embedding(self, levels: tuple[Tensor, ...], tone: Tensor, like: Tensor) -> Tensor:
        """B x embedding x h x w of features as they are and standardized."""
        x = self.tones(tone)
        for level, project in zip(MATCHED, self.projections, strict=True):
            features = torch.cat((levels[level], standardized(levels[level])), 1)
            x = x + upsampled(project(features), like)
        return self.embed(F.relu(x))


def _joined(levels: tuple[Tensor, ...], size: tuple[int, int]) -> Tensor:
    """Standardized features of the matched levels at one size, each normalized; of unit length together."""
    parts = []
    for level, weight in zip(MATCHED, MATCHED_WEIGHTS, strict=True):
        x = F.interpolate(standardized(levels[level]), size, mode="bilinear", align_corners=False)
        parts.append(weight * F.normalize(x, dim=1))
    return F.normalize(torch.cat(parts, 1), dim=1)


def _places(x: Tensor) -> Tensor:
    """B x C x h x w to B x hw x C."""
    return x.flatten(2).mT


def _match(
    attention: Tensor, best: Tensor, target: Exemplar, reference: Exemplar, tones: tuple[Tensor, Tensor]
) -> Match:
    """Attended colors and the evidence for them."""
    height, width = target.ab.shape[-2:]
    colors = _places(reference.ab)
    values = torch.cat((colors, colors.square().sum(2, keepdim=True), _places(tones[1])[..., 1:2]), 2)
    attended = (attention @ values).mT.unflatten(2, (height, width))
    ab = attended[:, :2]
    spread = (attended[:, 2:3] - ab.square().sum(1, keepdim=True)).clamp(min=0.25).sqrt()
    entropy = -(attention * (attention + 1e-9).log()).sum(2).unflatten(1, (height, width))[:, None]
    evidence = torch.cat(
        (
            ab / COLOR_UNIT,
            target.ab / COLOR_UNIT,
            (ab - target.ab).square().sum(1, keepdim=True).add(1.0).sqrt() / COLOR_UNIT,
            spread / 20,
            best.unflatten(2, (height, width)),
            entropy / 5,
            attended[:, 3:4] - tones[0][:, 1:2],
            tones[0][:, 1:2],
        ),
        1,
    )
    return Match(ab, evidence)


class ExemplarNet(nn.Module):
    """Target and reference to `T_ab` and a confidence for every cell."""

    def __init__(self, config: ExemplarConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ExemplarConfig()
        widths = config.widths
        self.matching = Matching(config) if config.matching else None
        self.skips = nn.ModuleList(conv_norm(a, b, kernel=1) for a, b in zip(LEVEL_WIDTHS, widths, strict=True))
        self.evidence = conv_norm(EVIDENCE, widths[1], kernel=3) if config.matching else None
        self.tones = conv_norm(3, widths[0], kernel=3)  # lightness, automatic ab
        self.up = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairwise(widths))
        self.stages = nn.ModuleList(
            nn.Sequential(*(Residual(width) for _ in range(count)))
            for width, count in zip(widths, config.blocks, strict=True)
        )
        self.head = nn.Conv2d(widths[0], 3, 1)  # change of ab, logit of the confidence
        for parameter in self.head.parameters():
            nn.init.zeros_(parameter)

    def forward(self, target: Exemplar, reference: Exemplar) -> Transfer:
        """`T_ab` and its confidence."""
        match = None if self.matching is None else self.matching(target, reference)
        x: Tensor | None = None
        for level in reversed(range(len(LEVEL_WIDTHS))):
            skip = self.skips[level](adain(target.levels[level], reference.levels[level]))
            if x is not None:
                skip = skip + upsampled(self.up[level](x), skip)
            if level == 1 and match is not None and self.evidence is not None:
                skip = skip + self.evidence(match.evidence)
            if level == 0:
                tones = torch.cat((target.lightness / LIGHT_UNIT - 1, upsampled(target.ab, skip) / COLOR_UNIT), 1)
                skip = skip + self.tones(tones)
            x = self.stages[level](F.relu(skip))
        assert x is not None
        out = self.head(x).float()
        start = target.ab if match is None else match.ab
        ab = upsampled(start.float(), out) + AB_SCALE * out[:, :2]
        confidence = out[:, 2:].sigmoid() if self.config.confident else torch.ones_like(out[:, 2:])
        return Transfer(ab, confidence)
