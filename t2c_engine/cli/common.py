"""What the commands of `t2c` share: options, errors in words, exit codes.

Exit codes: 0 done, 1 some inputs failed, 2 wrong usage, 130 interrupted. Must not import torch or Pillow.
"""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from t2c_engine.cli.terminal import notes
from t2c_engine.errors import T2CError, UsageError
from t2c_engine.serving.protocol import MAX_PALETTES, MAX_SEED

Count = Annotated[int, typer.Option("-n", "--count", min=1, max=MAX_PALETTES, help="How many palettes or results.")]
Seed = Annotated[int, typer.Option("--seed", min=0, max=MAX_SEED, help="The same seed gives the same palettes.")]
Variety = Annotated[float, typer.Option("--variety", min=0, max=1, help="0: the most typical palettes; 1: daring.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")]


def reported(command: Callable[..., None]) -> Callable[..., None]:
    """Turn errors meant for the user into a sentence on standard error and an exit code."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except T2CError as error:
            print_error(str(error))
            raise typer.Exit(2 if isinstance(error, UsageError) else 1) from error
        except KeyboardInterrupt as error:
            print_error("Interrupted; what is finished stays.")
            raise typer.Exit(130) from error
        except BrokenPipeError as error:  # the reader of our output has gone
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(1) from error

    return run


def print_error(sentence: str) -> None:
    notes().print(f"t2c: {sentence}", markup=False)


def print_json(value: dict[str, Any]) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False))
