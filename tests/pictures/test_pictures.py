"""Picture files in and out: every kind that is read, every kind that is refused, and what travels along."""

import errno
import io
import logging
import struct
import zlib
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from t2c_engine import files
from t2c_engine.color.lab import lab_to_srgb, srgb_to_lab
from t2c_engine.color.rgb_spaces import srgb_profile
from t2c_engine.errors import OutputError, PictureError
from t2c_engine.pictures import decode
from t2c_engine.pictures.metadata import Metadata
from t2c_engine.pictures.picture import (
    Picture,
    lightness,
    read_picture,
    small_lightness,
    small_size,
    small_srgb,
    write_picture,
)
from tests.pictures.scenes import scene

SUFFIXES = [".jpg", ".png", ".tif", ".webp"]
D65, WIDE = [0.3127, 0.3290, 1.0], [0.68, 0.32, 1, 0.265, 0.69, 1, 0.15, 0.06, 1]


def save(path: Path, array: np.ndarray, **options: Any) -> Path:
    Image.fromarray(array).save(path, **options)
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("channels", [1, 3])
def test_eight_bits_there_and_back(tmp_path: Path, suffix: str, channels: int) -> None:
    pixels = scene(channels=channels)
    options: dict[str, Any] = (
        {"lossless": True} if suffix == ".webp" else {"quality": 98, "subsampling": 0} if suffix == ".jpg" else {}
    )
    picture = read_picture(save(tmp_path / f"a{suffix}", pixels, **options))
    grey_stays = channels == 1 and suffix != ".webp"  # WebP knows no grey
    assert picture.pixels.shape == ((48, 64) if grey_stays else (48, 64, 3))
    assert np.abs(picture.pixels.astype(int).reshape(48, 64, -1) - pixels.reshape(48, 64, -1)).max() <= 3
    result = scene()[..., ::-1].copy()
    write_picture(tmp_path / f"b{suffix}", result, picture)
    again = read_picture(tmp_path / f"b{suffix}")
    assert again.format == picture.format and again.pixels.dtype == np.uint8
    assert np.abs(again.pixels.astype(int) - result).max() <= (4 if suffix == ".jpg" else 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"a{suffix}", f"b{suffix}"]


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(("suffix", "dtype"), [(".png", np.uint16), (".tif", np.uint16), (".tif", np.float32)])
def test_deep_pictures_there_and_back(tmp_path: Path, suffix: str, dtype: type, channels: int) -> None:
    pixels = scene(dtype=dtype, channels=channels)
    path = tmp_path / f"a{suffix}"
    if suffix == ".png":
        path.write_bytes(imagecodecs.png_encode(pixels))
    else:
        tifffile.imwrite(path, pixels, extrasamples=["unassalpha"] if channels == 4 else None,
                         photometric="minisblack" if channels == 1 else "rgb")  # fmt: skip
    picture = read_picture(path)
    np.testing.assert_array_equal(picture.pixels, pixels[..., :3] if channels > 1 else pixels)
    assert picture.pixels.dtype == dtype
    result = scene(dtype=dtype)[:, :, ::-1].copy()
    write_picture(tmp_path / f"b{suffix}", result, picture)
    again = read_picture(tmp_path / f"b{suffix}")
    np.testing.assert_array_equal(again.pixels, result)
    if channels == 4:
        assert picture.alpha is not None and again.alpha is not None
        np.testing.assert_array_equal(picture.alpha, pixels[..., 3])
        np.testing.assert_array_equal(again.alpha, pixels[..., 3])
    else:
        assert again.alpha is None


def test_depth_is_rounded_where_the_format_needs_it(tmp_path: Path) -> None:
    deep = Picture(scene(dtype=np.float32))
    write_picture(tmp_path / "a.png", scene(dtype=np.float32), deep)
    again = read_picture(tmp_path / "a.png").pixels
    assert again.dtype == np.uint16
    np.testing.assert_allclose(again / 65535, scene(dtype=np.float32), atol=0.6 / 65535)
    write_picture(tmp_path / "a.webp", scene(dtype=np.uint16), deep)
    np.testing.assert_allclose(read_picture(tmp_path / "a.webp").pixels / 255, scene() / 255, atol=1.1 / 255)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_alpha_travels(tmp_path: Path, suffix: str) -> None:
    array = scene(channels=4)
    picture = read_picture(save(tmp_path / f"a{suffix}", array, **({"lossless": True} if suffix == ".webp" else {})))
    write_picture(tmp_path / f"b{suffix}", scene(), picture)
    again = read_picture(tmp_path / f"b{suffix}")
    assert again.alpha is not None
    np.testing.assert_array_equal(again.alpha, array[..., 3])
    np.testing.assert_array_equal(again.pixels, scene())


