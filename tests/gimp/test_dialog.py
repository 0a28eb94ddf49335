"""The dialog by keyboard and to assistive programs; zoom, pan, before and after; remarks; waiting; Stop. Real GIMP.

Everything waits for what it needs, however long that takes, and for no time.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gui import Gui, missing_programs, running, wait_for
from host import CHECKOUT, Host
from watched import Watched, open_watched

sys.path.insert(0, str(CHECKOUT / "install"))
import plugin_files  # pyright: ignore[reportMissingImports]

NATURAL = (0x7A, 0x6A, 0x5A)  # colors of the fake engine, see tests/fake_engine.py
FLAT = (0xD9, 0x8C, 0x3F)
NIGHT, SEPIA = (0x20, 0x2A, 0x4A), (0x8A, 0x6A, 0x3A)
MIDDLE = (299, 380)  # of the preview, in the window of its first size


@pytest.fixture(scope="module")
def gui(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gui]:
    missing = missing_programs()
    if missing:
        pytest.skip(f"no windows here: install {missing}")
    host = Host(root, tmp_path_factory.mktemp("dialog"))
    plugin_files.copy_plugin(host.profile)
    use(host, "good")
    with running(host, "") as started:
        started.tell("image, layer = new_image(width=200, height=120)\ndisplay = Gimp.Display.new(image)")
        started.window("Untitled")
        yield started


@pytest.fixture
def dialog(gui: Gui) -> Iterator[Watched]:
    """The dialog with natural colors shown."""
    use(gui.host, "good")
    opened = open_watched(gui)
    wait_for(lambda: color(gui, opened) == NATURAL, "natural colors")
    yield opened
    if not gui.is_gone("^Colorize$"):
        opened.close()


def use(host: Host, mode: str) -> None:
    """Set the fake engine, in one of its modes, as the user's engine, with an empty log."""
    folder = host.share / "data" / "text2colors"
    plugin_files.write_json(folder / "engine.json", {"command": shlex.split(host.fake_engine(mode))})
    (folder / "log" / "engine.log").unlink(missing_ok=True)


def log_of(host: Host) -> str:
    log = host.share / "data" / "text2colors" / "log" / "engine.log"
    return log.read_text("utf-8") if log.exists() else ""


def color(gui: Gui, dialog: Watched, place: tuple[int, int] = MIDDLE) -> Any:
    """The color of the preview at a place of the window."""
    return gui.picture(dialog.window).convert("RGB").getpixel(place)


def draw(dialog: Watched) -> None:
    """Type a phrase and wait for its palettes."""
    dialog.gui.type("autumn breeze")
    dialog.gui.keys("Return")
    dialog.wait_for_text("Palette 1:")
    wait_for(lambda: color(dialog.gui, dialog) == FLAT, "the preview of the first palette")


def rows(dialog: Watched) -> list[str]:
    """The accessible names of the palettes' rows."""
    return [name for role, name, *_ in dialog.look()["names"] if role == "list-item"]


def test_it_names_the_layer_and_everything_that_has_the_focus_and_tab_goes_in_reading_order(dialog: Watched) -> None:
    dialog.wait_for_text("Layer: scan")
    draw(dialog)
    assert rows(dialog)[0] == "Natural colors" and len(rows(dialog)) == 6
    assert dialog.focus == ["text", "Phrase"]
    walked: list[list[str]] = []
    while ["text", "Phrase"] not in walked and len(walked) < 40:
        dialog.gui.keys("Tab")
        now = dialog.focus
        assert now is not None and now[1], f"what has the focus after {walked[-3:]} has no name"
        walked.append(now)
    names = [name for _role, name in walked]
    wanted = [
        "Show Palettes",
        "autumn breeze",
        "Preview of the layer",
        "Palette 1:",
        "Re-roll",
        "Save Palette",
        "Before",
    ]
    wanted += ["Strength, %", "Natural, %", "Options", "New Hints Layer", "Close", "Colorize", "Words", "Phrase"]
    places = [next((place for place, one in enumerate(names) if one.startswith(name)), -1) for name in wanted]
    assert -1 not in places and places == sorted(places), (names, wanted)
    unnamed = [role for role, name, *_ in dialog.look()["names"] if role in ("button", "push-button") and not name]
    assert not unnamed


