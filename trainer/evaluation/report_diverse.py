"""The picture of diverse colourings: photographs in grey, in automatic colour, and in five variations.

Made of scikit-image's bundled photographs. Must not import networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image

from t2c_engine.batch.previews import preview, without_color
from t2c_engine.colorization.color_source import Variation
from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.colorization.encoded_picture import Encoded
from t2c_engine.files import write_file
from t2c_engine.pictures.picture import Picture, read_picture, small_lightness, small_srgb
from t2c_engine.rendering.guided_upsampling import render

SHOWN = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg")
SIDE = 200  # short side of a picture on the sheet, px
COUNT, SEED = 5, 3


def diverse_sheet(path: Path, photographs: Sequence[Path]) -> None:
    """Write a JPEG: a row a photograph.

    Raises:
        PictureError: a photograph cannot be read. ModelError: a model is missing.
    """
    colorizer = Colorizer.load(device="cpu")
    rows = [_row(colorizer, one) for one in photographs if one.name in SHOWN]
    sheet = Image.new("RGB", (max(row.width for row in rows), sum(row.height for row in rows)), "white")
    top = 0
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height
    stream = BytesIO()
    sheet.save(stream, "JPEG", quality=86)
    write_file(path, stream.getvalue(), overwrite=True)


def _row(colorizer: Colorizer, path: Path) -> Image.Image:
    """Grey, automatic and the variations, side by side."""
    picture = Picture(small_srgb(read_picture(path), SIDE))
    encoded = Encoded(colorizer, small_lightness(picture, colorizer.short_side))
    wanted = [None, *(Variation(index, COUNT, SEED) for index in range(COUNT))]
    results = [render(picture, ab, lightness=encoded.lightness) for ab in encoded.ab_maps(wanted)]
    shown = [without_color(preview(results[0])), *(preview(one) for one in results)]
    row = Image.new("RGB", (sum(one.width for one in shown), shown[0].height))
    left = 0
    for one in shown:
        row.paste(one, (left, 0))
        left += one.width
    return row
