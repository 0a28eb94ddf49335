"""From a transfer sub-net's run to an installed model. Must not import data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from t2c_engine.colorization.exemplar import TransferInference
from t2c_engine.errors import UsageError
from t2c_engine.models import ModelCard, export_model
from trainer.colorizer.export import LICENCE, averaged_weights
from trainer.colorizer.provenance import origin_of_run
from trainer.common.checkpoints import finished_checkpoint
from trainer.common.settings import build_settings, read_settings


def read_transfer_use(path: Path) -> TransferInference:
    """How a model is to be used, from a TOML file.

    Raises:
        UsageError: the file cannot be read, lacks a setting, or names one that does not exist.
    """
    return build_settings(TransferInference, read_settings(path), path)


def card_figures(figures: Mapping[str, Any]) -> dict[str, float]:
    """Of the part "exemplar" of `evaluate`, what a card says: the reference as users get it, by set and measure."""
    sets = {name: values["reference"] for name, values in figures.items() if "reference" in values}
    return {f"{name}, {measure}": value for name, values in sets.items() for measure, value in values.items()}


def export_exemplar(
    run: Path,
    folder: Path,
    name: str,
    version: str,
    command: str,
    figures: Mapping[str, Any],
    inference: TransferInference,
) -> ModelCard:
    """Export a run's averaged weights: safetensors fp16 and its card.

    Raises:
        UsageError: the run has no checkpoint, or one of another network. ModelError: a weight is not finite.
    """
    state = finished_checkpoint(run)
    try:
        config, weights = json.loads(state["config"]), averaged_weights(state)
        network, pictures = config["network"], config["pictures"]
    except (KeyError, ValueError) as error:
        raise UsageError(f"The run in {run} is no transfer sub-net's; other runs have exports of their own.") from error
    origin = origin_of_run(state)
    return export_model(
        folder,
        weights,
        name=name,
        version=version,
        kind="exemplar",
        licence=LICENCE,
        attribution=origin.attribution,
        data=origin.data,
        command=command,
        figures={"steps": state["step"], "pictures drawn from the data": pictures, **figures},
        config={"network": network, "inference": asdict(inference)},
        conditions=("reference",),
        default=network["matching"],  # the layout close to the paper is there to be compared
    )
