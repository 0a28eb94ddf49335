"""`t2c-train exemplar` and `export-exemplar`: arguments in, a transfer sub-net out.

Must not import torch at module level.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from t2c_engine.cli.common import reported
from trainer.common.arguments import CONFIGS, FiguresFile, Init, Into, Out, Steps, read_figures


@reported
def exemplar(
    pictures: Annotated[list[Path], typer.Argument(help="Zip shards or folders of colour pictures.")],
    out: Out = Path("runs/exemplar"),
    config: Annotated[Path, typer.Option("--config", help="Settings (TOML).")] = CONFIGS / "exemplar.toml",
    steps: Steps = None,
    model: Annotated[
        str | None, typer.Option("--colorizer", help="Whose encoder and automatic colours are used.")
    ] = None,
    perceptual: Annotated[
        Path | None, typer.Option("--perceptual", help="SqueezeNet's weights (.npz), for content and style losses.")
    ] = None,
    validation: Annotated[
        list[Path] | None, typer.Option("--validation", help="Shards that steer training; else a part is held out.")
    ] = None,
    cache: Annotated[Path, typer.Option("--cache", help="Where decoded pictures are kept.")] = Path("cache"),
    init: Init = None,
) -> None:
    """Train the transfer sub-net, colours from a picture (configs/exemplar.toml, or configs/exemplar-xu.toml)."""
    from t2c_engine.colorization.colorizer import Colorizer
    from trainer.exemplar.config import read_transfer_config
    from trainer.exemplar.train import train_transfer

    settings = read_transfer_config(config, steps=steps)
    path = train_transfer(
        settings,
        pictures,
        out,
        cache,
        colorizer=Colorizer.load(model, "cpu"),
        perceptual=perceptual,
        validation=validation or (),
        init=init,
    )
    logging.info("Trained: %s", path)


@reported
def export_exemplar_command(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    name: Annotated[str, typer.Option("--name", help="What the model is to be called.")] = "exemplar",
    into: Into = None,
    version: Annotated[str, typer.Option("--version", help="The model's version.")] = "1",
    figures: FiguresFile = None,
    command: Annotated[str, typer.Option("--command", help="How it was made, for the card.")] = "t2c-train exemplar",
    inference: Annotated[
        Path | None, typer.Option("--inference", help="How it is used (TOML); configs/exemplar-inference.toml.")
    ] = None,
) -> None:
    """Export the averaged weights (safetensors, fp16) and the model card of a transfer sub-net's run."""
    from t2c_engine.models import user_folder
    from trainer.exemplar.export import card_figures, export_exemplar, read_transfer_use

    known = card_figures((read_figures(figures) if figures else {}).get("exemplar", {}))
    use = read_transfer_use(inference or CONFIGS / "exemplar-inference.toml")
    card = export_exemplar(run, into or user_folder(), name, version, command, known, use)
    logging.info("Exported %s, %.1f MB", card.folder / card.file, card.size / 1e6)
