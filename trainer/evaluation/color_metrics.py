"""Measures of one coloured picture against the true one, as the project defines them. numpy in, numbers out.

Must not import networks or files.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.ndimage import binary_dilation
from scipy.optimize import linprog
from scipy.sparse import eye, kron, vstack
from skimage.feature import canny

from t2c_engine.color.lab import ab_bins, nearest_bin
from t2c_engine.colorization.palette_extraction import extract_palettes

NEAREST_TEMPERATURE = 4.0  # units of L
EDGE_SIGMA = 2.0
EDGE_REACH = 3  # px
CHROMATIC = 10.0  # a given colour of less chroma is not asked for in `fidelity`


def ab_error(ab: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Euclidean distance in the ab plane of every pixel (H x W x 2 each to H x W)."""
    return np.linalg.norm(ab - true, axis=-1)


def colorfulness(rgb: np.ndarray) -> float:
    """The third measure of Hasler and Suesstrunk 2003 (H x W x 3 sRGB in 0..1; 0..255 units as in the paper)."""
    red, green, blue = (rgb[..., i].astype(np.float64) * 255 for i in range(3))
    rg, yb = red - green, (red + green) / 2 - blue
    return float(np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean()))


def psnr(rgb: np.ndarray, true: np.ndarray) -> float:
    """Peak signal-to-noise ratio in sRGB, dB."""
    return float(-10 * np.log10(max(np.square(rgb - true).mean(), 1e-10)))


def bleeding(ab: np.ndarray, true: np.ndarray, lightness: np.ndarray) -> float | None:
    """Mean ab error within 3 px of an edge of L over that elsewhere; None where either part is empty."""
    near = np.asarray(binary_dilation(canny(lightness / 100, sigma=EDGE_SIGMA), iterations=EDGE_REACH), dtype=bool)
    error = ab_error(ab, true)
    if not near.any() or near.all():
        return None
    return float(error[near].mean() / max(error[~near].mean(), 1e-6))


def nearest_lightness(lightness: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """The reference to beat: each pixel takes the palette's ab, softly weighted by closeness of L.

    H x W and 5 x 3 (Lab) to H x W x 2.
    """
    closeness = -np.abs(lightness[..., None] - palette[:, 0]) / NEAREST_TEMPERATURE
    weight = np.exp(closeness - closeness.max(-1, keepdims=True))
    weight /= weight.sum(-1, keepdims=True)
    return weight @ palette[:, 1:]


def picture_palette(lab: np.ndarray) -> np.ndarray:
    """Five Lab colours of a picture, exactly as in training (H x W x 3 Lab to 5 x 3)."""
    return extract_palettes(torch.from_numpy(lab.astype(np.float32)).permute(2, 0, 1)[None])[0].numpy()


def histogram_distance(ab: np.ndarray, other: np.ndarray) -> float:
    """Earth mover's distance between histograms over the 313 ab bins, ab units (... x 2 each, of any sizes).

    The transport problem is solved exactly, by linear programming.
    """
    bins = ab_bins()
    one, two = (np.bincount(nearest_bin(part.reshape(-1, 2)), minlength=len(bins)) for part in (ab, other))
    used, wanted = np.flatnonzero(one), np.flatnonzero(two)
    cost = np.linalg.norm(bins[used][:, None] - bins[wanted][None], axis=-1)
    rows = kron(eye(len(used)), np.ones((1, len(wanted))))
    columns = kron(np.ones((1, len(used))), eye(len(wanted)))
    masses = np.concatenate((one[used] / one.sum(), two[wanted] / two.sum()))
    equations = vstack((rows, columns)).tocsr()[:-1]  # the last follows from the others
    return float(linprog(cost.ravel(), A_eq=equations, b_eq=masses[:-1], method="highs").fun)


def fidelity(given: np.ndarray, lab: np.ndarray) -> float | None:
    """Mean ab distance from each given colour (K x 3 Lab, chroma above 10) to the nearest of the output's palette."""
    wanted = given[np.linalg.norm(given[:, 1:], axis=1) > CHROMATIC, 1:]
    if not len(wanted):
        return None
    found = picture_palette(lab)[:, 1:]
    return float(np.linalg.norm(wanted[:, None] - found[None], axis=-1).min(1).mean())
