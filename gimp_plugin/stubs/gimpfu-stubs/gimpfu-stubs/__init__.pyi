"""The module `gimpfu` of GIMP 2.10's Python-Fu: plug-ins as functions, with a dialog made from their parameters.

`from gimpfu import *` brings `gimp`, `pdb`, `register`, `main`, the PF_* types and all constants of gimpenums.
"""

import math as math
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import gimp as gimp
import gimpcolor as gimpcolor
from gimp._pdb import PDB
from gimpenums import *

pdb: PDB

PF_INT8: Final = 2
PF_INT16: Final = 1
PF_INT32: Final = 0
PF_INT: Final = 0
PF_FLOAT: Final = 3
PF_STRING: Final = 4
PF_VALUE: Final = 4
PF_COLOR: Final = 10
PF_COLOUR: Final = 10
PF_ITEM: Final = 11
PF_DISPLAY: Final = 12
PF_IMAGE: Final = 13
PF_LAYER: Final = 14
PF_CHANNEL: Final = 15
PF_DRAWABLE: Final = 16
PF_VECTORS: Final = 19
PF_TOGGLE: Final = 1000
PF_BOOL: Final = 1000
PF_SLIDER: Final = 1001
PF_SPINNER: Final = 1002
PF_ADJUSTMENT: Final = 1002
PF_FONT: Final = 1003
PF_FILE: Final = 1004
PF_BRUSH: Final = 1005
PF_PATTERN: Final = 1006
PF_GRADIENT: Final = 1007
PF_RADIO: Final = 1008
PF_TEXT: Final = 1009
PF_PALETTE: Final = 1010
PF_FILENAME: Final = 1011
PF_DIRNAME: Final = 1012
PF_OPTION: Final = 1013

# (type, name, label, default), and a fifth: (low, high, step) of a slider or spinner, labels of an option,
# (label, value) pairs of a radio
_Param: TypeAlias = tuple[int, str, str, Any] | tuple[int, str, str, Any, Sequence[Any]]
_Result: TypeAlias = tuple[int, str, str]

class error(RuntimeError): ...
class CancelError(RuntimeError): ...

def register(
    proc_name: str,
    blurb: str,
    help: str,
    author: str,
    copyright: str,
    date: str,
    label: str | None,
    imagetypes: str | None,
    params: Sequence[_Param],
    results: Sequence[_Result],
    function: Callable[..., Any],
    menu: str | None = ...,
    domain: str | tuple[str, str] | None = ...,
    on_query: Callable[[], Any] | None = ...,
    on_run: Callable[[], Any] | None = ...,
) -> None:
    """Register a plug-in. `on_run` is called before a dialog is shown, and only then."""

def main() -> None: ...
def fail(msg: str) -> None: ...
def N_(message: str) -> str: ...
