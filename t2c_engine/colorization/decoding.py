"""Colour without a palette: the ways there are, and from 313 ab bins to one colour (Zhang et al. 2016, section 2.3).

Must not import networks, pictures or files; torch only when it decodes, for the command line names the ways too.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

TEMPERATURE = 0.38  # of the annealed mean, the paper's
TOP = 5  # bins of the top-k mean


class Decoding(StrEnum):
    """How automatic colour is decoded.

    VIVID: DIRECT made vivid, and moved towards the annealed mean. DIRECT: the regression head's, faint where in doubt.
    Of the bins: CENTROID, the centre of the most probable one, blotchy; TOP, the mean of the TOP most probable ones by
    their annealed probabilities; MEAN, the annealed mean over all.
    """

    VIVID = "vivid"
    DIRECT = "direct"
    CENTROID = "centroid"
    TOP = "top"
    MEAN = "mean"


def decode_bins(logits: Tensor, bins: Tensor, decoding: Decoding, temperature: float = TEMPERATURE) -> Tensor:
    """B x Q x h x w logits over Q x 2 bin centres (Lab units) to B x 2 x h x w ab.

    Raises:
        ValueError: the temperature is not above 0, or the decoding is not one of bins.
    """
    import torch

    if temperature <= 0:
        raise ValueError(f"the temperature {temperature} must be above 0")
    if decoding in (Decoding.VIVID, Decoding.DIRECT):
        raise ValueError(f"{decoding} is no decoding of bins")
    if decoding is Decoding.CENTROID:
        return bins[logits.argmax(1)].permute(0, 3, 1, 2)
    if decoding is Decoding.TOP:
        best, index = logits.topk(TOP, 1)
        weights = (best / temperature).softmax(1)
        return torch.einsum("bkhw,bkhwc->bchw", weights, bins[index])
    return torch.einsum("bqhw,qc->bchw", (logits / temperature).softmax(1), bins)


def vivid(direct: Tensor, annealed: Tensor, gain: float, share: float) -> Tensor:
    """Fine but faint ab made vivid: multiplied, and moved towards a coarse, annealed map at that map's resolution.

    Args:
        direct: B x 2 x H x W, Lab units. annealed: B x 2 x h x w of a lower resolution. gain: factor on direct.
        share: of the difference between annealed and direct that is added.

    Returns:
        B x 2 x H x W.
    """
    from torch.nn import functional as F

    low = F.adaptive_avg_pool2d(direct, (annealed.shape[-2], annealed.shape[-1]))
    difference = F.interpolate(annealed - low, direct.shape[-2:], mode="bilinear", align_corners=False)
    return gain * direct + share * difference
