"""The dialog in the real GIMP on a screen of memory: phrase, swatches, lock, re-roll, stop, colour, undo, again.

Everything waits for what it needs, however long that takes, and for no time. With T2C_SCREENSHOTS set to a folder,
pictures of the way are left there.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gui import Gui, missing_programs, running, wait_for
from host import CHECKOUT, Host

sys.path.insert(0, str(CHECKOUT / "install"))
import plugin_files  # pyright: ignore[reportMissingImports]

MAIN = "Untitled"
TITLE = "^Colorize$"
SEARCH = "text2colors color the selected"  # found by the tooltip
# where things are in a window of the dialog's first size, px
ROW = 68  # from one row of palettes to the next
TICK = 619
# colors of the fake engine, see tests/fake_engine.py
RED = (0x8C, 0x2F, 0x1B)
FLAT = (0xD9, 0x8C, 0x3F)  # of a picture under its palette
NATURAL = (0x7A, 0x6A, 0x5A)  # of a picture without one
BLUE = (0, 0, 0xFF)  # of the dabs that `add_dabs` makes


@pytest.fixture(scope="module")
def gui(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gui]:
    missing = missing_programs()
    if missing:
        pytest.skip(f"no windows here: install {missing}")
    host = Host(root, tmp_path_factory.mktemp("gui"))  # of its own, for GIMP keeps the values last used
    plugin_files.copy_plugin(host.profile)
    with running(host, "") as started:
        started.tell(
            "image, layer = new_image(width=200, height=120)\n"
            "before = pixels(layer, 'Y u8')\n"
            "image.undo_disable(); image.undo_enable()\n"
            "display = Gimp.Display.new(image)"
        )
        started.window(MAIN)
        yield started


def use(gui: Gui, mode: str) -> None:
    """Set the fake engine, in one of its modes, as the user's engine, with an empty log."""
    folder = gui.host.share / "data" / "text2colors"
    plugin_files.write_json(folder / "engine.json", {"command": shlex.split(gui.host.fake_engine(mode))})
    (folder / "log" / "engine.log").unlink(missing_ok=True)


def says(gui: Gui, line: str, times: int = 1) -> None:
    """Wait until the engine has told something so many times."""
    log = gui.host.share / "data" / "text2colors" / "log" / "engine.log"
    told = lambda: log.read_text("utf-8").splitlines().count(line) if log.exists() else 0  # noqa: E731
    wait_for(lambda: told() >= times, f"the engine to tell '{line}' {times} times")


