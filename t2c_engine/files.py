"""Writing files so that nothing half-written is ever left: all bytes under a temporary name first, then renamed.

Must not import anything outside the standard library and `errors`.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from t2c_engine.errors import ExistsError, OutputError

_URL = re.compile(r"^([a-z][a-z0-9+.-]+):/{1,2}(?=[^/])")  # two letters at least: "c:/" is a drive
_NO_HOST = ("file", "local")  # schemes of which the path follows at once
_NAME_BYTES = 255  # of a file's name, where the system does not say
_ELSEWHERE = "choose another folder"
_PERMISSIONS = f"check its permissions, or {_ELSEWHERE}"
_ROOM = f"free some space, or {_ELSEWHERE}"
_REASONS = {  # by errno, where the system's own words do not say enough: what is wrong, and what to do
    errno.EACCES: ("Permission denied", _PERMISSIONS),
    errno.EPERM: ("Operation not permitted", _PERMISSIONS),
    errno.EROFS: ("Read-only file system", _ELSEWHERE),
    errno.ENOSPC: ("No space left on device", _ROOM),
    errno.EDQUOT: ("Disk quota exceeded", _ROOM),
    errno.ENAMETOOLONG: ("the name is too long", "shorten it"),
    errno.ENOTDIR: ("a file is where a folder must be", _ELSEWHERE),
    errno.EEXIST: ("a file is where a folder must be", _ELSEWHERE),  # of mkdir
    errno.EISDIR: ("it is a folder", "give the name of a file"),
    errno.ENOENT: ("No such file or directory", "check its name"),
    errno.EMFILE: ("Too many open files", "raise the limit of open files (ulimit -n)"),
}


def is_remote(path: Path | str) -> bool:
    """Whether a path is a URL."""
    return _URL.match(Path(path).as_posix()) is not None


def location(path: Path | str) -> str:
    """A path as users write it: a URL with both its slashes."""
    if not is_remote(path):
        return str(path)
    scheme, _, rest = Path(path).as_posix().partition(":")
    return f"{scheme}://{'/' if scheme in _NO_HOST else ''}{rest.lstrip('/')}"


def real(path: Path | str) -> Path:
    """A path made absolute and without links; one of a link that leads to itself stays, for whoever opens it to refuse.

    `Path.resolve` raises RuntimeError there.
    """
    return Path(os.path.realpath(path))


def explain(error: OSError, path: Path | str | None = None, action: str = "used") -> str:
    """A sentence on an error of the operating system: which file, what is wrong, what to do.

    Args:
        path: the file or folder; the error's own if not given. action: what cannot be done with it, as a participle.
    """
    where = location(path or error.filename or "The output")
    _, advice = _REASONS.get(error.errno or 0, ("", f"check it, or {_ELSEWHERE}"))
    if error.errno == errno.ENOENT and action in ("written", "made"):  # as in /proc
        return f"{where} cannot be {action} (no folder can be made there); {_ELSEWHERE}."
    return f"{where} cannot be {action} ({reason(error)}); {advice}."


def reason(error: Exception) -> str:
    """What went wrong, in words for a sentence; of an error of the operating system without its number and file."""
    if isinstance(error, OSError) and error.errno is not None:
        return _REASONS.get(error.errno, (error.strerror or os.strerror(error.errno), ""))[0]
    if isinstance(error, UnicodeDecodeError):
        return "it is no text"
    return " ".join(str(error).split())[:300] or type(error).__name__


def name_limit(folder: Path) -> int:
    """Bytes that a file's name may have in a folder."""
    try:
        return os.pathconf(_existing_folder(folder), "PC_NAME_MAX")
    except (OSError, ValueError, AttributeError):  # no such question
        return _NAME_BYTES


def check_folder(folder: Path) -> None:
    """See that a folder for results can be made and written, before any work is done; the first file makes it.

    Raises:
        OutputError: it cannot be made or written.
    """
    there = _existing_folder(folder)
    try:
        if not there.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "")
        if any(len(os.fsencode(part)) > name_limit(there) for part in folder.parts):
            raise OSError(errno.ENAMETOOLONG, "")
        os.rmdir(tempfile.mkdtemp(prefix=".t2c.", dir=there))  # permissions do not say it all: as of /proc
    except OSError as error:
        raise OutputError(explain(error, folder, "written" if there == folder else "made")) from error


