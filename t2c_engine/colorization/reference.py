"""A reference: the picture that another takes its colors from (Xu et al. 2020), small, as lightness and ab.

Must not import torch or networks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from t2c_engine.color.lab import srgb_to_lab
from t2c_engine.errors import PictureError
from t2c_engine.pictures.picture import Picture, read_picture, small_srgb

SHORT_SIDE = 256  # px, of what is kept
LEAST_SIDE = 16  # px; of a smaller picture the encoder sees nothing
LEAST_CHROMA = 4.0  # ab units; a picture of which less than LEAST_COLORED has more counts as grey
LEAST_COLORED = 0.002
KEPT = 16  # references read from files


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """lightness: h x w float32, 0..100; ab: h x w x 2 float32, Lab units. name: for messages. Equal only to itself."""

    lightness: np.ndarray
    ab: np.ndarray
    name: str = ""


def read_reference(path: Path) -> Reference:
    """The reference in a picture file.

    Raises:
        PictureError: it cannot be read, is tiny, or has no colors.
    """
    try:
        status = path.stat()
    except OSError:
        return _read(path, 0, 0)
    return _read(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=KEPT)
def _read(path: Path, modified: int, size: int) -> Reference:
    """A reference, kept while its file stays the same: it serves every picture of a run."""
    return reference_of(read_picture(path), str(path))


def reference_of(picture: Picture, name: str) -> Reference:
    """A picture as reference; `name` is how messages call it.

    Raises:
        PictureError: it is tiny, or has no colors.
    """
    height, width = picture.size
    if min(height, width) < LEAST_SIDE:
        raise PictureError(
            f"The reference {name} is {width} x {height} px; give a picture of at least {LEAST_SIDE} px a side."
        )
    lab = srgb_to_lab(small_srgb(picture, SHORT_SIDE)).astype(np.float32)
    ab = np.ascontiguousarray(lab[..., 1:])
    if (np.linalg.norm(ab, axis=-1) > LEAST_CHROMA).mean() < LEAST_COLORED:
        state = "is grey" if picture.pixels.ndim == 2 else "is grey, though it is saved in colour"
        raise PictureError(f"The reference {name} {state}; give a picture with colours, or ask for automatic ones.")
    return Reference(np.ascontiguousarray(lab[..., 0]), ab, name)
