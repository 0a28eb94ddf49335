"""The procedural database: procedures as methods, by name, and as objects."""

from typing import Any

from ._pdb_core import CoreProcedures
from ._pdb_plug_ins import PlugInProcedures

class PDBFunction:
    """One procedure. `params` and `return_vals` hold (type, name, description), types as gimpenums.PDB_*."""

    proc_name: str
    proc_blurb: str
    proc_help: str
    proc_author: str
    proc_copyright: str
    proc_date: str
    proc_type: int
    nparams: int
    nreturn_vals: int
    params: tuple[tuple[int, str, str], ...]
    return_vals: tuple[tuple[int, str, str], ...]
    def __call__(self, *arguments: Any, run_mode: int = ...) -> Any: ...

class PDB(CoreProcedures, PlugInProcedures):
    """What gimp.pdb is. A procedure that is not GIMP's own is reached as pdb["its-name"]."""

    def __getitem__(self, name: str, /) -> PDBFunction: ...
    def query(
        self,
        name: str = ...,
        blurb: str = ...,
        help: str = ...,
        author: str = ...,
        copyright: str = ...,
        date: str = ...,
        proc_type: str = ...,
        /,
    ) -> tuple[str, ...]: ...
