"""Colour without a palette, with hints, and by region: decoding of bins, hints, masks, and the commands for them."""

import json
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from torch.nn import functional as F
from typer.testing import CliRunner

from t2c_engine.cli.main import app
from t2c_engine.color.lab import ab_bins, srgb_to_lab
from t2c_engine.colorization.colorizer import Colorizer, InferenceConfig
from t2c_engine.colorization.decoding import Decoding, decode_bins, vivid
from t2c_engine.colorization.hints import Hints, hints_from_pixels
from t2c_engine.colorization.overlays import blend, read_hints, read_mask
from t2c_engine.errors import PictureError
from t2c_engine.networks.ab_distribution import blues, sharpened, skin_places
from t2c_engine.networks.colorizer import ColorizerNet, Condition
from t2c_engine.networks.picture_encoder import read_network_config
from t2c_engine.palettes.palette import Palette
from tests import fakes
from tests.small_network import SMALL

HEX = "#8c2f1b,#d98c3f,#f2d8a7,#5b6b3a,#2b2a33"
BINS = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 20.0]])


def logits(*probabilities: float) -> torch.Tensor:
    return torch.tensor(probabilities).log().view(1, -1, 1, 1)


def test_bins_are_decoded_as_in_the_paper() -> None:
    some = logits(0.2, 0.5, 0.3)
    assert decode_bins(some, BINS, Decoding.CENTROID).flatten().tolist() == [10.0, 0.0]
    powers = np.array([0.2, 0.5, 0.3]) ** (1 / 0.38)
    expected = powers / powers.sum() @ BINS.numpy()
    np.testing.assert_allclose(decode_bins(some, BINS, Decoding.MEAN).flatten(), expected, rtol=1e-5)


def test_the_top_bins_alone_count() -> None:
    bins = torch.cat((torch.full((5, 2), 50.0), torch.full((300, 2), -50.0)))
    flat = torch.cat((torch.full((5,), 1.0), torch.zeros(300))).view(1, -1, 1, 1)
    assert torch.allclose(decode_bins(flat, bins, Decoding.TOP), torch.tensor(50.0))
    assert decode_bins(flat, bins, Decoding.MEAN, temperature=1.0).max() < 0
    with pytest.raises(ValueError, match="temperature"):
        decode_bins(flat, bins, Decoding.MEAN, temperature=0)
    with pytest.raises(ValueError, match="vivid"):
        decode_bins(flat, bins, Decoding.VIVID)


def test_vivid_keeps_hues_and_raises_what_has_chroma_more() -> None:
    direct = torch.tensor([[0.0, 3.0, 15.0, 60.0], [0.0, 4.0, 0.0, 80.0]]).view(1, 2, 1, 4)
    found = vivid(direct, 1.0, 15.0)
    factors = found.square().sum(1).sqrt()[0, 0] / direct.square().sum(1).sqrt()[0, 0].clamp(min=1e-6)
    assert torch.allclose(factors[1:], torch.tensor([1.25, 1.5, 1 + 100 / 115]))
    assert not found[..., 0].any()
    assert torch.equal(vivid(direct, 0.0, 15.0), direct)
    calm = torch.tensor([0.0, 1.0, 0.5, 0.0]).view(1, 1, 1, 4)
    calmed = vivid(direct, 1.0, 15.0, calm)
    assert torch.allclose(calmed, direct + (found - direct) * (1 - calm), atol=1e-5)


def test_blues_are_known_by_their_hue_and_skin_by_its_probability() -> None:
    colors = torch.tensor([[-20.0, -5.0, 10.0, 0.0, 20.0], [-10.0, -30.0, -40.0, 30.0, -5.0]]).view(1, 2, 1, 5)
    assert torch.allclose(blues(colors)[0, 0, 0], torch.tensor([0.3283, 1.0, 1.0, 0.0, 0.0]), atol=1e-3)
    bins = torch.tensor(ab_bins())
    like_skin = (-(bins - torch.tensor([14.0, 18.0])).norm(dim=1) / 3)[None, :, None, None]
    like_sky = (-(bins - torch.tensor([-2.0, -20.0])).norm(dim=1) / 3)[None, :, None, None]
    assert skin_places(sharpened(like_skin)).item() == 1
    assert skin_places(sharpened(like_sky)).item() == 0


