"""Teach a style for an editor: the trainer runs as a process of its own that tells its progress and can be stopped.

The engine never imports the trainer; it speaks to `python -m trainer style` by JSON lines. Must not import torch.
"""

from __future__ import annotations

import json
import logging
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from t2c_engine.errors import ModelError, UsageError
from t2c_engine.models import NAME, user_folder
from t2c_engine.palettes.palette import Palette

log = logging.getLogger(__name__)

_TICK = 0.3  # seconds between two looks whether the editor has stopped the job
_USAGE = 2  # exit code of wrong usage


def teach(
    name: str, examples: Sequence[tuple[str, Palette]], overwrite: bool, progress: Callable[[float, str], None]
) -> Mapping[str, Any]:
    """Train a style from texts with palettes.

    Args:
        progress: told how far it is, 0..1 and in words, and now and then the same again; may raise to stop.

    Returns:
        verdict, kept, report and check, as `t2c-train style --json` says them.

    Raises:
        UsageError: the name or the palettes cannot be used. ModelError: the trainer is not there, or failed.
    """
    if not NAME.fullmatch(name):
        raise UsageError(f"'{name[:70]}' is no name for a style; use letters, digits, '-', '_' and '.', at most 64.")
    if find_spec("trainer") is None:
        raise ModelError("The trainer is not installed beside the engine; reinstall text2colors.")
    out = user_folder().parent / "styles" / name
    with tempfile.TemporaryDirectory(prefix="t2c-style-") as folder:
        source = Path(folder) / f"{name}.jsonl"
        lines = [json.dumps({"text": text, "hex": list(palette.hex)}) + "\n" for text, palette in examples]
        source.write_text("".join(lines), "utf-8")
        command = [sys.executable, "-m", "trainer", "style", str(source), "--name", name, "-o", str(out), "--json"]
        return _run([*command, *["--overwrite"] * overwrite], progress)


def _run(command: Sequence[str], progress: Callable[[float, str], None]) -> Mapping[str, Any]:
    with tempfile.TemporaryFile("w+") as complaints:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints, text=True, encoding="utf-8"
        )
        try:
            result = _follow(process, progress)
            code = process.wait()
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        if code == 0 and result is not None:
            return {key: result[key] for key in ("verdict", "kept", "report", "check")}
        complaints.seek(0)
        lines = [line.strip() for line in complaints if line.strip()]
    sentence = lines[-1].removeprefix("t2c: ") if lines else "The trainer ended without a word; see the engine's log."
    log.error("the trainer ended with code %d: %s", code, " | ".join(lines[-5:]))
    raise UsageError(sentence) if code == _USAGE else ModelError(sentence)


def _follow(process: subprocess.Popen[str], progress: Callable[[float, str], None]) -> dict[str, Any] | None:
    """Tell what the process says until it ends; its result."""
    heard: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(process.stdout, heard), name="trainer", daemon=True).start()
    done, text, result = 0.0, "Reading the palettes", None
    while True:
        progress(done, text)
        try:
            line = heard.get(timeout=_TICK)
        except queue.Empty:
            continue
        if line is None:
            return result
        try:
            value = json.loads(line)
        except ValueError:
            log.info("trainer: %s", line[:200])
            continue
        if "progress" in value:
            done, text = float(value["progress"]), str(value["text"])
        else:
            result = value


def _listen(stream: IO[str] | None, heard: queue.SimpleQueue[str | None]) -> None:
    for line in stream or ():
        heard.put(line)
    heard.put(None)
