"""Tiny training runs of both palette networks on data made on the spot, and the figures that measure palettes."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest

from t2c_engine.errors import UsageError
from t2c_engine.models import load_weights, read_card
from t2c_engine.palettes.sampler import PaletteRequest, PaletteSampler
from tests.palette_data import THEMES, make_data
from trainer.evaluation.palettes import ab_divergence, evaluate_palettes, new_texts, unseen_words
from trainer.palettes.data import TextColors, hex_to_lab, pack, read_texts
from trainer.palettes.run import publish
from trainer.palettes.train import make_config, read_table, train_palette_set
from trainer.train_palettes import train_tpn

SET = """
architecture = "palette-set"
name = "tiny"
steps = {steps}
cooldown = 30
warmup = 2
batch = 24
learning_rate = 1e-2
word_dimensions = 8
[mix]
pat = 0.6
colorhunt = 0.2
names = 0.2
[network]
width = 16
heads = 2
mixtures = 3
encoder_blocks = 1
[sampling]
candidates = 16
temperature = [0.2, 0.5, 1.0]
"""
PAPER = """
architecture = "tpn-paper"
name = "tiny-paper"
epochs = {steps}
batch = 8
learning_rate = 2e-3
[network]
word_dimensions = 8
hidden = 8
"""


def settings_file(folder: Path, text: str, steps: int) -> Path:
    path = folder / f"{steps}.toml"
    path.write_text(text.format(steps=steps))
    return path


def losses(run: Path, name: str) -> list[float]:
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [line["validation"][name] for line in lines if "validation" in line]


@pytest.mark.parametrize(("text", "name", "short", "long"), [(SET, "nll", 2, 60), (PAPER, "huber", 1, 40)])
def test_loss_falls_and_resume_is_exact(tmp_path: Path, text: str, name: str, short: int, long: int) -> None:
    data = make_data(tmp_path / "data")
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    card = train_tpn(settings_file(tmp_path, text, long), data, whole)
    # the same run, ended early and resumed: nothing of a step may depend on what came before but through the checkpoint
    train_tpn(
        settings_file(tmp_path, text.replace("cooldown = 30", f"cooldown = {long}"), short), data, tmp_path / "first"
    )
    first, last = losses(tmp_path / "first", name)[-1], losses(whole, name)[-1]
    assert last < first - (0.3 if name == "nll" else 0.0)
    interrupt(settings_file(tmp_path, text, long), data, broken, long // 2)
    again = train_tpn(settings_file(tmp_path, text, long), data, broken, resume=True)
    assert again.sha256 == card.sha256
    assert (whole / "sheet.png").exists() and (whole / "loss.png").exists()


def interrupt(path: Path, data: Path, out: Path, steps: int) -> None:
    """Train and stop dead after so many steps (epochs), as Ctrl-C does."""
    import trainer.palettes.train
    import trainer.papers.train_tpn

    class Stop(Exception):
        pass

    module = trainer.papers.train_tpn if "paper" in read_table(path)["architecture"] else trainer.palettes.train
    save = module.save_checkpoint

    def save_and_stop(folder: Path, state: dict[str, object]) -> None:
        save(folder, state)
        if state.get("step", state.get("epoch")) == steps:
            raise Stop

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "save_checkpoint", save_and_stop)
        with pytest.raises(Stop):
            if module is trainer.palettes.train:
                train_palette_set(make_config(read_table(path), path), data, out, save_every=steps)
            else:
                train_tpn(path, data, out)


def test_export_can_be_used_evaluated_and_trained_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, out = make_data(tmp_path / "data"), tmp_path / "run"
    path = settings_file(tmp_path, SET, 60)
    train_tpn(path, data, out)
    card = read_card(out / "tiny.json")
    assert card.kind == "tpn" and any("Numberbatch" in text for text in card.attribution)
    assert any(text.startswith("PAT") for text in card.data)
    monkeypatch.setenv("T2C_MODELS", str(out))
    sampler = PaletteSampler.load("tiny")
    palettes = sampler.sample(PaletteRequest("deep blue sea")).palettes
    blue = np.mean([palette.lab[:, 2].mean() for palette in palettes])
    red = np.mean([palette.lab[:, 2].mean() for palette in sampler.sample(PaletteRequest("red fire")).palettes])
    assert blue < red

    figures = evaluate_palettes(sampler, data)
    assert figures.all.texts == 4 and figures.new_texts.texts == 0 and figures.unseen_words.texts == 0
    assert figures.all.best_of_5 <= figures.all.single
    assert figures.references["true palettes"].single == pytest.approx(0, abs=1e-6)
    assert figures.references["random training palettes"].single > figures.all.single
    assert json.loads(json.dumps(figures.as_json()))["all"]["texts"] == 4

    measured = {"palettes": {"all": {"single": 1.5}}, "words": {"negations": 1.0}, "colors": {}}
    again = publish(out, tmp_path / "shipped", measured)
    assert again is not None and again.sha256 == card.sha256 and again.data == card.data
    assert again.figures == dict(card.figures) | {"pat_test_all": {"single": 1.5}, "words": {"negations": 1.0}}
    assert publish(data, tmp_path / "shipped", {}) is None

    weights = load_weights(card)
    fine = train_tpn(settings_file(tmp_path, SET, 61), data, tmp_path / "fine", init=out / card.file)
    assert load_weights(fine)["words.text"].tobytes() == weights["words.text"].tobytes()


def test_a_run_is_not_overwritten_and_nothing_is_resumed_from_nothing(tmp_path: Path) -> None:
    data, path = make_data(tmp_path / "data"), settings_file(tmp_path, SET, 1)
    with pytest.raises(UsageError, match="No run to resume"):
        train_tpn(path, data, tmp_path / "run", resume=True)
    train_tpn(path, data, tmp_path / "run")
    with pytest.raises(UsageError, match="holds a run already"):
        train_tpn(path, data, tmp_path / "run")


@pytest.mark.parametrize(
    ("text", "message"),
    [("steps = ", "cannot be read"), ("stepps = 3", "cannot be used"), ("architecture = 'x'", "unknown architecture"),
     ("[mix]\nnothing = 1.0", "unknown data"), ("[network]\nwidht = 3", "cannot be used")],
)  # fmt: skip
def test_wrong_settings(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        train_tpn(path, make_data(tmp_path / "data"), tmp_path / "run")


def test_texts_are_read_and_packed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    from trainer.palettes.build_lexicon import build_lexicon

    caplog.set_level(logging.WARNING)
    data = make_data(tmp_path / "data")
    rows = read_texts(data)
    assert [sum(row.source == source for row in rows) for source in ("pat", "colorhunt", "names")] == [32, 4, 4]
    lexicon = build_lexicon(data / "words", [row.text for row in rows], 8)
    assert "slytherin" in lexicon.vocabulary  # not among the given words, but used three times
    table = pack(rows, lexicon, max_words=2)
    assert table.count[[0, 32, 36]].tolist() == [5, 4, 1]
    np.testing.assert_allclose(table.colors[0], hex_to_lab(THEMES["red fire"]), atol=1e-4)
    first = [lexicon.vocabulary.words[row] for row in table.words[1]]
    assert first == ["deep", "blue"]  # the third word does not fit in


@pytest.mark.parametrize("line", ["{", '{"text": "a"}', '{"text": "a", "hex": ["#12"]}', "[]"])
def test_unreadable_lines_are_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "pat.jsonl").write_text('{"text": "a", "hex": ["#123456"]}\n' + line + "\n")
    with pytest.raises(UsageError, match=r"pat\.jsonl, line 2"):
        read_texts(tmp_path)


def test_no_texts_at_all(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"No \.jsonl file"):
        read_texts(tmp_path)


def test_parts_of_the_test_set() -> None:
    lab = np.zeros((5, 3), dtype=np.float32)
    training = [TextColors(text, lab, "pat") for text in ("Red Sea", "dark night")]
    tested = [TextColors(text, lab, "pat", "test") for text in ("red  sea", "red night", "green", "dark")]
    assert new_texts(tested, training).tolist() == [False, True, True, True]
    assert unseen_words(tested, training).tolist() == [False, False, True, False]


def test_ab_divergence_by_hand() -> None:
    """Two bins hold colours: counts 3 and 1 against 1 and 3, 0.5 added to each of the 313."""
    one, other = np.array([50.0, 0.0, 0.0]), np.array([50.0, 40.0, 40.0])
    p, q = np.full(313, 0.5), np.full(313, 0.5)
    p[:2] += (3, 1)
    q[:2] += (1, 3)
    p, q = p / p.sum(), q / q.sum()
    expected = np.sum(p * np.log(p / q))
    assert ab_divergence(np.stack([one] * 3 + [other]), np.stack([one] + [other] * 3)) == pytest.approx(expected)
    assert ab_divergence(np.stack([one] * 3), np.stack([one] * 3)) == 0
