"""The plug-in's requests, records and palettes as text; gi-free, so tested without a GIMP."""

from __future__ import annotations

import json
from typing import Any

import plugin_path  # noqa: F401  (makes `t2c_plugin` importable)
import pytest
from hypothesis import given
from hypothesis import strategies as st
from t2c_plugin import request as r  # pyright: ignore[reportMissingImports]
from t2c_plugin.wire import protocol  # pyright: ignore[reportMissingImports]

colours = st.integers(0, 0xFFFFFF).map("#{:06x}".format)
palettes = st.lists(st.lists(colours, min_size=1, max_size=8).map(tuple), max_size=6).map(tuple)


@given(palettes)
def test_palettes_come_back_from_their_text(given_palettes: Any) -> None:
    assert r.parse_palettes(r.format_palettes(given_palettes)) == given_palettes


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    try:
        for palette in r.parse_palettes(text):
            assert palette and all(len(colour) == 7 and int(colour[1:], 16) >= 0 for colour in palette)
    except r.RequestError as error:
        assert "#d98c3f" in str(error)


def test_colours_may_be_short_and_in_capitals() -> None:
    assert r.parse_palettes("#ABC, 8c2f1b ;\n#fff") == (("#aabbcc", "#8c2f1b"), ("#ffffff",))


def test_a_palette_may_not_be_a_colour_table() -> None:
    with pytest.raises(r.RequestError, match="1025 colors is too long"):
        r.parse_palettes(",".join(["#123456"] * 1025))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "nothing to color with"),
        ({"phrase": "  "}, "nothing to color with"),
        ({"phrase": "x", "count": 0}, "number of palettes is 0"),
        ({"phrase": "x", "strength": 2.5}, "strength is 2.5"),
        ({"phrase": "x", "device": "tpu"}, "device 'tpu' is unknown"),
        ({"phrase": "x", "mode": "multiply"}, "result mode 'multiply' is unknown"),
    ],
)
def test_a_request_that_cannot_be_is_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(r.RequestError, match=words):
        r.Request(**values)


RECORD = dict(
    phrase="früher Herbst", palette=("#8c2f1b", "#d98c3f"), number=2, seed=7, strength=0.8, mode="colour",
    model="tpn 1 + colorizer 1", version="0.1.0",
)  # fmt: skip


def test_a_record_survives_its_bytes() -> None:
    record = r.Record(**RECORD)
    assert r.Record.from_bytes(record.to_bytes() + b"\0") == record
    words = record.in_words()
    assert "früher Herbst" in words and "#8c2f1b #d98c3f" in words and "80 %" in words and "inferred" in words


def test_a_record_tells_of_colour_hints_and_older_ones_had_none() -> None:
    record = r.Record(**RECORD, hints="my dabs")
    assert r.Record.from_bytes(record.to_bytes()) == record and "Color hints: my dabs" in record.in_words()
    older = json.loads(record.to_bytes())
    del older["hints"]
    assert r.Record.from_bytes(json.dumps(older).encode()).hints == ""


@given(st.binary(max_size=80) | st.just(b'{"palette": 5}') | st.just(b"[" * 100000))
def test_other_bytes_are_no_record(data: bytes) -> None:
    with pytest.raises(r.RequestError, match="cannot be read"):
        r.Record.from_bytes(data)


VALUES = {
    "phrase": "", "palettes": "", "count": 5, "seed": 0, "strength": 1.0, "natural": 0.0, "hint-reach": 0.4,
    "device": "auto",
    "result-mode": "colour", "same-palettes": True,
}  # fmt: skip


def test_the_reach_of_hints_is_asked_for_and_kept() -> None:
    request = r.request_from({**VALUES, "palettes": "natural"})
    assert request.hint_reach == 0.4 and r.Request(palettes=((),)).hint_reach == protocol.DEFAULT_HINT_REACH
    with pytest.raises(r.RequestError, match="reach of hints is"):
        r.request_from({**VALUES, "palettes": "natural", "hint-reach": 1.5})
    kept = r.Record("", (), 1, 0, 1.0, "colour", "m", "0", hints="dabs", hint_reach=0.4)
    assert r.Record.from_bytes(kept.to_bytes()) == kept and "Color hints: dabs, reach 40 %" in kept.in_words()
    before = kept.to_bytes().replace(b', "hint_reach": 0.4', b"")  # as older versions kept it
    assert r.Record.from_bytes(before).hint_reach == protocol.DEFAULT_HINT_REACH


