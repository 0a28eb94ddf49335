"""`t2c looks`: the looks installed; and the option `--look` of the commands that colour.

Must not import torch or Pillow at module level.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from t2c_engine.cli.common import AsJson, print_error, print_json, reported
from t2c_engine.cli.terminal import output, print_table


def look_names() -> list[str]:
    """Names that a shell may complete."""
    from t2c_engine.colorization.looks import installed_looks

    return [one.name for one in installed_looks()]


Look = Annotated[
    str | None,
    typer.Option(
        "--look", help="Give the colours a look, see 't2c looks'; --strength is its own.", autocompletion=look_names
    ),
]


@reported
def looks(as_json: AsJson = False) -> None:
    """The looks that --look takes: names, titles and the models that they are part of."""
    from t2c_engine.colorization.looks import installed_looks

    found = installed_looks()
    if as_json:
        for one in found:
            print_json(asdict(one))
    elif found:
        print_table(output(), [(one.name, f"{one.title}  [{one.model}]") for one in found])
    if not found:
        print_error("No look is installed; train one with 't2c-train look', or add a file with 't2c models add'.")
        raise typer.Exit(1)
