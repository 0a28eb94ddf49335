"""The module `gimpfu` of Python-Fu in memory: registration with its checks, run modes, a dialog that a test fills.

Runs on Python 2.7 and 3.
"""

import string
import sys
import traceback

import gimp
from gimpenums import *  # noqa: F403
from gimpenums import PDB_DISPLAY, PDB_DRAWABLE, PDB_FLOAT, PDB_IMAGE, PDB_INT32, PDB_LAYER, PDB_STRING

pdb = gimp.pdb

PF_INT = PF_INT32 = PDB_INT32
PF_FLOAT = PDB_FLOAT
PF_STRING = PF_VALUE = PDB_STRING
PF_DISPLAY, PF_IMAGE, PF_LAYER, PF_DRAWABLE = PDB_DISPLAY, PDB_IMAGE, PDB_LAYER, PDB_DRAWABLE
PF_TOGGLE = PF_BOOL = 1000
PF_SLIDER = 1001
PF_SPINNER = PF_ADJUSTMENT = 1002
PF_OPTION = 1013

PREFIXES = ("python-", "python_", "extension-", "extension_", "plug-in-", "plug_in_", "file-", "file_")
TAKES = {
    PF_INT: int,
    PF_FLOAT: float,
    PF_STRING: str,
    PF_IMAGE: gimp.Image,
    PF_LAYER: gimp.Layer,
    PF_DRAWABLE: gimp.Drawable,
    PF_TOGGLE: int,
    PF_SLIDER: float,
    PF_SPINNER: int,
    PF_OPTION: int,
}
# what the dialog's widgets give back, whatever the default is: a spin button gives floats
GIVES = {PF_SPINNER: float, PF_SLIDER: float, PF_TOGGLE: bool, PF_OPTION: int, PF_STRING: str}

plugins = {}
answers = None  # what the dialog is filled with, by parameter name; None: the user closes it
tracebacks = []  # dialogs that show one
_last = {}


class error(RuntimeError):
    pass


class CancelError(RuntimeError):
    pass


def register(
    proc_name, blurb, help, author, copyright, date, label, imagetypes, params, results, function,
    menu=None, domain=None, on_query=None, on_run=None
):  # fmt: skip
    def named(word):
        return all(one in string.ascii_letters + string.digits + "_-" for one in word)

    if not named(proc_name):
        raise error("procedure name contains illegal characters")
    for entry, least in [(one, 4) for one in params] + [(one, 3) for one in results]:
        if len(entry) < least:
            raise error("parameter definition must contain at least 4 elements")
        if type(entry[0]) is not int:
            raise error("parameter types must be integers")
        if not named(entry[1]):
            raise error("parameter name contains illegal characters")
        TAKES[entry[0]]
    if not proc_name.startswith(PREFIXES):
        proc_name = "python-fu-" + proc_name
    if not all(isinstance(one, str) for one in (blurb, help, author, copyright, date, label, imagetypes, menu)):
        raise TypeError("install_procedure() takes strings")
    plugins[proc_name] = {"params": params, "results": results, "function": function, "menu": menu, "label": label}
    plugins[proc_name].update(imagetypes=imagetypes, on_run=on_run)


def main():
    """Offer what is registered in the database."""
    for name in plugins:
        gimp.pdb.registered[name.replace("_", "-")] = lambda mode, given, name=name: _run(name, mode, given)


def _run(name, run_mode, given):
    """A call as GIMP makes it: values of the declared types in, one value of the declared type out."""
    plugin = plugins[name]
    given = tuple(_converted(one[0], value) for one, value in zip(plugin["params"], given))
    if len(given) not in (len(plugin["params"]), 2):
        raise TypeError("wrong number of parameters")
    try:
        result = _dispatch(name, plugin, run_mode, given)
    except Exception:
        traceback.print_exc(file=sys.stderr)
        raise RuntimeError("Procedure '{}' returned no return values".format(name))
    if plugin["results"] and result is not None and not isinstance(result, TAKES[plugin["results"][0][0]]):
        raise RuntimeError("wrong type of parameter")
    return result


def _dispatch(name, plugin, run_mode, given):
    if run_mode == 1 or len(given) == len(plugin["params"]):  # noninteractive
        return plugin["function"](*given)
    if run_mode == 2:  # with last values
        result = plugin["function"](*(given + tuple(_last[name][len(given) :])))
    else:
        try:
            result = _interact(name, plugin, given)
        except CancelError:
            return None
    gimp.displays_flush()
    return result


def _interact(name, plugin, given):
    if plugin["on_run"]:
        plugin["on_run"]()
    if answers is None:
        raise CancelError
    values = []
    for entry in plugin["params"][len(given) :]:
        value = answers.get(entry[1], entry[3])
        if entry[0] in (PF_SPINNER, PF_SLIDER):
            value = min(max(value, entry[4][0]), entry[4][1])
        values.append(GIVES[entry[0]](value) if entry[0] in GIVES else value)
    _last[name] = given + tuple(values)
    try:
        return plugin["function"](*(given + tuple(values)))
    except Exception:
        tracebacks.append(traceback.format_exc())
        raise


def _converted(kind, value):
    """A value as it passes through GIMP."""
    if value is None and kind in (PF_LAYER, PF_DRAWABLE, PF_STRING):
        return None
    if kind in (PF_IMAGE, PF_LAYER, PF_DRAWABLE):
        if not isinstance(value, TAKES[kind]):
            raise TypeError("wrong parameter type")
        # another process gets wrappers of its own
        return gimp._image(value.ID) if kind == PF_IMAGE else gimp._drawable(value.ID)
    return str(value) if kind == PF_STRING else TAKES[kind](value)
