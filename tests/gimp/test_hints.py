"""Colour hints on the real GIMP: a layer of dabs, wherever it lies, colours its places; what cannot be is said.

The engine is the fake one, which paints the dabs it is sent onto the flat fourth colour of the palette.
"""

from __future__ import annotations

from typing import Any

import pytest
from host import Host

WEAK = "#2b2a33,#6b4a40,#5b6b3a,#8d7f6b,#f2d8a7"
BLUE, FLAT = [0, 0, 255], [0x8D, 0x7F, 0x6B]


@pytest.fixture(scope="module")
def hinted(host: Host) -> dict[str, Any]:
    """Dabs in every place, and everything that is no layer of dabs: one run."""
    outcome = host.batch(
        f"""
WEAK = {WEAK!r}

def colours(layer, *places):
    data, width = pixels(layer), layer.get_width()
    return [list(data[(y * width + x) * 3:(y * width + x) * 3 + 3]) for x, y in places]

image, scan = new_image("RGB")
dabs = add_dabs(image, (64, 64), (0, 0), (8, 8, 24, 24))
made = call(image, [scan], palettes=WEAK + ";#000,#ff0000", hints=dabs, hint_reach=0.4)
say(plain=[colours(one, (16, 16), (48, 48)) for one in made], hidden=not dabs.get_visible(),
    kept=record(made[0])["hints"], reach=record(made[0])["hint_reach"])
say(alpha=pixels(dabs, "A u8")[10 * 64 + 10], blue=colours(dabs, (10, 10)))
shown = composite(image)
say(shown_blue=shown[(10 * 64 + 10) * 3 + 2] > shown[(10 * 64 + 10) * 3] + 30)
made = call(image, [scan], palettes=WEAK)
say(without=colours(made[0], (16, 16)), without_kept=record(made[0])["hints"],
    wrong_reach=attempt(image, [scan], palettes=WEAK, hints=dabs, hint_reach=1.5))

image, scan = new_image("RGB")
dabs = add_dabs(image, (20, 10), (40, 30), (0, 0, 20, 10))
made = call(image, [scan], palettes=WEAK, hints=dabs, result_mode="normal")
say(small=colours(made[0], (40, 30), (59, 39), (39, 30), (60, 39), (45, 29), (45, 40)))

image, scan = new_image("RGB", size=(33, 21), offset=(11, -7))
dabs = add_dabs(image, (100, 90), (-20, -15), (31, 8, 41, 18))  # its box begins at the scan's corner
made = call(image, [scan], palettes=WEAK, hints=dabs)
say(large=colours(made[0], (0, 0), (9, 9), (10, 0), (0, 10), (32, 20)))

image, scan = new_image("RGB", width=1300, height=700)
dabs = add_dabs(image, (1300, 700), (0, 0), (600, 200, 800, 400))
made = call(image, [scan], palettes=WEAK, hints=dabs)
say(shrunk=colours(made[0], (604, 204), (795, 395), (590, 300), (700, 190), (812, 300)))

image, scan = new_image("RGB")
other = Gimp.Layer.new(image, "other", 20, 20, Gimp.ImageType.RGB_IMAGE, 100, Gimp.LayerMode.NORMAL)
other.set_offsets(44, 44)
image.insert_layer(other, None, 0)
dabs = add_dabs(image, (20, 20), (0, 0), (0, 0, 20, 20))
made = call(image, [scan, other], palettes=WEAK, hints=dabs)
say(several=[colours(made[0], (5, 5)), colours(made[1], (5, 5))], several_kept=[record(one)["hints"] for one in made])

beside = add_dabs(image, (20, 20), (20, 20), (0, 0, 20, 20))
opaque = add_dabs(image, (20, 20), (0, 0), (0, 0, 20, 20), "RGB")
say(beside=attempt(image, [other], palettes=WEAK, hints=beside),
    opaque=attempt(image, [scan], palettes=WEAK, hints=opaque),
    itself=attempt(image, [scan], palettes=WEAK, hints=scan), still_shown=beside.get_visible())
second, layer = new_image("RGB")
say(elsewhere=attempt(second, [layer], palettes=WEAK, hints=dabs))
grey, scan = new_image()
dabs = add_dabs(grey, (64, 64), (0, 0), (0, 0, 9, 9), "GRAYA")
say(grey=attempt(grey, [scan], palettes=WEAK, hints=dabs))
""",
        host.fake_engine("good"),
    )
    assert outcome.code == 0, outcome.text[-3000:]
    return outcome.facts


def test_dabs_colour_their_place_under_every_palette(hinted: dict[str, Any]) -> None:
    assert hinted["plain"] == [[BLUE, FLAT], [BLUE, [255, 0, 0]]]
    assert hinted["shown_blue"] and hinted["without"] == [FLAT]


def test_the_reach_is_kept_and_one_out_of_range_refused(hinted: dict[str, Any]) -> None:
    assert hinted["reach"] == 0.4
    assert "reach of hints is 1.5; it must lie between 0.0 and 1.0" in hinted["wrong_reach"]["error"]


def test_the_layer_of_dabs_keeps_its_pixels_and_is_hidden_and_named(hinted: dict[str, Any]) -> None:
    assert hinted["hidden"] and hinted["alpha"] == 255 and hinted["blue"] == [BLUE]
    assert hinted["kept"] == "dabs" and hinted["without_kept"] == ""


def test_a_smaller_layer_of_dabs_colours_where_it_lies(hinted: dict[str, Any]) -> None:
    assert hinted["small"] == [BLUE, BLUE, FLAT, FLAT, FLAT, FLAT]


def test_of_a_larger_layer_only_what_lies_over_the_picture_counts(hinted: dict[str, Any]) -> None:
    assert hinted["large"] == [BLUE, BLUE, FLAT, FLAT, FLAT]


def test_dabs_on_a_large_picture_are_sent_small_and_stay_in_place(hinted: dict[str, Any]) -> None:
    assert hinted["shrunk"] == [BLUE, BLUE, FLAT, FLAT, FLAT]


def test_of_several_layers_those_below_the_dabs_get_them(hinted: dict[str, Any]) -> None:
    assert hinted["several"] == [[BLUE], [FLAT]] and hinted["several_kept"] == ["dabs", ""]


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("beside", "There is no color on 'dabs #1' over 'other'"),
        ("opaque", "is opaque; paint the color hints on a new, transparent layer"),
        ("itself", "'scan' is to be colored itself"),
        ("elsewhere", "are in another image"),
        ("grey", "A grey image holds no colors"),
    ],
)
def test_what_cannot_be_hints_is_said_in_words(hinted: dict[str, Any], case: str, words: str) -> None:
    assert words in hinted[case]["error"] and hinted[case]["error"].endswith(".")
    assert hinted["still_shown"]
