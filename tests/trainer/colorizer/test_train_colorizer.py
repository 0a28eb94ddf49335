"""The colouriser's trainers on pictures made on the spot: loss falls, resume is exact, export can be used."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from t2c_engine.color.lab import lab_to_srgb
from t2c_engine.colorization.colorizer import Colorizer, InferenceConfig
from t2c_engine.errors import PictureError, UsageError
from t2c_engine.networks.colorizer import ColorizerNet
from t2c_engine.palettes.palette import Palette
from tests.small_network import SMALL
from trainer.colorizer.augmentation import AugmentConfig, make_example
from trainer.colorizer.config import LossWeights, Stage, TrainConfig, read_config, read_inference
from trainer.colorizer.export import export_colorizer
from trainer.colorizer.provenance import Origin, origin_at_start, origin_of, origin_of_weights
from trainer.colorizer.train import train_colorizer
from trainer.common.picture_data import (
    draw_batch,
    load_pictures,
    source_probabilities,
)
from trainer.common.run_log import RunLog
from trainer.common.schedule import learning_rate
from trainer.papers.train_colorizer import load_method, read_paper_config, train_paper_colors

CONFIG = TrainConfig(
    stage=Stage.ALL,
    steps=40,
    cooldown=10,
    warmup=2,
    pretraining=4,
    batch=4,
    crop=64,
    crops=(64,),
    shown=(64, 64),
    stretch=0.0,
    learning_rate=4e-3,
    encoder_rate=0.1,
    frozen_blocks=5,
    weight_decay=0.02,
    ema=0.9,
    perceptual_share=0.25,
    bfloat16=False,
    seed=1,
    losses=LossWeights(
        ab=1.0,
        mixture=0.3,
        tone=0.2,
        ciede2000=0.5,
        perceptual=0.0,
        chroma=0.3,
        colorfulness=0.2,
        bins=0.5,
        automatic=0.5,
    ),
    network=SMALL,
    augment=AugmentConfig(),
    source_weights={},
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two dozen pictures whose colour follows from lightness: blue when dark, yellow when light."""
    path = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for index in range(24):
        coarse = rng.uniform(20, 85, (8, 9))
        lightness = np.kron(coarse, np.ones((18, 18)))
        lab = np.stack((lightness, lightness * 0, (lightness - 50) * 0.6), -1)
        Image.fromarray((lab_to_srgb(lab) * 255).round().astype(np.uint8)).save(path / f"{index:02d}.png")
    (path / "broken.jpg").write_bytes(b"no picture")
    return path


def losses(run: Path, name: str = "loss") -> list[float]:
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [line[name] for line in lines if name in line]


def test_loss_falls_and_an_interrupted_run_ends_the_same(folder: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("trainer.common.run_log.WINDOW", 10)
    whole = train_colorizer(CONFIG, [folder], tmp_path / "whole", tmp_path / "cache", save_every=20, show_every=20)
    curve = losses(tmp_path / "whole")
    assert len(curve) == 4 and curve[-1] < 0.95 * curve[1], "the first window holds steps of pretraining"
    assert (tmp_path / "whole" / "loss.png").exists() and not list((tmp_path / "whole").glob("*.part*"))

    real_step, count = torch.optim.AdamW.step, [0]

    def dies_at_step_30(self, *args, **kwargs):
        count[0] += 1
        if count[0] == 30:
            raise KeyboardInterrupt
        return real_step(self, *args, **kwargs)

    run = tmp_path / "killed"
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(torch.optim.AdamW, "step", dies_at_step_30)
        train_colorizer(CONFIG, [folder], run, tmp_path / "cache", save_every=20, show_every=20)
    resumed = train_colorizer(CONFIG, [folder], run, tmp_path / "cache", save_every=20, show_every=20)
    one, other = (torch.load(path, weights_only=True) for path in (whole, resumed))
    assert one["step"] == other["step"] == 40
    for part in ("module", "average"):
        assert all(torch.equal(one[part][name], other[part][name]) for name in one[part])
    assert losses(run)[-1] == curve[-1]


def test_the_palette_decoder_learns_alone(folder: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("trainer.common.run_log.WINDOW", 10)
    first = train_colorizer(replace(CONFIG, steps=2, cooldown=1), [folder], tmp_path / "all", tmp_path / "cache")
    known = torch.load(first, weights_only=True)["average"]
    weights = {
        name.removeprefix("module."): value.contiguous()
        for name, value in known.items()
        if name.startswith("module.") and not name.endswith("num_batches_tracked")
    }
    start = tmp_path / "start.safetensors"
    save_file(weights, start)
    config = replace(CONFIG, stage=Stage("palette"), steps=30)
    last = train_colorizer(config, [folder], tmp_path / "run", tmp_path / "cache", init=start, show_every=10)
    found = torch.load(last, weights_only=True)["average"]
    parts = {name.partition(".")[0] for name in weights if not torch.equal(found["module." + name], weights[name])}
    assert parts == {name.partition(".")[0] for name in weights} - {"encoder"}
    curve = losses(tmp_path / "run", "ab")
    assert len(curve) == 3 and curve[-1] < 0.97 * curve[0]


def test_a_run_goes_on_under_losses_that_its_log_does_not_know(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"step": 100, "loss": 3.0, "old": 1.0}\n')
    history = RunLog(tmp_path, ("loss", "new"), 100)
    history.note(150, {"ab_true": 6.0})
    assert (tmp_path / "loss.png").exists()
    assert json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])["validation"] == {"ab_true": 6.0}


