"""Looks on pictures: what they change, what they leave, and what the command line and the engine make of them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from t2c_engine import models
from t2c_engine.albums.job import read_job
from t2c_engine.color.lab import srgb_to_lab
from t2c_engine.colorization.encoded_picture import Encoded
from t2c_engine.colorization.looks import Look, LookChoice, find_look, installed_looks, look_network, network_size
from t2c_engine.errors import ModelError, UsageError
from t2c_engine.model_store import add_model, export_file, import_file
from t2c_engine.models import export_model, load_weights
from t2c_engine.pictures.picture import Picture
from t2c_engine.rendering.guided_upsampling import render
from tests import fakes
from tests.command_line import lines, photo, t2c
from tests.look_models import SIZES, make_look

RAMP = np.broadcast_to(np.linspace(0, 100, 48, dtype=np.float32), (32, 48))


@pytest.fixture
def looks(fake_networks, tmp_path) -> Path:
    """Two looks installed beside fake networks: "warm" moves ab by (3, 6), "faded" lifts black to L 20."""
    make_look(tmp_path / "models", "warm", (3.0, 6.0))
    make_look(tmp_path / "models", "faded", (0.0, 0.0), 20.0)
    return tmp_path / "models"


def lab_of(path: Path) -> np.ndarray:
    return srgb_to_lab(np.asarray(Image.open(path).convert("RGB")) / 255)


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0, 2.0])
def test_strength_leads_from_the_colors_before_to_the_look_and_beyond(looks, strength):
    encoded = Encoded(fakes.Colorizer(), RAMP)
    before = np.full((16, 24, 2), 4.0, np.float32)
    toned = encoded.toned(before, LookChoice("warm", strength))
    np.testing.assert_allclose(toned.ab - before, np.broadcast_to([3 * strength, 6 * strength], before.shape), atol=0.1)
    np.testing.assert_allclose(toned.curve, np.linspace(0, 100, 3), atol=0.1)


def test_the_curve_is_applied_to_the_lightness_of_the_whole_picture():
    grey = np.rint(np.linspace(0, 255, 4096)).astype(np.uint8).reshape(64, 64)
    curve = np.array([20.0, 40.0, 100.0])
    plain = srgb_to_lab(render(Picture(grey), np.zeros((8, 8, 2), np.float32)) / 255)
    toned = srgb_to_lab(render(Picture(grey), np.zeros((8, 8, 2), np.float32), curve=curve) / 255)
    np.testing.assert_allclose(toned[..., 0], np.interp(plain[..., 0], [0, 50, 100], curve), atol=0.4)
    assert np.abs(toned[..., 1:]).max() < 0.5, "grey stays grey"


def test_a_curve_keeps_color_where_the_space_can_show_it():
    grey = np.full((32, 32), 100, np.uint16) * 257
    ab = np.full((8, 8, 2), 12.0, np.float32)
    toned = srgb_to_lab(render(Picture(grey), ab, curve=np.array([0.0, 60.0, 100.0])) / 65535)
    np.testing.assert_allclose(toned[..., 1:], 12.0, atol=0.2)


def test_the_command_line_colors_with_a_look(looks):
    assert [one["name"] for one in lines(t2c("looks", "--json").stdout)] == ["faded", "warm"]
    photo("a.png")
    t2c("colorize", "a.png", "--auto", "-o", "plain")
    t2c("colorize", "a.png", "--look", "warm", "-o", "warm")
    t2c("colorize", "a.png", "--look", "warm", "--strength", 0, "-o", "none")
    plain, warm = lab_of(Path("plain/a-1.png")), lab_of(Path("warm/a-1.png"))
    assert Path("none/a-1.png").exists() and np.abs(lab_of(Path("none/a-1.png")) - plain).max() < 0.1
    middle = np.s_[12:28, :, 1:]  # whose colors are within sRGB
    np.testing.assert_allclose(np.median((warm - plain)[middle], (0, 1)), (3, 6), atol=1.0)
    np.testing.assert_allclose(warm[..., 0], plain[..., 0], atol=1.0)


def test_a_look_comes_after_palette_hints_and_region(looks):
    photo("a.png")
    mask = np.zeros((40, 60), np.uint8)
    mask[:, 30:] = 255
    Image.fromarray(mask).save("mask.png")
    palette = ("--palette", "#7f1d1d,#b91c1c,#dc2626,#f87171,#fee2e2")
    region = ("--region", "mask.png", "#172554,#1d4ed8,#3b82f6,#93c5fd,#eff6ff")
    for folder, look in (("plain", ()), ("faded", ("--look", "faded"))):
        t2c("colorize", "a.png", *palette, *region, *look, "-o", folder)
    plain, faded = lab_of(Path("plain/a-1.png")), lab_of(Path("faded/a-1.png"))
    low, high = faded[:, :4, 0].min(), faded[:, -4:, 0].min()
    assert plain[..., 0].min() < low and low > 15 and high > 15, "both parts are lifted by one curve"
    assert np.median(plain[:, :20, 1]) > 20 and np.median(faded[:, 40:, 2]) < -20


def test_a_result_with_a_look_is_made_again(looks):
    photo("a.png")
    t2c("colorize", "a.png", "--look", "warm", "--strength", 1.5, "-o", "out")
    before = Path("out/a-1.png").read_bytes()
    t2c("again", "out/a-1.png", "-o", "again")
    (made,) = Path("again").iterdir()
    assert np.array_equal(np.asarray(Image.open(made)), np.asarray(Image.open("out/a-1.png")))
    assert b"warm" in before


def test_a_job_takes_a_look_alone_or_after_other_colors(looks):
    Path("job.toml").write_text('inputs = ["in"]\noutput = "out"\nlook = "warm"\nstrength = 0.5\n')
    job = read_job(Path("job.toml"))
    source = job.source(None, "", ())
    assert source is not None and source.decoding is not None
    assert source.look == LookChoice("warm", 0.5) and source.strength == 1.0
    drawn = replace(job, phrase="autumn").source(None, "", ())
    assert drawn is not None and drawn.phrase == "autumn" and drawn.look == source.look
    assert drawn.label == "autumn warm"


def test_unknown_looks_and_strengths_are_refused(looks):
    photo("a.png")
    assert "there are: faded, warm" in t2c("colorize", "a.png", "--look", "sepia", code=2).stderr
    assert "there are: faded, warm" in t2c("batch", ".", "-o", "out", "--look", "sepia", code=2).stderr
    t2c("colorize", "a.png", "--look", "warm", "--strength", 2.5, code=2)
    with pytest.raises(UsageError, match="out of range"):
        LookChoice("warm", -1.0)
    assert not Path("out").exists()


def test_without_looks_the_list_says_what_to_do(fake_networks):
    assert "t2c models add" in t2c("looks", code=1).stderr


def test_a_card_that_names_no_looks_offers_none(fake_networks, tmp_path):
    for name, named in (("a", "night"), ("b", [{"title": "x"}]), ("c", [3])):
        export_model(
            tmp_path / "models", {}, name=name, version="1", kind="look", licence="MIT", config={"looks": named}
        )
    assert installed_looks() == ()


@pytest.fixture
def store(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.delenv("T2C_MODELS", raising=False)
    return models.user_folder()


def test_a_users_look_is_added_from_its_run_or_one_file(tmp_path, store):
    make_look(tmp_path / "run", "dusk", (1.0, 1.0))
    card = add_model(tmp_path / "run")
    assert find_look("dusk").model == "dusk" and card.folder == store
    path = export_file(card, tmp_path / "dusk.safetensors")
    import_file(path, overwrite=True)
    assert Look.load("dusk").info.title == "Dusk"


@pytest.mark.parametrize(
    "network",
    [
        {"width": 8},
        {"targets": 2},
        {"width": 10**9},
        {"blocks": 900, "width": 1024},
        {"base": "blue"},
        {"unknown": 1},
        {"side": "16"},
        {"knots": 1},
    ],
)
def test_files_whose_card_lies_are_refused(tmp_path, store, network):
    card = make_look(tmp_path / "run", "dusk", (1.0, 1.0))
    path = tmp_path / "run" / "dusk.json"
    values = card.as_json()
    values["config"]["network"] = {**SIZES, **network}
    path.write_text(json.dumps(values))
    with pytest.raises(ModelError, match="do not fit its card"):
        add_model(path)
    assert not list(store.glob("*"))


def test_more_looks_than_the_network_knows_are_refused(tmp_path):
    card = make_look(tmp_path, "dusk", (1.0, 1.0), looks=[{"name": "dusk"}, {"name": "dawn"}])
    with pytest.raises(ModelError, match="do not fit"):
        look_network(card, load_weights(card))
    with pytest.raises(ModelError, match="do not fit"):
        look_network(replace(card, config={"network": SIZES}), load_weights(card))


def test_long_pictures_stay_within_bounds():
    assert network_size((80, 120), 32, 4) == (32, 48)
    assert network_size((10, 3000), 32, 4) == (32, 128)


def test_beyond_its_full_strength_a_look_changes_no_more_of_the_lightness(looks):
    encoded = Encoded(fakes.Colorizer(), RAMP)
    before = np.zeros((16, 24, 2), np.float32)
    half, once, twice = (encoded.toned(before, LookChoice("faded", strength)).curve for strength in (0.5, 1.0, 2.0))
    np.testing.assert_array_equal(once, twice)
    assert 5 < half[0] < once[0] - 5


def test_a_result_without_a_recipe_does_not_keep_others_from_being_made_again(looks):
    photo("a.png")
    t2c("colorize", "a.png", "--look", "warm", "-o", "out")
    t2c("again", "a.png", "out/a-1.png", "-o", "again", code=1)
    assert [path.name for path in Path("again").iterdir()] == ["a-1.png"]


def test_a_strength_of_one_goes_as_far_as_the_card_says(looks, tmp_path):
    make_look(tmp_path / "models", "mild", (3.0, 6.0), looks=[{"name": "mild", "natural": 0.5}])
    make_look(tmp_path / "models", "wild", (3.0, 6.0), looks=[{"name": "wild", "natural": "much"}])
    assert [(one.name, one.natural) for one in installed_looks()] == [("faded", 1.0), ("mild", 0.5), ("warm", 1.0)]
    before = np.full((16, 24, 2), 4.0, np.float32)
    once, twice = (Encoded(fakes.Colorizer(), RAMP).toned(before, LookChoice("mild", one)).ab for one in (1.0, 2.0))
    np.testing.assert_allclose(once - before, np.broadcast_to([1.5, 3.0], before.shape), atol=0.1)
    np.testing.assert_allclose(twice - before, np.broadcast_to([3.0, 6.0], before.shape), atol=0.1)
