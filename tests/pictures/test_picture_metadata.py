"""Metadata travel byte for byte into every format that can hold them, and what is lost is said."""

import io
import logging
import re
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, IptcImagePlugin

from t2c_engine.pictures.directories import DirectoryError, Entry, Layout, pack_directory, read_directory, read_layout
from t2c_engine.pictures.exif import upright_exif
from t2c_engine.pictures.picture import Picture, read_picture, write_picture
from tests.pictures.builders import page, tiff
from tests.pictures.scenes import scene

SUFFIXES = [".jpg", ".png", ".tif", ".webp"]
GREY = scene(32, 48, channels=1)
WORDS = "Straße, Hà Nội, 東京"
RAW = WORDS.encode() + b"\0"
IPTC = b"".join(b"\x1c\x02" + bytes([tag]) + struct.pack(">H", len(text)) + text
                for tag, text in ((120, "Légende".encode()), (25, b"one"), (25, b"two")))  # fmt: skip


def recolor(path: Path, suffix: str) -> tuple[Picture, Path]:
    """What `path` holds, and the path of a result made from it."""
    picture = read_picture(path)
    result = path.with_name(f"result{suffix}")
    write_picture(result, scene(*picture.size), picture, overwrite=True)
    return picture, result


def raw_tags(path: Path) -> dict[int, bytes]:
    """Values of the tags of a TIFF file or a file's EXIF block, as tifffile finds them."""
    data = path.read_bytes()
    if data[:2] not in (b"II", b"MM"):
        with Image.open(path) as image:
            data = image.info["exif"].removeprefix(b"Exif\0\0")
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        return {tag.code: data[tag.valueoffset : tag.valueoffset + tag.valuebytecount] for tag in file.pages.first.tags}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_tiff_tags_travel(tmp_path: Path, suffix: str, big: bool, order: str) -> None:
    title = "Überschrift".encode("utf-16-le") + b"\0\0"
    artist = "Künstler".encode("latin-1") + b"\0"
    tags: dict[str, Any] = {"t270": (2, RAW), "t315": (2, artist), "t40091": (1, list(title)),
                            "t274": (3, 6), "t282": (5, [300, 1]), "t283": (5, [200, 1]), "t296": (3, 2),
                            "t33432": (2, b"(c) someone\0")}  # fmt: skip
    (tmp_path / "a.tif").write_bytes(tiff([page(GREY, 1, order, **tags)], order, big))
    picture, result = recolor(tmp_path / "a.tif", suffix)
    assert picture.size == (48, 32)  # orientation 6
    found = raw_tags(result)
    assert found[270] == RAW and found[315] == artist and found[40091] == title
    assert found[33432] == b"(c) someone\0"
    with Image.open(result) as image:
        assert image.getexif().get(274, 1) == 1
        if suffix != ".webp":
            assert tuple(round(value) for value in image.info["dpi"]) == (200, 300)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("source", [".jpg", ".png", ".webp"])
def test_exif_blocks_travel(tmp_path: Path, suffix: str, source: str) -> None:
    exif = Image.Exif()
    exif[270], exif[305] = "ascii", "software"
    exif[0x9C9C] = "Kommentar ü".encode("utf-16-le")
    exif.get_ifd(0x8769).update({36867: "2001:02:03 04:05:06", 37510: b"UNICODE\0" + WORDS.encode("utf-16-le"),
                                 37500: bytes(range(200)), 33434: 0.5})  # fmt: skip
    exif[0x8769] = exif.get_ifd(0x8769)
    exif[0x8825] = {1: "N", 2: (1.0, 2.0, 3.0)}
    block = exif.tobytes().replace(b"ascii\0", b"\xc3\xbc\xc3\xa4s\0")
    Image.fromarray(scene()).save(tmp_path / f"a{source}", exif=block)
    _, result = recolor(tmp_path / f"a{source}", suffix)
    with Image.open(result) as image:
        again = image.getexif()
        assert again.get_ifd(0x8769)[37510] == b"UNICODE\0" + WORDS.encode("utf-16-le")
        assert again.get_ifd(0x8769)[37500] == bytes(range(200))
        assert again.get_ifd(0x8825)[2] == (1.0, 2.0, 3.0)
    assert raw_tags(result)[270] == b"\xc3\xbc\xc3\xa4s\0"
    assert raw_tags(result)[0x9C9C] == "Kommentar ü".encode("utf-16-le")


