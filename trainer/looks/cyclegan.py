"""A look from a folder of colour photographs, without pairs: CycleGAN (Zhu et al. 2017; document 004, 3.1).

Two generators, grey to colour and colour to grey, and two discriminators; adversarial, cycle and identity losses, and
the distance from typical colours, without which the cycle loss pays doubt with grey. The
first generator says a grid of colour transforms and a tone curve (`networks/look_generator`), over a frozen
colouriser's automatic colour. In the way colour, grey, colour that automatic colour is the one of the true lightness:
the colouriser does not run in the loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.errors import UsageError
from t2c_engine.networks.look_generator import LookGenerator
from trainer.common.checkpoints import Stateful, load_initial
from trainer.common.picture_data import PictureSet, load_pictures
from trainer.looks.data import LookPictures, Sample, load_look_pictures, sample
from trainer.looks.networks import Discriminator, GreyGenerator, distance, least_squares
from trainer.looks.sorting import Domain, sort_pictures, split_domains
from trainer.looks.training import (
    LookTrainConfig,
    adam,
    applied,
    averaged,
    optimize,
    roughness,
    train_run,
    weighted,
    write_sheet,
)
from trainer.looks.typical_colors import TypicalColors, color_profile

LEAST_PICTURES = 8
SHEET_ROWS = 8


class CycleGan:
    """The networks of a run and their step."""

    losses = ("generators", "discriminators", "adversarial", "cycle", "identity", "smoothness", "typical")

    def __init__(self, config: LookTrainConfig, pictures: LookPictures) -> None:
        torch.manual_seed(config.seed)
        self.config, self._pictures = config, pictures
        width, levels = config.critic_width, config.critic_levels
        self.to_color = LookGenerator(config.network)
        self.to_grey = GreyGenerator(config.network.width, config.grey_kernel)
        self._color_critic, self._grey_critic = Discriminator(3, width, levels), Discriminator(1, width, levels)
        self.average = averaged(self.to_color, config)
        self._generators = adam(self.to_color, self.to_grey)
        self._critics = adam(self._color_critic, self._grey_critic)
        everyone = torch.arange(len(pictures))
        true = sample(pictures, everyone, torch.zeros(len(pictures), dtype=torch.bool), automatic=False)
        profiles = color_profile(true.smaller(config.detail).lab)
        self._typical = TypicalColors.of(profiles, torch.zeros(len(pictures), dtype=torch.long), 1)

    @property
    def parts(self) -> dict[str, Stateful]:
        return {
            "to_color": self.to_color,
            "to_grey": self.to_grey,
            "color_critic": self._color_critic,
            "grey_critic": self._grey_critic,
            "average": self.average,
            "generators": self._generators,
            "critics": self._critics,
        }

    def step(self, step: int) -> dict[str, float]:
        grey, color = self._draw(step)
        transform = self._transform(grey)
        made_color, made_grey = applied(transform, grey), self.to_grey(color.lab)
        cycle, identity = self._consistency(grey, color, made_color, made_grey)
        adversarial = least_squares(self._color_critic(made_color)[0], True)
        terms = {
            "adversarial": adversarial + least_squares(self._grey_critic(made_grey)[0], True),
            "cycle": cycle,
            "identity": identity,
            "smoothness": roughness(transform),
            "typical": self._typical.distance(made_color, torch.zeros(len(made_color), dtype=torch.long)),
        }
        total = weighted(terms, self.config.losses)
        optimize(self._generators, total)
        self.average.update_parameters(self.to_color)
        critics = _critic_loss(self._color_critic, color.lab, made_color)
        critics = critics + _critic_loss(self._grey_critic, grey.lightness, made_grey)
        optimize(self._critics, critics)
        values = {"generators": total, "discriminators": critics, **terms}
        return {name: float(values[name].detach()) for name in self.losses}

    def sheet(self, path: Path) -> None:
        """A row a picture: automatic colour, the look, the picture's own colours."""
        count = min(SHEET_ROWS, len(self._pictures))
        indices, none = torch.arange(count), torch.zeros(count, dtype=torch.bool)
        given = sample(self._pictures, indices, none, automatic=True)
        with torch.inference_mode():
            look = applied(self._transform(given.smaller(self.config.detail), self.average), given)
        write_sheet(path, [given.lab, look, sample(self._pictures, indices, none, automatic=False).lab])

    def _consistency(self, grey: Sample, color: Sample, made_color: Tensor, made_grey: Tensor) -> tuple[Tensor, Tensor]:
        """Cycle and identity losses."""
        automatic = self._automatic_of_color
        back = Sample(made_grey, automatic, color.features)
        again = applied(self._transform(back), back)
        cycle = distance(self.to_grey(made_color), grey.lightness) + distance(again, color.lab)
        same = applied(self._transform(color), color) if self.config.network.base == "automatic" else color.lab
        neutral = torch.cat((grey.lightness, torch.zeros_like(grey.ab)), 1)
        return cycle, distance(same, color.lab) + distance(self.to_grey(neutral), grey.lightness)

    def _draw(self, step: int) -> tuple[Sample, Sample]:
        """Grey pictures (with their automatic colour) and, drawn apart from them, colour pictures."""
        chance = torch.Generator().manual_seed(self.config.seed * 1_000_003 + step)
        batch = self.config.batch
        grey, color = torch.randint(len(self._pictures), (2, batch), generator=chance)
        flips = torch.rand((2, batch), generator=chance) < 0.5
        drawn = (
            sample(self._pictures, which, turned, automatic=automatic).smaller(self.config.detail)
            for which, turned, automatic in ((grey, flips[0], True), (color, flips[1], False), (color, flips[1], True))
        )
        given, true, plain = drawn
        self._automatic_of_color = plain.ab
        return given, true

    def _transform(self, given: Sample, network: Any = None) -> Any:
        label = torch.ones(len(given.lightness), 1)
        return (network or self.to_color)(given.lightness, given.ab, given.features, label)


