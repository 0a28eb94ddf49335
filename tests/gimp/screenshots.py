"""Takes the pictures of docs/gimp.md, in the real GIMP with the real engine: python tests/gimp/screenshots.py FOLDER
With --variants: the dialog at double density, light, and in German, with the engine of the tests.

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
TITLE = "^Colorize$"
SEARCH = "text2colors color the selected"
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
    window = gui.open_dialog("Untitled", SEARCH, TITLE)
    settle(gui, window, 90)  # the engine loads, and finds the natural colors
    gui.picture(window).save(folder / "gimp-natural.png", optimize=True)
    gui.type(PHRASE)
    gui.keys("Return")
    settle(gui, window, 90)
    gui.keys("alt+i", "Down")
    settle(gui, window, 40)
    gui.xdotool("mousemove", "--window", window, "300", "5")
    time.sleep(1.5)
    gui.picture(window).save(folder / "gimp-dialog.png", optimize=True)
    gui.keys("alt+o")
    time.sleep(1.5)
    gui.picture(window).save(folder / "gimp-options.png", optimize=True)
    gui.keys("Escape", "ctrl+Return")
    wait_for(lambda: gui.is_gone(TITLE), "the dialog to close")
    settle(gui, None, 10)
    gui.picture().crop((0, 0, 1345, 825)).save(folder / "gimp-result.png", optimize=True)


def take_variants(folder: Path) -> None:
    """The dialog on screens of double density, with a light theme, in German, and on a screen of 768 rows."""
    variants: dict[str, tuple[str, dict[str, str], str]] = {
        "2x": ("2732x1536", {"GDK_SCALE": "2"}, ""),
        "light": ("1366x768", {}, "(theme-color-scheme light)\n"),
        "german": ("1366x768", {"LANGUAGE": "de"}, ""),
    }
    for name, (size, environment, settings) in variants.items():
        with tempfile.TemporaryDirectory() as share:
            host = Host(default_root(), Path(share), environment)
            plugin_files.copy_plugin(host.profile)
            with (host.profile / "gimprc").open("a") as file:
                file.write(settings)
            with running(host, host.fake_engine("good"), size=size) as gui:
                gui.tell("image, layer = new_image(width=200, height=120)\ndisplay = Gimp.Display.new(image)")
                gui.open_dialog("Untitled", SEARCH, "^(Colorize|Einfärben)$")
                gui.type(PHRASE)
                gui.keys("Return")
                gui.settle()
                gui.picture().save(folder / f"variant-{name}.png", optimize=True)


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
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["--variants"]):
        sys.exit(__doc__)
    target = Path(sys.argv[1]).resolve()
    target.mkdir(parents=True, exist_ok=True)
    take_variants(target) if sys.argv[2:] else main(target)
