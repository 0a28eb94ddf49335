"""The paper's text-to-palette network (TPN; Bahng et al. 2018, "Coloring with Words"), configuration "tpn-paper".

GRU encoder, conditioning augmentation, attention GRU decoder (eqs. 4-8) and discriminator, sizes as published. It is
kept so that the paper's claims can be checked; `palette_set` is what we ship. Must not import the trainer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from t2c_engine.errors import ModelError
from t2c_engine.networks.palettes.draw import PaletteDraw
from t2c_engine.serving.protocol import PALETTE_SIZE

LAB_LOW = (0.0, -128.0, -128.0)  # Lab is brought to 0..1 from this ...
LAB_RANGE = (100.0, 255.0, 255.0)  # ... over this range


@dataclass(frozen=True, slots=True)
class TpnPaperConfig:
    """Shape of the network; the published one stands in the trainer's configs/tpn-paper.toml."""

    word_dimensions: int
    hidden: int
    dropout: float


class Conditions(NamedTuple):
    """Augmented word states c (B x T x h), their mean and log variance (same shape), and the mask of words (B x T)."""

    c: Tensor
    mean: Tensor
    log_variance: Tensor
    mask: Tensor


def lab_to_unit(lab: Tensor) -> Tensor:
    """Lab (... x 3) to 0..1."""
    return (lab - lab.new_tensor(LAB_LOW)) / lab.new_tensor(LAB_RANGE)


def unit_to_lab(unit: Tensor) -> Tensor:
    """Inverse of `lab_to_unit`."""
    return unit * unit.new_tensor(LAB_RANGE) + unit.new_tensor(LAB_LOW)


class Attention(nn.Module):
    """e_ij = w^T sigmoid(W1 s_{i-1} + W2 c_j) (8), softmax over words (7), context (6)."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.state, self.word = nn.Linear(hidden, hidden), nn.Linear(hidden, hidden)
        self.energy = nn.Linear(hidden, 1, bias=False)

    def forward(self, state: Tensor, conditions: Conditions) -> Tensor:
        """State B x h to context B x h."""
        energy = self.energy(torch.sigmoid(self.state(state)[:, None] + self.word(conditions.c))).squeeze(-1)
        weights = energy.masked_fill(~conditions.mask, -1e9).softmax(1)
        return (weights[..., None] * conditions.c).sum(1)


class TpnGenerator(nn.Module):
    """G0: words to five colours."""

    def __init__(self, config: TpnPaperConfig) -> None:
        super().__init__()
        self.config = config
        hidden = config.hidden
        self.encoder = nn.GRU(config.word_dimensions, hidden, batch_first=True)
        self.augment = nn.Linear(hidden, 2 * hidden)
        self.attention = Attention(hidden)
        self.decoder = nn.GRUCell(hidden + 3, hidden)
        self.out = nn.Sequential(nn.Linear(2 * hidden + 3, hidden), nn.ReLU(), nn.Linear(hidden, 3))
        self.dropout = nn.Dropout(config.dropout)

    def encode(self, vectors: Tensor, lengths: Tensor, noise: Tensor) -> Conditions:
        """Encode phrases with conditioning augmentation c_i = mu_i + sigma_i * eps.

        Args:
            vectors: B x T x d. lengths: B, at least 1. noise: B x T x h, eps.
        """
        packed = pack_padded_sequence(self.dropout(vectors), lengths.cpu(), batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.encoder(packed)[0], batch_first=True, total_length=vectors.shape[1])
        mean, log_variance = self.augment(self.dropout(states)).chunk(2, -1)
        mask = torch.arange(vectors.shape[1], device=vectors.device) < lengths[:, None]
        return Conditions(mean + (log_variance / 2).exp() * noise, mean, log_variance, mask)

    def forward(self, conditions: Conditions) -> Tensor:
        """Five colours, one after the other (B x 5 x 3, 0..1); the first context is the mean of the conditions."""
        context = mean_condition(conditions)
        state = torch.zeros_like(context)
        color = context.new_zeros(len(context), 3)
        colors = []
        for index in range(PALETTE_SIZE):
            if index:
                context = self.attention(state, conditions)
            state = self.decoder(torch.cat((color, context), 1), state)  # s_i = f(s_{i-1}, y_{i-1}, c_i)
            color = torch.sigmoid(self.out(torch.cat((color, self.dropout(state), context), 1)))  # g(y_{i-1}, s_i, c_i)
            colors.append(color)
        return torch.stack(colors, 1)


class TpnDiscriminator(nn.Module):
    """D0: mean condition and palette, real or fake."""

    def __init__(self, config: TpnPaperConfig) -> None:
        super().__init__()
        hidden = config.hidden
        self.layers = nn.Sequential(
            nn.Linear(hidden + 3 * PALETTE_SIZE, hidden), nn.ReLU(), nn.Linear(hidden, hidden // 2), nn.ReLU(),
            nn.Linear(hidden // 2, 1),
        )  # fmt: skip

    def forward(self, condition: Tensor, palette: Tensor) -> Tensor:
        """Condition B x h, palette B x 5 x 3 (0..1) to a logit, B."""
        return self.layers(torch.cat((condition, palette.flatten(1)), 1)).squeeze(1)


def mean_condition(conditions: Conditions) -> Tensor:
    """The mean of c over a phrase's words, B x h."""
    weights = conditions.mask[..., None].to(conditions.c.dtype)
    return (conditions.c * weights).sum(1) / weights.sum(1)


class PaperSampler:
    """The paper's network for `t2c_engine.palettes.sampler`; every draw has noise of its own in the conditions."""

    def __init__(self, network: TpnGenerator) -> None:
        self.network = network.eval()

    @classmethod
    def from_tensors(cls, config: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> PaperSampler:
        """From a card's network settings and its weights.

        Raises:
            ModelError: they do not fit.
        """
        try:
            network = TpnGenerator(TpnPaperConfig(**config))
            state = {
                key: torch.from_numpy(value).float() for key, value in tensors.items() if not key.startswith("words.")
            }
            network.load_state_dict(state)
        except (TypeError, RuntimeError) as error:
            raise ModelError("The palette model's weights do not fit its card; install it again.") from error
        return cls(network)

    @torch.no_grad()
    def sample(self, wanted: PaletteDraw, rng: np.random.Generator) -> np.ndarray:
        """Palettes (count x 5 x 3, Lab); the temperature scales the noise's variance.

        The network gives five colours and no other size, and cannot be steered; a phrase without a known word is one
        zero vector.

        Raises:
            ModelError: it is asked for what it cannot do.
        """
        if wanted.size != PALETTE_SIZE:
            raise ModelError(f"The paper's network makes palettes of {PALETTE_SIZE} colours only, not {wanted.size}.")
        if (wanted.known is not None and wanted.known.shape[1]) or wanted.refuse is not None:
            raise ModelError("The paper's network cannot hold or avoid colours; choose another model.")
        vectors, count = wanted.vectors, wanted.count
        if not len(vectors):
            vectors = np.zeros((1, self.network.config.word_dimensions), dtype=np.float32)
        words = torch.from_numpy(vectors).float().expand(count, -1, -1)
        noise = rng.standard_normal((count, len(vectors), self.network.config.hidden), dtype=np.float32)
        noise *= np.float32(np.sqrt(wanted.temperature))
        conditions = self.network.encode(words, torch.full((count,), len(vectors)), torch.from_numpy(noise))
        return unit_to_lab(self.network(conditions)).numpy()
