"""Settings of a transfer sub-net's run, from TOML files. Must not import data.

The TOML file is the only place of defaults: every field is required there, and explained in configs/exemplar.toml.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2c_engine.errors import UsageError
from t2c_engine.networks.exemplar import ExemplarConfig
from t2c_engine.networks.pretrained_encoder import MULTIPLE
from trainer.common.settings import build_settings, read_settings


@dataclass(frozen=True, slots=True)
class PairConfig:
    """How references are made: shares of kinds of pairs, and how they are regraded."""

    own: float
    neighbor: float
    unrelated: float
    neighbors: int
    least_similarity: float
    crops: tuple[float, float]
    tone: float
    gain: float
    shift: float
    joint: float
    joint_hue: float
    joint_gain: float
    joint_shift: float


@dataclass(frozen=True, slots=True)
class TransferLossWeights:
    """Weight of each loss of `trainer.exemplar.losses`, 0 and up."""

    reconstruction: float
    blend: float
    content: float
    style: float
    neighbor: float
    squared: bool


@dataclass(frozen=True, slots=True)
class TransferTrainConfig:
    """Settings of a run; the fields are explained in configs/exemplar.toml."""

    steps: int
    warmup: int
    cooldown: int
    batch: int
    crop: int
    pictures: int
    learning_rate: float
    weight_decay: float
    ema: float
    perceptual_share: float
    seed: int
    network: ExemplarConfig
    pairs: PairConfig
    losses: TransferLossWeights
    source_weights: dict[str, float]


TABLES = {"network": ExemplarConfig, "pairs": PairConfig, "losses": TransferLossWeights}


def read_transfer_config(path: Path, **changes: Any) -> TransferTrainConfig:
    """A TOML file's settings; `changes` that are not None win over the file's.

    Raises:
        UsageError: the file cannot be read, lacks a setting, names one that does not exist, or a value is impossible.
    """
    table = read_settings(path)
    for name, kind in TABLES.items():
        if name in table:
            table[name] = build_settings(kind, table[name], path, name)
    table |= {key: value for key, value in changes.items() if value is not None}
    config = build_settings(TransferTrainConfig, table, path)
    if config.crop % MULTIPLE:
        raise UsageError(f"The crop of {config.crop} px in {path} cannot be used; give a multiple of {MULTIPLE}.")
    if config.pairs.own + config.pairs.neighbor + config.pairs.unrelated <= 0:
        raise UsageError(f"The shares of pairs in {path} cannot be used; one of them must be above 0.")
    return config