def test_automatic_color_keeps_the_direct_chroma_of_blues_where_it_is_calm() -> None:
    torch.manual_seed(0)
    network = ColorizerNet(SMALL).eval()
    network.encoder.automatic.bias = torch.nn.Parameter(torch.tensor([-0.1, -0.3]))  # blue everywhere
    lightness = np.linspace(20, 80, 64 * 64, dtype=np.float32).reshape(64, 64)
    chroma = []
    for calm in (0.0, 1.0):
        inference = InferenceConfig(short_side=64, vivid_gain=1.0, vivid_calm=calm)
        colorizer = Colorizer(deepcopy(network), "small", torch.device("cpu"), inference)
        chroma.append(np.linalg.norm(colorizer.automatic(colorizer.encode(lightness)), axis=-1).mean())
    assert chroma[0] > 1.4 * chroma[1] > 0


@given(st.integers(2, 40), st.integers(2, 40), st.integers(1, 12))
def test_one_colour_of_dabs_stays_that_colour_at_any_size(height: int, width: int, side: int) -> None:
    rng = np.random.default_rng(height * 50 + width)
    alpha = (rng.random((height, width)) < 0.3).astype(np.float32)
    alpha[0, 0] = 1
    small = hints_from_pixels(np.full((height, width, 3), (0.8, 0.3, 0.1)), alpha).at_size((side, side + 1))
    assert small.size == (side, side + 1) and small.mask.max() > 0 and small.mask.max() <= 1
    wanted = srgb_to_lab(np.array([[[0.8, 0.3, 0.1]]], np.float32))[0, 0, 1:]
    np.testing.assert_allclose(small.ab[small.mask > 0.05], np.broadcast_to(wanted, small.ab[small.mask > 0.05].shape),
                               atol=0.05)  # fmt: skip


@pytest.fixture(scope="module")
def colorizer() -> Colorizer:
    torch.manual_seed(0)
    inference = InferenceConfig(short_side=64, scales=(1.0, 0.5))
    return Colorizer(ColorizerNet(SMALL), "small", torch.device("cpu"), inference)


def test_a_dab_wins_where_it_is_with_or_without_a_palette(colorizer: Colorizer) -> None:
    encoding = colorizer.encode(np.full((64, 90), 50, np.float32))  # a width that must be padded
    mask = np.zeros((64, 90), np.float32)
    mask[20:32, 40:52] = 1
    hints = Hints(np.where(mask[..., None], np.array((40, -30), np.float32), np.float32(0)), mask)
    results = colorizer.color(encoding, [Palette.from_hex(HEX), None], hints)
    results += [colorizer.automatic(encoding, decoding, hints) for decoding in Decoding]
    detail = encoding.height // 16
    place = 6 * detail, 11 * detail
    for ab in results:
        assert ab.shape == (encoding.height, encoding.width, 2) == (16 * detail, 22 * detail, 2)
        np.testing.assert_allclose(ab[place], (40, -30), atol=1e-4)
    without = colorizer.color(encoding, [None])[0]
    assert np.abs(without[place] - (40, -30)).max() > 5


def test_automatic_color_is_the_mean_of_a_picture_s_and_its_mirror_image_s() -> None:
    torch.manual_seed(0)
    network = ColorizerNet(SMALL).eval()
    torch.nn.init.normal_(network.encoder.automatic.weight, std=0.5)
    lightness = np.linspace(20, 80, 64 * 96, dtype=np.float32).reshape(64, 96) ** 1.01
    light = torch.from_numpy(lightness)[None, None]
    nothing = Condition(torch.zeros(1, 5, 3), torch.zeros(1, 5))
    with torch.no_grad():
        one, other = (network.encode(seen) for seen in (light, light.flip(-1)))
        direct = (one.automatic + other.automatic.flip(-1)) / 2
        decoded, turned = (network.decode(seen, nothing).ab for seen in (one, other))
        both = vivid((decoded + turned.flip(-1)) / 2, 1.0, 15.0)
    assert not torch.allclose(one.automatic, other.automatic.flip(-1), atol=0.1)
    cases = (
        (Decoding.DIRECT, True, direct),
        (Decoding.DIRECT, False, one.automatic),
        (Decoding.VIVID, True, both),
        (Decoding.VIVID, False, vivid(decoded, 1.0, 15.0)),
    )
    for decoding, mirrored, expected in cases:
        inference = InferenceConfig(short_side=64, vivid_gain=1.0, vivid_chroma=15.0, mirrored=mirrored)
        colorizer = Colorizer(deepcopy(network), "small", torch.device("cpu"), inference)
        found = colorizer.automatic(colorizer.encode(lightness), decoding)
        large = F.interpolate(expected, found.shape[:2], mode="bilinear", align_corners=False)[0].permute(1, 2, 0)
        np.testing.assert_allclose(found, large.numpy(), atol=0.02)


