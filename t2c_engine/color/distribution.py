"""Colors moved until they are distributed as others are: sliced optimal transport (Pitie 2007; Rabin 2012).

Must import numpy alone.
"""

from __future__ import annotations

import numpy as np

ROUNDS = 10  # random bases, along whose axes one-dimensional distributions are matched in turn
TONE_WEIGHT = 0.3  # ab units to one percent of rank in lightness: dark colors go to dark ones
LIGHTNESS_WIDTH, COLOR_WIDTH = 6.0, 5.0  # deviations of the kernel by which places alike move alike: L, ab units
PLACE_WIDTH = 0.15  # the same of places, as part of the longer side


def transport(points: np.ndarray, wanted: np.ndarray, rounds: int = ROUNDS) -> np.ndarray:
    """Points moved so that their distribution is that of others; the same arguments give the same result.

    Args:
        points: N x d. wanted: M x d. N and M at least 1.

    Returns:
        N x d float64.

    Raises:
        ValueError: one of them is empty.
    """
    if not len(points) or not len(wanted):
        raise ValueError("a distribution needs at least one point")
    rng = np.random.default_rng(0)
    moved = np.array(points, np.float64)
    count, dimensions = moved.shape
    places, known = (np.arange(count) + 0.5) / count, (np.arange(len(wanted)) + 0.5) / len(wanted)
    for _ in range(rounds):
        basis, _ = np.linalg.qr(rng.normal(size=(dimensions, dimensions)))
        along, target = moved @ basis, np.sort(wanted @ basis, axis=0)
        for axis in range(dimensions):
            order = np.argsort(along[:, axis], kind="stable")
            along[order, axis] = np.interp(places, known, target[:, axis])
        moved = along @ basis.T
    return moved


def shift_to(lightness: np.ndarray, ab: np.ndarray, other_lightness: np.ndarray, other_ab: np.ndarray) -> np.ndarray:
    """How far each ab must move so that one picture's colors are distributed about as another's, by ranks of lightness.

    Near places of like lightness and color move alike, so that flat areas stay flat. Time and memory grow with the
    square of the number of places, which should be some thousand.

    Args:
        lightness, other_lightness: h x w and h' x w'. ab, other_ab: of the same sizes x 2, Lab units.

    Returns:
        h x w x 2, Lab units.
    """
    moved = transport(_ranked(lightness, ab), _ranked(other_lightness, other_ab))
    shift = moved[:, :2] - ab.reshape(-1, 2)
    return (_kernel(lightness, ab) @ shift).reshape(ab.shape)


def _kernel(lightness: np.ndarray, ab: np.ndarray) -> np.ndarray:
    """N x N: weights, sum 1 in each row, of places by their lightness, color and nearness (bilateral filter)."""
    height, width = lightness.shape
    rows, columns = np.mgrid[:height, :width] / max(height, width) / PLACE_WIDTH
    tones, colors = lightness.ravel() / LIGHTNESS_WIDTH, ab.reshape(-1, 2) / COLOR_WIDTH
    features = np.column_stack((tones, colors, rows.ravel(), columns.ravel())).astype(np.float32)
    squares = (features * features).sum(1)
    apart = squares[:, None] + squares - 2 * (features @ features.T)
    weights = np.exp(-0.5 * np.maximum(apart, 0))
    return weights / weights.sum(1, keepdims=True)


def _ranked(lightness: np.ndarray, ab: np.ndarray) -> np.ndarray:
    """N x 3: ab, and the percentage of the picture's cells that are darker."""
    rank = np.argsort(np.argsort(lightness.ravel(), kind="stable"), kind="stable") / lightness.size
    return np.column_stack((ab.reshape(-1, 2), 100 * TONE_WEIGHT * rank))
