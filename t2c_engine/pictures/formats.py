"""Which picture formats are read and written, by suffix and by first bytes; libraries that read them kept quiet.

Must not import anything of the project.
"""

from __future__ import annotations

import logging
import re
import warnings

WRITTEN = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".tif": "TIFF", ".tiff": "TIFF", ".webp": "WEBP"}
READ_SUFFIXES = (*WRITTEN, ".bmp", ".dib", ".pbm", ".pgm", ".ppm", ".pnm", ".pam", ".gif", ".jp2", ".j2k", ".jpx",
                 ".jpf", ".j2c", ".heic", ".heif", ".avif", ".jxl")  # fmt: skip
OPTIONAL = {"HEIF": "pillow_heif", "JXL": "pillow_jxl"}  # formats that a package of its own reads, and its module

_STARTS = (
    (re.compile(rb"\xff\xd8"), "JPEG"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "PNG"),
    (re.compile(rb"II[*+]\0|MM\0[*+]"), "TIFF"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "WEBP"),
    (re.compile(rb"GIF8[79]a"), "GIF"),
    (re.compile(rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0", re.DOTALL), "BMP"),
    (re.compile(rb"P[1-7][\s#]"), "PNM"),
    (re.compile(rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51"), "JPEG2000"),
    (re.compile(rb"....ftypavi[fs]", re.DOTALL), "AVIF"),
    (re.compile(rb"....ftyp(?:hei[cxms]|hev[cxms]|mif1|msf1)", re.DOTALL), "HEIF"),
    (re.compile(rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n"), "JXL"),
)
# files that people do try, with what to do instead
_NOT_READ = (
    (re.compile(rb"II\*\0....CR|FUJIFILMCCD-RAW|....ftypcrx |IIRO|IIU\0|\0MRM", re.DOTALL),
     "raw camera data", "develop it with a raw converter"),
    (re.compile(rb"8BPS"), "a Photoshop document", "save it as TIFF or PNG"),
    (re.compile(rb"gimp xcf"), "a GIMP document", "export it as TIFF or PNG"),
    (re.compile(rb"%PDF|%!PS"), "a PDF or PostScript document", "export its pictures as TIFF or PNG"),
    (re.compile(rb"II\xbc"), "a JPEG XR picture", "convert it to TIFF or PNG"),
    (re.compile(rb"v/1\x01|#\?RADIANCE|#\?RGBE"), "an HDR picture", "convert it to 16-bit TIFF or PNG"),
    (re.compile(rb"P[Ff]\s"), "a PFM picture", "convert it to 16-bit TIFF or PNG"),
    (re.compile(rb"\x00\x00[\x01\x02]\x00"), "an icon", "convert it to PNG"),
    (re.compile(rb"\x00\x05\x16[\x00\x07]"), "a macOS companion file (AppleDouble)", "name the picture beside it"),
    (re.compile(rb"PK\x03\x04|7z\xbc\xaf|Rar!|\x1f\x8b"), "an archive", "unpack it first"),
    (re.compile(rb"\s*(?:<\?xml.*<svg|<svg)", re.DOTALL), "a vector picture (SVG)", "export it as PNG"),
    (re.compile(rb"....ftyp|\x1aE\xdf\xa3", re.DOTALL), "a film", "export a frame of it as PNG"),
)  # fmt: skip
START = 128  # bytes of a file that tell its format


def format_of(start: bytes) -> str | None:
    """JPEG, PNG, TIFF, WEBP, GIF, BMP, PNM, JPEG2000, AVIF, HEIF or JXL by the first bytes of a file, or None."""
    if any(pattern.match(start) for pattern, *_ in _NOT_READ[:1]):
        return None
    return next((name for pattern, name in _STARTS if pattern.match(start)), None)


def why_not(start: bytes) -> str:
    """What a file that is not read is, and what to do: the rest of a sentence that begins with its name."""
    for pattern, what, advice in _NOT_READ:
        if pattern.match(start):
            return f"is {what}, which is not read; {advice}."
    return "is no picture of a kind that is read; convert it to JPEG, PNG, TIFF or WebP."


def quiet_libraries() -> None:
    """Keep from the user what libraries say of files: damage is found by our own checks, and said in our own words.

    Every module that opens pictures by a library calls it when it is imported.
    """
    for library in ("PIL", "tifffile"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module=r"PIL\b")
