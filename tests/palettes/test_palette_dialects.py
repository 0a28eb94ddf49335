"""Palettes as other programs write them: each dialect gives the same five colours; any text is read or refused."""

import json
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2c_engine.errors import PaletteError
from t2c_engine.palettes.files import READABLE_SUFFIXES, parse_palettes, read_palettes
from t2c_engine.palettes.notation import find_links, find_notations
from t2c_engine.palettes.palette import Palette

COLORS = [(0x8C, 0x2F, 0x1B), (0xD9, 0x8C, 0x3F), (0xF2, 0xD8, 0xA7), (0x5B, 0x6B, 0x3A), (0x2B, 0x2A, 0x33)]
HEX = ["8c2f1b", "d98c3f", "f2d8a7", "5b6b3a", "2b2a33"]
LINK = "https://coolors.co/" + "-".join(HEX)
PAINT_NET = "; paint.net Palette File\n; 8-digit hexadecimal numbers: aarrggbb\n" + "".join(f"FF{h}\n" for h in HEX)
COOLORS_CSS = """/* CSS HEX */
--rust: #8c2f1bff;\n--b: #d98c3fff;\n--c: #f2d8a7ff;\n--d: #5b6b3aff;\n--e: #2b2a33ff;

/* CSS HSL */
--rust: hsla(11, 68%, 33%, 1);\n--b: hsla(30, 67%, 55%, 1);\n--c: hsla(39, 74%, 80%, 1);
--d: hsla(80, 30%, 32%, 1);\n--e: hsla(247, 10%, 18%, 1);

/* SCSS Gradient */
$gradient-top: linear-gradient(0deg, #8c2f1bff, #d98c3fff, #f2d8a7ff, #5b6b3aff, #2b2a33ff);
"""
COOLORS_CODE = """/* CSV */
8c2f1b,d98c3f,f2d8a7,5b6b3a,2b2a33

/* With # */
#8c2f1b, #d98c3f, #f2d8a7, #5b6b3a, #2b2a33

/* Array */
["8c2f1b","d98c3f","f2d8a7","5b6b3a","2b2a33"]

/* Object */
{"Rust":"8c2f1b","Bronze":"d98c3f","Sand":"f2d8a7","Moss":"5b6b3a","Ink":"2b2a33"}
"""
EXTENDED = [
    {"name": "Rust", "hex": h, "rgb": list(c), "cmyk": [0, 66, 81, 45]} for h, c in zip(HEX, COLORS, strict=True)
]


def rows(layout: str, separator: str = "\n") -> str:
    return separator.join(layout.format(*color) for color in COLORS)


def codes(layout: str, separator: str = "\n") -> str:
    return separator.join(layout.format(code) for code in HEX)


