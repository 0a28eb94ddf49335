"""The engine on a Unix socket: real sockets, made-up networks."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import plugin_path  # noqa: F401  # pyright: ignore[reportMissingImports]  (makes `t2c_plugin` importable)
import pytest
from t2c_plugin.engine.client import Engine, EngineError  # pyright: ignore[reportMissingImports]

from t2c_engine.errors import OutputError
from t2c_engine.serving.server import open_socket
from tests.engine_helpers import RED, command, ramp, send

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows' Python knows no Unix sockets")


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    """An engine on a socket."""
    path = tmp_path / "mine" / "engine.sock"
    with subprocess.Popen(command("--listen", str(path)), stdin=subprocess.DEVNULL) as server:
        end = time.monotonic() + 20
        while not path.exists() and time.monotonic() < end:
            time.sleep(0.02)
        yield path, server
        server.kill()


def test_a_socket_serves_one_editor_after_the_other(listening: tuple[Path, subprocess.Popen[bytes]]) -> None:
    path, server = listening
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    for _ in range(3):
        with Engine(f"unix:{path}") as engine:
            assert engine.hello(20)["pid"] == server.pid
            assert engine.palettes("autumn").palettes
            assert len(list(engine.colorize(send(engine, ramp(8, 8, "uint8"), "Y u8"), [RED]))) == 1
    server.terminate()
    assert server.wait(5) == 0
    assert not path.exists()


def test_a_file_is_not_taken_for_a_socket(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    with pytest.raises(OutputError, match="not a socket"):
        open_socket(path)
    assert path.read_text() == "mine" and list(tmp_path.iterdir()) == [path]


def test_an_editor_that_comes_while_another_is_served_is_told(
    listening: tuple[Path, subprocess.Popen[bytes]],
) -> None:
    path, _ = listening
    with Engine(f"unix:{path}") as first:
        first.hello(20)
        with Engine(f"unix:{path}") as second:
            with pytest.raises(EngineError) as caught:
                second.hello(0.5)
            assert "one at a time" in caught.value.hint
            first.close()
            assert second.hello(20) == second.hello(1)


def test_an_editor_that_sends_junk_does_not_harm_the_next(listening: tuple[Path, subprocess.Popen[bytes]]) -> None:
    path, _ = listening
    for junk in (b"GET / HTTP/1.1\r\n\r\n", b"", b"\x00" * 7):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            connection.sendall(junk)
    with Engine(f"unix:{path}") as engine:
        assert engine.palettes("autumn").palettes


def test_a_socket_in_use_is_refused_and_a_dead_one_replaced(listening: tuple[Path, subprocess.Popen[bytes]]) -> None:
    path, server = listening
    again = subprocess.run(command("--listen", str(path)), capture_output=True, text=True, timeout=30)
    assert again.returncode != 0 and "listens on" in again.stderr
    server.kill()
    server.wait()
    assert path.exists(), "killed, it could not tidy up"
    with subprocess.Popen(command("--listen", str(path), "--idle-exit", "2")) as successor:
        with connected(path, 20) as engine:
            assert engine.hello(20)["pid"] == successor.pid
        assert successor.wait(20) == 0, "idle, it leaves"


def connected(path: Path, within: float) -> Engine:
    """A conversation on a socket on which an engine will listen soon."""
    end = time.monotonic() + within
    while True:
        engine = Engine(f"unix:{path}")
        try:
            engine.hello(20)
            return engine
        except EngineError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def test_a_folder_open_to_others_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    run = subprocess.run(command("--listen", str(tmp_path / "s")), capture_output=True, text=True, timeout=30)
    assert run.returncode != 0 and "open to others" in run.stderr
