"""Look models at their smallest, whose effect is known: for tests of what is around them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from t2c_engine.models import ModelCard, export_model

SIZES: dict[str, Any] = {"side": 16, "width": 4, "levels": 1, "blocks": 0, "tones": 2, "knots": 3, "features": False}


def make_look(
    folder: Path, name: str, shift: tuple[float, float], rise: float = 0.0, looks: list[Any] | None = None
) -> ModelCard:
    """A model with one look: ab moves by `shift` (Lab units, small ones exactly), black becomes about L `rise`."""
    import torch

    from t2c_engine.networks.look_generator import AB_UNIT, DARKEST, LookConfig, LookGenerator

    network = LookGenerator(LookConfig(**SIZES))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        assert network.grid.bias is not None
        bias = network.grid.bias.unflatten(0, (SIZES["tones"], 2, 4))
        bias[:, 0, 3], bias[:, 1, 3] = (one / AB_UNIT for one in shift)
        network.curve.bias[0] = float(np.arctanh(rise / DARKEST))
    tensors = {key: value.numpy() for key, value in network.state_dict().items()}
    config = {"network": SIZES, "looks": [{"name": name, "title": name.title()}] if looks is None else looks}
    return export_model(folder, tensors, name=name, version="1", kind="look", licence="MIT", config=config)
