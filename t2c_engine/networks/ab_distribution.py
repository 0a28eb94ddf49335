"""What a distribution over the 313 ab bins says of given colours. Must not import networks or files."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from t2c_engine.color.lab import ab_bins

KERNEL = 10.0  # ab units, standard deviation with which a colour claims the probability of bins near it
SKIN_HUES = (25.0, 75.0)  # degrees in the ab plane, of skin of every tone
SKIN_CHROMA = (8.0, 42.0)  # ab units
SKIN_PROBABLE = (0.45, 0.75)  # probability of a skin's hue, sharpened, from which on a place counts, and counts whole
BLUE_HUES = (200.0, 220.0, 300.0, 320.0)  # degrees: none, all from the second to the third, none again
SHARPNESS = 2.0  # power to which the distribution is raised where nature is asked: rebalancing has made it broad
FLOOR = 1e-3  # least likelihood, so that logarithms stay bounded


def log_likelihood(probable: Tensor, colors: Tensor) -> Tensor:
    """Log-probability of bins near each colour, B x K x h x w, log FLOOR..0.

    Args:
        probable: B x Q x h x w, distribution over the ab bins. colors: B x K x 2, ab.
    """
    claims = _claims(colors.float(), probable)  # B x K x Q
    return (torch.einsum("bqhw,bkq->bkhw", probable, claims) + FLOOR).clamp(max=1).log()


def evidence(likely: Tensor) -> Tensor:
    """How much likelier a colour is at a place than in the whole picture: a log-ratio, of the size of `likely`.

    Args:
        likely: B x K x h x w, of `log_likelihood`.
    """
    return likely - likely.exp().mean((2, 3), keepdim=True).log()


def certainty(probable: Tensor, ab: Tensor) -> Tensor:
    """How certain a colour field is: the probability of bins near it, FLOOR..1, B x 1 x h x w.

    Args:
        probable: B x Q x h x w. ab: B x 2 x h x w, Lab units.
    """
    claims = _claims(ab.flatten(2).transpose(1, 2).float(), probable)  # B x P x Q
    likely = (claims * probable.flatten(2).transpose(1, 2)).sum(2)
    return (likely + FLOOR).clamp(max=1).view(len(ab), 1, *ab.shape[2:])


def sharpened(logits: Tensor) -> Tensor:
    """B x Q x h x w logits over the ab bins to probabilities, as nature has them rather than training's weights."""
    return (SHARPNESS * logits).softmax(1)


def skin(probable: Tensor) -> Tensor:
    """The probability of bins of a skin's hue, B x 1 x h x w.

    Args:
        probable: B x Q x h x w, distribution over the ab bins.
    """
    a, b = torch.tensor(ab_bins(), device=probable.device).unbind(-1)
    hue, chroma = torch.rad2deg(torch.atan2(b, a)), torch.hypot(a, b)
    among = (hue > SKIN_HUES[0]) & (hue < SKIN_HUES[1]) & (chroma > SKIN_CHROMA[0]) & (chroma < SKIN_CHROMA[1])
    return torch.einsum("bqhw,q->bhw", probable, among.to(probable.dtype))[:, None]


def skin_places(probable: Tensor) -> Tensor:
    """How far a place counts as skin, B x 1 x h x w, 0..1.

    Args:
        probable: B x Q x h x w, of `sharpened`.
    """
    least, whole = SKIN_PROBABLE
    return ((skin(probable) - least) / (whole - least)).clamp(0, 1)


def blues(ab: Tensor) -> Tensor:
    """How far colors are of a blue hue, B x 1 x h x w, 0..1, of B x 2 x h x w."""
    rise, first, last, fall = BLUE_HUES
    hue = torch.rad2deg(torch.atan2(ab[:, 1:], ab[:, :1])) % 360
    return ((hue - rise) / (first - rise)).clamp(0, 1) * ((fall - hue) / (fall - last)).clamp(0, 1)


def skin_or_blue(logits: Tensor, ab: Tensor) -> Tensor:
    """How far a place is skin or blue, B x 1 x H x W, 0..1.

    Args:
        logits: B x Q x h x w, over the ab bins. ab: B x 2 x H x W, its automatic color, Lab units.
    """
    skins = F.interpolate(skin_places(sharpened(logits.float())), ab.shape[2:], mode="bilinear", align_corners=False)
    return torch.maximum(skins, blues(ab))


def _claims(colors: Tensor, probable: Tensor) -> Tensor:
    """B x N x 2 colours to B x N x Q Gaussian weights of the bins."""
    bins = torch.tensor(ab_bins(), device=probable.device)
    return (-torch.cdist(colors, bins[None]).square() / (2 * KERNEL**2)).exp()
