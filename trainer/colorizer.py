"""Train the shipped colouriser. Reads top-down: settings, data, model, optimiser, loop, export.

A run is a folder: checkpoint.pt (exact resume), log.jsonl, loss.png, sheet.png. Every step draws its data and chance
from (seed, step) alone, so a run that was killed goes on as if it had not been.
"""

from __future__ import annotations

import json
import logging
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from t2c_engine.color import ab_bins
from t2c_engine.colorizer import read_network_config
from t2c_engine.errors import UsageError
from t2c_engine.models import ModelCard, export_model
from t2c_engine.networks.colorizer import ColorizerConfig, ColorizerNet, Condition
from trainer.augment import AugmentConfig, Example, make_example
from trainer.checkpoints import CHECKPOINT, load_checkpoint, load_initial, save_checkpoint
from trainer.distributed import World, join_world
from trainer.image_data import SMALL_SIDE, Batch, PictureSet, draw_batch, load_pictures
from trainer.losses import ab_distance, chroma_distance, class_weights, classification_loss, colourfulness_distance
from trainer.picture_sources import Origin, origin_of, origin_of_weights
from trainer.progress import RunLog, track
from trainer.schedule import learning_rate
from trainer.sheets import colour_sheet
from trainer.teacher import KindHead, Teacher
from trainer.wear import WearConfig

log = logging.getLogger(__name__)

VALIDATION_PICTURES = 144
PRIOR_CELLS = 200_000  # of all pictures, from which the frequencies of colours are taken
SHORT_SIDE = 160  # of the network's input at use, px


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Settings of a run; the fields are explained in configs/colorizer.toml."""

    steps: int = 100_000
    cooldown: int = 20_000
    warmup: int = 300
    batch: int = 24
    crop: int = 160
    crops: tuple[int, ...] = (96, 128, 160, 192)
    shown: tuple[int, int] = (112, 224)
    shown_small: tuple[int, int] = (88, 128)
    small_share: float = 0.5
    learning_rate: float = 1.5e-3
    weight_decay: float = 0.02
    ema: float = 0.998
    chroma_weight: float = 0.3
    colourfulness_weight: float = 0.2
    bins_weight: float = 0.5
    bins_pixels: int = 128
    kinds_weight: float = 0.5
    teacher_weight: float = 6.0
    seed: int = 1
    network: ColorizerConfig = field(default_factory=ColorizerConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)


def read_config(path: Path, **changes: Any) -> TrainConfig:
    """A TOML file's settings; `changes` that are not None win over the file's.

    Raises:
        UsageError: the file cannot be read, is not TOML, or names a setting that does not exist.
    """
    try:
        table = tomllib.loads(path.read_text())
        network = read_network_config(table.pop("network", {}))
        augment = AugmentConfig(wear=WearConfig(**table.pop("wear", {})), **table.pop("augment", {}))
        plain: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in table.items()
        }
        config = TrainConfig(**plain, network=network, augment=augment)
    except (OSError, tomllib.TOMLDecodeError, TypeError) as error:
        raise UsageError(f"The settings in {path} cannot be used: {error}.") from error
    return replace(config, **{k: v for k, v in changes.items() if v is not None})


def train_colorizer(
    config: TrainConfig,
    sources: Sequence[Path],
    out: Path,
    cache: Path,
    *,
    device: str = "cpu",
    init: Path | None = None,
    teacher: Path | None = None,
    save_every: int = 500,
    show_every: int = 2000,
) -> Path:
    """Train until `config.steps`, from the run's checkpoint if there is one, else from `init` weights or chance.

    Args:
        sources: zip shards or folders of colour pictures.
        out: the run's folder.
        cache: where decoded pictures are kept between runs.
        init: safetensors weights of the same network to start from.
        teacher: SqueezeNet's weights (.npz), whose features the encoder learns to guess; see `trainer.teacher`.

    Returns:
        The checkpoint's path. Raises PictureError and UsageError with a sentence.
    """
    # data
    world = join_world(device)
    with world.first_goes_first():
        pictures = load_pictures(sources, cache, crop=config.crop)
    large = pictures.indices(small=False, validation=False)
    small = pictures.indices(small=True, validation=False)
    if not len(large):
        raise UsageError(f"No training picture has a short side of 120 px or more in {', '.join(map(str, sources))}.")
    bins = torch.tensor(ab_bins(), device=device)
    cells = pictures.ab.reshape(-1, 2)
    cells = torch.tensor(cells[:: 1 + len(cells) // PRIOR_CELLS], dtype=torch.float32, device=device)
    balance = class_weights(cells, bins)
    held_out = validation_batch(pictures, config)

    # model, its running average, optimiser
    torch.manual_seed(config.seed)
    network = ColorizerNet(config.network).to(torch.device(device), memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    if init is not None:
        load_initial(network, init)
    average = torch.optim.swa_utils.AveragedModel(
        network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(config.ema), use_buffers=True
    )
    tutor = Teacher(teacher, config.network).to(device) if teacher is not None else None
    knower = KindHead(config.network, int(pictures.kinds.max()) + 1).to(device)
    trained = nn.ModuleList([network, knower] if tutor is None else [network, knower, tutor])
    optimizer = torch.optim.AdamW(parameter_groups(trained, config.weight_decay), lr=0.0, betas=(0.9, 0.98))
    mixed = torch.device(device).type == "cuda"

    # resume
    out.mkdir(parents=True, exist_ok=True)
    first = 0
    origin = origin_of(sources) if init is None else origin_of_weights(init).joined(origin_of(sources))
    state = load_checkpoint(out, device)
    if state is not None:
        origin = read_origin(state).joined(origin)
        trained.load_state_dict(state["trained"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        first = state["step"]
        log.info("Going on at step %d of %d", first, config.steps)

    # loop
    run = RunLog(out, ["loss", "ab", "chroma", "colourful", "bins", "kinds", "teacher"], first) if world.first else None
    network.train()
    for step in track(range(first, config.steps), total=config.steps, description="colorizer", show=world.first):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(config, step)
        example = draw_example(pictures, large, small, config, step, device, world)
        with torch.autocast(device_type=torch.device(device).type, dtype=torch.bfloat16, enabled=mixed):
            losses = step_losses(network, knower, tutor, example, (bins, balance), config, step)
        optimizer.zero_grad(set_to_none=True)
        losses["loss"].backward()
        world.average_gradients(trained)
        nn.utils.clip_grad_norm_(trained.parameters(), 1.0)
        optimizer.step()
        average.update_parameters(network)
        if run is None:
            continue
        run.add(step, {name: float(value.detach()) for name, value in losses.items()})
        done = step + 1
        if done % save_every == 0 or done == config.steps:
            state = {"trained": trained.state_dict(), "average": average.state_dict()}
            state |= {"optimizer": optimizer.state_dict(), "step": done, "config": json.dumps(asdict(config))}
            save_checkpoint(out, state | {"data": list(origin.data), "attribution": list(origin.attribution)})
        if done % show_every == 0 or done == config.steps:
            figures = validate(cast(ColorizerNet, average.module), held_out, device, out / "sheet.png")
            run.note(done, figures)
            network.train()
    return out / CHECKPOINT


def read_origin(state: dict[str, Any]) -> Origin:
    """What a run was trained on so far."""
    return Origin(tuple(state.get("data", ())), tuple(state.get("attribution", ())))


def parameter_groups(network: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Weight decay for matrices and kernels only."""
    matrices = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


