"""Times the plug-in in the real GIMP: python benchmarks/gimp.py [--json]

    dialog_s      menu action to the dialog's window, and processor seconds of the plug-in until then
    swatches_ms   phrase entered to swatches on the screen, engine warm
    layers_24mp   a 24-megapixel grey layer to five colour layers, engine warm, s; and its parts

Each is [best, median] of some rounds with the engine itself. Needs root, as the tests marked `gimp`.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
for folder in ("tests/gimp", "install"):
    sys.path.insert(0, str(ROOT / folder))
sys.path.insert(0, str(ROOT))

import plugin_files  # noqa: E402
from engine import processor  # noqa: E402
from gui import Gui, missing_programs, running, wait_for  # noqa: E402
from host import Host, default_root, processes_below, why_not  # noqa: E402

TITLE = "^Colorize$"
ROUNDS = 5

# the plug-in's own modules, run in GIMP's batch interpreter with an engine that stays, so that it is warm
LAYERS = """
    import os, sys, time
    sys.path.insert(0, "/share/profile/plug-ins/text2colors")
    from t2c_plugin.engine import jobs
    from t2c_plugin.image import insertion, layers
    from t2c_plugin.request import Inputs, Request, parse_palettes
    engine = jobs.new_engine()
    processes = [os.getpid(), os.getppid(), engine.hello()["pid"]]  # this one, GIMP, the engine

    def cpu():
        used = (open("/proc/%d/stat" % one).read().rpartition(")")[2].split()[11:13] for one in processes)
        return sum(int(ticks) for one in used for ticks in one) / os.sysconf("SC_CLK_TCK")

    palettes = ";".join("#2b2a33,#8c2f1b,#5b6b3a,#d98c3f,#f2d8a" + str(last) for last in range(5))
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
        begun, used = time.perf_counter(), cpu()
        picture = layers.read(layer, False)
        read = time.perf_counter()
        results = jobs.color_pictures(
            engine, Request(palettes=parse_palettes(palettes)), Inputs((picture,)), lambda done, text: None)
        coloured = time.perf_counter()
        insertion.insert(image, [(layer, results[0])])
        inserted = time.perf_counter()
        times.append([inserted - begun, read - begun, coloured - read, inserted - coloured, cpu() - used])
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


def layers_figures(host: Host) -> dict[str, list[float]]:
    """Seconds: total, read from GIMP, engine, inserted into GIMP; and processor seconds of all, whatever else runs."""
    outcome = host.batch(LAYERS.format(rounds=ROUNDS), host.real_engine(), timeout=590)
    if outcome.code:
        sys.exit(outcome.text[-2000:])
    columns = (best_and_median(column) for column in zip(*outcome.facts["times"], strict=True))
    return dict(zip(("total", "read", "engine", "insert", "processor"), columns, strict=True))


def best_and_median(values: Sequence[float], digits: int = 2) -> list[float]:
    """What a machine with nothing else to do comes nearest to, and what this one did."""
    return [round(min(values), digits), round(statistics.median(values), digits)]


def dialog_figures(host: Host) -> dict[str, list[float]]:
    """Several showings, each with an engine of its own."""
    shown, work, drawn = [], [], []
    with running(host, host.real_engine()) as gui:
        gui.tell("image, layer = new_image(width=200, height=120)\ndisplay = Gimp.Display.new(image)")
        for turn in range(ROUNDS):
            shown.append(open_dialog(gui))
            work.append(processor(plug_in(gui)))
            wait_for(lambda turn=turn: ready(host) > turn, "the engine to be warm")
            drawn.append(draw(gui))
            gui.keys("Escape")
            wait_for(lambda: gui.is_gone(TITLE), "the dialog's end")
    return {
        "dialog_s": best_and_median(shown),
        "dialog_processor_s": best_and_median(work),
        "swatches_ms": best_and_median([seconds * 1000 for seconds in drawn], 0),
    }


def plug_in(gui: Gui) -> int:
    """The number of the plug-in's process."""
    (number,) = (one for one, words in processes_below(gui.process.pid).items() if "text2colors.py -gimp" in words)
    return number


def ready(host: Host) -> int:
    """How many engines have loaded their networks, by their log."""
    log = host.share / "data" / "text2colors" / "log" / "engine.log"
    return log.read_text("utf-8").count("colouriser ready") if log.exists() else 0


def open_dialog(gui: Gui) -> float:
    """Seconds from the Enter key in the action search to the dialog's window."""
    gui.search("Untitled", "text2colors color the selected")
    begun = time.perf_counter()
    gui.xdotool("key", "Return")
    gui.window(TITLE)
    return time.perf_counter() - begun


def draw(gui: Gui) -> float:
    """Seconds from the Enter key in the phrase's field to the first swatch on the screen."""
    window = gui.window(TITLE)
    gui.type("autumn breeze")
    gui.settle()
    empty = places(gui, window)
    begun = time.perf_counter()
    gui.xdotool("key", "Return")
    wait_for(lambda: all(now != then for now, then in zip(places(gui, window), empty, strict=True)), "swatches")
    return time.perf_counter() - begun


def places(gui: Gui, window: str) -> list[Any]:
    """What is shown where the first row has its first and its last swatch."""
    picture = gui.picture(window)
    return [picture.getpixel(place) for place in ((735, 200), (990, 200))]


if __name__ == "__main__":
    main()
