"""The colouriser we ship: one network, many conditions (M2, M3, M4); it decides at a quarter of the input's resolution.

The picture is encoded once; palettes, hints or nothing at all are conditions that only the decoder meets, so that N
palettes cost one encoding and N light decodings. Must not import files, pictures or the trainer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from t2c_engine.networks.attention import PaletteAttention, TokenLayer, TokenMixer
from t2c_engine.networks.edge_avoiding_filter import Smoothing
from t2c_engine.networks.palette_assignment import (
    COLOUR_TERMS,
    Tones,
    colour_terms,
    lacking,
    mixed,
    refined,
    tilted,
    tilts,
)

MULTIPLE = 16  # sides of the network's input are multiples of this
SCALE = 4  # input pixels to one pixel of the finest features, along each side
AB_SCALE = 110.0  # ab inside the network is in units of this
HINT_CHANNELS = 3  # a, b, mask
ALIKE = 32  # channels in which pixels are compared with those that a colour already has
REFINEMENTS = 2  # times that this is done
RELIGHT_UNIT = 10.0  # L, in which the network says what light has been lost


@dataclass(frozen=True, slots=True)
class ColorizerConfig:
    """Sizes of `ColorizerNet`; stored in checkpoints and model cards."""

    widths: tuple[int, int, int] = (40, 80, 160)  # encoder channels at 1/4, 1/8, 1/16
    blocks: tuple[int, int, int] = (1, 2, 2)  # residual blocks of each
    decoder_widths: tuple[int, int, int] = (40, 64, 128)  # at 1/4, 1/8, 1/16
    decoder_blocks: tuple[int, int, int] = (1, 1, 1)  # residual blocks of each
    token_levels: int = 2  # decoder levels, coarsest first, that the palette's colours look at
    mixers: int = 3  # times that they look at each other before
    token_width: int = 128  # of a palette colour
    heads: int = 4
    bins: int = 313
    trust: float = 1.0  # at use: factor on what is learned beside tones, which is less sure of pictures never seen
    detail: int = 1  # 1, 2 or 4: the colour's resolution over that of the finest features; see `ColorizerNet`
    detail_width: int = 0  # channels at the colour's resolution, in which the network finds edges; 0: lightness decides
    smoothings: int = 0  # rounds in which neighbours that look alike come to an agreement; see `Smoothing`
    detail_blocks: int = 0  # residual blocks among those that find edges
    relit: bool = False  # the network restores tones before they are compared with the palette's; see `ColorizerNet`
    spread: float = 0.0  # 0..1: how far the mean ab of a colour's pixels is brought to the colour's own; see `lacking`
    chroma_gain: float = 1.0  # factor on ab, which doubt about colours makes faint
    matched: bool = False  # the mean lightness of a colour's pixels is brought near the colour's own; see `tilts`


@dataclass(frozen=True, slots=True)
class Features:
    """What the decoder needs of a picture; each B x C x h x w, ready for the decoder's widths."""

    lightness: Tensor  # 1/4, B x 1 x h x w, 0..100
    detailed: Tensor  # the same at the colour's resolution
    edges: Tensor  # at the colour's resolution, of no channels where the network has none
    skips: tuple[Tensor, Tensor, Tensor]  # 1/4, 1/8, 1/16

    def repeat(self, count: int) -> Features:
        """One picture's features for `count` conditions (B must be 1; no copy)."""
        lightness, detailed, edges, fine, middle, coarse = (
            part.expand(count, -1, -1, -1) for part in (self.lightness, self.detailed, self.edges, *self.skips)
        )
        return Features(lightness, detailed, edges, (fine, middle, coarse))


