"""Checkpoints of runs, and weights to start from: written whole or not at all, read without running code.

Must not import networks or data.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from t2c_engine.errors import UsageError
from t2c_engine.files import reason, replacing

CHECKPOINT = "checkpoint.pt"


class Stateful(Protocol):
    """A network or an optimiser."""

    def state_dict(self) -> Any: ...
    def load_state_dict(self, state_dict: Any, /) -> Any: ...


def save_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Write a run's state whole or not at all. Raises OutputError."""
    with replacing(folder / CHECKPOINT) as stream:
        torch.save(state, stream)


def states_of(parts: Mapping[str, Stateful]) -> dict[str, Any]:
    """The state of every part (networks, optimisers), by name."""
    return {name: part.state_dict() for name, part in parts.items()}


def restore(parts: Mapping[str, Stateful], state: Mapping[str, Any], folder: Path) -> None:
    """Give every part the state that `states_of` had from it.

    Raises:
        UsageError: the state is of other parts: the run had other settings or data.
    """
    try:
        for name, part in parts.items():
            part.load_state_dict(state[name])
    except (KeyError, RuntimeError, ValueError) as error:
        raise UsageError(
            f"The run in {folder} is of other settings or data and cannot go on: start a new one elsewhere, if you "
            f"like from this one's exported weights with --init ({error})."
        ) from error


def load_checkpoint(folder: Path, device: str) -> dict[str, Any] | None:
    """A run's last state, or None where it has none.

    Raises:
        UsageError: the file is damaged; it is left as it is.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        return None
    try:
        return torch.load(path, map_location=device, weights_only=True)
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise UsageError(
            f"The checkpoint {path} cannot be read ({reason(error)}); remove it to start the run anew."
        ) from error


def finished_checkpoint(run: Path) -> dict[str, Any]:
    """The last state of a run that is to be exported or used, on the CPU.

    Raises:
        UsageError: the run has none, or the file is damaged.
    """
    state = load_checkpoint(run, "cpu")
    if state is None:
        raise UsageError(f"There is no {run / CHECKPOINT}; train first.")
    return state


def load_initial(network: nn.Module, path: Path) -> None:
    """Start from exported weights (a palette model's word vectors are not the network's and stay out).

    Raises:
        UsageError: the file cannot be read, or holds weights of another network.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    own = network.state_dict()
    kept = {name: value for name, value in own.items() if name.endswith("num_batches_tracked")}
    try:
        weights = {name: value.float() for name, value in load_file(path).items() if not name.startswith("words.")}
        network.load_state_dict(kept | weights)
    except (OSError, SafetensorError) as error:
        raise UsageError(f"The weights {path} cannot be read ({reason(error)}); give a .safetensors file.") from error
    except RuntimeError as error:
        raise UsageError(f"{path} holds weights of another network than the settings ask for: {error}") from error
