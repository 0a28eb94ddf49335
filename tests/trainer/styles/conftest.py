"""Settings and palettes of small styles on the shipped model."""

from pathlib import Path

import numpy as np
import pytest

from t2c_engine.palettes.palette import Palette
from trainer.styles.teach import CONFIG

WORDS = "sea harbour forest city winter morning wedding night coffee storm garden river desert candy rain train".split()


def settings(folder: Path, **changes: object) -> Path:
    """The shipped settings with other values."""
    lines = []
    for line in CONFIG.read_text("utf-8").splitlines():
        key = line.split(" = ")[0]
        lines.append(f"{key} = {changes.pop(key)}" if key in changes else line)
    assert not changes
    path = folder / "style.toml"
    path.write_text("\n".join(lines))
    return path


def green_palettes(count: int, seed: int = 0) -> list[tuple[str, Palette]]:
    """Texts of two words, each with five greens."""
    rng = np.random.default_rng(seed)
    examples = []
    for index in range(count):
        light = np.sort(rng.uniform(25, 92, 5))
        lab = np.stack((light, rng.uniform(-42, -22, 5), rng.uniform(12, 32, 5)), axis=1)
        text = " ".join(rng.choice(WORDS, 2, replace=False)) + f" {index % 7}"
        examples.append((text, Palette.from_lab(lab, text)))
    return examples


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """An empty folder of the user's own models."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.delenv("T2C_MODELS", raising=False)
