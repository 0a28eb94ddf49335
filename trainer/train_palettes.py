"""Training of the palette network whose architecture the settings name: the shipped one, or the paper's TPN."""

from __future__ import annotations

from pathlib import Path

from t2c_engine.errors import UsageError
from t2c_engine.models import ModelCard
from trainer.palettes.train import make_config, read_table, train_palette_set
from trainer.papers.train_tpn import train_paper


def train_tpn(config_path: Path, data: Path, out: Path, resume: bool = False, init: Path | None = None) -> ModelCard:
    """Train the network that the settings ask for, and export it into the run's folder.

    Args:
        config_path: a TOML file such as those in trainer/configs.
        data: folder with `text/` and `words/` (see `trainer.palettes.data`).
        out: the run's folder: checkpoint.pt, log.jsonl, loss.png, sheet.png, and in the end weights and card.
        resume: go on with the run in `out`.
        init: weights of a model to start from (fine-tuning); its vocabulary is used.

    Raises:
        UsageError: settings, data or folder cannot be used.
    """
    table = read_table(config_path)
    architecture = table.get("architecture", "palette-set")
    if architecture == "tpn-paper":
        return train_paper(table, config_path, data, out, resume, init)
    if architecture != "palette-set":
        raise UsageError(f"The settings in {config_path} ask for the unknown architecture '{architecture}'.")
    return train_palette_set(make_config(table, config_path), data, out, resume, init)
