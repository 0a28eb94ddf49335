"""The one palette extraction: five colours out of a picture, for training, evaluation and use alike.

k-means in Lab over a picture reduced to small size, batched in torch, and deterministic: the start is greedy k-means++
without chance. Must not import files, networks or the trainer.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

SIDE = 24  # the picture is averaged to SIDE x SIDE cells first
CANDIDATES = 96  # cells that may start a cluster
ITERATIONS = 8
LIGHTNESS_WEIGHT = 0.6  # a difference of L counts this much of the same difference of a or b


def extract_palettes(lab: Tensor, count: int = 5) -> Tensor:
    """Palettes of a batch of pictures.

    Args:
        lab: B x 3 x H x W, Lab (L 0..100, ab -128..127); any size, 24 x 24 or more is best.
        count: colours to a palette.

    Returns:
        B x count x 3, Lab, darkest colour first. A picture of fewer than `count` colours repeats some.
    """
    cells = adaptive_avg_pool2d(lab, SIDE).flatten(2).transpose(1, 2)  # B x N x 3
    scale = torch.tensor([LIGHTNESS_WEIGHT, 1.0, 1.0], dtype=lab.dtype, device=lab.device)
    points = cells * scale
    centres = _refine(points, _greedy_start(points, count))
    order = centres[..., 0].argsort(dim=1, stable=True)
    return centres.gather(1, order[..., None].expand_as(centres)) / scale


def palette_of_points(lab: Tensor, count: int = 5, apart: float = 6.0) -> Tensor:
    """At most `count` colours that stand for single pixels; of clusters less than `apart` from another, one is kept.

    Args:
        lab: N x 3, Lab, N >= 1.

    Returns:
        n x 3, Lab, darkest first, 1 <= n <= count.
    """
    scale = torch.tensor([LIGHTNESS_WEIGHT, 1.0, 1.0], dtype=lab.dtype, device=lab.device)
    points = (lab * scale)[None]
    centres = _refine(points, _greedy_start(points, count))[0]
    kept = [centres[0]]
    for centre in centres[1:]:
        if min(float((centre - other).norm()) for other in kept) >= apart:
            kept.append(centre)
    colors = torch.stack(kept) / scale
    return colors[colors[:, 0].argsort(stable=True)]


def _greedy_start(points: Tensor, count: int) -> Tensor:
    """Greedy k-means++: each centre is the candidate that lowers the summed squared distance most (B x count x 3)."""
    batch, total, _ = points.shape
    step = max(1, total // CANDIDATES)
    candidates = points[:, ::step]  # B x C x 3
    squared = torch.cdist(points, candidates, compute_mode="donot_use_mm_for_euclid_dist").square()  # B x N x C
    nearest = torch.full((batch, total, 1), torch.inf, dtype=points.dtype, device=points.device)
    chosen = []
    for _ in range(count):
        best = torch.minimum(nearest, squared).sum(1).argmin(1)  # B
        chosen.append(candidates[torch.arange(batch, device=points.device), best])
        nearest = torch.minimum(nearest, squared.gather(2, best[:, None, None].expand(-1, total, 1)))
    return torch.stack(chosen, 1)


def _refine(points: Tensor, centres: Tensor) -> Tensor:
    """Lloyd's iterations; an empty cluster keeps its centre."""
    for _ in range(ITERATIONS):
        owner = torch.cdist(points, centres, compute_mode="donot_use_mm_for_euclid_dist").argmin(2)  # B x N
        member = torch.nn.functional.one_hot(owner, centres.shape[1]).to(points.dtype)  # B x N x count
        size = member.sum(1)[..., None]
        mean = torch.einsum("bnk,bnc->bkc", member, points) / size.clamp(min=1)
        centres = torch.where(size > 0, mean, centres)
    return centres
