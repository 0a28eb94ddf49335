"""What a job of the plug-in asks the engine for, and gets: the scripted engine paints the dabs of the hints."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import plugin_path  # noqa: F401  (makes the plug-in's modules importable)
import pytest
from t2c_plugin.engine import jobs  # pyright: ignore[reportMissingImports]
from t2c_plugin.engine.client import Engine, EngineError, ErrorCode  # pyright: ignore[reportMissingImports]
from t2c_plugin.pixels import Pixels  # pyright: ignore[reportMissingImports]
from t2c_plugin.request import Inputs, Request  # pyright: ignore[reportMissingImports]

FAKE = Path(__file__).parent / "fake_engine.py"
REQUEST = Request(palettes=(("#112233", "#445566", "#778899", "#aabbcc"), ("#000000",)), hints="my dabs")


GREY = Pixels(bytes(24), 6, 4, "Y u8")
# the left half of a picture of two pixels is blue
DABS = Pixels(bytes((0, 0, 255, 255, 9, 9, 9, 0)), 2, 1, "RGBA u8")


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine([sys.executable, str(FAKE), "good"]) as one:
        yield one


def test_each_picture_gets_its_own_dabs_under_every_palette(engine: Engine) -> None:
    told: list[tuple[float, str]] = []
    first, second = jobs.color_pictures(
        engine, REQUEST, Inputs((GREY, GREY), (DABS, None)), lambda done, text: told.append((done, text))
    )
    rows = [one.picture.pixels[:18].hex(" ", 3) for one in (*first, *second)]
    plain = ["aabbcc " * 6, "000000 " * 6]
    assert rows[:2] == [("0000ff " * 3 + one[: 7 * 3]).strip() for one in plain]
    assert rows[2:] == [one.strip() for one in plain]
    assert [one.record.hints for one in (*first, *second)] == ["my dabs", "my dabs", "", ""]
    assert told[-1][0] == 1.0


def test_the_engine_is_told_how_far_hints_reach(engine: Engine) -> None:
    request = Request(palettes=((),), hints="my dabs", hint_reach=0.4)
    jobs.color_pictures(engine, request, Inputs((GREY,), (DABS,)), lambda done, text: None)
    assert engine.doctor()["hint_reach"] == 0.4
    jobs.preview(engine, GREY, DABS, request.colorings(((),)), {}, hint_reach=0.1)
    assert engine.doctor()["hint_reach"] == 0.1


def test_no_hints_at_all_is_the_usual_way(engine: Engine) -> None:
    ((one, _),) = jobs.color_pictures(engine, REQUEST, Inputs((GREY,)), lambda done, text: None)
    assert one.picture.pixels == bytes.fromhex("aabbcc") * 24 and one.record.hints == ""


def test_what_is_told_besides_palettes_keeps_their_order_and_sends_its_pictures(engine: Engine) -> None:
    other = Pixels(bytes(range(30)), 5, 2, "RGB u8")
    extras = ("", '{"reference":{"file":"postcard.png"},"title":"Postcard"}', "")
    request = Request(palettes=(("#112233",), (), ("#000000",)), extras=extras)
    told: list[float] = []
    inputs = Inputs((GREY,), others={'{"file":"postcard.png"}': other})
    (results,) = jobs.color_pictures(engine, request, inputs, lambda done, text: told.append(done))
    middle = "151617"  # of the reference, in which the scripted engine colors
    assert [one.picture.pixels[:3].hex() for one in results] == ["112233", middle, "000000"]
    assert [one.record.layer_name for one in results] == ["1 own palette", "2 Postcard", "3 own palette"]
    assert [one.record.extra for one in results] == list(extras) and told == sorted(told)
    assert engine.doctor()["received"] == len(GREY.pixels) + len(other.pixels)


def test_a_dropped_picture_is_sent_once_more_and_no_other_error_is_hidden() -> None:
    gone = EngineError("It has gone.", "", code=ErrorCode.UNKNOWN_PICTURE)
    wrong = EngineError("It is wrong.", "", code=ErrorCode.USAGE)

    def attempts(*errors: EngineError) -> int:
        """How often it is asked when the first answers are these errors."""
        left, asked = list(errors), 0

        def ask() -> None:
            nonlocal asked
            asked += 1
            if left:
                raise left.pop(0)

        with pytest.raises(EngineError) if errors != (gone,) else contextlib.nullcontext():
            jobs.insisting(ask)
        return asked

    assert attempts(gone) == 2 and attempts(gone, gone, gone) == 2 and attempts(wrong) == 1
