"""`t2c-train look` and `t2c-train tonings`: arguments in, a look model out. Must not import torch at module level."""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from t2c_engine.cli.common import print_json, reported
from t2c_engine.errors import UsageError
from trainer.common.arguments import Out

if TYPE_CHECKING:
    from trainer.looks.settings import LookTrainConfig

CONFIGS = Path(__file__).parents[1] / "configs"
STARTS = {"colorizer": "cyclegan.toml", "scratch": "cyclegan-scratch.toml"}

Steps = Annotated[int | None, typer.Option("--steps", min=1, help="Instead of the settings' own number.")]
Cache = Annotated[Path, typer.Option("--cache", help="Where decoded pictures are kept.")]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Options of every command that trains a look; None leaves what the settings say."""

    config: Annotated[Path | None, typer.Option("--config", help="Settings (TOML); see trainer/configs.")] = None
    steps: Steps = None
    size: Annotated[int | None, typer.Option("--size", help="Short side of the networks' input, px.")] = None
    width: Annotated[int | None, typer.Option("--width", help="Channels of the first layer; 8 for a local try.")] = None
    depth: Annotated[int | None, typer.Option("--depth", help="Residual blocks of the generator.")] = None
    init: Annotated[Path | None, typer.Option("--init", help="Start from these exported .safetensors weights.")] = None
    save_every: Annotated[int | None, typer.Option("--save-every", min=1, help="Steps between checkpoints.")] = None
    show_every: Annotated[int | None, typer.Option("--show-every", min=1, help="Steps between curves and sheets.")] = (
        None
    )
    licence: Annotated[str | None, typer.Option("--licence", help="For the card; else 'as the pictures'.")] = None
    version: Annotated[str, typer.Option("--version", help="For the card.")] = "1"
    cache: Cache = Path("cache")

    def settings(self, default: str, targets: int, monochrome: tuple[int, ...] = ()) -> LookTrainConfig:
        """The file's settings (`default` of configs/ if none was given) with these changes, for so many targets.

        Raises:
            UsageError: as `read_look_config`.
        """
        from trainer.looks.settings import read_look_config

        return read_look_config(
            self.config or CONFIGS / default,
            {"side": self.size, "width": self.width, "blocks": self.depth, "targets": targets}
            | ({"monochrome": monochrome} if monochrome else {}),
            steps=self.steps,
            cooldown=None if self.steps is None else self.steps // 2,
            save_every=self.save_every,
            show_every=self.show_every,
        )


def with_run_options(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose keyword `options` is a `RunOptions`, as one with an option for each of its fields."""
    hints = get_type_hints(RunOptions, include_extras=True)
    added = [
        inspect.Parameter(one.name, inspect.Parameter.KEYWORD_ONLY, default=one.default, annotation=hints[one.name])
        for one in fields(RunOptions)
    ]
    own = get_type_hints(command, include_extras=True)
    kept = [one.replace(annotation=own[key]) for key, one in inspect.signature(command).parameters.items()]

    @wraps(command)
    def run(**given: Any) -> None:
        chosen = {one.name: given.pop(one.name) for one in added}
        command(**given, options=RunOptions(**chosen))

    parameters = [one for one in kept if one.name != "options"] + added
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    return run


@reported
@with_run_options
def look(
    pictures: Annotated[list[Path], typer.Argument(help="Folders or zip shards of colour photographs of one look.")],
    out: Out = Path("runs/look"),
    name: Annotated[str | None, typer.Option("--name", help="Of the look; the run's folder's if not given.")] = None,
    title: Annotated[str, typer.Option("--title", help="Of the look, for lists.")] = "",
    start: Annotated[
        str, typer.Option("--from", help="colorizer: its colours and encoder; scratch: nothing, as published.")
    ] = "colorizer",
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="So many pictures at most.")] = None,
    sort: Annotated[
        Path | None,
        typer.Option("--sort", help="Only pictures of the look's domain in this file (TOML)."),
    ] = None,
    *,
    options: RunOptions,
) -> None:
    """Learn a look from colour photographs without pairs (CycleGAN), and export it into the run."""
    if start not in STARTS:
        raise UsageError(f"A look cannot start from '{start}'; choose {' or '.join(STARTS)}.")
    chosen = checked_name(name or out.name)
    from t2c_engine.colorization.colorizer import Colorizer
    from trainer.looks.cyclegan import Subject, train_look
    from trainer.looks.sorting import domain_of

    settings = options.settings(STARTS[start], targets=1)
    subject = Subject(chosen, title, limit, domain_of(sort, chosen) if sort else None)
    model = Colorizer.load(device="cpu")
    train_look(settings, pictures, out, options.cache, subject, colorizer=model, init=options.init)
    export(out, chosen, options, "t2c-train look")


@reported
@with_run_options
def tonings(
    data: Annotated[Path, typer.Argument(help="Domains and their pictures (TOML); see configs/tonings.toml.")],
    out: Out = Path("runs/tonings"),
    pictures: Annotated[
        list[Path] | None, typer.Option("--pictures", help="Folders or zip shards, besides the file's own.")
    ] = None,
    *,
    options: RunOptions,
) -> None:
    """Learn several tonings by one network (StarGAN), and export it into the run."""
    chosen = checked_name(out.name)
    from t2c_engine.colorization.colorizer import Colorizer
    from trainer.looks.sorting import read_domains, read_plain
    from trainer.looks.stargan import train_tonings

    domains, own = read_domains(data)
    sources = [*own, *(pictures or ())]
    if not sources:
        raise UsageError(f"{data} names no pictures; add them there, or give --pictures.")
    monochrome = tuple(number for number, one in enumerate(domains) if one.monochrome)
    settings = options.settings("stargan.toml", len(domains) + 1, monochrome)
    model = Colorizer.load(device="cpu")
    plain = read_plain(data)
    train_tonings(settings, domains, sources, out, options.cache, colorizer=model, init=options.init, plain=plain)
    export(out, chosen, options, f"t2c-train tonings {data.name}")


@reported
def stargan_paper(
    pictures: Annotated[list[Path], typer.Argument(help="Folders or zip shards of colour photographs.")],
    out: Out = Path("runs/stargan-paper"),
    config: Annotated[Path, typer.Option("--config", help="Settings (TOML).")] = CONFIGS / "stargan-paper.toml",
    steps: Steps = None,
    cache: Cache = Path("cache"),
) -> None:
    """Train StarGAN between grey and colour as published, and print how far it copies its input, as JSON."""
    from trainer.papers.train_stargan import train_stargan

    print_json(train_stargan(config, pictures, out, cache, steps))


def checked_name(name: str) -> str:
    """A name that a look may have.

    Raises:
        UsageError: it has others than small letters, digits and hyphens.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", name):
        raise UsageError(f"'{name}' is no name for a look; use small letters, digits and hyphens, or give --name.")
    return name


def export(out: Path, name: str, options: RunOptions, command: str) -> None:
    """Export a finished run into its own folder, and say how to install it."""
    from trainer.looks.export import OWN_LICENCE, Publication, export_look

    publication = Publication(name, options.version, options.licence or OWN_LICENCE, command)
    card = export_look(out, out, publication)
    path = out / f"{card.name}.json"
    logging.info("Exported %s; install it with: t2c models add %s", out / card.file, path)
