"""The client of the plug-in for GIMP 2.10: frames as the engine's, every way in which an engine can fail, paths."""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from t2c_legacy import frames, transport  # pyright: ignore[reportMissingImports]
from t2c_legacy.engine import Engine  # pyright: ignore[reportMissingImports]
from t2c_legacy.transport import EngineError, program_word  # pyright: ignore[reportMissingImports]
from t2c_plugin.shared import limits  # pyright: ignore[reportMissingImports]

from t2c_engine.serving import protocol

FAKE = Path(__file__).resolve().parents[1] / "fake_engine.py"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def test_the_numbers_are_the_engines() -> None:
    assert (frames.PROTOCOL, frames.MAX_HEADER, frames.MAX_FRAME) == (
        protocol.PROTOCOL,
        protocol.MAX_HEADER,
        protocol.MAX_FRAME,
    )
    assert (limits.MODES, limits.DEVICES, limits.MAX_STRENGTH, limits.HINT_REACH, limits.NATURAL_SHARE) == (
        protocol.MODES,
        protocol.DEVICES,
        protocol.MAX_STRENGTH,
        protocol.DEFAULT_HINT_REACH,
        protocol.DEFAULT_NATURAL,
    )
    assert frames.CANCELLED == protocol.ErrorCode.CANCELLED
    assert frames.UNKNOWN_PICTURE == protocol.ErrorCode.UNKNOWN_PICTURE
    for name, channels in frames.CHANNELS.items():
        assert (protocol.PIXEL_FORMATS[name].channels, protocol.PIXEL_FORMATS[name].sample_bytes) == (channels, 1)


@settings(max_examples=40)
@given(st.integers(0, 2**31), st.text(max_size=9), st.dictionaries(st.text(max_size=5), JSON, max_size=3), st.binary())
def test_the_engine_reads_what_the_plug_in_writes(id: int, method: str, params: dict[str, Any], blob: bytes) -> None:
    stream = io.BytesIO(b"".join(frames.encode({"id": id, "method": method, "params": params}, blob)))
    (frame,) = protocol.read_frames(stream.readinto)
    assert protocol.parse(frame) == protocol.Request(id, method, params, blob)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.dictionaries(st.text(max_size=5), JSON, max_size=3), st.binary(max_size=40)), max_size=4))
def test_the_plug_in_reads_what_the_engine_writes(sent: list[tuple[dict[str, Any], bytes]]) -> None:
    stream = io.BytesIO()
    for params, blob in sent:
        protocol.write_message(stream.write, protocol.Notification("picture", params, blob))
    stream.seek(0)
    read = [(message["params"], blob) for message, blob in frames.read_frames(stream.read)]
    assert read == [(params, blob) for params, blob in sent]


@given(st.binary(min_size=1, max_size=60))
def test_junk_is_a_frame_error_or_a_frame(junk: bytes) -> None:
    try:
        for message, _ in frames.read_frames(io.BytesIO(junk).read):
            assert isinstance(message, dict)
    except frames.FrameError:
        pass


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], Engine]:
    """Starts the scripted engine in one of its modes, with short patience."""
    for name, seconds in (("HELLO_TIMEOUT", 3.0), ("QUICK_TIMEOUT", 1.5), ("JOB_TIMEOUT", 1.5)):
        monkeypatch.setattr(limits, name, seconds)
    monkeypatch.setattr(Engine._ask, "__defaults__", (b"", 1.5))

    def start(mode: str) -> Engine:
        monkeypatch.setenv("T2C_ENGINE", f"{sys.executable} {FAKE} {mode}")
        return Engine(str(tmp_path), str(tmp_path / "log" / "engine.log"))

    return start


def color(one: Engine, width: int = 6, height: int = 4) -> list[tuple[int, bytes, int, int]]:
    key = one.set_picture(bytes(width * height), width, height, "Y u8")
    palettes = [["#112233", "#aabbcc"], ["#000000"]]
    return list(one.colorize(key, palettes, 1.0, 0.0, "auto", "colour", None, 0.25, lambda done, text: None))


