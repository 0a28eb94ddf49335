"""What the two palette trainers share: data of a run, checkpoints, the sheet of samples, export.

A run's folder keeps the packed data (`data.npz`, `lexicon.safetensors`), so that a resumed run sees the same rows.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save

from t2c_engine.errors import UsageError
from t2c_engine.files import replacing, write_files
from t2c_engine.models import ModelCard, export_model
from t2c_engine.palettes.palette import Palette
from t2c_engine.palettes.sampler import PaletteRequest, PaletteSampler
from t2c_engine.text.lexicon import Lexicon
from trainer.palettes.build_lexicon import build_lexicon
from trainer.palettes.data import GROUPS, PaletteTable, pack, read_texts
from trainer.palettes.synthetic_texts import modified_texts, named_palettes

log = logging.getLogger(__name__)

SHEET_PHRASES = (
    "mango and grapefruit", "white rose", "black rose", "wilt rose", "melancholy rainbow", "pastel candy heart",
    "furious heart", "autumn breeze and falling leaves", "deep sea at night", "1950s diner", "dark forest", "seafoam",
)  # fmt: skip

_LICENCES = {
    "pat": "PAT, Bahng et al. 2018 (MIT)",
    "colorhunt": "Color Hunt palettes with tags (CC BY 4.0 claimed)",
    "captions": "Color Hex palettes with captions (CC BY 4.0 claimed)",
    "kuler": "titled Kuler themes (no licence stated)",
    "names": "meodai/color-names (MIT) and the xkcd colour survey's names (CC0)",
    "terms": "colour terms of the xkcd survey, Stanford C3, Heer and Stone 2012 (BSD 3-clause)",
}
ATTRIBUTION = (
    "This model contains word vectors derived from ConceptNet Numberbatch by Luminoso Technologies, Inc. "
    "(Speer, Chin and Havasi 2017), CC BY-SA 4.0, https://github.com/commonsense/conceptnet-numberbatch.",
    "Palette-and-Text (PAT): Bahng et al. 2018, Coloring with Words, MIT licence.",
    "Palettes of Color Hunt and Color Hex; colour names of meodai/color-names and of the xkcd colour survey; "
    "colour terms of Stanford C3.",
)


@dataclass(frozen=True, slots=True)
class RunData:
    """Lexicon and packed rows of a run: training and validation (PAT's)."""

    lexicon: Lexicon
    train: PaletteTable
    validation: PaletteTable


def prepare_data(data: Path, out: Path, dimensions: int, init: Path | None, groups: Collection[str]) -> RunData:
    """The run's data: as kept in `out`, else read from the data folder and kept there.

    Args:
        dimensions: of word vectors.
        init: a model file whose lexicon is used; without one it is built from `data/words`.
        groups: those of `trainer.palettes.data.GROUPS` that are trained on; others are not even read for their words.

    Raises:
        UsageError: the data cannot be read, or no row is left to train on.
    """
    kept, words = out / "data.npz", out / "lexicon.safetensors"
    if kept.exists() and words.exists():
        with np.load(kept) as arrays:
            parts = [PaletteTable(*(arrays[f"{part}{i}"] for i in range(4))) for part in ("train", "validation")]
        return RunData(Lexicon.from_tensors(load_file(words)), *parts)
    known = read_texts(data)
    synthetic = modified_texts(known) if "modified" in groups else []
    synthetic += named_palettes(known) if "named" in groups else []
    rows = [row for row in known + synthetic if row.split != "test" and row.source in groups]
    train, validation = ([row for row in rows if row.split == split] for split in ("train", "val"))
    if not train:
        raise UsageError(f"No row to train on is in {data}; the split of each row must be 'train' or missing.")
    log.info("%d texts for training, %d for validation; reading words", len(train), len(validation))
    if init is not None:
        lexicon = Lexicon.from_tensors(load_file(init))
    else:
        lexicon = build_lexicon(data / "words", [row.text for row in rows], dimensions)
    run = RunData(lexicon, pack(train, lexicon), pack(validation or train[:1], lexicon))
    arrays = {
        f"{part}{i}": array
        for part, table in (("train", run.train), ("validation", run.validation))
        for i, array in enumerate((table.words, table.colors, table.count, table.source))
    }
    with replacing(kept) as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]
        write_files({words: save(lexicon.to_tensors())}, overwrite=True)
    return run


