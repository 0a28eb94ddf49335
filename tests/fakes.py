"""Stand-ins for the networks, so that everything around them is tested in milliseconds and without weights."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from t2c_engine.colorization.decoding import Decoding
from t2c_engine.colorization.hints import Hints
from t2c_engine.colorization.reference import Reference
from t2c_engine.errors import EmptyPhraseError, ModelError
from t2c_engine.palettes import sampler
from t2c_engine.palettes.palette import Palette
from t2c_engine.palettes.sampler import PaletteRequest, PaletteResult
from t2c_engine.palettes.steering import colors_lab
from t2c_engine.palettes.style import StyleWeight

if TYPE_CHECKING:
    import pytest


class PaletteSampler:
    """Palettes that depend on phrase and seed alone."""

    @classmethod
    def load(cls, model: str | None = None, styles: Sequence[StyleWeight] = ()) -> PaletteSampler:
        if styles:
            raise ModelError(f"No style model is called '{styles[0].name}'.")
        if model not in (None, "fake-palettes"):
            raise ModelError(f"No palette model is called '{model}'.")
        return cls()

    def sample(self, request: PaletteRequest) -> PaletteResult:
        if not request.phrase.strip():
            raise EmptyPhraseError("The phrase is empty; write a few words.")
        rng = np.random.default_rng((request.seed, zlib.crc32(request.phrase.encode())))
        drawn = rng.integers(0, 256, (request.count, request.steering.free, 3)).tolist()
        note = "no word of the phrase is known" if request.phrase == "qqq" else None
        palettes = tuple(request.steering.arrange(colors_lab(one)) for one in drawn)
        return PaletteResult(request.phrase, request.seed, "fake-palettes", palettes, note)


OWN = Palette.from_hex("#7f786a")  # of a colouriser without a palette


class Colorizer:
    """Gives every pixel the mean ab of the palette, or one colour of its own."""

    model = "fake-colorizer"
    short_side = 64
    loaded = 0  # how often
    batches: ClassVar[list[int]] = []  # pictures of each call of `encode_many`

    @classmethod
    def load(cls, model: str | None = None, device: str = "auto", styles: Sequence[StyleWeight] = ()) -> Colorizer:
        Colorizer.loaded += 1
        return cls()

    def encode(self, lightness: np.ndarray) -> np.ndarray:
        assert lightness.ndim == 2 and lightness.dtype == np.float32
        return lightness

    def encode_many(self, pictures: Sequence[np.ndarray]) -> list[np.ndarray]:
        Colorizer.batches.append(len(pictures))
        return [self.encode(one) for one in pictures]

    def encoder_features(self, lightness: np.ndarray) -> tuple[np.ndarray, ...]:
        return ()

    def color(
        self,
        encoding: np.ndarray,
        palettes: Sequence[Palette | None],
        hints: Hints | None = None,
        natural: float = 0.0,
    ) -> list[np.ndarray]:
        size = tuple(max(1, side // 4) for side in encoding.shape)
        means = [(one or OWN).lab[:, 1:].mean(0) for one in palettes]
        maps = [np.broadcast_to(mean, (*size, 2)).astype(np.float32) for mean in means]
        if hints is None:
            return maps
        small = hints.at_size((size[0], size[1]))
        return [ab + small.mask[..., None] * (small.ab - ab) for ab in maps]

    def like(
        self,
        encoding: np.ndarray,
        lightness: np.ndarray,
        references: Sequence[Reference],
        hints: Hints | None = None,
        natural: float = 0.0,
    ) -> list[np.ndarray]:
        """The mean ab of each reference."""
        means = [np.array([[50, *one.ab.mean((0, 1))]], np.float32) for one in references]
        return self.color(encoding, [Palette.from_lab(one) for one in means], hints, natural)

    def automatic(
        self, encoding: np.ndarray, decoding: Decoding = Decoding.VIVID, hints: Hints | None = None
    ) -> np.ndarray:
        """Another colour for each decoding."""
        colours = {"vivid": "#b07a30", "mean": "#996655", "top": "#559966", "centroid": "#5566cc"}
        palette = Palette.from_hex(colours[decoding]) if decoding in colours else None
        return self.color(encoding, [palette], hints)[0]

    def variations(self, encoding: np.ndarray, lightness: np.ndarray, count: int, seed: int) -> list[np.ndarray]:
        """Flat colours that depend on seed and place in the draw."""
        assert encoding.shape == lightness.shape
        size = tuple(max(1, side // 4) for side in encoding.shape)
        drawn = np.random.default_rng(seed).uniform(-40, 40, (count, 2))
        return [np.broadcast_to(ab, (*size, 2)).astype(np.float32) for ab in drawn]


def use(patch: pytest.MonkeyPatch) -> None:
    """Let everything that loads a palette sampler or a colouriser get one of these; imports torch."""
    from t2c_engine.colorization import colorizer

    patch.setattr(sampler.PaletteSampler, "load", PaletteSampler.load)
    patch.setattr(colorizer.Colorizer, "load", Colorizer.load)


def load(models: object) -> Colorizer:
    """A colorizer for worker processes."""
    return Colorizer()
