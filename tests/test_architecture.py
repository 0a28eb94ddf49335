"""The layout holds: layers, who may import torch, what the plug-in imports, and how many modules lie in a folder.

Imports are read from the source (`ast`), lazy ones inside functions too.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PLUGIN = ROOT / "gimp_plugin"
MOST_MODULES = 16  # in one folder

# Each may import what stands before it, and its own folder; those of one line may not import one another.
ENGINE_LAYERS = (
    ("t2c_engine.environment", "t2c_engine.errors"),
    ("t2c_engine", "t2c_engine.serving.protocol"),
    ("t2c_engine.files", "t2c_engine.color", "t2c_engine.devices"),
    ("t2c_engine.models", "t2c_engine.pictures", "t2c_engine.text"),
    ("t2c_engine.networks", "t2c_engine.rendering"),
    ("t2c_engine.palettes",),
    ("t2c_engine.colorization",),
    ("t2c_engine.model_store",),
    ("t2c_engine.batch",),
    ("t2c_engine.albums",),
    ("t2c_engine.doctor",),
    ("t2c_engine.serving",),
    ("t2c_engine.cli",),
    ("t2c_engine.__main__",),
)
TRAINER_LAYERS = (
    ("trainer", "trainer.common"),
    ("trainer.colorizer", "trainer.palettes"),
    ("trainer.papers", "trainer.diverse", "trainer.exemplar"),
    ("trainer.looks",),
    ("trainer.evaluation", "trainer.train_palettes"),
    ("trainer.study", "trainer.styles", "trainer.photographs"),
    ("trainer.cli",),
    ("trainer.__main__",),
)
TORCH_FOLDERS = ("t2c_engine.networks", "t2c_engine.colorization")
TORCH_LAZILY = ("t2c_engine.devices",)
SHIPPED_WITH_PLUGIN = "t2c_engine.serving.protocol"  # copied beside the plug-in's files; named for type checkers only


def modules(folder: Path) -> list[Path]:
    """Those for current Pythons: the plug-in for GIMP 2.10 and the stubs are looked at apart."""
    apart = {"legacy", "stubs"}
    return sorted(path for path in folder.rglob("*.py") if not apart & set(path.relative_to(ROOT).parts))


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path, at_start: bool = False) -> Iterator[str]:
    """Dotted names that a file imports; `at_start`: only those that importing the file imports."""
    waiting: list[ast.AST] = [ast.parse(path.read_text("utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports relatively"
            yield from (_named(node.module or "", alias.name) for alias in node.names)
        skipped = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or _for_type_checkers(node)
        if not (at_start and skipped):
            waiting.extend(ast.iter_child_nodes(node))


def _named(module: str, name: str) -> str:
    """What `from module import name` imports: the module `module.name` if there is one, else `module`."""
    below = ROOT.joinpath(*module.split("."), name)
    return f"{module}.{name}" if below.is_dir() or below.with_suffix(".py").is_file() else module


def _for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def part_of(module: str) -> str:
    """Folder or top module, "t2c_engine.color", that a module belongs to; the protocol is a part itself."""
    if module == SHIPPED_WITH_PLUGIN:
        return module
    return ".".join(module.split(".")[:2])


@pytest.mark.parametrize("layers", [ENGINE_LAYERS, TRAINER_LAYERS], ids=["t2c_engine", "trainer"])
def test_imports_go_down_the_layers(layers: tuple[tuple[str, ...], ...]) -> None:
    height = {part: number for number, parts in enumerate(layers) for part in parts}
    root = layers[0][0].split(".")[0]
    files = modules(ROOT / root)
    assert {part_of(name_of(path)) for path in files} == set(height), "a part without a layer, or a layer of nothing"
    up = []
    for path in files:
        own = part_of(name_of(path))
        for module in imports(path):
            other = part_of(module)
            if module.split(".")[0] == root and other != own and height[other] >= height[own]:
                up.append(f"{name_of(path)} imports {module}")
    assert not up


def test_modules_of_a_folder_import_one_another_in_no_circle() -> None:
    paths = {name_of(path): path for package in ("t2c_engine", "trainer") for path in modules(ROOT / package)}
    waiting = {name: {one for one in imports(path, at_start=True) if one in paths} for name, path in paths.items()}
    while free := [name for name, needed in waiting.items() if not needed & waiting.keys()]:
        for name in free:
            del waiting[name]
    assert not waiting


def test_the_engine_never_imports_trainer_or_plugin() -> None:
    foreign = {one.stem for one in modules(PLUGIN)} - {"text2colors"} | {"trainer", "tests"}
    found = [f"{path} imports {one}" for path in modules(ROOT / "t2c_engine") for one in imports(path)]
    assert not [line for line in found if line.split()[-1].split(".")[0] in foreign - sys.stdlib_module_names]


def test_torch_is_imported_in_networks_and_colorization_only() -> None:
    for path in modules(ROOT / "t2c_engine"):
        name = name_of(path)
        lazily = any(one.split(".")[0] == "torch" for one in imports(path))
        at_start = any(one.split(".")[0] == "torch" for one in imports(path, at_start=True))
        assert not lazily or part_of(name) in TORCH_FOLDERS or name in TORCH_LAZILY, name
        assert not at_start or part_of(name) in TORCH_FOLDERS, name


def test_the_plugin_imports_the_standard_library_and_gi_only() -> None:
    paths = modules(PLUGIN)
    own = {path.stem for path in paths} | {path.name for path in PLUGIN.rglob("*") if path.is_dir()}
    allowed = own | {"gi", "t2c_protocol"} | set(sys.stdlib_module_names)
    for path in paths:
        foreign = {one for one in imports(path) if one.split(".")[0] not in allowed} - {SHIPPED_WITH_PLUGIN}
        assert not foreign, path
        assert SHIPPED_WITH_PLUGIN not in imports(path, at_start=True), path


def test_the_plugin_for_gimp_210_imports_what_python_27_and_gimp_have() -> None:
    allowed = {"gimp", "gimpenums", "gimpfu", "t2c_legacy", "t2c_plugin.shared", "Queue", "distutils"}
    shared = sorted((PLUGIN / "text2colors" / "t2c_plugin" / "shared").glob("*.py"))
    for path in [*sorted((PLUGIN / "legacy").rglob("*.py")), *shared]:
        for one in imports(path):
            known = {".".join(one.split(".")[:2]), one.split(".")[0]}
            assert known & (allowed | set(sys.stdlib_module_names)), f"{path} imports {one}"


@pytest.mark.parametrize("package", ["t2c_engine", "trainer"])
def test_packages_hold_only_a_docstring(package: str) -> None:
    for init in (ROOT / package).rglob("__init__.py"):
        tree = ast.parse(init.read_text("utf-8"))
        assert ast.get_docstring(tree), init
        assert len(tree.body) == 1 or init == ROOT / "t2c_engine" / "__init__.py", init


@pytest.mark.parametrize("top", ["t2c_engine", "trainer", "gimp_plugin"])
def test_no_folder_holds_too_many_modules(top: str) -> None:
    folders = {path.parent for path in modules(ROOT / top)}
    assert not {str(one) for one in folders if len(list(one.glob("*.py"))) > MOST_MODULES}


# modules whose distribution has another name, and those of extras, which a sentence asks for
DISTRIBUTIONS = {"PIL": "pillow"}
OF_EXTRAS = {"distributed", "fsspec"}


def test_the_engine_imports_nothing_that_its_installation_leaves_out() -> None:
    """A part of the packages is in the tests' environment for the trainer alone."""
    words = (ROOT / "setup.py").read_text("utf-8")
    required = ast.literal_eval(
        words[words.index("install_requires=") :].removeprefix("install_requires=").split("],")[0] + "]"
    )
    installed = {re.split(r"[<>=!~\[ ]", one)[0] for one in required}
    for path in modules(ROOT / "t2c_engine"):
        tops = {one.split(".")[0] for one in imports(path)} - {"t2c_engine", *sys.stdlib_module_names, *OF_EXTRAS}
        missing = {DISTRIBUTIONS.get(top, top) for top in tops} - installed
        assert not missing, f"{path} imports {missing}"
