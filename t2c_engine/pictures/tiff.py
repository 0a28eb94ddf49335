"""TIFF and BigTIFF files: which page, its numbers whatever they stand for, and its metadata.

tifffile unpacks, libtiff where colour is subsampled; kinds of number that are not known are refused. Must not
import anything of the engine but `errors`, `color`, `directories`, `exif` and `metadata`.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from t2c_engine.color.rgb_spaces import lab_to_srgb_d50
from t2c_engine.color.samples import full_scale
from t2c_engine.errors import PictureError
from t2c_engine.pictures.directories import Entry, read_directory, read_layout
from t2c_engine.pictures.exif import (
    ICC,
    IPTC,
    ORIENTATION,
    PHOTOSHOP,
    XMP,
    exif_of_tiff,
    orientation_of,
    resolution_of,
)
from t2c_engine.pictures.metadata import (
    Metadata,
    iptc_of,
    resource_of_iptc,
    resources_of_picture,
)

log = logging.getLogger(__name__)

STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_KINDS = {0: 1, 1: 1, 2: 3, 3: 1, 5: 4, 6: 3, 8: 3, 9: 3}  # PhotometricInterpretation and its colour channels
_WHITE_IS_ZERO, _PALETTE, _CMYK, _YCBCR, _CIELAB, _ICCLAB = 0, 3, 5, 6, 8, 9
_REFUSED = {4: "a transparency mask", 10: "ITU Lab", 32803: "raw camera data", 34892: "raw camera data",
            32844: "LogL", 32845: "LogLuv", 51177: "a depth map"}  # fmt: skip
_JPEG_IN_TIFF = 7
_ASSOCIATED, _UNASSOCIATED = 1, 2  # ExtraSamples
_OVERSHOOT = 0.5  # how far float numbers may leave 0..1 (and are clipped); farther out they are on another scale
_SCALES = (100.0, 255.0, 256.0, 1023.0, 4095.0, 16383.0, 65535.0, 65536.0)  # full scales that a float file may declare
_LISTED = 8  # pages that a message lists
_MOST_PAGES = 10_000


@dataclass(frozen=True, slots=True)
class TiffPicture:
    """Pixels and alpha as `decode.Decoded` has them; orientation is not applied."""

    pixels: np.ndarray
    alpha: np.ndarray | None
    orientation: int
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class _Page:
    """One page; SubIFDs are counted as pages behind the one that they belong to."""

    page: Any
    reduced: bool
    mask: bool

    @property
    def size(self) -> tuple[int, int]:
        return self.page.imagewidth, self.page.imagelength

    def __str__(self) -> str:
        note = ", reduced" if self.reduced else ", a mask" if self.mask else ""
        return f"{self.page.imagewidth} x {self.page.imagelength}{note}"


def decode_tiff(path: Path, stream: BinaryIO, number: int | None, check_size: Any) -> TiffPicture:
    """Read one page of a TIFF file.

    Args:
        number: of the page, from 1; None: the first that is neither reduced nor a mask.
        check_size: called with width and height before anything is unpacked.

    Raises:
        PictureError: the kind is not read, or there is no such page. ValueError and others: the file is damaged.
    """
    import tifffile

    with tifffile.TiffFile(stream) as tiff:
        pages = list(_pages(tiff))
        chosen = _choose(path, pages, number)
        page = chosen.page
        check_size(*chosen.size)
        _check_segments(path, page)
        pixels, alpha = _channels(path, stream, tiff, page)
        orientation, metadata = _metadata(stream, page, tiff.pages[0])
    return TiffPicture(pixels, alpha, orientation, metadata)


def _pages(tiff: Any) -> Iterator[_Page]:
    for index in range(min(len(tiff.pages), _MOST_PAGES)):
        top = tiff.pages[index].aspage()
        yield _described(top)
        for offset_index in range(len(top.subifds or ())):
            yield _described(top.pages[offset_index].aspage())


def _described(page: Any) -> _Page:
    old = page.tags[255].value if 255 in page.tags else 0
    kind = int(page.subfiletype or 0)
    return _Page(page, bool(kind & 1) or old == 2, bool(kind & 4) or int(page.photometric) == 4)


def _choose(path: Path, pages: list[_Page], number: int | None) -> _Page:
    if not pages:
        raise ValueError("there is no page in it")
    if number is not None:
        if not 1 <= number <= len(pages):
            many = f"{len(pages)} page{'s' if len(pages) > 1 else ''}"
            raise PictureError(f"{path} has {many}, and no page {number}; choose one of 1 to {len(pages)}.")
        return pages[number - 1]
    whole = [one for one in pages if not (one.reduced or one.mask)]
    chosen = whole[0] if whole else max(pages, key=lambda one: one.size[0] * one.size[1])
    chosen = next((one for one in whole[1:] if _is_thumbnail(chosen, one)), chosen)
    if len(pages) > 1:
        names = [f"{index}: {one}" for index, one in enumerate(pages[:_LISTED], start=1)]
        listed = "; ".join([*names, "..."] if len(pages) > _LISTED else names)
        log.warning("%s holds %d pages (%s); only page %d is used, choose another with --page.",
                    path, len(pages), listed, pages.index(chosen) + 1)  # fmt: skip
    return chosen


def _is_thumbnail(small: _Page, large: _Page) -> bool:
    """Whether `small` is `large` at half its size or less, though nothing marks it as reduced."""
    (width, height), (w, h) = small.size, large.size
    return min(width, height) > 0 and w >= 2 * width and abs(w / width - h / height) < 0.02 * w / width


def _check_segments(path: Path, page: Any) -> None:
    """Find a cut file beforehand: tifffile fills what is missing with zeros."""
    places = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    end = max((offset + count for offset, count in places), default=0)
    if end > path.stat().st_size or not end:
        raise ValueError("pixels lie behind the end of the file")
    if not all(count for _, count in places):
        log.warning("%s leaves out parts of its pixels; they are read as 0.", path)


def _channels(path: Path, stream: BinaryIO, tiff: Any, page: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """Pixels and alpha of a page, as 8 or 16 bits or float32: grey, RGB or CMYK."""
    kind = int(page.photometric)
    if 262 not in page.tags:
        raise PictureError(
            f"{path} does not say whether its numbers are grey, RGB or ink; save it anew as RGB or grey."
        )
    _check_kind(path, page, kind)
    if kind == _YCBCR and int(page.compression) not in (6, _JPEG_IN_TIFF):
        return _by_libtiff(path, stream, page), None
    page.subsampling = page.subsampling if kind == _YCBCR else None  # a leftover tag means nothing
    array = _unpacked(path, stream, page)
    if page.axes == "SYX":
        array = np.moveaxis(array, 0, -1)
    if array.ndim not in (2, 3):
        raise PictureError(f"{path} holds a stack of pictures in one page; save each as a picture of its own.")
    array = array[..., None] if array.ndim == 2 else array
    colors, extras = array[..., : _KINDS[kind]], array[..., _KINDS[kind] :]
    if kind in (_CIELAB, _ICCLAB):
        if array.shape[2] < 3:
            raise PictureError(f"{path} is a Lab TIFF without colour channels, which is not read; save it as grey.")
        pixels = _from_lab(path, colors, icclab=kind == _ICCLAB)
    elif colors.shape[2] < _KINDS[kind]:
        raise ValueError(f"{array.shape[2]} channels are too few")
    elif kind == _PALETTE:
        pixels = _from_palette(page.colormap, colors[..., 0])
    else:
        pixels = _numbers(path, tiff, colors, page.bitspersample)
        pixels = np.ascontiguousarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    alpha, associated = _alpha(path, page, extras, pixels.dtype)
    if alpha is not None and associated:
        pixels = _unmultiplied(pixels, alpha)
    if kind == _WHITE_IS_ZERO:
        pixels = (full_scale(pixels.dtype) - pixels).astype(pixels.dtype)
    return pixels, alpha


def _check_kind(path: Path, page: Any, kind: int) -> None:
    if kind not in _KINDS:
        name = _REFUSED.get(kind, f"the unknown kind {kind}")
        advice = "develop it with a raw converter" if "raw" in name else "save it as an RGB or grey picture"
        raise PictureError(f"{path} is a TIFF of {name}, which is not read; {advice}.")
    if 346 in page.tags and page.tags[346].value and kind != _PALETTE:
        raise PictureError(f"{path} is an indexed TIFF without a table of RGB colours; save it as RGB.")
    inks = page.tags[334].value if 334 in page.tags else 4
    if kind == _CMYK and (inks != 4 or (332 in page.tags and page.tags[332].value not in (1,))):
        raise PictureError(f"{path} is separated into {inks} inks that are not CMYK; convert it to RGB or CMYK.")
    sample_formats = page.tags[339].value if 339 in page.tags else 1
    if isinstance(sample_formats, tuple) and len(set(sample_formats)) > 1:
        raise PictureError(f"{path} mixes kinds of numbers; save it as 8 or 16 bit.")
    if sample_formats in (2, 5, 6) and kind not in (_CIELAB, _ICCLAB):
        raise PictureError(f"{path} holds signed or complex numbers, which no picture has; save it as 8 or 16 bit.")


def _unpacked(path: Path, stream: BinaryIO, page: Any) -> np.ndarray:
    import tifffile

    if int(page.compression) != 1 and int(page.compression) not in tifffile.TIFF.DECOMPRESSORS:
        name = getattr(page.compression, "name", page.compression)
        raise PictureError(f"{path} is packed by {name}, which is not read; save it with LZW, ZIP or no compression.")
    if int(page.compression) == _JPEG_IN_TIFF and page.bitspersample == 8:
        _check_jpeg_segments(path, stream, page)
    return np.asarray(page.asarray())


def _check_jpeg_segments(path: Path, stream: BinaryIO, page: Any) -> None:
    """Find damaged JPEG data, which tifffile's decoder passes over: decode each part once more, small."""
    import simplejpeg

    tables = bytes(page.jpegtables or b"")
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
        stream.seek(offset)
        data = stream.read(count)
        if data[:2] != b"\xff\xd8":
            continue
        data = tables[:-2] + data[2:] if tables else data
        channels = 1 if page.samplesperpixel == 1 or page.planarconfig == 2 else page.samplesperpixel
        if channels in (1, 3, 4):
            simplejpeg.decode_jpeg(data, {1: "GRAY", 3: "RGB", 4: "CMYK"}[channels], min_factor=8)


