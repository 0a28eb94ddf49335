"""The colour networks: shapes, what a condition may and may not change, the paper's size."""

from dataclasses import replace

import pytest
import torch

from t2c_engine.color.lab import ab_bins, lab_to_srgb
from t2c_engine.networks.ab_distribution import certainty, evidence, log_likelihood
from t2c_engine.networks.colorizer import AUTOMATIC_LIMIT, NATURAL_SKIN, RESIDUAL_LIMIT, ColorizerNet, Condition
from t2c_engine.networks.layers import fuse_norms
from t2c_engine.networks.palette_assignment import (
    ToneMixture,
    apply_duals,
    iterative_assignment,
    mean_matching_duals,
    mean_shift,
    mix,
)
from t2c_engine.networks.palette_attention import PaletteAttention
from t2c_engine.networks.pretrained_encoder import PretrainedEncoder, grey_value
from tests.small_network import SMALL


@pytest.fixture
def network() -> ColorizerNet:
    torch.manual_seed(0)
    network = ColorizerNet(SMALL)
    for part in (network.color_head, network.pixel_embedding, network.score_heads, network.encoder.automatic):
        for started_at_zero in part.parameters():
            torch.nn.init.normal_(started_at_zero, std=0.3)
    for norm in network.modules():
        if isinstance(norm, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(norm.weight, 0.5, 1.5)  # those of residual blocks start at zero too
    return network.eval()


def test_untrained_each_pixel_takes_the_colour_nearest_in_lightness() -> None:
    palette = torch.tensor([[[10.0, 30, 0], [30, 0, 30], [50, -30, 0], [70, 0, -30], [90, 20, 20]]])
    lightness = palette[:, :, :1].repeat_interleave(32, 1).expand(-1, -1, 32).unsqueeze(1)  # bands of 32 rows
    ab = ColorizerNet(SMALL).eval()(lightness, Condition(palette, torch.ones(1, 5))).ab
    middle = ab[0, :, 8::16, 8].T  # one pixel in each band
    nearest = torch.cdist(middle, palette[0, :, 1:]).argmin(1)
    assert nearest.tolist() == [0, 1, 2, 3, 4]


def condition(count: int, given: float = 1.0, hints: torch.Tensor | None = None) -> Condition:
    palette = torch.rand(count, 5, 3, generator=torch.Generator().manual_seed(1)) * 60
    return Condition(palette, torch.full((count, 5), given), hints)


def test_colour_comes_at_half_the_size_and_one_encoding_serves_many(network: ColorizerNet) -> None:
    lightness = torch.rand(1, 1, 64, 96) * 100
    features = network.encode(lightness)
    many = network.decode(features.repeat(3), condition(3)).ab
    assert many.shape == (3, 2, 32, 48)
    for index in range(3):
        alone = condition(3)
        one = Condition(alone.palette[index : index + 1], alone.palette_mask[index : index + 1])
        assert torch.allclose(network.decode(features, one).ab, many[index : index + 1], atol=1e-4)


def test_colour_follows_edges_of_lightness_that_the_features_are_too_coarse_for() -> None:
    fine = ColorizerNet(SMALL).eval()
    for parameter in (fine.closeness, fine.tone_weight, fine.automatic_bias):
        parameter.data *= 4  # colours mix less
    lightness = torch.full((1, 1, 64, 64), 80.0)
    lightness[:, :, :, 34:] = 20  # an edge within a pixel of the features, between two of the colour's
    palette = torch.tensor([[[20.0, 40, 0], [80, -40, 0]]])
    ab = fine(lightness, Condition(palette, torch.ones(1, 2), score_scale=0.0)).ab
    assert ab.shape == (1, 2, 32, 32)
    assert (ab[0, 0, :, :17] < -35).all() and (ab[0, 0, :, 17:] > 35).all()


def test_the_score_scale_is_how_much_counts_beside_tones() -> None:
    """At 0 what was learned of colours beside their tones has no part in who takes which."""
    torch.manual_seed(2)
    light, asked = torch.rand(1, 1, 64, 64) * 100, condition(1)
    learned = ColorizerNet(SMALL).eval()
    other = ColorizerNet(SMALL).eval()
    other.load_state_dict(learned.state_dict())
    for network in (learned, other):
        for part in (network.pixel_embedding, network.score_heads):
            for parameter in part.parameters():
                torch.nn.init.normal_(parameter, std=0.05)
    apart = []
    for scale in (0.0, 0.5, 1.0):
        one, two = (net(light, replace(asked, score_scale=scale)).weights for net in (learned, other))
        apart.append((one - two).abs().mean().item())
    assert apart[0] < 1e-6 < apart[1] < apart[2]


def test_restored_tones_are_compared_with_the_palette() -> None:
    network = ColorizerNet(SMALL).eval()
    palette = torch.tensor([[[30.0, 40, 0], [70, -40, 0]]])
    faded = torch.full((1, 1, 32, 32), 42.0)
    before = network(faded, Condition(palette, torch.ones(1, 2)))
    with torch.no_grad():
        network.tone_heads[-1].bias.fill_(2.5)  # pyright: ignore[reportAttributeAccessIssue, reportCallIssue]
    after = network(faded, Condition(palette, torch.ones(1, 2)))
    assert (before.ab[:, 0] > 2).all() and (after.ab[:, 0] < -2).all()
    assert torch.allclose(after.lightness, faded[:, :, ::4, ::4] + 25)


def test_natural_gives_places_that_are_certain_their_automatic_colour(network: ColorizerNet) -> None:
    light, asked = torch.rand(1, 1, 64, 64) * 100, condition(1)
    with torch.no_grad():
        network.encoder.logits.weight.zero_()
        network.encoder.automatic.weight.zero_()
        automatic, logits = network.encoder.automatic.bias, network.encoder.logits.bias
        assert automatic is not None and logits is not None
        automatic.copy_(torch.tensor([10.0, 20.0]) / 110)
        logits.fill_(-10.0)
        bins = torch.cdist(torch.tensor([[10.0, 20.0]]), torch.tensor(ab_bins()))[0]
        logits[bins.argmin()] = 10.0  # sure of the bin of the automatic colour
    weights = [network(light, replace(asked, natural=value)).weights[:, 0].mean() for value in (0.0, 0.5, 1.0)]
    assert weights[0] < weights[1] < weights[2] and weights[2] > 0.9


def test_a_little_of_natural_keeps_skin_alone(network: ColorizerNet) -> None:
    light, asked = torch.rand(1, 1, 64, 64) * 100, condition(1)
    with torch.no_grad():
        network.encoder.logits.weight.zero_()
    logits = network.encoder.logits.bias
    assert logits is not None

    def weight_of_automatic(ab: tuple[float, float], natural: float) -> float:
        """Where the automatic distribution is sure of a colour."""
        with torch.no_grad():
            logits.fill_(-10.0)
            logits[torch.cdist(torch.tensor([ab]), torch.tensor(ab_bins()))[0].argmin()] = 10.0
            return float(network(light, replace(asked, natural=natural)).weights[:, 0].mean())

    skin, leaves = (18.0, 20.0), (-30.0, 30.0)
    half, whole = (weight_of_automatic(skin, value) - weight_of_automatic(skin, 0.0) for value in (0.1, NATURAL_SKIN))
    assert 0 < half < whole and weight_of_automatic(skin, NATURAL_SKIN) > 0.9
    assert weight_of_automatic(leaves, NATURAL_SKIN) == weight_of_automatic(leaves, 0.0)
    assert weight_of_automatic(leaves, 0.8) != weight_of_automatic(leaves, 0.0)


def test_a_result_stays_near_the_palette_and_the_automatic_colour(network: ColorizerNet) -> None:
    """However strong the heads: no third hue arises."""
    with torch.no_grad():
        for parameter in network.color_head.parameters():
            parameter.mul_(100)
    light, asked = torch.rand(1, 1, 64, 64) * 100, condition(1)
    features = network.encode(light)
    found = network.decode(features, asked)
    moved = (found.automatic[:, :, ::2, ::2] - features.automatic).abs()
    assert moved.mean() < 2 * AUTOMATIC_LIMIT
    assert found.residual.abs().max() <= 2 * RESIDUAL_LIMIT


def test_evidence_prefers_a_colour_where_its_bins_are_likelier() -> None:
    bins = torch.tensor(ab_bins())
    red, blue = torch.tensor([60.0, 40.0]), torch.tensor([10.0, -60.0])
    probable = torch.full((1, 313, 1, 2), 1e-4)
    probable[0, torch.cdist(red[None], bins)[0].argmin(), 0, 0] = 0.9
    probable[0, torch.cdist(blue[None], bins)[0].argmin(), 0, 1] = 0.9
    found = evidence(log_likelihood(probable, torch.stack((red, blue))[None]))[0, :, 0]
    assert found[0, 0] > 0.5 > -1 > found[0, 1] and found[1, 1] > 0.5 > -1 > found[1, 0]
    field = torch.stack((red, red), 1)[None, :, None]  # red at both places
    sure = certainty(probable, field)
    assert sure.shape == (1, 1, 1, 2) and sure[0, 0, 0, 0] > 0.5 and sure[0, 0, 0, 1] < 0.05


def test_the_encoder_is_the_package_s_network_with_norms_folded() -> None:
    package = pytest.importorskip("efficientnet_lite_pytorch")
    torch.manual_seed(0)
    theirs = package.EfficientNet.from_name("efficientnet-lite0").eval()
    for module in theirs.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.8, 1.2)
            module.running_mean.normal_(std=0.1)  # pyright: ignore[reportOptionalMemberAccess]
    ours = PretrainedEncoder()
    ours.load_imagenet(theirs.state_dict())
    grey = torch.rand(1, 1, 64, 96) * 100
    with torch.no_grad():
        x = theirs._swish(theirs._bn0(theirs._conv_stem(((grey_value(grey) * 255 - 127) / 128).expand(-1, 3, -1, -1))))
        for block in theirs._blocks:
            x = block(x)
        levels = ours(grey)
    assert [tuple(level.shape[1:]) for level in levels] == [(24, 16, 24), (40, 8, 12), (112, 4, 6), (320, 2, 3)]
    assert torch.allclose(levels[-1], x, atol=1e-3)


