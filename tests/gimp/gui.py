"""GIMP with its windows on a screen of memory: mouse and keys by xdotool, pictures by Pillow, and an agent in GIMP.

The agent is a batch script that goes on running in the GIMP under test and carries out Python that it is sent, so that
a test can look at images while their windows are open. Must not import the engine or the plug-in.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from host import HERE, Host, end
from PIL import Image, ImageGrab

# seconds for whatever must come some day; the machine may have much else to do
PATIENCE = float(os.environ.get("T2C_PATIENCE", "240"))
_LONG = 30  # px
QUIET = 0.7  # seconds without a change on the screen after which nothing more is expected

_SETTINGS = """[Settings]
gtk-cursor-blink=0
gtk-enable-animations=0
"""
_AGENT = """
import os, time, traceback
os.makedirs("/share/agent", exist_ok=True)
def serve():
    known = globals()
    while True:
        for name in sorted(os.listdir("/share/agent")):
            if not name.endswith(".py"):
                continue
            path = "/share/agent/" + name
            try:
                answer = {"value": eval_last(open(path).read(), known)}
            except Exception:
                answer = {"error": traceback.format_exc()}
            os.remove(path)
            with open(path[:-3] + ".part", "w") as file:
                json.dump(answer, file)
            os.rename(path[:-3] + ".part", path[:-3] + ".json")
        time.sleep(0.02)
def eval_last(text, known):
    known["answer"] = None
    exec(text, known)
    return known["answer"]
