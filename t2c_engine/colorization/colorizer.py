"""Lightness and a palette to colour: hides the network, its padding and its device.

`encode` once, `color` for as many palettes as wanted; an encoding is immutable and the object holds no state of its
own. ab comes back at half the input's resolution; `rendering.guided_upsampling.render` puts it on the picture.
Must not import files, pictures or the trainer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from t2c_engine.color.lab import ab_bins
from t2c_engine.colorization.color_styles import styled_weights
from t2c_engine.colorization.decoding import Decoding, decode_bins, vivid
from t2c_engine.colorization.encoding import EncodedScale, Encoding
from t2c_engine.colorization.hinting.maps import (
    beside_colors,
    hint_palette,
    pasted,
    spread_over,
    with_hints,
    with_plain,
)
from t2c_engine.colorization.hints import Hints
from t2c_engine.devices import pick_device, threads_for
from t2c_engine.errors import ModelError
from t2c_engine.models import ModelCard, find_model, load_weights
from t2c_engine.networks.ab_distribution import skin_or_blue
from t2c_engine.networks.colorizer import NATURAL_SKIN, ColorizerNet, Condition
from t2c_engine.networks.diverse import GreyFeatures, grey_features
from t2c_engine.networks.layers import fuse_norms, with_weights
from t2c_engine.networks.picture_encoder import SCALE, Features, read_network_config, with_tuples
from t2c_engine.networks.pretrained_encoder import MULTIPLE, PretrainedEncoder
from t2c_engine.palettes.palette import PALETTE_SIZE, Palette
from t2c_engine.palettes.style import StyleWeight
from t2c_engine.pictures.resize import resize

if TYPE_CHECKING:
    from t2c_engine.colorization.exemplar import ColorTransfer
    from t2c_engine.colorization.reference import Reference

MAX_PIXELS = 2048 * 2048  # of the network's input; more is refused rather than left to run out of memory


@dataclass(frozen=True, slots=True)
class InferenceConfig:
    """How a model is used; stored in its card, chosen on validation pictures.

    short_side: of the network's input, px. scales: sizes at which a picture is encoded, as parts of that input; the
    colours are averaged (multi-scale inference). score_scale: see `Condition`. chroma_gain: factor on palette colours'
    ab. vivid_gain, vivid_chroma: of `decoding.vivid`. vivid_calm: part of that gain which skin and blues go without,
    for their automatic chroma is nearly true. mirrored: automatic color is the mean of a picture's and its mirror
    image's.
    """

    short_side: int = 160
    scales: tuple[float, ...] = (1.0,)
    score_scale: float = 1.0
    chroma_gain: float = 1.0
    vivid_gain: float = 1.0
    vivid_chroma: float = 15.0
    vivid_calm: float = 0.0
    mirrored: bool = True


class Colorizer:
    """Colours lightness with palettes (Bahng et al. 2018), or by itself where no palette is given (Zhang et al. 2016).

    Attributes:
        model: the model's name. device: where the network runs. inference: how it is used.
    """

    def __init__(
        self, network: ColorizerNet, model: str, device: torch.device, inference: InferenceConfig | None = None
    ) -> None:
        self.model = model
        self.device = device
        self.inference = inference or InferenceConfig()
        torch.backends.mha.set_fastpath_enabled(False)  # slower than plain layers on processors, by a fifth
        network = fuse_norms(network.eval()).to(device)
        self._network = network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self._bins = torch.tensor(ab_bins(), device=device)
        self._transfer: ColorTransfer | None = None
        self._sampler: Any = None

    @classmethod
    def load(cls, model: str | None = None, device: str = "auto", styles: Sequence[StyleWeight] = ()) -> Colorizer:
        """The installed model of that name, or the default one, with colour styles applied to its weights.

        Raises:
            ModelError: no such model or style, damaged weights, weights that do not fit the network of the card, or a
                style that was trained on another model.
            DeviceError: the device is not there.
        """
        chosen = pick_device(device)
        card = find_model("colorizer", model)
        return cls(build_network(card, styles), card.name, chosen, read_inference_config(card))

    @property
    def short_side(self) -> int:
        """At which a picture should be encoded, px."""
        return self.inference.short_side

    @property
    def bins(self) -> Tensor:
        """Q x 2, centres of the ab bins."""
        return self._bins

    @property
    def encoder(self) -> PretrainedEncoder:
        """The pretrained encoder, whose features other networks rest on; not to be changed."""
        return self._network.encoder.pretrained

    @torch.inference_mode()
    def encode(self, lightness: np.ndarray) -> Encoding:
        """Encode a picture once for any number of palettes.

        Args:
            lightness: h x w float32, 0..100, at about `short_side` px.

        Raises:
            ModelError: the input is larger than the network is meant for.
        """
        with threads_for(lightness.size):
            return Encoding(tuple(self._encode_scale(lightness, part) for part in self.inference.scales))

    @torch.inference_mode()
    def encode_many(self, pictures: Sequence[np.ndarray]) -> list[Encoding]:
        """As `encode` of each; pictures of equal padded size go through the network together, which GPUs are made for.

        Raises:
            ModelError: one is larger than the network is meant for.
        """
        scales = [self._encode_scales(pictures, part) for part in self.inference.scales]
        return [Encoding(tuple(one)) for one in zip(*scales, strict=True)]

    def _encode_scales(self, pictures: Sequence[np.ndarray], part: float) -> list[EncodedScale]:
        """Every picture at one size, in order."""
        inputs = [self._network_input(one, part) for one in pictures]
        by_size: dict[torch.Size, list[int]] = {}
        for index, (light, _, _) in enumerate(inputs):
            by_size.setdefault(light.shape, []).append(index)
        found: dict[int, EncodedScale] = {}
        for indices in by_size.values():
            batch = torch.cat([inputs[index][0] for index in indices])
            features = self._network.encode(batch.contiguous(memory_format=torch.channels_last))
            for place, index in enumerate(indices):
                light, height, width = inputs[index]
                found[index] = EncodedScale(light, features.of(place), height // SCALE, width // SCALE)
        return [found[index] for index in range(len(inputs))]

    def _encode_scale(self, lightness: np.ndarray, part: float) -> EncodedScale:
        light, height, width = self._network_input(lightness, part)
        return EncodedScale(light, self._network.encode(light), height // SCALE, width // SCALE)

    def _network_input(self, lightness: np.ndarray, part: float) -> tuple[Tensor, int, int]:
        """1 x 1 x H x W, sides multiples of MULTIPLE, borders repeated; height and width without them."""
        height, width = (max(SCALE, round(side * part / SCALE) * SCALE) for side in lightness.shape)
        if height * width > MAX_PIXELS:
            raise ModelError(f"The network's input of {width} x {height} px is too large; shrink the picture first.")
        lightness = resize(lightness, (height, width)) if lightness.shape != (height, width) else lightness
        light = torch.from_numpy(np.ascontiguousarray(lightness, dtype=np.float32))[None, None].to(self.device)
        padding = (0, -width % MULTIPLE, 0, -height % MULTIPLE)
        padded = F.pad(light, padding, mode="replicate").contiguous(memory_format=torch.channels_last)
        return padded, height, width

    @torch.inference_mode()
    def grey_features(self, lightness: np.ndarray, encoding: Encoding) -> GreyFeatures:
        """What networks that draw colours are given of a picture; padded as the network's input is.

        Args:
            lightness: h x w float32, what was encoded. encoding: of it.
        """
        scale, part = encoding.scales[0], self.inference.scales[0]
        light, _, _ = self._network_input(lightness, part)
        return grey_features(light, self.encoder(light), scale.features, self._bins)

    @torch.inference_mode()
    def grey_features_of_batch(self, lightness: Tensor) -> GreyFeatures:
        """The same of B x 1 x H x W lightness, sides multiples of MULTIPLE."""
        light = lightness.to(self.device)
        return grey_features(light, self.encoder(light), self._network.encode(light), self._bins)

    @torch.inference_mode()
    def encoder_features(self, lightness: np.ndarray) -> tuple[Tensor, ...]:
        """What the pretrained encoder sees in h x w L: 1 x C x h' x w' at 1/4, 1/8, 1/16 and 1/32, padding cut off."""
        light, height, width = self._network_input(lightness, 1.0)
        with threads_for(lightness.size):
            levels = self.encoder(light)
        return tuple(
            level[..., : -(-height // step), : -(-width // step)]
            for level, step in zip(levels, (4, 8, 16, 32), strict=True)
        )

    @torch.inference_mode()
    def color(
        self,
        encoding: Encoding,
        palettes: Sequence[Palette | None],
        hints: Hints | None = None,
        natural: float = 0.0,
    ) -> list[np.ndarray]:
        """One ab map (`encoding`'s size x 2, float32, Lab units) a palette; None asks for automatic colour.

        Args:
            hints: of any size (Zhang et al. 2017); every map has their colours where they are, and their things
                follow. Without a palette their colours are one for the rest, beside the automatic colour.
            natural: 0..1, how far the automatic colour is kept where it is certain: up to NATURAL_SKIN on skin alone,
                beyond on sky and leaves, too.

        Raises:
            ValueError: natural is out of range.
        """
        if not 0 <= natural <= 1:
            raise ValueError(f"natural is {natural}; it must be between 0 and 1")
        if not palettes:
            return []
        with threads_for(len(palettes) * encoding.pixels):
            if hints is None or hints.reach is None:
                return pasted(self._decoded(encoding, palettes, hints, natural), hints)
            if None not in palettes:
                return beside_colors(encoding, self._decoded(encoding, palettes, None, natural), hints)
            if any(one is not None for one in palettes):
                return [self.color(encoding, [one], hints, natural)[0] for one in palettes]
            maps = self._decoded(encoding, palettes, hints, natural, also_plain=True)
            plain, hinted = maps[: len(palettes)], maps[len(palettes) :]
            return with_hints(encoding, plain, plain, hinted, hints)

    @torch.inference_mode()
    def automatic(
        self, encoding: Encoding, decoding: Decoding = Decoding.VIVID, hints: Hints | None = None
    ) -> np.ndarray:
        """An ab map without any palette (Zhang et al. 2016); hints as in `color`."""
        if decoding is Decoding.DIRECT and hints is not None:
            return self.color(encoding, [None], hints)[0]
        parts = []
        for scale in encoding.scales:
            if decoding in (Decoding.VIVID, Decoding.DIRECT):
                parts.append(self._automatic(scale, decoding))
            else:
                parts.append(decode_bins(scale.features.logits, self._bins, decoding))
        maps = encoding.maps(parts)
        if hints is None or hints.reach is None:
            return pasted(maps, hints)[0]
        plain, hinted = self._decoded(encoding, [None], hints, 0.0, also_plain=True)
        return with_hints(encoding, maps, [plain], [hinted], hints)[0]

    def _automatic(self, scale: EncodedScale, decoding: Decoding) -> Tensor:
        """1 x 2 x h x w: vivid or direct automatic color; the mirror image is another look at the same picture."""
        condition = self._condition(scale, [None], None, 0.0)

        def colors(features: Features) -> Tensor:
            if decoding is Decoding.DIRECT:
                return features.automatic
            return self._network.decode(features, condition).ab

        ab = colors(scale.features)
        if self.inference.mirrored:
            ab = (ab + colors(self._network.encode(scale.light.flip(-1))).flip(-1)) / 2
        if decoding is Decoding.DIRECT:
            return ab
        calm = self.inference.vivid_calm * skin_or_blue(scale.features.logits, ab)
        return vivid(ab, self.inference.vivid_gain, self.inference.vivid_chroma, calm)

    def _decoded(
        self,
        encoding: Encoding,
        palettes: Sequence[Palette | None],
        hints: Hints | None,
        natural: float,
        *,
        also_plain: bool = False,
    ) -> list[np.ndarray]:
        """One ab map a palette, as the network gives them; with `also_plain` those without the hints come before."""
        count, parts = len(palettes) * (1 + also_plain), []
        gains = [1.0 if palette is None else self.inference.chroma_gain for palette in palettes] * (1 + also_plain)
        for scale in encoding.scales:
            condition = self._condition(scale, palettes, hints, natural)
            if also_plain:
                condition = with_plain(self._condition(scale, palettes, None, natural), condition)
            ab = self._network.decode(scale.features.repeat(count), condition).ab
            parts.append(ab * torch.tensor(gains, device=ab.device)[:, None, None, None])
        return encoding.maps(parts)

    @property
    def transfer(self) -> ColorTransfer:
        """The transfer sub-net on this colorizer's encoder, loaded when it is first asked for.

        Raises:
            ModelError: it cannot be loaded.
        """
        if self._transfer is None:
            from t2c_engine.colorization.exemplar import ColorTransfer

            self._transfer = ColorTransfer.load(self.encoder, self.device)
        return self._transfer

    def use_transfer(self, transfer: ColorTransfer) -> None:
        """Take this transfer sub-net instead of the installed one."""
        self._transfer = transfer

    def like(
        self,
        encoding: Encoding,
        lightness: np.ndarray,
        references: Sequence[Reference],
        hints: Hints | None = None,
        natural: float = 0.0,
    ) -> list[np.ndarray]:
        """One ab map a reference, in its colors where they fit, elsewhere in automatic ones (Xu et al. 2020).

        Args:
            lightness: what was encoded. hints, natural: as in `color`, but skin takes the references' colours.

        Raises:
            ModelError: the transfer sub-net cannot be loaded.
        """
        from t2c_engine.colorization.exemplar import merged, sampled

        size, spacing = (encoding.height, encoding.width), self.transfer.inference.spacing
        natural = natural if natural > NATURAL_SKIN else 0.0
        direct = self.color(encoding, [None])[0]
        base = self.color(encoding, [None], None, natural)[0] if natural else self.automatic(encoding)
        maps = []
        for reference in references:
            moved = self.transfer.transfer(lightness, direct, reference)
            found = resize(moved.ab, size)
            if spacing:
                found = self.color(encoding, [None], sampled(moved, spacing), natural)[0]
            maps.append(merged(base, found, resize(moved.mask, size)))
        if hints is None or hints.reach is None:
            return pasted(maps, hints)
        return beside_colors(encoding, maps, hints)

    def variations(self, encoding: Encoding, lightness: np.ndarray, count: int, seed: int) -> list[np.ndarray]:
        """As `ColorFieldSampler.draw`, whose network is loaded when first wanted.

        Raises:
            ModelError: it cannot be loaded.
        """
        from t2c_engine.colorization.diverse_colors import ColorFieldSampler

        if self._sampler is None:
            self._sampler = ColorFieldSampler.load()
        return self._sampler.draw(self, encoding, lightness, count, seed)

    def _condition(
        self, scale: EncodedScale, palettes: Sequence[Palette | None], hints: Hints | None, natural: float
    ) -> Condition:
        colors = np.zeros((len(palettes), PALETTE_SIZE, 3), dtype=np.float32)
        mask = np.zeros((len(palettes), PALETTE_SIZE), dtype=np.float32)
        for row, palette in enumerate(palettes):
            if palette is not None:
                colors[row] = palette.to_size(PALETTE_SIZE).sorted().lab
                mask[row] = 1
        given = None
        if hints is not None:
            small = hints.at_size((scale.height, scale.width))
            own = hint_palette(scale, small)
            for row, palette in enumerate(palettes):
                if palette is None:
                    colors[row, : len(own)], mask[row, : len(own)] = own, 1
            small = spread_over(scale, small)
            given = self._tensor(np.concatenate((small.ab, small.mask[..., None]), -1)).permute(2, 0, 1)[None]
            height, width = scale.features.lightness.shape[-2:]
            given = F.pad(given, (0, width - scale.width, 0, height - scale.height))
            given = given.expand(len(palettes), -1, -1, -1)
        return Condition(self._tensor(colors), self._tensor(mask), given, natural, self.inference.score_scale)

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(self.device)


def build_network(card: ModelCard, styles: Sequence[StyleWeight] = ()) -> ColorizerNet:
    """The network of a card with its checked weights, float32, and colour styles applied.

    Raises:
        ModelError: the card's sizes are unusable, the weights are not those of such a network, or a style's not of it.
    """
    arrays = styled_weights(card, load_weights(card), styles)
    return with_weights(lambda: ColorizerNet(read_network_config(card.config.get("network", {}))), arrays, card.name)


def read_inference_config(card: ModelCard) -> InferenceConfig:
    """How the card says that its model is used.

    Raises:
        ModelError: it names a setting that there is not.
    """
    try:
        return InferenceConfig(**with_tuples(card.config.get("inference", {})))
    except TypeError as error:
        raise ModelError(f"The model '{card.name}' cannot be used as its card says: {error}") from error
