"""Muon: momentum with orthogonal updates of matrices (Jordan et al. 2024), at AdamW's scale (Liu et al. 2025).

Every direction of a matrix learns at the same pace, where AdamW lets a few strong ones lead. torch's own takes no
kernels of convolutions and works in bfloat16, which is slow on most processors; this one takes both, works in float32
unless asked, in the space of the matrix's smaller side, and shares the work among processes.

Must not import networks or data.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn, optim

from trainer.common.distributed import World

SMALLEST = 40  # rows and columns from which a matrix is worth it
QUINTIC = (3.4445, -4.7750, 2.0315)  # a x + b x^3 + c x^5 leads singular values of 0.01..1 to about 1 in five rounds
ROUNDS = 5
NEARLY_SQUARE = 2  # times as many columns as rows
ADAMW_RMS = 0.2  # of an update; so that the learning rate of AdamW fits


class Muon(optim.Optimizer):
    """For matrices and kernels (rows x the rest); the learning rate and weight decay are those of AdamW.

    Args:
        parameters: each with two dimensions or more, on the same device; a small network may have none.
        bfloat16: for processors that have it; matrices that are nearly square take a third of the time.
        world: every process works out the updates of some of them; gradients must be the same in all.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        *,
        lr: float = 0.0,
        weight_decay: float = 0.0,
        momentum: float = 0.95,
        bfloat16: bool = False,
        world: World | None = None,
    ) -> None:
        super().__init__([{"params": list(parameters)}], {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})
        self._bfloat16 = bfloat16
        self._world = world or World()

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """One step; `closure` is not supported."""
        assert closure is None
        for group in self.param_groups:
            parameters = group["params"]
            mine = self._world.share([float(p.numel() * min(matrix(p).shape)) for p in parameters])
            updates = [self._update(p, group["momentum"], own) for p, own in zip(parameters, mine, strict=True)]
            for parameter, update in zip(parameters, self._world.summed(updates), strict=True):
                parameter.mul_(1 - group["lr"] * group["weight_decay"]).add_(update, alpha=-group["lr"])

    def _update(self, parameter: nn.Parameter, momentum: float, mine: bool) -> Tensor:
        """Of the parameter's shape; zeros where another process works it out."""
        state = self.state[parameter]
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        state["momentum"].lerp_(gradient, 1 - momentum)
        if not mine:
            return torch.zeros(parameter.shape, device=parameter.device)
        rows = matrix(gradient.lerp(state["momentum"], momentum))  # Nesterov
        return (orthogonal(rows, bfloat16=self._bfloat16) * (ADAMW_RMS * max(rows.shape) ** 0.5)).view(parameter.shape)


def takes(parameter: Tensor) -> bool:
    """Whether a parameter is for Muon: a matrix or kernel that is not narrow."""
    return parameter.ndim > 1 and min(matrix(parameter).shape) >= SMALLEST


def matrix(x: Tensor) -> Tensor:
    """Rows x all the rest."""
    return x.contiguous().flatten(1)


def orthogonal(x: Tensor, *, bfloat16: bool = False) -> Tensor:
    """About the nearest matrix with orthonormal rows or columns (Newton-Schulz, all singular values near 1).

    The rounds of a wide matrix are run on the factor p of p x, which has the smaller side alone. Those of one that is
    nearly square may be run on x itself in `bfloat16`, which is faster where processors have it; p would need more
    digits.
    """
    if x.shape[0] > x.shape[1]:
        return orthogonal(x.T, bfloat16=bfloat16).T
    x = x.float() / (x.float().norm() + 1e-7)
    if bfloat16 and x.shape[1] <= NEARLY_SQUARE * x.shape[0]:
        return _iterated(x.bfloat16()).float()
    gram = x @ x.T
    a, b, c = QUINTIC
    factor = identity = torch.eye(len(x), device=x.device)
    for index in range(ROUNDS):
        step = torch.addmm(a * identity + b * gram, gram, gram, alpha=c)
        factor = factor @ step if index else step
        if index + 1 < ROUNDS:
            gram = step @ gram @ step
    return factor @ x


def _iterated(x: Tensor) -> Tensor:
    a, b, c = QUINTIC
    for _ in range(ROUNDS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x