def test_frozen_blocks_take_no_gradient() -> None:
    encoder = PretrainedEncoder()
    encoder.frozen_blocks = 5
    torch.stack([level.mean() for level in encoder(torch.rand(1, 1, 64, 64) * 100)]).sum().backward()
    trained = [any(p.grad is not None for p in block.parameters()) for block in encoder.blocks]
    assert trained == [False] * 5 + [True] * 11


def test_grey_values_are_those_of_the_color_space() -> None:
    lightness = torch.linspace(0, 100, 21)
    lab = torch.stack((lightness, 0 * lightness, 0 * lightness), -1)
    assert torch.allclose(grey_value(lightness), lab_to_srgb(lab)[:, 1], atol=2e-3)


def test_a_colour_lacks_what_the_mean_of_its_pixels_falls_short_of() -> None:
    weights = torch.tensor([[[[1.0, 0.5]], [[0.0, 0.5]]]])  # a pixel of the first colour, one in doubt
    colours = torch.tensor([[[30.0, 0.0], [-10.0, 0.0]]])
    ab = mix(weights, colours)
    assert ab[0, 0].tolist() == [[30.0, 10.0]]
    short = mean_shift(ab, weights, colours)
    assert torch.allclose(short[0, :, 0], torch.tensor([30 - (30 + 0.5 * 10) / 1.5, -10 - 10.0]))
    spread = ab + mix(weights, short)
    assert (mean_shift(spread, weights, colours).abs() <= short.abs()).all()
    assert spread[0, 0, 0, 0] > 30, "what is the colour's beyond doubt lies farther out"


