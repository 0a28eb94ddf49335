"""Several tonings by one network: StarGAN (Choi et al. 2018; document 004, 3.2) over colour transforms.

One generator with a target-domain label, one discriminator with a domain classifier; adversarial, classification,
reconstruction and identity losses, and those of `toning_losses`. What the published network copies through its pixels
(lightness, and the colours it starts from) is kept by construction here, so that the generator says the change alone.
Automatic colour is a domain beside the others: the way back from a toning.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.networks.look_generator import L_UNIT
from trainer.common.picture_data import load_pictures
from trainer.looks.data import LookPictures, Sample, load_look_pictures, sample
from trainer.looks.known_tonings import learn_known
from trainer.looks.networks import Discriminator, distance, least_squares
from trainer.looks.recognition import ChannelFeatures
from trainer.looks.settings import LookTrainConfig
from trainer.looks.sorting import Domain, plain_pictures, sort_pictures, split_domains
from trainer.looks.toning_losses import ToningLosses
from trainer.looks.training import LookRun, applied, real_or_made, roughness, run_facts, start_from, train_run

LEAST_WHITE = 80.0  # L that white may become at no cost
PLAIN_SHARE = 0.4  # of what is to be changed, photographs of no domain


class StarGan(LookRun):
    """Tonings by one generator, and their step. The domain after the last is automatic colour."""

    losses = (
        "generator",
        "discriminator",
        "adversarial",
        "classification",
        "classification_real",
        "cycle",
        "identity",
        "smoothness",
        "recognition",
        "content",
        "typical",
        "local",
        "whites",
    )

    def __init__(self, config: LookTrainConfig, pictures: LookPictures, domain_of: Tensor) -> None:
        """domain_of: N, the domain of each picture; after the last one, of plain ones.

        Raises:
            ModelError: the packages of the classifier that recognises tonings are not installed.
        """
        super().__init__(config, pictures)
        self.looks = self._automatic = config.network.targets - 1
        self._members = [torch.nonzero(domain_of == one)[:, 0] for one in range(self._automatic)]
        plain = torch.nonzero(domain_of == self._automatic)[:, 0]
        self._members.append(plain if len(plain) else torch.arange(len(pictures)))
        features = ChannelFeatures.lite0() if config.losses.recognition or config.losses.content else None
        self._toning = ToningLosses(pictures, domain_of, self._automatic, config.detail, features)
        if self.generator.known is not None:
            learn_known(self.generator, pictures, domain_of, config.detail)
            self.average.module.load_state_dict(self.generator.state_dict())
        self._critic = Discriminator(3, config.critic_width, config.critic_levels, config.network.targets)
        self._learn({}, {"critic": self._critic})

    def step(self, step: int) -> dict[str, float]:
        detailed, source, target, (real, domain) = self._draw(step)
        times = self.config.detail
        given, real = detailed.smaller(times), real.smaller(times)
        transform = self.transform(given, target)
        shown = applied(transform, detailed)
        made = F.avg_pool2d(shown, times)
        taken, classes = self._critic(made)
        back = Sample(made[:, :1], made[:, 1:], given.features)
        toning = self._toning(detailed, shown, target)
        terms = {
            "adversarial": least_squares(taken, True),
            "classification": F.cross_entropy(classes, target),
            "cycle": distance(applied(self.transform(back, source), back), given.lab),
            "identity": distance(applied(self.transform(real, domain), real), real.lab),
            "smoothness": roughness(transform),
            "recognition": toning.recognition,
            "content": toning.content,
            "typical": toning.typical,
            "local": toning.local,
            "whites": (LEAST_WHITE - transform.curve[:, -1]).clamp(min=0).mean() / L_UNIT,
        }
        known = F.cross_entropy(self._critic(real.lab)[1], domain)
        return self._update(
            terms, lambda: real_or_made(self._critic, real.lab, made) + known, classification_real=known
        )

    def _draw(self, step: int) -> tuple[Sample, Tensor, Tensor, tuple[Sample, Tensor]]:
        """What is to be changed with its domain, the domain asked for, and real pictures with theirs."""
        chance = torch.Generator().manual_seed(self.config.seed * 1_000_003 + step)
        domains = torch.randint(self._automatic + 1, (2, self.config.batch), generator=chance)
        plain = torch.rand(self.config.batch, generator=chance) < PLAIN_SHARE
        source, given = self._from_domains(chance, torch.where(plain, self._automatic, domains[0]), 0.5)
        target = torch.randint(self._automatic + 1, (self.config.batch,), generator=chance)
        domain, real = self._from_domains(chance, domains[1], 0.0)
        return given, source, target, (real, domain)

    def _from_domains(self, chance: torch.Generator, domains: Tensor, automatic: float) -> tuple[Tensor, Sample]:
        """Pictures of domains, of which a share takes its automatic colour and is of that domain then."""
        places = torch.rand(len(domains), generator=chance)
        members = [self._members[int(one)] for one in domains]
        indices = torch.stack([some[int(place * len(some))] for some, place in zip(members, places, strict=True)])
        plain = (torch.rand(len(domains), generator=chance) < automatic) | (domains == self._automatic)
        flipped = torch.rand(len(domains), generator=chance) < 0.5
        domains = torch.where(plain, self._automatic, domains)
        return domains, sample(self._pictures, indices, flipped, automatic=plain)


def train_tonings(
    config: LookTrainConfig,
    domains: Sequence[Domain],
    sources: Sequence[Path],
    out: Path,
    cache: Path,
    *,
    colorizer: Colorizer,
    init: Path | None = None,
    plain: Domain | None = None,
) -> Path:
    """Sort pictures into domains and learn them; returns the checkpoint.

    Args:
        config: `network.targets` is one more than there are domains. sources: folders or zip shards. plain: which
            photographs of no domain are toned, too.

    Raises:
        PictureError: no picture is found. UsageError: a domain is too small, or the run is of other settings.
    """
    pictures = load_pictures(sources, cache)
    found = sort_pictures(pictures, domains)
    used, _ = split_domains(found)
    parts = [*used.values(), plain_pictures(pictures, plain, found)]
    indices = np.concatenate(parts)
    domain_of = torch.cat([torch.full((len(some),), number) for number, some in enumerate(parts)])
    side = config.network.side * config.detail
    run = StarGan(config, load_look_pictures(pictures, indices, colorizer, side, cache), domain_of)
    start_from(run, init)
    data = [f"{one.title}: {len(used[one.name])} pictures" for one in domains]
    facts = run_facts(
        "StarGAN",
        [{"name": one.name, "title": one.title, "natural": one.natural} for one in domains],
        data + ([f"Photographs of no toning: {len(parts[-1])}"] if len(parts[-1]) else []),
        pictures.names[indices],
        colorizer,
    )
    return train_run(run, out, facts)
