"""Which colour of a palette suits which pixel: parts of scores without weights. Must not import networks or files."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

COLOUR_TERMS = 10  # of `colour_terms`
TILT_UNIT = 10.0  # L, in which tilts count lightness
LOOSENESS = (0.005, 0.7)  # of the match of means: where they are near already, and where they are far
NEAR = 2.5  # L, mean mismatch from which on a palette is taken for one of other tones and the match loosens fast
NEWTON_STEPS = 5


def colour_terms(lab: Tensor) -> Tensor:
    """Lab (... x 3) to COLOUR_TERMS simple terms of order 1, in which a score can say "near that colour" or "vivid"."""
    scale = lab.new_tensor([50.0, 40.0, 40.0])
    light, a, b = (lab / scale - lab.new_tensor([1.0, 0.0, 0.0])).unbind(-1)
    chroma = (a * a + b * b + 1e-4).sqrt()
    return torch.stack((light, a, b, chroma, light * light, a * a, b * b, a * b, light * a, light * b), -1)


@dataclass(frozen=True, slots=True)
class Tones:
    """A mixture of normals over lightness, one for each colour; each B x K x 1.

    means, widths: units of L. shares: 0..1, 0 for a colour that is not there.
    """

    means: Tensor
    widths: Tensor
    shares: Tensor

    @classmethod
    @torch.no_grad()
    def fitted(cls, lightness: Tensor, palette: Tensor, given: Tensor, steps: int = 8, spread: float = 6.0) -> Tones:
        """The mixture that a picture's tones suggest, by expectation maximisation.

        The means are the colours' own; shares and spreads follow from the picture, so that a colour for which it has no
        tones takes few pixels, and one for a wide range of tones takes many.

        Args:
            lightness: B x 1 x h x w. palette: B x K, L. given: B x K bool.
            spread: of a colour's tones at the start, units of L.
        """
        light, means = lightness.flatten(2).float(), palette[..., None].float()
        shares = given[..., None] / given.sum(1).clamp(min=1)[:, None, None]
        tones = cls(means, torch.full_like(means, spread), shares)
        squared = (light - means).square()  # B x K x P
        for _ in range(steps):
            owned = tones._scores(light).softmax(1)
            part = owned.mean(2, keepdim=True)
            shares = (part + 0.05) / (1 + 0.05 * means.shape[1]) * given[..., None]
            widths = (owned * squared).mean(2, keepdim=True) + 0.05 * spread**2
            tones = cls(means, (widths / (part + 0.05)).sqrt().clamp(2, 25), shares)
        return tones

    def scores(self, lightness: Tensor) -> Tensor:
        """Log-probability of each colour at each pixel: B x 1 x h x w to B x K x h x w, -8..0."""
        scores = self._scores(lightness.flatten(2).float())
        return scores.log_softmax(1).clamp(min=-8).unflatten(2, lightness.shape[2:])

    def _scores(self, light: Tensor) -> Tensor:
        """B x 1 x P to B x K x P."""
        scores = (self.shares + 1e-9).log() - self.widths.log() - 0.5 * ((light - self.means) / self.widths).square()
        return scores.masked_fill(self.shares == 0, -1e4)


def tilts(scores: Tensor, lightness: Tensor, palette: Tensor, near: float = NEAR) -> Tensor:
    """What to add to a colour's scores for each TILT_UNIT above its lightness, so that means of lightness match.

    A palette's colours are means of a picture's pixels, so the mean lightness of the pixels that take a colour should
    be the colour's own. Of all shares of pixels that obey this, those nearest to softmax(scores) in relative entropy
    are softmax(scores + tilt * (lightness - palette)) (I-projection, Csiszar 1975); the tilts minimise a convex
    function of one number a colour, here by Newton's method, with a quadratic term that keeps them finite where means
    cannot match. A palette of other tones than the picture's, be it from elsewhere or be the picture faded, owes it no
    means: its mismatch is large before anything is tilted, and with it the weight of the quadratic term.
    Gradients are those of the minimum (implicit function theorem), at a constant weight.

    Args:
        scores: B x (1 + K) x h x w, first of what has no lightness of its own. lightness: B x 1 x h x w, 0..100.
        palette: B x K, L. near: see NEAR, units of L.

    Returns:
        B x K; 0 for colours that no pixel takes.
    """
    scores = scores.flatten(2).float()
    apart = (lightness.flatten(2).float() - palette[..., None].float()) / TILT_UNIT  # B x K x P

    def pulls(tilt: Tensor) -> Tensor:
        others = scores[:, 1:] + tilt[..., None] * apart
        return torch.cat((scores[:, :1], others), 1).softmax(1)[:, 1:] * apart  # B x K x P

    def newton(tilt: Tensor) -> Tensor:
        pull = pulls(tilt)
        with torch.no_grad():
            curvature = torch.diag_embed((pull * apart).mean(2) + looseness)
            curvature = curvature - (pull @ pull.transpose(1, 2)).float() / pull.shape[2]
        return tilt - torch.linalg.solve(curvature, pull.mean(2) + looseness * tilt).clamp(-1, 1)

    with torch.no_grad():
        tilt = torch.zeros_like(palette, dtype=torch.float32)
        mismatch = pulls(tilt).mean(2).abs().sum(1, keepdim=True) * TILT_UNIT
        looseness = (LOOSENESS[0] * (1 + (mismatch / near) ** 6)).clamp(max=LOOSENESS[1])
        for _ in range(NEWTON_STEPS - 1):
            tilt = newton(tilt)
    return newton(tilt)  # the last step, from near the minimum, carries the gradient


def tilted(scores: Tensor, lightness: Tensor, palette: Tensor, tilt: Tensor) -> Tensor:
    """Scores (B x (1 + K) x h x w) with the `tilts` of K colours laid on."""
    apart = (lightness - palette[..., None, None]) / TILT_UNIT
    return scores + F.pad(tilt[..., None, None] * apart, (0, 0, 0, 0, 1, 0))


def refined(scores: Tensor, pixels: Tensor, gains: Tensor, mask: Tensor) -> Tensor:
    """Add to scores how like a pixel is to those that a colour has, once for each gain.

    So a region goes together, and a colour's sure pixels draw in those that look like them (Locatello et al. 2020, slot
    attention, with colours for slots).

    Args:
        scores: B x K x h x w. pixels: B x C x h x w, compared by cosine after the picture's mean is taken off.
        gains: one a round. mask: B x K bool, which colours there are.

    Returns:
        B x K x h x w; -1e4 where `mask` is False.
    """
    scores = scores.masked_fill(~mask[:, :, None, None], -1e4)
    pixels = F.normalize(pixels - pixels.mean((2, 3), keepdim=True), dim=1)
    for gain in gains:
        owned = scores.softmax(1)
        typical = F.normalize(torch.einsum("bkhw,bchw->bkc", owned, pixels), dim=2)
        scores = scores + gain * torch.einsum("bchw,bkc->bkhw", pixels, typical)
    return scores


def mixed(shares: Tensor, colours: Tensor) -> Tensor:
    """Shares of colours, B x K x h x w, and the colours, B x K x c, to their sum, B x c x h x w."""
    return torch.einsum("bkhw,bkc->bchw", shares, colours)


def lacking(ab: Tensor, shares: Tensor, colours: Tensor) -> Tensor:
    """How far each colour is from the mean of the pixels that take it.

    A palette's colours are means of a picture's pixels. Pixels in doubt between two colours are mixed, so the mean of
    those that take a colour falls short of it; where such pixels are, those that are a colour's beyond doubt lie
    farther out than the colour itself.

    Args:
        ab: B x 2 x h x w. shares: B x K x h x w. colours: B x K x 2.

    Returns:
        B x K x 2, in the units of ab. For a colour that no pixel takes it means nothing.
    """
    taken = shares.sum((2, 3))[..., None].clamp(min=1e-3)
    return colours - torch.einsum("bkhw,bchw->bkc", shares, ab) / taken
