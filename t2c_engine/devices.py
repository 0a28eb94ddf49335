"""Which device computes, auto, cpu, cuda or mps, and with how many threads.

Imports torch lazily; must not import networks or files.
"""

from __future__ import annotations

import ast
import ctypes
import importlib.util
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from t2c_engine.errors import DeviceError
from t2c_engine.serving.protocol import DEVICES

if TYPE_CHECKING:
    import torch

ONE_THREAD = 40_000  # pixels of a network's input up to which a second thread gains nothing but waiting


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


def installed_torch() -> str:
    """ "torch 2.8.0+cpu, device cpu" from the installation and the graphics driver; torch is not imported (seconds)."""
    found = importlib.util.find_spec("torch")
    if found is None or found.origin is None:
        return "torch is not installed; palettes work, colouring does not"
    facts = _torch_build(Path(found.origin).with_name("version.py"))
    device = "cpu"
    if has_cuda():
        device = "cuda"
    elif sys.platform == "darwin" and platform.machine() == "arm64":
        device = "mps"
    return f"torch {facts.get('__version__', 'of unknown version')}, device {device}"


def has_cuda() -> bool:
    """Whether torch would find an NVIDIA GPU; torch is not imported."""
    found = importlib.util.find_spec("torch")
    if found is None or found.origin is None:
        return False
    return bool(_torch_build(Path(found.origin).with_name("version.py")).get("cuda")) and _cuda_devices() > 0


def _torch_build(path: Path) -> dict[str, object]:
    """The constants of torch's version.py; empty if it cannot be read."""
    try:
        tree = ast.parse(path.read_text("utf-8"))
    except (OSError, ValueError, SyntaxError):
        return {}
    facts: dict[str, object] = {}
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and isinstance(getattr(node, "value", None), ast.Constant):
            facts[target.id] = node.value.value  # type: ignore[attr-defined]
    return facts


def _cuda_devices() -> int:
    """How many GPUs NVIDIA's driver offers; 0 without a driver (CUDA driver API, cuInit and cuDeviceGetCount)."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        count = ctypes.c_int(0)
        if driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0:
            return count.value
    except (OSError, AttributeError):
        pass
    return 0


@contextmanager
def threads_for(pixels: int) -> Iterator[None]:
    """Run torch's processor kernels in one thread if the input has at most `ONE_THREAD` pixels, all its items counted.

    The choice depends on the input alone, never on the load: sums of other thread counts differ in their last bits, and
    the same request must give the same bytes.
    """
    import torch

    before = torch.get_num_threads()
    if pixels > ONE_THREAD or before == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
