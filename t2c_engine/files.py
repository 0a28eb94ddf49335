"""Writing files so that nothing half-written is ever left: all bytes under a temporary name first, then renamed.

Must not import anything outside the standard library and `errors`.
"""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from t2c_engine.errors import ExistsError, OutputError

_URL = re.compile(r"^([a-z][a-z0-9+.-]+):/{1,2}(?=[^/])")  # two letters at least: "c:/" is a drive
_NO_HOST = ("file", "local")  # schemes of which the path follows at once


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
            handle, temporary = tempfile.mkstemp(prefix=_temporary_prefix(path), suffix=".part", dir=path.parent)
            written.append((Path(temporary), path))
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            Path(temporary).chmod(0o666 & ~_umask())
        for temporary, path in written:
            if overwrite:
                temporary.replace(path)
            else:
                _put_in_place(temporary, path)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise OutputError(f"{path} cannot be written: the name is too long; shorten it.") from error
        raise OutputError(f"{path} cannot be written ({error.strerror or error}); choose another folder.") from error
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


def _temporary_prefix(path: Path) -> str:
    """A name of at most 100 bytes that shows whose temporary file it is."""
    return "." + os.fsencode(path.name)[:100].decode(errors="ignore") + "."


def _exists(path: Path) -> ExistsError:
    return ExistsError(f"{path} exists and is kept; add --overwrite to replace it, or choose another name.")


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
