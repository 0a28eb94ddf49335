"""The dialog in the real GIMP on a screen of memory: phrase, swatches, lock, re-roll, stop, colour, undo, again.

With T2C_SCREENSHOTS set to a folder, pictures of the way are left there.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from gui import Gui, missing_programs, running, wait_for
from host import CHECKOUT, Host

sys.path.insert(0, str(CHECKOUT / "install"))
import plugin_files  # pyright: ignore[reportMissingImports]

TITLE = "Colorize with Words"
# a colour of the fake engine's palette, see tests/fake_engine.py
ROW = 84  # px from one row of swatches to the next
RED = (0x8C, 0x2F, 0x1B)


@pytest.fixture(scope="module")
def gui(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gui]:
    missing = missing_programs()
    if missing:
        pytest.skip(f"no windows here: install {missing}")
    host = Host(root, tmp_path_factory.mktemp("gui"))  # of its own, for GIMP keeps the values last used
    plugin_files.copy_plugin(host.profile)
    with running(host, host.fake_engine("slow")) as started:
        started.tell(
            "image, layer = new_image(width=200, height=120)\n"
            "before = pixels(layer, 'Y u8')\n"
            "image.undo_disable(); image.undo_enable()\n"
            "display = Gimp.Display.new(image)"
        )
        started.window("Untitled")
        yield started


def shot(gui: Gui, name: str, window: str | None = None) -> None:
    folder = os.environ.get("T2C_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        gui.picture(window).save(Path(folder) / f"{name}.png")


def open_dialog(gui: Gui, action: str = "colorize with words", title: str = TITLE) -> str:
    """By the action search, as a user without a mouse does; the dialog's window."""
    main = gui.window("Untitled")
    gui.xdotool("windowactivate", "--sync", main)
    gui.keys("slash")
    gui.window("Search Actions")
    time.sleep(0.5)
    gui.type(action)
    time.sleep(1.0)
    gui.keys("Return")
    return gui.window(title, 30)


def swatch(gui: Gui, window: str, colour: tuple[int, int, int]) -> tuple[int, int]:
    """Where the window shows a swatch of the colour, once it does."""
    return wait_for(lambda: gui.find_colour(window, colour), 30, f"a swatch of {colour}")


def test_the_way_from_a_phrase_to_layers_and_back(gui: Gui) -> None:
    window = open_dialog(gui)
    time.sleep(0.5)
    shot(gui, "opened", window)
    gui.type("autumn breeze")
    gui.keys("Return")
    left, top = swatch(gui, window, RED)
    time.sleep(2.0)  # the previews
    shot(gui, "swatches", window)

    # a click on a swatch locks the colour; the lock is drawn on it, and Unlock All becomes possible
    before = gui.picture(window)
    gui.click(window, left, top)
    gui.xdotool("mousemove", "--window", window, "350", "5")
    wait_for(lambda: gui.picture(window).tobytes() != before.tobytes(), 5, "the lock")
    time.sleep(0.6)
    shot(gui, "locked", window)
    gui.keys("alt+r")
    time.sleep(1.5)
    swatch(gui, window, RED)

    # a click beside the colours chooses a row; the second is below the first
    gui.click(window, 40, top + ROW)
    time.sleep(0.3)
    shot(gui, "chosen", window)

    gui.keys("alt+c")
    wait_for(lambda: gui.is_gone(TITLE), 30, "the dialog to close")
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

    gui.xdotool("windowactivate", "--sync", gui.window("Untitled"))
    gui.keys("ctrl+z")
    state = "answer = [image.get_base_type().value_nick, len(image.get_layers()), pixels(layer, 'Y u8') == before]"
    wait_for(lambda: gui.tell(state)[1] == 1, 10, "the undo")
    assert gui.tell(state) == ["gray", 1, True]
    assert gui.is_gone("GIMP Message")


def test_again_takes_the_last_values(gui: Gui) -> None:
    facts = gui.tell(
        "made = call(image, [layer], name='plug-in-text2colors-again')\n"
        "answer = [[one.get_name() for one in made], record(made[0])['palette'][1]]",
        120,
    )
    assert facts == [["autumn breeze 1", "autumn breeze 2"], "#8c2f1b"]
    gui.tell("image.remove_layer(image.get_layers()[0])")


def test_stop_leaves_nothing_behind(gui: Gui) -> None:
    gui.tell(
        "for number in range(5):\n    image.insert_layer(layer.copy(), None, 0)\n"
        "image.set_selected_layers(image.get_layers()); Gimp.displays_flush()"
    )
    layers = gui.tell("answer = len(image.get_layers())")
    title = f"Colorize {layers} Layers with Words"
    window = open_dialog(gui, "colorize layers", title)
    gui.type("autumn breeze")
    gui.keys("Return")
    _, top = swatch(gui, window, RED)
    for row in (1, 2, 3):
        gui.click(window, 40, top + ROW * row)
    time.sleep(0.3)
    gui.keys("alt+c")
    time.sleep(0.8)
    shot(gui, "working", window)
    gui.keys("alt+s")
    time.sleep(1.5)
    shot(gui, "stopped", window)
    assert not gui.is_gone(title)
    assert gui.tell("answer = len(image.get_layers())") == layers
    gui.keys("Escape")
    wait_for(lambda: gui.is_gone(title), 10, "the dialog to close")
    assert gui.tell("answer = len(image.get_layers())") == layers


def test_text_layers_are_read_and_left_alone(gui: Gui) -> None:
    names = gui.tell(
        "text = Gimp.TextLayer.new(image, 'words', Gimp.context_get_font(), 20.0, Gimp.Unit.pixel())\n"
        "image.insert_layer(text, None, 0)\n"
        "made = call(image, [text], phrase='words', count=1)\n"
        "answer = [made[0].get_name(), text.is_text_layer(), made[0].get_width() == text.get_width()]",
        120,
    )
    assert names == ["words 1", True, True]
