"""Picture files and profiles made from their specifications, for what no library at hand writes."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence

import numpy as np

_UNITS = {1: "B", 2: "s", 3: "H", 4: "I", 5: "I", 7: "s", 12: "d", 16: "Q"}


def tiff(pages: Sequence[tuple[Mapping[int, tuple[int, object]], bytes]], order: str = "<", big: bool = False) -> bytes:
    """A TIFF or BigTIFF file: each page has tags {tag: (type, value)} and one strip of pixels.

    Values: bytes (types 2 and 7), a number, or a list of numbers; pairs are flat lists for type 5.
    """
    word, inline = ("Q", 8) if big else ("I", 4)
    head = {"<": b"II", ">": b"MM"}[order] + struct.pack(order + "H", 43 if big else 42)
    head += struct.pack(order + "HH", 8, 0) if big else b""
    out, link = bytearray(head + struct.pack(order + word, 0)), len(head)
    for tags, pixels in pages:
        strip = len(out)
        out += pixels + b"\0" * (-len(pixels) % 8)
        entries = {**tags, 273: (4, strip), 279: (4, len(pixels))}
        start = len(out)
        struct.pack_into(order + word, out, link, start)
        count = struct.pack(order + ("Q" if big else "H"), len(entries))
        table, values = bytearray(count), bytearray()
        after = start + len(count) + len(entries) * (20 if big else 12) + inline
        for tag, (kind, value) in sorted(entries.items()):
            if isinstance(value, bytes):
                data, number = value, len(value)
            else:
                numbers = list(value) if isinstance(value, list | tuple) else [value]
                data = struct.pack(f"{order}{len(numbers)}{_UNITS[kind]}", *numbers)
                number = len(numbers) // (2 if kind == 5 else 1)
            table += struct.pack(order + "HH" + word, tag, kind, number)
            if len(data) <= inline:
                table += data.ljust(inline, b"\0")
            else:
                table += struct.pack(order + word, after + len(values))
                values += data + b"\0" * (-len(data) % 8)
        link = start + len(table)
        out += table + struct.pack(order + word, 0) + values
    return bytes(out)


def page(
    pixels: np.ndarray, photometric: int, order: str = "<", **tags: tuple[int, object]
) -> tuple[dict[int, tuple[int, object]], bytes]:
    """Tags and strip of an uncompressed page of H x W (x C) uint8, uint16 or float32; more tags as t274=(3, 6)."""
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    bits = 8 * pixels.dtype.itemsize
    found: dict[int, tuple[int, object]] = {
        256: (4, width), 257: (4, height), 258: (3, [bits] * channels), 259: (3, 1), 262: (3, photometric),
        277: (3, channels), 278: (4, height),
    }  # fmt: skip
    if pixels.dtype.kind == "f":
        found[339] = (3, [3] * channels)
    found |= {int(name[1:]): value for name, value in tags.items()}
    return found, pixels.astype(f"{order}{pixels.dtype.str[1:]}").tobytes()


def profile(space: bytes, pcs: bytes, tags: Mapping[bytes, bytes], kind: bytes = b"mntr", version: int = 2) -> bytes:
    """An ICC profile (ICC.1:2022, 7.2 and 7.3)."""
    start = 128 + 4 + 12 * len(tags)
    table, data = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += name + struct.pack(">II", start + len(data), len(content))
        data += content + b"\0" * (-len(content) % 4)
    head = struct.pack(">I4sI4s4s4s", start + len(data), b"test", version << 24, kind, space, pcs)
    head += struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head += struct.pack(">3i", 0xF6D6, 0x10000, 0xD32D)  # D50
    return head.ljust(128, b"\0") + table + data


def curve(values: np.ndarray) -> bytes:
    """A `curv` element of samples 0..1."""
    numbers = np.rint(np.asarray(values) * 65535).astype(">u2")
    return b"curv" + bytes(4) + struct.pack(">I", len(numbers)) + numbers.tobytes()


def table_profile(
    space: bytes, channels: int, to_lab: Callable[[np.ndarray], np.ndarray], grid: int = 9, form: str = "mft2"
) -> bytes:
    """A profile with one table from device numbers to Lab: "mft2" (lut16Type) or "mAB" (lutAToBType).

    to_lab: N x channels, 0..1, to N x 3 Lab.
    """
    axis = np.linspace(0, 1, grid)
    device = np.stack(np.meshgrid(*[axis] * channels, indexing="ij"), -1).reshape(-1, channels)
    lab = to_lab(device)
    if form == "mft2":  # Lab of version 2: 100 is 0xFF00
        numbers = np.stack((lab[:, 0] * 652.8, (lab[:, 1] + 128) * 256, (lab[:, 2] + 128) * 256), 1)
        table = np.rint(np.clip(numbers, 0, 65535)).astype(">u2").tobytes()
        ramp = np.array([0, 65535], ">u2").tobytes()
        head = b"mft2" + bytes(4) + struct.pack(">BBBx", channels, 3, grid)
        head += struct.pack(">9i", *(np.eye(3).ravel() * 65536).astype(int)) + struct.pack(">HH", 2, 2)
        return profile(space, b"Lab ", {b"A2B0": head + ramp * channels + table + ramp * 3})
    numbers = np.stack((lab[:, 0] / 100, (lab[:, 1] + 128) / 255, (lab[:, 2] + 128) / 255), 1)
    table = np.rint(np.clip(numbers, 0, 1) * 65535).astype(">u2").tobytes()
    straight = b"curv" + bytes(4) + struct.pack(">I", 0)
    clut = bytes([grid] * channels).ljust(16, b"\0") + b"\2\0\0\0" + table
    clut += b"\0" * (-len(clut) % 4)
    b_at, clut_at = 32, 32 + 3 * len(straight)
    head = b"mAB " + bytes(4) + struct.pack(">BBxx5I", channels, 3, b_at, 0, 0, clut_at, clut_at + len(clut))
    return profile(space, b"Lab ", {b"A2B0": head + straight * 3 + clut + straight * channels}, version=4)
