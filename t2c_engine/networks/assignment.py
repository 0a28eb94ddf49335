"""Which colour of a palette suits which pixel: parts of scores without weights. Must not import networks or files."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

COLOUR_TERMS = 10  # of `colour_terms`


def colour_terms(lab: Tensor) -> Tensor:
    """Lab (... x 3) to COLOUR_TERMS simple terms of order 1, in which a score can say "near that colour" or "vivid"."""
    scale = lab.new_tensor([50.0, 40.0, 40.0])
    light, a, b = (lab / scale - lab.new_tensor([1.0, 0.0, 0.0])).unbind(-1)
    chroma = (a * a + b * b + 1e-4).sqrt()
    return torch.stack((light, a, b, chroma, light * light, a * a, b * b, a * b, light * a, light * b), -1)


@torch.no_grad()
def tone_scores(lightness: Tensor, palette: Tensor, given: Tensor, steps: int = 8, spread: float = 6.0) -> Tensor:
    """Log-probability of each colour at each pixel from lightness alone, by a mixture of normals fitted to the picture.

    The means are the colours' own; shares and spreads follow from the picture by expectation maximisation, so that a
    colour for which the picture has no tones takes few pixels, and one for a wide range of tones takes many.

    Args:
        lightness: B x 1 x h x w. palette: B x K, L. given: B x K bool.
        spread: of a colour's tones at the start, units of L.

    Returns:
        B x K x h x w, -8..0.
    """
    tones, means = lightness.flatten(2).float(), palette[..., None].float()
    share = given[..., None] / given.sum(1).clamp(min=1)[:, None, None]
    width = torch.full_like(means, spread)
    scores = tones
    for step in range(steps + 1):
        scores = (share + 1e-9).log() - width.log() - 0.5 * ((tones - means) / width).square()  # B x K x P
        scores = scores.masked_fill(~given[..., None], -1e4)
        if step < steps:
            owned = scores.softmax(1)
            part = owned.mean(2, keepdim=True)
            share = (part + 0.05) / (1 + 0.05 * means.shape[1]) * given[..., None]
            width = (owned * (tones - means).square()).mean(2, keepdim=True) + 0.05 * spread**2
            width = (width / (part + 0.05)).sqrt().clamp(2, 25)
    return scores.log_softmax(1).clamp(min=-8).unflatten(2, lightness.shape[2:])


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
