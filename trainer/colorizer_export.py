"""From a run's folder to an installed model. Must not import data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from t2c_engine.errors import UsageError
from t2c_engine.models import ModelCard, export_model
from trainer.checkpoints import CHECKPOINT, load_checkpoint
from trainer.picture_sources import origin_of_run

SHORT_SIDE = 160  # of the network's input at use, px


def export_colorizer(
    run: Path,
    folder: Path,
    name: str,
    version: str,
    command: str,
    figures: dict[str, Any],
    *,
    short_side: int = SHORT_SIDE,
    trust: float | None = None,
    spread: float | None = None,
    chroma_gain: float | None = None,
    looks: tuple[float, ...] = (1.0,),
) -> ModelCard:
    """Export a run's averaged weights as an installed model: safetensors fp16 and its card.

    Args:
        short_side: of the network's input at use, px. trust, spread, chroma_gain: see `ColorizerConfig`;
            None stays what it was in training. looks: see `Colorizer`.

    Raises:
        UsageError: the run has no checkpoint. OutputError: the folder cannot be written.
    """
    state = load_checkpoint(run, "cpu")
    if state is None:
        raise UsageError(f"There is no {run / CHECKPOINT}; train first.")
    settings = json.loads(state["config"])
    at_use = {"trust": trust, "spread": spread, "chroma_gain": chroma_gain}
    network = settings["network"] | {key: value for key, value in at_use.items() if value is not None}
    origin = origin_of_run(state)
    return export_model(
        folder,
        _averaged(state),
        name=name,
        version=version,
        kind="colorizer",
        licence="CC BY-SA 4.0",
        attribution=origin.attribution,
        data=origin.data,
        command=command,
        figures={"steps": state["step"], **figures},
        config={"network": network, "short_side": short_side, "looks": looks},
        conditions=("palette", "automatic", "hints"),
        default=True,
    )


def _averaged(state: dict[str, Any]) -> dict[str, np.ndarray]:
    """The averaged network's tensors, by the names that the network has for them."""
    prefix = "module."
    return {
        key.removeprefix(prefix): value.contiguous().numpy()
        for key, value in state["average"].items()
        if key.startswith(prefix) and not key.endswith("num_batches_tracked")
    }
