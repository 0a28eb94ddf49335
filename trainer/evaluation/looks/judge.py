"""Which toning a picture has: a linear classifier on features of EfficientNet-Lite2, fitted to sorted photographs.

A judge alone: nothing is trained with it. Must not import the networks of looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from trainer.evaluation.judge import Judge
from trainer.looks.recognition import ChannelFeatures, DomainClassifier, channel_statistics

SIDE = 128  # px of the network's input; enough for tonings, a quarter of the work


class LookFeatures:
    """Means and standard deviations of the channels of the judge's stem and first blocks."""

    def __init__(self, network: Any) -> None:
        """network: an `efficientnet_lite_pytorch.EfficientNet`, ready for use."""
        self._layers = ChannelFeatures(network)

    @classmethod
    def load(cls) -> LookFeatures:
        """Raises ModelError: the extra [judge] is not installed."""
        return cls(Judge.load().network)

    def __call__(self, rgb: np.ndarray) -> Tensor:
        """H x W x 3 sRGB in 0..1 to a vector."""
        pixels = Image.fromarray((np.clip(rgb, 0, 1) * 255).round().astype(np.uint8))
        square = np.asarray(pixels.resize((SIDE, SIDE), Image.Resampling.BOX), np.float32) / 255
        with torch.inference_mode():
            return channel_statistics(self._layers(torch.from_numpy(square).permute(2, 0, 1)[None]))[0].clone()


@dataclass(frozen=True, slots=True)
class LookJudge:
    """A classifier of tonings."""

    features: Callable[[np.ndarray], Tensor]
    classifier: DomainClassifier

    @classmethod
    def fit(
        cls, features: Callable[[np.ndarray], Tensor], pictures: Iterable[tuple[np.ndarray, int]], domains: int
    ) -> LookJudge:
        """To pictures (H x W x 3 sRGB, domain)."""
        rows, labels = zip(*((features(rgb), domain) for rgb, domain in pictures), strict=True)
        return cls(features, DomainClassifier.fit(torch.stack(rows), torch.tensor(labels), domains))

    def domain(self, rgb: np.ndarray) -> int:
        """The domain that H x W x 3 sRGB looks like."""
        return int(self.classifier.logits(self.features(rgb)[None]).argmax())
