"""Choosing among many drawn palettes: a fast distance, and the few that stand for all of them.

Must not import torch, scipy or anything that knows of phrases and networks.
"""

from __future__ import annotations

from functools import cache
from itertools import permutations

import numpy as np

from t2c_engine.palettes.palette import PALETTE_SIZE, k_medoids


def din99(lab: np.ndarray) -> np.ndarray:
    """Lab (... x 3) to DIN99 (DIN 6176, kE = kCH = 1), where Euclidean distance is near to perceived difference."""
    light, a, b = lab[..., 0], lab[..., 1], lab[..., 2]
    angle = np.radians(16)
    e = a * np.cos(angle) + b * np.sin(angle)
    f = 0.7 * (b * np.cos(angle) - a * np.sin(angle))
    chroma = np.hypot(e, f)
    stretch = np.log1p(0.045 * chroma) / (0.045 * np.maximum(chroma, 1e-6))
    return np.stack((105.51 * np.log1p(0.0158 * np.maximum(light, 0)), e * stretch, f * stretch), axis=-1)


@cache
def _assignments(size: int) -> np.ndarray:
    """Columns mark the `size` of `size` x `size` costs that a one-to-one assignment adds up, divided by `size`."""
    orders = np.array(list(permutations(range(size))))
    marks = np.zeros((size * size, len(orders)), dtype=np.float32)
    marks[np.arange(size) * size + orders, np.arange(len(orders))[:, None]] = 1 / size
    return marks


def pairwise_distances(lab: np.ndarray) -> np.ndarray:
    """Distances between all pairs of n palettes (n x colours x 3 Lab), n x n float32.

    Up to five colours: like `palette_distance` with DIN99 in place of CIEDE2000, some 50 times faster and near enough
    to choose by. More: the mean distance of a colour to the nearest one of the other palette.
    """
    count, size, _ = lab.shape
    flat = din99(lab).astype(np.float32).reshape(-1, 3)
    squares = (flat * flat).sum(axis=1)
    apart = np.sqrt(np.maximum(squares[:, None] + squares - 2 * (flat @ flat.T), 0))
    first, second = np.triu_indices(count, 1)
    result = np.zeros((count, count), dtype=np.float32)
    if len(first):
        costs = apart.reshape(count, size, count, size).transpose(0, 2, 1, 3)[first, second]  # pairs x size x size
        if size <= PALETTE_SIZE:
            result[first, second] = (costs.reshape(len(first), -1) @ _assignments(size)).min(axis=1)
        else:
            result[first, second] = (costs.min(axis=1).mean(axis=1) + costs.min(axis=2).mean(axis=1)) / 2
    return result + result.T


def choose(distances: np.ndarray, count: int, typicality: float = 0.0, bonus: np.ndarray | None = None) -> list[int]:
    """Indices of `count` members that stand for all, the most typical first.

    k-medoids of
        sum over all of the distance to the nearest chosen
        + n / count * sum over the chosen of (typicality * mean distance to all - bonus):
    the second line keeps the chosen away from the rim of what was drawn, where each is like hardly any other.

    Args:
        distances: n x n, symmetric, zero diagonal, n >= `count` >= 1.
        typicality: 0 (plain medoids, far apart) and up (nearer to the middle, more alike).
        bonus: n, in units of distance: what else speaks for a member.
    """
    cost = typicality * distances.mean(axis=1) - (0.0 if bonus is None else bonus)
    ones = np.ones(len(distances), dtype=np.float32)
    chosen = k_medoids(distances, ones, count, cost * (len(distances) / count))
    return sorted(chosen, key=lambda index: float(distances[index].mean()))
