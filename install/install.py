"""Installs text2colors for this user: the engine with its own Python, and the plug-in in every GIMP 3 and 2.10 found.

    python3 install.py                install, or complete or renew an installation
    python3 install.py --uninstall    take everything away again
    python3 install.py --plugin-only --engine "ssh gpubox t2c engine"     an engine that is elsewhere

Runs on Python 3.11 or later with the standard library only. Everything goes below one folder, which holds the marker
`INCOMPLETE` from the first step to the last; a second run goes on where the first was stopped.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

import plugin_files
from places import ROOT, Configuration, Places, configurations, long_paths_allowed
from plugin_files import data_folder

TORCH = "2.13.0"
MARKER = "INCOMPLETE"
OLDEST_PYTHON = (3, 11)
LEAST_DISK = 1.5  # GB; the whole takes 1.1, and pip unpacks beside it
CUDA_DISK = 9.0

# prints one of the two, in GIMP's own Scheme
_ASK_LEGACY = (
    '(gimp-message (if (= (car (gimp-procedural-db-proc-exists "plug-in-text2colors")) TRUE)'
    ' "text2colors is there" "text2colors is missing"))'
)

log = logging.getLogger("install")


class InstallError(Exception):
    """Why it cannot be installed, and what to do; the user reads it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    options = _parser().parse_args(arguments)
    try:
        if options.uninstall:
            uninstall()
        elif options.plugin_only:
            install_plugin(plugin_files.engine_settings(_words(options.engine)) if options.engine else None)
        else:
            install(options.torch, _words(options.engine))
    except InstallError as error:
        log.error("%s", error)
        return 1
    except OSError as error:
        log.error(
            "%s: %s. Make it writable for you, or free some space, and run this again.",
            error.filename or "The disk",
            error.strerror or error,
        )
        return 1
    except KeyboardInterrupt:
        log.error("Stopped. Run this again to go on where it was.")
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Install text2colors and its plug-ins for GIMP 3 and GIMP 2.10 for this user."
    )
    parser.add_argument("--uninstall", action="store_true", help="remove engine, plug-in and settings")
    parser.add_argument("--plugin-only", action="store_true", help="install no engine, only the plug-in")
    parser.add_argument("--engine", metavar="COMMAND", help="engine command, for example 'ssh gpubox t2c engine'")
    parser.add_argument(
        "--torch", choices=("auto", "cpu", "cuda"), default="auto", help="build of torch (auto: by the GPU found)"
    )
    return parser


def _words(command: str | None) -> list[str]:
    """The words of --engine.

    Raises:
        InstallError: its quotes do not match.
    """
    try:
        return Places.here().words(command)
    except ValueError as error:
        raise InstallError(f"The engine command '{command}' cannot be read ({error}); check its quotes.") from error


# the steps of an installation


def install(torch: str, engine: Sequence[str]) -> None:
    """Engine, settings, plug-in, check; every step may have been done by an earlier run.

    Raises:
        InstallError: a step has failed; the marker stays, and another run goes on from there.
    """
    if sys.version_info < OLDEST_PYTHON:
        raise InstallError(f"Python 3.11 or later is needed, this is {sys.version.split()[0]}; install a newer one.")
    folder = data_folder()
    refuse_long_paths(Places.here(), folder / "venv")
    build = _choose_torch(torch)
    folder.mkdir(parents=True, exist_ok=True)
    marker = folder / MARKER
    if marker.exists():
        log.info("Going on with an installation that was not completed.")
    marker.write_text("An installation is under way, or was stopped. Run the installer again to complete it.\n")
    _need(folder, CUDA_DISK if build == "cuda" else LEAST_DISK)
    python = _make_environment(folder / "venv")
    _install_torch(python, build)
    _install_package(python)
    command = list(engine) or [str(_program(folder, "t2c")), "engine"]
    plugin_files.write_json(folder / plugin_files.SETTINGS, plugin_files.engine_settings(command, keep=not engine))
    found = install_plugin(None)
    _verify(folder)
    marker.unlink()
    log.info("\nDone. The engine in a terminal: %s", _program(folder, "t2c"))
    if found:
        log.info("Start GIMP anew; the plug-in is in the menu Colors > Text2Colors.")


