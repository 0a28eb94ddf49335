"""From a run's folder to an installed model that draws diverse colours. Must not import data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from t2c_engine.models import ModelCard, export_model
from trainer.colorizer.export import LICENCE, averaged_weights
from trainer.colorizer.provenance import ENCODER, origin_of
from trainer.common.checkpoints import finished_checkpoint
from trainer.common.run_log import last_figures

CONDITIONS = ("automatic", "count", "seed")


def export_diverse(run: Path, folder: Path, figures: Mapping[str, Any] | None = None) -> ModelCard:
    """Export a run's averaged weights as an installed model: safetensors fp16 and its card.

    Args:
        figures: measured ones for the card, beside those of validation.

    Raises:
        UsageError: the run has no checkpoint. OutputError: the folder cannot be written.
    """
    state = finished_checkpoint(run)
    config = json.loads(state["config"])
    origin = origin_of(Path(name) for name in json.loads(state["sources"]))
    settings = "diverse" if config["architecture"] == "low-rank" else "diverse-paper"
    rests_on = f"features and automatic colours of the colouriser '{state['colorizer']}', and what it was trained on"
    return export_model(
        folder,
        averaged_weights(state),
        name=config["name"],
        version=config["version"],
        kind="diverse",
        licence=LICENCE,
        attribution=origin.attribution,
        data=(*origin.data, *ENCODER.data, rests_on),
        command=f"t2c-train diverse PICTURES --config trainer/configs/{settings}.toml",
        figures={"steps": state["step"], "validation": last_figures(run), **(figures or {})},
        config={name: config[name] for name in ("architecture", "network")} | {"inference": config["sampling"]},
        conditions=CONDITIONS,
        default=config["architecture"] == "low-rank",
    )