def shot(gui: Gui, name: str, window: str | None = None) -> None:
    folder = os.environ.get("T2C_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        gui.picture(window).save(Path(folder) / f"{name}.png")


def around(gui: Gui, window: str, left: int, top: int) -> Callable[[], bytes]:
    """What is shown around a place of a window; call it to look."""
    return lambda: gui.picture(window).crop((left - 14, top + 9, left + 14, top + 20)).tobytes()


def draw(gui: Gui, window: str) -> tuple[int, int]:
    """Type a phrase and wait for swatches and previews; where a swatch of the first row is."""
    gui.type("autumn breeze")
    gui.keys("Return")
    place = wait_for(lambda: gui.find_colour(window, RED), "swatches")
    wait_for(lambda: gui.find_colour(window, FLAT), "a preview")
    gui.settle()
    return place


def middle(gui: Gui, window: str) -> tuple[int, ...]:
    """The color in the middle of the large preview."""
    return gui.picture(window).convert("RGB").getpixel((299, 380))  # pyright: ignore[reportReturnType]


def close(gui: Gui, title: str = TITLE) -> None:
    gui.keys("Escape")
    wait_for(lambda: gui.is_gone(title), "the dialog to close")


def test_the_way_from_the_picture_to_a_phrase_to_layers_and_back(gui: Gui) -> None:
    use(gui, "good")
    window = gui.open_dialog(MAIN, SEARCH, TITLE)
    wait_for(lambda: middle(gui, window) == NATURAL, "natural colors, before any word")
    shot(gui, "opened", window)
    left, top = draw(gui, window)
    assert middle(gui, window) == FLAT
    shot(gui, "swatches", window)

    # pointing at a row shows it large, and leaving it shows the chosen one again
    gui.xdotool("mousemove", "--window", window, "700", str(top - ROW))
    wait_for(lambda: middle(gui, window) == NATURAL, "the row that is pointed at")
    gui.xdotool("mousemove", "--window", window, "300", "5")
    wait_for(lambda: middle(gui, window) == FLAT, "the chosen row")

    # the padlock in the middle of a swatch locks the color; a double click is two clicks, and edits nothing
    swatch = around(gui, window, left, top + 9)
    gui.xdotool("mousemove", "--window", window, str(left), str(top + 9))
    gui.settle()
    before = swatch()
    gui.click(window, left, top + 9)
    gui.settle()
    assert swatch() != before, "the lock is drawn"
    shot(gui, "locked", window)
    gui.click(window, left, top + 9, times=2)
    gui.settle()
    assert gui.is_gone("Edit Color")
    gui.xdotool("mousemove", "--window", window, "300", "5")
    gui.keys("alt+r")
    says(gui, "answered palettes", 2)
    gui.settle()
    assert gui.find_colour(window, RED)

    # back and forward through what was drawn
    gui.keys("alt+Left")
    gui.settle()
    shot(gui, "back", window)
    gui.keys("alt+Right")
    gui.settle()

    # a click chooses a row alone, its tick besides others
    gui.click(window, TICK, top + ROW)
    gui.settle()
    shot(gui, "chosen", window)

    gui.keys("ctrl+Return")
    wait_for(lambda: gui.is_gone(TITLE), "the dialog to close")
    facts = gui.tell(
        "answer = {'groups': [g.get_name() for g in image.get_layers() if g.is_group()],"
        " 'children': [[c.get_name(), c.get_visible()] for c in image.get_layers()[0].get_children()],"
        " 'record': record(image.get_layers()[0].get_children()[0]), 'rgb': image.get_base_type().value_nick,"
        " 'colored': len(set(composite(image)[:3])) > 1}"
    )
    assert facts["groups"] == ["autumn breeze (Text2Colors)"] and facts["rgb"] == "rgb" and facts["colored"]
    assert facts["children"] == [["1 autumn breeze", True], ["2 autumn breeze", False]]
    assert facts["record"]["seed"] == 1 and facts["record"]["palette"][1] == "#8c2f1b"
    assert facts["record"]["strength"] == 0.65, "softer at first, for a grey photograph"
    assert facts["record"]["locked"] == [[1, "#8c2f1b"]]
    shot(gui, "colored")


def test_a_result_is_edited_from_its_original_or_itself(gui: Gui) -> None:
    use(gui, "good")
    window = gui.open_dialog(MAIN, "edit this result", TITLE)
    wait_for(lambda: gui.find_colour(window, RED), "the palettes of its phrase, without a word typed")
    gui.settle()
    shot(gui, "edited", window)
    close(gui)
    gui.xdotool("windowactivate", "--sync", gui.window(MAIN))
    gui.settle()
    gui.keys("ctrl+z")
    state = "answer = [image.get_base_type().value_nick, len(image.get_layers()), pixels(layer, 'Y u8') == before]"
    wait_for(lambda: gui.tell(state)[1] == 1, "the undo")
    assert gui.tell(state) == ["gray", 1, True]
    assert gui.is_gone("GIMP Message")


def test_again_takes_the_last_values_and_lies_on_top(gui: Gui) -> None:
    use(gui, "good")
    again = (
        "made = call(image, [layer], name='plug-in-text2colors-again')\n"
        "answer = [[one.get_name() for one in made], record(made[0])['palette'][1],"
        " [one.get_visible() for one in image.get_layers()]]"
    )
    names = ["1 autumn breeze", "2 autumn breeze"]
    assert gui.tell(again) == [names, "#8c2f1b", [True, True]]
    second = [f"{name} #1" for name in names]  # GIMP lets no two layers have one name
    assert gui.tell(again) == [second, "#8c2f1b", [True, False, True]]
    gui.tell("for one in image.get_layers()[:2]:\n    image.remove_layer(one)")


def test_stop_leaves_nothing_behind_and_previews_come_again(gui: Gui) -> None:
    use(gui, "endless")
    gui.tell(
        "for number in range(5):\n    image.insert_layer(layer.copy(), None, 0)\n"
        "image.set_selected_layers(image.get_layers()); Gimp.displays_flush()"
    )
    layers = gui.tell("answer = len(image.get_layers())")
    title = f"Colorize {layers} Layers"
    window = gui.open_dialog(MAIN, SEARCH, title)
    _, top = draw(gui, window)
    gui.click(window, TICK, top + ROW)
    gui.keys("ctrl+Return")
    says(gui, "asked for colorize")
    gui.settle()
    shot(gui, "working", window)
    gui.keys("alt+s")
    says(gui, "answered colorize")
    gui.settle()
    shot(gui, "stopped", window)
    assert not gui.is_gone(title)
    assert gui.tell("answer = len(image.get_layers())") == layers
    gui.xdotool("mousemove", "--window", window, "700", str(top - ROW))
    wait_for(lambda: middle(gui, window) == NATURAL, "a preview after the stop")
    close(gui, title)
    assert gui.tell("answer = len(image.get_layers())") == layers


def test_settings_corrected_while_the_dialog_is_open_count_at_the_next_try(gui: Gui) -> None:
    use(gui, "crash")
    gui.tell("image.set_selected_layers([layer]); Gimp.displays_flush()")
    window = gui.open_dialog(MAIN, SEARCH, TITLE)
    gui.settle()
    shot(gui, "error", window)
    use(gui, "good")
    draw(gui, window)
    close(gui)


def test_text_layers_are_read_and_left_alone(gui: Gui) -> None:
    use(gui, "good")
    names = gui.tell(
        "text = Gimp.TextLayer.new(image, 'words', Gimp.context_get_font(), 20.0, Gimp.Unit.pixel())\n"
        "image.insert_layer(text, None, 0)\n"
        "made = call(image, [text], phrase='words', count=1)\n"
        "answer = [made[0].get_name(), text.is_text_layer(), made[0].get_width() == text.get_width()]"
    )
    assert names == ["1 words", True, True]


def test_a_selected_hints_layer_stands_for_the_picture_below_and_previews_follow_it(gui: Gui) -> None:
    use(gui, "good")
    gui.tell(
        "for one in image.get_layers():\n    if one.get_id() != layer.get_id(): image.remove_layer(one)\n"
        "if image.get_base_type() != Gimp.ImageBaseType.RGB: image.convert_rgb()\n"
        "dabs = add_dabs(image, (120, 60), (40, 20), (10, 10, 50, 40))\n"
        "image.set_selected_layers([dabs]); Gimp.displays_flush()"
    )
    window = gui.open_dialog(MAIN, SEARCH, TITLE)
    draw(gui, window)
    wait_for(lambda: gui.find_colour(window, BLUE), "the dabs in the previews")
    gui.settle()
    shot(gui, "hints", window)

    gui.xdotool("windowactivate", "--sync", gui.window(MAIN))
    gui.tell("dabs.set_visible(False); dabs.fill(Gimp.FillType.TRANSPARENT); Gimp.displays_flush()")
    wait_for(lambda: not gui.find_colour(window, BLUE), "the previews to follow, the user still in the image")
    gui.xdotool("windowactivate", "--sync", window)
    gui.tell("image.remove_layer(dabs)\ndabs = add_dabs(image, (120, 60), (40, 20), (10, 10, 50, 40))")
    gui.xdotool("windowactivate", "--sync", gui.window(MAIN))
    gui.xdotool("windowactivate", "--sync", window)
    gui.settle()
    gui.keys("alt+i", "Down")
    wait_for(lambda: gui.find_colour(window, BLUE), "the new dabs in the previews")

    gui.keys("alt+f", "Home")
    gui.settle()
    shot(gui, "hint-reach", window)
    gui.keys("ctrl+Return")
    wait_for(lambda: gui.is_gone(TITLE), "the dialog to close")
    facts = (
        "child = image.get_layers()[-1 - 1].get_children()[0]\n"
        "kept = record(child)\n"
        "place = list(pixels(child)[(40 * 200 + 60) * 3:][:3])\n"
        "answer = [place, kept['hints'], kept['hint_reach'], dabs.get_visible()]"
    )
    assert gui.tell(facts) == [list(BLUE), "dabs", 0.0, False]
    again = "made = call(image, [layer], name='plug-in-text2colors-again')\nanswer = record(made[0])['hints']"
    assert gui.tell(again) == "dabs"
    gui.xdotool("windowactivate", "--sync", gui.window(MAIN))
    gui.settle()
    gui.keys("ctrl+z", "ctrl+z")
    wait_for(lambda: gui.tell("answer = [len(image.get_layers()), dabs.get_visible()]") == [2, True], "the undo")
    assert gui.is_gone("GIMP Message")


def test_the_preview_shows_color_in_the_selection_only(gui: Gui) -> None:
    use(gui, "good")
    gui.tell(
        "image.set_selected_layers([layer])\nimage.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 200, 40)\n"
        "image.remove_layer(dabs); Gimp.displays_flush()"
    )
    window = gui.open_dialog(MAIN, SEARCH, TITLE)
    draw(gui, window)
    shot(gui, "region", window)
    red, green, blue = middle(gui, window)
    assert red == green == blue, "the middle is not selected"
    close(gui)
    gui.tell("Gimp.Selection.none(image)")


def test_palettes_go_to_gimp_and_come_back_and_colours_are_edited(gui: Gui) -> None:
    use(gui, "good")
    window = gui.open_dialog(MAIN, SEARCH, TITLE)
    left, top = draw(gui, window)
    gui.keys("alt+v")
    names = "answer = [one.get_name() for one in Gimp.palettes_get_list('autumn breeze')]"
    wait_for(lambda: gui.tell(names), "the palette in GIMP")
    assert gui.tell(names) == ["autumn breeze 1"]
    saved = list((gui.host.profile / "palettes").glob("*.gpl"))
    assert len(saved) == 1 and "140  47  27" in saved[0].read_text("utf-8"), "written at once"

    gui.keys("alt+a")
    gui.settle()
    gui.keys("alt+g")
    gui.window("Use GIMP Palette")
    gui.settle()
    gui.type("autumn breeze")
    gui.settle()
    gui.keys("Tab", "Down", "Return")
    wait_for(lambda: gui.is_gone("Use GIMP Palette"), "the list of palettes to close")
    gui.settle()
    shot(gui, "own-palette", window)

    gui.click(window, left, top + 8, button="3")
    gui.settle()
    shot(gui, "row-menu")
    gui.keys("Down", "Right", "Return")  # the first color: edit it
    gui.window("Edit Color")
    gui.settle()
    shot(gui, "edit")
    gui.keys("Escape")
    wait_for(lambda: gui.is_gone("Edit Color"), "the editor to close")
    close(gui)


def test_the_set_up_check_can_be_read(gui: Gui) -> None:
    use(gui, "good")
    title = "Text2Colors Set-up Check"
    gui.open_dialog(MAIN, "set-up check", title)
    says(gui, "answered doctor")
    gui.settle()
    shot(gui, "check")
    gui.keys("Escape")
    wait_for(lambda: gui.is_gone(title), "the report to close")
