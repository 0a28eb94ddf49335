"""Pictures sorted into domains by their names and by statistics of their colours; none is changed.

A domain is a table of a TOML file (`configs/tonings.toml`). Must not import torch or networks.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from t2c_engine.errors import UsageError
from t2c_engine.serving.protocol import MAX_STRENGTH
from trainer.common.picture_data import AB_STEP, L_UNIT, PictureSet
from trainer.common.settings import read_settings

GREEN, ORANGE, BLUE = 8.0, 12.0, 8.0  # ab beyond which a pixel counts as of that hue
MOST_PICTURES = 300  # of a domain whose settings say no limit
VALIDATION_SHARE = 5  # one picture of a domain in so many is kept from training
PLAIN = "plain"  # the table of photographs of no domain
_STEP = 2  # every so many of a picture's ab are looked at, along each side


@dataclass(frozen=True, slots=True)
class ColorStatistics:
    """Statistics of a picture, Lab units.

    black, dark, median, light, white: percentiles 2, 10, 50, 90 and 98 of L; lightness: its mean. contrast: light less
    dark. a, b, chroma: means. vivid: percentile 95 of chroma. spread: how far ab lies from the function of L
    that fits it best; a toned monochrome has little. green, orange, blue: shares of pixels of these hues.
    """

    black: float
    dark: float
    median: float
    light: float
    white: float
    lightness: float
    contrast: float
    a: float
    b: float
    chroma: float
    vivid: float
    spread: float
    green: float
    orange: float
    blue: float


STATISTICS = tuple(one.name for one in fields(ColorStatistics))


def color_statistics(lightness: np.ndarray, ab: np.ndarray) -> ColorStatistics:
    """Statistics of h x w L (0..100) and h x w x 2 ab."""
    tones, a, b = lightness.ravel().astype(np.float64), ab[..., 0].ravel(), ab[..., 1].ravel()
    chroma = np.hypot(a, b)
    percentiles = np.percentile(tones, (2, 10, 50, 90, 98))
    powers = np.stack((np.ones_like(tones), tones / 50 - 1, (tones / 50 - 1) ** 2), 1)
    fitted, *_ = np.linalg.lstsq(powers, np.stack((a, b), 1), rcond=None)
    rest = np.stack((a, b), 1) - powers @ fitted
    return ColorStatistics(
        *(float(one) for one in percentiles),
        lightness=float(tones.mean()),
        contrast=float(percentiles[3] - percentiles[1]),
        a=float(a.mean()),
        b=float(b.mean()),
        chroma=float(chroma.mean()),
        vivid=float(np.percentile(chroma, 95)),
        spread=float(np.sqrt(np.square(rest).sum(1).mean())),
        green=float(((a < -GREEN) & (b > GREEN)).mean()),
        orange=float(((b > ORANGE) & (a > 5)).mean()),
        blue=float((b < -BLUE).mean()),
    )


def statistics_of(pictures: PictureSet, indices: Sequence[int] | np.ndarray) -> np.ndarray:
    """N x STATISTICS of decoded pictures."""
    rows = []
    for index in indices:
        light, ab = pictures.picture(int(index))
        small = ab[::_STEP, ::_STEP].astype(np.float32)
        step = _STEP * AB_STEP
        tones = light[::step, ::step][: small.shape[0], : small.shape[1]].astype(np.float32) / L_UNIT
        found = color_statistics(tones, small)
        rows.append([getattr(found, name) for name in STATISTICS])
    return np.array(rows)


@dataclass(frozen=True, slots=True)
class Domain:
    """A look to be learned, and which pictures have it.

    names: pattern that a picture's name begins with; "" takes all. ranges: statistic to (least, most). limit: pictures
    at most, chosen by a hash of their names. natural: how far along what is learned a strength of 1 goes. monochrome:
    whether its colours are a function of lightness alone.
    """

    name: str
    title: str
    names: str = ""
    ranges: tuple[tuple[str, float, float], ...] = ()
    limit: int = MOST_PICTURES
    natural: float = 1.0
    monochrome: bool = False

    def holds(self, name: str, statistics: Mapping[str, float]) -> bool:
        """Whether a picture is of the domain."""
        return bool(re.match(self.names, name)) and all(
            low <= statistics[key] <= high for key, low, high in self.ranges
        )


def read_domains(path: Path) -> tuple[tuple[Domain, ...], tuple[Path, ...]]:
    """Domains of a TOML file, and its pictures (shards or folders, from the file's own folder on).

    Raises:
        UsageError: it cannot be read, has fewer than two domains, or a domain says what is not known.
    """
    table = read_settings(path)
    domains, sources = table.get("domains"), table.get("pictures", ())
    unknown = table.keys() - {"domains", "pictures", PLAIN}
    if unknown:
        raise UsageError(f"{path} says {', '.join(sorted(unknown))}, which is not known; give pictures and domains.")
    if not isinstance(domains, Mapping) or len(domains) < 2:
        raise UsageError(f"{path} has fewer than two domains; give each a table such as [domains.night].")
    if not isinstance(sources, tuple) or not all(isinstance(one, str) for one in sources):
        raise UsageError(f"The pictures in {path} must be a list of folders or zip shards.")
    read = tuple(_domain(name, values, path) for name, values in domains.items())
    return read, tuple(path.parent / one for one in sources)


def read_plain(path: Path) -> Domain | None:
    """The table [plain] of a file of domains: photographs of no domain, which are to be toned; None without it.

    Raises:
        UsageError: the file cannot be read, or the table says what is not known.
    """
    values = read_settings(path).get(PLAIN)
    return None if values is None else _domain(PLAIN, values, path)


def domain_of(path: Path, name: str) -> Domain:
    """The domain of that name in a TOML file.

    Raises:
        UsageError: there is none, or as `read_domains`.
    """
    domains, _ = read_domains(path)
    for one in domains:
        if one.name == name:
            return one
    raise UsageError(f"{path} has no domain '{name}'; there are {', '.join(one.name for one in domains)}.")


def _domain(name: str, values: Any, path: Path) -> Domain:
    where = f"[domains.{name}] of {path}"
    if not isinstance(values, Mapping):
        raise UsageError(f"{where} must be a table.")
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", name):
        raise UsageError(f"The name of {where} may hold small letters, digits and hyphens only.")
    ranges = []
    for key, value in values.items():
        if key in ("title", "names", "limit", "natural", "monochrome"):
            continue
        if key not in STATISTICS:
            raise UsageError(f"{where} says {key}, which is not known; there are {', '.join(STATISTICS)}.")
        numbers = isinstance(value, tuple) and len(value) == 2 and all(isinstance(n, int | float) for n in value)
        if not numbers or value[0] > value[1]:
            raise UsageError(f"{key} in {where} must be two numbers, the least and the most.")
        ranges.append((key, float(value[0]), float(value[1])))
    title, names, limit = values.get("title", name), values.get("names", ""), values.get("limit", MOST_PICTURES)
    if not isinstance(title, str) or not isinstance(names, str) or not isinstance(limit, int) or limit < 2:
        raise UsageError(f"title and names in {where} must be texts, and limit a number from 2.")
    try:
        re.compile(names)
    except re.error as error:
        raise UsageError(f"names in {where} is no pattern: {error}.") from error
    natural = values.get("natural", 1.0)
    if not isinstance(natural, int | float) or not 0 < natural <= MAX_STRENGTH:
        raise UsageError(f"natural in {where} must be a number above 0, up to {MAX_STRENGTH:g}.")
    monochrome = values.get("monochrome", False)
    if not isinstance(monochrome, bool):
        raise UsageError(f"monochrome in {where} must be true or false.")
    return Domain(name, title, names, tuple(ranges), limit, float(natural), monochrome)


def sort_pictures(pictures: PictureSet, domains: Sequence[Domain]) -> dict[str, np.ndarray]:
    """Indices of each domain's pictures; one that fits several goes to the first.

    Raises:
        UsageError: a domain has fewer than two pictures.
    """
    wanted = re.compile("|".join(f"(?:{one.names})" for one in domains))
    candidates = [index for index, name in enumerate(pictures.names) if wanted.match(str(name))]
    rows = statistics_of(pictures, candidates)
    found: dict[str, list[int]] = {one.name: [] for one in domains}
    for index, row in zip(candidates, rows, strict=True):
        statistics = dict(zip(STATISTICS, row, strict=True))
        fit = next((one for one in domains if one.holds(str(pictures.names[index]), statistics)), None)
        if fit is not None:
            found[fit.name].append(index)
    for one in domains:
        if len(found[one.name]) < 2:
            raise UsageError(
                f"{len(found[one.name])} pictures fit the domain {one.name}; widen its ranges or give more pictures."
            )
    return {one.name: _chosen(pictures, found[one.name], one.limit) for one in domains}


def plain_pictures(pictures: PictureSet, plain: Domain | None, domains: Mapping[str, np.ndarray]) -> np.ndarray:
    """Indices of photographs that fit `plain` and were not chosen for any domain; none without `plain`."""
    if plain is None:
        return np.array([], int)
    names = re.compile(plain.names)
    taken = set(np.concatenate(list(domains.values())).tolist())
    fit = [index for index, name in enumerate(pictures.names) if names.match(str(name)) and index not in taken]
    return _chosen(pictures, fit, plain.limit)


def split_domains(found: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Each domain's pictures for training, and those kept from it to judge it by."""
    kept = {name: indices[::VALIDATION_SHARE] for name, indices in found.items()}
    return {name: np.setdiff1d(indices, kept[name]) for name, indices in found.items()}, kept


def _chosen(pictures: PictureSet, indices: Sequence[int], limit: int) -> np.ndarray:
    """At most `limit`, the same whatever else there is."""
    key = {index: hashlib.sha256(str(pictures.names[index]).encode()).digest() for index in indices}
    return np.array(sorted(sorted(indices, key=key.__getitem__)[:limit]))
