"""Pictures on storage that fsspec reaches (s3://, gs://, sftp://, memory:// ...): listed, fetched, colored here, sent.

A URL travels as a path ("s3:/bucket/a.jpg"), for everything else to stay as it is; `location` gives it back. A picture
is fetched into a temporary folder, colored as any other, and its new results are sent; each appears whole or not at
all. Needs the extra [cluster]. Must not import torch or the command line.
"""

from __future__ import annotations

import errno
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from t2c_engine.errors import OutputError, UsageError
from t2c_engine.files import is_remote, location

_CHANGED = ("ETag", "etag", "mtime", "LastModified", "last_modified", "updated", "created")  # what tells versions apart
_BLOCK = 1 << 16  # bytes that are fetched at once of a file of which a part is read
# what storage raises, as the specification of fsspec has it: no file system, no library for it, no file, no network
_ERRORS = (OSError, ValueError, ImportError, LookupError, NotImplementedError, RuntimeError, TypeError)
# roots of the errors of libraries below file systems, which are no OSError; looked at where they are loaded
_LIBRARIES = (
    ("aiohttp", "ClientError"),
    ("azure.core.exceptions", "AzureError"),
    ("botocore.exceptions", "BotoCoreError"),
    ("botocore.exceptions", "ClientError"),  # of answers of the server
    ("gcsfs.retry", "HttpError"),
    ("google.auth.exceptions", "GoogleAuthError"),
    ("paramiko", "SSHException"),
)
_PREFIXES = frozenset(("s3", "gs"))  # storage that lists by the beginning of names


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a listing. changed: a number that is another one when the file has changed."""

    path: Path
    size: int
    changed: int


def journal_folder(output: Path) -> Path:
    """Where the journal of a job lies: in the output folder, or, for a URL, in the user's state folder."""
    if not is_remote(output):
        return output
    from platformdirs import user_state_path

    return user_state_path("text2colors") / "jobs" / hashlib.sha256(location(output).encode()).hexdigest()[:16]


def list_files(root: Path) -> list[RemoteFile]:
    """Every file below a URL, or the file that it is, by path.

    Raises:
        UsageError: there is no such place, or fsspec cannot reach it.
    """
    system, place = _system(root)
    with _sentences(root, UsageError):
        found: Mapping[str, Any] = system.find(place, detail=True)
    return [
        RemoteFile(_path(system, name), int(info.get("size") or 0), _version(info))
        for name, info in sorted(found.items())
    ]


def read_text(path: Path) -> str:
    """A small text file."""
    system, place = _system(path)
    with _sentences(path, UsageError):
        return system.cat_file(place).decode("utf-8-sig", errors="replace")


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A file open for reading; of a URL, only what is read is fetched."""
    if not is_remote(path):
        if os.path.exists(path) and not os.path.isfile(path):  # a named pipe would be waited for
            raise OSError(errno.EINVAL, "it is no file", str(path))
        with path.open("rb") as stream:
            yield stream
        return
    system, place = _system(path)
    with _sentences(path, OutputError):
        stream = system.open(place, "rb", block_size=_BLOCK)
    with stream:
        yield stream


class Staged:
    """A picture at a URL, fetched into a temporary folder beside what lies at its results' names already."""

    def __init__(self, source: Path, folder: Path, stem: str, work: Path) -> None:
        self.input = work / "in" / source.name
        self.folder = work / "out"
        self._source, self._target = source, folder
        for one in (self.input.parent, self.folder):
            one.mkdir()
        system, place = _system(source)
        with _sentences(source, OutputError):
            system.get_file(place, str(self.input))
        self._there = self._fetch_results(stem)

    def _fetch_results(self, stem: str) -> dict[str, int]:
        if not is_remote(self._target):
            self.folder = self._target
            return {}
        system, place = _system(self._target)
        with _sentences(self._target, OutputError):
            for path in _find_beginning(system, place, stem):
                folder, _, name = path.rpartition("/")
                if folder == place and name.startswith((f"{stem}-", f"{stem}_")):
                    system.get_file(path, str(self.folder / name))
        return {path.name: path.stat().st_mtime_ns for path in self.folder.iterdir()}

    def send(self) -> None:
        """Send what is new or changed in the results' folder."""
        if self.folder == self._target:
            return
        system, place = _system(self._target)
        with _sentences(self._target, OutputError):
            system.makedirs(place, exist_ok=True)
            for path in sorted(self.folder.iterdir()):
                if self._there.get(path.name) != path.stat().st_mtime_ns:
                    with system.transaction:  # seen at its end
                        system.put_file(str(path), f"{place}/{path.name}")

    def named(self, path: Path) -> Path:
        """A path of the temporary folder as that of the storage."""
        if path == self.input:
            return self._source
        return self._target / path.name if path.parent == self.folder else path

    def reworded(self, sentence: str | None) -> str | None:
        """A sentence about temporary files as one about those of the storage."""
        if sentence is None:
            return None
        sentence = sentence.replace(str(self.input), location(self._source))
        return sentence.replace(str(self.folder), location(self._target))


