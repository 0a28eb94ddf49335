"""Times the plug-in in the real GIMP: python benchmarks/gimp.py [layers] [dialog] [--json]

    dialog_s        menu action to the dialog's window
    natural_cold_s  menu action to the natural preview, with an engine that has yet to start
    natural_warm_s  the same with the engine that GIMP keeps
    swatches_ms     phrase entered to swatches on the screen, engine warm
    large_ms        phrase entered to the large preview of the first palette
    again_s         *Again* on a layer of two megapixels, engine kept: the second call and later ones
    layers_24mp     a 24-megapixel grey layer to five color layers, engine warm, s; and its parts

Each is [best, median] of some rounds with the engine itself. `_cpu_s`: processor seconds of GIMP, plug-in and engine
for the same, which depend little on what else the machine does. Needs root, as the tests marked `gimp`.
"""

from __future__ import annotations

import json
import os
import shlex
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

import numpy as np  # noqa: E402
import plugin_files  # noqa: E402
from gui import Gui, missing_programs, running, wait_for  # noqa: E402
from host import Host, default_root, processes_below, why_not  # noqa: E402
from PIL import Image  # noqa: E402
from skimage import data  # noqa: E402

TITLE = "^Colorize$"
ROUNDS = int(os.environ.get("T2C_ROUNDS", "5"))

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
        wanted = set(sys.argv[1:]) & {"layers", "dialog"} or {"layers", "dialog"}
        figures: dict[str, Any] = {"layers_24mp": layers_figures(host)} if "layers" in wanted else {}
        if "dialog" in wanted:
            figures |= dialog_figures(host)
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
    """Showings of the dialog: each of the first rounds with a new engine, the others with the one that is kept."""
    found: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        found.setdefault(name, []).append(value)

    folder = host.share / "data" / "text2colors"
    command = shlex.split(host.real_engine())
    Image.fromarray(data.astronaut()).convert("L").save(host.share / "photograph.png")
    with running(host, "") as gui:
        gui.tell(OPEN)
        for keep in (False, True):
            plugin_files.write_json(folder / "engine.json", {"command": command, "keep": keep})
            for turn in range(ROUNDS + keep):  # the first round starts the engine that is kept
                window, shown, before = open_dialog(gui)
                shown_used = used(gui) - before
                natural = shown + settled(gui, window)
                natural_used = used(gui) - before
                if not (keep and turn == 0):
                    note("dialog_s", shown)
                    note("dialog_cpu_s", shown_used)
                    kind = "natural_warm" if keep else "natural_cold"
                    note(f"{kind}_s", natural)
                    note(f"{kind}_cpu_s", natural_used)
                if keep and turn:
                    swatches, large, phrase_used = draw(gui, window)
                    note("swatches_ms", swatches * 1000)
                    note("large_ms", large * 1000)
                    note("phrase_cpu_s", phrase_used)
                last = keep and turn == ROUNDS
                gui.keys("ctrl+Return" if last else "Escape")  # the values used are those of *Again*
                wait_for(lambda: gui.is_gone(TITLE), "the dialog's end")
        for turn in range(ROUNDS + 1):
            before = used(gui)
            seconds = gui.tell(AGAIN)
            if turn:
                note("again_s", seconds)
                note("again_cpu_s", used(gui) - before)
    return {name: best_and_median(values, 0 if name.endswith("ms") else 2) for name, values in found.items()}


OPEN = """
photograph = load("/share/photograph.png")
display = Gimp.Display.new(photograph)
scan, layer = new_image(width=1600, height=1250)
"""
AGAIN = """
import time
begun = time.perf_counter()
call(scan, [layer], name="plug-in-text2colors-again")
answer = time.perf_counter() - begun
"""


def used(gui: Gui) -> float:
    """Processor seconds so far of GIMP, its plug-ins (ended ones, too), and the engine that it keeps.

    That engine is nobody's child: its socket's place tells.
    """
    kept = {one for one, words in processes_below(1).items() if f"--listen {gui.host.share}" in words}
    return sum(_ticks(one) for one in kept | set(processes_below(gui.process.pid))) / os.sysconf("SC_CLK_TCK")


def _ticks(process: int) -> int:
    """Of a process and of its children that have ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return sum(int(one) for one in fields[11:15])


def open_dialog(gui: Gui) -> tuple[str, float, float]:
    """The dialog's window, seconds from the Enter key in the action search to it, and `used` before."""
    gui.search("photograph", "text2colors color the selected")
    before, begun = used(gui), time.perf_counter()
    gui.xdotool("key", "Return")
    window = gui.window(TITLE)
    return window, time.perf_counter() - begun, before


def settled(gui: Gui, window: str) -> float:
    """Seconds until the large preview has color and is no longer covered by words."""
    begun = time.perf_counter()
    gui.place(window)
    wait_for(lambda: is_colored(gui, window), "the large preview")
    return time.perf_counter() - begun


def draw(gui: Gui, window: str) -> tuple[float, float, float]:
    """Seconds from the Enter key in the phrase's field to the swatches, to the large preview; processor seconds."""
    gui.type("autumn breeze")
    gui.settle()
    empty, before, spent = swatches(gui, window), preview(gui, window), used(gui)
    begun = time.perf_counter()
    gui.xdotool("key", "Return")
    wait_for(lambda: swatches(gui, window) != empty, "swatches")
    drawn = time.perf_counter() - begun
    wait_for(lambda: is_colored(gui, window) and preview(gui, window) != before, "the large preview")
    large = time.perf_counter() - begun
    gui.settle()
    return drawn, large, used(gui) - spent


def swatches(gui: Gui, window: str) -> Any:
    """What is shown where the first row has its first and its last swatch."""
    picture = gui.picture(window)
    return [picture.getpixel(place) for place in ((740, 230), (1010, 230))]


def preview(gui: Gui, window: str) -> bytes:
    """The large preview."""
    return gui.picture(window).crop((12, 140, 586, 560)).tobytes()


def is_colored(gui: Gui, window: str) -> bool:
    """Whether the preview has color, and no words ("Coloring...") on a dark ground in its upper left corner."""
    picture = np.asarray(gui.picture(window).convert("RGB"), np.int16)
    shown = picture[140:560, 90:500]
    words = (picture[146:160, 20:90].min(axis=2) > 240).any()
    return not words and np.abs(shown[..., 0] - shown[..., 2]).mean() > 4


if __name__ == "__main__":
    main()