def install_plugin(settings: dict[str, object] | None) -> list[Configuration]:
    """The right plug-in into every GIMP 3 and GIMP 2.10 of this user; their configurations.

    Args:
        settings: for engine.json in the data folder; None leaves what is there.
    """
    if settings is not None:
        plugin_files.write_json(data_folder() / plugin_files.SETTINGS, settings)
    found = configurations()
    if not found:
        log.warning(
            "No GIMP 3 or 2.10 was found. The engine works from a terminal; after GIMP has been installed and started "
            "once, run this again to put the plug-in into it."
        )
    for gimp in found:
        log.info("Plug-in: %s", plugin_files.copy_plugin(gimp.folder, legacy=gimp.legacy))
        if gimp.sandboxed:
            log.warning(
                "  This GIMP runs in a sandbox and cannot start programs. Start 't2c engine --listen SOCKET' before "
                'and put {"socket": "SOCKET"} into engine.json in the plug-in\'s folder.'
            )
        elif gimp.legacy:
            _ask_legacy_gimp(gimp)
        else:
            _ask_gimp(gimp)
    return found


def refuse_long_paths(places: Places, environment: Path, allowed: bool | None = None) -> None:
    """Refuse a folder in which Windows could not name all files.

    Raises:
        InstallError: the longest path would be too long, and this Windows has not been told to allow it.
    """
    excess = places.too_long(environment)
    if excess and not (long_paths_allowed() if allowed is None else allowed):
        raise InstallError(
            f"The folder {environment} is {excess} characters too deep for Windows, which allows paths of 260. Allow "
            "longer ones (as administrator: Set-ItemProperty HKLM:\\SYSTEM\\CurrentControlSet\\Control\\FileSystem "
            "LongPathsEnabled 1), or point LOCALAPPDATA at a shorter folder, and run this again."
        )


