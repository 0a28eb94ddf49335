"""The pictures an editor has sent, kept under a key, with what has been worked out for each.

So that a second try sends nothing and encodes nothing again. Must not import torch or know of frames.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

import numpy as np

from t2c_engine.color.samples import full_scale, to_unit
from t2c_engine.colorization.encoded_picture import Encoded
from t2c_engine.colorization.hints import Hints, hints_from_pixels
from t2c_engine.colorization.reference import Reference, reference_of
from t2c_engine.errors import PictureError, UsageError
from t2c_engine.pictures.picture import Picture, small_lightness
from t2c_engine.pictures.resize import resize
from t2c_engine.serving.protocol import MAX_PICTURE_SIDE, PIXEL_FORMATS, Buffer

MAX_BYTES = 400_000_000  # of pixels held; the newest picture is held whatever its size
MAX_PICTURES = 16
MAX_ENCODED = 4  # of one picture, by colourisers of different devices and styles


def read_pixels(blob: Buffer, width: int, height: int, format: str) -> np.ndarray:
    """Raw bytes as H x W, H x W x 3 or (hints) H x W x 4: uint8, uint16, or float32 clipped to 0..1 (NaN becomes 0).

    Raises:
        PictureError: the format is unknown, a side impossible, or the bytes are too many or too few.
    """
    layout = PIXEL_FORMATS.get(format)
    if layout is None:
        raise PictureError(f"The pixel format '{format}' is unknown; send one of {', '.join(PIXEL_FORMATS)}.")
    if not (0 < width <= MAX_PICTURE_SIDE and 0 < height <= MAX_PICTURE_SIDE):
        raise PictureError(f"A picture cannot have {width} x {height} pixels; send at most {MAX_PICTURE_SIDE} a side.")
    size = memoryview(blob).nbytes
    if size != layout.size(width, height):
        raise PictureError(
            f"{size} bytes are no {width} x {height} picture in '{format}', which takes {layout.size(width, height)}."
        )
    little = np.dtype(layout.sample).newbyteorder("<")
    pixels = np.frombuffer(blob, little).astype(layout.sample, copy=False)
    if pixels.dtype.kind == "f":
        pixels = np.clip(np.nan_to_num(pixels, nan=0.0, posinf=1.0, neginf=0.0), 0, 1)
    return pixels.reshape((height, width) if layout.channels == 1 else (height, width, layout.channels))


def format_of(pixels: np.ndarray) -> str:
    """The name of the format of H x W or H x W x 3 pixels."""
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    for name, layout in PIXEL_FORMATS.items():
        if layout.channels == channels and layout.sample == pixels.dtype.name:
            return name
    raise ValueError(f"no pixel format holds {pixels.dtype} with {channels} channels")


class HeldPicture:
    """A picture with its small versions, encodings and colours, each worked out once. For one thread at a time."""

    def __init__(self, pixels: np.ndarray) -> None:
        self.picture = Picture(pixels[..., :3], pixels[..., 3]) if pixels.shape[2:] == (4,) else Picture(pixels)
        self._hints: Hints | None = None
        self._reference: Reference | None = None
        self._reduced: dict[tuple[int, int], Picture] = {}
        self._encoded: dict[int, Encoded] = {}

    @property
    def hints(self) -> Hints:
        """The picture as hints.

        Raises:
            UsageError: it has no opacity.
        """
        if self._hints is None:
            if self.picture.alpha is None:
                raise UsageError("Hints must be sent in the pixel format 'RGBA u8'.")
            self._hints = hints_from_pixels(to_unit(self.picture.pixels), to_unit(self.picture.alpha))
        return self._hints

    @property
    def reference(self) -> Reference:
        """The picture as a reference.

        Raises:
            PictureError: it is tiny, or has no colors.
        """
        if self._reference is None:
            self._reference = reference_of(self.picture, "picture")
        return self._reference

    def reduced(self, max_side: int) -> Picture:
        """The picture in 8 bits, at most `max_side` px on its long side."""
        height, width = self.picture.size
        scale = min(1.0, max_side / max(height, width))
        size = max(1, round(height * scale)), max(1, round(width * scale))
        if size not in self._reduced:
            pixels = self.picture.pixels
            if size != (height, width) or pixels.dtype != np.uint8:
                pixels = np.rint(resize(pixels, size) * np.float32(255 / full_scale(pixels.dtype))).astype(np.uint8)
            self._reduced[size] = Picture(pixels)
        return self._reduced[size]

    def encoded(self, colorizer: Any) -> Encoded:
        """The picture as a colouriser sees it."""
        known = self._encoded.get(id(colorizer))
        if known is None or known.colorizer is not colorizer:
            known = Encoded(colorizer, small_lightness(self.picture, colorizer.short_side))
            while len(self._encoded) >= MAX_ENCODED:  # each keeps its network
                del self._encoded[next(iter(self._encoded))]
            self._encoded[id(colorizer)] = known
        return known


class PictureStore:
    """Pictures by key; the one used longest ago goes first when there is no more room. For several threads."""

    def __init__(self, max_bytes: int = MAX_BYTES, max_pictures: int = MAX_PICTURES) -> None:
        self._max_bytes = max_bytes
        self._max_pictures = max_pictures
        self._held: OrderedDict[str, HeldPicture] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, key: str, pixels: np.ndarray) -> None:
        """Hold a picture."""
        with self._lock:
            self._held[key] = HeldPicture(pixels)
            self._held.move_to_end(key)
            while len(self._held) > 1 and (len(self._held) > self._max_pictures or self._bytes() > self._max_bytes):
                self._held.popitem(last=False)

    def get(self, key: str) -> HeldPicture:
        """The picture of that key.

        Raises:
            UnknownPictureError: it is not held, or no longer.
        """
        with self._lock:
            if key not in self._held:
                raise UnknownPictureError("The picture is not, or no longer, held by the engine; send it again.")
            self._held.move_to_end(key)
            return self._held[key]

    def _bytes(self) -> int:
        return sum(one.picture.pixels.nbytes for one in self._held.values())


class UnknownPictureError(UsageError):
    """A key names no picture that is held."""
