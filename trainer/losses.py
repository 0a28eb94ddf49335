"""Losses of the colouriser: what it means for colours to be right. Must not import data or networks."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

SOFT_NEIGHBOURS = 5  # soft-encoded targets (Zhang et al. 2016)
SOFT_SIGMA = 5.0


def ab_distance(predicted: Tensor, true: Tensor) -> Tensor:
    """Mean Euclidean distance in the ab plane, smooth at 0 (B x 2 x h x w, Lab units)."""
    return ((predicted - true).square().sum(1) + 1.0).sqrt().mean()


def chroma_distance(predicted: Tensor, true: Tensor, window: int = 4) -> Tensor:
    """Mean difference of chroma averaged over windows.

    Distance alone answers doubt with grey; this asks for the right vividness without saying which hue.
    """

    def chroma(ab: Tensor) -> Tensor:
        return F.avg_pool2d((ab.square().sum(1, keepdim=True) + 1.0).sqrt(), window)

    return (chroma(predicted) - chroma(true)).abs().mean()


def soft_bins(ab: Tensor, bins: Tensor) -> Tensor:
    """Soft-encoded targets: the 5 nearest bins weighted by a Gaussian of sigma 5 (N x 2, M x 2 to N x M)."""
    squared = torch.cdist(ab, bins).square()
    nearest, index = squared.topk(SOFT_NEIGHBOURS, dim=1, largest=False)
    weight = (-nearest / (2 * SOFT_SIGMA**2)).softmax(1)
    return torch.zeros_like(squared).scatter_(1, index, weight)


def classification_loss(logits: Tensor, ab: Tensor, bins: Tensor) -> Tensor:
    """Multinomial cross-entropy with soft-encoded targets (M3), mean over pixels (N x M logits, N x 2 ab)."""
    return -(soft_bins(ab, bins) * logits.log_softmax(1)).sum(1).mean()
