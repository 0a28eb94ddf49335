"""`t2c again`: the input found wherever it has gone, models compared with those of then, recipes of older versions."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from t2c_engine.batch.picture_job import picture_with_recipe
from t2c_engine.batch.recipe import Recipe, read_recipe
from t2c_engine.models import Kind, ModelCard, export_model
from t2c_engine.pictures.picture import read_picture, write_picture
from tests import fakes
from tests.album_jobs import inline  # noqa: F401
from tests.command_line import HEX, lines, photo, t2c

pytestmark = pytest.mark.usefixtures("fake_networks")


def recipe_of(path: str | Path) -> Recipe:
    found = read_recipe(Path(path))
    assert found is not None
    return found


def made(*words: object) -> list[dict]:
    return lines(t2c("again", *words, "--json", "-o", "fresh", "--overwrite").stdout)


# --- where the input is


def move_nothing() -> None: ...


def move_everything() -> None:
    os.makedirs("elsewhere")
    for name in ("scans", "results"):
        shutil.move(name, f"elsewhere/{name}")


def move_results_far() -> None:
    shutil.move("results", "../results-of-mine")


def rename_input() -> None:
    os.rename("scans/1920/a.png", "scans/1920/grandmother.png")


def move_input_up() -> None:
    os.rename("scans/1920/a.png", "a.png")
    shutil.rmtree("scans")


@pytest.mark.parametrize("move", [move_nothing, move_everything, move_results_far, rename_input, move_input_up])
def test_the_input_is_found_by_its_content_wherever_folders_go(move):
    photo("scans/1920/a.png", least=30)
    photo("scans/1930/a.png", least=60)  # of the same name, and nearer by the alphabet or not
    t2c("batch", "scans", "-o", "results", "--palette", HEX)
    input_bytes = Path("scans/1920/a.png").read_bytes()
    move()
    (result,) = [path for root in (".", "..") for path in Path(root).rglob("1920/a-1.png")][:1]
    (one,) = made(result)
    assert one["same"] and one["notes"] == [] and Path(one["input"]).read_bytes() == input_bytes


def test_a_tree_of_results_is_made_again_as_a_tree():
    for year in (1920, 1930):
        photo(f"scans/{year}/a.png", least=year - 1900)
    t2c("batch", "scans", "-o", "results", "--palette", HEX, "--sheets")
    found = made("results")
    assert [one["path"] for one in found] == ["fresh/1920/a-1.png", "fresh/1930/a-1.png"]
    assert all(one["same"] for one in found)
    assert "exists" in t2c("again", "results/1920/a-1.png", "-o", "fresh/1920", code=1).stderr
    assert "holds no result" in t2c("again", "scans", code=2).stderr


def test_recipes_say_where_the_input_was_and_how_large():
    photo("scans/a.png")
    t2c("colorize", "scans/a.png", "--palette", HEX, "-o", "results/mine")
    recipe = recipe_of("results/mine/a-1.png")
    assert recipe.input_paths == ("../../scans/a.png",)
    assert recipe.input_size == Path("scans/a.png").stat().st_size
    t2c("colorize", "scans/a.png", "--palette", HEX, "-o", "a/b/c/d/e")
    assert recipe_of("a/b/c/d/e/a-1.png").input_paths == (), "a result given away does not tell where files are"


def test_a_file_of_the_same_name_is_not_taken_for_the_input():
    photo("scans/a.png")
    t2c("colorize", "scans/a.png", "--palette", HEX)
    photo("scans/a.png", least=99)
    words = " ".join(t2c("again", "out/a-1.png", code=1).stderr.split())
    for part in ("input a.png of out/a-1.png", "scans/a.png is named so", "its content is another", "--input"):
        assert part in words
    assert not Path("again").exists()
    (one,) = made("out/a-1.png", "--input", "scans/a.png")
    assert not one["same"] and one["notes"] == ["scans/a.png is not the same file as then."] and one["difference"] > 1


def test_an_input_is_looked_for_in_the_folders_given():
    photo("scans/a.png")
    photo("scans/b.png", least=70)
    t2c("colorize", "scans", "--palette", HEX)
    os.makedirs("../far/deep")
    for name in ("a", "b"):
        os.rename(f"scans/{name}.png", f"../far/deep/{name}{name}.png")
    assert "looked for at" in t2c("again", "out/a-1.png", code=1).stderr
    found = made("out", "--input", "../far")
    assert [(Path(one["input"]).name, one["same"]) for one in found] == [("aa.png", True), ("bb.png", True)]
    assert "nor in out" in " ".join(t2c("again", "out/a-1.png", "--input", "out", code=1).stderr.split())
    assert "is not there" in t2c("again", "out/a-1.png", "--input", "none.png", code=2).stderr


def test_a_reference_elsewhere_is_named_without_its_folder_and_found_renamed():
    photo("scans/a.png")
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)).save("colored.png")
    t2c("colorize", "scans/a.png", "--reference", Path("colored.png").absolute())
    assert recipe_of("out/a-1.png").colors["reference"][0] == "colored.png"
    os.makedirs("postcards")
    shutil.move("colored.png", "postcards/red.png")
    (one,) = made("out/a-1.png", "--input", "postcards")
    assert one["same"] and not one["notes"]


def test_hints_masks_and_references_are_found_where_they_have_gone():
    photo("work/mask.png")
    photo("scans/a.png")
    t2c("colorize", "scans/a.png", "--auto", "--region", "work/mask.png", HEX)
    os.rename("work/mask.png", "scans/mask.png")
    (one,) = made("out/a-1.png")
    assert one["same"]
    os.remove("scans/mask.png")
    words = " ".join(t2c("again", "out/a-1.png", code=1).stderr.split())
    assert "The mask mask.png of out/a-1.png is not near it" in words and "--input" in words


def test_the_journal_knows_inputs_of_results_that_say_no_path():
    photo("scans/a.png")
    t2c("batch", "scans", "-o", "../results", "--palette", HEX)
    (one,) = made("../results/a-1.png")
    assert one["input"].endswith("scans/a.png")
    os.makedirs("more")
    Path("more/a.png").write_bytes(b"another")
    older(Path("../results/a-1.png"), Path("scans/a.png"))
    from t2c_engine.albums.journal import Journal, Outcome
    from t2c_engine.batch.recipe import file_digest

    with Journal(Path("../results")) as journal:  # as a run of the older version had written it
        outputs = (("../results/a-1.png", file_digest(Path("../results/a-1.png"))),)
        journal.record([Outcome(Path("scans/a.png"), outputs=outputs)])
    (one,) = made("../results/a-1.png")
    assert one["input"].endswith("scans/a.png")


# --- models


def install(kind: Kind, name: str, weight: float = 1.0, version: str = "1", **config: object) -> ModelCard:
    folder = Path("../models")
    return export_model(
        folder, {"w": np.full(3, weight)}, name=name, version=version, kind=kind, licence="MIT", config=config
    )


def test_recipes_hold_version_and_digest_of_every_model():
    cards = [
        install("colorizer", "fake-colorizer", version="12"),
        install("palette", "fake-palettes", version="4"),
        install("exemplar", "exemplar", 2),
        install("diverse", "fields", 3),
    ]
    by_kind = {card.kind: (card.kind, card.name, card.version, card.sha256) for card in cards}
    photo("a.png")
    Path("colour.png").write_bytes(fakes_reference())
    for options, kinds in (
        (["--phrase", "x", "-n", 1], ["colorizer", "palette"]),
        (["--auto"], ["colorizer"]),
        (["--diverse", 1], ["colorizer", "diverse"]),
        (["--reference", "colour.png"], ["colorizer", "exemplar"]),
        (["--auto", "--region", "a.png", "deep sea"], ["colorizer", "palette"]),
    ):
        (said,) = lines(t2c("colorize", "a.png", *options, "--json", "-o", "out").stdout)
        used = recipe_of(said["results"][0]["path"]).models
        assert [(one.kind, one.name, one.version, one.sha256) for one in used] == [by_kind[kind] for kind in kinds]


def fakes_reference() -> bytes:
    from io import BytesIO

    from PIL import Image

    stream = BytesIO()
    Image.new("RGB", (40, 40), "#804020").save(stream, "PNG")
    return stream.getvalue()


def test_again_says_which_model_is_another_and_is_quiet_where_all_are_equal():
    old = install("colorizer", "fake-colorizer", 1, "12")
    install("palette", "fake-palettes", 1, "4")
    photo("a.png")
    t2c("colorize", "a.png", "--phrase", "x", "-n", 1)
    result = t2c("again", "out/a-1.png", "-o", "same")
    assert result.stderr == "" and "the same bytes" in result.stdout
    install("palette", "fake-palettes", 2, "5")  # the palette is in the recipe
    assert t2c("again", "out/a-1.png", "-o", "palettes").stderr == ""
    new = install("colorizer", "fake-colorizer", 2, "13")
    result = t2c("again", "out/a-1.png", "-o", "other")
    words = " ".join(result.stderr.split())
    assert f"'fake-colorizer' 12 (sha256 {old.sha256[:8]}), now with 13 (sha256 {new.sha256[:8]})" in words
    assert "may differ" in words and words.count("t2c:") == 1 and "the same pixels, other bytes" in result.stdout
    made_by = {one.kind: one.version for one in recipe_of("other/a-1.png").models}
    assert made_by == {"colorizer": "13", "palette": "4"}, "the new file says what made it"


def test_the_same_weights_are_taken_under_another_name(monkeypatch: pytest.MonkeyPatch):
    install("colorizer", "fake-colorizer", 1, "12")
    photo("a.png")
    t2c("colorize", "a.png", "--palette", HEX)
    install("colorizer", "old-one", 1, "12")
    install("colorizer", "fake-colorizer", 2, "13")
    loaded = []
    load = fakes.Colorizer.load

    def note(model: str | None = None, device: str = "auto", styles: Sequence = ()) -> fakes.Colorizer:
        loaded.append(model)
        return load(model, device, styles)

    monkeypatch.setattr("t2c_engine.colorization.colorizer.Colorizer.load", note)
    assert t2c("again", "out/a-1.png").stderr == "" and loaded == ["old-one"]
    os.remove("../models/old-one.json")
    os.rename("../models/fake-colorizer.json", "../models/other.json")
    text = Path("../models/other.json").read_text().replace('"fake-colorizer"', '"other"')
    Path("../models/other.json").write_text(text)
    words = " ".join(t2c("again", "out/a-1.png", "-o", "b", code=1).stderr.split())
    assert "'fake-colorizer' 12" in words and "not installed" in words and "--model: other" in words
    result = t2c("again", "out/a-1.png", "-o", "b", "--model", "other")
    assert "now with 'other' 13" in " ".join(result.stderr.split()) and loaded == ["old-one", "other"]


# --- older recipes


def older(path: Path, source: Path) -> None:
    """Let a result hold a recipe as older versions wrote it."""
    recipe = replace(recipe_of(path), models=(), input_paths=(), input_size=None)
    pixels = read_picture(path).pixels
    write_picture(path, pixels, picture_with_recipe(read_picture(source), recipe), overwrite=True)
    assert not {"models", "input_paths", "input_size"} & recipe.as_json().keys()


def test_results_of_older_versions_are_made_again_to_the_byte():
    install("colorizer", "fake-colorizer", 1, "12")
    photo("a.png")
    t2c("colorize", "a.png", "--palette", HEX)
    older(Path("out/a-1.png"), Path("a.png"))
    install("colorizer", "fake-colorizer", 2, "13")
    (one,) = made("out/a-1.png")
    assert one["same"] and one["notes"] == []
    kept = t2c("colorize", "a.png", "--palette", HEX)
    assert "existing file" in kept.stderr, "an older result is known as the same"


@pytest.mark.parametrize("models", [[{}], ["x"], [{"kind": 1}], 3, {"a": 1}])
def test_a_recipe_with_broken_models_is_no_recipe(models: object):
    photo("a.png")
    t2c("colorize", "a.png", "--palette", HEX)
    values = recipe_of("out/a-1.png").as_json() | {"models": models}
    with pytest.raises(ValueError, match="no recipe"):
        Recipe.from_json(json.loads(json.dumps(values)))


def test_what_is_no_result_is_said():
    photo("photo.png")
    for path, words, code in (("photo.png", "no recipe", 2), ("none.png", "not there", 2), ("x.ora", "t2c batch", 2)):
        assert words in " ".join(t2c("again", path, code=code).stderr.split())
