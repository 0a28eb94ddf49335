"""The dialog opened in the batch interpreter of a GIMP, so that a test can read what assistive programs would.

The dialog's process is the interpreter's own: a timer in it writes the accessible names of all that can be seen, and
what has the focus, to a file. Mouse and keys come from outside, as with any window.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gui import Gui, wait_for

OPEN = """
import os, sys
sys.path.insert(0, "/share/profile/plug-ins/text2colors")
import gi
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, Gtk
from t2c_plugin.image import layers as t2c_layers
from t2c_plugin.ui import dialog as t2c_dialog

def names_of(widget, found):
    if not widget.get_mapped():
        return found
    accessible = widget.get_accessible()
    if accessible is not None:
        words = [accessible.get_name() or "", accessible.get_description() or ""]
        found.append([accessible.get_role().value_nick, words[0], widget.is_sensitive(), words[1]])
    if isinstance(widget, Gtk.Container):
        widget.forall(lambda child: names_of(child, found))
    return found

def keys_of(widget, found):
    if widget.get_mapped():
        if isinstance(widget, Gtk.Label) and widget.get_mnemonic_keyval() != Gdk.KEY_VoidSymbol:
            found.append([Gdk.keyval_name(widget.get_mnemonic_keyval()), widget.get_text()])
        if isinstance(widget, Gtk.Container):
            widget.forall(lambda child: keys_of(child, found))
    return found

def focus_of(window):
    widget = window.get_focus()
    accessible = widget.get_accessible() if widget is not None else None
    return [accessible.get_role().value_nick, accessible.get_name() or ""] if accessible is not None else None

def look():
    windows = {}
    for one in Gtk.Window.list_toplevels():
        if one.get_mapped() and one.get_title():
            windows[one.get_title()] = {"names": names_of(one, []), "keys": keys_of(one, []), "focus": focus_of(one)}
    with open("/share/watched.part", "w") as file:
        json.dump(windows, file)
    os.rename("/share/watched.part", "/share/watched.json")
    return True

def show_dialog():
    config = Gimp.get_pdb().lookup_procedure("plug-in-text2colors").create_config()
    timer = GLib.timeout_add(60, look)
    try:
        found = t2c_layers.suggested(image, image.get_selected_layers(), False)
        made = t2c_dialog.run(image, found, config, None)
    finally:
        GLib.source_remove(timer)
    return [] if made is None else [one.get_name() for one in made]
"""


@dataclass
class Watched:
    """The dialog while it is open."""

    gui: Gui
    title: str
    window: str
    wait: Callable[[], Any]  # until it has closed; the names of the layers made

    def look(self, title: str = "") -> dict[str, Any]:
        """What a window shows now: `names` (role, name, sensitive, description), `keys` (mnemonics), `focus`."""
        path = self.gui.host.share / "watched.json"
        path.unlink(missing_ok=True)
        wait_for(path.exists, "the dialog to be looked at")
        return json.loads(path.read_text("utf-8")).get(title or self.title, {"names": [], "keys": [], "focus": None})

    def shows(self, text: str) -> bool:
        """Whether a text can be read somewhere in the window."""
        return any(text in one[1] or text in one[3] for one in self.look()["names"])

    def wait_for_text(self, text: str) -> None:
        """Wait until a text can be read."""
        wait_for(lambda: self.shows(text), f"the text '{text}'")

    def is_sensitive(self, name: str) -> bool:
        """Whether a button of this name can be pressed."""
        return next(one[2] for one in self.look()["names"] if one[1] == name and "button" in one[0])

    @property
    def focus(self) -> list[str] | None:
        """Role and name of what has the focus."""
        return self.look()["focus"]

    def close(self) -> Any:
        """Close it by Escape."""
        self.gui.keys("Escape")
        return self.wait()


def open_watched(gui: Gui, title: str = "Colorize") -> Watched:
    """Open the dialog for what is selected in `image`."""
    wait = gui.begin(OPEN + "\nanswer = show_dialog()")
    window = gui.window(f"^{title}$")
    gui.xdotool("windowactivate", "--sync", window)
    gui.still()
    return Watched(gui, title, window, wait)
