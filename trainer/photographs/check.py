"""What the pictures of a user's folder are worth for training: read, judged, each with a sentence where it is left out.

Files are read by the engine's own reader, so damaged and hostile ones are refused in its words. Must not import
networks.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import numpy as np

from t2c_engine.batch.input_files import is_system_file
from t2c_engine.batch.recipe import read_recipe
from t2c_engine.color.lab import srgb_to_lab
from t2c_engine.errors import PictureError, UsageError
from t2c_engine.files import explain
from t2c_engine.networks.picture_encoder import SCALE
from t2c_engine.pictures.formats import READ_SUFFIXES
from t2c_engine.pictures.picture import read_picture, small_srgb
from t2c_engine.pictures.resize import resize
from trainer.common.html_page import printable
from trainer.common.picture_data import AB_STEP, L_UNIT, LEAST_SIDE
from trainer.common.run_log import track

MAX_FILES = 5_000  # all are held in memory, about 200 kB each
MAX_HELD_OUT = 200  # photographs; more would tell little, and take long to colour
MAX_FILE = 300 << 20  # bytes of one file
SHORT_SIDE = 320  # px at which a photograph is kept
GREY_CHROMA = 2.0  # ab units; a picture of less mean chroma is grey
TONED_REST = 1.0  # ab units; a picture whose ab follows from L up to this is grey with a tint
TONE_BINS = 12
FLAT = 2.0  # standard deviation of L below which there is nothing to be seen
THUMB = 32  # px of the thumbnails by which pictures are compared
SAME, SERIES = 0.995, 0.9  # correlation of thumbnails from which two are one photograph; are of one series
SAME_AB = 2.0  # mean difference of thumbnails' ab below which two are one photograph


class Fault(StrEnum):
    """Why a picture is left out."""

    UNREADABLE = "unreadable"
    HUGE = "too large"
    TINY = "too small"
    GREY = "grey"
    TONED = "tinted grey"
    FLAT = "one tone"
    DUPLICATE = "duplicate"
    OWN = "coloured by text2colors"


@dataclass(frozen=True, slots=True)
class Checked:
    """One file. fault and sentence: why it is left out, or None and "".

    lightness: H x W bytes (L_UNIT), ab: H/2 x W/2 x 2 signed bytes, of a photograph that can be trained on.
    series: number shared by photographs that are much alike. digest: sha256 of the pixels kept.
    """

    name: str
    path: Path
    fault: Fault | None = None
    sentence: str = ""
    lightness: np.ndarray | None = None
    ab: np.ndarray | None = None
    digest: str = ""
    series: int = -1


@dataclass(frozen=True, slots=True)
class DataCheck:
    """All files of a folder. passed: files that are no pictures, by suffix."""

    folder: Path
    files: tuple[Checked, ...]
    passed: Counter[str]

    @property
    def used(self) -> list[Checked]:
        """Photographs that can be trained on."""
        return [one for one in self.files if one.fault is None]

    @property
    def left_out(self) -> list[Checked]:
        return [one for one in self.files if one.fault is not None]

    @property
    def digest(self) -> str:
        """sha256 of all photographs used, whatever their names: of which data a model is."""
        return hashlib.sha256("".join(sorted(one.digest for one in self.used)).encode()).hexdigest()

    def sentences(self) -> Iterator[str]:
        """What was found, for a person."""
        yield f"{counted(len(self.used), 'photograph')} of {len(self.files)} can be used."
        for fault, number in Counter(one.fault for one in self.left_out).most_common():
            yield f"{number} left out: {fault}."
        if self.passed:
            kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(self.passed.items()))
            yield f"Passed over, for they are no pictures: {kinds}."
        alike = len(self.used) - len({one.series for one in self.used})
        if alike:
            yield f"{alike} are much like another one; such series are kept on one side of the held-out fifth."


def counted(number: int, what: str) -> str:
    """ "1 photograph", "2 photographs"."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def check_folder(folder: Path) -> DataCheck:
    """Look at every picture in a folder and below.

    Raises:
        UsageError: there is no such folder, no picture in it, or more than can be looked at.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder; give the folder that holds your colour photographs.")
    paths, passed = _listing(folder)
    if not paths:
        raise UsageError(f"There is no picture in {folder}; give a folder of {', '.join(READ_SUFFIXES)} files.")
    if len(paths) > MAX_FILES:
        raise UsageError(f"{folder} holds more than {MAX_FILES} pictures; give a smaller folder of one kind.")
    with ThreadPoolExecutor(max(1, min(4, (os.cpu_count() or 1)))) as pool:
        looked = pool.map(lambda path: check_file(path, folder), paths)
        files = list(track(looked, len(paths), "reading the photographs"))
    return DataCheck(folder, tuple(compare(files)), passed)


def check_file(path: Path, folder: Path) -> Checked:
    """Read and judge one file, by itself."""
    name = path.relative_to(folder).as_posix().encode("utf-8", "replace").decode()
    one = Checked(name, path)
    try:
        if path.stat().st_size > MAX_FILE:
            return replace(one, fault=Fault.HUGE, sentence=f"The file is larger than {MAX_FILE >> 20} MB.")
        if read_recipe(path) is not None:
            return replace(one, fault=Fault.OWN, sentence="Its colours are guessed ones; they teach nothing.")
        picture = read_picture(path)
    except (OSError, PictureError) as error:
        return replace(
            one,
            fault=Fault.UNREADABLE,
            sentence=printable(explain(error, name, "read") if isinstance(error, OSError) else str(error)),
        )
    height, width = picture.size
    if min(height, width) < LEAST_SIDE:
        words = f"It is {width} x {height} px; {LEAST_SIDE} px are needed."
        return replace(one, fault=Fault.TINY, sentence=words)
    lab = srgb_to_lab(small_srgb(picture, min(SHORT_SIDE, height, width)))
    fault, sentence = _colors_of(lab)
    if fault is not None:
        return replace(one, fault=fault, sentence=sentence)
    lightness, ab = _packed(lab)
    digest = hashlib.sha256(repr(ab.shape).encode() + lightness.tobytes() + ab.tobytes()).hexdigest()
    return replace(one, lightness=lightness, ab=ab, digest=digest)


def compare(files: Sequence[Checked]) -> list[Checked]:
    """The files with duplicates among the usable ones marked, and numbers of series given; the first of a kind stays.

    Two are alike by the correlation of their small grey pictures, also mirrored.
    """
    result = list(files)
    usable = [index for index, one in enumerate(files) if one.fault is None]
    if not usable:
        return result
    thumbs = [_thumb(files[index]) for index in usable]
    grey = np.stack([thumb[0].ravel() for thumb in thumbs])
    mirrored = np.stack([thumb[0][:, ::-1].ravel() for thumb in thumbs])
    series = list(range(len(usable)))
    for row, index in enumerate(usable):
        alike = np.maximum(grey[:row] @ grey[row], mirrored[:row] @ grey[row])
        for other in np.flatnonzero(alike >= SERIES):
            series[row] = min(series[row], series[other])
        for other in np.flatnonzero(grey[:row] @ grey[row] >= SAME):
            first = result[usable[other]]
            if first.fault is None and np.abs(thumbs[other][1] - thumbs[row][1]).mean() < SAME_AB:
                words = f"It is the same photograph as {printable(first.name)}."
                result[index] = replace(files[index], fault=Fault.DUPLICATE, sentence=words, lightness=None, ab=None)
                break
        else:
            result[index] = replace(files[index], series=series[row])
    return result


def held_out_part(used: Sequence[Checked], share: float, seed: int) -> np.ndarray:
    """Which photographs are held out of training (bool, one each): about `share`, whole series, by content."""
    order: dict[int, str] = {}
    for one in used:
        key = hashlib.sha256(f"{seed} {one.digest}".encode()).hexdigest()
        order[one.series] = min(key, order.get(one.series, key))
    sizes = Counter(one.series for one in used)
    chosen: set[int] = set()
    wanted = max(1, min(MAX_HELD_OUT, round(share * len(used))))
    for series in sorted(order, key=lambda one: order[one]):
        if sum(sizes[one] for one in chosen) + sizes[series] <= wanted:
            chosen.add(series)
    return np.array([one.series in chosen for one in used], dtype=bool)


def _listing(folder: Path) -> tuple[list[Path], Counter[str]]:
    """Pictures in a folder and below, sorted, and a count of other files by suffix; links to folders are left."""
    paths: list[Path] = []
    passed: Counter[str] = Counter()
    for place, names, found in os.walk(folder):
        names[:] = sorted(name for name in names if not is_system_file(Path(name)))
        for name in sorted(found):
            path = Path(place) / name
            if is_system_file(path):
                continue
            if path.suffix.lower() in READ_SUFFIXES:
                paths.append(path)
            else:
                passed[path.suffix.lower()[:12] or "without suffix"] += 1
        if len(paths) > MAX_FILES:
            break
    return paths, passed


def _colors_of(lab: np.ndarray) -> tuple[Fault | None, str]:
    """Whether a picture (h x w x 3 Lab) is grey, tinted grey or of one tone."""
    light, ab = lab[..., 0].ravel(), lab[..., 1:].reshape(-1, 2)
    if light.std() < FLAT:
        return Fault.FLAT, "There is nothing to be seen in it."
    if np.linalg.norm(ab, axis=1).mean() < GREY_CHROMA:
        return Fault.GREY, "It is a grey picture, saved in colour."
    edges = np.quantile(light, np.linspace(0, 1, TONE_BINS + 1)[1:-1])
    owner = np.searchsorted(edges, light)
    rest = np.concatenate([ab[owner == one] - ab[owner == one].mean(0) for one in np.unique(owner)])
    if np.sqrt(np.square(rest).sum(1).mean()) < TONED_REST:
        return Fault.TONED, "It is a grey picture with a tint, as sepia."
    return None, ""


def _packed(lab: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """h x w x 3 Lab as the bytes of `Checked`; sides become multiples of SCALE."""
    height, width = (side // SCALE * SCALE for side in lab.shape[:2])
    lab = lab[:height, :width]
    lightness = np.round(lab[..., 0] * L_UNIT).clip(0, 255).astype(np.uint8)
    cells = lab[..., 1:].reshape(height // AB_STEP, AB_STEP, width // AB_STEP, AB_STEP, 2).mean((1, 3))
    return lightness, np.round(cells).clip(-127, 127).astype(np.int8)


def _thumb(one: Checked) -> tuple[np.ndarray, np.ndarray]:
    """A small grey picture of mean 0 and length 1, and small ab."""
    assert one.lightness is not None and one.ab is not None
    grey = resize(one.lightness.astype(np.float32), (THUMB, THUMB))
    grey = grey - grey.mean()
    return grey / max(float(np.linalg.norm(grey)), 1e-6), resize(one.ab.astype(np.float32), (THUMB, THUMB))


def check_table(files: Iterable[Checked]) -> str:
    """CSV of what became of each file: name, used or the fault, sentence."""
    import csv
    from io import StringIO

    stream = StringIO()
    writer = csv.writer(stream)
    writer.writerow(("file", "state", "why"))
    for one in files:
        writer.writerow((one.name, "used" if one.fault is None else one.fault.value, one.sentence))
    return stream.getvalue()
