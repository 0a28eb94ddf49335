"""Figures of a colouriser on the evaluation pictures, beside grey and nearest lightness.

Goes through the engine's own doors (`Colorizer`, `render`) with its defaults: it measures what users get. Every picture
is reduced to 256 px on its short side; its palette is extracted by the one extraction. Must not import networks.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from t2c_engine.color.lab import fit_gamut, in_gamut, lab_to_srgb, srgb_to_lab
from t2c_engine.color.samples import full_scale
from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.colorization.decoding import Decoding
from t2c_engine.colorization.hints import Hints
from t2c_engine.errors import PictureError
from t2c_engine.palettes.palette import Palette, delta_e_2000
from t2c_engine.pictures.formats import READ_SUFFIXES
from t2c_engine.pictures.picture import Picture, read_picture
from t2c_engine.pictures.resize import resize
from t2c_engine.rendering.guided_upsampling import render
from t2c_engine.serving.protocol import DEFAULT_NATURAL
from trainer.colorizer.degradation import DegradationConfig, degraded
from trainer.common.perceptual import PerceptualDistance
from trainer.common.run_log import track
from trainer.evaluation.color_metrics import (
    ab_error,
    bleeding,
    colorfulness,
    fidelity,
    nearest_lightness,
    picture_palette,
    psnr,
)
from trainer.evaluation.judge import Judge
from trainer.evaluation.kinds import MeansByKind

SHORT_SIDE = 256
OTHERS = 5  # palettes of other pictures given to each
FOLDERS = ("imagenet_160", "imagenet_birds", "bsds500_test50", "cid22_val", "gb82_cc0", "dtd_patterns")
PALETTE, NEAREST, GREY, TRUE = "palette", "nearest_lightness", "grey", "true"
AUTOMATIC, DIRECT, BINS = "automatic", "automatic_direct", "automatic_bins"  # vivid, direct, the bins' mean
HINTS, DEGRADED = "automatic_hints", "palette_degraded"
HINT_COUNT, HINT_SIDE = 10, 7  # hints of a picture's true colours, and their side in px
DEGRADATION = DegradationConfig(*[0.5] * 7)  # of the pictures coloured as DEGRADED: about half of all defects on each


@dataclass(frozen=True, slots=True)
class EvalPicture:
    """A true picture at 256 px: rgb H x W x 3 (0..1), lab H x W x 3, palette 5 x 3 (Lab)."""

    name: str
    rgb: np.ndarray
    lab: np.ndarray
    palette: np.ndarray

    @property
    def grey(self) -> Picture:
        """What is to be coloured."""
        lightness = self.lab[..., 0]
        grey = lab_to_srgb(np.stack((lightness, lightness * 0, lightness * 0), -1))
        return Picture(pixels=np.ascontiguousarray(grey[..., 1], dtype=np.float32))


Figures = dict[str, dict[str, float]]  # method to measure to mean over the pictures


def load_eval_pictures(data: Path, folders: Sequence[str] = FOLDERS, limit: int | None = None) -> list[EvalPicture]:
    """The evaluation pictures; with `limit`, that many, evenly spread over the folders.

    Raises:
        PictureError: a folder is missing or empty, or a picture cannot be read.
    """
    paths: list[Path] = []
    for folder in folders:
        found = sorted(p for p in (data / folder).glob("*") if p.suffix.lower() in READ_SUFFIXES)
        if not found:
            raise PictureError(f"No evaluation picture was found in {data / folder}; name the data folder.")
        paths += found
    if limit is not None and limit < len(paths):
        paths = [paths[i] for i in np.linspace(0, len(paths) - 1, limit).round().astype(int)]
    return [_load(path) for path in track(paths, len(paths), "reading")]


def _load(path: Path) -> EvalPicture:
    pixels = read_picture(path).pixels
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, 2)
    factor = SHORT_SIDE / min(pixels.shape[:2])
    height, width = (max(SHORT_SIDE, round(side * factor)) for side in pixels.shape[:2])
    rgb = resize(pixels, (height, width)) / full_scale(pixels.dtype)
    lab = srgb_to_lab(rgb)
    return EvalPicture(f"{path.parent.name}/{path.name}", rgb, lab, picture_palette(lab))


def evaluate_colors(
    colorizer: Colorizer,
    pictures: Sequence[EvalPicture],
    perceptual: PerceptualDistance | None = None,
    judge: Judge | None = None,
    kinds: MeansByKind | None = None,
) -> Figures:
    """Means over the pictures of every measure, for every method.

    Methods: palette, the same seen through wear, automatic in three ways, with ten dabs, nearest lightness and grey.
    With `judge`, also how often a picture is recognised, in true colours too; `kinds` collects the ab error.
    """
    sums: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    pairs = list(zip(pictures, other_palettes(pictures), strict=True))
    for picture, given in track(pairs, len(pairs), "evaluating"):
        for method, measure, value in _measure(colorizer, picture, given, perceptual, judge):
            sums[method][measure].append(value)
            if kinds is not None and measure == "ab_error":
                kinds.add(picture.name, method, value)
    return means(sums)


def _measure(
    colorizer: Colorizer,
    picture: EvalPicture,
    given: Sequence[np.ndarray],
    perceptual: PerceptualDistance | None,
    judge: Judge | None = None,
) -> Iterator[tuple[str, str, float]]:
    """(method, measure, value) of one picture."""
    lightness = picture.lab[..., 0]
    source = picture.grey
    encoding = colorizer.encode(resize(lightness, network_size(lightness.shape, colorizer.short_side)))
    wanted: list[Palette] = [Palette.from_lab(picture.palette)]
    wanted += [Palette.from_lab(colours) for colours in given]
    rendered = [render(source, ab) for ab in colorizer.color(encoding, wanted, natural=DEFAULT_NATURAL)]
    labs = [srgb_to_lab(rgb) for rgb in rendered]
    alone = {
        AUTOMATIC: colorizer.automatic(encoding),
        DIRECT: colorizer.automatic(encoding, Decoding.DIRECT),
        BINS: colorizer.automatic(encoding, Decoding.MEAN),
        HINTS: colorizer.color(encoding, [None], random_hints(picture), DEFAULT_NATURAL)[0],
    }

    outputs = {name: srgb_to_lab(render(source, ab)) for name, ab in alone.items()}
    outputs |= {PALETTE: labs[0], **references(picture)}
    for method, lab in outputs.items():
        yield from ((method, measure, value) for measure, value in against_truth(lab, picture, perceptual).items())
    yield DEGRADED, "ab_error", _degraded_error(colorizer, picture)
    if judge is not None:
        shown = {TRUE: picture.rgb, **{method: lab_to_srgb(lab) for method, lab in outputs.items()}}
        yield from ((method, "judge", value) for method, value in judge.verdicts(picture.name, shown))

    yield from ((PALETTE, measure, value) for measure, value in following(given, labs[1:]))
    yield from ((PALETTE, name, value) for name, value in _lightness_kept(source, rendered[0], lightness).items())


def references(picture: EvalPicture) -> dict[str, np.ndarray]:
    """Nearest lightness and grey, H x W x 3 Lab each."""
    lightness = picture.lab[..., 0]
    plain = {NEAREST: nearest_lightness(lightness, picture.palette), GREY: np.zeros((*lightness.shape, 2))}
    return {
        name: fit_gamut(np.concatenate((lightness[..., None], ab), -1, dtype=np.float32)) for name, ab in plain.items()
    }


def following(given: Sequence[np.ndarray], labs: Sequence[np.ndarray]) -> Iterator[tuple[str, float]]:
    """("fidelity" or "contrast", value) of one picture's results (H x W x 3 Lab) under the given palettes (5 x 3)."""
    scores = [fidelity(colours, lab) for colours, lab in zip(given, labs, strict=True)]
    yield from (("fidelity", score) for score in scores if score is not None)
    if len(labs) > 1:
        pairs = pairwise(labs)
        yield "contrast", float(np.mean([ab_error(a[..., 1:], b[..., 1:]).mean() for a, b in pairs]))


