"""Texts to ask about, and the palettes that people gave them. Must not import torch."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from t2c_engine.errors import UsageError
from t2c_engine.files import reason
from t2c_engine.palettes.palette import PALETTE_SIZE, Palette
from trainer.palettes.data import TextColors, read_texts

log = logging.getLogger(__name__)

MAX_TEXTS = 1000
MAX_TEXT = 200  # characters


def folded(text: str) -> str:
    """A text as it is compared: case and white space do not matter."""
    return " ".join(text.casefold().split())


def checked_text(text: str, where: str) -> str:
    """A text on one line.

    Raises:
        UsageError: it is empty, too long, or holds control characters.
    """
    line = " ".join(text.split())
    if not line or len(line) > MAX_TEXT or not line.isprintable():
        raise UsageError(f"{where} holds no text of 1 to {MAX_TEXT} printable characters; correct it.")
    return line


def read_text_list(path: Path) -> list[str]:
    """One text a line; empty lines are left out, and a text that comes again.

    Raises:
        UsageError: the file cannot be read, holds no text, or too many or unusable ones.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"The texts in {path} cannot be read ({reason(error)}); give a UTF-8 file, one text a line."
        ) from error
    texts: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if line.strip():
            text = checked_text(line, f"{path}, line {number},")
            texts.setdefault(folded(text), text)
    if not texts:
        raise UsageError(f"{path} holds no text; write one a line.")
    if len(texts) > MAX_TEXTS:
        raise UsageError(f"{path} holds {len(texts)} texts; at most {MAX_TEXTS} fit one study.")
    return list(texts.values())


def human_palettes(rows: Sequence[TextColors]) -> dict[str, list[TextColors]]:
    """Rows of five colours by their folded text."""
    found: dict[str, list[TextColors]] = {}
    for row in rows:
        if len(row.lab) == PALETTE_SIZE:
            found.setdefault(folded(row.text), []).append(row)
    return found


def read_human(data: Path, against: str) -> dict[str, list[TextColors]]:
    """Palettes by people: "pat", or the name of another .jsonl file of the data folder's `text/`.

    Raises:
        UsageError: there are none.
    """
    rows = read_texts(data, pat_only=against == "pat")
    if against != "pat":
        rows = [row for row in rows if row.source == against]
    found = human_palettes(rows)
    if not found:
        raise UsageError(f"{data / 'text'} holds no palettes of five colours of '{against}' to ask against.")
    return found


def true_palettes(texts: Sequence[str], human: Mapping[str, Sequence[TextColors]], seed: int) -> dict[str, Palette]:
    """One of the palettes that people gave each text, drawn where there are several.

    Raises:
        UsageError: a text has none.
    """
    missing = [text for text in texts if folded(text) not in human]
    if missing:
        names = ", ".join(f"'{text}'" for text in missing[:5])
        raise UsageError(
            f"{len(missing)} of {len(texts)} texts have no palette by people, such as {names}; "
            "leave them out, or leave --texts out to have texts drawn."
        )
    trained = [text for text in texts if any(row.split == "train" for row in human[folded(text)])]
    if trained:
        log.warning("%d texts, such as '%s', may have been trained on.", len(trained), trained[0])
    rng = np.random.default_rng(seed)
    rows = {text: human[folded(text)] for text in texts}
    return {text: Palette.from_lab(some[int(rng.integers(len(some)))].lab) for text, some in rows.items()}


def drawn_texts(human: Mapping[str, Sequence[TextColors]], count: int, seed: int) -> list[str]:
    """Texts at random, of those that occur in the split "test" alone if there are any.

    Raises:
        UsageError: fewer than asked for are there.
    """
    tested = sorted(text for text, rows in human.items() if all(row.split == "test" for row in rows))
    pool = [text for text in tested or sorted(human) if len(text) <= MAX_TEXT and text.isprintable()]
    if not 1 <= count <= min(len(pool), MAX_TEXTS):
        raise UsageError(f"{count} texts cannot be drawn; there are {min(len(pool), MAX_TEXTS)} to draw from.")
    rng = np.random.default_rng(seed)
    return [human[pool[index]][0].text for index in rng.choice(len(pool), count, replace=False)]
