"""Train the adapter of a style. Reads top-down: settings, data, model, loop.

Every step draws its data and chance from (seed, step) alone, so a run that was killed goes on as if it had not been.
The palettes held out steer when to stop and are never trained on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from t2c_engine.networks.palettes.palette_set import scale_lab
from t2c_engine.palettes.palette import PALETTE_SIZE
from t2c_engine.palettes.phrases import read_phrase
from t2c_engine.text.lexicon import Lexicon
from trainer.common.checkpoints import load_checkpoint, restore, save_checkpoint, states_of
from trainer.styles.adapter import StyleAdapter
from trainer.styles.examples import Example

log = logging.getLogger(__name__)

HELD_OUT = 5  # one palette in so many is held out
_WORDS = 12  # words of a text that are used
_LOOKS = 4  # orders of colours in which held-out palettes are scored
_BETTER = 1e-4  # of the loss, to count as better


@dataclass(frozen=True, slots=True)
class StyleConfig:
    """Settings of a run; values and explanations stand in configs/style.toml."""

    seed: int
    rank: int
    steps: int
    check_every: int
    patience: int
    warmup: int
    batch: int
    learning_rate: float
    weight_decay: float
    ema: float
    noise: float
    word_dropout: float
    general: int
    most_lost: float
    shares: tuple[float, ...]
    known_more: float


@dataclass(frozen=True, slots=True)
class StyleRows:
    """n examples packed: word vectors (n x T x d), which are there (n x T), Lab colours (n x 5 x 3), how many (n)."""

    vectors: Tensor
    words: Tensor
    colors: Tensor
    count: Tensor

    def __len__(self) -> int:
        return len(self.count)

    def take(self, rows: Tensor) -> StyleRows:
        """Some of the examples."""
        return StyleRows(self.vectors[rows], self.words[rows], self.colors[rows], self.count[rows])


def split_examples(groups: Sequence[int], seed: int) -> tuple[list[int], list[int]]:
    """Places of the examples to train on, and of the fifth held out; a group (palettes alike) is never parted."""
    members: dict[int, list[int]] = {}
    for place, group in enumerate(groups):
        members.setdefault(group, []).append(place)
    names = sorted(members)
    order = np.random.default_rng(seed).permutation(len(names))
    wanted = max(1, len(groups) // HELD_OUT)
    held: list[int] = []
    for index in order:
        if len(held) >= wanted:
            break
        if len(held) + len(members[names[index]]) <= 2 * wanted:
            held += members[names[index]]
    out = set(held)
    return [place for place in range(len(groups)) if place not in out], sorted(held)


def pack_examples(examples: Sequence[Example], lexicon: Lexicon) -> StyleRows:
    """Pack texts, read as a user's phrases are, and palettes; those of more than five colours by their medoids."""
    vectors = np.zeros((len(examples), _WORDS, lexicon.dimensions), dtype=np.float32)
    words = np.zeros((len(examples), _WORDS), dtype=bool)
    colors = np.zeros((len(examples), PALETTE_SIZE, 3), dtype=np.float32)
    count = np.zeros(len(examples), dtype=np.int64)
    for index, example in enumerate(examples):
        read = read_phrase(lexicon, example.text).vectors[:_WORDS]
        vectors[index, : len(read)], words[index, : len(read)] = read, True
        palette = example.palette.to_size() if len(example.palette.colors) > PALETTE_SIZE else example.palette
        count[index] = len(palette.colors)
        colors[index, : count[index]] = palette.lab
    return StyleRows(*(torch.from_numpy(array) for array in (vectors, words, colors, count)))


@dataclass(frozen=True, slots=True)
class Trained:
    """The best additions, by the names of a style's file, and the course of the training.

    course: (step, negative log likelihood a colour on the held-out palettes), the shipped network's first.
    """

    tensors: dict[str, np.ndarray]
    best_step: int
    course: tuple[tuple[int, float], ...]


def train_adapter(
    config: StyleConfig,
    shape: Any,
    weights: Any,
    rows: StyleRows,
    held_out: StyleRows,
    folder: Path,
    advance: Callable[[int, int], None] = lambda step, steps: None,
) -> Trained:
    """Train until the held-out palettes get no likelier; a run that is in `folder` goes on.

    Args:
        shape, weights: of the palette model. advance: told (step, most steps) at every step; may raise to stop.

    Raises:
        UsageError: the folder holds a run of other settings or data.
    """
    run = _Run(config, shape, weights, rows, held_out)
    state = load_checkpoint(folder, "cpu")
    first = run.resume(state, folder) if state is not None else 0
    for step in range(first, config.steps + 1):
        if step % config.check_every == 0:
            finished = run.look(step)
            save_checkpoint(folder, run.state(step))
            if finished:
                break
        if step < config.steps:
            run.step(step)
            advance(step + 1, config.steps)
    advance(config.steps, config.steps)
    return Trained(run.best_tensors(), run.best_step, tuple(run.course))


