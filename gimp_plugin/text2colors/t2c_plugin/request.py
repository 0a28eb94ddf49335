"""What the user asks the plug-in for, and what is kept with every result. Standard library only; must not import gi."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import PurePath
from typing import Any

from t2c_plugin.pixels import Pixels
from t2c_plugin.shared import palettes
from t2c_plugin.shared.limits import MAX_COUNT, MAX_SEED, NATURAL, PARASITE
from t2c_plugin.shared.palettes import RequestError, check_choice, check_range, parse_color, parse_palettes
from t2c_plugin.wire import protocol

__all__ = ["MAX_COUNT", "MAX_SEED", "PARASITE", "RequestError", "parse_color", "parse_palettes"]  # from `shared`, too

COLOR_LAYERS, NORMAL_LAYERS = protocol.MODES

REFERENCE = "reference"  # the source, and the engine's parameter: whose colors palettes without colors take
Palette = tuple[str, ...]  # "#rrggbb", lower case; empty for natural colors


@dataclass(frozen=True, slots=True)
class Coloring:
    """What one result is colored with: a palette, and what the engine is told besides.

    `extra` is a JSON object as text, "" for none. Its members become parameters of the engine's `preview` and
    `colorize`, but for `title`, which names the result. A member {"file": PATH} or {"layer": ID} stands for a picture,
    which is sent first; the engine gets its key.
    """

    palette: Palette = ()
    extra: str = ""

    @property
    def title(self) -> str:
        """What `extra` calls the result; "" when it does not."""
        return str(parse_extra(self.extra).get("title", ""))

    def params(self) -> dict[str, Any]:
        """The engine's parameters besides the palette."""
        return {name: value for name, value in parse_extra(self.extra).items() if name != "title"}


def look_coloring(name: str, title: str = "", palette: Palette = ()) -> Coloring:
    """What a result is colored with under a look; without a palette it comes after the natural colors."""
    return Coloring(palette, format_extra({"look": name, "title": title or name}))


def format_extra(extra: Mapping[str, Any]) -> str:
    """The text of a coloring's `extra`; the same members give the same text."""
    return json.dumps(extra, sort_keys=True, separators=(",", ":")) if extra else ""


def parse_extra(text: str) -> dict[str, Any]:
    """The members of a coloring's `extra`.

    Raises:
        RequestError: it is no JSON object.
    """
    if not text:
        return {}
    try:
        extra = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"What is to be told to the engine besides is no JSON ({error}).") from error
    if not isinstance(extra, dict):
        raise RequestError("What is to be told to the engine besides must be a JSON object.")
    return extra


def is_picture(value: Any) -> bool:
    """Whether a member of `extra` stands for a picture."""
    return isinstance(value, dict) and set(value) in ({"file"}, {"layer"})


