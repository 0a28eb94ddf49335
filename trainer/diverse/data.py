"""Frozen features of training pictures, computed once and kept, beside their true colour fields. Must not import
networks that are trained.

The colouriser's encoder is frozen, so a run of minutes needs one pass over the pictures. A batch depends on the seed
and the step alone.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.networks.diverse import GreyFeatures
from trainer.common.picture_data import PictureSet, draw_batch, load_pictures, source_probabilities
from trainer.common.run_log import track

log = logging.getLogger(__name__)

CROP = 160  # px, the colouriser's own short side
SHOWN = (1.0, 1.4)  # of CROP px, what a crop of a training picture shows
WHOLE = (9.0, 9.0)  # the whole square, for validation
PIECE = 16  # pictures that go through the colouriser at once
TRUE = "ab"
LAYOUT = 1  # of the cache's files


@dataclass(frozen=True, slots=True)
class FieldBatch:
    """Grey features and the true fields, B x 2 x 80 x 80, ab."""

    grey: GreyFeatures
    ab: Tensor


class FieldData:
    """Arrays of N pictures, memory-mapped: float16 features by name, int8 true fields."""

    def __init__(self, folder: Path) -> None:
        names = [one.name for one in fields(GreyFeatures)]
        self.arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in (*names, TRUE)}

    def __len__(self) -> int:
        return len(self.arrays[TRUE])

    def batch(self, indices: Sequence[int] | np.ndarray, mirrored: bool = False) -> FieldBatch:
        """Pictures of these numbers, left and right exchanged if `mirrored`."""
        rows = np.sort(np.asarray(indices))
        parts = {name: torch.from_numpy(array[rows].astype(np.float32)) for name, array in self.arrays.items()}
        if mirrored:
            parts = {name: value.flip(-1) for name, value in parts.items()}
        ab = parts.pop(TRUE)
        return FieldBatch(GreyFeatures(**parts), ab)

    def draw(self, seed: int, step: int, size: int) -> FieldBatch:
        """The batch of a step."""
        rng = np.random.default_rng((seed, step))
        return self.batch(rng.choice(len(self), size, replace=False), bool(rng.integers(2)))


def field_data(
    sources: Sequence[Path],
    cache: Path,
    colorizer: Colorizer,
    *,
    fingerprint: str,
    count: int,
    weights: Mapping[str, float] | None = None,
) -> FieldData:
    """Features of `count` pictures of the sources, computed or mapped from the cache.

    Args:
        sources: zip shards or folders of colour pictures. fingerprint: of the colouriser's weights.
        count: pictures, drawn once each; all where there are fewer.
        weights: as in `source_probabilities`; None takes whole pictures in their order, for validation.

    Raises:
        PictureError: a source does not exist or holds no picture.
    """
    pictures = load_pictures(sources, cache, crop=CROP)
    values = [LAYOUT, fingerprint, len(pictures.shapes), int(pictures.starts[-1]), count]
    key = hashlib.sha256(json.dumps([*values, sorted((weights or {"": -1.0}).items())]).encode()).hexdigest()[:16]
    folder = cache / f"fields-{key}"
    if not folder.exists():
        _build(pictures, folder, colorizer, count, weights)
    return FieldData(folder)


def _build(
    pictures: PictureSet, folder: Path, colorizer: Colorizer, count: int, weights: Mapping[str, float] | None
) -> None:
    """Write the arrays of `field_data` under a temporary name, then rename."""
    log.info("Computing features into %s (once)", folder)
    rng = np.random.default_rng(0)
    indices = np.arange(len(pictures.shapes))
    if weights is None:
        chosen = indices[:count]
    else:
        drawn = source_probabilities(pictures.names, weights)
        chosen = rng.choice(indices, min(count, len(indices)), replace=False, p=drawn)
    collected: dict[str, list[np.ndarray]] = {}
    starts = range(0, len(chosen), PIECE)
    for start in track(starts, len(starts), "features"):
        for name, array in _piece(pictures, chosen[start : start + PIECE], rng, colorizer, weights is None).items():
            collected.setdefault(name, []).append(array)
    building = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    for name, arrays in collected.items():
        np.save(building / f"{name}.npy", np.concatenate(arrays))
    try:
        os.rename(building, folder)
    except OSError:  # another process was faster, with the same pictures
        shutil.rmtree(building)


def _piece(
    pictures: PictureSet, chosen: np.ndarray, rng: np.random.Generator, colorizer: Colorizer, whole: bool
) -> dict[str, np.ndarray]:
    """The arrays of a few pictures, square crops of CROP px."""
    shown = WHOLE if whole else SHOWN
    crops = [draw_batch(pictures, np.array([index]), rng, 1, CROP, shown) for index in chosen]
    grey = colorizer.grey_features_of_batch(torch.cat([one.lightness for one in crops]))
    arrays = {one.name: getattr(grey, one.name).cpu().numpy().astype(np.float16) for one in fields(GreyFeatures)}
    ab = torch.cat([one.ab for one in crops]).round().clamp(-127, 127)
    return arrays | {TRUE: ab.numpy().astype(np.int8)}
