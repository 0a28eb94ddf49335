"""Which pictures are meant, and what their results are called.

Must not import anything that opens pictures, networks or the command line.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path

from t2c_engine.errors import OutputError, UsageError
from t2c_engine.pictures.formats import READ_SUFFIXES, WRITTEN


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the results of one input go: `outputs` one a palette, in order, then the sheet."""

    input: Path
    outputs: tuple[Path, ...]
    sheet: Path


def expand_inputs(words: Sequence[str]) -> tuple[Path, ...]:
    """Files, folders (their pictures, by name, not those of folders inside) and patterns to files, each once.

    A single file that is missing stays in the list, and fails when its turn comes.

    Raises:
        UsageError: nothing is named, or a folder or pattern holds no picture.
    """
    found: dict[Path, Path] = {}
    for word in words:
        path = Path(word)
        if os.path.isdir(path):
            paths = sorted(one for one in path.iterdir() if one.suffix.lower() in READ_SUFFIXES and one.is_file())
        elif not os.path.exists(path) and has_magic(word):
            paths = sorted(Path(one) for one in glob(word, recursive=True) if Path(one).is_file())
        else:
            paths = [path]
        if not paths:
            raise UsageError(f"'{word}' holds no picture; name files, or a folder of {', '.join(READ_SUFFIXES)}.")
        for one in paths:
            found.setdefault(one.resolve(), one)
    if not found:
        raise UsageError("No picture is named; give one or several files, folders or patterns.")
    return tuple(found.values())


def plan_outputs(inputs: Sequence[Path], folder: Path, count: int) -> list[Plan]:
    """Output names: `<stem>-1<suffix>` ... and `<stem>-sheet.png`; equal stems are told apart by `_2`, `_3` ...

    Formats that are not written become .png.
    """
    taken: set[str] = set()
    plans = []
    for path in inputs:
        suffix = path.suffix if path.suffix.lower() in WRITTEN else ".png"
        stem, number = path.stem, 1
        while stem.casefold() in taken:
            number += 1
            stem = f"{path.stem}_{number}"
        taken.add(stem.casefold())
        outputs = tuple(folder / f"{stem}-{index}{suffix}" for index in range(1, count + 1))
        plans.append(Plan(path, outputs, folder / f"{stem}-sheet.png"))
    return plans


def prepare_folder(folder: Path) -> None:
    """Make the output folder, and see that it can be written, before any work is done.

    Raises:
        OutputError: it cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK | os.X_OK)
    except OSError as error:
        raise OutputError(f"The folder {folder} cannot be made ({error.strerror}); choose another with -o.") from error
    if not writable:
        raise OutputError(f"The folder {folder} is not writable for you; choose another with -o.")
