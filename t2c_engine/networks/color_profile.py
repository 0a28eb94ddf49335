"""A picture's colours as a few statistics: quantiles of lightness and of ab, and ab of dark to light tones.

Must not import networks or files.
"""

from __future__ import annotations

import torch
from torch import Tensor

QUANTILES = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)
DIRECTIONS = ((1.0, 0.0), (0.0, 1.0), (0.7071, 0.7071), (0.7071, -0.7071))  # of ab
TONES = 4  # groups of pixels, from the darkest to the lightest
PROFILE = len(QUANTILES) * (1 + len(DIRECTIONS)) + 4 * TONES  # statistics of one picture


def color_profile(lab: Tensor) -> Tensor:
    """B x 3 x h x w Lab to B x PROFILE statistics, Lab units: quantiles of L, quantiles of ab along DIRECTIONS, mean ab
    of each group of tones, and the spread of ab within it."""
    lightness, ab = lab[:, 0].flatten(1), lab[:, 1:].flatten(2)  # B x n, B x 2 x n
    count = lightness.shape[1]
    places = [round(one * (count - 1)) for one in QUANTILES]
    tones, order = lightness.sort(1)
    along = torch.stack([a * ab[:, 0] + b * ab[:, 1] for a, b in DIRECTIONS], 1)
    quantiles = along.sort(2).values[:, :, places].flatten(1)
    groups = ab.gather(2, order[:, None].expand_as(ab))[:, :, : count // TONES * TONES].unflatten(2, (TONES, -1))
    spread = (groups.var(3) + 1e-4).sqrt()
    return torch.cat((tones[:, places], quantiles, groups.mean(3).flatten(1), spread.flatten(1)), 1)
