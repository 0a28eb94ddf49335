"""Palettes: hex, Lab, sizes, CIEDE2000 and the distance between palettes."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from skimage.color import deltaE_ciede2000

from t2c_engine.errors import PaletteError
from t2c_engine.palettes.palette import PALETTE_SIZE, Palette, delta_e_2000, k_medoids, palette_distance

# Sharma, Wu and Dalal 2005, table 1: L1 a1 b1 L2 a2 b2 dE00
SHARMA = """
50.0000 2.6772 -79.7751 50.0000 0.0000 -82.7485 2.0425
50.0000 3.1571 -77.2803 50.0000 0.0000 -82.7485 2.8615
50.0000 2.8361 -74.0200 50.0000 0.0000 -82.7485 3.4412
50.0000 -1.3802 -84.2814 50.0000 0.0000 -82.7485 1.0000
50.0000 -1.1848 -84.8006 50.0000 0.0000 -82.7485 1.0000
50.0000 -0.9009 -85.5211 50.0000 0.0000 -82.7485 1.0000
50.0000 0.0000 0.0000 50.0000 -1.0000 2.0000 2.3669
50.0000 -1.0000 2.0000 50.0000 0.0000 0.0000 2.3669
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0009 7.1792
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0010 7.1792
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0011 7.2195
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0012 7.2195
50.0000 -0.0010 2.4900 50.0000 0.0009 -2.4900 4.8045
50.0000 -0.0010 2.4900 50.0000 0.0010 -2.4900 4.8045
50.0000 -0.0010 2.4900 50.0000 0.0011 -2.4900 4.7461
50.0000 2.5000 0.0000 50.0000 0.0000 -2.5000 4.3065
50.0000 2.5000 0.0000 73.0000 25.0000 -18.0000 27.1492
50.0000 2.5000 0.0000 61.0000 -5.0000 29.0000 22.8977
50.0000 2.5000 0.0000 56.0000 -27.0000 -3.0000 31.9030
50.0000 2.5000 0.0000 58.0000 24.0000 15.0000 19.4535
50.0000 2.5000 0.0000 50.0000 3.1736 0.5854 1.0000
50.0000 2.5000 0.0000 50.0000 3.2972 0.0000 1.0000
50.0000 2.5000 0.0000 50.0000 1.8634 0.5757 1.0000
50.0000 2.5000 0.0000 50.0000 3.2592 0.3350 1.0000
60.2574 -34.0099 36.2677 60.4626 -34.1751 39.4387 1.2644
63.0109 -31.0961 -5.8663 62.8187 -29.7946 -4.0864 1.2630
61.2901 3.7196 -5.3901 61.4292 2.2480 -4.9620 1.8731
35.0831 -44.1164 3.7933 35.0232 -40.0716 1.5901 1.8645
22.7233 20.0904 -46.6940 23.0331 14.9730 -42.5619 2.0373
36.4612 47.8580 18.3852 36.2715 50.5065 21.2231 1.4146
90.8027 -2.0831 1.4410 91.1528 -1.6435 0.0447 1.4441
90.9257 -0.5406 -0.9208 88.6381 -0.8985 -0.7239 1.5381
6.7747 -0.2908 -2.4247 5.8714 -0.0985 -2.2286 0.6377
2.0776 0.0795 -1.1350 0.9033 -0.0636 -0.5514 0.9082
"""

colors = st.tuples(*[st.integers(0, 255)] * 3)
AUTUMN = Palette.from_hex("#8c2f1b,#d98c3f,#f2d8a7,#5b6b3a,#2b2a33", "autumn")


def random_lab(*shape: int) -> np.ndarray:
    rng = np.random.default_rng(7)
    return rng.uniform((0, -90, -90), (100, 90, 90), (*shape, 3))


def test_delta_e_agrees_with_the_published_pairs():
    table = np.array([[float(word) for word in line.split()] for line in SHARMA.strip().splitlines()])
    assert len(table) == 34
    np.testing.assert_allclose(delta_e_2000(table[:, :3], table[:, 3:6]), table[:, 6], atol=5e-5)
    np.testing.assert_allclose(delta_e_2000(table[:, 3:6], table[:, :3]), table[:, 6], atol=5e-5)


def test_delta_e_agrees_with_scikit_image():
    a, b = random_lab(5000), random_lab(5001)[1:]
    a[:50, 1:] = 0  # greys
    np.testing.assert_allclose(delta_e_2000(a, b), deltaE_ciede2000(a, b), atol=1e-9)


def test_distance_agrees_with_linear_sum_assignment():
    a, b = random_lab(40, 5), random_lab(80, 5)[40:]
    expected = []
    for one, other in zip(a, b, strict=True):
        costs = deltaE_ciede2000(one[:, None].repeat(5, 1), other[None].repeat(5, 0))
        expected.append(costs[linear_sum_assignment(costs)].mean())
    np.testing.assert_allclose(palette_distance(a, b), expected, atol=1e-9)
    assert palette_distance(a[:, None], b[None]).shape == (40, 40)


def test_distance_ignores_order_and_is_symmetric():
    shuffled = Palette(AUTUMN.colors[::-1])
    other = Palette.from_hex("#000 #fff #f00 #0f0 #00f")
    assert palette_distance(AUTUMN, shuffled) == 0
    assert palette_distance(AUTUMN, other) == pytest.approx(palette_distance(other, AUTUMN))
    with pytest.raises(PaletteError, match="five"):
        palette_distance(AUTUMN, Palette.from_hex("#000"))


@pytest.mark.parametrize(
    "text",
    ["#8c2f1b,#D98C3F,fff", " 8C2F1B ; d98c3f\n#FFF ", ["#8c2f1b", " d98c3f ", "ffffff"], "#8c2f1b #d98c3f #fff,"],
)
def test_hex_is_read_in_every_spelling(text):
    assert Palette.from_hex(text).hex == ("#8c2f1b", "#d98c3f", "#ffffff")


@pytest.mark.parametrize("text", ["", " , ", "#12", "red", "#1234567", "#12345g", ["#fff", ""], "١٢٣"])
def test_bad_hex_is_a_palette_error(text):
    with pytest.raises(PaletteError):
        Palette.from_hex(text)


@pytest.mark.parametrize("bad", [(), ((0, 0, 256),), ((-1, 0, 0),), ((1, 2),), ((0, 0, 0),) * 1025])
def test_impossible_palettes_are_refused(bad):
    with pytest.raises(PaletteError):
        Palette(bad)


@given(st.lists(colors, min_size=1, max_size=20))
def test_hex_and_lab_round_trip(values):
    palette = Palette(tuple(values), "name")
    assert Palette.from_hex(palette.hex, "name") == palette
    assert Palette.from_lab(palette.lab, "name") == palette
    assert palette.lab.dtype == np.float32


def test_from_lab_keeps_lightness_and_hue_of_impossible_colors():
    wild = np.array([[60.0, 120.0, -40.0], [120.0, 5.0, 5.0], [-3.0, 0.0, 0.0]])
    lab = Palette.from_lab(wild).lab
    np.testing.assert_allclose(lab[:, 0], [60, 100, 0], atol=0.5)
    assert np.degrees(np.arctan2(lab[0, 2], lab[0, 1])) == pytest.approx(np.degrees(np.arctan2(-40, 120)), abs=1)
    for bad in (np.full((5, 3), np.nan), np.zeros((0, 3)), np.zeros(3)):
        with pytest.raises(PaletteError):
            Palette.from_lab(bad)


def test_sorted_puts_the_lightest_last():
    assert AUTUMN.sorted().hex == ("#2b2a33", "#8c2f1b", "#5b6b3a", "#d98c3f", "#f2d8a7")
    assert AUTUMN.sorted().name == "autumn"


@given(st.lists(colors, min_size=1, max_size=30))
def test_every_palette_becomes_five(values):
    palette = Palette(tuple(values), "x")
    five = palette.to_size()
    assert len(five.colors) == PALETTE_SIZE and five.name == "x"
    assert five == palette.to_size() == five.to_size()
    if len(values) <= PALETTE_SIZE:
        assert five.colors[: len(values)] == palette.colors
    else:
        assert len(set(values)) < PALETTE_SIZE or set(five.colors) <= set(values)


@pytest.mark.parametrize("one", ["#ffffff", "#000000", "#ff0000", "#808080"])
def test_one_color_becomes_five_that_differ_in_lightness(one):
    lab = Palette.from_hex(one).to_size().lab
    lightness = np.sort(lab[:, 0])
    assert np.diff(lightness).min() > 5


def test_many_colors_become_the_middles_of_their_groups():
    rng = np.random.default_rng(0)
    centres = Palette.from_hex("#c02020,#20a040,#2040c0,#e0e0d0,#202020").colors
    noisy = np.clip(np.repeat(centres, 59, axis=0) + rng.integers(-6, 7, (295, 3)), 0, 255)
    near = [(int(red), int(green), int(blue)) for red, green, blue in noisy]
    five = Palette((*centres, *near)).to_size()
    for color in five.colors:
        assert min(np.abs(np.subtract(color, centre)).max() for centre in centres) <= 6
    assert len({int(np.argmin([np.abs(np.subtract(c, k)).max() for k in centres])) for c in five.colors}) == 5


def test_medoids_reach_the_best_choice_on_small_sets():
    points = np.random.default_rng(3).normal(size=(12, 2))
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    weights = np.ones(12)
    best = min(distances[list(c)].min(0).sum() for c in combinations(range(12), 3))
    assert distances[k_medoids(distances, weights, 3)].min(0).sum() <= best * 1.02
    assert k_medoids(distances, np.eye(12)[4] * 100 + 0.01, 1) == [4]
