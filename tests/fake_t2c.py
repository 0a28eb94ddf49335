"""The program `t2c` without networks, for tests of the plug-in: `python fake_t2c.py engine|batch|review ...`.

`engine` is tests/fake_engine.py in its mode "good". `batch` tells the events of `t2c batch --progress json`: a picture
whose name holds "broken" fails, and each takes a while when the folder is called "slow". `review` writes a page.
Imports the standard library only.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from typing import Any


def tell(event: str, **facts: Any) -> None:
    print(json.dumps({"event": event, **facts}), flush=True)


def batch(words: list[str]) -> int:
    inputs = [Path(word) for word in words[: words.index("-o")]]
    output = Path(words[words.index("-o") + 1])
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stopped.append(number))
    pictures = [path for one in inputs for path in (sorted(one.iterdir()) if one.is_dir() else [one])]
    missing = [one for one in inputs if not one.exists()]
    if missing:
        tell("error", error=f"{missing[0]}: there is no such file.")
        return 2
    output.mkdir(parents=True, exist_ok=True)
    (output / "words.json").write_text(json.dumps(words))
    done = {path.name for path in output.iterdir()}
    waiting = [path for path in pictures if path.name not in done]
    tell("start", output=str(output), pictures=len(waiting), done=len(pictures) - len(waiting), failed=0)
    failed = 0
    for number, path in enumerate(waiting, 1):
        if stopped:
            break
        time.sleep(0.3 if path.parent.name == "slow" else 0)
        broken = "broken" in path.name
        failed += broken
        problem = {"error": f"{path.name} is no picture that can be read."} if broken else {}
        if not broken:
            (output / path.name).write_bytes(b"")
        tell("picture", number=number, pictures=len(waiting), failed=failed, input=str(path), **problem)
    tell("end", stopped=bool(stopped), waiting=0, running=0, done=0, failed=failed)
    return 130 if stopped else 1 if failed else 0


def main(words: list[str]) -> int:
    if words[0] == "engine":
        sys.path.insert(0, str(Path(__file__).resolve().parent))
        import fake_engine

        fake_engine.main("good")
        return 0
    if words[0] == "review":
        page = Path(words[1]) / "review" / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text("<!doctype html>")
        return 0
    return batch(words[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
