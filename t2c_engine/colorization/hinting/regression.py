"""What the network leaves over at hints, spread to places like them: Gaussian process regression (kriging).

The difference between a hint's ab and the network's at its place is known at some places and wanted at all (Rasmussen
and Williams 2006, section 2.2). Places are alike where a classifier's features, lightness, automatic colour and
position are. Hints on one thing stay with it, up to the reach, along shortest paths over the picture; hints on several
unlike things say something of the rest, too. Must not import torch, networks or files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from t2c_engine.colorization.hints import SEED_COVERAGE, Hints, StepCosts, path_costs
from t2c_engine.serving.protocol import DEFAULT_HINT_REACH

# of squared distances in each block of `Places`, so that 1 / scale is where the kernel has fallen to 1 / e
NEAR = (0.086, 7.5, 3.78, 2e-5, 2.2e-5, 1.34e-5, 3.3e-5, 0.82)
WIDE = (0.038, 1.5, 1.51, 1.8e-6, 2.8e-6, 8.8e-6, 2.1e-5, 0.54)
NEAR_VARIANCE, WIDE_VARIANCE, COMMON_VARIANCE = 4.79, 2.94, 0.163  # of the residuals: of things, kinds, the picture
NOISE = 0.0244  # variance of a hint that covers a cell whole
CLOSE = 2.0  # factor on NEAR where things are told apart
THINGS = (2.0, 3.5)  # unlike things up to which hints say nothing of the rest, and from which on all that they can
MAX_POINTS = 128  # cells of hints that the regression rests on; of more, even samples
# likeness beside colours that were asked for: not the hints' thing up to the first, all of it from the second on
THING = (0.12, 0.42)
STEP = StepCosts(length=0.2, lightness=0.02, free=3.0, color=0.005)  # of the paths that confine hints
OWN_COST = 0.2  # of a path within the thing that a hint lies on
COST_OF_REACH = 0.6  # cost that a reach of 1 adds to it


@dataclass(frozen=True, slots=True)
class Places:
    """What the cells of a picture are like.

    lightness: h x w, 0..100. automatic: h x w x 2, ab units. blocks: C x h x w each, float32, one for each scale of
    NEAR: position, lightness, automatic colour, features at 1/4 to 1/32, square roots of the probabilities of ab bins.
    """

    lightness: np.ndarray
    automatic: np.ndarray
    blocks: tuple[np.ndarray, ...]


class HintRegression:
    """Of the hints of one picture.

    Args:
        hints: of the size of `places`, with their reach. places: of the picture.

    Attributes:
        share: h x w, 0..1, how far hints count at a place.
    """

    def __init__(self, hints: Hints, places: Places) -> None:
        self._hints, self._size = hints, hints.size
        from scipy.ndimage import label

        covered = np.flatnonzero(hints.mask.ravel() > 0)
        self._cells = covered[:: max(1, -(-len(covered) // MAX_POINTS))]
        near, wide = _distances(places.blocks, self._cells)
        strokes = int(np.max(label(hints.mask > 0, np.ones((3, 3)))[0]))  # pyright: ignore[reportArgumentType, reportIndexIssue]
        things = min(_unlike(np.exp(-CLOSE * near[self._cells])), strokes)
        told = np.clip((things - THINGS[0]) / (THINGS[1] - THINGS[0]), 0, 1)
        free = float(told * min(1, (hints.reach or 0) / DEFAULT_HINT_REACH))
        self._kernel = NEAR_VARIANCE * np.exp(-near) + WIDE_VARIANCE * np.exp(-wide) + COMMON_VARIANCE
        self._confined = self._costs_share(places)
        self.share = free + (1 - free) * self._confined

    def _costs_share(self, places: Places) -> np.ndarray:
        """h x w, 0..1: how far the hints reach along the cheapest ways."""
        seeds = np.flatnonzero(self._hints.mask.ravel() >= SEED_COVERAGE)
        if not len(seeds):
            seeds = self._cells
        limit = OWN_COST + COST_OF_REACH * (self._hints.reach or 0)
        costs, _ = path_costs(seeds, places.lightness, places.automatic, STEP, 3 * limit)
        return np.exp(-np.square(costs / limit)).reshape(self._size).astype(np.float32)

    def residual(self, ab: np.ndarray) -> np.ndarray:
        """What is to be added to `ab` (h x w x 2), h x w x 2."""
        return self._spread((self._hints.ab - ab).reshape(-1, 2)[self._cells])

    def fill(self) -> tuple[np.ndarray, np.ndarray]:
        """The hints' colour at each place (h x w x 2) and whether it belongs to their things (h x w, 0..1).

        Between a palette's colour and a hint's, half of each is grey or a third hue, so that a place has one of them;
        the step between is steep. Kriging of the colours with an unknown mean of the rest: weights are normalised.
        """
        own = self._hints.ab.reshape(-1, 2)[self._cells]
        found = self._spread(np.concatenate((own, np.ones((len(own), 1))), 1))
        alike = found[..., 2].clip(0, 1)
        ab = (found[..., :2] / alike.clip(1e-3)[..., None]).clip(own.min(0), own.max(0))  # weights may be negative
        step = ((alike * self._confined - THING[0]) / (THING[1] - THING[0])).clip(0, 1)
        return ab, step * step * (3 - 2 * step)

    def _spread(self, known: np.ndarray) -> np.ndarray:
        """Values at the cells (n x c) spread to all places, h x w x c float32; 0 where nothing is like them."""
        noise = NOISE / self._hints.mask.ravel()[self._cells].clip(1e-3)
        found = self._kernel @ np.linalg.solve(self._kernel[self._cells] + np.diag(noise), known)
        return found.reshape(*self._size, -1).astype(np.float32)


def _distances(blocks: Sequence[np.ndarray], cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Squared distances of all places from `cells`, scaled by NEAR and by WIDE, summed over the blocks; P x n each."""
    near = wide = np.float32(0)
    for block, narrow, broad in zip(blocks, NEAR, WIDE, strict=True):
        flat = block.reshape(len(block), -1)
        chosen = flat[:, cells]
        squared = (flat * flat).sum(0)[:, None] + (chosen * chosen).sum(0) - 2 * flat.T @ chosen
        squared = squared.clip(0)
        near, wide = near + narrow * squared, wide + broad * squared
    return near, wide  # pyright: ignore[reportReturnType]


def _unlike(kernel: np.ndarray) -> float:
    """How many unlike things there are: the participation ratio of the kernel's eigenvalues, 1 to n (n x n)."""
    return float(np.trace(kernel) ** 2 / np.square(kernel).sum())