@dataclass(frozen=True, slots=True)
class Condition:
    """What the user asks of the colours.

    palette: B x K x 3, Lab; palette_mask: B x K, 1 where a colour is given, 0 where not (all 0: automatic);
    hints: B x 3 x h x w at a quarter of the input's resolution (a, b in Lab units, mask 0..1) or None.
    """

    palette: Tensor
    palette_mask: Tensor
    hints: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Prediction:
    """ab: B x 2 x (detail h) x (detail w), Lab units; features: B x C x h x w, for `ColorizerNet.classify`.

    What ab is made of, for training, of the size of ab: shares, B x (1 + K), 0..1, sum 1, of the network's own colour
    and of the palette's; own and residual, B x 2, and colours, B x K x 2 alone, Lab units: what is mixed;
    lightness, B x 1 x h x w, 0..100, as the palette was compared with it.
    """

    ab: Tensor
    features: Tensor = field(repr=False)
    shares: Tensor = field(repr=False)
    own: Tensor = field(repr=False)
    residual: Tensor = field(repr=False)
    colours: Tensor = field(repr=False)
    lightness: Tensor = field(repr=False)


def conv_norm(inputs: int, outputs: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs, eps=1e-4)
    )


def upsampled(x: Tensor, like: Tensor) -> Tensor:
    """`x` at the height and width of `like`."""
    if x.shape[-2:] == like.shape[-2:]:
        return x
    return F.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=False)


class Residual(nn.Module):
    """Two 3 x 3 convolutions and a shortcut (He et al. 2016); nothing but the shortcut until it has learned."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = conv_norm(width, width)
        self.second = conv_norm(width, width)
        nn.init.zeros_(self.second[1].weight)  # pyright: ignore[reportArgumentType]

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.second(F.relu(self.first(x))))


class Encoder(nn.Module):
    """Lightness to features at 1/4, 1/8 and 1/16 of its resolution."""

    def __init__(self, config: ColorizerConfig) -> None:
        super().__init__()
        widths = config.widths
        self.detail = config.detail
        self.stem = conv_norm(SCALE * SCALE, widths[0])
        self.downs = nn.ModuleList(conv_norm(a, b, stride=2) for a, b in pairwise(widths))
        self.stages = nn.ModuleList(
            nn.Sequential(*(Residual(width) for _ in range(count)))
            for width, count in zip(widths, config.blocks, strict=True)
        )
        self.projections = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in zip(widths, config.decoder_widths, strict=True))
        self.edges = None
        if config.detail_width:
            step = SCALE // config.detail
            self.edges = nn.Sequential(
                conv_norm(step * step, config.detail_width),
                nn.Sequential(nn.ReLU(), *(Residual(config.detail_width) for _ in range(config.detail_blocks))),
                conv_norm(config.detail_width, config.detail_width),
            )

    def forward(self, lightness: Tensor) -> Features:
        scaled = lightness / 50 - 1
        x = F.relu(self.stem(F.pixel_unshuffle(scaled, SCALE)))
        levels = []
        for index, stage in enumerate(self.stages):
            if index:
                x = F.relu(self.downs[index - 1](x))
            x = stage(x)
            levels.append(x)
        fine, middle, coarse = (project(level) for project, level in zip(self.projections, levels, strict=True))
        detailed = F.avg_pool2d(lightness, SCALE // self.detail)
        unshuffled = F.pixel_unshuffle(scaled, SCALE // self.detail)
        edges = detailed[:, :0] if self.edges is None else self.edges(unshuffled)
        return Features(F.avg_pool2d(lightness, SCALE), detailed, edges, (fine, middle, coarse))


class DecoderLevel(nn.Module):
    """Upsample, add the skip and the hints, attend to the palette, residual blocks; the first one starts from the skip.

    Both sums are normalised before their ReLU: without that, constant offsets of what is added switch whole channels
    off for good, the deep ones first, and the network sees tones alone.
    """

    def __init__(
        self, inputs: int | None, width: int, blocks: int, config: ColorizerConfig, *, looked_at: bool
    ) -> None:
        super().__init__()
        self.project = None if inputs is None else nn.Conv2d(inputs, width, 1)
        self.hints = nn.Conv2d(HINT_CHANNELS, width, 1, bias=False)
        self.norm = nn.BatchNorm2d(width, eps=1e-4)
        self.tokens = TokenLayer(width, config.token_width, config.heads) if looked_at else None
        self.attention = PaletteAttention(width, config.token_width, config.heads)
        self.attended_norm = nn.BatchNorm2d(width, eps=1e-4)
        self.blocks = nn.Sequential(*(Residual(width) for _ in range(blocks)))

    def forward(
        self, x: Tensor | None, skip: Tensor, hints: Tensor | None, tokens: Tensor, mask: Tensor, token_norm: nn.Module
    ) -> tuple[Tensor, Tensor]:
        """The level's map, and the tokens (not normalised) after they have looked at it."""
        x = skip if x is None or self.project is None else upsampled(self.project(x), skip) + skip
        if hints is not None:
            x = x + self.hints(F.adaptive_avg_pool2d(hints, (skip.shape[-2], skip.shape[-1])))
        x = F.relu(self.norm(x))
        if self.tokens is not None:
            tokens = self.tokens(tokens, x.flatten(2).transpose(1, 2), mask)
        x = x + self.attention(x, token_norm(tokens), mask)
        return self.blocks(F.relu(self.attended_norm(x))), tokens