def test_arrow_keys_walk_space_chooses_and_ctrl_enter_colorizes(gui: Gui, dialog: Watched) -> None:
    draw(dialog)
    for _ in range(20):
        if dialog.focus is not None and dialog.focus[1].startswith("Palette 1"):
            break
        gui.keys("Tab")
    gui.keys("Up")
    assert dialog.focus == ["list-item", "Natural colors"]
    wait_for(lambda: color(gui, dialog) == NATURAL, "the row that is walked to")
    gui.keys("Down", "2")
    wait_for(lambda: any("#8c2f1b, locked" in name for name in padlocks(dialog)), "the second color to be locked")
    gui.keys("Down", "space")
    dialog.wait_for_text("Colorize (2 layers)")
    gui.keys("Down", "space")
    dialog.wait_for_text("Colorize (3 layers)")
    gui.keys("space")
    dialog.wait_for_text("Colorize (2 layers)")
    gui.keys("ctrl+Return")
    assert dialog.wait() == ["1 autumn breeze", "2 autumn breeze"]
    gui.tell(
        "for one in image.get_layers():\n    if one.is_group(): image.remove_layer(one)\nimage.convert_grayscale()"
    )


def test_looks_are_rows_and_become_layers_of_their_names(gui: Gui) -> None:
    use(gui.host, "looks")
    dialog = open_watched(gui)
    dialog.wait_for_text("A Look")
    gui.keys("alt+k")
    dialog.wait_for_text("Sepia")
    wait_for(lambda: color(gui, dialog) == NIGHT, "the first look")
    gui.keys("Down", "space")
    dialog.wait_for_text("Colorize (2 layers)")
    wait_for(lambda: color(gui, dialog) == SEPIA, "the second look")
    gui.keys("ctrl+Return")
    assert dialog.wait() == ["1 Night", "2 Sepia"]
    gui.tell(
        "for one in image.get_layers():\n    if one.is_group(): image.remove_layer(one)\nimage.convert_grayscale()"
    )


def test_a_photograph_scanned_in_color_begins_softly_and_a_colored_picture_does_not(gui: Gui, dialog: Watched) -> None:
    dialog.close()
    strengths = []
    for tint in (
        "",
        "Gimp.context_set_foreground(Gegl.Color.new('#c03020'))\nlayer.edit_fill(Gimp.FillType.FOREGROUND)",
    ):
        gui.tell(f"image, layer = new_image('RGB', width=200, height=120)\ndisplay = Gimp.Display.new(image)\n{tint}")
        opened = open_watched(gui)
        wait_for(lambda opened=opened: color(gui, opened) == NATURAL, "natural colors")
        gui.keys("ctrl+Return")
        opened.wait()
        strengths.append(gui.tell("answer = record(image.get_layers()[0].get_children()[0])['strength']"))
    assert strengths == [0.65, 1.0]
    gui.tell("image, layer = new_image(width=200, height=120)\ndisplay = Gimp.Display.new(image)")


