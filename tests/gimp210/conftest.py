"""Makes the installer's modules and the plug-in for GIMP 2.10 importable."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[1:1] = [str(ROOT / "install"), str(ROOT / "gimp_plugin" / "legacy"), str(ROOT / "gimp_plugin" / "text2colors")]
