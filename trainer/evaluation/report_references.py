"""A picture of colors from references: scikit-image's photographs, each in the colors of others.

Must not import networks.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from PIL import Image

from t2c_engine.batch.previews import preview, without_color
from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.colorization.encoded_picture import Encoded
from t2c_engine.colorization.reference import read_reference
from t2c_engine.files import write_file
from t2c_engine.palettes.swatches import contact_sheet
from t2c_engine.pictures.picture import Picture, read_picture, small_lightness, small_srgb
from t2c_engine.rendering.guided_upsampling import render

FILE = "references.jpg"
TARGETS = ("motorcycle_left.png", "chelsea.png", "coffee.png")
REFERENCES = ("motorcycle_right.png", "chelsea.png", "coffee.png", "rocket.jpg")
SHEET_SIDE = 300  # short side of a picture on the sheet, px
QUALITY = 85


def reference_sheet(out: Path) -> Path:
    """A row a target: it in grey, then in the colors of each reference; the references in the first row."""
    import skimage

    data = Path(skimage.__file__).parent / "data"
    colorizer = Colorizer.load(device="auto")
    shown = [(Image.new("RGB", (SHEET_SIDE, SHEET_SIDE), "white"), "")]
    shown += [(preview(small_srgb(read_picture(data / name), SHEET_SIDE)), name) for name in REFERENCES]
    for name in TARGETS:
        picture = read_picture(data / name)
        small = Picture(pixels=small_srgb(picture, SHEET_SIDE))
        lightness = small_lightness(picture, colorizer.short_side)
        references = [read_reference(data / other) for other in REFERENCES]
        shown.append((without_color(preview(small.pixels)), name))
        for other, ab in zip(REFERENCES, Encoded(colorizer, lightness).ab_maps(references), strict=True):
            shown.append((preview(render(small, ab)), f"like {other}"))
    pictures, captions = zip(*shown, strict=True)
    sheet = contact_sheet(pictures, [None] * len(shown), captions, columns=len(REFERENCES) + 1)
    stream = BytesIO()
    sheet.convert("RGB").save(stream, "JPEG", quality=QUALITY)
    write_file(out / FILE, stream.getvalue(), overwrite=True)
    return out / FILE
