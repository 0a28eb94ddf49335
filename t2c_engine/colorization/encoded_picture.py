"""One picture before one colouriser: its colours under palettes at any strength, each worked out once.

The one module where strength is applied, for command line and engine process alike. Must not import torch or files.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from t2c_engine.colorization.color_source import Variation
from t2c_engine.colorization.decoding import Decoding
from t2c_engine.colorization.hints import Hints, spread
from t2c_engine.colorization.looks import Look, LookChoice, Toned
from t2c_engine.colorization.reference import Reference
from t2c_engine.palettes.palette import Palette
from t2c_engine.pictures.resize import resize

MAX_MAPS = 64  # ab maps kept
MAX_DRAWS = 4  # sets of variations kept
MAX_HINTS = 4  # sets of hints whose maps are kept; an editor sends a new set with every hint that is painted
BATCH = 8  # palettes decoded, one by one, before the first is handed on

# a palette, a draw, a picture, or how automatic colour is decoded
Source = Palette | Variation | Reference | Decoding
Key = tuple[Source, int, float]  # source, identity of the hints, natural


class Encoded:
    """One picture encoded by one colouriser, and the colours it has given it so far. For one thread at a time.

    Attributes:
        lightness: h x w float32, 0..100, what was encoded.
    """

    def __init__(self, colorizer: Any, lightness: np.ndarray, encoding: Any = None) -> None:
        """encoding: of `lightness` by this colouriser, if at hand."""
        self.colorizer = colorizer
        self.lightness = lightness
        self._encoding = colorizer.encode(lightness) if encoding is None else encoding
        self._features: tuple[Any, ...] = ()
        self._cache: OrderedDict[Key, np.ndarray] = OrderedDict()
        self._draws: OrderedDict[tuple[int, int], list[np.ndarray]] = OrderedDict()  # by count and seed
        self._hints: OrderedDict[int, Hints] = OrderedDict()  # by identity, held so that each keeps its own

    def ab_maps(
        self,
        palettes: Sequence[Palette | Variation | Reference | None],
        hints: Hints | None = None,
        strength: float = 1.0,
        decoding: Decoding | None = None,
        natural: float = 0.0,
    ) -> Iterator[np.ndarray]:
        """One ab map (small, h x w x 2) a palette, in order; the network sees only what is new, some at a time.

        Args:
            palettes: None asks for automatic colour, a variation for a draw, a reference for its own colours.
            hints: as in `Colorizer.color`.
            strength: 0..1 leads from automatic colour to the palette's or reference's; above 1 it multiplies
                ab. Automatic colour and variations it multiplies, and 0 is grey.
            decoding: of automatic colour; VIVID if not said.
            natural: as in `Colorizer.color`.
        """
        if decoding is None:
            decoding = Decoding.VIVID
        for start in range(0, len(palettes), BATCH):
            part = palettes[start : start + BATCH]
            sources: list[Source] = [decoding if one is None else one for one in part]
            if strength < 1 and any(isinstance(one, Palette | Reference) for one in part):
                *maps, unconditional = self._maps([*sources, decoding], hints, natural)
                pairs = zip(part, maps, strict=True)
                yield from (
                    unconditional + strength * (ab - unconditional)
                    if isinstance(one, Palette | Reference)
                    else strength * ab
                    for one, ab in pairs
                )
            else:
                maps = self._maps(sources, hints, natural)
                yield from (ab if strength == 1 else strength * ab for ab in maps)

    def toned(self, ab: np.ndarray, choice: LookChoice) -> Toned:
        """An ab map of this picture under a look.

        Raises:
            UsageError: no look is called so. ModelError: its file is damaged.
        """
        look = Look.load(choice.name)
        if not self._features:
            self._features = self.colorizer.encoder_features(self.lightness)
        return look.apply(self.lightness, ab, self._features, choice.strength)

    def _maps(self, sources: Sequence[Source], hints: Hints | None, natural: float) -> list[np.ndarray]:
        """The map of each source, from those kept where it is among them."""
        hints_key = 0 if hints is None else id(hints)
        if hints is not None:
            self._keep(hints)
        keys: dict[Source, Key] = {one: (one, hints_key, natural) for one in sources}
        new = [one for one, key in keys.items() if key not in self._cache]
        self._cache.update(zip([keys[one] for one in new], self._decode(new, hints, natural), strict=True))
        for key in keys.values():
            self._cache.move_to_end(key)
        maps = [self._cache[keys[one]] for one in sources]
        while len(self._cache) > MAX_MAPS:
            self._cache.popitem(last=False)
        return maps

    def _keep(self, hints: Hints) -> None:
        """Keep these hints, and let go of those used longest ago, with their maps."""
        self._hints[id(hints)] = hints
        self._hints.move_to_end(id(hints))
        while len(self._hints) > MAX_HINTS:
            old, _ = self._hints.popitem(last=False)
            for key in [key for key in self._cache if key[1] == old]:
                del self._cache[key]

    def _decode(self, sources: Sequence[Source], hints: Hints | None, natural: float) -> list[np.ndarray]:
        """As the network gives them, each alone: sums of a larger batch differ in their last bits.

        Rounding is amplified by the assignment of colours, so that a result would depend on what is made beside it.
        """
        decoded = (Decoding.DIRECT,) if hints is not None else ()
        references = [one for one in sources if isinstance(one, Reference)]
        found: dict[Source, np.ndarray] = {}
        for one in sources:
            if isinstance(one, Palette) or one in decoded:
                palette = one if isinstance(one, Palette) else None
                (found[one],) = self.colorizer.color(self._encoding, [palette], hints, natural)
        if references:
            like = self.colorizer.like(self._encoding, self.lightness, references, hints, natural)
            found |= zip(references, like, strict=True)
        for one in sources:
            if isinstance(one, Variation):
                found[one] = self._variation(one, hints)
            elif isinstance(one, Decoding) and one not in decoded:
                found[one] = self.colorizer.automatic(self._encoding, one, hints)
        return [found[one] for one in sources]

    def _variation(self, one: Variation, hints: Hints | None) -> np.ndarray:
        """A draw; as far as hints spread, their colours win."""
        key = one.count, one.seed
        if key not in self._draws:
            self._draws[key] = self.colorizer.variations(self._encoding, self.lightness, *key)
        self._draws.move_to_end(key)
        while len(self._draws) > MAX_DRAWS:
            self._draws.popitem(last=False)
        ab = self._draws[key][one.index]
        if hints is None:
            return ab
        hinted = self._maps([Decoding.DIRECT], hints, 0.0)
        (without,) = self.colorizer.color(self._encoding, [None])
        size = (ab.shape[0], ab.shape[1])
        share = spread(hints.at_size(size), resize(self.lightness, size), without).mask[..., None]
        return ab + share * (hinted[0] - ab)
