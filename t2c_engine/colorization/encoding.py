"""A picture as the colouriser has encoded it, for any number of conditions. Must not import files or the trainer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor
from torch.nn import functional as F

from t2c_engine.networks.picture_encoder import DETAIL, SCALE, Features


@dataclass(frozen=True, slots=True)
class EncodedScale:
    """A picture at one size as the decoder sees it.

    light: 1 x 1 x H x W, 0..100, the network's input. height, width: of the finest features without padding, px.
    """

    light: Tensor
    features: Features
    height: int
    width: int


@dataclass(frozen=True, slots=True)
class Encoding:
    """A picture encoded at one or several sizes, the largest first."""

    scales: tuple[EncodedScale, ...]

    @property
    def height(self) -> int:
        """Of the ab that comes back, px."""
        return self.scales[0].height * DETAIL

    @property
    def width(self) -> int:
        """Of the ab that comes back, px."""
        return self.scales[0].width * DETAIL

    @property
    def pixels(self) -> int:
        """Of the network's input."""
        return self.scales[0].height * self.scales[0].width * SCALE**2

    def maps(self, parts: Sequence[Tensor]) -> list[np.ndarray]:
        """B x 2 x h x w of every scale, cropped, averaged, as one array each."""
        size = (self.height, self.width)
        total: Tensor | None = None
        for ab, scale in zip(parts, self.scales, strict=True):
            padded = scale.features.lightness.shape[-2:]
            full = [side * DETAIL for side in padded]
            if list(ab.shape[2:]) != full:  # decoded from the bins, at a lower resolution
                ab = F.interpolate(ab, full, mode="bilinear", align_corners=False)
            cropped = ab[:, :, : scale.height * DETAIL, : scale.width * DETAIL]
            if cropped.shape[2:] != size:
                cropped = F.interpolate(cropped, size, mode="bilinear", align_corners=False)
            total = cropped if total is None else total + cropped
        assert total is not None
        return list((total / len(parts)).permute(0, 2, 3, 1).float().cpu().numpy())
