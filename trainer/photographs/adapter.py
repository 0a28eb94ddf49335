"""Trainable changes of a network's weights, low-rank where that is smaller. Must not import data or files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from t2c_engine.networks.low_rank import CHANGE, DOWN, UP

FROZEN = "encoder.pretrained."  # weights that are never changed: what the network knows of things


class Adapter(nn.Module):
    """Changes of a network's weights; zero at the start.

    Args:
        weights: of the network, by name; statistics of batch norms are no weights.
        rank: of a matrix's or kernel's change. A weight that this would not make smaller is changed whole.
        adapted: beginnings of the names of the weights that are changed; "" is all but FROZEN.
    """

    def __init__(self, weights: Mapping[str, Tensor], rank: int, adapted: Sequence[str], seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.shapes: dict[str, torch.Size] = {}
        self.parts = nn.ParameterDict()
        for name, weight in weights.items():
            if name.startswith(FROZEN) or not name.startswith(tuple(adapted)):
                continue
            self.shapes[name] = weight.shape
            rows, rest = (weight.shape[0], weight[0].numel()) if weight.ndim > 1 else (1, weight.numel())
            if rank * (rows + rest) < rows * rest:
                down = torch.randn((rank, rest), generator=generator) * rest**-0.5
                self.parts[_key(name + UP)] = nn.Parameter(torch.zeros(rows, rank, device=weight.device))
                self.parts[_key(name + DOWN)] = nn.Parameter(down.to(weight.device))
            else:
                self.parts[_key(name + CHANGE)] = nn.Parameter(torch.zeros_like(weight, requires_grad=True))

    def merged(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The weights that are changed, by name, with their changes; gradients lead to the changes."""
        result = {}
        for name, shape in self.shapes.items():
            change = self._part(name + CHANGE)
            if change is None:
                change = (self.parts[_key(name + UP)] @ self.parts[_key(name + DOWN)]).view(shape)
            result[name] = weights[name] + change
        return result

    def arrays(self) -> dict[str, np.ndarray]:
        """The changes as `t2c_engine.networks.low_rank` reads them."""
        return {_name(key): value.detach().float().cpu().numpy() for key, value in self.parts.items()}

    def _part(self, name: str) -> Tensor | None:
        return self.parts.get(_key(name), None)


def _key(name: str) -> str:
    """Parameters' names may hold no dots."""
    return name.replace(".", "/")


def _name(key: str) -> str:
    return key.replace("/", ".")
