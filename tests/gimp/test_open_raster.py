"""Layered results of albums (OpenRaster) opened in GIMP: layers, their names and visibility and pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from host import Host
from PIL import Image, ImageCms

from t2c_engine.albums.job import AlbumJob, Format
from t2c_engine.albums.run import Means, job_items, open_journal, run_job
from t2c_engine.palettes.palette import Palette
from t2c_engine.pictures.picture import read_picture
from tests import fakes
from tests.inline_executor import Inline

PALETTES = ("#8c2f1b,#d98c3f,#f2d8a7,#5b6b3a,#2b2a33", "#1b2a41,#2c4a6f,#5f8fb5,#b9c9dc,#e8eef2")


@pytest.fixture(scope="module")
def facts(host: Host, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What GIMP says of a grey JPEG's file, and of one of an RGB PNG with 16 bits and a profile."""
    here = tmp_path_factory.mktemp("album")
    ramp = np.add.outer(np.arange(40) * 3, np.arange(60) * 2).astype(np.uint8)
    (here / "scans").mkdir()
    Image.fromarray(ramp).save(here / "scans" / "grey.jpg", quality=95)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(np.stack([ramp, ramp // 2, 255 - ramp], -1)).save(here / "scans" / "rgb.png", icc_profile=profile)
    job = AlbumJob((str(here / "scans"),), host.share / "layered", palette="x", format=Format.ORA)
    items = job_items(job, tuple(Palette.from_hex(one) for one in PALETTES))
    with open_journal(job, items) as journal:
        means = Means(Inline, 1, 1 << 30, lambda models: fakes.Colorizer())
        assert [one.error for one in run_job(items, journal, means)] == [None, None]
    (plugin,) = host.root.glob("usr/lib/*/gimp/3.0/plug-ins/file-openraster")
    link = host.share / "stock" / plugin.name
    link.symlink_to("/" + str(plugin.relative_to(host.root)))
    outcome = host.batch(
        """
        for name in ("grey", "rgb"):
            image = load(f"/share/layered/{name}-1.ora")
            layers = image.get_layers()
            dump(f"/share/{name}.original", pixels(layers[-1]))
            dump(f"/share/{name}.top", pixels(layers[0]))
            dump(f"/share/{name}.shown", composite(image))
            say(**{name: {
                "names": [one.get_name() for one in layers], "visible": [one.get_visible() for one in layers],
                "size": [image.get_width(), image.get_height()],
                "opacity": [one.get_opacity() for one in layers],
            }})
        """
    )
    link.unlink()
    assert outcome.code == 0, outcome.text[-3000:]
    return {**outcome.facts, "share": host.share, "scans": here / "scans"}


@pytest.mark.parametrize("name", ["grey", "rgb"])
def test_gimp_opens_the_layers_of_an_album(facts: dict[str, Any], name: str):
    told = facts[name]
    assert told["size"] == [60, 40] and told["opacity"] == [100.0] * 3
    assert told["visible"] == [True, False, True]
    assert all(one.lower() in told["names"][0].lower() for one in PALETTES[0].split(","))
    assert told["names"][-1].startswith("Original ")
    shown, top, original = (
        np.frombuffer(Path(facts["share"], f"{name}.{which}").read_bytes(), np.uint8).reshape(40, 60, -1)[..., :3]
        for which in ("shown", "top", "original")
    )
    np.testing.assert_array_equal(shown, top)
    assert np.ptp(top.astype(int), axis=2).max() > 5
    (path,) = facts["scans"].glob(f"{name}.*")
    pixels = read_picture(path).pixels
    expected = np.repeat(pixels[..., None], 3, 2) if pixels.ndim == 2 else pixels
    assert np.abs(original.astype(int) - expected).max() <= 1
