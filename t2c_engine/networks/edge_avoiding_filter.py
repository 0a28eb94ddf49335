"""The edge-avoiding a-trous filter with learned edges, on assignment weights. Must not import networks.

Assignment weights are decided pixel by pixel; where a flat area is in doubt they vary, and patches of two colours show.
Here every pixel takes over weights of pixels 1, 2, 4 ... away, as far as they look like it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDTH = 3.0  # L, at the start: difference from which on pixels no longer belong together
WEIGHT = 0.5  # at the start: of a neighbour that looks the same, where the pixel itself has 1
GUIDES = 4  # learned guide channels beside lightness


class EdgeAvoidingFilter(nn.Module):
    """The edge-avoiding a-trous wavelet filter (Dammertz et al. 2010), along columns and rows in turn.

    Args:
        rounds: neighbours are 1, 2, 4 ... 2 ** (rounds - 1) pixels away.
        features: channels of the features from which edges are learned that lightness does not show.
    """

    def __init__(self, rounds: int, features: int) -> None:
        super().__init__()
        self.width = nn.Parameter(torch.full((rounds,), WIDTH).log())
        self.weight = nn.Parameter(torch.full((rounds,), WEIGHT).log())
        self.guide = nn.Conv2d(features, GUIDES, 1)
        nn.init.normal_(self.guide.weight, std=0.1)

    def forward(self, weights: Tensor, lightness: Tensor, features: Tensor) -> Tensor:
        """Filtered weights of the same size; what sums to 1 over channels still does.

        Args:
            weights: B x K x h x w, 0..1. lightness: B x 1 x h x w, 0..100. features: B x C x h x w.
        """
        guides = self.guide(features).float()
        for index, (width, near) in enumerate(zip(self.width.exp(), self.weight.exp(), strict=True)):
            for axis in (2, 3):
                if 2**index < weights.shape[axis]:
                    apart = _apart(lightness, 2**index, axis) / width.square() + _apart(guides, 2**index, axis)
                    weights = _averaged(weights, near * (-apart).exp(), 2**index, axis)
        return weights


def _apart(guides: Tensor, distance: int, axis: int) -> Tensor:
    """Squared difference of pixels that far apart along the axis, summed over channels."""
    rest = guides.shape[axis] - distance
    difference = guides.narrow(axis, 0, rest) - guides.narrow(axis, distance, rest)
    return difference.square().sum(1, keepdim=True)


def _averaged(values: Tensor, weights: Tensor, distance: int, axis: int) -> Tensor:
    """Each pixel's mean of itself (weight 1) and its neighbours of both sides; `weights` as from `_apart`."""
    rest = values.shape[axis] - distance
    end, start = ((0, distance), (distance, 0)) if axis == 3 else ((0, 0, 0, distance), (0, 0, distance, 0))
    part = 1 / (1 + F.pad(weights, end) + F.pad(weights, start))  # that a pixel has in its own mean
    result = values * part
    for first, other in ((0, distance), (distance, 0)):
        theirs = weights * part.narrow(axis, first, rest)
        result.narrow(axis, first, rest).addcmul_(theirs, values.narrow(axis, other, rest))
    return result
