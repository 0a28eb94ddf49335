"""Neighbours that look alike take alike colours: edge-avoiding smoothing with learned edges. Must not import networks.

Shares of a palette's colours are decided pixel by pixel; where a flat area is in doubt, they waver, and patches of two
colours show. Here every pixel asks pixels 1, 2, 4 ... away and takes over what those say that look like it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDTH = 3.0  # L, at the start: difference from which on pixels no longer belong together
WEIGHT = 0.5  # at the start: of a neighbour that looks the same, where the pixel itself has 1
GUIDES = 4  # channels in which the network says what else parts neighbours


class Smoothing(nn.Module):
    """The edge-avoiding a-trous filter (Dammertz et al. 2010), along columns and rows in turn, wider each round.

    Args:
        rounds: neighbours are 1, 2, 4 ... 2 ** (rounds - 1) pixels away.
        features: channels from which the network learns edges that lightness does not show; 0: lightness alone.
    """

    def __init__(self, rounds: int, features: int) -> None:
        super().__init__()
        self.width = nn.Parameter(torch.full((rounds,), WIDTH).log())
        self.weight = nn.Parameter(torch.full((rounds,), WEIGHT).log())
        self.guide = nn.Conv2d(features, GUIDES, 1) if features else None
        if self.guide is not None:
            nn.init.normal_(self.guide.weight, std=0.1)

    def forward(self, shares: Tensor, lightness: Tensor, features: Tensor | None) -> Tensor:
        """Smoothed shares, of the same size; what sums to 1 over channels still does.

        Args:
            shares: B x K x h x w, 0..1. lightness: B x 1 x h x w, 0..100. features: B x C x h x w, or None.
        """
        guides = None if self.guide is None or features is None else self.guide(features).float()
        for index, (width, weight) in enumerate(zip(self.width.exp(), self.weight.exp(), strict=True)):
            for axis in (2, 3):
                if 2**index < shares.shape[axis]:
                    apart = _apart(lightness, 2**index, axis) / width.square()
                    if guides is not None:
                        apart = apart + _apart(guides, 2**index, axis)
                    shares = _shared(shares, weight * (-apart).exp(), 2**index, axis)
        return shares


def _apart(guides: Tensor, distance: int, axis: int) -> Tensor:
    """Squared difference of pixels that far apart along the axis, summed over channels."""
    rest = guides.shape[axis] - distance
    difference = guides.narrow(axis, 0, rest) - guides.narrow(axis, distance, rest)
    return difference.square().sum(1, keepdim=True)


def _shared(values: Tensor, weights: Tensor, distance: int, axis: int) -> Tensor:
    """Each pixel's mean of itself (weight 1) and its neighbours of both sides; `weights` as from `_apart`."""
    rest = values.shape[axis] - distance
    end, start = ((0, distance), (distance, 0)) if axis == 3 else ((0, 0, 0, distance), (0, 0, distance, 0))
    part = 1 / (1 + F.pad(weights, end) + F.pad(weights, start))  # that a pixel has in its own mean
    result = values * part
    for first, other in ((0, distance), (distance, 0)):
        theirs = weights * part.narrow(axis, first, rest)
        result.narrow(axis, first, rest).addcmul_(theirs, values.narrow(axis, other, rest))
    return result
