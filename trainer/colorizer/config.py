"""Settings of a colouriser's run, from TOML files and the command line. Must not import data.

The TOML file is the only place of defaults: every field is required there, and explained in configs/colorizer.toml.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from t2c_engine.colorization.colorizer import InferenceConfig
from t2c_engine.networks.picture_encoder import ColorizerConfig
from trainer.colorizer.augmentation import AugmentConfig
from trainer.colorizer.degradation import DegradationConfig
from trainer.common.settings import build_settings, read_settings


@dataclass(frozen=True, slots=True)
class LossWeights:
    """Weight of each loss of `trainer.colorizer.step.LOSSES`, 0 and up."""

    ab: float
    mixture: float
    tone: float
    ciede2000: float
    perceptual: float
    chroma: float
    colorfulness: float
    bins: float
    automatic: float


class Stage(StrEnum):
    """What a run trains: the whole network, or its decoder of palettes and hints with the encoder as it is."""

    ALL = "all"
    PALETTE = "palette"


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Settings of a run; the fields are explained in configs/colorizer.toml."""

    stage: Stage
    steps: int
    cooldown: int
    warmup: int
    pretraining: int
    batch: int
    crop: int
    crops: tuple[int, ...]
    shown: tuple[int, int]
    stretch: float
    learning_rate: float
    encoder_rate: float
    frozen_blocks: int
    weight_decay: float
    ema: float
    perceptual_share: float
    bfloat16: bool
    seed: int
    losses: LossWeights
    network: ColorizerConfig
    augment: AugmentConfig
    source_weights: dict[str, float]

    def __post_init__(self) -> None:
        """Raises ValueError for a stage that there is not."""
        object.__setattr__(self, "stage", Stage(self.stage))


class StepSettings(Protocol):
    """The settings that a step's example and losses follow from; see `TrainConfig`."""

    @property
    def stage(self) -> Stage: ...
    @property
    def seed(self) -> int: ...
    @property
    def batch(self) -> int: ...
    @property
    def crop(self) -> int: ...
    @property
    def crops(self) -> tuple[int, ...]: ...
    @property
    def shown(self) -> tuple[int, int]: ...
    @property
    def stretch(self) -> float: ...
    @property
    def pretraining(self) -> int: ...
    @property
    def perceptual_share(self) -> float: ...
    @property
    def losses(self) -> LossWeights: ...
    @property
    def augment(self) -> AugmentConfig: ...


TABLES = {
    "losses": LossWeights,
    "network": ColorizerConfig,
    "augment": AugmentConfig,
}


def read_config(path: Path, **changes: Any) -> TrainConfig:
    """A TOML file's settings; `changes` that are not None win over the file's.

    Raises:
        UsageError: the file cannot be read, is not TOML, lacks a setting, or names one that does not exist.
    """
    table = read_settings(path)
    augment = dict(table.get("augment", {}))
    if "degradation" in augment:
        degradation = augment["degradation"]
        table["augment"] = augment | {
            "degradation": build_settings(DegradationConfig, degradation, path, "degradation")
        }
    for name, kind in TABLES.items():
        if name in table:
            table[name] = build_settings(kind, table[name], path, name)
    return build_settings(TrainConfig, table | {k: v for k, v in changes.items() if v is not None}, path)


def read_inference(path: Path) -> InferenceConfig:
    """A TOML file that says how a model is used.

    Raises:
        UsageError: the file cannot be read, is not TOML, lacks a setting, or names one that does not exist.
    """
    return build_settings(InferenceConfig, read_settings(path), path)
