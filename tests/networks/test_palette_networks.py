"""The palette networks: shapes, densities, and that numpy and torch agree."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from t2c_engine.errors import ModelError
from t2c_engine.networks.palettes import palette_set, tpn
from t2c_engine.palettes.numpy_network import Mixture, NumpyPaletteNet, draw
from trainer.common.settings import read_settings

CONFIG = palette_set.PaletteSetConfig(
    word_dimensions=12, width=16, heads=2, encoder_blocks=1, decoder_blocks=2, mixtures=3, positions=16, colors=5,
    sources=6, dropout=0.1,
)  # fmt: skip
SHAPE = asdict(CONFIG)


def make_network(seed: int = 0) -> palette_set.PaletteSetNet:
    torch.manual_seed(seed)
    return palette_set.PaletteSetNet(CONFIG).eval()


def weights_of(network: torch.nn.Module) -> dict[str, np.ndarray]:
    return {key: value.numpy() for key, value in network.state_dict().items()}


@pytest.mark.parametrize("length", [0, 1, 4, 20])
def test_numpy_agrees_with_torch(length: int) -> None:
    network = make_network()
    ours = NumpyPaletteNet(SHAPE, weights_of(network))
    vectors, colors = torch.randn(1, length, 12), torch.randn(1, 4, 3)
    with torch.no_grad():
        memory, mask = network.encode(
            vectors, torch.ones(1, length, dtype=torch.bool), torch.zeros(1, dtype=torch.long)
        )
        theirs = network.decode(memory, mask, colors)
    own_memory = ours.encode(vectors[0].numpy())
    np.testing.assert_allclose(own_memory, memory[0].numpy(), atol=1e-5)
    for count in range(5):
        known = ours.color_sum(colors[0, :count].numpy()).sum(axis=0, keepdims=True)
        for mine, other in zip(ours.next_color(own_memory, known, count), theirs, strict=True):
            np.testing.assert_allclose(mine[0], other[0, count].numpy(), atol=2e-5)


def test_words_behind_the_mask_change_nothing() -> None:
    network = make_network()
    vectors = torch.randn(1, 3, 12)
    padded = torch.cat((vectors, 100 * torch.randn(1, 2, 12)), 1)
    source = torch.zeros(1, dtype=torch.long)
    with torch.no_grad():
        short = network.encode(vectors, torch.ones(1, 3, dtype=torch.bool), source)
        long = network.encode(padded, torch.tensor([[True, True, True, False, False]]), source)
        nothing = torch.zeros(1, 0, 3)
        for one, other in zip(network.decode(*short, nothing), network.decode(*long, nothing), strict=True):
            torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_known_colors_are_a_set_and_later_ones_are_unseen() -> None:
    network = make_network()
    memory, mask = network.encode(torch.randn(1, 2, 12), torch.ones(1, 2, dtype=torch.bool), torch.zeros(1).long())
    colors = torch.randn(1, 4, 3)
    with torch.no_grad():
        forward = network.decode(memory, mask, colors)
        backward = network.decode(memory, mask, colors.flip(1))
        changed = network.decode(memory, mask, torch.cat((colors[:, :2], colors[:, 2:] + 1), 1))
    torch.testing.assert_close(forward.mean[:, 4], backward.mean[:, 4], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(forward.mean[:, :3], changed.mean[:, :3])
    assert not torch.allclose(forward.mean[:, 3], changed.mean[:, 3])


def random_mixture(seed: int) -> palette_set.Mixture:
    generator = torch.Generator().manual_seed(seed)
    shapes = ((2, 4), (2, 4, 3), (2, 4, 6))
    logits, mean, factor = (torch.randn(*shape, generator=generator) for shape in shapes)
    return palette_set.Mixture(logits, mean, 0.4 * factor)


def triangle(factor: torch.Tensor) -> torch.Tensor:
    """Cholesky factors (... x 3 x 3) written out element by element."""
    lower = torch.zeros(*factor.shape[:-1], 3, 3)
    for index in range(3):
        lower[..., index, index] = factor[..., index].exp()
    lower[..., 1, 0], lower[..., 2, 0], lower[..., 2, 1] = factor[..., 3], factor[..., 4], factor[..., 5]
    return lower


def test_log_density_is_that_of_a_gaussian_mixture() -> None:
    mixture, colors = random_mixture(1), torch.randn(2, 3)
    parts = MultivariateNormal(mixture.mean, scale_tril=triangle(mixture.factor))
    expected = MixtureSameFamily(Categorical(logits=mixture.logits), parts).log_prob(colors)
    torch.testing.assert_close(palette_set.log_density(mixture, colors), expected, atol=1e-4, rtol=1e-4)


def test_draws_have_the_mixtures_moments() -> None:
    mixture = random_mixture(2)
    logits, mean, lower = mixture.logits[0].softmax(0), mixture.mean[0], triangle(mixture.factor[0])
    average = (logits[:, None] * mean).sum(0)
    apart = mean - average
    covariance = (logits[:, None, None] * (lower @ lower.mT + apart[:, :, None] * apart[:, None])).sum(0)
    many = Mixture(*(part[:1].expand(60_000, *part.shape[1:]).numpy() for part in mixture))
    drawn = draw(many, np.random.default_rng(0), 1.0)
    np.testing.assert_allclose(drawn.mean(axis=0), average.numpy(), atol=0.05)
    np.testing.assert_allclose(np.cov(drawn.T), covariance.numpy(), atol=0.1)
    cold = draw(many, np.random.default_rng(0), 0.1)
    assert np.cov(cold.T).trace() < 0.7 * np.cov(drawn.T).trace()


def test_wrong_weights_are_refused() -> None:
    weights = weights_of(make_network())
    with pytest.raises(ModelError, match="incomplete"):
        NumpyPaletteNet({"width": 16}, weights)
    with pytest.raises(ModelError, match="do not fit"):
        NumpyPaletteNet(SHAPE | {"width": 32}, weights)
    with pytest.raises(ModelError, match="do not fit"):
        NumpyPaletteNet(SHAPE | {"decoder_blocks": 3}, weights)


def paper_parts() -> tuple[tpn.TpnGenerator, tpn.Conditions]:
    torch.manual_seed(0)
    generator = tpn.TpnGenerator(tpn.TpnPaperConfig(word_dimensions=12, hidden=8, dropout=0.2)).eval()
    return generator, generator.encode(torch.randn(2, 3, 12), torch.tensor([3, 1]), torch.zeros(2, 3, 8))


def test_paper_network_has_the_published_sizes() -> None:
    settings = read_settings(Path("trainer/configs/tpn-paper.toml"))
    generator = tpn.TpnGenerator(tpn.TpnPaperConfig(**settings["network"]))
    assert generator.encoder.hidden_size == generator.decoder.hidden_size == 150
    assert generator.encoder.num_layers == 1 and generator.dropout.p == 0.2
    assert generator.encoder.input_size == 300


def test_paper_attention_looks_at_words_only() -> None:
    generator, conditions = paper_parts()
    assert conditions.mask.tolist() == [[True, True, True], [True, False, False]]
    context = generator.attention(torch.randn(2, 8), conditions)
    torch.testing.assert_close(context[1], conditions.c[1, 0])
    torch.testing.assert_close(tpn.mean_condition(conditions)[1], conditions.c[1, 0])


def test_paper_noise_gives_other_palettes_and_padding_none() -> None:
    generator, _ = paper_parts()
    vectors, lengths = torch.randn(1, 2, 12), torch.tensor([2])
    plain = generator(generator.encode(vectors, lengths, torch.zeros(1, 2, 8)))
    padded = torch.cat((vectors, torch.randn(1, 3, 12)), 1)
    plain = plain.detach()
    assert plain.shape == (1, 5, 3) and float(plain.min()) > 0 and float(plain.max()) < 1
    torch.testing.assert_close(plain, generator(generator.encode(padded, lengths, torch.zeros(1, 5, 8))))
    assert not torch.allclose(plain, generator(generator.encode(vectors, lengths, torch.ones(1, 2, 8))), atol=1e-4)
    palette = torch.tensor([[[53.2, 80.1, 67.2]] * 5])
    torch.testing.assert_close(tpn.unit_to_lab(tpn.lab_to_unit(palette)), palette)
    assert tpn.TpnDiscriminator(generator.config)(torch.zeros(1, 8), plain).shape == (1,)