def test_a_good_engine_gives_palettes_and_pictures(engine: Callable[[str], Engine], tmp_path: Path) -> None:
    with engine("good") as one:
        assert one.palettes("autumn", 3, 0)["palettes"]
        results = color(one)
        assert [(index, len(pixels), width, height) for index, pixels, width, height in results] == [
            (0, 72, 6, 4),
            (1, 72, 6, 4),
        ]
        assert "PYTHONPATH" not in one.doctor()["environment"]
    assert (tmp_path / "log" / "engine.log").exists()


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("silent", "has not answered"),
        ("old", "another language version"),
        ("greeting", "text where frames were expected"),
        ("crash", "ended before it said hello"),
        ("broken-library", "lacks a library"),
        ("hang", "has not answered"),
        ("busy", "has not answered"),
        ("deaf", "has not answered"),
        ("die", "has ended"),
        ("die-in-frame", "has ended"),
        ("junk", "cannot be understood"),
        ("huge", "cannot be understood"),
        ("bad-json", "cannot be understood"),
        ("wrong-size", "wrong size"),
        ("refuse", "."),
        ("forgetful", "."),
    ],
)
def test_whatever_an_engine_does_there_is_a_sentence_in_time(
    mode: str, words: str, engine: Callable[[str], Engine]
) -> None:
    begun = time.monotonic()
    with pytest.raises(EngineError) as caught, engine(mode) as one:
        color(one, *((3000, 2000) if mode == "deaf" else (6, 4)))  # more than a pipe swallows
        one.palettes("autumn", 3, 0)
    assert words in caught.value.in_words() and caught.value.message.endswith(".")
    assert time.monotonic() - begun < 12
    if mode == "forgetful":
        assert caught.value.code == frames.UNKNOWN_PICTURE


def test_an_engine_that_will_not_go_is_ended(engine: Callable[[str], Engine]) -> None:
    with engine("stubborn") as one:
        pid = one.hello()["pid"]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_without_an_engine_the_user_is_told_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("T2C_ENGINE", raising=False)
    for name in ("XDG_DATA_HOME", "LOCALAPPDATA", "HOME", "PATH"):
        monkeypatch.setenv(name, str(tmp_path))
    with pytest.raises(EngineError, match="not installed") as caught:
        Engine(str(tmp_path))
    assert str(tmp_path) in caught.value.hint


def test_a_named_pipe_is_not_for_gimp_210(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("T2C_ENGINE", r"\\.\pipe\text2colors")
    with pytest.raises(EngineError, match="cannot reach"):
        Engine(str(tmp_path))


# Python 2.7 on Windows starts programs by bytes in the code page; cp1252 stands for it


def word(text: str, short: str) -> Any:
    return program_word(Path27(text), windows=True, python_2=True, codec="cp1252", short=lambda path: short)


class Path27(str):
    """Counts as Python 2.7's unicode."""


@pytest.mark.parametrize(
    ("text", "short", "expected"),
    [
        (r"C:\Program Files\t2c.exe", "", rb"C:\Program Files\t2c.exe"),
        ("C:\\Users\\J\xfcrgen\\t2c.exe", "", b"C:\\Users\\J\xfcrgen\\t2c.exe"),
        ("C:\\Users\\\u0418\u0432\u0430\u043d\\t2c.exe", r"C:\Users\4D8A~1\t2c.exe", rb"C:\Users\4D8A~1\t2c.exe"),
    ],
)
def test_paths_are_written_for_windows(text: str, short: str, expected: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "str", bytes, raising=False)  # as on Python 2.7
    assert word(text, short) == expected


def test_a_path_without_a_short_name_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "str", bytes, raising=False)
    path = "D:\\\u0418\u0432\u0430\u043d\\t2c.exe"
    with pytest.raises(EngineError, match="cannot start"):
        word(path, path)
