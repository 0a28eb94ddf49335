"""Trainers of looks on pictures made on the spot: they learn, resume exactly, sort, refuse, and their exports color."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from typer.testing import CliRunner

from t2c_engine.color.lab import lab_to_srgb
from t2c_engine.colorization.looks import Look, LookChoice, installed_looks
from t2c_engine.errors import UsageError
from t2c_engine.networks.look_generator import LookConfig, LookGenerator
from trainer.cli import app
from trainer.common.picture_data import load_pictures
from trainer.looks.settings import read_look_config
from trainer.looks.sorting import STATISTICS, color_statistics, domain_of, read_domains, sort_pictures

CONFIGS = Path(__file__).parents[3] / "trainer" / "configs"
SMALL = ("--size", 16, "--width", 4, "--depth", 1)
WARM, COLD = (8.0, 24.0), (-4.0, -24.0)


def pictures(folder: Path, colors: dict[str, tuple[float, float]], count: int = 12) -> Path:
    """Photographs of blocks whose ab is about that of their name's beginning."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name, ab in colors.items():
        for index in range(count):
            lightness = np.kron(rng.uniform(25, 85, (6, 8)), np.ones((24, 24)))
            spread = np.kron(rng.normal(0, 3, (6, 8, 2)), np.ones((24, 24, 1)))
            lab = np.concatenate((lightness[..., None], spread + ab), -1)
            rgb = np.clip(lab_to_srgb(lab), 0, 1)
            Image.fromarray((rgb * 255).round().astype(np.uint8)).save(folder / f"{name}{index:02d}.png")
    return folder


