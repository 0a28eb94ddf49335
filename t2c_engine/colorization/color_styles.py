"""Colour styles: low-rank changes of a colour network that a user fine-tuned on photographs, applied at load.

`--style` names them beside styles of palettes (`palettes.style`); here both are told apart. Must not import torch,
networks with torch, or the command line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from t2c_engine.errors import ModelError, UsageError
from t2c_engine.models import ModelCard, find_model, load_weights, scan_models
from t2c_engine.networks.low_rank import changed
from t2c_engine.palettes.style import StyleWeight

KIND = "photographs"  # of models that are colour styles
_PALETTE_KIND = "style"

Styles = tuple[StyleWeight, ...]


def split_styles(styles: Sequence[StyleWeight]) -> tuple[Styles, Styles]:
    """Styles of palettes, and styles of colours.

    Raises:
        UsageError: a name is of neither kind; with the names that there are.
    """
    if not styles:
        return (), ()
    kinds = {card.name: card.kind for card in scan_models()[0] if card.kind in (KIND, _PALETTE_KIND)}
    for one in styles:
        if one.name not in kinds:
            known = f"there are: {', '.join(sorted(kinds))}" if kinds else "train one with 't2c-train'"
            raise UsageError(f"No style is called '{one.name}'; {known}.")
    palettes = tuple(one for one in styles if kinds[one.name] == _PALETTE_KIND)
    return palettes, tuple(one for one in styles if kinds[one.name] == KIND)


def styled_weights(
    base: ModelCard, weights: Mapping[str, np.ndarray], styles: Sequence[StyleWeight]
) -> dict[str, np.ndarray]:
    """A colour model's weights with installed colour styles added, each by its weight; at 0 nothing changes.

    Raises:
        ModelError: a style is not installed, is damaged, or was trained on another colour model.
    """
    deltas = []
    for one in styles:
        card = find_model(KIND, one.name)
        check_base(card, base)
        if one.weight:
            deltas.append((load_weights(card), one.weight))
    return with_changes(base, weights, deltas)


def with_changes(
    base: ModelCard, weights: Mapping[str, np.ndarray], deltas: Sequence[tuple[Mapping[str, np.ndarray], float]]
) -> dict[str, np.ndarray]:
    """A colour model's weights with changes added, as `low_rank.changed`.

    Raises:
        ModelError: a change does not fit the weights.
    """
    try:
        return changed(weights, deltas)
    except ValueError as error:
        raise ModelError(f"A style does not fit the colour model '{base.name}' ({error}); train it again.") from error


def base_of(style: ModelCard) -> ModelCard:
    """The installed colour model that a colour style was trained on.

    Raises:
        ModelError: it is not installed.
    """
    name = _trained_on(style).get("name")
    known = [card for card in scan_models()[0] if card.kind == "colorizer" and card.name == name]
    base = known[0] if known else find_model("colorizer")
    check_base(style, base)
    return base


def _trained_on(style: ModelCard) -> Mapping[str, object]:
    named = style.config.get("base")
    return named if isinstance(named, Mapping) else {}


def check_base(style: ModelCard, base: ModelCard) -> None:
    """Raise ModelError unless a colour style was trained on this colour model."""
    trained = _trained_on(style)
    if trained.get("sha256") != base.sha256:
        was = f"'{trained.get('name')}' {trained.get('version')}" if "name" in trained else "another model"
        raise ModelError(
            f"The style '{style.name}' was trained on {was}, not on the colour model '{base.name}' {base.version} that "
            "is used; train it again with 't2c-train photographs'."
        )