def test_the_preview_zooms_and_moves_and_shows_the_original(gui: Gui, dialog: Watched) -> None:
    still = lambda: gui.picture(dialog.window).crop((15, 140, 585, 560)).tobytes()  # noqa: E731
    fitted = still()
    gui.xdotool("mousemove", "--window", dialog.window, "50", "650")
    gui.xdotool("mousedown", "1")  # Before, held
    wait_for(lambda: len(set(color(gui, dialog))) == 1, "the grey original")
    gui.xdotool("mouseup", "1")
    wait_for(lambda: color(gui, dialog) == NATURAL, "the natural colors again")
    gui.keys("alt+b")  # toggled
    wait_for(lambda: len(set(color(gui, dialog))) == 1, "the grey original")
    gui.still()
    original = still()
    gui.xdotool("mousemove", "--window", dialog.window, *map(str, MIDDLE))
    gui.xdotool("click", "4")  # the wheel
    gui.xdotool("click", "4")
    gui.still()
    zoomed = still()
    assert zoomed != original
    gui.xdotool("mousedown", "1")
    gui.xdotool("mousemove_relative", "--", "-60", "-40")
    gui.xdotool("mouseup", "1")
    gui.still()
    moved = still()
    assert moved != zoomed
    gui.keys("Right", "Down")
    gui.still()
    assert still() != moved
    gui.keys("minus")
    gui.still()
    assert still() != zoomed
    gui.keys("0")
    gui.still()
    assert still() == original
    gui.keys("plus")
    gui.still()
    assert still() != original
    gui.keys("0", "alt+b")
    wait_for(lambda: still() == fitted, "all as it was")


def test_a_lock_that_takes_anothers_place_is_said_and_five_locks_leave_nothing_to_roll(
    gui: Gui, dialog: Watched
) -> None:
    draw(dialog)
    left, top = wait_for(lambda: gui.find_colour(dialog.window, (0x8C, 0x2F, 0x1B)), "swatches")
    first = left - 57  # the first color of the first row; other rows have another there
    gui.click(dialog.window, first, top + 9)
    wait_for(lambda: any("locked" in name and "not" not in name for name in padlocks(dialog)), "a lock")
    gui.click(dialog.window, first, top + 9 + 68)
    dialog.wait_for_text("replaces the lock on #2b2a33; a place can hold one color")
    for place in range(1, 5):
        gui.click(dialog.window, first + 57 * place, top + 9)
    gui.keys("alt+r")
    dialog.wait_for_text("All 5 colors are locked; unlock one to re-roll.")
    assert log_of(gui.host).count("answered palettes") == 1
    gui.keys("alt+u")
    wait_for(lambda: not dialog.is_sensitive("Unlock All"), "all to be unlocked")
    gui.keys("alt+r")
    wait_for(lambda: log_of(gui.host).count("answered palettes") == 2, "a re-roll")


def padlocks(dialog: Watched) -> list[str]:
    return [name for _role, name, *_ in dialog.look()["names"] if re.match(r"Color \d, #", name)]


def test_rows_stay_while_others_are_drawn_and_the_waiting_is_said(gui: Gui, dialog: Watched) -> None:
    dialog.close()
    use(gui.host, "slow-palettes")
    slow = open_watched(gui)
    draw(slow)
    before = rows(slow)
    gui.keys("alt+r")
    slow.wait_for_text("Drawing palettes...")
    assert rows(slow) == before
    wait_for(lambda: not slow.shows("Drawing palettes..."), "the palettes")
    slow.close()


def test_a_stop_that_comes_late_still_inserts_nothing(gui: Gui, dialog: Watched) -> None:
    dialog.close()
    use(gui.host, "late")
    late = open_watched(gui)
    gui.keys("ctrl+Return")
    wait_for(lambda: "asked for colorize" in log_of(gui.host), "the work to begin")
    gui.keys("alt+s")
    late.wait_for_text("Stopped; nothing has been inserted.")
    assert late.is_sensitive("Colorize")
    assert late.close() == []
    assert gui.tell("answer = len(image.get_layers())") == 1


def test_stop_is_answered_at_once_even_by_an_engine_that_is_not(gui: Gui, dialog: Watched) -> None:
    dialog.close()
    use(gui.host, "busy")  # answers nothing but pings: no preview has come when Stop is pressed
    busy = open_watched(gui)
    gui.keys("ctrl+Return")
    wait_for(lambda: busy.shows("Stop"), "the work to begin")
    gui.keys("alt+s")
    busy.wait_for_text("Stopping...")
    assert busy.close() == []


