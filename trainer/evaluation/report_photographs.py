"""Pictures of results: photographs in several phrases.

Committed sheets are made of scikit-image's bundled photographs; sheets of other pictures belong in a folder that git
ignores. Must not import networks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image

from t2c_engine.colorization.batch import preview, without_colour
from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.colorization.encoded_picture import Encoded
from t2c_engine.files import write_file
from t2c_engine.palettes.palette import Palette
from t2c_engine.palettes.sampler import PaletteRequest, PaletteSampler
from t2c_engine.palettes.swatches import contact_sheet
from t2c_engine.pictures.picture import Picture, read_picture, small_lightness, small_srgb
from t2c_engine.rendering.guided_upsampling import render
from trainer.common.run_log import track

PHOTOGRAPH_PHRASES = (
    "autumn breeze and falling leaves",
    "deep sea at night",
    "pastel candy heart",
    "spring meadow",
    "desert sunset",
    "vintage film",
    "purple rain",
)
PHOTOGRAPHS = (
    "astronaut.png",
    "chelsea.png",
    "coffee.png",
    "rocket.jpg",
    "motorcycle_left.png",
    "camera.png",
    "coins.png",
    "moon.png",
)
SHOWN_SIDE = 400  # short side of a picture on a sheet, px


def bundled_photographs() -> list[Path]:
    """Photographs that come with scikit-image; some are grey."""
    import skimage

    folder = Path(skimage.__file__).parent / "data"
    return [folder / name for name in PHOTOGRAPHS if (folder / name).exists()]


def photograph_sheets(paths: Sequence[Path], out: Path, seed: int = 0) -> Iterator[Path]:
    """For each picture a sheet: grey, automatic, then the first palette of each phrase. Yields the sheets' paths."""
    sampler, colorizer = PaletteSampler.load(), Colorizer.load(device="auto")
    palettes: list[Palette | None] = [None]
    palettes += [sampler.sample(PaletteRequest(phrase, seed=seed)).palettes[0] for phrase in PHOTOGRAPH_PHRASES]
    captions = ["grey", "automatic", *PHOTOGRAPH_PHRASES]
    for path in track(paths, len(paths), "sheets"):
        picture = read_picture(path)
        small = Picture(pixels=small_srgb(picture, SHOWN_SIDE))
        lightness = small_lightness(picture, colorizer.short_side)
        maps = Encoded(colorizer, lightness).colours(palettes)
        coloured = [preview(render(small, ab)) for ab in maps]
        grey = without_colour(preview(small.pixels))
        sheet = contact_sheet([grey, *coloured], [None, *palettes], captions, path.stem)
        target = out / f"{path.stem}.jpg"
        write_file(target, _jpeg(sheet), overwrite=True)
        yield target


def _jpeg(picture: Image.Image) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()
