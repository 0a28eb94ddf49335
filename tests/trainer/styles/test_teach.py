"""Styles end to end: taught, kept or not, the same again after a kill, shown, and used by the engine."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from t2c_engine.errors import ExistsError, UsageError
from t2c_engine.models import find_model, load_weights
from t2c_engine.palettes.palette import Palette
from t2c_engine.palettes.sampler import PaletteRequest, PaletteSampler
from t2c_engine.palettes.style import Style, StyleShares, StyleWeight, adapted
from tests.command_line import lines, t2c
from tests.trainer.styles.conftest import green_palettes, settings
from trainer.styles.adapter import StyleAdapter
from trainer.styles.examples import Example
from trainer.styles.measure import Comparison, palette_match
from trainer.styles.report import verdict
from trainer.styles.teach import StyleRequest, teach_style
from trainer.styles.train import StyleConfig, pack_examples, shuffled, split_examples, train_adapter

SHORT = {"steps": 40, "check_every": 10, "general": 8, "batch": 32}


def folder_of(root: Path, examples: list[tuple[str, Palette]]) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    rows = [json.dumps({"text": text, "hex": list(palette.hex)}) for text, palette in examples]
    (root / "palettes.jsonl").write_text("\n".join(rows))
    return root


def test_a_style_is_taught_shown_and_used(tmp_path):
    source = folder_of(tmp_path / "green", green_palettes(60))
    told: list[float] = []
    request = StyleRequest(source, "green", tmp_path / "run", config=settings(tmp_path, **SHORT))
    result = teach_style(request, lambda done, text: told.append(done))
    assert result.verdict.kept and result.verdict.sure and "etter on your palettes by" in result.verdict.sentence
    assert told == sorted(told) and told[-1] == 1.0 and len(set(told)) > 40
    assert result.card is not None and result.card.size < 1e6 and result.card == find_model("style", "green")
    figures = result.card.figures
    assert figures["held_out"]["texts"] == 12 and figures["held_out"]["change"] < -0.1
    assert "sha256" in result.card.data[1] and result.card.command == "t2c-train style green --name green"
    page = result.report.read_text("utf-8")
    assert "<h1>The style" in page and result.verdict.sentence in page and "http://" not in page
    assert page.count("data:image/png;base64,") == 1
    green = PaletteSampler.load(styles=[StyleWeight("green", 2.0)]).sample(PaletteRequest("old harbour"))
    plain = PaletteSampler.load().sample(PaletteRequest("old harbour"))
    a = [np.concatenate([one.lab for one in some.palettes])[:, 1].mean() for some in (green, plain)]
    assert a[0] < a[1] - 10, "greener"
    with pytest.raises(ExistsError, match="already"):
        teach_style(request)
    assert {"name": "green", "kind": "style"}.items() <= lines(t2c("models", "--json").stdout)[0].items()


def test_palettes_without_anything_in_common_leave_the_shipped_ones_in_use(tmp_path):
    rng = np.random.default_rng(0)
    examples = [
        (text, Palette(tuple(map(tuple, rng.integers(0, 256, (5, 3)).tolist())))) for text, _ in green_palettes(20)
    ]
    config = settings(tmp_path, **SHORT | {"learning_rate": 0.3, "patience": 9})
    result = teach_style(
        StyleRequest(folder_of(tmp_path / "noise", examples), "noise", tmp_path / "run", config=config)
    )
    if result.card is None:
        assert "shipped palettes stay in use" in result.verdict.sentence
        assert "No model" not in t2c("palette", "sea", "--style", "noise", code=1).stdout
    else:
        assert result.card.figures["held_out"]["after"] < result.card.figures["held_out"]["before"]
    assert result.report.exists()


@pytest.mark.parametrize(
    ("shipped", "styled", "kept", "words"),
    [
        ([10.0] * 20, [8.0] * 20, True, "Better on your palettes by 20%, worse on other phrases by 3%: good."),
        ([10.0] * 20, [10.5] * 20, False, "not better on your palettes"),
        ([10.0] * 5, [8.0] * 5, True, "too few palettes to tell"),
        ([10.0, 2.0] * 6, [9.0, 2.9] * 6, True, "too few palettes to tell"),
    ],
)
def test_the_verdict_says_what_the_figures_say(shipped, styled, kept, words):
    general = Comparison(np.full(9, 10.0), np.full(9, 10.3))
    result = verdict(Comparison(np.array(shipped), np.array(styled)), general)
    assert result.kept is kept and words in result.sentence


def base_and_rows(count: int = 30):
    card = find_model("palette")
    tensors = load_weights(card)
    sampler = PaletteSampler.from_tensors(card.name, card.config, tensors)
    examples = [Example(text, palette, "") for text, palette in green_palettes(count)]
    return card, tensors, pack_examples(examples[6:], sampler.lexicon), pack_examples(examples[:6], sampler.lexicon)


def config_of(tmp_path: Path, **changes: object) -> StyleConfig:
    from trainer.common.settings import build_settings, read_settings

    path = settings(tmp_path, **SHORT | changes)
    return build_settings(StyleConfig, read_settings(path), path)


def test_a_killed_run_goes_on_as_if_it_had_not_been(tmp_path):
    card, tensors, rows, held = base_and_rows()
    config, shape = config_of(tmp_path), card.config["network"]

    def killed(step: int, steps: int) -> None:
        if step == 27:
            raise KeyboardInterrupt

    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    whole = train_adapter(config, shape, tensors, rows, held, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train_adapter(config, shape, tensors, rows, held, tmp_path / "killed", killed)
    resumed = train_adapter(config, shape, tensors, rows, held, tmp_path / "killed")
    assert resumed.course == whole.course and resumed.best_step == whole.best_step > 0
    for key, value in whole.tensors.items():
        np.testing.assert_array_equal(resumed.tensors[key], value)


def test_numpy_and_torch_add_up_the_same(tmp_path):
    card, tensors, rows, _ = base_and_rows(12)
    torch.manual_seed(0)
    adapter = StyleAdapter(card.config["network"], tensors, rank=3).eval()
    for parameter in adapter.additions():
        torch.nn.init.normal_(parameter, std=0.05)
    style = Style("x", card.sha256, StyleShares(0.5, 0.5), adapter.tensors())
    plain = StyleAdapter(card.config["network"], adapted(tensors, [(style, 1.0)]), rank=1).eval()
    colors = shuffled(rows, 0.0)
    with torch.no_grad():
        one, other = (each.log_likelihood(rows.vectors, rows.words, colors) for each in (adapter, plain))
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_groups_are_never_parted_and_a_fifth_is_held_out():
    groups = [index // 3 for index in range(60)]
    taught, held = split_examples(groups, seed=1)
    assert sorted(taught + held) == list(range(60)) and 12 <= len(held) <= 15
    assert not {groups[place] for place in taught} & {groups[place] for place in held}
    assert split_examples(groups, seed=1) == (taught, held) != split_examples(groups, seed=2)


def test_a_match_takes_the_best_of_the_drawn_colors():
    three, two = Palette.from_hex("#ff0000 #00ff00 #0000ff"), Palette.from_hex("#0000ff #ff0000")
    assert palette_match(three, two) == 0 and palette_match(three, three) == 0
    assert palette_match(three, Palette.from_hex("#0000fe #ff0000")) < 1


def test_too_few_palettes_are_a_sentence(tmp_path):
    source = folder_of(tmp_path / "few", green_palettes(4))
    with pytest.raises(UsageError, match="holds 4 usable palettes"):
        teach_style(StyleRequest(source, "few", tmp_path / "run"))
    with pytest.raises(UsageError, match="no name for a model"):
        teach_style(StyleRequest(source, "../few", tmp_path / "run"))
    assert (tmp_path / "run/check.html").exists()
