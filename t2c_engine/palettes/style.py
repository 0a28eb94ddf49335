"""Styles: small adapters over the palette network that a user trained on palettes of their own.

A style is a low-rank addition to the network's matrices (LoRA, Hu et al. 2021), additions to its biases and to the
embedding of the data set. Several styles are added up by their weights. As a fine-tuned density forgets, a share of the
candidates is drawn from the styled network and the others from the shipped one; the share grows with the weight and
with how well the style's texts know the phrase's words. Must not import torch or the trainer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from t2c_engine.errors import ModelError, UsageError
from t2c_engine.models import NAME, ModelCard, find_model, load_weights, scan_models
from t2c_engine.networks.palettes.draw import PaletteDraw
from t2c_engine.palettes.numpy_network import NumpyPaletteNet
from t2c_engine.serving.protocol import MAX_STYLE_WEIGHT, MAX_STYLES
from t2c_engine.text.lexicon import Lexicon

LOW, HIGH, BIAS, SOURCE, WORDS = "low.", "high.", "bias.", "source", "words"  # names of an adapter's tensors
SOURCE_ROW = 0  # of the network's table of data sets: the one that phrases use
MAX_RANK = 64
_ALIKE = (0.4, 1.0)  # cosines of word vectors at which a word is not known at all, and known well


@dataclass(frozen=True, slots=True)
class StyleWeight:
    """A style by name and how strongly it counts, 0..MAX_STYLE_WEIGHT; 0 leaves the shipped model as it is."""

    name: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class StyleShares:
    """Share of candidates from the styled network at weight 1: for phrases of unknown and of known words.

    Stands in a style's card under "shares"; the trainer chooses it.
    """

    unknown: float
    known: float

    def at(self, weight: float, familiarity: float) -> float:
        """The share for a weight of 0..MAX_STYLE_WEIGHT and a familiarity of 0..1; at the largest weight all."""
        one = self.unknown + (self.known - self.unknown) * familiarity
        return float(np.interp(weight, (0.0, 1.0, MAX_STYLE_WEIGHT), (0.0, one, 1.0)))


@dataclass(frozen=True, slots=True)
class Style:
    """An adapter as loaded. `base`: sha256 of the palette model's weights that it was trained on."""

    name: str
    base: str
    shares: StyleShares
    tensors: Mapping[str, np.ndarray]

    @classmethod
    def from_card(cls, card: ModelCard, tensors: Mapping[str, np.ndarray]) -> Style:
        """From a card and its weights.

        Raises:
            ModelError: they are no style's.
        """
        try:
            base, shares = card.config["base"]["sha256"], StyleShares(**card.config["shares"])
            fits = isinstance(base, str) and 0 <= shares.unknown <= shares.known <= 1
        except (TypeError, KeyError) as error:
            raise ModelError(
                f"The card of style '{card.name}' is incomplete ({error}); train the style again."
            ) from error
        if not fits:
            raise ModelError(f"The card of style '{card.name}' is misstated; train the style again.")
        return cls(card.name, base, shares, tensors)


def parse_styles(text: str) -> tuple[StyleWeight, ...]:
    """Styles of a text such as "studio", "studio:0.7" or "studio:0.7,winter:0.3".

    Raises:
        UsageError: a name or a weight is none, a name stands twice, or there are too many.
    """
    styles = []
    for part in filter(None, (one.strip() for one in text.split(","))):
        name, colon, number = (word.strip() for word in part.partition(":"))
        try:
            weight = float(number) if colon else 1.0
        except ValueError:
            weight = -1.0
        if not NAME.fullmatch(name) or not 0 <= weight <= MAX_STYLE_WEIGHT:
            example = "write name:weight, as studio:0.7"
            raise UsageError(f"'{part[:60]}' is no style with a weight of 0 to {MAX_STYLE_WEIGHT:g}; {example}.")
        styles.append(StyleWeight(name, weight))
    if len({one.name for one in styles}) < len(styles):
        raise UsageError(f"The styles '{text[:60]}' name one twice; give each once.")
    if len(styles) > MAX_STYLES:
        raise UsageError(f"{len(styles)} styles cannot be mixed; give at most {MAX_STYLES}.")
    return tuple(styles)


def styles_text(styles: Sequence[StyleWeight]) -> str:
    """What `parse_styles` reads: "studio:0.7,winter:0.3"."""
    return ",".join(one.name if one.weight == 1 else f"{one.name}:{one.weight:g}" for one in styles)


def installed_styles() -> list[dict[str, str]]:
    """Name of every installed style, and what was measured when it was trained ("verdict")."""
    cards = [card for card in scan_models()[0] if card.kind == "style"]
    return [{"name": card.name, "verdict": str(card.figures.get("verdict", ""))} for card in cards]


def load_styles(styles: Sequence[StyleWeight]) -> list[tuple[Style, float]]:
    """Installed styles with their weights.

    Raises:
        ModelError: one is not installed, or is damaged.
    """
    loaded = []
    for one in styles:
        card = find_model("style", one.name)
        loaded.append((Style.from_card(card, load_weights(card)), one.weight))
    return loaded


