"""Tiny training runs of both palette networks on data made on the spot, and the figures that measure palettes."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

import numpy as np
import pytest

from t2c_engine.errors import UsageError
from t2c_engine.models import load_weights, read_card
from t2c_engine.palettes.sampler import PaletteRequest, PaletteSampler
from tests.palette_data import SET_SETTINGS, THEMES, make_data, settings_file
from tests.trainer.conftest import PaletteRun
from trainer.common.settings import read_settings
from trainer.evaluation.palettes import ab_divergence, evaluate_palettes, new_texts, unseen_words
from trainer.palettes.data import TextColors, hex_to_lab, pack, read_texts
from trainer.palettes.run import publish
from trainer.palettes.train import make_config, train_palette_set
from trainer.papers.train_tpn import make_config as make_paper_config
from trainer.train_palettes import train_palette_network


def losses(run: Path, name: str) -> list[float]:
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [line["validation"][name] for line in lines if "validation" in line]


def test_the_loss_falls_and_the_run_can_be_looked_at(palette_run: PaletteRun, untrained_run: PaletteRun) -> None:
    assert losses(palette_run.folder, "nll")[-1] < losses(untrained_run.folder, "nll")[-1] - 0.3
    assert (palette_run.folder / "sheet.png").exists() and (palette_run.folder / "loss.png").exists()


def test_the_papers_loss_falls(paper_run: PaletteRun) -> None:
    course = losses(paper_run.folder, "huber")
    assert course[-1] < course[0]


@pytest.mark.parametrize("fixture", ["palette_run", "paper_run"])
def test_a_run_that_was_killed_goes_on_as_if_it_had_not_been(
    fixture: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Nothing of a step may depend on what came before but through the checkpoint."""
    run: PaletteRun = request.getfixturevalue(fixture)
    interrupt(run, tmp_path, 20)
    again = train_palette_network(run.settings, run.data, tmp_path)
    assert again.sha256 == run.card.sha256
    assert train_palette_network(run.settings, run.data, tmp_path).sha256 == again.sha256  # nothing is left to train


def interrupt(run: PaletteRun, out: Path, after: int) -> None:
    """Train and stop dead after so many steps (epochs), as Ctrl-C does."""
    import trainer.palettes.train
    import trainer.papers.train_tpn

    class Stop(Exception):
        pass

    table = read_settings(run.settings)
    module = trainer.papers.train_tpn if table["architecture"] == "tpn-paper" else trainer.palettes.train
    save = module.save_checkpoint

    def save_and_stop(folder: Path, state: dict[str, object]) -> None:
        save(folder, state)
        if state.get("step", state.get("epoch")) == after:
            raise Stop

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "save_checkpoint", save_and_stop)
        with pytest.raises(Stop):
            if module is trainer.palettes.train:
                train_palette_set(make_config(table, run.settings), run.data, out, save_every=after)
            else:
                train_palette_network(run.settings, run.data, out)


def test_a_run_of_other_settings_is_not_gone_on_with(palette_run: PaletteRun, tmp_path: Path) -> None:
    folder = shutil.copytree(palette_run.folder, tmp_path / "run")
    before = (folder / "checkpoint.pt").read_bytes()
    wider = settings_file(tmp_path, SET_SETTINGS.replace("width = 16", "width = 32"), 60)
    with pytest.raises(UsageError, match="other settings"):
        train_palette_network(wider, palette_run.data, folder)
    assert (folder / "checkpoint.pt").read_bytes() == before


def test_export_can_be_used_evaluated_and_trained_on(
    palette_run: PaletteRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, out = palette_run.data, palette_run.folder
    card = read_card(out / "tiny.json")
    assert card.kind == "palette" and any("Numberbatch" in text for text in card.attribution)
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
    fine = train_palette_network(
        settings_file(tmp_path, SET_SETTINGS, 1), data, tmp_path / "fine", init=out / card.file
    )
    assert load_weights(fine)["words.text"].tobytes() == weights["words.text"].tobytes()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [("steps = {steps}", "steps = ", "cannot be read"), ("steps =", "stepps =", "there is no stepps"),
     ("seed = 1", "", "seed must be given"), ('"palette-set"', '"x"', "unknown architecture"),
     ("colorhunt =", "nothing =", "unknown data"), ("width =", "widht =", r"\[network\].*there is no widht"),
     ("chroma = 0.0", "", r"\[sampling\].*chroma must be given")],
)  # fmt: skip
def test_wrong_settings(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in SET_SETTINGS
    path = settings_file(tmp_path, SET_SETTINGS.replace(old, new), 1)
    with pytest.raises(UsageError, match=message):
        train_palette_network(path, make_data(tmp_path / "data"), tmp_path / "run")


@pytest.mark.parametrize("name", ["palette-set", "tpn-paper", "tpn-paper-gan", "tpn-paper-huber"])
def test_the_settings_that_are_shipped_are_whole(name: str) -> None:
    path = Path("trainer/configs") / f"{name}.toml"
    table = read_settings(path)
    config = (make_config if table["architecture"] == "palette-set" else make_paper_config)(table, path)
    assert config.name == name


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
