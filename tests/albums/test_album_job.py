"""Album jobs: trees, captions, formats, the journal, killed and shared runs, bad files among good ones."""

from __future__ import annotations

import io
import json
import os
import random
import re
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from t2c_engine.albums import worker
from t2c_engine.albums.job import AlbumJob, Format, Scope, read_job
from t2c_engine.albums.journal import MAX_ATTEMPTS, NAME, Journal
from t2c_engine.albums.run import Means, job_items, open_journal, run_job
from t2c_engine.albums.tree import leaves
from t2c_engine.batch.recipe import read_recipe
from t2c_engine.batch.request import PictureResult
from t2c_engine.colorization import source_options
from t2c_engine.errors import OutputError, UsageError
from t2c_engine.palettes.palette import Palette
from t2c_engine.pictures.picture import read_picture
from tests import fakes
from tests.command_line import HEX, photo, t2c
from tests.inline_executor import Inline

pytestmark = pytest.mark.usefixtures("fake_networks")
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker processes, and no colorizer of an earlier test."""
    from contextlib import nullcontext

    from t2c_engine.albums import executors

    monkeypatch.setattr(worker, "_colorizers", {})
    monkeypatch.setattr(executors, "local_means", lambda job: nullcontext(Means(Inline, 2, 1 << 30)))


def album(**options: Any) -> AlbumJob:
    values: dict[str, Any] = {"inputs": ("scans",), "output": Path("out"), "palette": HEX, **options}
    if "phrase" in options or "captions" in options or "auto" in options:
        values["palette"] = None
    return AlbumJob(**values)


def run(job: AlbumJob, retry_failed: bool = False) -> list[PictureResult]:
    palettes = (Palette.from_hex(HEX),) if job.palette else ()
    items = job_items(job, palettes)
    with open_journal(job, items, retry_failed) as journal:
        return list(run_job(items, journal, Means(Inline, 2, 1 << 30)))


def files(folder: str | Path) -> list[str]:
    """Files of a folder and below, but the journal."""
    found = (path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file())
    return sorted(name for name in found if name != NAME)


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


def damaged() -> dict[str, bytes]:
    """Forty kinds of bad files by name: eight formats, each damaged in five ways."""
    rng = random.Random(0)
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 64), np.uint8))
    found = {}
    for suffix in ("jpg", "png", "tif", "webp", "bmp", "gif", "ppm", "jp2"):
        stream = io.BytesIO()
        noise.convert("RGB" if suffix == "ppm" else "L").save(stream, Image.registered_extensions()[f".{suffix}"])
        data = stream.getvalue()
        random_bytes = bytes(rng.randrange(256) for _ in range(300))
        ways = (b"", data[:9], data[: len(data) // 3], data[:12] + random_bytes, b"this is a note, no picture\n" * 9)
        found |= {f"bad{number}.{suffix}": content for number, content in enumerate(ways)}
    return found


def test_forty_kinds_of_bad_files_among_two_hundred_are_forty_sentences():
    good = photo("scans/good000.png", (8, 6)).read_bytes()
    for index in range(200):
        Path(f"scans/good{index:03}.png").write_bytes(good)
    bad = damaged()
    for name, content in bad.items():
        Path("scans", name).write_bytes(content)
    result = t2c("batch", "scans", "-o", "out", "--palette", HEX, code=1)
    sentences = [line for line in result.stderr.splitlines() if "bad" in line]
    assert len(bad) == 40 and sorted(line.split("scans/")[1].split()[0] for line in sentences) == sorted(bad)
    assert len(files("out")) == 200 and "Traceback" not in result.stderr
    again = t2c("batch", "scans", "-o", "out", "--palette", HEX, code=1)
    assert "40 pictures failed earlier; --retry-failed" in again.stderr and "bad" not in again.stderr
    status = json.loads(t2c("batch", "-o", "out", "--status", "--json").stdout)
    assert (status["done"], status["failed"], len(status["failures"])) == (200, 40, 40)
    photo("scans/bad0.tif")
    assert t2c("batch", "scans", "-o", "out", "--palette", HEX, "--retry-failed", code=1).stderr.count("bad") == 39


def test_a_worker_that_dies_is_replaced_and_a_deadly_picture_fails(monkeypatch: pytest.MonkeyPatch):
    for name in ("a.png", "deadly.png", "z.png"):
        photo(f"scans/{name}")
    real, deaths = worker.color_item, []

    def color_item(item: worker.Item, load: Any) -> worker.Done:
        if item.plan.input.name == "deadly.png":
            deaths.append(1)
            raise BrokenExecutor
        return real(item, load)

    monkeypatch.setattr("t2c_engine.albums.run.color_item", color_item)
    results = run(album())
    assert len(deaths) == MAX_ATTEMPTS and [one.input.name for one in results if one.error] == ["deadly.png"]
    assert files("out") == ["a-1.png", "z-1.png"]


def test_workers_that_end_whatever_the_picture_pause_the_job(monkeypatch: pytest.MonkeyPatch):
    for index in range(20):
        photo(f"scans/{index}.png")

    def color_item(item: worker.Item, load: Any) -> worker.Done:
        raise BrokenExecutor

    with monkeypatch.context() as patch:
        patch.setattr("t2c_engine.albums.run.color_item", color_item)
        with pytest.raises(OutputError, match="The job pauses: worker processes end"):
            run(album())
    monkeypatch.setattr(worker, "_colorizers", {})
    with Journal(Path("out")) as journal:
        assert journal.counts()["waiting"] >= 12
    assert all(one.error is None for one in run(album(), retry_failed=True)) and len(files("out")) == 20


def test_two_processes_share_a_job():
    for index in range(12):
        photo(f"scans/{index:02}.png")
    job = album()
    items = job_items(job, (Palette.from_hex(HEX),))
    with open_journal(job, items) as first, Journal(job.output) as second:
        one, other = first.claim(5), second.claim(20)
        assert len(one) == 5 and len(other) == 7 and not {c.path for c in one} & {c.path for c in other}
        assert first.others() == 1
    assert len(run(job)) == 12  # given back when they ended without finishing


def test_what_a_dead_process_had_claimed_is_free_again():
    photo("scans/a.png")
    job = album()
    items = job_items(job, (Palette.from_hex(HEX),))
    journal = open_journal(job, items)
    assert journal.claim(1)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with sqlite3.connect(job.output / NAME) as database:
        database.execute("UPDATE owners SET pid=?", (ended.pid,))
    database.close()
    assert len(run(job)) == 1


def test_a_full_disk_pauses_the_job(monkeypatch: pytest.MonkeyPatch):
    import shutil

    for name in ("a.png", "b.png", "c.png"):
        photo(f"scans/{name}")
    usage = shutil.disk_usage(".")

    def full(self, lightness):
        raise OutputError("out/a-1.png cannot be written (No space left on device).")

    with monkeypatch.context() as patch:
        patch.setattr(fakes.Colorizer, "encode", full)
        patch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
        result = t2c("batch", "scans", "-o", "out", "--palette", HEX, code=1)
    assert "The job pauses" in result.stderr and "same command" in " ".join(result.stderr.split())
    with Journal(Path("out")) as journal:
        assert journal.counts() == {"waiting": 3, "running": 0, "done": 0, "failed": 0}
    assert len(run(album())) == 3


def test_a_journal_that_is_none_is_a_sentence():
    photo("scans/a.png")
    Path("out").mkdir()
    Path("out", NAME).write_bytes(b"no database" * 1000)
    assert "cannot be used" in t2c("batch", "scans", "-o", "out", "--palette", HEX, code=1).stderr
    assert "no journal" in t2c("batch", "-o", "none", "--status", code=1).stderr


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


_RUN = """
import sys
from pathlib import Path
from tests import fakes
from t2c_engine.albums.executors import local_means
from t2c_engine.albums.job import AlbumJob
from t2c_engine.albums.run import job_items, open_journal, run_job
from t2c_engine.palettes.palette import Palette

