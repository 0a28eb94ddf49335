"""Fine-tune the shipped colouriser on a user's photographs. Reads top-down: data, model, resume, loop, verdict.

The pretrained encoder stays as it is; changes of low rank (`adapter`) are learned for the weights behind it. The folder
of a run holds checkpoint.pt (exact resume), log.jsonl, check.csv and report.html. A step draws its data and chance from
(seed, step) alone. The encoder's features are not cached: they are 8 % of a step, and would fix crops and wear.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm.contrib.logging import logging_redirect_tqdm

from t2c_engine.colorization.colorizer import Colorizer, InferenceConfig, build_network, read_inference_config
from t2c_engine.errors import UsageError
from t2c_engine.models import ModelCard
from t2c_engine.networks.colorizer import ColorizerNet
from t2c_engine.networks.low_rank import changed
from trainer.colorizer.augmentation import Example
from trainer.colorizer.step import LOSSES, TrainingData, TrainingModule, draw_example, step_losses
from trainer.common.checkpoints import Stateful, load_checkpoint, restore, save_checkpoint, states_of
from trainer.common.distributed import World
from trainer.common.run_log import forget_later, track
from trainer.common.schedule import learning_rate
from trainer.photographs.adapter import Adapter
from trainer.photographs.config import PhotographsConfig
from trainer.photographs.judge import WAYS, Errors, HeldOut, quick_errors, ratios

log = logging.getLogger(__name__)

SAVE_EVERY = 10  # steps


@dataclass(frozen=True, slots=True)
class Base:
    """The model that is fine-tuned, and how it is used."""

    card: ModelCard
    network: ColorizerNet
    inference: InferenceConfig
    device: torch.device

    @classmethod
    def load(cls, card: ModelCard, device: str) -> Base:
        """Errors as `build_network`."""
        network = build_network(card).eval().to(torch.device(device), memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        network.requires_grad_(False)
        encoder = network.encoder.pretrained
        encoder.frozen_blocks = len(encoder.blocks)
        return cls(card, network, read_inference_config(card), torch.device(device))

    def colorizer(self, arrays: Mapping[str, np.ndarray] | None = None) -> Colorizer:
        """The engine's colouriser, with changes."""
        weights = {name: value.cpu().numpy() for name, value in self.network.state_dict().items()}
        weights = changed(weights, [(arrays, 1.0)] if arrays else [])
        network = ColorizerNet(self.network.config)
        network.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in weights.items()})
        return Colorizer(network, self.card.name, self.device, self.inference)


@dataclass(slots=True)
class Looks:
    """What the looks at the held-out photographs showed: [step, ratio by way], and the best step so far."""

    seen: list[list[float]] = field(default_factory=list)
    best_step: int = 0
    best: float = 1.0

    def add(self, step: int, found: Mapping[str, float]) -> bool:
        """Note a look; True where it is the best one: better on average, and in no way worse than the shipped model."""
        self.seen.append([step, *(round(found[way], 5) for way in WAYS)])
        mean = float(np.mean([found[way] for way in WAYS]))
        better = mean < self.best and max(found.values()) <= 1
        if better:
            self.best_step, self.best = step, mean
        return better

    def since_best(self) -> int:
        """Looks since the best one."""
        return sum(step > self.best_step for step, *_ in self.seen)


class StepLosses(TrainingModule):
    """All losses of an example, as a module, so that its weights can be exchanged for changed ones."""

    def __init__(self, network: ColorizerNet, data: TrainingData, config: PhotographsConfig) -> None:
        super().__init__(network)
        self._data, self._config = data, config

    def forward(self, example: Example) -> dict[str, Tensor]:
        """The losses of `trainer.colorizer.step.LOSSES`."""
        return step_losses(self, example, self._data, self._config, self._config.pretraining)


