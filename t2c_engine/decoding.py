"""From a distribution over the 313 ab bins to one colour a pixel (M3; Zhang et al. 2016, section 2.3).

Must not import networks, pictures or files; torch only when it decodes, for the command line names the ways too.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

TEMPERATURE = 0.38  # of the annealed mean, the paper's
TOP = 5  # bins of the top-k mean
DIRECT = "direct"  # no decoding: the network's own colours as it gives them, without the bins


class Decoding(StrEnum):
    """How logits become a colour.

    CENTROID: the centre of the most probable bin, vivid and blotchy. TOP: the mean of the TOP most probable bins, by
    their annealed probabilities. MEAN: the annealed mean over all bins, the calmest.
    """

    CENTROID = "centroid"
    TOP = "top"
    MEAN = "mean"


def decode_bins(logits: Tensor, bins: Tensor, decoding: Decoding, temperature: float = TEMPERATURE) -> Tensor:
    """B x Q x h x w logits over Q x 2 bin centres (Lab units) to B x 2 x h x w ab.

    Raises:
        ValueError: the temperature is not above 0.
    """
    import torch

    if temperature <= 0:
        raise ValueError(f"the temperature {temperature} must be above 0")
    if decoding is Decoding.CENTROID:
        return bins[logits.argmax(1)].permute(0, 3, 1, 2)
    if decoding is Decoding.TOP:
        best, index = logits.topk(TOP, 1)
        weights = (best / temperature).softmax(1)
        return torch.einsum("bkhw,bkhwc->bchw", weights, bins[index])
    return torch.einsum("bqhw,qc->bchw", (logits / temperature).softmax(1), bins)
