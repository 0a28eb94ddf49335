"""Palettes from phrases: the sampling side of TPN.

Hides reading the phrase, the network, and how the palettes shown are chosen among many drawn. Must not import torch at
module level (`t2c palette` starts in a second and a half), nor the trainer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import Any, Protocol

import numpy as np

from t2c_engine.color import fit_gamut
from t2c_engine.errors import ModelError, UsageError
from t2c_engine.models import find_model, load_weights
from t2c_engine.palette import PALETTE_SIZE, Palette, k_medoids
from t2c_engine.text import Lexicon
from t2c_engine.tpn_numpy import NumpyPaletteNet

MAX_COUNT = 100  # palettes of one request


class PaletteNet(Protocol):
    """What a palette network offers here."""

    def sample(
        self, vectors: np.ndarray, count: int, size: int, rng: np.random.Generator, temperature: float
    ) -> np.ndarray:
        """Palettes (count x size x 3, Lab) for word vectors (T x d)."""
        ...


@dataclass(frozen=True, slots=True)
class PaletteRequest:
    """What a user asks for: `count` palettes for a phrase; `variety` 0 (typical and alike) to 1 (far apart)."""

    phrase: str
    count: int = 5
    seed: int = 0
    variety: float = 0.5


@dataclass(frozen=True, slots=True)
class PaletteResult:
    """Palettes, the most typical first, and all that is needed to have them again. `note`: what was guessed."""

    phrase: str
    seed: int
    model: str
    palettes: tuple[Palette, ...]
    note: str | None


@dataclass(frozen=True, slots=True)
class SamplingConfig:
    """How palettes are chosen; stands in a model's card under "sampling".

    `candidates` are drawn for every phrase (0: just as many as asked for, and all are shown); `temperature` at variety
    0, 0.5 and 1, linear between.
    """

    candidates: int = 48
    temperature: tuple[float, float, float] = (0.5, 1.0, 1.3)

    def temperature_at(self, variety: float) -> float:
        """The temperature for a variety of 0..1."""
        return float(np.interp(variety, (0.0, 0.5, 1.0), self.temperature))


_PERMUTATIONS = np.zeros((PALETTE_SIZE * PALETTE_SIZE, 120), dtype=np.float32)  # columns mark 5 of 25 costs
for _column, _order in enumerate(permutations(range(PALETTE_SIZE))):
    _PERMUTATIONS[np.arange(PALETTE_SIZE) * PALETTE_SIZE + np.array(_order), _column] = 1 / PALETTE_SIZE


def din99(lab: np.ndarray) -> np.ndarray:
    """Lab (... x 3) to DIN99 (DIN 6176, kE = kCH = 1), where Euclidean distance is near to perceived difference."""
    light, a, b = lab[..., 0], lab[..., 1], lab[..., 2]
    angle = np.radians(16)
    e = a * np.cos(angle) + b * np.sin(angle)
    f = 0.7 * (b * np.cos(angle) - a * np.sin(angle))
    chroma = np.hypot(e, f)
    stretch = np.log1p(0.045 * chroma) / (0.045 * np.maximum(chroma, 1e-6))
    return np.stack((105.51 * np.log1p(0.0158 * np.maximum(light, 0)), e * stretch, f * stretch), axis=-1)


def pairwise_distances(lab: np.ndarray) -> np.ndarray:
    """Distance of best assignment between all pairs of n palettes (n x 5 x 3 Lab), n x n float32.

    Like `palette_distance` with DIN99 in place of CIEDE2000: some 50 times faster and near enough to choose by.
    """
    space = din99(lab).astype(np.float32)
    first, second = np.triu_indices(len(lab), 1)
    apart = space[first][:, :, None] - space[second][:, None]  # pairs x 5 x 5 x 3
    costs = np.sqrt(np.einsum("pijc,pijc->pij", apart, apart)).reshape(len(first), -1)
    result = np.zeros((len(lab), len(lab)), dtype=np.float32)
    result[first, second] = (costs @ _PERMUTATIONS).min(axis=1) if len(first) else 0
    return result + result.T


class PaletteSampler:
    """Draws five-colour palettes for a phrase (TPN; after Bahng et al. 2018) and chooses among them as a set."""

    def __init__(self, name: str, lexicon: Lexicon, network: PaletteNet, sampling: SamplingConfig) -> None:
        """`name` is written into results."""
        self.name = name
        self.lexicon = lexicon
        self.network = network
        self.sampling = sampling

    @classmethod
    def load(cls, model: str | None = None) -> PaletteSampler:
        """The installed palette model of that name, or the default one.

        Raises:
            ModelError: there is no such model, or its weights are missing, damaged or do not fit.
        """
        card = find_model("tpn", model)
        return cls.from_tensors(card.name, card.config, load_weights(card))

    @classmethod
    def from_tensors(cls, name: str, config: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> PaletteSampler:
        """From a card's configuration and the tensors of its weight file.

        Raises:
            ModelError: they do not fit together.
        """
        try:
            table = dict(config.get("sampling", {}))
            table |= {key: tuple(value) for key, value in table.items() if isinstance(value, list)}
            sampling, shape = SamplingConfig(**table), config["network"]
        except (TypeError, KeyError, AttributeError) as error:
            raise ModelError(f"The card of model '{name}' does not say how it is built ({error}).") from error
        lexicon = Lexicon.from_tensors(tensors)
        if config.get("architecture") == "tpn-paper":
            from t2c_engine.networks.tpn import PaperSampler

            return cls(name, lexicon, PaperSampler.from_tensors(shape, tensors), sampling)
        return cls(name, lexicon, NumpyPaletteNet(shape, tensors), sampling)

    def sample(self, request: PaletteRequest) -> PaletteResult:
        """Return `request.count` palettes of five colours, each with its lightest colour last.

        The same request and model give the same palettes on the same machine. The palettes are the medoids of many
        drawn ones, so that together they show what the phrase may look like.

        Raises:
            EmptyPhraseError: the phrase is empty or only white space.
            UsageError: count, seed or variety is out of range.
        """
        _check(request)
        encoded = self.lexicon.encode(request.phrase)
        key = " ".join(request.phrase.casefold().split())
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
        rng = np.random.default_rng([request.seed, *np.frombuffer(digest, dtype="<u4").tolist()])
        drawn = max(self.sampling.candidates, 3 * request.count) if self.sampling.candidates else request.count
        temperature = self.sampling.temperature_at(request.variety)
        lab = self.network.sample(encoded.vectors, drawn, PALETTE_SIZE, rng, temperature)
        if drawn > request.count:
            chosen = k_medoids(pairwise_distances(lab), np.ones(drawn, dtype=np.float32), request.count)
            lab = lab[chosen]
        lab = fit_gamut(lab.astype(np.float64))
        palettes = tuple(Palette.from_lab(row).sorted() for row in lab)
        return PaletteResult(request.phrase, request.seed, self.name, palettes, encoded.note)


def _check(request: PaletteRequest) -> None:
    if not 1 <= request.count <= MAX_COUNT:
        raise UsageError(f"{request.count} palettes cannot be made at once; ask for 1 to {MAX_COUNT}.")
    if request.seed < 0:
        raise UsageError(f"The seed {request.seed} is negative; use 0 or a positive whole number.")
    if not 0 <= request.variety <= 1:
        raise UsageError(f"The variety {request.variety} is outside 0 to 1.")
