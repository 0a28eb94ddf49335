"""The frames: what goes in comes out, and whatever else comes in does no harm."""

from __future__ import annotations

import io
import json
import random
import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2c_engine.serving import protocol as p

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
IDS = st.integers() | st.text()
PARAMS = st.dictionaries(st.text(), JSON, max_size=4)
BLOBS = st.binary(max_size=300)
MESSAGES = (
    st.builds(p.Request, IDS, st.text(), PARAMS, BLOBS)
    | st.builds(p.Notification, st.text(), PARAMS, BLOBS)
    | st.builds(p.Result, IDS, JSON, BLOBS)
    | st.builds(p.Failure, IDS | st.none(), st.integers(-40000, 40000), st.text())
)


def reader(data: bytes, sizes: Callable[[], int] = lambda: 1 << 30) -> p.ReadInto:
    """Reads from bytes, at most `sizes()` at a time."""
    stream = io.BytesIO(data)
    return lambda buffer: stream.readinto(buffer[: max(1, sizes())])


def frame_bytes(message: p.Message) -> bytes:
    written = bytearray()
    p.write_message(lambda data: written.extend(data) or data.nbytes, message)
    return bytes(written)


def raw_frame(header: bytes, blob: bytes = b"") -> bytes:
    return struct.pack("<II", 4 + len(header) + len(blob), len(header)) + header + blob


@given(st.lists(MESSAGES, max_size=4), st.integers(1, 40))
def test_messages_survive_short_writes_and_short_reads(messages: list[p.Message], step: int) -> None:
    written = bytearray()

    def write(data: memoryview) -> int:
        part = data[:step]
        written.extend(part)
        return part.nbytes

    for message in messages:
        p.write_message(write, message)
    assert [p.parse(frame) for frame in p.read_frames(reader(bytes(written), lambda: step))] == messages


def test_a_frame_is_as_documented() -> None:
    data = frame_bytes(p.Request(7, "palettes", {"phrase": "é"}, b"\x01\x02"))
    length, header_length = struct.unpack("<II", data[:8])
    header = json.loads(data[8 : 8 + header_length])
    assert length == len(data) - 4
    assert header == {"jsonrpc": "2.0", "id": 7, "method": "palettes", "params": {"phrase": "é"}}
    assert data[8 + header_length :] == b"\x01\x02"


def consume(data: bytes, sizes: Callable[[], int]) -> tuple[int, int, bool]:
    """Read everything: how many messages, how many frames without one, and whether the stream broke."""
    good = bad = 0
    try:
        for frame in p.read_frames(reader(data, sizes)):
            try:
                p.parse(frame)
                good += 1
            except p.MessageError as error:
                assert error.code < 0 and str(error)
                bad += 1
    except p.ProtocolError as error:
        assert str(error)
        return good, bad, True
    return good, bad, False


def spoil(rng: random.Random, frame: bytes) -> bytes:
    """One kind of damage to a frame."""
    data = bytearray(frame)
    kind = rng.randrange(8)
    if kind == 0:  # bits turned anywhere
        for _ in range(rng.randint(1, 6)):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif kind == 1:
        del data[rng.randrange(len(data)) :]
    elif kind == 2:
        data[:4] = struct.pack("<I", rng.choice([0, 3, 5, 2**31 - 1, 2**31, 2**32 - 1, rng.getrandbits(32)]))
    elif kind == 3:
        data[4:8] = struct.pack("<I", rng.choice([0, 1, 2**20, 2**20 + 1, 2**32 - 1, rng.getrandbits(32)]))
    elif kind == 4:
        return rng.randbytes(rng.randrange(60))
    elif kind == 5:
        return raw_frame(rng.randbytes(rng.randrange(2, 40)), rng.randbytes(rng.randrange(9)))
    elif kind == 6:
        words = ["null", "[]", "{}", '{"jsonrpc":"2.0"}', '{"jsonrpc":"2.0","id":[1],"method":"x"}', "[" * 90000]
        words += ['{"jsonrpc":"2.0","id":1,"error":7}', '{"jsonrpc":"2.0","method":1}', "1" * 9000, '"\\ud800"']
        return raw_frame(rng.choice(words).encode())
    return bytes(data)


