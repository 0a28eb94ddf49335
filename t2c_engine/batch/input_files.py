"""Which pictures are meant by files, folders and patterns, and what is passed over.

System files are passed over in silence; results of earlier runs, kinds that are not read and sub-folders are counted.
Must not import torch, networks or the command line.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from glob import escape, glob, has_magic
from pathlib import Path

from t2c_engine.batch.output_paths import SHEET_TAIL
from t2c_engine.batch.recipe import read_recipe
from t2c_engine.errors import UsageError
from t2c_engine.files import real
from t2c_engine.pictures.formats import READ_SUFFIXES

_APPLE_DOUBLE = b"\x00\x05\x16\x07"
_SYSTEM_NAMES = frozenset(
    ("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "icon\r", "__macosx", "$recycle.bin", "@eadir",
     "#recycle", "lost+found", "system volume information")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Inputs:
    """The pictures meant, each once, and one line a folder or pattern on what it holds beside them."""

    paths: tuple[Path, ...]
    notes: tuple[str, ...] = ()


def is_system_file(path: Path) -> bool:
    """Whether an operating system or a file manager put it there: hidden, AppleDouble, thumbnails, recycle bins."""
    return path.name.startswith(".") or path.name.casefold() in _SYSTEM_NAMES


def is_apple_double(path: Path) -> bool:
    """Whether a file is the metadata half of a Mac's file (RFC 1740), whatever its name."""
    if not os.path.isfile(path):  # a named pipe would be waited for
        return False
    try:
        with path.open("rb") as stream:
            return stream.read(4) == _APPLE_DOUBLE
    except OSError:
        return False


def expand_inputs(words: Sequence[str], excluded: Collection[Path] = ()) -> Inputs:
    """Files, folders (their pictures, by name, not those of folders inside) and patterns to files, each once.

    A single file that is named is taken whatever it is, unless it is an AppleDouble file; a missing one stays in the
    list, and fails when its turn comes.

    Args:
        excluded: files that are no inputs: hints and masks.

    Raises:
        UsageError: nothing is named, or a folder or pattern holds no picture.
    """
    left_out = {real(path) for path in excluded}
    found: dict[Path, Path] = {}
    notes: list[str] = []
    for word in words:
        path = Path(word)
        if os.path.isdir(path):
            paths, passed = _sift(_listing(path), left_out)
        elif not os.path.exists(path) and has_magic(word):
            paths, passed = _sift((Path(one) for one in glob(word, recursive=True)), left_out, any_file=True)
        elif is_apple_double(path):
            notes.append(f"Passed over {word}: it is the metadata of a Mac's file, no picture.")
            continue
        else:
            paths, passed = [path], Counter()
        if passed:
            notes.append(f"Passed over in {word}: {_count(passed)}.")
        if not paths:
            held = f" ({_count(passed)})" if passed else ""
            raise UsageError(f"'{word}' holds no picture{held}; name files, or a folder of {_kinds()}.")
        for one in paths:
            found.setdefault(real(one), one)
    if not found:
        raise UsageError("No picture is named; give one or several files, folders or patterns.")
    return Inputs(tuple(found.values()), tuple(notes))


def own_results(paths: Iterable[Path]) -> set[Path]:
    """Those of `paths` that t2c has written: by the recipe in them, or, older ones, by name beside a contact sheet."""
    return {path for path in paths if _named_as_result(path) or read_recipe(path) is not None}


def _named_as_result(path: Path) -> bool:
    if path.name.endswith(SHEET_TAIL):
        return any(path.parent.glob(f"{escape(path.name.removesuffix(SHEET_TAIL))}-1.*"))
    stem, _, number = path.stem.rpartition("-")
    return number.isdecimal() and os.path.exists(path.parent / f"{stem}{SHEET_TAIL}")


def _listing(folder: Path) -> Iterator[Path]:
    try:
        yield from sorted(folder.iterdir())
    except OSError as error:
        raise UsageError(f"The folder {folder} cannot be listed ({error.strerror}); check its permissions.") from error


def _sift(paths: Iterable[Path], left_out: set[Path], any_file: bool = False) -> tuple[list[Path], Counter[str]]:
    """The pictures among paths, sorted, and counts of what else there is, by what it is called.

    any_file: files of any name are taken, and folders are no news: a pattern asked for them.
    """
    passed: Counter[str] = Counter()
    pictures: list[Path] = []
    for path in sorted(paths):
        if _is_of_the_system(path):
            continue
        if path.is_dir():
            if not any_file:
                passed["sub-folder"] += 1
        elif not os.path.isfile(path):
            if not any_file:
                passed["special file" if os.path.exists(path) else "broken link"] += 1
        elif real(path) in left_out:
            continue
        elif any_file or path.suffix.lower() in READ_SUFFIXES:
            pictures.append(path)
        else:
            passed[f"{path.suffix[1:].upper()} file" if path.suffix else "file without a suffix"] += 1
    own = own_results(pictures)
    if own:
        passed["earlier result"] = len(own)
    return [path for path in pictures if path not in own], passed


def _is_of_the_system(path: Path) -> bool:
    """Whether a path or a folder on the way to it is of the system."""
    parts = (Path(part) for part in path.parts if part not in (".", "..", path.anchor))
    return any(is_system_file(part) for part in parts) or is_apple_double(path)


def _count(passed: Counter[str]) -> str:
    """ "3 BMP files, 1 sub-folder"."""
    plural = {"file without a suffix": "files without a suffix"}
    return ", ".join(f"{n} {what if n == 1 else plural.get(what, f'{what}s')}" for what, n in passed.items())


def _kinds() -> str:
    return ", ".join(READ_SUFFIXES)
