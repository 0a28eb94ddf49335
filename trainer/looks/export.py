"""From a look run's folder to an installed model. Must not import data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from t2c_engine.errors import UsageError
from t2c_engine.models import ModelCard, export_model
from trainer.colorizer.export import averaged_weights
from trainer.common.checkpoints import finished_checkpoint

BASE = "Rests on the features of the colouriser's pretrained encoder, EfficientNet-Lite0 (Apache-2.0)."
COLLECTIONS: Mapping[str, str] = {  # by the beginning of a picture's name
    "caltech101": "Caltech-101 by F.-F. Li, M. Andreeto, M. Ranzato and P. Perona (CC BY 4.0)",
    "cid22": "Cloudinary Image Dataset CID22 (CC BY-SA 4.0)",
    "clic2025": "CLIC 2025 (Unsplash licence)",
    "intelpred": "Intel image classification scenes (CC0 as claimed)",
    "unsplash": "Unsplash Lite (Unsplash licence)",
    "wallpapers": "desktop wallpapers (CC0, Unsplash, Pexels, NASA public domain, CC BY 4.0)",
}
OWN_LICENCE = "as the pictures it was trained on"


@dataclass(frozen=True, slots=True)
class Publication:
    """What a card says besides the run's own facts."""

    name: str
    version: str = "1"
    licence: str = OWN_LICENCE
    command: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)


def export_look(run: Path, folder: Path, publication: Publication) -> ModelCard:
    """Export a run's averaged generator as a look model: safetensors fp16 and its card.

    Raises:
        UsageError: the run has no checkpoint, or is not of a look. OutputError: the folder cannot be written.
    """
    state = finished_checkpoint(run)
    try:
        facts, config = json.loads(state["facts"]), json.loads(state["config"])
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"The run in {run} is not of a look: {error}.") from error
    looks = facts["looks"]
    if len(looks) == 1:
        looks = [{"name": publication.name, "title": looks[0]["title"]}]
    return export_model(
        folder,
        averaged_weights(state),
        name=publication.name,
        version=publication.version,
        kind="look",
        licence=publication.licence,
        attribution=(BASE, *sources_of(facts.get("names", ()))),
        data=facts["data"],
        command=publication.command,
        figures={"steps": state["step"], **publication.figures},
        config={"network": config["network"], "looks": looks, "method": facts["method"]},
        conditions=("automatic", "palette") if config["network"]["base"] == "automatic" else (),
    )


def sources_of(names: Iterable[str]) -> tuple[str, ...]:
    """Attribution of the collections that pictures' names begin with; of others none."""
    return tuple(f"Trained on {COLLECTIONS[name]}." for name in sorted(names) if name in COLLECTIONS)
