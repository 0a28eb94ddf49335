"""Picture studies: for each grey picture its true colours, where known, and what each method makes of it.

All answers but the true colours and ready-made results go through one upsampling, with the picture's own lightness.
Must not import torch at module level.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from t2c_engine.color.lab import fit_gamut, lab_to_srgb, srgb_to_lab
from t2c_engine.colorization.encoded_picture import Encoded
from t2c_engine.colorization.picture_palette import EXTRACTION_SIDE, palette_of_lab, palette_of_picture
from t2c_engine.errors import UsageError
from t2c_engine.palettes.palette import Palette
from t2c_engine.pictures.picture import Picture, read_picture, small_lightness, small_srgb
from t2c_engine.rendering.guided_upsampling import render
from trainer.common.run_log import track
from trainer.study.design import (
    ABSURD,
    HUMAN,
    RIGHT,
    Answer,
    Kind,
    Question,
    Role,
    Study,
    StudyPlan,
    answer_sets,
    make_question,
    split_method,
)
from trainer.study.questions.color_names import picture_words
from trainer.study.questions.wording import PICTURE_WORDING
from trainer.study.study_files import planned_study

if TYPE_CHECKING:
    from t2c_engine.colorization.colorizer import Colorizer

AUTO, PALETTE, REFERENCE = "auto", "palette", "reference"
BUILT_IN = {
    AUTO: "the network's own colours",
    PALETTE: "the palette of the true colours",
    REFERENCE: "the palette of a reference picture",
}
MAX_PICTURES = 500
GREY_CHROMA = 3.0  # mean chroma (Lab) below which a picture has no true colours
ASPECT = 0.02  # how much a ready-made result's shape may differ
_PRACTICE, _CHECKS = 1, 2  # pictures kept back for these
_QUALITY = 88  # JPEG
_STRIPE_CHROMA = 70.0  # of absurd colours, Lab


@dataclass(frozen=True, slots=True)
class PictureStudyRequest:
    """What to ask. `methods`: names of BUILT_IN, or NAME=FOLDER with results made elsewhere, by the pictures' names.

    references: folder with a picture of the same name for each, for "reference". side: short side as shown, px.
    """

    pictures: Sequence[Path]
    methods: Sequence[str]
    references: Path | None = None
    side: int = 400
    plan: StudyPlan = field(default_factory=lambda: StudyPlan(PICTURE_WORDING))


@dataclass(frozen=True, slots=True)
class Coloring:
    """One picture in all its versions: H x W x 3 float sRGB by method; `true` tells whether its colours are known."""

    name: str
    grey: np.ndarray
    versions: Mapping[str, np.ndarray]
    true: bool


def picture_files(folder: Path) -> list[Path]:
    """The files of a folder, by name.

    Raises:
        UsageError: it is no folder, or holds too few or too many files.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder; name the folder of the pictures.")
    paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    least = _PRACTICE + _CHECKS + 1
    if not least <= len(paths) <= MAX_PICTURES:
        raise UsageError(f"{folder} holds {len(paths)} files; a study takes {least} to {MAX_PICTURES} pictures.")
    return paths


def picture_study(request: PictureStudyRequest, colorizer: Colorizer) -> Study:
    """Colour all pictures and arrange the study; the last three pictures serve for practice and attention checks.

    Raises:
        UsageError: methods and pictures do not fit together. PictureError: a picture cannot be read.
    """
    folders = check_methods(request)
    made = list(_colorings(request, folders, colorizer))
    human = made[0].true
    if any(one.true != human for one in made):
        grey = next(one.name for one in made if not one.true)
        raise UsageError(
            f"Some pictures have colours and some, such as {grey}, are grey; ask about one kind at a time."
        )
    count = request.plan.answers_of(len(folders) + human)
    seed = request.plan.forms.seed
    sets = answer_sets(list(folders), count, human)
    kept = len(made) - _PRACTICE - _CHECKS
    questions = [question(seed, one, some, Role.QUESTION) for one in made[:kept] for some in sets]
    questions += [check_question(seed, one, count, next(iter(folders))) for one in made[kept : kept + _CHECKS]]
    questions += [question(seed, one, sets[0], Role.PRACTICE) for one in made[kept + _CHECKS :]]
    model = f" ({colorizer.model})"
    sources = {name: str(folder) if folder else BUILT_IN[name] + model for name, folder in folders.items()}
    return planned_study(Kind.PICTURES, request.plan, questions, sources)


def check_methods(request: PictureStudyRequest) -> dict[str, Path | None]:
    """Method to the folder of its ready-made results, or None for a built-in one.

    Raises:
        UsageError: a method is unknown, comes twice, or lacks what it needs.
    """
    folders: dict[str, Path | None] = {}
    for entry in request.methods:
        name, folder = split_method(entry, folders, "method")
        if not folder and name not in BUILT_IN:
            raise UsageError(f"There is no method '{name}'; choose {', '.join(BUILT_IN)}, or NAME=FOLDER of results.")
        if folder and not Path(folder).is_dir():
            raise UsageError(f"{folder}, with the results of '{name}', is no folder.")
        folders[name] = Path(folder) if folder else None
    if not folders:
        raise UsageError(f"No method is given; choose among {', '.join(BUILT_IN)}.")
    if REFERENCE in folders and folders[REFERENCE] is None and request.references is None:
        raise UsageError("The method 'reference' needs reference pictures; name their folder with --references.")
    return folders


