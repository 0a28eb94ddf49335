"""`t2c-train photographs`: its options. The work is done in `trainer.photographs.run`.

Must not import torch at module level.
"""

from __future__ import annotations

import logging
import shlex
from pathlib import Path
from typing import Annotated

import typer

from t2c_engine.cli.common import reported
from trainer.common.arguments import output_folder

SETTINGS = Path(__file__).parents[1] / "configs" / "photographs.toml"


@reported
def photographs(
    folder: Annotated[Path, typer.Argument(help="Your colour photographs, also in folders inside; 100 or more.")],
    name: Annotated[str, typer.Option("--name", help="What the result is called, as in --style NAME.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            callback=output_folder,
            help="The run's folder; photographs-NAME if not given. A run there goes on.",
        ),
    ] = None,
    config: Annotated[Path, typer.Option("--config", help="Settings (TOML).")] = SETTINGS,
    steps: Annotated[int | None, typer.Option("--steps", min=1, help="Instead of the settings' own number.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Of the held-out part and of all chance.")] = None,
    model: Annotated[str | None, typer.Option("--colorizer", help="Which colouring model; else the default.")] = None,
    others: Annotated[
        Path | None, typer.Option("--others", help="Photographs of other kinds, to see what is lost.")
    ] = None,
    device: Annotated[str, typer.Option("--device", help="auto, cpu, cuda or mps.")] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace your own model of this name.")] = False,
    check_only: Annotated[bool, typer.Option("--check-only", help="Check the photographs and train nothing.")] = False,
) -> None:
    """Fine-tune the colouriser on your own photographs; use the result with t2c colorize --style NAME."""
    if check_only:
        _say_check(folder)
        return
    from t2c_engine.devices import pick_device
    from trainer.photographs.config import read_photographs_config
    from trainer.photographs.run import Request, fine_tune

    settings = read_photographs_config(config, seed=seed, **_shorter(config, steps))
    command = f"t2c-train photographs {shlex.quote(folder.name)} --name {name} --seed {settings.seed}"
    if steps is not None:
        command += f" --steps {steps}"
    request = Request(
        folder, name, out or Path(f"photographs-{name}"), command, model, others, str(pick_device(device)), overwrite
    )
    fine_tune(request, settings, logging.info)


def _shorter(config: Path, steps: int | None) -> dict[str, int]:
    """Another number of steps, the learning rate falling over as large a part of them."""
    if steps is None:
        return {}
    from trainer.photographs.config import read_photographs_config

    own = read_photographs_config(config)
    return {"steps": steps, "cooldown": max(1, round(steps * own.cooldown / own.steps))}


def _say_check(folder: Path) -> None:
    from t2c_engine.cli.terminal import output
    from trainer.common.html_page import printable
    from trainer.photographs.check import check_folder

    check = check_folder(folder)
    for sentence in check.sentences():
        output().print(sentence, markup=False)
    for one in check.left_out:
        output().print(f"  {printable(one.name)}: {one.sentence}", markup=False)
