"""How the engine's process is started: its environment, and no console window. Runs on Python 2.7 and 3.

Standard library only; must not import gi or gimp.
"""

import re

try:
    from typing import Any, Dict, Mapping
except ImportError:  # Python 2.7 has no typing; the types stand in comments
    pass

CREATE_NO_WINDOW = 0x08000000  # of Windows' CreateProcess; Python 2.7 has no name for it

# what GIMP sets for its own Python and libraries, and would break another Python
_SCRUBBED = re.compile(
    r"(?:PYTHONHOME|PYTHONPATH|PYTHONSTARTUP|PYTHONEXECUTABLE|__PYVENV_LAUNCHER__|GI_TYPELIB_PATH|LD_LIBRARY_PATH"
    r"|DYLD_.*)\Z"
)


def scrubbed_environment(environment):
    # type: (Mapping[str, str]) -> Dict[str, str]
    """A copy without the variables that GIMP sets for its own Python and libraries."""
    return {name: value for name, value in environment.items() if not _SCRUBBED.match(name)}


def popen_options(windows, new_session=True):
    # type: (bool, bool) -> Dict[str, Any]
    """What subprocess.Popen is told besides: no console window on Windows, a session of its own elsewhere.

    ssh then asks for nothing on the terminal that GIMP was started from. Python 2.7 knows no `start_new_session`.
    """
    if windows:
        return {"creationflags": CREATE_NO_WINDOW}
    return {"start_new_session": True} if new_session else {}