def _colorings(
    request: PictureStudyRequest, folders: Mapping[str, Path | None], colorizer: Colorizer
) -> Iterator[Coloring]:
    for path in track(request.pictures, len(request.pictures), "pictures"):
        picture = read_picture(path)
        rgb = small_srgb(picture, request.side)
        lab = srgb_to_lab(rgb)
        true = float(np.hypot(lab[..., 1], lab[..., 2]).mean()) > GREY_CHROMA
        encoded = Encoded(colorizer, small_lightness(picture, colorizer.short_side))
        versions: dict[str, np.ndarray] = {HUMAN: rgb} if true else {}
        for name, folder in folders.items():
            if folder is not None:
                versions[name] = _ready_made(folder, path, request.side, rgb.shape)
                continue
            (ab,) = encoded.ab_maps([_palette(name, path, picture, true, request.references)])
            versions[name] = render(Picture(pixels=rgb), ab)
        yield Coloring(path.stem, lab_to_srgb(lab * [1, 0, 0]), versions, true)


def _palette(name: str, path: Path, picture: Picture, true: bool, references: Path | None) -> Palette | None:
    """The palette of a built-in method; None for the network's own colours."""
    if name == AUTO:
        return None
    if name == PALETTE:
        if not true:
            raise UsageError(f"The method 'palette' takes the true colours, but {path} is grey; leave it out.")
        return palette_of_lab(srgb_to_lab(small_srgb(picture, EXTRACTION_SIDE)))
    assert references is not None
    return palette_of_picture(_of_same_name(references, path))


def _of_same_name(folder: Path, path: Path) -> Path:
    found = sorted(one for one in folder.glob("*") if one.stem == path.stem and one.is_file())
    if not found:
        raise UsageError(f"{folder} holds no picture named {path.stem} beside {path.name}; add it.")
    return found[0]


def _ready_made(folder: Path, path: Path, side: int, shape: tuple[int, ...]) -> np.ndarray:
    """A result made elsewhere, at the size shown."""
    found = _of_same_name(folder, path)
    rgb = small_srgb(read_picture(found), side)
    if any(abs(a - b) > max(1, ASPECT * b) for a, b in zip(rgb.shape[:2], shape[:2], strict=True)):
        raise UsageError(f"{found} has another shape than {path}; give results of the pictures themselves.")
    return rgb


def question(seed: int, coloring: Coloring, methods: Sequence[str], role: Role) -> Question:
    """A grey picture and its versions by some methods."""
    answers = [picture_answer(name, coloring.versions[name]) for name in methods]
    name = f"{role}|{coloring.name}|{'|'.join(methods)}"
    return make_question(seed, name, "", answers, role, picture=data_uri(coloring.grey), about=coloring.name)


def check_question(seed: int, coloring: Coloring, count: int, method: str) -> Question:
    """An attention check: the true colours, or else a method's, beside `count` - 1 in coloured stripes."""
    answers = [picture_answer(RIGHT, coloring.versions[HUMAN if coloring.true else method])]
    answers += [picture_answer(ABSURD, striped(coloring.grey, index)) for index in range(count - 1)]
    return make_question(
        seed, f"check|{coloring.name}", "", answers, Role.CHECK, picture=data_uri(coloring.grey), about=coloring.name
    )


def striped(grey: np.ndarray, variant: int) -> np.ndarray:
    """A grey picture (H x W x 3, sRGB 0..1) in stripes of opposite colours; blue and yellow in the first variant.

    Blue and yellow, and stripes at all, can be told with any colour vision.
    """
    lab = srgb_to_lab(grey.astype(np.float32))
    height, width = lab.shape[:2]
    y, x = np.mgrid[:height, :width] / min(height, width)
    angle = variant * np.pi / 5
    sign = np.where(np.sin(2 * np.pi * 3 * (x * np.cos(angle) + y * np.sin(angle))) > 0, 1.0, -1.0)
    hue = np.pi / 2 + variant * np.pi / 7
    lab[..., 0] = 30 + 0.45 * lab[..., 0]  # where strong colours exist
    lab[..., 1], lab[..., 2] = (sign * _STRIPE_CHROMA * part for part in (np.cos(hue), np.sin(hue)))
    return lab_to_srgb(fit_gamut(lab))


def picture_answer(method: str, rgb: np.ndarray) -> Answer:
    """A version of a picture; screen readers name its main colours."""
    pixels = _bytes(rgb)
    return Answer("", method, picture=_encoded(pixels), description=picture_words(pixels))


def data_uri(rgb: np.ndarray) -> str:
    """A JPEG of H x W x 3 sRGB (0..1) as a data URI."""
    return _encoded(_bytes(rgb))


def _bytes(rgb: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)


def _encoded(pixels: np.ndarray) -> str:
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=_QUALITY, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
