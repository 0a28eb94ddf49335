"""Looks: colours of a picture changed to those of a kind of photographs, by name (CycleGAN, StarGAN).

A look model is a file with one look (`t2c-train look`) or several (`t2c-train tonings`). A look comes after the
colours of a palette or the automatic ones. Must not import torch at module level, files or the command line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from t2c_engine.errors import ModelError, UsageError
from t2c_engine.models import ModelCard, load_weights, read_card, scan_models
from t2c_engine.pictures.resize import resize
from t2c_engine.serving.protocol import MAX_STRENGTH

if TYPE_CHECKING:
    from torch import Tensor

    from t2c_engine.networks.look_generator import LookGenerator

KIND = "look"


@dataclass(frozen=True, slots=True)
class LookInfo:
    """name: what a user asks for. title: for lists. model: of which it is a part; index: its label there.

    natural: how far along the network's change a strength of 1 goes, more than 0 and up to MAX_STRENGTH.
    """

    name: str
    title: str
    model: str
    index: int = 0
    natural: float = 1.0


@dataclass(frozen=True, slots=True)
class LookChoice:
    """A look and how strong: 0 the colours without it, 1 the look, up to MAX_STRENGTH beyond it.

    Raises:
        UsageError: the strength is out of range.
    """

    name: str
    strength: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= MAX_STRENGTH:
            raise UsageError(f"The strength {self.strength} is out of range; give 0 to {MAX_STRENGTH:g}.")


@dataclass(frozen=True, slots=True)
class Toned:
    """ab: h x w x 2, Lab units, under the look. curve: the L (0..100) that evenly spaced L become, rising."""

    ab: np.ndarray
    curve: np.ndarray


def installed_looks() -> tuple[LookInfo, ...]:
    """Every look of every look model that can be read; a name found twice counts where it is found first."""
    found: dict[str, LookInfo] = {}
    for card in scan_models()[0]:
        if card.kind == KIND:
            for one in looks_of(card):
                found.setdefault(one.name, one)
    return tuple(found.values())


def looks_of(card: ModelCard) -> tuple[LookInfo, ...]:
    """The looks that a card names; none where it names them wrongly."""
    listed = card.config.get("looks")
    if not isinstance(listed, list | tuple):
        return ()
    named = [
        LookInfo(one["name"], str(one.get("title") or one["name"]), card.name, index, float(one.get("natural", 1.0)))
        for index, one in enumerate(listed)
        if isinstance(one, dict) and isinstance(one.get("name"), str) and one["name"] and _is_natural(one)
    ]
    return tuple(named)


def _is_natural(look: Mapping[str, Any]) -> bool:
    """Whether a card's look has a natural strength that can be used."""
    value = look.get("natural", 1.0)
    return isinstance(value, int | float) and 0 < value <= MAX_STRENGTH


def find_look(name: str) -> LookInfo:
    """The look of that name.

    Raises:
        UsageError: there is none, with the names that there are.
    """
    looks = installed_looks()
    for one in looks:
        if one.name == name:
            return one
    there = ", ".join(one.name for one in looks) or "none"
    raise UsageError(f"No look is called '{name}'; there are: {there}. See 't2c looks'.")


class Look:
    """One look, ready for use on the CPU; holds no state of pictures."""

    def __init__(self, info: LookInfo, network: LookGenerator) -> None:
        self.info = info
        self._network = network

    @classmethod
    def load(cls, name: str) -> Look:
        """An installed look; its network is kept.

        Raises:
            UsageError: no look is called so. ModelError: its file is damaged or of another kind.
        """
        info = find_look(name)
        card = next(one for one in scan_models()[0] if one.kind == KIND and one.name == info.model)
        return cls(info, _network(card.folder / f"{card.name}.json", card.sha256))

    def apply(self, lightness: np.ndarray, ab: np.ndarray, features: Sequence[Tensor], strength: float = 1.0) -> Toned:
        """A picture under the look.

        Args:
            lightness: h x w, 0..100, of any size. ab: h' x w' x 2, the colours before; the result has its size.
            features: `Colorizer.encoder_features` of the picture. strength: as of `LookChoice`.
        """
        import torch

        from t2c_engine.devices import threads_for
        from t2c_engine.networks.look_generator import FEATURE_LEVEL

        config, strength = self._network.config, strength * self.info.natural
        size = network_size((ab.shape[0], ab.shape[1]), config.side, 2**config.levels)
        label = torch.zeros(1, config.targets)
        label[0, self.info.index] = 1
        with torch.inference_mode(), threads_for(ab.shape[0] * ab.shape[1]):
            small = [_tensor(resize(part, size)) for part in (lightness, ab)]
            seen = features[FEATURE_LEVEL].float().cpu() if config.features else None
            transform = self._network(*small, seen, label)
            light, colors = _tensor(resize(lightness, (ab.shape[0], ab.shape[1]))), _tensor(ab)
            start = colors if config.base == "automatic" else torch.zeros_like(colors)
            look = transform.colors(light, start)
            result = (colors + strength * (look - colors))[0].permute(1, 2, 0).numpy()
        even = np.linspace(0, 100, config.knots, dtype=np.float32)
        curve = even + np.float32(min(strength, 1.0)) * (transform.curve[0].numpy() - even)  # twice as far is black
        return Toned(result, np.maximum.accumulate(np.clip(curve, 0, 100)))


def network_size(size: tuple[int, int], side: int, multiple: int) -> tuple[int, int]:
    """The generator's input for a picture of that shape: `side` px on the short side, multiples of `multiple`."""
    short = min(size)
    height, width = (max(multiple, round(one * side / short / multiple) * multiple) for one in size)
    return min(height, 4 * side), min(width, 4 * side)


@lru_cache(maxsize=16)
def _network(card: Path, sha256: str) -> LookGenerator:
    """The network of a card's file; `sha256` is there so that other weights of the same name are read anew."""
    known = read_card(card)
    return look_network(known, load_weights(known))


def look_network(card: ModelCard, tensors: Mapping[str, np.ndarray]) -> LookGenerator:
    """The generator of a card with these weights, float32.

    Raises:
        ModelError: the card's sizes are unusable, it names no looks or too many, or the weights do not fit.
    """
    import torch

    from t2c_engine.networks.look_generator import LookConfig, LookGenerator

    wrong = f"The weights of the look '{card.name}' do not fit its card; install it again."
    looks = looks_of(card)
    try:
        config = LookConfig(**card.config.get("network", {}))
        with torch.device("meta"):  # sizes that lie cost no memory
            network = LookGenerator(config)
        known = {name: tuple(one.shape) for name, one in network.state_dict().items()}
        if known != {name: array.shape for name, array in tensors.items()} or not 0 < len(looks) <= config.targets:
            raise ModelError(wrong)
        network = LookGenerator(config)
        network.load_state_dict({name: torch.from_numpy(array).float() for name, array in tensors.items()})
    except (RuntimeError, TypeError, ValueError) as error:
        raise ModelError(wrong) from error
    if not all(bool(one.isfinite().all()) for one in network.state_dict().values()):
        raise ModelError(f"The weights of the look '{card.name}' are not finite; install it again.")
    return network.eval()


def _tensor(array: np.ndarray) -> Tensor:
    """h x w or h x w x C to 1 x C x h x w float32."""
    import torch

    tensor = torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
    return tensor[None, None] if tensor.ndim == 2 else tensor.permute(2, 0, 1)[None]
