"""Degradation of pictures by time and scanners: tone curves, blur, stains, scratches, halftone, JPEG, grain.

Only lightness is degraded; the target colours stay those of the clean picture. Must not import data or networks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

from trainer.common.random_tensors import chosen, uniform

BLOCK = 8  # px, of JPEG
QUALITY = (20.0, 80.0)  # of JPEG
HALFTONE_PERIOD = (2.2, 5.0)  # px, period of a print screen or of its moire with the scanner
HALFTONE_DEPTH = 12.0  # L, at most
SCRATCH = 95.0  # L
GRAIN = 7.0  # L, standard deviation at most


@dataclass(frozen=True, slots=True)
class DegradationConfig:
    """Shares (0..1) of the degraded pictures to which each thing is done; without change, nothing is done."""

    tone_curve: float = 0.0  # faded, darkened, brightened
    blur: float = 0.0
    uneven_light: float = 0.0  # uneven light, stains
    scratches: float = 0.0
    halftone: float = 0.0  # halftone of printed pictures
    noise: float = 0.0
    jpeg: float = 0.0
    share: float = 1.0  # of a batch's pictures that are degraded; at 1 no chance is drawn for it


def degraded(lightness: Tensor, config: DegradationConfig, generator: torch.Generator) -> Tensor:
    """Degraded lightness of the clean one (B x 1 x H x W, 0..100); all chance comes from `generator`."""
    picked = chosen(len(lightness), config.share, generator) if config.share < 1 else lightness.new_ones((1, 1, 1, 1))
    for share, defect in (
        (config.tone_curve, tone_curved),
        (config.blur, blurred),
        (config.uneven_light, unevenly_lit),
        (config.scratches, scratched),
        (config.halftone, halftoned),
        (config.noise, grained),
        (config.jpeg, compressed),
    ):
        index = (picked * chosen(len(lightness), share, generator)).flatten().nonzero().flatten()
        if len(index):
            lightness = lightness.index_copy(0, index, defect(lightness[index], generator))
    return lightness.clamp(0, 100)


def tone_curved(lightness: Tensor, generator: torch.Generator) -> Tensor:
    """Another black, another white, another gamma for each picture."""
    shape = (len(lightness), 1, 1, 1)
    low, high = uniform(shape, 0, 25, generator), uniform(shape, 75, 100, generator)
    gamma = torch.exp(uniform(shape, -0.5, 0.5, generator))
    return low + (high - low) * (lightness / 100).clamp(0, 1) ** gamma


def blurred(lightness: Tensor, generator: torch.Generator) -> Tensor:
    """Means of 3 x 3 px."""
    return F.avg_pool2d(lightness, 3, 1, 1, count_include_pad=False)


def unevenly_lit(lightness: Tensor, generator: torch.Generator) -> Tensor:
    """Wide stains, lighter and darker."""
    stains = uniform((len(lightness), 1, 3, 3), -22, 22, generator)
    return lightness + F.interpolate(stains, size=lightness.shape[-2:], mode="bicubic", align_corners=False)


def scratched(lightness: Tensor, generator: torch.Generator, count: int = 4) -> Tensor:
    """Up to `count` thin straight white lines."""
    batch, _, height, width = lightness.shape
    y = torch.arange(height, device=lightness.device)[None, :, None] / height - 0.5
    x = torch.arange(width, device=lightness.device)[None, None, :] / width - 0.5
    marked = torch.zeros_like(lightness, dtype=torch.bool)
    for _ in range(count):
        angle, offset = uniform((2, batch, 1, 1), -1, 1, generator)
        across = (x * torch.cos(3.2 * angle) + y * torch.sin(3.2 * angle) - 0.5 * offset).abs()
        along = (y * torch.cos(3.2 * angle) - x * torch.sin(3.2 * angle)).abs()
        length = uniform((batch, 1, 1), 0, 0.5, generator)
        marked |= ((across < 0.7 / height) & (along < length))[:, None]
    return torch.where(marked, SCRATCH, lightness)


def halftoned(lightness: Tensor, generator: torch.Generator) -> Tensor:
    """A print's dots: a grid at an angle, strongest in the middle tones."""
    batch, _, height, width = lightness.shape
    y = torch.arange(height, device=lightness.device)[None, None, :, None]
    x = torch.arange(width, device=lightness.device)[None, None, None, :]
    shape = (batch, 1, 1, 1)
    angle = uniform(shape, 0, torch.pi / 2, generator)
    pitch = 2 * torch.pi / uniform(shape, *HALFTONE_PERIOD, generator)
    along, across = x * angle.cos() + y * angle.sin(), y * angle.cos() - x * angle.sin()
    middle = (lightness * (100 - lightness) / 2500).clamp(0, 1)
    depth = uniform(shape, 0, HALFTONE_DEPTH, generator)
    return lightness + depth * middle * torch.cos(pitch * along) * torch.cos(pitch * across)


def grained(lightness: Tensor, generator: torch.Generator) -> Tensor:
    """Normal noise of a strength of its own for each picture."""
    sigma = uniform((len(lightness), 1, 1, 1), 0, GRAIN, generator)
    return lightness + sigma * torch.randn(lightness.shape, generator=generator, device=lightness.device)


def compressed(lightness: Tensor, generator: torch.Generator) -> Tensor:
    """JPEG of any quality."""
    return jpeg(lightness, uniform((len(lightness),), *QUALITY, generator))


@lru_cache(maxsize=1)
def _cosines() -> Tensor:
    """The orthonormal DCT-II of BLOCK samples, a basis vector a row."""
    k, n = torch.arange(BLOCK)[:, None], torch.arange(BLOCK)[None]
    basis = torch.cos(torch.pi / BLOCK * (n + 0.5) * k) * (2 / BLOCK) ** 0.5
    basis[0] /= 2**0.5
    return basis


def jpeg(lightness: Tensor, quality: Tensor) -> Tensor:
    """Lightness as JPEG of a quality keeps it: blocks whose frequencies are rounded, the fine ones more coarsely.

    Args:
        lightness: B x 1 x H x W, 0..100; what is over of whole blocks stays as it is. quality: B, above 0.
    """
    batch, _, height, width = lightness.shape
    rows, columns = height // BLOCK, width // BLOCK
    inner = lightness[:, 0, : rows * BLOCK, : columns * BLOCK]
    blocks = inner.reshape(batch, rows, BLOCK, columns, BLOCK).transpose(2, 3)
    basis = _cosines().to(lightness)
    rank = torch.arange(BLOCK).to(lightness)
    steps = (1 + 0.6 * (rank[:, None] + rank[None])) * 6.3  # about the standard table, in units of L
    steps = steps * 50 / quality[:, None, None, None, None]
    kept = (basis @ blocks @ basis.T / steps).round() * steps
    result = lightness.clone()
    restored = (basis.T @ kept @ basis).transpose(2, 3).reshape(batch, rows * BLOCK, columns * BLOCK)
    result[:, 0, : rows * BLOCK, : columns * BLOCK] = restored
    return result
