"""Examples of a style: texts with palettes, read from whatever a person has in a folder.

Palette files (the text is a palette's name, else the file's), tables and JSON with texts and colours, swatch images and
photographs with captions (a .txt file beside, the picture's own title, a table named captions.csv, else the file's
name). What cannot be used is told, with its reason. Must not import torch at module level.
"""

from __future__ import annotations

import csv
import json
import logging
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from t2c_engine.errors import PaletteError, T2CError, UsageError
from t2c_engine.palettes.files import MAX_BYTES, READABLE_SUFFIXES, one_line, parse_palettes, read_palettes
from t2c_engine.palettes.palette import Palette
from t2c_engine.palettes.text_formats import decode
from t2c_engine.pictures.formats import READ_SUFFIXES

log = logging.getLogger(__name__)

MAX_READ = 20_000  # examples that are read; `check` says how many may be different
MAX_FILES = 20_000  # of a folder that are looked at
MAX_TEXT = 200  # characters of a text that are used
MAX_TABLE = 32 << 20  # bytes of a table
_TEXT_KEYS = ("text", "description", "caption", "title", "name", "phrase", "label", "prompt")
_FILE_KEYS = ("file", "file_name", "filename", "path", "picture", "image")
_TABLES = (".csv", ".tsv", ".json", ".jsonl")
_SWATCHES = (2, 12)  # colours of a picture that is a palette drawn
_SWATCH_SHARE, _SWATCHES_COVER = 0.01, 0.9  # of the pixels: each of its colours at least, all of them together
_UNTITLED = re.compile(r"(?:img|image|dsc|dscn|dscf|pict?|photo|scan|screenshot|untitled|palette|new)?[\W\d_]*", re.I)


@dataclass(frozen=True, slots=True)
class Example:
    """A text and its palette, of one to many colours; `source`: the file, and where in it."""

    text: str
    palette: Palette
    source: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What was not used, and why, in words."""

    source: str
    reason: str
    text: str = ""
    colors: tuple[str, ...] = ()


@dataclass(slots=True)
class Found:
    """All that a folder holds."""

    examples: list[Example] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    pictures: int = 0  # examples whose palette was taken from a picture


def read_examples(root: Path, advance: Callable[[str], None] = lambda name: None) -> Found:
    """Every example in a folder and all below it, or in one file, in the order of the names.

    Args:
        advance: called with each file's name before it is read.

    Raises:
        UsageError: the folder is not there, holds too many files, or too many examples.
    """
    if not root.exists():
        raise UsageError(f"{root} is not there; name a folder with palettes.")
    found = Found()
    files = [root] if root.is_file() else list(_walk(root))
    captions = _captions(files)
    for path in files:
        advance(path.name)
        place = path.name if root.is_file() else str(path.relative_to(root))
        try:
            _read_file(path, place, captions, found)
        except T2CError as error:
            found.left_out.append(LeftOut(place, str(error).replace(str(path), place)))
        if len(found.examples) + len(found.left_out) > MAX_READ:
            raise UsageError(f"{root} holds more than {MAX_READ} palettes; take those that show the style best.")
    return found


def _walk(root: Path) -> Iterator[Path]:
    count = 0
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if not name.startswith("."))
        for name in sorted(files):
            count += 1
            if count > MAX_FILES:
                raise UsageError(f"{root} holds more than {MAX_FILES} files; name a folder with palettes alone.")
            if not name.startswith("."):
                yield Path(folder, name)


def _read_file(path: Path, place: str, captions: dict[Path, str], found: Found) -> None:
    """Add what a file holds; raises T2CError where it cannot be read."""
    kind = path.suffix.lower()
    if path.name.lower() == "captions.csv" or (kind == ".txt" and _is_sidecar(path)):
        return
    if kind in _TABLES:
        _read_table(path, place, found)
    elif kind in READABLE_SUFFIXES:
        for number, palette in enumerate(read_palettes(path), start=1):
            name = palette.name if palette.name != path.stem else _from_file_name(path)
            _add(found, name, palette, f"{place}, palette {number}")
    elif kind in READ_SUFFIXES:
        text = captions.get(path) or _own_caption(path)
        if not text:
            found.left_out.append(LeftOut(place, "no caption: write one into a .txt file of the same name"))
            return
        _add(found, text, picture_palette(path), place)
        found.pictures += 1
    else:
        found.left_out.append(LeftOut(place, f"'{kind or path.name}' is no palette or picture this program knows"))


def _add(found: Found, text: str, palette: Palette, source: str) -> None:
    clean = one_line(text)[:MAX_TEXT]
    if clean:
        found.examples.append(Example(clean, Palette(palette.colors, clean), source))
    else:
        found.left_out.append(LeftOut(source, "it has no name or description", "", palette.hex))


def _from_file_name(path: Path) -> str:
    """The words of a file's name; none where it is a camera's or a program's."""
    words = " ".join(re.sub(r"(?<=[a-z])(?=[A-Z])|[_\-.]+|\d{3,}", " ", path.stem).split())
    return "" if _UNTITLED.fullmatch(path.stem) else words


