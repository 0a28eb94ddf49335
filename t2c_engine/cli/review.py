"""`t2c review` and `t2c again`: results looked through, and made again. The work is done in `t2c_engine.albums`.

Must not import torch or Pillow at module level.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from t2c_engine.cli.common import AsJson, print_error, print_json, reported
from t2c_engine.cli.terminal import output
from t2c_engine.errors import T2CError


@reported
def review(
    folder: Annotated[Path, typer.Argument(help="A folder that t2c wrote results into.")],
    show: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Write FOLDER/review/index.html: look through the results, accept, reject, choose; works offline."""
    from t2c_engine.albums.review import write_review

    page = write_review(folder)
    output().print(str(page), markup=False)
    if show:
        typer.launch(str(page))


@reported
def again(
    results: Annotated[list[Path], typer.Argument(help="Results of t2c.")],
    input_path: Annotated[
        Path | None, typer.Option("--input", help="The picture it was made from, if it is not near the result.")
    ] = None,
    out: Annotated[Path, typer.Option("-o", "--output", help="The folder for what is made again.")] = Path("again"),
    device: Annotated[str, typer.Option("--device", help="auto, cpu, cuda or mps.")] = "auto",
    as_json: AsJson = False,
) -> None:
    """Make results again from the recipe inside them, and say whether the bytes are the same."""
    from t2c_engine.albums.again import make_again

    failed = False
    for result in results:
        try:
            made = make_again(result, out, input_path, device)
        except T2CError as error:
            if len(results) == 1:
                raise
            print_error(str(error))
            failed = True
            continue
        for note in made.notes:
            print_error(f"{result}: {note}")
        if as_json:
            print_json(
                {"result": str(result), "path": str(made.path), "input": str(made.input), "same": made.same_bytes}
            )
        else:
            words = "the same bytes" if made.same_bytes else "not the same bytes"
            output().print(f"{made.path}, from {made.input}: {words}", markup=False)
    if failed:
        raise typer.Exit(1)
