"""Which toning a picture has: a linear classifier on features of EfficientNet-Lite2, fitted to sorted photographs.

A judge alone: nothing is trained with it. Statistics of channels of early and middle layers, where colour is still
seen. Must not import the networks of looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from trainer.evaluation.judge import CENTRE, SCALE, Judge

SIDE = 128  # px; enough for tonings, a quarter of the work
LAYERS = 12  # blocks after the stem whose outputs are looked at
DECAY = 1e-2  # of the classifier's weights
ITERATIONS = 60


class LookFeatures:
    """Means and standard deviations of the channels of the judge's stem and first blocks."""

    def __init__(self, network: Any) -> None:
        """network: an `efficientnet_lite_pytorch.EfficientNet`, ready for use."""
        self._network = network

    @classmethod
    def load(cls) -> LookFeatures:
        """Raises ModelError: the extra [judge] is not installed."""
        return cls(Judge.load().network)

    def __call__(self, rgb: np.ndarray) -> Tensor:
        """H x W x 3 sRGB in 0..1 to a vector."""
        pixels = Image.fromarray((np.clip(rgb, 0, 1) * 255).round().astype(np.uint8))
        square = np.asarray(pixels.resize((SIDE, SIDE), Image.Resampling.BOX), np.float32)
        x = torch.from_numpy((square - CENTRE) / SCALE).permute(2, 0, 1)[None]
        found: list[Tensor] = []
        blocks = [self._network._conv_stem, *list(self._network._blocks)[:LAYERS]]
        hooks = [one.register_forward_hook(_keeper(found)) for one in blocks]
        try:
            with torch.inference_mode():
                self._network.extract_features(x)
        finally:
            for hook in hooks:
                hook.remove()
        return torch.cat([part for one in found for part in (one.mean((2, 3))[0], one.std((2, 3))[0])])


def _keeper(found: list[Tensor]) -> Callable[[Any, Any, Tensor], None]:
    def keep(_module: Any, _inputs: Any, output: Tensor) -> None:
        found.append(output)

    return keep


@dataclass(frozen=True, slots=True)
class LookJudge:
    """A classifier of tonings: features are brought to mean 0 and deviation 1, then weighted."""

    features: Callable[[np.ndarray], Tensor]
    mean: Tensor
    deviation: Tensor
    weights: Tensor  # domains x (features + 1)

    @classmethod
    def fit(
        cls, features: Callable[[np.ndarray], Tensor], pictures: Iterable[tuple[np.ndarray, int]], domains: int
    ) -> LookJudge:
        """Multinomial logistic regression by L-BFGS on pictures (H x W x 3 sRGB, domain)."""
        rows, labels = zip(*((features(rgb), domain) for rgb, domain in pictures), strict=True)
        seen, wanted = torch.stack(rows), torch.tensor(labels)
        mean, deviation = seen.mean(0), seen.std(0) + 1e-6
        inputs = F.pad((seen - mean) / deviation, (0, 1), value=1.0)
        share = torch.bincount(wanted, minlength=domains).clamp(min=1)
        balance = len(wanted) / (domains * share)
        weights = torch.zeros(domains, inputs.shape[1], requires_grad=True)
        steps = torch.optim.LBFGS([weights], max_iter=ITERATIONS, line_search_fn="strong_wolfe")

        def loss() -> Tensor:
            steps.zero_grad()
            value = F.cross_entropy(inputs @ weights.T, wanted, balance) + DECAY * weights.square().sum()
            value.backward()
            return value

        steps.step(loss)  # type: ignore[arg-type]
        return cls(features, mean, deviation, weights.detach())

    def domain(self, rgb: np.ndarray) -> int:
        """The domain that H x W x 3 sRGB looks like."""
        row = F.pad((self.features(rgb) - self.mean) / self.deviation, (0, 1), value=1.0)
        return int((self.weights @ row).argmax())

    def accuracy(self, pictures: Sequence[tuple[np.ndarray, int]]) -> float:
        """Share of pictures whose domain is the one given."""
        return float(np.mean([self.domain(rgb) == domain for rgb, domain in pictures]))
