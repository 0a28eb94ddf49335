"""Measures whether words move palettes as they should: colours' names, modifiers, denials. Must not import torch.

The palettes are those a user gets: five a phrase, seed 0. Data: `text/xkcd_color_names.csv`, `text/xkcd_c3.json` (how
often each name was used), `text/color_names.csv`.
- names: the 150 names of the xkcd colour survey that were used most. For each of their 750 palettes, CIEDE2000 from the
  named colour to the palette's nearest. held_out_names: the same for good names of color_names.csv never trained on.
- modifiers: for each modifier and noun, the mean over all 25 colours of one measure, "dark rose" less "rose"; right is
  a change in the modifier's direction, however small. dark: L falls; pale and pastel: L rises; neon: chroma rises;
  muted: chroma falls; warm and cold: a cos 50 + b sin 50 (degrees; from blue to orange) rises and falls.
- denials: "rose no red" and the like; right is a palette of which no colour is within 15 CIEDE2000 of the denied one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from t2c_engine.errors import UsageError
from t2c_engine.files import reason
from t2c_engine.palettes.negation import COLOR_WORDS
from t2c_engine.palettes.palette import delta_e_2000
from t2c_engine.palettes.sampler import PaletteRequest, PaletteSampler
from t2c_engine.palettes.steering import colors_lab
from trainer.common.run_log import track
from trainer.palettes.data import TextColors, read_color_names
from trainer.palettes.synthetic_texts import MODIFIERS, NOUNS, WARM_HUE

MOST_USED = 150
NEGATED = ("red", "green", "blue", "yellow", "pink", "purple", "orange", "brown")
NEGATED_NOUNS = ("rose", "forest", "ocean", "sunset", "candy", "autumn")
NEGATED_WITHIN = 15.0  # CIEDE2000
_WARM = np.array([0, np.cos(np.radians(WARM_HUE)), np.sin(np.radians(WARM_HUE))])

Measure = Callable[[np.ndarray], float]


def lightness(lab: np.ndarray) -> float:
    """Mean L."""
    return float(lab[..., 0].mean())


def chroma(lab: np.ndarray) -> float:
    """Mean chroma."""
    return float(np.hypot(lab[..., 1], lab[..., 2]).mean())


def warmth(lab: np.ndarray) -> float:
    """Mean place between blue (below 0) and orange."""
    return float((lab @ _WARM).mean())


DIRECTIONS: Mapping[str, tuple[Measure, int]] = {
    "dark": (lightness, -1), "pale": (lightness, 1), "pastel": (lightness, 1), "neon": (chroma, 1),
    "muted": (chroma, -1), "warm": (warmth, 1), "cold": (warmth, -1),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class NameScores:
    """CIEDE2000 from a named colour to the nearest of a palette: median, mean, and where nine in ten lie below."""

    names: int
    median: float
    mean: float
    ninetieth: float

    @classmethod
    def of(cls, rows: Sequence[TextColors], palettes: Callable[[str], np.ndarray]) -> NameScores:
        """Measure names (each with one colour)."""
        if not rows:
            return cls(0, 0.0, 0.0, 0.0)
        found = track(rows, len(rows), "names")
        apart = np.concatenate([delta_e_2000(palettes(row.text), row.lab[0]).min(axis=1) for row in found])
        return cls(len(rows), float(np.median(apart)), float(apart.mean()), float(np.percentile(apart, 90)))


def evaluate_words(sampler: PaletteSampler, data: Path, limit: int | None = None) -> dict[str, Any]:
    """All figures of this module as plain numbers, shares from 0 to 1; `limit` takes fewer names and nouns.

    Raises:
        UsageError: a file is missing or cannot be read.
    """

    def palettes(phrase: str) -> np.ndarray:
        sampled = sampler.sample(PaletteRequest(phrase)).palettes
        return np.stack([palette.lab for palette in sampled]).astype(np.float64)

    folder = data / "text"
    used = most_used_names(folder)[:limit]
    held_out = [
        row for row in read_color_names(folder / "color_names.csv") if row.split == "test" and row.palettes_around
    ]
    names = {"names": NameScores.of(used, palettes), "held_out_names": NameScores.of(held_out[:limit], palettes)}
    figures: dict[str, Any] = {
        key: {"names": one.names, "median": one.median, "mean": one.mean, "ninetieth": one.ninetieth}
        for key, one in names.items()
    }
    shares = modifier_shares(palettes, NOUNS[:limit])
    figures["modifiers"] = {"all": float(np.mean(list(shares.values()))), **shares}
    figures["negations"] = negation_share(palettes, NEGATED_NOUNS[:limit])
    return figures


def modifier_shares(palettes: Callable[[str], np.ndarray], nouns: Sequence[str]) -> dict[str, float]:
    """For each modifier the share of nouns whose palettes (S x 5 x 3 Lab) it moves in its direction."""
    plain = {noun: palettes(noun) for noun in nouns}
    shares = {}
    for word in track(MODIFIERS, len(MODIFIERS), "modifiers"):
        measure, sign = DIRECTIONS[word]
        changes = [measure(palettes(f"{word} {noun}")) - measure(plain[noun]) for noun in nouns]
        shares[word] = float(np.mean([change * sign > 0 for change in changes]))
    return shares


def negation_share(palettes: Callable[[str], np.ndarray], nouns: Sequence[str]) -> float:
    """The share of palettes without the denied colour."""
    right = []
    for noun in nouns:
        for word in NEGATED:
            apart = delta_e_2000(palettes(f"{noun} no {word}"), colors_lab([COLOR_WORDS[word]])[0]).min(axis=1)
            right.append(apart > NEGATED_WITHIN)
    return float(np.mean(right))


def most_used_names(folder: Path) -> list[TextColors]:
    """The xkcd names with their colours that the survey's participants used most, most used first.

    Raises:
        UsageError: a file is missing or cannot be read.
    """
    try:
        table = json.loads((folder / "xkcd_c3.json").read_text("utf-8"))
        cells, counts = np.array(table["T"]).reshape(-1, 2).T
        uses = np.bincount(cells % len(table["terms"]), counts, minlength=len(table["terms"]))
        terms = [table["terms"][index] for index in np.argsort(-uses, kind="stable")]
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(
            f"The use of colour names in {folder / 'xkcd_c3.json'} cannot be read ({reason(error)}); check it."
        ) from error
    rows = {row.text.replace(" ", ""): row for row in read_color_names(folder / "xkcd_color_names.csv")}
    return [rows[term] for term in terms if term in rows][:MOST_USED]
