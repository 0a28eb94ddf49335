"""Which palette colour suits which pixel: the parts of the scores that have no weights.

Must not import networks or files.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

COLOR_TERMS = 10  # of `color_terms`
EM_STEPS = 8
EM_SPREAD = 6.0  # L, standard deviation of a colour's tones at the start
EM_PRIOR = 0.05  # pseudo-count of every component, so that none dies out
EM_WIDTHS = (2.0, 25.0)  # L, bounds of a component's standard deviation: noise of scans, and half the range of tones
LEAST_SCORE = -8.0  # log-probability of a tone below which colours are not told apart
DUAL_UNIT = 10.0  # L to one unit of a dual variable
LOOSENESS = (0.005, 0.7)  # quadratic penalty of the dual variables: where means are near already, and where far
NEAR = 2.5  # L, mean mismatch from which on a palette counts as one of other tones and the penalty rises
NEWTON_STEPS = 5
MASKED = -1e4  # score of a colour that is not given


def color_terms(lab: Tensor) -> Tensor:
    """Polynomial terms of a colour, of order 1: with them a linear head expresses "near that colour" or "vivid".

    Args:
        lab: ... x 3, Lab.

    Returns:
        ... x COLOR_TERMS.
    """
    scale = lab.new_tensor([50.0, 40.0, 40.0])
    light, a, b = (lab / scale - lab.new_tensor([1.0, 0.0, 0.0])).unbind(-1)
    chroma = (a * a + b * b + 1e-4).sqrt()
    return torch.stack((light, a, b, chroma, light * light, a * a, b * b, a * b, light * a, light * b), -1)


@dataclass(frozen=True, slots=True)
class ToneMixture:
    """A Gaussian mixture over lightness, one component for each palette colour; each B x K x 1.

    means, widths: L. weights: 0..1, 0 for a colour that is not given.
    """

    means: Tensor
    widths: Tensor
    weights: Tensor

    @classmethod
    @torch.no_grad()
    def fitted(cls, lightness: Tensor, palette: Tensor, given: Tensor) -> ToneMixture:
        """Fit weights and widths to a picture's tones by expectation maximisation; the means stay the colours' own.

        A colour for which the picture has no tones takes few pixels, one for a wide range of tones takes many.

        Args:
            lightness: B x 1 x h x w, 0..100. palette: B x K, L. given: B x K bool.
        """
        light, means = lightness.flatten(2).float(), palette[..., None].float()
        weights = given[..., None] / given.sum(1).clamp(min=1)[:, None, None]
        mixture = cls(means, torch.full_like(means, EM_SPREAD), weights)
        squared = (light - means).square()  # B x K x P
        for _ in range(EM_STEPS):
            owned = mixture._scores(light).softmax(1)
            part = owned.mean(2, keepdim=True)
            weights = (part + EM_PRIOR) / (1 + EM_PRIOR * means.shape[1]) * given[..., None]
            variance = (owned * squared).mean(2, keepdim=True) + EM_PRIOR * EM_SPREAD**2
            mixture = cls(means, (variance / (part + EM_PRIOR)).sqrt().clamp(*EM_WIDTHS), weights)
        return mixture

    def scores(self, lightness: Tensor) -> Tensor:
        """Log-probability of each colour at each pixel: B x 1 x h x w to B x K x h x w, LEAST_SCORE..0."""
        scores = self._scores(lightness.flatten(2).float())
        return scores.log_softmax(1).clamp(min=LEAST_SCORE).unflatten(2, lightness.shape[2:])

    def _scores(self, light: Tensor) -> Tensor:
        """B x 1 x P to B x K x P."""
        scores = (self.weights + 1e-9).log() - self.widths.log() - 0.5 * ((light - self.means) / self.widths).square()
        return scores.masked_fill(self.weights == 0, MASKED)


def mean_matching_duals(scores: Tensor, lightness: Tensor, palette: Tensor, near: float = NEAR) -> Tensor:
    """Dual variables that make the mean lightness of a colour's pixels the colour's own.

    A palette's colours are means of a picture's pixels. Of all assignments whose means match, the one nearest to
    softmax(scores) in relative entropy is softmax(scores + dual * (lightness - palette)) (I-projection, Csiszar 1975).
    The duals minimise a convex function of one number a colour, here by Newton's method, with a quadratic penalty that
    keeps them finite where means cannot match. A palette of other tones than the picture's has a large mismatch at the
    start, and with it a large penalty. Gradients follow from the implicit function theorem, at a constant penalty.

    Args:
        scores: B x (1 + K) x h x w, first the automatic colour's, which has no lightness of its own.
        lightness: B x 1 x h x w, 0..100. palette: B x K, L. near: see NEAR.

    Returns:
        B x K; 0 for colours that no pixel takes.
    """
    scores = scores.flatten(2).float()
    apart = (lightness.flatten(2).float() - palette[..., None].float()) / DUAL_UNIT  # B x K x P

    def moments(dual: Tensor) -> Tensor:
        others = scores[:, 1:] + dual[..., None] * apart
        return torch.cat((scores[:, :1], others), 1).softmax(1)[:, 1:] * apart  # B x K x P

    def newton(dual: Tensor) -> Tensor:
        moment = moments(dual)
        with torch.no_grad():
            curvature = torch.diag_embed((moment * apart).mean(2) + looseness)
            curvature = curvature - (moment @ moment.transpose(1, 2)).float() / moment.shape[2]
        return dual - torch.linalg.solve(curvature, moment.mean(2) + looseness * dual).clamp(-1, 1)

    with torch.no_grad():
        dual = torch.zeros_like(palette, dtype=torch.float32)
        mismatch = moments(dual).mean(2).abs().sum(1, keepdim=True) * DUAL_UNIT
        looseness = (LOOSENESS[0] * (1 + (mismatch / near) ** 6)).clamp(max=LOOSENESS[1])
        for _ in range(NEWTON_STEPS - 1):
            dual = newton(dual)
    return newton(dual)  # the last step, from near the minimum, carries the gradient


def apply_duals(scores: Tensor, lightness: Tensor, palette: Tensor, dual: Tensor) -> Tensor:
    """Scores (B x (1 + K) x h x w) with `mean_matching_duals` (B x K) of K colours (B x K, L) added."""
    apart = (lightness - palette[..., None, None]) / DUAL_UNIT
    return scores + F.pad(dual[..., None, None] * apart, (0, 0, 0, 0, 1, 0))


def iterative_assignment(scores: Tensor, features: Tensor, gains: Tensor, mask: Tensor) -> Tensor:
    """Add to scores the similarity of a pixel to the pixels that a colour has, once for each gain.

    A region so goes together, and a colour's certain pixels draw in similar ones (Locatello et al. 2020, slot
    attention, with colours for slots).

    Args:
        scores: B x K x h x w. features: B x C x h x w, compared by cosine after the picture's mean is taken off.
        gains: one a round. mask: B x K bool, which colours are given.

    Returns:
        B x K x h x w; MASKED where `mask` is False.
    """
    scores = scores.masked_fill(~mask[:, :, None, None], MASKED)
    features = F.normalize(features - features.mean((2, 3), keepdim=True), dim=1)
    for gain in gains:
        weights = scores.softmax(1)
        typical = F.normalize(torch.einsum("bkhw,bchw->bkc", weights, features), dim=2)
        scores = scores + gain * torch.einsum("bchw,bkc->bkhw", features, typical)
    return scores


def mix(weights: Tensor, colors: Tensor) -> Tensor:
    """Assignment weights, B x K x h x w, and colours, B x K x c, to their sum, B x c x h x w."""
    return torch.einsum("bkhw,bkc->bchw", weights, colors)


def mean_shift(ab: Tensor, weights: Tensor, colors: Tensor) -> Tensor:
    """What each colour lacks of the mean of the pixels that take it, B x K x 2, in the units of ab.

    Pixels in doubt between two colours are mixed, so the mean of those that take a colour falls short of it. For a
    colour that no pixel takes, the value means nothing.

    Args:
        ab: B x 2 x h x w. weights: B x K x h x w. colors: B x K x 2.
    """
    taken = weights.sum((2, 3))[..., None].clamp(min=1e-3)
    return colors - torch.einsum("bkhw,bchw->bkc", weights, ab) / taken
