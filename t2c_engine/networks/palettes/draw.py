"""What a palette network is asked for, once for every network that draws palettes. Must not import torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class PaletteDraw:
    """`count` palettes of `size` colours for a phrase.

    vectors: T x d, the phrase's word vectors. temperature: 1 draws from the density as it is, less keeps to its peaks.
    known: count x k x 3 Lab, colours that the palettes begin with (k <= size). refuse: tells which of n x 3 Lab colours
    are to be drawn again.
    """

    vectors: np.ndarray
    count: int
    size: int
    temperature: float
    known: np.ndarray | None = None
    refuse: Callable[[np.ndarray], np.ndarray] | None = None
