"""Color sources by name and options, as jobs write them: "auto decoding=mean", "palette given=#8c2f1b,#d98c3f".

A further source is one more line of `SOURCES`; its dataclass fields are its options. Must not import torch, networks,
pictures or the command line.
"""

from __future__ import annotations

import shlex
import types
from dataclasses import MISSING, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from t2c_engine.colorization.color_source import (
    AutomaticColors,
    BaseColors,
    DiverseColors,
    PaletteColors,
    PhraseColors,
    ReferenceColors,
)
from t2c_engine.errors import UsageError
from t2c_engine.palettes.palette import Palette

SOURCES: dict[str, type[Any]] = {
    "phrase": PhraseColors,
    "palette": PaletteColors,
    "reference": ReferenceColors,
    "auto": AutomaticColors,
    "diverse": DiverseColors,
}


def parse_colors(text: str, folder: Path = Path()) -> BaseColors:
    """The source that a text names: its name, then option=value for each field; a list's option may come again.

    Args:
        text: words as in a shell. folder: that relative paths are taken from.

    Raises:
        UsageError: there is no such source or option, one is missing, or a value is of the wrong kind.
    """
    try:
        name, *words = shlex.split(text)
    except ValueError as error:  # no word, or an open quote
        raise UsageError(f"'{text}' names no colours; give one of {', '.join(SOURCES)}, and its options.") from error
    if name not in SOURCES:
        raise UsageError(f"There is no source of colours '{name}'; known are {', '.join(SOURCES)}.")
    given: dict[str, list[str]] = {}
    for word in words:
        option, equals, value = word.partition("=")
        if not equals:
            raise UsageError(f"'{word}' of the colours '{text}' is no option=value.")
        given.setdefault(option, []).append(value)
    return _built(name, given, folder)


def _built(name: str, given: dict[str, list[str]], folder: Path) -> BaseColors:
    kind = SOURCES[name]
    hints = get_type_hints(kind)
    known = [one.name for one in fields(kind)]
    if unknown := sorted(given.keys() - set(known)):
        raise UsageError(f"The colours '{name}' have no option '{unknown[0]}'; known are {', '.join(known)}.")
    for one in fields(kind):
        if one.name not in given and one.default is MISSING and one.default_factory is MISSING:
            raise UsageError(f"The colours '{name}' need the option {one.name}=...")
    values: dict[str, Any] = {}
    for option, words in given.items():
        try:
            values[option] = _value(words, hints[option], folder)
        except (KeyError, ValueError) as error:
            raise UsageError(
                f"The option {option}={words[-1]} of the colours '{name}' is of the wrong kind."
            ) from error
    return kind(**values)


def _value(words: list[str], kind: Any, folder: Path) -> Any:
    """The value of an option. Raises ValueError where the words do not say one."""
    if get_origin(kind) is tuple:
        return tuple(_one(word, get_args(kind)[0], folder) for word in words)
    if len(words) > 1:
        raise ValueError("given twice")
    if isinstance(kind, types.UnionType):
        kind = next(one for one in get_args(kind) if one is not type(None))
    return _one(words[0], kind, folder)


def _one(word: str, kind: Any, folder: Path) -> Any:
    if kind is bool:
        return {"true": True, "false": False}[word.lower()]
    if kind is Path:
        return folder / word
    if kind is Palette:
        return Palette.from_hex(word)
    if kind in (str, int, float) or issubclass(kind, StrEnum):
        return kind(word)
    raise ValueError(f"{kind} cannot be written as a word")
