"""The licences of what is installed with text2colors, as the distributions state them (`t2c licences`).

Reads the metadata of the environment; standard library only. Must not import torch, or typer at module level.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution

PROJECT = "text2colors"
UNSTATED = "not stated"
_LONGEST = 60  # characters; some packages put the whole text of their licence where its name belongs
_CLASSIFIER = "License :: "


@dataclass(frozen=True, slots=True)
class Licence:
    """One distribution: its licence as it states it, and the extra of ours that asks for it ("" without)."""

    name: str
    version: str
    licence: str
    extra: str = ""

    def as_json(self) -> dict[str, str]:
        return asdict(self)


def installed_licences() -> list[Licence]:
    """Text2colors and everything that it needs, directly or not, as far as it is installed; by name."""
    found: dict[str, Licence] = {}
    waiting = [(PROJECT, "")]
    while waiting:
        name, extra = waiting.pop(0)
        if canonical(name) in found:
            continue
        try:
            one = distribution(name)
        except PackageNotFoundError:
            continue
        found[canonical(name)] = Licence(one.metadata["Name"] or name, one.version, stated_licence(one), extra)
        own = canonical(name) == PROJECT
        for needed, wanted_by in requirements(one):
            if own or not wanted_by:  # extras of others are not asked for here
                waiting.append((needed, wanted_by if own else extra))
    return [found[name] for name in sorted(found)]


def requirements(one: Distribution) -> Iterator[tuple[str, str]]:
    """(name, extra) of each distribution that another asks for; the extra is "" where it always does."""
    for line in one.requires or ():
        name = re.match(r"[A-Za-z0-9._-]+", line)
        extra = re.search(r"""extra\s*==\s*["']([^"']+)["']""", line)
        if name:
            yield name[0], extra[1] if extra else ""


def stated_licence(one: Distribution) -> str:
    """The licence in a distribution's own words: its expression, else its classifiers, else its short name."""
    expressions = one.metadata.get_all("License-Expression")
    if expressions:
        return expressions[0]
    classifiers = [value for value in one.metadata.get_all("Classifier") or () if value.startswith(_CLASSIFIER)]
    names = [value.rpartition(" :: ")[2] for value in classifiers if value.count(" :: ") > 1]
    if names:
        return ", ".join(dict.fromkeys(names))
    lines = (one.metadata.get_all("License") or [""])[0].strip().splitlines()
    first = lines[0].strip() if lines else ""
    return first if 0 < len(first) <= _LONGEST and first != "UNKNOWN" else UNSTATED


def canonical(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()
