"""Several processes that train one network, started by `torchrun`: each takes its share of a batch.

One process alone needs nothing of this. Must not import networks or data.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch import distributed as dist


@dataclass(frozen=True, slots=True)
class World:
    """This process among all: rank 0 writes files, every rank draws its own share of the data."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        return self.rank == 0

    @contextmanager
    def first_goes_first(self) -> Iterator[None]:
        """The body is run by rank 0 before the others start on it (what it leaves on disk is there for them)."""
        if self.size > 1 and not self.first:
            dist.barrier()
        yield
        if self.size > 1 and self.first:
            dist.barrier()

    def average_gradients(self, network: nn.Module) -> None:
        """Replace every gradient by its mean over all processes."""
        if self.size == 1:
            return
        parameters = [p for p in network.parameters() if p.requires_grad]
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        for parameter, total in zip(parameters, self.summed(grads), strict=True):
            parameter.grad = total / self.size

    def summed(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The sum of each tensor over all processes."""
        if self.size == 1:
            return list(tensors)
        flat = torch.cat([one.flatten() for one in tensors])
        dist.all_reduce(flat)
        parts = flat.split([one.numel() for one in tensors])
        return [part.view(one.shape) for part, one in zip(parts, tensors, strict=True)]

    def share(self, costs: Sequence[float]) -> list[bool]:
        """Which of some tasks are this process's, so that all have about as much to do; every task is one's own."""
        loads = [0.0] * self.size
        mine = [False] * len(costs)
        for index in sorted(range(len(costs)), key=lambda index: -costs[index]):
            rank = loads.index(min(loads))
            loads[rank] += costs[index]
            mine[index] = rank == self.rank
        return mine


def join_world(device: str) -> World:
    """The world `torchrun` made, or one process alone."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return World()
    if not dist.is_initialized():
        dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    return World(dist.get_rank(), size)