@contextmanager
def staged(source: Path, folder: Path, stem: str) -> Iterator[Staged]:
    """Fetch a picture; send its results when the block ends without an error.

    Raises:
        OutputError: the storage fails.
    """
    with tempfile.TemporaryDirectory(prefix="t2c-") as work:
        one = Staged(source, folder, stem, Path(work))
        yield one
        one.send()


def existing(output: Path) -> Callable[[str], bool]:
    """Whether results of a job that writes to a URL are there: one listing for all of them."""
    system, place = _system(output)
    with _sentences(output, OutputError):
        names = set(system.find(place)) if system.exists(place) else set()
    return lambda path: _system(Path(path))[1] in names


def digest(path: Path) -> str:
    """As `recipe.file_digest`, of a file at a URL."""
    from t2c_engine.batch.recipe import file_digest

    with tempfile.TemporaryDirectory(prefix="t2c-") as work:
        system, place = _system(path)
        with _sentences(path, OutputError):
            if not system.exists(place):
                return ""
            system.get_file(place, str(Path(work, "file")))
        return file_digest(Path(work, "file"))


def _system(path: Path) -> tuple[Any, str]:
    """The file system of a URL, and the place in it."""
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise UsageError(
            f"{location(path)} needs fsspec; install it with: pip install 'text2colors[cluster]'."
        ) from error
    with _sentences(path, UsageError):
        system, place = url_to_fs(location(path))
    return system, place.rstrip("/")


def _find_beginning(system: Any, folder: str, start: str) -> Iterable[str]:
    """Files of a folder whose names begin so, and perhaps others."""
    if _PREFIXES.isdisjoint([system.protocol] if isinstance(system.protocol, str) else system.protocol):
        return system.find(folder, maxdepth=1) if system.exists(folder) else ()
    return system.find(folder, prefix=start)  # a folder may hold a million


def _path(system: Any, name: str) -> Path:
    return Path(system.unstrip_protocol(name))


def _version(info: Mapping[str, Any]) -> int:
    text = "|".join(str(info[name]) for name in _CHANGED if info.get(name))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")


@contextmanager
def _sentences(path: Path, kind: type[UsageError] | type[OutputError]) -> Iterator[None]:
    try:
        yield
    except (UsageError, OutputError):
        raise
    except _storage_errors() as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise kind(f"{location(path)} cannot be reached ({reason}); check address, permissions and network.") from error


def _storage_errors() -> tuple[type[Exception], ...]:
    """What file systems may raise, of the libraries that are loaded."""
    loaded = ((sys.modules.get(module), name) for module, name in _LIBRARIES)
    return (*_ERRORS, *(getattr(module, name) for module, name in loaded if hasattr(module, name)))
