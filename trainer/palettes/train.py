"""Train a palette network. Reads top-down: settings, data, model, optimiser, loop, export.

This file trains the shipped network, `trainer.papers.train_tpn` the paper's; `trainer.train_palettes` chooses. Every
step draws its data and chance from (seed, step) alone, so a run that was killed goes on as if it had not been.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from t2c_engine.errors import UsageError
from t2c_engine.models import ModelCard
from t2c_engine.networks.palettes.palette_set import PaletteSetConfig, PaletteSetNet, log_density, scale_lab
from t2c_engine.palettes.palette import PALETTE_SIZE
from t2c_engine.palettes.sampler import PaletteSampler, SamplingConfig
from t2c_engine.text.lexicon import Lexicon
from trainer.common.checkpoints import Stateful, load_checkpoint, load_initial, restore, save_checkpoint, states_of
from trainer.common.run_log import RunLog, track
from trainer.common.schedule import learning_rate
from trainer.common.settings import build_settings
from trainer.palettes.build_lexicon import quantise
from trainer.palettes.data import GROUPS, SOURCES, PaletteTable
from trainer.palettes.run import (
    SHEET_PHRASES,
    RunData,
    export,
    palette_sheet,
    prepare_data,
)

log = logging.getLogger(__name__)

AVERAGE_EVERY = 4  # steps between updates of the averaged weights


@dataclass(frozen=True, slots=True)
class PaletteTrainConfig:
    """Settings of a run; values and explanations stand in configs/palette-set.toml."""

    name: str
    version: str
    seed: int
    steps: int
    cooldown: int
    warmup: int
    batch: int
    learning_rate: float
    word_rate: float
    weight_decay: float
    word_decay: float
    ema: float
    noise: float
    word_dropout: float
    word_dimensions: int
    mix: Mapping[str, float]
    network: PaletteSetConfig
    sampling: SamplingConfig


def make_config(table: Mapping[str, Any], path: Path) -> PaletteTrainConfig:
    """Settings of the shipped architecture.

    Raises:
        UsageError: a setting does not exist or is missing.
    """
    values = {key: value for key, value in table.items() if key != "architecture"}
    given = {"word_dimensions": values.get("word_dimensions"), "sources": len(SOURCES), "colors": PALETTE_SIZE}
    values["network"] = build_settings(PaletteSetConfig, {**values.get("network", {}), **given}, path, "network")
    values["sampling"] = build_settings(SamplingConfig, values.get("sampling", {}), path, "sampling")
    config = build_settings(PaletteTrainConfig, values, path)
    if unknown := set(config.mix) - set(GROUPS):
        raise UsageError(f"The settings in {path} mix in unknown data: {', '.join(sorted(unknown))}.")
    return config


class PaletteTrainingModule(nn.Module):
    """The network together with what is learned about word vectors: a correction for each word of the texts."""

    vectors: Tensor
    place: Tensor
    used: Tensor

    def __init__(self, config: PaletteTrainConfig, run: RunData) -> None:
        super().__init__()
        self.network = PaletteSetNet(config.network)
        table = torch.from_numpy(run.lexicon.embed(list(range(len(run.lexicon.vocabulary)))))
        used = np.unique(run.train.words[run.train.words >= 0])
        place = torch.full((len(table) + 1,), len(used))  # words of no text share the last row, which stays zero
        place[used] = torch.arange(len(used))
        self.register_buffer("vectors", table, persistent=False)
        self.register_buffer("place", place, persistent=False)
        self.register_buffer("used", torch.from_numpy(used).long(), persistent=False)
        self.correction = nn.Parameter(torch.zeros(len(used) + 1, table.shape[1]))

    def word_vectors(self, words: Tensor) -> Tensor:
        """Lexicon rows (B x T, -1 for none) to vectors (B x T x d)."""
        return self.vectors[words.clamp(min=0)] + self.correction[self.place[words]]

    def log_likelihood(self, words: Tensor, visible: Tensor, source: Tensor, colors: Tensor) -> Tensor:
        """Log density of each colour given those before it (B x 5), for scaled Lab colours B x 5 x 3."""
        memory, mask = self.network.encode(self.word_vectors(words), visible, source)
        return log_density(self.network.decode(memory, mask, colors[:, : PALETTE_SIZE - 1]), colors)

    def learned_vectors(self) -> np.ndarray:
        """All word vectors with their corrections (n x d, float32)."""
        table = self.vectors.clone()
        table[self.used] += self.correction[:-1].detach()
        return table.numpy()


def train_palette_set(
    config: PaletteTrainConfig,
    data: Path,
    out: Path,
    init: Path | None = None,
    save_every: int = 200,
    show_every: int = 500,
) -> ModelCard:
    """Train the shipped architecture; see `train_palette_network`."""
    state = load_checkpoint(out, "cpu")
    mixed = {name: share for name, share in config.mix.items() if share > 0}
    data_set = prepare_data(data, out, config.word_dimensions, init, mixed)
    run = Run(config, data_set, mixed, init)
    first = 0
    if state is not None:
        restore(run.parts, state, out)
        first = state["step"]
        log.info("Going on at step %d of %d", first, config.steps)
    history = RunLog(out, ["loss"], first)
    for step in track(range(first, config.steps), total=config.steps, description="palettes"):
        history.add(step, {"loss": run.step(step)})
        done = step + 1
        if done % save_every == 0 or done == config.steps:
            save_checkpoint(out, states_of(run.parts) | {"step": done})
        if done % show_every == 0 or done == config.steps:
            history.note(done, {"nll": validation_loss(run.averaged, data_set.validation, config)})
            palette_sheet(out / "sheet.png", make_sampler(run.averaged, data_set, config), SHEET_PHRASES)
    run.averaged.eval()
    nll = validation_loss(run.averaged, data_set.validation, config)
    return export(
        out,
        model_tensors(run.averaged, data_set),
        data_set.train,
        card_config(config),
        name=config.name,
        version=config.version,
        figures={"validation_nll": round(nll, 4), "steps": config.steps},
    )


class Run:
    """The network, its running average and optimiser, and the rows that each step draws.

    Attributes:
        parts: all that a checkpoint keeps. averaged: the network as it is exported.
    """

    def __init__(self, config: PaletteTrainConfig, data: RunData, mix: Mapping[str, float], init: Path | None) -> None:
        """Arguments and errors as of `train_palette_network`; `mix`: shares (any scale) of the data sets, by name."""
        self._config = config
        self._rows = data.train
        self._members = [np.flatnonzero(data.train.source == index) for index in range(len(GROUPS))]
        shares = [mix.get(name, 0.0) if len(self._members[i]) else 0.0 for i, name in enumerate(GROUPS)]
        if not sum(shares) > 0:
            raise UsageError("The settings' [mix] gives a share to none of the data sets there are; change it.")
        self._shares = np.array(shares) / sum(shares)
        torch.manual_seed(config.seed)
        self._module = PaletteTrainingModule(config, data)
        if init is not None:
            load_initial(self._module.network, init)
        self._module.train()
        self._average = torch.optim.swa_utils.AveragedModel(self._module, avg_fn=averaging(config.ema))
        self._optimizer = make_optimizer(self._module, config)
        self.averaged = cast(PaletteTrainingModule, self._average.module)
        self.parts: dict[str, Stateful] = {"module": self._module, "average": self._average}
        self.parts |= {"optimizer": self._optimizer}

    def step(self, step: int) -> float:
        """One step of the optimiser; returns the loss."""
        for group in self._optimizer.param_groups:
            group["lr"] = group["rate"] * learning_rate(self._config, step)
        rng = np.random.default_rng((self._config.seed, step))
        torch.manual_seed(int(rng.integers(2**62)))
        drawn = rng.multinomial(self._config.batch, self._shares)
        pairs = zip(self._members, drawn, strict=True)
        rows = np.concatenate([rng.choice(mine, count) for mine, count in pairs if count])
        loss = step_loss(self._module, self._rows.take(rows), self._config)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self._module.parameters(), 1.0)
        self._optimizer.step()
        if step % AVERAGE_EVERY == 0:
            self._average.update_parameters(self._module)
        return float(loss.detach())


def step_loss(module: PaletteTrainingModule, rows: PaletteTable, config: PaletteTrainConfig) -> Tensor:
    """Mean negative log likelihood of the rows' colours, each row in an order drawn anew; chance is torch's own."""
    words = trim(rows.words)
    count = torch.from_numpy(rows.count)
    visible = (words >= 0) & (torch.rand(words.shape) >= config.word_dropout)
    colors = shuffled(rows, config.noise)
    likelihood = module.log_likelihood(words, visible, torch.from_numpy(rows.source_row), colors)
    valid = torch.arange(PALETTE_SIZE) < count[:, None]
    return -(likelihood * valid).sum() / valid.sum()


def trim(words: np.ndarray) -> Tensor:
    """Rows of words without the columns that are empty in all of them (at least one column stays)."""
    longest = int((words >= 0).sum(1).max(initial=1))
    return torch.from_numpy(words[:, : max(1, longest)]).long()


def shuffled(rows: PaletteTable, noise: float) -> Tensor:
    """Scaled Lab colours (B x 5 x 3), those that are there in random order and in front, with noise in Lab units."""
    colors = scale_lab(torch.from_numpy(rows.colors) + noise * torch.randn(rows.colors.shape))
    missing = torch.arange(PALETTE_SIZE) >= torch.from_numpy(rows.count)[:, None]
    order = (torch.rand(len(rows), PALETTE_SIZE) + missing).argsort(1)
    return colors.gather(1, order[..., None].expand(-1, -1, 3))


@torch.no_grad()
def validation_loss(module: PaletteTrainingModule, rows: PaletteTable, config: PaletteTrainConfig) -> float:
    """Negative log likelihood a colour on the validation rows, the same noise and orders every time."""
    training = module.training
    module.eval()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        words, count = trim(rows.words), torch.from_numpy(rows.count)
        valid = torch.arange(PALETTE_SIZE) < count[:, None]
        total = 0.0
        for _ in range(3):
            likelihood = module.log_likelihood(
                words, words >= 0, torch.from_numpy(rows.source_row), shuffled(rows, config.noise)
            )
            total -= float((likelihood * valid).sum() / valid.sum()) / 3
    module.train(training)
    return total


def averaging(decay: float) -> Callable[[Tensor, Tensor, Tensor | int], Tensor]:
    """Exponential average whose decay rises to `decay`, so that short runs are averaged too."""

    def update(averaged: Tensor, current: Tensor, updates: Tensor | int) -> Tensor:
        return averaged + (1 - min(decay, (1 + int(updates)) / (10 + int(updates)))) * (current - averaged)

    return update


def make_optimizer(module: PaletteTrainingModule, config: PaletteTrainConfig) -> torch.optim.Optimizer:
    """AdamW; words have their own rate and decay, vectors (biases, norms) none."""
    matrices = [p for p in module.network.parameters() if p.ndim > 1]
    others = [p for p in module.network.parameters() if p.ndim <= 1]
    return torch.optim.AdamW(
        [
            {"params": matrices, "weight_decay": config.weight_decay, "rate": 1.0},
            {"params": others, "weight_decay": 0.0, "rate": 1.0},
            {"params": [module.correction], "weight_decay": config.word_decay, "rate": config.word_rate},
        ],
        lr=config.learning_rate,
        betas=(0.9, 0.98),
        fused=True,
    )


def model_tensors(module: PaletteTrainingModule, run: RunData) -> dict[str, np.ndarray]:
    """Network and lexicon, as a weight file holds them."""
    lexicon = Lexicon(run.lexicon.vocabulary, *quantise(module.learned_vectors()))
    return {key: value.numpy() for key, value in module.network.state_dict().items()} | lexicon.to_tensors()


def card_config(config: PaletteTrainConfig) -> dict[str, Any]:
    """What a card says of how the model is built."""
    sampling = {
        key: list(value) if isinstance(value, tuple) else value for key, value in asdict(config.sampling).items()
    }
    return {"architecture": "palette-set", "network": asdict(config.network), "sampling": sampling}


def make_sampler(module: PaletteTrainingModule, run: RunData, config: PaletteTrainConfig) -> PaletteSampler:
    """The network as users will have it."""
    return PaletteSampler.from_tensors(config.name, card_config(config), model_tensors(module, run))
