"""What the tests of the engine process share: how it is started on made-up networks, small pictures, a patient eye."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np
import plugin_path  # noqa: F401  (makes `t2c_plugin` importable)
from t2c_plugin.engine.client import Engine  # pyright: ignore[reportMissingImports]
from t2c_plugin.pixels import Pixels  # pyright: ignore[reportMissingImports]

from t2c_engine.color.samples import full_scale

FAKE_SERVER = Path(__file__).parent / "fake_server.py"
RED = ["#7f1d1d", "#b91c1c", "#dc2626", "#f87171", "#fee2e2"]
BLUE = ["#172554", "#1d4ed8", "#3b82f6", "#93c5fd", "#eff6ff"]


def command(*arguments: str) -> list[str]:
    """The command line of the real engine around made-up networks; arguments as of `fake_server.py`."""
    return [sys.executable, str(FAKE_SERVER), *arguments]


def gone(pid: int, within: float) -> bool:
    """Whether a process ends in time (or only waits for its parent to notice)."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
            os.kill(pid, 0)
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.02)
    return False


def ramp(width: int, height: int, dtype: str, channels: int = 1) -> np.ndarray:
    """A grey wedge from black to white."""
    full = full_scale(dtype)
    row = np.linspace(0, full, width).astype(dtype)
    pixels = np.broadcast_to(row, (height, width))
    return np.ascontiguousarray(pixels if channels == 1 else np.repeat(pixels[..., None], channels, 2))


def send(engine: Engine, pixels: np.ndarray, format: str) -> str:
    return engine.set_picture(Pixels(pixels.tobytes(), pixels.shape[1], pixels.shape[0], format))