DIALECTS = {
    "Paint.NET": (".txt", PAINT_NET),
    "Lospec's Paint.NET": (".txt", ";paint.net Palette File\n;Colors: 5\n" + codes("FF{}")),
    "GIMP with alpha": (".gpl", "GIMP Palette\nChannels: RGBA\n#\n" + rows("{} {} {} 255 Untitled")),
    "GIMP with unknown headers": (".gpl", "GIMP Palette\nName: x\nFoo Bar: 1\nSomething else\n#\n" + rows("{} {} {}")),
    "GIMP as a text": (".txt", "GIMP Palette\n#\n" + rows("{} {} {}\tname")),
    "JASC": (".pal", "JASC-PAL\r\n0100\r\n5\r\n" + rows("{} {} {}", "\r\n")),
    "JASC with alpha": (".pal", "JASC-PAL\n0100\n5\n" + rows("{} {} {} 255")),
    "JASC as a text": (".txt", "JASC-PAL\n0100\n5\n" + rows("{} {} {}")),
    "style sheet": (".css", ":root {\n" + codes("  --a{0}: #{0};") + "}"),
    "style sheet in a text": (".txt", ":root {\n" + codes("  --a{0}: #{0};") + "}"),
    "style sheet with rgb()": (".css", ":root{" + rows("--a{0}: rgb({0} {1} {2} / 50%);") + "}"),
    "rules": (".css", codes(".a{0} {{ color: #{0}; background: #8c2f1b }}")),
    "Sass map": (".scss", "$p: (" + codes('"a{0}": #{0}', ", ") + ");"),
    "Coolors, CSS": (".css", COOLORS_CSS),
    "Coolors, CSS in a text": (".txt", COOLORS_CSS),
    "Coolors, code": (".txt", COOLORS_CODE),
    "Coolors, link": (".txt", LINK + "\n"),
    "Coolors, older link": (".txt", LINK.replace("co/", "co/palette/")),
    "Coolors, link without scheme": (".txt", LINK.removeprefix("https://")),
    "Coolors, shortcut": (".url", f"[InternetShortcut]\r\nURL={LINK}\r\n"),
    "Coolors, extended array": (".json", json.dumps(EXTENDED)),
    "JSON array": (".json", json.dumps(HEX)),
    "JSON array in a text": (".txt", json.dumps(["#" + code for code in HEX])),
    "JSON object": (".json", json.dumps(dict(zip("abcde", HEX, strict=True)))),
    "JSON triples": (".json", json.dumps(COLORS)),
    "JSON numbers": (".json", json.dumps([channel for color in COLORS for channel in color])),
    "JSON fractions": (".json", json.dumps([[channel / 255 for channel in color] for color in COLORS])),
    "JSON named": (".json", json.dumps({"name": "autumn", "colors": HEX})),
    "JSON of r, g, b": (".json", json.dumps([dict(zip("rgb", color, strict=True)) for color in COLORS])),
    "JavaScript": (".txt", "const colors = [" + codes('"#{}"', ", ") + "];"),
    "Python": (".txt", str(COLORS)),
    "comma-separated": (".txt", codes("{}", ",")),
    "dashes": (".txt", codes("{}", "-")),
    "decimal": (".txt", rows("{} {} {}")),
    "decimal with commas": (".txt", rows("{}, {}, {}")),
    "rgb()": (".txt", rows("rgb({}, {}, {})")),
    "names behind": (".txt", codes("#{}  Some name")),
    "names behind bare codes": (".hex", codes("{}  Some name")),
    "names before": (".txt", codes("Some name: #{}")),
    "program code": (".txt", codes("0xFF{},")),
    "alpha last": (".txt", codes("{}80").replace("80", "ff")),
    "alpha last after #": (".txt", codes("#{}80")),
    "XML": (".txt", codes('<color name="a" hex="{}" r="1" />')),
    "UTF-16": (".txt", codes("{}").encode("utf-16")),
    "Windows": (
        ".pal",
        b"RIFF" + struct.pack("<L", 44) + b"PAL LIST" + struct.pack("<L", 3) + b"abc\0"
        + b"data" + struct.pack("<LHH", 24, 0x300, 5) + b"".join(bytes(color) + b"\0" for color in COLORS),
    ),
    "color table": (".act", b"".join(bytes(color) for color in COLORS) + bytes(753)),
    "color table with count": (".act", b"".join(bytes(color) for color in COLORS) + bytes(753) + b"\0\5\xff\xff"),
}  # fmt: skip


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_gives_the_same_palette(dialect: str, tmp_path) -> None:
    kind, content = DIALECTS[dialect]
    path = tmp_path / f"p{kind}"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    assert [color for one in read_palettes(path) for color in one.colors] == COLORS


def test_palettes_of_one_json_file_stay_apart() -> None:
    several = {"palettes": [{"name": "one", "colors": HEX[:2]}, {"name": "two", "colors": HEX[2:]}]}
    assert parse_palettes(json.dumps(several).encode(), ".json") == [("one", COLORS[:2]), ("two", COLORS[2:])]
    assert [len(group) for _, group in parse_palettes(json.dumps([HEX[:3], HEX[3:]]).encode(), ".json")] == [3, 2]


def test_css_names_are_colours_and_gradients_count_where_they_stand_alone() -> None:
    assert parse_palettes(b"a { color: tomato; border: 1px solid navy }", ".css") == [
        ("", [(255, 99, 71), (0, 0, 128)])
    ]
    gradient = b"a { background: linear-gradient(90deg, #fff, #000) }"
    assert parse_palettes(gradient, ".css") == [("", [(255, 255, 255), (0, 0, 0)])]


@pytest.mark.parametrize(
    ("text", "color"),
    [
        ("rgb(140, 47, 27)", (140, 47, 27)),
        ("RGBA(140 47 27 / 0.5)", (140, 47, 27)),
        ("rgb(100%,0%,20%)", (255, 0, 51)),
        ("hsl(120, 100%, 50%)", (0, 255, 0)),
        ("hsl(0.5turn 100% 50%)", (0, 255, 255)),
        ("hsl(-120 100% 50%)", (0, 0, 255)),
        ("hsl(none 0% 100%)", (255, 255, 255)),
        ("hwb(0 20% 20%)", (204, 51, 51)),
        ("hwb(0 80% 80%)", (128, 128, 128)),
        ("hsv(240, 100%, 100%)", (0, 0, 255)),
        ("#abc", (170, 187, 204)),
        ("#abcd", (170, 187, 204)),
        ("#8c2f1b80", (140, 47, 27)),
        ("0x808c2f1b", (140, 47, 27)),
        ("0X8C2F1B", (140, 47, 27)),
    ],
)
def test_notations(text: str, color: tuple[int, int, int]) -> None:
    (found,) = find_notations(f"in {text}, here")
    assert (found.color, found.start, found.end) == (color, 3, 3 + len(text))


