"""The learning rate of every run, step by step. Must not import torch."""

from __future__ import annotations

from typing import Protocol


class Schedule(Protocol):
    """The settings that a learning rate follows from."""

    @property
    def steps(self) -> int: ...
    @property
    def warmup(self) -> int: ...
    @property
    def cooldown(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...


def learning_rate(config: Schedule, step: int) -> float:
    """Linear warm-up, constant, then linear to zero over the last `cooldown` steps."""
    rise = min(1.0, (step + 1) / max(1, config.warmup))
    fall = min(1.0, (config.steps - step) / max(1, config.cooldown))
    return config.learning_rate * rise * fall
