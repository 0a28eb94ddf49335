"""From a run's folder to an installed model. Must not import data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from t2c_engine.colorization.colorizer import InferenceConfig
from t2c_engine.models import ModelCard, export_model
from trainer.colorizer.provenance import origin_of_run
from trainer.common.checkpoints import finished_checkpoint

LICENCE = "CC BY-SA 4.0"
CONDITIONS = ("palette", "automatic", "hints", "natural")


def export_colorizer(
    run: Path,
    folder: Path,
    name: str,
    version: str,
    command: str,
    figures: Mapping[str, Any],
    inference: InferenceConfig,
) -> ModelCard:
    """Export a run's averaged weights as an installed model: safetensors fp16 and its card.

    Args:
        inference: how the model is used; chosen on validation pictures.

    Raises:
        UsageError: the run has no checkpoint.
        OutputError: the folder cannot be written.
    """
    state = finished_checkpoint(run)
    origin = origin_of_run(state)
    return export_model(
        folder,
        averaged_weights(state),
        name=name,
        version=version,
        kind="colorizer",
        licence=LICENCE,
        attribution=origin.attribution,
        data=origin.data,
        command=command,
        figures={"steps": state["step"], **figures},
        config={"network": json.loads(state["config"])["network"], "inference": asdict(inference)},
        conditions=CONDITIONS,
        default=True,
    )


def averaged_weights(state: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The averaged network's tensors of a checkpoint, by the names that the network has for them."""
    prefix = "module."
    return {
        key.removeprefix(prefix): value.contiguous().numpy()
        for key, value in state["average"].items()
        if key.startswith(prefix) and not key.endswith("num_batches_tracked")
    }
