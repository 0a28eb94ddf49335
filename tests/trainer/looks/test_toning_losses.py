"""What pulls a toning towards true pictures: colour profiles, a classifier on channel statistics, plain photographs."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from t2c_engine.color.lab import srgb_to_lab
from t2c_engine.errors import UsageError
from t2c_engine.networks.color_profile import color_profile
from t2c_engine.networks.look_generator import LookConfig, LookGenerator
from trainer.looks.data import LookPictures, Sample
from trainer.looks.known_tonings import learn_known
from trainer.looks.local_colors import LocalColors
from trainer.looks.recognition import ChannelFeatures, DomainClassifier, channel_statistics, doubt, layer_distance
from trainer.looks.sorting import Domain, plain_pictures, read_plain
from trainer.looks.toning_losses import ToningLosses
from trainer.looks.typical_colors import TypicalColors

WARM, COLD = (6.0, 22.0), (-4.0, -22.0)


def pictures_around(colors: list[tuple[float, float]], count: int = 10, spread: float = 2.0) -> torch.Tensor:
    """count x len(colors) pictures, B x 3 x 32 x 32 Lab, those of one colour together."""
    chance = torch.Generator().manual_seed(3)
    made = []
    for a, b in colors:
        lightness = torch.rand((count, 1, 32, 32), generator=chance) * 60 + 20
        ab = torch.randn((count, 2, 32, 32), generator=chance) * spread
        made.append(torch.cat((lightness, ab + torch.tensor((a, b))[:, None, None]), 1))
    return torch.cat(made)


def test_a_profile_says_colors_and_their_tones():
    lab = torch.zeros(1, 3, 8, 8)
    lab[0, 0] = torch.linspace(0, 100, 64).view(8, 8)
    lab[0, 2] = lab[0, 0] / 5  # the lighter the yellower
    profile = color_profile(lab)[0]
    assert profile[3] == pytest.approx(50, abs=1.5), "the median of lightness"
    yellow = profile[35 + 4 : 35 + 8]
    assert (yellow.diff() > 4).all() and yellow[0] == pytest.approx(2.5, abs=0.5)


def test_pictures_of_a_domain_cost_nothing_and_others_more_the_farther_they_are():
    lab, domain = pictures_around([WARM, COLD]), torch.arange(2).repeat_interleave(10)
    typical = TypicalColors.of(color_profile(lab), domain, 2)
    own, other = typical.distance(lab, domain), typical.distance(lab, 1 - domain)
    half = lab.clone()
    half[:, 1:] = 0
    assert own < 0.1 and typical.distance(half, domain) > 1 and other > typical.distance(half, domain)


def test_colors_of_many_hues_are_not_typical_of_a_monochrome_domain():
    lab, domain = pictures_around([WARM]), torch.zeros(10, dtype=torch.long)
    typical = TypicalColors.of(color_profile(lab), domain, 1)
    many = pictures_around([WARM], spread=15.0)
    assert typical.distance(many, domain) > typical.distance(lab, domain) + 1


class Layers(torch.nn.Module):
    """As an EfficientNet: a stem, blocks, and their order."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self._conv_stem = torch.nn.Conv2d(3, 8, 3, 4)
        self._blocks = torch.nn.ModuleList(torch.nn.Conv2d(8, 8, 3) for _ in range(2))

    def extract_features(self, x: torch.Tensor) -> torch.Tensor:
        x = self._conv_stem(x)
        for block in self._blocks:
            x = block(torch.relu(x))
        return x


def test_a_classifier_learns_domains_and_doubts_others_only():
    lab, domain = pictures_around([WARM, COLD]), torch.arange(2).repeat_interleave(10)
    features = color_profile(lab)
    classifier = DomainClassifier.fit(features[::2], domain[::2], 2)
    logits = classifier.logits(features[1::2])
    assert torch.equal(logits.argmax(1), domain[1::2])
    assert doubt(10 * logits, domain[1::2]) == 0 and doubt(10 * logits, 1 - domain[1::2]) > 3


def test_channel_statistics_have_gradients_where_a_channel_is_flat():
    layers = ChannelFeatures(Layers())
    flat = torch.full((1, 3, 128, 128), 0.5, requires_grad=True)
    found = layers(flat)
    channel_statistics(found).sum().backward()
    assert len(found) == 3 and flat.grad is not None and bool(flat.grad.isfinite().all())
    assert layer_distance(found, found) == 0
    assert all(not one.requires_grad for one in layers.parameters())


def look_pictures(lab: torch.Tensor) -> LookPictures:
    colors = lab[:, 1:].round().to(torch.int8)
    lightness = (lab[:, :1] * 2.55).round().to(torch.uint8)
    return LookPictures(
        lightness, colors, colors * 0, torch.zeros(len(lab), 112, 2, 2), tuple(map(str, range(len(lab))))
    )


