"""Results among the layers of an image on the real GIMP: a second one, regions, redo, what cannot be asked for.

The engine is the fake one, which gives the flat fourth color of the palette.
"""

from __future__ import annotations

from typing import Any

import pytest
from host import Host

WEAK = "#2b2a33,#6b4a40,#5b6b3a,#8d7f6b,#f2d8a7"
RED = "#2b2a33,#6b4a40,#5b6b3a,#a03020,#f2d8a7"

SCRIPT = f"""
def shown(image):
    def tree(layers):
        return [[one.get_name(), one.get_visible(), tree(one.get_children()) if one.is_group() else None]
                for one in layers]
    return tree(image.get_layers())

def texts(layer, name="plug-in-text2colors-about"):
    procedure = Gimp.get_pdb().lookup_procedure(name)
    config = procedure.create_config()
    config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
    config.set_property("image", layer.get_image())
    config.set_core_object_array("drawables", [layer])
    values = procedure.run(config)
    return values.index(1) if values.index(0) == Gimp.PDBStatusType.SUCCESS else Gimp.get_pdb().get_last_error()

image, layer = new_image("RGB")
say(no_result=texts(layer))
call(image, [layer], palettes={WEAK!r}, phrase="first")
first = composite(image)
made = call(image, [layer], palettes={RED!r}, phrase="second")
say(second=shown(image), second_seen=composite(image) != first, about=json.loads(texts(layer))["phrase"])
say(about_group=json.loads(texts(image.get_layers()[1]))["phrase"])
call(image, made, palettes={WEAK!r}, phrase="third")  # a result is selected, as after a redo
say(third=shown(image), selected=len(image.get_selected_layers()))
save(image, "/share/second.xcf")
again = load("/share/second.xcf")
call(again, [again.get_layers()[-1]], palettes="natural")
say(reloaded=[one[:2] for one in shown(again)], natural=record(again.get_layers()[0].get_children()[0])["palette"])

image, layer = new_image("RGB")
for index, phrase in enumerate(("coat", "sky")):
    image.select_rectangle(Gimp.ChannelOps.REPLACE, 32 * index, 0, 32, 64)
    call(image, [layer], palettes=({WEAK!r}, {RED!r})[index], phrase=phrase)
Gimp.Selection.none(image)
seen = composite(image)
at = lambda x: [seen[(30 * 64 + x) * 3 + c] for c in range(3)]
say(regions=shown(image), left=at(10), right=at(50), plain=len(set(at(10))) == 1)

image, layer = new_image()
hints = call(image, [layer], name="plug-in-text2colors-hints-layer")[0]
say(hints=shown(image), hints_base=image.get_base_type().value_nick, hints_alpha=max(pixels(hints, "A u8")),
    hints_selected=[one.get_name() for one in image.get_selected_layers()])

image, layer = new_image()
other, foreign = new_image()
wrong = [dict(count=0), dict(count=21), dict(seed=-1), dict(strength=5.0), dict(strength=-0.1)]
wrong += [dict(natural=1.5), dict(device="gpu9")]
for arguments in (*wrong, dict(result_mode="overlay")):
    (name, value), = arguments.items()
    say(**{{f"{{name}} {{value}}": attempt(image, [layer], phrase="x", **arguments)}})
say(foreign=attempt(image, [foreign], phrase="x"), foreign_left=len(other.get_layers()))
"""


@pytest.fixture(scope="module")
def facts(host: Host) -> dict[str, Any]:
    outcome = host.batch(SCRIPT, host.fake_engine("good"))
    assert outcome.code == 0, outcome.text[-3000:]
    return outcome.facts


def test_a_second_result_is_on_top_and_the_earlier_one_hidden(facts: dict[str, Any]) -> None:
    assert [one[:2] for one in facts["second"]] == [
        ["second (Text2Colors)", True],
        ["first (Text2Colors)", False],
        ["scan", True],
    ]
    assert facts["second_seen"], "the picture changes"


def test_a_selected_result_stands_for_its_original(facts: dict[str, Any]) -> None:
    assert [one[:2] for one in facts["third"]] == [
        ["third (Text2Colors)", True],
        ["second (Text2Colors)", False],
        ["first (Text2Colors)", False],
        ["scan", True],
    ]
    assert facts["selected"] == 1


def test_results_know_their_original_after_xcf(facts: dict[str, Any]) -> None:
    assert facts["reloaded"][:2] == [["natural colors (Text2Colors)", True], ["third (Text2Colors)", False]]
    assert facts["natural"] == []


def test_about_finds_the_result_that_can_be_seen(facts: dict[str, Any]) -> None:
    assert facts["about"] == "second" and facts["about_group"] == "first"
    assert "no results of Text2Colors yet" in facts["no_result"]


def test_regions_share_a_group_and_stay_visible(facts: dict[str, Any]) -> None:
    (group, visible, children), (scan, _, _) = facts["regions"]
    assert (group, visible, scan) == ("coat (Text2Colors)", True, "scan")
    assert [one[:2] for one in children] == [["1 sky", True], ["1 coat", True]]
    assert not facts["plain"] and facts["right"][0] - facts["right"][2] > facts["left"][0] - facts["left"][2] + 40


def test_a_new_hints_layer_makes_the_image_rgb_and_is_selected(facts: dict[str, Any]) -> None:
    assert [one[0] for one in facts["hints"]] == ["Color hints", "scan"]
    assert (facts["hints_base"], facts["hints_alpha"], facts["hints_selected"]) == ("rgb", 0, ["Color hints"])


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("count 0", "number of palettes is 0; it must lie between 1 and 20"),
        ("count 21", "number of palettes is 21"),
        ("seed -1", "seed is -1"),
        ("strength 5.0", "strength is 5.0; it must lie between 0.0 and 2.0"),
        ("strength -0.1", "strength is -0.1"),
        ("natural 1.5", "natural is 1.5; it must lie between 0.0 and 1.0"),
        ("device gpu9", "device 'gpu9' is unknown; choose one of auto, cpu, cuda, mps"),
        ("result_mode overlay", "result mode 'overlay' is unknown"),
        ("foreign", "belongs to another image"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_in_words(facts: dict[str, Any], case: str, words: str) -> None:
    assert words in facts[case]["error"] and facts[case]["layers"] == 1 and facts[case]["base"] == "gray"
    assert facts["foreign_left"] == 1
