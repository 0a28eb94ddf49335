"""The widgets of the dialog and where they stand; what they do is `dialog`'s. No engine, no pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gimp, Gtk, Pango  # noqa: E402

from t2c_plugin.texts import _  # noqa: E402
from t2c_plugin.ui import windows  # noqa: E402
from t2c_plugin.ui.colors_from import ColorsFrom  # noqa: E402
from t2c_plugin.ui.hint_chooser import HintChooser  # noqa: E402
from t2c_plugin.ui.options import Options, Sliders  # noqa: E402
from t2c_plugin.ui.palette_rows import PaletteList  # noqa: E402
from t2c_plugin.ui.preview import PictureView  # noqa: E402
from t2c_plugin.ui.sources.base import button, line  # noqa: E402

if TYPE_CHECKING:
    from t2c_plugin.ui.dialog import ColorizeDialog

SIZE = (1040, 780)  # px, where the screen has room for it; 1366 x 768 is enough
_AROUND = 100  # px of the screen's height that panels and frames take
PREVIEW = (400, 360)  # px; the least
_LIST_WIDTH = 430


class DialogLayout:
    """Words above, the preview on the left, palettes on the right, the rest below."""

    def __init__(
        self,
        dialog: ColorizeDialog,
        image: Gimp.Image,
        originals: Sequence[Gimp.Layer],
        hint_layer: Gimp.Layer | None,
    ) -> None:
        several = len(originals) > 1
        title = _("Colorize {count} Layers").format(count=len(originals)) if several else _("Colorize")
        self.window = _window(dialog, title)
        content = self.window.get_content_area()
        content.set_spacing(6)

        self.target = windows.label("", "t2c-note", wrap=False)
        self.target.set_ellipsize(Pango.EllipsizeMode.MIDDLE)
        self.target.set_max_width_chars(40)
        self.colors_from = ColorsFrom(self.target, dialog.on_switch)
        self.bar = self._build_bar()
        for widget in (self.colors_from, self.bar):
            content.pack_start(widget, False, False, 0)

        self.view = PictureView(*PREVIEW)
        self.list = PaletteList(dialog.on_changed, dialog.on_pointed, dialog.on_edited)
        self.list.set_size_request(_LIST_WIDTH, -1)
        self.view.connect("size-allocate", lambda *_args: dialog.on_pointed(self.list.shown))
        middle = Gtk.Box(spacing=12)
        middle.pack_start(self.view, True, True, 0)
        middle.pack_start(self._build_right(dialog), False, False, 0)
        content.pack_start(middle, True, True, 0)

        self.sliders = Sliders()
        self.options = Options(several)
        compare = Gtk.ToggleButton.new_with_mnemonic(_("_Before"))
        compare.set_tooltip_text(_("Hold the button down, or press it, to see the layer as it is"))
        self._connect_compare(compare)
        settings = Gtk.Box(spacing=12)
        settings.pack_start(compare, False, False, 0)
        settings.pack_start(self.sliders, True, True, 0)
        settings.pack_start(self.options, False, False, 0)
        self.hints = HintChooser(image, originals, hint_layer, lambda: dialog.look_at_hints(), dialog.new_hints_layer)
        self.progress = Gtk.ProgressBar(show_text=True, hexpand=True, valign=Gtk.Align.CENTER)
        self.stop = button(_("_Stop"), dialog.stop, _("Stop the work; nothing is inserted"))
        self._working_line = line(self.progress, self.stop)
        for widget in (settings, self.hints, self._working_line):
            content.pack_start(widget, False, False, 0)
        self._locked_while_working = (self.colors_from, self.list, self._actions, self.hints, settings)

    def show(self) -> None:
        """Show the window."""
        self.window.show_all()
        self.bar.hide()
        self._working_line.hide()
        self._spinner.hide()
        self.colors_from.current.focus()

    def say_target(self, originals: Sequence[Gimp.Layer], hint_layer: Gimp.Layer | None) -> None:
        """Name what will be colored, and why it is not what was selected."""
        name = originals[0].get_name()
        words = _("Layer: {name}").format(name=name)
        if len(originals) > 1:
            words = _("{count} layers; the preview shows {name}").format(count=len(originals), name=name)
        self.target.set_text(words)
        self.target.set_tooltip_text(words)
        if hint_layer is not None:
            self.say(
                _("'{hints}' is selected, but mostly transparent: it gives the color hints for '{name}'.").format(
                    hints=hint_layer.get_name(), name=name
                )
            )

    def say(self, text: str) -> None:
        """A remark below the palettes."""
        self._note.set_text(text)

    def wait(self, text: str) -> None:
        """Show that palettes are waited for; "": no longer."""
        self._spinner.set_visible(bool(text))
        self.list.set_waiting(bool(text))
        if text:
            self._note.set_text(text)

    def say_error(self, text: str, details: str) -> None:
        """Show what went wrong until it is put away."""
        self._message.set_text(text)
        self._message.set_tooltip_text(details or None)
        self.bar.show()

    def show_possible(self, layers: int, working: bool, reroll: bool, back: bool, forward: bool) -> None:
        """Let only those buttons be pressed that can do something."""
        self.window.set_response_sensitive(Gtk.ResponseType.OK, layers > 0 and not working)
        button = self.window.get_widget_for_response(Gtk.ResponseType.OK)
        button.set_label(_("_Colorize") if layers < 2 else _("_Colorize ({count} layers)").format(count=layers))
        self._save.set_sensitive(any(row.palette for row in self.list.chosen))
        self._reroll.set_sensitive(reroll and not working)
        self._unlock.set_sensitive(bool(self.list.locks.colors))
        self.colors_from.words.bar.back.set_sensitive(back and not working)
        self.colors_from.words.bar.forward.set_sensitive(forward and not working)

    def say_progress(self, text: str) -> None:
        """What is being done, below the palettes."""
        self.progress.set_text(text)
        windows.name_it(self.progress, text)

    def set_working(self, working: bool) -> None:
        """Show progress, and lock what must not change meanwhile."""
        self.progress.set_fraction(0.0)
        self.say_progress(_("Colorizing"))
        self.stop.set_sensitive(True)
        self._working_line.set_visible(working)
        self.hints.set_visible(not working)  # in its place, so that nothing else moves
        for widget in self._locked_while_working:
            widget.set_sensitive(not working)
        if working:
            self.stop.grab_focus()

    def _build_right(self, dialog: ColorizeDialog) -> Gtk.Box:
        right = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        self._spinner = Gtk.Spinner(active=True)
        self._note = windows.label("", "dim-label", "t2c-note")
        self._note.set_max_width_chars(50)
        self._reroll = button(_("_Re-roll"), dialog.reroll, _("Other palettes, around the locked colors"))
        self._unlock = button(_("_Unlock All"), dialog.unlock_all, _("Free all locked colors"))
        self._save = button(_("Sa_ve Palette"), dialog.save_palettes, _("Keep the chosen palettes in GIMP"))
        self._actions = line(self._reroll, self._unlock, self._save)
        right.pack_start(self.list, True, True, 0)
        right.pack_start(line(self._spinner, self._note), False, False, 0)
        right.pack_start(self._actions, False, False, 0)
        return right

    def _build_bar(self) -> Gtk.InfoBar:
        bar = Gtk.InfoBar(message_type=Gtk.MessageType.ERROR, show_close_button=True)
        bar.connect("response", lambda *_args: bar.hide())
        self._message = windows.label("")
        self._message.set_selectable(True)
        self._message.set_max_width_chars(90)
        self._message.show()
        bar.get_content_area().add(self._message)
        bar.set_no_show_all(True)
        return bar

    def _connect_compare(self, toggle: Gtk.ToggleButton) -> None:
        """Held down: before while it is held. Toggled by the keyboard: until it is toggled back."""

        def press(*_args: object) -> bool:
            self.view.show_before(True)
            return True

        def release(*_args: object) -> bool:
            self.view.show_before(False)
            return True

        toggle.connect("button-press-event", press)
        toggle.connect("button-release-event", release)
        toggle.connect("toggled", lambda _button: self.view.show_before(toggle.get_active()))


def _window(dialog: ColorizeDialog, title: str) -> Gtk.Dialog:
    """The empty window, what happens to it told to the dialog."""
    window = windows.window(title, (_("Close"), Gtk.ResponseType.CLOSE), (_("_Colorize"), Gtk.ResponseType.OK))
    window.set_default_size(SIZE[0], min(SIZE[1], _room(window) - _AROUND))
    window.connect("response", lambda _window, response: dialog.on_response(response))
    window.connect("delete-event", lambda *_args: True)  # a response comes with it
    window.connect("focus-in-event", lambda *_args: dialog.look_at_hints())
    window.connect("key-press-event", lambda _window, event: dialog.on_key(event))
    return window


def _room(window: Gtk.Window) -> int:
    """Height of the lowest monitor, in px."""
    display = window.get_display()
    monitors = [display.get_monitor(index) for index in range(display.get_n_monitors())]
    return min((monitor.get_workarea().height for monitor in monitors if monitor is not None), default=SIZE[1])