def test_jpeg_leaves_alpha_out_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_picture(tmp_path / "a.jpg", scene(), Picture(scene(), alpha=scene(channels=1)))
    assert "transparency" in caplog.text
    assert read_picture(tmp_path / "a.jpg").alpha is None


def test_associated_alpha_is_undone(tmp_path: Path) -> None:
    colour, alpha = scene(), np.full((48, 64), 128, np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", np.dstack((np.rint(colour * (128 / 255)).astype(np.uint8), alpha)),
                     photometric="rgb", extrasamples=["assocalpha"])  # fmt: skip
    assert np.abs(read_picture(tmp_path / "a.tif").pixels.astype(int) - colour).max() <= 2


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_and_reset(tmp_path: Path, suffix: str, orientation: int) -> None:
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[271] = "A maker"
    exif.get_ifd(0x8769).update({36867: "2001:02:03 04:05:06", 40962: 64, 40963: 48})
    exif[0x8769] = exif.get_ifd(0x8769)
    path = save(tmp_path / f"a{suffix}", scene(), exif=exif.tobytes(), dpi=(300, 200))
    with Image.open(path) as source:
        upright = np.asarray(ImageOps.exif_transpose(source).convert("RGB")).astype(int)
    picture = read_picture(path)
    assert np.abs(picture.pixels.astype(int) - upright).max() == 0
    write_picture(tmp_path / f"b{suffix}", picture.pixels, picture)
    with Image.open(tmp_path / f"b{suffix}") as image:
        written = image.getexif()
        assert image.size == (upright.shape[1], upright.shape[0])
        assert written.get(0x0112) == 1
        assert written[271] == "A maker"
        directory = written.get_ifd(0x8769)
        assert directory[36867] == "2001:02:03 04:05:06"
        assert (directory[40962], directory[40963]) == image.size
        if suffix != ".webp":
            expected = (200, 300) if orientation > 4 else (300, 200)
            assert tuple(round(value) for value in image.info["dpi"]) == expected
    again = read_picture(tmp_path / f"b{suffix}")
    assert again.pixels.shape == picture.pixels.shape