def other_palettes(pictures: Sequence[EvalPicture]) -> list[list[np.ndarray]]:
    """For each picture the palettes of OTHERS random other ones."""
    rng = np.random.default_rng(0)
    chosen = []
    for index in range(len(pictures)):
        others = [i for i in range(len(pictures)) if i != index]
        picked = rng.choice(others, min(OTHERS, len(others)), replace=False)
        chosen.append([pictures[i].palette for i in picked])
    return chosen


def means(rows: Mapping[str, Mapping[str, Sequence[float]]]) -> Figures:
    """Method to measure to values, to their means; colourfulness and ab error also as ratios."""
    figures = {method: {name: float(np.mean(v)) for name, v in row.items()} for method, row in rows.items()}
    for row in figures.values():
        if "m3" in row:
            row["colourfulness_ratio"] = row.pop("m3") / row.pop("m3_true")
        if "ab_error" in row:
            row["ab_error_to_nearest"] = row["ab_error"] / figures[NEAREST]["ab_error"]
    return figures


def random_hints(picture: EvalPicture, count: int = HINT_COUNT) -> Hints:
    """Dabs of the true colours at random places, the same for the same picture."""
    rng = np.random.default_rng(zlib.crc32(picture.name.encode()))
    height, width = picture.lab.shape[:2]
    mask = np.zeros((height, width), np.float32)
    for _ in range(count):
        y, x = (int(rng.integers(0, side - HINT_SIDE)) for side in (height, width))
        mask[y : y + HINT_SIDE, x : x + HINT_SIDE] = 1
    return Hints((picture.lab[..., 1:] * mask[..., None]).astype(np.float32), mask)


