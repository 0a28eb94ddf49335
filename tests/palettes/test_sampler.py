"""Palettes for phrases, through the public interface, with a network of random weights made on the spot."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from t2c_engine.errors import EmptyPhraseError, ModelError, UsageError
from t2c_engine.models import PACKAGE_FOLDER, export_model, load_weights, read_card
from t2c_engine.networks.palettes.palette_set import PaletteSetConfig, PaletteSetNet
from t2c_engine.palettes.palette import palette_distance
from t2c_engine.palettes.sampler import PaletteRequest, PaletteSampler, SamplingConfig
from t2c_engine.palettes.selection import pairwise_distances
from tests.palette_data import make_data
from trainer.palettes.build_lexicon import build_lexicon

NETWORK = {
    "word_dimensions": 16, "width": 16, "heads": 2, "encoder_blocks": 1, "decoder_blocks": 1, "mixtures": 4,
    "positions": 16, "colors": 5, "sources": 6, "dropout": 0.0,
}  # fmt: skip
CARD = {
    "architecture": "palette-set",
    "network": NETWORK,
    "sampling": {"candidates": 32, "temperature": [0.2, 0.8, 1.2], "typicality": 0.0, "chroma": 0.0},
}


@pytest.fixture(scope="module")
def tensors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    data = make_data(tmp_path_factory.mktemp("data") / "d")
    torch.manual_seed(0)
    network = PaletteSetNet(PaletteSetConfig(**NETWORK))
    weights = {key: value.numpy() for key, value in network.state_dict().items()}
    return weights | build_lexicon(data / "words", ["green garden"], 16).to_tensors()


@pytest.fixture(scope="module")
def sampler(tensors: dict[str, np.ndarray]) -> PaletteSampler:
    return PaletteSampler.from_tensors("tiny", CARD, tensors)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_any_phrase_gives_palettes_or_is_empty(sampler: PaletteSampler, phrase: str) -> None:
    if not phrase.strip():
        with pytest.raises(EmptyPhraseError):
            sampler.sample(PaletteRequest(phrase))
        return
    result = sampler.sample(PaletteRequest(phrase, count=2))
    assert len(result.palettes) == 2
    for palette in result.palettes:
        assert len(palette.colors) == 5
        lightness = palette.lab[:, 0]
        assert (np.diff(lightness) >= -1e-4).all()


def test_same_request_same_palettes(sampler: PaletteSampler, tensors: dict[str, np.ndarray]) -> None:
    request = PaletteRequest("deep blue sea", count=3, seed=7)
    first = sampler.sample(request)
    assert first == sampler.sample(request) == PaletteSampler.from_tensors("tiny", CARD, tensors).sample(request)
    assert (first.phrase, first.seed, first.model, first.note) == ("deep blue sea", 7, "tiny", None)
    assert sampler.sample(PaletteRequest("deep blue sea", count=3, seed=8)).palettes != first.palettes
    assert sampler.sample(PaletteRequest("DEEP  blue sea", count=3, seed=7)).palettes == first.palettes


@pytest.mark.parametrize("count", [1, 5, 50])
def test_as_many_as_asked_for(sampler: PaletteSampler, count: int) -> None:
    result = sampler.sample(PaletteRequest("white rose", count=count))
    assert len({palette.hex for palette in result.palettes}) == count


def test_variety_spreads_the_palettes(sampler: PaletteSampler) -> None:
    def spread(variety: float) -> float:
        results = [sampler.sample(PaletteRequest("black rose", seed=s, variety=variety)).palettes for s in range(6)]
        lab = np.stack([[palette.lab for palette in palettes] for palettes in results])
        return float(palette_distance(lab[:, 0], lab[:, 1]).mean())

    assert spread(0.0) < min(spread(0.5), spread(1.0))


def test_a_note_tells_of_nonsense(sampler: PaletteSampler) -> None:
    note = sampler.sample(PaletteRequest("xqzzt")).note
    assert note is not None and note.startswith("no known word")


@pytest.mark.parametrize(
    "request_", [PaletteRequest("a", count=0), PaletteRequest("a", count=101), PaletteRequest("a", seed=-1),
                 PaletteRequest("a", variety=1.1)],
)  # fmt: skip
def test_requests_out_of_range(sampler: PaletteSampler, request_: PaletteRequest) -> None:
    with pytest.raises(UsageError):
        sampler.sample(request_)


def test_distances_used_for_choosing_follow_ciede2000() -> None:
    rng = np.random.default_rng(0)
    lab = rng.uniform((10, -60, -60), (95, 60, 60), size=(40, 5, 3))
    near = pairwise_distances(lab)
    exact = palette_distance(lab[:, None], lab[None])
    assert near.shape == (40, 40) and (near == near.T).all() and (np.diag(near) == 0).all()
    pairs = np.triu_indices(40, 1)
    assert np.corrcoef(near[pairs], exact[pairs])[0, 1] > 0.8


def test_temperature_between_the_settings() -> None:
    config = SamplingConfig(candidates=0, temperature=(0.4, 0.8, 1.6), typicality=0.0, chroma=0.0)
    assert [config.temperature_at(v) for v in (0, 0.25, 0.5, 0.75, 1)] == pytest.approx([0.4, 0.6, 0.8, 1.2, 1.6])


def test_loads_an_installed_model(
    tensors: dict[str, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_model(tmp_path, tensors, name="tiny", version="1", kind="palette", licence="MIT", config=CARD, default=True)
    monkeypatch.setenv("T2C_MODELS", str(tmp_path))
    result = PaletteSampler.load("tiny").sample(PaletteRequest("red fire"))
    assert result.model == "tiny" and len(result.palettes) == 5
    odd = {"sampling": {"x": 1}}
    export_model(tmp_path, tensors, name="odd", version="1", kind="palette", licence="MIT", config=odd)
    with pytest.raises(ModelError, match="odd"):
        PaletteSampler.load("odd")


def test_palettes_need_no_torch() -> None:
    """Importing torch takes seconds, and a palette is to be there in one and a half."""
    code = (
        "import sys, t2c_engine.palettes.sampler\n"
        "print([m for m in ('torch', 'scipy', 'skimage', 'PIL') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("phrase", "hue"),
    [("red", 35), ("greene gardn", 135), ("ocean blue", 270), ("sunflower yellow", 90), ("seafoam", 180)],
)
def test_shipped_model_knows_colors(phrase: str, hue: float) -> None:
    """The chroma-weighted mean hue of five palettes (degrees in ab) lies within 45 of the word's."""
    sampler = PaletteSampler.from_tensors(*_shipped())
    lab = np.concatenate([palette.lab for palette in sampler.sample(PaletteRequest(phrase)).palettes])
    mean = np.degrees(np.arctan2(lab[:, 2].mean(), lab[:, 1].mean()))
    assert abs((mean - hue + 180) % 360 - 180) < 45


def _shipped() -> tuple[str, Mapping[str, Any], dict[str, np.ndarray]]:
    card = read_card(PACKAGE_FOLDER / "palette-set.json")
    assert card.size < 12e6 and card.default
    return card.name, card.config, load_weights(card)
