"""Which models make a result, by version and digest, and which of them are installed otherwise by now.

Must not import torch, networks with torch, or the command line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from t2c_engine.colorization.color_source import ColorSource, DiverseColors, PhraseColors, ReferenceColors
from t2c_engine.colorization.color_styles import KIND as COLOR_STYLE
from t2c_engine.colorization.looks import find_look
from t2c_engine.errors import ModelError, UsageError
from t2c_engine.models import Kind, ModelCard, find_model, scan_models
from t2c_engine.palettes.style import parse_styles

# of models that a result does not need any more once its palette is known
OF_PALETTES: tuple[Kind, ...] = ("palette", "style")
_TITLES: Mapping[str, str] = {
    "colorizer": "colouring model",
    "diverse": "model of variations",
    "exemplar": "model of references",
    COLOR_STYLE: "colour style",
    "look": "look",
}
_SHOWN = 8  # digits of a digest in a sentence


@dataclass(frozen=True, slots=True)
class UsedModel:
    """A model as a recipe names it. sha256: of its weights."""

    kind: str
    name: str
    version: str
    sha256: str

    @classmethod
    def of(cls, card: ModelCard) -> UsedModel:
        """The model of a card."""
        return cls(card.kind, card.name, card.version, card.sha256)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> UsedModel:
        """The model of `as_json`'s values; what else they hold is left out. Raises KeyError where one is missing."""
        return cls(**{one.name: str(values[one.name]) for one in fields(cls)})

    def as_json(self) -> dict[str, str]:
        return asdict(self)


def used_models(
    source: ColorSource, colorizer: str | None = None, palettes: str | None = None
) -> tuple[UsedModel, ...]:
    """The installed models that a source's results are made with; those that are not installed are left out.

    Args:
        colorizer, palettes: names of the models asked for; None: the default ones.
    """
    found = []
    for kind, name in _needed(source, colorizer, palettes):
        try:
            found.append(UsedModel.of(find_model(kind, name)))
        except ModelError:  # whoever loads it says so
            continue
    return tuple(found)


def _needed(source: ColorSource, colorizer: str | None, palettes: str | None) -> Iterator[tuple[Kind, str | None]]:
    """Kind and name of each model; a name of None is the default one."""
    yield "colorizer", colorizer
    for style in source.color_styles:
        yield COLOR_STYLE, style.name
    phrases = [one for one in (source.base, *(each.colors for each in source.regions)) if isinstance(one, PhraseColors)]
    if phrases:
        yield "palette", palettes
        for style in parse_styles(phrases[0].style):
            yield "style", style.name
    if isinstance(source.base, DiverseColors):
        yield "diverse", None
    if isinstance(source.base, ReferenceColors):
        yield "exemplar", None
    if source.look is not None:
        try:
            yield "look", find_look(source.look.name).model
        except UsageError:  # whoever loads it says so
            return


def installed_name(used: Sequence[UsedModel], named: str) -> str | None:
    """What the colouring model of a recipe is called here: the model of the same weights, else that of the same name.

    Args:
        named: the recipe's own name for it; "" is the default one, None in the result.

    Raises:
        ModelError: neither is installed.
    """
    wanted = next((one for one in used if one.kind == "colorizer"), None)
    cards = [card for card in scan_models()[0] if card.kind == "colorizer"]
    same = [card.name for card in cards if wanted is not None and card.sha256 == wanted.sha256]
    if same:
        return named if named in same else same[0]
    if cards and named and named not in [card.name for card in cards]:
        which = f"'{named}'" + (f" {wanted.version} (sha256 {wanted.sha256[:_SHOWN]})" if wanted else "")
        there = ", ".join(card.name for card in cards)
        raise ModelError(
            f"It was made with the colouring model {which}, which is not installed; install it with "
            f"'t2c models import', or take another with --model: {there}."
        )
    return named or None


def differences(used: Sequence[UsedModel], now: Sequence[UsedModel]) -> Iterator[str]:
    """One clause for each model of a recipe that is another one by now; models of palettes aside."""
    by_kind = {(one.kind, one.name): one for one in now}
    for was in used:
        if was.kind in OF_PALETTES:
            continue
        present = by_kind.get((was.kind, was.name)) or next((one for one in now if one.kind == was.kind), None)
        if present is not None and present.sha256 != was.sha256:
            name = "" if present.name == was.name else f"'{present.name}' "
            yield (
                f"made with the {_TITLES.get(was.kind, was.kind)} '{was.name}' {was.version} "
                f"(sha256 {was.sha256[:_SHOWN]}), now with {name}{present.version} "
                f"(sha256 {present.sha256[:_SHOWN]}); colours may differ."
            )
