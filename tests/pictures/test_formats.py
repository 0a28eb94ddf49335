"""Formats beside JPEG, PNG, TIFF and WebP, and kinds of JPEG and PNG: as other libraries read them."""

import importlib.util
import io
import logging
import struct
import zlib
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from t2c_engine.color.lab import srgb_to_lab
from t2c_engine.errors import PictureError
from t2c_engine.pictures.picture import lightness, read_picture, write_picture
from tests.pictures.scenes import scene

GREY = scene(channels=1)


def refused(path: Path, words: str, **options: int) -> None:
    with pytest.raises(PictureError, match=words) as caught:
        read_picture(path, **options)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def save(path: Path, array: np.ndarray, mode: str | None = None, **options: Any) -> Path:
    image = Image.fromarray(array)
    (image.convert(mode) if mode else image).save(path, **options)
    return path


@pytest.mark.parametrize(
    ("name", "mode"),
    [("a.bmp", "RGB"), ("a.bmp", "L"), ("a.bmp", "P"), ("a.bmp", "1"), ("a.ppm", "RGB"), ("a.pgm", "L"), ("a.pbm", "1"),
     ("a.gif", "L"), ("a.gif", "P"), ("a.jp2", "RGB"), ("a.jp2", "L"), ("a.jp2", "RGBA"), ("a.j2k", "RGB")],
)  # fmt: skip
def test_formats_agree_with_pillow(tmp_path: Path, name: str, mode: str) -> None:
    path = save(tmp_path / name, scene(), mode)
    picture = read_picture(path)
    with Image.open(path) as image:
        expected = np.asarray(image.convert("RGBA"))
    found = np.repeat(picture.pixels[..., None], 3, 2) if picture.pixels.ndim == 2 else picture.pixels
    np.testing.assert_array_equal(found, expected[..., :3])
    assert (picture.alpha is not None) == (mode == "RGBA")
    write_picture(tmp_path / "result.png", found, picture)
    np.testing.assert_array_equal(read_picture(tmp_path / "result.png").pixels, found)


@pytest.mark.parametrize("bits", [10, 12, 16])
@pytest.mark.parametrize("channels", [1, 3])
def test_deep_pnm_and_jpeg2000(tmp_path: Path, bits: int, channels: int) -> None:
    most = 2**bits - 1
    numbers = np.rint(scene(dtype=np.float32, channels=channels) * most).astype(np.uint16)
    kind = b"P5" if channels == 1 else b"P6"
    (tmp_path / "a.pnm").write_bytes(kind + b"\n# a word\n64 48\n%d\n" % most + numbers.astype(">u2").tobytes())
    (tmp_path / "a.jp2").write_bytes(imagecodecs.jpeg2k_encode(numbers, bitspersample=bits, level=0))
    for name in ("a.pnm", "a.jp2"):
        picture = read_picture(tmp_path / name)
        assert picture.pixels.dtype == np.uint16
        np.testing.assert_allclose(picture.pixels / 65535, numbers / most, atol=1e-5)
    assert read_picture(tmp_path / "a.pnm").metadata.comments == (b"a word",)


def test_ascii_and_arbitrary_pnm(tmp_path: Path) -> None:
    (tmp_path / "a.pgm").write_text("P2\n# words\n3 2\n15\n0 1 2\n13 14 15\n")
    np.testing.assert_array_equal(read_picture(tmp_path / "a.pgm").pixels, np.array([[0, 17, 34], [221, 238, 255]]))
    (tmp_path / "a.ppm").write_text("P3\n1 1\n1023\n0 1023 511\n")
    np.testing.assert_array_equal(read_picture(tmp_path / "a.ppm").pixels, [[[0, 65535, round(511 / 1023 * 65535)]]])
    alpha = np.dstack((GREY, GREY[::-1]))
    head = b"P7\nWIDTH 64\nHEIGHT 48\nDEPTH 2\nMAXVAL 255\nTUPLTYPE GRAYSCALE_ALPHA\nENDHDR\n"
    (tmp_path / "a.pam").write_bytes(head + alpha.tobytes())
    picture = read_picture(tmp_path / "a.pam")
    np.testing.assert_array_equal(picture.pixels, GREY)
    np.testing.assert_array_equal(picture.alpha, GREY[::-1])