def export(
    out: Path,
    tensors: Mapping[str, np.ndarray],
    table: PaletteTable,
    config: Mapping[str, Any],
    *,
    name: str,
    version: str,
    figures: Mapping[str, Any],
) -> ModelCard:
    """Write weights and card into the run's folder; data and licences are those of the sources trained on."""
    settings = "tpn-paper" if config["architecture"] == "tpn-paper" else "palette-set"
    groups = [GROUPS[index] for index in np.unique(table.source)]
    used = [_LICENCES[group] for group in groups if group in _LICENCES]
    return export_model(
        out,
        tensors,
        name=name,
        version=version,
        kind="palette",
        licence="CC BY-SA 4.0",
        attribution=ATTRIBUTION,
        data=(*used, "ConceptNet Numberbatch word vectors (CC BY-SA 4.0)"),
        command=f"t2c-train palettes --config trainer/configs/{settings}.toml",
        figures=figures,
        config=config,
        default=config["architecture"] != "tpn-paper",
    )


def publish(run: Path, into: Path, figures: Mapping[str, Any]) -> ModelCard | None:
    """Copy a finished run's palette model into another folder, with measured figures in its card.

    Args:
        run: the run's folder.
        figures: JSON of `t2c-train evaluate`; what it says of palettes and words is kept.

    Returns:
        The new card, or None where the run holds no palette model.
    """
    from t2c_engine.models import load_weights, read_card

    cards = [read_card(path) for path in sorted(run.glob("*.json"))]
    card = next((one for one in cards if one.kind == "palette"), None)
    if card is None:
        return None
    palettes = figures.get("palettes", {})
    parts = {"all": "pat_test_all", "new_texts": "pat_test_new_texts", "unseen_words": "pat_test_unseen_words"}
    measured = {name: palettes[part] for part, name in parts.items() if part in palettes}
    measured |= {name: value for name, value in figures.items() if name == "words"}
    return export_model(
        into,
        load_weights(card),
        name=card.name,
        version=card.version,
        kind=card.kind,
        licence=card.licence,
        attribution=card.attribution,
        data=card.data,
        command=card.command,
        figures=dict(card.figures) | measured,
        config=card.config,
        default=card.default,
    )


def palette_sheet(
    path: Path, sampler: PaletteSampler, phrases: Sequence[str], seed: int = 0, variety: float = 0.5
) -> None:
    """A PNG: a line a phrase, with its five palettes side by side."""
    from PIL import Image, ImageDraw

    height, swatch, gap, margin = 34, 30, 12, 250
    sheet = Image.new("RGB", (margin + 5 * (5 * swatch + gap), len(phrases) * height), "white")
    pen = ImageDraw.Draw(sheet)
    for line, phrase in enumerate(phrases):
        result = sampler.sample(PaletteRequest(phrase, seed=seed, variety=variety))
        pen.text((6, line * height + 10), phrase.encode("latin-1", "replace").decode("latin-1")[:40], fill="black")
        for column, palette in enumerate(result.palettes):
            _draw_palette(pen, palette, margin + column * (5 * swatch + gap), line * height + 3, swatch, height - 6)
    with replacing(path) as stream:
        sheet.save(stream, "PNG")


def _draw_palette(pen: Any, palette: Palette, x: int, y: int, width: int, height: int) -> None:
    for index, color in enumerate(palette.colors):
        pen.rectangle((x + index * width, y, x + (index + 1) * width - 1, y + height), fill=color)
