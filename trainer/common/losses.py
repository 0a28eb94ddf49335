"""Losses of the colouriser: what it means for colours to be right. Must not import data or networks."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

SOFT_NEIGHBOURS = 5  # soft-encoded targets (Zhang et al. 2016)
SOFT_SIGMA = 5.0
MIXTURE_SCALE = 5.0  # ab units
TONE_SCALE = 20.0  # L
PRIOR_CELLS = 200_000  # from which the frequencies of colours are taken


def ab_distance(predicted: Tensor, true: Tensor) -> Tensor:
    """Mean Euclidean distance in the ab plane, smooth at 0 (B x 2 x h x w, Lab units)."""
    return ((predicted - true).square().sum(1) + 1.0).sqrt().mean()


def ciede2000_distance(predicted: Tensor, true: Tensor) -> Tensor:
    """Mean CIEDE2000 of colours of the same lightness (B x 2 x h x w, Lab units), smooth at 0.

    Differences among vivid colours count less than among greys, and of chroma less than of hue (Sharma et al. 2005).
    """
    chroma = [(ab.square().sum(1, keepdim=True) + 1e-2).sqrt() for ab in (predicted, true)]
    grey = 0.5 * (1 - _vividness((chroma[0] + chroma[1]) / 2))
    one, other = (torch.cat((ab[:, :1] * (1 + grey), ab[:, 1:]), 1) for ab in (predicted, true))
    chroma = [(ab.square().sum(1) + 1e-2).sqrt() for ab in (one, other)]
    mean = (chroma[0] + chroma[1]) / 2
    of_chroma = chroma[0] - chroma[1]
    of_hue = ((one - other).square().sum(1) - of_chroma.square()).clamp(min=1e-4).sqrt()
    with torch.no_grad():  # what depends on the mean hue
        middle = one / chroma[0][:, None] + other / chroma[1][:, None]
        hue = torch.atan2(middle[:, 1], middle[:, 0])
        degrees = torch.rad2deg(hue) % 360
        uneven = 1 - 0.17 * (hue - math.pi / 6).cos() + 0.24 * (2 * hue).cos()
        uneven = uneven + 0.32 * (3 * hue + math.radians(6)).cos() - 0.2 * (4 * hue - math.radians(63)).cos()
        blue = torch.deg2rad(60 * (-(((degrees - 275) / 25) ** 2)).exp()).sin()
        turn = (one[:, 1] * other[:, 0] - one[:, 0] * other[:, 1]).sign()
    of_chroma = of_chroma / (1 + 0.045 * mean)
    of_hue = turn * of_hue / (1 + 0.015 * mean * uneven)
    rotation = -2 * _vividness(mean) * blue
    squared = of_chroma.square() + of_hue.square() + rotation * of_chroma * of_hue
    return (squared.clamp(min=0) + 0.25).sqrt().mean()


def _vividness(chroma: Tensor) -> Tensor:
    """CIEDE2000's measure of it, 0 for greys to 1."""
    seventh = chroma**7
    return (seventh / (seventh + 25.0**7)).sqrt()


def tone_restoration_loss(restored: Tensor, clean: Tensor) -> Tensor:
    """Mean squared difference of L in units of TONE_SCALE, so that half a doubt gives half a correction.

    The mean of absolute differences asks for the median, and most pictures are not degraded: it corrects nothing.
    """
    return (restored - clean).square().mean() / TONE_SCALE


def mixture_distance(weights: Tensor, centres: Tensor, true: Tensor, scale: float = MIXTURE_SCALE) -> Tensor:
    """Negative log-likelihood of the true colours under a mixture of Laplace densities, in Lab units.

    The mean of a mixture tells each colour of a pixel's only by how far it pulls the mean; likelihood asks which of the
    colours is the pixel's own, as classification does, and lets colours that are alike share (Bishop 1994).

    Args:
        weights: B x K x h x w, sum 1. centres: B x K x 2 x h x w. true: B x 2 x h x w.
        scale: of the densities, ab units.
    """
    apart = ((centres - true[:, None]).square().sum(2) + 1.0).sqrt()  # B x K x h x w
    return -scale * (weights.clamp(min=1e-6).log() - apart / scale).logsumexp(1).mean()


