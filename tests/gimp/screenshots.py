"""Pictures of the plug-in in the real GIMP: python tests/gimp/screenshots.py FOLDER [NAME...]

Without names, those of docs/gimp.md (DOCS); "all" takes those of every state. The photograph is scikit-image's
astronaut, colored by the real engine; where the colors do not matter, by the engine of the tests. Needs what the window
tests need, and models (shipped, or in T2C_MODELS).
"""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from gui import Gui, missing_programs, running, wait_for
from host import CHECKOUT, Host, default_root, why_not
from PIL import Image
from watched import OPEN as WATCHED
from watched import Watched, open_watched

sys.path.insert(0, str(CHECKOUT / "install"))
import plugin_files  # pyright: ignore[reportMissingImports]

DOCS = ("natural", "variations", "dialog", "options", "hints", "region", "reference", "look", "result")
MAIN = "Untitled|astronaut"  # in the title of GIMP's window
PHRASE = "autumn breeze and falling leaves"
# left, top, side and color of what a user has painted as color hints: the suit, the flag's blue
HINTS = ((190, 372, 16, "#d9682a"), (262, 430, 16, "#d9682a"), (24, 60, 14, "#2f4a8c"))
OPEN = """
image = load("/share/astronaut.png")
image.convert_rgb()
photograph = image.get_layers()[0]
photograph.set_name("photograph")
painted = Gimp.Layer.new(image, "Color hints", 512, 512, Gimp.ImageType.RGBA_IMAGE, 100, Gimp.LayerMode.NORMAL)
image.insert_layer(painted, None, 0)
for left, top, side, color in HINTS:
    image.select_ellipse(Gimp.ChannelOps.REPLACE, left, top, side, side)
    Gimp.context_set_foreground(Gegl.Color.new(color))
    painted.edit_fill(Gimp.FillType.FOREGROUND)
Gimp.Selection.none(image)
image.set_selected_layers([photograph])
display = Gimp.Display.new(image)
"""
PADLOCK = (760, 238)  # of the first row's first color, in a window of the first size
PLAIN = "image, layer = new_image(width=200, height=120)\ndisplay = Gimp.Display.new(image)"


class Camera:
    """Takes the pictures that are wanted."""

    def __init__(self, folder: Path, wanted: set[str]) -> None:
        self._folder, self._wanted = folder, wanted

    def wants(self, *names: str) -> bool:
        """Whether one of them is wanted."""
        return bool(self._wanted & {"all", *names})

    def take(self, name: str, gui: Gui, window: str | None = None, moves: bool = False) -> None:
        """One picture, when nothing moves any more, unless it `moves`."""
        if self.wants(name):
            if not moves:
                gui.still()
            gui.picture(window).save(self._folder / f"gimp-{name}.png", optimize=True)


def main(folder: Path, names: set[str]) -> None:
    """Take them into the folder."""
    reason = why_not(default_root()) or missing_programs()
    if reason:
        sys.exit(f"No screenshots: {reason}.")
    folder.mkdir(parents=True, exist_ok=True)
    camera = Camera(folder, names)
    if camera.wants("look"):
        with session("1360x900", lambda host: host.real_engine(), photograph=True) as gui:
            take_looks(gui, camera)
    if camera.wants(*set(DOCS) - {"look"}, "locked", "palette"):
        with session("1360x900", lambda host: host.real_engine(), photograph=True) as gui:
            take_photograph(gui, camera)
    if camera.wants("reference"):
        with session("1360x900", lambda host: host.real_engine(), photograph=True) as gui:
            take_reference(gui, camera)
    if camera.wants("files", "menu"):
        program = lambda host: host.engine(sys.executable, str(CHECKOUT / "tests" / "fake_t2c.py"), "engine")  # noqa: E731
        with session("1366x768", program) as gui:
            take_menu_and_files(gui, camera)
    for name, mode in (("empty", "silent"), ("working", "endless"), ("error", "crash")):
        if camera.wants(name, *["stopped"] * (mode == "endless")):
            with session("1366x768", lambda host, mode=mode: host.fake_engine(mode)) as gui:
                take_state(gui, camera, name)
    for name, (size, environment, settings) in VARIANTS.items():
        if camera.wants(name):
            with session(size, lambda host: host.fake_engine("good"), environment, settings) as gui:
                take_variant(gui, camera, name)


