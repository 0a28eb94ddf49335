"""Figures of looks: is a toning the one asked for, do tonings differ, are they sharp, near the truth.

Goes through the engine's own doors (`Encoded`, `render`). Must not train anything but the judge of tonings.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.ndimage import gaussian_gradient_magnitude
from skimage.feature import canny

from t2c_engine.color.lab import fit_gamut, lab_to_srgb, srgb_to_lab
from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.colorization.encoded_picture import Encoded
from t2c_engine.colorization.looks import LookChoice, LookInfo, installed_looks
from t2c_engine.palettes.palette import Palette
from t2c_engine.pictures.picture import Picture
from t2c_engine.pictures.resize import resize
from t2c_engine.rendering.guided_upsampling import render
from trainer.common.perceptual import PerceptualDistance
from trainer.common.picture_data import L_UNIT, PictureSet, load_pictures
from trainer.common.run_log import track
from trainer.evaluation.color_metrics import EDGE_SIGMA, ab_error
from trainer.evaluation.colors import EvalPicture, network_size
from trainer.evaluation.looks.judge import LookFeatures, LookJudge
from trainer.looks.recognition import layer_distance
from trainer.looks.sorting import Domain, read_domains, sort_pictures, split_domains

FITTED, KEPT = 120, 50  # pictures of a domain that the judge is fitted to, and that it is tried on
CHANGED = 6  # of the latter, that are put through their own look
GRADIENT_SIGMA = 0.7  # px
Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TruePictures:
    """A domain's true pictures, Lab H x W x 3: those the judge is fitted to, and those kept from all training."""

    domain: Domain
    fitted: Sequence[np.ndarray]
    kept: Sequence[np.ndarray]


class DecodedPictures(Sequence[np.ndarray]):
    """Pictures of a set, Lab H x W x 3, each read when it is asked for."""

    def __init__(self, pictures: PictureSet, indices: np.ndarray) -> None:
        self._pictures, self._indices = pictures, indices

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return DecodedPictures(self._pictures, self._indices[place])
        light, ab = self._pictures.picture(int(self._indices[place]))
        full = resize(ab.astype(np.float32), (light.shape[0], light.shape[1]))
        return np.concatenate((light.astype(np.float32)[..., None] / L_UNIT, full), -1)


def true_pictures(pictures: PictureSet, domains: Sequence[Domain]) -> list[TruePictures]:
    """Pictures of every domain, as they were sorted for training."""
    used, kept = split_domains(sort_pictures(pictures, domains))
    return [
        TruePictures(
            one,
            DecodedPictures(pictures, _spread(used[one.name], FITTED)),
            DecodedPictures(pictures, _spread(kept[one.name], KEPT)),
        )
        for one in domains
    ]


def _spread(indices: np.ndarray, count: int) -> np.ndarray:
    return indices[np.linspace(0, len(indices) - 1, min(count, len(indices))).round().astype(int)]


class LookedAt:
    """One grey picture and its results, each rendered at full size, Lab H x W x 3."""

    def __init__(self, colorizer: Colorizer, lab: np.ndarray) -> None:
        lightness = np.ascontiguousarray(lab[..., 0], np.float32)
        grey = lab_to_srgb(np.stack((lightness, lightness * 0, lightness * 0), -1))
        self._picture = Picture(pixels=np.ascontiguousarray(grey[..., 1], dtype=np.float32))
        small = resize(lightness, network_size(lightness.shape, colorizer.short_side))
        self._encoded = Encoded(colorizer, small)

    def plain(self, palette: Palette | None = None) -> np.ndarray:
        """Automatic colours, or those of a palette."""
        return self._rendered(next(self._encoded.ab_maps([palette])), None)

    def look(self, name: str, ab: np.ndarray | None = None) -> np.ndarray:
        """Automatic colours (or H x W x 2 `ab`) under a look."""
        small = next(self._encoded.ab_maps([None]))
        before = small if ab is None else resize(ab, (small.shape[0], small.shape[1]))
        toned = self._encoded.toned(before, LookChoice(name))
        return self._rendered(toned.ab, toned.curve)

    def _rendered(self, ab: np.ndarray, curve: np.ndarray | None) -> np.ndarray:
        pixels = render(self._picture, ab, lightness=self._encoded.lightness, curve=curve)
        return srgb_to_lab(pixels)


def edge_strength(lab: np.ndarray, edges: np.ndarray) -> float:
    """Gradient of ab at edges of lightness over the spread of ab: how sharp colours are, however faint.

    Args:
        lab: H x W x 3. edges: H x W, bool.
    """
    gradient = np.hypot(*(gaussian_gradient_magnitude(lab[..., index], GRADIENT_SIGMA) for index in (1, 2)))
    spread = float(np.sqrt(lab[..., 1].var() + lab[..., 2].var()))
    return float(gradient[edges].mean()) / max(spread, 0.5)


def evaluate_looks(
    colorizer: Colorizer,
    pictures: Sequence[EvalPicture],
    truth: Sequence[TruePictures],
    perceptual: PerceptualDistance,
    others: Sequence[TruePictures] = (),
    features: Any = None,
) -> Figures:
    """Figures by name: of all tonings together ("tonings"), and of every look that `truth` and `others` name ("looks");
    of looks that are not installed, no more than whether the judge knows their true pictures.

    Args:
        pictures: that are turned grey and coloured. truth: true pictures of the tonings' domains.
        others: the same of other looks, which are not judged.
        features: of the judge of tonings; Lite2's if not given.
    """
    asked = {one.domain.name for one in (*truth, *others)}
    looks = [one for one in installed_looks() if one.name in asked]
    tonings = {one.domain.name: number for number, one in enumerate(truth)}
    judge = None
    if truth:
        judge = LookJudge.fit(features or LookFeatures.load(), _labelled(truth), len(truth))
    sums: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for picture in track(list(pictures), len(pictures), "looks"):
        for name, measure, value in _measure(colorizer, picture, looks, tonings, judge, perceptual):
            sums[name][measure].append(value)
    for number, one in enumerate(truth):
        assert judge is not None
        sums[one.domain.name]["judged_true"] = [float(judge.domain(lab_to_srgb(lab)) == number) for lab in one.kept]
    installed = {one.name for one in looks}
    for one in (one for one in (*truth, *others) if one.domain.name in installed):
        for measure, value in _own_kind(colorizer, one, perceptual):
            sums[one.domain.name][measure].append(value)
    return _summary(sums, tonings)


