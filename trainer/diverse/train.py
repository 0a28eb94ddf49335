"""The run that learns to draw colour fields: cached features, steps, checkpoints, validation. Exact when resumed.

Both architectures go through `step_losses` and learn in two parts: the likelihood, then draws; document 001's learns
its embedding, then the mixture over it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.errors import UsageError
from t2c_engine.models import find_model
from t2c_engine.networks.diverse import FieldNetwork, LowRankFields, build_sampler
from t2c_engine.networks.field_vae import AB_RANGE, FIELD_SIDE, FieldVae
from trainer.common.checkpoints import CHECKPOINT, load_checkpoint, load_initial, restore, save_checkpoint, states_of
from trainer.common.picture_data import refuse_shared
from trainer.common.run_log import RunLog, track
from trainer.common.schedule import learning_rate
from trainer.diverse.config import DiverseTrainConfig, LossWeights
from trainer.diverse.data import FieldBatch, FieldData, field_data
from trainer.diverse.losses import (
    FieldStatistics,
    at_side,
    divergence,
    draws_colorfulness,
    field_losses,
    mixture_loss,
    nearest_distance,
    negative_log_likelihood,
)
from trainer.diverse.validation import validate

log = logging.getLogger(__name__)

SAVE_EVERY, SHOW_EVERY = 200, 600  # steps
STATISTICS_PICTURES = 2000
LOSSES = ("loss", *LossWeights.__slots__)


@dataclass(frozen=True, slots=True)
class DiverseTraining:
    """What a step needs besides the batch."""

    config: DiverseTrainConfig
    network: nn.Module
    statistics: FieldStatistics | None


def step_losses(training: DiverseTraining, batch: FieldBatch, step: int) -> dict[str, Tensor]:
    """The losses of a batch, each unweighted, and their weighted sum as "loss"."""
    network, config = training.network, training.config
    if isinstance(network, LowRankFields):
        parts = _low_rank_losses(network, batch, config, step < config.first_steps)
    else:
        assert isinstance(network, FieldVae) and training.statistics is not None
        if step < config.first_steps:
            parts = _embedding_losses(network, batch, training.statistics)
        else:
            with torch.no_grad():
                codes, _ = network.encode(at_side(batch.ab, FIELD_SIDE))
            parts = {"mixture": mixture_loss(*network.density(batch.grey), codes, network.config.deviation)}
    weights = asdict(config.losses)
    total = torch.stack([weights[name] * value for name, value in parts.items() if weights[name]]).sum()
    return {"loss": total, **parts}


def _low_rank_losses(
    network: LowRankFields, batch: FieldBatch, config: DiverseTrainConfig, first: bool
) -> dict[str, Tensor]:
    """The likelihood at `first`, which finds the factors; then the nearest of some draws and their colourfulness."""
    distribution = network(batch.grey)
    ab = at_side(batch.ab, batch.grey.colors.shape[-1])
    if first:
        return {"likelihood": negative_log_likelihood(distribution, ab)}
    draws = distribution.fields(torch.randn(len(ab), config.draws, network.config.factors))
    return {"nearest": nearest_distance(draws, ab), "colorfulness": draws_colorfulness(draws, ab)}


def _embedding_losses(network: FieldVae, batch: FieldBatch, statistics: FieldStatistics) -> dict[str, Tensor]:
    ab = at_side(batch.ab, FIELD_SIDE)
    mean, log_variance = network.encode(ab)
    decoded = network.decode(mean + (log_variance / 2).exp() * torch.randn_like(mean))
    return field_losses(decoded, ab, statistics, AB_RANGE) | {"divergence": divergence(mean, log_variance)}


def train_diverse(
    config: DiverseTrainConfig,
    sources: Sequence[Path],
    out: Path,
    cache: Path,
    *,
    validation: Sequence[Path] = (),
    colorizer: str | None = None,
    device: str = "cpu",
    init: Path | None = None,
) -> Path:
    """Train until `config.steps`, from the run's checkpoint if there is one; returns the checkpoint's path.

    Args:
        sources, validation: zip shards or folders of colour pictures. out: the run's folder.
        cache: where decoded pictures and features are kept. colorizer: whose features are used; None: the default.
        init: exported weights to start from, as of another encoder.

    Raises:
        UsageError: the run is of other settings. PictureError, ModelError: pictures or the colouriser are missing.
    """
    refuse_shared(sources, validation)
    card, looking = find_model("colorizer", colorizer), Colorizer.load(colorizer, device)
    data = _training_data(config, sources, cache, looking, card.sha256)
    held_out = field_data(validation, cache, looking, fingerprint=card.sha256, count=10_000) if validation else None
    out.mkdir(parents=True, exist_ok=True)
    network = _network(config, init)
    training = DiverseTraining(config, network, _statistics(config, data))
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(config.ema))
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.0, weight_decay=config.weight_decay)
    parts = {"network": network, "average": average, "optimizer": optimizer}
    state = load_checkpoint(out, device)
    first = 0 if state is None else int(state["step"])
    if state is not None:
        restore(parts, state, out)
    history = RunLog(out, LOSSES, first)
    settings = {"config": json.dumps(asdict(config)), "colorizer": f"{card.name} {card.version}"}
    settings["sources"] = json.dumps([path.name for path in sources])
    for step in track(range(first, config.steps), config.steps, "diverse"):
        losses = _step(training, optimizer, data, step)
        average.update_parameters(network)
        history.add(step, {name: losses.get(name, 0.0) for name in LOSSES})
        done = step + 1
        if done % SAVE_EVERY == 0 or done == config.steps:
            save_checkpoint(out, states_of(parts) | settings | {"step": done})
        if held_out is not None and (done % SHOW_EVERY == 0 or done == config.steps):
            averaged = average.module
            assert isinstance(averaged, FieldNetwork)
            history.note(done, validate(averaged, held_out, config.sampling, out / "sheet.png"))
    return out / CHECKPOINT


def _network(config: DiverseTrainConfig, init: Path | None) -> FieldNetwork:
    """The network to train, from exported weights if there are some, else from chance."""
    torch.manual_seed(config.seed)
    network = build_sampler({"architecture": config.architecture, "network": config.network})
    if init is not None:
        load_initial(network, init)
    return network


def _training_data(
    config: DiverseTrainConfig, sources: Sequence[Path], cache: Path, colorizer: Colorizer, fingerprint: str
) -> FieldData:
    """The pictures to learn from.

    Raises:
        UsageError: they are fewer than a batch.
    """
    count, weights = config.pictures, config.source_weights
    data = field_data(sources, cache, colorizer, fingerprint=fingerprint, count=count, weights=weights)
    if len(data) < config.batch:
        raise UsageError(f"There are {len(data)} pictures, fewer than a batch of {config.batch}; give more.")
    return data


def _statistics(config: DiverseTrainConfig, data: FieldData) -> FieldStatistics | None:
    """Those of document 001's losses, always of the same pictures."""
    if config.architecture != "vae-mdn":
        return None
    return FieldStatistics.of(at_side(data.batch(range(min(len(data), STATISTICS_PICTURES))).ab, FIELD_SIDE))


def _rate(config: DiverseTrainConfig, step: int) -> float:
    """The learning rate: each part of the run warms up and cools down by itself."""
    if step < config.first_steps:
        return learning_rate(replace(config, steps=config.first_steps), step)
    rest = config.steps - config.first_steps
    return config.second_rate * learning_rate(replace(config, steps=rest, first_steps=0), step - config.first_steps)


def _step(training: DiverseTraining, optimizer: torch.optim.Optimizer, data: FieldData, step: int) -> dict[str, float]:
    """One step; all chance in it comes from the seed and the step."""
    config = training.config
    torch.manual_seed(config.seed * 1_000_003 + step)
    training.network.train()
    losses = step_losses(training, data.draw(config.seed, step, config.batch), step)
    optimizer.zero_grad(set_to_none=True)
    losses["loss"].backward()
    nn.utils.clip_grad_norm_(training.network.parameters(), 1.0)
    for group in optimizer.param_groups:
        group["lr"] = _rate(config, step)
    optimizer.step()
    return {name: float(value.detach()) for name, value in losses.items()}
