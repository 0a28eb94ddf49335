"""JPEG files: their segments, whole or damaged, to pixels and metadata, and metadata into a new file.

libjpeg only warns about damaged data and fills the rest with grey; here its warnings are errors. Must not import
anything of the engine but `errors`, `exif`, `directories` and `metadata`.
"""

from __future__ import annotations

import logging
import re
import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from t2c_engine.errors import PictureError
from t2c_engine.pictures.directories import DirectoryError
from t2c_engine.pictures.exif import HEADER, ExifNotes, plausible_dpi, upright_exif
from t2c_engine.pictures.metadata import Metadata, resources_of_picture

log = logging.getLogger(__name__)

_SOI, _EOI, _SOS, _DHT, _DAC, _JPG = 0xD8, 0xD9, 0xDA, 0xC4, 0xCC, 0xC8
_APP0, _APP1, _APP2, _APP13, _APP14, _COM = 0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xFE
_XMP, _XMP_MORE = b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
_PHOTOSHOP, _ICC = b"Photoshop 3.0\0", b"ICC_PROFILE\0"
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # behind entropy-coded data
_KINDS = {0xC3: "lossless", 0xC5: "hierarchical", 0xC6: "hierarchical", 0xC7: "hierarchical lossless",
          0xCB: "lossless arithmetic-coded", 0xCD: "hierarchical", 0xCE: "hierarchical", 0xCF: "hierarchical",
          0xF7: "JPEG-LS"}  # fmt: skip
_DENSITY = 13  # place of the unit in a file that begins with a JFIF segment
SEGMENT = 65_533  # bytes that one segment holds
_ICC_PART = SEGMENT - len(_ICC) - 2


@dataclass(slots=True)
class Structure:
    """What lies where in a JPEG file: segments of the header (marker, content), frame and scans."""

    segments: list[tuple[int, bytes]] = field(default_factory=list)
    frame: int = 0  # marker of the start of frame: 0xC0 baseline, 0xC2 progressive ...
    bits: int = 8
    width: int = 0
    height: int = 0
    components: tuple[int, ...] = ()
    scans: list[bytes] = field(default_factory=list)
    ended: bool = False
    length: int = 0

    @property
    def complete(self) -> bool:
        """Whether the scans of a progressive file bring every coefficient to its last bit."""
        if self.frame not in (0xC2, 0xCA):
            return True
        missing = {(component, index) for component in self.components for index in range(64)}
        for scan in self.scans:
            count = scan[0]
            first, last, bits = scan[1 + 2 * count], scan[2 + 2 * count], scan[3 + 2 * count]
            if not bits & 15:
                ids = scan[1 : 1 + 2 * count : 2]
                missing -= {(component, index) for component in ids for index in range(first, min(last, 63) + 1)}
        return not missing


def structure(data: bytes) -> Structure:
    """Walk through the markers of a file, up to its end mark. Raises ValueError where they make no sense."""
    found = Structure()
    place = 2
    while place + 4 <= len(data):
        if data[place] != 0xFF:  # libjpeg passes over such bytes, and says so
            place = data.find(b"\xff", place)
            if place < 0:
                raise ValueError("no marker where one belongs")
            continue
        marker = data[place + 1]
        if marker == 0xFF:  # fill byte
            place += 1
            continue
        if marker == _EOI:
            break
        if marker == 1 or 0xD0 <= marker <= 0xD8:  # stand alone
            place += 2
            continue
        size = int.from_bytes(data[place + 2 : place + 4], "big")
        content = data[place + 4 : place + 2 + size]
        if size < 2 or len(content) != size - 2:
            raise ValueError("a segment is cut short")
        place += 2 + size
        if (0xC0 <= marker <= 0xCF and marker not in (_DHT, _DAC, _JPG)) or marker == 0xF7:
            _frame(found, marker, content)
            if found.frame in _KINDS:  # refused later, and some have other rules for what follows
                break
        if marker == _SOS:
            if not content or len(content) < 4 + 2 * content[0]:
                raise ValueError("a scan is cut short")
            found.scans.append(content)
            after = _MARKER.search(data, place)
            place = after.start() if after else len(data)
        elif not found.scans or marker in (_APP1, _APP2, _APP13, _COM):
            found.segments.append((marker, content))
    found.ended = data[place : place + 2] == b"\xff\xd9"
    found.length = min(len(data), place + 2)
    return found


