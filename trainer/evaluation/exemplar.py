"""Figures of color from a reference: pairs, the picture itself mirrored and regraded, unrelated references, time.

Goes through the engine's own doors (`Colorizer.like`, `render`). Must not import networks.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from t2c_engine.color.lab import lab_to_srgb, srgb_to_lab
from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.colorization.encoding import Encoding
from t2c_engine.colorization.reference import LEAST_CHROMA, Reference, reference_of
from t2c_engine.errors import PictureError
from t2c_engine.palettes.palette import Palette
from t2c_engine.pictures.picture import Picture
from t2c_engine.pictures.resize import resize
from t2c_engine.rendering.guided_upsampling import render
from trainer.common.perceptual import PerceptualDistance
from trainer.common.run_log import track
from trainer.evaluation.color_metrics import ab_error, colorfulness, histogram_distance, picture_palette
from trainer.evaluation.colors import EvalPicture, load_eval_pictures, network_size

PAIRS, OWN, UNRELATED = "exemplar_pairs", "bsds500_test50", "dtd_patterns"  # folders; of unrelated references the last
OWN_COUNT, UNRELATED_COUNT = 25, 20
GREY, AUTOMATIC, PALETTE, TRANSFER, REFERENCE = "grey", "automatic", "palette", "transfer", "reference"
REFINED, SPACING = "reference_refined", 3  # by the colorizer, from samples of `T_ab` as hints, as in the paper
METHODS = (GREY, AUTOMATIC, PALETTE, TRANSFER, REFERENCE, REFINED)
HISTOGRAM_SIDE = 64  # px of the short side of what histograms are taken of
TIMED_SIDE, TIMED_RUNS = 256, 7
TONE, GAIN, SHIFT = 0.25, 0.2, 3.0  # of regrading: exponent and chroma (natural logarithms, at most), ab units


@dataclass(frozen=True, slots=True)
class Pair:
    """A picture to color, another whose colors it takes, and whether the target's own colors are known."""

    target: EvalPicture
    reference: EvalPicture
    true: bool = True


Figures = dict[str, Any]


def evaluate_exemplar(
    colorizer: Colorizer, data: Path, perceptual: PerceptualDistance, limit: int | None = None
) -> Figures:
    """Means by set of pairs, method and measure; and seconds.

    Methods: grey; automatic; the reference's palette; transfer alone (`T_ab` everywhere); the reference as users get
    it; the same refined by the colorizer. "histogram" is the distance between the result's colors and the reference's.

    Args:
        data: the folder of the evaluation pictures. limit: so many pairs a set, for a look.

    Raises:
        PictureError: a folder is missing. ModelError: there is no transfer sub-net.
    """
    figures: Figures = {}
    for name, pairs in pair_sets(data).items():
        chosen = pairs[:limit]
        sums: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        for pair in track(chosen, len(chosen), name):
            for method, measure, value in measure_pair(colorizer, pair, perceptual):
                sums[method][measure].append(value)
        figures[name] = {"pairs": len(chosen)} | {method: _means(row) for method, row in sums.items()}
    figures["time"] = transfer_seconds(colorizer)
    return figures


def pair_sets(data: Path) -> dict[str, list[Pair]]:
    """Pairs of files each way (a grey one is no reference); pictures with themselves; with unrelated ones."""
    pictures = load_eval_pictures(data, (PAIRS,))
    couples = list(zip(pictures[::2], pictures[1::2], strict=True))
    pairs = [Pair(a, b, not is_grey(a)) for one in couples for a, b in (one, one[::-1]) if not is_grey(b)]
    own = load_eval_pictures(data, (OWN,), limit=OWN_COUNT)
    rng = np.random.default_rng(0)
    patterns = load_eval_pictures(data, (UNRELATED,))
    chosen = rng.permutation(len(own))[:UNRELATED_COUNT], rng.permutation(len(patterns))[:UNRELATED_COUNT]
    return {
        "pairs": pairs,
        "own": [Pair(one, mirrored_and_regraded(one, rng)) for one in own],
        "unrelated": [Pair(own[a], patterns[b]) for a, b in zip(*chosen, strict=True)],
    }


def is_grey(picture: EvalPicture) -> bool:
    """Whether the true colors of a picture are not known."""
    return float(np.linalg.norm(picture.lab[..., 1:], axis=-1).mean()) < LEAST_CHROMA / 2


