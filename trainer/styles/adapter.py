"""The adapter of a style in torch: low-rank additions to a palette network whose own weights stay.

`t2c_engine.palettes.style` adds the same up in numpy. W + high @ low (LoRA, Hu et al. 2021, eq. 3); `high` begins with
zeros, so an untrained adapter changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from t2c_engine.networks.palettes.palette_set import PaletteSetConfig, PaletteSetNet, log_density
from t2c_engine.palettes.style import BIAS, HIGH, LOW, SOURCE, SOURCE_ROW


class StyleAdapter(nn.Module):
    """A frozen palette network and the additions to it, which alone are trained."""

    def __init__(self, shape: Mapping[str, Any], weights: Mapping[str, np.ndarray], rank: int) -> None:
        """
        Args:
            shape: fields of `PaletteSetConfig`. weights: of the palette model. rank: of the additions.
        """
        super().__init__()
        network = PaletteSetNet(PaletteSetConfig(**shape))
        own = {key: torch.from_numpy(value.astype(np.float32)) for key, value in weights.items() if key[:6] != "words."}
        network.load_state_dict(own)
        self._scorer = _Scorer(network.requires_grad_(False))
        self.low, self.high, self.bias = nn.ParameterDict(), nn.ParameterDict(), nn.ParameterDict()
        self._layers: dict[str, str] = {}  # torch's dictionaries take no dots in names
        for name, layer in network.named_modules():
            if isinstance(layer, nn.Linear):
                key = name.replace(".", "/")
                self._layers[key] = name
                self.low[key] = nn.Parameter(torch.randn(rank, layer.in_features) / layer.in_features**0.5)
                self.high[key] = nn.Parameter(torch.zeros(layer.out_features, rank))
                if layer.bias is not None:
                    self.bias[key] = nn.Parameter(torch.zeros(layer.out_features))
        self.source = nn.Parameter(torch.zeros(network.config.width))

    def additions(self) -> list[nn.Parameter]:
        """What is trained."""
        return [parameter for parameter in self.parameters() if parameter.requires_grad]

    def log_likelihood(self, vectors: Tensor, visible: Tensor, colors: Tensor) -> Tensor:
        """Log density of each colour given those before it (B x n), of scaled Lab colours B x n x 3.

        Args:
            vectors: B x T x d word vectors. visible: B x T, true where there is a word to see.
        """
        arguments = (vectors, visible, colors)
        return torch.func.functional_call(self._scorer, self._changed(), arguments)

    def _changed(self) -> dict[str, Tensor]:
        """The network's weights with the additions."""
        own = dict(self._scorer.named_parameters())
        changed: dict[str, Tensor] = {}
        for key, name in self._layers.items():
            weight = f"network.{name}.weight"
            changed[weight] = own[weight] + self.high[key] @ self.low[key]
            if key in self.bias:
                changed[f"network.{name}.bias"] = own[f"network.{name}.bias"] + self.bias[key]
        table = own["network.source.weight"]
        row = torch.zeros(len(table), 1)
        row[SOURCE_ROW] = 1.0
        return changed | {"network.source.weight": table + row * self.source}

    def tensors(self) -> dict[str, np.ndarray]:
        """The additions by the names they have in a style's file (float32)."""
        parts = {LOW: self.low, HIGH: self.high, BIAS: self.bias}
        found = {
            prefix + self._layers[key]: value.detach().numpy().copy()
            for prefix, dictionary in parts.items()
            for key, value in dictionary.items()
        }
        return found | {SOURCE: self.source.detach().numpy().copy()}


class _Scorer(nn.Module):
    """The likelihood as one module, so that it can be called with other weights."""

    def __init__(self, network: PaletteSetNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, vectors: Tensor, visible: Tensor, colors: Tensor) -> Tensor:
        rows = torch.full((len(vectors),), SOURCE_ROW)
        memory, mask = self.network.encode(vectors, visible, rows)
        return log_density(self.network.decode(memory, mask, colors[:, :-1]), colors)
