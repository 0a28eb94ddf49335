"""How long the networks take, as a ratio against the 34 M-parameter layout in the same minute. Must not import data."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import torch

from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.palettes.palette import Palette
from trainer.papers.pcn_network import PCN

SIDE = 256
PALETTES = 5


def network_speed(colorizer: Colorizer, runs: int = 7) -> dict[str, float]:
    """Seconds for five palettes of a 256 px picture, for one palette by the 34 M reference (medians), and the ratio.

    The two take turns, so that a drifting machine slows both.
    """
    lightness = np.random.default_rng(0).uniform(0, 100, (SIDE, SIDE)).astype(np.float32)
    palettes = [Palette.from_hex("#8c2f1b,#d98c3f,#f2d8a7,#5b6b3a,#2b2a33")] * PALETTES
    reference = PCN().eval().to(colorizer.device)
    light = torch.from_numpy(lightness)[None, None].to(colorizer.device)
    colors = torch.from_numpy(palettes[0].lab)[None].to(colorizer.device)

    def ours() -> None:
        colorizer.color(colorizer.encode(lightness), palettes)

    @torch.inference_mode()
    def theirs() -> None:
        reference(light, colors).cpu()

    for warm_up in (ours, theirs):
        warm_up()
    times = [(_seconds(ours), _seconds(theirs)) for _ in range(runs)]
    five, one = (statistics.median(column) for column in zip(*times, strict=True))
    return {"five_palettes_s": five, "reference_one_s": one, "ratio": five / one}


def _seconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
