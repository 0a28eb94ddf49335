"""The engine process: real pipes and sockets, made-up networks."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import plugin_path  # pyright: ignore[reportMissingImports]
import pytest
from t2c_plugin.engine.client import Engine, EngineCancelled, EngineError  # pyright: ignore[reportMissingImports]

from t2c_engine.color.lab import srgb_to_lab
from t2c_engine.color.samples import full_scale
from t2c_engine.serving import protocol as p
from tests.engine_helpers import BLUE, RED, command, gone, ramp, send

ROOT = Path(__file__).resolve().parents[2]

Start = Callable[..., Engine]
pytestmark = pytest.mark.skipif(os.name == "nt", reason="looks at processes as Unix shows them")


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts engines with behaviours, and ends them after the test."""
    engines: list[Engine] = []

    def begin(*arguments: str) -> Engine:
        engines.append(Engine(command(*arguments)))
        return engines[-1]

    yield begin
    for engine in engines:
        engine.close()


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """One well-behaved engine for the tests that harm nothing."""
    with Engine(command()) as one:
        yield one


def test_hello_tells_versions(engine: Engine) -> None:
    hello = engine.hello(90)
    assert hello["protocol"] == p.PROTOCOL and hello["engine"].count(".") == 2
    assert set(hello) >= {"models", "pid", "python", "formats"}
    assert {"words", "palette", "nothing"} <= set(hello["sources"])


def test_a_palette_is_fitted_to_the_colors_that_are_used(engine: Engine) -> None:
    longer = ["#102030", "#405060", "#708090", "#a0b0c0", "#d0e0f0", "#ff8800", "#0088ff"]
    five, short = engine.fit([longer, longer[:5]])
    assert len(five) == 5 and set(five) < set(longer) and list(short) == longer[:5]


def test_palettes_hold_the_locked_colors(engine: Engine) -> None:
    answer = engine.palettes("autumn", count=4, seed=3, locked={0: "#102030", 4: "#fff"})
    assert answer.model == "fake-palettes" and not answer.note
    assert len(answer.palettes) == 4 == len(set(answer.palettes))
    assert all((palette[0], palette[4]) == ("#102030", "#ffffff") for palette in answer.palettes)
    assert answer == engine.palettes("autumn", count=4, seed=3, locked={0: "#102030", 4: "#fff"})


def test_the_note_of_the_sampler_arrives(engine: Engine) -> None:
    assert engine.palettes("qqq").note == "no word of the phrase is known"