class Run:
    """What changes from step to step, and the folder that it is kept in."""

    def __init__(
        self, config: PhotographsConfig, folder: Path, base: Base, data: TrainingData, origin: str, world: World
    ) -> None:
        self.config, self.folder, self.base, self.data, self.world = config, folder, base, data, world
        self.weights = {name: value.detach() for name, value in base.network.named_parameters()}
        self.adapter = Adapter(self.weights, config.rank, config.adapted, config.seed)
        self.average = AveragedModel(self.adapter, multi_avg_fn=get_ema_multi_avg_fn(config.ema))
        self.best = AveragedModel(self.adapter)  # holds the averaged changes of the best look
        self.losses = StepLosses(base.network, data, config)
        self.optimizer = torch.optim.AdamW(self.adapter.parameters(), lr=0.0, weight_decay=config.weight_decay)
        self.looks = Looks()
        self.origin = f"{origin} {base.card.sha256}"

    def resume(self) -> int:
        """Take up the folder's checkpoint, if it has one; returns the step to go on with.

        Raises:
            UsageError: the checkpoint is damaged, or of other photographs, settings or another shipped model.
        """
        state = load_checkpoint(self.folder, str(self.base.device))
        if state is None:
            return 0
        if state.get("origin") != self.origin or state.get("config") != self._settings():
            raise UsageError(
                f"The training in {self.folder} is of other photographs, settings or another model; give another "
                "folder with --out, or remove it to start anew."
            )
        restore(self._parts(), state, self.folder)
        self.looks = Looks(**state["looks"])
        log.info("Going on at step %d.", state["step"])
        return int(state["step"])

    def save(self, step: int) -> None:
        """Write the state after `step` steps."""
        if self.world.first:
            state = {"step": step, "origin": self.origin, "config": self._settings(), "looks": asdict(self.looks)}
            save_checkpoint(self.folder, {**states_of(self._parts()), **state})

    def _settings(self) -> str:
        """All but when to end, which may be changed in a run that goes on."""
        values = {name: value for name, value in asdict(self.config).items() if name not in ("steps", "cooldown")}
        return json.dumps(values, sort_keys=True)

    def _parts(self) -> dict[str, Stateful]:
        return {"adapter": self.adapter, "average": self.average, "best": self.best, "optimizer": self.optimizer}

    def step(self, example: Example, step: int) -> dict[str, float]:
        """One step of the optimiser; returns all losses."""
        merged = {f"network.{name}": value for name, value in self.adapter.merged(self.weights).items()}
        losses = functional_call(self.losses, merged, (example,))
        self.optimizer.zero_grad()
        losses["loss"].backward()
        self.world.average_gradients(self.adapter)
        nn.utils.clip_grad_norm_(self.adapter.parameters(), 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.config, step)
        self.optimizer.step()
        self.average.update_parameters(self.adapter)
        return {name: float(value.detach()) for name, value in losses.items()}

    def look(self, step: int, held_out: Sequence[HeldOut], before: Errors) -> bool:
        """Judge the averaged changes on the held-out photographs; whether training should go on."""
        found: dict[str, float] = dict.fromkeys(WAYS, 0.0)
        if self.world.first:
            found = ratios(quick_errors(self.base.colorizer(_adapter_of(self.average).arrays()), held_out), before)
        shared = self.world.summed([torch.tensor([found[way] for way in WAYS], device=self.base.device)])[0]
        found = dict(zip(WAYS, shared.tolist(), strict=True))
        if self.looks.add(step, found):
            self.best.load_state_dict(self.average.state_dict())
        return self.looks.since_best() < self.config.patience

    def best_arrays(self) -> dict[str, np.ndarray]:
        """The changes of the best look; none where no look was better than the shipped model."""
        return _adapter_of(self.best).arrays() if self.looks.best_step else {}


def _adapter_of(average: AveragedModel) -> Adapter:
    assert isinstance(average.module, Adapter)
    return average.module


def train(run: Run, held_out: Sequence[HeldOut]) -> float:
    """Train until the settings' steps, or until the held-out photographs get no better.

    Returns:
        Seconds a step of this process, or 0 where there was nothing left to do.
    """
    config, world, device = run.config, run.world, str(run.base.device)
    first = run.resume()
    if run.looks.seen and run.looks.since_best() >= config.patience:
        return 0.0
    before = quick_errors(run.base.colorizer(), held_out) if world.first else {}
    history = _History(run.folder, first) if world.first else None
    spent, done = 0.0, first
    with logging_redirect_tqdm():  # above the bar, not through it
        for step in track(range(first, config.steps), config.steps, "training", show=world.first):
            begun = time.monotonic()
            losses = run.step(draw_example(run.data, config, step, device, world), step)
            spent += time.monotonic() - begun
            done, go_on = step + 1, True
            if done % config.check_every == 0 or done == config.steps:
                go_on = run.look(done, held_out, before)
                if history is not None:
                    history.note(done, losses, run.looks.seen[-1], spent / (done - first))
            if done % SAVE_EVERY == 0 or done == config.steps or not go_on:
                run.save(done)
            if not go_on:
                log.info("No better for %d looks; step %d is kept.", config.patience, run.looks.best_step)
                break
    return spent / max(1, done - first)


class _History:
    """log.jsonl of a run: a line a look."""

    def __init__(self, folder: Path, step: int) -> None:
        self.path = folder / "log.jsonl"
        forget_later(self.path, step)

    def note(self, step: int, losses: Mapping[str, float], look: Sequence[float], seconds: float) -> None:
        """Losses of a step, the look after it, and seconds a step."""
        changes = {way: round(100 * (value - 1), 1) for way, value in zip(WAYS, look[1:], strict=True)}
        log.info(
            "step %d: error with palette %+.1f %%, automatic %+.1f %% against the shipped model; %.2f s a step",
            step, changes["palette"], changes["automatic"], seconds,
        )  # fmt: skip
        rounded = {name: round(losses[name], 4) for name in LOSSES}
        line = {"step": step, "seconds_a_step": round(seconds, 4), "change_percent": changes, **rounded}
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")
