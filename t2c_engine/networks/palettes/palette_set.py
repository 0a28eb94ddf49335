"""The palette network we ship: a phrase and the set of colours already there give the density of the next colour.

Departs from the paper's TPN (`tpn`) in three points: colours form a set, so any number of them may be known in
any order; the next colour is a mixture of Gaussians (Bishop 1994) and not a point, so that palettes are neither grey
averages nor alike; and it is trained by likelihood on random orders of every palette. Words are attended to at every
colour, as in eqs. 6-8 of Bahng et al. 2018. `t2c_engine.palettes.numpy_network` computes the same without torch. Must
not import the trainer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from t2c_engine.networks.palettes.normalization import LAB_CENTRE, LAB_SCALE, LOG_SIGMA


@dataclass(frozen=True, slots=True)
class PaletteSetConfig:
    """Shape of the network; values stand in model cards and in the trainer's settings."""

    word_dimensions: int
    width: int
    heads: int
    encoder_blocks: int  # words attend to each other
    decoder_blocks: int  # perceptrons after the attention to words
    mixtures: int
    positions: int  # words further back share the last one
    colors: int  # largest number of colours that can be known, plus one
    sources: int
    dropout: float


class Mixture(NamedTuple):
    """K Gaussians in scaled Lab for each of the leading dimensions.

    `logits` (... x K); `mean` (... x K x 3); `factor` (... x K x 6): the lower triangle of the covariances' Cholesky
    factor, the logarithm of its diagonal first, then the elements (1,0), (2,0), (2,1).
    """

    logits: Tensor
    mean: Tensor
    factor: Tensor


def scale_lab(lab: Tensor) -> Tensor:
    """Lab (... x 3) to the network's scale."""
    return (lab - lab.new_tensor(LAB_CENTRE)) / LAB_SCALE


class Attention(nn.Module):
    """Multi-head attention from queries (B x Q x w) to a memory (B x M x w)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def forward(self, queries: Tensor, memory: Tensor, mask: Tensor) -> Tensor:
        """`mask` (B x M) is true where the memory may be looked at."""
        batch, count, width = queries.shape
        q, k, v = self.query(queries), self.key(memory), self.value(memory)
        q, k, v = (x.view(batch, -1, self.heads, width // self.heads).transpose(1, 2) for x in (q, k, v))
        scores = (q @ k.transpose(2, 3)) * (width // self.heads) ** -0.5
        weights = scores.masked_fill(~mask[:, None, None, :], -1e9).softmax(-1)
        return self.out((weights @ v).transpose(1, 2).reshape(batch, count, width))


class Perceptron(nn.Module):
    """Two layers with normalisation before and a shortcut around; dropout is one mask for all places of a row."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inner, self.outer = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """x: B x n x w."""
        inner = F.relu(self.inner(self.norm(x)))
        return x + self.outer(inner * self.dropout(inner.new_ones(len(x), 1, inner.shape[-1])))


class EncoderBlock(nn.Module):
    """Attention of the words to each other and a perceptron."""

    def __init__(self, config: PaletteSetConfig) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.width)
        self.attention = Attention(config.width, config.heads)
        self.perceptron = Perceptron(config.width, config.dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x: B x M x w."""
        normed = self.norm(x)
        return self.perceptron(x + self.attention(normed, normed, mask))


class PaletteSetNet(nn.Module):
    """Phrase + set of known colours -> mixture density of one further colour."""

    def __init__(self, config: PaletteSetConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.word = nn.Linear(config.word_dimensions, width)
        self.position = nn.Embedding(config.positions, width)
        self.source = nn.Embedding(config.sources, width)
        self.encoder = nn.ModuleList(EncoderBlock(config) for _ in range(config.encoder_blocks))
        self.norm_memory = nn.LayerNorm(width)
        self.color_in, self.color_out = nn.Linear(3, width), nn.Linear(width, width)
        self.count = nn.Embedding(config.colors, width)
        self.norm_state, self.attention = nn.LayerNorm(width), Attention(width, config.heads)
        self.decoder = nn.ModuleList(Perceptron(width, config.dropout) for _ in range(config.decoder_blocks))
        self.norm_head = nn.LayerNorm(width)
        self.head = nn.Linear(width, 10 * config.mixtures)
        self.dropout = nn.Dropout(config.dropout)
        for table in (self.position, self.source, self.count):
            nn.init.normal_(table.weight, std=0.02)
        with torch.no_grad():
            self.head.weight.mul_(0.3)
            self.head.bias[config.mixtures : 4 * config.mixtures].normal_()

    def encode(self, vectors: Tensor, mask: Tensor, source: Tensor) -> tuple[Tensor, Tensor]:
        """Encode phrases.

        Args:
            vectors: B x T x d word vectors. mask: B x T, true where there is a word (T or a row may be empty).
            source: B, which data set's manner is wanted.

        Returns:
            Memory (B x (1 + T) x w), a summary in front, and its mask.
        """
        place = torch.arange(vectors.shape[1], device=vectors.device).clamp(max=self.config.positions - 1)
        words = self.word(self.dropout(vectors)) + self.position(place)
        x = torch.cat((self.source(source)[:, None], words), 1)
        mask = torch.cat((mask.new_ones(len(mask), 1), mask), 1)
        for block in self.encoder:
            x = block(x, mask)
        return self.norm_memory(x), mask

    def decode(self, memory: Tensor, mask: Tensor, colors: Tensor) -> Mixture:
        """Density of the next colour after each prefix of known colours.

        Args:
            memory, mask: of `encode`. colors: B x n x 3 known colours, scaled Lab (n may be 0).

        Returns:
            Mixtures B x (n + 1) x ...; number t knows the first t colours as a set.
        """
        known = self.color_out(F.relu(self.color_in(colors)))
        known = torch.cat((known.new_zeros(len(memory), 1, known.shape[-1]), known), 1).cumsum(1)
        x = memory[:, :1] + known + self.count.weight[: known.shape[1]]
        x = x + self.attention(self.norm_state(x), memory, mask)
        for block in self.decoder:
            x = block(x)
        raw = self.head(self.norm_head(x)).float()
        k = self.config.mixtures
        factor = raw[..., 4 * k :].unflatten(-1, (k, 6))
        factor = torch.cat((factor[..., :3].clamp(*LOG_SIGMA), factor[..., 3:]), -1)
        return Mixture(raw[..., :k], raw[..., k : 4 * k].unflatten(-1, (k, 3)), factor)


def log_density(mixture: Mixture, colors: Tensor) -> Tensor:
    """Log density of scaled Lab colours (... x 3) under their mixtures, (...)."""
    logits, mean, factor = mixture
    d = colors[..., None, :] - mean
    inverse = (-factor[..., :3]).exp()
    z0 = d[..., 0] * inverse[..., 0]
    z1 = (d[..., 1] - factor[..., 3] * z0) * inverse[..., 1]
    z2 = (d[..., 2] - factor[..., 4] * z0 - factor[..., 5] * z1) * inverse[..., 2]
    square = z0 * z0 + z1 * z1 + z2 * z2
    each = -0.5 * square - factor[..., :3].sum(-1) - 1.5 * math.log(2 * math.pi)
    return torch.logsumexp(F.log_softmax(logits, -1) + each, -1)
