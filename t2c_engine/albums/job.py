"""What an album job is: inputs, colors, captions, output, and the means to run it; from options or a TOML file.

Must not import torch, pictures or the command line.
"""

from __future__ import annotations

import tomllib
import types
import zlib
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

from t2c_engine.batch.request import Models
from t2c_engine.batch.source_options import parse_colors
from t2c_engine.colorization.color_source import (
    AutomaticColors,
    BaseColors,
    ColorSource,
    PaletteColors,
    PhraseColors,
    with_look,
)
from t2c_engine.colorization.color_styles import split_styles
from t2c_engine.errors import UsageError
from t2c_engine.files import is_remote
from t2c_engine.palettes.palette import Palette
from t2c_engine.palettes.style import StyleWeight, parse_styles, styles_text
from t2c_engine.serving.protocol import DEFAULT_NATURAL, DEFAULT_VARIETY, MAX_SEED


class Scope(StrEnum):
    """What shares one draw of palettes: all pictures, those of a folder, or each has its own."""

    ALBUM = "album"
    FOLDER = "folder"
    PICTURE = "picture"


class Format(StrEnum):
    """Of results.

    SAME: the input's. PNG16, TIFF16: 16 bits, whatever the input's depth. ORA: one layered file a picture.
    """

    SAME = "same"
    PNG = "png"
    PNG16 = "png16"
    JPEG = "jpeg"
    WEBP = "webp"
    TIFF = "tiff"
    TIFF16 = "tiff16"
    ORA = "ora"


SUFFIXES = {Format.PNG: ".png", Format.PNG16: ".png", Format.JPEG: ".jpg", Format.WEBP: ".webp", Format.TIFF: ".tif",
            Format.TIFF16: ".tif", Format.ORA: ".ora"}  # fmt: skip
DEEP = (Format.PNG16, Format.TIFF16)


@dataclass(frozen=True, slots=True)
class AlbumJob:
    """A job over trees of pictures; every field may stand in a job file under its name.

    inputs: folders, files, patterns or URLs. output: the folder for results, the tree kept. exclude: patterns of paths
    left out. captions: "sidecar" (a .txt beside a picture), "metadata" (its title or description), or a CSV file of
    path and caption; a caption is the phrase of its picture. phrase: of pictures without a caption. colors: any other
    source; in a job file its name and options. look: what all colors go through at last; strength is the look's then.
    name: a template of results' names with {stem}, {folder} and {phrase}. quality: 1..100, of JPEG and WebP. workers:
    0 chooses. memory: MB for all workers together; 0 chooses. style: of palettes drawn for phrases and of the color
    network, as "studio:0.7,portraits".
    """

    inputs: tuple[str, ...]
    output: Path
    phrase: str | None = None
    palette: str | None = None
    auto: bool = False
    colors: BaseColors | None = None
    captions: str | None = None
    scope: Scope = Scope.ALBUM
    count: int = 1
    seed: int = 0
    variety: float = DEFAULT_VARIETY
    strength: float = 1.0
    natural: float = DEFAULT_NATURAL
    look: str | None = None
    exclude: tuple[str, ...] = ()
    name: str = "{stem}"
    format: Format = Format.SAME
    quality: int | None = None
    sidecar: bool = False
    sheets: bool = False
    workers: int = 0
    memory: int = 0
    device: str = "auto"
    model: str | None = None
    palette_model: str | None = None
    style: str = ""

    def __post_init__(self) -> None:
        words = self._says_phrases
        if self.palette_style and not words:
            raise UsageError(
                f"The style {self.palette_style} is for palettes drawn for a phrase or captions; give one."
            )
        given = sum((self.palette is not None, self.auto, self.colors is not None, words))
        if given > 1 or not (given or self.look is not None):
            raise UsageError("A job takes one of: a phrase (or captions, or both), a palette, auto, colors; or a look.")
        if self.count < 1 or self.workers < 0 or self.memory < 0:
            raise UsageError("A job's count is at least 1; workers and memory are at least 0.")
        if self.quality is not None and not 1 <= self.quality <= 100:
            raise UsageError(f"The quality {self.quality} is out of range; give 1 to 100.")
        try:
            shown = self.name.format(stem="stem", folder="folder", phrase="phrase")
        except (KeyError, IndexError, ValueError) as error:
            raise UsageError(f"The name '{self.name}' is no template; use {{stem}}, {{folder}}, {{phrase}}.") from error
        if not shown.strip() or shown.startswith(".") or {"/", "\\"} & set(shown):
            raise UsageError(f"The name '{self.name}' names no file; use {{stem}}, {{folder}}, {{phrase}}, words.")

    @property
    def _says_phrases(self) -> bool:
        return self.phrase is not None or self.captions is not None

    @property
    def palette_style(self) -> str:
        """What of `style` is for palettes. Raises UsageError where a style is not installed."""
        return styles_text(_split(self.style)[0])

    @property
    def models(self) -> Models:
        return Models(self.model, self.palette_model, self.device)

    def source(self, caption: str | None, scope_key: str, palettes: tuple[Palette, ...]) -> ColorSource | None:
        """The colors of one picture; None where it has neither caption nor phrase.

        Args:
            scope_key: names what shares its draw ("" for the album). palettes: those that `palette` names.
        """
        base: BaseColors
        if self.colors is not None:
            base = self.colors
        elif self.palette is not None:
            base = PaletteColors(palettes)
        elif not self._says_phrases:
            base = AutomaticColors()
        else:
            phrase = caption or self.phrase
            if phrase is None:
                return None
            shift = zlib.crc32(scope_key.encode("utf-8", "surrogateescape")) if scope_key else 0
            base = PhraseColors(
                phrase, self.count, (self.seed + shift) % (MAX_SEED + 1), self.variety, self.palette_style
            )
        styles = _split(self.style)[1]
        source = ColorSource(base, strength=self.strength, natural=self.natural, color_styles=styles)
        return with_look(source, self.look)


