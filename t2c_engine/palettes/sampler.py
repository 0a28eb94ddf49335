"""Palettes from phrases: the sampling side of TPN.

Hides reading the phrase, the network, and how steering beside the phrase are met. Must not import torch at module level
(`t2c palette` starts in a second and a half), nor the trainer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from t2c_engine.color.lab import fit_gamut
from t2c_engine.errors import ModelError, UsageError
from t2c_engine.models import ModelCard, find_model, load_weights
from t2c_engine.networks.palettes.draw import PaletteDraw
from t2c_engine.palettes.negation import refuses_qualities
from t2c_engine.palettes.numpy_network import NumpyPaletteNet
from t2c_engine.palettes.palette import Color, Palette
from t2c_engine.palettes.phrases import read_phrase
from t2c_engine.palettes.selection import choose, pairwise_distances
from t2c_engine.palettes.steering import Refuse, Steering, colors_lab, escape, refusal
from t2c_engine.palettes.style import Style, StyleWeight, load_styles, styled_network, styles_text
from t2c_engine.serving.protocol import DEFAULT_COUNT, DEFAULT_VARIETY, MAX_PALETTES, MAX_SEED
from t2c_engine.text.lexicon import Lexicon

_LIKE = 3  # colours that a palette like another takes over, about; two when it is to vary much
_LIKE_NOISE = 5.0  # Lab units by which they differ, times variety + 0.5


class PaletteNet(Protocol):
    """What a palette network offers here."""

    def sample(self, wanted: PaletteDraw, rng: np.random.Generator) -> np.ndarray:
        """Palettes, count x size x 3 Lab, the known colours in front."""
        ...


@dataclass(frozen=True, slots=True)
class PaletteRequest:
    """What a user asks for: `count` palettes for a phrase; `variety` 0 (typical and alike) to 1 (far apart)."""

    phrase: str
    count: int = DEFAULT_COUNT
    seed: int = 0
    variety: float = DEFAULT_VARIETY
    steering: Steering = field(default_factory=Steering)


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
    0, 0.5 and 1, linear between; `typicality` and `chroma` hold at variety 0.5, twice that at 0, none at 1: typical
    palettes are preferred (see `selection.choose`), and as these are greyer than people's, colourful ones among them,
    by `chroma` times their mean chroma.
    """

    candidates: int
    temperature: tuple[float, float, float]
    typicality: float
    chroma: float

    def temperature_at(self, variety: float) -> float:
        """The temperature for a variety of 0..1."""
        return float(np.interp(variety, (0.0, 0.5, 1.0), self.temperature))

    def choose(self, lab: np.ndarray, count: int, variety: float) -> list[int]:
        """Which `count` of n palettes (n x colours x 3 Lab) to show."""
        weight = 2 * (1 - variety)
        bonus = weight * self.chroma * np.hypot(lab[..., 1], lab[..., 2]).mean(axis=1)
        return choose(pairwise_distances(lab), count, weight * self.typicality, bonus)


