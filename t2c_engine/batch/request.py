"""What to color, from which colors, with which models and where to: the request of a run, and its results.

Must not import torch, pictures or the command line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from t2c_engine.colorization.color_source import ColorSource
from t2c_engine.files import location
from t2c_engine.palettes.palette import Palette


@dataclass(frozen=True, slots=True)
class Models:
    """Names of installed models (None: the default ones), and the device that colors are computed on."""

    colorizer: str | None = None
    palettes: str | None = None
    device: str = "auto"


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """Where results go, and as what.

    overwrite: replace files that exist. keep_going: go on after a picture that failed. sheets: make contact sheets.
    deep: color at 16 bits whatever the input's depth. sidecars: put the recipe beside each result too, as JSON.
    quality: 1..100, of JPEG and WebP; None: the usual one.
    """

    folder: Path
    overwrite: bool = False
    keep_going: bool = True
    sheets: bool = True
    deep: bool = False
    sidecars: bool = False
    quality: int | None = None


@dataclass(frozen=True, slots=True)
class ColorizeRequest:
    """Pictures, the colors of all of them, output options and models.

    page: number of the page or frame of every input, from 1 (None: the first that is no thumbnail).
    """

    inputs: tuple[Path, ...]
    source: ColorSource
    output: OutputOptions
    models: Models = field(default_factory=Models)
    page: int | None = None

    @property
    def result_count(self) -> int:
        """Results of all pictures together."""
        return len(self.inputs) * self.source.result_count


@dataclass(frozen=True, slots=True)
class ColoredPicture:
    """One result written. The recipe inside the file says how to make it again."""

    path: Path
    palette: Palette
    seed: int
    model: str

    def as_json(self) -> dict[str, Any]:
        return {"path": location(self.path), "palette": list(self.palette.hex), "seed": self.seed, "model": self.model}


@dataclass(frozen=True, slots=True)
class PictureResult:
    """What became of one input.

    kept: results that existed and were left alone. apart: whether names tell these results from earlier ones of other
    colors or another input. shortened: whether its name had to be cut. stale: further results of an earlier run under
    the same names. seconds: without loading the model. error: why it failed, or None.
    """

    input: Path
    results: tuple[ColoredPicture, ...] = ()
    sheet: Path | None = None
    kept: tuple[Path, ...] = ()
    apart: bool = False
    shortened: bool = False
    stale: tuple[Path, ...] = ()
    seconds: float = 0.0
    error: str | None = None

    def as_json(self) -> dict[str, Any]:
        values: dict[str, Any] = {
            "input": location(self.input),
            "results": [result.as_json() for result in self.results],
            "seconds": round(self.seconds, 3),
        }
        if self.sheet:
            values["sheet"] = location(self.sheet)
        if self.kept:
            values["kept"] = [location(path) for path in self.kept]
        if self.apart:
            values["apart"] = True
        if self.stale:
            values["stale"] = [location(path) for path in self.stale]
        if self.error:
            values["error"] = self.error
        return values