def _degraded_error(colorizer: Colorizer, picture: EvalPicture) -> float:
    """ab error with the true palette where the network sees a worn scan; its colours are rendered on the clean one."""
    generator = torch.Generator().manual_seed(zlib.crc32(picture.name.encode()))
    clean = torch.from_numpy(np.ascontiguousarray(picture.lab[..., 0], np.float32))[None, None]
    scan = degraded(clean, DEGRADATION, generator)[0, 0].numpy()
    encoding = colorizer.encode(resize(scan, network_size(scan.shape, colorizer.short_side)))
    ab = colorizer.color(encoding, [Palette.from_lab(picture.palette)], natural=DEFAULT_NATURAL)[0]
    lab = srgb_to_lab(render(picture.grey, ab))
    return float(ab_error(lab[..., 1:], picture.lab[..., 1:]).mean())


def network_size(shape: tuple[int, ...], short_side: int) -> tuple[int, int]:
    """(height, width) of `shape` at that short side."""
    factor = short_side / min(shape)
    return round(shape[0] * factor), round(shape[1] * factor)


def against_truth(
    lab: np.ndarray, picture: EvalPicture, perceptual: PerceptualDistance | None = None
) -> dict[str, float]:
    """Every measure of a result (H x W x 3 Lab) against the true picture."""
    rgb = lab_to_srgb(lab)
    ab, true = lab[..., 1:], picture.lab[..., 1:]
    values = {
        "ab_error": float(ab_error(ab, true).mean()),
        "de00": float(delta_e_2000(lab, picture.lab).mean()),
        "psnr": psnr(rgb, picture.rgb),
        "m3": colorfulness(rgb),
        "m3_true": colorfulness(picture.rgb),
    }
    edge = bleeding(ab, true, picture.lab[..., 0])
    if edge is not None:
        values["bleeding"] = edge
    if perceptual is not None:
        with torch.inference_mode():
            pair = [
                torch.from_numpy(np.ascontiguousarray(p, np.float32)).permute(2, 0, 1)[None] for p in (rgb, picture.rgb)
            ]
            values["perceptual"] = float(perceptual(*pair))
    return values


def _lightness_kept(source: Picture, rendered: np.ndarray, lightness: np.ndarray) -> Mapping[str, float]:
    """|dL| of the result at 8 bit against the input, over pixels inside sRGB and over all."""
    lab = srgb_to_lab(np.round(rendered * 255).astype(np.float32) / 255)
    difference = np.abs(lab[..., 0] - lightness)
    inside = in_gamut(lab, tolerance=-1 / 255)  # pixels that no channel of touches 0 or 255
    return {
        "dL_mean": float(difference.mean()),
        "dL_max": float(difference.max()),
        "dL_mean_inside": float(difference[inside].mean()) if inside.any() else 0.0,
    }
