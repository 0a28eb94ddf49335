"""How far a picture's colours are from those that true pictures of a domain have, in standard deviations.

Quantiles of lightness and of ab along four directions, and ab of dark to light tones, of one picture each: so that a
monochrome toning is one in every picture, not on average. Must not import data or networks.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

QUANTILES = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)
DIRECTIONS = ((1.0, 0.0), (0.0, 1.0), (0.7071, 0.7071), (0.7071, -0.7071))  # of ab
TONES = 4  # groups of pixels, from the darkest to the lightest
LEAST_DEVIATION = 2.5  # Lab units
USUAL = 1.0  # standard deviations that cost nothing


def color_profile(lab: Tensor) -> Tensor:
    """B x 3 x h x w Lab to B x K statistics, Lab units."""
    lightness, ab = lab[:, 0].flatten(1), lab[:, 1:].flatten(2)  # B x n, B x 2 x n
    count = lightness.shape[1]
    places = [round(one * (count - 1)) for one in QUANTILES]
    tones, order = lightness.sort(1)
    along = torch.stack([a * ab[:, 0] + b * ab[:, 1] for a, b in DIRECTIONS], 1)
    quantiles = along.sort(2).values[:, :, places].flatten(1)
    groups = ab.gather(2, order[:, None].expand_as(ab))[:, :, : count // TONES * TONES].unflatten(2, (TONES, -1))
    spread = (groups.var(3) + 1e-4).sqrt()
    return torch.cat((tones[:, places], quantiles, groups.mean(3).flatten(1), spread.flatten(1)), 1)


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
