"""Figures of diverse colourings as a set: the best of five, how far apart, how coherent, how colourful, recognised.

Goes through `Colorizer.variations` and `render`, as users do. Beside them: grey, the automatic colour, and draws from
the ab bins cell by cell, which is the plain mixture that document 001 (Deshpande et al. 2017) argues against.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
import torch

from t2c_engine.color.lab import srgb_to_lab
from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.colorization.diverse_colors import ColorFieldSampler, choose_fields, on_automatic
from t2c_engine.colorization.encoding import Encoding
from t2c_engine.networks.diverse import BINS_TEMPERATURE
from t2c_engine.pictures.resize import resize
from t2c_engine.rendering.guided_upsampling import render
from trainer.common.run_log import track
from trainer.evaluation.color_metrics import ab_error, colorfulness
from trainer.evaluation.colors import AUTOMATIC, GREY, TRUE, EvalPicture, Figures, network_size
from trainer.evaluation.judge import Judge

CHOSEN = 5  # colourings of a picture
SEED = 0
ALIKE = 1.0  # difference of L up to which neighbouring pixels look alike
PLAIN, PLAIN_DRAWS = "bins_by_cell", 48  # candidates of the plain mixture


def evaluate_diverse(
    colorizer: Colorizer,
    pictures: Sequence[EvalPicture],
    judge: Judge | None = None,
    models: Sequence[str] = (),
    plain: bool = True,
) -> Figures:
    """Means over the pictures, by method: "automatic", "grey", one a model, and the plain mixture.

    Measures: best_of_5, single (ab error); apart (mean pairwise ab distance); roughness (ab difference of neighbours
    that look alike); colourfulness_ratio; judge (share recognised, of every colouring). Ratios to the automatic colour
    are "best_to_automatic" and "roughness_to_automatic".

    Args:
        models: names of installed models of the kind "diverse"; the default one where none is named.
    """
    samplers = [ColorFieldSampler.load(name) for name in models or (None,)]
    sums: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for picture in track(pictures, len(pictures), "diverse"):
        shown: dict[str, np.ndarray] = {TRUE: picture.rgb}
        for method, maps in _colorings(colorizer, picture, samplers, plain):
            results = [render(picture.grey, ab) for ab in maps]
            shown |= {f"{method} {index}": rgb for index, rgb in enumerate(results)}
            for measure, value in set_figures(results, picture).items():
                sums[method][measure].append(value)
        if judge is not None:
            for name, verdict in judge.verdicts(picture.name, shown):
                sums[name.split(" ")[0]]["judge"].append(verdict)
    return mean_figures(sums)


def _colorings(
    colorizer: Colorizer, picture: EvalPicture, samplers: Sequence[ColorFieldSampler], plain: bool
) -> Iterator[tuple[str, list[np.ndarray]]]:
    """(method, ab maps) of one picture."""
    encoding, small, automatic = automatic_colors(colorizer, picture)
    yield GREY, [np.zeros_like(automatic)]
    yield AUTOMATIC, [automatic]
    for sampler in samplers:
        yield sampler.model, sampler.draw(colorizer, encoding, small, CHOSEN, SEED)
    if plain:
        yield PLAIN, plain_mixture(colorizer, encoding, small, automatic)


def automatic_colors(colorizer: Colorizer, picture: EvalPicture) -> tuple[Encoding, np.ndarray, np.ndarray]:
    """A picture's encoding, its lightness at the network's size (h x w, 0..100), and its automatic ab map."""
    lightness = picture.lab[..., 0]
    small = resize(lightness, network_size(lightness.shape, colorizer.short_side))
    encoding = colorizer.encode(small)
    return encoding, small, colorizer.automatic(encoding)


@torch.inference_mode()
def plain_mixture(
    colorizer: Colorizer, encoding: Encoding, lightness: np.ndarray, automatic: np.ndarray
) -> list[np.ndarray]:
    """Maps whose cells are drawn from the annealed ab bins one by one, chosen and brought up as fields are."""
    scale = encoding.scales[0]
    logits = scale.features.logits[0, :, : -(-scale.height // 2), : -(-scale.width // 2)].float().cpu()
    probable = (logits / BINS_TEMPERATURE).softmax(0).flatten(1).T
    generator = torch.Generator().manual_seed(SEED)
    drawn = torch.multinomial(probable, PLAIN_DRAWS, replacement=True, generator=generator)  # cells x draws
    fields = colorizer.bins.cpu()[drawn].permute(1, 2, 0).unflatten(2, logits.shape[1:])
    chosen = fields[choose_fields(fields, CHOSEN, 1.0)]
    light = torch.from_numpy(resize(lightness, (encoding.height, encoding.width)))[None, None]
    maps = on_automatic(chosen, torch.from_numpy(automatic).permute(2, 0, 1)[None], light)
    return list(maps.permute(0, 2, 3, 1).contiguous().numpy())


def set_figures(results: Sequence[np.ndarray], picture: EvalPicture) -> dict[str, float]:
    """Measures of one picture's colourings (H x W x 3 sRGB each) as a set."""
    abs_ = [srgb_to_lab(rgb)[..., 1:] for rgb in results]
    errors = [float(ab_error(ab, picture.lab[..., 1:]).mean()) for ab in abs_]
    figures = {
        "best_of_5": min(errors),
        "single": float(np.mean(errors)),
        "roughness": float(np.mean([roughness(ab, picture.lab[..., 0]) for ab in abs_])),
        "m3": float(np.mean([colorfulness(rgb) for rgb in results])),
        "m3_true": colorfulness(picture.rgb),
    }
    if len(abs_) > 1:
        figures["apart"] = float(np.mean([ab_error(a, b).mean() for a, b in combinations(abs_, 2)]))
    return figures


def roughness(ab: np.ndarray, lightness: np.ndarray) -> float:
    """Mean ab distance of neighbouring pixels whose lightness differs by at most ALIKE (H x W x 2, H x W); 0: none."""
    total, count = 0.0, 0
    for axis in (0, 1):
        alike = np.abs(np.diff(lightness, axis=axis)) <= ALIKE
        steps = np.linalg.norm(np.diff(ab, axis=axis), axis=-1)
        total += float(steps[alike].sum())
        count += int(alike.sum())
    return total / max(count, 1)


def mean_figures(sums: Mapping[str, Mapping[str, Sequence[float]]]) -> Figures:
    """Means of lists of measures, by method, and ratios to the automatic colour; "automatic" must be among them."""
    figures = {method: {name: float(np.mean(v)) for name, v in row.items()} for method, row in sums.items()}
    for row in figures.values():
        if "m3" in row:
            row["colourfulness_ratio"] = row.pop("m3") / row.pop("m3_true")
        if "best_of_5" in row:
            row["best_to_automatic"] = row["best_of_5"] / figures[AUTOMATIC]["best_of_5"]
            row["roughness_to_automatic"] = row["roughness"] / figures[AUTOMATIC]["roughness"]
    return figures
