"""Folders of pictures colored by the engine's program: `t2c batch` and its events, `t2c review`.

The program keeps the journal; nothing of it is known here but the events that it prints. Standard library only; must
not import gi.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2c_plugin.engine.errors import EngineError, find_hint
from t2c_plugin.engine.jobs import log_folder
from t2c_plugin.engine.settings import find_target
from t2c_plugin.engine.transport import open_log
from t2c_plugin.request import MAX_COUNT, MAX_SEED, RequestError
from t2c_plugin.shared.palettes import check_choice, check_range
from t2c_plugin.shared.processes import popen_options, scrubbed_environment
from t2c_plugin.wire import protocol

FORMATS = ("same", "png", "jpeg", "webp", "tiff16", "ora")
SCOPES = ("album", "folder", "picture")
SIDECAR, METADATA = "sidecar", "metadata"  # where captions are; also the path of a CSV file

_MOST_FAILURES = 20  # that a report names


@dataclass(frozen=True, slots=True)
class FilesJob:
    """What to color, and how. Without phrase and captions: the network's own colors.

    Raises:
        RequestError: a value is out of its range, or there is nothing to color, or no place for results.
    """

    inputs: tuple[str, ...]  # files and folders
    output: str
    phrase: str = ""
    captions: str = ""
    scope: str = SCOPES[0]
    count: int = 1
    seed: int = 0
    strength: float = 1.0
    natural: float = protocol.DEFAULT_NATURAL
    format: str = FORMATS[0]
    device: str = protocol.DEVICES[0]

    def __post_init__(self) -> None:
        if not self.inputs:
            raise RequestError("There is nothing to color: choose a folder with pictures, or pictures.")
        if not self.output.strip():
            raise RequestError("There is no place for the results: choose an output folder.")
        check_range("number of palettes", self.count, 1, MAX_COUNT)
        check_range("seed", self.seed, 0, MAX_SEED)
        check_range("strength", self.strength, 0.0, protocol.MAX_STRENGTH)
        check_range("natural", self.natural, 0.0, 1.0)
        check_choice("format", self.format, FORMATS)
        check_choice("draw of palettes per", self.scope, SCOPES)
        check_choice("device", self.device, protocol.DEVICES)

    @property
    def source(self) -> str:
        """What colors come from, as the protocol names it."""
        return "words" if self.captions or self.phrase.strip() else "nothing"

    def words(self) -> list[str]:
        """The program's arguments."""
        words = ["batch", *self.inputs, "-o", self.output, "--progress", "json"]
        if self.captions:
            words += ["--captions", self.captions]
        if self.phrase.strip():
            words += ["--phrase", self.phrase.strip()]
        if self.source == "nothing":
            words.append("--auto")
        else:
            words += ["--palette-per", self.scope, "--count", str(self.count), "--seed", str(self.seed)]
        for option, value in (("strength", self.strength), ("natural", self.natural)):
            if self.source in protocol.OPTION_SOURCES[option]:
                words += [f"--{option}", f"{value:g}"]
        return [*words, "--format", self.format, "--device", self.device]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is: pictures finished in this run, of how many; what failed."""

    finished: int = 0
    total: int = 0
    done_before: int = 0
    name: str = ""  # of the picture last finished
    failures: tuple[str, ...] = ()
    ended: bool = False
    stopped: bool = False

    def after(self, event: dict[str, Any]) -> Progress:
        """How far it is after one event of the program's; an unknown event changes nothing.

        Raises:
            EngineError: the event says that the run cannot go on.
        """
        kind, failures = event.get("event"), self.failures
        if kind == "error":
            raise EngineError(str(event.get("error") or "The engine cannot go on."), "")
        if kind == "start":
            return Progress(0, int(event.get("pictures") or 0), int(event.get("done") or 0))
        if kind == "picture":
            if event.get("error"):
                failures = (*failures, str(event["error"]))
            name = Path(str(event.get("input") or "")).name
            return Progress(int(event.get("number") or 0), self.total, self.done_before, name, failures)
        if kind == "end":
            stopped = event.get("stopped") is True
            return Progress(self.finished, self.total, self.done_before, self.name, failures, True, stopped)
        return self

    def in_words(self) -> str:
        """For the user."""
        colored = self.finished - len(self.failures)
        words = f"{colored} of {self.total} pictures colored"
        if self.done_before:
            words += f", {self.done_before} before"
        if self.failures:
            words += f"; {len(self.failures)} could not be colored"
        return words + (". Stopped; the same again goes on." if self.stopped else ".")


def job_from(value: Callable[[str], Any]) -> FilesJob:
    """From a procedure's arguments; `value` gives one by its name.

    Raises:
        RequestError: as `FilesJob`.
    """
    inputs = tuple(line.strip() for line in (value("inputs") or "").splitlines() if line.strip())
    return FilesJob(
        inputs, value("output") or "", value("phrase") or "", value("captions") or "", value("palette-per"),
        value("count"), value("seed"), value("strength"), value("natural"), value("format"), value("device"),
    )  # fmt: skip


def program() -> tuple[str, ...]:
    """The words that start `t2c`, from the command that starts the engine.

    Raises:
        EngineError: no engine is set, or it is not one of this machine.
    """
    target = find_target()
    remote = bool(target.command) and Path(target.command[0]).stem.lower() in ("ssh", "plink")
    if not target.command or target.command[-1] != "engine" or remote:
        where = f"the socket {target.socket}" if target.socket else " ".join(target.command)
        raise EngineError(
            f"Files are colored by an engine of this machine, but {where} is set (from {target.source}).",
            "Run 't2c batch' in a terminal there, or install the engine here.",
        )
    return target.command[:-1]


class Run:
    """One run of `t2c batch`."""

    def __init__(self, job: FilesJob) -> None:
        self._job = job
        self._stopping = threading.Event()
        self._process: subprocess.Popen[str] | None = None

    def stop(self) -> None:
        """Finish the pictures in work, and no more; the same job goes on later."""
        self._stopping.set()
        if self._process is not None:
            self._process.terminate()

    def progress(self) -> Iterator[Progress]:
        """How far it is, after every picture, until it has ended. For one thread.

        Raises:
            EngineError: the program cannot be started, or could not go on.
        """
        now = Progress()
        with contextlib.ExitStack() as stack:
            log = open_log(log_folder() / "files.log")
            if log is not None:
                stack.enter_context(log)
            process = self._start(self._job.words(), log)
            stack.callback(self._leave, process)
            assert process.stdout is not None
            last = ""
            for line in process.stdout:
                last = line.strip() or last
                event = _event(line)
                if event is not None:
                    now = now.after(event)
                    yield now
            code = process.wait()
            if not now.ended and self._stopping.is_set():
                yield now.after({"event": "end", "stopped": True})
            elif not now.ended:
                words = f"The engine's program has ended (exit code {code}){': ' + last if last else ''}."
                raise EngineError(words, find_hint(last) or f"Its log is {log_folder() / 'files.log'}.")

    def _start(self, words: list[str], log: Any) -> subprocess.Popen[str]:
        command = [*program(), *words]
        try:
            self._process = process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=log if log is not None else subprocess.DEVNULL,
                **_process_options(),
            )
        except OSError as error:
            raise _not_started(error) from error
        if self._stopping.is_set():
            process.terminate()
        return process

    def _leave(self, process: subprocess.Popen[str]) -> None:
        """Whoever stops looking ends the program, too."""
        if process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(60)  # it finishes the pictures in work
        if process.poll() is None:
            process.kill()
            process.wait()


def run_and_report(job: FilesJob) -> str:
    """Color all files; a report of a few lines.

    Raises:
        EngineError: it cannot be done.
    """
    steps = list(Run(job).progress())
    return report(steps[-1] if steps else Progress(), job.output)


def report(progress: Progress, output: str) -> str:
    """What has become of a job, for a script or a user."""
    lines = [progress.in_words(), f"Results: {output}", *progress.failures[:_MOST_FAILURES]]
    if len(progress.failures) > _MOST_FAILURES:
        lines.append(f"... and {len(progress.failures) - _MOST_FAILURES} more")
    return "\n".join(lines)


def make_review(output: str) -> Path:
    """Write the page that shows all results of a job beside their originals; its path.

    Raises:
        EngineError: the program cannot be started, or could not write it.
    """
    command = [*program(), "review", output]
    try:
        done = subprocess.run(command, capture_output=True, **_process_options())
    except OSError as error:
        raise _not_started(error) from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise EngineError(f"The page of results could not be made: {last}", find_hint(last))
    return Path(output) / "review" / "index.html"


def _process_options() -> dict[str, Any]:
    """How the engine's program is run: text from it in UTF-8, nothing to read, in a clean environment."""
    text = {"text": True, "encoding": "utf-8", "errors": "replace"}
    options = popen_options(sys.platform == "win32")
    return {"stdin": subprocess.DEVNULL, "env": scrubbed_environment(os.environ)} | text | options


def _not_started(error: OSError) -> EngineError:
    return EngineError(f"The engine's program cannot be started ({error}).", None)


def _event(line: str) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None
