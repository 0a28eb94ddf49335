"""Texts with colours: reads the data folder, and packs it into arrays that a training step draws from.

A data folder holds `text/` (pat.jsonl and whatever of the other sets there is) and `words/` (see
`trainer.palettes.build_lexicon`). A line of a .jsonl file is an object with "text", "hex" (one to ten colours) and, in
pat.jsonl, "split"; further .jsonl files of a user's own in `text/` count as the source "captions". Must not import
torch.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zlib import crc32

import numpy as np

from t2c_engine.color.lab import srgb_to_lab
from t2c_engine.errors import PaletteError, UsageError
from t2c_engine.files import reason
from t2c_engine.palettes.palette import parse_hex
from t2c_engine.serving.protocol import PALETTE_SIZE
from t2c_engine.text.lexicon import Lexicon

SOURCES = ("pat", "colorhunt", "captions", "kuler", "names", "terms")  # row of the network's source table
SYNTHETIC = ("modified", "named")  # texts made from others (`trainer.palettes.synthetic_texts`), in PAT's manner
GROUPS = (*SOURCES, *SYNTHETIC)
_FILES = {
    "colorhunt_multitag.jsonl": "colorhunt",
    "colorhunt_onetag.jsonl": "colorhunt",
    "colorhex_captions.jsonl": "captions",
    "kuler_titles.jsonl": "kuler",
}
_TERM_DRAWS = 40  # colours drawn for each term of the colour-term distribution
_HELD_OUT = 20  # one name in so many of color_names.csv is never trained on, but measured


@dataclass(frozen=True, slots=True)
class TextColors:
    """One text and its colours (n x 3 Lab, float32); `split` is train, val or test.

    `source` is one of GROUPS. `palettes_around`: of a colour's name, how many palettes are to be made around it.
    """

    text: str
    lab: np.ndarray
    source: str
    split: str = "train"
    palettes_around: int = 0


def hex_to_lab(colors: Sequence[str]) -> np.ndarray:
    """Hex colours to Lab (n x 3, float32)."""
    return srgb_to_lab(np.array([parse_hex(color) for color in colors], dtype=np.float32) / 255)


def _rows(entries: Sequence[tuple[str, Sequence[str], str, str]]) -> list[TextColors]:
    """Rows from (text, hex colours, source, split); all colours are converted at once."""
    lab = hex_to_lab([color for entry in entries for color in entry[1]] or ["#000"])
    ends = np.cumsum([len(entry[1]) for entry in entries])
    parts = np.split(lab, ends[:-1]) if entries else []
    pairs = zip(entries, parts, strict=True)
    return [TextColors(text, part, source, split) for (text, _, source, split), part in pairs]


def read_texts(data: Path, pat_only: bool = False) -> list[TextColors]:
    """Everything in `data/text` (or pat.jsonl alone), PAT first, in an order that depends on the files alone.

    Raises:
        UsageError: no .jsonl file is there, or a line cannot be read (with file and line number).
    """
    folder = data / "text"
    files = sorted(folder.glob("*.jsonl"), key=lambda path: (path.name != "pat.jsonl", path.name))
    if pat_only:
        files = [path for path in files if path.name == "pat.jsonl"]
    if not files:
        raise UsageError(f"No .jsonl file with texts and palettes is in {folder}; name another data folder.")
    rows = [row for path in files for row in _read_lines(path)]
    if pat_only:
        return rows
    for name in ("color_names.csv", "xkcd_color_names.csv"):
        if (folder / name).exists():
            rows += read_color_names(folder / name)
    if (folder / "xkcd_c3.json").exists():
        rows += _read_terms(folder / "xkcd_c3.json")
    return rows


def _read_lines(path: Path) -> list[TextColors]:
    source = "pat" if path.name == "pat.jsonl" else _FILES.get(path.name, "captions")
    entries = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
            for color in value["hex"]:
                parse_hex(color)
            entries.append((str(value["text"]), value["hex"], source, str(value.get("split", "train"))))
        except (ValueError, KeyError, TypeError, IndexError, PaletteError) as error:
            raise UsageError(f'{path}, line {number}, is not {{"text": ..., "hex": [...]}}: {error}.') from error
    return _rows(entries)


def read_color_names(path: Path) -> list[TextColors]:
    """Single colours with a name: columns name and hex, and "good name" where only some are worth much.

    One name in `_HELD_OUT` of those with that column has the split "test".

    Raises:
        UsageError: the file cannot be read, or is no such table.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            table = list(csv.DictReader(file))
        rows = _rows([(row["name"], [row["hex"]], "names", "train") for row in table])
    except (OSError, KeyError, PaletteError) as error:
        raise UsageError(f"{path} is no table with the columns name and hex ({reason(error)}); check it.") from error
    return [
        replace(
            row,
            split="test" if "good name" in line and crc32(row.text.casefold().encode()) % _HELD_OUT == 0 else "train",
            palettes_around=int(bool(line["good name"])) if "good name" in line else 4,
        )
        for row, line in zip(rows, table, strict=True)
    ]


def _read_terms(path: Path) -> list[TextColors]:
    """Draws from how people named Lab colours (Heer and Stone 2012): term t was given T[colour * terms + t] times."""
    table = json.loads(path.read_text("utf-8"))
    colors = np.array(table["color"], dtype=np.float32).reshape(-1, 3)
    cells, counts = np.array(table["T"]).reshape(-1, 2).T
    terms = len(table["terms"])
    rng = np.random.default_rng(0)
    rows = []
    for term, name in enumerate(table["terms"]):
        mine = cells % terms == term
        chance = counts[mine] / counts[mine].sum()
        drawn = rng.choice(cells[mine] // terms, size=_TERM_DRAWS, p=chance)
        rows += [TextColors(name, colors[[index]], "terms") for index in drawn]
    return rows


@dataclass(frozen=True, slots=True)
class PaletteTable:
    """Rows packed for training; n rows.

    `words` (n x T int32) are lexicon rows and -1 behind the end; `colors` (n x 5 x 3, Lab); `count` (n) how many of the
    five are there; `source` (n) index into GROUPS.
    """

    words: np.ndarray
    colors: np.ndarray
    count: np.ndarray
    source: np.ndarray

    def __len__(self) -> int:
        return len(self.words)

    @property
    def source_row(self) -> np.ndarray:
        """Row of the network's source table (n): texts made from PAT's are in PAT's manner."""
        return np.where(self.source < len(SOURCES), self.source, 0)

    def take(self, rows: np.ndarray) -> PaletteTable:
        """Some of the rows."""
        return PaletteTable(self.words[rows], self.colors[rows], self.count[rows], self.source[rows])


def pack(rows: Sequence[TextColors], lexicon: Lexicon, max_words: int = 8) -> PaletteTable:
    """Pack texts and colours; words beyond `max_words` of a text are left out.

    Colours beyond PALETTE_SIZE are left out. Texts of which no word is known keep no word at all: the network then
    learns what colours there are.
    """
    words = np.full((len(rows), max_words), -1, dtype=np.int32)
    colors = np.zeros((len(rows), PALETTE_SIZE, 3), dtype=np.float32)
    count = np.zeros(len(rows), dtype=np.int64)
    source = np.zeros(len(rows), dtype=np.int64)
    for index, row in enumerate(rows):
        known = lexicon.vocabulary.rows(lexicon.encode(row.text or "?").words)[:max_words]
        words[index, : len(known)] = known
        count[index] = min(len(row.lab), PALETTE_SIZE)
        colors[index, : count[index]] = row.lab[:PALETTE_SIZE]
        source[index] = GROUPS.index(row.source)
    return PaletteTable(words, colors, count, source)
