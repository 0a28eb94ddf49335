"""Settings of runs: TOML files to frozen dataclasses whose fields have no defaults, so that the file is the only place.

Must not import networks or data.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from t2c_engine.errors import UsageError
from t2c_engine.files import reason

T = TypeVar("T")


def read_settings(path: Path) -> dict[str, Any]:
    """A TOML file's settings, lists as tuples.

    Raises:
        UsageError: the file cannot be read or is not TOML.
    """
    try:
        return _tuples(tomllib.loads(path.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise UsageError(f"The settings in {path} cannot be read ({reason(error)}); give a TOML file.") from error


def build_settings(kind: type[T], values: Mapping[str, Any], path: Path, section: str = "") -> T:
    """The dataclass `kind` of `values`.

    Args:
        values: a table of `read_settings`. path, section: where it stands, for messages.

    Raises:
        UsageError: a setting does not exist, is missing, or has no usable value.
    """
    where = f"[{section}] of {path}" if section else str(path)
    if not isinstance(values, Mapping):
        raise UsageError(f"The settings in {where} cannot be used: it must be a table.")
    names = {one.name for one in fields(kind)}  # type: ignore[arg-type]
    unknown, missing = (", ".join(sorted(some)) for some in (values.keys() - names, names - values.keys()))
    wrong = [f"there is no {unknown}"] * bool(unknown) + [f"{missing} must be given"] * bool(missing)
    if wrong:
        raise UsageError(f"The settings in {where} cannot be used: {'; '.join(wrong)}.")
    try:
        return kind(**values)
    except (TypeError, ValueError) as error:
        raise UsageError(f"The settings in {where} cannot be used: {error}.") from error


def _tuples(table: Mapping[str, Any]) -> dict[str, Any]:
    plain = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    return {key: _tuples(value) if isinstance(value, dict) else value for key, value in plain.items()}
