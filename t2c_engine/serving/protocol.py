"""The language between an editor and the engine: frames of bytes, the JSON-RPC 2.0 messages in them, and their limits.

The plug-in ships this very file as `t2c_protocol.py`, so it imports the standard library only, nothing of the project,
and keeps to Python 3.10.

A frame, integers little-endian, at most `MAX_FRAME` bytes after its first field:

    u32 length          bytes that follow: 4 + header length + length of the raw bytes
    u32 header length   2 .. MAX_HEADER
    header              a JSON object in UTF-8, one JSON-RPC 2.0 message
    raw bytes           what the message carries besides: pixels, or nothing

Both sides send frames at any time. The engine begins with the notification `hello`; requests carry an id, and a reply
carries it back, after any number of `progress` and `picture` notifications whose params hold the same id. Pixels are
rows from the top without padding, channels interleaved, samples little-endian, gamma-encoded sRGB (see PIXEL_FORMATS).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

PROTOCOL = 1  # raised whenever an older side could misunderstand a newer one
MAX_HEADER = 1 << 20
MAX_FRAME = (1 << 31) - 1

# limits and choices of the requests' parameters; both sides check against these
DEVICES = ("auto", "cpu", "cuda", "mps")
MODES = ("colour", "normal")  # a small result for a layer that gives colour only, or the whole picture
PALETTE_SIZE = 5  # colours of a palette drawn for a phrase; others are brought to as many
MAX_PALETTES = 100  # of one request
MAX_VARIATIONS = 20  # colourings drawn together without words
MAX_STRENGTH = 2.0  # 0 natural colours, 1 the palette's
MIN_PREVIEW_SIDE, MAX_PREVIEW_SIDE = 16, 1024  # px

_PREFIX = struct.Struct("<II")
_LENGTH_OF_HEADER_LENGTH = 4
_STEP = 1 << 24  # a buffer grows by this much, so that a lying length costs no memory

Id = int | str
Buffer = bytes | bytearray | memoryview
ReadInto = Callable[[memoryview], "int | None"]  # fills a part of the buffer, returns how many bytes; 0 or None at EOF
Write = Callable[[memoryview], "int | None"]  # writes a part of the buffer, returns how many bytes


class ProtocolError(Exception):
    """The bytes are no frames, or end inside one; nothing more can be read from this stream.

    `junk` holds the bytes found where a frame should begin.
    """

    def __init__(self, text: str, junk: bytes = b"") -> None:
        super().__init__(text)
        self.junk = junk


class MessageError(Exception):
    """A whole frame that holds no valid message; later frames can be read. `id` is the sender's, where legible."""

    def __init__(self, text: str, code: int, id: Id | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.id = id


class ErrorCode(IntEnum):
    """What a failure is about: the codes of JSON-RPC 2.0, then ours."""

    PARSE = -32700
    INVALID_REQUEST = -32600
    UNKNOWN_METHOD = -32601
    INTERNAL = -32603
    USAGE = -32000
    PICTURE = -32001
    MODEL = -32002
    DEVICE = -32003
    CANCELLED = -32004
    UNKNOWN_PICTURE = -32005  # the key is not, or no longer, held: send the picture again
    MEMORY = -32006


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """How pixels lie in bytes: channels (1, 3, or 4 with opacity last) of one sample type."""

    channels: int
    sample: str  # numpy's name of the type
    sample_bytes: int

    def size(self, width: int, height: int) -> int:
        """Bytes of a picture."""
        return width * height * self.channels * self.sample_bytes


# integers span 0..max, floats 0..1; "Y" is grey whose value is gamma-encoded like R = G = B
PIXEL_FORMATS: Mapping[str, PixelFormat] = {
    "Y u8": PixelFormat(1, "uint8", 1),
    "Y u16": PixelFormat(1, "uint16", 2),
    "Y float": PixelFormat(1, "float32", 4),
    "RGB u8": PixelFormat(3, "uint8", 1),
    "RGB u16": PixelFormat(3, "uint16", 2),
    "RGB float": PixelFormat(3, "float32", 4),
    "RGBA u8": PixelFormat(4, "uint8", 1),  # hints, not premultiplied
}

# further limits and defaults: what is drawn, read and sent back
DEFAULT_COUNT = 5  # palettes of a request that says nothing
MAX_SEED = 2**32 - 1
DEFAULT_HINT_REACH = 0.25  # 0 hints color what they cover alone; 1 all that looks alike
DEFAULT_NATURAL = 0.2  # 0 the palette rules everywhere; up to this skin is kept; 1 skin, sky and leaves are
DEFAULT_VARIETY = 0.5  # 0 typical and alike, 1 far apart
MIN_DRAWN_COLORS, MAX_DRAWN_COLORS = 3, 10  # of a palette drawn for a phrase
MAX_PALETTE_COLORS = 1024  # of a palette that is read; more is a colour table
PALETTE_SUFFIXES = (".gpl", ".aco", ".ase", ".hex", ".txt")  # palette files that can be written; more can be read
MAX_PICTURE_SIDE = 262_144  # px; GIMP allows no more either
MAX_STYLE_WEIGHT = 2.0  # 0 the shipped palettes, 1 mixed with the style's, 2 the style's alone
MAX_STYLES = 8  # mixed at once
MIN_TAUGHT, MAX_TAUGHT = 10, 5000  # different palettes that a style is taught from
# sources of colours, as `hello` names them, and hints, on which an option has an effect
OPTION_SOURCES: Mapping[str, frozenset[str]] = {
    "strength": frozenset(("words", "palette", "reference", "nothing", "look")),
    "natural": frozenset(("words", "palette", "reference")),
    "hint_reach": frozenset(("hints",)),
}
COLOR_LAYER_SIDE = 2048  # px; longest side of a result for a colour layer, which the editor scales up
DEFAULT_PREVIEW_SIDE = 160  # px


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as it arrived: the header not yet read as JSON, and the raw bytes."""

    header: bytes
    blob: Buffer


@dataclass(frozen=True, slots=True)
class Request:
    """Asks for something; answered by one Result or Failure of the same id."""

    id: Id
    method: str
    params: Mapping[str, Any] = field(default_factory=dict)
    blob: Buffer = b""


@dataclass(frozen=True, slots=True)
class Notification:
    """Tells something; not answered."""

    method: str
    params: Mapping[str, Any] = field(default_factory=dict)
    blob: Buffer = b""


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to a request."""

    id: Id
    value: Any
    blob: Buffer = b""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request was not carried out. `message` is a sentence for the user; `id` is None when it was illegible."""

    id: Id | None
    code: int
    message: str


Message = Request | Notification | Result | Failure


def encode(message: Message) -> tuple[bytes, Buffer]:
    """The two parts of a message's frame, to be written one after the other (the raw bytes are not copied).

    Raises:
        ValueError: the header or the frame would be longer than allowed, or a value is NaN or infinite.
        TypeError: a value has no JSON form.
    """
    header: dict[str, Any] = {"jsonrpc": "2.0"}
    blob: Buffer = b""
    if isinstance(message, (Request, Notification)):
        header |= {"method": message.method, "params": dict(message.params)}
        blob = message.blob
    if isinstance(message, Result):
        header["result"] = message.value
        blob = message.blob
    if isinstance(message, Failure):
        header["error"] = {"code": int(message.code), "message": message.message}
    if not isinstance(message, Notification):
        header["id"] = message.id
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode("ascii")
    raw = memoryview(blob).cast("B")
    length = _LENGTH_OF_HEADER_LENGTH + len(text) + raw.nbytes
    if len(text) > MAX_HEADER or length > MAX_FRAME:
        raise ValueError(f"a frame of {length} bytes with a header of {len(text)} is longer than the protocol allows")
    return _PREFIX.pack(length, len(text)) + text, raw


def write_message(write: Write, message: Message) -> None:
    """Write a message's whole frame, however little each call of `write` takes.

    Raises:
        ValueError, TypeError: as `encode`.
        OSError: the stream is closed, or takes nothing.
    """
    for part in encode(message):
        rest = memoryview(part)
        while rest.nbytes:
            count = write(rest)
            if not count:
                raise OSError("the stream takes no bytes")
            rest = rest[count:]


def read_frames(readinto: ReadInto, limit: int = MAX_FRAME) -> Iterator[Frame]:
    """Frames until the stream ends between two of them; reads may be as short as they like.

    Args:
        readinto: fills a buffer from the stream; it may raise errors of its own, which pass through.
        limit: longest frame taken.

    Raises:
        ProtocolError: a length is impossible, or the stream ends inside a frame.
    """
    while prefix := _read(readinto, _PREFIX.size, may_end=True):
        length, header_length = _PREFIX.unpack(prefix)
        blob_length = length - _LENGTH_OF_HEADER_LENGTH - header_length
        if not 2 <= header_length <= MAX_HEADER or blob_length < 0 or length > limit:
            raise ProtocolError(
                f"found {bytes(prefix)!r} where a frame should begin (length {length}, header {header_length})",
                bytes(prefix),
            )
        header = bytes(_read(readinto, header_length))
        yield Frame(header, _read(readinto, blob_length))


def _read(readinto: ReadInto, size: int, may_end: bool = False) -> bytearray:
    """Exactly `size` bytes; none when the stream ends before the first and `may_end` is set."""
    buffer = bytearray(min(size, _STEP))
    filled = 0
    while filled < size:
        if filled == len(buffer):
            buffer += bytes(min(size - filled, _STEP))
        with memoryview(buffer) as view, view[filled:] as rest:
            count = readinto(rest) or 0
        if count == 0:
            if may_end and filled == 0:
                return bytearray()
            missing = size - filled
            raise ProtocolError(f"the stream ended {missing} bytes short of a frame's end", bytes(buffer[:filled]))
        filled += count
    return buffer


def parse(frame: Frame) -> Message:
    """The message in a frame.

    Raises:
        MessageError: the header is no JSON, or no message of the protocol.
    """
    try:
        header = json.loads(frame.header.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise MessageError(f"the header is no JSON ({error})"[:200], ErrorCode.PARSE) from error
    if not isinstance(header, dict):
        raise MessageError("the header is no JSON object", ErrorCode.INVALID_REQUEST)
    id = header.get("id")
    legible = id if isinstance(id, (int, str)) and not isinstance(id, bool) else None
    if "id" in header and id is not None and legible is None:
        raise MessageError("the id is neither a number nor a text", ErrorCode.INVALID_REQUEST)
    if header.get("jsonrpc") != "2.0":
        raise MessageError("the header does not say jsonrpc 2.0", ErrorCode.INVALID_REQUEST, legible)
    if "method" in header:
        return _parse_call(header, legible, frame.blob)
    if "error" in header:
        return _parse_failure(header["error"], legible)
    if "result" in header and legible is not None:
        return Result(legible, header["result"], frame.blob)
    raise MessageError("the header is no request and no answer", ErrorCode.INVALID_REQUEST, legible)


def _parse_call(header: Mapping[str, Any], id: Id | None, blob: Buffer) -> Request | Notification:
    method, params = header["method"], header.get("params", {})
    if not isinstance(method, str) or not isinstance(params, dict):
        raise MessageError("the method is no text, or its params are no object", ErrorCode.INVALID_REQUEST, id)
    return Notification(method, params, blob) if id is None else Request(id, method, params, blob)


def _parse_failure(error: Any, id: Id | None) -> Failure:
    code, message = (error.get("code"), error.get("message")) if isinstance(error, dict) else (None, None)
    if not isinstance(code, int) or not isinstance(message, str):
        raise MessageError("the error has no code or no message", ErrorCode.INVALID_REQUEST, id)
    return Failure(id, code, message)
