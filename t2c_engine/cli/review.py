"""`t2c review` and `t2c again`: results looked through, and made again. The work is done in `t2c_engine.albums`.

Must not import torch or Pillow at module level.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from t2c_engine.cli.common import AsJson, Device, Overwrite, print_error, print_json, reported
from t2c_engine.cli.terminal import output, printable
from t2c_engine.errors import T2CError, UsageError
from t2c_engine.files import check_folder

if TYPE_CHECKING:
    from t2c_engine.albums.again import MadeAgain


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
    results: Annotated[list[Path], typer.Argument(help="Results of t2c, or folders of them.")],
    given: Annotated[
        list[Path] | None,
        typer.Option("--input", help="What it was made from, if not near the result: a file, or a folder to look in."),
    ] = None,
    out: Annotated[Path, typer.Option("-o", "--output", help="The folder for what is made again.")] = Path("again"),
    device: Device = "auto",
    model: Annotated[str | None, typer.Option("--model", help="Another colouring model than then.")] = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Make results again from the recipe inside them, and say whether the bytes are the same."""
    from t2c_engine.albums.again import AgainOptions, make_again, places_for, results_of

    for path in given or ():
        if not path.exists():
            raise UsageError(f"The input {path} is not there; give a file, or a folder to look in.")
    check_folder(out)
    options = AgainOptions(tuple(given or ()), device, model, overwrite)
    paths = results_of(results)
    failed = 0
    for result, path in zip(paths, places_for(paths, out), strict=True):
        try:
            say_made(result, make_again(result, path, options), as_json)
        except T2CError as error:
            if len(paths) == 1:
                raise
            print_error(str(error))
            failed += 1
    if failed:
        print_error(f"{failed} of {len(paths)} results failed.")
        raise typer.Exit(1)


def say_made(result: Path, made: MadeAgain, as_json: bool) -> None:
    """What has become of one result, and what is different by now."""
    for note in made.notes:
        print_error(f"{result}: {note}")
    if as_json:
        values = {"result": str(result), "path": str(made.path), "input": str(made.input), "same": made.same_bytes}
        print_json({**values, "difference": made.difference, "notes": list(made.notes)})
        return
    if made.same_bytes:
        words = "the same bytes"
    elif made.difference is None:
        words = "not the same bytes, and of another size or depth"
    elif made.difference == 0:
        words = "the same pixels, other bytes"
    else:
        words = f"not the same bytes; pixels differ by up to {made.difference:.3g} of 255 levels"
    output().print(printable(f"{made.path}, from {made.input}: {words}"), markup=False)
