"""All figures in one place: palettes, colours, speed; as one nested dict and as a text to read.

Must not compute figures itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.palettes.sampler import PaletteSampler
from trainer.common.perceptual import PerceptualDistance
from trainer.evaluation.colors import evaluate_colors, load_eval_pictures
from trainer.evaluation.diverse import evaluate_diverse
from trainer.evaluation.exemplar import evaluate_exemplar
from trainer.evaluation.judge import Judge
from trainer.evaluation.kinds import MeansByKind
from trainer.evaluation.looks.figures import evaluate_looks, evaluation_truth
from trainer.evaluation.palettes import evaluate_palettes
from trainer.evaluation.speed import network_speed
from trainer.evaluation.words import evaluate_words

Figures = dict[str, Any]

CONFIGS = Path(__file__).parents[1] / "configs"
CACHE = Path("cache")  # of decoded pictures
LOOK_FOLDERS = ("imagenet_160", "bsds500_test50", "cid22_val", "gb82_cc0")
LOOK_STEP = 12  # one picture in so many of LOOK_FOLDERS has every look: 23, about 4 minutes of one core


def evaluate_all(
    data: Path,
    *,
    only: str | None = None,
    limit: int | None = None,
    palette_model: str | None = None,
    colorizer: str | None = None,
    device: str = "cpu",
    judged: bool = True,
    diverse_models: Sequence[str] = (),
) -> Figures:
    """Figures by part ("palettes", "colors", "diverse", "exemplar", "looks", "speed"), or of `only` one.

    `limit` takes fewer texts and pictures. "kinds" comes with "colors": the ab error of every method by kind of
    picture. `judged` adds the judge's accuracy.

    Raises:
        ModelError, UsageError, PictureError: a model or data is missing.
    """
    figures: Figures = {}
    if only in (None, "palettes"):
        sampler = PaletteSampler.load(palette_model)
        figures["palettes"] = evaluate_palettes(sampler, data, limit=limit).as_json()
        figures["words"] = evaluate_words(sampler, data, limit=limit)
    if only in (None, "colors"):
        judge, kinds = Judge.load() if judged else None, MeansByKind()
        pictures = load_eval_pictures(data / "images" / "eval", limit=limit)
        perceptual = PerceptualDistance(data / "nets" / "squeezenet_v1.0.npz")
        figures["colors"] = evaluate_colors(Colorizer.load(colorizer, device), pictures, perceptual, judge, kinds)
        figures["kinds"] = kinds.figures()
    if only in (None, "diverse"):
        judge = Judge.load() if judged else None
        pictures = load_eval_pictures(data / "images" / "eval", limit=limit)
        figures["diverse"] = evaluate_diverse(Colorizer.load(colorizer, device), pictures, judge, diverse_models)
    if only in (None, "looks"):
        figures["looks"] = look_figures(data, Colorizer.load(colorizer, device), limit)
    if only in (None, "exemplar"):
        perceptual = PerceptualDistance(data / "nets" / "squeezenet_v1.0.npz")
        figures["exemplar"] = evaluate_exemplar(
            Colorizer.load(colorizer, device), data / "images" / "eval", perceptual, limit=limit
        )
    if only in (None, "speed"):
        figures["speed"] = network_speed(Colorizer.load(colorizer, device))
    return figures


def look_figures(data: Path, colorizer: Colorizer, limit: int | None) -> Figures:
    """Figures of the looks installed; nothing where there are none. Pictures: one in LOOK_STEP of LOOK_FOLDERS."""
    pictures = load_eval_pictures(data / "images" / "eval", LOOK_FOLDERS, limit)[::LOOK_STEP]
    tonings, others = evaluation_truth(data, CACHE, CONFIGS / "tonings.toml", CONFIGS / "looks.toml")
    perceptual = PerceptualDistance(data / "nets" / "squeezenet_v1.0.npz")
    return evaluate_looks(colorizer, pictures, tonings, perceptual, others)


def figures_text(figures: Mapping[str, Any], indent: int = 0) -> str:
    """Nested figures as indented lines."""
    lines = []
    for name, value in figures.items():
        if isinstance(value, Mapping):
            lines += [" " * indent + name, figures_text(value, indent + 2)]
        else:
            shown = f"{value:.3f}" if isinstance(value, float) else str(value)
            lines.append(f"{' ' * indent}{name:<{28 - indent}} {shown}")
    return "\n".join(lines)
