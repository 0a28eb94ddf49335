"""Where the colors of a result come from: a phrase, palettes, pictures, draws, the network itself; hints, regions.

A further source is one more frozen dataclass with the members of `BaseColors`. Must not import torch, networks,
pictures or the command line.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Protocol

from t2c_engine.colorization.decoding import Decoding
from t2c_engine.colorization.looks import LookChoice
from t2c_engine.errors import UsageError
from t2c_engine.palettes.palette import Palette
from t2c_engine.palettes.style import StyleWeight, parse_styles
from t2c_engine.serving.protocol import (
    DEFAULT_COUNT,
    DEFAULT_HINT_REACH,
    DEFAULT_NATURAL,
    DEFAULT_VARIETY,
    MAX_SEED,
    MAX_STRENGTH,
    MAX_VARIATIONS,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Variation:
    """One of `count` colorings drawn together with `seed` (`diverse_colors`); index: 0..count - 1, typical ones first.

    Raises:
        UsageError: a number is out of range.
    """

    index: int
    count: int = DEFAULT_COUNT
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.count <= MAX_VARIATIONS or not 0 <= self.index < self.count:
            raise UsageError(f"There is no variation {self.index + 1} of {self.count}; draw 1 to {MAX_VARIATIONS}.")
        if not 0 <= self.seed <= MAX_SEED:
            raise UsageError(f"The seed {self.seed} is out of range; give 0 to {MAX_SEED}.")

    def as_json(self) -> dict[str, int]:
        return {"index": self.index, "count": self.count, "seed": self.seed}


class BaseColors(Protocol):
    """What colors the whole picture."""

    @property
    def result_count(self) -> int:
        """Results a picture."""
        ...

    @property
    def label(self) -> str:
        """Short words for titles and file names."""
        ...

    def palettes(self, model: str | None) -> tuple[Palette | Variation | None, ...]:
        """The palette or variation of each result; None: the network's own colors. `model`: of palettes."""
        ...

    def as_json(self) -> dict[str, Any]:
        """What a recipe says of it."""
        ...


@dataclass(frozen=True, slots=True)
class PhraseColors:
    """`count` palettes drawn for a phrase, with the user's styles where any are named ("studio:0.7,winter:0.3").

    Raises:
        UsageError: the styles are none that `parse_styles` reads.
    """

    phrase: str
    count: int = DEFAULT_COUNT
    seed: int = 0
    variety: float = DEFAULT_VARIETY
    style: str = ""

    def __post_init__(self) -> None:
        parse_styles(self.style)

    @property
    def result_count(self) -> int:
        return self.count

    @property
    def label(self) -> str:
        return self.phrase

    def palettes(self, model: str | None) -> tuple[Palette, ...]:
        """Palettes of five colors.

        Raises:
            UsageError: the phrase is empty. ModelError: the palette model or a style cannot be used.
        """
        from t2c_engine.palettes.sampler import PaletteRequest, PaletteSampler

        request = PaletteRequest(self.phrase, count=self.count, seed=self.seed, variety=self.variety)
        result = _loaded(PaletteSampler.load, model, parse_styles(self.style)).sample(request)
        if result.note:
            log.warning("%s", result.note)
        return tuple(result.palettes)

    def as_json(self) -> dict[str, Any]:
        values = {"phrase": self.phrase, "count": self.count, "seed": self.seed, "variety": self.variety}
        return values | {"style": self.style} if self.style else values


@lru_cache(maxsize=1)
def _loaded(load: Any, model: str | None, styles: tuple[StyleWeight, ...]) -> Any:
    """A palette sampler, kept: an album draws for every caption."""
    return load(model, styles)


@dataclass(frozen=True, slots=True)
class PaletteColors:
    """Palettes as given; `palettes` brings them to five colors."""

    given: tuple[Palette, ...]

    @property
    def result_count(self) -> int:
        return len(self.given)

    @property
    def label(self) -> str:
        first = self.given[0]
        return first.name or " ".join(first.hex)

    def palettes(self, model: str | None) -> tuple[Palette, ...]:
        return tuple(one.to_size() for one in self.given)

    def as_json(self) -> dict[str, Any]:
        return {"given": True}


@dataclass(frozen=True, slots=True)
class AutomaticColors:
    """The network's own colors, by a decoding."""

    decoding: Decoding = Decoding.VIVID

    @property
    def result_count(self) -> int:
        return 1

    @property
    def label(self) -> str:
        return "automatic"

    def palettes(self, model: str | None) -> tuple[None, ...]:
        return (None,)

    def as_json(self) -> dict[str, Any]:
        return {"decoding": self.decoding.value}


@dataclass(frozen=True, slots=True)
class DiverseColors:
    """`count` plausible colorings that differ, drawn without words or a palette (`diverse_colors`)."""

    count: int = DEFAULT_COUNT
    seed: int = 0

    def __post_init__(self) -> None:
        self.palettes(None)  # refuses numbers out of range

    @property
    def result_count(self) -> int:
        return self.count

    @property
    def label(self) -> str:
        return "diverse"

    def palettes(self, model: str | None) -> tuple[Variation, ...]:
        return tuple(Variation(index, self.count, self.seed) for index in range(max(1, self.count)))

    def as_json(self) -> dict[str, Any]:
        return {"diverse": self.count, "seed": self.seed}


