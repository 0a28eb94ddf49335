"""Where things are on Linux, macOS and Windows: GIMP's folders, ours, the virtual environment, commands' words.

Every rule takes the system from a `Places`, so that all three systems' rules can be tested on one. Standard library
and the plug-in's shared settings only; runs on Python 3.10 or later.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "gimp_plugin" / "text2colors"))

from t2c_plugin.shared import settings  # noqa: E402

LONGEST_PATH = 259  # characters, on a Windows that has not been told to allow more
LONGEST_BELOW = 175  # characters of the longest path inside the virtual environment's packages (licences of torch's)
_CONFIGURATION = re.compile(r"3\.\d+|2\.10")
LEGACY = "2.10"  # the GIMP whose plug-ins are Python 2.7


@dataclass(frozen=True, slots=True)
class Configuration:
    """A GIMP configuration folder of the user's. `version` is "3.0", "3.2" ... or "2.10"."""

    folder: Path
    version: str

    @property
    def legacy(self) -> bool:
        """Whether its plug-ins are those of GIMP 2.10."""
        return self.version == LEGACY

    @property
    def sandboxed(self) -> bool:
        """Whether this GIMP cannot start programs."""
        return any(part in ("org.gimp.GIMP", "snap") for part in self.folder.parts)


@dataclass(frozen=True, slots=True)
class Places:
    """The rules of one system for one user. `system` in sys.platform's words."""

    system: str
    environ: Mapping[str, str]
    home: PurePath

    @classmethod
    def here(cls) -> Places:
        """This system, this user."""
        return cls(sys.platform, os.environ, Path.home())

    @property
    def windows(self) -> bool:
        return self.system == "win32"

    def path(self, *parts: str | PurePath) -> PurePath:
        """A path in this system's notation; a real one on this system."""
        if self.system == sys.platform:
            return Path(*parts)
        return PureWindowsPath(*parts) if self.windows else PurePosixPath(*parts)

    def data_folder(self) -> PurePath:
        """This user's text2colors folder, the one that platformdirs gives and the plug-in looks into."""
        return self.path(settings.data_folder(self.system, self.environ, str(self.home)))

    def gimp_bases(self) -> list[PurePath]:
        """Folders that hold a folder for each version of GIMP, of the system's own GIMP and of sandboxed ones."""
        if self.windows:
            return [self.path(self.environ.get("APPDATA") or self.path(self.home, "AppData", "Roaming"), "GIMP")]
        if self.system == "darwin":
            return [self.path(self.home, "Library", "Application Support", "GIMP")]
        return [
            self.path(self.environ.get("XDG_CONFIG_HOME") or self.path(self.home, ".config"), "GIMP"),
            self.path(self.home, ".var", "app", "org.gimp.GIMP", "config", "GIMP"),
            self.path(self.home, "snap", "gimp", "current", ".config", "GIMP"),
        ]

    def python_of(self, environment: PurePath) -> PurePath:
        """The interpreter of a virtual environment."""
        return self.program_of(environment, "python")

    def program_of(self, environment: PurePath, name: str) -> PurePath:
        """A program in a virtual environment."""
        return self.path(environment, "Scripts", name + ".exe") if self.windows else self.path(environment, "bin", name)

    def packages_of(self, environment: PurePath) -> PurePath:
        """Where a virtual environment keeps its packages, on Windows; elsewhere the Python's version is in the path."""
        return self.path(environment, "Lib", "site-packages")

    def too_long(self, environment: PurePath) -> int:
        """Characters by which the longest path in a virtual environment exceeds what Windows allows; 0: it fits."""
        if not self.windows:
            return 0
        return max(0, len(str(self.packages_of(environment))) + 1 + LONGEST_BELOW - LONGEST_PATH)

    def words(self, command: str | None) -> list[str]:
        """The words of a command line, as this system's shell splits it.

        Raises:
            ValueError: quotes do not match.
        """
        return list(settings.split_command(command, self.system)) if command else []


def configurations(places: Places | None = None) -> list[Configuration]:
    """Every GIMP 3 and GIMP 2.10 configuration of this user: those that GIMP3_DIRECTORY and GIMP2_DIRECTORY name, and
    GIMP/3.x and GIMP/2.10.

    GIMP makes it when it first runs; where there is none but a GIMP program, the folder of its version is named.
    """
    here = places or Places.here()
    bases = [Path(base) for base in here.gimp_bases()]
    found = []
    for variable, version in (("GIMP3_DIRECTORY", "3.0"), ("GIMP2_DIRECTORY", LEGACY)):
        named = here.environ.get(variable)
        if named:
            found.append(Configuration(Path(named).resolve(), _version_in(named, version)))
    for base in bases:
        if base.is_dir():
            folders = sorted(one for one in base.iterdir() if _CONFIGURATION.fullmatch(one.name) and one.is_dir())
            found += [Configuration(one.resolve(), one.name) for one in folders]
    if not found:
        found = [Configuration(bases[0] / version, version) for version in sorted(installed_versions(here))]
    return list({one.folder: one for one in found}.values())


def _version_in(folder: str, default: str) -> str:
    """The version that a folder's name tells, if it is one of the same plug-ins."""
    name = Path(folder).name
    same_kind = _CONFIGURATION.fullmatch(name) and (name == LEGACY) == (default == LEGACY)
    return name if same_kind else default


def installed_versions(places: Places) -> set[str]:
    """Versions ("3.0", "2.10") of the GIMP programs on the PATH, by their names."""
    found = set()
    for folder in places.environ.get("PATH", "").split(";" if places.windows else ":"):
        if folder and os.path.isdir(folder):
            for name in os.listdir(folder):
                match = re.fullmatch(r"gimp(?:-console)?-(3\.\d+|2\.10)(?:\.exe)?", name)
                if match:
                    found.add(match[1])
    return found


def long_paths_allowed() -> bool:
    """Whether this Windows has been told to allow paths of more than 260 characters."""
    if sys.platform != "win32":
        return True
    import winreg

    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"SYSTEM\CurrentControlSet\Control\FileSystem") as key:
            return bool(winreg.QueryValueEx(key, "LongPathsEnabled")[0])
    except OSError:
        return False