@dataclass(frozen=True, slots=True)
class Request:
    """What to do. `palettes` override `phrase`; `same_palettes`: several layers share the palettes of the first;
    `hints`: name of the layer with color hints, to be kept with the results.

    Raises:
        RequestError: a value is out of its range, or there is neither phrase nor palette.
    """

    phrase: str = ""
    palettes: tuple[Palette, ...] = ()
    count: int = 5
    seed: int = 0
    strength: float = 1.0
    natural: float = protocol.DEFAULT_NATURAL
    hint_reach: float = protocol.DEFAULT_HINT_REACH
    device: str = "auto"
    mode: str = COLOR_LAYERS
    same_palettes: bool = True
    hints: str = ""
    locked: tuple[tuple[int, str], ...] = ()  # (position, color) that palettes for the phrase must have
    extras: tuple[str, ...] = ()  # of each palette, see `Coloring`; none when left out
    style: str = ""  # of the user's, for palettes drawn for the phrase: "studio", "studio:0.7,winter:0.3"

    def __post_init__(self) -> None:
        if not self.phrase.strip() and not self.palettes:
            raise RequestError("There is nothing to color with: give a phrase such as 'autumn breeze', or palettes.")
        check_range("number of palettes", self.count, 1, MAX_COUNT)
        check_range("seed", self.seed, 0, MAX_SEED)
        check_range("strength", self.strength, 0.0, protocol.MAX_STRENGTH)
        check_range("natural", self.natural, 0.0, 1.0)
        check_range("reach of hints", self.hint_reach, 0.0, 1.0)
        check_choice("device", self.device, protocol.DEVICES)
        check_choice("result mode", self.mode, protocol.MODES)
        if self.extras and len(self.extras) != len(self.palettes):
            raise RequestError(f"There are {len(self.palettes)} palettes, but 'extras' for {len(self.extras)}.")
        for extra in self.extras:
            parse_extra(extra)

    def colorings(self, palettes: Sequence[Palette]) -> tuple[Coloring, ...]:
        """What each result is colored with; `palettes`: the request's own, or those drawn for its phrase."""
        extras = self.extras or ("",) * len(palettes)
        return tuple(Coloring(palette, extra) for palette, extra in zip(palettes, extras, strict=True))


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that is needed to make a result again; lives with the layer as a parasite."""

    phrase: str
    palette: Palette
    number: int  # of the palette among those of the request, from 1
    seed: int
    strength: float
    mode: str
    model: str
    version: str  # of the engine
    hints: str = ""  # name of the layer whose color hints were used
    count: int = 5  # palettes drawn for the phrase
    natural: float = 0.0
    hint_reach: float = protocol.DEFAULT_HINT_REACH
    locked: tuple[tuple[int, str], ...] = ()
    extra: str = ""  # see `Coloring`

    @property
    def title(self) -> str:
        """What the colors come from, short enough for the Layers dialog."""
        return Coloring(self.palette, self.extra).title or palettes.title(self.phrase, self.palette)

    @property
    def layer_name(self) -> str:
        """The name of its layer: the number first, for a narrow dock shows the beginning only."""
        title = Coloring(self.palette, self.extra).title
        return f"{self.number} {title}" if title else palettes.layer_name(self.number, self.phrase, self.palette)

    def to_bytes(self) -> bytes:
        """As JSON."""
        return json.dumps(asdict(self), ensure_ascii=True).encode("ascii")

    @classmethod
    def from_bytes(cls, data: bytes) -> Record:
        """From the bytes of a parasite.

        Raises:
            RequestError: they are no record, or one of another version.
        """
        try:
            values = json.loads(data.rstrip(b"\0").decode("utf-8"))
            values["palette"] = tuple(str(color) for color in values["palette"])
            values["locked"] = tuple((int(position), str(color)) for position, color in values.get("locked", ()))
            # older versions kept less: what they lack has its default
            return cls(**{name: values[name] for name in cls.__dataclass_fields__ if name in values})
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise RequestError(f"What Text2Colors has kept with this layer cannot be read ({error}).") from error

    def in_words(self) -> str:
        """For the user, one fact a line."""
        palette = f"Palette {self.number}: {' '.join(self.palette)}" if self.palette else "Natural colors, no palette"
        hints = f"{self.hints}, reach {self.hint_reach * 100:.0f} %" if self.hints else "(none)"
        result = "color layer" if self.mode == COLOR_LAYERS else "normal layer"
        return "\n".join(
            (
                f"Phrase: {self.phrase or '(none; the palette was given)'}",
                *([f"Besides: {self.extra}"] if self.extra else []),
                palette,
                f"Seed: {self.seed}",
                f"Strength: {self.strength * 100:.0f} %, natural: {self.natural * 100:.0f} %, as {result}",
                f"Color hints: {hints}",
                f"Model: {self.model or '(unknown)'}",
                f"Engine: {self.version or '(unknown)'}",
                "The colors are inferred from the words, not known from the scene.",
            )
        )


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is read from GIMP for one call: a picture for each layer, and the color hints over each ("RGBA u8").

    `others`: the pictures that colorings speak of, by `format_extra` of what stands for them.
    """

    pictures: tuple[Pixels, ...]
    hints: tuple[Pixels | None, ...] = ()
    others: Mapping[str, Pixels] = field(default_factory=dict)

    def hints_of(self, index: int) -> Pixels | None:
        """The hints of one picture."""
        return self.hints[index] if self.hints else None


