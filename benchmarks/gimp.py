"""Times the plug-in in the real GIMP: python benchmarks/gimp.py [--json]

    dialog        menu action to the dialog's window, s (fake engine: the dialog does not wait for one)
    swatches      phrase entered to swatches on the screen, ms (fake engine: what the plug-in and Gtk add to the engine)
    layers_24mp   a 24-megapixel grey layer to five colour layers, engine warm, s; and its parts

The engine is warm but for `layers_24mp`'s first run, which is not counted. Needs root, as the tests marked `gimp`.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
for folder in ("tests/gimp", "install"):
    sys.path.insert(0, str(ROOT / folder))
sys.path.insert(0, str(ROOT))

import plugin_files  # noqa: E402
from gui import Gui, missing_programs, running, wait_for  # noqa: E402
from host import Host, default_root, why_not  # noqa: E402

TITLE = "Colorize with Words"
RED = (0x8C, 0x2F, 0x1B)
ROUNDS = 5

# the plug-in's own modules, run in GIMP's batch interpreter with an engine that stays, so that it is warm
LAYERS = """
    import sys, time
    sys.path.insert(0, "/share/profile/plug-ins/text2colors")
    import insert, layers, work
    from request import Request, parse_palettes
    engine = work.new_engine()
    palettes = ";".join(["#2b2a33,#8c2f1b,#5b6b3a,#d98c3f,#f2d8a7"] * 5)
    times = []
    for turn in range({rounds} + 1):
        image = Gimp.Image.new(6000, 4000, Gimp.ImageBaseType.GRAY)
        layer = Gimp.Layer.new(image, "scan", 6000, 4000, Gimp.ImageType.GRAY_IMAGE, 100, Gimp.LayerMode.NORMAL)
        buffer = layer.get_buffer()
        strip = bytes((x * 255 // 6000 + turn) % 256 for x in range(6000)) * 400
        for top in range(0, 4000, 400):
            buffer.set(Gegl.Rectangle.new(0, top, 6000, 400), "Y' u8", strip)
        buffer.flush()
        layer.update(0, 0, 6000, 4000)
        image.insert_layer(layer, None, 0)
        begun = time.perf_counter()
        picture = layers.read(layer, False)
        read = time.perf_counter()
        results = work.colour(engine, Request(palettes=parse_palettes(palettes)), [picture], lambda done, text: None)
        coloured = time.perf_counter()
        insert.insert(image, [(layer, results[0])])
        inserted = time.perf_counter()
        times.append([inserted - begun, read - begun, coloured - read, inserted - coloured])
        image.delete()
    engine.close()
    say(times=times[1:])
"""


def main() -> None:
    """Measure and print."""
    reason = why_not(default_root()) or missing_programs()
    if reason:
        sys.exit(f"Nothing measured: {reason}.")
    with tempfile.TemporaryDirectory() as share:
        models = {"T2C_MODELS": os.environ["T2C_MODELS"]} if "T2C_MODELS" in os.environ else {}
        host = Host(default_root(), Path(share), models)
        plugin_files.copy_plugin(host.profile)
        host.batch("say(ready=True)")
        figures: dict[str, Any] = dict(layers_24mp=layers_figures(host), **dialog_figures(host))
    if "--json" in sys.argv:
        sys.stdout.write(json.dumps(figures) + "\n")
        return
    for name, value in figures.items():
        sys.stdout.write(f"{name:14} {value}\n")


def layers_figures(host: Host) -> dict[str, float]:
    """Medians, s: total, read from GIMP, engine, inserted into GIMP."""
    outcome = host.batch(LAYERS.format(rounds=ROUNDS), host.real_engine(), timeout=590)
    if outcome.code:
        sys.exit(outcome.text[-2000:])
    medians = (statistics.median(column) for column in zip(*outcome.facts["times"], strict=True))
    return dict(zip(("total", "read", "engine", "insert"), (round(value, 2) for value in medians), strict=True))


def dialog_figures(host: Host) -> dict[str, float]:
    """Medians of several showings."""
    shown, drawn = [], []
    with running(host, host.fake_engine("good")) as gui:
        gui.tell("image, layer = new_image(width=200, height=120)\ndisplay = Gimp.Display.new(image)")
        for _ in range(ROUNDS):
            shown.append(open_dialog(gui))
            drawn.append(draw(gui))
            gui.keys("Escape")
            wait_for(lambda: gui.is_gone(TITLE), "the dialog's end")
    return {
        "dialog_s": round(statistics.median(shown), 2),
        "swatches_ms": round(statistics.median(drawn) * 1000),
    }


def open_dialog(gui: Gui) -> float:
    """Seconds from the Enter key in the action search to the dialog's window."""
    gui.search("Untitled", "colorize with words")
    begun = time.perf_counter()
    gui.xdotool("key", "Return")
    gui.window(TITLE)
    return time.perf_counter() - begun


def draw(gui: Gui) -> float:
    """Seconds from the Enter key in the phrase's field to the first swatch on the screen."""
    window = gui.window(TITLE)
    gui.settle(window)  # the engine is warm
    gui.type("autumn breeze")
    begun = time.perf_counter()
    gui.xdotool("key", "Return")
    wait_for(lambda: gui.find_colour(window, RED), "swatches")
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