def test_colors_typed_become_a_row_that_can_be_removed(gui: Gui, dialog: Watched) -> None:
    gui.keys("alt+a")
    assert dialog.focus == ["text", "Colors of a palette"]
    gui.type("#123456,nonsense")
    gui.keys("Return")
    dialog.wait_for_text("'nonsense' is not a color")
    gui.keys("ctrl+a")
    gui.type(",".join(["#102030", "#405060", "#708090", "#a0b0c0", "#d0e0f0", "#ff8800", "#0088ff"]))
    gui.keys("Return")
    wait_for(lambda: any("Own palette, 7 colors; 5 of them are used" in one for one in rows(dialog)), "a row")
    wait_for(lambda: color(gui, dialog) == (0xA0, 0xB0, 0xC0), "its preview")
    dialog.wait_for_text("#405060, not used")
    assert not dialog.shows("#102030, not used")
    for _ in range(20):
        if dialog.focus is not None and dialog.focus[1].startswith("Own palette"):
            break
        gui.keys("Tab")
    gui.keys("Menu", "Up", "Return")  # the last entry: remove this row
    wait_for(lambda: rows(dialog) == ["Natural colors"], "the row to be gone")


def test_no_two_mnemonics_are_the_same(gui: Gui, dialog: Watched) -> None:
    """A key that two widgets share would need two presses."""
    for tab in ("", "alt+a", "alt+n"):
        if tab:
            gui.keys(tab)
            gui.still()
        keys = dialog.look()["keys"]
        letters = [letter.lower() for letter, _label in keys]
        assert len(letters) >= 12 and len(letters) == len(set(letters)), sorted(keys)


def test_only_sliders_that_have_an_effect_are_shown(gui: Gui, dialog: Watched) -> None:
    def sliders() -> list[str]:
        gui.still()
        return sorted(label for _letter, label in dialog.look()["keys"] if label.endswith(", %"))

    assert sliders() == ["Natural, %", "Strength, %"], "of words; there are no hints"
    for tab in ("alt+n", "alt+k"):
        gui.keys(tab)
        assert sliders() == ["Strength, %"], f"automatic colors and looks are not held back: {tab}"
    gui.keys("alt+w")
    draw(dialog)
    gui.keys("alt+k")
    assert sliders() == ["Natural, %", "Strength, %"], "a palette is still chosen"


def test_the_color_chooser_shows_no_opacity_and_one_group_of_sliders(gui: Gui, dialog: Watched) -> None:
    draw(dialog)
    left, top = wait_for(lambda: gui.find_colour(dialog.window, (0x8C, 0x2F, 0x1B)), "swatches")
    gui.click(dialog.window, left, top, button="3")
    gui.still()
    gui.keys("Down", "Right", "Return")
    gui.window("^Edit Color$")
    gui.still()
    names = [name for _role, name, *_ in dialog.look("Edit Color")["names"]]
    assert names.count("A") == 0 and not any("lpha" in name or "pacity" in name for name in names), names
    gui.keys("Escape")
    wait_for(lambda: gui.is_gone("^Edit Color$"), "the chooser to close")


@pytest.mark.slow
def test_previews_are_sharp_on_screens_of_double_density(root: Path, tmp_path: Path) -> None:
    host = Host(root, tmp_path, {"GDK_SCALE": "2"})
    plugin_files.copy_plugin(host.profile)
    use(host, "good")
    with running(host, "", size="2732x1536") as twice:
        twice.tell("image, layer = new_image(width=2000, height=1200)\ndisplay = Gimp.Display.new(image)")
        opened = open_watched(twice)
        wait_for(lambda: "preview of" in log_of(host), "a preview to be asked for")
        sides = {int(one) for one in re.findall(r"preview of (\d+) px", log_of(host))}
        width, height = twice.place(opened.window)[2:]
        assert width <= 2732 and height <= 1536, "all of it can be seen"
        assert max(sides) >= 1024 and min(sides) >= 160
        opened.close()
