"""The whole way with the engine itself: a grey photograph in GIMP, coloured by the network, lightness kept.

Skipped where no colouriser is installed.
"""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from gui import wait_for
from host import CHECKOUT, Host
from PIL import Image
from skimage import data
from skimage.color import rgb2lab

from t2c_engine.errors import ModelError
from t2c_engine.models import ENVIRONMENT_VARIABLE, find_model

sys.path.insert(0, str(CHECKOUT / "install"))
import plugin_files  # pyright: ignore[reportMissingImports]

pytestmark = pytest.mark.slow
WARM = "#2b2a33,#8c2f1b,#5b6b3a,#d98c3f,#f2d8a7"
COLD = "#1b2a41,#2c4a6f,#5f8fb5,#b9c9dc,#e8eef2"


@pytest.fixture(scope="module")
def facts(host: Host) -> dict[str, Any]:
    """A photograph under two palettes and, where there are palettes for phrases, under a phrase."""
    try:
        find_model("colorizer")
    except ModelError as error:
        pytest.skip(str(error))
    try:
        find_model("palette")
        phrase = True
    except ModelError:
        phrase = False
    photograph = Image.fromarray(data.chelsea()).convert("L")
    photograph.save(host.share / "photograph.png")
    named = {ENVIRONMENT_VARIABLE: os.environ[ENVIRONMENT_VARIABLE]} if ENVIRONMENT_VARIABLE in os.environ else {}
    outcome = replace(host, environment=named).batch(
        f"""
        image = load("/share/photograph.png")
        layer = image.get_layers()[0]
        dump("/share/before", pixels(layer, "CIE L float"))
        made = call(image, [layer], palettes="{WARM};{COLD}")
        dump("/share/after", composite(image, "CIE L float"))
        save(image, "/share/warm.png")
        made[0].set_visible(False)
        made[1].set_visible(True)
        save(image, "/share/cold.png")
        say(record=record(made[0]))
        dabs = add_dabs(image, (60, 60), (200, 120), (0, 0, 60, 60))
        blue = call(image, [layer], palettes="{WARM}", hints=dabs)[0]
        made[1].set_visible(False)
        save(image, "/share/dabbed.png")
        colors = [list(pixels(blue)[(y * 451 + x) * 3:][:3]) for x, y in ((440, 200), (230, 150))]
        say(dabbed=colors, size=blue.get_width())
        if {phrase}:
            again = load("/share/photograph.png")
            made = call(again, again.get_layers(), phrase="autumn breeze", count=2, seed=3)
            say(names=[one.get_name() for one in made], phrase=record(made[1]))
        """,
        host.real_engine(),
        timeout=500,
    )
    assert outcome.code == 0, outcome.text[-3000:]
    return outcome.facts


def test_a_grey_photograph_gets_the_colours_of_the_palette(host: Host, facts: dict[str, Any]) -> None:
    mean = {}
    for name in ("warm", "cold"):
        with Image.open(host.share / f"{name}.png") as picture:
            lab = rgb2lab(np.asarray(picture.convert("RGB")))
        assert np.hypot(lab[..., 1], lab[..., 2]).mean() > 5
        mean[name] = lab[..., 1:].mean((0, 1))
    assert mean["warm"][1] > mean["cold"][1] + 5  # yellower


def test_dabs_of_colour_stay_with_what_they_are_on(facts: dict[str, Any]) -> None:
    (red, _, far), (_, green, near) = facts["dabbed"]
    assert facts["size"] == 451 and near > green + 60 and far <= red + 10


def test_its_lightness_is_kept(host: Host, facts: dict[str, Any]) -> None:
    before, after = (np.fromfile(host.share / name, np.float32) for name in ("before", "after"))
    assert np.abs(before - after).mean() <= 0.3


def test_model_and_version_are_kept_with_the_layer(facts: dict[str, Any]) -> None:
    assert facts["record"]["palette"] == WARM.split(",") and facts["record"]["model"] and facts["record"]["version"]


def test_a_phrase_gives_palettes_and_layers(facts: dict[str, Any]) -> None:
    if "names" not in facts:
        pytest.skip("no palette model is installed")
    assert facts["names"] == ["1 autumn breeze", "2 autumn breeze"]
    assert facts["phrase"]["seed"] == 3 and len(facts["phrase"]["palette"]) == 5


def test_one_engine_serves_all_calls_and_ends_with_gimp(host: Host) -> None:
    folder = host.share / "data" / "text2colors"
    plugin_files.write_json(folder / "engine.json", {"command": shlex.split(host.real_engine()), "keep": True})
    log = folder / "log" / "engine.log"
    log.unlink(missing_ok=True)
    outcome = host.batch(
        f"""
        import glob, time
        image, layer = new_image(width=300, height=200)
        seconds = []
        for turn in range(3):
            begun = time.perf_counter()
            call(image, [layer], palettes="{WARM}")
            seconds.append(time.perf_counter() - begun)
        say(seconds=seconds, sockets=glob.glob("{host.share}/run/text2colors/*.sock"))
        """,
        timeout=500,
    )
    assert outcome.code == 0, outcome.text[-3000:]
    first, *later = outcome.facts["seconds"]
    assert max(later) < first, "the second call finds the network loaded"
    assert len(outcome.facts["sockets"]) == 1
    assert log.read_text("utf-8").count("listening on") == log.read_text("utf-8").count("colouriser ready") == 1
    wait_for(lambda: "has ended; leaving" in log.read_text("utf-8"), "the engine to end", 30)
