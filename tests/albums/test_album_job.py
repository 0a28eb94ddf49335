"""Album jobs: trees, captions, formats, job files, any source of colors."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from t2c_engine.albums.job import Format, Scope, read_job
from t2c_engine.albums.journal import NAME
from t2c_engine.albums.tree import leaves
from t2c_engine.batch import source_options
from t2c_engine.batch.recipe import read_recipe
from t2c_engine.errors import UsageError
from t2c_engine.palettes.palette import Palette
from t2c_engine.pictures.picture import read_picture
from tests import fakes
from tests.album_jobs import album, files, inline, run  # noqa: F401
from tests.command_line import HEX, photo, t2c

pytestmark = pytest.mark.usefixtures("fake_networks")

NAMELESS = ("", " ", ".{stem}", "../{stem}", "{folder}/{stem}")  # templates of results' names


def test_a_tree_is_kept_and_system_files_results_and_patterns_are_left_out():
    for name in ("a.jpg", "x/b.png", "x/y/c.tif", "rejects/d.jpg", "x/skip_me.png"):
        photo(f"scans/{name}")
    Path("scans/x/._b.png").write_bytes(b"\0\5\x16\7")
    Path("scans/@eaDir").mkdir()
    photo("scans/@eaDir/thumb.jpg")
    t2c("batch", "scans", "-o", "scans/out", "--palette", HEX, "--exclude", "rejects", "--exclude", "skip*")
    assert files("scans/out") == ["a-1.jpg", "x/b-1.png", "x/y/c-1.tif"]
    result = t2c("batch", "scans", "-o", "scans/out", "--palette", HEX, "--exclude", "rejects", "--exclude", "skip*")
    assert "0 pictures coloured, 3 done before" in result.stdout
    assert "choose another" in t2c("batch", "scans", "-o", "scans", "--palette", HEX, code=2).stderr


def test_pictures_that_are_gone_or_of_another_job_are_not_counted():
    for name in ("a/1.png", "a/2.png", "a/3.png", "b/4.png"):
        photo(f"scans/{name}")
    t2c("batch", "scans/b", "-o", "out", "--palette", HEX)
    command = ("batch", "scans/a", "-o", "out", "--palette", HEX)
    assert "3 pictures coloured, 0 done before" in t2c(*command).stdout
    Path("scans/a/2.png").unlink()
    assert "0 pictures coloured, 2 done before" in t2c(*command).stdout
    start, end = map(json.loads, t2c(*command, "--progress", "json").stdout.splitlines())
    assert (start["done"], end["done"]) == (2, 2)
    assert json.loads(t2c("batch", "-o", "out", "--status", "--json").stdout)["done"] == 3  # of both jobs
    photo("scans/a/2.png")
    os.utime("scans/a/2.png", ns=(0, 0))  # another file by now
    assert "1 picture coloured, 2 done before" in t2c(*command).stdout


def test_a_journal_of_an_earlier_version_is_used_and_brought_up_to_date():
    photo("scans/a.png")
    t2c("batch", "scans", "-o", "out", "--palette", HEX)
    with closing(sqlite3.connect(Path("out", NAME))) as database:
        database.execute("ALTER TABLE pictures DROP COLUMN gone")
    assert "0 pictures coloured, 1 done before" in t2c("batch", "scans", "-o", "out", "--palette", HEX).stdout


def test_several_inputs_and_equal_names_stay_apart():
    for name in ("one/a.jpg", "one/a.png", "two/a.jpg"):
        photo(name)
    t2c("batch", "one", "two", "-o", "out", "--palette", HEX)
    assert files("out") == ["one/a-1.jpg", "one/a_2-1.png", "two/a-1.jpg"]


def phrases(folder: str) -> dict[str, Any]:
    found = {name: read_recipe(Path(folder, name)) for name in files(folder)}
    return {name: recipe.colors["phrase"] for name, recipe in found.items() if recipe}


def test_captions_are_phrases():
    for name in ("a.png", "x/b.png", "x/c.png", "y/d.png"):
        photo(f"scans/{name}")
    Path("captions.csv").write_text('path,caption\na.png,"red, rose"\nx/b.png,blue sea\ny,green  wood\n', "utf-8")
    t2c("batch", "scans", "-o", "out", "--captions", "captions.csv", "--phrase", "autumn")
    expected = {"a-1.png": "red, rose", "x/b-1.png": "blue sea", "x/c-1.png": "autumn", "y/d-1.png": "green wood"}
    assert phrases("out") == expected
    Path("scans/a.txt").write_text("\ufeffold mill\n", "utf-8")
    Path("scans/x/b.png.txt").write_text("harbour", "utf-8")
    result = t2c("batch", "scans", "-o", "side", "--captions", "sidecar", code=1)
    assert phrases("side") == {"a-1.png": "old mill", "x/b-1.png": "harbour"}
    assert result.stderr.count("has no caption") == 2


@pytest.mark.parametrize("kind", ["exif", "xmp", "iptc"])
def test_titles_inside_pictures_are_captions(kind: str):
    photo("scans/a.jpg")
    image = Image.open("scans/a.jpg")
    if kind == "exif":
        exif = Image.Exif()
        exif[0x010E] = "harbour at dawn"
        image.save("scans/a.jpg", exif=exif)
    elif kind == "xmp":
        inner = b'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">harbour at dawn</rdf:li></rdf:Alt></dc:title>'
        image.save("scans/a.jpg", xmp=b"<x:xmpmeta><rdf:RDF>" + inner + b"</rdf:RDF></x:xmpmeta>")
    else:
        text = b"harbour at dawn"
        iptc = b"\x1c\x02\x78" + len(text).to_bytes(2, "big") + text
        block = b"8BIM\x04\x04\0\0" + len(iptc).to_bytes(4, "big") + iptc + b"\0" * (len(iptc) % 2)
        data = b"Photoshop 3.0\0" + block
        raw = Path("scans/a.jpg").read_bytes()
        segment = b"\xff\xed" + (len(data) + 2).to_bytes(2, "big") + data
        Path("scans/a.jpg").write_bytes(raw[:2] + segment + raw[2:])
    t2c("batch", "scans", "-o", "out", "--captions", "metadata")
    assert phrases("out") == {"a-1.jpg": "harbour at dawn"}


@pytest.mark.parametrize(("scope", "different"), [(Scope.ALBUM, 1), (Scope.FOLDER, 2), (Scope.PICTURE, 3)])
def test_palettes_are_drawn_for_album_folder_or_picture(scope: Scope, different: int):
    for name in ("a/1.png", "a/2.png", "b/3.png"):
        photo(f"scans/{name}")
    results = run(album(phrase="autumn", scope=scope))
    assert len({result.results[0].palette for result in results}) == different


def test_formats_names_and_sidecars():
    photo("scans/sub/a.jpg")
    run(album(format=Format.TIFF16, name="{folder}_{stem}_{phrase}", phrase="Deep Sea", sidecar=True))
    assert files("out") == ["sub/sub_a_deep-sea-1.tif", "sub/sub_a_deep-sea-1.tif.json"]
    deep = tifffile.imread("out/sub/sub_a_deep-sea-1.tif")
    assert deep.dtype == np.uint16 and len(np.unique(deep)) > 256  # more than 8 bits hold
    sidecar = json.loads(Path("out/sub/sub_a_deep-sea-1.tif.json").read_text("utf-8"))
    assert sidecar["colors"]["phrase"] == "Deep Sea" and sidecar["input"] == "a.jpg"


def test_changed_inputs_are_made_again_and_touched_results_stay():
    photo("scans/a.png")
    photo("scans/b.png")
    run(album())
    before = {name: Path("out", name).read_bytes() for name in ("a-1.png", "b-1.png")}
    photo("scans/a.png", least=120)
    photo("scans/b.png", least=120)
    with Image.open("out/b-1.png") as image:  # retouched by a person, recipe kept
        xmp = image.info["XML:com.adobe.xmp"]
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", xmp)
        image.rotate(180).save("out/b-1.png", pnginfo=info)
    touched = Path("out/b-1.png").read_bytes()
    assert sorted(result.input.name for result in run(album())) == ["a.png", "b.png"]
    assert Path("out/a-1.png").read_bytes() != before["a-1.png"]
    assert Path("out/b-1.png").read_bytes() == touched and len(files("out")) == 3
    assert run(album()) == []
    os.remove("out/a-1.png")
    assert [result.input.name for result in run(album())] == ["a.png"]


def test_a_job_file_says_it_all():
    photo("box/scans/a.png")
    Path("box/job.toml").write_text(
        'inputs = ["scans"]\noutput = "done"\nphrase = "autumn"\ncount = 2\nformat = "jpeg"\n'
    )
    t2c("batch", "box/job.toml")
    assert files("box/done") == ["a-1.jpg", "a-2.jpg"]
    assert json.loads(t2c("batch", "box/job.toml", "--status", "--json").stdout)["done"] == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("inputs = [", "no TOML"),
        ('inputs = ["a"]\noutput = "o"\nfrase = "x"', "unknown key 'frase'"),
        ('output = "o"', "lacks 'inputs'"),
        ('inputs = ["a"]\noutput = "o"\nphrase = 3', "'phrase' has a value of the wrong kind"),
        ('inputs = ["a"]\noutput = "o"\nphrase = "x"\nformat = "bmp"', "must be one of same"),
        ('inputs = ["a"]\noutput = "o"', "takes one of"),
        ('inputs = ["a"]\noutput = "o"\nauto = true\npalette = "#123"', "takes one of"),
        ('inputs = ["a"]\noutput = "o"\nauto = true\nname = "{what}"', "no template"),
        *((f'inputs = ["a"]\noutput = "o"\nauto = true\nname = "{name}"', "names no file") for name in NAMELESS),
    ],
)
def test_wrong_job_files_are_sentences(text: str, words: str, tmp_path: Path):
    (tmp_path / "job.toml").write_text(text)
    with pytest.raises(UsageError, match=words):
        read_job(tmp_path / "job.toml")


def test_any_source_passes_through_a_job(monkeypatch: pytest.MonkeyPatch):
    """A source that this version does not know: one dataclass and one line make it an option of jobs."""

    @dataclass(frozen=True)
    class FileColors:
        files: tuple[Path, ...]
        share: float = 0.5
        keep: bool = False

        result_count, label = 1, "files"

        def palettes(self, model: str | None) -> tuple[Palette, ...]:
            return (Palette.from_hex(self.files[0].read_text()),)

        def as_json(self) -> dict[str, Any]:
            return {"given": True}

    monkeypatch.setitem(source_options.SOURCES, "file", FileColors)
    photo("box/scans/a.png")
    Path("box/my colors.txt").write_text(HEX)
    Path("box/job.toml").write_text(
        'inputs = ["scans"]\noutput = "out"\ncolors = "file \'files=my colors.txt\' share=0.2 keep=true"\n'
    )
    job = read_job(Path("box/job.toml"))
    assert job.colors == FileColors((Path("box/my colors.txt"),), 0.2, True)
    (result,) = run(job)
    assert result.error is None and list(result.results[0].palette.hex) == HEX.split(",")
    assert run(job) == []
    assert len(run(replace(job, colors=FileColors((Path("box/my colors.txt"),), 0.3)))) == 1  # wanted otherwise
    t2c("batch", "box/scans", "-o", "auto", "--colors", "auto decoding=mean")
    recipe = read_recipe(Path("auto/a-1.png"))
    assert recipe is not None and recipe.colors["decoding"] == "mean"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "names no colours"),
        ("phrase 'a", "names no colours"),
        ("paint", "no source of colours 'paint'"),
        ("auto mean", "no option=value"),
        ("auto kind=mean", "no option 'kind'; known are decoding"),
        ("auto decoding=best", "decoding=best of the colours 'auto' is of the wrong kind"),
        ("phrase", "need the option phrase"),
        ("phrase phrase=a count=many", "count=many"),
        ("phrase phrase=a phrase=b", "wrong kind"),
    ],
)
def test_wrong_colors_are_sentences(text: str, words: str):
    with pytest.raises(UsageError, match=re.escape(words)):
        source_options.parse_colors(text)


def test_inputs_that_are_not_there_are_said():
    with pytest.raises(UsageError, match="not there"):
        leaves(album(inputs=("nowhere",)))


def test_a_quality_is_kept_to_and_made_again(monkeypatch: pytest.MonkeyPatch):
    from t2c_engine.colorization import colorizer

    photo("scans/a.jpg", (200, 150))
    sizes = []
    for quality in (None, 60, 95):
        t2c("batch", "scans", "-o", "out", "--palette", HEX, *(["--quality", quality] if quality else []))
        newest = max(Path("out").glob("*.jpg"), key=lambda path: path.stat().st_mtime_ns)
        sizes.append(newest.stat().st_size)
    assert len(files("out")) == 3 and sizes[1] < 0.6 * sizes[0] and abs(sizes[2] - sizes[0]) < 100
    monkeypatch.setattr(colorizer, "Colorizer", fakes.Colorizer)
    small = min(Path("out").glob("*.jpg"), key=lambda path: path.stat().st_size)
    recipe = read_recipe(small)
    assert recipe is not None and recipe.quality == 60
    t2c("again", small, "--input", "scans/a.jpg", "-o", "more")
    assert Path("more", small.name).read_bytes() == small.read_bytes()
    with pytest.raises(UsageError, match="quality 0"):
        album(quality=0)


@pytest.mark.parametrize(
    ("form", "suffix", "depth"), [(Format.TIFF, ".tif", 8), (Format.TIFF16, ".tif", 16), (Format.PNG16, ".png", 16)]
)
def test_formats_have_their_depth(form: Format, suffix: str, depth: int):
    photo("scans/a.jpg")
    run(album(format=form))
    (name,) = files("out")
    assert name == f"a-1{suffix}"
    assert read_picture(Path("out", name)).pixels.dtype == np.dtype(f"uint{depth}")


def test_layered_files_hold_the_original_and_a_layer_for_each_result():
    import zipfile
    from xml.etree import ElementTree

    photo("scans/a.jpg", (60, 40))
    run(album(phrase="autumn & <co>", count=3, format=Format.ORA))
    assert files("out") == ["a-1.ora"]
    with zipfile.ZipFile("out/a-1.ora") as archive:
        first = archive.infolist()[0]
        assert (first.filename, archive.read("mimetype")) == ("mimetype", b"image/openraster")
        assert first.compress_type == zipfile.ZIP_STORED
        image = ElementTree.fromstring(archive.read("stack.xml"))
        assert (image.get("w"), image.get("h")) == ("60", "40")
        layers = image.findall("stack/layer")
        assert [one.get("visibility") for one in layers] == ["visible", "hidden", "hidden", "visible"]
        assert str(layers[0].get("name")).startswith("autumn & <co>: #")
        pictures = [np.asarray(Image.open(archive.open(str(one.get("src"))))) for one in layers]
        assert all(one.shape == (40, 60, 3) for one in pictures)
        assert np.ptp(pictures[-1], axis=2).max() == 0 and np.ptp(pictures[0], axis=2).max() > 5
        assert Image.open(archive.open("Thumbnails/thumbnail.png")).size == (60, 40)
        assert archive.read("mergedimage.png") == archive.read("data/layer0.png")
    content = Path("out/a-1.ora").read_bytes()
    assert run(album(phrase="autumn & <co>", count=3, format=Format.ORA)) == []
    os.remove(Path("out", NAME))  # the file itself says what it is
    (result,) = run(album(phrase="autumn & <co>", count=3, format=Format.ORA))
    assert result.kept == (Path("out/a-1.ora"),) and Path("out/a-1.ora").read_bytes() == content


def test_colors_of_other_pictures_by_the_option_that_colorize_has():
    photo("scans/a.jpg")
    for name, color in (("sea.png", "#2040a0"), ("rust.png", "#a04020")):
        Image.new("RGB", (40, 30), color).save(name)
    t2c("batch", "scans", "-o", "out", "--reference", "sea.png", "--reference", "rust.png")
    assert files("out") == ["a-1.jpg", "a-2.jpg"]
    blue, red = (read_picture(Path(f"out/a-{index}.jpg")).pixels.mean((0, 1)) for index in (1, 2))
    assert blue[2] > blue[0] and red[0] > red[2]
    error = t2c("batch", "scans", "-o", "out", "--reference", "sea.png", "--diverse", code=2).stderr
    assert "one of --colors, --reference and --diverse" in " ".join(error.split())


@pytest.mark.parametrize("command", ["batch", "colorize"])
def test_a_run_that_fails_leaves_no_empty_folder(command: str):
    photo("scans/x/bad.jpg")
    Path("scans/x/bad.jpg").write_bytes(b"no picture")
    Image.new("RGB", (40, 30), "grey").save("grey.png")
    t2c(command, "scans/x", "-o", "a/out", "--reference", "missing.png", code=1)
    t2c(command, "scans/x", "-o", "a/out", "--reference", "grey.png", code=1)
    assert not Path("a").exists()
    t2c(command, "scans" if command == "batch" else "scans/x/bad.jpg", "-o", "a/out", "--auto", code=1)
    assert [path for path in Path().rglob("*") if path.is_dir() and not any(path.iterdir())] == []
    Path("file").touch()
    assert "file/out cannot be made" in " ".join(
        t2c(command, "scans/x", "-o", "file/out", "--auto", code=1).stderr.split()
    )
