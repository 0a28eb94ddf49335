"""Choosing among many drawn palettes: a fast distance, and the few that stand for all of them.

Must not import torch, scipy or anything that knows of phrases and networks.
"""

from __future__ import annotations

from functools import cache
from itertools import permutations

import numpy as np

from t2c_engine.palette import PALETTE_SIZE, k_medoids


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
    space = din99(lab).astype(np.float32)
    first, second = np.triu_indices(len(lab), 1)
    result = np.zeros((len(lab), len(lab)), dtype=np.float32)
    if len(first):
        apart = space[first][:, :, None] - space[second][:, None]  # pairs x c x c x 3
        costs = np.sqrt(np.einsum("pijc,pijc->pij", apart, apart))
        if lab.shape[1] <= PALETTE_SIZE:
            result[first, second] = (costs.reshape(len(first), -1) @ _assignments(lab.shape[1])).min(axis=1)
        else:
            result[first, second] = (costs.min(axis=1).mean(axis=1) + costs.min(axis=2).mean(axis=1)) / 2
    return result + result.T


def choose(distances: np.ndarray, count: int, typicality: float = 0.0) -> list[int]:
    """Indices of `count` members that stand for all, the most typical first.

    k-medoids of
        sum over all of the distance to the nearest chosen + typicality * n / count * sum over the chosen of the mean
        distance to all:
    the second term keeps the chosen away from the rim of what was drawn, where each is like hardly any other.

    Args:
        distances: n x n, symmetric, zero diagonal, n >= `count` >= 1.
        typicality: 0 (plain medoids, far apart) and up (nearer to the middle, more alike).
    """
    burden = distances.mean(axis=1) * (typicality * len(distances) / count)
    chosen = k_medoids(distances, np.ones(len(distances), dtype=np.float32), count, burden)
    return sorted(chosen, key=lambda index: float(distances[index].mean()))
