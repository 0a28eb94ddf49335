"""Checked photographs as what the colouriser's training draws from. Must not import networks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from t2c_engine.errors import UsageError
from trainer.colorizer.step import TrainingData
from trainer.common.picture_data import PictureSet
from trainer.photographs.check import Checked

FEWEST = 20  # photographs with which training is begun


def training_data(used: Sequence[Checked], held_out: np.ndarray, device: str) -> TrainingData:
    """The photographs that are not held out (bool, one each), all drawn equally often.

    Raises:
        UsageError: they are too few.
    """
    if len(used) < FEWEST:
        raise UsageError(
            f"{len(used)} usable photographs are too few to learn from; give {FEWEST} or more, better 100 to 500."
        )
    return TrainingData.of(picture_set(used, held_out), {}, device)


def picture_set(used: Sequence[Checked], held_out: np.ndarray) -> PictureSet:
    """Photographs in flat arrays, those held out marked as for validation."""
    lights = [one.lightness for one in used if one.lightness is not None]
    abs_ = [one.ab for one in used if one.ab is not None]
    shapes = np.array([light.shape for light in lights])
    return PictureSet(
        np.concatenate([light.ravel() for light in lights]),
        np.concatenate([ab.ravel() for ab in abs_]),
        np.concatenate(([0], np.cumsum(shapes.prod(1)))),
        shapes,
        held_out,
        np.array([one.name for one in used]),
    )
