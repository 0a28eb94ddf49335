"""Arguments that several commands of `t2c-train` take. Must not import torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from t2c_engine.errors import UsageError

CONFIGS = Path(__file__).parents[1] / "configs"

Out = Annotated[Path, typer.Option("-o", "--out", help="The run's folder; a run that is there goes on.")]
Into = Annotated[Path | None, typer.Option("--into", help="Folder; your own models if not given.")]
FiguresFile = Annotated[Path | None, typer.Option("--figures", help="JSON of 'evaluate' for the card.")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or mps.")]
Init = Annotated[Path | None, typer.Option("--init", help="Start from these .safetensors weights.")]
Steps = Annotated[int | None, typer.Option("--steps", help="Instead of the settings' own number.")]


def read_figures(path: Path) -> dict[str, Any]:
    """JSON written by `evaluate`; raises UsageError if it is none."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"The figures in {path} cannot be read ({error}); give a file written by evaluate.") from error
