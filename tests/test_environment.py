"""Threads and waiting policy: set before a library loads, only where the user has set none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from t2c_engine.devices import ONE_THREAD, threads_for
from t2c_engine.environment import processor_quota, set_threads

NAMES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def test_a_short_spin_is_the_default(tmp_path: Path) -> None:
    environment: dict[str, str] = {}
    set_threads(environment, str(tmp_path / "none"))
    assert environment.keys() == {"OPENBLAS_NUM_THREADS", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"}
    assert 0 < int(environment["GOMP_SPINCOUNT"]) <= 10_000


@pytest.mark.parametrize("name", ["OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"])
def test_what_the_user_has_set_stays(tmp_path: Path, name: str) -> None:
    environment = {name: "x", "OPENBLAS_NUM_THREADS": "7"}
    set_threads(environment, str(tmp_path / "none"))
    assert environment == {name: "x", "OPENBLAS_NUM_THREADS": "7"}


@pytest.mark.parametrize(
    ("text", "quota"),
    [("max 100000\n", None), ("200000 100000\n", 2), ("50000 100000\n", 1), ("junk", None), ("", None)],
)
def test_the_quota_of_a_container(tmp_path: Path, text: str, quota: int | None) -> None:
    path = tmp_path / "cpu.max"
    path.write_text(text)
    assert processor_quota(str(path)) == quota
    environment: dict[str, str] = {}
    set_threads(environment, str(path))
    limited = quota is not None and quota < (os.cpu_count() or 1)
    assert environment.get("OMP_NUM_THREADS") == (str(quota) if limited else None)


@pytest.mark.parametrize(
    "module",
    ["t2c_engine.cli.main", "t2c_engine.serving.__main__", "t2c_engine.devices", "trainer.cli", "t2c_engine.__main__"],
)
def test_every_entry_point_sets_it_before_torch(module: str) -> None:
    """With torch imports stopped: at that moment, or at the end of the module, the environment is set."""
    code = f"""
import json, os, sys
class Watch:
    def find_spec(self, name, *rest):
        if name == "torch":
            print(json.dumps(dict(os.environ))); sys.stdout.flush(); os._exit(0)
sys.meta_path.insert(0, Watch())
sys.argv = ["t2c", "--version"]
import os as system
module = {module!r}
if module.endswith("serving.__main__"):
    import t2c_engine.serving
else:
    __import__(module)
import torch
"""
    environment = {name: value for name, value in os.environ.items() if name not in NAMES}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert json.loads(run.stdout)["GOMP_SPINCOUNT"].isdigit()


def test_small_inputs_run_in_one_thread_and_leave_the_number_as_it_was() -> None:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with threads_for(ONE_THREAD):
            assert torch.get_num_threads() == 1
        with threads_for(ONE_THREAD + 1):
            assert torch.get_num_threads() == 3
        with pytest.raises(KeyError), threads_for(1):
            raise KeyError
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
