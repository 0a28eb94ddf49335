"""A small data folder for the tests of the palette side: a few words with vectors, a few texts with palettes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

WORDS = (
    *(
        "red",
        "green",
        "blue",
        "black",
        "white",
        "sea",
        "foam",
        "garden",
        "rose",
        "night",
        "deep",
        "at",
        "autumn",
        "leaf",
    ),
    *("maple", "fallen", "wilt", "retro", "fifty", "do", "not", "know", "i", "cold", "fire", "sun", "flower", "heart"),
)
SET_SETTINGS = """
architecture = "palette-set"
name = "tiny"
version = "1"
seed = 1
steps = {steps}
cooldown = 30
warmup = 2
batch = 24
learning_rate = 1e-2
word_rate = 0.3
weight_decay = 0.05
word_decay = 0.5
ema = 0.98
noise = 1.0
word_dropout = 0.1
word_dimensions = 8
[mix]
pat = 0.6
colorhunt = 0.2
names = 0.2
[network]
width = 16
heads = 2
mixtures = 3
positions = 16
encoder_blocks = 1
decoder_blocks = 2
dropout = 0.2
[sampling]
candidates = 16
temperature = [0.2, 0.5, 1.0]
typicality = 0.0
chroma = 0.0
"""
PAPER_SETTINGS = """
architecture = "tpn-paper"
name = "tiny-paper"
version = "1"
seed = 1
epochs = {steps}
batch = 8
learning_rate = 2e-3
adversarial_weight = 1.0
huber_weight = 100.0
kl_weight = 0.5
initial_std = 0.05
[network]
word_dimensions = 8
hidden = 8
dropout = 0.2
[sampling]
candidates = 0
temperature = [1.0, 1.0, 1.0]
typicality = 0.0
chroma = 0.0
"""
THEMES = {
    "red fire": ["#330000", "#880000", "#cc2200", "#ee5533", "#ffccbb"],
    "deep blue sea": ["#000022", "#001155", "#113388", "#3366bb", "#bbddff"],
    "green garden": ["#002200", "#115511", "#338833", "#66bb66", "#ccffcc"],
    "night": ["#000000", "#111122", "#222233", "#333355", "#444466"],
}


def make_data(folder: Path) -> Path:
    """Write words/ and text/ as the trainer reads them; 24 training, 4 validation and 4 test rows."""
    (folder / "words").mkdir(parents=True)
    (folder / "text").mkdir()
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((len(WORDS), 300))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    scale = np.abs(vectors).max(axis=1) / 127
    (folder / "words" / "words.txt").write_text("\n".join(WORDS) + "\n")
    np.save(folder / "words" / "vectors_i8.npy", np.rint(vectors / scale[:, None]).astype(np.int8))
    np.save(folder / "words" / "vectors_scale_f32.npy", scale.astype(np.float32))
    forms = {"leaves": "leaf", "froze": "cold", "roses": "rose", "knew": "know"}
    (folder / "words" / "base_forms.json").write_text(json.dumps(forms))
    splits = ["train"] * 6 + ["val", "test"]
    rows = [{"split": split, "text": text, "hex": colors} for split in splits for text, colors in THEMES.items()]
    (folder / "text" / "pat.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    tags = [{"text": "cold", "hex": ["#113388", "#3366bb", "#bbddff", "#ffffff"]}] * 4
    (folder / "text" / "colorhunt_onetag.jsonl").write_text("".join(json.dumps(row) + "\n" for row in tags))
    names = "name,hex\nslytherin,#115511\nSlytherin Green,#114411\nslytherin night,#002200\nfire red,#cc2200\n"
    (folder / "text" / "xkcd_color_names.csv").write_text(names)
    return folder


def settings_file(folder: Path, text: str, steps: int) -> Path:
    """A TOML file of SET_SETTINGS or PAPER_SETTINGS for so many steps (epochs)."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{steps}.toml"
    path.write_text(text.format(steps=steps))
    return path