def hints_file(path: str, size: tuple[int, int] = (60, 40)) -> Path:
    picture = Image.new("RGBA", size, (0, 0, 0, 0))
    ImageDraw.Draw(picture).rectangle((10, 10, 25, 25), fill=(40, 80, 220, 255))
    picture.save(path)
    return Path(path)


def half(path: str, size: tuple[int, int] = (60, 40)) -> Path:
    """White on the left."""
    picture = Image.new("L", size, 0)
    ImageDraw.Draw(picture).rectangle((0, 0, size[0] // 2 - 1, size[1]), fill=255)
    picture.save(path)
    return Path(path)


def test_masks_are_read_from_white_or_from_opacity(tmp_path: Path) -> None:
    white = read_mask(half(str(tmp_path / "m.png")), (80, 120))  # scaled to the picture
    assert white.shape == (80, 120) and white[:, :50].min() > 0.99 and white[:, 70:].max() < 0.01
    assert 0.1 < white[40, 58:62].mean() < 0.9
    opaque = read_mask(hints_file(str(tmp_path / "d.png")), (40, 60))
    assert opaque[15, 15] > 0.99 and opaque[35, 50] < 0.01


@pytest.mark.parametrize("what", ["shape", "grey", "empty", "black", "text"])
def test_overlays_that_do_not_fit_are_refused_in_words(tmp_path: Path, what: str) -> None:
    path = tmp_path / "x.png"
    if what == "shape":
        hints_file(str(path), (60, 60))
    elif what == "text":
        path.write_text("no picture")
    else:
        mode, colour = {"grey": ("L", 90), "empty": ("RGBA", (9, 9, 9, 0)), "black": ("L", 0)}[what]
        Image.new(mode, (60, 40), colour).save(path)
    readers = {"black": [read_mask], "grey": [read_hints], "empty": [read_hints]}
    for read in readers.get(what, [read_mask, read_hints]):
        with pytest.raises(PictureError, match=r"x\.png") as caught:
            read(path, (40, 60))
        assert str(caught.value).endswith(".")


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_blending_follows_the_mask_exactly(kind: type) -> None:
    full = 1 if kind is np.float32 else np.iinfo(kind).max
    base, over = np.zeros((600, 3, 3), kind), np.full((600, 3, 3), full, kind)
    mask = np.linspace(0, 1, 600, dtype=np.float32)[:, None].repeat(3, 1)
    blend(base, mask, over)
    assert base[0].max() == 0 and base[-1].min() == full
    np.testing.assert_allclose(base[:, 0, 0] / full, mask[:, 0], atol=0.5 / min(full, 65535) if full > 1 else 1e-6)


@pytest.fixture
def world(tmp_path, monkeypatch):
    fakes.use(monkeypatch)
    monkeypatch.chdir(tmp_path)
    Image.new("L", (60, 40), 128).save("photo.png")


def t2c(*words: object, code: int = 0):
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
    return result


def pixels(path: str) -> np.ndarray:
    return np.asarray(Image.open(path), int)


@pytest.mark.usefixtures("world")
def test_automatic_colour_needs_no_palette_and_tells_the_one_it_found() -> None:
    found = json.loads(t2c("colorize", "photo.png", "--auto", "--json").stdout)
    assert len(found["results"]) == 1 and len(found["results"][0]["palette"]) == 5
    first = pixels("out/photo-1.png")
    assert np.ptp(first, axis=2).max() > 20
    t2c("colorize", "photo.png", "--auto", "--decoding", "centroid", "-o", "other")
    assert np.abs(pixels("other/photo-1.png") - first).max() > 20
    assert np.ptp(pixels("other/photo-1.png")[0, 0]) > 0
    t2c("colorize", "photo.png", "--auto", "--decoding", "direct", "-o", "direct")
    assert 10 < np.ptp(pixels("direct/photo-1.png"), axis=2).max() < 30  # the fake's own colour is nearly grey


@pytest.mark.usefixtures("world")
def test_hints_colour_their_place_alone_and_beside_a_palette() -> None:
    hints_file("hints.png")
    t2c("colorize", "photo.png", "--hints", "hints.png")
    t2c("colorize", "photo.png", "--hints", "hints.png", "--palette", HEX, "-o", "both")
    for folder in ("out", "both"):
        red, green, blue = pixels(f"{folder}/photo-1.png")[18, 18]
        assert blue > green > 0 and blue > red + 20
    assert np.ptp(pixels("both/photo-1.png")[35, 50]) > 10


@pytest.mark.usefixtures("world")
def test_regions_have_colours_of_their_own_and_leave_the_rest() -> None:
    half("mask.png")
    t2c("colorize", "photo.png", "--region", "mask.png", "#2020ff,#4040ff")
    result = pixels("out/photo-1.png")
    assert result[20, 10, 2] > result[20, 10, 0] + 30 and np.ptp(result[20, 50]) == 0
    t2c("colorize", "photo.png", "--phrase", "autumn", "-n", 2, "--region", "mask.png", "deep sea", "-o", "b")
    t2c("colorize", "photo.png", "--phrase", "autumn", "-n", 2, "-o", "c")
    for index in (1, 2):
        one, other = pixels(f"b/photo-{index}.png"), pixels(f"c/photo-{index}.png")
        assert np.abs(one - other)[:, 40:].max() == 0 and np.abs(one - other)[:, :20].max() > 5


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--auto", "--phrase", "x"], 2),
        (["--auto", "--decoding", "median"], 2),
        (["--region", "mask.png"], 2),
        (["--region", "mask.png", " "], 2),
        (["--region"], 2),
        (["--hints", "none.png"], 1),
        (["--region", "none.png", "sea"], 1),
    ],
)
def test_bad_conditions_are_a_sentence_and_leave_nothing(words: list[str], code: int) -> None:
    result = t2c("colorize", "photo.png", *words, code=code)
    assert result.stderr and "Traceback" not in result.stderr
    assert not [path for path in Path().rglob("*") if path.is_file() and path.name != "photo.png"]