def mirrored_and_regraded(picture: EvalPicture, rng: np.random.Generator) -> EvalPicture:
    """The picture the other way round, with another tone curve, chroma and white balance."""
    lab = picture.lab[:, ::-1].copy()
    lab[..., 0] = 100 * (lab[..., 0] / 100) ** np.exp(rng.uniform(-TONE, TONE))
    lab[..., 1:] = lab[..., 1:] * np.exp(rng.uniform(-GAIN, GAIN)) + rng.normal(0, SHIFT, 2)
    rgb = lab_to_srgb(lab).astype(np.float32)
    return EvalPicture(f"{picture.name} regraded", rgb, srgb_to_lab(rgb), picture.palette)


def measure_pair(
    colorizer: Colorizer, pair: Pair, perceptual: PerceptualDistance, methods: Sequence[str] = METHODS
) -> Iterator[tuple[str, str, float]]:
    """(method, measure, value) of one pair, by these methods; nothing where the reference cannot be used."""
    target, lightness = pair.target, pair.target.lab[..., 0]
    try:
        reference = reference_of(Picture(pair.reference.rgb.astype(np.float32)), pair.reference.name)
    except PictureError:
        return
    small = resize(lightness, network_size(lightness.shape, colorizer.short_side))
    maps = method_maps(colorizer, colorizer.encode(small), small, reference, pair.reference.lab)
    wanted = _small(pair.reference.lab)[..., 1:]
    for method in methods:
        lab = srgb_to_lab(render(target.grey, maps[method]()))
        yield method, "histogram", histogram_distance(_small(lab)[..., 1:], wanted)
        yield method, "colorfulness", colorfulness(lab_to_srgb(lab))
        if pair.true:
            yield method, "ab_error", float(ab_error(lab[..., 1:], target.lab[..., 1:]).mean())
            yield method, "perceptual", _perceptual(perceptual, lab_to_srgb(lab), target.rgb)


def method_maps(
    colorizer: Colorizer, encoding: Encoding, small: np.ndarray, reference: Reference, lab: np.ndarray
) -> Mapping[str, Callable[[], np.ndarray]]:
    """What makes the ab map of every method of METHODS; `lab`: of the reference, for its palette."""
    size = (encoding.height, encoding.width)
    direct = colorizer.color(encoding, [None])[0]
    return {
        GREY: lambda: np.zeros_like(direct),
        AUTOMATIC: lambda: colorizer.automatic(encoding),
        PALETTE: lambda: colorizer.color(encoding, [Palette.from_lab(picture_palette(lab))])[0],
        TRANSFER: lambda: resize(colorizer.transfer.transfer(small, direct, reference).ab, size),
        REFERENCE: lambda: colorizer.like(encoding, small, [reference])[0],
        REFINED: lambda: _refined(colorizer, encoding, small, reference),
    }


def _refined(colorizer: Colorizer, encoding: Encoding, small: np.ndarray, reference: Reference) -> np.ndarray:
    """ab map with refinement as in the paper, however the model is used."""
    used = colorizer.transfer.inference
    try:
        colorizer.transfer.inference = replace(used, spacing=SPACING)
        return colorizer.like(encoding, small, [reference])[0]
    finally:
        colorizer.transfer.inference = used


def transfer_seconds(colorizer: Colorizer) -> dict[str, float]:
    """Medians of whole results at TIMED_SIDE px, warm: wall clock and processor time."""
    rng = np.random.default_rng(0)
    pictures = [rng.random((TIMED_SIDE, TIMED_SIDE, 3), dtype=np.float32) for _ in range(TIMED_RUNS + 1)]
    target = Picture(pictures[0][..., 1])
    lightness = srgb_to_lab(pictures[0])[..., 0]
    rows: dict[str, list[float]] = defaultdict(list)
    for index, pixels in enumerate(pictures):
        started, busy = time.perf_counter(), time.process_time()
        small = resize(lightness, (colorizer.short_side, colorizer.short_side))
        reference = reference_of(Picture(pixels), "")
        render(target, colorizer.like(colorizer.encode(small), small, [reference])[0])
        if index:
            rows["wall"].append(time.perf_counter() - started)
            rows["processor"].append(time.process_time() - busy)
    return {name: median(values) for name, values in rows.items()}


def _small(lab: np.ndarray) -> np.ndarray:
    return resize(lab, network_size(lab.shape[:2], HISTOGRAM_SIDE))


def _perceptual(perceptual: PerceptualDistance, rgb: np.ndarray, true: np.ndarray) -> float:
    with torch.inference_mode():
        pair = [torch.from_numpy(np.ascontiguousarray(p, np.float32)).permute(2, 0, 1)[None] for p in (rgb, true)]
        return float(perceptual(*pair))


def _means(row: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {measure: float(np.mean(values)) for measure, values in row.items()}
