"""The wire format and its limits: the engine's own `protocol` module, from which all else of the plug-in takes them.

The installer ships that module beside this file as `t2c_protocol.py`; in a checkout the engine's own file is read.
Standard library only; must not import gi.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from t2c_engine.serving import protocol
else:

    def _load_protocol() -> Any:
        """The module under a name of its own, so that it is never taken for another plug-in's."""
        here = Path(__file__).resolve().parent
        for path in (here / "t2c_protocol.py", here.parents[2] / "t2c_engine" / "serving" / "protocol.py"):
            if path.is_file():
                spec = importlib.util.spec_from_file_location("t2c_protocol", path)
                module = importlib.util.module_from_spec(spec)
                sys.modules["t2c_protocol"] = module
                spec.loader.exec_module(module)
                return module
        raise ImportError("The plug-in is incomplete, t2c_protocol.py is missing; run the installer again.")

    protocol = _load_protocol()
