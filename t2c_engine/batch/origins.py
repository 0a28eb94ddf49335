"""Where the files that a recipe names are now: the input, hints, masks and references, though folders have moved.

A file is known by its content. Must not import pictures, networks or the command line.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from glob import escape
from itertools import chain
from pathlib import Path

from t2c_engine.batch.recipe import file_digest
from t2c_engine.errors import PictureError
from t2c_engine.files import real

_PARENTS = 3  # folders above a result in which files of another name are looked at


@dataclass(frozen=True, slots=True)
class WantedFile:
    """A file as a recipe names it.

    what: for sentences, as "input". digest: `file_digest`, or "" if unknown. size: bytes, None if unknown. paths: where
    it was: relative ones to the result's folder or the current one, URLs, and absolute ones of earlier recipes.
    """

    what: str
    name: str
    digest: str
    size: int | None = None
    paths: tuple[str, ...] = ()

    def is_content_of(self, path: Path) -> bool:
        """Whether a file has the content wanted."""
        if self.size is not None and os.path.getsize(path) != self.size:
            return False
        return not self.digest or file_digest(path) == self.digest


def recorded_paths(path: Path, folder: Path, origin: str = "") -> tuple[str, ...]:
    """Where a file is, for a recipe: relative to the result's folder, with slashes; nothing where that is far.

    Who gives a result away should not give away where its maker keeps files.

    Args:
        origin: its URL where `path` is but a copy of it; taken alone then.
    """
    if origin:
        return (origin,)
    try:
        relative = Path(os.path.relpath(os.path.abspath(path), os.path.abspath(folder)))
    except ValueError:  # on another drive
        return ()
    return (relative.as_posix(),) if relative.parts.count("..") <= _PARENTS else ()


def find_file(wanted: WantedFile, result: Path, given: Sequence[Path] = (), also: Iterable[Path] = ()) -> Path:
    """The file of a recipe: the first of its content; else one that the user has pointed to.

    It is looked for in what the user has given, where the recipe says, under the recipe's path in each folder above the
    result, near the result and in the current folder; there also under another name, where its size is known.

    Args:
        given: files, and folders looked through with all below, by the user. also: further places that are known.

    Raises:
        PictureError: it is not found; says what was looked for, and the option.
    """
    seen: set[str] = {os.path.realpath(result)}
    others: list[Path] = []
    pointed_to = list(_given(wanted, given))
    for path in chain(pointed_to, also, _recorded(wanted, result), _near(wanted, result), _renamed(wanted, result)):
        real = os.path.realpath(path)
        if real in seen or not os.path.isfile(path):
            continue
        seen.add(real)
        if wanted.is_content_of(path):
            return path
        if path.name == wanted.name:
            others.append(path)
    meant = [path for path in others if path in pointed_to]
    files = [path for path in given if os.path.isfile(path)]
    if not meant and wanted.what == "input" and len(files) == 1:
        meant = files
    if meant:
        return meant[0]
    raise PictureError(_sentence(wanted, result, given, others))


def _sentence(wanted: WantedFile, result: Path, given: Sequence[Path], others: list[Path]) -> str:
    where = f" (looked for at {wanted.paths[-1]} too)" if wanted.paths else ""
    if given:
        where += f", nor in {', '.join(map(str, given))}"
    advice = "give it, or a folder that it is in, with --input"
    if others:
        advice = f"{others[0]} is named so, but its content is another; to take it, give it with --input"
    return f"The {wanted.what} {wanted.name} of {result} is not near it{where}; {advice}."


def _given(wanted: WantedFile, given: Sequence[Path]) -> Iterator[Path]:
    for place in given:
        if os.path.isfile(place):
            yield place
        for folder, below, names in os.walk(place):
            below.sort()
            for name in sorted(names):
                path = Path(folder, name)
                if name == wanted.name or _is_of_size(path, wanted.size):
                    yield path


def _recorded(wanted: WantedFile, result: Path) -> Iterator[Path]:
    folder = Path(os.path.abspath(result)).parent
    for text in wanted.paths:
        yield Path(os.path.normpath(folder / text))  # an absolute path stays itself
        yield Path(text)
    for text in wanted.paths:  # where whole trees have moved, the ends of paths stay
        parts = [part for part in re.split(r"[/\\]+", text) if part not in ("", ".", "..")]
        for parent in (folder, *folder.parents):
            for first in range(len(parts)):
                yield parent.joinpath(*parts[first:])


def _near(wanted: WantedFile, result: Path) -> Iterator[Path]:
    folder = real(result).parent
    for place in (folder, *folder.parents[:_PARENTS], Path()):
        yield place / wanted.name
    for place in folder.parents[: _PARENTS - 1]:  # a tree of inputs beside the tree of results
        yield from sorted(place.glob(f"*/{escape(wanted.name)}"))
        yield from sorted(place.glob(f"*/{escape(folder.name)}/{escape(wanted.name)}"))


def _renamed(wanted: WantedFile, result: Path) -> Iterator[Path]:
    """Files of the size wanted in the folders where the file was or may be."""
    folder = real(result).parent
    was = [Path(text).parent for text in wanted.paths]
    places = dict.fromkeys((folder, *folder.parents[:_PARENTS], *(folder / one for one in was), Path()))
    for place in places:
        try:
            paths = sorted(place.iterdir())
        except (OSError, ValueError):
            continue
        yield from (path for path in paths if _is_of_size(path, wanted.size))


def _is_of_size(path: Path, size: int | None) -> bool:
    try:
        return size is not None and os.path.getsize(path) == size
    except OSError:
        return False
