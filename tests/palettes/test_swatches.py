"""Swatches: sheets as pictures, lines on a terminal and in a pipe."""

import io

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from t2c_engine.cli.terminal import print_palettes, print_table, progress
from t2c_engine.errors import OutputError, PaletteError
from t2c_engine.palettes.palette import Palette
from t2c_engine.palettes.swatches import contact_sheet, swatch_sheet, write_swatch_sheet

AUTUMN = Palette.from_hex("#8c2f1b,#d98c3f,#f2d8a7,#5b6b3a,#2b2a33", "autumn")


def shares(picture: Image.Image, palette: Palette) -> list[float]:
    """The share of the picture's pixels that have each of the palette's colours exactly."""
    pixels = np.asarray(picture.convert("RGB"))
    return [float((pixels == color).all(-1).mean()) for color in palette.colors]


@pytest.mark.parametrize("title", ["", "autumn breeze", "mùa thu 🍂 осень", "long " * 200, "two\nlines\t"])
def test_a_sheet_shows_every_color_equally(title):
    sheet = swatch_sheet([AUTUMN, AUTUMN, AUTUMN], title)
    found = shares(sheet, AUTUMN)
    assert sheet.mode == "RGB" and min(found) > 0.09 and max(found) - min(found) < 0.005


def test_a_sheet_has_a_row_for_each_palette_and_text_for_each_code():
    one, two = swatch_sheet([AUTUMN]), swatch_sheet([AUTUMN, AUTUMN])
    assert two.height > one.height
    other = swatch_sheet([Palette.from_hex("#8c2f1b,#d98c3f,#f2d8a7,#5b6b3a,#2b2a34")])
    difference = np.abs(np.asarray(one, int) - np.asarray(other, int)).max(-1)
    assert (difference > 50).sum() > 5  # the last digit of one code
    for many in (1, 17, 300):
        assert swatch_sheet([Palette(((1, 2, 3),) * many)]).width == one.width
    with pytest.raises(PaletteError):
        swatch_sheet([])


def test_a_written_sheet_is_a_png_and_is_kept(tmp_path):
    write_swatch_sheet(tmp_path / "a.png", [AUTUMN], "autumn")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.format == "PNG"
    with pytest.raises(OutputError):
        write_swatch_sheet(tmp_path / "a.png", [AUTUMN])


def test_a_contact_sheet_shows_pictures_of_any_kind_with_their_palettes():
    pictures = [
        Image.new("RGB", (1200, 800), (200, 10, 10)),
        Image.new("L", (30, 90), 77),
        Image.new("RGBA", (40, 40), (0, 0, 0, 0)),
        Image.new("1", (1, 1)),
        Image.new("P", (4000, 2)),
    ]
    sheet = contact_sheet(pictures, [AUTUMN] * 4 + [None], ["a", "b", "ç", "d", "e"], "five results")
    assert sheet.size[0] < 1500 and sheet.size[1] < 1300
    assert min(shares(sheet, AUTUMN)) > 0.005
    red, grey = shares(sheet, Palette(((200, 10, 10), (77, 77, 77))))
    assert red * sheet.width * sheet.height == 400 * 267 and grey * sheet.width * sheet.height == 30 * 90
    with pytest.raises(ValueError):
        contact_sheet(pictures, [AUTUMN], [])


def printed(**settings) -> str:
    stream = io.StringIO()
    print_palettes(Console(file=stream, highlight=False, soft_wrap=True, **settings), [AUTUMN], "[bold]x[/] " * 30)
    return stream.getvalue()


def test_a_pipe_gets_plain_codes_on_one_line():
    assert printed() == "[bold]x[/] " * 30 + "\n  " + " ".join(AUTUMN.hex) + "\n"
    assert printed(force_terminal=True, no_color=True, color_system=None).endswith(" ".join(AUTUMN.hex) + "\n")


def test_a_terminal_gets_blocks_in_the_colors():
    text = printed(force_terminal=True, color_system="truecolor")
    for code, (red, green, blue) in zip(AUTUMN.hex, AUTUMN.colors, strict=True):
        assert f"48;2;{red};{green};{blue}m {code} " in text


def test_table_columns_line_up():
    stream = io.StringIO()
    print_table(Console(file=stream, highlight=False, soft_wrap=True), [("a", "one\ntwo"), ("long", "three")])
    assert stream.getvalue() == "  a     one\n        two\n  long  three\n"


def test_progress_is_silent_in_a_pipe(capfd):
    with progress(3) as bar, bar.paused():
        bar("x", advance=1)
    assert capfd.readouterr() == ("", "")
