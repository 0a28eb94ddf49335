"""Settings of runs that train looks: read from TOML, changed by options, checked.

Must not import data or networks that learn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2c_engine.errors import UsageError
from t2c_engine.networks.look_generator import LookConfig
from trainer.common.settings import build_settings, read_settings


@dataclass(frozen=True, slots=True)
class LookWeights:
    """Weight of each loss, 0 and up. `cycle` is StarGAN's reconstruction.

    typical: distance from the colours of true pictures. Of StarGAN alone: classification, by its discriminator;
    recognition, by a classifier fitted to true pictures; content, how much farther its features are from the true
    picture's than those of automatic colour; local, distance from colours of like things in true pictures; whites, how
    much white is darkened.
    """

    adversarial: float
    cycle: float
    identity: float
    smoothness: float
    typical: float
    classification: float
    recognition: float
    content: float
    local: float
    whites: float


@dataclass(frozen=True, slots=True)
class LookTrainConfig:
    """Settings of a run; the fields are explained in configs/cyclegan.toml."""

    steps: int
    warmup: int
    cooldown: int
    batch: int
    learning_rate: float
    ema: float
    critic_width: int
    critic_levels: int
    grey_kernel: int
    detail: int
    save_every: int
    show_every: int
    seed: int
    losses: LookWeights
    network: LookConfig


def read_look_config(path: Path, network: Mapping[str, Any], **changes: Any) -> LookTrainConfig:
    """A TOML file's settings; `network` and `changes` that are not None win over the file's.

    Raises:
        UsageError: the file cannot be read, lacks a setting, or names one that does not exist.
    """
    table = read_settings(path)
    sizes = {**table.get("network", {}), **{k: v for k, v in network.items() if v is not None}}
    try:
        table["network"] = LookConfig(**sizes)
    except (TypeError, ValueError) as error:
        raise UsageError(f"The settings in [network] of {path} cannot be used: {error}.") from error
    table["losses"] = build_settings(LookWeights, table.get("losses", {}), path, "losses")
    config = build_settings(LookTrainConfig, table | {k: v for k, v in changes.items() if v is not None}, path)
    if min(config.steps, config.save_every, config.show_every, config.detail) < 1:
        raise UsageError(f"steps, save_every, show_every and detail in {path} must be 1 or more.")
    if config.network.side % 2**config.critic_levels:
        raise UsageError(f"The side of {config.network.side} px must be a multiple of {2**config.critic_levels}.")
    return config
