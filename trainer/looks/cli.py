"""`t2c-train look` and `t2c-train tonings`: arguments in, a look model out. Must not import torch at module level."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from t2c_engine.cli.common import print_json, reported
from t2c_engine.errors import UsageError

CONFIGS = Path(__file__).parents[1] / "configs"
STARTS = {"colorizer": "cyclegan.toml", "scratch": "cyclegan-scratch.toml"}

Out = Annotated[Path, typer.Option("-o", "--out", help="The run's folder; a run that is there goes on.")]
Init = Annotated[Path | None, typer.Option("--init", help="Start from these exported .safetensors weights.")]
Steps = Annotated[int | None, typer.Option("--steps", min=1, help="Instead of the settings' own number.")]
Side = Annotated[int | None, typer.Option("--size", help="Short side of the networks' input, px.")]
Width = Annotated[int | None, typer.Option("--width", help="Channels of the first layer; 8 for a local try.")]
Blocks = Annotated[int | None, typer.Option("--depth", help="Residual blocks of the generator.")]
SaveEvery = Annotated[int | None, typer.Option("--save-every", min=1, help="Steps between checkpoints.")]
ShowEvery = Annotated[int | None, typer.Option("--show-every", min=1, help="Steps between curves and sheets.")]
Config = Annotated[Path | None, typer.Option("--config", help="Settings (TOML); see trainer/configs.")]
Cache = Annotated[Path, typer.Option("--cache", help="Where decoded pictures are kept.")]
Licence = Annotated[str | None, typer.Option("--licence", help="For the card; else 'as the pictures'.")]


@reported
def look(
    pictures: Annotated[list[Path], typer.Argument(help="Folders or zip shards of colour photographs of one look.")],
    out: Out = Path("runs/look"),
    name: Annotated[str | None, typer.Option("--name", help="Of the look; the run's folder's if not given.")] = None,
    title: Annotated[str, typer.Option("--title", help="Of the look, for lists.")] = "",
    start: Annotated[
        str, typer.Option("--from", help="colorizer: its colours and encoder; scratch: nothing, as published.")
    ] = "colorizer",
    config: Config = None,
    steps: Steps = None,
    size: Side = None,
    width: Width = None,
    depth: Blocks = None,
    init: Init = None,
    save_every: SaveEvery = None,
    show_every: ShowEvery = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="So many pictures at most.")] = None,
    sort: Annotated[
        Path | None,
        typer.Option("--sort", help="Only pictures of the look's domain in this file (TOML)."),
    ] = None,
    licence: Licence = None,
    cache: Cache = Path("cache"),
) -> None:
    """Learn a look from colour photographs without pairs (CycleGAN), and export it into the run."""
    if start not in STARTS:
        raise UsageError(f"A look cannot start from '{start}'; choose {' or '.join(STARTS)}.")
    chosen = checked_name(name or out.name)
    from t2c_engine.colorization.colorizer import Colorizer
    from trainer.looks.cyclegan import Subject, train_look
    from trainer.looks.sorting import domain_of
    from trainer.looks.training import read_look_config

    settings = read_look_config(
        config or CONFIGS / STARTS[start],
        {"side": size, "width": width, "blocks": depth, "targets": 1},
        steps=steps,
        cooldown=None if steps is None else steps // 2,
        save_every=save_every,
        show_every=show_every,
    )
    subject = Subject(chosen, title, limit, domain_of(sort, chosen) if sort else None)
    train_look(settings, pictures, out, cache, subject, colorizer=Colorizer.load(device="cpu"), init=init)
    export(out, chosen, licence, "t2c-train look")


@reported
def tonings(
    data: Annotated[Path, typer.Argument(help="Domains and their pictures (TOML); see configs/tonings.toml.")],
    out: Out = Path("runs/tonings"),
    pictures: Annotated[
        list[Path] | None, typer.Option("--pictures", help="Folders or zip shards, besides the file's own.")
    ] = None,
    config: Config = None,
    steps: Steps = None,
    size: Side = None,
    width: Width = None,
    depth: Blocks = None,
    init: Init = None,
    save_every: SaveEvery = None,
    show_every: ShowEvery = None,
    licence: Licence = None,
    cache: Cache = Path("cache"),
) -> None:
    """Learn several tonings by one network (StarGAN), and export it into the run."""
    chosen = checked_name(out.name)
    from t2c_engine.colorization.colorizer import Colorizer
    from trainer.looks.sorting import read_domains
    from trainer.looks.stargan import train_tonings
    from trainer.looks.training import read_look_config

    domains, own = read_domains(data)
    sources = [*own, *(pictures or ())]
    if not sources:
        raise UsageError(f"{data} names no pictures; add them there, or give --pictures.")
    settings = read_look_config(
        config or CONFIGS / "stargan.toml",
        {"side": size, "width": width, "blocks": depth, "targets": len(domains) + 1},
        steps=steps,
        cooldown=None if steps is None else steps // 2,
        save_every=save_every,
        show_every=show_every,
    )
    train_tonings(settings, domains, sources, out, cache, colorizer=Colorizer.load(device="cpu"), init=init)
    export(out, chosen, licence, "t2c-train tonings")


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


def export(out: Path, name: str, licence: str | None, command: str) -> None:
    """Export a finished run into its own folder, and say how to install it."""
    from trainer.looks.export import OWN_LICENCE, Publication, export_look

    known: dict[str, Any] = {}
    card = export_look(out, out, Publication(name, licence=licence or OWN_LICENCE, command=command), known)
    path = out / f"{card.name}.json"
    logging.info("Exported %s; install it with: t2c models add %s", out / card.file, path)
