"""What the network leaves over at hints goes to places like them, and hints stay with their thing up to their reach."""

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings

from t2c_engine.color.lab import srgb_to_lab
from t2c_engine.colorization.colorizer import Colorizer, InferenceConfig
from t2c_engine.colorization.decoding import Decoding
from t2c_engine.colorization.hinting.regression import MAX_POINTS, NEAR, HintRegression, Places
from t2c_engine.colorization.hints import Hints
from t2c_engine.networks.colorizer import ColorizerNet
from t2c_engine.palettes.palette import Palette
from tests.small_network import SMALL

SIZE = (24, 36)
BLUE = (5.0, -40.0)
PALETTE = Palette.from_hex("#8c2f1b,#d98c3f,#f2d8a7,#5b6b3a,#2b2a33")


def places(lightness: np.ndarray) -> Places:
    """Places of which lightness alone is known."""
    rows, columns = np.meshgrid(*(np.arange(side) / max(SIZE) for side in SIZE), indexing="ij")
    blocks = [np.stack((rows, columns)), lightness[None] / 100, *[np.zeros((1, *SIZE))] * (len(NEAR) - 2)]
    return Places(lightness, np.zeros((*SIZE, 2), np.float32), tuple(one.astype(np.float32) for one in blocks))


def halves(texture: float = 0.0) -> np.ndarray:
    """Dark on the left, light on the right."""
    lightness = np.full(SIZE, 25, np.float32)
    lightness[:, SIZE[1] // 2 :] = 80
    return lightness + np.random.default_rng(0).uniform(-texture, texture, SIZE).astype(np.float32)


def hints(reach: float, *cells: tuple[int, int]) -> Hints:
    mask = np.zeros(SIZE, np.float32)
    for cell in cells:
        mask[cell] = 1
    return Hints(np.where(mask[..., None], np.array(BLUE, np.float32), np.float32(0)), mask, reach)


def test_the_residual_makes_hints_right_and_fades_with_likeness() -> None:
    regression = HintRegression(hints(0.25, (12, 8)), places(halves()))
    found = regression.residual(np.zeros((*SIZE, 2), np.float32)) @ BLUE / np.square(BLUE).sum()
    assert abs(found[12, 8] - 1) < 0.02
    assert found[12, 4] > 0.9 and found[12, 30] < 0.6, "less where it is light"
    assert (regression.share * found)[12, 30] < 0.1


def test_what_is_right_already_changes_nothing() -> None:
    ab = np.broadcast_to(np.array(BLUE, np.float32), (*SIZE, 2))
    assert not HintRegression(hints(0.25, (12, 8), (3, 3)), places(halves())).residual(ab).any()


def test_beside_asked_for_colors_a_place_has_the_hint_s_color_or_none_of_it() -> None:
    cells = HintRegression(hints(0.25, (12, 8)), places(halves()))
    ab, share = cells.fill()
    half = SIZE[1] // 2
    np.testing.assert_allclose(ab[:, :half], np.broadcast_to(BLUE, ab[:, :half].shape), atol=0.5)
    assert share[:, : half - 1].min() > 0.95 and share[:, half:].max() < 0.02


def test_two_hints_beside_asked_for_colors_keep_their_own_things() -> None:
    given_hints = hints(0.25, (12, 8), (12, 28))
    given_hints.ab[12, 28] = (-30, 30)
    ab, share = HintRegression(given_hints, places(halves())).fill()
    assert np.linalg.norm(ab[4, 4] - BLUE) < 8 and np.linalg.norm(ab[4, 32] - (-30, 30)) < 8
    assert share[4, 4] > 0.9 and share[4, 32] > 0.9


@pytest.mark.parametrize("texture", [0.0, 1.5])
def test_without_reach_a_hint_fills_its_thing_and_stops_at_the_edge(texture: float) -> None:
    share = HintRegression(hints(0.0, (12, 8)), places(halves(texture))).share
    half = SIZE[1] // 2
    assert share[12, 8] > 0.99 and share[:, : half - 1].min() > 0.4 and share[:, half:].max() < 0.01


def test_two_hints_on_one_thing_say_nothing_of_the_others() -> None:
    both = HintRegression(hints(0.25, (3, 3), (20, 10)), places(halves()))
    assert both.share[:, SIZE[1] // 2 :].max() < 0.2


def test_hints_on_many_unlike_things_say_something_of_the_rest_but_not_without_reach() -> None:
    lightness = np.repeat(np.linspace(0, 100, 6), 6)[None].repeat(SIZE[0], 0).astype(np.float32)
    cells = [(row, column) for row in (2, 20) for column in (3, 9, 15, 21, 27)]
    assert HintRegression(hints(0.25, *cells), places(lightness)).share[12, 33] > 0.5
    assert HintRegression(hints(0.0, *cells), places(lightness)).share[12, 33] < 0.1


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.floats(0, 0.5), st.floats(0.001, 1))
def test_shares_are_parts_that_grow_with_reach_and_colors_stay_finite(seed: int, reach: float, part: float) -> None:
    rng = np.random.default_rng(seed)
    mask = (rng.random(SIZE) < part).astype(np.float32) * rng.uniform(0.1, 1, SIZE).astype(np.float32)
    mask[0, 0] = 1
    given_hints = Hints(rng.uniform(-80, 80, (*SIZE, 2)).astype(np.float32) * (mask > 0)[..., None], mask, reach)
    where = places(rng.uniform(0, 100, SIZE).astype(np.float32))
    near = HintRegression(given_hints, where)
    far = HintRegression(Hints(given_hints.ab, mask, min(1, 2 * reach + 0.01)), where)
    assert near.share.min() >= 0 and near.share.max() <= 1 + 1e-6 and (far.share >= near.share - 1e-5).all()
    assert np.abs(near.residual(np.zeros((*SIZE, 2), np.float32))).max() < 500
    ab, share = near.fill()
    assert share.min() >= 0 and share.max() <= 1 and np.abs(ab).max() <= 80, "no color beyond the hints'"


def test_more_hints_than_the_regression_takes_are_thinned_evenly() -> None:
    cells = [(row, column) for row in range(20) for column in range(SIZE[1] // 2)]
    assert len(cells) > 2 * MAX_POINTS
    found = HintRegression(hints(0.25, *cells), places(halves())).residual(np.zeros((*SIZE, 2), np.float32))
    assert np.linalg.norm(found[:20, : SIZE[1] // 2] - BLUE, axis=-1).max() < 2


@pytest.fixture(scope="module")
def colorizer() -> Colorizer:
    torch.manual_seed(0)
    return Colorizer(ColorizerNet(SMALL), "small", torch.device("cpu"), InferenceConfig(short_side=96))


def test_beyond_the_thing_a_picture_keeps_its_automatic_or_palettes_colors(colorizer: Colorizer) -> None:
    lightness = np.full((96, 128), 25, np.float32)
    lightness[:, 64:] = 80
    mask = np.zeros((96, 128), np.float32)
    mask[40:56, 20:36] = 1
    painted = Hints(np.where(mask[..., None], np.array(BLUE, np.float32), np.float32(0)), mask, 0.0)
    encoding = colorizer.encode(lightness)
    pairs = [
        (colorizer.color(encoding, [one], painted)[0], colorizer.color(encoding, [one])[0]) for one in (None, PALETTE)
    ]
    pairs += [(colorizer.automatic(encoding, one, painted), colorizer.automatic(encoding, one)) for one in Decoding]
    for found, before in pairs:
        np.testing.assert_allclose(found[:, 40:], before[:, 40:], atol=0.1)
        assert np.linalg.norm(found[24, 14] - BLUE) < 1e-3
        assert np.linalg.norm(found[24, 25] - BLUE) < 0.5 * np.linalg.norm(before[24, 25] - BLUE), "the same thing"


def test_a_hint_on_a_coat_fills_it_beside_a_palette_and_leaves_the_wall_the_palette_s() -> None:
    """Half of a palette's orange and half of a hint's blue is grey: no place of the coat or the wall may be that."""
    from skimage import data

    photograph = srgb_to_lab(data.astronaut()[::2, ::2].astype(np.float32) / 255)[..., 0]
    colorizer = Colorizer.load(device="cpu")
    encoding = colorizer.encode(photograph)
    mask = np.zeros(photograph.shape, np.float32)
    mask[200:210, 90:100] = 1
    painted = Hints(np.where(mask[..., None], np.array(BLUE, np.float32), np.float32(0)), mask)
    (found,), (before,) = (colorizer.color(encoding, [PALETTE], given, 0.2) for given in (painted, None))
    for row, column in ((68, 22), (76, 46), (84, 30), (92, 22), (108, 40), (116, 54)):  # from sleeve to sleeve
        assert before[row, column] @ BLUE < -1000, "the palette's orange"
        assert np.linalg.norm(found[row, column] - BLUE) < 8, (row, column)
    np.testing.assert_allclose(found[:45], before[:45], atol=4, err_msg="the wall, and the head before it")
