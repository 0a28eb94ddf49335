"""Named pipes: the code that Windows runs, over the connections that this system has."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import plugin_path  # noqa: F401  (makes `t2c_plugin` importable)
import pytest
from t2c_plugin.engine.errors import EngineError  # pyright: ignore[reportMissingImports]
from t2c_plugin.engine.named_pipe import PipeTransport  # pyright: ignore[reportMissingImports]

from t2c_engine.errors import OutputError
from t2c_engine.serving import protocol as p
from t2c_engine.serving.pipes import PREFIX, PipeListener, PipeStream, is_pipe

FAMILY = "AF_PIPE" if sys.platform == "win32" else "AF_UNIX"


@pytest.fixture
def address(tmp_path: Path) -> str:
    return f"{PREFIX}text2colors-test-{os.getpid()}" if sys.platform == "win32" else str(tmp_path / "pipe")


def pair(address: str) -> tuple[PipeStream, PipeStream]:
    """The two ends of a connection."""
    from multiprocessing.connection import Client

    listener, ends = PipeListener(address, FAMILY), []
    accepting = threading.Thread(target=lambda: ends.append(listener.accept()[0]))
    accepting.start()
    mine = PipeStream(Client(address, FAMILY))  # pyright: ignore[reportArgumentType]
    accepting.join(5)
    listener.close()
    return mine, ends[0]


def test_frames_of_any_size_pass(address: str) -> None:
    mine, theirs = pair(address)
    blob = bytes(range(256)) * 20_000  # 5 MB, more than one message
    sent = [p.Request(1, "set_picture", {"key": "a"}, blob), p.Notification("cancel", {}), p.Request(2, "ping", {})]
    writing = threading.Thread(target=lambda: [p.write_message(mine.send, one) for one in sent])
    writing.start()
    frames = p.read_frames(theirs.recv_into)
    read = [p.parse(next(frames)) for _ in sent]
    writing.join(5)
    assert read == sent
    mine.shutdown(0)
    assert next(frames, None) is None, "the end of the editor is the end of the stream"


def test_both_ends_speak_at_once(address: str) -> None:
    mine, theirs = pair(address)
    reading = p.read_frames(mine.recv_into)
    answers: list[p.Message] = []
    waiting = threading.Thread(target=lambda: answers.append(p.parse(next(reading))))
    waiting.start()
    p.write_message(mine.send, p.Request(1, "ping", {}))  # while another thread reads
    assert p.parse(next(p.read_frames(theirs.recv_into))) == p.Request(1, "ping", {})
    p.write_message(theirs.send, p.Result(1, {}))
    waiting.join(5)
    assert answers == [p.Result(1, {})]


def test_the_plug_ins_side_speaks_to_the_engines(address: str) -> None:
    listener = PipeListener(address, FAMILY)
    accepted: list[PipeStream] = []
    accepting = threading.Thread(target=lambda: accepted.append(listener.accept()[0]))
    accepting.start()
    plugin = PipeTransport(address, FAMILY)
    accepting.join(5)
    blob = bytes(3_000_000)
    writing = threading.Thread(target=lambda: p.write_message(accepted[0].send, p.Result(1, {}, blob)))
    p.write_message(plugin.write, p.Request(1, "ping", {}))
    assert p.parse(next(p.read_frames(accepted[0].recv_into))) == p.Request(1, "ping", {})
    writing.start()
    assert p.parse(next(p.read_frames(plugin.readinto))) == p.Result(1, {}, blob)
    writing.join(5)
    plugin.close()
    assert accepted[0].recv_into(memoryview(bytearray(9))) == 0
    listener.close()
    with pytest.raises(EngineError, match="No engine listens on the pipe"):
        PipeTransport(address, FAMILY)


def test_a_name_in_use_is_refused_in_words(address: str) -> None:
    listener = PipeListener(address, FAMILY)
    with pytest.raises(OutputError, match="listen on it already"):
        PipeListener(address, FAMILY)
    listener.close()


@pytest.mark.parametrize(("address", "pipe"), [(r"\\.\pipe\text2colors", True), ("/run/t2c/s", False), ("pipe", False)])
def test_a_pipe_is_known_by_its_name(address: str, pipe: bool) -> None:
    assert is_pipe(address) is pipe
    assert is_pipe(str(Path(address))) is pipe
