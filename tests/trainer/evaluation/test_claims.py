"""The table of the documents' claims: its rows on pictures made on the spot, and what is written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.colorization.diverse_colors import ColorFieldSampler, DiverseInference
from t2c_engine.colorization.exemplar import ColorTransfer
from t2c_engine.networks.colorizer import ColorizerNet
from t2c_engine.networks.diverse import LowRankFields
from t2c_engine.networks.exemplar import ExemplarConfig, ExemplarNet
from tests.small_network import SMALL
from trainer.common.picture_data import load_pictures
from trainer.evaluation.claims import measure as claims
from trainer.evaluation.claims.measure import diverse_rows, transfer_rows
from trainer.evaluation.claims.tables import TRANSFER_NAMES, claims_tables
from trainer.exemplar.data import PreparedPictures, prepare
from trainer.exemplar.validation import KINDS, SETTINGS

COUNT = 3


class NoDistance:
    def __call__(self, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return (one - other).abs().mean()[None]


@pytest.fixture(scope="module")
def colorizer() -> Colorizer:
    torch.manual_seed(0)
    network = ColorizerNet(SMALL)
    torch.nn.init.normal_(network.encoder.automatic.weight, std=0.3)
    return Colorizer(network, "small", torch.device("cpu"))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, colorizer: Colorizer) -> PreparedPictures:
    folder, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for index in range(COUNT):
        light = np.asarray(Image.fromarray(rng.integers(60, 200, (8, 8)).astype(np.uint8)).resize((160, 160)))
        tint = np.array((1, 0.5 + 0.1 * index, 0.4))
        Image.fromarray((light[..., None] * tint).astype(np.uint8)).save(folder / f"{index}.png")
    pictures = load_pictures([folder], tmp_path_factory.mktemp("cache"))
    return prepare(pictures, np.arange(COUNT), colorizer, SETTINGS)


def test_rows_of_every_method_make_tables(
    colorizer: Colorizer, prepared: PreparedPictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "PICTURES", 2)
    small = ExemplarConfig(widths=(8, 8, 8, 8), embedding=8)
    names = claims.SHIPPED_TRANSFER, claims.PAPER_TRANSFER
    transfers = [ColorTransfer(ExemplarNet(small), colorizer.encoder, name, colorizer.device) for name in names]
    (own,) = {len(row) for row in transfer_rows(colorizer, prepared, "own", transfers, NoDistance()).values()}  # pyright: ignore[reportArgumentType]
    assert own == 4, "error, perceptual distance, histogram, colorfulness"
    rows = transfer_rows(colorizer, prepared, "own", transfers, NoDistance())  # pyright: ignore[reportArgumentType]
    assert set(rows) == set(TRANSFER_NAMES) and rows["grey"]["colorfulness"] < 1
    used = DiverseInference(candidates=20)
    samplers = [ColorFieldSampler(LowRankFields(), name, used) for name in (claims.SHIPPED_FIELDS, claims.PAPER_FIELDS)]
    diverse = diverse_rows(colorizer, prepared, samplers)
    assert diverse["automatic"]["best_to_automatic"] == 1
    assert "apart" not in diverse["diverse-paper one"] and diverse["diverse-paper set"]["apart"] > 0
    text = claims_tables({kind: rows for kind in KINDS} | {"diverse": diverse})
    lines = text.splitlines()
    assert (
        len({line.count("|") for line in lines[: len(rows) + 2]}) == 1 and f"| {rows['grey']['ab_error']:.1f} |" in text
    )
    assert sum(line.startswith("| VAE") for line in lines) == sum(line.startswith("| shipped") for line in lines) == 3


def test_a_missing_paper_model_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from t2c_engine.errors import ModelError

    monkeypatch.setenv("T2C_MODELS", str(tmp_path))
    with pytest.raises(ModelError, match="exemplar-xu"):
        claims.measure_claims(Colorizer.load(device="cpu"), [tmp_path], tmp_path, NoDistance())  # pyright: ignore[reportArgumentType]
