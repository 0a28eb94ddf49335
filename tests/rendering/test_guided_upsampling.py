"""Small colour onto large pictures: agreement with the plain formulas, lightness, edges, gamut and odd shapes."""

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2c_engine.color.lab import fit_gamut, in_gamut, lab_to_srgb, srgb_to_lab
from t2c_engine.color.rgb_spaces import srgb_profile
from t2c_engine.color.samples import full_scale
from t2c_engine.pictures.picture import Picture, lightness, lightness_at
from t2c_engine.pictures.resize import resize
from t2c_engine.rendering import guided_upsampling
from t2c_engine.rendering.block_renderer import BlockRenderer, Workspace
from t2c_engine.rendering.guided_upsampling import render


def grey_scene(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Shades, texture and grain from nearly black to nearly white (float64, 0..1)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / max(height, width)
    return np.clip(0.5 + 0.45 * np.sin(9 * x + 5 * y) + rng.normal(0, 0.03, (height, width)), 0, 1)


def smooth_ab(seed: int, chroma: float, size: tuple[int, int] = (12, 16)) -> np.ndarray:
    return resize(np.random.default_rng(seed).normal(0, chroma, (3, 4, 2)).astype(np.float32), size)


def paint_plainly(luma: np.ndarray, ab: np.ndarray) -> np.ndarray:
    """sRGB 0..1 of grey 0..1 with full-resolution ab, by `color` alone."""
    light = srgb_to_lab(np.repeat(luma[..., None], 3, 2).astype(np.float64))[..., :1]
    return lab_to_srgb(fit_gamut(np.concatenate((light, ab), -1), steps=20))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("chroma", [5, 20])
def test_painter_agrees_with_the_plain_formulas(dtype: type, chroma: float) -> None:
    full = full_scale(dtype)
    grey = (grey_scene(60, 80) * full).astype(dtype)
    ab = smooth_ab(1, chroma, (60, 80))
    renderer = BlockRenderer(Picture(grey).space, np.dtype(dtype))
    workspace = Workspace(60, 80)
    planes = workspace.block(60)
    renderer.read(grey, workspace)
    planes[5], planes[6] = ab[..., 0] / 500, ab[..., 1] / -200
    result = np.empty((60, 80, 3), dtype)
    renderer.write(workspace, result, 0, 60)
    renderer.finish(workspace, result)
    expected = paint_plainly(grey / full, ab)
    difference = np.abs(result / full - expected) * 255
    light = srgb_to_lab(np.repeat(grey[..., None] / full, 3, 2))[..., :1]
    inside = in_gamut(np.concatenate((light, ab), -1), tolerance=0)
    assert 0.5 < inside.mean() < 1
    assert difference[inside].max() < (1.1 if dtype == np.uint8 else 0.01)  # rounding of either may differ
    assert difference[~inside].mean() < 0.5 and np.percentile(difference[~inside], 99) < 3


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 3])
def test_lightness_passes_untouched(dtype: type, channels: int) -> None:
    full = full_scale(dtype)
    values = grey_scene(120, 160)
    pixels = values if channels == 1 else np.stack((values, values**1.5, values * 0.6 + 0.2), -1)
    picture = Picture((pixels * full).astype(dtype))
    result = render(picture, smooth_ab(2, 25))
    assert result.dtype == dtype and result.shape == (120, 160, 3)
    error = np.abs(lightness(result) - lightness(picture.pixels))
    assert error.mean() < (0.1 if dtype == np.uint8 else 0.01)
    assert error.max() < (0.5 if dtype == np.uint8 else 0.1)


def test_smooth_color_arrives() -> None:
    """On an even grey the result is the map itself, bilinearly enlarged."""
    ab = smooth_ab(3, 15)
    result = render(Picture(np.full((96, 128), 0.5, np.float32)), ab)
    difference = srgb_to_lab(result.astype(np.float64))[..., 1:] - resize(ab, (96, 128))
    assert np.abs(difference).max() < 0.05


@pytest.mark.parametrize("offset", [0, 5, 16, 27])
def test_color_changes_at_the_edge_of_lightness(offset: int) -> None:
    """Two regions, colour known at 1/32: no colour crosses the edge by more than two pixels."""
    edge = 256 + offset
    picture = np.full((512, 512), 110, np.uint8)
    picture[:, edge:] = 170
    sides = np.array([[30.0, 20.0], [-25.0, 30.0]], np.float32)
    ab = np.where(np.arange(512)[None, :, None] < edge, sides[0], sides[1]) * np.ones((512, 1, 1), np.float32)
    result = srgb_to_lab(render(Picture(picture), resize(ab, (16, 16))) / 255.0)[..., 1:]
    for part, color in ((result[:, : edge - 2], sides[0]), (result[:, edge + 2 :], sides[1])):
        assert np.abs(part - color).max() < 0.1 * np.abs(sides[0] - sides[1]).max()


