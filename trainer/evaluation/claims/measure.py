"""Claims of documents 001 (Deshpande et al. 2017) and 003 (Xu et al. 2020), measured on validation pictures.

The shipped networks stand beside the layouts close to the papers. Goes through the engine's own doors. Must not import
networks or optimizers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from t2c_engine.color.lab import fit_gamut, lab_to_srgb
from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.colorization.diverse_colors import ColorFieldSampler
from t2c_engine.colorization.exemplar import ColorTransfer
from t2c_engine.pictures.resize import resize
from t2c_engine.rendering.guided_upsampling import render
from trainer.common.perceptual import PerceptualDistance
from trainer.common.picture_data import load_pictures
from trainer.common.run_log import track
from trainer.evaluation.colors import EvalPicture
from trainer.evaluation.diverse import CHOSEN, PLAIN, SEED, automatic_colors, mean_figures, plain_mixture, set_figures
from trainer.evaluation.exemplar import (
    AUTOMATIC,
    GREY,
    METHODS,
    REFINED,
    TRANSFER,
    Pair,
    measure_pair,
)
from trainer.exemplar.data import PreparedPictures, prepare
from trainer.exemplar.validation import KINDS, SETTINGS, held_out_pairs

SHIPPED_TRANSFER, PAPER_TRANSFER = "exemplar", "exemplar-xu"
SHIPPED_FIELDS, PAPER_FIELDS = "diverse-fields", "diverse-paper"
PAIRS, PICTURES = 16, 40  # of each kind of pair; that are colored diversely
FIELD_DRAWS = ("one", "draws", "set")  # the middle of the means; draws as they come; five chosen as a set

Rows = dict[str, dict[str, float]]  # method to measure to mean
Sums = dict[str, dict[str, list[float]]]


def measure_claims(
    colorizer: Colorizer, validation: Sequence[Path], cache: Path, perceptual: PerceptualDistance
) -> dict[str, Rows]:
    """Rows by table: KINDS of references, and "diverse". Methods of other models are "MODEL method".

    Args:
        validation: shards that nothing was trained on. cache: where decoded pictures and automatic colors are kept.

    Raises:
        ModelError: a model of PAPER_TRANSFER or PAPER_FIELDS is not installed. PictureError: a shard is missing.
    """
    transfers = [ColorTransfer.load(colorizer.encoder, colorizer.device, n) for n in (SHIPPED_TRANSFER, PAPER_TRANSFER)]
    samplers = [ColorFieldSampler.load(name) for name in (SHIPPED_FIELDS, PAPER_FIELDS)]
    pictures = load_pictures(validation, cache)
    prepared = prepare(pictures, np.arange(len(pictures.shapes)), colorizer, SETTINGS, cache / "claims.npz")
    tables = {kind: transfer_rows(colorizer, prepared, kind, transfers, perceptual) for kind in KINDS}
    return tables | {"diverse": diverse_rows(colorizer, prepared, samplers)}


def transfer_rows(
    colorizer: Colorizer,
    prepared: PreparedPictures,
    kind: str,
    transfers: Sequence[ColorTransfer],
    perceptual: PerceptualDistance,
) -> Rows:
    """Every method with the first of the transfers; transfer alone and refined with the others."""
    sums: Sums = defaultdict(lambda: defaultdict(list))
    pairs = list(held_out_pairs(prepared, kind, PAIRS))
    for position, reference in track(pairs, len(pairs), f"references, {kind}"):
        pair = Pair(as_eval_picture(*prepared.picture(position)), as_eval_picture(*reference))
        for transfer in transfers:
            colorizer.use_transfer(transfer)
            first = transfer is transfers[0]
            methods = METHODS if first else (TRANSFER, REFINED)
            for method, measure, value in measure_pair(colorizer, pair, perceptual, methods):
                sums[method if first else f"{transfer.model} {method}"][measure].append(value)
    return {method: {name: float(np.mean(v)) for name, v in row.items()} for method, row in sums.items()}


def diverse_rows(colorizer: Colorizer, prepared: PreparedPictures, samplers: Sequence[ColorFieldSampler]) -> Rows:
    """Automatic color, the plain mixture, and FIELD_DRAWS of every sampler: "MODEL one" ..."""
    sums: Sums = defaultdict(lambda: defaultdict(list))
    order = np.random.default_rng(0).permutation(len(prepared.indices))[:PICTURES]
    for position in track(order, len(order), "diverse"):
        picture = as_eval_picture(*prepared.picture(int(position)))
        for method, maps in _colorings(colorizer, picture, samplers):
            for measure, value in set_figures([render(picture.grey, ab) for ab in maps], picture).items():
                sums[method][measure].append(value)
    return mean_figures(sums)


def _colorings(
    colorizer: Colorizer, picture: EvalPicture, samplers: Sequence[ColorFieldSampler]
) -> Iterator[tuple[str, list[np.ndarray]]]:
    """(method, ab maps) of one picture."""
    encoding, small, automatic = automatic_colors(colorizer, picture)
    yield GREY, [np.zeros_like(automatic)]
    yield AUTOMATIC, [automatic]
    yield PLAIN, plain_mixture(colorizer, encoding, small, automatic)
    for sampler in samplers:
        used = sampler.inference
        means = ColorFieldSampler(sampler.network, sampler.model, replace(used, temperature=0.0))
        yield f"{sampler.model} one", means.draw(colorizer, encoding, small, 1, SEED)
        for how, as_set in zip(FIELD_DRAWS[1:], (False, True), strict=True):
            yield f"{sampler.model} {how}", sampler.draw(colorizer, encoding, small, CHOSEN, SEED, as_set)


def as_eval_picture(lightness: np.ndarray, ab: np.ndarray) -> EvalPicture:
    """A picture of the training data, H x W and H/2 x W/2 x 2, as the evaluation takes it; without a palette."""
    lab = fit_gamut(np.concatenate((lightness[..., None], resize(ab, lightness.shape)), -1).astype(np.float32))
    return EvalPicture("validation", lab_to_srgb(lab).astype(np.float32), lab, np.zeros((5, 3), np.float32))
