"""Tiny runs of the palette networks, each trained once for all tests that look at it (none may write into it)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from t2c_engine.models import ModelCard
from tests.palette_data import PAPER_SETTINGS, SET_SETTINGS, make_data, settings_file


@dataclass(frozen=True)
class PaletteRun:
    """A finished run: its settings file, data folder, own folder and exported card."""

    settings: Path
    data: Path
    folder: Path
    card: ModelCard


def _trained(folder: Path, text: str, steps: int) -> PaletteRun:
    from trainer.train_palettes import train_palette_network

    settings, data = settings_file(folder, text, steps), make_data(folder / "data")
    return PaletteRun(settings, data, folder / "run", train_palette_network(settings, data, folder / "run"))


@pytest.fixture(scope="session")
def palette_run(tmp_path_factory: pytest.TempPathFactory) -> PaletteRun:
    return _trained(tmp_path_factory.mktemp("palettes"), SET_SETTINGS, 60)


@pytest.fixture(scope="session")
def untrained_run(tmp_path_factory: pytest.TempPathFactory) -> PaletteRun:
    text = SET_SETTINGS.replace('name = "tiny"', 'name = "untrained"')
    return _trained(tmp_path_factory.mktemp("untrained"), text, 2)


@pytest.fixture(scope="session")
def paper_run(tmp_path_factory: pytest.TempPathFactory) -> PaletteRun:
    return _trained(tmp_path_factory.mktemp("paper"), PAPER_SETTINGS, 40)
