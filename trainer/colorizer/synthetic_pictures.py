"""Synthetic pictures: shapes, stripes and blobs of one colour each, shaded and rough, one in front of another.

Photographs alone leave open why a shaded thing keeps its colour through all its tones. Here the reason is plain: a
region without an edge has one colour, whatever its lightness. Must not import networks or files.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from trainer.common.picture_data import AB_STEP, Batch
from trainer.common.random_tensors import chosen as chance
from trainer.common.random_tensors import uniform

SHAPES = 7  # in front of the background, later ones before earlier ones
COLORS = 6  # of a synthetic picture, at most
GRAINS = (1, 2, 4, 12)  # px, of roughness
SHADES = 3  # numbers along a side of which smooth shading is made
VIVID = (0.8, 1.8)  # factor on the chroma of the colours that are taken from photographs


def with_synthetic(batch: Batch, chosen: Tensor, generator: torch.Generator) -> Batch:
    """The batch with the chosen pictures (B, not 0) exchanged for synthetic ones, of colours that the batch has."""
    index = chosen.flatten().nonzero().flatten()
    if not len(index):
        return batch
    lab = torch.cat((F.avg_pool2d(batch.lightness, AB_STEP), batch.ab), 1).flatten(2)  # B x 3 x P
    cell = torch.randint(lab.shape[2], (len(index), COLORS), generator=generator, device=lab.device)
    first, second = (torch.randperm(len(lab), generator=generator, device=lab.device)[: len(index)] for _ in range(2))
    mixed = uniform((len(index), COLORS), 0, 1, generator) < uniform((len(index), 1), -0.5, 1, generator)
    source = torch.where(mixed, second[:, None], first[:, None])  # one photograph for some, two for others
    colors = lab.transpose(1, 2)[source, cell]  # n x COLORS x 3
    lightness, ab = make_pictures(colors, batch.lightness.shape[-1], generator)
    lights = batch.lightness.index_copy(0, index, lightness)
    return replace(batch, lightness=lights, ab=batch.ab.index_copy(0, index, ab))


def make_pictures(colors: Tensor, side: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """One picture for each row of colours.

    Args:
        colors: B x K x 3, Lab.
        side: px, a multiple of AB_STEP.

    Returns:
        Lightness B x 1 x side x side, 0..100, and ab B x 2 x side / AB_STEP x side / AB_STEP.
    """
    region = _regions(len(colors), side, generator)  # B x side x side
    batch = len(colors)
    of_region = torch.randint(colors.shape[1], (batch, SHAPES + 1), generator=generator, device=colors.device)
    color = colors.gather(1, of_region[..., None].expand(-1, -1, 3))  # B x R x 3
    base = color[..., 0] + uniform((batch, SHAPES + 1), -15, 15, generator)
    fields = _fields(batch, side, generator)  # B x F x side x side
    weights = uniform((batch, SHAPES + 1, fields.shape[1]), -1, 1, generator) ** 3  # most regions are smooth in most
    flat = region.flatten(1)[:, None]  # B x 1 x P
    own = weights.transpose(1, 2).gather(2, flat.expand(-1, fields.shape[1], -1))  # B x F x P
    lightness = base.gather(1, flat[:, 0]) + (own * fields.flatten(2)).sum(1)
    lightness = lightness.clamp(2, 98)
    vivid = uniform((batch, 1, 1), *VIVID, generator)
    ab = color[..., 1:].transpose(1, 2).gather(2, flat.expand(-1, 2, -1)) * vivid
    room, of_base = (room_for_chroma(tones, 30, 15) for tones in (lightness, base.clamp(25, 88)))
    ab = ab * room[:, None] / of_base.gather(1, flat[:, 0])[:, None]
    light, ab = lightness.unflatten(1, (1, side, side)), ab.unflatten(2, (side, side))
    soft = chance(batch, 0.5, generator)  # as lenses make them
    light = light + soft * (F.avg_pool2d(light, 3, 1, 1, count_include_pad=False) - light)
    return light, F.avg_pool2d(ab, AB_STEP)


def room_for_chroma(lightness: Tensor, dark: float = 25.0, light: float = 12.0) -> Tensor:
    """How much chroma sRGB has room for, 0..1: all from `dark` L up to `light` below white, none in black and white."""
    return (lightness / dark).clamp(0, 1) * ((100 - lightness) / light).clamp(0, 1)


def _regions(batch: int, side: int, generator: torch.Generator) -> Tensor:
    """Which shape is to be seen at each pixel, B x side x side int64; 0 is the background."""
    at = (torch.arange(side, device=generator.device) + 0.5) / side - 0.5
    warp = _smooth(batch, 2, 5, side, generator) * uniform((batch, 1, 1, 1), 0, 0.2, generator)
    y, x = at[:, None] + warp[:, 0], at[None, :] + warp[:, 1]  # B x side x side
    region = torch.zeros((batch, side, side), dtype=torch.int64, device=generator.device)
    for shape in range(1, SHAPES + 1):
        one = (batch, 1, 1)
        angle = uniform(one, 0, 2 * math.pi, generator)
        across, down = x - uniform(one, -0.5, 0.5, generator), y - uniform(one, -0.5, 0.5, generator)
        wide, high = (torch.exp(uniform(one, -3.0, -0.5, generator)) for _ in range(2))
        u = (across * angle.cos() + down * angle.sin()) / wide
        v = (down * angle.cos() - across * angle.sin()) / high
        ellipse, box = u.square() + v.square() < 1, torch.maximum(u.abs(), v.abs()) < 1
        stripes = (u / 2).frac().abs() < uniform(one, 0.2, 0.7, generator)
        checks = ((u / 2).floor() + (v / 2).floor()) % 2 < 0.5
        dots = ((u / 4).frac().abs() - 0.5).square() + ((v / 4).frac().abs() - 0.5).square() < 0.12
        kind = uniform(one, 0, 1, generator)
        filled = torch.where(kind < 0.4, ellipse, box)
        for least, pattern in ((0.75, stripes), (0.88, checks), (0.94, dots)):
            filled = torch.where(kind > least, pattern, filled)
        region = torch.where(filled, shape, region)
    return region


def _fields(batch: int, side: int, generator: torch.Generator) -> Tensor:
    """Fields of which shading and roughness are mixed, B x F x side x side, units of L."""
    shading = 35 * _smooth(batch, 3, SHADES, side, generator)
    rough = torch.cat([_smooth(batch, 1, max(2, side // grain), side, generator) for grain in GRAINS], 1)
    return torch.cat((shading, 22 * rough * uniform((batch, len(GRAINS), 1, 1), 0, 1, generator)), 1)


def _smooth(batch: int, count: int, cells: int, side: int, generator: torch.Generator) -> Tensor:
    """Smooth chance of -1..1: B x count x side x side, of `cells` numbers along a side."""
    chance = uniform((batch, count, cells, cells), -1, 1, generator)
    return F.interpolate(chance, size=(side, side), mode="bilinear", align_corners=False)