class _Run:
    """Adapter, its running average and best state, and the optimiser."""

    def __init__(self, config: StyleConfig, shape: Any, weights: Any, rows: StyleRows, held_out: StyleRows) -> None:
        torch.manual_seed(config.seed)
        self._config, self._rows, self._held_out = config, rows, held_out
        self._adapter = StyleAdapter(shape, weights, config.rank)
        self._average = torch.optim.swa_utils.AveragedModel(self._adapter, avg_fn=_average(config.ema))
        self._optimizer = torch.optim.AdamW(
            self._adapter.additions(), lr=config.learning_rate, weight_decay=config.weight_decay, betas=(0.9, 0.98)
        )
        self._parts = {"adapter": self._adapter, "average": self._average, "optimizer": self._optimizer}
        self._best: dict[str, Tensor] = {}
        self.course: list[tuple[int, float]] = []
        self.best_step = 0

    @property
    def _averaged(self) -> StyleAdapter:
        return cast(StyleAdapter, self._average.module)

    def step(self, step: int) -> None:
        """One step of the optimiser."""
        config = self._config
        for group in self._optimizer.param_groups:
            group["lr"] = config.learning_rate * min(1.0, (step + 1) / config.warmup)
        rng = np.random.default_rng((config.seed, step))
        torch.manual_seed(int(rng.integers(2**62)))
        rows = self._rows.take(torch.from_numpy(rng.integers(len(self._rows), size=config.batch)))
        visible = rows.words & (torch.rand(rows.words.shape) >= config.word_dropout)
        self._adapter.train()
        loss = _loss(self._adapter, rows, visible, shuffled(rows, config.noise))
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self._adapter.additions(), 1.0)
        self._optimizer.step()
        self._average.update_parameters(self._adapter)

    def look(self, step: int) -> bool:
        """Score the held-out palettes, keep the best additions; whether training is to end."""
        self._averaged.eval()
        with torch.no_grad(), torch.random.fork_rng():
            torch.manual_seed(0)
            scores = [
                float(_loss(self._averaged, self._held_out, self._held_out.words, shuffled(self._held_out, 1.0)))
                for _ in range(_LOOKS)
            ]
        score = sum(scores) / len(scores)
        if not self.course or score < min(value for _, value in self.course) - _BETTER:
            self.best_step = step
            self._best = {key: value.clone() for key, value in self._averaged.state_dict().items()}
        self.course.append((step, score))
        return step - self.best_step >= self._config.patience * self._config.check_every

    def best_tensors(self) -> dict[str, np.ndarray]:
        """The best additions."""
        self._averaged.load_state_dict(self._best)
        return self._averaged.tensors()

    def state(self, step: int) -> dict[str, Any]:
        """All that a resumed run needs."""
        rest = {"step": step, "best": self._best, "best_step": self.best_step, "course": self.course}
        return states_of(self._parts) | rest

    def resume(self, state: dict[str, Any], folder: Path) -> int:
        """Take up a checkpoint; returns the next step."""
        restore(self._parts, state, folder)
        self._best, self.best_step = state["best"], state["best_step"]
        self.course = [tuple(one) for one in state["course"]][:-1]  # the look at this step is taken again
        log.info("Going on at step %d", state["step"])
        return state["step"]


def _average(decay: float) -> Callable[[Tensor, Tensor, Tensor | int], Tensor]:
    def update(averaged: Tensor, current: Tensor, updates: Tensor | int) -> Tensor:
        return averaged + (1 - decay) * (current - averaged)

    return update


def _loss(adapter: StyleAdapter, rows: StyleRows, visible: Tensor, colors: Tensor) -> Tensor:
    """Mean negative log likelihood of a colour."""
    valid = torch.arange(PALETTE_SIZE) < rows.count[:, None]
    return -(adapter.log_likelihood(rows.vectors, visible, colors) * valid).sum() / valid.sum()


def shuffled(rows: StyleRows, noise: float) -> Tensor:
    """Scaled Lab colours (n x 5 x 3), those that are there in random order and in front, with noise in Lab units."""
    colors = scale_lab(rows.colors + noise * torch.randn(rows.colors.shape))
    missing = torch.arange(PALETTE_SIZE) >= rows.count[:, None]
    order = (torch.rand(len(rows), PALETTE_SIZE) + missing).argsort(1)
    return colors.gather(1, order[..., None].expand(-1, -1, 3))
