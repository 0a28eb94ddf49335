"""Pictures under every kind of profile: lightness as LittleCMS finds it, or a word that the profile is left out."""

import io
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from t2c_engine.color.lab import srgb_to_lab
from t2c_engine.color.rgb_spaces import srgb_profile
from t2c_engine.pictures.picture import lightness, read_picture, write_picture
from tests.pictures.builders import curve, profile, table_profile
from tests.pictures.scenes import scene

D65, WIDE = [0.3127, 0.3290, 1.0], [0.68, 0.32, 1, 0.265, 0.69, 1, 0.15, 0.06, 1]
RAMP = np.linspace(0, 1, 256)
GREY = np.tile(np.arange(256, dtype=np.uint8), (8, 1))


def littlecms(image: Image.Image, icc: bytes) -> np.ndarray:
    """H x W x 3 sRGB, by Pillow."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    srgb = ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(
        image, source, srgb, outputMode="RGB", renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC
    )
    assert converted is not None
    return np.asarray(converted)


def lab_of(numbers: np.ndarray, icc: bytes, space: str) -> np.ndarray:
    """L of float numbers by LittleCMS itself, without its shortcuts for 8 bits."""
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    return imagecodecs.cms_transform(
        numbers.astype(np.float32), icc, lab, colorspace=space, outcolorspace="lab", outdtype="f4", intent=1
    ).reshape(*GREY.shape, 3)[..., 0]


def grey_table(numbers: np.ndarray) -> np.ndarray:
    return np.stack((100 * numbers[:, 0] ** 0.7, 0 * numbers[:, 0], 0 * numbers[:, 0]), 1)


def rgb_table(numbers: np.ndarray) -> np.ndarray:
    red, green, blue = numbers.T
    return np.stack((100 * (0.3 * red + 0.5 * green + 0.2 * blue) ** 0.8, (red - green) * 50, (green - blue) * 40), 1)


def cmyk_table(numbers: np.ndarray) -> np.ndarray:
    cyan, magenta, yellow, black = numbers.T
    light = 100 - 65 * black - 35 * (cyan + magenta + yellow) / 3 * (1 - black)
    return np.stack((light, (magenta - cyan) * 40, (yellow - magenta) * 40), 1)


GREY_PROFILES = {
    "XYZ": profile(b"GRAY", b"XYZ ", {b"kTRC": curve(RAMP**1.8)}),
    "Lab": profile(b"GRAY", b"Lab ", {b"kTRC": curve(RAMP)}),  # number = L
    "Lab curve": profile(b"GRAY", b"Lab ", {b"kTRC": curve(RAMP**0.6)}),
    "mft2": table_profile(b"GRAY", 1, grey_table, 33),
    "mAB": table_profile(b"GRAY", 1, grey_table, 33, "mAB"),
    "littlecms": imagecodecs.cms_profile("gray", whitepoint=D65, gamma=2.6),
}


@pytest.mark.parametrize("name", GREY_PROFILES)
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_grey_profiles(tmp_path: Path, name: str, suffix: str) -> None:
    icc = GREY_PROFILES[name]
    Image.fromarray(GREY).save(tmp_path / f"a{suffix}", icc_profile=icc, quality=100)
    with Image.open(tmp_path / f"a{suffix}") as image:
        expected = lab_of(np.asarray(image) / 255, icc, "gray")
    picture = read_picture(tmp_path / f"a{suffix}")
    assert picture.icc == srgb_profile() and picture.pixels.ndim == 2
    difference = np.abs(lightness(picture.pixels) - expected)
    assert difference.mean() < 0.15 and difference.max() < 0.5
    write_picture(tmp_path / "b.png", np.dstack([picture.pixels] * 3), picture)
    assert read_picture(tmp_path / "b.png").icc == srgb_profile()


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
@pytest.mark.parametrize("name", ["Lab", "mft2"])
def test_deep_grey_profiles(tmp_path: Path, dtype: type, name: str) -> None:
    full = 1 if dtype is np.float32 else 65535
    numbers = np.tile(np.linspace(0, 1, 256), (8, 1))
    pixels = (numbers * full).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack", iccprofile=GREY_PROFILES[name])
    picture = read_picture(tmp_path / "a.tif")
    expected = lab_of(pixels / full, GREY_PROFILES[name], "gray")
    assert picture.pixels.dtype == dtype
    assert np.abs(lightness(picture.pixels) - expected).max() < 0.02


def test_grey_under_an_rgb_profile_keeps_it(tmp_path: Path) -> None:
    for gamma in (1.0, 1.8):
        icc = imagecodecs.cms_profile("rgb", whitepoint=D65, primaries=WIDE, gamma=gamma)
        Image.fromarray(GREY).save(tmp_path / "a.png", icc_profile=icc)
        picture = read_picture(tmp_path / "a.png")
        expected = lab_of(np.repeat(GREY[..., None] / 255, 3, 2), icc, "rgb")
        assert picture.icc == icc
        assert np.abs(lightness(picture.pixels, picture.space) - expected).max() < 0.1
    icc = table_profile(b"RGB ", 3, rgb_table)
    Image.fromarray(GREY).save(tmp_path / "a.png", icc_profile=icc)
    picture = read_picture(tmp_path / "a.png")
    expected = lab_of(np.repeat(GREY[..., None] / 255, 3, 2), icc, "rgb")
    assert picture.icc == srgb_profile()
    assert np.abs(lightness(picture.pixels) - expected).mean() < 0.15
    Image.fromarray(GREY).save(tmp_path / "a.png", icc_profile=srgb_profile())
    assert read_picture(tmp_path / "a.png").pixels.ndim == 2


@pytest.mark.parametrize("form", ["mft2", "mAB"])
@pytest.mark.parametrize(("space", "mode"), [(b"RGB ", "RGB"), (b"CMYK", "CMYK")])
def test_tables_agree_with_pillow(tmp_path: Path, form: str, space: bytes, mode: str) -> None:
    icc = table_profile(space, len(mode), rgb_table if mode == "RGB" else cmyk_table, form=form)
    image = Image.fromarray(scene()).convert(mode)
    image.save(tmp_path / "a.tif", icc_profile=icc)
    picture = read_picture(tmp_path / "a.tif")
    assert np.abs(picture.pixels.astype(int) - littlecms(image, icc)).max() <= 2
    assert picture.icc == srgb_profile()
    if mode == "CMYK":
        image.save(tmp_path / "a.jpg", icc_profile=icc, quality=95)
        with Image.open(tmp_path / "a.jpg") as packed:
            expected = littlecms(packed, icc).astype(int)
        assert np.abs(read_picture(tmp_path / "a.jpg").pixels - expected).max() <= 3


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_deep_cmyk(tmp_path: Path, dtype: type) -> None:
    icc = table_profile(b"CMYK", 4, cmyk_table)
    ink = scene(8, 256, np.float32, 4)
    pixels = ink if dtype is np.float32 else np.rint(ink * 65535).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="separated", iccprofile=icc)
    picture = read_picture(tmp_path / "a.tif")
    expected = lab_of(ink * 100, icc, "cmyk")
    found = srgb_to_lab(picture.pixels.astype(np.float64) / (1 if dtype is np.float32 else 65535))[..., 0]
    assert picture.pixels.dtype == dtype and np.abs(found - expected).max() < 0.5


def test_profiles_that_do_not_fit_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    grey, wide = GREY_PROFILES["XYZ"], imagecodecs.cms_profile("rgb", whitepoint=D65, primaries=WIDE, gamma=1.8)
    link = profile(b"RGB ", b"RGB ", {}, kind=b"link")
    cases = [
        (scene(), grey, "not for a RGB picture"),
        (GREY, table_profile(b"CMYK", 4, cmyk_table), "not for a grey picture"),
        (scene(), wide[:300], "damaged"),
        (scene(), b"nonsense" * 40, "damaged"),
        (GREY, b"nonsense" * 40, "damaged"),
        (scene(), link, "damaged or of a kind"),
        (scene(), table_profile(b"5CLR", 5, lambda numbers: rgb_table(numbers[:, :3]), 3), "not for a RGB picture"),
    ]
    for index, (pixels, icc, words) in enumerate(cases):
        caplog.clear()
        path = tmp_path / f"{index}.png"
        Image.fromarray(pixels).save(path, icc_profile=icc)
        picture = read_picture(path)
        np.testing.assert_array_equal(picture.pixels, pixels)
        assert picture.icc is None and words in caplog.text and path.name in caplog.text
        assert "cms" not in caplog.text.lower().replace("littlecms", "")


def test_adobe_rgb_by_exif_alone(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x8769] = {40961: 65535, 40965: {1: "R03"}}
    Image.fromarray(scene()).save(tmp_path / "a.jpg", exif=exif, quality=98, subsampling=0)
    picture = read_picture(tmp_path / "a.jpg")
    adobe = imagecodecs.cms_profile(
        "rgb", whitepoint=D65, primaries=[0.64, 0.33, 1, 0.21, 0.71, 1, 0.15, 0.06, 1], gamma=563 / 256
    )
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    numbers = (picture.pixels / 255).astype(np.float32)
    expected = imagecodecs.cms_transform(numbers, adobe, lab, colorspace="rgb", outcolorspace="lab", outdtype="f4")
    # up to half an L apart, for LittleCMS has D50 and the project D65
    assert np.abs(lightness(picture.pixels, picture.space) - expected[..., 0]).max() < 0.5
    assert np.abs(lightness(picture.pixels) - expected[..., 0]).max() > 3
