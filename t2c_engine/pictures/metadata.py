"""What a picture file carries besides its pixels, as bytes that are never interpreted further than needed.

Profile, EXIF, XMP, Photoshop resources (IPTC captions among them), comments, PNG text and resolution. What no reader or
writer keeps is named in `lost`. Must not import any other part of the engine.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

IPTC_RESOURCE = 0x0404
# Photoshop resources that describe the old file or are carried separately: channel names and states of layers,
# thumbnails, resolution, ICC, EXIF, XMP (Adobe Photoshop File Formats Specification, Image Resource IDs)
_DROPPED_RESOURCES = {1005, 1024, 1026, 1033, 1036, 1039, 1058, 1059, 1060}
_SIGNATURES = (b"8BIM", b"AgHg", b"DCSR", b"PHUT")


@dataclass(frozen=True, slots=True)
class Metadata:
    """All bytes or None where the file has none.

    icc: a profile. exif: a block with its `Exif` header, orientation reset. xmp: a packet; xmp_more: the JPEG segments
    that hold the rest of a long one. photoshop: `8BIM` resources. comments: of JPEG, GIF, PNM and JPEG 2000 files.
    png_chunks: (name, data) of text and other chunks that are safe to copy. dpi: (x, y) or None. lossless: how the file
    was packed. lost: what was found and cannot be kept, in words.
    """

    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    xmp_more: tuple[bytes, ...] = ()
    photoshop: bytes | None = None
    comments: tuple[bytes, ...] = ()
    png_chunks: tuple[tuple[bytes, bytes], ...] = ()
    dpi: tuple[float, float] | None = None
    lossless: bool = True
    lost: tuple[str, ...] = ()


def upright_xmp(xmp: bytes | None) -> bytes | None:
    """XMP whose tiff:Orientation, where it has one, says 1."""
    if xmp is None:
        return None
    xmp = re.sub(rb'(tiff:Orientation\s*=\s*["\'])\d', rb"\g<1>1", xmp)
    return re.sub(rb"(<tiff:Orientation>)\d", rb"\g<1>1", xmp)


def resources_of_picture(data: bytes) -> bytes | None:
    """Photoshop resources without those that describe the old file.

    Raises:
        ValueError: the bytes are no such resources.
    """
    return b"".join(piece for number, piece, _ in _resources(data) if number not in _DROPPED_RESOURCES) or None


def iptc_of(resources: bytes) -> bytes | None:
    """The IPTC-IIM block among Photoshop resources."""
    return next((content for number, _, content in _resources(resources) if number == IPTC_RESOURCE), None)


def has_more_than_iptc(resources: bytes) -> bool:
    return any(number != IPTC_RESOURCE for number, _, _ in _resources(resources))


def resource_of_iptc(iptc: bytes) -> bytes:
    """An IPTC-IIM block as a Photoshop resource."""
    return b"8BIM" + struct.pack(">HHI", IPTC_RESOURCE, 0, len(iptc)) + iptc + b"\0" * (len(iptc) % 2)


def _resources(data: bytes) -> list[tuple[int, bytes, bytes]]:
    """Number, whole bytes and content of each resource."""
    found = []
    place = 0
    while place + 12 <= len(data):
        if data[place : place + 4] not in _SIGNATURES:
            raise ValueError("no Photoshop resources")
        (number,) = struct.unpack_from(">H", data, place + 4)
        content = place + 6 + (data[place + 6] + 2) // 2 * 2 + 4
        if content > len(data):
            raise ValueError("a Photoshop resource is cut short")
        (size,) = struct.unpack_from(">I", data, content - 4)
        end = content + size + size % 2
        if content + size > len(data):
            raise ValueError("a Photoshop resource is cut short")
        found.append((number, data[place:end].ljust(end - place, b"\0"), data[content : content + size]))
        place = end
    return found
