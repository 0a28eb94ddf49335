"""The papers' colour networks beside the shipped one, as in Bahng et al. 2018, 5.2: objects, birds and patterns.

Every method colours the same grey pictures from the same palettes and is put on them by the same upsampling. Must not
import networks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch.nn import functional as F

from t2c_engine.color.lab import lab_to_srgb, srgb_to_lab
from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.files import write_file
from t2c_engine.palettes.palette import Palette
from t2c_engine.palettes.swatches import png_bytes
from t2c_engine.pictures.resize import resize
from t2c_engine.rendering.guided_upsampling import render
from trainer.common.run_log import track
from trainer.evaluation.colors import (
    GREY,
    NEAREST,
    EvalPicture,
    Figures,
    against_truth,
    following,
    load_eval_pictures,
    means,
    network_size,
    other_palettes,
    references,
)
from trainer.papers.train_colorizer import load_method

GROUPS = {"objects": "imagenet_160", "birds": "imagenet_birds", "patterns": "dtd_patterns"}
MULTIPLE = 8  # sides of the papers' networks' input are multiples of this
SHEET_PICTURES, SHEET_SIDE = 6, 160  # pictures of each group on a sheet, and their side in px
CAPTION = 22  # px

Predict = Callable[[np.ndarray, Sequence[np.ndarray]], list[np.ndarray]]
"""h x w lightness and palettes (5 x 3 Lab each) to one small ab map a palette."""


def shipped_method(colorizer: Colorizer) -> Predict:
    def predict(lightness: np.ndarray, palettes: Sequence[np.ndarray]) -> list[np.ndarray]:
        encoding = colorizer.encode(resize(lightness, network_size(lightness.shape, colorizer.short_side)))
        return colorizer.color(encoding, [Palette.from_lab(lab) for lab in palettes])

    return predict


def paper_method(run: Path) -> Predict:
    """The network of a run of `trainer.papers.train_colorizer`, at the size that it was trained at.

    Raises:
        UsageError: the run has no checkpoint of such a network.
    """
    config, method = load_method(run)

    @torch.inference_mode()
    def predict(lightness: np.ndarray, palettes: Sequence[np.ndarray]) -> list[np.ndarray]:
        height, width = network_size(lightness.shape, config.crop)
        small = torch.from_numpy(resize(lightness, (height, width)))[None, None]
        small = F.pad(small, (0, -width % MULTIPLE, 0, -height % MULTIPLE), mode="replicate")
        ab = torch.cat([method.predict_ab(small, torch.from_numpy(lab).float()[None]) for lab in palettes])
        parts = small.shape[2] // ab.shape[2]
        ab = ab[:, :, : -(-height // parts), : -(-width // parts)]
        return list(ab.permute(0, 2, 3, 1).float().numpy())

    return predict


def compare_colors(
    colorizer: Colorizer, runs: Sequence[Path], data: Path, sheets: Path | None = None, limit: int | None = None
) -> dict[str, Figures]:
    """Group to method to figures; nearest lightness and grey beside.

    Args:
        runs: folders of `trainer.papers.train_colorizer`; each one's name is the method's.
        data: folder of the evaluation pictures.
        sheets: folder for a sheet a group, of evaluation pictures: not to be given away.
        limit: only so many pictures of a group.

    Raises:
        PictureError, UsageError: pictures or a run cannot be read.
    """
    methods = {"shipped": shipped_method(colorizer)} | {run.name: paper_method(run) for run in runs}
    figures = {}
    for group, folder in GROUPS.items():
        pictures = load_eval_pictures(data, (folder,), limit)
        figures[group] = _scored(methods, pictures)
        if sheets is not None:
            write_file(sheets / f"{group}.png", png_bytes(_sheet(methods, pictures[:SHEET_PICTURES])), overwrite=True)
    return figures


def _scored(methods: Mapping[str, Predict], pictures: Sequence[EvalPicture]) -> Figures:
    rows: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    pairs = list(zip(pictures, other_palettes(pictures), strict=True))
    for picture, given in track(pairs, len(pairs), "comparing"):
        for name, labs in _results(methods, picture, given):
            for measure, value in (*against_truth(labs[0], picture).items(), *following(given, labs[1:])):
                rows[name][measure].append(value)
        for name, lab in references(picture).items():
            for measure, value in against_truth(lab, picture).items():
                rows[name][measure].append(value)
    return means(rows)


def _results(
    methods: Mapping[str, Predict], picture: EvalPicture, given: Sequence[np.ndarray]
) -> Iterator[tuple[str, list[np.ndarray]]]:
    """(method, its results in Lab: with the true palette, then with the given ones)."""
    source = picture.grey
    for name, predict in methods.items():
        maps = predict(picture.lab[..., 0], [picture.palette, *given])
        yield name, [srgb_to_lab(render(source, ab)) for ab in maps]


def _sheet(methods: Mapping[str, Predict], pictures: Sequence[EvalPicture]) -> Image.Image:
    """A row a picture: true, grey, nearest lightness, each method with the true palette and with another's."""
    names = ["true", GREY, NEAREST, *(f"{name}, {which}" for name in methods for which in ("its palette", "another's"))]
    rows = []
    for picture, (other, *_) in zip(pictures, other_palettes(pictures), strict=True):
        plain = references(picture)
        pictures_of_row = [picture.rgb, *(lab_to_srgb(plain[name]) for name in (GREY, NEAREST))]
        for _, labs in _results(methods, picture, [other]):
            pictures_of_row += [lab_to_srgb(lab) for lab in labs]
        rows.append(np.concatenate([resize(rgb, (SHEET_SIDE, SHEET_SIDE)) for rgb in pictures_of_row], 1))
    pixels = (np.concatenate(rows).clip(0, 1) * 255).round().astype(np.uint8)
    sheet = Image.new("RGB", (pixels.shape[1], pixels.shape[0] + CAPTION), "white")
    sheet.paste(Image.fromarray(pixels), (0, CAPTION))
    draw = ImageDraw.Draw(sheet)
    for index, name in enumerate(names):
        draw.text((index * SHEET_SIDE + 4, 5), name, "black")
    return sheet
