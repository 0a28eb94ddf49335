"""What each evaluation picture shows, and a measure's means by kind of picture.

`kinds.csv` names one or more kinds of each of the 376 pictures; they were assigned by looking at every picture. Must
not import networks or read pictures.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from functools import cache
from pathlib import Path

import numpy as np

KINDS = ("people", "animals", "plants", "vehicles", "indoor", "outdoor", "patterns", "objects")
TABLE = Path(__file__).with_name("kinds.csv")


def kinds_of(name: str) -> tuple[str, ...]:
    """Kinds of an evaluation picture, by "folder/file"; none of a picture that the table does not know."""
    return _table().get(name, ())


@cache
def _table() -> dict[str, tuple[str, ...]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {row["picture"]: tuple(row["kinds"].split()) for row in csv.DictReader(file)}


class MeansByKind:
    """Collects one measure of every method and picture; a picture counts in each of its kinds."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, list[float]]] = {kind: defaultdict(list) for kind in KINDS}

    def add(self, name: str, method: str, value: float) -> None:
        """The value of one method on the picture "folder/file"."""
        for kind in kinds_of(name):
            self._values[kind][method].append(value)

    def figures(self) -> dict[str, dict[str, float]]:
        """Kind to "pictures" (how many) and each method's mean, for the kinds that were seen."""
        return {
            kind: {"pictures": max(map(len, row.values())), **{name: float(np.mean(v)) for name, v in row.items()}}
            for kind, row in self._values.items()
            if row
        }
