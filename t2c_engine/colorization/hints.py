"""Hints: colours that a user has put on a picture, as local points (Zhang et al. 2017), at any size.

A hint gives the ab of the pixels below it; how much of a pixel it covers is its weight. Its lightness does not matter.
Hints spread over what looks alike and stop at its edge, along shortest paths over lightness and automatic colour
(geodesic distance, Criminisi et al. 2010): a hint fills a coat and not the wall behind it.
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
SEED_COVERAGE = 0.25  # of a cell from which on a hint spreads from it
LEAST_WEIGHT = 0.1  # below which a spread hint is left out
FARTHEST = 1.6  # times the reach, beyond which weights are below LEAST_WEIGHT
STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))  # to four of a cell's eight neighbours; the others are these reversed


@dataclass(frozen=True, slots=True)
class StepCosts:
    """What a path over a picture costs.

    length: of the longer side. lightness: of one unit of L. free: units of L a cell that cost nothing, as textures
    have. color: of one ab unit of automatic colour.
    """

    length: float = 1.0
    lightness: float = 3.0 / 100
    free: float = 0.0
    color: float = 2.0 / 100


@dataclass(frozen=True, slots=True)
class Hints:
    """Hints of one picture.

    ab: h x w x 2 float32, Lab units, where there are hints; mask: h x w float32, 0..1, how much is covered;
    reach: 0..1 of the picture's longer side, how far they spread over what looks alike; None: hints are everywhere
    where they should be, as those of a transfer, and the network is given them alone.
    gain: a cell of another size of which a part in so many is covered counts as covered whole.

    Raises:
        ValueError: reach is out of range.
    """

    ab: np.ndarray
    mask: np.ndarray
    reach: float | None = DEFAULT_HINT_REACH
    gain: float = COVERAGE_GAIN

    def __post_init__(self) -> None:
        if self.reach is not None and not 0 <= self.reach <= 1:
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


def spread(hints: Hints, lightness: np.ndarray, automatic: np.ndarray) -> Hints:
    """The hints, and around each what its reach covers, with weights that fall with the cost of the way.

    Args:
        hints: of the size h x w, with their reach.
        lightness: h x w, 0..100. automatic: h x w x 2, ab units.
    """
    seeds = np.flatnonzero(hints.mask.ravel() >= SEED_COVERAGE)
    if not hints.reach or not len(seeds):
        return hints
    costs, nearest = path_costs(seeds, lightness, automatic, StepCosts(), FARTHEST * hints.reach)
    weight = np.exp(-np.square(costs / hints.reach))
    weight = np.where(weight < LEAST_WEIGHT, 0, weight).reshape(hints.size).astype(np.float32)
    ab = hints.ab.reshape(-1, 2)[np.maximum(nearest, 0)].reshape(hints.ab.shape)
    own = (hints.mask >= weight)[..., None]
    return replace(hints, ab=np.where(own, hints.ab, ab), mask=np.maximum(hints.mask, weight))


def path_costs(
    seeds: np.ndarray, lightness: np.ndarray, automatic: np.ndarray, step: StepCosts, limit: float
) -> tuple[np.ndarray, np.ndarray]:
    """Of each cell the cost of the cheapest way from a seed (inf beyond `limit`), and that seed, both flat."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import dijkstra

    height, width = lightness.shape
    cells = np.arange(height * width).reshape(height, width)
    starts, ends, costs = [], [], []
    for down, right in STEPS:
        one = (slice(0, height - down), slice(max(0, -right), width - max(0, right)))
        other = (slice(down, height), slice(max(0, right), width - max(0, -right)))
        length = np.hypot(down, right)
        light = (np.abs(lightness[one] - lightness[other]) - step.free * length).clip(0)
        color = np.linalg.norm(automatic[one] - automatic[other], axis=-1)
        starts.append(cells[one].ravel())
        ends.append(cells[other].ravel())
        cost = step.length * length / max(height, width) + step.lightness * light + step.color * color
        costs.append(cost.ravel())
    pairs = (np.concatenate(starts), np.concatenate(ends))
    graph = coo_matrix((np.concatenate(costs), pairs), shape=(cells.size, cells.size)).tocsr()
    found, _, sources = dijkstra(
        graph, directed=False, indices=seeds, min_only=True, return_predecessors=True, limit=limit
    )
    return found, sources
