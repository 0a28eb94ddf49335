"""Colors from a reference on the real GIMP: a layer of another image, a file; what cannot be is said.

The engine is the fake one, which gives a picture the color in the middle of its reference.
"""

from __future__ import annotations

from typing import Any

import pytest
from host import Host

RED, GREEN = [0xC0, 0x40, 0x20], [0x20, 0x90, 0x40]


@pytest.fixture(scope="module")
def referred(host: Host) -> dict[str, Any]:
    """Every way to give a reference: one run."""
    outcome = host.batch(
        f"""
RED, GREEN = {RED!r}, {GREEN!r}

def colored(color):
    image = Gimp.Image.new(40, 30, Gimp.ImageBaseType.RGB)
    layer = Gimp.Layer.new(image, "postcard", 40, 30, Gimp.ImageType.RGB_IMAGE, 100, Gimp.LayerMode.NORMAL)
    buffer = layer.get_buffer()
    buffer.set(Gegl.Rectangle.new(0, 0, 40, 30), "R'G'B' u8", bytes(color) * 1200)
    buffer.flush()
    image.insert_layer(layer, None, 0)
    return image, layer

def middle(layer):
    data = pixels(layer)
    place = (layer.get_height() // 2 * layer.get_width() + layer.get_width() // 2) * 3
    return list(data[place:place + 3])

image, scan = new_image("RGB")
_, postcard = colored(RED)
other, _ = colored(GREEN)
save(other, "/share/summer.png")
made = call(image, [scan], reference=postcard, reference_files="/share/summer.png")
kept = [record(one) for one in made]
say(colors=[middle(one) for one in made], names=[one.get_name() for one in made],
    palettes=[one["palette"] for one in kept],
    extras=[json.loads(one["extra"]) for one in kept], number=postcard.get_id())
image, scan = new_image("RGB")
say(both=attempt(image, [scan], reference=postcard, phrase="autumn"),
    missing=attempt(image, [scan], reference_files="/share/nowhere.png"))
""",
        host.fake_engine("good"),
    )
    assert outcome.code == 0, outcome.text[-3000:]
    return outcome.facts


def test_a_layer_and_a_file_give_a_result_each(referred: dict[str, Any]) -> None:
    assert referred["colors"] == [RED, GREEN]
    assert referred["names"] == ["1 postcard", "2 summer"] and referred["palettes"] == [[], []]


def test_results_keep_what_they_were_made_like(referred: dict[str, Any]) -> None:
    layer, file = (one["reference"] for one in referred["extras"])
    assert layer == {"layer": referred["number"]} and file == {"file": "/share/summer.png"}


def test_a_reference_that_cannot_be_used_changes_nothing(referred: dict[str, Any]) -> None:
    for name, words in (("both", "one of them only"), ("missing", "nowhere.png")):
        assert words in referred[name]["error"] and referred[name]["layers"] == 1
