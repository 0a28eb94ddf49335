"""Train the transfer sub-net on the colorizer's frozen encoder. Reads top-down: run, resume, loop.

A run is a folder: checkpoint.pt (exact resume), prepared.npz, log.jsonl, loss.png, sheet.png. Every step draws its
pairs from (seed, step) alone. Must not import the command line.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.networks.exemplar import Exemplar, ExemplarNet, seen
from t2c_engine.networks.pretrained_encoder import PretrainedEncoder
from trainer.colorizer.provenance import ENCODER, SQUEEZENET, Origin, origin_of
from trainer.common.checkpoints import (
    CHECKPOINT,
    Stateful,
    load_checkpoint,
    load_initial,
    restore,
    save_checkpoint,
    states_of,
)
from trainer.common.perceptual import PerceptualDistance
from trainer.common.picture_data import load_pictures
from trainer.common.run_log import RunLog, track
from trainer.common.schedule import learning_rate
from trainer.exemplar.config import TransferTrainConfig
from trainer.exemplar.data import PairBatch, choose_pictures, draw_pairs, prepare
from trainer.exemplar.losses import LOSSES, transfer_losses
from trainer.exemplar.validation import validate, validation_pairs

log = logging.getLogger(__name__)

PREPARED = "prepared.npz"


class TransferRun:
    """Network, its average and the optimizer, and the folder that they are kept in."""

    def __init__(
        self, config: TransferTrainConfig, folder: Path, encoder: PretrainedEncoder, init: Path | None = None
    ) -> None:
        torch.manual_seed(config.seed)
        self.config, self.folder, self.encoder = config, folder, encoder.requires_grad_(False)
        self.network = ExemplarNet(config.network)
        if init is not None:
            load_initial(self.network, init)
        self.average = AveragedModel(self.network, multi_avg_fn=get_ema_multi_avg_fn(config.ema), use_buffers=True)
        decayed = [p for p in self.network.parameters() if p.ndim > 1]
        rest = [p for p in self.network.parameters() if p.ndim <= 1]
        groups = [{"params": decayed, "weight_decay": config.weight_decay}, {"params": rest, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.98))
        self._parts: dict[str, Stateful] = {
            "network": self.network,
            "average": self.average,
            "optimizer": self.optimizer,
        }

    def resume(self) -> int:
        """Take up the folder's checkpoint, if it has one; returns the step to go on with.

        Raises:
            UsageError: the checkpoint is damaged, or of other settings.
        """
        state = load_checkpoint(self.folder, "cpu")
        if state is None:
            return 0
        restore(self._parts, state, self.folder)
        log.info("Going on at step %d of %d", state["step"], self.config.steps)
        return state["step"]

    def save(self, done: int, sources: Sequence[Path], perceptual: bool) -> None:
        """Keep everything that the next step and the export need."""
        origin = origin_of(sources).joined(Origin(ENCODER.data))  # the encoder itself is in the colorizer's file
        origin = origin.joined(SQUEEZENET) if perceptual else origin
        known = {"data": list(origin.data), "attribution": list(origin.attribution)}
        known |= {"step": done, "config": json.dumps(asdict(self.config))}
        save_checkpoint(self.folder, states_of(self._parts) | known)

    def step(self, batch: PairBatch, step: int, perceptual: PerceptualDistance | None) -> dict[str, float]:
        """One step of the optimizer; returns all losses."""
        config = self.config
        self.network.train()
        target, reference = exemplars(self.encoder, batch, config.network.colored)
        output = self.network(target, reference)
        losses = transfer_losses(output, batch, config.losses, perceptual, config.perceptual_share)
        self.optimizer.zero_grad(set_to_none=True)
        losses["loss"].backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(config, step)
        self.optimizer.step()
        self.average.update_parameters(self.network)
        return {name: float(value.detach()) for name, value in losses.items()}


def exemplars(encoder: PretrainedEncoder, batch: PairBatch, colored: bool) -> tuple[Exemplar, Exemplar]:
    """What the network sees of targets and references."""
    with torch.no_grad():
        target = seen(encoder, batch.lightness, batch.automatic, colored)
        return target, seen(encoder, batch.reference_lightness, batch.reference_ab, colored)


def train_transfer(
    config: TransferTrainConfig,
    sources: Sequence[Path],
    out: Path,
    cache: Path,
    *,
    colorizer: Colorizer,
    perceptual: Path | None = None,
    validation: Sequence[Path] = (),
    init: Path | None = None,
    save_every: int = 200,
    show_every: int = 400,
) -> Path:
    """Train until `config.steps`, from the run's checkpoint if there is one.

    Args:
        sources: zip shards or folders of color pictures. out: the run's folder. cache: of decoded pictures.
        colorizer: whose encoder and automatic colors are used, on the CPU.
        perceptual: SqueezeNet's weights (.npz) for content and style losses.
        validation: shards that steer training; without any, a part of `sources` is held out.
        init: exported weights to start from, as of another encoder.

    Returns:
        The checkpoint's path.

    Raises:
        PictureError, UsageError: with a sentence.
    """
    out.mkdir(parents=True, exist_ok=True)
    pictures = load_pictures(sources, cache, crop=160)
    prepared = prepare(pictures, choose_pictures(pictures, config), colorizer, config.pairs, out / PREPARED)
    held_out = validation_pairs(load_pictures(validation, cache, crop=160) if validation else None, pictures)
    distance = PerceptualDistance(perceptual) if perceptual is not None else None
    run = TransferRun(config, out, colorizer.encoder, init)
    first = run.resume()
    history = RunLog(out, LOSSES, first)
    for step in track(range(first, config.steps), total=config.steps, description="exemplar"):
        history.add(step, run.step(draw_pairs(prepared, config, step), step, distance))
        done = step + 1
        if done % save_every == 0 or done == config.steps:
            run.save(done, sources, distance is not None)
        if done % show_every == 0 or done == config.steps:
            network = run.average.module
            assert isinstance(network, ExemplarNet)
            history.note(done, validate(network.eval(), colorizer, held_out, out / "sheet.png"))
    return out / CHECKPOINT
