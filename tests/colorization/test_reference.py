"""Colors from a reference: which pictures can be one, what the network makes of them, and the commands for them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from t2c_engine.albums.job import AlbumJob, read_job
from t2c_engine.albums.run import job_items
from t2c_engine.batch.recipe import read_recipe
from t2c_engine.batch.source_options import parse_colors
from t2c_engine.cli.main import app
from t2c_engine.color.lab import lab_to_srgb
from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.colorization.encoded_picture import Encoded
from t2c_engine.colorization.exemplar import ColorTransfer, TransferInference, sampled
from t2c_engine.colorization.hints import Hints
from t2c_engine.colorization.reference import Reference, read_reference
from t2c_engine.errors import PictureError, UsageError
from t2c_engine.networks.colorizer import ColorizerNet
from t2c_engine.networks.exemplar import ExemplarConfig, ExemplarNet, adain
from t2c_engine.serving.service import Job, Service
from tests import fakes
from tests.small_network import SMALL
from trainer.evaluation.color_metrics import histogram_distance

SMALL_TRANSFER = ExemplarConfig(widths=(8, 8, 8, 8), embedding=8)
SIZE = (64, 96)


def scene() -> tuple[np.ndarray, np.ndarray]:
    """Lightness and ab: dark stripes are red, light ones are blue."""
    stripes = np.tile((np.arange(SIZE[1]) // 16 % 2).astype(np.float32), (SIZE[0], 1))
    ab = np.where(stripes[..., None] > 0, np.array([5, -40], np.float32), np.array([45, 25], np.float32))
    return 25 + 50 * stripes, ab.astype(np.float32)


def save(path: Path, pixels: np.ndarray) -> Path:
    Image.fromarray(pixels).save(path)
    return path


def color_file(path: Path, ab: tuple[int, int] = (30, 40), side: int = 48) -> Path:
    lab = np.full((side, side, 3), (60, *ab), np.float32)
    return save(path, (lab_to_srgb(lab) * 255).round().astype(np.uint8))


def grey_file(path: Path) -> Path:
    return save(path, np.tile(np.linspace(0, 255, 64).astype(np.uint8), (48, 1)))


@pytest.fixture(scope="module")
def colorizer() -> Colorizer:
    torch.manual_seed(0)
    one = Colorizer(ColorizerNet(SMALL), "small", torch.device("cpu"))
    network = ExemplarNet(SMALL_TRANSFER)
    one.use_transfer(ColorTransfer(network, one.encoder, "small", one.device, TransferInference(short_side=64)))
    return one


# networks


def test_adain_takes_the_statistics_of_the_style() -> None:
    torch.manual_seed(1)
    content, style = torch.randn(2, 3, 8, 9), 4 * torch.randn(2, 3, 5, 5) + 7
    moved = adain(content, style)
    torch.testing.assert_close(moved.mean((2, 3)), style.mean((2, 3)), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(moved.std((2, 3), correction=0), style.std((2, 3), correction=0), atol=2e-2, rtol=2e-2)


def test_places_take_the_color_of_their_like(colorizer: Colorizer) -> None:
    lightness, ab = scene()
    found = colorizer.transfer.transfer(lightness, np.zeros((*SIZE, 2), np.float32), Reference(lightness, ab))
    red, blue = (found.ab[2:-2, 4 * index + 1 : 4 * index + 3].mean((0, 1)) for index in (2, 3))
    assert red[0] > 30 > 20 > blue[0] and red[1] > 10 > -20 > blue[1]
    assert found.size == (SIZE[0] // 4, SIZE[1] // 4)


def test_references_move_colors_and_strength_leads_there(colorizer: Colorizer) -> None:
    lightness, ab = scene()
    one, other = Reference(lightness, ab), Reference(lightness, -ab)
    encoded = Encoded(colorizer, lightness)
    (own,) = encoded.ab_maps([None])
    full, opposite, again = encoded.ab_maps([one, other, one])
    assert np.linalg.norm(full - opposite, axis=-1).mean() > 10
    np.testing.assert_array_equal(full, again)
    (half,) = encoded.ab_maps([one], strength=0.5)
    np.testing.assert_allclose(half, (own + full) / 2, atol=1e-4)
    np.testing.assert_allclose(next(encoded.ab_maps([one], strength=2.0)), 2 * full, atol=1e-4)


def test_pictures_of_one_kind_come_to_the_references_distribution_and_unrelated_ones_do_not(
    colorizer: Colorizer,
) -> None:
    """The reference shows the same stripes, most of them red; attention alone leaves the target half red."""
    lightness, ab = scene()
    reference = Reference(lightness[:, :40], ab[:, :40] * np.array([1.5, 0.5], np.float32))
    used = colorizer.transfer.inference

    def moved(**settings: float) -> tuple[np.ndarray, np.ndarray]:
        colorizer.transfer.inference = replace(used, **settings)
        try:
            found = colorizer.transfer.transfer(lightness, np.zeros((*SIZE, 2), np.float32), reference)
        finally:
            colorizer.transfer.inference = used
        return found.ab, found.mask

    plain, mask = moved()
    kin, same_mask = moved(distribution=1.0, unrelated=0.1, related=0.3)
    unrelated, _ = moved(distribution=1.0, unrelated=0.6, related=0.9)
    np.testing.assert_array_equal(plain, unrelated)
    np.testing.assert_array_equal(mask, same_mask)

    def apart(found: np.ndarray) -> float:
        return histogram_distance(mask[..., None] * found, reference.ab)

    assert apart(kin) < 0.85 * apart(plain)


@pytest.mark.parametrize(("confidence", "kinship"), [(0.0, 0.0), (0.15, 0.0), (0.225, 0.5), (0.3, 1.0), (1.0, 1.0)])
def test_kinship_rises_with_the_mean_confidence(confidence: float, kinship: float) -> None:
    assert TransferInference().kinship(confidence) == pytest.approx(kinship)


def test_hints_win_over_the_reference(colorizer: Colorizer) -> None:
    lightness, ab = scene()
    mask = np.zeros(SIZE, np.float32)
    mask[:32, :32] = 1
    hints = Hints(mask[..., None] * np.array([-30, 30], np.float32), mask)
    (found,) = Encoded(colorizer, lightness).ab_maps([Reference(lightness, ab)], hints)
    np.testing.assert_allclose(found[2:14, 2:14], np.broadcast_to([-30, 30], (12, 12, 2)), atol=0.5)


def test_hints_spread_over_a_reference_s_colors_as_far_as_they_reach(colorizer: Colorizer) -> None:
    lightness = np.full(SIZE, 50, np.float32)
    lightness[:, SIZE[1] // 2 :] = 90  # another thing
    ab = np.zeros((*SIZE, 2), np.float32)
    mask = np.zeros(SIZE, np.float32)
    mask[28:36, 4:12] = 1
    hints = Hints(mask[..., None] * np.array([-30, 30], np.float32), mask, 0.1)
    encoded = Encoded(colorizer, lightness)
    plain, found = (next(encoded.ab_maps([Reference(lightness, ab)], given)) for given in (None, hints))
    moved = np.abs(found - plain).sum(-1)
    near, beyond = moved[16, 8], moved[16, -4]  # beside the hint on the same thing; on the other
    assert near > 10 and beyond < near / 4


def test_refinement_from_samples_keeps_hints_and_differs(colorizer: Colorizer) -> None:
    lightness, ab = scene()
    plain = next(Encoded(colorizer, lightness).ab_maps([Reference(lightness, ab)]))
    used = colorizer.transfer.inference
    colorizer.transfer.inference = TransferInference(short_side=64, spacing=2)
    refined = next(Encoded(colorizer, lightness).ab_maps([Reference(lightness, ab)]))
    colorizer.transfer.inference = used
    assert refined.shape == plain.shape and np.abs(refined - plain).max() > 1


def test_samples_are_spaced() -> None:
    transfer = Hints(np.ones((8, 8, 2), np.float32), np.full((8, 8), 0.5, np.float32))
    assert sampled(transfer, 4).mask.sum() == 4 * 0.5


# files


def test_a_reference_keeps_its_colors(tmp_path: Path) -> None:
    reference = read_reference(color_file(tmp_path / "ochre.png"))
    np.testing.assert_allclose(reference.ab.mean((0, 1)), [30, 40], atol=1)
    assert read_reference(tmp_path / "ochre.png") is reference, "a run reads it once"
    color_file(tmp_path / "ochre.png", (-30, 40), side=50)
    assert read_reference(tmp_path / "ochre.png").ab[..., 0].mean() < 0


def test_a_reference_of_a_few_colored_pixels_is_not_grey(tmp_path: Path) -> None:
    pixels = np.full((100, 100, 3), 128, np.uint8)
    pixels[:10, :10] = (200, 40, 40)
    assert read_reference(save(tmp_path / "stamp.png", pixels)).ab.max() > 40


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("grey.png", "is grey;"),
        ("rgb.png", "is grey, though it is saved in colour;"),
        ("tiny.png", "at least 16 px"),
        ("no.png", "no.png"),
        ("text.png", "text.png"),
    ],
)
def test_pictures_that_are_no_reference_are_refused(tmp_path: Path, name: str, words: str) -> None:
    grey_file(tmp_path / "grey.png")
    color_file(tmp_path / "rgb.png", (0, 0))
    color_file(tmp_path / "tiny.png", side=8)
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(PictureError, match=words):
        read_reference(tmp_path / name)


# commands


def colorize(*words: object) -> Any:
    return CliRunner().invoke(app, ["colorize", *map(str, words), "-o", "out"])


def mean_color(path: Path) -> list[float]:
    return np.asarray(Image.open(path).convert("RGB")).mean((0, 1)).tolist()


@pytest.mark.usefixtures("fake_networks")
def test_each_reference_gives_a_result_and_says_so_in_it() -> None:
    grey, red, green = grey_file(Path("a.png")), color_file(Path("r.png")), color_file(Path("g.png"), (-40, 30))
    result = colorize(grey, "--reference", red, "--reference", green, "--json")
    assert result.exit_code == 0, result.output
    assert len(json.loads(result.output.splitlines()[0])["results"]) == 2
    first, second = (mean_color(Path(f"out/a-{index}.png")) for index in (1, 2))
    assert first[0] > first[1] and second[1] > second[0]
    recipe = read_recipe(Path("out/a-2.png"))
    assert recipe is not None and recipe.colors["reference"][0] == "g.png" and len(recipe.palette) == 5


@pytest.mark.usefixtures("fake_networks")
def test_a_result_by_reference_is_kept_until_the_reference_changes_and_made_again() -> None:
    grey, red = grey_file(Path("a.png")), color_file(Path("r.png"))
    assert colorize(grey, "--reference", red).exit_code == 0
    assert "kept" in colorize(grey, "--reference", red).output
    again = CliRunner().invoke(app, ["again", "out/a-1.png", "-o", "again"])
    assert again.exit_code == 0 and Path("again/a-1.png").read_bytes() == Path("out/a-1.png").read_bytes()
    color_file(Path("r.png"), (-40, 30))
    assert "names of their own" in " ".join(colorize(grey, "--reference", red).output.split())


@pytest.mark.usefixtures("fake_networks")
def test_hints_regions_and_strength_go_with_a_reference() -> None:
    grey, red = grey_file(Path("a.png")), color_file(Path("r.png"))
    hints = np.zeros((48, 64, 4), np.uint8)
    hints[10:30, 10:30] = (0, 0, 255, 255)
    mask = np.zeros((48, 64), np.uint8)
    mask[:, 40:] = 255
    save(Path("h.png"), hints)
    save(Path("m.png"), mask)
    result = colorize(
        grey, "--reference", red, "--hints", "h.png", "--region", "m.png", "#00ff00,#00ff00", "--strength", "0.8"
    )
    assert result.exit_code == 0, result.output
    pixels = np.asarray(Image.open("out/a-1.png").convert("RGB")).astype(int)
    assert pixels[20, 20, 2] > pixels[20, 20, 0] and pixels[20, 60, 1] > pixels[20, 60, 0]
    assert pixels[40, 20, 0] > pixels[40, 20, 2]


@pytest.mark.usefixtures("fake_networks")
@pytest.mark.parametrize(
    ("reference", "code", "words"),
    [
        ("grey.png", 1, "is grey"),
        ("missing.png", 1, "missing.png"),
        ("a.png", 2, "is the reference too"),
        ("tiny.png", 1, "at least 16 px"),
    ],
)
def test_bad_references_end_a_run_before_it_begins(reference: str, code: int, words: str) -> None:
    grey_file(Path("a.png"))
    grey_file(Path("grey.png"))
    color_file(Path("tiny.png"), side=8)
    result = colorize("a.png", "--reference", reference)
    assert result.exit_code == code and words in " ".join(result.output.split())
    assert not list(Path("out").glob("*.png"))


@pytest.mark.usefixtures("fake_networks")
def test_a_reference_in_the_folder_is_no_input() -> None:
    Path("in").mkdir()
    grey_file(Path("in/a.png"))
    color_file(Path("in/r.png"))
    assert colorize("in", "--reference", "in/r.png").exit_code == 0
    assert {path.name for path in Path("out").glob("*-1.png")} == {"a-1.png"}


def test_reference_and_palette_exclude_each_other(tmp_path: Path) -> None:
    grey = grey_file(tmp_path / "a.png")
    assert colorize(grey, "--reference", grey, "--auto").exit_code == 2


# the engine process


def send(service: Service, key: str, pixels: np.ndarray) -> None:
    height, width = pixels.shape[:2]
    format = "Y u8" if pixels.ndim == 2 else "RGB u8"
    params = {"key": key, "width": width, "height": height, "format": format}
    service.set_picture(Job(params, pixels.tobytes(), lambda *_: None, lambda: False))


def test_the_engine_colors_by_the_key_of_a_reference() -> None:
    service = Service(fakes.PaletteSampler.load, lambda device: fakes.Colorizer())
    send(service, "grey", np.full((40, 60), 130, np.uint8))
    send(service, "red", np.full((30, 30, 3), (190, 60, 50), np.uint8))
    shown: list[np.ndarray] = []

    def notify(method: str, params: Any, blob: Any) -> None:
        if method == "picture":
            shown.append(np.frombuffer(blob, np.uint8).reshape(params["height"], params["width"], 3))

    params = {"key": "grey", "palettes": [[]], "reference": "red"}
    assert service.preview(Job(params, b"", notify, lambda: False))["model"] == "fake-colorizer"
    assert shown[0][..., 0].mean() > shown[0][..., 2].mean() + 40
    with pytest.raises(PictureError, match="grey"):
        service.preview(Job({**params, "reference": "grey"}, b"", notify, lambda: False))
    with pytest.raises(UsageError, match="exclude each other"):
        service.preview(Job({**params, "variation": {"seed": 1}}, b"", notify, lambda: False))


# albums


@pytest.mark.usefixtures("fake_networks")
def test_a_job_takes_references_which_are_not_colored_themselves() -> None:
    Path("scans").mkdir()
    grey_file(Path("scans/a.png"))
    color_file(Path("scans/r.png"))
    Path("job.toml").write_text('inputs = ["scans"]\noutput = "out"\ncolors = "reference files=scans/r.png"\n')
    items = job_items(read_job(Path("job.toml")))
    ((path, item),) = items.items()
    assert path.name == "a.png" and item.source is not None
    assert [one and one.name for one in item.source.references] == ["r.png"]
    with pytest.raises(PictureError, match="is grey"):
        job_items(AlbumJob(("scans",), Path("out"), colors=parse_colors("reference files=scans/a.png")))