def test_texture_darker_than_its_surroundings_gets_no_new_color() -> None:
    """A thin dark line is too small for the map; it must not be given colours from beyond the map's range."""
    picture = grey_scene(256, 256) * 0.2 + 0.5
    picture[100:102] = 0.02
    ab = smooth_ab(4, 20)
    result = srgb_to_lab(render(Picture(picture.astype(np.float32)), ab).astype(np.float64))[..., 1:]
    assert result[98:104].min() >= ab.min() - 3 and result[98:104].max() <= ab.max() + 3


def test_no_color_is_grey() -> None:
    picture = Picture((grey_scene(48, 64) * 255).astype(np.uint8))
    grey = render(picture, np.zeros((12, 16, 2), np.float32))
    np.testing.assert_array_equal(grey, np.repeat(picture.pixels[..., None], 3, 2))


def test_blocks_and_threads_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    picture, ab = Picture((grey_scene(200, 300) * 255).astype(np.uint8)), smooth_ab(6, 20)
    whole = render(picture, ab)
    for block, cores in ((300, 1), (1000, 3), (7000, 2)):
        monkeypatch.setattr(guided_upsampling, "BLOCK", block)
        monkeypatch.setattr(guided_upsampling, "threads", lambda cores=cores: cores)
        # float32 sums of vector and rest differ in the last bit, which can turn one rounding
        assert np.abs(render(picture, ab).astype(int) - whole).max() <= 1


def test_lightness_at_hand_gives_the_same() -> None:
    picture, ab = Picture((grey_scene(192, 256) * 255).astype(np.uint8)), smooth_ab(7, 20)
    given_lightness = render(picture, ab, lightness=lightness_at(picture, (48, 64)))
    assert np.abs(given_lightness.astype(int) - render(picture, ab)).max() <= 1


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 9), st.integers(1, 9), st.integers(0, 99))
@settings(max_examples=60)
def test_any_shape(height: int, width: int, h: int, w: int, seed: int) -> None:
    picture = Picture((grey_scene(height, width, seed) * 255).astype(np.uint8))
    result = render(picture, smooth_ab(seed, 40, (h, w)))
    assert result.shape == (height, width, 3)
    assert np.abs(lightness(result) - lightness(picture.pixels)).max() < 0.6


@pytest.mark.parametrize("size", [(2, 40_000), (40_000, 2)])
def test_strips(size: tuple[int, int]) -> None:
    picture = Picture((grey_scene(*size) * 255).astype(np.uint8))
    result = render(picture, smooth_ab(8, 20, (2, 32) if size[0] == 2 else (32, 2)))
    assert np.abs(lightness(result) - lightness(picture.pixels)).max() < 0.6


@pytest.mark.parametrize("level", [0, 1, 254, 255])
def test_black_and_white_stay(level: int) -> None:
    result = render(Picture(np.full((8, 8), level, np.uint8)), np.full((2, 2, 2), 60, np.float32))
    assert np.abs(result.astype(int) - level).max() <= 4
    assert np.abs(lightness(result) - lightness(np.full((8, 8), level, np.uint8))).max() < 0.5


def test_result_is_right_under_its_profile() -> None:
    """A wide-gamut picture coloured in its own space looks like the sRGB one after conversion."""
    profile = imagecodecs.cms_profile(
        "rgb", whitepoint=[0.3127, 0.3290, 1.0], primaries=[0.68, 0.32, 1, 0.265, 0.69, 1, 0.15, 0.06, 1], gamma=1.8
    )
    values = grey_scene(48, 64).astype(np.float32) * 0.5 + 0.25
    ab = smooth_ab(9, 12)
    expected = render(Picture(values), ab)
    wide = np.repeat((((values + 0.055) / 1.055) ** (2.4 / 1.8))[..., None], 3, 2).astype(np.float32)
    result = render(Picture(wide, icc=profile), ab)
    back = imagecodecs.cms_transform(result, profile, srgb_profile(), colorspace="rgb", outcolorspace="rgb", intent=1)
    assert np.abs(back - expected).max() < 6e-3


def test_it_can_be_stopped_between_blocks() -> None:
    left = iter(range(3))

    def at_block() -> None:
        if next(left, None) is None:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        render(Picture(np.full((2000, 800), 90, np.uint8)), smooth_ab(2, 25), at_block=at_block)
