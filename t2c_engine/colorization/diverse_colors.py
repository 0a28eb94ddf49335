"""Several plausible colourings of one grey picture: colour fields drawn, few chosen, put on the automatic colour.

Hides the network that draws (`networks.diverse`). A field is coarse; the automatic colour keeps edges and textures, and
the field's difference to it is brought up along them. Must not import files, pictures or the trainer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.colorization.encoding import Encoding
from t2c_engine.devices import threads_for
from t2c_engine.errors import ModelError
from t2c_engine.models import ModelCard, find_model, load_weights
from t2c_engine.networks.diverse import Draw, FieldNetwork, build_sampler
from t2c_engine.networks.layers import with_weights
from t2c_engine.pictures.resize import resize

FIELD_STEP = 4  # pixels of a colour map to one of a field, along each side
COMPARED = 12  # cells, at most, along each side at which fields are compared
GUIDE_UNIT = 20.0  # L and ab units of the guide to one unit
SMOOTHING = 0.05  # of the fit along the guide: variance, in squared units of it, from which on a slope counts


@dataclass(frozen=True, slots=True)
class DiverseInference:
    """How a model is used; stored in its card, chosen on validation pictures.

    candidates: fields drawn, of which the shown ones are chosen. temperature: factor on the deviation of codes.
    gain: factor on ab. inner: 0..1, share of the candidates, the most typical, that may be shown. share: 0..1, how far
    colours go from automatic ones to a field's.
    """

    candidates: int = 96
    temperature: float = 0.8
    gain: float = 1.0
    inner: float = 0.95
    share: float = 1.0


class ColorFieldSampler:
    """Draws colourings of encoded pictures. For several threads.

    Attributes:
        network: what draws. model: its name. inference: how it is used.
    """

    def __init__(self, network: FieldNetwork, model: str, inference: DiverseInference | None = None) -> None:
        self.network = network.eval()
        self.model = model
        self.inference = inference or DiverseInference()

    @classmethod
    def load(cls, model: str | None = None) -> ColorFieldSampler:
        """The installed model of that name, or the default one, on the CPU.

        Raises:
            ModelError: no such model, damaged weights, or weights that do not fit the network of the card.
        """
        card = find_model("diverse", model)
        return cls(_build(card), card.name, _inference(card))

    @torch.inference_mode()
    def draw(
        self,
        colorizer: Colorizer,
        encoding: Encoding,
        lightness: np.ndarray,
        count: int,
        seed: int,
        as_set: bool = True,
    ) -> list[np.ndarray]:
        """`count` different ab maps, the most typical first; each `encoding`'s size x 2, float32, Lab units.

        Args:
            lightness: h x w, 0..100, what was encoded. seed: the same gives the same maps. as_set: False gives the
                first draws as they come, which may be alike, for comparison.
        """
        with threads_for(encoding.pixels):
            fields = self._candidates(colorizer, encoding, lightness, count, seed)
            chosen = fields[choose_fields(fields, count, self.inference.inner) if as_set else slice(count)]
            automatic = torch.from_numpy(colorizer.automatic(encoding)).permute(2, 0, 1)[None]
            small = torch.from_numpy(resize(lightness, (encoding.height, encoding.width)))[None, None]
            maps = automatic + self.inference.share * (on_automatic(chosen, automatic, small) - automatic)
        return list(maps.permute(0, 2, 3, 1).contiguous().numpy())

    def _candidates(
        self, colorizer: Colorizer, encoding: Encoding, lightness: np.ndarray, count: int, seed: int
    ) -> Tensor:
        """Fields, S x 2 x h x w, of which `count` are to be chosen."""
        used = self.inference
        grey = colorizer.grey_features(lightness, encoding).to("cpu")
        rows, columns = (-(-side // FIELD_STEP) for side in (encoding.height, encoding.width))
        draw = Draw(max(used.candidates, 4 * count), seed, used.temperature)
        return used.gain * self.network.sample(grey, draw)[0, :, :, :rows, :columns]


def choose_fields(fields: Tensor, count: int, inner: float) -> list[int]:
    """Which `count` of S fields (S x 2 x h x w, ab) to show: none of them alike, typical ones first.

    Farthest-first traversal (Gonzalez 1985) by mean ab distance: the most typical field, then always the one farthest
    from all chosen ones. Its smallest distance is at least half of what any choice could have.

    Args:
        inner: 0..1, share of the fields, the most typical ones, that are chosen of; at least `count` are.
    """
    height, width = (min(COMPARED, length) for length in fields.shape[-2:])
    small = F.adaptive_avg_pool2d(fields, (height, width)).flatten(2)  # S x 2 x P
    apart = (small[:, None] - small[None]).square().sum(2).sqrt().mean(2)
    order = apart.mean(1).argsort(stable=True)[: max(count, round(inner * len(fields)))]
    apart = apart[order][:, order]
    chosen, nearest = [0], apart[0].clone()
    while len(chosen) < count:
        nearest[chosen] = -1.0  # alike ones may be at distance 0
        chosen.append(int(nearest.argmax()))
        nearest = torch.minimum(nearest, apart[chosen[-1]])
    return order[sorted(chosen)].tolist()


def on_automatic(fields: Tensor, automatic: Tensor, lightness: Tensor) -> Tensor:
    """Fields as detailed as the automatic colour: N x 2 x H x W.

    The difference between field and automatic colour is, in 3 x 3 cells, a linear function of lightness and automatic
    colour, whose coefficients are brought up (fast guided filter, He and Sun 2015): edges hold, textures stay.

    Args:
        fields: N x 2 x h x w, ab. automatic: 1 x 2 x H x W, ab; lightness: 1 x 1 x H x W; H at most FIELD_STEP x h.
    """
    height, width = automatic.shape[-2:]
    rows, columns = fields.shape[-2:]
    padding = (0, columns * FIELD_STEP - width, 0, rows * FIELD_STEP - height)
    automatic = F.pad(automatic, padding, mode="replicate")
    guide = torch.cat((F.pad(lightness, padding, mode="replicate"), automatic), 1) / GUIDE_UNIT
    low = F.avg_pool2d(guide, FIELD_STEP)
    difference = fields - F.avg_pool2d(automatic, FIELD_STEP)
    slopes, offsets = _fit(low, difference)
    size = automatic.shape[-2:]
    slopes = F.interpolate(slopes.flatten(1, 2), size, mode="bilinear").unflatten(1, (2, 3))
    offsets = F.interpolate(offsets, size, mode="bilinear")
    result = automatic + (slopes * guide[:, None]).sum(2) + offsets
    return result[..., :height, :width]


def _fit(guide: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
    """Ridge regression of values (N x 2 x h x w) on a guide (1 x 3 x h x w) in 3 x 3 windows; slopes averaged.

    Returns:
        slopes, N x 2 x 3 x h x w, and offsets, N x 2 x h x w.
    """
    mean, value_mean = _window_mean(guide), _window_mean(values)
    products = _window_mean((guide[:, :, None] * guide[:, None]).flatten(1, 2)).unflatten(1, (3, 3))
    covariance = (products - mean[:, :, None] * mean[:, None]).permute(0, 3, 4, 1, 2)  # 1 x h x w x 3 x 3
    cross = _window_mean((values[:, :, None] * guide[:, None]).flatten(1, 2)).unflatten(1, (2, 3))
    cross = (cross - value_mean[:, :, None] * mean[:, None]).permute(0, 3, 4, 2, 1)  # N x h x w x 3 x 2
    slopes = torch.linalg.solve(covariance + SMOOTHING * torch.eye(3), cross).permute(0, 4, 3, 1, 2)
    slopes = _window_mean(slopes.flatten(1, 2)).unflatten(1, (2, 3))
    return slopes, values - (slopes * guide[:, None]).sum(2)  # through the cell itself, which keeps its colour


def _window_mean(x: Tensor) -> Tensor:
    """Mean over 3 x 3, the border repeated."""
    return F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, 1)


def _build(card: ModelCard) -> FieldNetwork:
    """The network of a card with its checked weights.

    Raises:
        ModelError: the card's sizes are unusable or the weights are not those of such a network.
    """
    return with_weights(lambda: build_sampler(card.config), load_weights(card), card.name)


def _inference(card: ModelCard) -> DiverseInference:
    try:
        return DiverseInference(**card.config.get("inference", {}))
    except TypeError as error:
        raise ModelError(f"The model '{card.name}' cannot be used as its card says: {error}") from error
