"""A 24-megapixel JPEG to one coloured JPEG, warm, against Pillow's bare decode + encode of the same picture.

The network is left out (a smooth random ab map stands in for it); torch is loaded all the same, so that the peak is
that of the whole process. Needs scikit-image for its photograph (the extra [demo]).

    python benchmarks/full_resolution.py [--repeats 5] [--json]
"""

from __future__ import annotations

import argparse
import json
import logging
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from t2c_engine.pictures.picture import read_picture, small_lightness, write_picture
from t2c_engine.pictures.resize import resize
from t2c_engine.rendering.guided_upsampling import render

WIDTH, HEIGHT = 6000, 4000
SHORT_SIDE = 160  # of the network's input, as shipped
AB_SIDE = 80  # of its colour
MEGABYTE = 1024  # ru_maxrss counts kilobytes on Linux


def make_photograph(path: Path) -> None:
    """A photograph of 24 megapixels with the grain of a camera, as JPEG of quality 92."""
    from skimage.data import astronaut

    source = Image.fromarray(astronaut()[:342]).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    pixels = np.asarray(source).astype(np.int16)
    grain = np.random.default_rng(0).normal(0, 4, (HEIGHT, WIDTH)).astype(np.int16)
    Image.fromarray(np.clip(pixels + grain[..., None], 0, 255).astype(np.uint8)).save(path, quality=92)


def random_ab() -> np.ndarray:
    """A smooth map with the chroma of a lively photograph (mean 18)."""
    coarse = np.random.default_rng(0).normal(0, 18, (5, 7, 2)).astype(np.float32)
    return resize(coarse, (AB_SIDE, AB_SIDE * WIDTH // HEIGHT))


def timed(function: Callable[[], Any]) -> tuple[float, float, Any]:
    """Wall and processor seconds of a call, and its result."""
    wall, work = time.perf_counter(), time.process_time()
    result = function()
    return time.perf_counter() - wall, time.process_time() - work, result


def pillow_alone(source: Path, target: Path) -> None:
    """Decode and encode, at the quality that the engine writes."""
    with Image.open(source) as image:
        image.load()
        image.save(target, quality=95, subsampling=0)


def color_once(source: Path, target: Path, ab: np.ndarray) -> dict[str, tuple[float, float]]:
    """Wall and processor seconds of each stage."""
    times: dict[str, tuple[float, float]] = {}

    def stage(name: str, function: Callable[[], Any]) -> Any:
        wall, work, result = timed(function)
        times[name] = (wall, work)
        return result

    picture = stage("read", lambda: read_picture(source))
    lightness = stage("small", lambda: small_lightness(picture, SHORT_SIDE))
    pixels = stage("render", lambda: render(picture, ab, lightness=lightness))
    stage("write", lambda: write_picture(target, pixels, picture, overwrite=True))
    return times


def measure(folder: Path, repeats: int) -> dict[str, float]:
    """All figures in seconds and megabytes; the two sides take turns, so that both meet the same machine."""
    source, target, ab = folder / "photograph.jpg", folder / "coloured.jpg", random_ab()
    color_once(source, target, ab)
    runs, references = [], []
    for _ in range(repeats):
        references.append(timed(lambda: pillow_alone(source, folder / "plain.jpg"))[:2])
        runs.append(color_once(source, target, ab))
    figures = {
        f"{stage}_{kind}": statistics.median(run[stage][index] for run in runs)
        for stage in runs[0]
        for index, kind in enumerate(("s", "cpu_s"))
    }
    for index, kind in enumerate(("s", "cpu_s")):
        figures[f"all_{kind}"] = statistics.median(sum(stage[index] for stage in run.values()) for run in runs)
        figures[f"pillow_{kind}"] = statistics.median(reference[index] for reference in references)
    figures["ratio"] = figures["all_s"] / figures["pillow_s"]
    figures["cpu_ratio"] = figures["all_cpu_s"] / figures["pillow_cpu_s"]
    figures["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTE
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        make_photograph(options.make)
        return
    with tempfile.TemporaryDirectory() as name:
        # made by another process, for it takes more memory than all that is measured
        command = [sys.executable, __file__, "--make", str(Path(name) / "photograph.jpg")]
        subprocess.run(command, check=True)
        import torch  # noqa: F401  part of the process at use

        figures = measure(Path(name), options.repeats)
    lines = [f"{name:14} {value:8.3f}" for name, value in figures.items()]
    sys.stdout.write((json.dumps(figures) if options.json else "\n".join(lines)) + "\n")


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    main()
