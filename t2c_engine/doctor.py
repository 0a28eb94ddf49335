"""What is wrong with this installation, in words: each check says what it found and what to do about it.

Imports torch and everything else inside the checks, so that a broken installation can still be examined.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from t2c_engine.errors import ModelError
from t2c_engine.models import model_folders, scan_models, user_folder, weights_path

State = Literal["ok", "warning", "problem"]
LEAST_MEMORY = 2.0  # GB free, below which large pictures may fail
LEAST_DISK = 1.0
NEEDED = (
    "numpy", "PIL", "tifffile", "imagecodecs", "simplejpeg", "netpbmfile", "safetensors", "platformdirs", "rich",
    "typer",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. advice: what to do, empty when all is well."""

    name: str
    state: State
    words: str
    advice: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def examine(folder: Path | None = None) -> Iterator[Check]:
    """All checks, one after the other; `folder` is where results would be written (the current one by default)."""
    yield check_python()
    yield check_packages()
    yield check_torch()
    yield check_device()
    yield from check_models()
    yield check_writing(folder or Path.cwd())
    yield check_memory()


def check_python() -> Check:
    return Check("Python", "ok", f"{platform.python_version()} at {sys.executable}")


def check_packages() -> Check:
    """Whether every package the engine uses can be imported."""
    broken = []
    for name in NEEDED:
        try:
            importlib.import_module(name)
        except ImportError as error:
            broken.append(f"{name} ({error})")
    if broken:
        advice = "Run 'pip install --force-reinstall text2colors' in this environment."
        return Check("packages", "problem", f"cannot be imported: {', '.join(broken)}", advice)
    return Check("packages", "ok", ", ".join(NEEDED))


def check_torch() -> Check:
    """Whether torch can be imported, and its version."""
    facts = _torch_facts()
    if facts is None or "error" in facts:
        reason = facts["error"] if facts else "the process that imports it does not end well"
        advice = "Reinstall torch; palettes work without it, colouring does not."
        return Check("torch", "problem", f"cannot be imported: {reason}", advice)
    return Check("torch", "ok", f"{facts['version']}, {facts['threads']} threads on {os.cpu_count()} processors")


def check_device() -> Check:
    """What 'auto' computes on, and whether an NVIDIA GPU lies idle."""
    facts = _torch_facts()
    if facts is None or "error" in facts:
        return Check("device", "problem", "cannot be determined without torch", "Repair torch first.")
    if facts["device"] == "cpu" and _nvidia_present():
        advice = "Install a torch build with CUDA that suits the driver; until then everything runs on the processor."
        return Check("device", "warning", "cpu, though an NVIDIA GPU is present", advice)
    return Check("device", "ok", f"{facts['device']} {facts['name']}".strip())


@cache
def _torch_facts() -> dict[str, Any] | None:
    """What torch says of itself, asked in another process because a broken torch may end the one that imports it."""
    code = """
import json
try:
    import torch
    from t2c_engine.devices import pick_device
    device = pick_device().type
    name = torch.cuda.get_device_name() if device == "cuda" else ""
    facts = {"version": torch.__version__, "threads": torch.get_num_threads(), "device": device, "name": name}
except (ImportError, OSError, RuntimeError) as error:
    facts = {"error": str(error).splitlines()[-1] if str(error) else type(error).__name__}
print(json.dumps(facts))
"""
    command, home = [sys.executable, "-c", code], Path(__file__).parents[1]
    try:
        run = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=120)
        return json.loads(run.stdout) if run.returncode == 0 else None
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return None


def _nvidia_present() -> bool:
    command = shutil.which("nvidia-smi")
    if command is None:
        return False
    try:
        return subprocess.run([command, "-L"], capture_output=True, timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def check_models() -> Iterator[Check]:
    """Every card and the bytes of its weights, and whether both kinds are there."""
    cards, problems = scan_models()
    for problem in problems:
        yield Check("model", "problem", str(problem), "Remove the card, or put the right file in its place.")
    sound: set[str] = set()
    for card in cards:
        try:
            weights_path(card)
        except ModelError as error:
            yield Check("model", "problem", str(error), "Reinstall text2colors, or copy the model again.")
            continue
        sound.add(card.kind)
        words = f"{card.name} {card.version} ({card.kind}, {card.size / 1e6:.1f} MB), sha256 as on its card"
        yield Check("model", "ok", words)
    purposes = {"palette": "palettes from phrases", "colorizer": "colouring"}
    for kind in sorted(purposes.keys() - sound):
        places = ", ".join(str(folder) for folder in model_folders())
        advice = f"Reinstall text2colors, or put a model into one of: {places}."
        yield Check("model", "problem", f"no usable {kind} model, so no {purposes[kind]}", advice)


def check_writing(folder: Path) -> Check:
    """Whether results can be written to the folder, and how much fits there."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
        free = shutil.disk_usage(folder).free / 1e9
    except OSError as error:
        words = f"{folder} is not writable ({error.strerror})"
        return Check("writing", "warning", words, "Name another folder with -o.")
    if free < LEAST_DISK:
        return Check("writing", "warning", f"{folder} has {free:.1f} GB left", "Free some space, or use another disk.")
    words = f"{folder} is writable, {free:.0f} GB free"
    try:
        return Check("writing", "ok", f"{words}; own models go to {user_folder()}")
    except ModelError as error:
        return Check("writing", "warning", words, str(error))


def check_memory() -> Check:
    free = available_memory()
    if free is None:
        return Check("memory", "ok", "not known on this system")
    if free < LEAST_MEMORY:
        advice = "Close other programs, or use smaller pictures."
        return Check("memory", "warning", f"{free:.1f} GB available, which is little for large pictures", advice)
    return Check("memory", "ok", f"{free:.1f} GB available")


def available_memory() -> float | None:
    """Memory that can be had without swapping, GB; None where the system does not say."""
    readers: tuple[Callable[[], float], ...] = (_linux_memory, _posix_memory)
    for read in readers:
        try:
            return read() / 1e9
        except (OSError, ValueError, AttributeError, StopIteration):
            continue
    return None


def _linux_memory() -> float:
    lines = Path("/proc/meminfo").read_text().splitlines()
    return 1024.0 * int(next(line for line in lines if line.startswith("MemAvailable:")).split()[1])


def _posix_memory() -> float:
    return float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES")
