"""Makes the modules of the GIMP plug-in importable as GIMP does: its folder is on the path, they are top-level."""

import sys
from pathlib import Path

PLUGIN = Path(__file__).resolve().parent.parent / "gimp_plugin" / "text2colors"

if str(PLUGIN) not in sys.path:
    sys.path.append(str(PLUGIN))