def _is_sidecar(path: Path) -> bool:
    """Whether a .txt file stands beside a picture of its name."""
    return any(path.with_suffix(end).exists() or path.with_suffix(end.upper()).exists() for end in READ_SUFFIXES)


def _captions(files: list[Path]) -> dict[Path, str]:
    """Captions of pictures: from .txt files beside them and from tables named captions.csv."""
    texts: dict[Path, str] = {}
    for path in files:
        if path.name.lower() == "captions.csv" and path.stat().st_size <= MAX_TABLE:
            for row in _rows(path):
                file = next((row[key] for key in _FILE_KEYS if row.get(key)), "")
                text = _text_of(row)
                if file and text:
                    texts[path.parent / file.replace("\\", "/")] = text
    for path in files:
        if path.suffix.lower() in READ_SUFFIXES:
            for beside in (path.with_suffix(".txt"), path.with_name(f"{path.name}.txt")):
                if beside.is_file() and beside.stat().st_size <= MAX_BYTES:
                    texts[path] = decode(beside.read_bytes())
    return texts


def _own_caption(path: Path) -> str:
    """The title in a picture's metadata, else the words of its name."""
    from t2c_engine.albums.titles import title_of

    return title_of(path) or _from_file_name(path)


def _read_table(path: Path, place: str, found: Found) -> None:
    """Rows of a table, or objects of JSON, that hold a text and colours; else what `read_palettes` finds."""
    if path.stat().st_size > MAX_TABLE:
        raise UsageError(f"{place} is larger than {MAX_TABLE >> 20} MB; split it.")
    number = 0
    for number, row in enumerate(_rows(path), start=1):
        source = f"{place}, row {number}"
        text, colors = _text_of(row), _colors_of(row)
        if colors is None or not text:
            reason = "it has no text" if colors is not None else "it holds no colour that can be read"
            found.left_out.append(LeftOut(source, reason, one_line(text)[:MAX_TEXT]))
        else:
            _add(found, text, colors, source)
        if len(found.examples) + len(found.left_out) > MAX_READ:
            raise UsageError(f"{place} has too many rows; at most {MAX_READ} are read.")
    if number == 0:
        for index, palette in enumerate(read_palettes(path), start=1):
            _add(found, palette.name, palette, f"{place}, palette {index}")


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of a table with a heading, keys in lower case; objects of JSON or JSON lines that hold a text."""
    text = decode(path.read_bytes())
    if path.suffix.lower() in (".csv", ".tsv"):
        yield from _csv_rows(text, path)
        return
    try:
        values = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{path} is no JSON ({str(error)[:80]}); save it again.") from error
    if isinstance(values, list) and len(values) == 1 and isinstance(values[0], dict | list):
        values = values[0]  # one line, or a file of one line
    if isinstance(values, dict):
        values = next(
            (one for one in values.values() if isinstance(one, list) and one and isinstance(one[0], dict)), [values]
        )
    for value in values if isinstance(values, list) else ():
        if isinstance(value, dict):
            lower = {str(key).casefold(): one for key, one in value.items()}
            if any(isinstance(lower.get(key), str) for key in _TEXT_KEYS):
                yield lower


def _csv_rows(text: str, path: Path) -> Iterator[dict[str, Any]]:
    """Rows by heading; without one, the first column is the text and the others are colours."""
    lines = text.splitlines()
    delimiter = max(",;\t", key=text[:4096].count)
    try:
        rows = [row for row in csv.reader(lines, delimiter=delimiter) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise UsageError(f"{path} cannot be read as a table: {error}.") from error
    if not rows:
        return
    heading = [cell.strip().casefold() for cell in rows[0]]
    known = any(cell in _TEXT_KEYS or cell in _FILE_KEYS for cell in heading)
    names = heading if known else ["text", *(f"color {index}" for index in range(1, len(rows[0])))]
    for row in rows[known:]:
        yield dict(zip(names, row, strict=False))


def _text_of(row: dict[str, Any]) -> str:
    return next((row[key] for key in _TEXT_KEYS if isinstance(row.get(key), str) and row[key].strip()), "")


def _colors_of(row: dict[str, Any]) -> Palette | None:
    """The colours in a row, whatever its columns are called; None without any."""
    rest = {key: value for key, value in row.items() if key not in (*_TEXT_KEYS, *_FILE_KEYS, "source", None)}
    try:
        if all(isinstance(value, str) for value in rest.values()):
            words = " ".join(value for value in rest.values() if re.search("[0-9a-fA-F]{3}|\\(", value))
            return Palette.from_hex(words) if words else None
        groups = parse_palettes(json.dumps(rest).encode(), ".json", "the row")
    except PaletteError:
        return None
    return Palette(tuple(color for _, colors in groups for color in colors)[:64])


def picture_palette(path: Path) -> Palette:
    """The colours of a drawn palette, from left to right and top to bottom; of a photograph, five by extraction.

    Raises:
        PictureError: it cannot be read, or is too large.
    """
    from t2c_engine.color.lab import srgb_to_lab
    from t2c_engine.colorization.picture_palette import EXTRACTION_SIDE, palette_of_lab
    from t2c_engine.pictures.picture import read_picture, small_srgb

    picture = read_picture(path)
    srgb = small_srgb(picture, EXTRACTION_SIDE)
    drawn = swatches_of(srgb)
    return drawn if drawn is not None else palette_of_lab(srgb_to_lab(srgb), path.stem)


def swatches_of(srgb: np.ndarray) -> Palette | None:
    """The colours of a picture that consists of a few flat ones (H x W x 3, 0..1); None for any other.

    A white or black ground that reaches all four corners is no colour of the palette.
    """
    values = np.rint(srgb * 255).astype(np.int64)
    keys = ((values >> 2) @ np.array([1 << 12, 1 << 6, 1])).ravel()
    names, first, counts = np.unique(keys, return_index=True, return_counts=True)
    large = counts >= _SWATCH_SHARE * len(keys)
    if not _SWATCHES[0] <= large.sum() <= _SWATCHES[1] or counts[large].sum() < _SWATCHES_COVER * len(keys):
        return None
    flat, height, width = values.reshape(-1, 3), *values.shape[:2]
    corners = {int(keys[place]) for place in (0, width - 1, (height - 1) * width, height * width - 1)}
    kept = []
    for name, place in sorted(zip(names[large], first[large], strict=True), key=lambda pair: pair[1]):
        color = flat[place]
        ground = corners == {int(name)} and (color.min() > 235 or color.max() < 20) and large.sum() > _SWATCHES[0]
        if not ground:
            kept.append((int(color[0]), int(color[1]), int(color[2])))
    return Palette(tuple(kept))
