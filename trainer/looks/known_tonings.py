"""Which tonings a picture has already: the head of a generator that says so, fitted to colour profiles.

Must not import data that is not handed in.
"""

from __future__ import annotations

import torch
from torch.nn import functional as F

from t2c_engine.networks.color_profile import color_profile
from t2c_engine.networks.look_generator import LookGenerator
from trainer.looks.data import LookPictures, sample

ITERATIONS = 400
RATE, DECAY = 1e-2, 1e-3
HAVING = 8.0  # weight of a picture that has a toning, against one that has it not
AT_ONCE = 256  # pictures whose profiles are worked out together


def learn_known(network: LookGenerator, pictures: LookPictures, domain_of: torch.Tensor, times: int) -> None:
    """Fit the head that recognises tonings, and leave it so.

    True pictures have their own toning alone; automatic colour has none.

    Args:
        domain_of: N, the domain of each picture; the last target and above are of none, and their true colours are not
            looked at. times: pixels of a picture to one of the network's input.
    """
    assert network.known is not None
    domains = network.config.targets - 1
    true, automatic = (_profiles(pictures, times, automatic=one) for one in (False, True))
    members = domain_of < domains
    profiles = torch.cat((true[members], automatic))
    has = torch.zeros(len(profiles), network.config.targets)
    has[: int(members.sum())] = F.one_hot(domain_of[members], network.config.targets).float()
    learning = torch.optim.AdamW(network.known.parameters(), RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(learning, ITERATIONS)
    for _ in range(ITERATIONS):
        loss = F.binary_cross_entropy_with_logits(network.recognized(profiles), has, pos_weight=torch.tensor(HAVING))
        learning.zero_grad(set_to_none=True)
        loss.backward()
        learning.step()
        schedule.step()
    network.known.requires_grad_(False)


def _profiles(pictures: LookPictures, times: int, *, automatic: bool) -> torch.Tensor:
    """N x PROFILE of all pictures at the network's size."""
    parts = []
    for part in torch.arange(len(pictures)).split(AT_ONCE):
        shown = sample(pictures, part, torch.zeros(len(part), dtype=torch.bool), automatic=automatic)
        parts.append(color_profile(shown.smaller(times).lab))
    return torch.cat(parts)
