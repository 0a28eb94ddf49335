"""What a toning must be besides the StarGAN losses: recognised, of typical colours, and still the picture it was.

Must not import networks that are trained.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from t2c_engine.color.lab import fit_gamut, lab_to_srgb
from t2c_engine.networks.color_profile import color_profile
from trainer.looks.data import LookPictures, Sample, sample
from trainer.looks.local_colors import LocalColors
from trainer.looks.recognition import (
    ChannelFeatures,
    DomainClassifier,
    channel_statistics,
    doubt,
    layer_distance,
)
from trainer.looks.typical_colors import TypicalColors

AT_ONCE = 64  # true pictures that are looked at together
NEARNESS = 1.1  # distance from the true picture, over automatic colour's, that costs nothing


@dataclass(frozen=True, slots=True)
class ToningTerms:
    """Losses of one batch, each a number; 0 where it is not wanted."""

    recognition: Tensor
    content: Tensor
    typical: Tensor
    local: Tensor


class ToningLosses:
    """Fitted once to the true pictures of the domains; holds nothing that learns in a run."""

    def __init__(
        self, pictures: LookPictures, domain_of: Tensor, domains: int, times: int, features: ChannelFeatures | None
    ) -> None:
        """domain_of: N; `domains` and above are of none. times: detail to the generator's input. features: of the
        classifier; without them nothing is recognised, and content is not compared."""
        self._pictures, self._domains, self._times, self._features = pictures, domains, times, features
        members = torch.nonzero(domain_of < domains)[:, 0]
        profiles = [color_profile(self._lab(part).smaller(times).lab) for part in members.split(AT_ONCE)]
        self._typical = TypicalColors.of(torch.cat(profiles), domain_of[members], domains)
        self._local = LocalColors.of(pictures, domain_of, domains)
        if features is not None:
            seen, self._usual = self._looked_at(features)
            self._classifier = DomainClassifier.fit(seen[members], domain_of[members], domains)

    def __call__(self, given: Sample, made: Tensor, target: Tensor) -> ToningTerms:
        """Of B x 3 x s x s results `made` of `given`, which has indices, in the domains `target`; only tonings are
        compared."""
        assert given.indices is not None and given.flipped is not None
        nothing = made.new_zeros(())
        toned = target < self._domains
        if not bool(toned.any()):
            return ToningTerms(nothing, nothing, nothing, nothing)
        made, target, indices, flipped = made[toned], target[toned], given.indices[toned], given.flipped[toned]
        typical = self._typical.distance(F.avg_pool2d(made, self._times), target)
        local = self._local.distance(made[:, 1:], indices, flipped, target)
        if self._features is None:
            return ToningTerms(nothing, nothing, typical, local)
        with torch.no_grad():
            true = self._features(_rgb(sample(self._pictures, indices, flipped, automatic=False).lab))
        layers = self._features(_rgb(made))
        recognition = doubt(self._classifier.logits(channel_statistics(layers)), target)
        beyond = (layer_distance(layers, true) - NEARNESS * self._usual[indices]).clamp(min=0)
        return ToningTerms(recognition, beyond.mean() / self._usual.mean(), typical, local)

    def _lab(self, indices: Tensor, *, automatic: bool = False) -> Sample:
        return sample(self._pictures, indices, torch.zeros(len(indices), dtype=torch.bool), automatic=automatic)

    @torch.no_grad()
    def _looked_at(self, features: ChannelFeatures) -> tuple[Tensor, Tensor]:
        """N x K channel statistics of true colours, and N distances of automatic colours from them."""
        seen, usual = [], []
        for part in torch.arange(len(self._pictures)).split(AT_ONCE):
            true, given = (features(_rgb(self._lab(part, automatic=one).lab)) for one in (False, True))
            seen.append(channel_statistics(true))
            usual.append(layer_distance(true, given))
        return torch.cat(seen), torch.cat(usual)


def _rgb(lab: Tensor) -> Tensor:
    """B x 3 x s x s Lab to sRGB in 0..1; what sRGB cannot show loses chroma as in rendering."""
    lab = lab.movedim(1, -1)
    with torch.no_grad():
        fitted = fit_gamut(lab.clone())
        chroma = fitted[..., 1:].norm(dim=-1, keepdim=True) / lab[..., 1:].norm(dim=-1, keepdim=True).clamp(min=1e-3)
        kept = torch.where((fitted == lab).all(-1, keepdim=True), 1.0, chroma)
    shown = torch.cat((lab[..., :1], lab[..., 1:] * kept), -1)
    return lab_to_srgb(shown).movedim(-1, 1)