def _frame(found: Structure, marker: int, content: bytes) -> None:
    if len(content) < 6 or len(content) < 6 + 3 * content[5]:
        raise ValueError("the frame header is cut short")
    if found.frame:
        return
    found.frame = marker
    found.bits, found.height, found.width = struct.unpack_from(">BHH", content)
    found.components = tuple(content[6 : 6 + 3 * content[5] : 3])


def decode_pixels(path: Path, data: bytes, found: Structure) -> np.ndarray:
    """H x W (grey), H x W x 3 (RGB) or H x W x 4 (CMYK, 0 = no ink), uint8, or uint16 of a file of 12 bits.

    Raises:
        PictureError: the file is of a kind that is not read. ValueError: it is damaged.
    """
    channels = len(found.components)
    kind = _KINDS.get(found.frame)
    if kind or channels not in (1, 3, 4) or found.bits not in (8, 12) or (found.bits == 12 and channels == 4):
        what = f"a {kind} JPEG" if kind else f"a JPEG of {found.bits} bits and {channels} channels"
        raise PictureError(f"{path} is {what}, which is not read; convert it to TIFF or PNG.")
    if not found.scans:
        raise ValueError("there are no pixels in it")
    if not found.ended:
        data = data[: found.length] + b"\xff\xd9"
    if found.bits == 12:
        return _decode_12_bits(path, data, channels)
    pixels = _decode_strictly(path, data, {1: "GRAY", 3: "RGB", 4: "CMYK"}[channels])
    if not found.ended:
        log.warning("%s has no end mark; its last rows may be damaged.", path)
    if not found.complete:
        log.warning("%s lacks its last scans; it may look blurred. Get a whole copy of it.", path)
    if channels == 4:  # Adobe writes ink inverted, and all others do as Adobe does
        return 255 - pixels
    return pixels[..., 0] if channels == 1 else pixels


def _decode_strictly(path: Path, data: bytes, space: str) -> np.ndarray:
    import simplejpeg

    try:
        return simplejpeg.decode_jpeg(data, space)
    except ValueError as error:
        if "extraneous bytes" not in str(error):
            raise
        log.warning("%s holds bytes that do not belong to the picture; parts of it may be damaged.", path)
        return simplejpeg.decode_jpeg(data, space, strict=False)


def _decode_12_bits(path: Path, data: bytes, channels: int) -> np.ndarray:
    import imagecodecs

    try:
        pixels = imagecodecs.jpeg8_decode(data)
    except (RuntimeError, ValueError) as error:
        log.info("%s: %r", path, error)
        raise PictureError(
            f"{path} is a JPEG of 12 bits, which is not read here; convert it to 16-bit TIFF or PNG."
        ) from error
    if pixels.ndim != (2 if channels == 1 else 3) or pixels.dtype != np.uint16:
        raise PictureError(f"{path} is a JPEG of 12 bits, which is not read here; convert it to 16-bit TIFF or PNG.")
    return np.rint(np.minimum(pixels, 4095) * np.float32(65535 / 4095)).astype(np.uint16)


