"""Small pictures with what a frozen colouriser says of them, worked out once and kept.

A look's networks are small and the colouriser under them does not learn, so its automatic colour and its encoder's
features are computed in advance. Must not import the networks that are trained.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.networks.look_generator import FEATURE_LEVEL
from trainer.common.picture_data import L_UNIT, PictureSet
from trainer.common.run_log import track

log = logging.getLogger(__name__)

_LAYOUT = 2  # of the cache's files


@dataclass(frozen=True, slots=True)
class LookPictures:
    """N square pictures, as bytes; `sample` gives them in Lab units.

    lightness: N x 1 x s x s, uint8 of L_UNIT to one L. ab: N x 2 x s x s int8, true. automatic: the same, as the
    colouriser gives it. features: N x 112 x f x f, half precision. names: N.
    """

    lightness: Tensor
    ab: Tensor
    automatic: Tensor
    features: Tensor
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True)
class Sample:
    """A batch of pictures in given colours: lightness B x 1 x s x s, ab B x 2 x s x s, features B x 112 x f x f.

    indices, flipped: B, which pictures they are, and which are mirrored; none where they were made.
    """

    lightness: Tensor
    ab: Tensor
    features: Tensor
    indices: Tensor | None = None
    flipped: Tensor | None = None

    @property
    def lab(self) -> Tensor:
        """B x 3 x s x s."""
        return torch.cat((self.lightness, self.ab), 1)

    def smaller(self, times: int) -> Sample:
        """The same pictures with `times` fewer pixels along each side; means of squares."""
        if times == 1:
            return self
        lightness, ab = (F.avg_pool2d(part, times) for part in (self.lightness, self.ab))
        return replace(self, lightness=lightness, ab=ab)


def sample(pictures: LookPictures, indices: Tensor, flipped: Tensor, *, automatic: bool | Tensor) -> Sample:
    """The pictures of `indices` in their automatic or true colours.

    Args:
        indices: B. flipped: B, bool, which are mirrored. automatic: one for all, or B, bool.
    """
    chosen = torch.as_tensor(automatic).expand(len(indices))[:, None, None, None]
    ab = torch.where(chosen, pictures.automatic[indices], pictures.ab[indices])
    parts = (pictures.lightness[indices].float() / L_UNIT, ab.float(), pictures.features[indices].float())
    turned = flipped[:, None, None, None]
    lightness, colors, features = (torch.where(turned, part.flip(3), part) for part in parts)
    return Sample(lightness, colors, features, indices, flipped)


def load_look_pictures(
    pictures: PictureSet, indices: Sequence[int] | np.ndarray, colorizer: Colorizer, side: int, cache: Path
) -> LookPictures:
    """The middle squares of decoded pictures at `side` px, from the cache if it holds the same."""
    names = tuple(str(pictures.names[index]) for index in indices)
    key = "\n".join((*names, _version(colorizer), str(colorizer.short_side), str(side), str(_LAYOUT)))
    path = cache / f"looks-{hashlib.sha256(key.encode()).hexdigest()[:16]}.npz"
    if not path.exists():
        _build(pictures, indices, colorizer, side, path)
    with np.load(path) as arrays:
        lightness, ab, automatic, features = (
            torch.from_numpy(arrays[name]) for name in ("lightness", "ab", "automatic", "features")
        )
    return LookPictures(lightness, ab, automatic, features, names)


def _version(colorizer: Colorizer) -> str:
    """What tells this colouriser's weights from others': its colours of one picture."""
    ramp = np.tile(np.linspace(5, 95, colorizer.short_side, dtype=np.float32), (colorizer.short_side, 1))
    colors = np.asarray(colorizer.automatic(colorizer.encode(ramp)))
    return hashlib.sha256(colors.astype(np.float16).tobytes()).hexdigest()


def _build(
    pictures: PictureSet, indices: Sequence[int] | np.ndarray, colorizer: Colorizer, side: int, path: Path
) -> None:
    log.info("Colouring %d pictures into %s (once)", len(indices), path)
    rows: list[tuple[np.ndarray, ...]] = []
    for index in track(list(indices), len(indices), "colouring"):
        light, ab = pictures.picture(int(index))
        lightness = _square(torch.tensor(light.astype(np.float32))[None] / L_UNIT, colorizer.short_side)
        seen = lightness[0].numpy()
        given = torch.from_numpy(colorizer.automatic(colorizer.encode(seen))).permute(2, 0, 1)
        features = colorizer.encoder_features(seen)[FEATURE_LEVEL][0].half().cpu()
        small = (_square(lightness, side) * L_UNIT).round().clamp(0, 255).byte()
        true = _square(torch.tensor(ab.astype(np.float32)).permute(2, 0, 1), side)
        colors = (part.round().clamp(-127, 127).to(torch.int8).numpy() for part in (true, _square(given, side)))
        rows.append((small.numpy(), *colors, features.numpy()))
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part.npz")
    stacked = (np.stack(column) for column in zip(*rows, strict=True))
    np.savez(part, **dict(zip(("lightness", "ab", "automatic", "features"), stacked, strict=True)))
    os.replace(part, path)


def _square(picture: Tensor, side: int) -> Tensor:
    """The middle square of C x h x w at `side` px, without aliasing."""
    height, width = picture.shape[-2:]
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    cut = picture[..., top : top + short, left : left + short]
    return F.interpolate(cut[None], (side, side), mode="bilinear", antialias=True, align_corners=False)[0]