def _by_libtiff(path: Path, stream: BinaryIO, page: Any) -> np.ndarray:
    """Subsampled or plain YCbCr to RGB (H x W x 3, uint8) by libtiff, which is shown this page alone, unturned."""
    import imagecodecs

    stream.seek(0)
    data = bytearray(stream.read())
    layout = read_layout(stream)
    directory, _ = read_directory(stream, layout, page.offset)
    struct.pack_into(layout.offset_format, data, 8 if layout.big else 4, page.offset)
    if ORIENTATION in directory and directory[ORIENTATION].type == 3:
        struct.pack_into(layout.order + "H", data, directory[ORIENTATION].place, 1)
    if page.bitspersample != 8:
        raise PictureError(f"{path} is a YCbCr TIFF of {page.bitspersample} bits, which is not read; save it as RGB.")
    array = np.asarray(imagecodecs.tiff_decode(bytes(data), asrgb=True))
    return np.ascontiguousarray(array[..., :3])


def _from_palette(colormap: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """H x W x 3, uint8. Colour maps hold 16-bit numbers, but some writers put 8-bit ones there (as libtiff knows)."""
    table = (colormap if colormap.max(initial=0) < 256 else colormap // 256).astype(np.uint8)
    return np.ascontiguousarray(np.moveaxis(table[:, indices], 0, -1))


def _from_lab(path: Path, lab: np.ndarray, icclab: bool) -> np.ndarray:
    """CIE Lab or ICC Lab numbers (TIFF 6.0, section 23; TIFF Technical Note 4) to sRGB of the same depth."""
    bits = 8 * lab.dtype.itemsize
    if lab.dtype.kind == "f":
        result = lab_to_srgb_d50(lab)
        if not np.isfinite(result).all():
            raise PictureError(f"{path} holds pixels that are not numbers (NaN or infinity); repair it first.")
        return result
    if bits not in (8, 16):
        raise PictureError(f"{path} is a Lab TIFF of {bits} bits, which is not read; save it with 8 or 16.")
    unsigned, signed = np.dtype(f"u{bits // 8}"), np.dtype(f"i{bits // 8}")
    lightness = np.ascontiguousarray(lab[..., 0]).view(unsigned)
    ab = np.ascontiguousarray(lab[..., 1:]).view(unsigned if icclab else signed)
    step = 256 ** (bits // 8 - 1)
    full = 65280 if icclab and bits == 16 else 2**bits - 1
    numbers = np.empty(lab.shape, np.float32)
    numbers[..., 0] = lightness * np.float32(100 / full)
    numbers[..., 1:] = ab.astype(np.float32) / step - (128 if icclab else 0)
    result = lab_to_srgb_d50(numbers)
    return np.rint(result * full_scale(unsigned)).astype(unsigned)


def _alpha(path: Path, page: Any, extras: np.ndarray, dtype: np.dtype) -> tuple[np.ndarray | None, bool]:
    """The alpha channel among the extra ones, brought to the type of the pixels, and whether it is associated."""
    if not extras.shape[2]:
        return None, False
    kinds = [int(sample) for sample in page.extrasamples or ()]
    alphas = [index for index, sample in enumerate(kinds) if sample in (_ASSOCIATED, _UNASSOCIATED)]
    index = alphas[0] if alphas and alphas[0] < extras.shape[2] else None
    if extras.shape[2] > (index is not None):
        log.warning("%s has channels beside its colours that are not marked as transparency; they are left out.", path)
    if index is None:
        return None, False
    alpha = np.ascontiguousarray(extras[..., index])
    if alpha.dtype.kind == "f":
        alpha = np.clip(np.nan_to_num(alpha), 0, 1).astype(np.float32)
    else:
        alpha = _unsigned(path, alpha, page.bitspersample)
    if dtype == np.uint8 and alpha.dtype == np.uint16:  # beside a palette of 16-bit indices
        alpha = (alpha // 256).astype(np.uint8)
    return alpha, kinds[index] == _ASSOCIATED


def _numbers(path: Path, tiff: Any, array: np.ndarray, bits: int) -> np.ndarray:
    """Any TIFF number to uint8, uint16 or float32 on the scale 0..1."""
    if array.dtype.kind != "f":
        return _unsigned(path, array, bits)
    if not np.isfinite(array).all():
        raise PictureError(f"{path} holds pixels that are not numbers (NaN or infinity); repair it first.")
    array = array.astype(np.float32)
    low, high = float(array.min(initial=0)), float(array.max(initial=0))
    if high > 1 + _OVERSHOOT:
        scale = _declared_scale(tiff)
        if scale is not None and scale >= high and low >= 0:
            return array / np.float32(scale)
    if high > 1 + _OVERSHOOT or low < -_OVERSHOOT:
        raise PictureError(
            f"{path} holds float numbers from {low:.4g} to {high:.4g}, not 0 to 1, and does not say which is white; "
            "divide them by the number that stands for white, or save as 16 bit."
        )
    return array


def _declared_scale(tiff: Any) -> float | None:
    """The full scale that a float file names in SMaxSampleValue or ImageJ's description, where it is a usual one."""
    tags = tiff.pages[0].tags
    values = [tags[341].value if 341 in tags else None]
    if tiff.is_imagej:
        values.append((tiff.imagej_metadata or {}).get("max"))
    for value in values:
        first = value[0] if isinstance(value, tuple) and value else value
        if isinstance(first, int | float) and float(first) in _SCALES:
            return float(first)
    return None


def _unsigned(path: Path, array: np.ndarray, bits: int) -> np.ndarray:
    if array.dtype.kind == "b":
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind != "u":
        raise PictureError(f"{path} holds signed numbers, which no picture has; save it as 8 or 16 bit.")
    if array.dtype.itemsize > 2:
        return (array / (2.0**bits - 1)).astype(np.float32)
    full = full_scale(array.dtype)
    if bits < array.dtype.itemsize * 8:  # 2, 4, 10, 12 ... bits, unpacked
        return np.rint(np.minimum(array, 2**bits - 1) * (full / (2**bits - 1))).astype(array.dtype)
    return array.astype(array.dtype.newbyteorder("="))


def _unmultiplied(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Undo associated alpha (TIFF 6.0, ExtraSamples 1)."""
    full = full_scale(pixels.dtype)
    weight = np.maximum(alpha, 1e-6 if full == 1 else 1).astype(np.float32) / np.float32(full)
    result = np.clip(pixels / (weight[..., None] if pixels.ndim == 3 else weight), 0, full)
    return result.astype(np.float32) if full == 1 else np.rint(result).astype(pixels.dtype)


def _metadata(stream: BinaryIO, page: Any, first: Any) -> tuple[int, Metadata]:
    """Orientation and metadata of a page; what it does not say itself counts from the first page."""
    layout = read_layout(stream)
    own, _ = read_directory(stream, layout, page.offset)
    main: dict[int, Entry] = own
    if page.offset != first.offset and page.offset in (first.subifds or ()):
        main = {**read_directory(stream, layout, first.offset)[0], **own}
    exif, lost = exif_of_tiff(stream, main)
    photoshop = _resources(main, lost)
    icc, xmp = (main[tag].data if tag in main else None for tag in (ICC, XMP))
    dpi = resolution_of(main)
    return orientation_of(main), Metadata(icc or None, exif, xmp or None, photoshop=photoshop, dpi=dpi,
                                          lossless=True, lost=tuple(lost))  # fmt: skip


def _resources(main: dict[int, Entry], lost: list[str]) -> bytes | None:
    """Photoshop resources, with the IPTC block of its own tag where they have none."""
    resources = b""
    if PHOTOSHOP in main:
        try:
            resources = resources_of_picture(main[PHOTOSHOP].data) or b""
        except ValueError:
            lost.append("Photoshop data, which are damaged")
    if IPTC in main and not (resources and iptc_of(resources)):
        iptc = main[IPTC].data
        if main[IPTC].type == 4 and not iptc.startswith(b"\x1c"):  # numbers by their type, but text by their use
            iptc = np.frombuffer(iptc, "<u4").byteswap().tobytes()
        resources += resource_of_iptc(iptc)
    return resources or None
