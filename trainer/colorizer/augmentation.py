"""Augmentation of a batch, and which conditions are shown (degradation has a module of its own).

Recolouring teaches that the palette, not the object, decides the colour: a picture's own palette is exchanged for
another's, and its pixels move along. Must not import networks other than the condition type.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from t2c_engine.colorization.palette_extraction import LIGHTNESS_WEIGHT, extract_palettes
from t2c_engine.networks.colorizer import Condition
from t2c_engine.networks.picture_encoder import SCALE
from trainer.colorizer.degradation import DegradationConfig, degraded
from trainer.colorizer.synthetic_pictures import room_for_chroma, with_synthetic
from trainer.common.picture_data import AB_STEP, Batch
from trainer.common.random_tensors import chosen, uniform

GAMMA = 0.35  # natural logarithm, at most, as are the bounds of VIVID
VIVID = (-0.45, 0.3)
TURN = 0.25  # radians at most
CAST = 6.0  # ab units at most
BLACK = 16.0  # with it added, L is in proportion to the cube root of light (L = 116 f - 16)


@dataclass(frozen=True, slots=True)
class AugmentConfig:
    """Shares (0..1) of the pictures of a batch to which each thing is done; without change, nothing is done."""

    synthetic: float = 0.0  # exchanged for synthetic pictures
    cutmix: float = 0.0  # a part exchanged for another picture's
    color_jitter: float = 0.0  # of another exposure, vividness, hue and cast
    recolor: float = 0.0
    rotate_hue: float = 0.0
    no_palette: float = 0.0
    partial_palette: float = 0.0
    hints: float = 0.0
    hint_palette: float = 0.0  # of the pictures with hints: no palette but the hints' own colours
    degradation: DegradationConfig = field(default_factory=DegradationConfig)


@dataclass(frozen=True, slots=True)
class Example:
    """What the network sees (lightness, condition) and should answer (ab).

    clean: lightness before it was degraded. plausible: B, 1 where the colours are those of a photograph.
    """

    clean: Tensor
    lightness: Tensor
    condition: Condition
    ab: Tensor
    plausible: Tensor


def make_example(batch: Batch, config: AugmentConfig, generator: torch.Generator) -> Example:
    """One training example of a batch; all chance comes from `generator` (on the batch's device)."""
    synthetic, hue_turned, recolored = (
        chosen(len(batch.ab), share, generator) for share in (config.synthetic, config.rotate_hue, config.recolor)
    )
    batch = with_cutmix(with_synthetic(batch, synthetic, generator), config.cutmix, generator)
    batch = color_jitter(batch, config.color_jitter, generator)
    small = F.avg_pool2d(batch.lightness, AB_STEP)
    palette = extract_palettes(torch.cat((small, batch.ab), 1))
    ab, palette = rotate_hue(batch.ab, palette, hue_turned, generator)
    ab, palette = recolor(small, ab, palette, recolored, generator)
    plausible = (synthetic + hue_turned + recolored == 0).flatten().float()
    mask = _palette_mask(palette, config, generator)
    coarse = F.avg_pool2d(ab, SCALE // AB_STEP)
    hints = draw_hints(coarse, config.hints, generator)
    if hints is not None:
        lab = torch.cat((F.avg_pool2d(batch.lightness, SCALE), coarse), 1)
        palette, mask = hint_palette(lab, hints[:, 2:], palette, mask, config.hint_palette, generator)
    seen = degraded(batch.lightness, config.degradation, generator)
    return Example(batch.lightness, seen, Condition(palette, mask, hints), ab, plausible)


def with_cutmix(batch: Batch, share: float, generator: torch.Generator) -> Batch:
    """The batch with a part of `share` of its pictures, right of or below a straight cut, exchanged for another's.

    So one palette serves things that no photograph shows together, and regions must be told apart to be coloured (Yun
    et al. 2019, CutMix).
    """
    cut_in = chosen(len(batch.ab), share, generator)
    if not cut_in.any():
        return batch
    other = torch.randperm(len(cut_in), generator=generator, device=cut_in.device)
    upright = chosen(len(cut_in), 0.5, generator)
    side = batch.ab.shape[-1]
    cut = (uniform((len(cut_in), 1, 1, 1), 0.3, 0.7, generator) * side).round() / side  # between pixels of ab

    def mixed(part: Tensor) -> Tensor:
        down, across = ((torch.arange(n, device=part.device) + 0.5) / n for n in part.shape[-2:])
        beyond = upright * (across[None, :] > cut) + (1 - upright) * (down[:, None] > cut)
        return torch.where((cut_in * beyond) > 0, part[other], part)

    return replace(batch, lightness=mixed(batch.lightness), ab=mixed(batch.ab))


def color_jitter(batch: Batch, share: float, generator: torch.Generator) -> Batch:
    """The batch with `share` of its pictures as another camera or another hand could have made them.

    Gamma, vividness, a small turn of hue and a weak cast, which the palette then has too: colours of a picture that is
    seen again are not to be known by heart.
    """
    one = (len(batch.ab), 1, 1, 1)
    jittered = chosen(len(batch.ab), share, generator)
    if not jittered.any():
        return batch
    gamma = (uniform(one, -GAMMA, GAMMA, generator) * jittered).exp()
    vivid = (uniform(one, *VIVID, generator) * jittered).exp()
    angle = uniform(one[:1], -TURN, TURN, generator) * jittered.flatten()
    cast = uniform((len(batch.ab), 2, 1, 1), -CAST, CAST, generator) * jittered
    lightness = 100 * (batch.lightness.clamp(0, 100) / 100) ** gamma
    before, after = (F.avg_pool2d(light, AB_STEP) for light in (batch.lightness, lightness))
    exposure = ((after + BLACK) / (before + BLACK)).clamp(0.5, 2)  # chroma follows lightness, as exposed light does
    ab = turned(batch.ab, angle) * vivid * exposure + cast * room_for_chroma(after)
    return replace(batch, lightness=lightness, ab=ab)


def turned(ab: Tensor, angle: Tensor) -> Tensor:
    """ab (B x 2 x h x w) turned about grey by `angle` (B, radians)."""
    cos, sin = angle.cos(), angle.sin()
    turn = torch.stack((torch.stack((cos, -sin), -1), torch.stack((sin, cos), -1)), 1)  # B x 2 x 2
    return torch.einsum("bij,bjhw->bihw", turn, ab)


def rotate_hue(ab: Tensor, palette: Tensor, chosen: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Turn the ab plane of the chosen pictures and of their palettes by a random angle."""
    angle = uniform((len(ab),), 0, 2 * torch.pi, generator) * chosen.flatten()
    colors = turned(palette[..., 1:].transpose(1, 2)[..., None], angle)[..., 0].transpose(1, 2)
    return turned(ab, angle), torch.cat((palette[..., :1], colors), -1)


def recolor(
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
    target = ab + shift * room_for_chroma(small)
    flat = chosen[:, :, 0]
    return ab + chosen * (target - ab), palette + flat * (other - palette)


def _palette_mask(palette: Tensor, config: AugmentConfig, generator: torch.Generator) -> Tensor:
    batch, count, _ = palette.shape
    draw = uniform((batch, 1), 0, 1, generator)
    some = (uniform((batch, count), 0, 1, generator) < 0.6).float()
    none = config.no_palette
    mask = torch.where(draw < none + config.partial_palette, some, torch.ones_like(some))
    return torch.where(draw < none, torch.zeros_like(some), mask)


def draw_hints(ab: Tensor, share: float, generator: torch.Generator) -> Tensor | None:
    """Hints of the true ab (Zhang et al. 2017), points or patches of 3 cells: B x 3 x h x w, or None without any."""
    batch, _, height, width = ab.shape
    hinted = chosen(batch, share, generator)
    if not hinted.any():
        return None
    count = torch.exp(uniform((batch, 1, 1, 1), 0, 3.5, generator))  # 1 to 33
    seeds = (uniform((batch, 1, height, width), 0, 1, generator) < count / (height * width)).float()
    wide = F.max_pool2d(seeds, 3, 1, 1)
    mask = torch.where(uniform((batch, 1, 1, 1), 0, 1, generator) < 0.5, seeds, wide) * hinted
    return torch.cat((ab * mask, mask), 1)


def hint_palette(
    lab: Tensor, hints: Tensor, palette: Tensor, mask: Tensor, share: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Palette and mask in which `share` of the pictures with hints have some of the hints' colours for their palette.

    lab: B x 3 x h x w; hints: B x 1 x h x w, 1 where there is one; palette: B x K x 3; mask: B x K.
    """
    count = palette.shape[1]
    drawn = uniform((len(lab), lab[0, 0].numel()), 0.1, 1, generator) * hints.flatten(1)
    value, cell = drawn.topk(count, dim=1)
    colors = lab.flatten(2).gather(2, cell[:, None].expand(-1, 3, -1)).transpose(1, 2)  # B x K x 3
    taken = chosen(len(lab), share, generator)[:, 0, 0].bool() & (value[:, :1] > 0)  # B x 1
    return torch.where(taken[..., None], colors, palette), torch.where(taken, (value > 0).float(), mask)
