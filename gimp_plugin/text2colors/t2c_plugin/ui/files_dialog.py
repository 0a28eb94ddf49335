"""The window of *Colorize Files*: which pictures, what colors, progress, Stop, and the page of results."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gimp, GLib, Gtk  # noqa: E402

from t2c_plugin import files  # noqa: E402
from t2c_plugin.engine.errors import EngineError  # noqa: E402
from t2c_plugin.recent import EXAMPLES  # noqa: E402
from t2c_plugin.request import MAX_COUNT, RequestError  # noqa: E402
from t2c_plugin.texts import _  # noqa: E402
from t2c_plugin.ui import windows  # noqa: E402
from t2c_plugin.ui.options import Sliders, combo  # noqa: E402
from t2c_plugin.ui.palette_rows import NOTHING, WORDS  # noqa: E402
from t2c_plugin.ui.sources.base import button, line  # noqa: E402

log = logging.getLogger(__name__)

_WIDTH = 620  # px
_ONE, _NATURAL = "one", "natural"
_WORDS = (
    (_ONE, _("One phrase for all")),
    (files.SIDECAR, _("Text files beside the pictures")),
    (files.METADATA, _("Titles in the pictures")),
    (_NATURAL, _("No words: natural colors")),
)
_SCOPES = (("album", _("all pictures")), ("folder", _("each folder")), ("picture", _("each picture")))
_FORMATS = (
    *(("same", _("As the original")), ("png", "PNG"), ("jpeg", "JPEG"), ("webp", "WebP"), ("tiff16", "TIFF, 16 bit")),
    ("ora", _("Layers (OpenRaster)")),
)


def run(config: Gimp.ProcedureConfig) -> str | None:
    """Show the window until it is closed; the report of the last job, or None when none was begun."""
    windows.prepare()
    dialog = FilesDialog(config)
    dialog.loop.run()
    dialog.close()
    return dialog.report


class FilesDialog:
    """One showing of the window."""

    def __init__(self, config: Gimp.ProcedureConfig) -> None:
        self._config = config
        self._run: files.Run | None = None
        self.report: str | None = None
        self.loop = GLib.MainLoop()
        self._window = windows.window(_("Colorize Files"), (_("Close"), Gtk.ResponseType.CLOSE))
        self._window.set_default_size(_WIDTH, -1)
        self._window.connect("response", lambda *_args: self.loop.quit())
        self._open = button(_("Open _Results"), self._open_results, _("Look through the results in the browser"))
        self._stop = button(_("_Stop"), self._on_stop, _("Finish the pictures in work; later the same goes on"))
        self._start = button(_("_Colorize"), self._on_start, _("Color the pictures; the originals stay as they are"))
        for widget in (self._open, self._stop, self._start):
            self._window.get_action_area().pack_end(widget, False, False, 0)
        content = self._window.get_content_area()
        self._form = self._build_form()
        self._bar = Gtk.ProgressBar(show_text=True, text="")
        self._words = windows.label("")
        self._words.set_selectable(True)
        self._words.set_max_width_chars(70)
        for widget in (self._form, self._bar, self._words):
            content.pack_start(widget, False, False, 0)
        self._set_values()
        self._window.show_all()
        self._bar.hide()
        self._show_possible()
        self._inputs.grab_focus()

    def close(self) -> None:
        """Take the window away; a job that goes on is stopped."""
        if self._run is not None:
            self._run.stop()
        self._window.destroy()
        while Gtk.events_pending():
            Gtk.main_iteration()

    def _build_form(self) -> Gtk.Grid:
        self._inputs = Gtk.TextView(accepts_tab=False)
        scrolled = Gtk.ScrolledWindow(hexpand=True, shadow_type=Gtk.ShadowType.IN)
        scrolled.set_size_request(-1, 70)
        scrolled.add(self._inputs)
        self._output = Gtk.Entry(hexpand=True)
        self._phrase = Gtk.Entry(hexpand=True, placeholder_text=EXAMPLES[0])
        self._from = combo(_WORDS)
        self._scope, self._format = combo(_SCOPES), combo(_FORMATS)
        self._count = Gtk.SpinButton.new_with_range(1, MAX_COUNT, 1)
        self._sliders = Sliders((WORDS, NOTHING))
        self._from.connect("changed", lambda _combo: self._show_possible())
        choose = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        folder = Gtk.FileChooserAction.SELECT_FOLDER
        choose.add(button(_("_Folder..."), lambda: self._add(folder), _("Add a folder with all below it")))
        choose.add(button(_("P_ictures..."), lambda: self._add(Gtk.FileChooserAction.OPEN), _("Add pictures")))
        output = button(_("Ch_oose..."), self._choose_output, _("A folder for the results and the job's journal"))
        grid = Gtk.Grid(row_spacing=6, column_spacing=12)
        rows: list[tuple[str, Gtk.Widget, Gtk.Widget, Gtk.Widget | None]] = [
            (_("_Pictures and folders, one a line"), self._inputs, scrolled, choose),
            (_("R_esults in"), self._output, self._output, output),
            (_("_Words"), self._from, self._from, None),
            (_("Phr_ase"), self._phrase, self._phrase, None),
            (_("Sa_me palettes for"), self._scope, self._scope, None),
            (_("Results of each picture"), self._count, line(self._count), None),
            (_("Forma_t"), self._format, self._format, None),
        ]
        for top, (text, widget, shown, beside) in enumerate(rows):
            grid.attach(windows.mnemonic_label(text, widget), 0, top, 1, 1)
            grid.attach(shown, 1, top, 1 if beside else 2, 1)
            if beside is not None:
                grid.attach(beside, 2, top, 1, 1)
        grid.attach(self._sliders, 0, len(rows), 3, 1)
        return grid

    def _set_values(self) -> None:
        value = self._config.get_property
        self._inputs.get_buffer().set_text(value("inputs") or "")
        self._output.set_text(value("output") or "")
        self._phrase.set_text(value("phrase") or "")
        self._from.set_active_id(value("captions") or _ONE)
        self._scope.set_active_id(value("palette-per"))
        self._format.set_active_id(value("format"))
        self._count.set_value(value("count") if value("inputs") else 1)
        self._sliders.set({name: value(name) for name in self._sliders.names})

    def _text(self) -> str:
        buffer = self._inputs.get_buffer()
        return buffer.get_text(buffer.get_start_iter(), buffer.get_end_iter(), False)

    def _job(self) -> files.FilesJob:
        words = self._from.get_active_id()
        values: dict[str, Any] = {
            "inputs": self._text(),
            "output": self._output.get_text().strip(),
            "phrase": "" if words == _NATURAL else self._phrase.get_text().strip(),
            "captions": words if words in (files.SIDECAR, files.METADATA) else "",
            "palette-per": self._scope.get_active_id(),
            "count": self._count.get_value_as_int(),
            "format": self._format.get_active_id(),
            **self._sliders.get(),
        }
        if words == _ONE and not values["phrase"]:
            raise RequestError(_("Type a phrase, or choose natural colors."))
        for name, one in values.items():
            self._config.set_property(name, one)
        return files.job_from(self._config.get_property)

    def _show_possible(self) -> None:
        going_on, words = self._run is not None, self._from.get_active_id() != _NATURAL
        self._form.set_sensitive(not going_on)
        self._start.set_sensitive(not going_on)
        self._stop.set_sensitive(going_on)
        self._open.set_sensitive(not going_on and self.report is not None)
        for widget in (self._phrase, self._scope, self._count):
            widget.set_sensitive(words)
        self._sliders.show_for((WORDS if words else NOTHING,))

    def _on_start(self) -> None:
        try:
            job = self._job()
        except RequestError as error:
            self._words.set_text(str(error))
            return
        self._run = run = files.Run(job)
        self._bar.set_fraction(0.0)
        self._bar.set_text(_("Starting"))
        self._bar.show()
        self._words.set_text("")
        self._show_possible()

        def work() -> None:
            last = files.Progress()
            try:
                for last in run.progress():
                    GLib.idle_add(self._on_progress, last)
            except EngineError as error:
                GLib.idle_add(self._on_end, last, job, str(error))
            except Exception as error:  # the edge of a thread: nobody else would see it
                log.exception("the job failed")
                GLib.idle_add(self._on_end, last, job, str(error))
            else:
                GLib.idle_add(self._on_end, last, job, "")

        threading.Thread(target=work, name="text2colors files", daemon=True).start()

    def _on_progress(self, progress: files.Progress) -> bool:
        if progress.total:
            self._bar.set_fraction(progress.finished / progress.total)
        self._bar.set_text(
            _("{done} of {total}: {name}").format(done=progress.finished, total=progress.total, name=progress.name)
        )
        return GLib.SOURCE_REMOVE

    def _on_end(self, progress: files.Progress, job: files.FilesJob, error: str) -> bool:
        self._run = None
        self._bar.hide()
        if not error:
            self.report = files.report(progress, job.output)
        self._words.set_text(error or self.report or "")
        self._show_possible()
        return GLib.SOURCE_REMOVE

    def _on_stop(self) -> None:
        if self._run is not None:
            self._bar.set_text(_("Stopping..."))
            self._stop.set_sensitive(False)
            self._run.stop()

    def _open_results(self) -> None:
        output = self._output.get_text().strip()
        self._open.set_sensitive(False)
        self._words.set_text(_("Making the page of results..."))

        def work() -> None:
            try:
                page = files.make_review(output)
            except EngineError as error:
                GLib.idle_add(show, str(error))
            else:
                GLib.idle_add(show, "", page)

        def show(words: str, page: Path | None = None) -> bool:
            self._open.set_sensitive(True)
            self._words.set_text(words or f"{self.report}\n{page}")
            if page is not None:
                windows.open_in_browser(page)
            return GLib.SOURCE_REMOVE

        threading.Thread(target=work, name="text2colors review", daemon=True).start()

    def _add(self, action: Gtk.FileChooserAction) -> None:
        chosen = _choose(self._window, _("Pictures to colorize"), action)
        if chosen:
            before = [one for one in self._text().splitlines() if one.strip()]
            self._inputs.get_buffer().set_text("\n".join([*before, *(one for one in chosen if one not in before)]))
            if not self._output.get_text().strip():
                first = Path(chosen[0])
                folder = first if action == Gtk.FileChooserAction.SELECT_FOLDER else first.parent
                self._output.set_text(str(folder.with_name(folder.name + "-colorized")))

    def _choose_output(self) -> None:
        action = Gtk.FileChooserAction.SELECT_FOLDER
        chosen = _choose(self._window, _("Folder for the results"), action)
        if chosen:
            self._output.set_text(chosen[0])


def _choose(parent: Gtk.Window, title: str, action: Gtk.FileChooserAction) -> list[str]:
    """Paths that the user chooses; none when cancelled."""
    dialog = Gtk.FileChooserDialog(title=title, transient_for=parent, action=action)
    dialog.add_button(_("_Cancel"), Gtk.ResponseType.CANCEL)
    dialog.add_button(_("_OK"), Gtk.ResponseType.OK)
    dialog.set_default_response(Gtk.ResponseType.OK)
    dialog.set_select_multiple(action == Gtk.FileChooserAction.OPEN)
    chosen = dialog.get_filenames() if dialog.run() == Gtk.ResponseType.OK else []
    dialog.destroy()
    return [str(one) for one in chosen]