class PaletteSampler:
    """Draws five-colour palettes for a phrase (TPN; after Bahng et al. 2018) and chooses among them as a set."""

    def __init__(self, name: str, lexicon: Lexicon, network: PaletteNet, sampling: SamplingConfig) -> None:
        """`name` is written into results."""
        self.name = name
        self.lexicon = lexicon
        self.network = network
        self.sampling = sampling

    @classmethod
    def load(cls, model: str | None = None, styles: Sequence[StyleWeight] = ()) -> PaletteSampler:
        """The installed palette model of that name, or the default one, with installed styles.

        Raises:
            ModelError: there is no such model or style, or its weights are missing, damaged or do not fit.
        """
        card = find_model("palette", model)
        tensors = load_weights(card)
        plain = cls.from_tensors(card.name, card.config, tensors)
        return plain.with_styles(card, tensors, load_styles(styles))

    def with_styles(
        self, card: ModelCard, tensors: Mapping[str, np.ndarray], styles: Sequence[tuple[Style, float]]
    ) -> PaletteSampler:
        """The same model with styles and their weights; itself where no weight is above 0.

        Args:
            card, tensors: of this model. Errors as `styled_network`.
        """
        wanted = [(style, weight) for style, weight in styles if weight > 0]
        if not wanted:
            return self
        network = styled_network(card, tensors, self.lexicon, wanted)
        names = styles_text([StyleWeight(style.name, weight) for style, weight in wanted])
        return PaletteSampler(f"{card.name} with {names}", self.lexicon, network, self.sampling)

    @classmethod
    def from_tensors(cls, name: str, config: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> PaletteSampler:
        """From a card's configuration and the tensors of its weight file.

        Raises:
            ModelError: they do not fit together.
        """
        try:
            table = dict(config["sampling"])
            table |= {key: tuple(value) for key, value in table.items() if isinstance(value, list)}
            sampling, shape = SamplingConfig(**table), config["network"]
        except (TypeError, KeyError, AttributeError) as error:
            raise ModelError(f"The card of model '{name}' does not say how it is built ({error}).") from error
        lexicon = Lexicon.from_tensors(tensors)
        if config.get("architecture") == "tpn-paper":
            from t2c_engine.networks.palettes.tpn import PaperSampler

            return cls(name, lexicon, PaperSampler.from_tensors(shape, tensors), sampling)
        return cls(name, lexicon, NumpyPaletteNet(shape, tensors), sampling)

    def sample(self, request: PaletteRequest) -> PaletteResult:
        """Return `request.count` palettes, each with its lightest colour last (locked colours stay at their places).

        The same request and model give the same palettes on the same machine. The palettes are chosen among many drawn
        ones, so that together they show what the phrase may look like. With nearly all colours locked there may be
        fewer different ones than asked for.

        Raises:
            EmptyPhraseError: the phrase is empty or only white space.
            UsageError: count, seed or variety is out of range, or too many colours are to be avoided.
        """
        _check(request)
        steering = request.steering
        reading = read_phrase(self.lexicon, request.phrase)
        exact, note = _exact_colors(reading.colors, steering, reading.note)
        refuse = _either(refusal((*steering.avoid, *reading.avoid)), refuses_qualities(reading.qualities))
        rng = _generator(request)
        drawn = max(self.sampling.candidates, 3 * request.count) if self.sampling.candidates else request.count
        temperature = self.sampling.temperature_at(request.variety)
        known = _known(request, exact, drawn, rng)
        wanted = PaletteDraw(reading.vectors, drawn, steering.colors, temperature, known, refuse)
        lab = fit_gamut(self.network.sample(wanted, rng).astype(np.float64))
        held = len(steering.locked) + len(exact)
        if refuse is not None:
            lab[:, held:] = escape(lab[:, held:], refuse)
        order = range(drawn)
        if drawn > request.count:
            order = self.sampling.choose(lab, request.count, request.variety)
        palettes = tuple(dict.fromkeys(steering.arrange(lab[index, held:], exact=exact) for index in order))
        return PaletteResult(request.phrase, request.seed, self.name, palettes, note)


def _exact_colors(
    colors: tuple[Color, ...], steering: Steering, note: str | None
) -> tuple[tuple[Color, ...], str | None]:
    """The colours given by code in a phrase that are to be in every palette, and the note, longer if some are not.

    Left out are those locked already, those to be avoided, and those beyond the free places.
    """
    locked = {color for _, color in steering.locked}
    refuse = refusal(steering.avoid)
    new = [color for color in colors if color not in locked]
    allowed = [color for color in new if refuse is None or not refuse(colors_lab([color]))[0]]
    taken = tuple(allowed[: steering.free])
    left = tuple(color for color in new if color not in taken)
    parts = [f"{_listed(taken)} in every palette" if taken else "", f"no place for {_listed(left)}" if left else ""]
    return taken, "; ".join(filter(None, [*parts, note])) or None


def _listed(colors: tuple[Color, ...]) -> str:
    return " and ".join(Palette(colors).hex) if colors else ""


def _either(*tests: Refuse | None) -> Refuse | None:
    """A test that one of the given is met; None if there are none."""
    there = [test for test in tests if test is not None]
    return (lambda lab: np.any([test(lab) for test in there], axis=0)) if there else None


def _generator(request: PaletteRequest) -> np.random.Generator:
    """Chance for a request: of its phrase and seed alone."""
    key = " ".join(request.phrase.casefold().split())
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
    return np.random.default_rng([request.seed, *np.frombuffer(digest, dtype="<u4").tolist()])


def _known(request: PaletteRequest, exact: Sequence[Color], drawn: int, rng: np.random.Generator) -> np.ndarray | None:
    """Colours that drawn palettes begin with (drawn x k x 3 Lab).

    They are the locked ones, those given `exact` in the phrase, then some of those to be like.
    """
    steering = request.steering
    parts = []
    if steering.locked or exact:
        locked = colors_lab([*(color for _, color in steering.locked), *exact])
        parts.append(np.broadcast_to(locked, (drawn, *locked.shape)))
    refuse = refusal(steering.avoid)
    like = colors_lab(steering.like)
    if refuse is not None and len(like):
        like = like[~refuse(like)]
    free = steering.free - len(exact)
    most = min(_LIKE if request.variety < 0.75 else _LIKE - 1, max(1, free - 1))
    taken = min(len(like), most, free)
    if taken:
        some = rng.random((drawn, len(like))).argsort(axis=1)[:, :taken]
        noise = rng.standard_normal((drawn, taken, 3)) * _LIKE_NOISE * (request.variety + 0.5)
        parts.append(fit_gamut(like[some] + noise))
    return np.concatenate(parts, axis=1) if parts else None


def _check(request: PaletteRequest) -> None:
    if not 1 <= request.count <= MAX_PALETTES:
        raise UsageError(f"{request.count} palettes cannot be made at once; ask for 1 to {MAX_PALETTES}.")
    if not 0 <= request.seed <= MAX_SEED:
        raise UsageError(f"The seed {request.seed} cannot be used; give a whole number from 0 to {MAX_SEED}.")
    if not 0 <= request.variety <= 1:
        raise UsageError(f"The variety {request.variety} is outside 0 to 1.")