def test_averaged_weights_have_batch_statistics_of_their_own(folder: Path, tmp_path: Path) -> None:
    config = replace(CONFIG, steps=30, cooldown=1, ema=0.95)  # weights move fast to the very end
    path = train_colorizer(config, [folder], tmp_path / "run", tmp_path / "cache", save_every=30, show_every=30)
    kept = torch.load(path, weights_only=True)["average"]
    network = ColorizerNet(SMALL)
    network.load_state_dict({name[7:]: value for name, value in kept.items() if name.startswith("module.")})
    pictures = load_pictures([folder], tmp_path / "cache", crop=64)
    batch = draw_batch(pictures, np.arange(24), np.random.default_rng(0), 64, 64)
    example = make_example(batch, config.augment, torch.Generator().manual_seed(0))
    with torch.inference_mode():
        kept_ones = network.eval()(example.lightness, example.condition).ab
        own = network.train()(example.lightness, example.condition).ab
    assert (kept_ones - own).abs().mean() < 0.03 * own.abs().mean()


def test_export_is_what_the_engine_loads(folder: Path, tmp_path: Path, monkeypatch) -> None:
    run, models = tmp_path / "run", tmp_path / "models"
    train_colorizer(CONFIG, [folder], run, tmp_path / "cache", save_every=40, show_every=40)
    use = InferenceConfig(short_side=64, scales=(1.0, 0.5), chroma_gain=1.1)
    card = export_colorizer(run, models, "tiny", "0.0.1", "t2c-train colorizer", {"ab_error": 1.0}, use)
    monkeypatch.setenv("T2C_MODELS", str(models))
    colorizer = Colorizer.load("tiny", device="cpu")
    assert colorizer.model == card.name == "tiny" and card.figures["steps"] == 40
    assert colorizer.inference == use
    lightness = np.tile(np.linspace(10, 90, 70, dtype=np.float32), (51, 1))
    encoding = colorizer.encode(lightness)
    palette = Palette.from_hex("#102040,#304060,#807050,#c0b060,#f0e0a0")
    maps = colorizer.color(encoding, [palette, None])
    assert [m.shape for m in maps] == [(26, 36, 2)] * 2 and all(np.isfinite(m).all() for m in maps)
    assert not np.allclose(maps[0], maps[1])
    assert card.data == (f"pictures of '{folder.name}'",)

    weights = models / "tiny.safetensors"
    config = replace(CONFIG, steps=2, pretraining=0, bfloat16=True)
    again = train_colorizer(config, [folder], tmp_path / "second", tmp_path / "cache", init=weights)
    learned = torch.load(again, weights_only=True)["module"]
    assert all(value.isfinite().all() for value in learned.values())
    with pytest.raises(UsageError, match="another network"):
        wider = replace(CONFIG, network=replace(SMALL, decoder_widths=(8, 12, 24)))
        train_colorizer(wider, [folder], tmp_path / "third", tmp_path / "cache", init=weights)


def test_pictures_for_validation_are_not_trained_on(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=folder.name):
        train_colorizer(CONFIG, [folder], tmp_path / "run", tmp_path / "cache", validation=[folder / "."])
    assert not (tmp_path / "run").exists()


