"""JPEG 2000 files and code streams: OpenJPEG unpacks them, and the boxes around say what the numbers mean.

Must not import anything of the engine but `errors`, `color` and `metadata`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from t2c_engine.color.samples import full_scale
from t2c_engine.errors import PictureError
from t2c_engine.pictures.exif import HEADER, upright_exif
from t2c_engine.pictures.metadata import Metadata, resource_of_iptc

_STREAM = b"\xff\x4f\xff\x51"
_SRGB, _GREY, _SYCC = 16, 17, 18  # EnumCS (ISO 15444-1, I.5.3.3)
_XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_IPTC_BOX = bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38")
_EXIF_BOX = b"JpgTiffExif->JP2"


@dataclass(frozen=True, slots=True)
class _Header:
    """Width, height, bits of each component, and what the boxes say: EnumCS or None, profile, whether by a palette."""

    width: int
    height: int
    bits: tuple[int, ...]
    plain: bool  # unsigned, of one depth, not subsampled
    space: int | None
    icc: bytes | None
    palette: bool


def decode_jpeg2000(
    path: Path, data: bytes, check_size: Callable[[int, int], None]
) -> tuple[np.ndarray, np.ndarray | None, Metadata]:
    """Pixels, alpha (uint8 or uint16) and metadata.

    Raises:
        PictureError: the kind is not read. ValueError and others: the file is damaged.
    """
    boxes = [] if data.startswith(_STREAM) else list(_boxes(data))
    header = _header(data, boxes)
    check_size(header.width, header.height)
    if header.space not in (None, _SRGB, _GREY, _SYCC):
        raise PictureError(
            f"{path} is a JPEG 2000 picture in CMYK, Lab or the like, which is not read; save it as RGB."
        )
    bits = max(header.bits)
    deep = bits > 8
    subsampled = header.space == _SYCC or header.palette
    if (not header.plain and deep) or (deep and subsampled) or bits > 16 or len(header.bits) > 4:
        raise PictureError(f"{path} is a JPEG 2000 picture of a kind that is not read; save it as RGB of 8 or 16 bit.")
    array = _deep(data, bits) if deep else _shallow(data)
    channels = array.shape[2]
    alpha = np.ascontiguousarray(array[..., -1]) if channels in (2, 4) else None
    pixels = np.ascontiguousarray(array[..., 0] if channels < 3 else array[..., :3])
    return pixels, alpha, _metadata(boxes, header.icc)


def _shallow(data: bytes) -> np.ndarray:
    with Image.open(BytesIO(data), formats=("JPEG2000",)) as image:
        image.load()
        mode = image.mode if image.mode in ("L", "LA", "RGB", "RGBA") else "RGB"
        array = np.asarray(image.convert(mode))
    return array.reshape(*array.shape[:2], -1)


def _deep(data: bytes, bits: int) -> np.ndarray:
    import imagecodecs

    array = np.asarray(imagecodecs.jpeg2k_decode(data))
    most = 2**bits - 1
    array = np.rint(np.minimum(array, most) * (full_scale(np.uint16) / most)).astype(np.uint16)
    return array.reshape(*array.shape[:2], -1)


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and content of each box."""
    place = 0
    while place + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, place)
        head = 8
        if size == 1 and place + 16 <= len(data):
            (size,) = struct.unpack_from(">Q", data, place + 8)
            head = 16
        end = len(data) if size == 0 else place + size
        if end < place + head:
            raise ValueError("a box of no size")
        yield name, data[place + head : end]
        place = end


def _header(data: bytes, boxes: list[tuple[bytes, bytes]]) -> _Header:
    stream = data if not boxes else next((content for name, content in boxes if name == b"jp2c"), b"")
    if not stream.startswith(_STREAM) or len(stream) < 42:
        raise ValueError("there is no code stream in it")
    right, bottom, left, top = struct.unpack_from(">4I", stream, 8)
    (count,) = struct.unpack_from(">H", stream, 40)
    parts = [stream[42 + 3 * index : 45 + 3 * index] for index in range(count)]
    if not parts or len(parts[-1]) < 3:
        raise ValueError("its header is cut short")
    bits = tuple((part[0] & 127) + 1 for part in parts)
    plain = (
        len(set(bits)) == 1 and not any(part[0] & 128 for part in parts) and all(part[1:] == b"\1\1" for part in parts)
    )
    inner = list(_boxes(next((content for name, content in boxes if name == b"jp2h"), b"")))
    space, icc = None, None
    for name, content in inner:
        if name == b"colr" and len(content) >= 3 and space is None and icc is None:
            if content[0] == 1:
                (space,) = struct.unpack_from(">I", content, 3)
            elif content[0] in (2, 3):
                icc = content[3:]
    palette = any(name == b"pclr" for name, _ in inner)
    return _Header(right - left, bottom - top, bits, plain, space, icc, palette)


def _metadata(boxes: list[tuple[bytes, bytes]], icc: bytes | None) -> Metadata:
    exif, xmp, photoshop = None, None, None
    lost: list[str] = []
    for name, content in boxes:
        if name == b"uuid" and content.startswith(_XMP_BOX):
            xmp = content[16:]
        elif name == b"uuid" and content.startswith(_IPTC_BOX):
            photoshop = resource_of_iptc(content[16:])
        elif name == b"uuid" and content.startswith(_EXIF_BOX):
            try:
                exif, _ = upright_exif(HEADER + content[16:].removeprefix(HEADER))
            except ValueError:
                lost.append("EXIF data, which are damaged")
        elif name in (b"uuid", b"xml ", b"uinf"):
            lost.append("data of its own (XML or UUID boxes)")
    return Metadata(icc=icc, exif=exif, xmp=xmp, photoshop=photoshop, lossless=False, lost=tuple(dict.fromkeys(lost)))