def test_deep_tiff_keeps_metadata(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[315] = "An artist"
    exif[0x8769] = {36867: "2001:02:03 04:05:06", 33434: 0.5}
    exif[0x8825] = {1: "N", 2: (1.0, 2.0, 3.0)}
    xmp = b'<x:xmpmeta><rdf tiff:Orientation="6"/></x:xmpmeta>'
    like = Picture(scene(dtype=np.uint16), icc=srgb_profile(),
                   metadata=Metadata(exif=exif.tobytes(), xmp=xmp, dpi=(300, 300)))  # fmt: skip
    write_picture(tmp_path / "a.tif", scene(dtype=np.uint16), like)
    again = read_picture(tmp_path / "a.tif")
    assert again.icc == srgb_profile()
    assert again.metadata.dpi == (300, 300)
    assert again.metadata.xmp == xmp.replace(b"6", b"1")
    assert again.metadata.exif is not None
    read = Image.Exif()
    read.load(again.metadata.exif)
    assert read[315] == "An artist"
    assert dict(read.get_ifd(0x8769)) == {36867: "2001:02:03 04:05:06", 33434: 0.5}
    assert read.get_ifd(0x8825)[2] == (1.0, 2.0, 3.0)
    write_picture(tmp_path / "b.tif", again.pixels, again)  # and once more, from what was read
    assert read_picture(tmp_path / "b.tif").metadata.exif == again.metadata.exif


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_profile_and_xmp_travel(tmp_path: Path, suffix: str) -> None:
    profile = imagecodecs.cms_profile("rgb", whitepoint=D65, primaries=WIDE, gamma=2.2)
    like = Picture(scene(), icc=profile, metadata=Metadata(xmp=b"<x:xmpmeta>words</x:xmpmeta>"))
    write_picture(tmp_path / f"a{suffix}", scene(), like)
    again = read_picture(tmp_path / f"a{suffix}")
    assert again.icc == profile and again.metadata.xmp == like.metadata.xmp
    with Image.open(tmp_path / f"a{suffix}") as image:
        assert image.info["icc_profile"] == profile


def test_exif_too_long_for_jpeg_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    exif = Image.Exif()
    exif[270] = "x" * 70_000
    write_picture(tmp_path / "a.jpg", scene(), Picture(scene(), metadata=Metadata(exif=exif.tobytes())))
    assert "too long" in caplog.text
    write_picture(tmp_path / "a.png", scene(), Picture(scene(), metadata=Metadata(exif=exif.tobytes())))
    assert read_picture(tmp_path / "a.png").metadata.exif is not None


def test_lightness_is_right_under_the_profile(tmp_path: Path) -> None:
    profile = imagecodecs.cms_profile("rgb", whitepoint=D65, primaries=WIDE, gamma=1.8)
    inside = lab_to_srgb(srgb_to_lab(scene(dtype=np.float32)) * [1, 0.5, 0.5]).astype(np.float32)
    wide = imagecodecs.cms_transform(inside, srgb_profile(), profile, colorspace="rgb", outcolorspace="rgb", intent=1)
    tifffile.imwrite(tmp_path / "a.tif", wide, photometric="rgb", iccprofile=profile)
    picture = read_picture(tmp_path / "a.tif")
    expected = srgb_to_lab(inside)[..., 0]
    assert np.abs(lightness(picture.pixels, picture.space) - expected).max() < 0.2
    assert np.abs(lightness(picture.pixels) - expected).max() > 1  # the profile does matter
    assert np.abs(small_srgb(picture, 48) - inside).max() < 6e-3


def test_grey_profile_is_converted(tmp_path: Path) -> None:
    profile = imagecodecs.cms_profile("gray", whitepoint=D65, gamma=1.0)
    save(tmp_path / "a.png", np.full((4, 4), 127, np.uint8), icc_profile=profile)
    picture = read_picture(tmp_path / "a.png")
    assert picture.pixels.shape == (4, 4) and (picture.pixels == 187).all()  # linear 0.498 in sRGB
    assert picture.icc == srgb_profile()


def test_cmyk_and_palette_and_one_bit(tmp_path: Path) -> None:
    Image.fromarray(scene()).convert("CMYK").save(tmp_path / "a.jpg", quality=98)
    assert np.abs(read_picture(tmp_path / "a.jpg").pixels.astype(int) - scene()).max() < 8
    Image.fromarray(scene()).convert("CMYK").save(tmp_path / "a.tif")
    assert np.abs(read_picture(tmp_path / "a.tif").pixels.astype(int) - scene()).max() <= 2
    for name in ("p.png", "p.tif"):
        few = Image.fromarray(scene()).quantize(16)
        few.save(tmp_path / name)
        np.testing.assert_array_equal(read_picture(tmp_path / name).pixels, np.asarray(few.convert("RGB")))
    few.info["transparency"] = 0
    few.save(tmp_path / "t.png", transparency=0)
    alpha = read_picture(tmp_path / "t.png").alpha
    assert alpha is not None and set(np.unique(alpha)) == {0, 255}
    for name in ("1.png", "1.tif"):
        Image.fromarray(scene(channels=1)).convert("1").save(tmp_path / name)
        assert set(np.unique(read_picture(tmp_path / name).pixels)) == {0, 255}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_the_content_decides_the_format(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "lying.jpg"
    Image.fromarray(scene()).save(path, kind)
    assert read_picture(path).format == kind


def test_first_of_many(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    frames = [Image.fromarray(np.full((8, 8, 3), value, np.uint8)) for value in (10, 200)]
    for name in ("a.png", "a.webp", "a.tif"):
        caplog.clear()
        options: dict[str, Any] = {"lossless": True} if name == "a.webp" else {}
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], **options)
        assert (read_picture(tmp_path / name).pixels == 10).all()
        assert "first" in caplog.text


def refused(path: Path, words: str) -> None:
    with pytest.raises(PictureError, match=words) as caught:
        read_picture(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_missing_empty_and_no_pictures(tmp_path: Path) -> None:
    refused(tmp_path / "none.jpg", "does not exist")
    refused(tmp_path, "folder")
    (tmp_path / "empty.jpg").write_bytes(b"")
    refused(tmp_path / "empty.jpg", "empty")
    (tmp_path / "text.jpg").write_text("A text, not a picture.\n" * 20)
    refused(tmp_path / "text.jpg", "no picture")
    (tmp_path / "a.jpg").write_bytes(b"8BPS" + bytes(200))
    refused(tmp_path / "a.jpg", "Photoshop document")


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp", "deep.png", "deep.tif", "packed.tif"])
def test_cut_files_are_refused(tmp_path: Path, name: str, share: float) -> None:
    pixels = np.random.default_rng(0).integers(0, 65536, (64, 64, 3)).astype(np.uint16)
    if name == "deep.png":
        (tmp_path / name).write_bytes(imagecodecs.png_encode(pixels))
    elif name in ("deep.tif", "packed.tif"):
        tifffile.imwrite(tmp_path / name, pixels, photometric="rgb", compression="zlib" if name[0] == "p" else None)
    else:
        save(tmp_path / name, (pixels >> 8).astype(np.uint8))
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: int(len(data) * share)])
    refused(tmp_path / name, "damaged")


