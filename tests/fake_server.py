"""The real engine process around made-up networks: `python fake_server.py [BEHAVIOUR ...] [--listen SOCKET] ...`.

Behaviours: slow (a tenth of a second a picture), noisy (prints to stdout), broken (the colouriser fails), full (it runs
out of memory), unloadable (it cannot be loaded), sluggish (it loads for a minute), halfway (as sluggish, torch half
imported meanwhile).
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

BEHAVIOURS = ("slow", "noisy", "broken", "full", "unloadable", "sluggish", "halfway")


def make_service(behaviours: Sequence[str]) -> Any:
    """The service on fakes; imports nothing of the project before it is called."""
    import fakes

    from t2c_engine.errors import ModelError
    from t2c_engine.serving.service import Service, _render

    class Colorizer(fakes.Colorizer):
        def color(self, encoding: Any, palettes: Any, hints: Any = None, natural: float = 0.0) -> Any:
            if "noisy" in behaviours:
                print("a library says hello")
                os.write(1, b"and so does one in C\n")
            if "broken" in behaviours:
                raise KeyError("palette")
            if "full" in behaviours:
                raise MemoryError
            return super().color(encoding, palettes, hints, natural)

    def load(device: str) -> Any:
        if "unloadable" in behaviours:
            raise ModelError("The weights are damaged; install them again.")
        if "halfway" in behaviours:
            sys.modules["torch"] = ModuleType("torch")
        if "sluggish" in behaviours or "halfway" in behaviours:
            time.sleep(60)
        return Colorizer.load(device=device)

    def render(*arguments: Any) -> Any:
        if "slow" in behaviours:
            time.sleep(0.1)
        return _render(*arguments)

    return Service(fakes.PaletteSampler.load, load, render)


if __name__ == "__main__":
    from t2c_engine.serving import server

    parser = argparse.ArgumentParser()
    parser.add_argument("behaviours", nargs="*", choices=[*BEHAVIOURS, []])
    parser.add_argument("--listen", type=Path)
    parser.add_argument("--idle-exit", type=float)
    parser.add_argument("--while", type=int, dest="while_running")
    arguments = parser.parse_args()
    server.run(
        arguments.listen,
        arguments.idle_exit,
        while_running=arguments.while_running,
        service=make_service(arguments.behaviours),
    )
