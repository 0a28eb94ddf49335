"""Variations in the tab *Nothing* of the dialog: rows, thumbnails, ticks kept by a re-roll, layers. Real GIMP."""

from __future__ import annotations

import os
from pathlib import Path

from gui import Gui, wait_for
from test_dialog import NATURAL, color, gui, rows, use  # noqa: F401  (a fixture)
from watched import open_watched


def test_variations_are_shown_kept_by_ticks_and_become_layers(gui: Gui) -> None:  # noqa: F811
    use(gui.host, "variations")
    dialog = open_watched(gui)
    wait_for(lambda: color(gui, dialog) == NATURAL, "natural colors")
    gui.keys("alt+n")
    dialog.wait_for_text("Variation 5, seed 0")
    assert rows(dialog) == ["Natural colors", *(f"Variation {number}, seed 0" for number in range(1, 6))]
    assert color(gui, dialog) == NATURAL, "natural colors stay chosen"
    wait_for(lambda: gui.find_colour(dialog.window, (120, 60, 5)), "the thumbnail of the fifth")
    for _ in range(20):
        if dialog.focus is not None and dialog.focus[0] == "list-item":
            break
        gui.keys("Tab")
    gui.keys("Home", "Down", "Down", "space")
    wait_for(lambda: color(gui, dialog) == (60, 60, 5), "the second variation, large")
    dialog.wait_for_text("Colorize (2 layers)")
    gui.keys("alt+r")
    dialog.wait_for_text("Variation 3, seed 1")
    seeds = [int(one.rsplit(" ", 1)[1]) for one in rows(dialog)[1:]]
    assert seeds == [1, 0, 1, 1, 1], "the ticked one stays"
    gui.still()
    if folder := os.environ.get("T2C_SCREENSHOTS"):
        gui.picture(dialog.window).save(Path(folder) / "variations.png")
    gui.keys("ctrl+Return")
    assert dialog.wait() == ["natural colors", "2 Variation 2, seed 0"]
    facts = gui.tell(
        "group = image.get_layers()[0]\n"
        "kept = [record(one)['extra'] for one in group.get_children()]\n"
        "made = call(image, [layer], palettes='natural', extras='[' + kept[1] + ']')\n"
        "answer = [kept, record(made[0])['extra']]"
    )
    told = '{"title":"Variation 2, seed 0","variation":{"count":5,"index":1,"seed":0}}'
    assert facts == [["", told], told]
