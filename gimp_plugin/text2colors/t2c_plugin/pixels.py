"""The one value type for pixels on their way between GIMP and the engine. Standard library only; must not import gi."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pixels:
    """Rows from the top without padding, channels interleaved, gamma-encoded sRGB.

    `format` is a name of the protocol's PIXEL_FORMATS: "Y u8", "RGB u16", "RGBA u8" ...
    """

    pixels: bytes
    width: int
    height: int
    format: str

    @property
    def channels(self) -> str:
        """ "Y", "RGB" or "RGBA"."""
        return self.format.split(" ")[0]

    @property
    def sample(self) -> str:
        """ "u8", "u16" or "float"."""
        return self.format.split(" ")[1]