def _choose_torch(wanted: str) -> str:
    if wanted != "auto":
        return wanted
    if sys.platform == "darwin":
        return "cpu"  # the one build there holds the Apple GPU too
    smi = shutil.which("nvidia-smi")
    if smi is None:
        return "cpu"
    try:
        seen = subprocess.run([smi, "-L"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return "cpu"
    return "cuda" if seen.returncode == 0 and "GPU" in seen.stdout else "cpu"


def _need(folder: Path, gigabytes: float) -> None:
    free = shutil.disk_usage(folder).free / 1e9
    if free < gigabytes and not (folder / "venv").exists():
        raise InstallError(f"{folder} has {free:.1f} GB left, about {gigabytes:g} GB are needed; free some space.")


def _make_environment(folder: Path) -> Path:
    """The environment's Python; made when it is missing or does not start."""
    python = Path(Places.here().python_of(folder))
    if python.exists() and _runs([str(python), "-m", "pip", "--version"]):
        return python
    log.info("Making the virtual environment %s ...", folder)
    try:
        venv.EnvBuilder(with_pip=True, clear=True, symlinks=os.name != "nt").create(folder)
    except (subprocess.CalledProcessError, OSError) as error:
        raise InstallError(
            f"The virtual environment could not be made ({error}); on Debian or Ubuntu, install python3-venv."
        ) from error
    return python


def _install_torch(python: Path, build: str) -> None:
    if _runs([str(python), "-c", f"import torch; assert torch.__version__.split('+')[0] == '{TORCH}'"]):
        return
    if build == "cuda":
        log.info("Installing torch %s with CUDA for the NVIDIA GPU; several GB ...", TORCH)
    else:
        log.info("Installing torch %s for the CPU ...", TORCH)
        if sys.platform != "darwin" and _pip(python, f"torch=={TORCH}+cpu", quiet=True):
            return
        if sys.platform == "linux":
            log.warning(
                "The package index in use offers no CPU-only torch; the build it has may bring several GB of CUDA "
                "libraries that will not be used. To avoid that, stop here, point PIP_EXTRA_INDEX_URL at an index of "
                "CPU builds, and run this again."
            )
    if not _pip(python, f"torch=={TORCH}"):
        raise InstallError(
            f"torch {TORCH} could not be installed; pip's message above says why. Run this again to go on from here."
        )


def _install_package(python: Path) -> None:
    """The engine itself, from this checkout; again only when a file of it has changed."""
    stamp = python.parent.parent / "text2colors.stamp"
    digest = _digest()
    if stamp.exists() and stamp.read_text() == digest and _runs([str(python), "-c", "import t2c_engine"]):
        return
    log.info("Installing the engine ...")
    if not _pip(python, str(ROOT)):
        raise InstallError("The engine could not be installed; pip's message above says why. Run this again to go on.")
    # the dependencies are there by now; the package itself is put in place whatever its version number
    if not _pip(python, "--force-reinstall", "--no-deps", str(ROOT), quiet=True):
        raise InstallError("The engine could not be renewed; run this again to go on.")
    stamp.write_text(digest)


def _digest() -> str:
    """What the engine's files hold, in one word."""
    whole = hashlib.sha256()
    for path in sorted([ROOT / "setup.py", *(one for one in (ROOT / "t2c_engine").rglob("*") if one.is_file())]):
        if "__pycache__" not in path.parts:
            whole.update(str(path.relative_to(ROOT)).encode())
            whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def _pip(python: Path, *what: str, quiet: bool = False) -> bool:
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--quiet", *what]
    sink = subprocess.DEVNULL if quiet else None
    return subprocess.run(command, env=_environment(), stdout=sink, stderr=sink).returncode == 0


def _runs(command: Sequence[str]) -> bool:
    return subprocess.run(command, env=_environment(), capture_output=True).returncode == 0


def _environment() -> dict[str, str]:
    """Without what would lead the new Python to another one's packages."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}


def _program(folder: Path, name: str) -> Path:
    return Path(Places.here().program_of(folder / "venv", name))


# looking whether it works


def _verify(folder: Path) -> None:
    """Ask the engine's own doctor.

    Raises:
        InstallError: it finds a problem.
    """
    log.info("Checking ...")
    run = subprocess.run([str(_program(folder, "t2c")), "doctor"], env=_environment(), capture_output=True, text=True)
    log.info("%s", run.stdout.rstrip())
    if run.returncode:
        raise InstallError(f"The check has found a problem, see above. {run.stderr.strip()[-500:]}".strip())


def _ask_gimp(gimp: Configuration) -> None:
    """Ask the GIMP 3 of this configuration, where it can be started from here, whether it knows the procedure.

    Raises:
        InstallError: it does not.
    """
    script = "import sys; sys.exit(0) if Gimp.get_pdb().lookup_procedure('plug-in-text2colors') else 1 / 0"
    names = (f"gimp-console-{gimp.version}", "gimp-console-3.2", "gimp-console-3.0", "gimp-console")
    options = ["-nidfs", "--quit", "--batch-interpreter=python-fu-eval", "-b", script]
    said = _run_gimp(names, options, {"GIMP3_DIRECTORY": str(gimp.folder)})
    if said is not None:
        if "ZeroDivisionError" in said:
            raise InstallError(
                f"GIMP does not see the plug-in in {gimp.folder}. Start GIMP from a terminal; what it prints says why."
            )
        log.info("  GIMP sees it.")


def _ask_legacy_gimp(gimp: Configuration) -> None:
    """Ask GIMP 2.10 likewise. Some distributions leave its Python out, so that it sees no plug-in of this kind."""
    options = ["-idf", "-b", _ASK_LEGACY, "-b", "(gimp-quit 0)"]
    said = _run_gimp(("gimp-console-2.10",), options, {"GIMP2_DIRECTORY": str(gimp.folder)})
    if said is not None and "text2colors is there" in said:
        log.info("  GIMP sees it.")
    elif said is not None:
        log.warning(
            "  This GIMP 2.10 does not see it: most Linux distributions leave Python-Fu out of it. A GIMP 3, or a 2.10 "
            "with Python (Windows, macOS, AppImage), does."
        )


def _run_gimp(names: Sequence[str], options: Sequence[str], environment: dict[str, str]) -> str | None:
    """What the first GIMP of these names prints; None when there is none, or it does not end."""
    program = next((found for name in names if (found := shutil.which(name))), None)
    if program is None:
        return None
    try:
        run = subprocess.run(
            [program, *options], env={**os.environ, **environment}, capture_output=True, text=True, timeout=180
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        log.warning("  GIMP could not be asked whether it sees the plug-in (%s).", error)
        return None
    return run.stdout + run.stderr


# and away


def uninstall() -> None:
    """Remove the plug-in from every GIMP, and engine, settings, log and models of the user's folder."""
    for gimp in configurations():
        if plugin_files.remove_plugin(gimp.folder) | plugin_files.remove_settings(gimp.folder):
            log.info("Removed the plug-in from %s", gimp.folder)
    folder = data_folder()
    own = _own_models(folder)
    if own:
        kept = folder.with_name(f"{folder.name}-models")
        raise InstallError(
            f"{folder} holds models that were not installed from here ({', '.join(own)}); move them to {kept}, "
            "or delete them, and run this again."
        )
    if folder.exists():
        shutil.rmtree(folder)
        log.info("Removed %s", folder)
    log.info("Nothing of text2colors is left for this user.")


def _own_models(folder: Path) -> list[str]:
    """Models that the user has put or trained into the folder; they are not ours to delete."""
    models = folder / "models"
    return sorted(path.name for path in models.glob("*.safetensors")) if models.is_dir() else []


if __name__ == "__main__":
    sys.exit(main())