def test_mean_matching_leaves_colours_that_are_not_given_out(network: ColorizerNet) -> None:
    lightness = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(4)) * 100
    palette = torch.rand(1, 5, 3, generator=torch.Generator().manual_seed(1)) * 60
    mask = torch.tensor([[1.0, 1, 0, 0, 0]])
    other = torch.where(mask[..., None] > 0, palette, torch.full_like(palette, 77.0))
    one, two = (network(lightness, Condition(colours, mask)).ab for colours in (palette, other))
    assert torch.allclose(one, two, atol=1e-3)


def test_the_order_of_the_palette_does_not_matter(network: ColorizerNet) -> None:
    features = network.encode(torch.rand(1, 1, 64, 64) * 100)
    given = condition(1)
    turned = Condition(given.palette.flip(1), given.palette_mask)
    assert torch.allclose(network.decode(features, given).ab, network.decode(features, turned).ab, atol=1e-3)


def test_masked_colours_are_not_seen_however_strong_the_scores(network: ColorizerNet) -> None:
    lightness = torch.rand(1, 1, 64, 64) * 100
    with torch.no_grad():
        for part in network.modules():
            if isinstance(part, PaletteAttention):
                torch.nn.init.normal_(part.output.weight)
                part.query.weight.mul_(1e6)
    some = condition(1)
    given = torch.tensor([[1.0, 0, 1, 0, 0]])
    other = torch.where(given[..., None] > 0, some.palette, some.palette + 40)
    one, two = (network(lightness, Condition(palette, given)).ab for palette in (some.palette, other))
    assert torch.equal(one, two) and one.isfinite().all()


