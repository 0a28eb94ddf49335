"""Write the stubs of the procedural database and of the constants from what a running GIMP 2.10 says of itself.

    gimp-console-2.10 -idf -b '(gimp-procedural-db-dump "pdb.txt")' -b '(gimp-quit 0)'
    python generate.py pdb.txt enums.json

`enums.json` maps the names in GIMP's own `gimpenums` module to their values. Names, types and values are taken, no
descriptions. Standard library only.
"""

from __future__ import annotations

import argparse
import json
import keyword
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
WIDTH = 120

# what a value looks like in Python, given and returned
GIVEN = {
    "INT32": "int",
    "INT16": "int",
    "INT8": "int",
    "FLOAT": "float",
    "STRING": "str | None",
    "INT32ARRAY": "Sequence[int]",
    "INT16ARRAY": "Sequence[int]",
    "INT8ARRAY": "Sequence[int] | str",
    "FLOATARRAY": "Sequence[float]",
    "STRINGARRAY": "Sequence[str]",
    "COLORARRAY": "Sequence[ColorLike]",
    "COLOR": "ColorLike",
    "ITEM": "Item",
    "DISPLAY": "Display",
    "IMAGE": "Image",
    "LAYER": "Layer",
    "CHANNEL": "Channel",
    "DRAWABLE": "Drawable",
    "SELECTION": "Channel",
    "VECTORS": "Vectors",
    "PARASITE": "Parasite",
}
RETURNED = GIVEN | {
    "STRING": "str",
    "INT32ARRAY": "tuple[int, ...]",
    "INT16ARRAY": "tuple[int, ...]",
    "INT8ARRAY": "tuple[int, ...]",
    "FLOATARRAY": "tuple[float, ...]",
    "STRINGARRAY": "tuple[str, ...]",
    "COLORARRAY": "tuple[RGB, ...]",
    "COLOR": "RGB",
    "ITEM": "Item",
    "DISPLAY": "Display",
    "LAYER": "Layer",
    "CHANNEL": "Channel",
    "DRAWABLE": "Drawable",
    "SELECTION": "Channel",
    "VECTORS": "Vectors",
}
# objects that may be None: what a parent, a display or an unused picture is, and what the dump says may be -1
OPTIONAL = re.compile(r"parent|sibling|.*display|.*\(.*-1.*\)|.*or -1.*", re.IGNORECASE | re.DOTALL)
# results that say more than the dump
GIVES = {"gimp_layer_group_new": "GroupLayer"}
# getters that return None where there is no such thing
NULLABLE = re.compile(
    r"gimp_(image_(get_(active|floating|layer_by|channel_by|vectors_by)|floating_sel_attached|pick_correlate|unset)"
    r"|layer_(get_mask|from_mask)|item_get_parent|image_get_\w+_by_)\w*"
)
OBJECTS = {"ITEM", "DISPLAY", "LAYER", "CHANNEL", "DRAWABLE", "SELECTION", "VECTORS"}

CLASSES = ("Channel", "Display", "Drawable", "GroupLayer", "Image", "Item", "Layer", "Parasite", "Vectors")
HEAD = '''"""{what}

Made by generate.py from GIMP {version}; do not edit.
"""

from collections.abc import Sequence

from gimpcolor import RGB, ColorLike

from . import {classes}

class {name}:
'''


@dataclass(frozen=True)
class Procedure:
    """One procedure: its name and the (name, type, optional) of what it takes and gives."""

    name: str
    kind: str
    takes: tuple[tuple[str, str, bool], ...]  # the last: whether it may be None
    gives: tuple[tuple[str, str, bool], ...]


def tokens(text: str) -> Iterator[str]:
    """Parentheses, words and quoted texts of an S-expression."""
    for match in re.finditer(r'[()]|"((?:\\.|[^"\\])*)"|[^\s()"]+', text, re.DOTALL):
        yield match[0]


def expressions(text: str) -> Iterator[list]:
    """The lists at the top level of an S-expression file; quoted texts come without their quotes."""
    stack: list[list] = []
    for token in tokens(text):
        if token == "(":
            stack.append([])
        elif token == ")":
            done = stack.pop()
            if stack:
                stack[-1].append(done)
            else:
                yield done
        else:
            stack[-1].append(token[1:-1] if token.startswith('"') else token)


def procedures(dump: str) -> list[Procedure]:
    """What a dump of the database lists, by name; temporary procedures that take nothing known are left out."""
    found = {}
    for _, name, _, _, _, _, _, kind, takes, gives in expressions(dump):
        given, gained = (tuple(described(*one) for one in group) for group in (takes, gives))
        if all(type in GIVEN for _, type, _ in (*given, *gained)):
            found[name] = Procedure(name, kind, given, gained)
    return [found[name] for name in sorted(found)]