serve()
"""


def missing_programs() -> str:
    """What the GUI run needs and this machine has not; "" when all is there."""
    return ", ".join(name for name in ("Xvfb", "openbox", "xdotool") if not shutil.which(name))


def wait_for(true: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """The first true value of a function, asked again and again."""
    begun = time.monotonic()
    while (waited := time.monotonic() - begun) < seconds:
        value = true()
        if value:
            return value
        time.sleep(0.03 if waited < 2 else 0.2)
    raise AssertionError(f"waited {seconds:g} s in vain for {what}")


@dataclass
class Gui:
    """A GIMP that can be seen and driven."""

    host: Host
    display: str
    process: subprocess.Popen[str]
    _calls: int = 0
    _corners: dict[str, tuple[int, int]] = field(default_factory=dict)

    def tell(self, code: str) -> Any:
        """Run Python inside; what it has put into `answer` (anything JSON can hold)."""
        return self.begin(code)()

    def begin(self, code: str) -> Callable[[], Any]:
        """Begin to run Python inside; call what is returned to wait for its answer."""
        self._calls += 1
        folder = self.host.share / "agent"
        name = f"{self._calls:04d}"
        part = folder / f"{name}.part"
        part.write_text(code, "utf-8")
        part.rename(folder / f"{name}.py")
        found = folder / f"{name}.json"

        def answered() -> bool:
            assert self.process.poll() is None, "GIMP has ended"
            return found.exists()

        def wait() -> Any:
            wait_for(answered, "the agent in GIMP")
            answer = json.loads(found.read_text("utf-8"))
            assert "error" not in answer, answer["error"]
            return answer["value"]

        return wait

    def xdotool(self, *words: str, check: bool = True) -> str:
        """What xdotool says."""
        run = subprocess.run(
            ["xdotool", *words],
            env={**os.environ, "DISPLAY": self.display},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert run.returncode == 0 or not check, f"xdotool {' '.join(words)}: {run.stderr}"
        return run.stdout.strip()

    def window(self, title: str, seconds: float = PATIENCE) -> str:
        """The number of the window whose title matches, once it can be seen."""
        found = wait_for(
            lambda: self.xdotool("search", "--onlyvisible", "--name", title, check=False), f"window '{title}'", seconds
        )
        return found.splitlines()[-1]

    def is_gone(self, title: str) -> bool:
        """Whether no visible window has this title."""
        return not self.xdotool("search", "--onlyvisible", "--name", title, check=False)

    def place(self, window: str) -> tuple[int, int, int, int]:
        """Left, top, width and height of a window's inside; it must not have moved since it was first asked for."""
        facts = dict(line.split("=") for line in self.xdotool("getwindowgeometry", "--shell", window).splitlines())
        if window not in self._corners:
            # the position told there counts the frame twice under some window managers; the pointer's is right
            self.xdotool("mousemove", "--window", window, "0", "0")
            pointer = dict(line.split("=") for line in self.xdotool("getmouselocation", "--shell").splitlines())
            self._corners[window] = (int(pointer["X"]), int(pointer["Y"]))
        return (*self._corners[window], int(facts["WIDTH"]), int(facts["HEIGHT"]))

    def click(self, window: str, x: int, y: int, button: str = "1", times: int = 1) -> None:
        """Click at a place in a window."""
        self.xdotool("mousemove", "--window", window, str(x), str(y))
        self.xdotool("click", "--repeat", str(times), "--delay", "60", button)

    def keys(self, *keys: str) -> None:
        """Press keys, such as "ctrl+z"."""
        self.xdotool("key", "--delay", "40", *keys)

    def type(self, text: str) -> None:
        """Type a text into what has the focus."""
        self.xdotool("type", "--delay", "15", text)

    def picture(self, window: str | None = None) -> Image.Image:
        """The screen, or a window of it."""
        screen = ImageGrab.grab(xdisplay=self.display)
        if window is None:
            return screen
        left, top, width, height = self.place(window)
        return screen.crop((left, top, left + width, top + height))

    def settle(self) -> None:
        """Wait until GIMP has nothing to do, and what is shown has stopped changing."""
        for _ in range(3):  # each goes through GIMP's main loop, behind the events that came before
            self.tell("answer = len(Gimp.get_images())")
        self.still()

    def still(self) -> None:
        """Wait until what is shown has stopped changing."""
        seen, since = b"", time.monotonic()

        def still() -> bool:
            nonlocal seen, since
            now = self.picture().tobytes()  # not of one window, whose place may still change
            if now != seen:
                seen, since = now, time.monotonic()
            return time.monotonic() - since > QUIET

        wait_for(still, "the screen to become still")

    def search(self, main: str, action: str) -> None:
        """Find an action by GIMP's search, as a user without a mouse does; Return then chooses it."""
        self.xdotool("windowactivate", "--sync", self.window(main))
        self.settle()
        self.keys("slash")
        self.window("Search Actions")
        self.settle()
        self.type(action)
        self.settle()

    def open_dialog(self, main: str, action: str, title: str) -> str:
        """Choose an action by GIMP's search; the window that it opens."""
        for _ in range(3):
            self.search(main, action)
            self.keys("Return")
            with contextlib.suppress(AssertionError):
                window = self.window(title, PATIENCE / 3)
                self.settle()
                return window
            if not self.is_gone("Search Actions"):
                self.keys("Escape")
        raise AssertionError(f"the action '{action}' opens no window '{title}'")

    def find_colour(self, window: str, colour: tuple[int, int, int]) -> tuple[int, int] | None:
        """The middle of the uppermost long run of exactly this colour in a window, or else of the longest.

        Relative to the window, 8 px below its upper edge; None when there is none of 12 px.
        """
        picture = self.picture(window).convert("RGB")
        width, height = picture.size
        rows = picture.tobytes()
        best, place = 0, None
        wanted = bytes(colour)
        for y in range(0, height, 4):
            row = rows[y * width * 3 : (y + 1) * width * 3]
            start = row.find(wanted * 12)
            if start >= 0 and start % 3 == 0:
                stop = start
                while row[stop : stop + 3] == wanted:
                    stop += 3
                if stop - start > best:
                    best, place = stop - start, ((start + stop) // 6, y + 8)
                if best > 3 * _LONG:
                    break
        return place


@contextlib.contextmanager
def window_manager(display: str, log: Path) -> Iterator[None]:
    """A window manager that has taken up its work, for without one no window can be activated."""
    environment = {**os.environ, "DISPLAY": display}

    def started() -> subprocess.Popen[bytes]:
        with log.open("ab") as file:
            return subprocess.Popen(["openbox", "--sm-disable"], env=environment, stdout=file, stderr=file)

    process = started()

    def at_work() -> bool:
        nonlocal process
        if process.poll() is not None:  # it may start before the screen is ready for it
            time.sleep(0.2)
            process = started()
        asked = subprocess.run(["xdotool", "get_desktop"], env=environment, capture_output=True)
        return asked.returncode == 0

    try:
        with contextlib.suppress(AssertionError):
            wait_for(at_work, "the window manager", 60)
        assert at_work(), f"openbox does not work on display {display}: {log.read_text('utf-8')[-2000:]}"
        yield
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def running(host: Host, engine: str, size: str = "1280x900") -> Iterator[Gui]:
    """A screen, a window manager and a GIMP with its agent; all ended afterwards."""
    shutil.rmtree(host.share / "agent", ignore_errors=True)
    (host.share / "agent").mkdir()
    gtk = host.share / ".config" / "gtk-3.0"
    gtk.mkdir(parents=True, exist_ok=True)
    (gtk / "settings.ini").write_text(_SETTINGS, "utf-8")
    (host.share / "agent.py").write_text((HERE / "inside.py").read_text("utf-8") + _AGENT, "utf-8")
    with contextlib.ExitStack() as stack:
        reading, writing = os.pipe()  # Xvfb takes a free number, and tells it here
        screen = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{size}x24", "-nolisten", "tcp", "-noreset"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[writing],
        )
        os.close(writing)
        stack.callback(lambda: (screen.terminate(), screen.wait()))
        with os.fdopen(reading) as told:
            display = f":{told.readline().strip()}"
        assert display != ":", "the X server did not start"
        stack.enter_context(window_manager(display, host.share / "openbox.log"))
        script = "exec(compile(open('/share/agent.py').read(), 'agent.py', 'exec'))"
        words = [
            "dbus-run-session",
            "--",
            f"gimp-{host.version}",
            "-n",
            "-s",
            "--batch-interpreter=python-fu-eval",
            "-b",
            script,
        ]
        process = host.start(words, engine, {"DISPLAY": display, "GTK_THEME": ""})
        stack.callback(lambda: end(process))
        gui = Gui(host, display, process)
        gui.window("GNU Image Manipulation Program")
        gui.tell("answer = 1")
        yield gui
