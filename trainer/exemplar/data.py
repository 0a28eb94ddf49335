"""Pairs of target and reference for the transfer sub-net: by augmentation, by neighbors of like features, at random.

Automatic colors and pooled features are computed once a run for the pictures that are drawn. A batch depends on the
seed and the step alone. Must not import losses or optimizers.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.networks.exemplar import PLACE
from t2c_engine.networks.pretrained_encoder import MULTIPLE, PretrainedEncoder
from t2c_engine.pictures.resize import resize
from trainer.common.picture_data import AB_STEP, L_UNIT, PictureSet, source_probabilities
from trainer.common.run_log import track
from trainer.exemplar.config import PairConfig, TransferTrainConfig

log = logging.getLogger(__name__)

OWN, NEIGHBOR, UNRELATED = range(3)  # kinds of pairs
POOLED = (2, 3)  # levels of the encoder whose means describe a picture
SAME_PICTURE = 0.97  # similarity from which two files show the same


@dataclass(frozen=True, slots=True)
class PreparedPictures:
    """The pictures of a run. indices: N, in `pictures`; automatic: each h/8 x w/8 x 2 float16 of a picture cropped to
    multiples of 8; neighbors: N x K, positions in `indices`, -1 where there is none."""

    pictures: PictureSet
    indices: np.ndarray
    automatic: list[np.ndarray]
    neighbors: np.ndarray

    def picture(self, position: int) -> tuple[np.ndarray, np.ndarray]:
        """H x W lightness and H/2 x W/2 x 2 ab, float32, sides multiples of 8."""
        lightness, ab = self.pictures.picture(int(self.indices[position]))
        height, width = (side // PLACE * PLACE for side in lightness.shape)
        light = lightness[:height, :width].astype(np.float32) / L_UNIT
        return light, ab[: height // AB_STEP, : width // AB_STEP].astype(np.float32)


@dataclass(frozen=True, slots=True)
class PairBatch:
    """Target and reference, each B x 1 x S x S lightness and B x 2 x S/2 x S/2 ab; automatic: B x 2 x S/8 x S/8 of the
    target; kind: B, OWN, NEIGHBOR or UNRELATED."""

    lightness: Tensor
    ab: Tensor
    automatic: Tensor
    reference_lightness: Tensor
    reference_ab: Tensor
    kind: Tensor


def prepare(
    pictures: PictureSet, indices: np.ndarray, colorizer: Colorizer, config: PairConfig, store: Path | None = None
) -> PreparedPictures:
    """Automatic colors, and neighbors by the cosine of standardized pooled features.

    Args:
        store: file that keeps them; one that is there, of the same pictures, is read instead.
    """
    known = _stored(store, indices)
    if known is not None:
        flat, sizes, described = known
    else:
        encoder = colorizer.encoder
        maps, described = [], []
        for index in track(indices, len(indices), "automatic colors"):
            lightness = pictures.picture(int(index))[0]
            height, width = (side // PLACE * PLACE for side in lightness.shape)
            light = lightness[:height, :width].astype(np.float32) / L_UNIT
            ab = colorizer.color(colorizer.encode(light), [None])[0]
            maps.append(resize(ab, (height // PLACE, width // PLACE)).astype(np.float16))
            described.append(_pooled(encoder, light))
        flat, sizes = np.concatenate([one.reshape(-1, 2) for one in maps]), np.array([one.shape[:2] for one in maps])
        described = np.stack(described)
        if store is not None:
            with store.with_suffix(".part").open("wb") as stream:
                np.savez(stream, indices=indices, flat=flat, sizes=sizes, described=described)
            os.replace(store.with_suffix(".part"), store)
    ends = np.cumsum(sizes.prod(1))[:-1]
    automatic = [one.reshape(*size, 2) for one, size in zip(np.split(flat, ends), sizes, strict=True)]
    return PreparedPictures(pictures, indices, automatic, _neighbors(described, config))


def _stored(store: Path | None, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    if store is None or not store.exists():
        return None
    with np.load(store) as kept:
        same = np.array_equal(kept["indices"], indices)
        return (kept["flat"], kept["sizes"], kept["described"]) if same else None


@torch.inference_mode()
def _pooled(encoder: PretrainedEncoder, lightness: np.ndarray) -> np.ndarray:
    """Means of the coarse levels' features of a picture: what it shows, whatever its colors."""
    height, width = (max(MULTIPLE, side // MULTIPLE * MULTIPLE) for side in lightness.shape)
    light = torch.from_numpy(resize(lightness, (height, width)))[None, None]
    levels = encoder(light)
    return torch.cat([levels[level].mean((0, 2, 3)) for level in POOLED]).numpy()


def _neighbors(described: np.ndarray, config: PairConfig) -> np.ndarray:
    """N x K positions of the most similar pictures that are not the same."""
    scaled = (described - described.mean(0)) / (described.std(0) + 1e-6)
    scaled /= np.linalg.norm(scaled, axis=1, keepdims=True) + 1e-6
    count = min(config.neighbors, max(1, len(scaled) - 1))
    rows = []
    for start in range(0, len(scaled), 512):
        similar = scaled[start : start + 512] @ scaled.T
        similar[similar > SAME_PICTURE] = -1
        best = np.argsort(-similar, axis=1)[:, :count]
        enough = np.take_along_axis(similar, best, 1) >= config.least_similarity
        rows.append(np.where(enough, best, -1))
    return np.concatenate(rows)


def choose_pictures(pictures: PictureSet, config: TransferTrainConfig) -> np.ndarray:
    """Indices of the run's pictures, drawn without return by the source's weights; large enough for a crop."""
    indices = pictures.indices(validation=False)
    indices = indices[pictures.shapes[indices].min(1) // PLACE * PLACE >= config.crop]
    rng = np.random.default_rng(config.seed)
    likely = source_probabilities(pictures.names[indices], config.source_weights)
    return np.sort(rng.choice(indices, min(config.pictures, len(indices)), replace=False, p=likely))


def draw_pairs(prepared: PreparedPictures, config: TransferTrainConfig, step: int) -> PairBatch:
    """A step's pairs."""
    rng = np.random.default_rng((config.seed, step))
    pairs, count, crop = config.pairs, len(prepared.indices), config.crop
    shares = np.array([pairs.own, pairs.neighbor, pairs.unrelated])
    rows: list[tuple[Tensor, ...]] = []
    for _ in range(config.batch):
        position = int(rng.integers(count))
        kind = int(rng.choice(3, p=shares / shares.sum()))
        others = prepared.neighbors[position]
        others = others[others >= 0]
        if kind == NEIGHBOR and not len(others):
            kind = OWN
        other = {OWN: position, UNRELATED: int(rng.integers(count))}.get(kind)
        other = int(rng.choice(others)) if other is None else other
        light, ab, automatic = _target(prepared, position, crop, rng)
        reference_light, reference_ab = _reference(prepared, other, crop, rng, pairs)
        if kind != UNRELATED and rng.random() < pairs.joint:
            matrix, shift = _grade(rng, pairs.joint_hue, pairs.joint_gain, pairs.joint_shift)
            ab, reference_ab = ab @ matrix + shift, reference_ab @ matrix + shift
        rows.append(
            (
                _channels_first(light[..., None]),
                _channels_first(ab),
                _channels_first(automatic),
                _channels_first(reference_light[..., None]),
                _channels_first(reference_ab),
                torch.tensor(kind),
            )
        )
    return PairBatch(*(torch.stack(column) for column in zip(*rows, strict=True)))


def _target(prepared: PreparedPictures, position: int, crop: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Lightness, ab and automatic ab of a crop whose corner is a multiple of 8 px."""
    light, ab = prepared.picture(position)
    top, left = (int(rng.integers(0, (side - crop) // PLACE + 1)) * PLACE for side in light.shape)
    automatic = prepared.automatic[position].astype(np.float32)

    def cut(array: np.ndarray, step: int) -> np.ndarray:
        rows, columns = (slice(at // step, (at + crop) // step) for at in (top, left))
        return array[rows, columns]

    parts = cut(light, 1), cut(ab, AB_STEP), cut(automatic, PLACE)
    return tuple(part[:, ::-1] for part in parts) if rng.random() < 0.5 else parts


def _reference(
    prepared: PreparedPictures, position: int, crop: int, rng: np.random.Generator, config: PairConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Lightness and ab of a crop of any place, mirrored at random, its tones and colors regraded."""
    light, ab = prepared.picture(position)
    side = int(min(light.shape) * rng.uniform(*config.crops)) // AB_STEP * AB_STEP
    top, left = (int(rng.integers(0, (whole - side) // AB_STEP + 1)) * AB_STEP for whole in light.shape)
    light = resize(light[top : top + side, left : left + side], (crop, crop))
    rows, columns = (slice(at // AB_STEP, (at + side) // AB_STEP) for at in (top, left))
    ab = resize(ab[rows, columns], (crop // AB_STEP, crop // AB_STEP))
    if rng.random() < 0.5:
        light, ab = light[:, ::-1], ab[:, ::-1]
    return regraded(light, ab, rng, config)


def regraded(
    light: np.ndarray, ab: np.ndarray, rng: np.random.Generator, config: PairConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Another tone curve, chroma and white balance, at most as far as the settings say."""
    light = 100 * (light / 100) ** np.float32(np.exp(rng.uniform(-config.tone, config.tone)))
    matrix, shift = _grade(rng, 0.0, config.gain, config.shift)
    return light, ab @ matrix + shift


def _grade(rng: np.random.Generator, hue: float, gain: float, shift: float) -> tuple[np.ndarray, np.ndarray]:
    """A rotation of hues times a gain (2 x 2), and a shift of ab (2)."""
    angle, factor = rng.normal(0, hue) if hue else 0.0, np.exp(rng.uniform(-gain, gain))
    cosine, sine = np.cos(angle) * factor, np.sin(angle) * factor
    return np.array([[cosine, sine], [-sine, cosine]], np.float32), rng.normal(0, shift, 2).astype(np.float32)


def _channels_first(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1), np.float32))


def at_places(ab: Tensor) -> Tensor:
    """B x 2 x S/2 x S/2 ab at the resolution of the matching."""
    return F.avg_pool2d(ab, PLACE // AB_STEP)
