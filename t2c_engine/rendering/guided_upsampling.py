"""Small colour onto a large picture: lightness passes untouched, colour follows its edges.

Joint upsampling after the fast guided filter (He, Sun and Tang 2013; He and Sun 2015): in 3 x 3 windows of the small
picture ab is a linear function of lightness; its slopes are upsampled and applied to full-resolution lightness. Works
by blocks that fit the cache, in threads. Must not import torch, files or networks.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from t2c_engine.pictures.picture import Picture, lightness_at
from t2c_engine.pictures.resize import linear_taps, resize
from t2c_engine.pictures.threads import spread, threads
from t2c_engine.rendering.block_renderer import BlockRenderer, Workspace
from t2c_engine.rendering.buffers import new_pixels

SMOOTHING = 2.0  # of the fit: variance of L (squared units) from which on a slope counts
BLOCK = 60_000  # pixels treated at a time: few enough for the cache, many enough to outweigh the calls


def render(
    picture: Picture,
    ab: np.ndarray,
    *,
    lightness: np.ndarray | None = None,
    curve: np.ndarray | None = None,
    at_block: Callable[[], None] = lambda: None,
) -> np.ndarray:
    """Colour a picture.

    Lightness is the picture's own, or a curve's; colours that the picture's space cannot show lose chroma alone.

    Args:
        picture: H x W or H x W x 3; an RGB picture is reduced to its lightness.
        ab: h x w x 2 float32, Lab units; any size, covers the whole picture.
        lightness: L of the whole picture at `ab`'s size or above, float32, if at hand (`small_lightness`); saves time.
        curve: the L (0..100) that evenly spaced L from 0 to 100 become, rising; None: lightness stays.
        at_block: called before each block, in several threads; what it raises ends the work.

    Returns:
        H x W x 3 in the picture's type and RGB space.
    """
    size = (ab.shape[0], ab.shape[1])
    small = lightness_at(picture, size) if lightness is None else resize(lightness, size)
    height, width = picture.size
    coefficients = _coefficients(small, ab)
    renderer = BlockRenderer(picture.space, picture.pixels.dtype)
    result = new_pixels((height, width, 3), picture.pixels.dtype)
    low, _, weight = linear_taps(size[0], height)
    weights = np.stack((1 - weight, weight), 1)
    rows = max(1, BLOCK // width)
    blocks = _blocks(low, rows)
    workers = max(1, min(threads(), len(blocks)))

    def work(share: int) -> None:
        workspace, wide = Workspace(rows, width), _WideRows(coefficients, width)
        for top, bottom in blocks[len(blocks) * share // workers : len(blocks) * (share + 1) // workers]:
            at_block()
            planes = workspace.block(bottom - top)
            renderer.read(picture.pixels[top:bottom], workspace)
            _apply(planes, wide.pair(low[top]), weights[top:bottom])
            if curve is not None:
                renderer.tone(planes, curve)
            renderer.write(workspace, result, top, bottom)
        renderer.finish(workspace, result)

    spread(work, range(workers))
    return result


def _blocks(low: np.ndarray, rows: int) -> list[tuple[int, int]]:
    """First row and the row after the last of each block: it ends where it is full, or where `ab`'s next row begins.

    Args:
        low: of each full-resolution row, the row of `ab` above it. rows: at most, of a block.
    """
    starts = [0]
    for row in range(1, len(low)):
        if row - starts[-1] >= rows or low[row] != low[row - 1]:
            starts.append(row)
    return list(zip(starts, [*starts[1:], len(low)], strict=True))


def _apply(planes: np.ndarray, rows: np.ndarray, weights: np.ndarray) -> None:
    """Fill dx and dz (planes 5 and 6) from f with the model between two rows of coefficients.

    Args:
        planes: as in `BlockRenderer`. rows: 6 x 2 x W. weights: of both, for each row of the block.
    """
    np.matmul(weights, rows, out=planes[5:11])
    held, chroma = np.maximum(planes[3], planes[9], out=planes[4]), planes[5:7]
    np.minimum(held, planes[10], out=held)
    chroma *= held
    chroma += planes[7:9]


def _coefficients(light: np.ndarray, ab: np.ndarray) -> np.ndarray:
    """The linear model at every small pixel, in terms of CIE f.

    With f = f(Y) of a full-resolution pixel, held between `low` and `high`, fx - f = slope_x f + offset_x, and so on.

    Args:
        light: h x w, L 0..100. ab: h x w x 2.

    Returns:
        6 x h x w float32: slope_x, slope_z, offset_x, offset_z, low, high.
    """
    mean, variance = _window_mean(light), _window_mean(light * light)
    variance = np.maximum(variance - mean * mean, 0)
    # a window that holds an edge tells its neighbours what to do there; flat ones have nothing to tell
    weight = variance + 1e-2
    total = _window_mean(weight)
    slopes, offsets = [], []
    for channel, scale in ((0, 1 / 500), (1, -1 / 200)):
        channel_ab = ab[..., channel].astype(np.float32)
        slope = (_window_mean(light * channel_ab) - mean * _window_mean(channel_ab)) / (variance + SMOOTHING)
        slope = _window_mean(slope * weight) / total
        # through the small pixel itself, so that the model keeps its colour; L = 116 f - 16
        slopes.append(slope * (116 * scale))
        offsets.append((channel_ab - slope * (light + 16)) * scale)
    # outside the window's range of lightness the model would only guess
    limits = [(_window_extreme(light, choose) + 16) / 116 for choose in (np.minimum, np.maximum)]
    return np.stack((*slopes, *offsets, *limits)).astype(np.float32)


def _window_mean(plane: np.ndarray) -> np.ndarray:
    """Mean over 3 x 3, the edge repeated."""
    plane = np.pad(plane.astype(np.float64), 1, mode="edge")
    rows = plane[:-2] + plane[1:-1] + plane[2:]
    return (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / 9


def _window_extreme(plane: np.ndarray, choose: np.ufunc) -> np.ndarray:
    """Smallest or largest over 3 x 3."""
    plane = np.pad(plane, 1, mode="edge")
    rows = choose(choose(plane[:-2], plane[1:-1]), plane[2:])
    return choose(choose(rows[:, :-2], rows[:, 1:-1]), rows[:, 2:])


class _WideRows:
    """Rows of coefficients (6 x h x w) at full resolution, two at a time: all of them would outweigh the picture."""

    def __init__(self, coefficients: np.ndarray, width: int) -> None:
        self._coefficients = coefficients
        self._low_taps, self._high_taps, self._weight = linear_taps(coefficients.shape[2], width)
        self._pair = np.empty((2, 6, width), np.float32)
        self._spare = np.empty((6, width), np.float32)
        self._low = -2  # the row that is first in the pair

    def pair(self, low: int) -> np.ndarray:
        """6 x 2 x width: the rows `low` and the next (the last row again after the last); good until the next call."""
        if low == self._low + 1:
            self._pair[0] = self._pair[1]
            self._fill(low + 1, self._pair[1])
        elif low != self._low:
            self._fill(low, self._pair[0])
            self._fill(low + 1, self._pair[1])
        self._low = low
        return self._pair.swapaxes(0, 1)

    def _fill(self, index: int, out: np.ndarray) -> None:
        row = self._coefficients[:, min(index, self._coefficients.shape[1] - 1)]
        np.take(row, self._high_taps, 1, out=out, mode="clip")
        out -= np.take(row, self._low_taps, 1, out=self._spare, mode="clip")
        out *= self._weight
        out += self._spare
