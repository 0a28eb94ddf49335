"""Golden values through the command line: palettes of phrases, and small photographs coloured in every mode.

`python -m tests.golden palettes` and `python -m tests.golden colors` write them anew; palettes belong to the palette
network, colors to the colour network. Must import nothing of the engine but the command line.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from typer.testing import CliRunner

FOLDER = Path(__file__).parent
PALETTES = FOLDER / "palettes.json"
COLORS = FOLDER / "colors.npz"

PHRASES = (
    "autumn breeze",
    "deep ocean",
    "strawberry milk",
    "dark forest",
    "pastel wedding",
    "sunset, no red",
    "neon city at night",
    "rust",
    "grandmothers kitchen",
    "calm",
)
PICTURES = ("astronaut", "chelsea", "coffee", "coins")
SIDE = 128  # short side of the coloured photographs, px
STEP = 4  # every so many pixels a sample is stored
PALETTE = "#8c2f1b,#d98c3f,#f2d8a7,#5b6b3a,#2b2a33"
REFERENCE = "rocket.jpg"
MODES = ("palette", "automatic", "hints", "region", "reference", "diverse")


def palettes(phrase: str) -> list[list[str]]:
    """Two palettes (hex) of a phrase."""
    (line,) = _t2c("palette", phrase, "-n", "2", "--seed", "7", "--json").splitlines()
    return json.loads(line)["palettes"]


def colors() -> dict[str, np.ndarray]:
    """Samples (h x w x 3, uint8 sRGB) of every photograph in every mode, by "picture mode"."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        inputs = [_write_grey(here, name) for name in PICTURES]
        hints, mask = _write_hints(here), _write_mask(here)
        options = {
            "palette": ["--palette", PALETTE],
            "automatic": ["--auto"],
            "hints": ["--hints", str(hints)],
            "diverse": ["--diverse", "2", "--seed", "3"],
            "region": ["--auto", "--region", str(mask), "#16537e,#3d85c6,#9fc5e8,#0b5394,#cfe2f3"],
            "reference": ["--reference", str(_photograph(REFERENCE))],
        }
        found = {}
        for mode in MODES:
            out = here / mode
            count = [] if mode == "diverse" else ["-n", "1"]
            _t2c("colorize", *map(str, inputs), *options[mode], *count, "--device", "cpu", "-o", str(out))
            for name in PICTURES:
                (result,) = out.glob(f"{name}-1.*")
                found[f"{name} {mode}"] = np.asarray(Image.open(result).convert("RGB"))[::STEP, ::STEP]
        return found


def write_palettes() -> None:
    """Store the palettes of now."""
    text = json.dumps({phrase: palettes(phrase) for phrase in PHRASES}, indent=1)
    PALETTES.write_text(text + "\n", "utf-8")


def write_colors() -> None:
    """Store the colours of now."""
    samples: dict[str, Any] = colors()
    np.savez_compressed(COLORS, **samples)


def _t2c(*words: str) -> str:
    """What a command of `t2c` prints on stdout."""
    from t2c_engine.cli.main import app

    with _shipped_models():
        result = CliRunner().invoke(app, list(words))
    if result.exit_code:
        raise AssertionError(f"t2c {' '.join(words)} failed: {result.stderr}") from result.exception
    return result.stdout


@contextmanager
def _shipped_models() -> Iterator[None]:
    """Only the weights that the package ships are seen."""
    names = ("T2C_MODELS", "XDG_DATA_HOME", "LOCALAPPDATA")
    kept = {name: os.environ.pop(name) for name in names if name in os.environ}
    with tempfile.TemporaryDirectory() as empty:
        os.environ.update(dict.fromkeys(names[1:], empty))
        try:
            yield
        finally:
            for name in names:
                os.environ.pop(name, None)
            os.environ.update(kept)


def _write_grey(folder: Path, name: str) -> Path:
    """A square of a bundled photograph, grey, SIDE px."""
    image = Image.open(_photograph(f"{name}.png")).convert("L")
    side = min(image.size)
    path = folder / f"{name}.png"
    image.crop((0, 0, side, side)).resize((SIDE, SIDE), Image.Resampling.BOX).save(path)
    return path


def _photograph(name: str) -> Path:
    import skimage

    return Path(skimage.__file__).parent / "data" / name


def _write_hints(folder: Path) -> Path:
    """Two hints, blue at the top left and ochre at the bottom right."""
    pixels = np.zeros((SIDE, SIDE, 4), np.uint8)
    pixels[16:36, 16:36] = (40, 90, 190, 255)
    pixels[88:108, 80:100] = (200, 140, 40, 255)
    Image.fromarray(pixels).save(folder / "hints.png")
    return folder / "hints.png"


def _write_mask(folder: Path) -> Path:
    """The right half."""
    pixels = np.zeros((SIDE, SIDE), np.uint8)
    pixels[:, SIDE // 2 :] = 255
    Image.fromarray(pixels).save(folder / "mask.png")
    return folder / "mask.png"
