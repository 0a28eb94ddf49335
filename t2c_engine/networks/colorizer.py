"""The shipped colour network: automatic colour, palettes and hints by one decoder (Bahng 2018; Zhang 2016, 2017).

A picture is encoded once; palettes, hints or nothing at all are conditions that only the decoder sees, so N palettes
cost one encoding and N light decodings. Must not import files, pictures or the trainer.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from t2c_engine.networks.ab_distribution import certainty, evidence, log_likelihood, sharpened, skin_places
from t2c_engine.networks.edge_avoiding_filter import EdgeAvoidingFilter
from t2c_engine.networks.global_attention import PalettePlacement
from t2c_engine.networks.layers import NORM_EPS, Residual, upsampled
from t2c_engine.networks.palette_assignment import (
    COLOR_TERMS,
    ToneMixture,
    apply_duals,
    color_terms,
    iterative_assignment,
    mean_matching_duals,
    mean_shift,
    mix,
)
from t2c_engine.networks.palette_attention import PaletteAttention, TokenLayer, TokenMixer
from t2c_engine.networks.picture_encoder import AB_SCALE, DETAIL, ColorizerConfig, Features, PictureEncoder, bounded

HINT_CHANNELS = 3  # a, b, mask
EMBEDDING = 32  # channels in which pixels are compared with tokens
SIMILARITY = 32  # channels in which pixels are compared with pixels
ASSIGNMENT_ROUNDS = 2  # of `iterative_assignment`
TONE_UNIT = 10.0  # L to one unit of the tone restoration head
CLOSENESS_UNIT = 8.0  # L between pixel and colour to one unit of the closeness score
AUTOMATIC_LIMIT = 12.0  # ab units that a palette may move the automatic colour, so that no third hue arises
AUTOMATIC_LIMIT_FREE = 80.0  # the same where hints are given, or no palette is
RESIDUAL_LIMIT = 8.0  # ab units
NATURAL_SKIN = 0.2  # of `natural`, up to which it holds back palettes on skin alone
NATURAL_GAIN = 8.0  # weight of the log-likelihoods of all colours where `natural` is 1
SKIN_GAIN = 8.0  # score of the automatic colour on skin from NATURAL_SKIN on
NATURAL_CHROMA = 0.4  # by which the automatic colour, faint with doubt, is made more vivid where `natural` is 1


@dataclass(frozen=True, slots=True)
class Condition:
    """What the user asks of the colours.

    palette: B x K x 3, Lab; palette_mask: B x K, 1 where a colour is given, 0 where not (all 0: automatic);
    hints: B x 3 x h x w at a quarter of the input's resolution (a, b in Lab units, mask 0..1) or None;
    natural: 0..1; up to NATURAL_SKIN, how far skin keeps its automatic colour; beyond, how far colours count by their
        likelihood at a place, the automatic colour among them;
    score_scale: factor on learned scores beside those of tones; below 1 for pictures unlike those of training.
    """

    palette: Tensor
    palette_mask: Tensor
    hints: Tensor | None = None
    natural: float = 0.0
    score_scale: float = 1.0

    @property
    def natural_skin(self) -> float:
        """0..1, how far skin keeps its automatic colour."""
        return min(1.0, self.natural / NATURAL_SKIN)

    @property
    def natural_beyond(self) -> float:
        """0..1, how far colours count by their likelihood."""
        return max(0.0, self.natural - NATURAL_SKIN) / (1 - NATURAL_SKIN)


@dataclass(frozen=True, slots=True)
class Prediction:
    """ab: B x 2 x H/2 x W/2, Lab units, and what it is composed of, for training.

    weights: B x (1 + K) x H/2 x W/2, 0..1, sum 1, of the automatic colour and of the palette's; automatic, residual:
    B x 2 x H/2 x W/2, Lab units; colors: B x K x 2, Lab units; lightness: B x 1 x H/4 x W/4, 0..100, restored tones.
    """

    ab: Tensor
    weights: Tensor = field(repr=False)
    automatic: Tensor = field(repr=False)
    residual: Tensor = field(repr=False)
    colors: Tensor = field(repr=False)
    lightness: Tensor = field(repr=False)


class DecoderLevel(nn.Module):
    """Upsample, add the skip and the hints, attend to the palette, residual blocks; the first one starts from the skip.

    Both sums are normalised before their ReLU. Without that, constant offsets switch whole channels off for good.
    """

    def __init__(
        self, inputs: int | None, width: int, blocks: int, config: ColorizerConfig, *, update_tokens: bool
    ) -> None:
        super().__init__()
        self.project = None if inputs is None else nn.Conv2d(inputs, width, 1)
        self.hints = nn.Conv2d(HINT_CHANNELS, width, 1, bias=False)
        self.norm = nn.BatchNorm2d(width, eps=NORM_EPS)
        self.tokens = TokenLayer(width, config.token_width, config.heads) if update_tokens else None
        self.attention = PaletteAttention(width, config.token_width, config.heads)
        self.attended_norm = nn.BatchNorm2d(width, eps=NORM_EPS)
        self.blocks = nn.Sequential(*(Residual(width) for _ in range(blocks)))

    def forward(
        self, x: Tensor | None, skip: Tensor, hints: Tensor | None, tokens: Tensor, mask: Tensor, token_norm: nn.Module
    ) -> tuple[Tensor, Tensor]:
        """One level.

        Args:
            x: B x inputs x h/2 x w/2 of the level below, or None. skip: B x width x h x w.
            hints: B x 3 x H/4 x W/4 in units of AB_SCALE, or None. tokens: B x (1 + K) x d. mask: B x (1 + K) bool.

        Returns:
            B x width x h x w, and the tokens (not normalised) after they have attended to it.
        """
        x = skip if x is None or self.project is None else upsampled(self.project(x), skip) + skip
        if hints is not None:
            x = x + self.hints(F.adaptive_avg_pool2d(hints, (skip.shape[-2], skip.shape[-1])))
        x = F.relu(self.norm(x))
        if self.tokens is not None:
            tokens = self.tokens(tokens, x.flatten(2).transpose(1, 2), mask)
        x = x + self.attention(x, token_norm(tokens), mask)
        return self.blocks(F.relu(self.attended_norm(x))), tokens


class DetailHead(nn.Module):
    """Scores and a residual at the colour's own resolution, from edges and the decoder's features; 0 at the start."""

    def __init__(self, width: int, config: ColorizerConfig) -> None:
        super().__init__()
        self.expand = nn.Conv2d(width, config.detail_width * DETAIL**2, 1)
        self.norm = nn.BatchNorm2d(config.detail_width, eps=NORM_EPS)
        self.query = nn.Linear(config.token_width, config.detail_width)
        self.query_from_terms = nn.Linear(COLOR_TERMS, config.detail_width, bias=False)
        self.residual = nn.Conv2d(config.detail_width, 2, 1)
        for starts_at_zero in (self.query, self.query_from_terms, self.residual):
            for parameter in starts_at_zero.parameters():
                nn.init.zeros_(parameter)

    def forward(self, x: Tensor, edges: Tensor, tokens: Tensor, terms: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Scores, B x (1 + K) x H x W, a residual of ab, B x 2 x H x W, in units of AB_SCALE, and the pixels' features.

        Args:
            x: B x C x h x w, DETAIL times smaller than `edges`. tokens: B x (1 + K) x d. terms: B x K x COLOR_TERMS.
        """
        x = F.relu(self.norm(F.pixel_shuffle(self.expand(x), DETAIL) + edges))
        queries = self.query(tokens) + F.pad(self.query_from_terms(terms), (0, 0, 1, 0))
        return torch.einsum("bchw,bkc->bkhw", x, queries), self.residual(x), x


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of the automatic and the palette's colours, B x (1 + K) x h x w: at 1/4 and, to be added, at 1/2.

    similarity: B x C x h x w at 1/4, for `iterative_assignment`.
    """

    coarse: Tensor
    fine: Tensor
    similarity: Tensor


class ColorizerNet(nn.Module):
    """Lightness and a condition to ab.

    A pixel's colour is a softmax mixture of the palette's colours and of an automatic colour, plus a bounded residual:
    ab = sum_i w_i p_i + w_0 automatic + residual. The scores start from closeness of lightness, so an untrained network
    already gives each pixel the colour nearest in lightness.
    """

    def __init__(self, config: ColorizerConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ColorizerConfig()
        fine, middle, coarse = config.decoder_widths
        width = config.token_width
        self.encoder = PictureEncoder(config)
        self.embed = nn.Sequential(nn.Linear(3, width), nn.ReLU(), nn.Linear(width, width))
        self.automatic_token = nn.Parameter(torch.randn(width) * 0.1)
        self.palette_mixer = nn.TransformerEncoderLayer(
            width, config.heads, 2 * width, dropout=0.0, batch_first=True, norm_first=True
        )
        self.token_mixers = nn.ModuleList(TokenMixer(width, config.heads) for _ in range(config.token_mixers))
        self.token_norm = nn.LayerNorm(width)
        self.placement = PalettePlacement(
            config.attention_width, config.attention_heads, config.placement_layers, width, coarse, HINT_CHANNELS
        )
        self.levels = nn.ModuleList(
            DecoderLevel(a, b, blocks, config, update_tokens=index < config.token_levels)
            for index, (a, b, blocks) in enumerate(
                zip((None, coarse, middle), (coarse, middle, fine), reversed(config.decoder_blocks), strict=True)
            )
        )
        # every level has heads of its own, so that deep features reach the scores without detours
        self.score_heads = nn.ModuleList(nn.Conv2d(w, COLOR_TERMS + 2, 1) for w in (coarse, middle, fine))
        self.tone_heads = nn.ModuleList(nn.Conv2d(w, 1, 1) for w in (coarse, middle, fine))
        self.color_head = nn.Conv2d(fine, 4, 1)  # change of the automatic colour, residual
        self.pixel_embedding = nn.Conv2d(fine, EMBEDDING, 1)
        self.token_embedding = nn.Linear(width, EMBEDDING)
        self.closeness = nn.Parameter(torch.tensor(2.0))  # score lost for every CLOSENESS_UNIT
        self.automatic_bias = nn.Parameter(torch.tensor(-2.0))
        self.tone_weight = nn.Parameter(torch.tensor(0.3))  # of `ToneMixture.scores`
        self.evidence_weight = nn.Parameter(torch.tensor(0.2))  # of `evidence` of the palette's colours
        self.certainty_weight = nn.Parameter(torch.tensor(0.0))  # of the automatic colour's log-certainty
        self.similarity = nn.Conv2d(fine, SIMILARITY, 1)
        self.similarity_gains = nn.Parameter(torch.ones(ASSIGNMENT_ROUNDS))
        self.detail_head = DetailHead(fine, config)
        self.filter = EdgeAvoidingFilter(config.filter_rounds, config.detail_width)
        for starts_at_zero in (self.pixel_embedding, self.color_head, self.score_heads, self.tone_heads):
            for parameter in starts_at_zero.parameters():
                nn.init.zeros_(parameter)

    def forward(self, lightness: Tensor, condition: Condition) -> Prediction:
        """`encode` and `decode` in one."""
        return self.decode(self.encode(lightness), condition)

    def encode(self, lightness: Tensor) -> Features:
        """B x 1 x H x W lightness (0..100; H, W multiples of `pretrained_encoder.MULTIPLE`) to features."""
        return self.encoder(lightness)

    def decode(self, features: Features, condition: Condition) -> Prediction:
        """Features and a condition of the same B to colour at half the input's resolution."""
        tokens, mask = self._tokens(condition)
        x, tokens, heads, placed = self._levels(features, condition.hints, tokens, mask)
        terms = color_terms(condition.palette)
        change, residual = (AB_SCALE * part.float() for part in self.color_head(x).chunk(2, 1))
        change = change + AB_SCALE * heads[:, COLOR_TERMS : COLOR_TERMS + 2].float()
        restored = TONE_UNIT * heads[:, COLOR_TERMS + 2 :]
        fine_scores, fine_residual, textures = self.detail_head(x, features.edges, tokens, terms)
        scores = Scores(
            self._learned_scores(x, heads, tokens, terms) + placed + self._prior_scores(features, condition, x),
            fine_scores,
            self.similarity(x),
        )
        weights = self._assignment(scores, features, restored, condition, mask)
        weights = self.filter(weights, features.detailed, textures)
        automatic = (1 + NATURAL_CHROMA * condition.natural_beyond) * features.automatic
        automatic = automatic + bounded(change, _automatic_limit(condition))
        residual = upsampled(bounded(residual, RESIDUAL_LIMIT), features.detailed)
        residual = residual + bounded(AB_SCALE * fine_residual.float(), RESIDUAL_LIMIT)
        return self._composition(
            weights,
            upsampled(automatic, features.detailed),
            residual,
            condition.palette[..., 1:],
            features.lightness + restored,
        )

    def _tokens(self, condition: Condition) -> tuple[Tensor, Tensor]:
        """Palette tokens with the automatic token first (B x (1 + K) x d), and which of them count (bool)."""
        scale = condition.palette.new_tensor([50.0, AB_SCALE / 2, AB_SCALE / 2])
        shift = condition.palette.new_tensor([1.0, 0.0, 0.0])
        colors = self.embed(condition.palette / scale - shift)
        given = condition.palette_mask > 0.5
        mask = torch.cat((torch.ones_like(given[:, :1]), given), 1)
        tokens = torch.cat((self.automatic_token.expand(len(colors), 1, -1), colors), 1)
        tokens = self.palette_mixer(tokens, src_key_padding_mask=~mask)
        for mixer in self.token_mixers:
            tokens = mixer(tokens, mask)
        return tokens, mask

    def _levels(
        self, features: Features, hints: Tensor | None, tokens: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Finest decoder features, normalised tokens, the sum of all levels' heads, and the placement's scores, at 1/4.

        The heads' channels: COLOR_TERMS for scores, 2 for the automatic colour, 1 for tone restoration.
        """
        if hints is not None:
            hints = torch.cat((hints[:, :2] / AB_SCALE * hints[:, 2:], hints[:, 2:]), 1)
        change, moved, scores = self.placement(features.places, hints, tokens, mask)
        tokens = tokens + moved
        fine, middle, coarse = features.skips
        x: Tensor | None = None
        total: Tensor | None = None
        parts = zip(self.levels, self.score_heads, self.tone_heads, (coarse + change, middle, fine), strict=True)
        for level, score_head, tone_head, skip in parts:
            x, tokens = level(x, skip, hints, tokens, mask, self.token_norm)
            heads = torch.cat((score_head(x), tone_head(x)), 1)
            total = heads if total is None else upsampled(total, heads) + heads
        assert x is not None and total is not None
        return x, self.token_norm(tokens), total, upsampled(scores, x)

    def _learned_scores(self, x: Tensor, heads: Tensor, tokens: Tensor, terms: Tensor) -> Tensor:
        """B x (1 + K) x h x w at 1/4: embeddings of pixel and token, and heads over the colour's terms."""
        scores = torch.einsum("bchw,bkc->bkhw", self.pixel_embedding(x), self.token_embedding(tokens))
        by_terms = torch.einsum("bchw,bkc->bkhw", heads[:, :COLOR_TERMS], terms)
        return torch.cat((scores[:, :1], scores[:, 1:] + by_terms), 1)

    def _prior_scores(self, features: Features, condition: Condition, like: Tensor) -> Tensor:
        """B x (1 + K) x h x w at 1/4: what the automatic distribution over the ab bins says of the colours."""
        logits, colors = features.logits.float(), condition.palette[..., 1:]
        automatic = F.avg_pool2d(features.automatic, 2)
        probable = logits.softmax(1)
        suits = evidence(log_likelihood(probable, colors))
        certain = certainty(probable, automatic).log()
        scores = torch.cat((self.certainty_weight * certain, self.evidence_weight * suits), 1)
        if condition.natural:
            sharp = sharpened(logits)
            held = condition.natural_skin * SKIN_GAIN * skin_places(sharp)
            scores = scores + F.pad(held, (0, 0, 0, 0, 0, colors.shape[1]))
            if condition.natural_beyond:
                likely = torch.cat((certainty(sharp, automatic).log(), log_likelihood(sharp, colors)), 1)
                scores = scores + condition.natural_beyond * NATURAL_GAIN * likely
        return upsampled(scores, like)

    def _assignment(
        self, scores: Scores, features: Features, restored: Tensor, condition: Condition, mask: Tensor
    ) -> Tensor:
        """Assignment weights, B x (1 + K) x H/2 x W/2, sum 1.

        Tone scores are computed at both resolutions, so that weights follow edges that the features are too coarse for.

        Args:
            restored: B x 1 x h x w, L to be added to the picture's tones before they are compared with the palette's.
        """
        lights, scale = condition.palette[..., 0], condition.score_scale
        lightness = features.lightness + restored
        detailed = features.detailed + upsampled(restored, features.detailed)
        mixture = ToneMixture.fitted(lightness, lights, mask[:, 1:])
        by_tone = self._tone_scores(lightness, mixture)
        gains = scale * self.similarity_gains
        coarse = iterative_assignment(scale * scores.coarse + by_tone, scores.similarity, gains, mask)
        fine = scale * scores.fine
        duals = mean_matching_duals(coarse + F.avg_pool2d(fine, DETAIL), lightness, lights)
        total = upsampled(coarse - by_tone, detailed) + self._tone_scores(detailed, mixture) + fine
        total = apply_duals(total, detailed, lights, duals)
        return total.masked_fill(~mask[:, :, None, None], -torch.inf).softmax(1)

    def _tone_scores(self, lightness: Tensor, mixture: ToneMixture) -> Tensor:
        """B x (1 + K) x h x w from lightness alone; the automatic colour's is the same everywhere."""
        apart = (lightness - mixture.means[..., None]).abs() / CLOSENESS_UNIT
        automatic = self.automatic_bias.expand(len(lightness), 1, *lightness.shape[2:])
        return torch.cat((automatic, self.tone_weight * mixture.scores(lightness) - self.closeness * apart), 1)

    def _composition(
        self, weights: Tensor, automatic: Tensor, residual: Tensor, colors: Tensor, lightness: Tensor
    ) -> Prediction:
        """Mix colours by weights; then move each colour so that the mean of its pixels is the colour itself."""
        ab = mix(weights[:, 1:], colors) + weights[:, :1] * automatic + residual
        shift = mean_shift(ab, weights[:, 1:], colors)
        ab = ab + mix(weights[:, 1:], shift)
        return Prediction(ab, weights, automatic, residual, colors + shift, lightness)


def _automatic_limit(condition: Condition) -> Tensor:
    """B x 1 x 1 x 1, ab units: how far the decoder may move the automatic colour."""
    palette_alone = condition.palette_mask.sum(1) > 0
    if condition.hints is not None:
        palette_alone = palette_alone & (condition.hints[:, 2:].flatten(1).sum(1) == 0)
    return torch.where(palette_alone, AUTOMATIC_LIMIT, AUTOMATIC_LIMIT_FREE)[:, None, None, None]
