"""Picture studies: what is compared, what is kept back, and what cannot be asked."""

from __future__ import annotations

import base64
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from t2c_engine.color.lab import srgb_to_lab
from t2c_engine.errors import UsageError
from tests.fakes import Colorizer
from trainer.study.design import ABSURD, HUMAN, RIGHT, FormConfig, Role, Study, StudyPlan
from trainer.study.page.builder import page_html
from trainer.study.questions.pictures import PictureStudyRequest, picture_files, picture_study, striped
from trainer.study.questions.wording import PICTURE_WORDING
from trainer.study.study_files import read_study, study_json

COLORS = ((200, 40, 40), (40, 120, 200), (60, 160, 60), (220, 180, 60), (150, 80, 180), (90, 200, 190))


def folder_of(path: Path, colors=COLORS, size: tuple[int, int] = (60, 40)) -> Path:  # type: ignore[no-untyped-def]
    """Pictures of one colour each, darker to the left."""
    path.mkdir(parents=True, exist_ok=True)
    ramp = np.linspace(0.3, 1, size[0])[None, :, None]
    for number, color in enumerate(colors):
        pixels = np.broadcast_to(np.array(color) * ramp, (size[1], size[0], 3))
        Image.fromarray(pixels.astype(np.uint8)).save(path / f"picture{number}.png")
    return path


def make(folder: Path, *methods: str, references: Path | None = None, answers: int | None = None) -> Study:
    plan = StudyPlan(PICTURE_WORDING, answers, FormConfig(25, 2, 6))
    request = PictureStudyRequest(picture_files(folder), methods, references, 40, plan)
    return picture_study(request, Colorizer())  # type: ignore[arg-type]


def mean_lab(uri: str) -> np.ndarray:
    pixels = Image.open(BytesIO(base64.b64decode(uri.split(",")[1]))).convert("RGB")
    return srgb_to_lab(np.asarray(pixels, dtype=np.float32) / 255).mean((0, 1))


def test_true_colours_stand_beside_every_method(tmp_path: Path) -> None:
    pictures = folder_of(tmp_path / "pictures")
    references = folder_of(tmp_path / "references", colors=COLORS[::-1])
    ready = folder_of(tmp_path / "ready", colors=[(255, 255, 255)] * 6, size=(120, 80))
    study = make(pictures, "auto", "palette", "reference", f"other={ready}", references=references)
    counted = [one for one in study.questions if one.role is Role.QUESTION]
    assert [one.about for one in counted] == ["picture0", "picture1", "picture2"]
    assert study.methods[0] == HUMAN and set(study.methods) == {HUMAN, "auto", "palette", "reference", "other"}
    for number, one in enumerate(counted):
        lab = {answer.method: mean_lab(answer.picture) for answer in one.answers}
        true = srgb_to_lab(np.array(COLORS[number], dtype=np.float32) / 255)
        hue = {name: np.arctan2(value[2], value[1]) for name, value in lab.items()}
        assert abs(np.angle(np.exp(1j * (hue[HUMAN] - np.arctan2(true[2], true[1]))))) < 0.4
        assert abs(np.angle(np.exp(1j * (hue["palette"] - hue[HUMAN])))) < 0.4
        assert np.hypot(*lab["other"][1:]) < 2 and np.hypot(*mean_lab(one.picture)[1:]) < 2
        assert lab["reference"] != pytest.approx(lab["palette"], abs=5)
        lightness = [lab[name][0] for name in ("auto", "palette", "reference", HUMAN)]
        assert np.ptp(lightness) < 4, "every method keeps the lightness"
    assert study.sources["other"] == str(ready) and "fake-colorizer" in study.sources["auto"]
    assert b"picture0" not in page_html(study), "names of files tell nothing to observers"


def test_the_last_pictures_serve_for_checks_and_practice(tmp_path: Path) -> None:
    study = make(folder_of(tmp_path / "pictures"), "auto")
    checks = [one for one in study.questions if one.role is Role.CHECK]
    assert [one.about for one in checks] == ["picture3", "picture4"]
    assert all(sorted(one.methods) == [ABSURD, RIGHT] for one in checks)
    assert [study.questions[index].about for index in study.practice] == ["picture5"]
    (tmp_path / "study.json").write_bytes(study_json(study))
    key = read_study(tmp_path / "study.json")
    assert key.id == study.id and b"data:image" not in study_json(study)
    assert [one.prompt for one in key.questions if one.role is Role.CHECK] == [
        ("", "picture3", ()),
        ("", "picture4", ()),
    ]


def test_absurd_colours_are_stripes_of_opposite_colours() -> None:
    grey = np.full((60, 90, 3), 0.5)
    for variant in range(4):
        lab = srgb_to_lab(striped(grey, variant).astype(np.float32))
        assert np.hypot(lab[..., 1], lab[..., 2]).mean() > 25
        assert np.ptp(lab[..., 1]) + np.ptp(lab[..., 2]) > 60
    lab = srgb_to_lab(striped(grey, 0).astype(np.float32))
    assert np.ptp(lab[..., 2]) > 60, "blue and yellow first: seen with any colour vision"


def test_grey_pictures_are_asked_about_without_true_colours(tmp_path: Path) -> None:
    pictures = folder_of(tmp_path / "grey", colors=[(200, 200, 200)] * 5)
    ready = folder_of(tmp_path / "ready", colors=COLORS[:5])
    study = make(pictures, "auto", f"other={ready}")
    assert set(study.methods) == {"auto", "other"}
    with pytest.raises(UsageError, match="is grey; leave it out"):
        make(pictures, "auto", "palette")


def test_what_cannot_be_asked_becomes_a_sentence(tmp_path: Path) -> None:
    pictures = folder_of(tmp_path / "pictures")
    few = folder_of(tmp_path / "few", colors=COLORS[:3])
    odd = folder_of(tmp_path / "odd", size=(40, 60))
    mixed = folder_of(tmp_path / "mixed", colors=(*COLORS[:4], (90, 90, 90)))
    for methods, sentence in (
        (("magic",), "no method 'magic'"),
        (("auto", "auto"), "a name of its own"),
        ((f"human={few}",), "a name of its own"),
        (("reference",), "--references"),
        (("x=/nowhere",), "is no folder"),
        ((f"x={few}",), "holds no picture named picture3"),
        ((f"x={odd}",), "another shape"),
        ((), "No method is given"),
    ):
        with pytest.raises(UsageError, match=sentence):
            make(pictures, *methods)
    with pytest.raises(UsageError, match="holds 3 files"):
        make(few, "auto")
    with pytest.raises(UsageError, match="is no folder"):
        make(tmp_path / "missing", "auto")
    with pytest.raises(UsageError, match="one kind at a time"):
        make(mixed, "auto")
    with pytest.raises(UsageError, match="answers a question"):
        make(pictures, "auto", answers=3)