def test_ten_thousand_spoiled_frames_neither_crash_nor_hang() -> None:
    rng = random.Random(3)
    counts = [0, 0, 0]
    for index in range(2500):
        frames = [frame_bytes(p.Request(index, "palettes", {"phrase": "a"}, rng.randbytes(rng.randrange(30))))] * 4
        data = b"".join(spoil(rng, frame) for frame in frames)
        good, bad, broken = consume(data, lambda: rng.randrange(64))
        counts = [counts[0] + good, counts[1] + bad, counts[2] + broken]
    assert min(counts) > 500, "the damage must reach every branch"


@given(st.binary(max_size=200), st.integers(1, 50))
def test_any_bytes_are_read_without_harm(data: bytes, step: int) -> None:
    good, bad, broken = consume(data, lambda: step)
    assert broken or not data or good + bad > 0


def test_a_lying_length_takes_little_memory_and_ends_at_eof() -> None:
    asked: list[int] = []
    data = struct.pack("<II", p.MAX_FRAME, 2) + b"{}" + b"x" * 1000
    read = reader(data)

    def readinto(buffer: memoryview) -> int | None:
        asked.append(buffer.nbytes)
        return read(buffer)

    with pytest.raises(p.ProtocolError, match="short of a frame"):
        list(p.read_frames(readinto))
    assert max(asked) <= 1 << 24


def test_text_in_place_of_a_frame_is_reported_with_the_text() -> None:
    with pytest.raises(p.ProtocolError) as caught:
        list(p.read_frames(reader(b"Welcome to gpubox!\n")))
    assert caught.value.junk == b"Welcome "


def test_a_limit_is_kept() -> None:
    data = frame_bytes(p.Notification("picture", {}, bytes(5000)))
    assert len(list(p.read_frames(reader(data), limit=len(data)))) == 1
    with pytest.raises(p.ProtocolError):
        list(p.read_frames(reader(data), limit=4000))


def test_large_raw_bytes_arrive_whole() -> None:
    blob = random.Random(1).randbytes(40_000_000)
    frames = list(p.read_frames(reader(frame_bytes(p.Notification("picture", {}, blob)), lambda: 1 << 20)))
    assert len(frames) == 1 and bytes(frames[0].blob) == blob


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {"a": b"bytes"}])
def test_values_without_json_form_are_refused_before_anything_is_written(value: object) -> None:
    written: list[bytes] = []
    with pytest.raises((TypeError, ValueError)):
        p.write_message(lambda data: written.append(bytes(data)) or data.nbytes, p.Result(1, value))
    assert not written


def test_a_header_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than the protocol allows"):
        p.encode(p.Notification("x", {"phrase": "a" * p.MAX_HEADER}))


def test_a_stream_that_takes_nothing_is_an_error_not_a_hang() -> None:
    with pytest.raises(OSError, match="takes no bytes"):
        p.write_message(lambda data: 0, p.Notification("ping"))


def test_the_id_of_a_bad_message_is_kept_so_that_it_can_be_answered() -> None:
    frame = p.Frame(b'{"jsonrpc":"2.0","id":"q","method":5}', b"")
    with pytest.raises(p.MessageError) as caught:
        p.parse(frame)
    assert caught.value.id == "q" and caught.value.code == p.ErrorCode.INVALID_REQUEST


def test_sizes_of_the_pixel_formats() -> None:
    sizes = {name: layout.size(3, 2) for name, layout in p.PIXEL_FORMATS.items()}
    known = {"Y u8": 6, "Y u16": 12, "Y float": 24, "RGB u8": 18, "RGB u16": 36, "RGB float": 72, "RGBA u8": 24}
    assert sizes == known