def draw_example(
    pictures: PictureSet,
    large: np.ndarray,
    small: np.ndarray,
    config: TrainConfig,
    step: int,
    device: str,
    world: World,
) -> Example:
    """The example of a step: pictures, crops and conditions follow from (seed, step, rank) alone."""
    rng = np.random.default_rng((config.seed, step))  # what all processes share: the kind of batch
    use_small = len(small) and rng.random() < config.small_share
    crop = int(rng.choice([c for c in config.crops if not use_small or c <= SMALL_SIDE] or config.crops))
    share = config.batch * (config.crop / crop) ** 2 / world.size  # as many pixels in every step
    rng = np.random.default_rng((config.seed, step, world.rank))
    least, most = config.shown_small if use_small else config.shown
    zoom = (least / crop, most / crop)
    batch = draw_batch(pictures, small if use_small else large, rng, max(1, round(share)), crop, zoom)
    batch = Batch(batch.lightness.to(device), batch.ab.to(device), batch.kinds.to(device))
    generator = torch.Generator(device).manual_seed(int(rng.integers(2**62)))
    example = make_example(batch, config.augment, generator)
    return replace(example, lightness=example.lightness.contiguous(memory_format=torch.channels_last))


def step_losses(
    network: ColorizerNet,
    knower: KindHead,
    tutor: Teacher | None,
    example: Example,
    bins: tuple[torch.Tensor, torch.Tensor],
    config: TrainConfig,
    step: int,
) -> dict[str, torch.Tensor]:
    """All losses of a step; "loss" is their weighted sum. bins: centres (Q x 2) and class weights (Q)."""
    features = network.encode(example.lightness)
    prediction = network.decode(features, example.condition)
    ab = prediction.ab.float()
    distance = ab_distance(ab, example.ab)
    chroma = chroma_distance(ab, example.ab)
    colourful = colourfulness_distance(ab, example.ab)
    # the head sees a few pixels of each picture: 313 logits for all of them would cost more than the network
    rng = np.random.default_rng((config.seed, step, 1))
    area = example.ab[0, 0].numel()
    chosen = torch.from_numpy(rng.choice(area, min(area, config.bins_pixels), replace=False)).to(example.ab.device)
    pixels = prediction.features.flatten(2)[:, :, chosen]  # B x C x n
    logits = network.classify(pixels[..., None]).squeeze(-1).transpose(1, 2).flatten(0, 1).float()
    classes = classification_loss(logits, example.ab.flatten(2)[:, :, chosen].transpose(1, 2).flatten(0, 1), *bins)
    taught = tutor(features, example.clean) if tutor is not None and step % 2 == 0 else torch.zeros(())
    total = distance + config.chroma_weight * chroma + config.colourfulness_weight * colourful
    total = total + config.bins_weight * classes + config.teacher_weight * taught
    parts = {"ab": distance, "chroma": chroma, "colourful": colourful}
    known = knower(features, example.kinds)
    total = total + config.kinds_weight * known
    parts |= {"bins": classes, "kinds": known, "teacher": 2 * taught}
    return {"loss": total} | parts


