"""Settings of a colouriser's run, from TOML files and the command line. Must not import data."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from t2c_engine.colorization.colorizer import read_network_config
from t2c_engine.errors import UsageError
from t2c_engine.networks.colorizer import ColorizerConfig
from trainer.colorizer.augmentation import AugmentConfig
from trainer.colorizer.degradation import WearConfig


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Settings of a run; the fields are explained in configs/colorizer.toml."""

    steps: int = 100_000
    cooldown: int = 20_000
    warmup: int = 300
    batch: int = 24
    crop: int = 160
    crops: tuple[int, ...] = (96, 128, 160, 192)
    shown: tuple[int, int] = (112, 224)
    shown_small: tuple[int, int] = (88, 128)
    small_share: float = 0.5
    stretch: float = 0.0
    kind_balance: float = 0.0
    learning_rate: float = 1.5e-3
    weight_decay: float = 0.02
    ema: float = 0.998
    mixture_weight: float = 0.0
    light_weight: float = 0.0
    ciede2000_weight: float = 0.0
    perceptual_weight: float = 0.0
    perceptual_share: float = 0.25
    chroma_weight: float = 0.3
    colourfulness_weight: float = 0.2
    bins_weight: float = 0.5
    bins_pixels: int = 128
    kinds_weight: float = 0.5
    teacher_weight: float = 6.0
    bfloat16: bool = False
    seed: int = 1
    network: ColorizerConfig = field(default_factory=ColorizerConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)


def read_config(path: Path, **changes: Any) -> TrainConfig:
    """A TOML file's settings; `changes` that are not None win over the file's.

    Raises:
        UsageError: the file cannot be read, is not TOML, or names a setting that does not exist.
    """
    try:
        table = tomllib.loads(path.read_text())
        network = read_network_config(table.pop("network", {}))
        augment = AugmentConfig(wear=WearConfig(**table.pop("wear", {})), **table.pop("augment", {}))
        plain: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in table.items()
        }
        config = TrainConfig(**plain, network=network, augment=augment)
    except (OSError, tomllib.TOMLDecodeError, TypeError) as error:
        raise UsageError(f"The settings in {path} cannot be used: {error}.") from error
    return replace(config, **{k: v for k, v in changes.items() if v is not None})
