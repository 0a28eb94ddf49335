"""Training of the palette network whose architecture the settings name: the shipped one, or the paper's TPN."""

from __future__ import annotations

from pathlib import Path

from t2c_engine.errors import UsageError
from t2c_engine.models import ModelCard
from trainer.common.settings import read_settings
from trainer.palettes.train import make_config, train_palette_set
from trainer.papers.train_tpn import train_paper


def train_palette_network(config_path: Path, data: Path, out: Path, init: Path | None = None) -> ModelCard:
    """Train the network that the settings ask for, and export it into the run's folder.

    Args:
        config_path: a TOML file such as those in trainer/configs.
        data: folder with `text/` and `words/` (see `trainer.palettes.data`).
        out: the run's folder, whose run goes on if there is one: checkpoint.pt, log.jsonl, loss.png, sheet.png, and in
            the end weights and card.
        init: weights of a model to start from (fine-tuning); its vocabulary is used.

    Raises:
        UsageError: settings, data or folder cannot be used.
    """
    table = read_settings(config_path)
    architecture = table.get("architecture", "palette-set")
    if architecture == "tpn-paper":
        return train_paper(table, config_path, data, out, init)
    if architecture != "palette-set":
        raise UsageError(f"The settings in {config_path} ask for the unknown architecture '{architecture}'.")
    return train_palette_set(make_config(table, config_path), data, out, init)
