"""The palette of a picture file or of Lab pixels, by the one extraction that training uses too.

Torch is imported when a palette is extracted. Must not import networks or the command line.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from t2c_engine.color.lab import srgb_to_lab
from t2c_engine.palettes.palette import Palette

EXTRACTION_SIDE = 256  # short side from which a picture's palette is taken, px


def palette_of_picture(path: Path) -> Palette:
    """The five-color palette of a picture, darkest first.

    Raises:
        PictureError: the picture cannot be read.
    """
    from t2c_engine.pictures.picture import read_picture, small_srgb

    return palette_of_lab(srgb_to_lab(small_srgb(read_picture(path), EXTRACTION_SIDE)), path.stem)


def palette_of_lab(lab: np.ndarray, name: str = "") -> Palette:
    """The five-color palette of H x W x 3 Lab."""
    import torch

    from t2c_engine.colorization.palette_extraction import extract_palettes

    batch = torch.from_numpy(np.ascontiguousarray(lab.transpose(2, 0, 1), np.float32))[None]
    return Palette.from_lab(extract_palettes(batch)[0].numpy(), name)
