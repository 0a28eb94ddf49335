"""The pictures of an album job: folders walked whole, with their places in the tree and their captions.

Must not import torch, networks or the command line.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Container, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from glob import glob, has_magic
from pathlib import Path

from t2c_engine.albums.job import AlbumJob, Scope
from t2c_engine.albums.storage import RemoteFile, list_files, read_text
from t2c_engine.batch.input_files import is_apple_double, is_system_file, own_results
from t2c_engine.errors import UsageError
from t2c_engine.files import is_remote, location, real
from t2c_engine.pictures.formats import READ_SUFFIXES

_MAX_CAPTION = 300  # characters of a caption that are used


@dataclass(frozen=True, slots=True)
class Leaf:
    """A picture: its path, its folder's place in the tree ("" at the root), and its caption.

    remote: what the listing of its storage says, where the path is a URL.
    """

    path: Path
    place: str
    caption: str | None = None
    remote: RemoteFile | None = None

    def scope_key(self, scope: Scope) -> str:
        """What shares a draw of palettes with it."""
        return {Scope.ALBUM: "", Scope.FOLDER: self.place, Scope.PICTURE: f"{self.place}/{self.path.name}"}[scope]


def leaves(job: AlbumJob) -> list[Leaf]:
    """Every picture of a job, each once, in order of its path. The output folder and earlier results are left out.

    Raises:
        UsageError: an input is not there, the output is an input, or the captions cannot be read.
    """
    captions = _Captions(job.captions)
    output = real(job.output)
    found: dict[Path, Leaf] = {}
    far = [Path(word) for word in job.inputs if is_remote(word)]
    roots = [root for word in job.inputs if not is_remote(word) for root in _roots(word)]
    for leaf in _remote_leaves(job, far, captions, len(far) + len(roots) > 1):
        found.setdefault(leaf.path, leaf)
    for root in roots:
        if real(root) == output:
            raise UsageError(f"The output folder {job.output} is an input itself; choose another.")
        several = len(far) + len(roots) > 1 and root.is_dir()
        for path in _walk(root, output) if root.is_dir() else [root]:
            place = path.parent.relative_to(root) if root.is_dir() else Path()
            shown = (Path(real(root).name) / place if several else place).as_posix().removeprefix(".")
            if not any(_matches(pattern, shown, path.name) for pattern in job.exclude):
                found.setdefault(real(path), Leaf(path, shown, captions.of(path, shown)))
    own = own_results(leaf.path for leaf in found.values() if leaf.remote is None)
    return sorted((one for one in found.values() if one.path not in own), key=lambda leaf: os.fsencode(leaf.path))


def _remote_leaves(job: AlbumJob, roots: list[Path], captions: _Captions, several: bool) -> Iterator[Leaf]:
    """Pictures below URLs. Earlier results among them are not known as such: that would fetch every file."""
    for root in roots:
        if root == job.output:
            raise UsageError(f"The output {location(root)} is an input itself; choose another.")
        files = {one.path: one for one in list_files(root)}
        if not files:
            raise UsageError(f"'{location(root)}' is not there, or empty; name folders or pictures.")
        captions.beside = files.keys()
        for path, one in files.items():
            if path.suffix.lower() not in READ_SUFFIXES or is_system_file(path) or job.output in path.parents:
                continue
            place = path.parent.relative_to(root) if path != root else Path()
            shown = (Path(root.name) / place if several and path != root else place).as_posix().removeprefix(".")
            if not any(_matches(pattern, shown, path.name) for pattern in job.exclude):
                yield Leaf(path, shown, captions.of(path, shown), one)


def _roots(word: str) -> list[Path]:
    path = Path(word)
    if os.path.exists(path):
        return [path]
    if has_magic(word) and (matched := sorted(Path(one) for one in glob(word, recursive=True))):
        return matched
    raise UsageError(f"'{word}' is not there; name folders, pictures or patterns.")


def _walk(root: Path, output: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(root):
        here = Path(folder)
        names[:] = sorted(name for name in names if not is_system_file(Path(name)) and real(here / name) != output)
        for name in sorted(files):
            path = here / name
            if path.suffix.lower() in READ_SUFFIXES and not is_system_file(path) and not is_apple_double(path):
                yield path


def _matches(pattern: str, place: str, name: str) -> bool:
    """Whether a pattern names a file, its path in the tree, or a folder above it."""
    parts = [*place.split("/"), name] if place else [name]
    paths = ["/".join(parts[: end + 1]) for end in range(len(parts))]
    return any(fnmatch(one, pattern.rstrip("/")) for one in (*parts, *paths))


class _Captions:
    """Captions from a CSV file, from .txt files beside pictures, or from the pictures' metadata."""

    def __init__(self, kind: str | None) -> None:
        self._kind = kind
        self.beside: Container[Path] = ()  # files of a storage, as its listing says
        self._table: dict[str, str] = {}
        if kind not in (None, "sidecar", "metadata"):
            self._table = _read_table(Path(str(kind)))

    def of(self, path: Path, place: str) -> str | None:
        """The caption of a picture; a table's by its path in the tree, else its name, else its folder."""
        if self._kind == "sidecar":
            text = self._first_text(path.with_suffix(".txt"), path.with_name(f"{path.name}.txt"))
        elif self._kind == "metadata":
            from t2c_engine.albums.titles import title_of

            text = title_of(path)
        else:
            keys = (f"{place}/{path.name}".lstrip("/"), path.name, place)
            text = next((self._table[key] for key in keys if key in self._table), None)
        text = " ".join((text or "").split())[:_MAX_CAPTION]
        return text or None

    def _first_text(self, *paths: Path) -> str | None:
        for path in paths:
            if is_remote(path):
                if path in self.beside:
                    return read_text(path)
            elif path.is_file():
                try:
                    return path.read_text("utf-8-sig", errors="replace")
                except OSError:
                    continue
        return None


def _read_table(path: Path) -> dict[str, str]:
    """Captions by path: the first two columns; a first row "path,caption" or the like is a heading."""
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="replace") as stream:
            sample = stream.read(4096)
            stream.seek(0)
            delimiter = max(",;\t", key=sample.count)
            rows = [row for row in csv.reader(stream, delimiter=delimiter) if row and row[0].strip()]
    except OSError as error:
        raise UsageError(f"The captions {path} cannot be read ({error.strerror}); check the name.") from error
    except csv.Error as error:
        raise UsageError(f"The captions {path} are no CSV file: {error}.") from error
    if not all(len(row) > 1 for row in rows) or not rows:
        raise UsageError(f"The captions {path} need two columns: a picture's path, and its caption.")
    return {row[0].strip().replace("\\", "/"): row[1] for row in rows}
