"""Palette files: written and read back, read as other programs write them, and malformed in every way."""

import struct
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2c_engine.errors import OutputError, PaletteError
from t2c_engine.palettes.files import (
    READABLE_SUFFIXES,
    parse_palettes,
    read_palettes,
    render_palettes,
    write_palette,
)
from t2c_engine.palettes.palette import Palette
from t2c_engine.serving.protocol import PALETTE_SUFFIXES

colors = st.tuples(*[st.integers(0, 255)] * 3)
palettes = st.builds(Palette, st.lists(colors, min_size=1, max_size=12).map(tuple), st.text(max_size=20))
AUTUMN = Palette.from_hex("#8c2f1b,#d98c3f,#f2d8a7,#5b6b3a,#2b2a33", "autumn breeze")
SEA = Palette.from_hex("#012345,#6789ab,#cdef01", "sea 🌊")


def colors_of(path) -> tuple:
    """All colours of a file's palettes."""
    return tuple(color for palette in read_palettes(path) for color in palette.colors)


@pytest.mark.parametrize("kind", PALETTE_SUFFIXES)
@settings(max_examples=30)
@given(st.lists(palettes, min_size=1, max_size=4))
def test_what_is_written_is_read_back(kind, several):
    groups = parse_palettes(render_palettes(several, kind), kind)
    written = [list(palette.colors) for palette in several]
    singles = all(len(group) == 1 for group in written)
    if len(several) > 1 and (kind == ".aco" or (singles and kind in (".hex", ".txt"))):
        written = [[color for group in written for color in group]]  # these have no parts
    assert [group for _, group in groups] == written


@pytest.mark.parametrize("kind", PALETTE_SUFFIXES)
def test_files_round_trip(kind, tmp_path):
    path = tmp_path / f"one{kind.upper()}"
    write_palette(path, AUTUMN)
    assert colors_of(path) == AUTUMN.colors
    write_palette(tmp_path / f"two{kind}", [AUTUMN, SEA])
    assert colors_of(tmp_path / f"two{kind}") == AUTUMN.colors + SEA.colors
    assert sorted(one.name for one in tmp_path.iterdir()) == [f"one{kind.upper()}", f"two{kind}"]


def test_names_of_several_palettes(tmp_path):
    for kind, first in ((".gpl", "autumn breeze"), (".ase", "autumn breeze 1")):
        write_palette(tmp_path / f"x{kind}", [AUTUMN, SEA])
        names = [palette.name for palette in read_palettes(tmp_path / f"x{kind}")]
        assert names[0] == first and names[1].startswith("sea 🌊")
    text = (tmp_path / "x.gpl").read_text("utf-8")
    assert text.splitlines()[:3] == ["GIMP Palette", "Name: autumn breeze", "Columns: 5"]
    assert "140  47  27\tautumn breeze 1 #8c2f1b" in text
    write_palette(tmp_path / "plain.hex", AUTUMN)
    assert read_palettes(tmp_path / "plain.hex")[0].name == "plain"


def test_a_name_with_line_ends_stays_one_line():
    text = render_palettes([Palette(AUTUMN.colors, "a\n0 0 0 b\r# c\u2028d")], ".gpl").decode()
    assert text.splitlines()[1] == "Name: a 0 0 0 b # c d"
    assert len(parse_palettes(text.encode(), ".gpl")[0][1]) == 5


def test_gimp_files_as_found_in_the_wild():
    lines = ["GIMP Palette", "Name: Web", "Columns: 3", "# comment", "", "255 255 255 White", "  0   0  51\tX", "1 2 3"]
    assert parse_palettes("\r\n".join(lines).encode(), ".gpl") == [("Web", [(255, 255, 255), (0, 0, 51), (1, 2, 3)])]
    old = b"\xef\xbb\xbfGIMP Palette\n10 20 30 \xff\xfe\n"  # no Name:, a byte order mark, a broken name
    assert parse_palettes(old, ".gpl") == [("", [(10, 20, 30)])]


