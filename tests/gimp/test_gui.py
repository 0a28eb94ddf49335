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
TITLE = "Colorize with Words"
# a colour of the fake engine's palette, see tests/fake_engine.py
ROW = 84  # px from one row of swatches to the next
RED = (0x8C, 0x2F, 0x1B)
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
    return lambda: gui.picture(window).crop((left - 14, top - 8, left + 14, top + 20)).tobytes()


def draw(gui: Gui, window: str) -> tuple[int, int]:
    """Type a phrase and wait for swatches and previews; where a swatch of the first row is."""
    gui.type("autumn breeze")
    gui.keys("Return")
    place = wait_for(lambda: gui.find_colour(window, RED), "swatches")
    says(gui, "answered preview", 2)  # the first makes the picture ready, before there is a phrase
    gui.settle()
    return place


def test_the_way_from_a_phrase_to_layers_and_back(gui: Gui) -> None:
    use(gui, "good")
    window = gui.open_dialog(MAIN, "colorize with words", TITLE)
    shot(gui, "opened", window)
    left, top = draw(gui, window)
    shot(gui, "swatches", window)

    # a click on a swatch locks the colour; the lock is drawn on it
    swatch = around(gui, window, left, top)
    before = swatch()
    gui.click(window, left, top)
    gui.xdotool("mousemove", "--window", window, "350", "5")
    wait_for(lambda: swatch() != before, "the lock")
    gui.settle()
    shot(gui, "locked", window)
    gui.keys("alt+r")
    says(gui, "answered palettes", 2)
    says(gui, "answered preview", 3)
    gui.settle()
    assert gui.find_colour(window, RED)

    # a click beside the colours chooses a row; the second is below the first
    gui.click(window, 40, top + ROW)
    gui.settle()
    shot(gui, "chosen", window)

    gui.keys("alt+c")
    wait_for(lambda: gui.is_gone(TITLE), "the dialog to close")
    facts = gui.tell(
        "answer = {'groups': [g.get_name() for g in image.get_layers() if g.is_group()],"
        " 'children': [[c.get_name(), c.get_visible()] for c in image.get_layers()[0].get_children()],"
        " 'record': record(image.get_layers()[0].get_children()[0]), 'rgb': image.get_base_type().value_nick,"
        " 'coloured': len(set(composite(image)[:3])) > 1}"
    )
    assert facts["groups"] == ["Text2Colors: autumn breeze"] and facts["rgb"] == "rgb" and facts["coloured"]
    assert facts["children"] == [["autumn breeze 1", True], ["autumn breeze 2", False]]
    assert facts["record"]["seed"] == 1 and facts["record"]["palette"][1] == "#8c2f1b"
    shot(gui, "coloured")

    gui.xdotool("windowactivate", "--sync", gui.window(MAIN))
    gui.settle()
    gui.keys("ctrl+z")
    state = "answer = [image.get_base_type().value_nick, len(image.get_layers()), pixels(layer, 'Y u8') == before]"
    wait_for(lambda: gui.tell(state)[1] == 1, "the undo")
    assert gui.tell(state) == ["gray", 1, True]
    assert gui.is_gone("GIMP Message")


def test_again_takes_the_last_values(gui: Gui) -> None:
    use(gui, "good")
    facts = gui.tell(
        "made = call(image, [layer], name='plug-in-text2colors-again')\n"
        "answer = [[one.get_name() for one in made], record(made[0])['palette'][1]]"
    )
    assert facts == [["autumn breeze 1", "autumn breeze 2"], "#8c2f1b"]
    gui.tell("image.remove_layer(image.get_layers()[0])")


def test_stop_leaves_nothing_behind(gui: Gui) -> None:
    use(gui, "endless")
    gui.tell(
        "for number in range(5):\n    image.insert_layer(layer.copy(), None, 0)\n"
        "image.set_selected_layers(image.get_layers()); Gimp.displays_flush()"
    )
    layers = gui.tell("answer = len(image.get_layers())")
    title = f"Colorize {layers} Layers with Words"
    window = gui.open_dialog(MAIN, "colorize layers", title)
    _, top = draw(gui, window)
    for row in (1, 2, 3):
        gui.click(window, 40, top + ROW * row)
    gui.settle()
    gui.keys("alt+c")
    says(gui, "asked for colorize")
    gui.settle()
    shot(gui, "working", window)
    gui.keys("alt+s")
    says(gui, "answered colorize")
    gui.settle()
    shot(gui, "stopped", window)
    assert not gui.is_gone(title)
    assert gui.tell("answer = len(image.get_layers())") == layers
    gui.keys("Escape")
    wait_for(lambda: gui.is_gone(title), "the dialog to close")
    assert gui.tell("answer = len(image.get_layers())") == layers