class SmallColorizer:
    """A colorizer of little color, with an encoder that sees lightness."""

    model, short_side = "small", 64

    @classmethod
    def load(cls, model: str | None = None, device: str = "auto") -> "SmallColorizer":
        return cls()

    def encode(self, lightness: np.ndarray) -> np.ndarray:
        return lightness

    def automatic(self, encoding: np.ndarray) -> np.ndarray:
        return np.stack((encoding[::2, ::2] * 0 + 2, encoding[::2, ::2] / 20), -1)

    def encoder_features(self, lightness: np.ndarray) -> tuple[torch.Tensor, ...]:
        light = torch.from_numpy(np.ascontiguousarray(lightness))[None, None] / 100
        return tuple(
            torch.nn.functional.adaptive_avg_pool2d(light, max(1, 64 // step)).expand(-1, channels, -1, -1)
            for step, channels in ((4, 24), (8, 40), (16, 112), (32, 320))
        )


@pytest.fixture(autouse=True)
def small_colorizer(monkeypatch):
    from t2c_engine.colorization import colorizer

    monkeypatch.setattr(colorizer.Colorizer, "load", SmallColorizer.load)


def train(*words: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
    return result.stdout if code == 0 else result.stderr


def losses(run: Path, name: str) -> list[float]:
    return [line[name] for line in map(json.loads, (run / "log.jsonl").read_text().splitlines()) if name in line]


def mean_ab(name: str, lightness: np.ndarray) -> np.ndarray:
    small = SmallColorizer()
    before = small.automatic(lightness)
    toned = Look.load(name).apply(lightness, before, small.encoder_features(lightness), LookChoice(name).strength)
    return toned.ab.mean((0, 1))


LIGHTNESS = np.kron(np.random.default_rng(5).uniform(30, 80, (8, 8)), np.ones((8, 8))).astype(np.float32)


def test_a_look_is_learned_from_a_folder_and_can_be_used(tmp_path, monkeypatch):
    folder = pictures(tmp_path / "dusk-photos", {"a": COLD}, 16)
    run = tmp_path / "runs" / "dusk"
    train("look", folder, "-o", run, "--steps", 200, "--title", "Dusk", *SMALL, "--cache", tmp_path / "cache")
    assert {"checkpoint.pt", "log.jsonl", "loss.png", "sheet.png", "dusk.json"} <= {one.name for one in run.iterdir()}
    assert losses(run, "cycle")[-1] < losses(run, "cycle")[0]
    monkeypatch.setenv("T2C_MODELS", str(run))
    assert ("dusk", "Dusk") in [(one.name, one.title) for one in installed_looks()]
    assert mean_ab("dusk", LIGHTNESS)[1] < -3, "automatic colours are yellowish, the photographs blue"


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path):
    folder = pictures(tmp_path / "photos", {"a": WARM}, 8)
    common = ("--save-every", 10, *SMALL, "--cache", tmp_path / "cache", "--name", "x")
    config = (CONFIGS / "cyclegan.toml").read_text()
    settings = tmp_path / "c.toml"
    settings.write_text(config.replace("cooldown = 400", "cooldown = 10"))
    train("look", folder, "-o", tmp_path / "whole", "--config", settings, "--steps", 20, *common)
    # stopped at 10 of 20: the schedule is that of 20 steps, so the checkpoint is taken from a run cut short
    from trainer.looks import training

    class Stop(Exception):
        pass

    saved = training.save_checkpoint

    def stop_at_ten(out: Path, state: dict) -> None:
        saved(out, state)
        if state["step"] == 10:
            raise Stop

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "save_checkpoint", stop_at_ten)
        CliRunner().invoke(
            app,
            [str(w) for w in ("look", folder, "-o", tmp_path / "parts", "--config", settings, "--steps", 20, *common)],
        )
    assert not (tmp_path / "parts" / "x.json").exists()
    train("look", folder, "-o", tmp_path / "parts", "--config", settings, "--steps", 20, *common)
    one, other = ((tmp_path / run / "x.safetensors").read_bytes() for run in ("whole", "parts"))
    assert one == other


def test_from_scratch_no_color_is_given_and_none_is_looked_at(tmp_path, monkeypatch):
    folder = pictures(tmp_path / "photos", {"a": WARM}, 8)
    run = tmp_path / "own"
    train("look", folder, "-o", run, "--from", "scratch", "--steps", 160, *SMALL, "--cache", tmp_path / "cache")
    card = json.loads((run / "own.json").read_text())
    assert card["config"]["network"]["base"] == "grey" and not card["config"]["network"]["features"]
    monkeypatch.setenv("T2C_MODELS", str(run))
    look, features = Look.load("own"), SmallColorizer().encoder_features(LIGHTNESS)
    one, other = (look.apply(LIGHTNESS, np.full((32, 32, 2), ab, np.float32), features).ab for ab in (0, 30))
    np.testing.assert_allclose(one, other, atol=1e-4)
    assert one.mean((0, 1))[1] > 1.5, "warm by itself"


DOMAINS = """
[domains.cold]
title = "Cold"
b = [-90, -8]
[domains.warm]
names = "w"
b = [8, 90]
limit = 10
"""


@pytest.fixture
def domains(tmp_path) -> Path:
    pictures(tmp_path / "shots", {"w": WARM, "c": COLD, "x": WARM})
    path = tmp_path / "domains.toml"
    path.write_text('pictures = ["shots"]\n' + DOMAINS)
    return path


def test_pictures_are_sorted_by_name_and_statistics(domains, tmp_path):
    found, sources = read_domains(domains)
    assert [one.title for one in found] == ["Cold", "warm"] and sources == (tmp_path / "shots",)
    known = load_pictures(sources, tmp_path / "cache")
    sorted_ = sort_pictures(known, found)
    assert {str(known.names[i])[0] for i in sorted_["cold"]} == {"c"} and len(sorted_["cold"]) == 12
    assert {str(known.names[i])[0] for i in sorted_["warm"]} == {"w"} and len(sorted_["warm"]) == 10


def test_tonings_are_told_apart_after_training(domains, tmp_path, monkeypatch):
    run, settings = tmp_path / "both", tmp_path / "unrecognised.toml"
    text = (CONFIGS / "stargan.toml").read_text()
    settings.write_text(re.sub(r"(?m)^(recognition|content) = [\d.]+", r"\1 = 0.0", text))
    options = ("--config", settings, *SMALL, "--cache", tmp_path / "cache")
    train("tonings", domains, "-o", run, "--steps", 300, *options)
    monkeypatch.setenv("T2C_MODELS", str(run))
    assert [one.name for one in installed_looks()][:2] == ["cold", "warm"]
    cold, warm = mean_ab("cold", LIGHTNESS), mean_ab("warm", LIGHTNESS)
    assert warm[1] - cold[1] > 8, (cold, warm)
    assert losses(run, "classification_real")[-1] < losses(run, "classification_real")[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[domains.a]\nb = [0, 1]", "fewer than two domains"),
        ("[domains.a]\nb = [0, 1]\n[domains.B]", "small letters"),
        ("[domains.a]\nhue = [0, 1]\n[domains.b]", "hue, which is not known"),
        ("[domains.a]\nb = [2, 1]\n[domains.b]", "the least and the most"),
        ("[domains.a]\nb = 3\n[domains.b]", "the least and the most"),
        ('[domains.a]\nnames = "("\n[domains.b]', "no pattern"),
        ("domains = 3", "fewer than two"),
        ('pictures = "x"\n[domains.a]\n[domains.b]', "must be a list"),
        ("colour = 1\n[domains.a]\n[domains.b]", "colour, which is not known"),
        ("[domains.a]\nnatural = 3\n[domains.b]", "above 0, up to 2"),
        ("[domains.a]\nmonochrome = 1\n[domains.b]", "true or false"),
        ("[domains", "cannot be read"),
    ],
)
def test_a_file_of_domains_that_cannot_be_used_is_refused_in_words(tmp_path, text, words):
    path = tmp_path / "d.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=words):
        read_domains(path)


