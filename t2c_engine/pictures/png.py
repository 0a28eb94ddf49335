"""PNG files: chunks to pixels, colour space and metadata, and arrays into a new file.

Decoders are given only the chunks that pixels depend on, so that damaged text or a bad profile stops nothing and no
library prints its own warnings. Must not import anything of the engine but `errors`, `color`, `exif`, `directories` and
`metadata`.
"""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from t2c_engine.color.rgb_spaces import calibrated_profile
from t2c_engine.errors import PictureError
from t2c_engine.pictures.directories import DirectoryError
from t2c_engine.pictures.exif import HEADER, ExifNotes, plausible_dpi, upright_exif
from t2c_engine.pictures.metadata import Metadata, resource_of_iptc, resources_of_picture

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LEVEL = 3  # of zlib: level 6 takes 2.8 times as long for 5 % less
_PIXEL_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")
# described by the picture itself, carried otherwise, or true of the old file only (PNG, third edition, 11.3)
_OWN_CHUNKS = {b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"cICP", b"mDCV", b"cLLI", b"pHYs", b"eXIf", b"tIME", b"bKGD",
               b"hIST", b"sBIT", b"sPLT", b"iDOT", b"acTL", b"fcTL", b"fdAT"}  # fmt: skip
_XMP = b"XML:com.adobe.xmp"
_MOST_INFLATED = 1 << 26  # bytes of one compressed chunk
_SRGB_WHITE, _SRGB_PRIMARIES = (0.3127, 0.3290), (0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
_BT2020_PRIMARIES = (0.708, 0.292, 0.170, 0.797, 0.131, 0.046)
_P3_PRIMARIES = (0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
_CICP_PRIMARIES = {1: _SRGB_PRIMARIES, 9: _BT2020_PRIMARIES, 12: _P3_PRIMARIES}  # ITU-T H.273, table 2
_CICP_GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0, 13: None, 1: 1 / 0.51, 6: 1 / 0.51, 14: 1 / 0.51, 15: 1 / 0.51}  # table 3
_SRGB_GAMMA = 45_455  # what writers of sRGB put into gAMA
# first column and row, and steps, of the seven passes of an interlaced picture (Adam7)
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))

Chunks = list[tuple[bytes, bytes]]


def read_chunks(data: bytes) -> tuple[Chunks, list[str]]:
    """Name and content of every chunk, and what is lost: chunks whose check sum is wrong, if pixels don't need them.

    Raises:
        ValueError: the file ends before its end mark, or a chunk that pixels need is damaged.
    """
    chunks: Chunks = []
    lost: list[str] = []
    place = len(SIGNATURE)
    while place + 12 <= len(data):
        size, name = struct.unpack_from(">I4s", data, place)
        content = data[place + 8 : place + 8 + size]
        checksum = data[place + 8 + size : place + 12 + size]
        place += 12 + size
        if checksum != struct.pack(">I", zlib.crc32(name + content)):
            if name in _PIXEL_CHUNKS or place > len(data) or not name.isalpha():
                raise ValueError("a chunk is cut short or changed")
            lost.append(f"{name.decode()} data, which are damaged")
            continue
        chunks.append((name, content))
        if name == b"IEND":
            break
    if not chunks or chunks[0][0] != b"IHDR" or len(chunks[0][1]) != 13:
        raise ValueError("it lacks its header")
    if chunks[-1][0] != b"IEND":  # whether pixels are missing too shows when they are unpacked
        chunks.append((b"IEND", b""))
    return chunks, lost


def dimensions(chunks: Chunks) -> tuple[int, int]:
    """(width, height)."""
    width, height = struct.unpack_from(">II", chunks[0][1])
    return width, height


def is_deep(chunks: Chunks) -> bool:
    return chunks[0][1][8] == 16


def pixels_only(chunks: Chunks) -> bytes:
    """The file without all that pixels do not depend on."""
    return SIGNATURE + b"".join(_packed(name, content) for name, content in chunks if name in _PIXEL_CHUNKS)


def decode_deep(chunks: Chunks) -> np.ndarray:
    """16-bit pixels: H x W (x C), with alpha last, where the file has any."""
    import imagecodecs

    if not chunks[0][1][12]:
        return imagecodecs.png_decode(pixels_only(chunks))
    return _deinterlaced(chunks)


