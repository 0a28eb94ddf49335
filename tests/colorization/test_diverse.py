"""Diverse colours: what is drawn, what is chosen, how it comes up to size, and the ways to it from outside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from t2c_engine.albums.again import make_again
from t2c_engine.batch.recipe import read_recipe
from t2c_engine.colorization.color_source import DiverseColors, Variation
from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.colorization.diverse_colors import (
    FIELD_STEP,
    ColorFieldSampler,
    DiverseInference,
    choose_fields,
    on_automatic,
)
from t2c_engine.colorization.encoded_picture import MAX_DRAWS, Encoded
from t2c_engine.colorization.hints import Hints
from t2c_engine.errors import ModelError, T2CError, UsageError
from t2c_engine.models import export_model, find_model
from t2c_engine.networks.colorizer import ColorizerNet
from t2c_engine.networks.diverse import COLORS, Draw, GreyFeatures, LowRankFields, build_sampler
from t2c_engine.networks.field_vae import FieldVae
from t2c_engine.palettes.palette import Palette
from t2c_engine.serving.service import Job, Service
from t2c_engine.serving.sources import sources
from tests import fakes
from tests.command_line import lines, photo, t2c
from tests.small_network import SMALL


@pytest.fixture(scope="module")
def colorizer() -> Colorizer:
    """A small colouriser with random automatic colour, and a random network that draws."""
    torch.manual_seed(0)
    network = ColorizerNet(SMALL)
    torch.nn.init.normal_(network.encoder.automatic.weight, std=0.3)
    made = Colorizer(network, "small", torch.device("cpu"))
    made._sampler = ColorFieldSampler(LowRankFields(), "random", DiverseInference(candidates=24))
    return made


def lightness(height: int, width: int) -> np.ndarray:
    return np.tile(np.linspace(5, 95, width, dtype=np.float32), (height, 1))


@pytest.mark.parametrize("size", [(64, 96), (70, 65), (33, 130)])
def test_maps_have_the_encodings_size_differ_and_repeat(colorizer: Colorizer, size: tuple[int, int]) -> None:
    light = lightness(*size)
    encoding = colorizer.encode(light)
    maps = colorizer.variations(encoding, light, 4, 3)
    assert [one.shape for one in maps] == [(encoding.height, encoding.width, 2)] * 4
    assert all(np.abs(a - b).max() > 0.5 for index, a in enumerate(maps) for b in maps[:index])
    again = colorizer.variations(encoding, light, 4, 3)
    assert all(np.array_equal(a, b) for a, b in zip(maps, again, strict=True))
    other = colorizer.variations(encoding, light, 4, 4)
    assert not np.array_equal(maps[0], other[0])


def test_a_share_of_a_field_leads_from_the_automatic_color_to_it(colorizer: Colorizer) -> None:
    light = lightness(64, 96)
    encoding = colorizer.encode(light)
    drawn = []
    for share in (0.0, 0.5, 1.0):
        sampler = ColorFieldSampler(colorizer._sampler.network, "x", DiverseInference(candidates=24, share=share))
        drawn.append(sampler.draw(colorizer, encoding, light, 2, 3))
    automatic = colorizer.automatic(encoding)
    for none, half, whole in zip(*drawn, strict=True):
        np.testing.assert_allclose(none, automatic, atol=1e-4)
        np.testing.assert_allclose(half, (automatic + whole) / 2, atol=1e-3)


def test_every_architecture_draws_at_any_size() -> None:
    rng = torch.Generator().manual_seed(1)
    grey = GreyFeatures(
        torch.rand(1, 320, 2, 3, generator=rng),
        torch.rand(1, 112, 4, 6, generator=rng),
        torch.rand(1, COLORS, 8, 12, generator=rng),
        torch.rand(1, 2, 8, 12, generator=rng),
    )
    for network in (LowRankFields().eval(), FieldVae().eval()):
        with torch.inference_mode():
            fields = network.sample(grey, Draw(5, 0, 1.0))
        assert fields.shape == (1, 5, 2, 8, 12) and torch.isfinite(fields).all()
        assert float((fields[0, 0] - fields[0, 1]).abs().max()) > 1e-3
    with pytest.raises(ValueError, match="architecture"):
        build_sampler({"architecture": "gan", "network": {}})


def test_the_chosen_stand_for_all_that_was_drawn() -> None:
    centres = torch.tensor([[-30.0, 0.0], [30.0, 0.0], [0.0, 30.0]])
    drawn = centres.repeat_interleave(10, 0) + torch.randn(30, 2, generator=torch.Generator().manual_seed(0))
    fields = drawn[:, :, None, None].expand(-1, -1, 6, 9)
    chosen = choose_fields(fields, 3, 1.0)
    assert sorted(index // 10 for index in chosen) == [0, 1, 2]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), count=st.integers(1, 6), inner=st.floats(0, 1))
def test_no_two_of_the_chosen_are_alike_while_others_are_drawn(seed: int, count: int, inner: float) -> None:
    """Half of what is drawn is the same field; it is shown once. A far one is left out if only inner ones may be."""
    fields = 20 * torch.randn(12, 2, 4, 5, generator=torch.Generator().manual_seed(seed))
    fields[:5] = 0.1 * fields[:5]
    fields[1:5] = fields[:1]
    fields[11] += 500
    chosen = choose_fields(fields, count, inner)
    assert len(set(chosen)) == count and chosen[0] in range(5), "the most typical first"
    if inner == 1 and count > 1:
        assert sum(index < 5 for index in chosen) == 1 and 11 in chosen
    if inner < 0.9:
        assert 11 not in chosen


def test_fields_that_are_all_the_same_are_still_so_many() -> None:
    assert len(set(choose_fields(torch.zeros(6, 2, 3, 3), 6, 0.5))) == 6


@settings(max_examples=25, deadline=None)
@given(height=st.integers(1, 40), width=st.integers(1, 40), seed=st.integers(0, 99))
def test_a_field_brought_up_keeps_its_colors_and_the_automatic_ones_are_kept_by_their_own(
    height: int, width: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    automatic = 20 * torch.randn(1, 2, height, width, generator=generator)
    light = 100 * torch.rand(1, 1, height, width, generator=generator)
    rows, columns = -(-height // FIELD_STEP), -(-width // FIELD_STEP)
    flat = torch.tensor([12.0, -7.0])[None, :, None, None]
    full = torch.nn.functional.pad(
        automatic, (0, columns * FIELD_STEP - width, 0, rows * FIELD_STEP - height), mode="replicate"
    )
    own = torch.nn.functional.avg_pool2d(full, FIELD_STEP)
    moved = on_automatic(torch.cat((own, own + flat)), automatic, light)
    torch.testing.assert_close(moved[:1], automatic, atol=1e-3, rtol=0)
    torch.testing.assert_close(moved[1:], automatic + flat, atol=1e-2, rtol=0)


def test_edges_of_the_picture_hold_in_a_field_of_two_colors() -> None:
    """A field's edge is coarse; the picture's, between two cells, is where the colours change."""
    height, width, edge = 32, 32, 18
    light = torch.full((1, 1, height, width), 20.0)
    light[..., edge:] = 80.0
    field = torch.zeros(1, 2, 8, 8)
    field[:, 0, :, :4], field[:, 0, :, 5:] = -20.0, 20.0
    result = on_automatic(field, torch.zeros(1, 2, height, width), light)[0, 0, 16]
    assert float(result[edge] - result[edge - 1]) > 12.0, "the step is at the picture's edge"


# strength and hints


def test_strength_multiplies_hints_win_where_they_change_colors_and_draws_are_kept(colorizer: Colorizer) -> None:
    encoded = Encoded(colorizer, lightness(64, 96))
    one = Variation(1, 3, 5)
    ab = next(encoded.ab_maps([one]))
    np.testing.assert_allclose(next(encoded.ab_maps([one], strength=0.5)), 0.5 * ab, atol=1e-5)
    assert np.abs(next(encoded.ab_maps([one], strength=0.0))).max() == 0
    mask = np.zeros((64, 96), np.float32)
    mask[8:24, 8:24] = 1
    hinted = next(encoded.ab_maps([one], Hints(mask[..., None] * np.array((50, -20), np.float32), mask)))
    np.testing.assert_allclose(hinted[8, 8], (50, -20), atol=1e-3)
    np.testing.assert_array_equal(hinted[:, -8:], ab[:, -8:], "beyond the hints' reach")
    other = next(encoded.ab_maps([Variation(2, 3, 5)], Hints(mask[..., None] * np.array((50, -20), np.float32), mask)))
    np.testing.assert_allclose(other[8, 8], hinted[8, 8], atol=1e-3)
    assert np.abs(other - hinted)[:, -8:].mean() > 0.5, "variations differ where no hint reaches"
    for seed in range(MAX_DRAWS + 3):
        list(encoded.ab_maps([Variation(0, 1, seed), None, Palette.from_hex("#336699")]))
    assert len(encoded._draws) <= MAX_DRAWS


@pytest.mark.parametrize(("index", "count", "seed"), [(0, 0, 0), (3, 3, 0), (-1, 3, 0), (0, 21, 0), (0, 1, -1)])
def test_variations_that_cannot_be_are_refused(index: int, count: int, seed: int) -> None:
    with pytest.raises(UsageError):
        Variation(index, count, seed)


def test_a_source_of_no_or_too_many_colorings_is_refused() -> None:
    for count in (0, 21):
        with pytest.raises(UsageError):
            DiverseColors(count)


# models


def test_weights_that_do_not_fit_and_no_model_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T2C_MODELS", str(tmp_path))
    export_model(
        tmp_path, {"x": np.zeros(3)}, name="bad", version="1", kind="diverse", licence="MIT",
        config={"architecture": "low-rank", "network": {}},
    )  # fmt: skip
    with pytest.raises(ModelError, match="do not fit"):
        ColorFieldSampler.load("bad")
    with pytest.raises(ModelError, match="called 'none'"):
        ColorFieldSampler.load("none")


def test_the_shipped_model_is_small_and_says_what_it_is() -> None:
    card = find_model("diverse")
    assert card.size < 6e6 and card.default and card.licence == "CC BY-SA 4.0"
    assert {"best_to_automatic", "apart", "colourfulness_ratio", "roughness_to_automatic"} <= card.figures.keys()


# from outside


@pytest.mark.usefixtures("fake_networks")
def test_the_command_line_writes_results_that_can_be_made_again() -> None:
    photo("scan.png")
    (said,) = lines(t2c("colorize", "scan.png", "--diverse", 3, "--seed", 9, "--json").stdout)
    paths = [Path(one["path"]) for one in said["results"]]
    assert [one.name for one in paths] == ["scan-1.png", "scan-2.png", "scan-3.png"]
    assert [one["seed"] for one in said["results"]] == [9] * 3
    assert len({path.read_bytes() for path in paths}) == 3
    recipe = read_recipe(paths[1])
    assert recipe is not None and recipe.colors["variation"] == {"index": 1, "count": 3, "seed": 9}
    assert make_again(paths[1], Path("again/1.png")).same_bytes
    kept = t2c("colorize", "scan.png", "--diverse", 3, "--seed", 9).stderr
    assert "4 existing files kept" in kept or "3 existing files kept" in kept
    apart = t2c("colorize", "scan.png", "--diverse", 3, "--seed", 10).stderr
    assert "results of other colours" in apart


@pytest.mark.usefixtures("fake_networks")
@pytest.mark.parametrize(
    "options", [["--diverse", 0], ["--diverse", 21], ["--diverse", 2, "--auto"], ["--diverse", 2, "--phrase", "sea"]]
)
def test_the_command_line_refuses_what_cannot_be(options: list[Any]) -> None:
    photo("scan.png")
    assert t2c("colorize", "scan.png", *options, code=2).stderr
    assert not Path("out").exists()


@pytest.mark.usefixtures("fake_networks")
def test_a_job_over_a_tree_draws_for_every_picture() -> None:
    Path("tree/deep").mkdir(parents=True)
    for name in ("tree/a.png", "tree/deep/b.png"):
        photo(name)
    t2c("batch", "tree", "-o", "out", "--diverse", "-n", 2, "--seed", 4, "--workers", 1)
    found = sorted(str(path.relative_to("out")) for path in Path("out").rglob("*.png"))
    assert found == ["a-1.png", "a-2.png", "deep/b-1.png", "deep/b-2.png"]
    assert Image.open("out/a-1.png").convert("RGB").tobytes() != Image.open("out/a-2.png").convert("RGB").tobytes()


def coloring(params: dict[str, Any]) -> list[bytes]:
    """What the engine process answers to `colorize` of a grey wedge."""
    service = Service(load_colorizer=lambda device: fakes.Colorizer())
    service.set_picture(Job({"key": "a", "width": 8, "height": 6, "format": "Y u8"}, bytes(range(48)), _deaf, _never))
    told: list[bytes] = []
    service.colorize(Job({"key": "a", **params}, b"", lambda name, values, blob: _keep(told, name, blob), _never))
    return told


def _keep(told: list[bytes], name: str, blob: Any) -> None:
    if name == "picture":
        told.append(bytes(blob))


def _deaf(name: str, params: Any, blob: Any) -> None: ...


def _never() -> bool:
    return False


def test_the_engine_draws_the_variation_that_is_asked_for() -> None:
    one, other = (
        coloring({"palettes": [[]], "variation": {"index": index, "count": 2, "seed": 7}}) for index in (0, 1)
    )
    natural = coloring({"palettes": [[]]})
    assert len({*one, *other, *natural}) == 3
    assert coloring({"palettes": [[]], "variation": {"index": 0, "count": 2, "seed": 7}}) == one


@settings(max_examples=40, deadline=None)
@given(
    variation=st.one_of(
        st.integers(),
        st.text(max_size=3),
        st.lists(st.integers(), max_size=2),
        st.dictionaries(
            st.sampled_from(["index", "count", "seed", "other"]),
            st.one_of(st.none(), st.booleans(), st.text(max_size=2), st.integers(-3, 30), st.floats()),
            max_size=4,
        ),
    )
)
def test_any_other_variation_is_refused_in_words(variation: Any) -> None:
    try:
        (picture,) = coloring({"palettes": [[]], "variation": variation})
    except T2CError as error:
        assert str(error).endswith(".") and len(str(error)) > 20
    else:
        assert picture and variation.keys() <= {"index", "count", "seed"}


def test_the_engine_announces_variations_only_where_it_has_them() -> None:
    assert sources(kinds=["palette", "colorizer"])["nothing"] == {}
    assert sources(kinds=["palette", "colorizer", "diverse"])["nothing"]["variations"] >= 5