@pytest.mark.parametrize(
    "text", ["#12345", "#8c2f1bff0", "a#123456", "&#123456;", "0x12345", "trgb(1,2,3)", "# fff", "#fffx"]
)
def test_what_is_no_notation(text: str) -> None:
    assert not list(find_notations(text))


@pytest.mark.parametrize("text", ["rgb(300, 0, 0)", "rgb(1, 2)", "hsl(0, 101%, 0%)", "rgb(a, b, c)", "hsl(1%, 2%, 3%)"])
def test_values_out_of_range_are_refused(text: str) -> None:
    with pytest.raises(PaletteError, match="not a colour"):
        Palette.from_hex(text)


def test_palettes_as_options_take_links_and_functions() -> None:
    assert list(Palette.from_hex(LINK).colors) == COLORS
    assert Palette.from_hex("#fff, rgb(140, 47, 27);hsl(0 100% 50%) 000").hex == (
        "#ffffff",
        "#8c2f1b",
        "#ff0000",
        "#000000",
    )
    ((_, _, four),) = find_links("https://colorhunt.co/palette/222831393e4600adb5eeeeee")
    assert Palette(tuple(four)).hex == ("#222831", "#393e46", "#00adb5", "#eeeeee")


@pytest.mark.parametrize(
    ("kind", "content", "place"),
    [
        (".gpl", b"GIMP Palette\nChannels: RGBA\n1 2 3 name\n", "line 3"),
        (".pal", b"JASC-PAL\n0100\n2\n1 2 3\n1 2 256\n", "line 5"),
        (".pal", b"JASC-PAL\n0100\n0\n", "no colour"),
        (".pal", b"RIFF\0\0\0\0WAVE", "byte 8"),
        (".pal", b"RIFF\0\0\0\0PAL data\x18\0\0\0\0\3\5\0abc", "byte 24"),
        (".act", bytes(700), "byte 700"),
        (".json", b"{", "no JSON"),
        (".json", b"[" * 100_000, "no JSON"),
        (".json", b"[" * 50 + b"]" * 50, "nested"),
        (".json", b'{"a": 1}', "no colour"),
        (".css", b"a { color: rgb(999, 0, 0) }", "'color'"),
        (".url", b"[InternetShortcut]\nURL=https://example.com/", "no colour"),
        (".txt", b"FF8c2f1b\nred\n", "line 2"),
        (".txt", b"#8c2f1b #xyz\n", "line 1"),
    ],
)
def test_malformed_dialects_say_where(kind: str, content: bytes, place: str) -> None:
    with pytest.raises(PaletteError, match=place):
        parse_palettes(content, kind, "x" + kind)


@settings(max_examples=200)
@given(st.sampled_from(READABLE_SUFFIXES), st.sampled_from(list(DIALECTS)), st.data())
def test_damaged_dialects_are_palettes_or_palette_errors(kind: str, dialect: str, data: st.DataObject) -> None:
    text = DIALECTS[dialect][1]
    content = bytearray(text.encode() if isinstance(text, str) else text)
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        groups = parse_palettes(bytes(content[: data.draw(st.integers(0, len(content)))]), kind)
    except PaletteError as error:
        assert str(error).endswith(".")
    else:
        assert groups and all(Palette(tuple(found)) for _, found in groups)


@settings(max_examples=200)
@given(st.text('0123456789abcdf#(),;:%/-{}[]" \nrgbhslx', max_size=60))
def test_any_text_is_a_palette_or_a_palette_error(text: str) -> None:
    for kind in (".txt", ".css", ".json", ".pal"):
        try:
            groups = parse_palettes(text.encode(), kind)
        except PaletteError as error:
            assert str(error).endswith(".")
        else:
            assert all(Palette(tuple(found)) for _, found in groups)
    try:
        Palette.from_hex(text)
    except PaletteError as error:
        assert str(error).endswith(".")


@given(
    st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=2, max_size=12), st.sampled_from(["#{}", "{}ff", "ff{}"])
)
def test_hex_of_any_length_is_read_back(colors: list[tuple[int, int, int]], layout: str) -> None:
    words = [layout.format("{:02x}{:02x}{:02x}".format(*color)) for color in colors]
    first = all(word.startswith("ff") for word in words)
    if layout != "{}ff" or not first:  # ff at both ends of all: nobody can tell
        assert parse_palettes("\n".join(words).encode(), ".txt")[0][1] == colors
