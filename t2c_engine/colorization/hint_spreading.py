"""Hints spread over what looks alike and stop at its edge: shortest paths over lightness and automatic colour.

A path costs its length and what lightness and automatic colour change along it (geodesic distance, Criminisi et al.
2010), so a hint fills a coat and not the wall behind it. Must not import torch, networks or files.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from t2c_engine.colorization.hints import Hints

LIGHTNESS_COST = 3.0 / 100  # of one unit of L along a path; a path along the longer side costs 1
COLOR_COST = 2.0 / 100  # of one ab unit of automatic colour
SEED_COVERAGE = 0.25  # of a cell from which on a hint spreads from it
LEAST_WEIGHT = 0.1  # below which a spread hint is left out
FARTHEST = 1.6  # times the reach, beyond which weights are below LEAST_WEIGHT
STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))  # to four of a cell's eight neighbours; the others are these reversed


def spread(hints: Hints, lightness: np.ndarray, automatic: np.ndarray) -> Hints:
    """The hints, and around each what its reach covers, with weights that fall with the cost of the way.

    Args:
        hints: of the size h x w, with their reach.
        lightness: h x w, 0..100. automatic: h x w x 2, ab units.
    """
    seeds = np.flatnonzero(hints.mask.ravel() >= SEED_COVERAGE)
    if not hints.reach or not len(seeds):
        return hints
    costs, nearest = _costs(seeds, lightness, automatic, FARTHEST * hints.reach)
    weight = np.exp(-np.square(costs / hints.reach))
    weight = np.where(weight < LEAST_WEIGHT, 0, weight).reshape(hints.size).astype(np.float32)
    ab = hints.ab.reshape(-1, 2)[np.maximum(nearest, 0)].reshape(hints.ab.shape)
    own = (hints.mask >= weight)[..., None]
    return replace(hints, ab=np.where(own, hints.ab, ab), mask=np.maximum(hints.mask, weight))


def _costs(
    seeds: np.ndarray, lightness: np.ndarray, automatic: np.ndarray, limit: float
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
        length = np.hypot(down, right) / max(height, width)
        light = np.abs(lightness[one] - lightness[other])
        color = np.linalg.norm(automatic[one] - automatic[other], axis=-1)
        starts.append(cells[one].ravel())
        ends.append(cells[other].ravel())
        costs.append((length + LIGHTNESS_COST * light + COLOR_COST * color).ravel())
    pairs = (np.concatenate(starts), np.concatenate(ends))
    graph = coo_matrix((np.concatenate(costs), pairs), shape=(cells.size, cells.size)).tocsr()
    found, _, sources = dijkstra(
        graph, directed=False, indices=seeds, min_only=True, return_predecessors=True, limit=limit
    )
    return found, sources