def test_text_layers_are_read_and_left_alone(gui: Gui) -> None:
    use(gui, "good")
    names = gui.tell(
        "text = Gimp.TextLayer.new(image, 'words', Gimp.context_get_font(), 20.0, Gimp.Unit.pixel())\n"
        "image.insert_layer(text, None, 0)\n"
        "made = call(image, [text], phrase='words', count=1)\n"
        "answer = [made[0].get_name(), text.is_text_layer(), made[0].get_width() == text.get_width()]"
    )
    assert names == ["words 1", True, True]


def test_previews_and_result_follow_the_colour_hints_layer(gui: Gui) -> None:
    use(gui, "good")
    gui.tell(
        "for one in image.get_layers():\n    if one.get_id() != layer.get_id(): image.remove_layer(one)\n"
        "if image.get_base_type() != Gimp.ImageBaseType.RGB: image.convert_rgb()\n"
        "dabs = add_dabs(image, (120, 60), (40, 20), (10, 10, 90, 40))\n"
        "image.set_selected_layers([layer]); Gimp.displays_flush()"
    )
    window = gui.open_dialog(MAIN, "colorize with words", TITLE)
    draw(gui, window)
    shot(gui, "hints-none", window)
    assert not gui.find_colour(window, BLUE)
    gui.keys("alt+i", "Down")
    wait_for(lambda: gui.find_colour(window, BLUE), "the dabs in the previews")
    gui.settle()
    shot(gui, "hints", window)

    gui.tell("dabs.set_visible(False); dabs.fill(Gimp.FillType.TRANSPARENT)")  # painted on while the dialog is open
    gui.xdotool("windowactivate", "--sync", gui.window(MAIN))
    gui.xdotool("windowactivate", "--sync", window)
    wait_for(lambda: not gui.find_colour(window, BLUE), "the dabs to go from the previews")
    gui.settle()
    shot(gui, "hints-empty", window)
    gui.tell("image.remove_layer(dabs)\ndabs = add_dabs(image, (120, 60), (40, 20), (10, 10, 90, 40))")
    gui.xdotool("windowactivate", "--sync", gui.window(MAIN))
    gui.xdotool("windowactivate", "--sync", window)
    gui.settle()
    gui.keys("alt+i", "Down")
    wait_for(lambda: gui.find_colour(window, BLUE), "the new dabs in the previews")

    gui.keys("alt+c")
    wait_for(lambda: gui.is_gone(TITLE), "the dialog to close")
    facts = (
        "child = image.get_layers()[-1 - 1].get_children()[0]\n"
        "answer = [list(pixels(child)[(40 * 200 + 60) * 3:][:3]), record(child)['hints'], dabs.get_visible()]"
    )
    assert gui.tell(facts) == [list(BLUE), "dabs", False]
    again = "made = call(image, [layer], name='plug-in-text2colors-again')\nanswer = record(made[0])['hints']"
    assert gui.tell(again) == "dabs"
    gui.xdotool("windowactivate", "--sync", gui.window(MAIN))
    gui.settle()
    gui.keys("ctrl+z", "ctrl+z")
    wait_for(lambda: gui.tell("answer = [len(image.get_layers()), dabs.get_visible()]") == [2, True], "the undo")
    assert gui.is_gone("GIMP Message")


def test_palettes_go_to_gimp_and_come_back_and_colours_are_edited(gui: Gui) -> None:
    use(gui, "good")
    window = gui.open_dialog(MAIN, "colorize with words", TITLE)
    left, top = draw(gui, window)
    gui.keys("alt+v")
    names = "answer = [one.get_name() for one in Gimp.palettes_get_list('autumn breeze')]"
    wait_for(lambda: gui.tell(names), "the palette in GIMP")
    assert gui.tell(names) == ["autumn breeze 1"]

    gui.keys("alt+g")
    gui.window("Use GIMP Palette")
    gui.settle()
    gui.type("autumn breeze")
    gui.settle()
    gui.keys("Tab", "Down", "Return")
    wait_for(lambda: gui.is_gone("Use GIMP Palette"), "the list of palettes to close")
    says(gui, "answered preview", 3)
    gui.settle()
    shot(gui, "own-palette", window)

    gui.click(window, left, top + ROW, button="3")  # a double click would depend on the machine's speed
    gui.window("Edit Colour")
    gui.settle()
    shot(gui, "edit")
    gui.keys("Escape")
    wait_for(lambda: gui.is_gone("Edit Colour"), "the editor to close")
    gui.keys("Escape")
    wait_for(lambda: gui.is_gone(TITLE), "the dialog to close")


def test_the_set_up_check_can_be_read(gui: Gui) -> None:
    use(gui, "good")
    title = "Text2Colors Set-up Check"
    gui.open_dialog(MAIN, "set-up check", title)
    says(gui, "answered doctor")
    gui.settle()
    shot(gui, "check")
    gui.keys("Escape")
    wait_for(lambda: gui.is_gone(title), "the report to close")
