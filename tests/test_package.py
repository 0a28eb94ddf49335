"""What people install and download: the wheel in a fresh environment, licences, completion, the Windows script, CI."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest
from typer.testing import CliRunner

from t2c_engine import __version__
from t2c_engine.cli.licences import UNSTATED, canonical, installed_licences, requirements
from t2c_engine.cli.main import app

ROOT = Path(__file__).resolve().parents[1]
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that is packed."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, str(ROOT / "install" / "package.py"), str(folder)], check=True, capture_output=True)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("archive", ["*.whl", "*.tar.gz"])
def test_it_installs_in_a_fresh_environment_and_works(archive: str, made: Path, tmp_path: Path) -> None:
    (package,) = made.glob(f"text2colors-{archive}")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "fresh")], check=True)
    python = tmp_path / "fresh" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    folders = "import sysconfig; print(sysconfig.get_path('purelib'), sysconfig.get_path('scripts'), sep='\\n')"
    site, scripts = subprocess.run([str(python), "-c", folders], capture_output=True, text=True).stdout.split("\n")[:2]
    # what it depends on is this environment's; a .pth adds folders, not the editable installations in them
    others = [one for one in sys.path if one.endswith("site-packages")]
    (Path(site) / "dependencies.pth").write_text("\n".join(others) + "\n")
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*pip, "--no-build-isolation", str(package)], check=True)
    t2c = str(Path(scripts) / "t2c")

    def run(*arguments: str) -> str:
        command = [t2c, *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    assert run("--version").startswith(f"text2colors {__version__}\n")
    assert len(json.loads(run("palette", "autumn breeze", "-n", "2", "--json"))["palettes"]) == 2
    look = [str(python), "-c", "import t2c_engine; print(t2c_engine.__file__)"]
    found = Path(subprocess.run(look, cwd=tmp_path, capture_output=True, text=True).stdout.strip())
    assert Path(site).resolve() in found.resolve().parents
    assert (Path(site) / "t2c_engine" / "py.typed").exists()


@pytest.mark.slow
def test_everything_is_made(made: Path) -> None:
    names = {re.sub(r"\d+(\.\d+)+", "N", one.name) for one in made.iterdir()}
    assert names == {
        "text2colors-N-py3-none-any.whl",
        "text2colors-N.tar.gz",
        "gimpfu_stubs-N-py3-none-any.whl",
        "text2colors-N-gimp3.zip",
        "text2colors-N-gimpN.zip",
    }


def test_the_metadata_is_complete() -> None:
    metadata = distribution("text2colors").metadata
    assert metadata["Requires-Python"] == ">=3.11" and metadata["Description"].startswith("# Text2Colors")
    assert {"demo", "train", "test"} <= set(metadata.get_all("Provides-Extra") or ())
    assert len(metadata.get_all("Classifier") or ()) > 10
    names = {one.name for one in distribution("text2colors").entry_points}
    assert names == {"t2c", "t2c-train"}


def test_every_dependency_is_listed_with_a_licence() -> None:
    found = {canonical(one.name): one for one in installed_licences()}
    needed = {canonical(name) for name, extra in requirements(distribution("text2colors")) if not extra}
    assert needed <= set(found) and "text2colors" in found
    assert [name for name in needed if found[name].licence == UNSTATED] == []
    assert all(0 < len(one.licence) < 200 for one in found.values())


def test_licences_are_told_as_words_and_as_json() -> None:
    words = CliRunner().invoke(app, ["licences"])
    assert words.exit_code == 0 and re.search(r"numpy \S+ +BSD", words.stdout) and "[model]" in words.stdout
    lines = CliRunner().invoke(app, ["licences", "--json"]).stdout.splitlines()
    told = {json.loads(line)["name"]: json.loads(line) for line in lines}
    assert "BSD" in told["numpy"]["licence"] and told["colorizer-palette"]["extra"] == "model"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_can_complete(shell: str) -> None:
    environment = {**os.environ, "_T2C_COMPLETE": f"source_{shell}"}
    command = [sys.executable, "-c", "from t2c_engine.cli.main import main; main()"]
    script = subprocess.run(command, env=environment, capture_output=True, text=True).stdout
    assert "_T2C_COMPLETE" in script and "t2c" in script


def test_the_powershell_script_is_well_formed() -> None:
    tree_sitter = pytest.importorskip("tree_sitter")
    powershell = pytest.importorskip("tree_sitter_powershell")
    source = (ROOT / "install" / "install.ps1").read_bytes()
    source.decode("ascii")  # Windows PowerShell 5 reads a file without a mark as ANSI
    tree = tree_sitter.Parser(tree_sitter.Language(powershell.language())).parse(source)
    assert not tree.root_node.has_error
    broken = tree_sitter.Parser(tree_sitter.Language(powershell.language())).parse(
        source.replace(b"try {", b"try (", 1)
    )
    assert broken.root_node.has_error, "the parser sees what is wrong"


def test_ci_covers_three_systems_and_names_only_what_is_there() -> None:
    text = WORKFLOW.read_text()
    assert text.count("[ubuntu-latest, windows-latest, macos-latest]") == 3
    for path in re.findall(r"install[/\\][\w.]+", text):
        assert (ROOT / path.replace("\\", "/")).is_file(), path
    yaml = pytest.importorskip("yaml")
    assert set(yaml.safe_load(text)["jobs"]) == {"check", "test", "install", "package"}
