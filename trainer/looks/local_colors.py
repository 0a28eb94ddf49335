"""Which colours the things in a picture have in a domain: skies, faces and leaves each their own.

Cells of the pretrained encoder's features are looked up among those of a domain's true pictures; what is alike there
says mean and spread of ab, without any pair of pictures. Must not import networks.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from trainer.looks.data import LookPictures

MOST_CELLS = 1500  # of a domain that are looked among
SHARPNESS = 20.0  # of the softmax over cosines
LEAST_DEVIATION = 4.0  # Lab units
USUAL = 1.0  # standard deviations that cost nothing
AT_ONCE = 64  # pictures looked up together


@dataclass(frozen=True, slots=True)
class LocalColors:
    """mean, deviation: N x domains x 2 x f x f, Lab units in half precision, of N pictures' cells in each domain."""

    mean: Tensor
    deviation: Tensor

    @classmethod
    def of(cls, pictures: LookPictures, domain_of: Tensor, domains: int) -> LocalColors:
        """domain_of: N, the domain of each picture; `domains` and above are of none."""
        cells = _directions(pictures.features)  # N x cells x C
        side = pictures.features.shape[-1]
        ab = F.adaptive_avg_pool2d(pictures.ab.float(), side).flatten(2).transpose(1, 2)  # N x cells x 2
        means, deviations = [], []
        for one in range(domains):
            members = torch.nonzero(domain_of == one)[:, 0]
            places = torch.linspace(0, len(members) * cells.shape[1] - 1, MOST_CELLS).long().unique()
            known, colors = cells[members].flatten(0, 1)[places], ab[members].flatten(0, 1)[places]
            moments = torch.cat((colors, colors.square()), 1)
            found = torch.cat([_looked_up(part, known, moments) for part in cells.split(AT_ONCE)])
            means.append(found[..., :2])
            deviations.append((found[..., 2:] - found[..., :2].square()).clamp(min=LEAST_DEVIATION**2).sqrt())
        mean, deviation = (
            torch.stack(part, 1).transpose(2, 3).unflatten(3, (side, side)).half() for part in (means, deviations)
        )
        return cls(mean, deviation)

    def distance(self, ab: Tensor, indices: Tensor, flipped: Tensor, domain: Tensor) -> Tensor:
        """Mean of the standard deviations beyond the usual, over cells of results.

        Args:
            ab: B x 2 x h x w, Lab units. indices, flipped, domain: B, which pictures, mirrored or not, in which domain.
        """
        turned = flipped[:, None, None, None]
        mean, deviation = (part[indices, domain].float() for part in (self.mean, self.deviation))
        mean, deviation = (torch.where(turned, part.flip(3), part) for part in (mean, deviation))
        beyond = (F.adaptive_avg_pool2d(ab, mean.shape[-1]) - mean).abs() / deviation - USUAL
        return beyond.clamp(min=0).mean()


def _directions(features: Tensor) -> Tensor:
    """N x C x f x f features to N x cells x C of length 1, each channel counting as much as any other."""
    cells = features.float().flatten(2).transpose(1, 2)
    flat = cells.flatten(0, 1)
    return F.normalize((cells - flat.mean(0)) / (flat.std(0) + 1e-6), dim=2)


def _looked_up(cells: Tensor, known: Tensor, values: Tensor) -> Tensor:
    """B x cells x K: the mean of M x K `values` of M x C `known` cells, weighted by likeness."""
    return torch.softmax(SHARPNESS * (cells @ known.T), 2) @ values
