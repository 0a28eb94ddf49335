"""Chance for batches, all of it from a generator that is handed in. Must not import data or networks."""

from __future__ import annotations

import torch
from torch import Tensor


def uniform(shape: tuple[int, ...], low: float, high: float, generator: torch.Generator) -> Tensor:
    """Uniform numbers from `low` to `high`, on the generator's device."""
    return torch.rand(shape, generator=generator, device=generator.device) * (high - low) + low


def chosen(batch: int, share: float, generator: torch.Generator) -> Tensor:
    """B x 1 x 1 x 1, 1.0 for about `share` of the pictures."""
    return (uniform((batch, 1, 1, 1), 0, 1, generator) < share).float()