def _deinterlaced(chunks: Chunks) -> np.ndarray:
    """An interlaced 16-bit picture: each of its seven passes is a picture of its own, of which libpng reads one."""
    import imagecodecs

    header = chunks[0][1]
    width, height = dimensions(chunks)
    bytes_a_pixel = 2 * {0: 1, 2: 3, 4: 2, 6: 4}[header[9]]
    needed = sum((1 + -(-(width - x) // dx) * bytes_a_pixel) * -(-(height - y) // dy)
                 for x, y, dx, dy in _PASSES if x < width and y < height)  # fmt: skip
    raw = zlib.decompressobj().decompress(b"".join(content for name, content in chunks if name == b"IDAT"), needed)
    if len(raw) < needed:
        raise ValueError("its pixels are cut short")
    place, result = 0, None
    others = [chunk for chunk in chunks if chunk[0] in (b"tRNS",)]
    for x, y, dx, dy in _PASSES:
        if x >= width or y >= height:
            continue
        columns, rows = -(-(width - x) // dx), -(-(height - y) // dy)
        size = (1 + columns * bytes_a_pixel) * rows
        head = struct.pack(">II", columns, rows) + header[8:12] + b"\0"
        part = [(b"IHDR", head), *others, (b"IDAT", zlib.compress(raw[place : place + size], 1)), (b"IEND", b"")]
        pixels = np.asarray(imagecodecs.png_decode(pixels_only(part)))
        if result is None:
            result = np.zeros((height, width, *pixels.shape[2:]), np.uint16)
        result[y::dy, x::dx] = pixels
        place += size
    assert result is not None
    return result


def read_metadata(path: Path, chunks: Chunks, lost: list[str]) -> tuple[Metadata, ExifNotes]:
    """Everything that the chunks carry, and what EXIF says; what cannot be kept is added to `lost`.

    Raises:
        PictureError: the numbers mean something that is not read (HDR).
    """
    exif, xmp, photoshop, dpi, notes = None, None, None, None, ExifNotes()
    kept: Chunks = []
    for name, content in chunks:
        profile = _raw_profile(name, content)
        if name == b"eXIf" or (profile and profile[0] in (b"exif", b"APP1") and profile[1].startswith(HEADER)):
            exif, notes = _exif(profile[1] if profile else content, lost)
        elif name == b"iTXt" and content.startswith(_XMP + b"\0"):
            xmp = _international_text(content)
        elif profile and profile[0] in (b"xmp", b"APP1"):
            xmp = xmp or profile[1].removeprefix(b"http://ns.adobe.com/xap/1.0/\0")
        elif profile and profile[0] in (b"iptc", b"8bim"):
            photoshop = _photoshop(profile[1], lost)
        elif name == b"pHYs" and len(content) == 9:
            x, y, unit = struct.unpack(">IIB", content)
            dpi = plausible_dpi(x * 0.0254, y * 0.0254) if unit == 1 else None
        elif name in _TEXT_CHUNKS or (name not in _PIXEL_CHUNKS and name not in _OWN_CHUNKS and name[3] & 0x20):
            if profile is None or profile[0] not in (b"icc", b"icm"):
                kept.append((name, content))
        elif name not in _PIXEL_CHUNKS and name not in _OWN_CHUNKS:
            lost.append(f"the chunk {name.decode('latin-1')}, which must not be copied into a changed picture")
    icc = _profile(path, chunks, lost)
    metadata = Metadata(icc=icc, exif=exif, xmp=xmp, photoshop=photoshop, png_chunks=tuple(kept),
                        dpi=dpi or notes.dpi, lost=tuple(dict.fromkeys(lost)))  # fmt: skip
    return metadata, notes


def _profile(path: Path, chunks: Chunks, lost: list[str]) -> bytes | None:
    """The profile that a file carries, or one made of its gAMA and cHRM (PNG, third edition, 4.3: in this order)."""
    found = {name: content for name, content in reversed(chunks)}
    channels = 1 if chunks[0][1][9] in (0, 4) else 3
    if len(code := found.get(b"cICP", b"")) == 4:
        primaries = _CICP_PRIMARIES.get(code[0])
        if primaries is None or code[1] not in _CICP_GAMMAS or code[2] or not code[3]:
            numbers = "-".join(map(str, code))
            raise PictureError(
                f"{path} is an HDR or video picture (cICP {numbers}), which is not read; save it as sRGB."
            )
        gamma = _CICP_GAMMAS[code[1]]
        plain = primaries == _SRGB_PRIMARIES and gamma is None
        return None if plain else calibrated_profile(channels, _SRGB_WHITE, primaries, gamma)
    if b"iCCP" in found:
        profile = _inflated(found[b"iCCP"].partition(b"\0")[2][1:])
        if profile:
            return profile
        lost.append("its colour profile, which is damaged; the numbers are read as sRGB")
        return None
    if b"sRGB" in found or not (b"gAMA" in found or b"cHRM" in found):
        return None
    return _calibrated(found, channels, lost)


def _calibrated(found: dict[bytes, bytes], channels: int, lost: list[str]) -> bytes | None:
    white, primaries, gamma = _SRGB_WHITE, _SRGB_PRIMARIES, None
    try:
        if b"cHRM" in found and channels == 3:
            numbers = [value / 1e5 for value in struct.unpack(">8I", found[b"cHRM"])]
            white, primaries = (numbers[0], numbers[1]), tuple(numbers[2:])
        if b"gAMA" in found:
            (number,) = struct.unpack(">I", found[b"gAMA"])
            if not 1_000 <= number <= 1_000_000:
                raise ValueError("no gamma")
            gamma = None if abs(number - _SRGB_GAMMA) <= 100 else 1e5 / number
        near = max(abs(a - b) for a, b in zip((*white, *primaries), (*_SRGB_WHITE, *_SRGB_PRIMARIES), strict=True))
        if gamma is None and near < 2e-3:
            return None
        return calibrated_profile(channels, white, primaries, gamma)
    except (ValueError, struct.error):
        lost.append("its colour data (gAMA, cHRM), which make no sense; the numbers are read as sRGB")
        return None


def _exif(content: bytes, lost: list[str]) -> tuple[bytes | None, ExifNotes]:
    try:
        return upright_exif(HEADER + content.removeprefix(HEADER))
    except DirectoryError:
        lost.append("EXIF data, which are damaged")
        return None, ExifNotes()


def _photoshop(content: bytes, lost: list[str]) -> bytes | None:
    content = content.removeprefix(b"Photoshop 3.0\0")
    try:
        return resource_of_iptc(content) if content.startswith(b"\x1c") else resources_of_picture(content)
    except ValueError:
        lost.append("IPTC data, which are damaged")
        return None


def _raw_profile(name: bytes, content: bytes) -> tuple[bytes, bytes] | None:
    """Kind and bytes of the hexadecimal text in which ImageMagick and others keep EXIF, IPTC and XMP."""
    if name not in _TEXT_CHUNKS or not content.startswith(b"Raw profile type "):
        return None
    keyword, _, rest = content.partition(b"\0")
    text = rest if name == b"tEXt" else _inflated(rest[1:]) if name == b"zTXt" else _international_text(content)
    lines = (text or b"").split(None, 2)
    try:
        return keyword[len(b"Raw profile type ") :].strip(), bytes.fromhex(lines[2].decode("ascii"))
    except (IndexError, ValueError):
        return None


def _international_text(content: bytes) -> bytes | None:
    rest = content.partition(b"\0")[2]
    compressed, parts = rest[:1] == b"\1", rest[2:].split(b"\0", 2)
    return (_inflated(parts[2]) if compressed else parts[2]) if len(parts) == 3 else None


def _inflated(data: bytes) -> bytes | None:
    try:
        machine = zlib.decompressobj()
        result = machine.decompress(data, _MOST_INFLATED)
    except zlib.error:
        return None
    return result if machine.eof else None


def encode(array: np.ndarray, metadata: Metadata, lost: list[str]) -> bytes:
    """H x W x 3 or 4, uint8 or uint16, by libpng, with the chunks that it does not write put in behind IHDR."""
    import imagecodecs

    plain = bytes(imagecodecs.png_encode(array, level=LEVEL))
    chunks: Chunks = []
    if metadata.icc:
        chunks.append((b"iCCP", b"ICC profile\0\0" + zlib.compress(metadata.icc)))
    if metadata.dpi:
        chunks.append((b"pHYs", struct.pack(">IIB", *(round(value / 0.0254) for value in metadata.dpi), 1)))
    if metadata.xmp:
        chunks.append((b"iTXt", _XMP + b"\0\0\0\0\0" + metadata.xmp))
    if metadata.xmp_more:
        lost.append("the long part of its XMP data")
    if metadata.exif:
        chunks.append((b"eXIf", metadata.exif.removeprefix(HEADER)))
    if metadata.photoshop:
        text = f"\niptc\n{len(metadata.photoshop):8}\n{metadata.photoshop.hex()}\n".encode()
        chunks.append((b"zTXt", b"Raw profile type iptc\0\0" + zlib.compress(text)))
    for comment in metadata.comments:
        text = comment.rstrip(b"\0").decode("utf-8", "replace").replace("\0", "")
        chunks.append((b"iTXt", b"Comment\0\0\0\0\0" + text.encode()))
    chunks += metadata.png_chunks
    header = len(SIGNATURE) + 25  # and IHDR
    return plain[:header] + b"".join(_packed(*chunk) for chunk in chunks) + plain[header:]


def _packed(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def decode_shallow(chunks: Chunks) -> Image.Image:
    """The picture of up to 8 bits, loaded by Pillow."""
    image = Image.open(io.BytesIO(pixels_only(chunks)), formats=("PNG",))
    image.load()
    return image


def texts_of(metadata: Metadata) -> list[str]:
    """Keywords of the text that a file carries, for telling what is lost."""
    texts = [content for name, content in metadata.png_chunks if name in _TEXT_CHUNKS]
    return [text.partition(b"\0")[0].decode("latin-1") for text in texts]
