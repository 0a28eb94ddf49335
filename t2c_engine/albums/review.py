"""A page to look through results: one HTML file that works offline, with thumbnails beside it; and the choices made.

Must not import torch, networks or the command line.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any

from t2c_engine.batch.previews import preview_of_file, without_color
from t2c_engine.batch.recipe import Recipe, read_recipe
from t2c_engine.errors import ExistsError, OutputError, PictureError, UsageError
from t2c_engine.files import write_file

FOLDER = "review"  # below the results' folder
_THUMB_SIDE, _THUMB_QUALITY = 800, 82


@dataclass(frozen=True, slots=True)
class Group:
    """The results of one input, in order."""

    name: str
    input: str
    results: tuple[tuple[Path, Recipe], ...]


def groups_of(folder: Path) -> list[Group]:
    """Results in a folder and below, by the input and colors they come from.

    Raises:
        UsageError: there are none.
    """
    found: dict[str, list[tuple[Path, Recipe]]] = defaultdict(list)
    for path in _files(folder):
        recipe = read_recipe(path)
        if recipe is not None and recipe.index:
            stem = path.stem.removesuffix(f"-{recipe.index}")
            found[(path.parent / stem).relative_to(folder).as_posix()].append((path, recipe))
    if not found:
        raise UsageError(f"{folder} holds no results of t2c; name the folder that t2c wrote into.")
    return [
        Group(name, members[0][1].input, tuple(sorted(members, key=lambda one: one[1].index)))
        for name, members in sorted(found.items())
    ]


def write_review(folder: Path) -> Path:
    """Write the page and its thumbnails into `folder`/review; thumbnails newer than their results are kept.

    Raises:
        UsageError: there are no results. OutputError: the page cannot be written.
    """
    groups = groups_of(folder)
    target = folder / FOLDER
    entries = []
    for number, group in enumerate(groups):
        try:
            entries.append(_entry(group, folder, target, number))
        except PictureError as error:
            entries.append({"name": group.name, "input": group.input, "error": str(error), "results": []})
    data = json.dumps({"folder": folder.resolve().name, "pictures": entries}, ensure_ascii=False)
    template = files("t2c_engine.albums").joinpath("review.html").read_text("utf-8")
    page = template.replace("/*DATA*/null", data.replace("</", "<\\/").replace("<!--", "<\\!--"))
    path = target / "index.html"
    write_file(path, page.encode("utf-8", "replace"), overwrite=True)
    return path


def _entry(group: Group, folder: Path, target: Path, number: int) -> dict[str, Any]:
    results = []
    gray = target / f"thumbs/{number:06}-0.jpg"
    for index, (path, recipe) in enumerate(group.results, start=1):
        thumb = target / f"thumbs/{number:06}-{index}.jpg"
        if not _newer(thumb, path) or (index == 1 and not _newer(gray, path)):
            small = preview_of_file(path).convert("RGB")
            small.thumbnail((_THUMB_SIDE, _THUMB_SIDE))
            _write_jpeg(thumb, small)
            if index == 1:
                _write_jpeg(gray, without_color(small))
        results.append(
            {
                "path": path.relative_to(folder).as_posix(),
                "thumb": thumb.relative_to(target).as_posix(),
                "palette": list(recipe.palette),
                "phrase": str(recipe.colors.get("phrase", "")),
            }
        )
    return {"name": group.name, "input": group.input, "gray": gray.relative_to(target).as_posix(), "results": results}


def _write_jpeg(path: Path, image: Any) -> None:
    stream = BytesIO()
    image.save(stream, "JPEG", quality=_THUMB_QUALITY)
    write_file(path, stream.getvalue(), overwrite=True)


def _newer(thumb: Path, path: Path) -> bool:
    try:
        return thumb.stat().st_mtime_ns > path.stat().st_mtime_ns
    except OSError:
        return False


def _files(folder: Path) -> Iterator[Path]:
    for place, names, found in os.walk(folder):
        names[:] = sorted(name for name in names if not name.startswith(".") and name != FOLDER)
        yield from (Path(place) / name for name in sorted(found) if not name.startswith("."))


def read_choices(path: Path) -> dict[str, str]:
    """Accepted results by name of their picture, from the JSON that the page exports.

    Raises:
        UsageError: it cannot be read, or is none of the page's.
    """
    try:
        pictures = json.loads(path.read_text("utf-8"))["pictures"]
        return {str(one["name"]): str(one["choice"]) for one in pictures if one["state"] == "accepted"}
    except OSError as error:
        raise UsageError(f"The choices {path} cannot be read ({error.strerror}); check the name.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} holds no choices; export them from the review page.") from error


def deliver(folder: Path, choices: dict[str, str], target: Path) -> tuple[list[Path], list[str]]:
    """Copy the chosen results to `target`, the tree kept, the number gone from their names.

    Returns:
        What was written, and a sentence for each that could not be.
    """
    written, problems = [], []
    root = folder.resolve()
    for name, choice in choices.items():
        source = (root / choice).resolve()
        goal = target / f"{name}{source.suffix}"
        if not source.is_relative_to(root) or ".." in Path(name).parts or Path(name).is_absolute():
            problems.append(f"{choice} lies outside {folder}; it is left out.")
        elif not source.is_file():
            problems.append(f"{choice} is no longer in {folder}.")
        else:
            try:
                write_file(goal, source.read_bytes())
                shutil.copystat(source, goal)
                written.append(goal)
            except ExistsError:
                if goal.read_bytes() != source.read_bytes():
                    problems.append(f"{goal} exists, is another file, and is kept.")
            except OutputError as error:
                problems.append(str(error))
    return written, problems
