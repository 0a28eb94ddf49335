"""How far a picture's colours are from those that true pictures of a domain have, in standard deviations.

Statistics are of one picture each (`networks/color_profile`): so that a monochrome toning is one in every picture, not
on average. Must not import data or networks that learn.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from t2c_engine.networks.color_profile import color_profile

LEAST_DEVIATION = 2.5  # Lab units
USUAL = 1.0  # standard deviations that cost nothing


@dataclass(frozen=True, slots=True)
class TypicalColors:
    """mean, deviation: domains x K, of the profiles of true pictures."""

    mean: Tensor
    deviation: Tensor

    @classmethod
    def of(cls, profiles: Tensor, domain: Tensor, domains: int) -> TypicalColors:
        """Of N x K profiles of N domains' numbers, 0 to domains - 1, two or more of each."""
        rows = [profiles[domain == one] for one in range(domains)]
        mean, deviation = torch.stack([one.mean(0) for one in rows]), torch.stack([one.std(0) for one in rows])
        return cls(mean, deviation.clamp(min=LEAST_DEVIATION))

    def distance(self, lab: Tensor, domain: Tensor) -> Tensor:
        """Mean, over B x 3 x h x w pictures of B domains, of the standard deviations beyond the usual."""
        beyond = (color_profile(lab) - self.mean[domain]).abs() / self.deviation[domain] - USUAL
        return beyond.clamp(min=0).mean()
