"""Checkpoints of runs: written whole or not at all, read without running code. Must not import networks or data."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from t2c_engine.errors import UsageError

CHECKPOINT = "checkpoint.pt"


def save_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Write a run's state under a temporary name, then rename."""
    torch.save(state, folder / f"{CHECKPOINT}.part")
    os.replace(folder / f"{CHECKPOINT}.part", folder / CHECKPOINT)


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
        raise UsageError(f"The checkpoint {path} cannot be read ({error}); remove it to start the run anew.") from error
