"""From a run's folder to an installed model. Must not import data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from t2c_engine.colorization.colorizer import read_network_config
from t2c_engine.errors import UsageError
from t2c_engine.models import ModelCard, export_model
from t2c_engine.networks.colorizer import ColorizerConfig, ColorizerNet
from trainer.colorizer.provenance import origin_of_run, origin_of_weights
from trainer.common.checkpoints import CHECKPOINT, load_checkpoint, load_initial

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
    blend: Path | None = None,
    blend_share: float = 0.5,
) -> ModelCard:
    """Export a run's averaged weights as an installed model: safetensors fp16 and its card.

    Args:
        short_side: of the network's input at use, px. trust, spread, chroma_gain: see `ColorizerConfig`;
            None stays what it was in training. looks: see `Colorizer`.
        blend: weights that have `blend_share` (0..1) of a mean with the run's own. Of those that the run went on from,
            a part brings back what it has unlearned of pictures that it was not shown (Wortsman et al. 2022, WiSE-FT).
            What the card beside them says of data and attribution is taken over.

    Raises:
        UsageError: the run has no checkpoint, or `blend` cannot be read or is of another network.
        OutputError: the folder cannot be written.
    """
    state = load_checkpoint(run, "cpu")
    if state is None:
        raise UsageError(f"There is no {run / CHECKPOINT}; train first.")
    settings = json.loads(state["config"])
    at_use = {"trust": trust, "spread": spread, "chroma_gain": chroma_gain}
    network = settings["network"] | {key: value for key, value in at_use.items() if value is not None}
    origin, averaged = origin_of_run(state), _averaged(state)
    if blend is not None:
        origin = origin.joined(origin_of_weights(blend))
        averaged = _blended(averaged, read_network_config(network), blend, blend_share)
    return export_model(
        folder,
        averaged,
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


def _blended(
    averaged: dict[str, np.ndarray], config: ColorizerConfig, weights: Path, share: float
) -> dict[str, np.ndarray]:
    """The mean of the tensors and of those in a file, which have `share` of it."""
    other = ColorizerNet(config)
    load_initial(other, weights)
    theirs = other.state_dict()
    return {name: (1 - share) * value + share * theirs[name].numpy() for name, value in averaged.items()}