def described(name: str, type: str, description: str) -> tuple[str, str, bool]:
    """A parameter's name, its type in short, and whether it may be None."""
    type = type.removeprefix("GIMP_PDB_")
    return name, type, type in OBJECTS and bool(OPTIONAL.fullmatch(name) or OPTIONAL.fullmatch(description))


def signature(procedure: Procedure) -> str:
    """The method that stands for a procedure. `run-mode` is a keyword there, all else is positional."""
    takes = list(procedure.takes)
    run_mode = bool(takes) and takes[0][0] == "run-mode"
    if run_mode:
        takes = takes[1:]
    used: set[str] = {"self"}
    words = []
    for name, type, optional in takes:
        words.append(f"{unique(name, used)}: {GIVEN[type]}" + (" | None" if optional else ""))
    if words:
        words.append("/")
    if run_mode:
        words += ["*", "run_mode: int = ..."]
    name = procedure.name.replace("-", "_")
    gives = [returned(name, type) for _, type, _ in procedure.gives]
    result = "None" if not gives else gives[0] if len(gives) == 1 else f"tuple[{', '.join(gives)}]"
    line = f"    def {name}({', '.join(['self', *words])}) -> {result}: ..."
    if len(line) <= WIDTH:
        return line
    rows = textwrap.wrap(", ".join(["self", *words]), WIDTH - 8, break_long_words=False)
    body = "".join(f"        {row}\n" for row in rows)
    if len(result) > WIDTH - 20:
        parts = textwrap.wrap(result.removeprefix("tuple[").removesuffix("]"), WIDTH - 8)
        result = "tuple[\n" + "".join(f"        {part}\n" for part in parts) + "    ]"
    return f"    def {name}(\n{body}    ) -> {result}: ..."


def returned(procedure: str, type: str) -> str:
    """The type of a result; an object may be missing for the getters in NULLABLE."""
    word = GIVES.get(procedure, RETURNED[type])
    return f"{word} | None" if type in OBJECTS and NULLABLE.fullmatch(procedure) else word


def unique(name: str, used: set[str]) -> str:
    """A parameter's name as a word that Python allows and that no other parameter has."""
    word = re.sub(r"\W", "_", name)
    if keyword.iskeyword(word) or word[0].isdigit():
        word += "_"
    while word in used:
        word += "_"
    used.add(word)
    return word


def write_database(dump: Path, version: str) -> None:
    """gimp-stubs/_pdb_core.pyi, GIMP's own procedures, and _pdb_plug_ins.pyi, those of its plug-ins and scripts."""
    found = procedures(dump.read_text("utf-8"))
    groups = (
        ("_pdb_core", "CoreProcedures", "Procedures of GIMP itself.", "Internal GIMP procedure"),
        ("_pdb_plug_ins", "PlugInProcedures", "Procedures of the plug-ins that come with GIMP.", "GIMP Plug-In"),
    )
    for file, name, what, kind in groups:
        lines = [signature(one) for one in found if one.kind == kind and not one.name.startswith("python-fu")]
        body = "\n".join(lines) + "\n"
        classes = ", ".join(one for one in CLASSES if re.search(rf"\b{one}\b", body))
        text = HEAD.format(what=what, version=version, name=name, classes=classes) + body
        (HERE / "gimp-stubs" / f"{file}.pyi").write_text(text, "utf-8")


def write_constants(enums: Path, version: str) -> None:
    """gimpenums-stubs/__init__.pyi."""
    values: dict[str, int] = json.loads(enums.read_text("utf-8"))
    head = f'"""Constants of GIMP 2.10.\n\nMade by generate.py from GIMP {version}; do not edit.\n"""\n\n'
    head += "from typing import Final\n\n"
    values |= {"FALSE": 0, "TRUE": 1}  # objects there that stand for these
    lines = [f"{name}: Final = {value}\n" for name, value in sorted(values.items()) if name.isupper()]
    (HERE / "gimpenums-stubs" / "__init__.pyi").write_text(head + "".join(lines), "utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("dump", type=Path, help="output of gimp-procedural-db-dump")
    parser.add_argument("enums", type=Path, help="JSON: name in gimpenums to value")
    parser.add_argument("--version", default="2.10.34", help="GIMP's version")
    options = parser.parse_args(arguments)
    write_database(options.dump, options.version)
    write_constants(options.enums, options.version)


if __name__ == "__main__":
    main()
