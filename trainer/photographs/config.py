"""Settings of a fine-tuning, from configs/photographs.toml and the command line. Must not import data or networks.

The TOML file is the only place of defaults: every field is required there, and explained there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.colorizer.augmentation import AugmentConfig
from trainer.colorizer.config import LossWeights, Stage
from trainer.colorizer.degradation import DegradationConfig
from trainer.common.settings import build_settings, read_settings


@dataclass(frozen=True, slots=True)
class PhotographsConfig:
    """Settings of a run; the fields are explained in configs/photographs.toml."""

    steps: int
    cooldown: int
    warmup: int
    patience: int
    check_every: int
    batch: int
    crop: int
    crops: tuple[int, ...]
    shown: tuple[int, int]
    stretch: float
    rank: int
    adapted: tuple[str, ...]
    learning_rate: float
    weight_decay: float
    ema: float
    held_out: float
    seed: int
    losses: LossWeights
    augment: AugmentConfig

    @property
    def pretraining(self) -> int:
        """Steps in which the decoder does not learn: none."""
        return 0

    @property
    def stage(self) -> Stage:
        """Every part learns."""
        return Stage.ALL

    @property
    def perceptual_share(self) -> float:
        """Of a batch whose features are compared: none, for a user has no network for it."""
        return 0.0


def read_photographs_config(path: Path, **changes: Any) -> PhotographsConfig:
    """A TOML file's settings; `changes` that are not None win over the file's.

    Raises:
        UsageError: the file cannot be read, is not TOML, lacks a setting, or names one that does not exist.
    """
    table = read_settings(path)
    augment = dict(table.get("augment", {}))
    degradation = build_settings(DegradationConfig, augment.get("degradation", {}), path, "degradation")
    table["augment"] = build_settings(AugmentConfig, augment | {"degradation": degradation}, path, "augment")
    table["losses"] = build_settings(LossWeights, table.get("losses", {}), path, "losses")
    return build_settings(PhotographsConfig, table | {k: v for k, v in changes.items() if v is not None}, path)
