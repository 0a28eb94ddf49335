"""A GIMP for the tests of this folder; without one they are skipped, saying why. All of them are marked `gimp`."""

from __future__ import annotations

import sys
from pathlib import Path

import host as gimp_host
import pytest
from host import SUITES

sys.path.insert(0, str(gimp_host.CHECKOUT / "install"))
import plugin_files  # pyright: ignore[reportMissingImports]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.gimp)


@pytest.fixture(scope="session", params=[SUITES[0], pytest.param(SUITES[1], marks=pytest.mark.slow)])
def root(request: pytest.FixtureRequest) -> Path:
    """The root folder with GIMP, made when there is none yet."""
    folder = gimp_host.default_root(request.param)
    reason = gimp_host.why_not(folder, request.param)
    if reason:
        pytest.skip(f"no GIMP: {reason}")
    return folder


@pytest.fixture(scope="session")
def host(root: Path, tmp_path_factory: pytest.TempPathFactory) -> gimp_host.Host:
    """A GIMP whose profile holds the plug-in as the installer puts it there, and that has run once."""
    made = gimp_host.Host(root, tmp_path_factory.mktemp("gimp"))
    plugin_files.copy_plugin(made.profile)
    first = made.batch("say(ready=True)")
    assert first.code == 0, first.text[-3000:]
    return made
