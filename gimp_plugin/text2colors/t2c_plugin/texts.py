"""Texts of the interface in the user's language: gettext catalogs `locale/LANGUAGE.po` beside the package.

GIMP's language decides. A text that a catalog lacks stays English.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from gi.repository import GLib

LOCALE = Path(__file__).resolve().parent / "locale"


def _(text: str) -> str:
    """A text in the user's language."""
    return _catalog().get(text) or text


def read_catalog(path: Path) -> dict[str, str]:
    """The translations in a .po file: msgid and msgstr of one or more quoted lines; fuzzy ones do not count.

    Raises:
        OSError: it cannot be read.
        ValueError, SyntaxError: it is no .po file.
    """
    found: dict[str, str] = {}
    entry: dict[str, str] = {}
    field = ""
    fuzzy = False
    for line in [*path.read_text("utf-8").splitlines(), ""]:
        words = line.strip()
        if words.startswith("#,") and "fuzzy" in words:
            fuzzy = True
        if not words or words.startswith("#"):
            if entry.get("msgid") and entry.get("msgstr") and not fuzzy:
                found[entry["msgid"]] = entry["msgstr"]
            if not words:
                entry, field, fuzzy = {}, "", False
            continue
        if not words.startswith('"'):
            field, _space, words = words.partition(" ")
        entry[field] = entry.get(field, "") + str(ast.literal_eval(words))
    return found


@cache
def _catalog() -> Mapping[str, str]:
    for language in GLib.get_language_names():
        path = LOCALE / f"{language.partition('.')[0]}.po"
        if path.is_file():
            return read_catalog(path)
        if language.startswith("en"):
            break
    return {}
