"""The title or description that a picture file carries: XMP, IPTC, EXIF.

Only heads of files are read, of files at URLs too. Must not import torch, networks or the command line.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image, IptcImagePlugin

from t2c_engine.albums.storage import opened
from t2c_engine.batch.recipe import UNREADABLE, xmp_of

_XMP = re.compile(rb"<dc:(title|description)>.*?<rdf:li[^>]*>([^<]*)</rdf:li>", re.DOTALL)
_IPTC_TITLE, _IPTC_CAPTION = (2, 5), (2, 120)  # object name, caption/abstract (IIM 4.2)
_EXIF_DESCRIPTION, _EXIF_TITLE = 0x010E, 0x9C9B  # ImageDescription, XPTitle (UTF-16)


def title_of(path: Path) -> str | None:
    """The first of: XMP title, IPTC title, XMP description, IPTC caption, EXIF description; None without any."""
    try:
        with warnings.catch_warnings(action="ignore"), opened(path) as stream:
            found = dict(_texts(stream))
    except (*UNREADABLE, Image.DecompressionBombError):
        return None
    texts = (found.get(kind, "").strip() for kind in ("title", "iptc title", "description", "iptc caption", "exif"))
    return next((text for text in texts if text), None)


def _texts(stream: BinaryIO) -> Iterator[tuple[str, str]]:
    xmp = xmp_of(stream)
    for kind, text in _XMP.findall(xmp.encode() if isinstance(xmp, str) else xmp or b""):
        yield kind.decode(), unescape(text.decode("utf-8", "replace"))
    stream.seek(0)
    with Image.open(stream) as image:
        iptc: dict[tuple[int, int], Any] = IptcImagePlugin.getiptcinfo(image) or {}  # pyright: ignore[reportArgumentType]
        exif = image.getexif()
    for kind, place in (("iptc title", _IPTC_TITLE), ("iptc caption", _IPTC_CAPTION)):
        value = iptc.get(place)
        first = value[0] if isinstance(value, list) else value
        if first:
            yield kind, _decoded(first)
    title, description = exif.get(_EXIF_TITLE), exif.get(_EXIF_DESCRIPTION)
    if isinstance(title, bytes):
        yield "exif", title.decode("utf-16-le", "replace").rstrip("\0")
    elif description:
        yield "exif", str(description)


def _decoded(value: bytes) -> str:
    """IPTC text: UTF-8 where it is, else Latin-1."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")
