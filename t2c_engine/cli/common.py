"""What the commands of `t2c` share: options, errors in words, exit codes.

Exit codes: 0 done, 1 some inputs failed, 2 wrong usage, 130 interrupted. Must not import torch or Pillow.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import json
import os
import re
import signal
import sys
from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Annotated, Any, TypeVar, get_type_hints

import typer

from t2c_engine import files
from t2c_engine.cli.terminal import notes, printable
from t2c_engine.errors import T2CError, UsageError
from t2c_engine.serving.protocol import MAX_PALETTES, MAX_SEED

Options = TypeVar("Options")
_OUT_OF_MEMORY = re.compile("memory|failed to map|bad_alloc|start new thread", re.IGNORECASE)

Count = Annotated[int, typer.Option("-n", "--count", min=1, max=MAX_PALETTES, help="How many palettes or results.")]
Seed = Annotated[int, typer.Option("--seed", min=0, max=MAX_SEED, help="The same seed gives the same palettes.")]
Variety = Annotated[float, typer.Option("--variety", min=0, max=1, help="0: the most typical palettes; 1: daring.")]
StyleOption = Annotated[
    str, typer.Option("--style", help="Styles of yours with weights of 0 to 2: 'studio', 'studio:0.7,winter:0.3'.")
]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or mps.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")]


def reported(command: Callable[..., None]) -> Callable[..., None]:
    """Turn errors meant for the user into a sentence on standard error and an exit code."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        with contextlib.suppress(ValueError):  # not the main thread
            signal.signal(signal.SIGINT, signal.default_int_handler)  # during the start it ends the process
        try:
            command(*args, **kwargs)
        except T2CError as error:
            print_error(str(error))
            raise typer.Exit(2 if isinstance(error, UsageError) else 1) from error
        except KeyboardInterrupt as error:
            print_error("Interrupted; what is finished stays.")
            raise typer.Exit(130) from error
        except BrokenPipeError as error:
            discard_output()
            raise typer.Exit(1) from error
        except (MemoryError, ImportError) as error:
            print_error(explain(error))
            raise typer.Exit(1) from error
        except OSError as error:
            print_os_error(error)
            raise typer.Exit(1) from error
        except RuntimeError as error:  # torch has no class of its own for "out of memory" on the processor
            if not _OUT_OF_MEMORY.search(str(error)):
                raise
            print_error(explain(MemoryError()))
            raise typer.Exit(1) from error

    return run


def takes(options: type[Options]) -> Callable[[Callable[[Options], None]], Callable[..., None]]:
    """Let a command take its options as one dataclass; fields have the annotations and defaults that typer reads."""

    def wrap(command: Callable[[Options], None]) -> Callable[..., None]:
        hints = get_type_hints(options, include_extras=True)
        parameters = [
            inspect.Parameter(
                one.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if one.default is MISSING else one.default,
                annotation=hints[one.name],
            )
            for one in fields(options)  # pyright: ignore[reportArgumentType]
        ]

        @functools.wraps(command)
        def run(**values: Any) -> None:
            command(options(**values))

        run.__annotations__ = {one.name: one.annotation for one in parameters}
        run.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportAttributeAccessIssue]
        return run

    return wrap


def explain(error: MemoryError | ImportError) -> str:
    """One sentence: memory ran out, or a part of the installation cannot be loaded."""
    reason = " ".join(str(error).split())[:300]
    if isinstance(error, MemoryError) or _OUT_OF_MEMORY.search(reason):
        return "Memory ran out; close other programs, raise the memory limit, or use smaller pictures."
    return f"A part of text2colors cannot be loaded ({reason}); reinstall it, or see 't2c doctor'."


def flush_output() -> bool:
    """Write out what standard output still holds; False, and a sentence, when it cannot be written."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        discard_output()
        return False
    except OSError as error:
        print_os_error(error)
        return False
    return True


def print_os_error(error: OSError) -> None:
    """Say an error of the operating system; one that names no file is standard output's, which is given up."""
    if error.filename is None:
        discard_output()
    print_error(files.explain(error, action="written" if error.filename is None else "used"))


def discard_output() -> None:
    """Let standard output lead nowhere: its reader has gone, or its disk is full."""
    with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or none at all
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_error(sentence: str) -> None:
    with contextlib.suppress(OSError):  # nobody can be told when standard error is closed or full
        notes().print(f"t2c: {printable(sentence)}", markup=False)


def print_json(value: dict[str, Any]) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False))
