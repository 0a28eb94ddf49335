"""Hints: colours that a user has put on a picture, as local points (Zhang et al. 2017), at any size.

A hint gives the ab of the pixels below it; how much of a pixel it covers is its weight. Its lightness does not matter.
Must not import torch, networks or files.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from t2c_engine.color.lab import srgb_to_lab
from t2c_engine.pictures.resize import resize
from t2c_engine.serving.protocol import DEFAULT_HINT_REACH

MIN_COVERAGE = 0.02  # coverage below which a pixel holds no hint
COVERAGE_GAIN = 4  # a cell of which a part in so many is covered counts as covered whole


@dataclass(frozen=True, slots=True)
class Hints:
    """Hints of one picture.

    ab: h x w x 2 float32, Lab units, where there are hints; mask: h x w float32, 0..1, how much is covered;
    reach: 0..1 of the picture's longer side, how far they spread over what looks alike.
    gain: a cell of another size of which a part in so many is covered counts as covered whole.

    Raises:
        ValueError: reach is out of range.
    """

    ab: np.ndarray
    mask: np.ndarray
    reach: float = DEFAULT_HINT_REACH
    gain: float = COVERAGE_GAIN

    def __post_init__(self) -> None:
        if not 0 <= self.reach <= 1:
            raise ValueError(f"the reach of hints is {self.reach}; it must be between 0 and 1")

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
        mask = np.minimum(weight * self.gain, 1).astype(np.float32)
        return replace(self, ab=ab.astype(np.float32), mask=mask)


def hints_from_pixels(rgb: np.ndarray, alpha: np.ndarray, reach: float = DEFAULT_HINT_REACH) -> Hints:
    """Hints from colour and transparency.

    Args:
        rgb: H x W x 3, sRGB 0..1. alpha: H x W, 0..1, 0 where there is no hint. reach: 0..1, of `Hints`.
    """
    mask = np.where(alpha < MIN_COVERAGE, 0, alpha).astype(np.float32)
    ab = srgb_to_lab(rgb.astype(np.float32))[..., 1:] * (mask > 0)[..., None]
    return Hints(ab.astype(np.float32), mask, reach)
