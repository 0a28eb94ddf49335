"""Which options go together: a table of every option of the commands against every source of colours."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.main import get_command

from t2c_engine.cli.main import app
from t2c_engine.models import export_model
from tests.command_line import HEX, photo, t2c

pytestmark = pytest.mark.usefixtures("fake_networks")


@pytest.fixture(autouse=True)
def nothing_is_colored(fake_networks, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Files that options name, a look, and runs that color nothing."""
    import numpy as np

    from t2c_engine.batch import colorize
    from t2c_engine.cli import batch

    photo("a.png")
    photo("mask.png")
    Image.new("RGBA", (60, 40)).save("hints.png")
    Image.new("RGB", (60, 40), "#a05020").save("colour.png")
    Path("phrases.txt").write_text("autumn\n")
    config = {"looks": [{"name": "night"}]}
    export_model(tmp_path / "models", {"w": np.ones(1)}, name="n", version="1", kind="look", licence="", config=config)
    monkeypatch.setattr(colorize, "colorize", lambda request, progress: iter(()))
    monkeypatch.setattr(batch, "run", lambda *_: None)


def outcome(*words: object) -> str:
    """ "" where a command takes the options, else its sentence; no other end is right."""
    from typer.testing import CliRunner

    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code in (0, 2), (words, result.output, result.exception)
    sentence = " ".join(result.stderr.split())
    if result.exit_code == 0:
        return ""
    assert sentence.startswith("t2c: ") and sentence.endswith("."), sentence
    return sentence


SOURCES: dict[str, list[object]] = {
    "phrase": ["--phrase", "autumn"],
    "palette": ["--palette", HEX],
    "auto": ["--auto"],
    "reference": ["--reference", "colour.png"],
    "diverse": ["--diverse", 3],
    "hints": ["--hints", "hints.png"],
    "region": ["--region", "mask.png", "deep sea"],
    "colours": ["--region", "mask.png", HEX],
    "look": ["--look", "night"],
}
WHOLE = {"phrase", "palette", "auto", "reference", "diverse"}  # one of them at most
ALL = set(SOURCES)
# option: words, and the sources beside which it has an effect
COLORIZE: dict[str, tuple[list[object], set[str]]] = {
    "count": (["-n", 4], {"phrase", "region"}),
    "seed": (["--seed", 7], {"phrase", "region", "diverse"}),
    "variety": (["--variety", 0.9], {"phrase", "region"}),
    "palette_model": (["--palette-model", "fake-palettes"], {"phrase", "region"}),
    "decoding": (["--decoding", "mean"], {"auto", "look"}),
    "hint_reach": (["--hint-reach", 0.9], {"hints"}),
    "natural": (["--natural", 0.5], {"phrase", "palette", "reference", "region", "colours"}),
    "strength": (["--strength", 0.5], ALL),
    "out": (["-o", "there"], ALL),
    "device": (["--device", "cpu"], ALL),
    "as_json": (["--json"], ALL),
    "overwrite": (["--overwrite"], ALL),
    "keep_going": (["--stop-on-error"], ALL),
    "page": (["--page", 1], ALL),
    "model": (["--model", "x"], ALL),
}
ELSEWHERE = {"inputs", "style", *SOURCES} - {"colours"}  # options that are sources, or tested below


def known(command: str) -> set[str]:
    group: Any = get_command(app)
    return {param.name for param in group.commands[command].params} - {"help"}


def test_the_table_holds_every_option_of_colorize():
    assert known("colorize") == ELSEWHERE | COLORIZE.keys()


@pytest.mark.parametrize("option", COLORIZE)
def test_an_option_is_taken_where_it_has_an_effect_and_refused_elsewhere(option: str):
    words, effective = COLORIZE[option]
    for source, given in SOURCES.items():
        sentence = outcome("colorize", "a.png", *given, *words)
        assert (sentence == "") == (source in effective), (source, sentence)
        assert sentence == "" or str(words[0]) in sentence


def test_two_sources_of_the_whole_picture_are_refused_and_all_others_go_together():
    for first, second in combinations(SOURCES, 2):
        sentence = outcome("colorize", "a.png", *SOURCES[first], *SOURCES[second])
        assert ("Give one of" in sentence) == ({first, second} <= WHOLE), (first, second, sentence)


