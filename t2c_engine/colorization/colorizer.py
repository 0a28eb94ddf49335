"""Lightness and a palette to colour: hides the network, its padding and its device.

`encode` once, `colour` for as many palettes as wanted; an encoding is immutable and the object holds no state of its
own. Colour comes back at a quarter of the input's resolution or twice that; `guided_upsampling.render` puts it on the
picture. Must not import files, pictures or the trainer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from t2c_engine.color.lab import ab_bins
from t2c_engine.colorization.decoding import Decoding, decode_bins
from t2c_engine.colorization.hints import Hints
from t2c_engine.colorization.palette_extraction import extract_palettes, palette_of_points
from t2c_engine.devices import pick_device
from t2c_engine.errors import ModelError
from t2c_engine.models import ModelCard, find_model, load_weights
from t2c_engine.networks.colorizer import MULTIPLE, SCALE, ColorizerConfig, ColorizerNet, Condition, Features
from t2c_engine.palettes.palette import PALETTE_SIZE, Palette
from t2c_engine.pictures.resize import resize

VIVIDNESS = 1.85  # of the network's own colours made a palette, which are fainter than things are
MOST_VIVID = 45.0  # chroma up to which they are lifted; what is more vivid of itself stays as it is
DABBED = 0.3  # coverage from which a cell's colour counts among the dabs' own
MAX_PIXELS = 2048 * 2048  # of the network's input; more is refused rather than left to run out of memory


@dataclass(frozen=True, slots=True)
class Look:
    """A picture at one size as the decoder sees it. height, width: of the finest features without padding, in pixels.

    detail: the colour that comes back has so many times the height and width.
    """

    features: Features
    height: int
    width: int
    detail: int


@dataclass(frozen=True, slots=True)
class Encoding:
    """A picture as seen at one or several sizes, the largest first."""

    looks: tuple[Look, ...]

    @property
    def height(self) -> int:
        """Of the colour that comes back, in pixels."""
        return self.looks[0].height * self.looks[0].detail

    @property
    def width(self) -> int:
        """Of the colour that comes back, in pixels."""
        return self.looks[0].width * self.looks[0].detail


class Colorizer:
    """Colours lightness with palettes (M2), or by itself where no palette is given.

    Attributes:
        model: the model's name. short_side: the short side, in pixels, at which a picture should be encoded.

    Args:
        looks: the sizes, as parts of the input's, at which a picture is looked at; the colours are averaged. A small
            second look costs little and errs elsewhere.
    """

    def __init__(
        self,
        network: ColorizerNet,
        model: str,
        short_side: int,
        device: torch.device,
        looks: tuple[float, ...] = (1.0,),
    ) -> None:
        self.looks = looks
        self.model = model
        self.short_side = short_side
        self.device = device
        network = fuse_norms(network.eval()).to(device)
        self._network = network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    @classmethod
    def load(cls, model: str | None = None, device: str = "auto") -> Colorizer:
        """The installed model of that name, or the default one.

        Raises:
            ModelError: no such model, damaged weights, or weights that do not fit the network of the card.
            DeviceError: the device is not there.
        """
        chosen = pick_device(device)
        card = find_model("colorizer", model)
        looks = tuple(float(part) for part in card.config.get("looks", (1.0,)))
        return cls(build_network(card), card.name, int(card.config.get("short_side", 256)), chosen, looks)

    @torch.inference_mode()
    def encode(self, lightness: np.ndarray) -> Encoding:
        """Encode a picture once for any number of palettes.

        Args:
            lightness: h x w float32, 0..100, at about `short_side` px.

        Raises:
            ModelError: the input is larger than the network is meant for.
        """
        return Encoding(tuple(self._look(lightness, part) for part in self.looks))

    def _look(self, lightness: np.ndarray, part: float) -> Look:
        height, width = (max(SCALE, round(side * part / SCALE) * SCALE) for side in lightness.shape)
        if height * width > MAX_PIXELS:
            raise ModelError(f"The network's input of {width} x {height} px is too large; shrink the picture first.")
        lightness = resize(lightness, (height, width)) if lightness.shape != (height, width) else lightness
        light = torch.from_numpy(np.ascontiguousarray(lightness, dtype=np.float32))[None, None].to(self.device)
        padding = (0, -width % MULTIPLE, 0, -height % MULTIPLE)
        padded = F.pad(light, padding, mode="replicate").contiguous(memory_format=torch.channels_last)
        features = self._network.encode(padded)
        return Look(features, height // SCALE, width // SCALE, self._network.config.detail)

    @torch.inference_mode()
    def colour(
        self, encoding: Encoding, palettes: Sequence[Palette | None], hints: Hints | None = None
    ) -> list[np.ndarray]:
        """One ab map (`encoding`'s size x 2, float32, Lab units) a palette; None asks for the network's own colours.

        With `hints` (M4), whatever their size, every map has the dabs' colours where the dabs are, and what belongs to
        them follows. Without a palette the dabs' colours are one for the rest, beside the network's own.
        """
        if not palettes:
            return []
        parts = []
        for look in encoding.looks:
            condition = self._condition(look, palettes, hints)
            parts.append(self._network.decode(look.features.repeat(len(palettes)), condition).ab)
        return self._maps(encoding, parts, hints)

    @torch.inference_mode()
    def automatic(
        self, encoding: Encoding, decoding: Decoding = Decoding.VIVID, hints: Hints | None = None
    ) -> np.ndarray:
        """An ab map without any palette (M3); hints as in `colour`."""
        if decoding is Decoding.DIRECT:
            return self.colour(encoding, [None], hints)[0]
        if decoding is Decoding.VIVID:
            return self.colour(encoding, [self._vivid_palette(encoding, hints)], hints)[0]
        bins = self._tensor(ab_bins().astype(np.float32))
        parts = []
        for look in encoding.looks:
            prediction = self._network.decode(look.features, self._condition(look, [None], hints))
            parts.append(decode_bins(self._network.classify(prediction.features), bins, decoding))
        return self._maps(encoding, parts, hints)[0]

    def _vivid_palette(self, encoding: Encoding, hints: Hints | None) -> Palette:
        """The palette of the network's own colours, which doubt has made faint, at the vividness of pictures."""
        look = encoding.looks[0]
        lightness = look.features.lightness[:1, :, : look.height, : look.width].float().cpu()
        own = torch.from_numpy(self.colour(encoding, [None], hints)[0]).permute(2, 0, 1)[None]
        own = F.avg_pool2d(own, look.detail)
        chroma = own.square().sum(1, keepdim=True).sqrt().clamp(min=1e-3)
        vivid = (MOST_VIVID / chroma).clamp(1, VIVIDNESS) * own
        return Palette.from_lab(extract_palettes(torch.cat((lightness, vivid), 1), PALETTE_SIZE)[0].numpy())

    def _maps(self, encoding: Encoding, parts: Sequence[Tensor], hints: Hints | None) -> list[np.ndarray]:
        """B x 2 x h x w of every look, without padding, averaged, the dabs in it, as one array each."""
        size = (encoding.height, encoding.width)
        cropped = []
        for ab, look in zip(parts, encoding.looks, strict=True):
            times = ab.shape[2] // look.features.lightness.shape[2]  # 1 or `detail`
            cropped.append(ab[:, :, : look.height * times, : look.width * times])
        alike = [ab if ab.shape[2:] == size else F.interpolate(ab, size, mode="bilinear") for ab in cropped]
        maps = torch.stack(alike).mean(0).permute(0, 2, 3, 1).float().cpu().numpy()
        if hints is not None:
            small = hints.at_size(size)
            maps = maps + small.mask[..., None] * (small.ab - maps)
        return list(maps)

    def _condition(self, look: Look, palettes: Sequence[Palette | None], hints: Hints | None) -> Condition:
        colours = np.zeros((len(palettes), PALETTE_SIZE, 3), dtype=np.float32)
        mask = np.zeros((len(palettes), PALETTE_SIZE), dtype=np.float32)
        for row, palette in enumerate(palettes):
            if palette is not None:
                colours[row] = palette.to_size(PALETTE_SIZE).sorted().lab
                mask[row] = 1
        dabs = None
        if hints is not None:
            small = hints.at_size((look.height, look.width))
            own = self._dab_palette(look, small)
            for row, palette in enumerate(palettes):
                if palette is None:
                    colours[row, : len(own)], mask[row, : len(own)] = own, 1
            dabs = self._tensor(np.concatenate((small.ab, small.mask[..., None]), -1)).permute(2, 0, 1)[None]
            height, width = look.features.lightness.shape[-2:]
            dabs = F.pad(dabs, (0, width - look.width, 0, height - look.height))
            dabs = dabs.expand(len(palettes), -1, -1, -1)
        return Condition(self._tensor(colours), self._tensor(mask), dabs)

    def _dab_palette(self, look: Look, hints: Hints) -> np.ndarray:
        """n x 3 Lab: the dabs' colours at the lightness below them. Without a palette they are one for the picture."""
        lightness = look.features.lightness[0, 0, : look.height, : look.width].float().cpu()
        dabbed = torch.from_numpy(hints.mask >= DABBED)
        if not dabbed.any():
            return np.zeros((0, 3), np.float32)
        points = torch.cat((lightness[dabbed][:, None], torch.from_numpy(hints.ab)[dabbed]), 1)
        return palette_of_points(points, PALETTE_SIZE).numpy()

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(self.device)


def build_network(card: ModelCard) -> ColorizerNet:
    """The network of a card with its checked weights, float32.

    Raises:
        ModelError: the card's sizes are unusable or the weights are not those of such a network.
    """
    weights = {name: torch.from_numpy(array).float() for name, array in load_weights(card).items()}
    try:
        network = ColorizerNet(read_network_config(card.config.get("network", {})))
        network.load_state_dict(weights)
    except (RuntimeError, TypeError, ValueError) as error:
        raise ModelError(f"The model '{card.name}' cannot be built from its card: {error}") from error
    return network


def read_network_config(values: dict[str, Any]) -> ColorizerConfig:
    """A network's sizes from a card or a settings file, where tuples are lists.

    Raises:
        TypeError: it has sizes that there are not. A `sharpness` of 1, which meant nothing, is no such.
    """
    plain: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}
    if plain.get("sharpness") == 1:
        del plain["sharpness"]
    return ColorizerConfig(**plain)


def fuse_norms(network: ColorizerNet) -> ColorizerNet:
    """Fold every BatchNorm into the convolution before it; the network must be in eval mode."""
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Sequential) and len(child) == 2 and isinstance(child[1], nn.BatchNorm2d):
                setattr(module, name, fuse_conv_bn_eval(child[0], child[1]))  # type: ignore[arg-type]
    return network
