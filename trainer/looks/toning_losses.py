"""What a toning must be besides the StarGAN losses: recognised, of typical colours, and still the picture it was.

Must not import networks that are trained.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from t2c_engine.color.lab import fit_gamut, lab_to_srgb
from trainer.looks.data import LookPictures, Sample, sample
from trainer.looks.recognition import (
    ChannelFeatures,
    DomainClassifier,
    channel_statistics,
    doubt,
    layer_distance,
)
from trainer.looks.typical_colors import TypicalColors, color_profile

AT_ONCE = 64  # true pictures that are looked at together


@dataclass(frozen=True, slots=True)
class ToningTerms:
    """Losses of one batch, each a number; 0 where it is not wanted."""

    recognition: Tensor
    content: Tensor
    typical: Tensor


class ToningLosses:
    """Fitted once to the true pictures of the domains; holds nothing that learns in a run."""

    def __init__(
        self, pictures: LookPictures, domain_of: Tensor, domains: int, times: int, features: ChannelFeatures | None
    ) -> None:
        """domain_of: N; `domains` and above are of none. times: detail to the generator's input. features: of the
        classifier; without them nothing is recognised, and content is not compared."""
        self._domains, self._times, self._features = domains, times, features
        members = torch.nonzero(domain_of < domains)[:, 0]
        profiles, seen = [], []
        for part in members.split(AT_ONCE):
            lab = sample(pictures, part, torch.zeros(len(part), dtype=torch.bool), automatic=False)
            profiles.append(color_profile(lab.smaller(times).lab))
            if features is not None:
                with torch.inference_mode():
                    seen.append(channel_statistics(features(_rgb(lab.lab))))
        self._typical = TypicalColors.of(torch.cat(profiles), domain_of[members], domains)
        if features is not None:
            self._classifier = DomainClassifier.fit(torch.cat(seen).clone(), domain_of[members], domains)

    def __call__(self, given: Sample, made: Tensor, target: Tensor) -> ToningTerms:
        """Of B x 3 x s x s results `made` of `given` in the domains `target`; only tonings are compared."""
        nothing = made.new_zeros(())
        toned = target < self._domains
        if not bool(toned.any()):
            return ToningTerms(nothing, nothing, nothing)
        made, target = made[toned], target[toned]
        typical = self._typical.distance(F.avg_pool2d(made, self._times), target)
        if self._features is None:
            return ToningTerms(nothing, nothing, typical)
        with torch.no_grad():
            before = self._features(_rgb(given.lab[toned]))
        layers = self._features(_rgb(made))
        recognition = doubt(self._classifier.logits(channel_statistics(layers)), target)
        return ToningTerms(recognition, layer_distance(layers, before), typical)


def _rgb(lab: Tensor) -> Tensor:
    """B x 3 x s x s Lab to sRGB in 0..1; what sRGB cannot show loses chroma as in rendering."""
    lab = lab.movedim(1, -1)
    with torch.no_grad():
        fitted = fit_gamut(lab.clone())
        chroma = fitted[..., 1:].norm(dim=-1, keepdim=True) / lab[..., 1:].norm(dim=-1, keepdim=True).clamp(min=1e-3)
        kept = torch.where((fitted == lab).all(-1, keepdim=True), 1.0, chroma)
    shown = torch.cat((lab[..., :1], lab[..., 1:] * kept), -1)
    return lab_to_srgb(shown).movedim(-1, 1)
