"""Grey in, colour out, on the real GIMP: kinds of image, precision, alpha, offsets, selection, what is kept.

The engine is the fake one, which gives each picture the flat fourth colour of the palette; so what is tested is the way
of pixels and layers. One run of GIMP serves many tests: the fixtures run the script, the tests look at what it told.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from host import Host
from PIL import Image
from skimage.color import rgb2lab

# weak colours, so that nearly every lightness of the gradient can be shown with them
WEAK = "#2b2a33,#6b4a40,#5b6b3a,#8d7f6b,#f2d8a7"
SIDE = 64
CASES = [
    ("GRAY", "U8_NON_LINEAR"),
    ("GRAY", "U16_NON_LINEAR"),
    ("GRAY", "U32_LINEAR"),
    ("GRAY", "FLOAT_LINEAR"),
    ("GRAY", "HALF_NON_LINEAR"),
    ("RGB", "U8_NON_LINEAR"),
    ("RGB", "U8_LINEAR"),
    ("RGB", "FLOAT_NON_LINEAR"),
]


@pytest.fixture(scope="module")
def coloured(host: Host) -> dict[str, Any]:
    """Every kind and precision coloured once; the facts and dumps of each case by its name."""
    outcome = host.batch(
        f"""
        for kind, precision in {CASES!r}:
            image, layer = new_image(kind, precision)
            name = kind + "-" + precision
            dump(f"/share/{{name}}.original", pixels(layer, "R'G'B' float"))
            dump(f"/share/{{name}}.before", pixels(layer, "CIE L float"))
            made = call(image, [layer], palettes={WEAK!r})
            dump(f"/share/{{name}}.after", composite(image, "CIE L float"))
            save(image, f"/share/{{name}}.png")
            dump(f"/share/{{name}}.untouched", pixels(layer, "R'G'B' float"))
            say(**{{name: {{"base": image.get_base_type().value_nick, "made": len(made),
                           "precision": image.get_precision().value_nick}}}})
            image.delete()
        """,
        host.fake_engine("good"),
    )
    assert outcome.code == 0, outcome.text[-3000:]
    return outcome.facts


@pytest.mark.parametrize(("kind", "precision"), CASES)
def test_grey_in_colour_out(host: Host, coloured: dict[str, Any], kind: str, precision: str) -> None:
    facts = coloured[f"{kind}-{precision}"]
    assert facts["base"] == "rgb" and facts["made"] == 1
    assert facts["precision"] == precision.lower().replace("_", "-")
    with Image.open(host.share / f"{kind}-{precision}.png") as picture:
        rgb = np.asarray(picture.convert("RGB"))
    chroma = np.hypot(*np.moveaxis(rgb2lab(rgb)[..., 1:], -1, 0))
    expected = np.hypot(*rgb2lab(np.array([[[0x8D, 0x7F, 0x6B]]]) / 255.0)[0, 0, 1:])
    assert np.median(chroma) == pytest.approx(expected, abs=2.0)


@pytest.mark.parametrize(("kind", "precision"), CASES)
def test_the_original_keeps_its_pixels(host: Host, coloured: dict[str, Any], kind: str, precision: str) -> None:
    name = f"{kind}-{precision}"
    before, after = (np.fromfile(host.share / f"{name}.{end}", np.float32) for end in ("original", "untouched"))
    if kind == "GRAY" and not precision.startswith(("U8", "U16")):  # GIMP's own conversion from grey to RGB rounds
        np.testing.assert_allclose(after, before, atol=1e-3 if precision.startswith("HALF") else 1e-6)
    else:
        np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize(("kind", "precision"), CASES)
def test_the_composite_keeps_the_lightness(host: Host, coloured: dict[str, Any], kind: str, precision: str) -> None:
    name = f"{kind}-{precision}"
    before, after = (np.fromfile(host.share / f"{name}.{end}", np.float32) for end in ("before", "after"))
    # rows are top to bottom in both; dark pixels of an 8-bit linear image are 13 levels apart in L
    assert np.abs(before - after).mean() <= (0.3 if precision != "U8_LINEAR" else 0.6)


@pytest.fixture(scope="module")
def placed(host: Host) -> dict[str, Any]:
    """Alpha, offsets, selection, masks, groups: one run."""
    outcome = host.batch(
        f"""
        def outside(image, data, box):
            side = image.get_width()
            left, top, right, bottom = box
            return [data[(y * side + x) * 3:(y * side + x) * 3 + 3] for y in range(side) for x in range(side)
                    if not (left <= x < right and top <= y < bottom)]

        def grey(triples):
            return all(len(set(one)) == 1 for one in triples)

        image, layer = new_image("RGB", alpha=True)
        under = Gimp.Layer.new(image, "under", 64, 64, Gimp.ImageType.RGB_IMAGE, 100, Gimp.LayerMode.NORMAL)
        under.fill(Gimp.FillType.WHITE)
        image.insert_layer(under, None, 1)
        call(image, [layer], palettes={WEAK!r})
        data = composite(image)
        left = b"".join(data[y * 192:y * 192 + 48] for y in range(64))
        right = b"".join(data[y * 192 + 48:y * 192 + 192] for y in range(64))
        say(alpha_left_white=set(left) == {{255}}, alpha_right_coloured=len(set(right[300:303])) > 1)

        image, layer = new_image("RGB", alpha=True)
        made = call(image, [layer], palettes={WEAK!r}, result_mode="normal")
        say(normal_alpha=pixels(made[0], "A u8") == pixels(layer, "A u8"),
            normal_mode=made[0].get_mode().value_nick, normal_coloured=len(set(pixels(made[0])[3000:3003])) > 1)

        image, layer = new_image(size=(33, 21), offset=(11, -7))
        made = call(image, [layer], palettes={WEAK!r})
        data = composite(image)
        say(offset=list(made[0].get_offsets())[1:], size=[made[0].get_width(), made[0].get_height()])
        inside = data[(3 * 64 + 20) * 3:(3 * 64 + 20) * 3 + 3]
        say(offset_coloured=len(set(inside)) > 1)

        image, layer = new_image("RGB")
        image.set_color_profile(Gimp.ColorProfile.new_rgb_adobe())
        before = pixels(layer, "CIE L float")
        call(image, [layer], palettes={WEAK!r})
        after = composite(image, "CIE L float")
        say(profile=image.get_color_profile().get_label(), profile_coloured=len(set(composite(image)[3000:3003])) > 1)
        dump("/share/profile.before", before)
        dump("/share/profile.after", after)

        image, layer = new_image(size=(150, 90), offset=(-20, -10))
        made = call(image, [layer], palettes={WEAK!r})
        say(large=[made[0].get_width(), made[0].get_height(), *list(made[0].get_offsets())[1:]])

        image, layer = new_image()
        before = composite(image, "R'G'B' u8")
        image.select_rectangle(Gimp.ChannelOps.REPLACE, 8, 16, 30, 20)
        made = call(image, [layer], palettes={WEAK!r})
        after = composite(image)
        box = (8, 16, 38, 36)
        say(outside_same=outside(image, before, box) == outside(image, after, box),
            inside_coloured=len(set(after[(20 * 64 + 20) * 3:(20 * 64 + 20) * 3 + 3])) > 1,
            has_mask=made[0].get_mask() is not None, selection=list(Gimp.Selection.bounds(image))[2:])

        image, layer = new_image()
        mask = layer.create_mask(Gimp.AddMaskType.BLACK)
        layer.add_mask(mask)
        image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 32, 64)
        mask.edit_fill(Gimp.FillType.WHITE)
        image.select_rectangle(Gimp.ChannelOps.REPLACE, 16, 0, 48, 64)
        made = call(image, [layer], palettes={WEAK!r})
        data = pixels(made[0].get_mask(), "Y u8")
        say(joint_mask=[data[x] for x in (8, 24, 40)], selection_back=list(Gimp.Selection.bounds(image))[2:],
            channels=len(image.get_channels()))

        image, layer = new_image()
        image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 5, 5)
        layer.set_offsets(30, 30)
        say(beside=attempt(image, [layer], palettes={WEAK!r}))
        """,
        host.fake_engine("good"),
    )
    assert outcome.code == 0, outcome.text[-3000:]
    return outcome.facts


def test_transparent_parts_stay_as_they_were(placed: dict[str, Any]) -> None:
    assert placed["alpha_left_white"] and placed["alpha_right_coloured"]


def test_a_normal_layer_carries_the_transparency(placed: dict[str, Any]) -> None:
    assert placed["normal_alpha"] and placed["normal_coloured"] and placed["normal_mode"] == "normal"


def test_layers_smaller_and_larger_than_the_image_keep_place_and_size(placed: dict[str, Any]) -> None:
    assert placed["offset"] == [11, -7] and placed["size"] == [33, 21] and placed["offset_coloured"]
    assert placed["large"] == [150, 90, -20, -10]


def test_an_image_with_another_profile_keeps_profile_and_lightness(host: Host, placed: dict[str, Any]) -> None:
    assert "Adobe" in placed["profile"] or "Compatible" in placed["profile"]
    before, after = (np.fromfile(host.share / f"profile.{end}", np.float32) for end in ("before", "after"))
    assert placed["profile_coloured"] and np.abs(before - after).mean() <= 0.3


def test_outside_the_selection_nothing_changes(placed: dict[str, Any]) -> None:
    assert placed["outside_same"] and placed["inside_coloured"] and placed["has_mask"]
    assert placed["selection"] == [8, 16, 38, 36]


def test_selection_and_the_layers_own_mask_count_together(placed: dict[str, Any]) -> None:
    assert placed["joint_mask"] == [0, 255, 0]
    assert placed["selection_back"] == [16, 0, 64, 64] and placed["channels"] == 0


def test_a_selection_beside_the_layer_is_refused_in_words(placed: dict[str, Any]) -> None:
    assert "selection does not touch" in placed["beside"]["error"]
    assert placed["beside"]["layers"] == 1 and placed["beside"]["base"] == "gray"


@pytest.fixture(scope="module")
def kept(host: Host) -> dict[str, Any]:
    """Names, records, groups, several layers, odd layers, bad requests: one run."""
    outcome = host.batch(
        """
        image, layer = new_image()
        made = call(image, [layer], phrase="  autumn   breeze ", count=3, seed=7, strength=0.5)
        save(image, "/share/kept.xcf")
        again = load("/share/kept.xcf")
        group = again.get_layers()[0]
        child = group.get_children()[1]
        about = Gimp.get_pdb().lookup_procedure("plug-in-text2colors-about")
        config = about.create_config()
        config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
        config.set_property("image", again)
        config.set_core_object_array("drawables", [child])
        say(group=group.get_name(), group_mode=group.get_mode().value_nick,
            names=[one.get_name() for one in group.get_children()], modes=[one.get_mode().value_nick for one in made],
            visible=[one.get_visible() for one in group.get_children()], record=record(child),
            about=json.loads(about.run(config).index(1)),
            selected=[one.get_name() for one in image.get_selected_layers()])
        image.remove_layer(layer)
        say(on_result=attempt(image, [made[0]], phrase="x"))

        image, first = new_image(width=32, height=32)
        folder = Gimp.GroupLayer.new(image, "folder")
        image.insert_layer(folder, None, 0)
        layers = [first]
        for number in range(9):
            one = first.copy()
            one.set_visible(number % 2 == 0)
            one.set_lock_content(number == 3)
            image.insert_layer(one, folder, 0)
            layers.append(one)
        made = call(image, [folder, first], name="plug-in-text2colors-layers", phrase="album", count=2)
        say(ten=len(made), groups=sum(one.is_group() for one in folder.get_children()),
            hidden=sorted(one.get_visible() for one in folder.get_children() if one.is_group()))
        made = call(image, [folder, first], name="plug-in-text2colors-layers", phrase="album", count=1,
                    same_palettes=False)
        say(own_seeds=sorted(record(one)["seed"] for one in made))

        say(as_picture=len(call(image, [folder], phrase="folder", count=1)))

        image, layer = new_image("RGB")
        image.convert_indexed(Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.GENERATE, 8, False, False, "")
        say(indexed=attempt(image, [layer], phrase="x"))
        image, layer = new_image()
        channel = Gimp.Channel.new(image, "a channel", 64, 64, 50, Gegl.Color.new("red"))
        image.insert_channel(channel, None, 0)
        say(channel=attempt(image, [channel], phrase="x"), nothing=attempt(image, [layer]),
            colour=attempt(image, [layer], palettes="#12,red"))
        say(two=len(call(image, [layer], palettes="#123;#abc,#def")))
        say(again=attempt(image, [layer], name="plug-in-text2colors-again"))
        """,
        host.fake_engine("good"),
    )
    assert outcome.code == 0, outcome.text[-3000:]
    return outcome.facts


def test_one_group_a_layer_and_one_layer_a_palette(kept: dict[str, Any]) -> None:
    assert kept["group"] == "autumn breeze (Text2Colors)" and kept["group_mode"] == "pass-through"
    assert kept["names"] == ["1 autumn breeze", "2 autumn breeze", "3 autumn breeze"]
    assert kept["modes"] == ["lch-color"] * 3 and kept["visible"] == [True, False, False]
    assert kept["selected"] == ["scan"]


def test_what_is_needed_to_repeat_a_result_survives_xcf(kept: dict[str, Any]) -> None:
    record = kept["record"]
    assert record["phrase"] == "autumn   breeze" and record["number"] == 2 and record["seed"] == 7
    assert record["strength"] == 0.5 and record["mode"] == "colour" and "fake 1" in record["model"]
    assert len(record["palette"]) == 5 and record["version"] == "fake"
    assert kept["about"] == record


def test_ten_layers_in_one_call(kept: dict[str, Any]) -> None:
    assert kept["ten"] == 20 and kept["groups"] == 9
    assert kept["hidden"] == [False] * 4 + [True] * 5
    assert kept["own_seeds"] == list(range(10))


def test_a_group_can_be_coloured_as_one_picture(kept: dict[str, Any]) -> None:
    assert kept["as_picture"] == 1


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("on_result", "is a result of Text2Colors whose original is no longer there"),
        ("indexed", "indexed"),
        ("channel", "is a channel, not a layer"),
        ("nothing", "There is nothing to color with"),
        ("colour", "'#12' is not a color"),
        ("again", "no last values"),
    ],
)
def test_what_cannot_be_done_is_said_in_words(kept: dict[str, Any], case: str, words: str) -> None:
    assert words in kept[case]["error"]


def test_palettes_override_the_phrase(kept: dict[str, Any]) -> None:
    assert kept["two"] == 2


def test_every_format_name_is_known_to_babl(host: Host) -> None:
    """An unknown name would end the plug-in; GIMP is not called, so the module is read as text."""
    import ast

    source = (
        Path(__file__).parents[2] / "gimp_plugin" / "text2colors" / "t2c_plugin" / "image" / "layers.py"
    ).read_text("utf-8")
    names = {
        node.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.endswith((" u8", " u16", " float"))
    }
    babl = {name for name in names if "'" in name or name.startswith("A ")}
    assert len(babl) == 12
    outcome = host.batch(
        f"from gi.repository import Babl\nsay(missing=[n for n in {sorted(babl)!r} if not Babl.format_exists(n)])"
    )
    assert outcome.facts["missing"] == []
