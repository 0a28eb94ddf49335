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

    VIVID: the decoder's, made vivid where it is certain. DIRECT: the regression head's, faint where in doubt.
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


def vivid(direct: Tensor, gain: float, chroma: float, calm: Tensor | None = None) -> Tensor:
    """Faint ab made vivid where it is not faint with doubt: factors of 1 for greys up to 1 + gain for vivid colors.

    Args:
        direct: B x 2 x H x W, Lab units. gain: 0 and up. chroma: at which half of the gain is reached, ab units.
        calm: B x 1 x H x W, 0..1, the part of the gain that a place goes without; None for none.

    Returns:
        B x 2 x H x W.
    """
    own = direct.square().sum(1, keepdim=True).sqrt()
    more = gain * own / (own + chroma)
    return direct * (1 + (more if calm is None else more * (1 - calm)))
