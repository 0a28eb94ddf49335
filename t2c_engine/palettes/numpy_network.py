"""The shipped palette network (`palette_set`) in numpy, for use: starts in milliseconds, torch takes seconds.

Same weights under the same names, dropout left out. Must not import torch or the trainer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from t2c_engine.color.lab import lab_to_srgb, srgb_to_lab
from t2c_engine.errors import ModelError
from t2c_engine.networks.palettes.draw import PaletteDraw
from t2c_engine.networks.palettes.normalization import LAB_CENTRE, LAB_SCALE, LOG_SIGMA
from t2c_engine.serving.protocol import PALETTE_SIZE

TRIES = 12  # draws of a colour that must not be like some other
_FURTHER = 3  # draws for each colour beyond PALETTE_SIZE, which the network has learned
_WIDEN = 1.15  # how the temperature grows from try to try
_CENTRE = np.array(LAB_CENTRE, dtype=np.float32)
_EPSILON = 1e-5  # of layer normalisation, torch's default


class Mixture(NamedTuple):
    """K Gaussians in scaled Lab for each of n palettes: logits (n x K), mean (n x K x 3), factor (n x K x 6).

    `factor` is the covariance's lower Cholesky triangle: the logarithm of its diagonal, then (1,0), (2,0), (2,1).
    """

    logits: np.ndarray
    mean: np.ndarray
    factor: np.ndarray


def _softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


class NumpyPaletteNet:
    """The forward pass of `PaletteSetNet`, float32."""

    def __init__(self, config: Mapping[str, Any], weights: Mapping[str, np.ndarray]) -> None:
        """
        Args:
            config: the fields of `PaletteSetConfig`.
            weights: the network's state by torch's names; other entries are ignored.

        Raises:
            ModelError: a weight is missing or of another shape than the configuration asks for.
        """
        try:
            self.heads, self.mixtures = int(config["heads"]), int(config["mixtures"])
            self.positions = int(config["positions"])
            self.blocks = {part: int(config[f"{part}_blocks"]) for part in ("encoder", "decoder")}
            self.weights = {
                key: np.asarray(value, dtype=np.float32)
                for key, value in weights.items()
                if not key.startswith("words.")
            }
            width = int(config["width"])
            fits = self.weights["word.weight"].shape == (width, int(config["word_dimensions"]))
            fits &= self.weights["head.weight"].shape == (10 * self.mixtures, width)
            fits &= all(
                any(key.startswith(f"{part}.{n - 1}.") for key in self.weights) for part, n in self.blocks.items() if n
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"The palette model is incomplete ({error}); install it again.") from error
        if not fits:
            raise ModelError("The palette model's weights do not fit its card; install it again.")

    def _linear(self, name: str, x: np.ndarray) -> np.ndarray:
        y = x @ self.weights[f"{name}.weight"].T
        bias = self.weights.get(f"{name}.bias")
        return y if bias is None else y + bias

    def _norm(self, name: str, x: np.ndarray) -> np.ndarray:
        x = x - x.mean(axis=-1, keepdims=True)
        x = x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + _EPSILON)
        return x * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def _attend(self, name: str, queries: np.ndarray, memory: np.ndarray) -> np.ndarray:
        """Queries Q x w, memory M x w, all of it visible; Q x w."""
        width = queries.shape[-1]
        size = width // self.heads
        q, k, v = (
            self._linear(f"{name}.{part}", x).reshape(-1, self.heads, size).transpose(1, 0, 2)
            for part, x in (("query", queries), ("key", memory), ("value", memory))
        )
        mixed = _softmax(q @ k.transpose(0, 2, 1) / np.float32(np.sqrt(size))) @ v  # heads x Q x size
        return self._linear(f"{name}.out", mixed.transpose(1, 0, 2).reshape(-1, width))

    def _perceptron(self, name: str, x: np.ndarray) -> np.ndarray:
        inner = np.maximum(self._linear(f"{name}.inner", self._norm(f"{name}.norm", x)), 0)
        return x + self._linear(f"{name}.outer", inner)

    def encode(self, vectors: np.ndarray, source: int = 0) -> np.ndarray:
        """Word vectors (T x d, T may be 0) to the memory ((1 + T) x w)."""
        place = np.minimum(np.arange(len(vectors)), self.positions - 1)
        words = self._linear("word", vectors.astype(np.float32)) + self.weights["position.weight"][place]
        x = np.concatenate((self.weights["source.weight"][source : source + 1], words))
        for index in range(self.blocks["encoder"]):
            normed = self._norm(f"encoder.{index}.norm", x)
            x = x + self._attend(f"encoder.{index}.attention", normed, normed)
            x = self._perceptron(f"encoder.{index}.perceptron", x)
        return self._norm("norm_memory", x)

    def color_sum(self, colors: np.ndarray) -> np.ndarray:
        """What one known colour each (n x 3, scaled Lab) adds to the state (n x w)."""
        return self._linear("color_out", np.maximum(self._linear("color_in", colors.astype(np.float32)), 0))

    def next_color(self, memory: np.ndarray, known: np.ndarray, count: int) -> Mixture:
        """Density of one further colour for n palettes.

        Args:
            memory: of `encode`.
            known: n x w, the sum of `color_sum` over each palette's `count` known colours.
        """
        x = memory[:1] + known + self.weights["count.weight"][count]
        x = x + self._attend("attention", self._norm("norm_state", x), memory)
        for index in range(self.blocks["decoder"]):
            x = self._perceptron(f"decoder.{index}", x)
        raw = self._linear("head", self._norm("norm_head", x))
        k = self.mixtures
        factor = raw[:, 4 * k :].reshape(-1, k, 6).copy()
        factor[..., :3] = np.clip(factor[..., :3], *LOG_SIGMA)
        return Mixture(raw[:, :k], raw[:, k : 4 * k].reshape(-1, k, 3), factor)

    def sample(self, wanted: PaletteDraw, rng: np.random.Generator) -> np.ndarray:
        """Draw palettes for a phrase, colour by colour, each knowing the phrase and the colours before it.

        The network knows at most four colours. Where more are there (palettes of six to ten colours), each further one
        is drawn knowing four of them, chosen at random; of three draws that least like any colour there is taken.

        The temperature scales logits and variances. Refused colours may remain after `TRIES`.

        Returns:
            count x size x 3 Lab, the known ones as given and in front, all others such as sRGB can show.
        """
        memory = self.encode(wanted.vectors)
        known, size = wanted.known, wanted.size
        given = 0 if known is None else known.shape[1]
        colors = np.empty((wanted.count, size, 3), dtype=np.float32)
        parts = np.zeros((wanted.count, size, memory.shape[-1]), dtype=np.float32)  # what each colour adds to the state
        if known is not None:
            colors[:, :given] = (known - _CENTRE) / np.float32(LAB_SCALE)
            parts[:, :given] = self.color_sum(colors[:, :given])
        for index in range(given, size):
            mixture = self._density(memory, parts[:, :index], rng)
            draws = 1 if index < PALETTE_SIZE else _FURTHER
            drawn = np.stack([_draw_allowed(mixture, rng, wanted.temperature, wanted.refuse) for _ in range(draws)])
            colors[:, index] = drawn[0] if draws == 1 else _farthest(drawn, colors[:, :index])
            if index + 1 < size:
                parts[:, index] = self.color_sum(colors[:, index])
        return colors * np.float32(LAB_SCALE) + _CENTRE

    def _density(self, memory: np.ndarray, parts: np.ndarray, rng: np.random.Generator) -> Mixture:
        """Density of one further colour for n palettes, from what their colours add to the state (n x colours x w)."""
        count, colors, _ = parts.shape
        most = len(self.weights["count.weight"]) - 1
        if not colors:  # all palettes are still the same
            mixture = self.next_color(memory, np.zeros((1, memory.shape[-1]), dtype=np.float32), 0)
            return Mixture(*(np.broadcast_to(part, (count, *part.shape[1:])) for part in mixture))
        if colors > most:
            some = rng.random((count, colors)).argsort(axis=1)[:, :most, None]
            parts = np.take_along_axis(parts, some, axis=1)
        return self.next_color(memory, parts.sum(axis=1), min(colors, most))


def _draw_allowed(
    mixture: Mixture,
    rng: np.random.Generator,
    temperature: float,
    refuse: Callable[[np.ndarray], np.ndarray] | None,
) -> np.ndarray:
    """One showable colour from each of n mixtures (n x 3, scaled Lab); refused ones are drawn again, ever wider."""
    colors = showable(draw(mixture, rng, temperature))
    for _ in range(TRIES if refuse is not None else 0):
        bad = refuse(colors * np.float32(LAB_SCALE) + _CENTRE)  # type: ignore[misc]
        if not bad.any():
            break
        temperature *= _WIDEN
        colors[bad] = showable(draw(Mixture(*(part[bad] for part in mixture)), rng, temperature))
    return colors


def _farthest(some: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Of d draws for each of n palettes (d x n x 3) those farthest from the nearest colour there (n x k x 3), n x 3."""
    apart = np.linalg.norm(some[:, :, None] - there, axis=-1).min(axis=-1)  # d x n
    return some[apart.argmax(axis=0), np.arange(some.shape[1])]