def _existing_folder(folder: Path) -> Path:
    """The folder, or the nearest above it that exists."""
    there = folder
    while not os.path.lexists(there) and there != there.parent:
        there = there.parent
    return there


def make_folder(path: Path) -> None:
    """Make a folder and those above it, unless it is there.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(explain(error, path, "made")) from error


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A stream whose bytes replace the file `path` when the block ends without an error; otherwise that stays as it is.

    Raises:
        OutputError: the folder cannot be written or is full, or the name is too long.
    """
    temporary: Path | None = None
    try:
        refuse_existing(path, overwrite=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary, stream = _temporary(path)
        with stream:
            yield stream
        temporary.replace(path)
    except OSError as error:
        raise OutputError(explain(error, path, "written")) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextmanager
def building(folder: Path) -> Iterator[Path]:
    """A new folder beside `folder` that takes its name when the block ends without an error.

    Where another process has made `folder` meanwhile, with the same files in it, that one stays.

    Raises:
        OutputError: the folder cannot be written or is full, or the name is too long.
    """
    temporary: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
        yield temporary
        try:
            temporary.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
    except OSError as error:
        raise OutputError(explain(error, folder, "written")) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def write_file(path: Path, content: bytes, overwrite: bool = False) -> None:
    """Write one file whole or not at all; its folder is made when missing. Errors as `write_files`."""
    write_files({path: content}, overwrite)


def write_files(contents: Mapping[Path, bytes], overwrite: bool = False) -> None:
    """Write several files; none is put in place before all are written.

    Without `overwrite`, a file that another process puts there meanwhile is kept too: check and write are one step.

    Raises:
        ExistsError: a file exists and `overwrite` is false.
        OutputError: a folder cannot be written or is full, or a name is too long.
    """
    written: list[tuple[Path, Path]] = []
    path = Path()
    try:
        for path in contents:
            refuse_existing(path, overwrite)
            path.parent.mkdir(parents=True, exist_ok=True)
        for path, content in contents.items():
            temporary, stream = _temporary(path)
            written.append((temporary, path))
            with stream:
                stream.write(content)
        for temporary, path in written:
            if overwrite:
                temporary.replace(path)
            else:
                _put_in_place(temporary, path)
    except OSError as error:
        raise OutputError(explain(error, path, "written")) from error
    finally:
        for temporary, _ in written:
            temporary.unlink(missing_ok=True)


def refuse_existing(path: Path, overwrite: bool) -> None:
    """Raise ExistsError when something is at `path` that may not be replaced, OutputError where it is a folder."""
    if os.path.isdir(path):  # the functions of os.path take names that are too long for a file
        raise OutputError(f"{path} is a folder; give the name of a file.")
    if not overwrite and os.path.lexists(path):
        raise _exists(path)


def _put_in_place(temporary: Path, path: Path) -> None:
    """Rename unless there is a file already, in one step; raises ExistsError."""
    try:
        try:
            os.link(temporary, path)
        except FileExistsError:
            raise
        except OSError:  # no hard links there (FAT, some network drives): the name is taken first, then filled
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            temporary.replace(path)
    except FileExistsError as error:
        raise _exists(path) from error


def _temporary(path: Path) -> tuple[Path, BinaryIO]:
    """A new file beside `path`, of a name that shows whose it is, open for writing, with the usual rights."""
    prefix = "." + os.fsencode(path.name)[:100].decode(errors="ignore") + "."
    handle, name = tempfile.mkstemp(prefix=prefix, suffix=".part", dir=path.parent)
    try:
        Path(name).chmod(0o666 & ~_umask())
        return Path(name), os.fdopen(handle, "wb")
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _exists(path: Path) -> ExistsError:
    return ExistsError(f"{path} exists and is kept; add --overwrite to replace it, or choose another name.")


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
