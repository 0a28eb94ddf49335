"""The real GIMP, in a root folder of its own, driven from outside. Must not import the engine or the plug-in.

The folder is made by `make_root.sh`. GIMP runs in it by chroot, in a private mount namespace where the whole of this
machine stands below /host: so an engine that GIMP starts can be this machine's own Python (`chroot /host ...`), and
nothing has to be mounted, or unmounted, outside.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent
SUITES = ("forky", "trixie")  # of Debian, with GIMP 3.2 and 3.0.4
READY = ".text2colors-gimp-ready"
STOCK = ("python-eval", "file-png", "file-tiff")  # plug-ins that come with GIMP

_ENTER = """
set -e
mount --rbind / "$0/host"
mount --rbind /proc "$0/proc"
mount --rbind /dev "$0/dev"
mount --bind "$1" "$0/share"
mkdir -p "$0$1"
mount --bind "$1" "$0$1"
[ ! -d /tmp/.X11-unix ] || { mkdir -p "$0/tmp/.X11-unix"; mount --bind /tmp/.X11-unix "$0/tmp/.X11-unix"; }
root=$0; shift
exec chroot "$root" env -i "$@"
"""


def default_root(suite: str = SUITES[0]) -> Path:
    """Where the root folder is looked for, and made: $T2C_GIMP_ROOT, or the user's cache folder."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("T2C_GIMP_ROOT") or cache / "text2colors" / f"gimp3-{suite}")


