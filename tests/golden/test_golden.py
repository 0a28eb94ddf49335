"""The shipped networks give what they gave when the golden values were stored (`python -m tests.golden`)."""

import json

import numpy as np
import pytest

from tests.golden import record

SAME = 1  # of 255: what rounding may change in a palette's colour
CLOSE = 4  # of 255: what another CPU's sums may change in nearly all samples of a picture


@pytest.fixture(scope="module")
def colors() -> dict[str, np.ndarray]:
    return record.colors()


def channels(palettes: list[list[str]]) -> np.ndarray:
    return np.array([[list(bytes.fromhex(color[1:])) for color in palette] for palette in palettes], int)


@pytest.mark.parametrize("phrase", record.PHRASES)
def test_palettes_of_phrases_stay(phrase: str) -> None:
    stored = json.loads(record.PALETTES.read_text("utf-8"))[phrase]
    assert np.abs(channels(record.palettes(phrase)) - channels(stored)).max() <= SAME


@pytest.mark.parametrize("mode", record.MODES)
@pytest.mark.parametrize("picture", record.PICTURES)
def test_colors_of_photographs_stay(colors: dict[str, np.ndarray], picture: str, mode: str) -> None:
    found = colors[f"{picture} {mode}"]
    with np.load(record.COLORS, allow_pickle=False) as stored:
        difference = np.abs(found.astype(int) - stored[f"{picture} {mode}"])
    assert difference.mean() < 0.25
    assert np.quantile(difference, 0.99) <= CLOSE