def _labelled(truth: Sequence[TruePictures]) -> Iterator[tuple[np.ndarray, int]]:
    """Pictures that the judge is fitted to, and the numbers of their domains."""
    for number, one in enumerate(truth):
        for lab in one.fitted:
            yield lab_to_srgb(lab), number


def _measure(
    colorizer: Colorizer,
    picture: EvalPicture,
    looks: Sequence[LookInfo],
    tonings: dict[str, int],
    judge: LookJudge | None,
    perceptual: PerceptualDistance,
) -> Iterator[tuple[str, str, float]]:
    """(look, measure, value) of one picture that is turned grey."""
    at = LookedAt(colorizer, picture.lab)
    automatic, paletted = at.plain(), at.plain(Palette.from_lab(picture.palette))
    results = {one.name: at.look(one.name) for one in looks}
    edges = canny(picture.lab[..., 0] / 100, sigma=EDGE_SIGMA)
    sharp = edge_strength(paletted, edges) if edges.any() else None
    shown = {name: lab_to_srgb(fit_gamut(lab)) for name, lab in results.items()}
    distance, *distances = _distances(perceptual, [lab_to_srgb(fit_gamut(automatic)), *shown.values()], picture.lab)
    for (name, lab), far in zip(results.items(), distances, strict=True):
        yield name, "perceptual", far
        yield name, "perceptual_automatic", distance
        yield name, "ab_from_automatic", float(ab_error(lab[..., 1:], automatic[..., 1:]).mean())
        yield name, "chroma", float(np.hypot(lab[..., 1], lab[..., 2]).mean())
        if sharp:
            yield name, "edges_to_palette", edge_strength(lab, edges) / sharp
        if judge is not None and name in tonings:
            yield name, "judged", float(judge.domain(shown[name]) == tonings[name])
    for one, other in combinations([name for name in results if name in tonings], 2):
        apart = float(ab_error(results[one][..., 1:], results[other][..., 1:]).mean())
        yield "pairs", f"{one} {other}", apart


def _own_kind(colorizer: Colorizer, truth: TruePictures, perceptual: PerceptualDistance) -> Iterator[tuple[str, float]]:
    """What a look does to true pictures of its domain: in their own colours, and turned grey."""
    name = truth.domain.name
    for lab in truth.kept[:CHANGED]:
        at = LookedAt(colorizer, lab)
        same = at.look(name, lab[..., 1:])
        yield "identity", float(ab_error(same[..., 1:], lab[..., 1:]).mean())
        colored = [lab_to_srgb(fit_gamut(one)) for one in (at.look(name), at.plain())]
        toned, automatic = _distances(perceptual, colored, lab)
        yield "own_perceptual", toned
        yield "own_perceptual_automatic", automatic


def _distances(perceptual: PerceptualDistance, results: Sequence[np.ndarray], true: np.ndarray) -> list[float]:
    """Perceptual distance of sRGB results from a true picture, Lab; its features are worked out once."""
    both = (lab_to_srgb(fit_gamut(true)), *results)
    pictures = [torch.from_numpy(one.astype(np.float32)).permute(2, 0, 1) for one in both]
    with torch.inference_mode():
        wanted = perceptual.features(pictures[0][None])
        return [float(layer_distance(perceptual.features(one[None]), wanted)) for one in pictures[1:]]


def _summary(sums: dict[str, dict[str, list[float]]], tonings: dict[str, int]) -> Figures:
    pairs = {pair: float(np.mean(values)) for pair, values in sums.pop("pairs", {}).items()}
    looks = {name: {key: float(np.mean(values)) for key, values in row.items()} for name, row in sums.items()}
    for row in looks.values():
        for key in [key for key in row if key.endswith("perceptual")]:
            row[f"{key}_to_automatic"] = row[key] / row[f"{key}_automatic"]
    ours = [looks[name] for name in tonings if "judged" in looks.get(name, {})]
    together: Figures = {}
    if ours:
        together = {key: float(np.mean([row[key] for row in ours])) for key in ours[0]}
        judged, true = (
            [sums[name][key] for name in tonings if key in looks[name]] for key in ("judged", "judged_true")
        )
        by_picture = np.mean(judged, 0)  # results of one picture are no independent sample
        together["judged_error"] = float(by_picture.std() / np.sqrt(len(by_picture)))
        together["judged_true_error"] = float(np.sqrt(sum(np.var(one) / len(one) for one in true))) / len(true)
        together |= {"pairs_mean": float(np.mean(list(pairs.values()))), "pairs_least": min(pairs.values())}
        together["least_pair"] = min(pairs, key=lambda pair: pairs[pair])
    return {"tonings": together, "looks": looks}


def evaluation_truth(data: Path, cache: Path, *files: Path) -> list[list[TruePictures]]:
    """True pictures of the domains of each TOML file, sorted out of the training shards.

    Raises:
        PictureError, UsageError: data is missing.
    """
    pictures = load_pictures(sorted((data / "images" / "train").glob("*-*.zip")), cache)
    return [true_pictures(pictures, read_domains(file)[0]) for file in files]