def test_frames_are_said_and_chosen(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    frames = [Image.fromarray(np.full((8, 8), value, np.uint8)) for value in (10, 200)]
    for name in ("a.gif", "a.png", "a.webp"):
        caplog.clear()
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], lossless=True)
        assert (read_picture(tmp_path / name).pixels == 10).all()
        assert "first" in caplog.text and "--page" in caplog.text and name in caplog.text
        assert (read_picture(tmp_path / name, page=2).pixels == 200).all()
        refused(tmp_path / name, "no page 3", page=3)
    save(tmp_path / "b.jpg", GREY)
    refused(tmp_path / "b.jpg", "1 page, and no page 2", page=2)
    assert read_picture(tmp_path / "b.jpg", page=1).size == (48, 64)


def test_bmp_with_a_profile_and_with_a_calibration(tmp_path: Path) -> None:
    linear = imagecodecs.cms_profile(
        "rgb", whitepoint=[0.3127, 0.3290, 1.0], primaries=[0.64, 0.33, 1, 0.3, 0.6, 1, 0.15, 0.06, 1], gamma=1.0
    )
    expected = srgb_to_lab(_encoded(scene(dtype=np.float32)))[..., 0]
    rows = np.ascontiguousarray(scene()[::-1, :, ::-1]).tobytes()

    def bmp(space: bytes, ends: bytes, gamma: int, profile: bytes) -> bytes:
        head = (
            struct.pack("<IiiHHIIiiII", 124, 64, 48, 1, 24, 0, len(rows), 2835, 2835, 0, 0) + bytes(16) + space + ends
        )
        head += struct.pack("<3I", *[gamma] * 3) + struct.pack(
            "<4I", 4, 124 + len(rows) if profile else 0, len(profile), 0
        )
        return b"BM" + struct.pack("<IHHI", 14 + 124 + len(rows) + len(profile), 0, 0, 138) + head + rows + profile

    (tmp_path / "a.bmp").write_bytes(bmp(b"DEBM", bytes(36), 0, linear))
    y = np.array([[0.4125, 0.2127, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9503]])
    (tmp_path / "b.bmp").write_bytes(bmp(bytes(4), np.rint(y * 2**30).astype("<u4").tobytes(), 65536, b""))
    (tmp_path / "c.bmp").write_bytes(bmp(b"BGRs", bytes(36), 0, b""))
    for name in ("a.bmp", "b.bmp"):
        picture = read_picture(tmp_path / name)
        assert np.abs(lightness(picture.pixels, picture.space) - expected).max() < 0.6
    picture = read_picture(tmp_path / "c.bmp")
    assert np.abs(lightness(picture.pixels) - srgb_to_lab(scene(dtype=np.float32))[..., 0]).max() < 0.6


