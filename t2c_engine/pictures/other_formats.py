"""WebP, GIF, BMP, PNM, JPEG 2000 and AVIF, and through packages of their own HEIC and JPEG XL, to arrays.

Must not import anything of the engine but `errors`, `color` and other modules of `pictures`.
"""

from __future__ import annotations

import importlib
import logging
import re
import struct
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, features

from t2c_engine.color.rgb_spaces import calibrated_profile
from t2c_engine.color.samples import full_scale
from t2c_engine.errors import PictureError
from t2c_engine.pictures.directories import DirectoryError
from t2c_engine.pictures.exif import HEADER, ExifNotes, plausible_dpi, upright_exif
from t2c_engine.pictures.formats import OPTIONAL
from t2c_engine.pictures.jpeg2000 import decode_jpeg2000
from t2c_engine.pictures.metadata import Metadata

log = logging.getLogger(__name__)

_PILLOW = {"WEBP": "WEBP", "GIF": "GIF", "BMP": "BMP", "PNM": "PPM", "AVIF": "AVIF", "HEIF": "HEIF", "JXL": "JXL"}
_NAMES = {"HEIF": "a HEIC", "JXL": "a JPEG XL", "AVIF": "an AVIF"}
_TURNED_ALREADY = ("HEIF", "JXL")  # their decoders apply the file's own orientation, beside which EXIF's counts nothing
_PNM_HEADER = re.compile(rb"P([1-7])((?:\s|#[^\n]*\n)+)(\d+)(?:\s|#[^\n]*\n)+(\d+)(?:(?:\s|#[^\n]*\n)+(\d+))?")
_NCLX = re.compile(rb"colrnclx..(..)", re.DOTALL)  # transfer characteristics of AVIF and HEIC (ISO 14496-12, 12.1.5)
_HDR_TRANSFERS = (16, 18)  # PQ and HLG
_EMBEDDED, _LINKED = b"DEBM", b"KNIL"  # bV5CSType, little-endian

Raw = tuple[np.ndarray, np.ndarray | None, int, Metadata]  # pixels, alpha, orientation, metadata


def decode_other(path: Path, kind: str, data: bytes, page: int | None, check_size: Callable[[int, int], None]) -> Raw:
    """Read a file of one of these formats; `page` is the frame of an animation, from 1.

    Raises:
        PictureError: the kind is not read, its package is missing, or there is no such page. ValueError and others: the
            file is damaged.
    """
    if kind == "JPEG2000":
        refuse_page(path, page, 1)
        pixels, alpha, metadata = decode_jpeg2000(path, data, check_size)
        return pixels, alpha, 1, metadata
    if kind == "PNM" and (found := _pnm_header(data)) is not None:
        refuse_page(path, page, 1)
        return _deep_pnm(path, data, found, check_size)
    _load_reader(path, kind)
    _refuse_hdr(path, kind, data)
    with Image.open(BytesIO(data), formats=(_PILLOW[kind],)) as image:
        check_size(*image.size)
        choose_frame(path, image, page)
        image.load()
        if image.info.get("bit_depth", 8) > 8 or (kind == "AVIF" and _is_deep_avif(data)):
            log.warning("%s has more than 8 bits a channel; they are reduced to 8.", path)
        pixels, alpha = split_alpha(np.asarray(plain(image)))
        metadata, notes = _metadata(kind, data, image)
    return pixels, alpha, 1 if kind in _TURNED_ALREADY else notes.orientation, metadata


def choose_frame(path: Path, image: Image.Image, page: int | None) -> None:
    """Seek the frame wanted (from 1), and say where there are more."""
    frames = getattr(image, "n_frames", 1)
    refuse_page(path, page, frames)
    if page is not None:
        image.seek(page - 1)
    elif frames > 1:
        log.warning("%s holds %d pictures; only the first is used, choose another with --page.", path, frames)


def refuse_page(path: Path, page: int | None, pages: int) -> None:
    if page is not None and not 1 <= page <= pages:
        many = f"{pages} page{'s' if pages > 1 else ''}"
        raise PictureError(f"{path} has {many}, and no page {page}; choose one of 1 to {pages}.")


def plain(image: Image.Image) -> Image.Image:
    """The picture in one of the modes L, LA, RGB, RGBA or I;16."""
    mode, transparent = image.mode, "transparency" in image.info
    if mode.startswith("I;16") or mode == "LA":
        return image
    if mode in ("L", "1"):
        return image.convert("LA" if transparent else "L")
    if mode in ("RGBA", "RGBa", "PA") or transparent:
        return image.convert("RGBA")
    if mode in ("P", "RGB", "RGBX"):
        return image.convert("RGB")
    raise ValueError(f"pixels of the kind {mode}")


