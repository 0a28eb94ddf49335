"""Sound files of every kind that the engine reads, and ways to damage them: the material of `fuzz_readers.py`."""

from __future__ import annotations

import io
import json
import random
import struct
import zlib
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from PIL import Image, ImageCms

from t2c_engine.models import PACKAGE_FOLDER
from t2c_engine.palettes.files import render_palettes
from t2c_engine.palettes.palette import Palette
from t2c_engine.serving import protocol

D65 = [0.3127, 0.3290, 1.0]
WIDE = [0.68, 0.32, 1, 0.265, 0.69, 1, 0.15, 0.06, 1]
PNG = b"\x89PNG\r\n\x1a\n"
INTERESTING = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x10000, 256)


def scene(dtype: type = np.uint8, channels: int = 3, height: int = 40, width: int = 56) -> np.ndarray:
    y, x = np.mgrid[:height, :width] / width
    planes = np.stack((0.2 + 0.6 * x, 0.8 - 0.5 * y, 0.3 + 0.3 * x * y, 0.5 + 0.4 * x), -1)[..., :channels]
    planes = planes[..., 0] if channels == 1 else planes
    return planes.astype(dtype) if dtype is np.float32 else (planes * np.iinfo(dtype).max).astype(dtype)


def _saved(mode: str, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(scene()).convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


def _tiff(array: np.ndarray, **options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, **options)
    return buffer.getvalue()


def pictures() -> list[bytes]:
    exif = Image.Exif()
    exif[274], exif[270] = 6, "text"
    exif[0x8769] = {36867: "2001:02:03 04:05:06", 37500: bytes(80)}
    exif[0x8825] = {1: "N", 2: (1.0, 2.0, 3.0)}
    icc = profiles()[1]
    common = {"exif": exif.tobytes(), "icc_profile": icc}
    found = [
        _saved("RGB", "JPEG", **common), _saved("L", "JPEG", progressive=True, comment=b"words"),
        _saved("CMYK", "JPEG"),
        imagecodecs.jpeg8_encode((scene(np.uint16) >> 4), level=90, bitspersample=12),
        _saved("RGB", "PNG", **common), _saved("P", "PNG", transparency=0), _saved("1", "PNG"), _saved("LA", "PNG"),
        imagecodecs.png_encode(scene(np.uint16)), _saved("RGBA", "WEBP", **common),
        _saved("RGB", "WEBP", lossless=True),
        _saved("P", "GIF", comment=b"words"), _saved("RGB", "BMP"), _saved("P", "BMP"), _saved("L", "BMP"),
        _saved("RGB", "PPM"), _saved("L", "PPM"), _saved("1", "PPM"), b"P2\n3 2\n1023\n0 1 2\n1021 1022 1023\n",
        b"P6\n56 40\n65535\n" + scene(np.uint16).astype(">u2").tobytes(),
        b"P7\nWIDTH 56\nHEIGHT 40\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\n" + scene().tobytes(),
        _saved("RGB", "JPEG2000"), _saved("L", "JPEG2000", no_jp2=True), imagecodecs.jpeg2k_encode(scene(np.uint16)),
        _saved("RGB", "AVIF", **common), _saved("YCbCr", "TIFF"), _saved("LAB", "TIFF"), _saved("P", "TIFF"),
        _saved("1", "TIFF", compression="group4"), _saved("CMYK", "TIFF"), _saved("RGB", "TIFF", **common),
        _tiff(scene(np.uint16), photometric="rgb", compression="zlib", predictor=True, iccprofile=icc),
        _tiff(scene(np.float32), photometric="rgb"),
        _tiff(scene(channels=4), photometric="rgb", extrasamples=["assocalpha"]),
        _tiff(scene(channels=1), photometric="miniswhite", bigtiff=True, byteorder=">"),
        _tiff(scene(), photometric="rgb", compression="jpeg"), _tiff(scene(), photometric="rgb", compression="lzw"),
        _tiff(scene(height=64, width=64), photometric="rgb", tile=(32, 32), compression="packbits"),
        _tiff(np.stack([scene(channels=1)] * 3), photometric="minisblack", metadata=None),
    ]  # fmt: skip
    for kind, module in (("HEIF", "pillow_heif"), ("JXL", "pillow_jxl")):
        try:
            plugin = __import__(module)
        except ImportError:
            continue
        if kind == "HEIF":
            plugin.register_heif_opener()
        found.append(_saved("RGB", kind, **common))
    return found


def profiles() -> list[bytes]:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    wide = imagecodecs.cms_profile("rgb", whitepoint=D65, primaries=WIDE, gamma=2.2)
    ramp = (np.linspace(0, 1, 64) ** 2).astype(np.float32)
    curve = imagecodecs.cms_profile("rgb", whitepoint=D65, primaries=WIDE, transferfunction=ramp)
    grey = imagecodecs.cms_profile("gray", whitepoint=D65, gamma=1.8)
    return [srgb, wide, curve, grey, lab, *(_table_profile(space, count) for space, count in _TABLES)]


_TABLES = ((b"GRAY", 1), (b"RGB ", 3), (b"CMYK", 4))


def _table_profile(space: bytes, channels: int, grid: int = 5) -> bytes:
    """An ICC profile with one lut16Type table to Lab (ICC.1:2022, 10.10)."""
    axis = np.linspace(0, 1, grid)
    device = np.stack(np.meshgrid(*[axis] * channels, indexing="ij"), -1).reshape(-1, channels)
    lab = np.stack((device.mean(1) * 65280, 32768 + 0 * device[:, 0], 32768 + 0 * device[:, 0]), 1)
    ramp = np.array([0, 65535], ">u2").tobytes()
    content = b"mft2" + bytes(4) + struct.pack(">BBBx", channels, 3, grid)
    content += struct.pack(">9i", *(np.eye(3).ravel() * 65536).astype(int)) + struct.pack(">HH", 2, 2)
    content += ramp * channels + np.rint(lab).astype(">u2").tobytes() + ramp * 3
    head = struct.pack(">I4sI4s4s4s", 144 + len(content), b"test", 2 << 24, b"mntr", space, b"Lab ")
    head += struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + struct.pack(">3i", 0xF6D6, 0x10000, 0xD32D)
    return head.ljust(128, b"\0") + struct.pack(">I4sII", 1, b"A2B0", 144, len(content)) + content


def palettes() -> list[tuple[bytes, str]]:
    """Contents and suffixes."""
    some = [Palette.from_hex("#8c2f1b,#d98c3f,#f2d8a7", "autumn"), Palette.from_hex("#112233,#445566", "Überfluß")]
    riff = b"RIFF" + struct.pack("<I", 24) + b"PAL data" + struct.pack("<IHH", 12, 0x300, 2) + bytes(range(8))
    return [
        *((render_palettes(some, suffix), suffix) for suffix in (".gpl", ".aco", ".ase", ".hex")),
        (b";paint.net Palette File\n;Palette Name: words\nFF8c2f1b\nFFd98c3f\n", ".txt"),
        (b"GIMP Palette\nName: words\nChannels: RGBA\n#\n140 47 27 255 rust\n217 140 63 255\n", ".gpl"),
        (b"JASC-PAL\n0100\n2\n140 47 27\n217 140 63\n", ".pal"), (riff, ".pal"),
        (bytes(range(256)) * 3 + b"\0\x05\xff\xff", ".act"),
        (b":root { --rust: #8c2f1b; --sand: rgb(217, 140, 63); --deep: hsl(200 50% 30%); }", ".css"),
        (b'{"name": "words", "colors": ["#8c2f1b", {"hex": "d98c3f"}, [1, 2, 3]]}', ".json"),
        (b"https://coolors.co/8c2f1b-d98c3f-f2d8a7", ".txt"),
    ]  # fmt: skip


def frames() -> list[bytes]:
    messages = [
        protocol.Request(1, "palettes", {"phrase": "autumn", "count": 5}),
        protocol.Request("a", "colorize", {"width": 4, "height": 4, "format": "RGB u8"}, bytes(48)),
        protocol.Notification("progress", {"id": 1, "share": 0.5}), protocol.Result(1, [1, {"a": None}], b"blob"),
        protocol.Failure(None, -32700, "words"),
    ]  # fmt: skip
    found = []
    for count in range(1, len(messages) + 1):
        written = bytearray()
        for message in messages[:count]:
            protocol.write_message(lambda data, to=written: to.extend(data) or data.nbytes, message)
        found.append(bytes(written))
    return found


def weights() -> list[tuple[dict[str, Any], bytes]]:
    """Cards of the shipped models, and their weights."""
    cards = [json.loads(path.read_text("utf-8")) for path in sorted(PACKAGE_FOLDER.glob("*.json"))]
    return [(card, (PACKAGE_FOLDER / card["file"]).read_bytes()) for card in cards]


def cards() -> list[bytes]:
    return [path.read_bytes() for path in sorted(Path(PACKAGE_FOLDER).glob("*.json"))]


def mutated(content: bytes, others: list[bytes], rng: random.Random, most: int = 8, within: int = 1 << 30) -> bytes:
    """One to `most` changes, of the kinds that fuzzers make; within the first bytes only where `within` says so."""
    data = bytearray(content)
    for _ in range(min(most, rng.choice((1, 1, 1, 2, 3, 5, 8)))):
        if not data:
            break
        place = rng.randrange(min(len(data), within))
        length = min(rng.choice((1, 2, 4, 16, 64, 300)), len(data) - place)
        what = rng.randrange(8)
        if what == 0:
            data[place] ^= 1 << rng.randrange(8)
        elif what == 1:
            data[place] = rng.randrange(256)
        elif what == 2:
            size = rng.choice((1, 2, 4))
            value = rng.choice(INTERESTING) & ((1 << 8 * size) - 1)
            data[place : place + size] = value.to_bytes(size, rng.choice(("little", "big")))
        elif what == 3:
            del data[place : place + length]
        elif what == 4:
            data[place:place] = data[place : place + length]
        elif what == 5:
            data[place : place + length] = rng.randbytes(length)
        elif what == 6 and rng.random() < 0.3:
            del data[place:]
        else:
            other = rng.choice(others)
            start = rng.randrange(len(other))
            data[place : place + length] = other[start : start + length]
    return with_checksums(bytes(data)) if rng.random() < 0.5 else bytes(data)


def with_checksums(data: bytes) -> bytes:
    """A PNG file with right check sums again, so that what stands in its chunks is looked at; others as they are."""
    if not data.startswith(PNG):
        return data
    out, place = bytearray(PNG), len(PNG)
    while place + 12 <= len(data):
        size = min(int.from_bytes(data[place : place + 4], "big"), len(data) - place - 12)
        body = data[place + 4 : place + 8 + size]
        out += struct.pack(">I", size) + body + struct.pack(">I", zlib.crc32(body))
        place += 12 + size
    return bytes(out)
