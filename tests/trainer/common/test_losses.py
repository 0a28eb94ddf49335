"""Losses of the colouriser, against values worked out on their own."""

from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.color import deltaE_ciede2000

from t2c_engine.errors import UsageError
from trainer.common.losses import ciede2000_distance, class_weights, colorfulness_distance, mixture_distance, soft_bins
from trainer.common.perceptual import PerceptualDistance


@pytest.fixture
def squeezenet(tmp_path: Path) -> Path:
    """SqueezeNet 1.0's layout with weights of chance and few channels."""
    rng = np.random.default_rng(0)
    arrays = {"conv1.weight": rng.normal(0, 0.02, (8, 3, 7, 7)), "conv1.bias": np.zeros(8)}
    inputs = 8
    for fire in range(2, 10):
        for name, shape in (("1x1_1", (4, inputs, 1, 1)), ("1x1_2", (4, 4, 1, 1)), ("3x3_2", (4, 4, 3, 3))):
            arrays[f"fire{fire}/conv{name}.weight"] = rng.normal(0, 0.5, shape)
            arrays[f"fire{fire}/conv{name}.bias"] = np.zeros(4)
        inputs = 8
    np.savez(tmp_path / "squeezenet.npz", **{name: array.astype(np.float32) for name, array in arrays.items()})
    return tmp_path / "squeezenet.npz"


def test_ciede2000_is_the_standards_for_colors_of_one_lightness() -> None:
    rng = np.random.default_rng(1)
    true, other = rng.uniform(-70, 70, (2, 1, 6, 6, 2))
    one, two = (np.concatenate((np.full((1, 6, 6, 1), 50.0), ab), -1) for ab in (true, other))
    expected = deltaE_ciede2000(one, two).mean()
    predicted, wanted = (torch.from_numpy(ab).permute(0, 3, 1, 2) for ab in (other, true))
    assert float(ciede2000_distance(predicted, wanted)) == pytest.approx(expected, rel=0.005)
    assert float(ciede2000_distance(wanted, wanted)) == pytest.approx(0.5), "smooth at 0"


def test_pictures_are_compared_by_features_through_which_colors_learn(squeezenet: Path) -> None:
    distance = PerceptualDistance(squeezenet)
    lightness = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(0)) * 60 + 20
    true = torch.randn(2, 2, 4, 4, generator=torch.Generator().manual_seed(1)) * 20
    true = torch.nn.functional.interpolate(true, (32, 32))
    assert float(distance.ab_distance(lightness, true, true)) == 0
    grey = torch.zeros_like(true, requires_grad=True)
    far = distance.ab_distance(lightness, grey, true)
    far.backward()
    assert grey.grad is not None and torch.isfinite(grey.grad).all()
    step = 0.1 * grey.grad / grey.grad.norm()
    assert distance.ab_distance(lightness, -step, true).item() < far.item()
    with pytest.raises(UsageError, match="SqueezeNet"):
        PerceptualDistance(squeezenet.parent / "nowhere.npz")


def test_soft_bins_weigh_the_five_nearest_by_a_gaussian() -> None:
    bins = torch.tensor([[0.0, 0], [10, 0], [20, 0], [30, 0], [40, 0], [50, 0]])
    weights = soft_bins(torch.tensor([[0.0, 0.0]]), bins)[0].numpy()
    expected = np.exp(-np.square([0, 10, 20, 30, 40]) / 50)
    assert np.allclose(weights[:5], expected / expected.sum(), atol=1e-6) and weights[5] == 0


def test_likelihood_asks_which_of_the_mixed_colors_is_the_pixels_own() -> None:
    centres = torch.tensor([[30.0, 0.0], [-30.0, 0.0], [0.0, 0.0]]).view(1, 3, 2, 1, 1)
    true = torch.tensor([27.0, 4.0]).view(1, 2, 1, 1)

    def distance(*shares: float) -> float:
        return float(mixture_distance(torch.tensor(shares).view(1, 3, 1, 1), centres, true, scale=5.0))

    apart = np.sqrt(np.square([[3, -4], [57, 4], [27, 4]]).sum(1) + 1)
    expected = -5 * np.log(np.dot([0.5, 0.2, 0.3], np.exp(-apart / 5)))
    assert distance(0.5, 0.2, 0.3) == pytest.approx(expected, rel=1e-5)
    assert distance(0.9, 0.1, 0.0) < distance(0.5, 0.0, 0.5) < distance(0.0, 0.5, 0.5)


def test_rare_colors_weigh_more_and_common_ones_keep_the_mean_at_one() -> None:
    bins = torch.tensor([[0.0, 0.0], [100.0, 0.0], [0.0, 100.0]])  # so far apart that smoothing does nothing
    ab = torch.cat((bins[:1].repeat(90, 1), bins[1:2].repeat(10, 1)))
    weights = class_weights(ab, bins)
    np.testing.assert_allclose(weights[1] / weights[0], (0.45 + 1 / 6) / (0.05 + 1 / 6), rtol=1e-5)
    assert weights[2] == weights.max()
    assert float(0.9 * weights[0] + 0.1 * weights[1]) == pytest.approx(1)


def test_colorfulness_is_asked_of_whole_pictures_not_of_places() -> None:
    ab = torch.randn(3, 2, 8, 8) * 20
    moved = ab.flip(2)
    assert colorfulness_distance(moved, ab) < 1e-4
    assert colorfulness_distance(ab * 0.5, ab) > 5