@dataclass(frozen=True, slots=True)
class ReferenceColors:
    """The colors of other pictures, one result each (`reference.read_reference`)."""

    files: tuple[Path, ...]

    @property
    def result_count(self) -> int:
        return len(self.files)

    @property
    def label(self) -> str:
        return f"like {self.files[0].stem}"

    def palettes(self, model: str | None) -> tuple[None, ...]:
        return (None,) * len(self.files)

    def as_json(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True, slots=True)
class Region:
    """A part of every picture with colors of its own: `mask` is a file (`overlays.read_mask`).

    Fewer palettes than there are results are used again from the first.
    """

    mask: Path
    colors: PhraseColors | PaletteColors


@dataclass(frozen=True, slots=True)
class ColorSource:
    """Colors of a picture.

    base: colors of the whole picture; None: what the hints say or, with regions alone, no color outside them.
    hints: a picture with hints (`overlays.read_hints`). strength: 0..2; 0 the network's own colors, 1 the palette's,
    above it stronger; without a palette 0 is grey. natural: 0..1, as in `Colorizer.color`. hint_reach: 0..1, how far
    hints spread, as in `Hints`. color_styles: applied to the color network (`color_styles`); those of palettes stand in
    `PhraseColors`. look: what all colors go through at last.

    Raises:
        UsageError: nothing says which colors to use, or a number is out of range.
    """

    base: BaseColors | None = None
    hints: Path | None = None
    regions: tuple[Region, ...] = ()
    strength: float = 1.0
    natural: float = DEFAULT_NATURAL
    hint_reach: float = DEFAULT_HINT_REACH
    color_styles: tuple[StyleWeight, ...] = ()
    look: LookChoice | None = None

    def __post_init__(self) -> None:
        if self.base is None and self.hints is None and not self.regions:
            raise UsageError(
                "Nothing says which colours to use; "
                "give a phrase, a palette, a reference, --auto, --diverse, hints or a region."
            )
        for name, most in (("strength", MAX_STRENGTH), ("natural", 1.0), ("hint_reach", 1.0)):
            if not 0 <= getattr(self, name) <= most:
                raise UsageError(
                    f"The {name.replace('_', ' ')} {getattr(self, name)} is out of range; give 0 to {most:g}."
                )

    @property
    def result_count(self) -> int:
        """Results a picture."""
        if self.base is not None:
            return self.base.result_count
        return max([1, *(region.colors.result_count for region in self.regions)])

    @property
    def label(self) -> str:
        """Short words for titles and file names."""
        if self.base is not None:
            words = self.base.label
        else:
            words = "hints" if self.hints is not None else self.regions[0].colors.label
        return words if self.look is None else f"{words} {self.look.name}"

    @property
    def phrase(self) -> str | None:
        """The phrase of the whole picture."""
        return self.base.phrase if isinstance(self.base, PhraseColors) else None

    @property
    def seed(self) -> int:
        """The seed of the palettes drawn; 0 where none are."""
        drawn = (self.base, *(region.colors for region in self.regions))
        return next((one.seed for one in drawn if isinstance(one, PhraseColors | DiverseColors)), 0)

    @property
    def decoding(self) -> Decoding | None:
        """How automatic colors are decoded; None where they are not asked for."""
        return self.base.decoding if isinstance(self.base, AutomaticColors) else None

    @property
    def references(self) -> tuple[Path | None, ...]:
        """The picture that each result takes its colors from; None where it takes them from none."""
        return self.base.files if isinstance(self.base, ReferenceColors) else (None,) * self.result_count

    @property
    def changes(self) -> tuple[str, ...]:
        """What changes the colors of a result's palette before they are seen, in words: strength and look."""
        strength = (f"strength {self.strength:g}",) if self.strength != 1 else ()
        if self.look is None:
            return strength
        share = f" at strength {self.look.strength:g}" if self.look.strength != 1 else ""
        return (*strength, f"the look {self.look.name}{share}")

    @property
    def colors_outside_regions(self) -> bool:
        """Whether what no region covers has color."""
        return self.base is not None or self.hints is not None


def with_look(source: ColorSource, name: str | None) -> ColorSource:
    """The source under a look, whose strength is then the source's; the colors before it keep theirs of 1."""
    return source if name is None else replace(source, strength=1.0, look=LookChoice(name, source.strength))


@dataclass(frozen=True, slots=True)
class ResultColors:
    """The colors of one result: `base` (None: the reference's or the network's own), and a palette for each region."""

    base: Palette | Variation | None
    regions: tuple[Palette, ...] = ()
    reference: Path | None = None


def resolve_colors(source: ColorSource, palette_model: str | None = None) -> tuple[ResultColors, ...]:
    """The palettes of every result: given ones brought to five colors, or drawn for phrases.

    Raises:
        UsageError: a phrase is empty. ModelError: palettes cannot be drawn.
    """
    regions = [region.colors.palettes(palette_model) for region in source.regions]
    base = source.base.palettes(palette_model) if source.base else (None,) * source.result_count
    rows = zip(base, _columns(regions, len(base)), source.references, strict=True)
    return tuple(ResultColors(*row) for row in rows)


def _columns(regions: Sequence[tuple[Palette, ...]], count: int) -> Iterator[tuple[Palette, ...]]:
    """One palette of each region for every result."""
    rows = [list(islice(cycle(palettes), count)) for palettes in regions]
    return iter([tuple(row[index] for row in rows) for index in range(count)])
