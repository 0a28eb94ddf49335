"""Pictures for training the colouriser: zip shards or folders in, batches of lightness and ab out.

Pictures are decoded once into a cache (lightness as bytes at full size, ab as signed bytes at half of it, which is all
that JPEG keeps), which is memory-mapped afterwards. A batch depends on the seed and the step alone, so that a resumed
run sees the same data.
Must not import networks.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import math
import os
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor
from torch.nn import functional as F

from t2c_engine.color.lab import srgb_to_lab
from t2c_engine.errors import PictureError, UsageError
from t2c_engine.files import building
from t2c_engine.networks.picture_encoder import SCALE
from t2c_engine.pictures.formats import READ_SUFFIXES
from t2c_engine.pictures.resize import resize

log = logging.getLogger(__name__)

LEAST_SIDE = 132  # px; pictures of a shorter side below this are left out: a pretrained encoder sees nothing in them
L_UNIT = 2.55  # bytes to one unit of L
AB_STEP = 2  # px of lightness to one of ab, along each side
CACHE_LAYOUT = 7  # of the cache's files
VALIDATION_SHARE = 50  # one photograph in so many is kept for validation, by a hash of its name


@dataclass(frozen=True, slots=True)
class Batch:
    """lightness: B x 1 x H x W, 0..100; ab: B x 2 x H/2 x W/2, Lab units."""

    lightness: Tensor
    ab: Tensor


@dataclass(frozen=True, slots=True)
class PictureSet:
    """Decoded pictures in flat arrays. `shapes[i]` is the height and width of picture i, multiples of 4."""

    lightness: np.ndarray  # uint8, all pictures one after the other
    ab: np.ndarray  # int8
    starts: np.ndarray  # N + 1, in pixels of lightness
    shapes: np.ndarray  # N x 2
    validation: np.ndarray  # N, bool
    names: np.ndarray  # N, file names in their shards

    def picture(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """H x W lightness bytes and H/2 x W/2 x 2 ab bytes of one picture (views)."""
        height, width = self.shapes[index]
        start = int(self.starts[index])
        area = int(height * width)
        small = area // AB_STEP**2
        lightness = self.lightness[start : start + area].reshape(height, width)
        ab = self.ab[start // AB_STEP**2 * 2 : (start // AB_STEP**2 + small) * 2]
        return lightness, ab.reshape(height // AB_STEP, width // AB_STEP, 2)

    def indices(self, *, validation: bool) -> np.ndarray:
        """Which pictures are of the training (or validation) part."""
        return np.flatnonzero(self.validation == validation)


def refuse_shared(sources: Sequence[Path], validation: Sequence[Path]) -> None:
    """Raises UsageError where pictures are given for training and for validation."""
    if both := {path.resolve() for path in sources} & {path.resolve() for path in validation}:
        names = ", ".join(sorted(path.name for path in both))
        raise UsageError(f"{names} is given for training and for validation; leave it out of the pictures to train on.")


def load_pictures(sources: Sequence[Path], cache: Path, *, max_side: int = 320, crop: int = 160) -> PictureSet:
    """Decode all pictures of zip shards and folders, or map the cache if it holds the same ones.

    Raises:
        PictureError: a source does not exist or holds no picture.
    """
    layout = [CACHE_LAYOUT, max_side, crop]
    key = hashlib.sha256(json.dumps([_fingerprint(s) for s in sources] + layout).encode()).hexdigest()[:16]
    folder = cache / f"pictures-{key}"
    if not (folder / "index.npz").exists():
        _build(sources, folder, max_side, crop)
    index = np.load(folder / "index.npz")
    return PictureSet(
        np.load(folder / "lightness.npy", mmap_mode="r"),
        np.load(folder / "ab.npy", mmap_mode="r"),
        index["starts"],
        index["shapes"],
        index["validation"],
        index["names"],
    )


def photograph_of(name: str) -> str:
    """What crops of one photograph share: "fox_c2.jpg" and "fox_full.jpg" are of "fox". All of them are held out of
    training, or none: a network that knows the one is no judge of the other."""
    return re.sub(r"_(c\d+|full)\.\w+$", "", name)


def source_probabilities(names: np.ndarray, weights: Mapping[str, float]) -> np.ndarray:
    """How often to draw each picture: N, sum 1.

    Args:
        names: N file names. weights: beginning of a name to weight, the longest match; 1 without any.
    """
    drawn = np.ones(len(names))
    for prefix in sorted(weights, key=len):
        drawn[np.char.startswith(names, prefix)] = weights[prefix]
    return drawn / drawn.sum()


def _fingerprint(source: Path) -> list[str | int]:
    if not source.exists():
        raise PictureError(f"There is no {source}; give a zip shard or a folder of pictures.")
    if source.is_file():
        return [source.name, source.stat().st_size]
    files = [p for p in sorted(source.rglob("*")) if p.suffix.lower() in READ_SUFFIXES]
    return [source.name, len(files), sum(p.stat().st_size for p in files)]


def _pictures(source: Path) -> Iterator[tuple[str, bytes]]:
    if source.is_file():
        with zipfile.ZipFile(source) as shard:
            for name in sorted(shard.namelist()):
                if Path(name).suffix.lower() in READ_SUFFIXES:
                    yield name, shard.read(name)
    else:
        for path in sorted(source.rglob("*")):
            if path.suffix.lower() in READ_SUFFIXES:
                yield str(path.relative_to(source)), path.read_bytes()


def _decode(item: tuple[str, bytes], max_side: int, crop: int) -> tuple[str, np.ndarray, np.ndarray] | None:
    name, data = item
    try:
        picture = Image.open(io.BytesIO(data)).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError) as error:
        log.warning("%s is left out: %s", name, error)
        return None
    short = min(picture.size)
    if short < LEAST_SIDE:
        return None
    target = min(max(short, crop), max_side)
    if short != target:
        across, down = (max(target, round(side * target / short)) for side in picture.size)
        rgb = resize(np.asarray(picture), (down, across)) / 255
    else:
        rgb = np.asarray(picture, dtype=np.float32) / 255
    height, width = (side // SCALE * SCALE for side in rgb.shape[:2])
    lab = srgb_to_lab(rgb[:height, :width])
    lightness = np.round(lab[..., 0] * L_UNIT).clip(0, 255).astype(np.uint8)
    cells = lab[..., 1:].reshape(height // AB_STEP, AB_STEP, width // AB_STEP, AB_STEP, 2).mean((1, 3))
    return name, lightness, np.round(cells).clip(-127, 127).astype(np.int8)


def _build(sources: Sequence[Path], folder: Path, max_side: int, crop: int) -> None:
    log.info("Decoding pictures into %s (once)", folder)
    names, lights, abs_ = [], [], []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for source in sources:
            for decoded in pool.map(lambda item: _decode(item, max_side, crop), _pictures(source)):
                if decoded is not None:
                    names.append(decoded[0])
                    lights.append(decoded[1])
                    abs_.append(decoded[2])
    if not names:
        raise PictureError(f"No picture was found in {', '.join(map(str, sources))}.")
    shapes = np.array([light.shape for light in lights])
    photographs = (photograph_of(name).encode() for name in names)
    held_out = [int(hashlib.sha256(name).hexdigest(), 16) % VALIDATION_SHARE == 0 for name in photographs]
    starts = np.concatenate(([0], np.cumsum(shapes.prod(1))))
    with building(folder) as new:
        np.save(new / "lightness.npy", np.concatenate([light.ravel() for light in lights]))
        np.save(new / "ab.npy", np.concatenate([ab.ravel() for ab in abs_]))
        np.savez(new / "index.npz", starts=starts, shapes=shapes, validation=np.array(held_out), names=np.array(names))


def draw_batch(
    pictures: PictureSet,
    indices: np.ndarray,
    rng: np.random.Generator,
    size: int,
    crop: int,
    crop_scale: tuple[float, float] = (1.0, 1.0),
    probabilities: np.ndarray | None = None,
    stretch: float = 0.0,
) -> Batch:
    """`size` random crops (flipped at random), each `crop_scale` times `crop` px of its picture, resized to `crop` px.

    Args:
        probabilities: of each of `indices`; all the same by default.
        stretch: natural logarithm of how much wider than high, or higher than wide, what a crop shows may be.
    """
    lights, abs_ = [], []
    chosen = rng.choice(indices, size, p=probabilities)
    for index in chosen:
        light, ab = pictures.picture(int(index))
        wanted = crop * rng.uniform(*crop_scale) / AB_STEP  # in pixels of ab
        slim = math.exp(rng.uniform(-stretch, stretch) / 2)
        high, wide = (round(min(wanted, *ab.shape[:2]) * factor) for factor in (slim, 1 / slim))
        high, wide = min(high, ab.shape[0]), min(wide, ab.shape[1])
        y, x = (int(rng.integers(0, room + 1)) for room in (ab.shape[0] - high, ab.shape[1] - wide))
        light = light[y * AB_STEP : (y + high) * AB_STEP, x * AB_STEP : (x + wide) * AB_STEP]
        ab = ab[y : y + high, x : x + wide]
        if rng.random() < 0.5:
            light, ab = light[:, ::-1].copy(), ab[:, ::-1].copy()
        lights.append(_resized(torch.tensor(light.astype(np.float32))[None] / L_UNIT, crop))
        abs_.append(_resized(torch.tensor(ab.astype(np.float32)).permute(2, 0, 1), crop // AB_STEP))
    return Batch(torch.stack(lights), torch.stack(abs_))


def _resized(picture: Tensor, side: int) -> Tensor:
    """C x h x w to C x side x side, without aliasing (many small pictures a second: torch's own resize is fastest)."""
    size = (side, side)
    if picture.shape[-2:] == size:
        return picture
    return F.interpolate(picture[None], size=size, mode="bilinear", antialias=True, align_corners=False)[0]
