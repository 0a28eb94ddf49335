"""Colors of a reference at the places of a grey picture: hides the transfer sub-net, its padding and its sizes.

The result is `T_ab` with a confidence, by which `Colorizer.like` puts it over automatic color (Xu et al. 2020). Where
both pictures show the same kind of thing, `T_ab` is moved towards the reference's distribution of colors.
Must not import files, pictures or the trainer.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from t2c_engine.color.distribution import shift_to
from t2c_engine.colorization.hints import Hints
from t2c_engine.colorization.reference import Reference
from t2c_engine.devices import threads_for
from t2c_engine.errors import ModelError
from t2c_engine.models import ModelCard, find_model, load_weights
from t2c_engine.networks.exemplar import Exemplar, ExemplarConfig, ExemplarNet, seen
from t2c_engine.networks.layers import with_weights
from t2c_engine.networks.picture_encoder import with_tuples
from t2c_engine.networks.pretrained_encoder import MULTIPLE, PretrainedEncoder
from t2c_engine.pictures.resize import resize

MAX_LONG_SIDE = 1024  # px of the network's input; a longer picture is seen at a lower resolution
KEPT_REFERENCES = 4
DISTRIBUTION_CELLS = 1200  # about, of which distributions are taken


@dataclass(frozen=True, slots=True)
class TransferInference:
    """How a transfer sub-net is used; stored in its card, chosen on validation pictures.

    short_side: of both pictures before the encoder, px. power: of the confidence; below 1 takes more of the reference.
    spacing: of cells of `T_ab` that the colorizer gets as hints, for refinement as in the paper; 0: `T_ab` as it is.
    distribution: 0..1, how far colors go to the reference's distribution in pictures of the same kind. unrelated,
    related: mean confidence up to which nothing of it happens, and from which all.
    """

    short_side: int = 192
    power: float = 1.0
    spacing: int = 0
    distribution: float = 0.0
    unrelated: float = 0.15
    related: float = 0.3

    def kinship(self, confidence: float) -> float:
        """0..1, whether two pictures show the same kind of thing, by the mean confidence of a transfer."""
        at = min(max((confidence - self.unrelated) / (self.related - self.unrelated), 0.0), 1.0)
        return at * at * (3 - 2 * at)


class ColorTransfer:
    """`T_ab` and confidence for pairs of pictures.

    Attributes:
        model: the model's name. inference: how it is used.
    """

    def __init__(
        self,
        network: ExemplarNet,
        encoder: PretrainedEncoder,
        model: str,
        device: torch.device,
        inference: TransferInference | None = None,
    ) -> None:
        self.model = model
        self.inference = inference or TransferInference()
        self._network = network.eval().to(device)
        self._encoder = encoder
        self._device = device
        self._seen = lru_cache(maxsize=KEPT_REFERENCES)(self._see_reference)

    @classmethod
    def load(cls, encoder: PretrainedEncoder, device: torch.device, model: str | None = None) -> ColorTransfer:
        """The installed model of that name, or the default one.

        Raises:
            ModelError: no such model, damaged weights, or weights that do not fit the card.
        """
        card = find_model("exemplar", model)
        return cls(build_exemplar_network(card), encoder, card.name, device, read_transfer_inference(card))

    @torch.inference_mode()
    def transfer(self, lightness: np.ndarray, automatic: np.ndarray, reference: Reference) -> Hints:
        """`T_ab` with its confidence as mask, at a quarter of the network's input.

        Args:
            lightness: h x w float32, 0..100. automatic: h' x w' x 2, ab of the picture without any reference.
        """
        with threads_for(lightness.size):
            target = self._see(lightness, automatic)
            output = self._network(target, self._seen(reference))
        ab = output.ab[0].permute(1, 2, 0).float().cpu().numpy()
        confidence = output.confidence[0, 0].float().cpu().numpy()
        taken = confidence**self.inference.power
        share = self.inference.distribution * self.inference.kinship(float(confidence.mean()))
        if share:
            shown = merged(resize(automatic, taken.shape), ab, taken)
            ab = ab + share * _distribution_shift(lightness, shown, reference)
        return Hints(np.ascontiguousarray(ab), np.ascontiguousarray(taken), 0.0, gain=1)

    def _see_reference(self, reference: Reference) -> Exemplar:
        return self._see(reference.lightness, reference.ab)

    def _see(self, lightness: np.ndarray, ab: np.ndarray) -> Exemplar:
        height, width = network_size(lightness.shape, self.inference.short_side)
        light, colors = (self._tensor(one) for one in (lightness[..., None], ab))
        light = F.interpolate(light, (height, width), mode="bilinear", antialias=True, align_corners=False)
        return seen(self._encoder, light, colors, self._network.config.colored)

    def _tensor(self, array: np.ndarray) -> Tensor:
        """h x w x C to 1 x C x h x w."""
        return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1), np.float32))[None].to(self._device)


def _distribution_shift(lightness: np.ndarray, ab: np.ndarray, reference: Reference) -> np.ndarray:
    """How far ab (h x w x 2) must move to be distributed as the reference's; lightness of any size."""
    size = _cells(ab.shape)
    other = _cells(reference.ab.shape)
    parts = resize(lightness, size), resize(ab, size), resize(reference.lightness, other), resize(reference.ab, other)
    return resize(shift_to(*parts).astype(np.float32), (ab.shape[0], ab.shape[1]))


def _cells(shape: tuple[int, ...]) -> tuple[int, int]:
    scale = (DISTRIBUTION_CELLS / (shape[0] * shape[1])) ** 0.5
    height, width = (max(1, round(side * scale)) for side in shape[:2])
    return height, width


def sampled(transfer: Hints, spacing: int) -> Hints:
    """Every `spacing`-th cell of a transfer as a hint, the rest left to the colorizer."""
    grid = np.zeros_like(transfer.mask)
    grid[spacing // 2 :: spacing, spacing // 2 :: spacing] = 1
    return Hints(transfer.ab, transfer.mask * grid, None, transfer.gain)


def merged(base: np.ndarray, found: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """A reference's colors over those without it, by confidence.

    Args:
        base, found: h x w x 2 ab. confidence: h x w, 0..1.
    """
    return base + confidence[..., None] * (found - base)


def network_size(shape: tuple[int, ...], short_side: int) -> tuple[int, int]:
    """(height, width) at that short side, at most MAX_LONG_SIDE, both multiples of the encoder's."""
    scale = min(short_side / min(shape), MAX_LONG_SIDE / max(shape))
    height, width = (max(MULTIPLE, round(side * scale / MULTIPLE) * MULTIPLE) for side in shape)
    return height, width


def build_exemplar_network(card: ModelCard) -> ExemplarNet:
    """The network of a card with its checked weights, float32.

    Raises:
        ModelError: the card's sizes are unusable or the weights are not those of such a network.
    """
    config = card.config.get("network", {})
    return with_weights(lambda: ExemplarNet(ExemplarConfig(**with_tuples(config))), load_weights(card), card.name)


def read_transfer_inference(card: ModelCard) -> TransferInference:
    """How the card says that its model is used.

    Raises:
        ModelError: it names a setting that there is not.
    """
    try:
        return TransferInference(**card.config.get("inference", {}))
    except TypeError as error:
        raise ModelError(f"The model '{card.name}' cannot be used as its card says: {error}") from error