def test_a_script_names_looks() -> None:
    request = r.request_from({**VALUES, "look": "night, sepia"})
    colorings = request.colorings(request.palettes)
    assert [one.params() for one in colorings] == [{"look": "night"}, {"look": "sepia"}]
    assert [one.title for one in colorings] == ["night", "sepia"] and {one.palette for one in colorings} == {()}
    request = r.request_from({**VALUES, "look": "night", "palettes": "#ff0000,#00ff00"})
    assert request.palettes == (("#ff0000", "#00ff00"),)
    with pytest.raises(r.RequestError, match="one palette at most"):
        r.request_from({**VALUES, "look": "night", "palettes": "#ff0000;#00ff00"})


extras = st.dictionaries(
    st.text(max_size=8), st.none() | st.booleans() | st.integers() | st.text(max_size=8), max_size=4
)


@given(st.lists(extras, max_size=4))
def test_extras_come_back_from_their_text(given_extras: Any) -> None:
    texts = tuple(r.format_extra(one) for one in given_extras)
    assert [r.parse_extra(one) for one in texts] == given_extras
    assert r.parse_extras(r.format_extras(texts)) == (texts if any(texts) else ())


@given(st.text(max_size=30))
def test_any_text_is_extras_or_refused_in_words(text: str) -> None:
    try:
        assert all(isinstance(r.parse_extra(one), dict) for one in r.parse_extras(text))
    except r.RequestError as error:
        assert "extras" in str(error)


def test_a_coloring_has_a_title_that_the_engine_is_not_told() -> None:
    coloring = r.Coloring((), r.format_extra({"title": "Night", "look": "night", "reference": {"file": "a.png"}}))
    assert coloring.title == "Night" and set(coloring.params()) == {"look", "reference"}
    assert r.is_picture(coloring.params()["reference"]) and not r.is_picture("night")
    record = r.Record(**{**RECORD, "palette": ()}, extra=coloring.extra)
    assert record.layer_name == "2 Night" and r.Record.from_bytes(record.to_bytes()) == record


def test_there_are_extras_for_each_palette_or_none() -> None:
    request = r.Request(palettes=((), ("#123456",)), extras=("", '{"look":"night"}'))
    assert request.colorings(request.palettes)[1] == r.Coloring(("#123456",), '{"look":"night"}')
    with pytest.raises(r.RequestError, match="There are 2 palettes, but 'extras' for 1"):
        r.Request(palettes=((), ()), extras=("",))


ARGUMENTS = {
    "phrase": "",
    "palettes": "",
    "extras": "",
    "count": 5,
    "seed": 0,
    "strength": 1.0,
    "natural": 0.0,
    "hint-reach": 0.25,
    "device": "auto",
    "result-mode": "colour",
    "same-palettes": True,
}


def test_references_become_colorings_with_names() -> None:
    values = r.with_references(ARGUMENTS, (7, "postcard"), "/pictures/summer day.jpg\n\n ")
    asked = r.request_from(values)
    colorings = asked.colorings(asked.palettes)
    assert [one.title for one in colorings] == ["postcard", "summer day"]
    told = [one.params()["reference"] for one in colorings]
    assert told == [{"layer": 7}, {"file": "/pictures/summer day.jpg"}] and all(map(r.is_picture, told))
    assert [one.palette for one in colorings] == [(), ()]


@given(st.sampled_from(["phrase", "palettes", "extras"]))
def test_a_reference_stands_alone(name: str) -> None:
    assert r.with_references({**ARGUMENTS, name: "x"}, None, " \n") == {**ARGUMENTS, name: "x"}
    with pytest.raises(r.RequestError, match="one of them only"):
        r.with_references({**ARGUMENTS, name: "x"}, (7, "postcard"), "")