@pytest.mark.parametrize(
    ("format", "dtype", "channels"),
    [
        ("Y u8", "uint8", 1),
        ("Y u16", "uint16", 1),
        ("Y float", "float32", 1),
        ("RGB u8", "uint8", 3),
        ("RGB u16", "uint16", 3),
        ("RGB float", "float32", 3),
    ],
)
def test_every_format_is_colored_in_its_own_precision(engine: Engine, format: str, dtype: str, channels: int) -> None:
    pixels = ramp(60, 40, dtype, channels)
    key = send(engine, pixels, format)
    ((_, normal),) = engine.colorize(key, [RED], mode="normal")
    assert (normal.width, normal.height, normal.format) == (60, 40, f"RGB {format.split()[1]}")
    full = full_scale(dtype)
    result = np.frombuffer(normal.pixels, dtype).reshape(40, 60, 3) / full
    grey = np.repeat((pixels if channels == 3 else pixels[..., None]) / full, 3 // channels, 2)
    lab, before = srgb_to_lab(result), srgb_to_lab(grey)
    assert np.abs(lab[..., 0] - before[..., 0]).mean() < 0.3
    assert lab[20, 30, 1] > 10, "red has come"
    ((_, color),) = engine.colorize(key, [RED])
    assert (color.width, color.height, color.format) == (60, 40, "RGB u8")


def test_color_layers_are_at_most_2048_px_long_and_each_palette_gives_its_own(engine: Engine) -> None:
    key = send(engine, ramp(4100, 100, "uint8"), "Y u8")
    told: list[tuple[float, str]] = []
    results = list(engine.colorize(key, [RED, BLUE, RED[:2]], on_progress=lambda done, text: told.append((done, text))))
    assert [(index, one.width, one.height, one.format) for index, one in results] == [
        (index, 2048, 50, "RGB u8") for index in range(3)
    ]
    middles = [np.frombuffer(one.pixels, np.uint8).reshape(50, 2048, 3)[25, 1024].astype(int) for _, one in results]
    assert middles[0][0] > middles[0][2] + 20 and middles[1][2] > middles[1][0] + 20
    assert [text for _, text in told][-1] == "Colorizing 3 of 3"
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_strength_nought_is_the_same_for_every_palette_and_grey_without_one(engine: Engine) -> None:
    key = send(engine, ramp(64, 48, "uint8"), "Y u8")
    results = engine.colorize(key, [RED, BLUE, []], strength=0.0, mode="normal")
    red, blue, none = (np.frombuffer(one.pixels, np.uint8).reshape(48, 64, 3).astype(int) for _, one in results)
    assert (red == blue).all() and np.ptp(red[20, 30]) > 5
    assert np.abs(none - ramp(64, 48, "uint8")[..., None]).max() <= 1


def test_dabs_are_a_picture_of_their_own_and_no_palette_means_the_networks_colors(engine: Engine) -> None:
    key = send(engine, np.full((40, 60), 128, np.uint8), "Y u8")
    pixels = np.zeros((20, 30, 4), np.uint8)
    pixels[4:10, 4:10] = (40, 80, 220, 255)
    hints = send(engine, pixels, "RGBA u8")
    (plain,), (both, red) = engine.preview(key, [[]]), engine.preview(key, [[], RED], hints=hints)
    pixels = [np.frombuffer(one.pixels, np.uint8).reshape(40, 60, 3).astype(int) for one in (plain, both, red)]
    assert np.ptp(pixels[0][14, 14]) > 10 and np.ptp(pixels[0], axis=(0, 1)).max() <= 1
    for one in pixels[1:]:
        assert one[14, 14, 2] > one[14, 14, 0] + 20, "the hint is blue"
    far = (30, 50)
    assert np.abs(pixels[1][far] - pixels[0][far]).max() <= 2 and np.ptp(pixels[0][far]) > 30, "beyond the hint's reach"
    ((_, again),) = engine.colorize(key, [[]], mode="normal")
    assert np.abs(np.frombuffer(again.pixels, np.uint8).reshape(40, 60, 3) - pixels[0]).max() <= 1
    with pytest.raises(EngineError, match="RGBA u8"):
        engine.preview(key, [RED], hints=key)


def test_previews_are_small(engine: Engine) -> None:
    key = send(engine, ramp(900, 300, "uint16"), "Y u16")
    previews = engine.preview(key, [RED, BLUE], max_side=90)
    assert [(one.width, one.height, len(one.pixels)) for one in previews] == [(90, 30, 8100)] * 2


@pytest.mark.parametrize("size", [(1, 1), (4000, 2), (2, 700)])
def test_odd_sizes(engine: Engine, size: tuple[int, int]) -> None:
    key = send(engine, ramp(*size, "uint8"), "Y u8")
    ((_, one),) = engine.colorize(key, [RED])
    assert (one.width, one.height) == (min(2048, size[0]), max(1, round(size[1] * min(1, 2048 / max(size)))))


def test_floats_that_are_no_lightness_do_no_harm(engine: Engine) -> None:
    pixels = np.array([[np.nan, np.inf, -np.inf, -1.0, 5.0, 0.5]] * 4, np.float32)
    ((_, color),) = engine.colorize(send(engine, pixels, "Y float"), [RED], mode="normal")
    assert np.isfinite(np.frombuffer(color.pixels, np.float32)).all()


@pytest.mark.parametrize(
    ("act", "code", "words"),
    [
        (lambda e: e.palettes("  "), p.ErrorCode.USAGE, "phrase is empty"),
        (lambda e: e.palettes("a", count=0), p.ErrorCode.USAGE, "'count'"),
        (lambda e: e.palettes("a", variety=2.0), p.ErrorCode.USAGE, "'variety'"),
        (lambda e: e.palettes("a", locked={5: "#fff"}), p.ErrorCode.USAGE, "'locked'"),
        (lambda e: e.palettes("a", locked={1: "blue"}), p.ErrorCode.USAGE, "not a colour"),
        (lambda e: list(e.colorize("0", [RED])), p.ErrorCode.UNKNOWN_PICTURE, "send it again"),
        (lambda e: list(e.colorize("0", [])), p.ErrorCode.USAGE, "'palettes'"),
        (lambda e: list(e.colorize("0", [["red"]])), p.ErrorCode.USAGE, "not a colour"),
        (lambda e: list(e.colorize("0", [[]])), p.ErrorCode.UNKNOWN_PICTURE, "send it again"),
        (lambda e: list(e.colorize("0", [RED], strength=-1)), p.ErrorCode.USAGE, "'strength'"),
        (lambda e: list(e.colorize("0", [RED], mode="x")), p.ErrorCode.USAGE, "'mode'"),
        (lambda e: e.preview("0", [RED], max_side=5), p.ErrorCode.USAGE, "'max_side'"),
    ],
)
def test_wrong_requests_are_answered_with_a_sentence(engine: Engine, act: Any, code: int, words: str) -> None:
    with pytest.raises(EngineError) as caught:
        act(engine)
    assert caught.value.code == code and words in caught.value.message and caught.value.message.endswith(".")


def test_an_unknown_device(engine: Engine) -> None:
    key = send(engine, ramp(8, 8, "uint8"), "Y u8")
    with pytest.raises(EngineError, match="no device 'abacus'"):
        list(engine.colorize(key, [RED], device="abacus"))


def test_what_is_printed_does_not_disturb_the_frames(start: Start) -> None:
    engine = start("noisy")
    assert len(list(engine.colorize(send(engine, ramp(8, 8, "uint8"), "Y u8"), [RED]))) == 1
    engine.close()
    assert "a library says hello" in engine.tail() and "and so does one in C" in engine.tail()


@pytest.mark.parametrize(
    ("behaviour", "code", "words"),
    [
        ("broken", p.ErrorCode.INTERNAL, "KeyError"),
        ("full", p.ErrorCode.MEMORY, "not enough memory"),
        ("unloadable", p.ErrorCode.MODEL, "weights are damaged"),
    ],
)
def test_what_fails_inside_is_told_and_the_engine_lives_on(start: Start, behaviour: str, code: int, words: str) -> None:
    engine = start(behaviour)
    key = send(engine, ramp(8, 8, "uint8"), "Y u8")
    with pytest.raises(EngineError, match=words) as caught:
        list(engine.colorize(key, [RED]))
    assert caught.value.code == code
    assert engine.palettes("autumn").palettes


def test_the_status_tells_what_became_of_the_colorizer(start: Start) -> None:
    for engine, word in ((start(), "ready"), (start("unloadable"), "damaged")):
        engine.hello(90)
        end = time.monotonic() + 90
        while word not in engine.status.get("colorizer", "") and time.monotonic() < end:
            time.sleep(0.02)
        assert word in engine.status["colorizer"]


def test_pings_and_palettes_are_answered_while_a_job_runs(start: Start) -> None:
    engine = start("slow")
    stream = engine.colorize(send(engine, ramp(8, 8, "uint8"), "Y u8"), [RED] * 100)
    next(stream)
    engine.ping(60)
    engine.palettes("autumn")
    engine.cancel()
    with pytest.raises(EngineCancelled):  # so it was not finished yet
        list(stream)


def test_cancel_is_heard_while_the_network_loads(start: Start) -> None:
    engine = start("sluggish")
    key = send(engine, ramp(8, 8, "uint8"), "Y u8")
    threading.Timer(0.3, engine.cancel).start()
    told: list[str] = []
    with pytest.raises(EngineCancelled):
        list(engine.colorize(key, [RED], on_progress=lambda done, text: told.append(text)))
    assert engine.status["colorizer"] == "loading"


def test_palettes_are_answered_while_torch_is_half_imported(start: Start) -> None:
    engine = start("halfway")
    for seed in range(20):
        assert len(engine.palettes("autumn", count=2, seed=seed, locked={1: "#102030"}).palettes) == 2
    assert engine.status["colorizer"] == "loading", "else nothing has been tried"


@pytest.mark.slow
@pytest.mark.parametrize("turn", range(2))
def test_whatever_is_asked_right_after_hello_is_answered_while_the_networks_load(turn: int) -> None:
    """With the shipped weights and a real import of torch, on a machine that has other things to do."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        with Engine([sys.executable, "-m", "t2c_engine.serving"]) as engine:
            engine.hello(120)
            engine.palettes("autumn breeze", count=2, timeout=300)  # from here on torch is being imported
            key = send(engine, ramp(300, 200, "uint8"), "Y u8")
            stream = engine.colorize(key, [RED, BLUE], device="cpu", timeout=300)
            colored = threading.Thread(target=lambda: results.extend(stream))
            results: list[Any] = []
            colored.start()
            while colored.is_alive():
                answer = engine.palettes("autumn breeze", count=2, locked={turn: "#102030"}, timeout=300)
                assert len(answer.palettes) == 2
            assert [index for index, *_ in results] == [0, 1]
            assert engine.status["device"] == "cpu", "a GPU is left alone until someone asks for it"
    finally:
        for one in busy:
            one.kill()
            one.wait()


def test_cancel_stops_between_palettes(start: Start) -> None:
    engine = start("slow")
    key = send(engine, ramp(8, 8, "uint8"), "Y u8")
    threading.Timer(0.5, engine.cancel).start()
    with pytest.raises(EngineCancelled):
        list(engine.colorize(key, [RED] * 100))
    assert len(list(engine.colorize(key, [RED]))) == 1


def frames_of(process: subprocess.Popen[bytes]) -> Iterator[p.Message]:
    stdout = process.stdout
    assert stdout is not None
    return (p.parse(frame) for frame in p.read_frames(lambda buffer: os.readv(stdout.fileno(), [buffer])))


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """A slow engine with bare pipes, killed after a minute at the latest."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command("slow"), stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, bufsize=0) as one:
        watchdog = threading.Timer(60, one.kill)
        watchdog.start()
        yield one
        watchdog.cancel()
        one.kill()


def speak(process: subprocess.Popen[bytes], *messages: p.Message) -> None:
    stdin = process.stdin
    assert stdin is not None
    for message in messages:
        p.write_message(stdin.write, message)


def test_junk_ends_the_engine_with_a_word(process: subprocess.Popen[bytes]) -> None:
    frames = frames_of(process)
    assert next(frames).method == "hello"  # type: ignore[union-attr]
    assert process.stdin is not None
    process.stdin.write(b"GET / HTTP/1.1\r\n\r\n")
    failures = [message for message in frames if isinstance(message, p.Failure)]
    assert failures[0].code == p.ErrorCode.PARSE and failures[0].id is None
    assert process.wait(5) == 2


def test_messages_that_are_none_are_answered_and_the_stream_goes_on(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    for header in (b"{]", b'{"jsonrpc":"2.0","id":4,"method":7}', b'{"jsonrpc":"2.0","id":5,"method":"fly"}'):
        process.stdin.write(struct.pack("<II", 4 + len(header), len(header)) + header)
    speak(process, p.Request(6, "hello"))
    answers = [message for message in frames_until(process, 6) if isinstance(message, p.Failure)]
    assert [(answer.id, answer.code) for answer in answers] == [
        (None, p.ErrorCode.PARSE),
        (4, p.ErrorCode.INVALID_REQUEST),
        (5, p.ErrorCode.UNKNOWN_METHOD),
    ]


def frames_until(process: subprocess.Popen[bytes], id: int) -> Iterator[p.Message]:
    for message in frames_of(process):
        yield message
        if isinstance(message, p.Result) and message.id == id:
            return


def test_the_end_of_stdin_ends_the_engine_in_the_middle_of_work(process: subprocess.Popen[bytes]) -> None:
    params = {"key": "k", "width": 4, "height": 2, "format": "Y u8"}
    speak(process, p.Request(1, "set_picture", params, bytes(8)))
    speak(process, p.Request(2, "colorize", {"key": "k", "palettes": [RED] * 100}))
    messages = frames_of(process)
    assert any(isinstance(message, p.Notification) and message.method == "picture" for message in messages)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(5) == 0, "the other pictures would take ten seconds"


def test_the_engine_ends_when_the_plug_in_is_killed_in_the_middle_of_work() -> None:
    code = f"""
import sys
sys.path.insert(0, {str(plugin_path.PLUGIN)!r})
from t2c_plugin.engine.client import Engine
from t2c_plugin.pixels import Pixels
engine = Engine({command("slow")!r})
key = engine.set_picture(Pixels(bytes(8), 4, 2, "Y u8"))
for index, *_ in engine.colorize(key, [{RED!r}] * 100):
    if index == 1:
        print(engine.hello(20)["pid"], flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as plug_in:
        assert plug_in.stdout is not None
        pid = int(plug_in.stdout.readline())
        plug_in.kill()
        assert gone(pid, 8), "the other pictures would take ten seconds"


def test_idle_engines_leave(start: Start) -> None:
    engine = start("--idle-exit", "1")
    pid = engine.hello(90)["pid"]
    assert gone(pid, 60)


def test_the_command_line_starts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    with Engine([sys.executable, "-m", "t2c_engine", "engine", "--device", "cpu"]) as engine:
        assert engine.hello(60)["engine"]


def test_sigterm_needs_no_patience(start: Start) -> None:
    pid = start().hello(90)["pid"]
    os.kill(pid, signal.SIGTERM)
    assert gone(pid, 8)