def test_nan_is_refused_and_range_is_clipped(tmp_path: Path) -> None:
    for value in (np.nan, np.inf):
        pixels = scene(dtype=np.float32)
        pixels[3, 4, 1] = value
        tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb")
        refused(tmp_path / "a.tif", "not numbers")
    tifffile.imwrite(tmp_path / "a.tif", scene(dtype=np.float32) * 3 - 1, photometric="rgb")
    pixels = read_picture(tmp_path / "a.tif").pixels
    assert pixels.min() == 0 and pixels.max() == 1


def test_bombs_are_refused_before_they_are_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    buffer = io.BytesIO()
    Image.fromarray(scene()).save(buffer, "PNG")
    data = buffer.getvalue()
    bomb = data[:16] + header + struct.pack(">I", zlib.crc32(b"IHDR" + header)) + data[33:]
    (tmp_path / "a.png").write_bytes(bomb)
    refused(tmp_path / "a.png", "too large|megapixels")
    monkeypatch.setattr(decode, "MAX_PIXELS", 1000)
    for suffix in SUFFIXES:
        save(tmp_path / f"b{suffix}", scene())
        refused(tmp_path / f"b{suffix}", "64 x 48 pixels")


@pytest.mark.parametrize("size", [(1, 1), (2, 40_000)])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
def test_odd_sizes(tmp_path: Path, suffix: str, size: tuple[int, int]) -> None:
    picture = read_picture(save(tmp_path / f"a{suffix}", scene(*size)))
    assert picture.size == size
    small = small_lightness(picture, 32)
    assert small.shape == ((32, 32) if size == (1, 1) else (8, 128))
    write_picture(tmp_path / f"b{suffix}", scene(*size), picture)
    assert read_picture(tmp_path / f"b{suffix}").size == size


def test_formats_say_what_they_cannot_hold(tmp_path: Path) -> None:
    wide = scene(2, 70_000)
    for suffix in (".jpg", ".webp"):
        with pytest.raises(OutputError, match="pixels a side"):
            write_picture(tmp_path / f"a{suffix}", wide, Picture(wide))
    with pytest.raises(OutputError, match="suffix"):
        write_picture(tmp_path / "a.bmp", wide, Picture(wide))
    assert not list(tmp_path.iterdir())


def test_existing_files_are_kept(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists"):
        write_picture(tmp_path / "a.png", scene(), Picture(scene()))
    assert (tmp_path / "a.png").read_bytes() == b"mine"
    write_picture(tmp_path / "a.png", scene(), Picture(scene()), overwrite=True)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png").pixels, scene())


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fdopen", full)
    with pytest.raises(OutputError, match="No space left"):
        write_picture(tmp_path / "a.png", scene(), Picture(scene()))
    assert not list(tmp_path.iterdir())


def test_lightness_of_every_depth() -> None:
    expected = srgb_to_lab(scene(dtype=np.float32).astype(np.float64))[..., 0]
    for dtype, tolerance in ((np.uint8, 0.5), (np.uint16, 2e-3), (np.float32, 1e-4)):
        result = lightness(scene(dtype=dtype))
        assert result.dtype == np.float32
        assert np.abs(result - expected).max() < tolerance
    np.testing.assert_allclose(lightness(np.array([[0, 119, 255]], np.uint8)), [[0, 50.03, 100]], atol=0.01)


def test_small_lightness_is_the_area_mean() -> None:
    pixels = scene(480, 640)
    small = small_lightness(Picture(pixels), 48)
    assert small.shape == (48, 64) and small.dtype == np.float32
    blocks = lightness(pixels).reshape(48, 10, 64, 10).mean((1, 3))
    assert np.abs(small - blocks).max() < 0.05


@given(st.integers(1, 50_000), st.integers(1, 50_000), st.integers(32, 512))
def test_small_size(height: int, width: int, short: int) -> None:
    h, w = small_size((height, width), short)
    assert min(h, w) >= 8 and max(h, w) <= 4 * short
    if max(height, width) <= 4 * min(height, width):
        assert min(h, w) == short
        assert abs(h * width - w * height) <= max(height, width)  # aspect kept to half a pixel
