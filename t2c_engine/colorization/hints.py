"""Hints: colours that a user has put on a picture, as local points (Zhang et al. 2017), at any size.

A hint gives the ab of the pixels below it; how much of a pixel it covers is its weight. Its lightness does not matter.
Must not import torch, networks or files.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from t2c_engine.color.lab import srgb_to_lab
from t2c_engine.pictures.resize import resize

MIN_COVERAGE = 0.02  # coverage below which a pixel holds no hint
COVERAGE_GAIN = 4  # a cell of which a part in so many is covered counts as covered whole


@dataclass(frozen=True, slots=True)
class Hints:
    """ab: h x w x 2 float32, Lab units, where there are hints; mask: h x w float32, 0..1, how much is covered.

    gain: a cell of another size of which a part in so many is covered counts as covered whole.
    """

    ab: np.ndarray
    mask: np.ndarray
    gain: float = COVERAGE_GAIN

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.mask.shape[0], self.mask.shape[1]

    def at_size(self, size: tuple[int, int]) -> Hints:
        """The same hints on a grid of `size` (h, w); a cell takes the mean colour of the hints it holds.

        The gain keeps small hints on large pictures from being lost.
        """
        if size == self.size:
            return self
        weight = resize(self.mask, size)
        ab = resize(self.ab * self.mask[..., None], size) / np.maximum(weight, 1e-6)[..., None]
        return Hints(ab.astype(np.float32), np.minimum(weight * self.gain, 1).astype(np.float32), self.gain)


def hints_from_pixels(rgb: np.ndarray, alpha: np.ndarray) -> Hints:
    """Hints from colour and transparency.

    Args:
        rgb: H x W x 3, sRGB 0..1. alpha: H x W, 0..1, 0 where there is no hint.
    """
    mask = np.where(alpha < MIN_COVERAGE, 0, alpha).astype(np.float32)
    ab = srgb_to_lab(rgb.astype(np.float32))[..., 1:] * (mask > 0)[..., None]
    return Hints(ab.astype(np.float32), mask)
