"""`t2c-train diverse`: arguments in, a model of diverse colours out. Must not import torch at module level."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from t2c_engine.cli.common import reported
from trainer.common.arguments import CONFIGS, Device, Init, Out, Steps


@reported
def diverse(
    pictures: Annotated[list[Path], typer.Argument(help="Zip shards or folders of colour pictures.")],
    out: Out = Path("runs/diverse"),
    config: Annotated[Path, typer.Option("--config", help="Settings (TOML).")] = CONFIGS / "diverse.toml",
    steps: Steps = None,
    validation: Annotated[list[Path] | None, typer.Option("--validation", help="Shards that steer training.")] = None,
    model: Annotated[str | None, typer.Option("--colorizer", help="Whose features are used.")] = None,
    device: Device = "auto",
    cache: Annotated[Path, typer.Option("--cache", help="Where pictures and features are kept.")] = Path("cache"),
    init: Init = None,
    pictures_drawn: Annotated[
        int | None, typer.Option("--pictures", min=1, help="Drawn of the training pictures, instead of the settings'.")
    ] = None,
) -> None:
    """Train diverse colours (configs/diverse.toml, or document 001's: configs/diverse-paper.toml) and export them into
    the run. With --init the first part is left out: draws learn at once."""
    from trainer.diverse.config import read_diverse_config
    from trainer.diverse.export import export_diverse
    from trainer.diverse.train import train_diverse

    settings = read_diverse_config(
        config, steps=steps, pictures=pictures_drawn, first_steps=None if init is None else 0
    )
    train_diverse(
        settings, pictures, out, cache, validation=validation or (), colorizer=model, device=device, init=init
    )
    card = export_diverse(out, out)
    logging.info("Exported %s, %.1f MB", card.folder / card.file, card.size / 1e6)