def test_every_pair_of_options_goes_together_where_both_have_an_effect():
    for first, second in combinations(COLORIZE, 2):
        (words, effect), (more, other) = COLORIZE[first], COLORIZE[second]
        for source in sorted(effect & other)[:1]:
            assert outcome("colorize", "a.png", *SOURCES[source], *words, *more) == "", (first, second)


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        (["--auto", "--hints", "hints.png", "--natural", 0.5], "--natural"),  # automatic colours come from the decoder
        (["--auto", "--region", "mask.png", HEX, "--natural", 0.5], ""),  # of the region
        (["--hints", "hints.png", "--natural", 0.5], "--natural"),  # what a user has painted is not held back
        (["--phrase", "x", "--hints", "hints.png", "--decoding", "mean"], "--decoding"),
        (["--auto", "--region", "mask.png", "deep sea", "--seed", 3], ""),
        (["--auto", "--region", "mask.png", "deep sea", "-n", 3], "-n"),
        (["--auto", "-n", 1], ""),
        (["--diverse", 2, "-n", 2], ""),
        (["--diverse", 2, "-n", 4], "--diverse 2 makes 2 results a picture, and -n asks for 4"),
        (["--reference", "colour.png", "--reference", "a.png", "-n", 2], ""),
        (["--auto", "--seed", 0, "--variety", 0.5, "--natural", 0.2, "--hint-reach", 0.25], ""),  # the usual values
        (["--auto", "--natural", 0], ""),  # nothing is held
        (["--auto", "--style", "none"], "No style is called 'none'"),
    ],
)
def test_combinations_of_three(words: list[object], refused: str):
    sentence = outcome("colorize", "a.png", *words)
    assert refused in sentence and bool(refused) == bool(sentence)


def test_a_style_of_palettes_needs_palettes_drawn(tmp_path: Path):
    import numpy as np

    for name, kind in (("studio", "style"), ("portraits", "photographs")):
        export_model(tmp_path / "models", {"w": np.ones(1)}, name=name, version="1", kind=kind, licence="")  # type: ignore[arg-type]
    for source, given in SOURCES.items():
        words = outcome("colorize", "a.png", *given, "--style", "studio")
        assert (words == "") == (source in ("phrase", "region")), source
        assert outcome("colorize", "a.png", *given, "--style", "portraits") == "", source


ONCE = {
    "colorize": ["a.png", "--auto"],
    "batch": ["a.png", "-o", "out", "--auto"],
    "palette": ["autumn"],
    "again": ["a.png"],
}


@pytest.mark.parametrize("command", ONCE)
def test_no_option_with_a_value_is_taken_twice(command: str):
    group: Any = get_command(app)
    tried = 0
    for param in group.commands[command].params:
        if param.param_type_name != "option" or param.multiple or (param.is_flag and not param.secondary_opts):
            continue
        flag = param.opts[0]
        other = param.secondary_opts[0] if param.secondary_opts else flag
        value = [] if param.is_flag else ["1"]
        sentence = outcome(command, *ONCE[command], flag, *value, other, *value)
        given = 3 if flag in ONCE[command] and not param.is_flag else 2
        assert f"is given {given} times" in sentence, (flag, sentence)
        tried += 1
    assert tried >= 3
    if command == "colorize":
        assert "--look is given 2 times" in outcome("colorize", "a.png", "--look", "night", "--look", "night")
        assert outcome("colorize", "a.png", "--auto", "--json", "--json") == ""


BATCH_SOURCES: dict[str, list[object]] = {
    "phrase": ["--phrase", "autumn"],
    "captions": ["--captions", "sidecar"],
    "palette": ["--palette", HEX],
    "auto": ["--auto"],
    "reference": ["--reference", "colour.png"],
    "diverse": ["--diverse"],
    "look": ["--look", "night"],
    "colors": ["--colors", "auto"],
    "drawn": ["--colors", "phrase phrase=x"],
}
BATCH_ALL = set(BATCH_SOURCES)
WORDS = {"phrase", "captions"}
BATCH: dict[str, tuple[list[object], set[str]]] = {
    "count": (["-n", 3], WORDS | {"diverse"}),
    "seed": (["--seed", 7], WORDS | {"diverse"}),
    "variety": (["--variety", 0.9], WORDS),
    "scope": (["--palette-per", "folder"], WORDS),
    "palette_model": (["--palette-model", "fake-palettes"], WORDS | {"drawn"}),
    "natural": (["--natural", 0.5], WORDS | {"palette", "reference", "drawn"}),
    "quality": (["--quality", 90], BATCH_ALL),
    "strength": (["--strength", 0.5], BATCH_ALL),
    "exclude": (["--exclude", "x*"], BATCH_ALL),
    "name": (["--name", "{stem}-x"], BATCH_ALL),
    "format": (["--format", "png"], BATCH_ALL),
    "sidecar": (["--sidecar"], BATCH_ALL),
    "sheets": (["--sheets"], BATCH_ALL),
    "workers": (["--workers", 1], BATCH_ALL),
    "memory": (["--memory", 900], BATCH_ALL),
    "scheduler": (["--scheduler", "local"], BATCH_ALL),
    "device": (["--device", "cpu"], BATCH_ALL),
    "model": (["--model", "x"], BATCH_ALL),
    "retry_failed": (["--retry-failed"], BATCH_ALL),
    "as_json": (["--json"], BATCH_ALL),
    "progress": (["--progress", "json"], BATCH_ALL),
}
MODES = {"inputs", "out", "status", "choices", "style"}  # tested below
EXCLUSIVE = [("as_json", "progress"), ("quality", "format")]