def chroma_distance(predicted: Tensor, true: Tensor, window: int = 8) -> Tensor:
    """Mean difference of chroma averaged over windows.

    Distance alone answers doubt with grey; this asks for the right vividness without saying which hue.
    """

    def chroma(ab: Tensor) -> Tensor:
        return F.avg_pool2d((ab.square().sum(1, keepdim=True) + 1.0).sqrt(), window)

    return (chroma(predicted) - chroma(true)).abs().mean()


def colorfulness_distance(predicted: Tensor, true: Tensor) -> Tensor:
    """Mean difference of whole pictures' colourfulness in the ab plane: spread + 0.3 x mean length.

    The third measure of Hasler and Suesstrunk 2003, in ab instead of opponent RGB, so that doubt about single pixels
    does not grey a picture.
    """

    def colorfulness(ab: Tensor) -> Tensor:
        flat = ab.flatten(2)
        spread = (flat.var(2, correction=0).sum(1) + 1e-3).sqrt()
        return spread + 0.3 * (flat.mean(2).square().sum(1) + 1e-3).sqrt()

    return (colorfulness(predicted) - colorfulness(true)).abs().mean()


def soft_bins(ab: Tensor, bins: Tensor) -> Tensor:
    """Soft-encoded targets: the 5 nearest bins weighted by a Gaussian of sigma 5 (N x 2, M x 2 to N x M)."""
    squared = torch.cdist(ab, bins).square()
    nearest, index = squared.topk(SOFT_NEIGHBOURS, dim=1, largest=False)
    weight = (-nearest / (2 * SOFT_SIGMA**2)).softmax(1)
    return torch.zeros_like(squared).scatter_(1, index, weight)


def class_weights(ab: Tensor, bins: Tensor, uniform: float = 0.5, sigma: float = SOFT_SIGMA) -> Tensor:
    """Weights that lend rare colours a voice (Zhang et al. 2016, eq. 4).

    The bins' frequencies among `ab` (N x 2) are smoothed by a Gaussian of `sigma` over the ab plane, mixed with
    `uniform` of a uniform distribution and inverted; the mean weight over `ab` is 1.

    Returns:
        Q float32 for the Q x 2 `bins`.
    """
    counts = torch.bincount(torch.cdist(ab, bins).argmin(1), minlength=len(bins)).float()
    near = (-torch.cdist(bins, bins).square() / (2 * sigma**2)).exp()
    smooth = (near / near.sum(0)) @ (counts / counts.sum())
    weights = 1 / ((1 - uniform) * smooth + uniform / len(bins))
    return weights / (weights * smooth).sum()


def class_balance(ab: np.ndarray, bins: Tensor) -> Tensor:
    """`class_weights` by the colours of all pictures, of which an even part is looked at.

    Args:
        ab: int8 or float, all pictures' ab values one after the other. bins: Q x 2.
    """
    cells = ab.reshape(-1, 2)
    cells = torch.tensor(cells[:: 1 + len(cells) // PRIOR_CELLS], dtype=torch.float32, device=bins.device)
    return class_weights(cells, bins)


def classification_loss(logits: Tensor, ab: Tensor, bins: Tensor, weights: Tensor) -> Tensor:
    """Multinomial cross-entropy with soft-encoded targets (Zhang et al. 2016, eqs. 2-3).

    Each pixel is weighted by its most probable bin.

    N x Q logits, N x 2 ab, Q x 2 bins, Q weights; mean over pixels.
    """
    targets = soft_bins(ab, bins)
    return -(weights[targets.argmax(1)] * (targets * logits.log_softmax(1)).sum(1)).mean()
