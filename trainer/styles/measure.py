"""How well palettes fit, with a style and without: on the palettes held out, and on phrases the style knows nothing of.

best-of-5: of five palettes drawn for a text (seed 0) the smallest distance to the true one, the mean CIEDE2000 of the
best one-to-one assignment of colours. What a style loses elsewhere is measured on random phrases of the vocabulary
against palettes that the shipped network draws for them, as users have no other data. Must not import torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations

import numpy as np

from t2c_engine.networks.palettes.draw import PaletteDraw
from t2c_engine.palettes.palette import PALETTE_SIZE, Palette, delta_e_2000
from t2c_engine.palettes.sampler import PaletteRequest, PaletteResult, PaletteSampler
from t2c_engine.palettes.steering import Steering
from t2c_engine.serving.protocol import DEFAULT_COUNT, MIN_DRAWN_COLORS
from trainer.styles.examples import Example

_LONGEST = 3  # words of a random phrase
_RESAMPLES = 2000  # of the bootstrap
_CERTAIN = 0.95


@dataclass(frozen=True, slots=True)
class Comparison:
    """best-of-5 of n texts with the shipped model and with the style, text by text (n each)."""

    shipped: np.ndarray
    styled: np.ndarray

    @property
    def change(self) -> float:
        """Relative change of the mean; below 0 the style is better."""
        return float(self.styled.mean() / self.shipped.mean() - 1)

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of `change`, by a paired bootstrap over the texts (Efron 1979)."""
        rng = np.random.default_rng(0)
        rows = rng.integers(len(self.shipped), size=(_RESAMPLES, len(self.shipped)))
        changes = self.styled[rows].mean(axis=1) / self.shipped[rows].mean(axis=1) - 1
        low, high = np.quantile(changes, ((1 - _CERTAIN) / 2, (1 + _CERTAIN) / 2))
        return float(low), float(high)


def drawn(sampler: PaletteSampler, text: str, like: Palette) -> PaletteResult:
    """The five palettes a user gets for a text, of as many colours as `like` (3 to 5)."""
    size = min(max(len(like.colors), MIN_DRAWN_COLORS), PALETTE_SIZE)
    return sampler.sample(PaletteRequest(text, DEFAULT_COUNT, steering=Steering(colors=size)))


def best_of_five(
    sampler: PaletteSampler, examples: Sequence[Example], advance: Callable[[], None] = lambda: None
) -> np.ndarray:
    """best-of-5 of each example (n)."""
    scores = []
    for example in examples:
        truth = example.palette.to_size() if len(example.palette.colors) > PALETTE_SIZE else example.palette
        found = drawn(sampler, example.text, truth).palettes
        scores.append(min(palette_match(one, truth) for one in found))
        advance()
    return np.array(scores)


def palette_match(drawn_palette: Palette, truth: Palette) -> float:
    """Mean CIEDE2000 of the best assignment of the true colours to as many drawn ones, at most five each."""
    costs = delta_e_2000(truth.lab[:, None], drawn_palette.lab[None])
    orders = _orders(len(drawn_palette.colors), len(truth.colors))
    return float(costs[np.arange(orders.shape[1]), orders].mean(axis=1).min())


@cache
def _orders(drawn_colors: int, true_colors: int) -> np.ndarray:
    return np.array(list(permutations(range(drawn_colors), min(true_colors, drawn_colors))))


def general_examples(sampler: PaletteSampler, count: int, seed: int) -> list[Example]:
    """Random phrases of one to three words that texts about colour use, each with a palette of the shipped network."""
    vocabulary, rng = sampler.lexicon.vocabulary, np.random.default_rng(seed)
    chance = vocabulary.uses.astype(np.float64)
    examples = []
    for _ in range(count):
        rows = rng.choice(len(chance), size=rng.integers(1, _LONGEST + 1), replace=False, p=chance / chance.sum())
        text = " ".join(vocabulary.words[row] for row in rows)
        lab = sampler.network.sample(PaletteDraw(sampler.lexicon.embed(rows.tolist()), 1, PALETTE_SIZE, 1.0), rng)[0]
        examples.append(Example(text, Palette.from_lab(lab, text), "random phrase"))
    return examples
