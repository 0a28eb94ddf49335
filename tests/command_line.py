"""What tests of the command line share: a run of `t2c` in this process, small photographs, JSON lines."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image
from typer.testing import CliRunner

from t2c_engine.cli.main import app

HEX = "#8c2f1b,#d98c3f,#f2d8a7,#5b6b3a,#2b2a33"


def t2c(*words: object, code: int = 0, stdin: str | None = None):
    """Run a command in this process; the exit code must be `code`."""
    result = CliRunner().invoke(app, [str(word) for word in words], input=stdin)
    assert result.exit_code == code, (result.exit_code, result.stdout, result.stderr, result.exception)
    return result


def photo(name: str | Path = "photo.png", size: tuple[int, int] = (60, 40), least: int = 20) -> Path:
    """A grey wedge, from `least` up."""
    ramp = np.linspace(least, 235, size[0] * size[1]).reshape(size[1], size[0]).astype(np.uint8)
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(ramp).save(name)
    return Path(name)


def lines(text: str) -> list[dict]:
    """JSON, one object a line."""
    return [json.loads(line) for line in text.splitlines()]
