"""The stubs of gimpfu: complete against a running GIMP 2.10, installable by themselves, and of use to a checker."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STUBS = ROOT / "gimp_plugin" / "stubs" / "gimpfu-stubs"
SEEN = json.loads((Path(__file__).parent / "data" / "attributes.json").read_text())  # dir() in GIMP 2.10.34
LEFT_OUT = {"PF_REGION"}

PLUG_IN = """
from gimpfu import *

def work(image, drawable):
    # type: (gimp.Image, gimp.Drawable) -> None
    layer = pdb.gimp_layer_group_new(image)
    reveal_type(layer)
    reveal_type(pdb.gimp_image_get_floating_sel(image))
    reveal_type(pdb.gimp_selection_bounds(image))
    reveal_type(drawable.get_pixel_rgn(0, 0, 1, 1)[0:1, 0:1])
    layer.mode = LAYER_MODE_LCH_COLOR
    pdb.gimp_drawable_invert(drawable)
    pdb.gimp_no_such_procedure()
    image.undo_group_begin()

register("x", "b", "h", "a", "c", "d", "l", "*", [(PF_IMAGE, "image", "Image", None)], [], work, menu="<Image>/X")
main()
"""


def names(module: str) -> tuple[set[str], dict[str, set[str]]]:
    """What a stub defines at its top, and each class's attributes, inherited ones too."""
    found: dict[str, ast.ClassDef] = {}
    top: set[str] = set()
    for path in sorted((STUBS / f"{module}-stubs").glob("*.pyi")):
        for node in ast.parse(path.read_text()).body:
            own = _names_of(node)
            top |= own if path.name == "__init__.pyi" else set()
            if isinstance(node, ast.ClassDef):
                found[node.name] = node
    return top, {name: _attributes(node, found) for name, node in found.items()}


def _names_of(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.ImportFrom):
        return {alias.asname or alias.name for alias in node.names}
    if isinstance(node, ast.Import):
        return {alias.asname or alias.name for alias in node.names}
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return {node.target.id}
    return {node.name} if isinstance(node, ast.ClassDef | ast.FunctionDef) else set()


def _attributes(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> set[str]:
    own = {name for one in node.body for name in _names_of(one)}
    for base in node.bases:
        name = base.id.removeprefix("_") if isinstance(base, ast.Name) else ""
        for known in (name, f"_{name}"):
            own |= _attributes(classes[known], classes) if known in classes else set()
    return own


@pytest.mark.parametrize("module", ["gimp", "gimpcolor", "gimpfu"])
def test_every_name_of_the_module_is_there_and_no_other(module: str) -> None:
    top, _ = names(module)
    missing = set(SEEN[module]) - top - LEFT_OUT
    assert not missing
    public = {one for one in top if not one.startswith("_")}
    helpers = {"ColorLike", "PDBFunction", "Any", "Final", "Sequence", "Callable", "TypeAlias", "overload", "array"}
    helpers |= {"RGB", "PDB", "gimpcolor", "math", "*"}
    assert not public - set(SEEN[module]) - helpers


@pytest.mark.parametrize("name", sorted(SEEN["classes"]))
def test_every_attribute_of_a_class_is_there_and_no_other(name: str) -> None:
    module, _, short = name.partition(".")
    _, classes = names(module)
    own = {one for one in classes[short] if not one.startswith("__")}
    assert own == set(SEEN["classes"][name])


def test_it_installs_by_itself_and_finds_what_is_wrong_in_a_plug_in(tmp_path: Path) -> None:
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--target", str(site), str(_copy(tmp_path))], check=True)
    assert {"gimp-stubs", "gimpfu-stubs", "gimpenums-stubs"} <= {one.name for one in site.iterdir()}
    (tmp_path / "plugin.py").write_text(PLUG_IN)
    settings = {"include": ["plugin.py"], "extraPaths": ["site"], "pythonVersion": "3.11"}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--outputjson"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    told = json.loads(run.stdout)["generalDiagnostics"]
    types = [one["message"].rpartition(" is ")[2] for one in told if one["severity"] == "information"]
    assert types == ['"GroupLayer"', '"Layer | None"', '"tuple[int, int, int, int, int]"', '"str"']
    wrong = {one["range"]["start"]["line"] for one in told if one["severity"] == "error"}
    lines = PLUG_IN.splitlines()
    assert {lines[number].strip() for number in wrong} == {
        "pdb.gimp_drawable_invert(drawable)",
        "pdb.gimp_no_such_procedure()",
        "image.undo_group_begin()",
    }


def _copy(folder: Path) -> Path:
    """A copy to build from, for a build leaves files beside its sources."""
    import shutil

    return Path(shutil.copytree(STUBS, folder / "source"))
