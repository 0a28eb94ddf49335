"""Damaged and cut pictures: refused, or read with a word that names the file."""

import io
import logging
import struct
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from t2c_engine.errors import PictureError
from t2c_engine.pictures.picture import read_picture
from tests.pictures.scenes import scene

NOISE = np.random.default_rng(0).integers(0, 256, (96, 128, 3)).astype(np.uint8)


def jpeg(array: np.ndarray, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def start_of_scan(data: bytes) -> int:
    place = 2
    while data[place + 1] != 0xDA:
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")


def read_aloud(path: Path, data: bytes, caplog: pytest.LogCaptureFixture) -> bool:
    """Whether a damaged file is refused or read with a word; both must name it."""
    path.write_bytes(data)
    caplog.clear()
    try:
        read_picture(path)
    except PictureError as error:
        assert str(path) in str(error) and "0x" not in str(error)
        return True
    assert not caplog.text or path.name in caplog.text
    return bool(caplog.text)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_cut_jpeg_with_its_end_mark(
    tmp_path: Path, share: float, mode: str, progressive: bool, caplog: pytest.LogCaptureFixture
) -> None:
    buffer = io.BytesIO()
    Image.fromarray(NOISE).convert(mode).save(buffer, "JPEG", progressive=progressive)
    data = buffer.getvalue()
    begin = start_of_scan(data)
    cut = data[: begin + int((len(data) - begin) * share)]
    assert read_aloud(tmp_path / "a.jpg", cut + b"\xff\xd9", caplog)
    assert read_aloud(tmp_path / "a.jpg", cut, caplog)
    assert not read_aloud(tmp_path / "a.jpg", data, caplog)
    assert not read_aloud(tmp_path / "a.jpg", data + b"bytes of another program", caplog)


@pytest.mark.parametrize("restarts", [0, 4])
def test_changed_bytes_in_a_jpeg_are_found(tmp_path: Path, restarts: int, caplog: pytest.LogCaptureFixture) -> None:
    data = jpeg(NOISE, restart_marker_blocks=restarts)
    begin, random, found = start_of_scan(data), np.random.default_rng(1), 0
    for _ in range(40):
        changed = bytearray(data)
        place = int(random.integers(begin, len(data) - 60))
        changed[place : place + 50] = random.integers(0, 255, 50).astype(np.uint8).tobytes()
        found += read_aloud(tmp_path / "a.jpg", bytes(changed), caplog)
    assert found >= 38  # Huffman codes that happen to come out even leave no trace
    zeros = bytearray(data)
    zeros[begin + 500 : begin + 3000] = bytes(2500)
    assert read_aloud(tmp_path / "a.jpg", bytes(zeros), caplog)


def test_progressive_jpeg_without_its_last_scans_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = jpeg(scene(), progressive=True)
    scans = [place for place in range(len(data) - 1) if data[place : place + 2] == b"\xff\xda"]
    tables = data.rfind(b"\xff\xc4", 0, scans[-1])
    end = tables if tables > scans[-2] else scans[-1]
    assert read_aloud(tmp_path / "a.jpg", data[:end] + b"\xff\xd9", caplog)
    assert "last scans" in caplog.text
    assert not read_aloud(tmp_path / "a.jpg", data, caplog)


def test_a_jpeg_whose_thumbnail_alone_has_an_end_mark(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    thumbnail = jpeg(scene(12, 16))
    data = jpeg(NOISE)
    data = data[:2] + b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail + data[2:]
    assert read_aloud(tmp_path / "a.jpg", data[: len(data) // 2], caplog)


def test_a_jpeg_that_lacks_its_end_mark_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = jpeg(scene())
    assert read_aloud(tmp_path / "a.jpg", data[:-2], caplog)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.jpg").pixels, imagecodecs.jpeg8_decode(data))


def test_bytes_between_segments_are_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = jpeg(scene())
    place = 4 + int.from_bytes(data[4:6], "big")
    assert read_aloud(tmp_path / "a.jpg", data[:place] + bytes(7) + data[place:], caplog)


@pytest.mark.parametrize("compression", ["zlib", "lzw", "packbits", "lzma"])
def test_packed_tiff_strips_cut_short(tmp_path: Path, compression: str, caplog: pytest.LogCaptureFixture) -> None:
    tifffile.imwrite(tmp_path / "a.tif", NOISE, photometric="rgb", compression=compression)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        place, size = file.pages.first.dataoffsets[0], file.pages.first.databytecounts[0]
    data = bytearray((tmp_path / "a.tif").read_bytes())
    data[place + size // 2 : place + size] = bytes(size - size // 2)
    assert read_aloud(tmp_path / "a.tif", bytes(data), caplog)


KINDS: dict[str, dict[str, Any]] = {
    "JPEG": {}, "PNG": {}, "TIFF": {"compression": "tiff_lzw"}, "WEBP": {}, "GIF": {}, "BMP": {}, "PPM": {},
    "JPEG2000": {}, "AVIF": {},
}  # fmt: skip


@given(st.sampled_from(sorted(KINDS)), st.data())
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_gives_a_picture_or_a_sentence(tmp_path: Path, kind: str, data: st.DataObject) -> None:
    buffer = io.BytesIO()
    Image.fromarray(scene(16, 24)).save(buffer, kind, **KINDS[kind])
    content = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "a").write_bytes(content)
    try:
        picture = read_picture(tmp_path / "a")
    except PictureError as error:
        assert str(tmp_path) in str(error)
    else:
        assert picture.pixels.ndim in (2, 3) and picture.pixels.size > 0


def test_no_library_prints(tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    random = np.random.default_rng(2)
    for kind, options in KINDS.items():
        buffer = io.BytesIO()
        Image.fromarray(scene(64, 64)).save(buffer, kind, **options)
        for _ in range(12):
            content = bytearray(buffer.getvalue())
            for place in random.integers(0, len(content), 8):
                content[place] = random.integers(0, 256)
            read_aloud(tmp_path / "a.picture", bytes(content), caplog)
    assert capfd.readouterr() == ("", "")