def styled_network(
    base: ModelCard, weights: Mapping[str, np.ndarray], lexicon: Lexicon, styles: Sequence[tuple[Style, float]]
) -> StyledPaletteNet:
    """The network of a palette model with styles, whose weights must sum to more than 0.

    Args:
        base, weights, lexicon: of the palette model.

    Raises:
        ModelError: a style is of another palette model, or incomplete.
    """
    if base.config.get("architecture") != "palette-set":
        raise ModelError(f"Styles are for palette models like the shipped one; '{base.name}' is none.")
    for style, _ in styles:
        if style.base != base.sha256:
            raise ModelError(
                f"The style '{style.name}' was trained on another palette model than '{base.name}' {base.version}; "
                "train it again with 't2c-train style'."
            )
    shape = base.config["network"]
    plain, changed = NumpyPaletteNet(shape, weights), NumpyPaletteNet(shape, adapted(weights, styles))
    return StyledPaletteNet(plain, changed, [(_known_words(style, lexicon), style.shares, w) for style, w in styles])


def adapted(weights: Mapping[str, np.ndarray], styles: Sequence[tuple[Style, float]]) -> dict[str, np.ndarray]:
    """The network's weights plus the styles' additions, which are averaged by the styles' weights.

    Raises:
        ModelError: an addition fits no weight of the network.
    """
    total = sum(weight for _, weight in styles)
    result = {key: value for key, value in weights.items() if not key.startswith("words.")}
    for style, weight in styles:
        for key, value in style.tensors.items():
            part = np.float32(weight / total) * value.astype(np.float32)
            if key.startswith(HIGH):
                name = f"{key.removeprefix(HIGH)}.weight"
                low = style.tensors.get(LOW + key.removeprefix(HIGH))
                if low is None or low.ndim != 2 or part.ndim != 2 or _shape(result, name) != (len(part), low.shape[1]):
                    raise _misfit(style)
                if low.shape[0] != part.shape[1] or low.shape[0] > MAX_RANK:
                    raise _misfit(style)
                result[name] = result[name].astype(np.float32) + part @ low.astype(np.float32)
            elif key.startswith(BIAS):
                _add(result, f"{key.removeprefix(BIAS)}.bias", part, style)
            elif key == SOURCE:
                table = np.zeros(_shape(result, "source.weight"), dtype=np.float32)
                if part.shape != table.shape[1:]:
                    raise _misfit(style)
                table[SOURCE_ROW] = part
                _add(result, "source.weight", table, style)
            elif key != WORDS and not key.startswith(LOW):
                raise _misfit(style)
    return result


def _shape(weights: Mapping[str, np.ndarray], name: str) -> tuple[int, ...]:
    return weights[name].shape if name in weights else ()


def _add(weights: dict[str, np.ndarray], name: str, addition: np.ndarray, style: Style) -> None:
    if _shape(weights, name) != addition.shape:
        raise _misfit(style)
    weights[name] = weights[name].astype(np.float32) + addition


def _misfit(style: Style) -> ModelError:
    return ModelError(f"The weights of style '{style.name}' do not fit the palette model; train the style again.")


def _known_words(style: Style, lexicon: Lexicon) -> np.ndarray:
    """Unit vectors of the words of the style's texts (n x d)."""
    rows = style.tensors.get(WORDS, np.zeros(0, dtype=np.int32))
    if (
        rows.ndim != 1
        or rows.dtype.kind not in "iu"
        or (len(rows) and not 0 <= rows.min() <= rows.max() < len(lexicon.vectors))
    ):
        raise ModelError(f"The style '{style.name}' names words that are not there; train it again.")
    return _unit(lexicon.embed(rows.tolist()))


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-6)


class StyledPaletteNet:
    """Two palette networks, the shipped and the styled one, of which each draws a share of the candidates."""

    def __init__(
        self,
        plain: NumpyPaletteNet,
        styled: NumpyPaletteNet,
        parts: Sequence[tuple[np.ndarray, StyleShares, float]],
    ) -> None:
        """`parts`: of each style the unit vectors of its words (n x d), its shares and its weight."""
        self._plain, self._styled, self._parts = plain, styled, parts

    def share(self, vectors: np.ndarray) -> float:
        """Share of candidates that the styled network draws for word vectors (T x d), 0..1."""
        total = sum(weight for _, _, weight in self._parts)
        strength = min(total, MAX_STYLE_WEIGHT)
        unit = _unit(vectors)
        share = 0.0
        for words, shares, weight in self._parts:
            share += weight / total * shares.at(strength, _familiarity(unit, words))
        return share

    def sample(self, wanted: PaletteDraw, rng: np.random.Generator) -> np.ndarray:
        """As `NumpyPaletteNet.sample`; the first palettes are the styled network's."""
        ours = round(wanted.count * self.share(wanted.vectors))
        drawn = []
        for network, rows in ((self._styled, slice(0, ours)), (self._plain, slice(ours, wanted.count))):
            number = rows.stop - rows.start
            if number:
                known = None if wanted.known is None else wanted.known[rows]
                drawn.append(network.sample(replace(wanted, count=number, known=known), rng))
        return np.concatenate(drawn)


def _familiarity(phrase: np.ndarray, words: np.ndarray) -> float:
    """How well words (n x d) know a phrase's (T x d, all of unit length): 0 not at all, 1 every word is among them."""
    if not len(phrase) or not len(words):
        return 0.0
    return float(np.interp((phrase @ words.T).max(axis=1), _ALIKE, (0.0, 1.0)).mean())
