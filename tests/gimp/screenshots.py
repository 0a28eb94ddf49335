"""Takes the pictures of docs/gimp.md, in the real GIMP with the real engine: python tests/gimp/screenshots.py FOLDER

Needs what the GUI test needs, and models (shipped, or in T2C_MODELS). The photograph is scikit-image's astronaut.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from gui import Gui, missing_programs, running, wait_for
from host import CHECKOUT, Host, default_root, why_not
from PIL import Image, ImageChops

sys.path.insert(0, str(CHECKOUT / "install"))
import plugin_files  # pyright: ignore[reportMissingImports]

PHRASE = "autumn breeze and falling leaves"
TITLE = "Colorize with Words"
# left, top, side and colour of what a user has painted as colour hints: the suit, the flag's blue
DABS = ((190, 372, 16, "#d9682a"), (262, 430, 16, "#d9682a"), (24, 60, 14, "#2f4a8c"))
OPEN = """
image = load("/share/astronaut.png")
image.convert_rgb()
photograph = image.get_layers()[0]
hints = Gimp.Layer.new(image, "dabs", 512, 512, Gimp.ImageType.RGBA_IMAGE, 100, Gimp.LayerMode.NORMAL)
image.insert_layer(hints, None, 0)
for left, top, side, colour in DABS:
    image.select_ellipse(Gimp.ChannelOps.REPLACE, left, top, side, side)
    Gimp.context_set_foreground(Gegl.Color.new(colour))
    hints.edit_fill(Gimp.FillType.FOREGROUND)
Gimp.Selection.none(image)
image.set_selected_layers([photograph])
display = Gimp.Display.new(image)
"""


def main(folder: Path) -> None:
    """Take them all into the folder."""
    reason = why_not(default_root()) or missing_programs()
    if reason:
        sys.exit(f"No screenshots: {reason}.")
    from skimage import data

    with tempfile.TemporaryDirectory() as share:
        models = {"T2C_MODELS": os.environ["T2C_MODELS"]} if "T2C_MODELS" in os.environ else {}
        host = Host(default_root(), Path(share), models)
        plugin_files.copy_plugin(host.profile)
        Image.fromarray(data.astronaut()).convert("L").save(host.share / "astronaut.png")
        engine = os.environ.get("T2C_SCREENSHOT_ENGINE") or host.real_engine()
        with running(host, engine, size="1360x840") as gui:
            take(gui, folder)


def take(gui: Gui, folder: Path) -> None:
    """The way of a user, with a picture at every station."""
    folder.mkdir(parents=True, exist_ok=True)
    gui.tell(f"DABS = {DABS!r}\n{OPEN}")
    main_window = gui.window("Untitled")
    gui.xdotool("windowsize", "--sync", main_window, "1340", "800")
    gui.xdotool("windowmove", main_window, "2", "2")
    window = gui.open_dialog("Untitled", "colorize with words", TITLE)
    time.sleep(20.0)  # the engine loads; the previews then come at once
    gui.type(PHRASE)
    gui.keys("Return")
    settle(gui, window, 90)
    left, top, width, _ = gui.place(window)
    row = 84
    gui.click(window, 60, 126 + row)
    gui.click(window, width - 210, 126)
    gui.keys("alt+i", "Down")
    settle(gui, window, 30)
    gui.xdotool("mousemove", str(left + width // 2), str(top + 2))
    time.sleep(1.5)
    gui.picture(window).save(folder / "gimp-dialog.png", optimize=True)
    gui.keys("alt+o")
    time.sleep(1.5)
    gui.picture(window).save(folder / "gimp-options.png", optimize=True)
    gui.keys("alt+c")
    wait_for(lambda: gui.is_gone(TITLE), "the dialog to close")
    settle(gui, None, 10)
    gui.picture().crop((0, 0, 1345, 825)).save(folder / "gimp-result.png", optimize=True)


def settle(gui: Gui, window: str | None, seconds: float) -> None:
    """Wait until the picture has changed and then stayed the same for some seconds."""
    first = last = gui.picture(window).convert("RGB")
    still = time.monotonic()
    begun = still
    while time.monotonic() - begun < seconds:
        time.sleep(0.5)
        now = gui.picture(window).convert("RGB")
        if ImageChops.difference(now, last).getbbox():
            last, still = now, time.monotonic()
        elif time.monotonic() - still > 12 and ImageChops.difference(now, first).getbbox():
            return


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]).resolve())
