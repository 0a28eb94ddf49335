"""Fine-tuning on a user's photographs: data check, training, resume, verdict, report, and the style in use."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from t2c_engine.batch.recipe import read_recipe
from t2c_engine.color.lab import lab_to_srgb
from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.errors import ExistsError, ModelError, UsageError
from t2c_engine.model_store import add_model
from t2c_engine.models import ModelCard, export_model, find_model, load_weights
from t2c_engine.networks.colorizer import ColorizerNet
from t2c_engine.palettes.style import StyleWeight
from tests.command_line import t2c
from tests.small_network import SMALL
from trainer.cli import app
from trainer.common.arguments import CONFIGS
from trainer.photographs.check import Fault, check_folder, held_out_part
from trainer.photographs.config import read_photographs_config
from trainer.photographs.judge import Figures
from trainer.photographs.run import Request, fine_tune
from trainer.photographs.verdict import Comparison, judge

CONFIG = replace(
    read_photographs_config(CONFIGS / "photographs.toml"),
    steps=24, cooldown=4, check_every=12, batch=4, crop=64, crops=(64,), shown=(64, 64), rank=4, learning_rate=2e-2,
    ema=0.5,
)  # fmt: skip


def write_photograph(path: Path, seed: int, side: int = 144, tone: str = "color") -> None:
    """A picture of squares whose colour follows from lightness and place."""
    rng = np.random.default_rng(seed)
    cells = rng.uniform(20, 85, (6, 6))
    light = np.kron(cells, np.ones((side // 6, side // 6)))
    shift = np.kron(rng.uniform(-6, 6, (6, 6)), np.ones((side // 6, side // 6))) if tone == "color" else light * 0
    colors = {
        "color": (shift, 25 + (light - 50) * 0.4 + shift),
        "grey": (light * 0, light * 0),
        "sepia": (light * 0 + 4, light * 0.3),
    }
    a, b = colors[tone]
    lab = np.stack((light, a, b), -1)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((lab_to_srgb(lab) * 255).round().astype(np.uint8)).save(path)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photographs")
    for index in range(30):
        write_photograph(folder / "studio" / f"{index:02d}.png", index)
    return folder


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelCard:
    """An untrained colour model as the default one, and an empty folder of the user's own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.setenv("T2C_MODELS", str(tmp_path / "models"))
    return write_base(tmp_path / "models", seed=0)


def write_base(folder: Path, seed: int) -> ModelCard:
    torch.manual_seed(seed)
    initial = ColorizerNet(SMALL)
    torch.nn.init.constant_(initial.closeness, 0.2)  # so that there is something to learn with a palette too
    torch.nn.init.constant_(initial.tone_weight, 0.0)
    tensors = {
        name: value.numpy() for name, value in initial.state_dict().items() if not name.endswith("num_batches_tracked")
    }
    network = {name: getattr(SMALL, name) for name in SMALL.__slots__}
    config = {"network": network, "inference": {"short_side": 64}}
    return export_model(
        folder, tensors, name="tiny", version="1", kind="colorizer", licence="MIT", config=config, default=True
    )


def request(folder: Path, out: Path, name: str = "studio") -> Request:
    others = out.parent / "others"
    write_photograph(others / "other.png", 99)
    return Request(folder, name, out, f"t2c-train photographs {folder.name} --name {name}", others=others)


def test_every_file_left_out_is_named_with_a_reason(tmp_path: Path) -> None:
    for index in range(4):
        write_photograph(tmp_path / f"good{index}.png", index)
    Image.open(tmp_path / "good0.png").save(tmp_path / "smaller.png")
    Image.open(tmp_path / "good1.png").convert("RGB").resize((200, 200)).save(tmp_path / "zoomed.jpg", quality=92)
    write_photograph(tmp_path / "grey.png", 7, tone="grey")
    write_photograph(tmp_path / "sepia.png", 8, tone="sepia")
    write_photograph(tmp_path / "tiny.png", 9, side=60)
    Image.new("RGB", (200, 200), "#884422").save(tmp_path / "wall.png")
    (tmp_path / "broken\x1b[31m.jpg").write_bytes(b"no picture")
    (tmp_path / "bomb.png").write_bytes(_png_that_claims(60_000, 60_000))
    (tmp_path / "notes.txt").write_text("no picture")
    check = check_folder(tmp_path)
    found = {one.name: one.fault for one in check.left_out}
    assert found == {
        "smaller.png": Fault.DUPLICATE, "zoomed.jpg": Fault.DUPLICATE, "grey.png": Fault.GREY,
        "sepia.png": Fault.TONED, "tiny.png": Fault.TINY, "wall.png": Fault.FLAT,
        "broken\x1b[31m.jpg": Fault.UNREADABLE, "bomb.png": Fault.UNREADABLE,
    }  # fmt: skip
    assert len(check.used) == 4 and check.passed == {".txt": 1}
    assert all(one.sentence.endswith(".") for one in check.left_out)
    assert "good0.png" in next(one.sentence for one in check.left_out if one.name == "smaller.png")
    assert next(iter(check.sentences())) == "4 photographs of 12 can be used."
    shown = CliRunner().invoke(app, ["photographs", str(tmp_path), "--name", "x", "--check-only"]).output
    assert "\x1b" not in shown and "tiny.png: It is 60 x 60 px; 132 px are needed." in shown


