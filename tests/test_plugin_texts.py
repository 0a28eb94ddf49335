"""The translations of the dialog: whole, and true to their placeholders. Read without GIMP."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import plugin_path
import pytest

UI = plugin_path.PLUGIN / "t2c_plugin" / "ui"
CATALOGS = sorted((plugin_path.PLUGIN / "t2c_plugin" / "locale").glob("*.po"))


def texts() -> set[str]:
    """All that is passed to `_` in the interface."""
    found = set()
    for path in [*UI.rglob("*.py"), UI.parent / "reports.py", UI.parents[1] / "text2colors.py"]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
                (text,) = node.args
                if isinstance(text, ast.Constant):
                    found.add(str(text.value))
    return found


def catalog(path: Path) -> dict[str, str]:
    """What a catalog says, by the plug-in's own reader, which needs no GIMP."""
    source = ast.parse((UI.parent / "texts.py").read_text("utf-8"))
    wanted = [node for node in source.body if isinstance(node, ast.FunctionDef) and node.name == "read_catalog"]
    known: dict[str, object] = {"ast": ast, "Path": Path}
    exec(compile(ast.Module(list[ast.stmt](wanted), []), "texts.py", "exec"), known)
    return known["read_catalog"](path)  # pyright: ignore[reportCallIssue]


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: path.stem)
def test_every_text_is_translated_with_its_placeholders(path: Path) -> None:
    translated = catalog(path)
    assert texts() == set(translated)
    for text, other in translated.items():
        fields = [sorted(re.findall(r"\{\w*\}", one)) for one in (text, other)]
        assert fields[0] == fields[1], text
        assert text.count("\n") == other.count("\n")


def test_there_are_german_and_vietnamese() -> None:
    assert [path.stem for path in CATALOGS] == ["de", "vi"]


def test_what_a_catalog_lacks_or_doubts_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "xx.po"
    path.write_text(
        'msgid "a"\nmsgstr ""\n\n#, fuzzy\nmsgid "b"\nmsgstr "B"\n\nmsgid ""\n"c\\n"\n"d"\nmsgstr "C"\n', "utf-8"
    )
    assert catalog(path) == {"c\nd": "C"}