def showable(colors: np.ndarray) -> np.ndarray:
    """Scaled Lab colours (n x 3) with each sRGB channel clipped.

    Unlike a loss of chroma alone, clipping brings what lies beyond a corner of the gamut onto that corner, and pure
    red, green and blue are among the colours that people choose most.
    """
    lab = colors * np.float32(LAB_SCALE) + _CENTRE
    return (srgb_to_lab(lab_to_srgb(lab)) - _CENTRE) / np.float32(LAB_SCALE)


def draw(mixture: Mixture, rng: np.random.Generator, temperature: float) -> np.ndarray:
    """One colour from each of n mixtures (n x 3, scaled Lab)."""
    count = len(mixture.logits)
    cumulative = _softmax(mixture.logits / max(temperature, 0.05)).cumsum(axis=1)
    place = rng.random((count, 1), dtype=np.float32) * cumulative[:, -1:]
    chosen = np.minimum((cumulative < place).sum(axis=1), mixture.logits.shape[1] - 1)
    rows = np.arange(count)
    mean, factor = mixture.mean[rows, chosen], mixture.factor[rows, chosen]
    noise = rng.standard_normal((count, 3), dtype=np.float32) * np.float32(np.sqrt(temperature))
    step = np.exp(factor[:, :3]) * noise
    step[:, 1] += factor[:, 3] * noise[:, 0]
    step[:, 2] += factor[:, 4] * noise[:, 0] + factor[:, 5] * noise[:, 1]
    return mean + step