def _png_that_claims(width: int, height: int) -> bytes:
    import struct
    import zlib

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"0")) + chunk(b"IEND", b"")


def test_series_are_never_on_both_sides(tmp_path: Path) -> None:
    for index in range(12):
        write_photograph(tmp_path / f"{index:02d}.png", index)
        picture = Image.open(tmp_path / f"{index:02d}.png")  # the next one of the series, also mirrored
        noise = np.random.default_rng(index).integers(-12, 12, (144, 144, 3))
        pixels = np.clip(np.asarray(picture).astype(int)[:, :: -1 if index % 2 else 1] + noise, 0, 255)
        Image.fromarray(np.roll(pixels, 2, 0).astype(np.uint8)).save(tmp_path / f"{index:02d}-next.png")
    used = check_folder(tmp_path).used
    held_out = held_out_part(used, 0.25, 1)
    sides: dict[str, set[bool]] = {}
    for one, out in zip(used, held_out, strict=True):
        sides.setdefault(one.name[:2], set()).add(bool(out))
    assert len(used) == 24 and held_out.sum() == 6
    assert all(len(side) == 1 for side in sides.values())


def test_a_studio_fine_tunes_and_uses_its_style(photographs: Path, base: ModelCard, tmp_path: Path) -> None:
    said: list[str] = []
    outcome = fine_tune(request(photographs, tmp_path / "run"), CONFIG, said.append)
    assert outcome is not None and outcome.verdict.ship
    assert outcome.own.ratio("palette") <= 1 and outcome.own.ratio("automatic") < 0.9
    card = find_model("photographs", "studio")
    assert card.config["base"]["sha256"] == base.sha256 and card.size < 1e6 and not card.default
    figures = card.figures["held_out"]["automatic"]
    assert figures["ab_error_after"] < figures["ab_error_before"]
    assert "sha256 of all " + outcome.check.digest in card.data[0] and card.command.endswith("--name studio")

    page = (tmp_path / "run" / "report.html").read_text("utf-8")
    assert outcome.verdict.sentence in page and page.count("data:image/jpeg;base64,") >= 20
    assert not re.search(r'(src|href)="(?!data:)', page), "it works offline"
    assert "studio/00.png,used," in (tmp_path / "run" / "check.csv").read_text("utf-8")
    assert any("Installed" in one for one in said) and outcome.verdict.sentence in said

    lightness = np.tile(np.linspace(10, 90, 64, dtype=np.float32), (64, 1))

    def automatic(*styles: StyleWeight) -> np.ndarray:
        one = Colorizer.load(None, "cpu", styles)
        return one.automatic(one.encode(lightness))

    plain, whole, half = automatic(), automatic(StyleWeight("studio")), automatic(StyleWeight("studio", 0.5))
    assert np.array_equal(plain, automatic(StyleWeight("studio", 0.0)))
    apart = [float(np.abs(one - plain).mean()) for one in (half, whole)]
    assert 0.1 < apart[0] < apart[1]

    source = photographs / "studio" / "00.png"
    t2c("colorize", source, "--auto", "--style", "studio", "-o", tmp_path / "styled")
    t2c("colorize", source, "--auto", "-o", tmp_path / "plain")
    styled, shipped = (Image.open(tmp_path / one / "00-1.png").convert("RGB") for one in ("styled", "plain"))
    assert styled.tobytes() != shipped.tobytes()
    recipe = read_recipe(tmp_path / "styled" / "00-1.png")
    assert recipe is not None and recipe.colors["color_style"] == "studio"
    t2c("again", tmp_path / "styled" / "00-1.png", "--input", source, "-o", tmp_path / "again")
    assert Image.open(tmp_path / "again" / "00-1.png").convert("RGB").tobytes() == styled.tobytes()
    t2c("batch", source, "--auto", "--style", "studio", "-o", tmp_path / "album")
    assert "No style is called 'nobody'" in t2c("colorize", source, "--auto", "--style", "nobody", code=2).stderr

    with pytest.raises(ExistsError, match="--overwrite"):
        fine_tune(request(photographs, tmp_path / "second"), CONFIG)
    write_base(tmp_path / "models", seed=1)
    with pytest.raises(ModelError, match="was trained on 'tiny' 1, not on"):
        Colorizer.load(None, "cpu", [StyleWeight("studio")])
    with pytest.raises(UsageError, match="another model"):
        fine_tune(request(photographs, tmp_path / "run", "later"), CONFIG)


