"""Muon: what its updates are, that it learns, and that processes share its work."""

import pytest
import torch
from torch import nn

from trainer.common.distributed import World
from trainer.common.muon import ADAMW_RMS, Muon, orthogonal, takes


@pytest.mark.parametrize("bfloat16", [False, True])
@pytest.mark.parametrize("shape", [(40, 40), (40, 300), (70, 40), (300, 40)])
def test_all_singular_values_come_near_one(shape: tuple[int, int], bfloat16: bool) -> None:
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    found = orthogonal(x, bfloat16=bfloat16)
    assert found.shape == x.shape and found.dtype == torch.float32
    values = torch.linalg.svdvals(found)
    assert values.max() < 1.3 and values.quantile(0.1) > 0.6
    left, _, right = torch.linalg.svd(x, full_matrices=False)
    nearest = left @ right
    assert (found * nearest).sum() / found.norm() / nearest.norm() > 0.97


@pytest.mark.parametrize("kernel", [(48, 64), (48, 64, 3, 3)])
def test_a_step_has_the_size_of_adamws(kernel: tuple[int, ...]) -> None:
    generator = torch.Generator().manual_seed(0)
    weight = nn.Parameter(torch.zeros(kernel).contiguous(memory_format=torch.preserve_format))
    weight.grad = torch.randn(kernel, generator=generator)
    Muon([weight], lr=0.5).step()
    assert float(weight.detach().square().mean().sqrt()) == pytest.approx(0.5 * ADAMW_RMS, rel=0.2)
    assert (weight * weight.grad).sum() < 0


def test_it_finds_the_least_squares_solution_and_weights_decay() -> None:
    generator = torch.Generator().manual_seed(0)
    inputs, wanted = torch.randn(256, 40, generator=generator), torch.randn(40, 40, generator=generator)
    weight = nn.Parameter(torch.zeros(40, 40))
    optimizer = Muon([weight])
    for step in range(300):
        loss = (inputs @ (weight - wanted)).square().mean()
        weight.grad = torch.autograd.grad(loss, weight)[0]
        optimizer.param_groups[0]["lr"] = 0.2 * (1 - step / 300)
        optimizer.step()
    assert (weight - wanted).norm() < 0.03 * wanted.norm()
    optimizer.param_groups[0] |= {"lr": 0.1, "weight_decay": 1.0, "momentum": 1.0}
    before = weight.detach().clone()
    weight.grad = None
    optimizer.state.clear()
    optimizer.step()
    torch.testing.assert_close(weight.detach(), 0.9 * before)


def test_narrow_matrices_and_vectors_are_not_for_it() -> None:
    assert takes(torch.zeros(40, 10, 3, 3)) and takes(torch.zeros(64, 64))
    assert not takes(torch.zeros(4, 40)) and not takes(torch.zeros(4000))


def test_every_task_is_one_processs_own_and_loads_are_even() -> None:
    costs = [5.0, 1.0, 4.0, 3.0, 3.0]
    first, second = World(0, 2).share(costs), World(1, 2).share(costs)
    assert [one != other for one, other in zip(first, second, strict=True)] == [True] * 5
    assert sum(cost for cost, mine in zip(costs, first, strict=True) if mine) == 8
    assert World().share(costs) == [True] * 5
