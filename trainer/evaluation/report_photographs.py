"""Pictures of results: photographs in phrases and in diverse colours, old photographs of people in palettes too.

Committed sheets are made of scikit-image's bundled photographs; sheets of other pictures belong in a folder that git
ignores. Must not import networks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image

from t2c_engine.batch.previews import preview, without_color
from t2c_engine.colorization.color_source import Variation
from t2c_engine.colorization.colorizer import Colorizer
from t2c_engine.colorization.encoded_picture import Encoded
from t2c_engine.errors import PictureError
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
DIVERSE_PHOTOGRAPHS = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg")
DIVERSE_COUNT, DIVERSE_SEED, DIVERSE_SIDE = 5, 3, 200  # variations of a photograph; its short side, px
OLD_FOLDER = "old_bw"
OLD_PHOTOGRAPHS = (  # with people large enough to see skin and cloth
    "1895BikeMaidens.jpg",
    "1896NewsBoyGirl.jpg",
    "1907Cowboys.jpg",
    "1910Bike.jpg",
    "1920sDancing.jpg",
    "Cork1905.jpg",
    "Dolores1920s.jpg",
    "EasterNyc1911.jpg",
    "FarmWomen1895.jpg",
    "HalloweenEarly1900s.jpg",
    "Helen_Keller_meeting_Charlie_Chaplin_in_1919.jpg",
    "LewisTomalinLondon1895.jpg",
    "LondonFireBrigadeMember1926.jpg",
    "MementoMori1865.jpg",
    "MuffinManlLondon1910.jpg",
    "NativeCouple1912.jpg",
    "NewspaperCivilWar1863.jpg",
    "NorwegianBride1920s.jpg",
    "SenecaNative1908.jpg",
    "VictorianDragQueen1880s.jpg",
    "WaterfordIreland1909.jpg",
)
OLD_PHRASES = (
    "autumn breeze and falling leaves",
    "deep sea at night",
    "spring meadow",
    "vintage film",
    "pastel candy heart",
)
OLD_PALETTES = {  # fixed, so that one network's sheets compare with another's
    "blues": ("#0b1f3a", "#1f4e79", "#3f7cac", "#95b8d1", "#e8eef2"),
    "sea and sand": ("#01324a", "#0f6e84", "#3fb8af", "#f2e2b3", "#f7f3e9"),
    "autumn leaves": ("#3b1f0f", "#8c3b1a", "#d9822b", "#e9c46a", "#6b7d3a"),
    "garden": ("#22331d", "#5b7f4a", "#b5c99a", "#d77a8b", "#f4e6e3"),
    "velvet": ("#2b1b3d", "#7a1f3d", "#b8860b", "#2f6f73", "#ede3d0"),
}
SHEET_SIDE = 400  # short side of a picture on a sheet, px


def bundled_photographs() -> list[Path]:
    """Photographs that come with scikit-image; some are grey."""
    import skimage

    folder = Path(skimage.__file__).parent / "data"
    return [folder / name for name in PHOTOGRAPHS if (folder / name).exists()]


def photograph_sheets(paths: Sequence[Path], out: Path, seed: int = 0) -> Iterator[Path]:
    """For each picture a sheet: grey, automatic, then the first palette of each phrase. Yields the sheets' paths."""
    return _sheets(paths, out, _first_palettes(PHOTOGRAPH_PHRASES, seed))


def old_photograph_sheets(data: Path, out: Path, limit: int | None = None, seed: int = 0) -> Iterator[Path]:
    """For each old photograph of people a sheet: grey, automatic, in five phrases and in five fixed palettes.

    Args:
        data: folder of the evaluation pictures, with `OLD_FOLDER`.
        limit: only so many of `OLD_PHOTOGRAPHS`.

    Raises:
        PictureError: none of them is there.
    """
    paths = [path for name in OLD_PHOTOGRAPHS if (path := data / OLD_FOLDER / name).exists()]
    if not paths:
        raise PictureError(f"None of the old photographs of people was found in {data / OLD_FOLDER}.")
    fixed = {name: Palette.from_hex(codes, name) for name, codes in OLD_PALETTES.items()}
    return _sheets(paths[:limit], out, _first_palettes(OLD_PHRASES, seed) | fixed)


def diverse_sheet(path: Path, photographs: Sequence[Path]) -> Path:
    """Write a JPEG, a row a photograph; returns its path.

    Raises:
        PictureError: a photograph cannot be read. ModelError: a model is missing.
    """
    colorizer = Colorizer.load(device="cpu")
    rows = [_diverse_row(colorizer, one) for one in photographs if one.name in DIVERSE_PHOTOGRAPHS]
    sheet = Image.new("RGB", (max(row.width for row in rows), sum(row.height for row in rows)), "white")
    top = 0
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height
    write_file(path, _jpeg(sheet), overwrite=True)
    return path


def _diverse_row(colorizer: Colorizer, path: Path) -> Image.Image:
    """Grey, automatic and the variations, side by side."""
    picture = Picture(small_srgb(read_picture(path), DIVERSE_SIDE))
    encoded = Encoded(colorizer, small_lightness(picture, colorizer.short_side))
    wanted = [None, *(Variation(index, DIVERSE_COUNT, DIVERSE_SEED) for index in range(DIVERSE_COUNT))]
    results = [render(picture, ab, lightness=encoded.lightness) for ab in encoded.ab_maps(wanted)]
    shown = [without_color(preview(results[0])), *(preview(one) for one in results)]
    row = Image.new("RGB", (sum(one.width for one in shown), shown[0].height))
    left = 0
    for one in shown:
        row.paste(one, (left, 0))
        left += one.width
    return row


def _first_palettes(phrases: Sequence[str], seed: int) -> dict[str, Palette]:
    sampler = PaletteSampler.load()
    return {phrase: sampler.sample(PaletteRequest(phrase, seed=seed)).palettes[0] for phrase in phrases}


def _sheets(paths: Sequence[Path], out: Path, chosen: Mapping[str, Palette]) -> Iterator[Path]:
    """A sheet a picture: grey, automatic, then each of the palettes under its caption."""
    colorizer = Colorizer.load(device="auto")
    palettes: list[Palette | None] = [None, *chosen.values()]
    captions = ["grey", "automatic", *chosen]
    for path in track(paths, len(paths), "sheets"):
        picture = read_picture(path)
        small = Picture(pixels=small_srgb(picture, SHEET_SIDE))
        lightness = small_lightness(picture, colorizer.short_side)
        maps = Encoded(colorizer, lightness).ab_maps(palettes)
        colored = [preview(render(small, ab)) for ab in maps]
        grey = without_color(preview(small.pixels))
        sheet = contact_sheet([grey, *colored], [None, *palettes], captions, path.stem)
        target = out / f"{path.stem}.jpg"
        write_file(target, _jpeg(sheet), overwrite=True)
        yield target


def _jpeg(picture: Image.Image) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()