def test_masked_colours_are_not_seen(network: ColorizerNet) -> None:
    features = network.encode(torch.rand(1, 1, 64, 64) * 100)
    none = condition(1, given=0.0)
    other = Condition(none.palette + 30, none.palette_mask)
    assert torch.equal(network.decode(features, none).ab, network.decode(features, other).ab)
    assert not torch.equal(network.decode(features, none).ab, network.decode(features, condition(1)).ab)


def test_hints_change_colour_and_need_no_other_shape(network: ColorizerNet) -> None:
    features = network.encode(torch.rand(1, 1, 64, 64) * 100)
    dab = torch.zeros(1, 3, 16, 16)
    dab[0, :, 8, 8] = torch.tensor([40.0, 20.0, 1.0])
    assert not torch.equal(
        network.decode(features, condition(1)).ab, network.decode(features, condition(1, hints=dab)).ab
    )
    empty = torch.zeros(1, 3, 16, 16)
    assert torch.allclose(
        network.decode(features, condition(1)).ab, network.decode(features, condition(1, hints=empty)).ab, atol=1e-5
    )


def test_the_encoder_gives_313_logits_and_a_colour_that_no_condition_changes(network: ColorizerNet) -> None:
    features = network.encode(torch.rand(2, 1, 64, 96) * 100)
    assert features.logits.shape == (2, 313, 8, 12) and features.automatic.shape == (2, 2, 16, 24)


def test_folding_the_norms_changes_nothing() -> None:
    torch.manual_seed(0)
    network = ColorizerNet(SMALL)
    lightness = torch.rand(2, 1, 64, 64) * 100
    for _ in range(3):  # running statistics other than 0 and 1
        network(lightness, condition(2))
    network.eval()
    before = network(lightness, condition(2)).ab
    assert torch.allclose(fuse_norms(network)(lightness, condition(2)).ab, before, atol=1e-3)
    left = [name for name, module in network.named_modules() if isinstance(module, torch.nn.BatchNorm2d)]
    kept = ("levels.", "detail_head.norm")  # those of sums, not of convolutions
    assert left and all(name.startswith(kept) for name in left)


def test_deep_features_reach_the_colours_however_far_off_zero_they_are() -> None:
    """Constant offsets must not switch the decoder's channels off."""
    torch.manual_seed(0)
    network = ColorizerNet(SMALL)
    for weight in network.score_heads.parameters():
        if weight.ndim > 1:
            torch.nn.init.normal_(weight, std=0.3)
    features = network.encode(torch.rand(4, 1, 64, 64) * 100)
    fine, middle, coarse = features.skips
    shifted = replace(features, skips=(fine, middle, coarse - 50))
    first = network.decode(shifted, condition(4)).ab
    second = network.decode(replace(shifted, skips=(fine, middle, coarse.roll(1, 0) - 50)), condition(4)).ab
    assert (first - second).abs().mean() > 0.05


def test_tones_go_to_the_colour_whose_population_they_belong_to() -> None:
    generator = torch.Generator().manual_seed(3)
    dark, light = (mean + 2 * torch.randn(n, generator=generator) for mean, n in ((30, 768), (62, 256)))
    lightness = torch.cat((dark, light)).view(1, 1, 32, 32)
    palette = torch.tensor([[32.0, 60.0, 97.0, 45.0]])
    given = torch.tensor([[True, True, True, False]])
    scores = ToneMixture.fitted(lightness, palette, given).scores(lightness)
    chances = scores.exp()[0].flatten(1)
    assert scores.shape == (1, 4, 32, 32) and scores.min() >= -8 and scores.max() <= 0
    assert (chances[0, :768] > 0.95).float().mean() > 0.99 and (chances[1, 768:] > 0.95).float().mean() > 0.99
    assert chances[2].mean() < 0.01, "there are no tones near it"
    assert chances[3].max() < 0.001, "it is not given"


def test_a_wide_population_reaches_farther_than_a_narrow_one() -> None:
    generator = torch.Generator().manual_seed(4)
    narrow, wide = (mean + spread * torch.randn(512, generator=generator) for mean, spread in ((30, 1), (60, 12)))
    lightness = torch.cat((narrow, wide, torch.full((32,), 42.0))).view(1, 1, 33, 32)
    means, given = torch.tensor([[30.0, 60.0]]), torch.ones(1, 2, dtype=torch.bool)
    scores = ToneMixture.fitted(lightness, means, given).scores(lightness)
    assert (scores[0, 1].flatten()[-32:] > scores[0, 0].flatten()[-32:] + 2).all(), (
        "42 is nearer to 30, but 12 spreads off"
    )