@contextlib.contextmanager
def session(
    size: str,
    engine: Callable[[Host], str],
    environment: Mapping[str, str] | None = None,
    settings: str = "",
    photograph: bool = False,
) -> Iterator[Gui]:
    """A GIMP with the plug-in and an image."""
    with tempfile.TemporaryDirectory() as share:
        models = {"T2C_MODELS": os.environ["T2C_MODELS"]} if "T2C_MODELS" in os.environ else {}
        host = Host(default_root(), Path(share), {**models, **(environment or {})})
        plugin_files.copy_plugin(host.profile)
        with (host.profile / "gimprc").open("a") as file:
            file.write(settings)
        if photograph:
            from skimage import data

            Image.fromarray(data.astronaut()).convert("L").save(host.share / "astronaut.png")
        words = shlex.split(engine(host))
        plugin_files.write_json(host.share / "data" / "text2colors" / "engine.json", {"command": words})
        with running(host, "", size=size) as gui:
            gui.tell(f"HINTS = {HINTS!r}\n{OPEN}" if photograph else PLAIN)
            main_window = gui.window(MAIN)
            width, height = (int(number) for number in size.split("x"))
            gui.xdotool("windowsize", "--sync", main_window, str(width - 20), str(height - 40))
            gui.xdotool("windowmove", main_window, "2", "2")
            gui.settle()
            yield gui


def colored(dialog: Watched, *texts: str) -> None:
    """Wait until these texts can be read and no preview is waited for."""
    for text in texts:
        dialog.wait_for_text(text)
    wait_for(lambda: not dialog.shows("Coloring..."), "the previews")


def draw(dialog: Watched) -> None:
    """Type the phrase, and wait for palettes and previews."""
    dialog.gui.type(PHRASE)
    dialog.gui.keys("Return")
    colored(dialog, "Palette 1:")


def take_photograph(gui: Gui, camera: Camera) -> None:
    """The way of a user with a photograph."""
    dialog = open_watched(gui)
    colored(dialog)
    camera.take("natural", gui, dialog.window)
    if camera.wants("variations"):
        gui.keys("alt+n")
        colored(dialog, "Variation 5")
        camera.take("variations", gui, dialog.window)
        gui.keys("alt+w")
    draw(dialog)
    camera.take("dialog", gui, dialog.window)
    gui.keys("alt+o")
    camera.take("options", gui, dialog.window)
    gui.keys("Escape")
    gui.click(dialog.window, *PADLOCK)
    gui.xdotool("mousemove", "--window", dialog.window, "700", str(PADLOCK[1] + 68))
    colored(dialog)
    camera.take("locked", gui, dialog.window)
    gui.keys("alt+a")
    gui.type("#2b2a33 #8c2f1b #5b6b3a #d98c3f #f2d8a7 #88aacc")
    gui.keys("Return")
    colored(dialog, "Own palette")
    camera.take("palette", gui, dialog.window)
    dialog.close()
    if camera.wants("region"):
        gui.tell("image.select_ellipse(Gimp.ChannelOps.REPLACE, 90, 230, 330, 300)\nGimp.displays_flush()")
        dialog = open_watched(gui)
        draw(dialog)
        camera.take("region", gui, dialog.window)
        dialog.close()
        gui.tell("Gimp.Selection.none(image)\nGimp.displays_flush()")
    gui.tell("image.set_selected_layers([painted])")
    dialog = open_watched(gui)
    draw(dialog)
    camera.take("hints", gui, dialog.window)
    gui.keys("ctrl+Return")
    dialog.wait()
    gui.tell("display.present()" if gui.host.version != "3.0" else "Gimp.displays_flush()")
    camera.take("result", gui)


def take_looks(gui: Gui, camera: Camera) -> None:
    """The photograph in every look, two of them chosen."""
    dialog = open_watched(gui)
    colored(dialog, "A Look")  # the engine has told of it
    gui.keys("alt+k")
    colored(dialog, "Night", "Cold")
    gui.keys("Down", "space")
    camera.take("look", gui, dialog.window)
    dialog.close()