@lru_cache(maxsize=8)
def _split(style: str) -> tuple[tuple[StyleWeight, ...], tuple[StyleWeight, ...]]:
    """Styles of palettes and of colors, looked up once for all pictures of a job."""
    return split_styles(parse_styles(style))


def read_job(path: Path) -> AlbumJob:
    """The job of a TOML file; relative inputs, output, captions and palette files lie beside it.

    Raises:
        UsageError: it cannot be read, or a key is unknown, missing or of the wrong kind.
    """
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"The job {path} cannot be read ({error.strerror}); check its name.") from error
    except ValueError as error:  # of UTF-8 and TOML
        raise UsageError(f"The job {path} is no TOML file: {error}.") from error
    hints = get_type_hints(AlbumJob)
    if unknown := sorted(values.keys() - hints.keys()):
        raise UsageError(f"{path} has the unknown key '{unknown[0]}'; known are {', '.join(hints)}.")
    if missing := [name for name in ("inputs", "output") if name not in values]:
        raise UsageError(f"{path} lacks '{missing[0]}'.")
    job = AlbumJob(**{name: _converted(path, name, value, hints[name]) for name, value in values.items()})
    return _beside(job, path.parent)


def _converted(path: Path, name: str, value: Any, kind: Any) -> Any:
    if name == "colors" and isinstance(value, str):
        return parse_colors(value, path.parent)
    kinds = get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    if kind == tuple[str, ...]:
        if isinstance(value, str):
            return (value,)
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return tuple(value)
    elif kind in (Scope, Format):
        if value in [one.value for one in kind]:
            return kind(value)
        raise UsageError(f"In {path}, '{name}' must be one of {', '.join(one.value for one in kind)}.")
    elif kind is Path and isinstance(value, str):
        return Path(value)
    elif type(value) in kinds or (float in kinds and type(value) is int):
        return value
    raise UsageError(f"In {path}, '{name}' has a value of the wrong kind: {value!r}.")


def _beside(job: AlbumJob, folder: Path) -> AlbumJob:
    """The job with relative paths taken from the job file's folder."""
    captions, palette = job.captions, job.palette
    if captions not in (None, "sidecar", "metadata"):
        captions = str(folder / str(captions))
    if palette is not None and (folder / palette).is_file():
        palette = str(folder / palette)
    inputs = tuple(one if is_remote(one) else str(folder / one) for one in job.inputs)
    output = job.output if is_remote(job.output) else folder / job.output
    return replace(job, inputs=inputs, output=output, captions=captions, palette=palette)