def test_pixels_go_over_to_the_colour_whose_pixels_they_are_like() -> None:
    kinds = torch.tensor([0, 0, 0, 1, 1, 1, 1, 0])
    pixels = torch.nn.functional.one_hot(kinds).float().T.view(1, 2, 1, 8) + 5  # a common part says nothing
    scores = torch.zeros(1, 3, 1, 8)
    scores[0, 0, 0, :2] = scores[0, 1, 0, 3:6] = 3  # sure; the third, seventh and last pixel are not
    mask = torch.tensor([[True, True, False]])
    result = iterative_assignment(scores, pixels, torch.tensor([2.0, 2.0]), mask)
    assert result[0, :2, 0].argmax(0).tolist() == kinds.tolist()
    assert (result[0, 2] < -9e3).all()
    assert torch.equal(iterative_assignment(scores, pixels, torch.zeros(0), mask)[0, :2], scores[0, :2])


def test_the_pixels_of_a_colour_have_its_lightness_in_the_mean() -> None:
    generator = torch.Generator().manual_seed(5)
    scores = 2 * torch.randn((2, 4, 16, 20), generator=generator)
    scores[:, 3] = -1e4  # not given
    lightness = 100 * torch.rand((2, 1, 16, 20), generator=generator)
    palette = torch.tensor([[47.0, 54.0, 80.0]]).repeat(2, 1)

    def means(dual: torch.Tensor) -> torch.Tensor:
        share = apply_duals(scores, lightness, palette, dual).softmax(1)[:, 1:3]
        return (share * lightness).sum((2, 3)) / share.sum((2, 3))

    dual = mean_matching_duals(scores, lightness, palette)
    before, after = (means(t) - palette[:, :2] for t in (torch.zeros_like(dual), dual))
    assert (before.abs() > 1).any() and after.abs().max() < 0.25
    assert (dual[:, 2] == 0).all()


def test_a_palette_of_other_tones_is_hardly_held_to_means() -> None:
    generator = torch.Generator().manual_seed(7)
    scores = torch.randn((1, 4, 16, 20), generator=generator)
    lightness = 40 + 20 * torch.rand((1, 1, 16, 20), generator=generator)

    def moved(palette: torch.Tensor) -> torch.Tensor:
        """How far the means have come towards the palette's lightness, 0..1."""
        dual = mean_matching_duals(scores, lightness, palette)
        weights = [apply_duals(scores, lightness, palette, t).softmax(1)[:, 1:] for t in (0 * dual, dual)]
        before, after = ((s * lightness).sum((2, 3)) / s.sum((2, 3)) - palette for s in weights)
        return 1 - after.abs().sum() / before.abs().sum()

    assert moved(torch.tensor([[44.0, 50.0, 56.0]])) > 0.5
    assert moved(torch.tensor([[64.0, 70.0, 76.0]])) < 0.1


def test_duals_for_lightness_that_no_pixel_has_stay_finite() -> None:
    scores = torch.zeros(1, 3, 8, 8)
    lightness = torch.linspace(30, 40, 64).view(1, 1, 8, 8)
    dual = mean_matching_duals(scores, lightness, torch.tensor([[90.0, 95.0]]))
    assert dual.isfinite().all() and dual.abs().max() <= 6


def test_gradients_of_duals_are_those_of_the_minimum() -> None:
    generator = torch.Generator().manual_seed(6)
    scores, lightness = torch.randn((1, 3, 6, 6), generator=generator), 100 * torch.rand((1, 1, 6, 6))
    palette = torch.tensor([[48.0, 53.0]])
    towards = torch.randn((1, 3, 6, 6), generator=generator)
    scores.requires_grad_()
    mean_matching_duals(scores, lightness, palette, near=1e3)[0, 0].backward()
    assert scores.grad is not None
    with torch.no_grad():
        above, below = (
            mean_matching_duals(scores + step * towards, lightness, palette, near=1e3)[0, 0] for step in (0.02, -0.02)
        )
    assert float((scores.grad * towards).sum()) == pytest.approx(float(above - below) / 0.04, rel=0.02, abs=1e-4)


def test_every_condition_is_answered(network: ColorizerNet) -> None:
    lightness = torch.rand(2, 1, 64, 64) * 100
    for given in (0.0, 1.0):
        assert network(lightness, condition(2, given)).ab.isfinite().all()