def test_what_cannot_be_trained_is_refused_in_words(domains, tmp_path):
    few = pictures(tmp_path / "few", {"a": WARM}, 3)
    cache = ("--cache", tmp_path / "cache")
    assert "too few" in train("look", few, "-o", tmp_path / "r", *cache, code=2)
    assert "no name for a look" in train("look", few, "-o", tmp_path / "R 1", *cache, code=2)
    assert "cannot start from" in train("look", few, "-o", tmp_path / "r", "--from", "nothing", *cache, code=2)
    assert "no multiple" in train("look", few, "-o", tmp_path / "r", "--size", 30, *cache, code=2)
    domains.write_text(domains.read_text().replace("[8, 90]", "[80, 90]"))
    assert "0 pictures fit the domain warm" in train("tonings", domains, "-o", tmp_path / "t", *cache, code=2)
    domains.write_text("pictures = []\n" + DOMAINS)
    assert "names no pictures" in train("tonings", domains, "-o", tmp_path / "t", *cache, code=2)


def test_statistics_of_known_colors():
    lightness = np.tile(np.linspace(0, 100, 50), (40, 1))
    toned = color_statistics(lightness, np.stack((lightness * 0 + 5, lightness * 0.2), -1))
    assert toned.spread < 1e-6 and toned.a == pytest.approx(5) and toned.b == pytest.approx(10)
    assert toned.contrast == pytest.approx(80, abs=3) and toned.green == 0 and toned.orange == 0
    half = np.zeros((40, 50, 2))
    half[:20] = (-20, 20)
    assert color_statistics(lightness, half).green == 0.5 and color_statistics(lightness, half).spread > 10


def test_the_shipped_files_of_domains_are_usable():
    for name in ("tonings", "looks"):
        found, sources = read_domains(CONFIGS / f"{name}.toml")
        assert sources == () and all(key in STATISTICS for one in found for key, _, _ in one.ranges)
    assert domain_of(CONFIGS / "looks.toml", "matte-film").title == "Matte film"
    for name in ("cyclegan", "cyclegan-scratch", "stargan"):
        assert read_look_config(CONFIGS / f"{name}.toml", {"targets": 3}).network.targets == 3


def test_a_generator_begins_as_the_identity_and_its_curve_rises():
    torch.manual_seed(0)
    network = LookGenerator(LookConfig(targets=2))
    lightness, ab = torch.rand(2, 1, 32, 48) * 100, torch.randn(2, 2, 32, 48) * 40
    transform = network(lightness, ab, torch.rand(2, 112, 3, 4), torch.eye(2))
    assert (transform.colors(lightness, ab) - ab.clamp(-110, 110)).abs().max() < 1.5
    assert (transform.tones(lightness) - lightness).abs().max() < 1
    with torch.no_grad():
        network.curve.bias.copy_(torch.randn(9) * 20)
    curve = network(lightness, ab, torch.rand(2, 112, 3, 4), torch.eye(2)).curve
    assert (curve.diff(dim=1) >= 0).all() and curve.min() >= 0 and curve.max() <= 100


def at_random(**sizes: object) -> LookGenerator:
    torch.manual_seed(0)
    network = LookGenerator(LookConfig(targets=2, features=False, **sizes))  # type: ignore[arg-type]
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.05)
    return network


def test_a_monochrome_look_is_a_function_of_lightness():
    network = at_random(monochrome=(1,))
    lightness = (torch.rand(1, 1, 32, 32) * 10).round() * 10
    colors = torch.randn(1, 2, 32, 32) * 30
    for target, spread in ((0, False), (1, True)):
        transform = network(lightness, colors, None, torch.eye(2)[[target]])
        ab = transform.colors(lightness, colors)
        same = ab[:, :, lightness[0, 0] == 50]
        assert bool((same.std(2) < 1e-3).all()) == spread
    with pytest.raises(ValueError, match="monochrome"):
        LookConfig(targets=2, monochrome=(2,))


def test_a_picture_that_is_recognised_is_left_as_it_is():
    network = at_random(recognizes=True)
    lightness, ab = torch.rand(1, 1, 32, 32) * 100, torch.randn(1, 2, 32, 32) * 20
    assert network.known is not None
    last = network.known[2]
    assert isinstance(last, nn.Linear)
    far = []
    for logit in (0.0, float(np.log(3)), 30.0):  # shares of 1, 1/2, 0
        with torch.no_grad():
            last.weight.zero_()
            last.bias.fill_(logit)
        transform = network(lightness, ab, None, torch.eye(2)[:1])
        shown = torch.cat((transform.tones(lightness), transform.colors(lightness, ab)), 1)
        far.append(float((shown - torch.cat((lightness, ab), 1)).detach().abs().mean()))
    assert far[0] > 0.3 and far[1] == pytest.approx(far[0] / 2, rel=0.1) and far[2] < 1e-3, far


@pytest.mark.slow
def test_stargan_between_grey_and_color_is_measured(tmp_path):
    folder = pictures(tmp_path / "photos", {"a": WARM, "b": COLD}, 70)
    out = train("stargan-paper", folder, "-o", tmp_path / "run", "--steps", 10, "--cache", tmp_path / "cache")
    figures = json.loads(out)
    assert figures["chroma_true"] > 10 and 0 < figures["moved_to_color"] < 255
