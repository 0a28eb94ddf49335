"""The parameters of the editor's requests, checked: each function reads one, and says in words what it must be.

Every function raises UsageError where the parameter is of another kind or out of range. Must not import
torch, nor know jobs and pipes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from t2c_engine.colorization.color_source import Variation
from t2c_engine.colorization.color_styles import split_styles
from t2c_engine.colorization.reference import Reference
from t2c_engine.errors import UsageError
from t2c_engine.palettes.palette import Color, Palette, parse_hex
from t2c_engine.palettes.steering import Steering
from t2c_engine.palettes.style import StyleWeight, parse_styles
from t2c_engine.serving.picture_store import PictureStore
from t2c_engine.serving.protocol import (
    DEFAULT_COUNT,
    MAX_DRAWN_COLORS,
    MAX_PALETTES,
    MAX_SEED,
    MAX_TAUGHT,
    MAX_VARIATIONS,
    MIN_DRAWN_COLORS,
    PALETTE_SIZE,
)

Params = Mapping[str, Any]


def styles_of(params: Params) -> tuple[tuple[StyleWeight, ...], tuple[StyleWeight, ...]]:
    """Styles of palettes, and of colours; none where none are named."""
    return split_styles(parse_styles(text(params, "style"))) if params.get("style") else ((), ())


def text(params: Params, name: str) -> str:
    """A text that must be given."""
    value = params.get(name)
    if not isinstance(value, str):
        raise UsageError(f"The parameter '{name}' must be a text.")
    return value


def number(params: Params, name: str, default: float, low: float, high: float) -> float:
    """A number from `low` to `high`."""
    value = params.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise UsageError(f"The parameter '{name}' must be a number from {low:g} to {high:g}.")
    return float(value)


def flag(params: Params, name: str, default: bool) -> bool:
    """True or false."""
    value = params.get(name, default)
    if not isinstance(value, bool):
        raise UsageError(f"The parameter '{name}' must be true or false.")
    return value


def whole(params: Params, name: str, default: int, low: int, high: int) -> int:
    """A whole number from `low` to `high`."""
    value = params.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise UsageError(f"The parameter '{name}' must be a whole number from {low} to {high}.")
    return value


def choice(params: Params, name: str, choices: Sequence[str]) -> str:
    """One of the choices; the first, if not said."""
    value = params.get(name, choices[0])
    if value not in choices:
        raise UsageError(f"The parameter '{name}' must be one of {', '.join(choices)}.")
    return value


def palettes_of(params: Params) -> list[Palette | None]:
    """The palettes of a request, each brought to five colours; one without colours asks for the network's own."""
    given = params.get("palettes")
    if not isinstance(given, list) or not 1 <= len(given) <= MAX_PALETTES:
        raise UsageError(f"The parameter 'palettes' must be a list of 1 to {MAX_PALETTES} palettes.")
    if not all(isinstance(one, list) and all(isinstance(color, str) for color in one) for one in given):
        raise UsageError("Each palette must be a list of colours such as '#d98c3f'.")
    return [Palette.from_hex(one).to_size() if one else None for one in given]


def instead_of_palette(params: Params, pictures: PictureStore) -> Reference | Variation | None:
    """What palettes without colours stand for; None: the network's own colours."""
    variation = variation_of(params)
    if not params.get("reference"):
        return variation
    if variation is not None:
        raise UsageError("The parameters 'reference' and 'variation' exclude each other; give one.")
    return pictures.get(text(params, "reference")).reference


def variation_of(params: Params) -> Variation | None:
    """The draw that is asked for, if one is."""
    given = params.get("variation")
    if given is None:
        return None
    if not isinstance(given, dict) or given.keys() - {"index", "count", "seed"}:
        raise UsageError("The parameter 'variation' must be an object of index, count and seed.")
    count = whole(given, "count", DEFAULT_COUNT, 1, MAX_VARIATIONS)
    return Variation(whole(given, "index", 0, 0, count - 1), count, whole(given, "seed", 0, 0, MAX_SEED))


def examples_of(params: Params) -> list[tuple[str, Palette]]:
    """Texts with palettes to teach a style from."""
    given = params.get("palettes")
    if not isinstance(given, list) or not 1 <= len(given) <= MAX_TAUGHT:
        raise UsageError(f"The parameter 'palettes' must be a list of 1 to {MAX_TAUGHT} texts with colours.")
    examples = []
    for one in given:
        text, colors = (one.get("text"), one.get("colors")) if isinstance(one, dict) else (None, None)
        if not isinstance(text, str) or not isinstance(colors, list) or not all(isinstance(c, str) for c in colors):
            raise UsageError("Each palette to learn from must have a text and a list of colours such as '#d98c3f'.")
        examples.append((text, Palette.from_hex(colors)))
    return examples


def steering_of(params: Params) -> Steering:
    """Locked colours, colours to avoid and to be like, and how many a palette has."""
    colors = whole(params, "colors", PALETTE_SIZE, MIN_DRAWN_COLORS, MAX_DRAWN_COLORS)
    given = params.get("locked") or {}
    places = {str(position) for position in range(colors)}
    if not isinstance(given, dict) or not all(
        isinstance(color, str) and position in places for position, color in given.items()
    ):
        raise UsageError(
            f"The parameter 'locked' must map positions '0' to '{colors - 1}' to colours such as '#d98c3f'."
        )
    locked = tuple(sorted((int(position), parse_hex(color)) for position, color in given.items()))
    return Steering(locked, color_list(params, "avoid"), color_list(params, "like"), colors)


def color_list(params: Params, name: str) -> tuple[Color, ...]:
    """Colours, or none."""
    given = params.get(name) or []
    if not isinstance(given, list) or not all(isinstance(color, str) for color in given):
        raise UsageError(f"The parameter '{name}' must be a list of colours such as '#d98c3f'.")
    return tuple(parse_hex(color) for color in given)