def test_a_toning_is_recognised_and_its_distance_from_the_input_is_known():
    lab, domain = pictures_around([WARM, COLD, (0.0, 0.0)]), torch.arange(3).repeat_interleave(10)
    losses = ToningLosses(look_pictures(lab), domain, 2, 1, ChannelFeatures(Layers()))
    plain = lab[20:24]
    indices, flipped = torch.arange(20, 24), torch.zeros(4, dtype=torch.bool)
    given = Sample(plain[:, :1], plain[:, 1:], torch.zeros(4, 112, 2, 2), indices, flipped)
    target = torch.tensor([0, 0, 1, 2])  # the last asks for automatic colour, which is not compared
    toned = plain + torch.tensor([[0.0, *WARM], [0.0, *WARM], [0.0, *COLD], [0.0, 70.0, 70.0]])[:, :, None, None]
    right, none = losses(given, toned, target), losses(given, plain, target)
    assert right.recognition < none.recognition and right.typical < 0.2 < none.typical
    assert none.content == 0 and right.content > 0
    made = toned.clone().requires_grad_(True)
    terms = losses(given, made, target)
    (terms.recognition + terms.content + terms.typical).backward()
    assert made.grad is not None and bool(made.grad.isfinite().all())
    assert float(losses(given, toned, torch.full((4,), 2)).typical) == 0


def test_things_have_the_colors_that_like_things_have_in_a_domain():
    """Skies above and leaves below: in one domain they are blue and green, in the other both are brown."""
    kinds = torch.zeros(20, 112, 2, 2)
    kinds[:, :56, 0] = 1.0
    kinds[:, 56:, 1] = 1.0
    lab = pictures_around([(0.0, 0.0)] * 2, spread=0.0)
    lab[:10, 1:, :16], lab[:10, 1:, 16:] = (
        torch.tensor(ab)[None, :, None, None] for ab in ((0.0, -30.0), (-20.0, 20.0))
    )
    lab[10:, 1:] = torch.tensor((10.0, 20.0))[None, :, None, None]
    pictures = replace(look_pictures(lab), features=kinds.half())
    local = LocalColors.of(pictures, torch.arange(2).repeat_interleave(10), 2)
    first, other = torch.tensor([0]), torch.tensor([10])
    straight, leafy, brown = torch.tensor([False]), torch.tensor([0]), torch.tensor([1])
    upright, plain = lab[:1, 1:], lab[10:11, 1:]
    assert local.distance(upright, other, straight, leafy) < 0.05, "whatever picture has that sky and these leaves"
    assert (
        local.distance(upright.flip(2), other, straight, leafy) > 3
        and local.distance(plain, first, straight, leafy) > 2
    )
    assert local.distance(plain, first, ~straight, brown) < 0.05


def test_pictures_that_have_a_toning_are_recognised_and_automatic_color_is_not():
    lab, domain = pictures_around([WARM, COLD, (0.0, 0.0)], 20), torch.arange(3).repeat_interleave(20)
    torch.manual_seed(0)
    network = LookGenerator(LookConfig(targets=3, features=False, recognizes=True))
    learn_known(network, look_pictures(lab[::2]), domain[::2], 1)
    has = torch.sigmoid(network.recognized(color_profile(lab[1::2])))
    own = has[:20].gather(1, domain[1::2][:20, None])
    assert own.min() > 0.8 and has[20:].max() < 0.2 and has[:10, 1].max() < 0.2


def test_colors_beyond_srgb_are_seen_as_they_are_rendered():
    from trainer.looks.toning_losses import _rgb

    lab = torch.tensor([50.0, 10.0, -110.0])[None, :, None, None].expand(1, 3, 128, 128)
    seen = srgb_to_lab(_rgb(lab)[0].movedim(0, -1).numpy())
    assert abs(seen[0, 0, 0] - 50) < 1 and np.degrees(np.arctan2(*seen[0, 0, :0:-1])) == pytest.approx(-84.8, abs=3)


def test_plain_photographs_are_those_of_no_domain(tmp_path):
    path = tmp_path / "domains.toml"
    path.write_text('[plain]\nnames = "x"\nlimit = 3\n[domains.a]\n[domains.b]\n')
    plain = read_plain(path)
    assert plain == Domain("plain", "plain", "x", (), 3)
    known = type("Pictures", (), {"names": np.array([f"x{one}" for one in range(8)] + ["y0"])})
    found = plain_pictures(known, plain, {"a": np.array([0, 1]), "b": np.array([8])})  # type: ignore[arg-type]
    assert len(found) == 3 and set(found) <= set(range(2, 8))
    path.write_text("[plain]\nhue = [0, 1]\n[domains.a]\n[domains.b]\n")
    with pytest.raises(UsageError, match="hue, which is not known"):
        read_plain(path)
    path.write_text("[domains.a]\n[domains.b]\n")
    assert read_plain(path) is None and len(plain_pictures(known, None, {})) == 0  # type: ignore[arg-type]