def test_the_encoder_starts_from_weights_that_hold_nothing_but_tensors(folder: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pth"
    torch.save({"_conv_stem.weight": torch.zeros(32, 3, 3, 3)}, wrong)
    for path in (wrong, tmp_path / "missing.pth"):
        with pytest.raises(UsageError, match=path.name):
            train_colorizer(CONFIG, [folder], tmp_path / "run", tmp_path / "cache", encoder=path)


@pytest.mark.parametrize(("method", "gan"), [("pcn", 1.0), ("classifier", 0.0), ("classifier", 0.5)])
def test_the_papers_networks_train_resume_and_colour(folder: Path, tmp_path: Path, method: str, gan: float) -> None:
    settings = Path(f"trainer/configs/{method}-paper.toml")
    config = read_paper_config(settings, gan_weight=gan, steps=12, batch=4, crop=64, width=4, learning_rate=2e-3)
    assert config is not None
    whole = train_paper_colors(config, [folder], tmp_path / "whole", tmp_path / "cache", save_every=6)
    train_paper_colors(replace(config, steps=6), [folder], tmp_path / "parts", tmp_path / "cache", save_every=6)
    parts = train_paper_colors(config, [folder], tmp_path / "parts", tmp_path / "cache", save_every=6)
    one, other = (torch.load(path, weights_only=True) for path in (whole, parts))
    assert all(torch.equal(one["generator"][name], other["generator"][name]) for name in one["generator"])
    read, loaded = load_method(tmp_path / "whole")
    assert read == config
    side = 64 if method == "pcn" else 16
    with torch.inference_mode():
        ab = loaded.predict_ab(torch.rand(2, 1, 64, 64) * 100, torch.rand(2, 5, 3) * 50)
    assert ab.shape == (2, 2, side, side) and ab.isfinite().all()


PAPERS = {"pcn-paper": "pcn", "classifier-paper": "classifier", "classifier-paper-gan": "classifier"}


def test_settings_of_papers_are_told_from_those_of_the_shipped_network(tmp_path: Path) -> None:
    configs = Path("trainer/configs")
    methods = {path.stem: read_paper_config(path) for path in configs.glob("*-paper*.toml") if path.stem in PAPERS}
    assert {name: config and config.method for name, config in methods.items()} == PAPERS
    assert read_paper_config(configs / "colorizer.toml") is None
    bad = tmp_path / "bad.toml"
    whole = (configs / "pcn-paper.toml").read_text("utf-8").splitlines()
    other_crop = "\n".join("crop = 100" if line.startswith("crop") else line for line in whole)
    for text, words in (('method = "magic"', "magic"), (other_crop, "64"), ('method = "pcn"', "steps")):
        bad.write_text(text)
        with pytest.raises(UsageError, match=words):
            read_paper_config(bad)


def test_batches_follow_from_the_seed_and_crops_keep_colour_in_place(folder: Path, tmp_path: Path) -> None:
    pictures = load_pictures([folder], tmp_path / "cache", crop=64)
    indices = pictures.indices(validation=False)
    first, second = (draw_batch(pictures, indices, np.random.default_rng(3), 8, 64) for _ in range(2))
    assert torch.equal(first.lightness, second.lightness) and torch.equal(first.ab, second.ab)
    small = torch.nn.functional.avg_pool2d(first.lightness, 2)[:, 0]
    assert (first.ab[:, 1] - (small - 50) * 0.6).abs().mean() < 2, "b follows lightness in these pictures"


def test_the_learning_rate_rises_stays_and_falls() -> None:
    config = replace(CONFIG, steps=100, warmup=10, cooldown=20, learning_rate=1.0)
    assert [round(learning_rate(config, step), 3) for step in (0, 9, 50, 80, 90, 99)] == [0.1, 1, 1, 1, 0.5, 0.05]


def test_bad_settings_and_empty_folders_say_so(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    shipped = Path("trainer/configs/colorizer.toml").read_text("utf-8")
    for text, words in (("stepz = 3\n" + shipped, "stepz"), (shipped.replace("[losses]", "[loss]"), "losses")):
        bad.write_text(text, "utf-8")
        with pytest.raises(UsageError, match=words):
            read_config(bad)
    bad.write_text("looks = 3", "utf-8")
    with pytest.raises(UsageError, match="looks"):
        read_inference(bad)
    with pytest.raises(PictureError, match="no"):
        load_pictures([tmp_path / "nowhere"], tmp_path / "cache")
    (tmp_path / "empty").mkdir()
    with pytest.raises(PictureError, match="No picture"):
        load_pictures([tmp_path / "empty"], tmp_path / "cache")
    assert read_config(Path("trainer/configs/colorizer.toml"), steps=5).steps == 5


def test_pictures_are_drawn_as_often_as_their_source_weighs() -> None:
    names = np.array(["coco_1.webp", "coco_2.webp", "grocery_1.webp", "other.webp", "coco_faces_1.webp"])
    drawn = source_probabilities(names, {"coco": 2.0, "grocery": 0.5, "coco_faces": 4.0})
    assert np.allclose(drawn, np.array([2, 2, 0.5, 1, 4]) / 9.5)
    assert np.allclose(source_probabilities(names, {}), 0.2)


def test_crops_are_stretched_colour_and_lightness_alike(folder: Path, tmp_path: Path) -> None:
    pictures = load_pictures([folder], tmp_path / "cache", crop=64)
    indices = pictures.indices(validation=False)
    plain, stretched = (
        draw_batch(pictures, indices, np.random.default_rng(3), 8, 48, (0.8, 1.0), stretch=s) for s in (0.0, 0.5)
    )
    assert plain.lightness.shape == stretched.lightness.shape == (8, 1, 48, 48) and stretched.ab.shape == (8, 2, 24, 24)
    assert not torch.equal(plain.lightness, stretched.lightness)
    small = torch.nn.functional.avg_pool2d(stretched.lightness, 2)[:, 0]
    assert (stretched.ab[:, 1] - (small - 50) * 0.6).abs().mean() < 2


def test_crops_of_one_photograph_are_held_out_together(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("trainer.common.picture_data.VALIDATION_SHARE", 3)
    folder = tmp_path / "crops"
    folder.mkdir()
    for index in range(12):
        for part in ("c1", "c2", "full"):
            Image.new("RGB", (140, 140), (index * 20, 90, 90)).save(folder / f"{index:02d}_{part}.png")
    pictures = load_pictures([folder], tmp_path / "cache", crop=64)
    held_out = pictures.validation.reshape(12, 3)  # by name, so that crops of one stand together
    assert (held_out == held_out[:, :1]).all() and 0 < held_out[:, 0].sum() < 12


def test_two_processes_may_decode_the_same_pictures(folder: Path, tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(3) as pool:
        one, *others = pool.map(lambda _: load_pictures([folder], tmp_path / "cache", crop=64), range(3))
    assert all(np.array_equal(one.lightness, other.lightness) for other in others)
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_a_card_tells_all_pictures_that_went_into_weights(tmp_path: Path) -> None:
    known = origin_of([Path("x/train-1.zip"), Path("free-0.zip"), Path("coco-0.zip"), Path("my scans")])
    assert len(known.data) == 6 and known.data[-1] == "pictures of 'my scans'" and "COCO" in known.data[4]
    assert len(known.attribution) == 3
    started = origin_at_start([Path("my scans")], None, Path("lite0.pth"), Path("squeezenet.npz"))
    assert any("EfficientNet-Lite0" in line for line in started.attribution)
    assert any("SqueezeNet" in line for line in started.attribution)
    weights = tmp_path / "base.safetensors"
    assert origin_of_weights(weights) == Origin()
    (tmp_path / "base.json").write_text(json.dumps({"data": ["a", "b"], "attribution": ["by c"]}))
    assert origin_of_weights(weights).joined(Origin(("b", "d"))) == Origin(("a", "b", "d"), ("by c",))
    taught = origin_at_start([Path("mine")], weights, None, tmp_path / "squeezenet.npz")
    assert taught.data == ("a", "b", "pictures of 'mine'")
    assert taught.attribution[0] == "by c" and "SqueezeNet" in taught.attribution[1]
    assert origin_at_start([Path("mine")], None, None, None) == Origin(("pictures of 'mine'",))
    (tmp_path / "base.json").write_text("{")
    with pytest.raises(UsageError, match=r"base\.json"):
        origin_of_weights(weights)