def split_alpha(array: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """H x W, or H x W x 1..4 with alpha last, to pixels and alpha."""
    if array.ndim == 2:
        return array, None
    channels = array.shape[2]
    alpha = np.ascontiguousarray(array[..., -1]) if channels in (2, 4) else None
    return np.ascontiguousarray(array[..., 0] if channels < 3 else array[..., :3]), alpha


def _load_reader(path: Path, kind: str) -> None:
    """Have the package loaded that reads HEIC or JPEG XL, or say what to install."""
    name, missing = OPTIONAL.get(kind), kind == "AVIF" and not features.check("avif")
    if name:
        try:
            module = importlib.import_module(name)
        except ImportError:
            missing = True
        else:
            if kind == "HEIF":
                module.register_heif_opener()
    if missing:
        raise PictureError(
            f"{path} is {_NAMES[kind]} picture, for which a package is missing here; run "
            "pip install 'text2colors[formats]', or convert it to JPEG or PNG."
        )


def _refuse_hdr(path: Path, kind: str, data: bytes) -> None:
    found = _NCLX.search(data[: 1 << 16]) if kind in ("AVIF", "HEIF") else None
    if found and int.from_bytes(found[1], "big") in _HDR_TRANSFERS:
        raise PictureError(f"{path} is an HDR picture, which is not read; save it as sRGB.")


def _is_deep_avif(data: bytes) -> bool:
    """Whether the box `av1C` says high_bitdepth (AV1 Codec ISO Media File Format Binding, 2.3.3)."""
    place = data.find(b"av1C", 0, 1 << 16)
    return place >= 0 and bool(data[place + 6 : place + 7] and data[place + 6] & 0x40)


def _metadata(kind: str, data: bytes, image: Image.Image) -> tuple[Metadata, ExifNotes]:
    info, lost = image.info, list[str]()
    exif, notes = None, ExifNotes()
    if isinstance(block := info.get("exif"), bytes) and block:
        try:
            exif, notes = upright_exif(HEADER + block.removeprefix(HEADER))
        except DirectoryError:
            lost.append("EXIF data, which are damaged")
    comment = info.get("comment") if kind == "GIF" else None
    comments = (comment if isinstance(comment, bytes) else str(comment).encode(),) if comment else ()
    if kind == "PNM":
        header = _PNM_HEADER.match(data)
        comments = tuple(re.findall(rb"#[ \t]*([^\n]+)", header[0])) if header else ()
    icc = info.get("icc_profile") or (_bmp_profile(data, lost) if kind == "BMP" else None)
    xmp = info.get("xmp") or info.get("XML:com.adobe.xmp")
    lossless = kind in ("BMP", "GIF", "PNM") or (kind == "WEBP" and b"VP8L" in data[:256])
    dpi = info.get("dpi")
    return Metadata(
        icc=icc or None, exif=exif, xmp=xmp.encode() if isinstance(xmp, str) else xmp or None, comments=comments,
        dpi=(plausible_dpi(float(dpi[0]), float(dpi[1])) if dpi else None) or notes.dpi, lossless=lossless,
        lost=tuple(lost),
    ), notes  # fmt: skip


def _bmp_profile(data: bytes, lost: list[str]) -> bytes | None:
    """The profile in a BMP file, or one made of its calibration (BITMAPV4HEADER and BITMAPV5HEADER)."""
    size = int.from_bytes(data[14:18], "little")
    space = data[70:74]
    if size >= 124 and space == _EMBEDDED:
        start, length = struct.unpack_from("<II", data, 126)
        return data[14 + start : 14 + start + length] or None
    if size >= 124 and space == _LINKED:
        lost.append("the colour profile that it names by a file; the numbers are read as sRGB")
    if size >= 108 and space == bytes(4):
        ends = np.array(struct.unpack_from("<9I", data, 74)).reshape(3, 3) / 2**30
        gammas = struct.unpack_from("<3I", data, 110)
        if (ends.sum(1) > 0).all() and min(gammas) == max(gammas) > 0:
            total = ends.sum(0)
            xy = [float(value) for row in ends for value in row[:2] / row.sum()]
            try:
                white = (float(total[0] / total.sum()), float(total[1] / total.sum()))
                return calibrated_profile(3, white, tuple(xy), gammas[0] / 65536)
            except ValueError:
                lost.append("its calibration, which makes no sense; the numbers are read as sRGB")
    return None


def _pnm_header(data: bytes) -> tuple[int, int, int, bytes] | None:
    """Width, height, largest number and comments of a PNM file of more than 8 bits, or a PAM file; None of others."""
    if data.startswith(b"P7"):
        words = dict(re.findall(rb"^(WIDTH|HEIGHT|MAXVAL) +(\d+)", data[:4096].partition(b"ENDHDR")[0], re.MULTILINE))
        if len(words) < 3:
            raise ValueError("its header is not whole")
        return int(words[b"WIDTH"]), int(words[b"HEIGHT"]), int(words[b"MAXVAL"]), b""
    found = _PNM_HEADER.match(data)
    if found is None:
        raise ValueError("its header is not whole")
    if found[1] in (b"1", b"4") or int(found[5] or 0) < 256:
        return None
    return int(found[3]), int(found[4]), int(found[5]), found[0]


def _deep_pnm(
    path: Path, data: bytes, header: tuple[int, int, int, bytes], check_size: Callable[[int, int], None]
) -> Raw:
    import netpbmfile

    width, height, most, words = header
    check_size(width, height)
    if not 1 <= most <= 65535:
        raise ValueError(f"its largest number is {most}")
    with netpbmfile.NetpbmFile(BytesIO(data)) as file:
        array: Any = np.asarray(file.asarray())
    array = array.reshape(height, width, -1)
    if array.shape[2] > 4:
        raise ValueError("it has too many channels")
    dtype = np.dtype(np.uint8 if most < 256 else np.uint16)
    array = np.rint(np.minimum(array, most) * (full_scale(dtype) / most)).astype(dtype)
    pixels, alpha = split_alpha(array)
    comments = tuple(re.findall(rb"#[ \t]*([^\n]+)", words))
    return pixels, alpha, 1, Metadata(comments=comments)