def test_the_table_holds_every_option_of_batch():
    assert known("batch") == MODES | BATCH.keys() | (BATCH_ALL - {"drawn"})


@pytest.mark.parametrize("option", BATCH)
def test_an_option_of_batch_is_taken_where_it_has_an_effect_and_refused_elsewhere(option: str):
    words, effective = BATCH[option]
    for source, given in BATCH_SOURCES.items():
        sentence = outcome("batch", "a.png", "-o", "out", *given, *words)
        assert (sentence == "") == (source in effective), (source, sentence)


def test_every_pair_of_options_of_batch():
    for first, second in combinations(BATCH, 2):
        sentence = outcome("batch", "a.png", "-o", "out", "--phrase", "x", *BATCH[first][0], *BATCH[second][0])
        assert bool(sentence) == ((first, second) in EXCLUSIVE or (second, first) in EXCLUSIVE), (first, second)
    for option in ("--sheets", "--sidecar"):
        assert option in outcome("batch", "a.png", "-o", "out", "--auto", option, "--format", "ora")
    for first, second in combinations(BATCH_SOURCES, 2):
        together = {first, second} == WORDS or "look" in (first, second)
        words = [*BATCH_SOURCES[first], *BATCH_SOURCES[second]]
        assert (outcome("batch", "a.png", "-o", "out", *words) == "") == together, (first, second)


def test_job_files_and_choices_leave_no_room_for_other_options():
    Path("job.toml").write_text('inputs = ["a.png"]\noutput = "out"\nauto = true\n')
    allowed = {"workers", "memory", "scheduler", "retry_failed", "as_json", "progress"}
    for option, (words, _) in BATCH.items():
        sentence = outcome("batch", "job.toml", *words)
        assert (sentence == "") == (option in allowed), (option, sentence)
        assert sentence == "" or "job.toml" in sentence
    for words in (*BATCH_SOURCES.values(), ["-o", "out"]):
        assert "job.toml" in outcome("batch", "job.toml", *words)
    for words, _ in BATCH.values():
        assert "--choices" in outcome("batch", "out", "--choices", "c.json", "-o", "final", *words)
    assert "--status" in outcome("batch", "-o", "out", "--status", "--retry-failed")


PALETTE: dict[str, list[object]] = {
    "count": ["-n", 2],
    "seed": ["--seed", 3],
    "variety": ["--variety", 0.9],
    "model": ["--model", "fake-palettes"],
    "lock": ["--lock", "1=#aabbcc"],
    "avoid": ["--avoid", "#ff0000"],
    "like": ["--like", "#8c2f1b"],
    "colors": ["--colors", 6],
    "as_json": ["--json"],
    "out": ["-o", "x.gpl"],
}


def test_options_of_palettes():
    assert known("palette") == {"phrase", "file", "from_image", "overwrite", "style", *PALETTE}
    for first, second in combinations(PALETTE, 2):
        Path("x.gpl").unlink(missing_ok=True)
        assert outcome("palette", "autumn", *PALETTE[first], *PALETTE[second]) == "", (first, second)
    for option, words in PALETTE.items():
        Path("x.gpl").unlink(missing_ok=True)
        taken = outcome("palette", "--from-image", "colour.png", *words) == ""
        assert taken == (option in ("as_json", "out")), option
        Path("x.gpl").unlink(missing_ok=True)
        assert outcome("palette", "--file", "phrases.txt", *words) == ""
    assert "--overwrite" in outcome("palette", "autumn", "--overwrite")
    assert outcome("palette", "autumn", "--overwrite", "-o", "x.gpl") == ""
    assert "locked and to be avoided" in outcome("palette", "x", "--lock", "1=#aabbcc", "--avoid", "#aabbcc")
    assert outcome("palette", "x", "--like", "#aabbcc", "--avoid", "#aabbcc") != ""


def test_refusals_say_what_to_do():
    for words in (["--auto", "--seed", 4], ["--auto", "--hint-reach", 1], ["--phrase", "x", "--decoding", "top"]):
        assert "leave it out" in outcome("colorize", "a.png", *words)
    assert not Path("out").exists()
    t2c("colorize", "a.png", "--auto")