class DetailHead(nn.Module):
    """What edges and textures say of colours, at the colour's own resolution; nothing until it has learned.

    Each pixel has features of what is seen of it alone and of what the decoder knows of the place; each colour says
    with a vector which of them it wants.
    """

    def __init__(self, width: int, config: ColorizerConfig) -> None:
        super().__init__()
        self.detail = config.detail
        self.expand = nn.Conv2d(width, config.detail_width * config.detail**2, 1)
        self.norm = nn.BatchNorm2d(config.detail_width, eps=1e-4)
        self.wish = nn.Linear(config.token_width, config.detail_width)
        self.wish_by_terms = nn.Linear(COLOUR_TERMS, config.detail_width, bias=False)
        self.residual = nn.Conv2d(config.detail_width, 2, 1)
        for starts_at_zero in (self.wish, self.wish_by_terms, self.residual):
            for parameter in starts_at_zero.parameters():
                nn.init.zeros_(parameter)

    def forward(self, x: Tensor, edges: Tensor, tokens: Tensor, terms: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Scores, B x (1 + K) x H x W, a residual of ab, B x 2 x H x W, in units of AB_SCALE, and the pixels' features.

        Args:
            x: B x C x h x w, `detail` times smaller than `edges`. tokens: B x (1 + K) x d. terms: B x K x COLOUR_TERMS.
        """
        x = F.relu(self.norm(F.pixel_shuffle(self.expand(x), self.detail) + edges))
        wishes = self.wish(tokens) + F.pad(self.wish_by_terms(terms), (0, 0, 1, 0))
        return torch.einsum("bchw,bkc->bkhw", x, wishes), self.residual(x), x


class ColorizerNet(nn.Module):
    """Lightness and a condition to ab.

    The output of a pixel is a mixture of the palette's colours and of a colour of the network's own, plus a small
    residual: ab = sum_i w_i p_i + w_0 own + residual, w = softmax over the palette and the own colour. The scores start
    from closeness of lightness, so that an untrained network already gives each pixel the colour nearest in lightness;
    then pixels go over to colours whose pixels they are like (as in slot attention, Locatello et al. 2020). With
    `detail` above 1 the part of the scores that lightness has is worked out anew at a finer resolution, where edges and
    textures are, and what the network says of regions is laid over it; `DetailHead` has its say there too. A `relit`
    network also says how much lighter or darker each place was before the picture faded or stained, so that its tones
    can be compared with the palette's.
    """

    def __init__(self, config: ColorizerConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ColorizerConfig()
        fine, middle, coarse = config.decoder_widths
        self.encoder = Encoder(config)
        self.embed = nn.Sequential(
            nn.Linear(3, config.token_width), nn.ReLU(), nn.Linear(config.token_width, config.token_width)
        )
        self.own_token = nn.Parameter(torch.randn(config.token_width) * 0.1)
        self.palette_mixer = nn.TransformerEncoderLayer(
            config.token_width, config.heads, 2 * config.token_width, dropout=0.0, batch_first=True, norm_first=True
        )
        self.mixers = nn.ModuleList(TokenMixer(config.token_width, config.heads) for _ in range(config.mixers))
        self.token_norm = nn.LayerNorm(config.token_width)
        self.levels = nn.ModuleList(
            DecoderLevel(a, b, blocks, config, looked_at=index < config.token_levels)
            for index, (a, b, blocks) in enumerate(
                zip((None, coarse, middle), (coarse, middle, fine), reversed(config.decoder_blocks), strict=True)
            )
        )
        # every level has its say, so that what the deep ones know reaches the scores without detours
        self.says = nn.ModuleList(nn.Conv2d(width, COLOUR_TERMS + 2, 1) for width in (coarse, middle, fine))
        self.relights = nn.ModuleList(nn.Conv2d(width, 1, 1) for width in (coarse, middle, fine) if config.relit)
        self.assign_pixel = nn.Conv2d(fine, 32, 1)
        self.assign_token = nn.Linear(config.token_width, 32)
        self.closeness = nn.Parameter(torch.tensor(2.0))  # score lost for every 8 units of L between pixel and colour
        self.own_score = nn.Parameter(torch.tensor(-2.0))
        self.tone = nn.Parameter(torch.tensor(0.3))  # weight of `Tones.scores`
        self.alike = nn.Conv2d(fine, ALIKE, 1)
        self.likeness = nn.Parameter(torch.ones(REFINEMENTS))
        self.own = nn.Conv2d(fine, 4, 1)  # own colour and residual
        self.detail_head = DetailHead(fine, config) if config.detail_width else None
        self.smoothing = Smoothing(config.smoothings, config.detail_width) if config.smoothings else None
        self.classifier = nn.Conv2d(fine, config.bins, 1)
        for starts_at_zero in (self.assign_pixel, self.own, self.says, self.relights):
            for parameter in starts_at_zero.parameters():
                nn.init.zeros_(parameter)

    def encode(self, lightness: Tensor) -> Features:
        """B x 1 x H x W lightness (0..100; H, W multiples of 16) to features."""
        return self.encoder(lightness)

    def decode(self, features: Features, condition: Condition) -> Prediction:
        """Features and a condition of the same B to colour at `detail` quarters of the input's resolution."""
        tokens, mask = self._tokens(condition)
        hints = condition.hints
        if hints is not None:
            hints = torch.cat((hints[:, :2] / AB_SCALE * hints[:, 2:], hints[:, 2:]), 1)
        for mixer in self.mixers:
            tokens = mixer(tokens, mask)
        x: Tensor | None = None
        said: Tensor | None = None
        for index, (level, say, skip) in enumerate(zip(self.levels, self.says, reversed(features.skips), strict=True)):
            x, tokens = level(x, skip, hints, tokens, mask, self.token_norm)
            says = torch.cat((say(x), self.relights[index](x)), 1) if self.config.relit else say(x)
            said = says if said is None else upsampled(said, says) + says
        assert x is not None and said is not None
        wanted, own, light = said[:, :COLOUR_TERMS], said[:, COLOUR_TERMS:][:, :2], said[:, COLOUR_TERMS + 2 :]
        more, residual = self.own(x).chunk(2, 1)
        own = own + more
        tokens, terms = self.token_norm(tokens), colour_terms(condition.palette)
        scores = torch.einsum("bchw,bkc->bkhw", self.assign_pixel(x), self.assign_token(tokens))
        wanted = torch.einsum("bchw,bkc->bkhw", wanted, terms)
        scores = torch.cat((scores[:, :1], scores[:, 1:] + wanted), 1)
        lightness, detailed = features.lightness, features.detailed
        if self.config.relit:
            lightness = lightness + RELIGHT_UNIT * light
            detailed = detailed + RELIGHT_UNIT * upsampled(light, detailed)
        own, residual = upsampled(own, detailed), upsampled(residual, detailed)
        finer = textures = None
        if self.detail_head is not None:
            finer, change, textures = self.detail_head(x, features.edges, tokens, terms)
            residual = residual + change
        weights = self._shares(scores, finer, self.alike(x), lightness, detailed, condition.palette[..., 0], mask)
        if self.smoothing is not None:
            weights = self.smoothing(weights, features.detailed, textures)
        own, residual, colours = own * AB_SCALE, residual * AB_SCALE, condition.palette[..., 1:]
        ab = mixed(weights[:, 1:], colours) + weights[:, :1] * own + residual
        if self.config.spread:
            change = self.config.spread * lacking(ab, weights[:, 1:], colours)
            ab, colours = ab + mixed(weights[:, 1:], change), colours + change
        return Prediction(self.config.chroma_gain * ab, x, weights, own, residual, colours, lightness)

    def _shares(
        self,
        scores: Tensor,
        finer: Tensor | None,
        alike: Tensor,
        lightness: Tensor,
        detailed: Tensor,
        lights: Tensor,
        mask: Tensor,
    ) -> Tensor:
        """How much of each colour a pixel takes, at the resolution of `detailed`.

        Args:
            scores: B x (1 + K) x h x w, what the network says beside tones. finer: what it adds to them at the
                resolution of `detailed`. alike: B x C x h x w, see `refined`. `trust` is put in all three.
            lightness: B x 1 x h x w, `detailed` the same at the colour's resolution. lights: B x K, L of the palette.
        """
        trust = self.config.trust
        finer = None if finer is None else trust * finer
        tones = Tones.fitted(lightness, lights, mask[:, 1:])
        by_tone = self._by_tone(lightness, tones)
        scores = refined(trust * scores + by_tone, alike, trust * self.likeness, mask)
        matching = scores if finer is None else scores + F.avg_pool2d(finer, self.config.detail)
        tilt = tilts(matching, lightness, lights) if self.config.matched else None
        if self.config.detail > 1:
            scores = upsampled(scores - by_tone, detailed) + self._by_tone(detailed, tones)
        if finer is not None:
            scores = scores + finer
        if tilt is not None:
            scores = tilted(scores, detailed, lights, tilt)
        return scores.masked_fill(~mask[:, :, None, None], -torch.inf).softmax(1)

    def _by_tone(self, lightness: Tensor, tones: Tones) -> Tensor:
        """What lightness alone says of every colour, B x (1 + K) x h x w; the same everywhere of the network's own."""
        apart = (lightness - tones.means[..., None]).abs() / 8
        own = self.own_score.expand(len(lightness), 1, *lightness.shape[2:])
        return torch.cat((own, self.tone * tones.scores(lightness) - self.closeness * apart), 1)

    def classify(self, features: Tensor) -> Tensor:
        """Logits over the 313 ab bins (Zhang et al. 2016), B x 313 x h x w, from `Prediction.features`."""
        return self.classifier(features)

    def forward(self, lightness: Tensor, condition: Condition) -> Prediction:
        return self.decode(self.encode(lightness), condition)

    def _tokens(self, condition: Condition) -> tuple[Tensor, Tensor]:
        """Palette tokens with the own token first (B x (1 + K) x d), and which of them count (bool)."""
        scale = condition.palette.new_tensor([50.0, AB_SCALE / 2, AB_SCALE / 2])
        shift = condition.palette.new_tensor([1.0, 0.0, 0.0])
        colours = self.embed(condition.palette / scale - shift)
        own = self.own_token.expand(len(colours), 1, -1)
        given = condition.palette_mask > 0.5
        mask = torch.cat((torch.ones_like(given[:, :1]), given), 1)
        tokens = torch.cat((own, colours), 1)
        return self.palette_mixer(tokens, src_key_padding_mask=~mask), mask
