"""Settings of a run that learns to draw colour fields, from TOML. Must not import data or networks.

The TOML file is the only place of defaults; its comments explain the fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2c_engine.colorization.diverse_colors import DiverseInference
from t2c_engine.errors import UsageError
from trainer.common.settings import build_settings, read_settings

ARCHITECTURES = ("low-rank", "vae-mdn")


@dataclass(frozen=True, slots=True)
class LossWeights:
    """Weights of the losses; those of the other architecture are 0."""

    likelihood: float
    nearest: float
    colorfulness: float
    field: float
    principal: float
    gradient: float
    divergence: float
    mixture: float


@dataclass(frozen=True, slots=True)
class DiverseTrainConfig:
    """Settings of a run; the fields are explained in configs/diverse.toml."""

    architecture: str
    name: str
    version: str
    seed: int
    pictures: int
    steps: int
    first_steps: int
    cooldown: int
    warmup: int
    batch: int
    learning_rate: float
    second_rate: float
    weight_decay: float
    ema: float
    draws: int
    losses: LossWeights
    network: dict[str, Any]
    sampling: DiverseInference
    source_weights: dict[str, float]

    def __post_init__(self) -> None:
        if self.architecture not in ARCHITECTURES:
            raise ValueError(f"architecture must be one of {', '.join(ARCHITECTURES)}")
        if not 0 <= self.first_steps <= self.steps or self.batch < 1 or self.pictures < self.batch:
            raise ValueError("first_steps must be within steps, and pictures at least a batch")


def read_diverse_config(path: Path, **changes: int | None) -> DiverseTrainConfig:
    """A TOML file's settings; `changes` that are not None win over the file's.

    Raises:
        UsageError: the file cannot be read, is not TOML, lacks a setting, names one that does not exist, or a value
            is impossible.
    """
    table = read_settings(path)
    for name, kind in (("losses", LossWeights), ("sampling", DiverseInference)):
        if name in table:
            table[name] = build_settings(kind, table[name], path, name)
    table |= {name: value for name, value in changes.items() if value is not None}
    steps = table.get("steps", 1)
    if steps < 1:
        raise UsageError(f"{steps} steps are none; give at least 1.")
    if "first_steps" in table:
        table["first_steps"] = min(table["first_steps"], steps)
    return build_settings(DiverseTrainConfig, table, path)
