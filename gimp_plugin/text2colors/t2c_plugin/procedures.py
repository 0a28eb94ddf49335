"""What the procedures do, by name, and how their answers get to GIMP. The edge of the process.

Everything heavier is imported when a procedure needs it.
"""

from __future__ import annotations

import logging
import logging.handlers
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import gi

gi.require_version("Gimp", "3.0")
from gi.repository import Gimp, GLib, GObject  # noqa: E402

from t2c_plugin.engine.errors import EngineError  # noqa: E402
from t2c_plugin.request import RequestError  # noqa: E402

PREFIX = "plug-in-text2colors"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a procedure, as GIMP makes it."""

    procedure: Gimp.Procedure
    run_mode: Gimp.RunMode
    config: Gimp.ProcedureConfig
    image: Gimp.Image | None = None
    drawables: Sequence[Gimp.Drawable] = ()


def answer(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    config: Gimp.ProcedureConfig,
    image: Gimp.Image | None = None,
    drawables: Sequence[Gimp.Drawable] = (),
) -> Gimp.ValueArray:
    """Do what a procedure is for; its error in words. Nothing may pass."""
    _log_to_file()
    name = procedure.get_name()
    try:
        return _WORK[name.removeprefix(PREFIX)](Call(procedure, run_mode, config, image, drawables))
    except (RequestError, EngineError) as error:  # sentences for the user
        log.exception("%s failed", name)
        text = str(error)
    except Exception as error:  # of the others only the name and text are known
        log.exception("%s failed", name)
        text = f"Text2Colors has failed unexpectedly ({type(error).__name__}: {error})."
    failure = GLib.Error.new_literal(Gimp.PlugIn.error_quark(), text, 0)
    return procedure.new_return_values(Gimp.PDBStatusType.EXECUTION_ERROR, failure)


def _colorize(call: Call) -> Gimp.ValueArray:
    from t2c_plugin import colorize, reports

    name = call.procedure.get_name()
    edited = reports.find_result(call.image, call.drawables) if name == f"{PREFIX}-edit" else None
    layers = colorize.colorize(
        call.procedure, call.run_mode, call.image, call.drawables, call.config, name == f"{PREFIX}-layers", edited
    )
    return _cancelled(call.procedure) if layers is None else _with_layers(call.procedure, layers)


def _again(call: Call) -> Gimp.ValueArray:
    from t2c_plugin import colorize

    return _with_layers(call.procedure, colorize.again(PREFIX, call.image, call.drawables))


def _hints_layer(call: Call) -> Gimp.ValueArray:
    from t2c_plugin import colorize

    return _with_layers(call.procedure, [colorize.new_hints_layer(call.image, call.drawables)])


def _files(call: Call) -> Gimp.ValueArray:
    from t2c_plugin import files

    if call.run_mode == Gimp.RunMode.INTERACTIVE:
        from t2c_plugin.ui import files_dialog

        return _of_window(call, files_dialog.run)
    return _with_text(call.procedure, files.run_and_report(files.job_from(call.config.get_property)))


def _teach(call: Call) -> Gimp.ValueArray:
    from t2c_plugin import teach

    if call.run_mode == Gimp.RunMode.INTERACTIVE:
        from t2c_plugin.ui.teaching import dialog

        return _of_window(call, dialog.run)
    return _with_text(call.procedure, teach.teach_named(call.config.get_property))


def _of_window(call: Call, run: Callable[[Gimp.ProcedureConfig], str | None]) -> Gimp.ValueArray:
    """What a window's `run` reports; cancelled where it was closed before anything was begun."""
    report = run(call.config)
    return _cancelled(call.procedure) if report is None else _with_text(call.procedure, report)


def _check(call: Call) -> Gimp.ValueArray:
    from t2c_plugin import reports

    return _with_text(call.procedure, reports.check(call.run_mode))


def _about(call: Call) -> Gimp.ValueArray:
    from t2c_plugin import reports

    return _with_text(call.procedure, reports.about(call.image, call.drawables, call.run_mode))


_WORK: Mapping[str, Callable[[Call], Gimp.ValueArray]] = {
    "": _colorize,
    "-layers": _colorize,
    "-edit": _colorize,
    "-again": _again,
    "-hints-layer": _hints_layer,
    "-files": _files,
    "-teach": _teach,
    "-check": _check,
    "-about": _about,
}


def _log_to_file() -> None:
    """Keep a log in the user's data folder; none when that cannot be written."""
    from t2c_plugin.engine.jobs import log_folder

    try:
        log_folder().mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            log_folder() / "plug-in.log", maxBytes=1 << 20, backupCount=1, encoding="utf-8", delay=True
        )
    except OSError:
        return
    logging.basicConfig(handlers=[handler], level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")


def _cancelled(procedure: Gimp.Procedure) -> Gimp.ValueArray:
    return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, GLib.Error())


def _with_layers(procedure: Gimp.Procedure, layers: list[Gimp.Layer]) -> Gimp.ValueArray:
    """Success and the layers. Python cannot fill an array of layers, but a configuration can."""
    values = procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, GLib.Error())
    carrier = procedure.create_config()
    carrier.set_core_object_array("drawables", layers)
    array = GObject.Value()
    array.init(GObject.type_from_name("GimpCoreObjectArray"))
    array.set_boxed(carrier.get_property("drawables"))
    values.remove(1)
    values.insert(1, array)
    ids = GObject.Value()
    ids.init(GObject.TYPE_STRV)
    ids.set_boxed([str(layer.get_id()) for layer in layers])
    values.remove(2)
    values.insert(2, ids)
    return values


def _with_text(procedure: Gimp.Procedure, text: str) -> Gimp.ValueArray:
    values = procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, GLib.Error())
    values.remove(1)
    values.insert(1, GObject.Value(GObject.TYPE_STRING, text))
    return values
