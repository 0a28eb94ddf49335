"""Writing files so that nothing half-written is ever left: all bytes under a temporary name first, then renamed.

Must not import anything outside the standard library and `errors`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from t2c_engine.errors import OutputError


def write_file(path: Path, content: bytes, overwrite: bool = False) -> None:
    """Write one file whole or not at all; its folder is made when missing. Errors as `write_files`."""
    write_files({path: content}, overwrite)


def write_files(contents: Mapping[Path, bytes], overwrite: bool = False) -> None:
    """Write several files; none is put in place before all are written.

    Raises:
        OutputError: a file exists and `overwrite` is false, or a folder cannot be written or is full.
    """
    written: list[tuple[Path, Path]] = []
    path = Path()
    try:
        for path in contents:
            refuse_existing(path, overwrite)
            path.parent.mkdir(parents=True, exist_ok=True)
        for path, content in contents.items():
            handle, temporary = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=".part", dir=path.parent)
            written.append((Path(temporary), path))
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            Path(temporary).chmod(0o666 & ~_umask())
        for temporary, path in written:
            temporary.replace(path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror or error}); choose another folder.") from error
    finally:
        for temporary, _ in written:
            temporary.unlink(missing_ok=True)


def refuse_existing(path: Path, overwrite: bool) -> None:
    """Raise OutputError when something is at `path` that may not be replaced."""
    if os.path.isdir(path):  # the functions of os.path take names that are too long for a file
        raise OutputError(f"{path} is a folder; give the name of a file.")
    if not overwrite and os.path.exists(path):
        raise OutputError(f"{path} exists and is kept; add --overwrite to replace it, or choose another name.")


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