def why_not(root: Path, suite: str = SUITES[0]) -> str:
    """Why there can be no GIMP here, in words; "" when there is one, for it has been made if need be."""
    if os.name != "posix" or os.geteuid() != 0:
        return "the real GIMP runs by chroot, which only root may do"
    for program in ("unshare", "chroot", "mount"):
        if not shutil.which(program):
            return f"the program '{program}' is missing"
    trial = subprocess.run(["unshare", "-m", "mount", "--make-rprivate", "/"], capture_output=True, text=True)
    if trial.returncode:
        return f"this machine allows no private mounts ({trial.stderr.strip()})"
    if not (root / READY).exists():
        made = subprocess.run([str(HERE / "make_root.sh"), suite, str(root)], capture_output=True, text=True)
        if made.returncode:
            return f"no GIMP root folder could be made ({made.stderr.strip()[-400:]})"
    return ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run of GIMP ended. `text` is stdout and stderr together."""

    code: int
    text: str

    @property
    def facts(self) -> dict[str, Any]:
        """What the script has told with `say`."""
        lines = [line for line in self.text.splitlines() if line.startswith("FACTS ")]
        assert lines, f"the script told nothing; GIMP said:\n{self.text[-3000:]}"
        return {name: value for line in lines for name, value in json.loads(line[6:]).items()}


@dataclass(slots=True)
class Host:
    """A GIMP with a user profile of its own in `share`, which it sees as /share, and under its own path, too.

    So an engine that GIMP's side starts on this machine finds the sockets that GIMP's side names.
    """

    root: Path
    share: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.root / "host").mkdir(exist_ok=True)
        (self.root / "share").mkdir(exist_ok=True)
        self.profile.mkdir(parents=True, exist_ok=True)
        (self.share / "run").mkdir(mode=0o700, exist_ok=True)
        lines = [f'(config-version "{self.full_version}")', "(show-welcome-dialog no)", "(check-updates no)"]
        lines.append(
            "(marching-ants-speed 10000)"
        )  # ms; a selection's outline must not keep the screen from being still
        lines.append('(plug-in-path "/share/profile/plug-ins:/share/stock")')
        (self.profile / "gimprc").write_text("\n".join(lines) + "\n")
        # only what the tests need of GIMP's own plug-ins: starting all of them takes most of GIMP's start
        stock = self.share / "stock"
        stock.mkdir(exist_ok=True)
        for folder in self.root.glob("usr/lib/*/gimp/3.0/plug-ins/*"):
            if folder.name in STOCK and not (stock / folder.name).is_symlink():
                (stock / folder.name).symlink_to("/" + str(folder.relative_to(self.root)))

    @property
    def version(self) -> str:
        """ "3.2" or "3.0", by the name of its program."""
        return min(self.root.glob("usr/bin/gimp-console-3.?")).name.removeprefix("gimp-console-")

    @property
    def full_version(self) -> str:
        """Such as "3.2.6"; another one in gimprc makes GIMP show its welcome dialog."""
        (library,) = self.root.glob("usr/lib/*/libgimp-3.0.so.0.*")  # ".0.206.0" is of 3.2.6, ".0.4.0" of 3.0.4
        minor, micro = divmod(int(library.name.split(".")[-2]), 100)
        return f"3.{minor}.{micro}"

    @property
    def profile(self) -> Path:
        """GIMP's configuration folder, seen from outside."""
        return self.share / "profile"

    def engine(self, *words: str) -> str:
        """A command line, as GIMP's side starts it, for words that start an engine on this machine."""
        return shlex.join(["chroot", "/host", *words])

    def fake_engine(self, mode: str) -> str:
        """A command line for the engine without a network (tests/fake_engine.py), in one of its modes."""
        return self.engine(sys.executable, str(CHECKOUT / "tests" / "fake_engine.py"), mode)

    def real_engine(self) -> str:
        """A command line for the engine itself."""
        start = f"import sys; sys.path.insert(0, {str(CHECKOUT)!r}); from t2c_engine.__main__ import main; main()"
        return self.engine(sys.executable, "-c", start, "engine")

    def start(
        self, words: Sequence[str], engine: str = "", environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start a program inside, in a process group of its own; its stdout and stderr go to one pipe."""
        variables = {
            "PATH": "/usr/bin:/bin:/usr/sbin",
            "HOME": "/share",
            "LC_ALL": "C.UTF-8",
            "GIMP3_DIRECTORY": "/share/profile",
            "XDG_DATA_HOME": "/share/data",
            "XDG_CACHE_HOME": "/share/cache",
            "XDG_RUNTIME_DIR": str(self.share / "run"),
            **({"T2C_ENGINE": engine} if engine else {}),
            **self.environment,
            **(environment or {}),
        }
        return subprocess.Popen(
            ["unshare", "-m", "--propagation", "private", "bash", "-c", _ENTER, str(self.root), str(self.share)]
            + [f"{name}={value}" for name, value in variables.items()]
            + list(words),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def batch(self, script: str, engine: str = "", timeout: float = 400.0) -> Outcome:
        """Run a Python script in GIMP's batch interpreter; exit code 0 when it ends well, 64 when it raises.

        The script may use the helpers of `inside.py`.
        """
        process = self.start_batch(script, engine)
        try:
            text, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            text = end(process)
            raise AssertionError(f"GIMP did not end within {timeout:g} s; it said:\n{text[-3000:]}") from None
        return Outcome(process.returncode, text)

    def start_batch(self, script: str, engine: str = "") -> subprocess.Popen[str]:
        """Start what `batch` runs."""
        path = self.share / "script.py"
        path.write_text((HERE / "inside.py").read_text("utf-8") + "\n\n" + textwrap.dedent(script), "utf-8")
        words = [f"gimp-console-{self.version}", "-nidfs", "--quit", "--batch-interpreter=python-fu-eval"]
        words += ["-b", "exec(compile(open('/share/script.py').read(), 'script.py', 'exec'))"]
        return self.start(words, engine)


def processes_below(ancestor: int) -> dict[int, str]:
    """Command lines of all processes that this one has started, and they in turn, by process number."""
    parents, commands = {}, {}
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            number = int(folder.name)
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            parents[number], commands[number] = parent, words  # of those that have not ended meanwhile
    found: dict[int, str] = {}
    new = {ancestor}
    while new:
        new = {number for number, parent in parents.items() if parent in new}
        found |= {number: commands[number] for number in new}
    return found


def end(process: subprocess.Popen[str]) -> str:
    """End a program and all that it has started in its group; what it said."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.communicate()[0] or ""