def _critic_loss(critic: Discriminator, real: Tensor, made: Tensor) -> Tensor:
    return least_squares(critic(real)[0], True) + least_squares(critic(made.detach())[0], False)


@dataclass(frozen=True, slots=True)
class Subject:
    """The look that is learned: its name and title, pictures at most, and which of the sources' pictures show it."""

    name: str
    title: str = ""
    limit: int | None = None
    domain: Domain | None = None

    def origin(self, sources: Sequence[Path]) -> str:
        """Where the pictures are from, for the card."""
        if self.domain is not None:
            return f", sorted by names and colour statistics as '{self.domain.name}'"
        return f" of {', '.join(one.name for one in sources)}"

    def chosen(self, pictures: PictureSet) -> np.ndarray:
        """Indices of the pictures to learn from.

        Raises:
            UsageError: they are too few.
        """
        found = np.arange(len(pictures.names))
        if self.domain is not None:
            found = split_domains(sort_pictures(pictures, [self.domain]))[0][self.domain.name]
        found = found[: self.limit]
        if len(found) < LEAST_PICTURES:
            raise UsageError(f"{len(found)} pictures are too few to learn a look; give {LEAST_PICTURES} or more.")
        return found


def train_look(
    config: LookTrainConfig,
    sources: Sequence[Path],
    out: Path,
    cache: Path,
    subject: Subject,
    *,
    colorizer: Colorizer,
    init: Path | None = None,
) -> Path:
    """Learn the look of colour photographs; returns the checkpoint.

    Args:
        sources: folders or zip shards. init: exported weights to start from.

    Raises:
        PictureError: no picture is found. UsageError: they are too few, or the run is of other settings.
    """
    pictures = load_pictures(sources, cache)
    chosen = subject.chosen(pictures)
    side = config.network.side * config.detail
    run = CycleGan(config, load_look_pictures(pictures, chosen, colorizer, side, cache))
    if init is not None:
        load_initial(run.to_color, init)
    facts = {
        "looks": [{"name": subject.name, "title": subject.title or subject.name}],
        "colorizer": colorizer.model,
        "data": [f"{len(chosen)} photographs{subject.origin(sources)}"],
        "names": sorted({str(pictures.names[index]).split("__")[0] for index in chosen}) if subject.domain else [],
        "method": "CycleGAN",
    }
    return train_run(run, out, facts)
