"""What a person sees of a run: a progress bar on a terminal, a log file, a loss curve. Must not import torch."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from t2c_engine.files import replacing, write_file

log = logging.getLogger(__name__)

T = TypeVar("T")
WINDOW = 100  # steps averaged to one line of the log


def track(steps: Iterable[T], total: int, description: str, show: bool = True) -> Iterator[T]:
    """The steps (or whatever is gone through), with a progress bar on a terminal and none in a pipe."""
    steps = list(steps)
    initial = total - len(steps)
    yield from tqdm(
        steps,
        desc=description,
        initial=initial,
        total=total,
        disable=not (show and sys.stderr.isatty()),
        dynamic_ncols=True,
    )


def last_figures(folder: Path) -> dict[str, float]:
    """The figures of a run's last validation; none where it had none."""
    path = folder / "log.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return next((line["validation"] for line in reversed(lines) if line.get("validation")), {})


def forget_later(path: Path, step: int) -> None:
    """Leave the lines up to a step in a log: what came after the checkpoint is trained again. Raises OutputError."""
    lines = path.read_text().splitlines() if path.exists() else []
    kept = [line for line in lines if json.loads(line)["step"] <= step]
    write_file(path, "".join(line + "\n" for line in kept).encode(), overwrite=True)


class RunLog:
    """Means of losses over 100 steps and figures of validation, a JSON object a line, and their curves as a picture."""

    def __init__(self, folder: Path, names: Sequence[str], step: int) -> None:
        self.path = folder / "log.jsonl"
        self.names = tuple(names)
        self.sums = dict.fromkeys(names, 0.0)
        self.count = 0
        self.timed = 0  # steps since `started`
        self.started = time.monotonic()
        forget_later(self.path, step)

    def add(self, step: int, losses: Mapping[str, float]) -> None:
        """The losses of one step."""
        for name in self.names:
            self.sums[name] += losses[name]
        self.count += 1
        self.timed += 1
        if (step + 1) % WINDOW == 0:
            means = {name: round(total / self.count, 5) for name, total in self.sums.items()}
            seconds = round((time.monotonic() - self.started) / self.timed, 4)
            self._write({"step": step + 1, "seconds_a_step": seconds, **means})
            self.sums, self.count = dict.fromkeys(self.names, 0.0), 0
            self.timed, self.started = 0, time.monotonic()

    def note(self, step: int, figures: Mapping[str, float]) -> None:
        """Figures of validation; also redraws the curves."""
        rounded = {name: round(value, 4) for name, value in figures.items()}
        log.info("step %d: %s", step, rounded)
        self._write({"step": step, "validation": rounded})
        self.draw()
        self.timed, self.started = 0, time.monotonic()  # validation does not count

    def draw(self) -> None:
        """The loss curves so far, loss.png in the run's folder."""
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot

        lines = [json.loads(line) for line in self.path.read_text().splitlines()]
        losses = [line for line in lines if "validation" not in line]
        checks = [line for line in lines if line.get("validation")]
        figure, axes = pyplot.subplots(1, 2, figsize=(12, 4))
        for name in self.names:  # a run may have begun before a loss was thought of
            axes[0].plot([line["step"] for line in losses], [line.get(name) for line in losses], label=name)
        for name in checks[-1]["validation"] if checks else []:
            values = [line["validation"].get(name) for line in checks]
            axes[1].plot([line["step"] for line in checks], values, marker=".", label=name)
        for axis, title in zip(axes, ("training", "validation"), strict=True):
            axis.set(title=title, xlabel="step", yscale="log")
            if axis.lines:
                axis.legend()
        figure.tight_layout()
        with replacing(self.path.with_name("loss.png")) as stream:
            figure.savefig(stream, dpi=90)
        pyplot.close(figure)

    def _write(self, line: Mapping[str, object]) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")
