"""Layers that the colour network's parts share. Must not import other networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from t2c_engine.errors import ModelError

Network = TypeVar("Network", bound=nn.Module)

NORM_EPS = 1e-4


def conv_norm(inputs: int, outputs: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    """A convolution without bias and its batch norm, which are folded into one when weights are loaded for use."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs, eps=NORM_EPS)
    )


def upsampled(x: Tensor, like: Tensor) -> Tensor:
    """`x` (B x C x h x w) at the height and width of `like`, bilinear."""
    if x.shape[-2:] == like.shape[-2:]:
        return x
    return F.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=False)


class Residual(nn.Module):
    """Two 3 x 3 convolutions and a shortcut (He et al. 2016); the identity at the start."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = conv_norm(width, width)
        self.second = conv_norm(width, width)
        nn.init.zeros_(self.second[1].weight)  # pyright: ignore[reportArgumentType]

    def forward(self, x: Tensor) -> Tensor:
        """B x width x h x w to the same."""
        return F.relu(x + self.second(F.relu(self.first(x))))


def fuse_norms(network: Network) -> Network:
    """Fold every BatchNorm into the convolution before it; the network must be in eval mode."""
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Sequential) and len(child) == 2 and isinstance(child[1], nn.BatchNorm2d):
                setattr(module, name, fuse_conv_bn_eval(child[0], child[1]))  # type: ignore[arg-type]
    return network


def with_weights(make: Callable[[], Network], arrays: Mapping[str, np.ndarray], model: str) -> Network:
    """The network that `make` makes of a card's sizes, with a model's weights, float32.

    Raises:
        ModelError: the sizes are unusable, or the weights are not those of such a network.
    """
    try:
        network = make()
        network.load_state_dict({name: torch.from_numpy(array).float() for name, array in arrays.items()})
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise ModelError(f"The weights of model '{model}' do not fit its card; install it again.") from error
    return network
