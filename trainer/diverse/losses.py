"""Losses of networks that draw colour fields. Must not import data.

Low-rank Gaussian: its exact likelihood, or the nearest of several draws. Document 001 (Deshpande et al. 2017): fields
weighted for rare colours, projected on principal components, and gradients; divergence; mixture density.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from t2c_engine.color.lab import ab_bins
from t2c_engine.networks.diverse import FieldDistribution
from trainer.common.losses import class_weights

PRINCIPAL = 20  # components that fields are projected on, as in the paper


def negative_log_likelihood(distribution: FieldDistribution, ab: Tensor) -> Tensor:
    """Of the true fields (B x 2 x h x w, ab), mean over pictures and channels, without its constant.

    The codes are integrated out: the covariance is B B^T + D, inverted by Woodbury's identity.
    """
    residual = (ab - distribution.mean).flatten(1)
    factors = distribution.factors.flatten(2)  # B x K x P
    precision = (-distribution.log_variance).exp().expand(-1, 2, -1, -1).flatten(1)
    weighted = factors * precision[:, None]
    capacitance = weighted @ factors.transpose(1, 2) + torch.eye(factors.shape[1], device=ab.device)
    projected = weighted @ residual[..., None]
    lower = torch.linalg.cholesky(capacitance)
    whitened = torch.linalg.solve_triangular(lower, projected, upper=False)[..., 0]
    squared = (residual.square() * precision).sum(1) - whitened.square().sum(1)
    log_determinant = 2 * torch.diagonal(lower, dim1=1, dim2=2).log().sum(1)
    log_determinant = log_determinant + 2 * distribution.log_variance.flatten(1).sum(1)
    return (squared + log_determinant).mean() / (2 * residual.shape[1])


def nearest_distance(draws: Tensor, ab: Tensor) -> Tensor:
    """Mean ab distance from each true field (B x 2 x h x w) to the nearest of N draws (B x N x 2 x h x w).

    Implicit maximum likelihood (Li and Malik 2018): only the nearest draw learns, so draws divide what is possible.
    """
    return ((draws - ab[:, None]).square().sum(2) + 1.0).sqrt().mean((2, 3)).min(1).values.mean()


def draws_colorfulness(draws: Tensor, ab: Tensor) -> Tensor:
    """Mean difference between the colourfulness of draws (B x N x 2 x h x w) and of the true field, in ab."""
    return (colorfulness(draws) - colorfulness(ab)[:, None]).abs().mean()


def colorfulness(ab: Tensor) -> Tensor:
    """Spread + 0.3 x mean length (Hasler and Suesstrunk 2003, in ab), of ... x 2 x h x w."""
    flat = ab.flatten(-2)
    spread = (flat.var(-1, correction=0).sum(-1) + 1e-3).sqrt()
    return spread + 0.3 * (flat.mean(-1).square().sum(-1) + 1e-3).sqrt()


@dataclass(frozen=True, slots=True)
class FieldStatistics:
    """Of the training fields (64 x 64): components: PRINCIPAL x P, orthonormal; deviations: PRINCIPAL; mean: P;
    bins: Q x 2; weights: Q, of rare colours (Zhang et al. 2016, eq. 4)."""

    components: Tensor
    deviations: Tensor
    mean: Tensor
    bins: Tensor
    weights: Tensor

    @classmethod
    def of(cls, fields: Tensor) -> FieldStatistics:
        """Of N x 2 x h x w fields, ab; N at least 2."""
        flat = fields.flatten(1)
        mean = flat.mean(0)
        _, values, components = torch.svd_lowrank(flat - mean, q=min(PRINCIPAL, len(flat) - 1), niter=4)
        bins = torch.tensor(ab_bins())
        points = fields.permute(0, 2, 3, 1).reshape(-1, 2)
        points = points[:: 1 + len(points) // 50_000]
        return cls(components.T, values / len(flat) ** 0.5, mean, bins, class_weights(points, bins))

    def color_weights(self, ab: Tensor) -> Tensor:
        """B x 1 x h x w of B x 2 x h x w."""
        points = ab.permute(0, 2, 3, 1).reshape(-1, 2)
        nearest = torch.cdist(points, self.bins).argmin(1)
        return self.weights[nearest].view(len(ab), 1, *ab.shape[2:])


def field_losses(decoded: Tensor, ab: Tensor, statistics: FieldStatistics, unit: float) -> dict[str, Tensor]:
    """The decoder's losses of the paper, section 3: "field", "principal" and "gradient".

    Args:
        decoded, ab: B x 2 x 64 x 64, ab units. unit: ab units to one unit of the losses.
    """
    difference = (decoded - ab) / unit
    projected = difference.flatten(1) @ statistics.components.T  # B x PRINCIPAL
    along = projected / (statistics.deviations / unit)
    rest = difference.flatten(1) - projected @ statistics.components
    return {
        "field": (statistics.color_weights(ab) * difference.square()).mean(),
        "principal": along.square().mean() + rest.square().mean() / (statistics.deviations[-1] / unit).square(),
        "gradient": sum((_steps(decoded, axis) - _steps(ab, axis)).square().mean() / unit**2 for axis in (-2, -1)),  # pyright: ignore[reportReturnType]
    }


def _steps(x: Tensor, axis: int) -> Tensor:
    """Differences of neighbours."""
    return x.diff(dim=axis)


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, I)), mean over pictures (Kingma and Welling 2014)."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean()


def mixture_loss(log_weights: Tensor, means: Tensor, codes: Tensor, deviation: float) -> Tensor:
    """Negative log-likelihood of codes under the mixture, the nearest Gaussian alone (paper, section 4).

    Args:
        log_weights: B x M. means: B x M x code. codes: B x code. deviation: of every Gaussian.
    """
    squared = (means - codes[:, None]).square().sum(2) / (2 * deviation**2)
    nearest = squared.argmin(1, keepdim=True)
    energy = squared.gather(1, nearest) * deviation**2  # scaled: the deviation acts as a temperature when drawing
    return (energy - log_weights.gather(1, nearest)).mean()


def at_side(ab: Tensor, side: int) -> Tensor:
    """B x 2 x h x w to B x 2 x side x side, without aliasing."""
    if ab.shape[-1] == side and ab.shape[-2] == side:
        return ab
    return F.interpolate(ab, (side, side), mode="bilinear", antialias=True, align_corners=False)