def validation_batch(pictures: PictureSet, config: TrainConfig) -> Example | None:
    """Held-out crops with their own palettes, always the same, or None where nothing is held out."""
    indices = pictures.indices(small=False, validation=True)
    if not len(indices):
        return None
    batch = draw_batch(pictures, indices, np.random.default_rng(0), VALIDATION_PICTURES, config.crop)
    return make_example(batch, AugmentConfig(), torch.Generator().manual_seed(0))


def validate(network: ColorizerNet, example: Example | None, device: str, sheet: Path) -> dict[str, float]:
    """ab error with the true palette, with none, and with another picture's; a sheet of pictures beside.

    "blind" is the true palette with the deep features of another picture: where it is no worse, the network looks at
    tones alone.
    """
    if example is None:
        return {}
    network.eval()
    palette, given = example.condition.palette, example.condition.palette_mask
    conditions = {
        "true": (palette, given),
        "none": (palette, torch.zeros_like(given)),
        "other": (palette.roll(1, 0), given),
        "blind": (palette, given),
    }
    figures, outputs = {}, {}
    with torch.inference_mode():
        for name, (colours, mask) in conditions.items():
            parts = []
            for part in torch.arange(len(palette)).split(24):
                features = network.encode(example.lightness[part].to(device))
                if name == "blind":
                    features = replace(features, deep=features.deep.roll(1, 0))
                piece = Condition(colours[part].to(device), mask[part].to(device))
                parts.append(network.decode(features, piece).ab.float().cpu())
            outputs[name] = torch.cat(parts)
            figures[f"ab_{name}"] = float((outputs[name] - example.ab).square().sum(1).sqrt().mean())
    del outputs["blind"]
    figures["contrast"] = float((outputs["true"] - outputs["other"]).square().sum(1).sqrt().mean())
    chroma = [ab.square().sum(1).sqrt().mean() for ab in (outputs["true"], outputs["none"], example.ab)]
    figures["chroma_true"], figures["chroma_none"] = float(chroma[0] / chroma[2]), float(chroma[1] / chroma[2])
    colour_sheet(sheet, example.lightness, [example.ab, *outputs.values()], palette, rows=12)
    return figures


def export_colorizer(
    run: Path,
    folder: Path,
    name: str,
    version: str,
    command: str,
    figures: dict[str, Any],
    *,
    short_side: int = SHORT_SIDE,
    sharpness: float = 1.0,
    looks: tuple[float, ...] = (1.0,),
) -> ModelCard:
    """Export a run's averaged weights as an installed model: safetensors fp16 and its card.

    Args:
        short_side: of the network's input at use, px. sharpness: see `ColorizerConfig`. looks: see `Colorizer`.

    Raises:
        UsageError: the run has no checkpoint. OutputError: the folder cannot be written.
    """
    state = load_checkpoint(run, "cpu")
    if state is None:
        raise UsageError(f"There is no {run / CHECKPOINT}; train first.")
    settings = json.loads(state["config"])
    origin = read_origin(state)
    prefix = "module."
    weights = {
        key.removeprefix(prefix): value.contiguous().numpy()
        for key, value in state["average"].items()
        if key.startswith(prefix) and not key.endswith("num_batches_tracked")
    }
    return export_model(
        folder,
        weights,
        name=name,
        version=version,
        kind="colorizer",
        licence="CC BY-SA 4.0",
        attribution=origin.attribution,
        data=origin.data,
        command=command,
        figures={"steps": state["step"], **figures},
        config={"network": settings["network"] | {"sharpness": sharpness}, "short_side": short_side, "looks": looks},
        conditions=("palette", "automatic", "hints"),
        default=True,
    )
