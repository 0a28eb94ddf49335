"""Which device computes: auto, cpu, cuda or mps. Imports torch lazily; must not import networks or files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from t2c_engine.errors import DeviceError
from t2c_engine.serving.protocol import DEVICES

if TYPE_CHECKING:
    import torch


def pick_device(name: str = "auto") -> torch.device:
    """The torch device of that name; "auto" is CUDA, else Apple's MPS, else the CPU.

    Raises:
        DeviceError: the name is unknown, or this machine lacks the device.
    """
    import torch

    if name not in DEVICES:
        raise DeviceError(f"There is no device '{name}'; choose one of {', '.join(DEVICES)}.")
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if there[kind]))
    if not there[name]:
        raise DeviceError(
            f"The device '{name}' was asked for, but torch {torch.__version__} finds none on this machine; "
            "use --device auto or cpu, or install a torch build and driver for it."
        )
    return torch.device(name)
