"""What is done to training pictures: defects, recolouring, joined and synthetic pictures, hints."""

import math

import torch

from trainer.colorizer.augmentation import AugmentConfig, color_jitter, hint_palette, make_example, with_cutmix
from trainer.colorizer.degradation import DegradationConfig, degraded, halftoned, jpeg
from trainer.colorizer.synthetic_pictures import make_pictures, with_synthetic
from trainer.common.picture_data import (
    Batch,
)


def test_degradation_and_recoloring_leave_shapes_and_ranges() -> None:
    batch = Batch(torch.rand(6, 1, 64, 64) * 100, torch.randn(6, 2, 32, 32) * 20)
    always = AugmentConfig(recolor=1, rotate_hue=1, hints=1, degradation=DegradationConfig(*[1.0] * 7))
    example = make_example(batch, always, torch.Generator().manual_seed(0))
    assert example.lightness.min() >= 0 and example.lightness.max() <= 100
    assert not torch.equal(example.ab, batch.ab) and example.condition.palette.shape == (6, 5, 3)
    hints = example.condition.hints
    assert hints is not None
    revealed = hints[:, 2:] > 0
    assert revealed.any() and torch.allclose(hints[:, :2], torch.nn.functional.avg_pool2d(example.ab, 2) * revealed)
    never = make_example(batch, AugmentConfig(no_palette=1), torch.Generator().manual_seed(0))
    assert torch.equal(never.ab, batch.ab) and torch.equal(never.lightness, batch.lightness)
    assert not never.condition.palette_mask.any()
    assert not example.plausible.any() and never.plausible.all()


def test_jpeg_keeps_flat_blocks_and_loses_fine_detail_first() -> None:
    flat, stripes = torch.full((1, 1, 16, 20), 43.0), torch.zeros(1, 1, 16, 20)
    stripes[..., ::2] = 12.0  # the finest frequency there is
    kept = jpeg(torch.cat((flat, stripes)), torch.tensor([50.0, 10.0]))
    assert (kept[0] - 43).abs().max() < 0.5
    assert kept[1, 0, :, :16].std() < 2 and torch.equal(kept[1, 0, :, 16:], stripes[0, 0, :, 16:])
    fine = jpeg(stripes, torch.tensor([1e4]))
    assert torch.allclose(fine, stripes, atol=0.1)


def test_a_halftone_marks_the_middle_tones() -> None:
    tones = torch.tensor([0.0, 50.0, 100.0]).view(3, 1, 1, 1).expand(3, 1, 32, 32)
    added = (halftoned(tones, torch.Generator().manual_seed(2)) - tones).flatten(1).std(1)
    assert added[0] == 0 and added[2] == 0 and added[1] > 0.1


def test_synthetic_pictures_have_regions_of_one_colour_whatever_their_lightness() -> None:
    colours = torch.tensor([[[55.0, 60, 30], [45, -40, 35]] * 3, [[60.0, 5, -50]] * 6])
    lightness, ab = make_pictures(colours, 64, torch.Generator().manual_seed(4))
    assert lightness.shape == (2, 1, 64, 64) and ab.shape == (2, 2, 32, 32)
    assert lightness.min() >= 0 and lightness.max() <= 100 and (lightness.flatten(1).std(1) > 5).all()
    hue = torch.atan2(ab[1, 1], ab[1, 0])[ab[1].norm(dim=0) > 5]
    assert torch.allclose(hue, torch.tensor(-50.0).atan2(torch.tensor(5.0)), atol=1e-3)


def test_cutmix_exchanges_a_part_of_some_pictures() -> None:
    flat = torch.arange(12.0).view(12, 1, 1, 1)
    batch = Batch(flat.expand(-1, 1, 32, 32), flat.expand(-1, 2, 16, 16))
    assert with_cutmix(batch, 0.0, torch.Generator().manual_seed(0)) is batch
    mixed = with_cutmix(batch, 0.5, torch.Generator().manual_seed(0))
    assert torch.equal(mixed.lightness[:, :, ::2, ::2], mixed.ab[:, :1]), "colour goes with lightness"
    parts = [set(picture.unique().tolist()) for picture in mixed.lightness]
    assert all(own in some for own, some in enumerate(parts)) and 2 <= sum(len(some) == 2 for some in parts) <= 10


def test_chosen_pictures_of_a_batch_are_exchanged_for_synthetic_ones() -> None:
    batch = Batch(torch.rand(40, 1, 32, 32) * 100, torch.randn(40, 2, 16, 16) * 20)
    assert with_synthetic(batch, torch.zeros(40), torch.Generator().manual_seed(0)) is batch
    chosen = torch.arange(40) % 4 == 0
    mixed = with_synthetic(batch, chosen.float(), torch.Generator().manual_seed(0))
    assert torch.equal(mixed.ab[~chosen], batch.ab[~chosen])
    assert (mixed.lightness[chosen] != batch.lightness[chosen]).flatten(1).any(1).all()


def test_color_jitter_keeps_black_white_and_where_colours_are() -> None:
    lightness = torch.linspace(0, 100, 32).view(1, 1, 1, 32).repeat(40, 1, 32, 1)
    ab = torch.tensor([60.0, 25.0]).view(1, 2, 1, 1).repeat(40, 1, 16, 16)
    batch = Batch(lightness, ab)
    assert color_jitter(batch, 0.0, torch.Generator().manual_seed(0)) is batch
    graded = color_jitter(batch, 0.5, torch.Generator().manual_seed(0))
    changed = (graded.ab - ab).abs().flatten(1).amax(1) > 0.1
    assert 10 < changed.sum() < 30
    assert torch.allclose(graded.lightness[~changed], lightness[~changed], atol=1e-3)
    light = graded.lightness[changed]
    assert (light.diff(dim=-1) > 0).all() and light.min() < 0.1 and light.max() > 99.9
    hue = torch.atan2(graded.ab[:, 1], graded.ab[:, 0])[changed, 0, 8] - math.atan2(25, 60)
    assert 0.05 < hue.abs().max() < 0.25 + math.asin(6 * 2**0.5 / 65 / 0.4), "a small turn and a weak cast"


def test_only_a_share_of_pictures_is_degraded() -> None:
    clean = torch.rand(60, 1, 32, 32) * 100
    scans = degraded(clean, DegradationConfig(tone_curve=1.0, noise=1.0, share=0.4), torch.Generator().manual_seed(1))
    changed = (scans != clean).flatten(1).any(1)
    assert 12 < changed.sum() < 36


def test_hints_can_be_a_picture_s_palette() -> None:
    generator = torch.Generator().manual_seed(1)
    lab = torch.randn(4, 3, 8, 8, generator=generator) * 20
    hints = torch.zeros(4, 1, 8, 8)
    hints[0, 0, 2, 3] = hints[1] = hints[2, 0, 1] = 1  # one, all, eight, none
    palette, mask = hint_palette(lab, hints, torch.full((4, 5, 3), 99.0), torch.ones(4, 5), 1.1, generator)
    assert mask.sum(1).tolist() == [1, 5, 5, 5]
    assert torch.equal(palette[0, 0], lab[0, :, 2, 3])
    assert all((colour == lab[2, :, 1].T).all(1).any() for colour in palette[2])
    assert torch.equal(palette[3], torch.full((5, 3), 99.0))  # without hints it keeps its own
