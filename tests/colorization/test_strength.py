"""Strength: from the network's own colours at 0 to the palette's at 1, and on; the same for command line and engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from t2c_engine.cli.main import app
from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.colorization.decoding import Decoding
from t2c_engine.colorization.encoded_picture import MAX_HINTS, Encoded
from t2c_engine.colorization.hints import Hints
from t2c_engine.networks.colorizer import ColorizerNet
from t2c_engine.palettes.palette import Palette
from t2c_engine.serving.service import Job, Service
from tests import fakes
from tests.small_network import SMALL

RED = Palette.from_hex("7f1d1d b91c1c dc2626 f87171 fee2e2")
BLUE = Palette.from_hex("172554 1d4ed8 3b82f6 93c5fd eff6ff")
LIGHTNESS = np.tile(np.linspace(5, 95, 96, dtype=np.float32), (64, 1))


@pytest.fixture(scope="module")
def encoded() -> Encoded:
    torch.manual_seed(0)
    network = ColorizerNet(SMALL)
    torch.nn.init.normal_(network.encoder.automatic.weight, std=0.3)  # which starts at 0: no automatic colour
    return Encoded(Colorizer(network, "small", torch.device("cpu")), LIGHTNESS)


def hint() -> Hints:
    mask = np.zeros((64, 96), np.float32)
    mask[8:24, 8:24] = 1
    return Hints(mask[..., None] * np.array((50, -20), np.float32), mask)


@pytest.mark.parametrize("hints", [None, hint()], ids=["without hints", "with hints"])
def test_strength_leads_from_the_networks_own_colors_to_the_palettes_and_on(
    encoded: Encoded, hints: Hints | None
) -> None:
    own = next(encoded.ab_maps([None], hints))
    palettes = [RED, BLUE]
    full = list(encoded.ab_maps(palettes, hints, 1.0))
    assert all(np.abs(ab - own).max() > 5 for ab in full) and np.abs(own).max() > 1
    for strength in (0.0, 0.25, 0.5, 0.99):
        for ab, whole in zip(encoded.ab_maps(palettes, hints, strength), full, strict=True):
            np.testing.assert_allclose(ab, own + strength * (whole - own), atol=1e-4)
    for strength in (1.5, 2.0):
        for ab, whole in zip(encoded.ab_maps(palettes, hints, strength), full, strict=True):
            np.testing.assert_allclose(ab, strength * whole, atol=1e-4)
    if hints is not None:
        half = next(encoded.ab_maps([RED], hints, 0.5))
        np.testing.assert_allclose(half[4, 4], (50, -20), atol=1e-3)


def test_without_a_palette_vivid_colors_answer_with_dabs_or_without(encoded: Encoded) -> None:
    for hints in (None, hint()):
        plain, said = (next(encoded.ab_maps([None], hints, decoding=one)) for one in (None, Decoding.VIVID))
        np.testing.assert_array_equal(plain, said)
        other = next(encoded.ab_maps([None], hints, decoding=Decoding.TOP))
        assert not np.allclose(plain, other)


@pytest.mark.parametrize("decoding", Decoding)
def test_without_a_palette_it_multiplies_and_nought_is_grey(encoded: Encoded, decoding: Decoding) -> None:
    own = next(encoded.ab_maps([None], decoding=decoding))
    for strength in (0.0, 0.5, 1.7):
        scaled, _ = encoded.ab_maps([None, RED], strength=strength, decoding=decoding)
        np.testing.assert_allclose(scaled, strength * own, atol=1e-4)


class Counting(fakes.Colorizer):
    """Notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[Palette | None] = []

    def color(self, encoding: np.ndarray, palettes: Any, hints: Any = None, natural: float = 0.0) -> list[np.ndarray]:
        self.asked += palettes
        return super().color(encoding, palettes, hints, natural)

    def automatic(self, encoding: np.ndarray, decoding: Decoding, hints: Hints | None = None) -> np.ndarray:
        self.asked.append(None)
        return super().color(encoding, [None], hints)[0]


def test_the_networks_own_colors_are_worked_out_once_and_only_below_1() -> None:
    colorizer = Counting()
    one = Encoded(colorizer, LIGHTNESS)
    for strength in (1.0, 1.3, 2.0):
        list(one.ab_maps([RED, BLUE], strength=strength))
    assert colorizer.asked == [RED, BLUE]
    many = [Palette.from_hex(f"#0000{number:02x}").to_size() for number in range(12)]
    for strength in (0.9, 0.2, 0.0):
        assert len(list(one.ab_maps([RED, BLUE, *many], strength=strength))) == 14
    assert colorizer.asked.count(None) == 1 and len(colorizer.asked) == 15


def test_hints_used_long_ago_are_let_go() -> None:
    colorizer = Counting()
    one = Encoded(colorizer, LIGHTNESS)
    painted = [hint() for _ in range(6)]
    for hints in (*painted, painted[-1]):
        list(one.ab_maps([RED], hints))
    assert len(colorizer.asked) == 6
    for hints in painted[-MAX_HINTS:]:
        list(one.ab_maps([RED], hints))
    assert len(colorizer.asked) == 6
    list(one.ab_maps([RED], painted[0]))
    assert len(colorizer.asked) == 7


def test_the_engines_previews_go_from_one_picture_to_each_palettes_own() -> None:
    service, shown = Service(fakes.PaletteSampler.load, lambda device: Counting()), []
    params = {"key": "k", "width": 40, "height": 30, "format": "Y u8"}
    service.set_picture(Job(params, bytes([128]) * 1200, lambda *_: None, lambda: False))

    def notify(method: str, params: Any, blob: Any) -> None:
        if method == "picture":
            shown.append(np.frombuffer(bytes(blob), np.uint8).reshape(30, 40, 3)[15, 20].astype(int))

    for strength in (0.0, 0.5, 1.0):
        wanted = {"key": "k", "palettes": [list(RED.hex), list(BLUE.hex)], "strength": strength}
        service.preview(Job(wanted, b"", notify, lambda: False))
    nought, half, full = np.array(shown).reshape(3, 2, 3)
    assert (nought[0] == nought[1]).all() and np.ptp(nought[0]) > 5
    distances = [np.abs(each[0] - each[1]).sum() for each in (nought, half, full)]
    assert distances[0] < distances[1] < distances[2]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.use(monkeypatch)
    monkeypatch.chdir(tmp_path)
    Image.new("L", (60, 40), 128).save("photo.png")
    Image.fromarray(np.repeat(np.repeat([[255, 0]], 30, 1), 40, 0).astype(np.uint8)).save("mask.png")


def colored(*words: str) -> np.ndarray:
    command = ["colorize", "photo.png", "-o", "out", "--overwrite", *words]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, (result.stdout, result.stderr, result.exception)
    return np.asarray(Image.open("out/photo-1.png"), int)


@pytest.mark.usefixtures("world")
def test_the_command_line_does_the_same_in_regions_too() -> None:
    reds = ",".join(RED.hex)
    natural = colored("--auto")
    assert np.ptp(natural, axis=2).max() > 5
    np.testing.assert_array_equal(colored("--palette", reds, "--strength", "0"), natural)
    half, full = colored("--palette", reds, "--strength", "0.5"), colored("--palette", reds)
    assert natural[20, 30, 0] < half[20, 30, 0] < full[20, 30, 0]
    region = colored("--region", "mask.png", reds, "--strength", "0")
    np.testing.assert_array_equal(region[:, :25], natural[:, :25])
    assert np.ptp(region[:, 35:], axis=2).max() == 0
    assert np.ptp(colored("--auto", "--strength", "0"), axis=2).max() == 0
