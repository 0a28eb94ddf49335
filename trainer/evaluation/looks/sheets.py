"""Sheets of looks: a row a picture, grey, automatic colours, then every installed look.

Sheets of other pictures than scikit-image's belong in a folder that git ignores. Must not import networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from t2c_engine.batch.previews import preview, without_color
from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.colorization.encoded_picture import Encoded
from t2c_engine.colorization.looks import LookChoice, installed_looks
from t2c_engine.files import write_file
from t2c_engine.pictures.picture import Picture, read_picture, small_lightness, small_srgb
from t2c_engine.rendering.guided_upsampling import render
from trainer.common.run_log import track

TILE = 150  # px, longest side of a picture on a sheet
CAPTION = 16  # px, height of the line of names


def look_sheet(paths: Sequence[Path], out: Path, colorizer: Colorizer) -> Path:
    """Write a JPEG: a row for each picture, a column for each look; returns its path."""
    names = [one.name for one in installed_looks()]
    rows = [_row(path, names, colorizer) for path in track(list(paths), len(paths), "sheet")]
    columns = ["grey", "automatic", *names]
    sheet = Image.new("RGB", (TILE * len(columns), CAPTION + TILE * len(rows)), "white")
    draw = ImageDraw.Draw(sheet)
    for index, name in enumerate(columns):
        draw.text((index * TILE + 4, 2), name, fill="black")
    for number, row in enumerate(rows):
        for index, tile in enumerate(row):
            tile.thumbnail((TILE - 2, TILE - 2))
            left, top = index * TILE + (TILE - tile.width) // 2, CAPTION + number * TILE + (TILE - tile.height) // 2
            sheet.paste(tile, (left, top))
    buffer = BytesIO()
    sheet.save(buffer, "JPEG", quality=88)
    write_file(out, buffer.getvalue(), overwrite=True)
    return out


def _row(path: Path, names: Sequence[str], colorizer: Colorizer) -> list[Image.Image]:
    picture = read_picture(path)
    small = Picture(pixels=small_srgb(picture, 2 * TILE))
    encoded = Encoded(colorizer, small_lightness(picture, colorizer.short_side))
    automatic = next(encoded.ab_maps([None]))
    tiles = [without_color(preview(small.pixels)), preview(render(small, automatic))]
    for name in names:
        toned = encoded.toned(automatic, LookChoice(name))
        tiles.append(preview(np.asarray(render(small, toned.ab, curve=toned.curve))))
    return tiles
