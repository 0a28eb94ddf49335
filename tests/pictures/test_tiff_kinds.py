"""TIFF files of every photometric kind, page and number: converted as other libraries do, or refused."""

import io
import logging
import struct
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from t2c_engine.errors import PictureError
from t2c_engine.pictures.picture import lightness, read_picture
from tests.pictures.builders import page, tiff
from tests.pictures.scenes import scene

RGB = scene(32, 48)
GREY = scene(32, 48, channels=1)


def refused(path: Path, words: str, **options: int) -> None:
    with pytest.raises(PictureError, match=words) as caught:
        read_picture(path, **options)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("orientation", [1, 3])
def test_plain_ycbcr_is_converted(tmp_path: Path, order: str, big: bool, orientation: int) -> None:
    ycbcr = np.asarray(Image.fromarray(RGB).convert("YCbCr"))
    data = tiff([page(ycbcr, 6, order, t530=(3, [1, 1]), t274=(3, orientation))], order, big)
    (tmp_path / "a.tif").write_bytes(data)
    pixels = read_picture(tmp_path / "a.tif").pixels
    pixels = pixels[::-1, ::-1] if orientation == 3 else pixels
    assert np.abs(pixels.astype(int) - RGB).max() <= 3


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"])
def test_ycbcr_agrees_with_pillow(tmp_path: Path, compression: str) -> None:
    image = Image.fromarray(RGB).convert("YCbCr")
    image.save(tmp_path / "a.tif", compression=None if compression == "raw" else compression)
    with Image.open(tmp_path / "a.tif") as again:
        expected = np.asarray(again.convert("RGB")).astype(int)
    assert np.abs(read_picture(tmp_path / "a.tif").pixels - expected).max() <= 3


def test_a_leftover_subsampling_tag_means_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(tiff([page(RGB, 2, t530=(3, [2, 2]))]))
    np.testing.assert_array_equal(read_picture(tmp_path / "a.tif").pixels, RGB)


@pytest.mark.parametrize("scale", [1, 257])
@pytest.mark.parametrize("alpha", [False, True])
def test_colour_maps_of_8_and_16_bits(tmp_path: Path, scale: int, alpha: bool) -> None:
    table = np.zeros((3, 256), int)
    table[:, :3] = [[0, 255, 10], [128, 5, 250], [3, 4, 255]]
    indices = (np.arange(32 * 48).reshape(32, 48) % 3).astype(np.uint8)
    pixels = np.dstack((indices, 255 - indices)) if alpha else indices
    tags: dict[str, Any] = {"t338": (3, 2)} if alpha else {}
    data = tiff([page(pixels, 3, t320=(3, [int(value) for value in (table * scale).ravel()]), **tags)])
    (tmp_path / "a.tif").write_bytes(data)
    picture = read_picture(tmp_path / "a.tif")
    np.testing.assert_array_equal(picture.pixels, table.T[indices])
    if alpha:
        np.testing.assert_array_equal(picture.alpha, 255 - indices)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_white_is_zero_inverts_grey_but_not_alpha(tmp_path: Path, dtype: type) -> None:
    grey, alpha = scene(32, 48, dtype, 1), scene(32, 48, dtype, 1)[::-1].copy()
    full = np.iinfo(dtype).max
    (tmp_path / "a.tif").write_bytes(tiff([page(np.dstack((full - grey, alpha)), 0, t338=(3, 2))]))
    picture = read_picture(tmp_path / "a.tif")
    np.testing.assert_array_equal(picture.pixels, grey)
    np.testing.assert_array_equal(picture.alpha, alpha)


def test_one_bit_and_fax(tmp_path: Path) -> None:
    image = Image.fromarray(GREY).convert("1")
    expected = np.asarray(image) * np.uint8(255)
    for compression in ("raw", "group3", "group4", "packbits"):
        image.save(tmp_path / "a.tif", compression=None if compression == "raw" else compression)
        np.testing.assert_array_equal(read_picture(tmp_path / "a.tif").pixels, expected)