@dataclass(frozen=True, slots=True)
class Result:
    """A picture under one palette ("RGB u8", "RGB u16" ..., of any size), and what is kept with it."""

    picture: Pixels
    record: Record


@dataclass(frozen=True, slots=True)
class PaletteAnswer:
    """Palettes for a phrase. `note` is the engine's remark for the user, such as a word it does not know."""

    palettes: tuple[Palette, ...]
    model: str = ""
    note: str = ""

    @classmethod
    def from_json(cls, answer: Mapping[str, Any]) -> PaletteAnswer:
        """From the engine's answer.

        Raises:
            KeyError, TypeError, ValueError: it has no palettes, or other things than colors in them.
        """
        palettes = tuple(tuple(parse_color(color) for color in palette) for palette in answer["palettes"])
        return cls(palettes, str(answer.get("model") or ""), str(answer.get("note") or ""))


def format_palettes(palettes: Sequence[Palette]) -> str:
    """The text that `parse_palettes` reads."""
    return ";".join(",".join(palette) or NATURAL for palette in palettes)


def request_from(values: Mapping[str, Any]) -> Request:
    """From a procedure's arguments, by their names there.

    Raises:
        RequestError: as `Request` and `parse_palettes`.
    """
    palettes, extras = parse_palettes(values["palettes"] or ""), parse_extras(values.get("extras") or "")
    looks = [name.strip() for name in (values.get("look") or "").split(",") if name.strip()]
    if looks:
        if extras or len(palettes) > 1:
            raise RequestError("'look' goes with one palette at most, and not with 'extras'.")
        colorings = [look_coloring(name, palette=palettes[0] if palettes else ()) for name in looks]
        palettes, extras = (tuple(column) for column in zip(*((c.palette, c.extra) for c in colorings), strict=True))
    return Request(
        phrase="" if looks else (values["phrase"] or "").strip(),
        palettes=palettes,
        count=values["count"],
        seed=values["seed"],
        strength=values["strength"],
        natural=values["natural"],
        hint_reach=values["hint-reach"],
        device=values["device"],
        mode=values["result-mode"],
        same_palettes=values["same-palettes"],
        extras=extras,
        style=(values.get("style") or "").strip(),
    )


def with_references(values: Mapping[str, Any], layer: tuple[int, str] | None, files: str) -> dict[str, Any]:
    """A procedure's arguments with `palettes` and `extras` that ask for the colors of references, if there are some.

    Args:
        layer: number and name of the argument `reference`. files: the argument `reference-files`, one a line.

    Raises:
        RequestError: a phrase, palettes or extras are given besides.
    """
    told = [] if layer is None else [reference_extra({"layer": layer[0]}, layer[1])]
    told += [
        reference_extra({"file": path.strip()}, PurePath(path).stem) for path in files.splitlines() if path.strip()
    ]
    if not told:
        return dict(values)
    if values["phrase"] or values["palettes"] or values["extras"]:
        raise RequestError("A reference takes the place of phrase, palettes and extras; give one of them only.")
    return {**values, "palettes": format_palettes([()] * len(told)), "extras": format_extras(told)}


def reference_extra(picture: Mapping[str, Any], name: str) -> str:
    """The `extra` of a coloring by the colors of a picture ({"file": PATH} or {"layer": ID})."""
    return format_extra({"title": name, REFERENCE: picture})


def format_extras(extras: Sequence[str]) -> str:
    """The text that `parse_extras` reads: a JSON list; "" when all are empty."""
    return json.dumps([parse_extra(one) for one in extras]) if any(extras) else ""


def parse_extras(text: str) -> tuple[str, ...]:
    """What the engine is told besides each palette.

    Raises:
        RequestError: it is no JSON list of objects.
    """
    if not text.strip():
        return ()
    try:
        extras = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"'extras' is no JSON ({error}).") from error
    if not isinstance(extras, list) or not all(isinstance(one, dict) for one in extras):
        raise RequestError("'extras' must be a JSON list with one object for each palette.")
    return tuple(format_extra(one) for one in extras)
