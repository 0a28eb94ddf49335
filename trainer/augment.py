"""What training does to a batch: recolouring, worn lightness, and which conditions are shown.

Recolouring teaches that the palette, not the object, decides the colour: a picture's own palette is exchanged for
another's, and its pixels move along. Must not import networks other than the condition type.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from t2c_engine.extraction import LIGHTNESS_WEIGHT, extract_palettes
from t2c_engine.networks.colorizer import SCALE, Condition
from trainer.image_data import Batch


@dataclass(frozen=True, slots=True)
class AugmentConfig:
    """Shares (0..1) of the pictures of a batch to which each thing is done."""

    recolour: float = 0.35
    rotate_hue: float = 0.1
    tone: float = 0.35  # faded, darkened, brightened
    noise: float = 0.3
    blur: float = 0.2
    light: float = 0.1  # uneven light, stains
    scratches: float = 0.05
    no_palette: float = 0.12
    partial_palette: float = 0.08
    hints: float = 0.3
    dab_palette: float = 0.6  # of the pictures with hints: no palette but the hints' own colours


@dataclass(frozen=True, slots=True)
class Example:
    """What the network sees (lightness, condition) and should answer (ab).

    `clean` is lightness before it was worn, `kinds` as in `Batch`.
    """

    clean: Tensor
    lightness: Tensor
    condition: Condition
    ab: Tensor
    kinds: Tensor


def make_example(batch: Batch, config: AugmentConfig, generator: torch.Generator) -> Example:
    """One training example of a batch; all chance comes from `generator` (on the batch's device)."""
    small = F.avg_pool2d(batch.lightness, SCALE)
    palette = extract_palettes(torch.cat((small, batch.ab), 1))
    ab, palette = rotate_hue(batch.ab, palette, _chosen(len(small), config.rotate_hue, generator), generator)
    ab, palette = recolour(small, ab, palette, _chosen(len(small), config.recolour, generator), generator)
    mask = _palette_mask(palette, config, generator)
    hints = draw_hints(ab, config.hints, generator)
    if hints is not None:
        lab = torch.cat((small, ab), 1)
        palette, mask = dab_palette(lab, hints[:, 2:], palette, mask, config.dab_palette, generator)
    worn = wear(batch.lightness, config, generator)
    return Example(batch.lightness, worn, Condition(palette, mask, hints), ab, batch.kinds)


def _uniform(shape: tuple[int, ...], low: float, high: float, generator: torch.Generator) -> Tensor:
    return torch.rand(shape, generator=generator, device=generator.device) * (high - low) + low


def _chosen(batch: int, share: float, generator: torch.Generator) -> Tensor:
    """B x 1 x 1 x 1, 1.0 for about `share` of the pictures."""
    return (_uniform((batch, 1, 1, 1), 0, 1, generator) < share).float()


def rotate_hue(ab: Tensor, palette: Tensor, chosen: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Turn the ab plane of the chosen pictures and of their palettes by a random angle."""
    angle = _uniform((len(ab),), 0, 2 * torch.pi, generator) * chosen.flatten()
    cos, sin = angle.cos(), angle.sin()
    turn = torch.stack((torch.stack((cos, -sin), -1), torch.stack((sin, cos), -1)), 1)  # B x 2 x 2
    turned = torch.einsum("bij,bjhw->bihw", turn, ab)
    colours = torch.einsum("bij,bkj->bki", turn, palette[..., 1:])
    return turned, torch.cat((palette[..., :1], colours), -1)


def recolour(
    small: Tensor, ab: Tensor, palette: Tensor, chosen: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Exchange the palettes of the chosen pictures for another picture's, matched by lightness, and move the pixels.

    A pixel moves by the shifts of its own palette's colours, softly weighted by closeness; less so near black and
    white, where sRGB has no room for chroma.
    """
    other = palette[torch.randperm(len(ab), generator=generator, device=ab.device)]
    scale = palette.new_tensor([LIGHTNESS_WEIGHT, 1.0, 1.0])
    lab = torch.cat((small, ab), 1).flatten(2).transpose(1, 2) * scale  # B x P x 3
    squared = torch.cdist(lab, palette * scale).square()
    weights = (-squared / (2 * 8.0**2)).softmax(-1)  # B x P x K
    shift = torch.einsum("bpk,bkc->bcp", weights, (other - palette)[..., 1:]).view_as(ab)
    room = (small / 25).clamp(0, 1) * ((100 - small) / 12).clamp(0, 1)
    moved = ab + shift * room
    flat = chosen[:, :, 0]
    return ab + chosen * (moved - ab), palette + flat * (other - palette)


def wear(lightness: Tensor, config: AugmentConfig, generator: torch.Generator) -> Tensor:
    """Tone, blur and grain as of scans and old prints (B x 1 x H x W, 0..100); ab stays what it was."""
    batch = len(lightness)
    low = _uniform((batch, 1, 1, 1), 0, 25, generator)
    high = _uniform((batch, 1, 1, 1), 75, 100, generator)
    gamma = torch.exp(_uniform((batch, 1, 1, 1), -0.5, 0.5, generator))
    toned = low + (high - low) * (lightness / 100).clamp(0, 1) ** gamma
    lightness = lightness + _chosen(batch, config.tone, generator) * (toned - lightness)
    blurred = F.avg_pool2d(lightness, 3, 1, 1, count_include_pad=False)
    lightness = lightness + _chosen(batch, config.blur, generator) * (blurred - lightness)
    if config.light:
        stains = _uniform((batch, 1, 3, 3), -22, 22, generator)
        stains = F.interpolate(stains, size=lightness.shape[-2:], mode="bicubic", align_corners=False)
        lightness = lightness + _chosen(batch, config.light, generator) * stains
    if config.scratches:
        lightness = torch.where(scratches(lightness, config.scratches, generator), 95.0, lightness)
    sigma = _uniform((batch, 1, 1, 1), 0, 7, generator) * _chosen(batch, config.noise, generator)
    grain = torch.randn(lightness.shape, generator=generator, device=lightness.device)
    return (lightness + grain * sigma).clamp(0, 100)


def scratches(lightness: Tensor, share: float, generator: torch.Generator, count: int = 4) -> Tensor:
    """B x 1 x H x W bool: up to `count` thin straight lines in about `share` of the pictures."""
    batch, _, height, width = lightness.shape
    y = torch.arange(height, device=lightness.device)[None, :, None] / height - 0.5
    x = torch.arange(width, device=lightness.device)[None, None, :] / width - 0.5
    marked = torch.zeros_like(lightness, dtype=torch.bool)
    for _ in range(count):
        angle, offset = _uniform((2, batch, 1, 1), -1, 1, generator)
        across = (x * torch.cos(3.2 * angle) + y * torch.sin(3.2 * angle) - 0.5 * offset).abs()
        along = (y * torch.cos(3.2 * angle) - x * torch.sin(3.2 * angle)).abs()
        length = _uniform((batch, 1, 1), 0, 0.5, generator)
        marked |= ((across < 0.7 / height) & (along < length))[:, None]
    return marked & _chosen(batch, share, generator).bool()


def _palette_mask(palette: Tensor, config: AugmentConfig, generator: torch.Generator) -> Tensor:
    batch, count, _ = palette.shape
    draw = _uniform((batch, 1), 0, 1, generator)
    some = (_uniform((batch, count), 0, 1, generator) < 0.6).float()
    none = config.no_palette
    mask = torch.where(draw < none + config.partial_palette, some, torch.ones_like(some))
    return torch.where(draw < none, torch.zeros_like(some), mask)


def draw_hints(ab: Tensor, share: float, generator: torch.Generator) -> Tensor | None:
    """Dabs of the true ab (M4): few points or patches of 1 to 3 cells, B x 3 x h x w, or None if no picture has any."""
    batch, _, height, width = ab.shape
    chosen = _chosen(batch, share, generator)
    if not chosen.any():
        return None
    dabs = torch.exp(_uniform((batch, 1, 1, 1), 0, 3.5, generator))  # 1 to 33
    seeds = (_uniform((batch, 1, height, width), 0, 1, generator) < dabs / (height * width)).float()
    wide = F.max_pool2d(seeds, 3, 1, 1)
    mask = torch.where(_uniform((batch, 1, 1, 1), 0, 1, generator) < 0.5, seeds, wide) * chosen
    return torch.cat((ab * mask, mask), 1)


def dab_palette(
    lab: Tensor, dabs: Tensor, palette: Tensor, mask: Tensor, share: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Palette and mask in which `share` of the pictures with dabs have some of the dabs' colours for their palette.

    lab: B x 3 x h x w; dabs: B x 1 x h x w, 1 where there is one; palette: B x K x 3; mask: B x K.
    """
    count = palette.shape[1]
    drawn = _uniform((len(lab), lab[0, 0].numel()), 0.1, 1, generator) * dabs.flatten(1)
    value, cell = drawn.topk(count, dim=1)
    colours = lab.flatten(2).gather(2, cell[:, None].expand(-1, 3, -1)).transpose(1, 2)  # B x K x 3
    chosen = _chosen(len(lab), share, generator)[:, 0, 0].bool() & (value[:, :1] > 0)  # B x 1
    return torch.where(chosen[..., None], colours, palette), torch.where(chosen, (value > 0).float(), mask)