def test_lists_as_found_in_the_wild():
    text = "; paint.net palette\n# comment\n#fff\n\n 8C2F1B \n// end\n"
    assert parse_palettes(text.encode(), ".txt") == [("", [(255, 255, 255), (0x8C, 0x2F, 0x1B)])]
    assert len(parse_palettes(b"#fff #000\n#f00, #0f0\n#00f", ".hex")) == 3


def test_photoshop_color_spaces():
    def entry(space: int, *values: int) -> bytes:
        return struct.pack(">5H", space, *(value & 0xFFFF for value in values))

    entries = [
        entry(0, 65535, 0, 257 * 16, 0),
        entry(1, 65535 // 3, 65535, 65535, 0),  # hue 120 degrees
        entry(2, 65535, 65535, 65535, 65535),  # no ink
        entry(2, 0, 65535, 65535, 65535),  # cyan
        entry(7, 10000, 0, 0, 0),  # L 100
        entry(7, 5324, 8009, 6720, 0),  # sRGB red
        entry(7, 3230, 7919, -10786, 0),  # sRGB blue
        entry(8, 0, 0, 0, 0),
        entry(8, 10000, 0, 0, 0),
    ]
    content = struct.pack(">HH", 1, len(entries)) + b"".join(entries)
    (_, found), *_ = parse_palettes(content, ".aco")
    white, black = (255, 255, 255), (0, 0, 0)
    expected = [(255, 0, 16), (0, 255, 0), white, (0, 255, 255), white, (255, 0, 0), (0, 0, 255), white, black]
    for got, wanted in zip(found, expected, strict=True):
        assert max(abs(a - b) for a, b in zip(got, wanted, strict=True)) <= 2
    with pytest.raises(PaletteError, match=r"byte 14.*colour space 3"):
        parse_palettes(struct.pack(">HH", 1, 1) + entry(3, 0, 0, 0, 0), ".aco")


def test_photoshop_version_two_alone():
    name = "Swatch\0".encode("utf-16-be")
    content = struct.pack(">HH5HL", 2, 1, 0, 65535, 0, 0, 0, len(name) // 2) + name
    assert parse_palettes(content, ".aco") == [("", [(255, 0, 0)])]


def ase(*blocks: tuple[int, bytes]) -> bytes:
    body = b"".join(struct.pack(">HL", kind, len(content)) + content for kind, content in blocks)
    return b"ASEF" + struct.pack(">HHL", 1, 0, len(blocks)) + body


def swatch(model: bytes, *values: float) -> tuple[int, bytes]:
    return 1, struct.pack(">HHH", 2, ord("x"), 0) + model + struct.pack(f">{len(values)}fH", *values, 0)


def test_swatch_exchange_models_groups_and_unknown_blocks():
    name = struct.pack(">H", 4) + "Sea\0".encode("utf-16-be")
    content = ase(
        swatch(b"RGB ", 1, 0.5, 0),
        (0xC001, name),
        (0x7777, b"whatever"),
        swatch(b"CMYK", 0, 1, 1, 0),
        swatch(b"LAB ", 1.0, 0, 0),
        (0xC002, b""),
        swatch(b"Gray", 0.2),
    )
    assert parse_palettes(content, ".ase") == [
        ("", [(255, 128, 0), (51, 51, 51)]),
        ("Sea", [(255, 0, 0), (255, 255, 255)]),
    ]


@pytest.mark.parametrize(
    ("kind", "content", "place"),
    [
        (".gpl", b"", "line 1"),
        (".gpl", b"JASC-PAL\n0100\n", "line 1"),
        (".gpl", b"GIMP Palette\n#\n1 2\n", "line 3"),
        (".gpl", b"GIMP Palette\n1 2 256 x\n", "line 2"),
        (".gpl", b"GIMP Palette\n-1 2 5 x\n", "line 2"),
        (".gpl", "GIMP Palette\n١ ٢ ٣\n".encode(), "line 2"),
        (".gpl", b"GIMP Palette\nName: none\n", "no colour"),
        (".hex", b"#fff\n#ggg\n", "line 2"),
        (".txt", b"", "no colour"),
        (".aco", b"", "byte 0"),
        (".aco", b"\0\x09\0\1", "version"),
        (".aco", b"\0\1\0\2" + bytes(10), "byte 14"),
        (".aco", b"\0\1\0\0", "no colour"),
        (".aco", b"\0\1\xff\xff", "byte 2"),
        (".aco", b"\0\2\0\1" + bytes(10) + b"\xff\xff\xff\xff", "byte 18"),
        (".ase", b"", "byte 0"),
        (".ase", b"ASEF\0\1\0\0\xff\xff\xff\xff", "byte 12"),
        (".ase", ase((1, b"\xff\xff")), "byte 20"),
        (".ase", ase((1, b"\0\1\0\0XYZ " + bytes(8))), "colour model"),
        (".ase", ase(swatch(b"RGB ", float("nan"), 0, 0)), "not a number"),
        (".ase", ase(*[swatch(b"Gray", 0.5)] * 1025), "more than 1024"),
        (".ase", ase(*[(0xC001, b"\0\0")] * 300), "groups"),
    ],
)
def test_malformed_files_say_where(kind, content, place):
    with pytest.raises(PaletteError, match=place):
        parse_palettes(content, kind, "x" + kind)


def accepts_or_refuses(content: bytes, kind: str) -> None:
    try:
        groups = parse_palettes(content, kind)
    except PaletteError as error:
        assert str(error).endswith(".")
    else:
        assert groups and all(Palette(tuple(found)) for _, found in groups)


@pytest.mark.parametrize("kind", READABLE_SUFFIXES)
@given(content=st.binary(max_size=400))
def test_junk_is_a_palette_error(kind, content):
    accepts_or_refuses(content, kind)


@pytest.mark.parametrize("kind", PALETTE_SUFFIXES)
@settings(max_examples=50)
@given(several=st.lists(palettes, min_size=1, max_size=2), data=st.data())
def test_damaged_files_are_palettes_or_palette_errors(kind, several, data):
    content = bytearray(render_palettes(several, kind))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    accepts_or_refuses(bytes(content[: data.draw(st.integers(0, len(content)))]), kind)


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (".ase", b"ASEF\0\1\0\0" + b"\xff\xff\xff\xff" + (b"\x77\x77" + bytes(4)) * 150_000),
        (".aco", b"\0\1\xff\xff" + b"\0\7" * 500_000),
        (".hex", b"fff " * 250_000),
        (".gpl", b"GIMP Palette\n" + b"1 2 3\n" * 150_000),
    ],
)
def test_giant_files_end_soon(kind, content):
    started = time.monotonic()
    with pytest.raises(PaletteError):
        parse_palettes(content, kind)
    assert time.monotonic() - started < 10


def test_paths_that_are_no_palettes(tmp_path):
    (tmp_path / "folder.gpl").mkdir()
    (tmp_path / "big.gpl").write_bytes(bytes(2 << 20))
    for name, words in (
        ("none.gpl", "cannot be read"),
        ("folder.gpl", "cannot be read"),
        ("big.gpl", "larger"),
        ("a.xyz", "no palette file"),
    ):
        with pytest.raises(PaletteError, match=words):
            read_palettes(tmp_path / name)
    with pytest.raises(PaletteError, match="not as"):
        write_palette(tmp_path / "x.pal", AUTUMN)
    with pytest.raises(PaletteError, match="no palette to write"):
        write_palette(tmp_path / "x.gpl", [])


def test_existing_files_are_kept(tmp_path):
    path = tmp_path / "a.gpl"
    write_palette(path, AUTUMN)
    with pytest.raises(OutputError, match="exists"):
        write_palette(path, SEA)
    assert colors_of(path) == AUTUMN.colors
    write_palette(path, SEA, overwrite=True)
    assert colors_of(path) == SEA.colors
