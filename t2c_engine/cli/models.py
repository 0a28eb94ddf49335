"""`t2c models`: the models installed, and the user's own put in, taken out, written to a file and read from one.

The work is done in `t2c_engine.models` and `t2c_engine.model_store`. Must not import torch or Pillow at module level.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from t2c_engine.cli.common import AsJson, Overwrite, print_error, print_json, reported
from t2c_engine.cli.terminal import output, print_table

if TYPE_CHECKING:
    from t2c_engine.models import ModelCard

models_app = typer.Typer(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    short_help="The models installed; add, remove, export, import your own.",
)


def own_names() -> list[str]:
    """Names of the user's own models that a shell may complete."""
    from t2c_engine.model_store import own_models

    return [card.name for card in own_models()]


Name = Annotated[str, typer.Argument(help="The model's name.", autocompletion=own_names)]
NewName = Annotated[str | None, typer.Option("--name", help="What it is to be called here, if not its own name.")]


@models_app.callback()
@reported
def models(context: typer.Context, as_json: AsJson = False) -> None:
    """The models installed: name, version, size, sha256, training data, licence and figures."""
    if context.invoked_subcommand is not None:
        return
    from t2c_engine.models import scan_models

    cards, problems = scan_models()
    for card in cards:
        if as_json:
            print_json({**card.as_json(), "folder": str(card.folder)})
        else:
            print_card(card)
    for problem in problems:
        print_error(str(problem))
    if not cards and not problems:
        print_error("No model is installed; reinstall text2colors, or see 't2c doctor'.")
    if problems or not cards:
        raise typer.Exit(1)


def print_card(card: ModelCard) -> None:
    """A model in words."""
    console = output()
    console.print(f"{card.name} {card.version}{' (default)' if card.default else ''}", style="bold", markup=False)
    rows = [
        ("kind", card.kind),
        ("file", str(card.folder / card.file)),
        ("size", f"{card.size / 1e6:.2f} MB"),
        ("sha256", card.sha256),
        ("licence", card.licence),
        ("data", "\n".join(card.data)),
        ("attribution", "\n".join(card.attribution)),
        ("conditions", ", ".join(card.conditions)),
        ("figures", "\n".join(f"{key}: {value}" for key, value in card.figures.items())),
        ("made by", card.command),
    ]
    print_table(console, [row for row in rows if row[1]])


@models_app.command()
@reported
def add(
    path: Annotated[Path, typer.Argument(help="A card (.json) beside its weights, a run's folder, or one file.")],
    name: NewName = None,
    overwrite: Overwrite = False,
) -> None:
    """Put a trained model among your own."""
    from t2c_engine.model_store import add_model

    say_installed(add_model(path, name, overwrite))


@models_app.command("import")
@reported
def import_(
    path: Annotated[Path, typer.Argument(help="The .safetensors file that a colleague exported.")],
    name: NewName = None,
    overwrite: Overwrite = False,
) -> None:
    """Put the model of a colleague's file among your own; nothing in the file is run."""
    from t2c_engine.model_store import import_file

    say_installed(import_file(path, name, overwrite))


@models_app.command()
@reported
def export(
    name: Name,
    out: Annotated[Path, typer.Option("-o", "--output", help="The file, or a folder for it.")] = Path(),
    overwrite: Overwrite = False,
) -> None:
    """Write a model to one file that can be given away: weights, card and licence."""
    from t2c_engine.model_store import export_file, installed

    path = export_file(installed(name), out, overwrite)
    output().print(f"{path}, {path.stat().st_size / 1e6:.2f} MB; read it with 't2c models import'.", markup=False)


@models_app.command()
@reported
def remove(name: Name) -> None:
    """Delete one of your own models; those that came with text2colors stay."""
    from t2c_engine.model_store import remove_model

    card = remove_model(name)
    output().print(f"Removed the {card.kind} model '{card.name}'.", markup=False)


def say_installed(card: ModelCard) -> None:
    """What was installed and how it is used."""
    use = {
        "style": f"t2c palette 'old harbour' --style {card.name}",
        "palette": f"t2c palette 'old harbour' --model {card.name}",
        "colorizer": f"t2c colorize photo.jpg --auto --model {card.name}",
    }
    words = f"Installed the {card.kind} model '{card.name}' in {card.folder}."
    output().print(f"{words} Use it: {use[card.kind]}" if card.kind in use else words, markup=False)
