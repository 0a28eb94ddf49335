"""Losses of the transfer sub-net (Xu et al. 2020; Johnson et al. 2016): reconstruction, content, Gram matrices.

Must not import data or the loop.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from t2c_engine.color.lab import lab_to_srgb
from t2c_engine.networks.exemplar import FINE, Transfer
from trainer.common.perceptual import PerceptualDistance
from trainer.common.picture_data import AB_STEP
from trainer.exemplar.config import TransferLossWeights
from trainer.exemplar.data import NEIGHBOR, OWN, PairBatch

LOSSES = ("loss", "reconstruction", "blend", "content", "style")
AB_UNIT = 50.0  # ab units to one of squared distances
STYLE_LAYERS = (0, 1, 3, 5, 7)  # fire2, fire3, fire5, fire7, fire9, where the paper has conv1_1 .. conv5_1
STYLE_WEIGHTS = (1.0, 0.75, 0.2, 0.2, 0.2)


def transfer_losses(
    output: Transfer,
    batch: PairBatch,
    weights: TransferLossWeights,
    perceptual: PerceptualDistance | None,
    share: float,
) -> dict[str, Tensor]:
    """Every loss of LOSSES.

    Args:
        perceptual: whose features content and style are taken of; None: neither counts.
        share: of the batch that they are taken of.
    """
    true = F.avg_pool2d(batch.ab, FINE // AB_STEP)
    automatic = F.interpolate(batch.automatic, true.shape[-2:], mode="bilinear", align_corners=False)
    blended = automatic + output.confidence * (output.ab - automatic)
    counts = (batch.kind == OWN).float() + weights.neighbor * (batch.kind == NEIGHBOR)
    losses = {
        "reconstruction": (_distance(output.ab, true, weights.squared) * counts).mean(),
        "blend": _distance(blended, true, weights.squared).mean(),
        "content": true.new_zeros(()),
        "style": true.new_zeros(()),
    }
    some = max(1, round(share * len(true)))
    if perceptual is not None and (weights.content or weights.style):
        shown = blended if weights.blend else output.ab
        made = perceptual.features(_rgb(batch.lightness[:some], shown[:some]))
        with torch.no_grad():
            wanted = perceptual.features(_rgb(batch.lightness[:some], batch.ab[:some]))
            style = perceptual.features(_rgb(batch.reference_lightness[:some], batch.reference_ab[:some]))
        losses["content"] = content_loss(made, wanted)
        losses["style"] = (style_loss(made, style) * (batch.kind[:some] <= NEIGHBOR)).mean()
    losses["loss"] = sum((getattr(weights, name) * losses[name] for name in LOSSES[1:]), true.new_zeros(()))
    return losses


def _distance(predicted: Tensor, true: Tensor, squared: bool) -> Tensor:
    """Mean over each picture, B."""
    apart = (predicted - true).square().sum(1)
    apart = apart / AB_UNIT**2 if squared else (apart + 1.0).sqrt()
    return apart.mean((1, 2))


def content_loss(made: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
    """Mean squared difference of channel-normalized features, over all layers."""
    parts = [
        (F.normalize(a.float(), dim=1) - F.normalize(b.float(), dim=1)).square().sum(1).mean()
        for a, b in zip(made, wanted, strict=True)
    ]
    return torch.stack(parts).mean()


def style_loss(made: Sequence[Tensor], style: Sequence[Tensor]) -> Tensor:
    """Squared differences of Gram matrices by STYLE_WEIGHTS, of each picture, B."""
    parts = []
    for layer, weight in zip(STYLE_LAYERS, STYLE_WEIGHTS, strict=True):
        difference = gram(made[layer]) - gram(style[layer])
        parts.append(weight * difference.square().sum((1, 2)))
    return torch.stack(parts).sum(0)


def gram(features: Tensor) -> Tensor:
    """B x C x h x w to B x C x C: mean products of channel-normalized features."""
    flat = F.normalize(features.float(), dim=1).flatten(2)
    return flat @ flat.mT / flat.shape[2]


def _rgb(lightness: Tensor, ab: Tensor) -> Tensor:
    """B x 3 x S x S sRGB, 0..1; colors beyond it are clipped."""
    ab = F.interpolate(ab.float(), lightness.shape[-2:], mode="bilinear", align_corners=False)
    return lab_to_srgb(torch.cat((lightness, ab), 1).movedim(1, -1)).movedim(-1, 1).clamp(0, 1)
