"""Full-size results of one picture: network colors under palettes, hints and regions, rendered and blended.

Must not import the command line, nor write files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from t2c_engine.colorization.color_source import ColorSource, ResultColors, Variation
from t2c_engine.colorization.encoded_picture import Encoded
from t2c_engine.colorization.hints import Hints
from t2c_engine.colorization.overlays import blend, read_hints, read_mask
from t2c_engine.colorization.picture_palette import palette_of_lab
from t2c_engine.colorization.reference import Reference, read_reference
from t2c_engine.palettes.palette import Palette
from t2c_engine.pictures.picture import Picture, small_lightness
from t2c_engine.pictures.resize import resize
from t2c_engine.rendering.guided_upsampling import render


def compose(
    picture: Picture,
    source: ColorSource,
    results: Sequence[ResultColors],
    colorizer: Any,
    encoded: Encoded | None = None,
) -> Iterator[tuple[Palette, np.ndarray]]:
    """Palette and pixels (H x W x 3, the picture's type and space) of every result, one at a time.

    The palette of the network's own colors is taken from them, before a look changes them.

    Args:
        colorizer: a `Colorizer`; the picture is encoded once. encoded: the picture, if it has been encoded already.

    Raises:
        PictureError: hints, a mask or a reference cannot be used. ModelError: the picture is too large, or a look's
            file is damaged. UsageError: the look is not installed.
    """
    hints = None if source.hints is None else read_hints(source.hints, picture.size, source.hint_reach)
    masks = [read_mask(region.mask, picture.size) for region in source.regions]
    encoded = encoded or Encoded(colorizer, small_lightness(picture, colorizer.short_side))
    inner = [
        list(_maps(encoded, source, [one.regions[index] for one in results], hints)) for index in range(len(masks))
    ]
    if source.colors_outside_regions:
        base = [read_reference(one.reference) if one.reference else one.base for one in results]
        maps = _maps(encoded, source, base, hints)
    else:
        base = [None] * len(results)
        maps = iter([np.zeros_like(inner[0][0])] * len(results))
    for index, (given, ab) in enumerate(zip(base, maps, strict=True)):
        palette = given if isinstance(given, Palette) else _own_palette(encoded, source, given, hints, ab)
        parts, curve = [ab, *(others[index] for others in inner)], None
        if source.look is not None:
            toned = [encoded.toned(one, source.look) for one in parts]
            parts, curve = [one.ab for one in toned], toned[0].curve
        paint = partial(render, picture, lightness=encoded.lightness, curve=curve)
        pixels = paint(parts[0])
        for mask, other in zip(masks, parts[1:], strict=True):
            blend(pixels, mask, paint(other))
        yield palette, pixels


def _maps(
    encoded: Encoded,
    source: ColorSource,
    palettes: Sequence[Palette | Variation | Reference | None],
    hints: Hints | None,
) -> Iterator[np.ndarray]:
    """One ab map (h x w x 2) a palette or reference; the one place where a source's numbers meet the network."""
    return encoded.ab_maps(palettes, hints, source.strength, source.decoding, source.natural)


def _own_palette(
    encoded: Encoded, source: ColorSource, base: Variation | Reference | None, hints: Hints | None, ab: np.ndarray
) -> Palette:
    """The five colors of a result without a palette, at full strength."""
    if source.colors_outside_regions and source.strength != 1:
        ab = next(encoded.ab_maps([base], hints, decoding=source.decoding))
    small = resize(encoded.lightness, (ab.shape[0], ab.shape[1]))
    return palette_of_lab(np.concatenate((small[..., None], ab), -1))
