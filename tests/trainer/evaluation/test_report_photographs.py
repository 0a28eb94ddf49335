"""Sheets of old photographs of people, drawn with made-up networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from tests import fakes
from trainer.cli import app
from trainer.evaluation import report_photographs
from trainer.evaluation.report_photographs import OLD_FOLDER, OLD_PALETTES, OLD_PHOTOGRAPHS


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two of the old photographs, and one that shows no people."""
    for name in ("PaletteSampler", "PaletteRequest", "Colorizer"):
        monkeypatch.setattr(report_photographs, name, getattr(fakes, name))
    folder = tmp_path / "images" / "eval" / OLD_FOLDER
    folder.mkdir(parents=True)
    ramp = np.linspace(20, 230, 120 * 90).reshape(90, 120).astype(np.uint8)
    for name in (*OLD_PHOTOGRAPHS[:2], "LondonUnderground1860.jpg"):
        Image.fromarray(ramp).save(folder / name)
    return tmp_path


def test_people_of_old_photographs_are_shown_in_phrases_and_fixed_palettes(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "sheets"
    run = CliRunner().invoke(app, ["report", str(out), "--old-photographs", str(data)])
    assert run.exit_code == 0, run.output
    assert {path.stem for path in out.iterdir()} == {Path(name).stem for name in OLD_PHOTOGRAPHS[:2]}
    sheet = np.asarray(Image.open(out / OLD_PHOTOGRAPHS[0]).convert("RGB"))[::4, ::4].astype(int)
    for codes in OLD_PALETTES.values():
        strip = np.array([[int(code[i : i + 2], 16) for i in (1, 3, 5)] for code in codes])
        near = np.abs(sheet[:, :, None] - strip).max(-1) < 12
        assert near.any((0, 1)).all(), "its five colours stand under a picture"


def test_a_folder_without_such_photographs_is_told(data: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke(app, ["report", str(tmp_path / "sheets"), "--old-photographs", str(tmp_path / "none")])
    assert run.exit_code != 0 and "old photographs of people" in " ".join(run.output.split())


def test_other_pictures_are_not_mixed_with_them(data: Path, tmp_path: Path) -> None:
    for also in (["--only", "palettes"], ["--pictures", str(data)]):
        run = CliRunner().invoke(app, ["report", str(tmp_path / "sheets"), "--old-photographs", str(data), *also])
        assert run.exit_code == 2 and not (tmp_path / "sheets").exists()


def test_a_report_holds_what_is_asked_for_and_no_more(data: Path, tmp_path: Path) -> None:
    pictures = data / "images" / "eval" / OLD_FOLDER
    for only, drawn in (("photographs", {Path(OLD_PHOTOGRAPHS[0]).stem}), ("palettes", set()), ("references", set())):
        out = tmp_path / only
        run = CliRunner().invoke(app, ["report", str(out), "--pictures", str(pictures), "--limit", "1", "--only", only])
        assert run.exit_code == 0, run.output
        assert {path.stem for path in out.iterdir()} == drawn
    run = CliRunner().invoke(app, ["report", str(tmp_path / "none"), "--only", "sheets"])
    assert run.exit_code == 2 and "palettes, photographs, references, diverse or looks" in " ".join(run.output.split())