if __name__ == "__main__":
    job = AlbumJob(("scans",), Path("out"), palette="x", workers=2, memory=2000)
    items = job_items(job, (Palette.from_hex("#8c2f1b,#d98c3f,#f2d8a7,#5b6b3a,#2b2a33"),))
    with open_journal(job, items) as journal, local_means(job, fakes.load) as means:
        for result in run_job(items, journal, means):
            print(result.input.name, len(result.results), flush=True)
"""


@pytest.mark.slow
def test_killed_at_random_moments_nothing_is_lost_doubled_or_half():
    """Worker processes and all; three kills here, fifty in `benchmarks/albums.py`."""
    for index in range(24):
        photo(f"scans/{index:02}.png", (40, 30), least=index)
    Path("run.py").write_text(_RUN)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    rng = random.Random(3)
    for kill in (True, True, True, False):
        process = subprocess.Popen([sys.executable, "run.py"], env=environment, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        if kill:
            process.stdout.readline()
            time.sleep(rng.random() / 5)
            process.kill()
        process.communicate()
        if kill:
            time.sleep(1)  # workers end
    assert process.returncode == 0
    made = files("out")
    assert made == [f"{index:02}-1.png" for index in range(24)]
    for name in made:
        Image.open(Path("out", name)).load()
    with Journal(Path("out")) as journal:
        assert journal.counts() == {"waiting": 0, "running": 0, "done": 24, "failed": 0}


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
