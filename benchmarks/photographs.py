"""Figures of `t2c-train photographs`: fine-tune on photographs of one kind, judge on others of it that it never saw.

    python benchmarks/photographs.py racoons=FOLDER groceries=SHARD.zip:grocery --out runs/kinds

A kind is a folder, or a zip and the beginning of its names. Of each, `--count` photographs chosen by content are given
to the trainer, which holds a fifth of them out; the rest (`--test` at most) is for the figures alone. Prints JSON: a
line a kind, with processor seconds. Installs nothing among the user's own models.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import os
import resource
import sys
import zipfile
from pathlib import Path
from typing import Any

import torch

from trainer.common.arguments import CONFIGS
from trainer.photographs.check import check_folder
from trainer.photographs.config import read_photographs_config
from trainer.photographs.judge import SHORT_SIDE, HeldOut, measure
from trainer.photographs.run import Request, fine_tune
from trainer.photographs.verdict import Comparison


def pictures_of(source: str, folder: Path) -> Path:
    """The folder of a kind; a zip's pictures are written into `folder`."""
    path, _, beginning = source.partition(".zip:")
    if not beginning:
        return Path(source)
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(f"{path}.zip") as shard:
        for name in shard.namelist():
            if name.startswith(beginning):
                (folder / name.replace("/", "_")).write_bytes(shard.read(name))
    return folder


def split(folder: Path, out: Path, count: int, test: int) -> tuple[Path, Path]:
    """Links to photographs for the trainer and for the figures, chosen by the content of files."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    files.sort(key=lambda path: hashlib.sha256(path.read_bytes()).hexdigest())
    parts = (out / "train", files[:count]), (out / "test", files[count : count + test])
    for place, paths in parts:
        place.mkdir(parents=True, exist_ok=True)
        for number, path in enumerate(paths):
            link = place / f"{number:04}{path.suffix.lower()}"
            if not link.exists():
                link.symlink_to(path.resolve())
    return parts[0][0], parts[1][0]


def processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def figures_of(name: str, source: str, options: argparse.Namespace) -> dict[str, Any]:
    """Train on one kind, and measure."""
    from t2c_engine.models import find_model, load_weights
    from trainer.photographs.train import Base

    folder = options.out / name
    train, test = split(pictures_of(source, folder / "pictures"), folder, options.count, options.test)
    begun = processor_seconds()
    command = f"benchmarks/photographs.py {name}"
    request = Request(train, name, folder / "run", command, others=options.others, overwrite=True)
    config = read_photographs_config(options.config, **json.loads(options.set))
    outcome = fine_tune(request, config)
    assert outcome is not None
    row: dict[str, Any] = {
        "kind": name,
        "photographs": len(outcome.check.used),
        "processor_seconds": round(processor_seconds() - begun, 1),
        "seconds_a_step": round(outcome.seconds, 3),
        "best_step": outcome.best_step,
        "held_out": outcome.own.as_json(),
        "others": outcome.others.as_json() if outcome.others else None,
        "verdict": outcome.verdict.sentence,
    }
    if outcome.verdict.ship:
        card = find_model("photographs", name)
        row["bytes"] = card.size
        if any(test.iterdir()):
            base = Base.load(find_model("colorizer"), "cpu")
            unseen = [HeldOut.of(one, SHORT_SIDE) for one in check_folder(test).used]
            after = base.colorizer(load_weights(card))
            compared = Comparison(measure(base.colorizer(), unseen, "before"), measure(after, unseen, "after"))
            row["never_seen"] = compared.as_json()
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="+", metavar="NAME=SOURCE")
    parser.add_argument("--out", type=Path, default=Path("runs/kinds"))
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--test", type=int, default=100)
    parser.add_argument("--others", type=Path, help="photographs of other kinds")
    parser.add_argument("--config", type=Path, default=CONFIGS / "photographs.toml")
    parser.add_argument("--set", default="{}", help="settings as JSON, over the file's")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    torch.set_num_threads(options.threads)
    os.environ["XDG_DATA_HOME"] = str((options.out / "models").resolve())  # not among the user's own
    for kind in options.kinds:
        name, _, source = kind.partition("=")
        sys.stdout.write(json.dumps(figures_of(name, source, options)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
