"""Arguments that several commands of `t2c-train` take. Must not import torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from t2c_engine.cli.common import reported
from t2c_engine.errors import UsageError
from t2c_engine.files import check_folder, reason

CONFIGS = Path(__file__).parents[1] / "configs"


def output_folder(folder: Path | None) -> Path | None:
    """A callback for options: ends the command with a sentence where a folder for results cannot be written."""
    if folder is not None:
        reported(check_folder)(folder)
    return folder


def output_file(path: Path | None) -> Path | None:
    """As `output_folder`, for a file."""
    output_folder(path and path.parent)
    return path


Out = Annotated[
    Path, typer.Option("-o", "--out", callback=output_folder, help="The run's folder; a run that is there goes on.")
]
Into = Annotated[
    Path | None, typer.Option("--into", callback=output_folder, help="Folder; your own models if not given.")
]
FiguresFile = Annotated[Path | None, typer.Option("--figures", help="JSON of 'evaluate' for the card.")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or mps.")]
Init = Annotated[Path | None, typer.Option("--init", help="Start from these .safetensors weights.")]
Steps = Annotated[int | None, typer.Option("--steps", help="Instead of the settings' own number.")]


def read_figures(path: Path) -> dict[str, Any]:
    """JSON written by `evaluate`; raises UsageError if it is none."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"The figures in {path} cannot be read ({reason(error)}); give a file written by evaluate."
        ) from error