@pytest.mark.parametrize("depth", [8, 16, 32])
@pytest.mark.parametrize("photometric", [8, 9])
def test_lab_agrees_with_littlecms(tmp_path: Path, depth: int, photometric: int) -> None:
    y, x = np.mgrid[:32, :48] / 48
    lab = np.stack((20 + 60 * x, 30 * x - 15, 40 * y - 10), -1).astype(np.float32)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    expected = imagecodecs.cms_transform(lab, profile, srgb, colorspace="lab", outcolorspace="rgb", outdtype="f4")
    step, icc = 256 ** (depth // 8 - 1), photometric == 9
    full = 65280 if icc and depth == 16 else 2**depth - 1
    ab = np.rint((lab[..., 1:] + (128 if icc else 0)) * step).astype(np.int64) % 2 ** min(depth, 16)
    numbers = lab if depth == 32 else np.dstack((np.rint(lab[..., :1] * full / 100), ab)).astype(f"u{depth // 8}")
    (tmp_path / "a.tif").write_bytes(tiff([page(numbers, photometric)]))
    picture = read_picture(tmp_path / "a.tif")
    assert picture.pixels.dtype == (np.float32 if depth == 32 else numbers.dtype)
    expected = np.clip(expected, 0, 1)
    found = picture.pixels / (1 if depth == 32 else 2**depth - 1)
    assert np.abs(found - expected).max() < (0.012 if depth == 8 else 1e-3)
    assert np.abs(lightness(picture.pixels) - lab[..., 0]).mean() < 0.3


def test_kinds_that_are_refused_say_what_they_are(tmp_path: Path) -> None:
    five = np.dstack((RGB, GREY, GREY))
    unknown, strip = page(GREY, 1)
    del unknown[262]
    for pages, words in (
        ([page(GREY, 32803)], "raw camera data"),
        ([page(RGB, 10)], "ITU Lab"),
        ([page(GREY, 4)], "mask"),
        ([page(RGB, 99)], "unknown kind 99"),
        ([page(five, 5, t332=(3, 2), t334=(3, 5))], "5 inks"),
        ([page(GREY, 1, t346=(3, 1))], "indexed"),
        ([page(RGB, 2, t339=(3, [2, 2, 2]))], "signed"),
        ([(unknown, strip)], "does not say"),
        ([page(RGB, 2, t259=(3, 34666))], "packed by"),
    ):
        (tmp_path / "a.tif").write_bytes(tiff(pages))
        refused(tmp_path / "a.tif", words)


@pytest.mark.parametrize("photometric", ["minisblack", "rgb"])
def test_float_of_another_scale_is_refused_or_honoured(tmp_path: Path, photometric: str) -> None:
    base = scene(32, 48, np.float32, 1 if photometric == "minisblack" else 3)
    for scale in (255, 65535, 100):
        tifffile.imwrite(tmp_path / "a.tif", base * scale, photometric=photometric)
        refused(tmp_path / "a.tif", "float numbers from")
        tags = [(341, 12, 1, float(scale), True)]
        tifffile.imwrite(tmp_path / "b.tif", base * scale, photometric=photometric, extratags=tags)
        np.testing.assert_allclose(read_picture(tmp_path / "b.tif").pixels, base, atol=1e-6)
    tifffile.imwrite(tmp_path / "c.tif", base - 3, photometric=photometric)
    refused(tmp_path / "c.tif", "float numbers from")


def test_reduced_pages_are_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    full, small = page(GREY, 1), page(GREY[::2, ::2].copy(), 1)
    marked = ({**small[0], 254: (4, 1)}, small[1])
    mask = ({**full[0], 254: (4, 4), 262: (3, 4)}, full[1])
    for pages, number in (([marked, full], 2), ([small, full], 2), ([mask, full], 2), ([full, marked, mask], 1)):
        (tmp_path / "a.tif").write_bytes(tiff(pages))
        caplog.clear()
        assert read_picture(tmp_path / "a.tif").size == (32, 48)
        assert f"only page {number} is used" in caplog.text and "24 x 16" in caplog.text + "24 x 16" * (mask in pages)
    (tmp_path / "a.tif").write_bytes(tiff([marked, full]))
    assert read_picture(tmp_path / "a.tif", page=1).size == (16, 24)
    refused(tmp_path / "a.tif", "no page 3", page=3)
    refused(tmp_path / "a.tif", "no page 0", page=0)


def test_a_picture_in_a_subifd_is_found(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(GREY[::4, ::4].copy(), photometric="minisblack", subfiletype=1, subifds=1, metadata=None)
        writer.write(GREY, photometric="minisblack", metadata=None)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.tif").pixels, GREY)
    assert read_picture(tmp_path / "a.tif", page=1).size == (8, 12)


def test_channels_that_are_no_transparency_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.tif").write_bytes(tiff([page(np.dstack((RGB, GREY)), 2, t338=(3, 0))]))
    picture = read_picture(tmp_path / "a.tif")
    np.testing.assert_array_equal(picture.pixels, RGB)
    assert picture.alpha is None and "a.tif" in caplog.text and "left out" in caplog.text


def test_damaged_jpeg_in_tiff_is_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", scene(256, 256), photometric="rgb", compression="jpeg")
    assert read_picture(tmp_path / "a.tif").size == (256, 256)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        place, size = file.pages[0].dataoffsets[0], file.pages[0].databytecounts[0]
    data = bytearray((tmp_path / "a.tif").read_bytes())
    data[place + size // 2 : place + size // 2 + 40] = bytes(range(40))
    (tmp_path / "a.tif").write_bytes(data)
    refused(tmp_path / "a.tif", "damaged")


def test_nothing_is_printed_or_warned(
    tmp_path: Path, capfd: pytest.CaptureFixture, caplog: pytest.LogCaptureFixture
) -> None:
    """IPTC of a wrong type, a broken EXIF pointer: no jargon of libraries, only our sentences."""
    caplog.set_level(logging.WARNING)
    iptc = b"\x1c\x02\x05\0\x04name" + b"\0" * 3
    numbers = list(struct.unpack("<3I", iptc))
    (tmp_path / "a.tif").write_bytes(tiff([page(GREY, 1, t33723=(4, numbers), t34665=(4, 1 << 30), t305=(2, b"x\0"))]))
    picture = read_picture(tmp_path / "a.tif")
    assert picture.metadata.lost == ("EXIF data",)
    assert capfd.readouterr() == ("", "") and not caplog.text
    assert picture.metadata.photoshop is not None and iptc in picture.metadata.photoshop
    with Image.open(io.BytesIO((tmp_path / "a.tif").read_bytes())) as image:
        assert image.size == (48, 32)
