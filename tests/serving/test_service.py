"""What the engine process keeps and reuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from t2c_engine.color.lab import srgb_to_lab
from t2c_engine.devices import pick_device
from t2c_engine.errors import PictureError, UsageError
from t2c_engine.palettes.palette import Palette
from t2c_engine.palettes.style import StyleWeight
from t2c_engine.serving.picture_store import HeldPicture, PictureStore, UnknownPictureError, format_of, read_pixels
from t2c_engine.serving.protocol import PIXEL_FORMATS
from t2c_engine.serving.service import CancelledError, Job, Service
from t2c_engine.serving.sources import sources
from tests import fakes
from tests.look_models import make_look

RED = Palette.from_hex("7f1d1d b91c1c dc2626 f87171 fee2e2")
BLUE = Palette.from_hex("172554 1d4ed8 3b82f6 93c5fd eff6ff")


# pixels and pictures


@pytest.mark.parametrize("format", PIXEL_FORMATS)
def test_pixels_are_read_as_their_format_says(format: str) -> None:
    layout = PIXEL_FORMATS[format]
    rng = np.random.default_rng(1)
    given = rng.random((3, 4, layout.channels)).astype(np.float32)
    if layout.sample != "float32":
        given = (given * np.iinfo(layout.sample).max).astype(layout.sample)
    pixels = read_pixels(given.tobytes(), 4, 3, format)
    assert pixels.dtype == layout.sample and format_of(pixels) == format
    assert np.array_equal(pixels.reshape(given.shape), given)


@pytest.mark.parametrize(
    ("size", "width", "height", "format"),
    [(12, 4, 3, "Y u16"), (13, 4, 3, "Y u8"), (0, 0, 0, "Y u8"), (12, -4, -3, "Y u8"), (12, 4, 3, "CMYK u8")],
)
def test_pixels_that_do_not_fit_are_refused(size: int, width: int, height: int, format: str) -> None:
    with pytest.raises(PictureError):
        read_pixels(bytes(size), width, height, format)


def test_the_store_drops_what_was_used_longest_ago() -> None:
    store = PictureStore(max_bytes=3000, max_pictures=10)
    for key in "abc":
        store.put(key, np.zeros((10, 100), np.uint8))
    store.get("a")
    store.put("d", np.zeros((10, 100), np.uint8))
    with pytest.raises(UnknownPictureError):
        store.get("b")
    assert store.get("a").picture.size == (10, 100)
    store.put("large", np.zeros((100, 100), np.uint8))
    assert store.get("large").picture.size == (100, 100), "the newest is held whatever its size"
    with pytest.raises(UnknownPictureError):
        store.get("d")


def test_reduced_pictures_are_means_in_8_bits() -> None:
    pixels = np.kron(np.array([[0, 65535], [65535, 0]], np.uint16), np.ones((50, 100), np.uint16))
    reduced = HeldPicture(pixels).reduced(4)
    assert reduced.pixels.tolist() == [[0, 0, 255, 255], [255, 255, 0, 0]]


class Counting(fakes.Colorizer):
    """Counts what it is asked for."""

    def __init__(self) -> None:
        self.encoded = 0
        self.asked: list[int] = []
        self.natural: list[float] = []

    def encode(self, lightness: np.ndarray) -> np.ndarray:
        self.encoded += 1
        return super().encode(lightness)

    def color(self, encoding: np.ndarray, palettes: Any, hints: Any = None, natural: float = 0.0) -> list[np.ndarray]:
        self.asked.append(len(palettes))
        self.natural.append(natural)
        return super().color(encoding, palettes, hints, natural)


def test_a_picture_is_encoded_once_and_a_palette_colored_once() -> None:
    colorizer, told = Counting(), []
    service = Service(fakes.PaletteSampler.load, lambda device: colorizer)
    params = {"key": "k", "width": 40, "height": 30, "format": "Y u8"}
    service.set_picture(Job(params, bytes(range(200)) * 6, lambda *_: None, lambda: False))
    notify = lambda method, params, blob: told.append((method, params.get("index"), bytes(blob)))  # noqa: E731
    palettes = [list(one.hex) for one in (RED, BLUE)]
    service.preview(Job({"key": "k", "palettes": palettes}, b"", notify, lambda: False))
    service.colorize(Job({"key": "k", "palettes": [*palettes, palettes[0]]}, b"", notify, lambda: False))
    assert colorizer.encoded == 1 and colorizer.asked == [1, 1]
    pictures = [(index, blob) for method, index, blob in told if method == "picture"]
    assert [index for index, _ in pictures] == [0, 1, 0, 1, 2]
    assert pictures[2][1] == pictures[4][1] != pictures[3][1]
    many = [["#000000", f"#0000{number:02x}"] for number in range(20)]
    service.colorize(Job({"key": "k", "palettes": many}, b"", notify, lambda: False))
    assert sum(colorizer.asked[2:]) == 20 and max(colorizer.asked) == 1


def test_a_cancelled_job_gives_up_before_the_network() -> None:
    colorizer = Counting()
    service = Service(fakes.PaletteSampler.load, lambda device: colorizer)
    params = {"key": "k", "width": 4, "height": 3, "format": "Y u8"}
    service.set_picture(Job(params, bytes(12), lambda *_: None, lambda: False))
    with pytest.raises(CancelledError):
        service.colorize(Job({"key": "k", "palettes": [list(RED.hex)]}, b"", lambda *_: None, lambda: True))
    assert not colorizer.encoded


def test_a_job_is_stopped_inside_a_picture() -> None:
    begun: list[int] = []

    def render(picture: Any, ab: Any, lightness: Any, curve: Any, at_block: Callable[[], None]) -> np.ndarray:
        begun.append(1)
        at_block()
        raise AssertionError("the job goes on")

    service = Service(fakes.PaletteSampler.load, lambda device: Counting(), render)
    params = {"key": "k", "width": 40, "height": 30, "format": "Y u8"}
    service.set_picture(Job(params, bytes(1200), lambda *_: None, lambda: False))
    job = Job({"key": "k", "palettes": [list(RED.hex)] * 2}, b"", lambda *_: None, lambda: bool(begun))
    with pytest.raises(CancelledError):
        service.colorize(job)
    assert len(begun) == 1


def test_auto_is_not_loaded_beside_what_it_stands_for() -> None:
    service = Service()
    assert service.colorizer("auto") is service.colorizer(str(pick_device("auto")))


def test_doctor_lists_its_checks() -> None:
    service = Service(fakes.PaletteSampler.load, lambda device: Counting())
    found = service.doctor(Job({}, b"", lambda *_: None, lambda: False))
    assert {"Python", "packages"} <= {check["name"] for check in found["checks"]}
    assert found["ok"] == all(check["state"] != "problem" for check in found["checks"])


def test_natural_reaches_the_network_and_is_a_share() -> None:
    colorizer = Counting()
    service = Service(fakes.PaletteSampler.load, lambda device: colorizer)
    service.set_picture(
        Job({"key": "k", "width": 40, "height": 30, "format": "Y u8"}, bytes(1200), lambda *_: None, lambda: False)
    )
    for natural in (0.0, 0.6):
        params = {"key": "k", "palettes": [list(RED.hex)], "natural": natural}
        service.preview(Job(params, b"", lambda *_: None, lambda: False))
    assert colorizer.natural == [0.0, 0.6], "a map of another share is another map"
    for wrong in (-0.1, 1.5, "much"):
        params = {"key": "k", "palettes": [list(RED.hex)], "natural": wrong}
        with pytest.raises(UsageError, match="natural"):
            service.preview(Job(params, b"", lambda *_: None, lambda: False))


def test_a_style_of_photographs_changes_the_colours_until_it_is_removed(tmp_path, monkeypatch):
    from t2c_engine.models import export_model

    monkeypatch.setenv("T2C_MODELS", str(tmp_path))

    def train(value: float) -> None:
        change = {"x.change": np.full(3, value, np.float32)}
        export_model(tmp_path, change, name="portraits", version="1", kind="photographs", licence="MIT")

    train(0.0)
    loaded: list[object] = []

    def load(device: str, styles: object = ()) -> object:
        loaded.append(styles)
        return object()

    service = Service(load_colorizer=load)
    styles = (StyleWeight("portraits", 0.5),)
    styled = service.colorizer("cpu", styles=styles)
    assert service.colorizer("cpu", styles=styles) is styled is not service.colorizer("cpu")
    assert loaded == [styles, ()]
    train(1.0)
    assert service.colorizer("cpu", styles=styles) is not styled, "it was trained anew"


# looks


def test_a_look_comes_after_the_colors_and_its_tones_only_where_they_are_asked_for(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("T2C_MODELS", str(tmp_path))
    make_look(tmp_path, "faded", (0.0, 8.0), 20.0)
    assert sources()["look"]["looks"][0] == {"name": "faded", "title": "Faded"}
    service, held = (
        Service(fakes.PaletteSampler.load, lambda device: fakes.Colorizer()),
        np.full((24, 36), 120, np.uint8),
    )
    service.set_picture(Job({"key": "a", "width": 36, "height": 24, "format": "Y u8"}, held.tobytes(), print, bool))

    def made(**params: Any) -> np.ndarray:
        """Mean Lab of a request's only picture."""
        pictures: list[np.ndarray] = []

        def notify(method: str, told: Any, blob: Any) -> None:
            if method == "picture":
                pictures.append(np.frombuffer(blob, np.uint8).reshape(-1, 3) / 255)

        params = {"key": "a", "palettes": [[]], **params}
        (service.colorize if "mode" in params else service.preview)(Job(params, b"", notify, lambda: False))
        return srgb_to_lab(pictures[0]).mean(0)

    plain = made()
    assert made(look="faded", strength=0) == pytest.approx(plain, abs=0.5)
    assert made(look="faded")[2] > plain[2] + 3 and made(look="faded")[0] == pytest.approx(plain[0], abs=0.7)
    assert made(look="faded", mode="colour")[0] == pytest.approx(plain[0], abs=0.7)
    assert made(look="faded", mode="normal")[0] > plain[0] + 5 < made(look="faded", tones=True)[0]
    with pytest.raises(UsageError, match="No look is called 'unknown'"):
        made(look="unknown")
    with pytest.raises(UsageError, match="must be true or false"):
        made(look="faded", tones="yes")