def _encoded(linear: np.ndarray) -> np.ndarray:
    """Linear light in sRGB's tone curve, by the formula of IEC 61966-2-1."""
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def test_avif_agrees_with_pillow(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    path = save(tmp_path / "a.avif", scene(), exif=exif.tobytes(), quality=90)
    picture = read_picture(path)
    with Image.open(path) as image:
        expected = np.rot90(np.asarray(image), -1)
    np.testing.assert_array_equal(picture.pixels, expected)


def test_bits_of_avif_that_are_lost_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.avif").write_bytes(imagecodecs.avif_encode(scene(dtype=np.uint16) >> 6, bitspersample=10))
    (tmp_path / "b.avif").write_bytes(imagecodecs.avif_encode(scene()))
    read_picture(tmp_path / "b.avif")
    assert not caplog.text
    assert np.abs(read_picture(tmp_path / "a.avif").pixels.astype(int) - scene()).max() < 12
    assert "a.avif has more than 8 bits" in caplog.text


@pytest.mark.parametrize(("name", "module"), [("a.heic", "pillow_heif"), ("a.jxl", "pillow_jxl")])
def test_optional_formats(tmp_path: Path, name: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")
    plugin = importlib.import_module(module)
    if module == "pillow_heif":
        plugin.register_heif_opener()
    profile = imagecodecs.cms_profile(
        "rgb", whitepoint=[0.3127, 0.3290, 1.0], primaries=[0.68, 0.32, 1, 0.265, 0.69, 1, 0.15, 0.06, 1], gamma=2.2
    )
    exif = Image.Exif()
    exif[315] = "someone"
    path = save(tmp_path / name, scene(), icc_profile=profile, exif=exif.tobytes(), quality=95)
    picture = read_picture(path)
    assert picture.size == (48, 64) and np.abs(picture.pixels.astype(int) - scene()).mean() < 4
    assert picture.icc == profile or module == "pillow_jxl"
    assert lightness(picture.pixels, picture.space).mean() == pytest.approx(
        lightness(scene(), read_picture(save(tmp_path / "b.png", scene(), icc_profile=profile)).space).mean(), abs=1
    )
    write_picture(tmp_path / "c.png", picture.pixels, picture)
    with Image.open(tmp_path / "c.png") as image:
        assert image.getexif()[315] == "someone"
    monkeypatch.setitem(__import__("sys").modules, module, None)
    refused(path, "pip install")


def test_jpeg_of_12_bits_is_read(tmp_path: Path) -> None:
    for channels in (1, 3):
        numbers = np.rint(scene(dtype=np.float32, channels=channels) * 4095).astype(np.uint16)
        (tmp_path / "a.jpg").write_bytes(imagecodecs.jpeg8_encode(numbers, level=99, bitspersample=12))
        picture = read_picture(tmp_path / "a.jpg")
        assert picture.pixels.dtype == np.uint16
        assert np.abs(picture.pixels / 65535 - numbers / 4095).max() < 0.02
        write_picture(tmp_path / f"b{channels}.jpg", scene(), picture)


def test_jpeg_kinds_that_are_refused_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(imagecodecs.ljpeg_encode(scene(dtype=np.uint16, channels=1)))
    refused(tmp_path / "a.jpg", "a lossless JPEG")
    data = imagecodecs.jpegls_encode(GREY)
    (tmp_path / "a.jpg").write_bytes(data)
    refused(tmp_path / "a.jpg", "JPEG-LS")


def test_cmyk_jpeg_agrees_with_pillow(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jpg", scene(), "CMYK", quality=95)
    with Image.open(path) as image:
        ink = np.asarray(image).astype(float) / 255
    expected = (1 - ink[..., :3]) * (1 - ink[..., 3:]) * 255
    assert np.abs(read_picture(path).pixels - expected).max() <= 1


def png(width: int, height: int, header: bytes, raw: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    parts = [
        (b"IHDR", struct.pack(">II", width, height) + header),
        *chunks,
        (b"IDAT", zlib.compress(raw)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (9, 17), (33, 20)])
@pytest.mark.parametrize(("color", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_interlaced_16_bit_png(
    tmp_path: Path, size: tuple[int, int], color: int, channels: int, capfd: pytest.CaptureFixture
) -> None:
    height, width = size
    pixels = np.random.default_rng(0).integers(0, 65536, (height, width, channels)).astype(np.uint16)
    raw = b""
    for x, y, dx, dy in (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ):
        part = pixels[y::dy, x::dx]
        raw += b"".join(b"\0" + row.astype(">u2").tobytes() for row in part if row.size)
    (tmp_path / "a.png").write_bytes(png(width, height, bytes((16, color, 0, 0, 1)), raw))
    picture = read_picture(tmp_path / "a.png")
    colors = pixels[..., : channels - (channels in (2, 4))]
    np.testing.assert_array_equal(picture.pixels.reshape(colors.shape), colors)
    if channels in (2, 4):
        np.testing.assert_array_equal(picture.alpha, pixels[..., -1])
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.6])
@pytest.mark.parametrize("channels", [1, 3])
def test_png_gamma_is_honoured_and_carried(tmp_path: Path, gamma: float, channels: int) -> None:
    pixels = scene(dtype=np.uint16, channels=channels)
    raw = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    chunk = (b"gAMA", struct.pack(">I", round(1e5 / gamma)))
    (tmp_path / "a.png").write_bytes(png(64, 48, bytes((16, 0 if channels == 1 else 2, 0, 0, 0)), raw, chunk))
    picture = read_picture(tmp_path / "a.png")
    expected = srgb_to_lab(_encoded((pixels / 65535) ** gamma).reshape(48, 64, -1) * np.ones(3))[..., 0]
    assert np.abs(lightness(picture.pixels, picture.space) - expected).max() < 0.2
    write_picture(tmp_path / "b.png", picture.pixels if channels == 3 else np.dstack([picture.pixels] * 3), picture)
    again = read_picture(tmp_path / "b.png")
    assert np.abs(lightness(again.pixels, again.space) - expected).max() < 0.2
    with Image.open(tmp_path / "b.png") as image:
        assert image.info.get("icc_profile") and "gamma" not in image.info


def test_png_colour_chunks_in_their_order(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    raw = b"".join(b"\0" + row.tobytes() for row in GREY)
    linear, standard = (b"gAMA", struct.pack(">I", 100_000)), (b"gAMA", struct.pack(">I", 45_455))
    header = bytes((8, 0, 0, 0, 0))
    for chunks in ((standard,), (linear, (b"sRGB", b"\0")), (linear, (b"cICP", bytes((1, 13, 0, 1))))):
        (tmp_path / "a.png").write_bytes(png(64, 48, header, raw, *chunks))
        np.testing.assert_array_equal(read_picture(tmp_path / "a.png").pixels, GREY)
        assert read_picture(tmp_path / "a.png").icc is None
    (tmp_path / "a.png").write_bytes(png(64, 48, header, raw, (b"cICP", bytes((9, 16, 0, 1)))))
    refused(tmp_path / "a.png", "HDR")
    (tmp_path / "a.png").write_bytes(png(64, 48, header, raw, (b"gAMA", bytes(4))))
    picture = read_picture(tmp_path / "a.png")
    np.testing.assert_array_equal(picture.pixels, GREY)
    assert "gAMA" in picture.metadata.lost[0]


@pytest.mark.parametrize(
    ("start", "words"),
    [(b"8BPS\0\1", "Photoshop"), (b"\0\5\x16\7" + bytes(40), "AppleDouble"), (b"%PDF-1.4", "PDF"),
     (b"gimp xcf v011", "GIMP"),
     (b"II*\0\x10\0\0\0CR\2\0", "raw camera"), (b"PK\3\4", "archive"), (b"<?xml?><svg>", "SVG"), (b"Pf\n1 1\n", "PFM"),
     (b"\0\0\0\x20ftypisom", "film"), (b"\0\0\0\x20ftypcrx ", "raw camera"), (b"words", "no picture")],
)  # fmt: skip
def test_other_files_are_named(tmp_path: Path, start: bytes, words: str) -> None:
    (tmp_path / "a.jpg").write_bytes(start.ljust(64, b" "))
    refused(tmp_path / "a.jpg", words)


def test_a_pipe_is_no_picture(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "a.jpg")
    refused(tmp_path / "a.jpg", "no file")


def test_io_errors_name_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + io.BytesIO(b"x" * 50).getvalue())
    refused(tmp_path / "a.png", "damaged")