def test_without_a_palette_the_dabs_colours_are_one_for_the_picture(colorizer: Colorizer) -> None:
    encoding = colorizer.encode(np.tile(np.linspace(10, 90, 96, dtype=np.float32), (64, 1)))
    mask = np.zeros((64, 96), np.float32)
    mask[8:24, 8:24] = mask[40:56, 72:88] = 1
    ab = np.zeros((64, 96, 2), np.float32)
    ab[:32], ab[32:] = (50, 20), (-20, -40)
    dabbed = colorizer.color(encoding, [None], Hints(ab, mask))[0]
    alone = colorizer.color(encoding, [None])[0]
    # far from the hints, dark and light follow the hint that lies on dark and on light
    detail = encoding.height // 16
    for place, wanted in (((14 * detail, 4 * detail), (50, 20)), ((detail, 20 * detail), (-20, -40))):
        assert np.linalg.norm(dabbed[place] - wanted) < np.linalg.norm(alone[place] - wanted) / 2


def test_natural_is_a_share(colorizer: Colorizer) -> None:
    encoding = colorizer.encode(np.full((64, 64), 50, np.float32))
    for wrong in (-0.1, 1.1):
        with pytest.raises(ValueError, match="natural"):
            colorizer.color(encoding, [None], natural=wrong)


def test_a_card_of_unknown_sizes_is_refused() -> None:
    assert read_network_config({"decoder_widths": [8, 8, 8]}).decoder_widths == (8, 8, 8)
    with pytest.raises(TypeError, match="sharpness"):
        read_network_config({"sharpness": 1.6})