@pytest.mark.parametrize(
    ("arrays", "sha256", "words"),
    [
        ({"automatic_token.change": np.zeros(16, np.float32)}, "0" * 64, "was trained on 'tiny' 1, not on"),
        ({"automatic_token.change": np.zeros(17, np.float32)}, None, "does not fit the colour model"),
        ({"nothing.up": np.zeros((2, 1), np.float32)}, None, "does not fit the colour model"),
    ],
)
def test_a_style_that_could_not_be_used_is_not_installed(
    arrays: dict[str, np.ndarray], sha256: str | None, words: str, base: ModelCard, tmp_path: Path
) -> None:
    named = {"name": "tiny", "version": "1", "sha256": sha256 or base.sha256}
    folder = tmp_path / "mail"
    export_model(
        folder, arrays, name="club", version="1", kind="photographs", licence="MIT", config={"base": named}
    )  # fmt: skip
    with pytest.raises(ModelError, match=words):
        add_model(folder)
    export_model(folder, arrays, name="club", version="1", kind="photographs", licence="MIT", config={"base": [1]})
    with pytest.raises(ModelError, match="was trained on another model"):
        add_model(folder)


def test_a_killed_training_ends_as_one_that_was_not(
    photographs: Path, base: ModelCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fine_tune(request(photographs, tmp_path / "whole", "whole"), CONFIG)
    real_step, count = torch.optim.AdamW.step, [0]

    def dies_at_step_17(self, *args, **kwargs):
        count[0] += 1
        if count[0] == 17:
            raise KeyboardInterrupt
        return real_step(self, *args, **kwargs)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(torch.optim.AdamW, "step", dies_at_step_17)
        fine_tune(request(photographs, tmp_path / "killed", "killed"), CONFIG)
    fine_tune(request(photographs, tmp_path / "killed", "killed"), CONFIG)
    one, other = (load_weights(find_model("photographs", name)) for name in ("whole", "killed"))
    assert all(np.array_equal(one[name], other[name]) for name in one) and one.keys() == other.keys()


def test_what_is_not_better_is_not_kept(photographs: Path, base: ModelCard, tmp_path: Path) -> None:
    said: list[str] = []
    config = replace(CONFIG, steps=12, learning_rate=0.0)
    outcome = fine_tune(request(photographs, tmp_path / "run"), config, said.append)
    assert outcome is not None and not outcome.verdict.ship
    assert any(one.startswith("Not kept: ") for one in said)
    with pytest.raises(ModelError):
        find_model("photographs", "studio")
    assert "Not kept" in (tmp_path / "run" / "report.html").read_text("utf-8")


def test_too_few_photographs_are_refused(base: ModelCard, tmp_path: Path) -> None:
    for index in range(5):
        write_photograph(tmp_path / "few" / f"{index}.png", index)
    with pytest.raises(UsageError, match="5 usable photographs are too few"):
        fine_tune(request(tmp_path / "few", tmp_path / "run"), CONFIG)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no picture"):
        fine_tune(request(tmp_path / "empty", tmp_path / "run"), CONFIG)
    with pytest.raises(UsageError, match="no name for a style"):
        fine_tune(request(tmp_path / "few", tmp_path / "run", "../x"), CONFIG)


@pytest.mark.parametrize(
    ("palette", "automatic", "count", "ship", "words"),
    [
        (
            0.9,
            0.8,
            60,
            True,
            "palette are 10 % nearer to the true ones, automatic colours are 20 %",
        ),
        (1.05, 0.8, 60, False, "colours with a palette are 5 % farther"),
        (0.999, 0.999, 4, True, "Too few photographs to tell"),
    ],
)
def test_the_verdict_says_what_the_figures_say(
    palette: float, automatic: float, count: int, ship: bool, words: str
) -> None:
    rng = np.random.default_rng(0)
    before = rng.uniform(5, 15, count)
    noise = rng.normal(0, 0.3, count)
    noise -= noise.mean()
    after = {"palette": palette * before + noise, "automatic": automatic * before + noise}
    full = {"palette": 1.0, "automatic": 1.0}
    own = Comparison(Figures({"palette": before, "automatic": before}, full), Figures(after, full))
    verdict = judge(own, None)
    assert verdict.ship == ship and words in verdict.sentence
    assert json.dumps(own.as_json())


@pytest.mark.slow
def test_two_processes_train_one_style_from_the_command_line(
    photographs: Path, base: ModelCard, tmp_path: Path
) -> None:
    small = {
        "steps": 8, "cooldown": 2, "check_every": 4, "batch": 4, "crop": 64, "crops": [64], "shown": [64, 64],
        "rank": 4, "learning_rate": 2e-2, "ema": 0.5,
    }  # fmt: skip
    text = (CONFIGS / "photographs.toml").read_text("utf-8")
    for name, value in small.items():
        text = re.sub(rf"(?m)^{name} = [^#\n]*", f"{name} = {value} ", text, count=1)
    (tmp_path / "small.toml").write_text(text, "utf-8")
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "trainer", "photographs"]
    command += [str(photographs), "--name", "pair", "--config", "small.toml", "--device", "cpu", "--others"]
    paths = {**os.environ, "PYTHONPATH": str(CONFIGS.parents[1])}
    done = subprocess.run(
        [*command, str(photographs / "studio")], cwd=tmp_path, env=paths, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("step 8: ") == 1 and "s a step" in done.stderr
    assert find_model("photographs", "pair").command == f"t2c-train photographs {photographs.name} --name pair --seed 1"
    assert (tmp_path / "photographs-pair" / "report.html").exists()
