"""A result is the same to the bit whatever is made beside it."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.colorization.encoded_picture import Encoded
from t2c_engine.colorization.hints import Hints
from t2c_engine.palettes.palette import Palette

PALETTES = [Palette.from_hex(f"#2b2a3{last},#8c2f1b,#d98c3f,#5b6b3a,#f2d8a7") for last in range(5)]


@pytest.fixture(scope="module")
def colorizer() -> Colorizer:
    return Colorizer.load(device="cpu")


@pytest.mark.parametrize("hinted", [False, True])
def test_maps_do_not_depend_on_what_is_decoded_beside_them(colorizer: Colorizer, hinted: bool):
    lightness = np.ascontiguousarray(data.camera()[100:260, 100:340], np.float32) / 2.55
    hints = None
    if hinted:
        mask = np.zeros((160, 240), np.float32)
        mask[60:80, 100:120] = 1
        hints = Hints(np.full((160, 240, 2), 20, np.float32), mask)
    for strength in (1.0, 0.6):
        together = list(Encoded(colorizer, lightness).ab_maps(PALETTES, hints, strength))
        for palette, ab in zip(PALETTES, together, strict=True):
            (alone,) = Encoded(colorizer, lightness).ab_maps([palette], hints, strength)
            np.testing.assert_array_equal(alone, ab)