def read_metadata(found: Structure) -> tuple[Metadata, ExifNotes]:
    """Everything that the segments carry, and what EXIF says."""
    exif, xmp, photoshop, notes, dpi = None, None, b"", ExifNotes(), None
    icc: dict[int, bytes] = {}
    more: list[bytes] = []
    comments: list[bytes] = []
    lost: list[str] = []
    for marker, content in found.segments:
        if marker == _APP0 and content.startswith(b"JFIF\0") and len(content) >= 12:
            unit, x, y = struct.unpack_from(">BHH", content, 7)
            dpi = {1: (x, y), 2: (x * 2.54, y * 2.54)}.get(unit)
        elif marker == _APP1 and content.startswith(HEADER):
            if exif is None:
                exif, notes = _exif(content, lost)
        elif marker == _APP1 and content.startswith(_XMP):
            xmp = content[len(_XMP) :]
        elif marker == _APP1 and content.startswith(_XMP_MORE):
            more.append(content)
        elif marker == _APP2 and content.startswith(_ICC) and len(content) > 14:
            icc[content[12]] = content[14:]
        elif marker == _APP13 and content.startswith(_PHOTOSHOP):
            photoshop += content[len(_PHOTOSHOP) :]
        elif marker == _COM:
            comments.append(content)
        elif marker in range(0xE0, 0xF0) and marker != _APP14 and not content.startswith((b"JFXX\0", b"Ducky")):
            lost.append(_segment_name(marker, content))
    resources = None
    if photoshop:
        try:
            resources = resources_of_picture(photoshop)
        except ValueError:
            lost.append("Photoshop data, which are damaged")
    metadata = Metadata(
        icc=b"".join(icc[number] for number in sorted(icc)) or None, exif=exif, xmp=xmp, xmp_more=tuple(more),
        photoshop=resources, comments=tuple(comments), lossless=False, lost=tuple(dict.fromkeys(lost)),
        dpi=(plausible_dpi(*dpi) if dpi else None) or notes.dpi,
    )  # fmt: skip
    return metadata, notes


def _exif(content: bytes, lost: list[str]) -> tuple[bytes | None, ExifNotes]:
    try:
        return upright_exif(content)
    except DirectoryError:
        lost.append("EXIF data, which are damaged")
        return None, ExifNotes()


def _segment_name(marker: int, content: bytes) -> str:
    known = {b"MPF": "further pictures (MPF)", b"FPXR": "FlashPix data", b"JP": "content credentials (JUMBF)"}
    name = next((words for start, words in known.items() if content.startswith(start)), "")
    return name or f"application data (APP{marker - 0xE0})"


def encode(pixels: np.ndarray, quality: int, dpi: tuple[float, float] | None) -> bytes:
    """A JFIF file of H x W x 3 uint8 at full color resolution (4:4:4).

    Args:
        quality: 1..100. dpi: across and down; None: the file does not say.
    """
    import simplejpeg

    data = simplejpeg.encode_jpeg(
        np.ascontiguousarray(pixels), quality=quality, colorspace="RGB", colorsubsampling="444", fastdct=False
    )
    if not dpi:
        return data
    across, down = (min(65_535, max(1, round(value))) for value in dpi)
    unit = struct.pack(">BHH", 1, across, down)  # of the JFIF segment: dots per inch
    return data[:_DENSITY] + unit + data[_DENSITY + len(unit) :]


def with_metadata(data: bytes, metadata: Metadata, lost: list[str]) -> bytes:
    """Put metadata into a JPEG file just written; what does not fit is named in `lost`."""
    segments: list[tuple[int, bytes]] = []
    if metadata.exif:
        if len(metadata.exif) > SEGMENT:
            lost.append("EXIF data, which are too long for it")
        else:
            segments.append((_APP1, metadata.exif))
    if metadata.xmp:
        if len(metadata.xmp) + len(_XMP) > SEGMENT:
            lost.append("XMP data, which are too long for it")
        else:
            segments.append((_APP1, _XMP + metadata.xmp))
            segments += [(_APP1, part) for part in metadata.xmp_more]
    if metadata.icc:
        parts = [metadata.icc[start : start + _ICC_PART] for start in range(0, len(metadata.icc), _ICC_PART)]
        if len(parts) > 255:
            lost.append("the colour profile, which is too long for it")
        else:
            segments += [(_APP2, _ICC + bytes((number, len(parts))) + part) for number, part in enumerate(parts, 1)]
    resources, step = metadata.photoshop or b"", SEGMENT - len(_PHOTOSHOP)
    segments += [(_APP13, _PHOTOSHOP + resources[at : at + step]) for at in range(0, len(resources), step)]
    for comment in metadata.comments:
        segments += [(_COM, comment[at : at + SEGMENT]) for at in range(0, len(comment), SEGMENT)]
    start = 2
    if data[2:4] == b"\xff\xe0":  # JFIF comes first
        start += 2 + int.from_bytes(data[4:6], "big")
    packed = b"".join(b"\xff" + struct.pack(">BH", marker, len(part) + 2) + part for marker, part in segments)
    return data[:start] + packed + data[start:]