def take_reference(gui: Gui, camera: Camera) -> None:
    """The tab for colors of a picture: one of scikit-image's stereo pair in grey, the other as reference."""
    from skimage import data

    grey, postcard = data.stereo_motorcycle()[:2]
    Image.fromarray(grey).convert("L").save(gui.host.share / "motorcycle.png")
    Image.fromarray(postcard).save(gui.host.share / "postcard.png")
    gui.tell(
        'motorcycle = load("/share/motorcycle.png")\n'
        "motorcycle.convert_rgb()\n"
        "shown = Gimp.Layer.new_from_drawable(motorcycle.get_layers()[0], image)\n"
        "shown.set_name('motorcycle')\n"
        "image.insert_layer(shown, None, 0)\n"
        "image.resize(shown.get_width(), shown.get_height(), 0, 0)\n"
        'postcard = load("/share/postcard.png")\n'
        "postcard.get_layers()[0].set_name('postcard')\n"
        "image.set_selected_layers([shown])\n"
        "Gimp.displays_flush()"
    )
    dialog = open_watched(gui)
    colored(dialog)
    gui.keys("alt+t")
    gui.still()
    gui.keys("space")
    gui.still()
    gui.keys("Down", "Return")  # the image opened last comes first
    colored(dialog, "postcard")
    camera.take("reference", gui, dialog.window)
    dialog.close()


def take_menu_and_files(gui: Gui, camera: Camera) -> None:
    """The menu, and a folder being colored."""
    gui.xdotool("windowactivate", "--sync", gui.window(MAIN))
    gui.keys("alt+c")
    gui.settle()
    gui.keys("End", "Up", "Right")
    camera.take("menu", gui)
    gui.keys("Escape", "Escape", "Escape")
    scans = gui.host.share / "slow"
    scans.mkdir()
    for number in range(40):
        (scans / f"scan-{number:02d}.png").write_bytes(b"")
    window = gui.open_dialog(MAIN, "text2colors color folders", "^Colorize Files$")
    for keys, text in (("", str(scans)), ("alt+e", f"{scans}-colorized"), ("alt+a", "autumn breeze")):
        if keys:
            gui.keys(keys)
        gui.type(text)
    gui.keys("alt+c")
    done = gui.host.share / "slow-colorized"
    wait_for(lambda: done.exists() and len(list(done.iterdir())) > 8, "some pictures")
    camera.take("files", gui, window, moves=True)
    gui.keys("alt+s")
    camera.take("files-stopped", gui, window)


def take_state(gui: Gui, camera: Camera, name: str) -> None:
    """The dialog while it waits, works, has been stopped, or cannot work."""
    dialog = open_watched(gui)
    if name == "working":
        draw(dialog)
        gui.keys("ctrl+Return")
        dialog.wait_for_text("Stop")
    camera.take(name, gui, dialog.window)
    if name == "working":
        gui.keys("alt+s")
        dialog.wait_for_text("Stopped; nothing has been inserted.")
        camera.take("stopped", gui, dialog.window)


VARIANTS: dict[str, tuple[str, dict[str, str], str]] = {
    "2x": ("2732x1536", {"GDK_SCALE": "2"}, ""),
    "light": ("1366x768", {}, "(theme-color-scheme light)\n"),
    "768": ("1366x768", {}, ""),
    "german": ("1366x768", {"LANGUAGE": "de"}, ""),
    "vietnamese": ("1366x768", {"LANGUAGE": "vi"}, ""),
}


def take_variant(gui: Gui, camera: Camera, name: str) -> None:
    """The whole screen with the dialog, drawn palettes in it."""
    wait = gui.begin(WATCHED + "\nshow_dialog()")
    window = gui.window("^(Colorize|Einfärben|Tô màu)$")
    gui.xdotool("windowactivate", "--sync", window)
    gui.still()
    gui.type(PHRASE)
    gui.keys("Return")
    gui.still()
    camera.take(name, gui)
    gui.keys("Escape")
    wait()


if __name__ == "__main__":
    if len(sys.argv) < 2 or any(name.startswith("gimp-") for name in sys.argv[2:]):
        sys.exit(__doc__)
    main(Path(sys.argv[1]).resolve(), set(sys.argv[2:]) or set(DOCS))
