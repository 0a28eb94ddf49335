"""The engine's frames: u32 length, u32 header length, a JSON-RPC 2.0 message, raw bytes (see docs/engine.md).

The engine's own module of this needs Python 3.10; a test holds the two against each other. Must not import gimp.
"""

import json
import struct

try:
    from typing import Any, Callable, Dict, Iterator, List, Tuple
except ImportError:  # Python 2.7 has no typing; the types stand in comments
    pass

PROTOCOL = 1
MAX_HEADER = 1 << 20
MAX_FRAME = (1 << 31) - 1
CANCELLED = -32004
UNKNOWN_PICTURE = -32005
CHANNELS = {"Y u8": 1, "RGB u8": 3, "RGBA u8": 4}  # the formats used here, one byte a channel

_PREFIX = struct.Struct("<II")
_CHUNK = 1 << 20


class FrameError(Exception):
    """The bytes are no frames, or end inside one. `junk` holds those found where a frame should begin."""

    def __init__(self, text, junk=b""):
        # type: (str, bytes) -> None
        Exception.__init__(self, text)
        self.junk = junk


def encode(message, blob=b""):
    # type: (Dict[str, Any], bytes) -> List[bytes]
    """The parts of a frame, to be written one after the other.

    Raises:
        ValueError: the frame would be longer than allowed.
    """
    header = json.dumps(dict(message, jsonrpc="2.0"), separators=(",", ":"), allow_nan=False).encode("ascii")
    length = 4 + len(header) + len(blob)
    if len(header) > MAX_HEADER or length > MAX_FRAME:
        raise ValueError("a frame of {} bytes is longer than the protocol allows".format(length))
    return [_PREFIX.pack(length, len(header)) + header, blob]


def read_frames(read):
    # type: (Callable[[int], bytes]) -> Iterator[Tuple[Dict[str, Any], bytes]]
    """Messages and their raw bytes, until the stream ends between two frames.

    Args:
        read: gives at most so many bytes, b"" at the end.

    Raises:
        FrameError: what comes is no frame, or the stream ends inside one.
    """
    while True:
        prefix = _exactly(read, _PREFIX.size, may_end=True)
        if not prefix:
            return
        length, header_length = _PREFIX.unpack(prefix)
        blob_length = length - 4 - header_length
        if not 2 <= header_length <= MAX_HEADER or blob_length < 0 or length > MAX_FRAME:
            raise FrameError("found something else where a frame should begin", prefix)
        header = _exactly(read, header_length)
        blob = _exactly(read, blob_length)
        yield _message(header), blob


def _message(header):
    # type: (bytes) -> Dict[str, Any]
    try:
        message = json.loads(header.decode("utf-8"))
    except (ValueError, RuntimeError) as error:  # RuntimeError: nested too deep
        raise FrameError("the header is no JSON ({})".format(error))
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        raise FrameError("the header is no message")
    return message


def _exactly(read, size, may_end=False):
    # type: (Callable[[int], bytes], int, bool) -> bytes
    parts, missing = [], size
    while missing:
        part = read(min(missing, _CHUNK))
        if not part:
            if may_end and missing == size:
                return b""
            raise FrameError("the stream ended {} bytes short of a frame's end".format(missing), b"".join(parts))
        parts.append(part)
        missing -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
