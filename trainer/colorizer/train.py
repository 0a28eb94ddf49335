"""Train the shipped colouriser. Reads top-down: data, model and optimiser, resume, loop.

A run is a folder: checkpoint.pt (exact resume), log.jsonl, loss.png, sheet.png. Every step draws its data and chance
from (seed, step) alone, so a run that was killed goes on as if it had not been.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn

from t2c_engine.networks.colorizer import ColorizerNet
from trainer.colorizer.augmentation import Example
from trainer.colorizer.auxiliary_heads import KindHead, Teacher
from trainer.colorizer.config import TrainConfig
from trainer.colorizer.provenance import Origin, origin_at_start, origin_of_run
from trainer.colorizer.step import LOSSES, Learner, TrainingData, draw_example, step_losses
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
from trainer.common.picture_data import load_pictures
from trainer.common.run_log import RunLog, track
from trainer.common.schedule import learning_rate

log = logging.getLogger(__name__)

SETTLING = 32  # batches from which the averaged network's batch statistics are taken


class Run:
    """What changes from step to step, and the folder that it is kept in."""

    def __init__(
        self, config: TrainConfig, folder: Path, learner: Learner, device: str, origin: Origin, world: World
    ) -> None:
        self.config = config
        self.world = world
        self.folder = folder
        self.learner = learner
        self.device = torch.device(device)
        self.origin = origin
        ema = get_ema_multi_avg_fn(config.ema)
        self.average = AveragedModel(learner.network, multi_avg_fn=ema, use_buffers=True)
        self.optimizers = build_optimizers(learner, config, world)

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

    def settle(self, data: TrainingData, average: AveragedModel) -> ColorizerNet:
        """Give averaged weights batch statistics of their own; returns the network, ready for use.

        Weights that moved fast were each normalised by statistics of their own, whose average does not go with the
        average of the weights (Izmailov et al. 2018, 3.2).
        """
        network = average.module
        assert isinstance(network, ColorizerNet)
        steps = range(self.config.steps, self.config.steps + SETTLING)  # that training does not see
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.bfloat16):
            update_bn((draw_example(data, self.config, s, str(self.device), World()) for s in steps), Seen(network))
        return network.eval()

    def _parts(self) -> dict[str, Stateful]:
        parts: dict[str, Stateful] = {"learner": self.learner, "average": self.average}
        return parts | {f"optimizer {index}": one for index, one in enumerate(self.optimizers)}

    def step(self, data: TrainingData, step: int) -> dict[str, float]:
        """One step of the optimisers; returns all losses."""
        example = draw_example(data, self.config, step, str(self.device), self.world)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.bfloat16):
            losses = step_losses(self.learner, example, data, self.config, step)
        self.learner.zero_grad(set_to_none=True)
        losses["loss"].backward()
        self.world.average_gradients(self.learner)
        nn.utils.clip_grad_norm_(self.learner.parameters(), 1.0)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(self.config, step)
            optimizer.step()
        self.average.update_parameters(self.learner.network)
        return {name: float(value.detach()) for name, value in losses.items()}


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
        teacher: SqueezeNet's weights (.npz), whose features the encoder learns to guess
            (`trainer.colorizer.auxiliary_heads`) and by which colours are compared (`trainer.common.perceptual`), where
            the settings give these losses a weight.

    Returns:
        The checkpoint's path. Raises PictureError and UsageError with a sentence.
    """
    world = join_world(device)
    with world.first_goes_first():
        pictures = load_pictures(sources, cache, crop=config.crop)
    data = TrainingData.of(pictures, config.kind_balance, device)
    held_out = validation_batch(pictures, config)
    out.mkdir(parents=True, exist_ok=True)
    learner = build_learner(config, int(pictures.classes.max()) + 1, device, init, teacher)
    run = Run(config, out, learner, device, origin_at_start(sources, init, teacher), world)
    first = run.resume()
    history = RunLog(out, LOSSES, first) if world.first else None
    learner.train()
    for step in track(range(first, config.steps), total=config.steps, description="colorizer", show=world.first):
        losses = run.step(data, step)
        if history is None:
            continue
        history.add(step, losses)
        done = step + 1
        if done == config.steps:
            run.settle(data, run.average)
        if done % save_every == 0 or done == config.steps:
            run.save(done)
        if done % show_every == 0 or done == config.steps:
            shown = run.settle(data, deepcopy(run.average))
            history.note(done, validate(shown, held_out, device, out / "sheet.png"))
    return out / CHECKPOINT


class Seen(nn.Module):
    """A network as `update_bn` wants it: one argument, an example."""

    def __init__(self, network: ColorizerNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, example: Example) -> Tensor:
        return self.network(example.lightness, example.condition).ab


def build_learner(config: TrainConfig, kinds: int, device: str, init: Path | None, teacher: Path | None) -> Learner:
    """The network, from `init` weights or chance, with its heads; arguments and errors as of `train_colorizer`."""
    torch.manual_seed(config.seed)
    network = ColorizerNet(config.network).to(torch.device(device), memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    if init is not None:
        load_initial(network, init, smaller=True)
    tutor = seen = None
    if teacher is not None:
        tutor = Teacher(teacher, config.network) if config.teacher_weight else None
        seen = PerceptualDistance(teacher) if config.perceptual_weight else None
    return Learner(network, KindHead(config.network, kinds), tutor, seen).to(device)


def build_optimizers(learner: Learner, config: TrainConfig, world: World) -> list[torch.optim.Optimizer]:
    """Muon for the network's hidden matrices and kernels, AdamW for the rest; weight decay for what has rows only."""
    last = learner.network.classifier.weight
    hidden = [p for p in learner.network.parameters() if takes(p) and p is not last]
    known = set(map(id, hidden))
    others = [p for p in learner.parameters() if id(p) not in known]
    groups = [
        {"params": [p for p in others if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in others if p.ndim <= 1], "weight_decay": 0.0},
    ]
    rest = torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.98))
    return [Muon(hidden, weight_decay=config.weight_decay, bfloat16=config.bfloat16, world=world), rest]
