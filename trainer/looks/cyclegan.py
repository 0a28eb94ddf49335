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

import numpy as np
import torch
from torch import Tensor

from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.errors import UsageError
from t2c_engine.networks.color_profile import color_profile
from trainer.common.picture_data import PictureSet, load_pictures
from trainer.looks.data import LookPictures, Sample, load_look_pictures, sample
from trainer.looks.networks import Discriminator, GreyGenerator, distance, least_squares
from trainer.looks.settings import LookTrainConfig
from trainer.looks.sorting import Domain, sort_pictures, split_domains
from trainer.looks.training import LookRun, applied, real_or_made, roughness, run_facts, start_from, train_run
from trainer.looks.typical_colors import TypicalColors

LEAST_PICTURES = 8


class CycleGan(LookRun):
    """Both ways between grey and colour, and their step. The generator of looks is the way to colour."""

    losses = ("generator", "discriminator", "adversarial", "cycle", "identity", "smoothness", "typical")
    looks = 1

    def __init__(self, config: LookTrainConfig, pictures: LookPictures) -> None:
        super().__init__(config, pictures)
        width, levels = config.critic_width, config.critic_levels
        self._to_grey = GreyGenerator(config.network.width, config.grey_kernel)
        self._color_critic, self._grey_critic = Discriminator(3, width, levels), Discriminator(1, width, levels)
        self._learn({"to_grey": self._to_grey}, {"color_critic": self._color_critic, "grey_critic": self._grey_critic})
        everyone = torch.arange(len(pictures))
        true = sample(pictures, everyone, torch.zeros(len(pictures), dtype=torch.bool), automatic=False)
        profiles = color_profile(true.smaller(config.detail).lab)
        self._typical = TypicalColors.of(profiles, torch.zeros(len(pictures), dtype=torch.long), 1)
        self._look = torch.zeros(config.batch, dtype=torch.long)

    def step(self, step: int) -> dict[str, float]:
        grey, color, automatic = self._draw(step)
        transform = self.transform(grey, self._look)
        made_color, made_grey = applied(transform, grey), self._to_grey(color.lab)
        cycle, identity = self._consistency(grey, color, automatic, made_color, made_grey)
        adversarial = least_squares(self._color_critic(made_color)[0], True)
        terms = {
            "adversarial": adversarial + least_squares(self._grey_critic(made_grey)[0], True),
            "cycle": cycle,
            "identity": identity,
            "smoothness": roughness(transform),
            "typical": self._typical.distance(made_color, self._look),
        }

        def critics() -> Tensor:
            of_color = real_or_made(self._color_critic, color.lab, made_color)
            return of_color + real_or_made(self._grey_critic, grey.lightness, made_grey)

        return self._update(terms, critics)

    def _consistency(
        self, grey: Sample, color: Sample, automatic: Tensor, made_color: Tensor, made_grey: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Cycle and identity losses. automatic: the automatic ab of `color`."""
        back = Sample(made_grey, automatic, color.features)
        again = applied(self.transform(back, self._look), back)
        cycle = distance(self._to_grey(made_color), grey.lightness) + distance(again, color.lab)
        changes = self.config.network.base == "automatic"
        same = applied(self.transform(color, self._look), color) if changes else color.lab
        neutral = torch.cat((grey.lightness, torch.zeros_like(grey.ab)), 1)
        return cycle, distance(same, color.lab) + distance(self._to_grey(neutral), grey.lightness)

    def _draw(self, step: int) -> tuple[Sample, Sample, Tensor]:
        """Grey pictures (in automatic colour); drawn apart from them, colour pictures and their automatic ab."""
        chance = torch.Generator().manual_seed(self.config.seed * 1_000_003 + step)
        grey, color = torch.randint(len(self._pictures), (2, self.config.batch), generator=chance)
        flips = torch.rand((2, self.config.batch), generator=chance) < 0.5
        given, true, plain = (
            sample(self._pictures, which, turned, automatic=automatic).smaller(self.config.detail)
            for which, turned, automatic in ((grey, flips[0], True), (color, flips[1], False), (color, flips[1], True))
        )
        return given, true, plain.ab


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
    start_from(run, init)
    facts = run_facts(
        "CycleGAN",
        [{"name": subject.name, "title": subject.title or subject.name}],
        [f"{len(chosen)} photographs{subject.origin(sources)}"],
        pictures.names[chosen] if subject.domain else (),
        colorizer,
    )
    return train_run(run, out, facts)