def with_segments(data: bytes, *segments: tuple[int, bytes]) -> bytes:
    packed = b"".join(b"\xff" + struct.pack(">BH", marker, len(content) + 2) + content for marker, content in segments)
    return data[:2] + packed + data[2:]


def jpeg(**options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(scene()).save(buffer, "JPEG", **options)
    return buffer.getvalue()


RESOURCES = (b"8BIM\x04\x04\0\0" + struct.pack(">I", len(IPTC)) + IPTC + b"\0" * (len(IPTC) % 2)
             + b"8BIM\x04\x0a\0\0\0\0\0\x01\x01\0" + b"8BIM\x04\x0c\0\0\0\0\0\x04old!")  # fmt: skip


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_iptc_travels_or_is_said(tmp_path: Path, suffix: str, caplog: pytest.LogCaptureFixture) -> None:
    segments = ((0xED, b"Photoshop 3.0\0" + RESOURCES), (0xFE, RAW), (0xFE, b"second"), (0xE2, b"FPXR\0rest"))
    (tmp_path / "a.jpg").write_bytes(with_segments(jpeg(), *segments))
    caplog.set_level(logging.WARNING)
    _, result = recolor(tmp_path / "a.jpg", suffix)
    data = result.read_bytes()
    assert str(tmp_path / "a.jpg") in caplog.text and "FlashPix" in caplog.text
    if suffix in (".jpg", ".tif"):
        with Image.open(result) as image:
            found: Any = IptcImagePlugin.getiptcinfo(image)
        assert found[(2, 120)] == "Légende".encode() and found[(2, 25)] == [b"one", b"two"]
        assert b"old!" not in data  # a thumbnail of the grey picture
        assert b"8BIM\x04\x0a" in data
    if suffix == ".jpg":
        assert RAW in data and b"second" in data
    if suffix == ".png":
        with Image.open(result) as image:
            image.load()
            text = image.info["Raw profile type iptc"].split(None, 2)[2]
            assert IPTC in bytes.fromhex(text)
            assert image.info["Comment"] == "second"
        assert RAW[:-1] in data
    assert ("comments" in caplog.text) == (suffix in (".tif", ".webp"))
    assert ("IPTC" in caplog.text) == (suffix == ".webp")
    again = read_picture(result)
    assert (again.metadata.photoshop is not None) == (suffix != ".webp")


def test_long_xmp_stays_whole(tmp_path: Path) -> None:
    name = b"http://ns.adobe.com/xap/1.0/\0"
    more = b"http://ns.adobe.com/xmp/extension/\0" + b"A" * 32 + struct.pack(">II", 5, 0) + b"<x/>"
    data = with_segments(jpeg(), (0xE1, name + b'<x tiff:Orientation="6"/>'), (0xE1, more))
    (tmp_path / "a.jpg").write_bytes(data)
    _, result = recolor(tmp_path / "a.jpg", ".jpg")
    assert more in result.read_bytes() and b'tiff:Orientation="1"' in result.read_bytes()


def png_with(*chunks: tuple[bytes, bytes]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(GREY).save(buffer, "PNG")
    data = buffer.getvalue()
    packed = b"".join(struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
                      for name, content in chunks)  # fmt: skip
    return data[:33] + packed + data[33:]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_png_text_travels_or_is_said(tmp_path: Path, suffix: str, caplog: pytest.LogCaptureFixture) -> None:
    chunks = ((b"tEXt", b"Title\0Caf\xe9"), (b"zTXt", b"Author\0\0" + zlib.compress(b"someone")),
              (b"iTXt", b"Description\0\0\0de\0\0" + WORDS.encode()), (b"teSt", b"private, safe"),
              (b"teST", b"unsafe"))  # fmt: skip
    (tmp_path / "a.png").write_bytes(png_with(*chunks))
    _, result = recolor(tmp_path / "a.png", suffix)
    assert "the chunk teST" in caplog.text and "a.png" in caplog.text
    if suffix == ".png":
        data = result.read_bytes()
        assert all((name + content in data) == (name != b"teST") for name, content in chunks)
        with Image.open(result) as image:
            image.load()
            assert image.info["Title"] == "Café" and image.info["Description"] == WORDS
        assert "PNG text" not in caplog.text
    else:
        assert "Title, Author, Description" in caplog.text


def test_damaged_metadata_are_said_and_stop_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bad = with_segments(jpeg(), (0xE1, b"Exif\0\0nonsense"), (0xED, b"Photoshop 3.0\0nonsense of it"))
    (tmp_path / "a.jpg").write_bytes(bad)
    recolor(tmp_path / "a.jpg", ".jpg")
    assert "EXIF data, which are damaged" in caplog.text and "Photoshop data, which are damaged" in caplog.text
    caplog.clear()
    data = png_with((b"tEXt", b"Title\0x"), (b"eXIf", b"nonsense"))
    (tmp_path / "b.png").write_bytes(data.replace(b"Title\0x", b"Title\0y"))
    recolor(tmp_path / "b.png", ".png")
    assert "tEXt data, which are damaged" in caplog.text and "EXIF data, which are damaged" in caplog.text


def test_thumbnail_of_the_grey_picture_goes(tmp_path: Path) -> None:
    small = io.BytesIO()
    Image.fromarray(GREY).resize((16, 12)).save(small, "JPEG")
    thumbnail = small.getvalue()
    first = pack_directory({270: Entry(2, 5, b"text\0")}, 8, Layout("<", False, 8), following=64)
    second = {513: Entry(4, 1, struct.pack("<I", 128)), 514: Entry(4, 1, struct.pack("<I", len(thumbnail)))}
    block = (b"II*\0\x08\0\0\0" + first).ljust(64, b"\0") + pack_directory(second, 64, Layout("<", False, 8))
    block = b"Exif\0\0" + block.ljust(128, b"\0") + thumbnail
    (tmp_path / "a.jpg").write_bytes(with_segments(jpeg(), (0xE1, block)))
    _, result = recolor(tmp_path / "a.jpg", ".jpg")
    assert thumbnail not in result.read_bytes()
    with Image.open(result) as image:
        assert image.getexif()[270] == "text" and not image.getexif().get_ifd(0x14A)


def test_transparency_lost_is_said_with_its_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Image.fromarray(scene(channels=4)).save(tmp_path / "a.png")
    recolor(tmp_path / "a.png", ".jpg")
    assert re.search(r"a\.png: .*transparency", caplog.text)


ENTRIES = st.dictionaries(
    st.integers(1, 65535),
    st.one_of(
        st.binary(min_size=1, max_size=40).map(lambda data: Entry(7, len(data), data)),
        st.lists(st.integers(0, 65535), min_size=1, max_size=9).map(
            lambda numbers: Entry(3, len(numbers), struct.pack(f"<{len(numbers)}H", *numbers))
        ),
        st.lists(st.integers(0, 2**32 - 1), min_size=2, max_size=2).map(
            lambda two: Entry(5, 1, struct.pack("<2I", *two))
        ),
    ),
    max_size=8,
)


@given(ENTRIES, st.sampled_from("<>"), st.booleans())
def test_directories_there_and_back(entries: dict[int, Entry], order: str, big: bool) -> None:
    first = 16 if big else 8
    layout = Layout(order, big, first)
    head = {"<": b"II", ">": b"MM"}[order] + struct.pack(
        order + ("HHHQ" if big else "HI"), *((43, 8, 0, 16) if big else (42, 8))
    )
    stream = io.BytesIO(head + pack_directory(entries, first, layout))
    assert read_layout(stream) == layout
    again, following = read_directory(stream, layout, first)
    assert following == 0
    assert {tag: (one.type, one.count, one.data) for tag, one in again.items()} == {
        tag: (one.type, one.count, one.data) for tag, one in entries.items()
    }


@given(st.binary(max_size=300))
@settings(max_examples=300)
def test_rubbish_is_no_exif(data: bytes) -> None:
    for block in (data, b"II*\0\x08\0\0\0" + data, b"MM\0*\0\0\0\x08" + data):
        try:
            upright, notes = upright_exif(block)
        except DirectoryError:
            continue
        assert notes.orientation in range(1, 9) and upright.startswith(b"Exif\0\0")
        assert np.isfinite(notes.dpi or (1, 1)).all()
