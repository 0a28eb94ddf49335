"""Jobs whose pictures and results are at URLs: in memory, in files, and on an S3 server."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from t2c_engine.albums import executors, worker
from t2c_engine.albums.run import Means
from t2c_engine.batch.recipe import read_recipe
from t2c_engine.errors import UsageError
from t2c_engine.files import is_remote, location
from tests.command_line import HEX, lines, photo, t2c
from tests.inline_executor import Inline

fsspec: Any = pytest.importorskip("fsspec")
pytestmark = pytest.mark.usefixtures("fake_networks")


@pytest.fixture(autouse=True)
def inline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No worker processes, and a state folder of the test's own."""
    monkeypatch.setattr(worker, "_colorizers", {})
    monkeypatch.setattr(executors, "local_means", lambda job: nullcontext(Means(Inline, 2, 1 << 30)))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    server = pytest.importorskip("moto.server").ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["memory", "file", "s3"])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """An empty place of each kind, as a URL."""
    name = f"album-{uuid.uuid4().hex[:8]}"
    if request.param == "memory":
        return f"memory://{name}"
    if request.param == "file":
        return f"file://{tmp_path}/{name}"
    s3fs = pytest.importorskip("s3fs")
    for key, value in {
        "AWS_ENDPOINT_URL": request.getfixturevalue("s3_server"),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(key, value)
    s3fs.S3FileSystem.clear_instance_cache()
    fsspec.filesystem("s3").mkdir(name)
    return f"s3://{name}"


def put(url: str, path: Path) -> None:
    system, at = fsspec.url_to_fs(url)
    system.invalidate_cache()
    system.makedirs(at.rpartition("/")[0], exist_ok=True)
    system.put_file(str(path), at)


def names(url: str) -> list[str]:
    system, at = fsspec.url_to_fs(url)
    system.invalidate_cache()
    return sorted(name.rpartition(at.strip("/"))[2].lstrip("/") for name in system.find(at))


def test_a_tree_at_a_url_is_colored_to_a_url_once(place: str):
    for index, name in enumerate(("a.jpg", "x/b c.png", "x/y/d.tif", "rejects/e.jpg")):
        put(f"{place}/scans/{name}", photo(f"made/{Path(name).name}", least=index))
    put(f"{place}/scans/notes.md", photo())
    command = ["batch", f"{place}/scans", "-o", f"{place}/out", "--palette", HEX, "--exclude", "rejects"]
    results = lines(t2c(*command, "--json").stdout)
    assert {one["input"] for one in results} == {
        f"{place}/scans/{name}" for name in ("a.jpg", "x/b c.png", "x/y/d.tif")
    }
    assert {one["results"][0]["path"] for one in results} == {
        f"{place}/out/{name}" for name in ("a-1.jpg", "x/b c-1.png", "x/y/d-1.tif")
    }
    assert names(f"{place}/out") == ["a-1.jpg", "x/b c-1.png", "x/y/d-1.tif"]
    system, at = fsspec.url_to_fs(f"{place}/out/a-1.jpg")
    system.get_file(at, "got.jpg")
    recipe = read_recipe(Path("got.jpg"))
    assert recipe is not None and recipe.input == "a.jpg"
    assert np.ptp(np.asarray(Image.open("got.jpg")), axis=2).max() > 5
    assert "0 pictures coloured, 3 done before" in t2c(*command).stdout
    status = json.loads(t2c("batch", "-o", f"{place}/out", "--status", "--json").stdout)
    assert status["done"] == 3
    put(f"{place}/scans/a.jpg", photo("made/a.jpg", size=(80, 40)))
    system.invalidate_cache()
    assert "1 picture coloured, 2 done before" in t2c(*command).stdout
    system.invalidate_cache()
    system.get_file(at, "got.jpg")
    assert Image.open("got.jpg").size == (80, 40)
    system.rm_file(at)
    system.invalidate_cache()
    assert "1 picture coloured, 2 done before" in t2c(*command).stdout


def test_results_of_a_lost_journal_are_known_by_their_recipes(place: str, tmp_path: Path):
    put(f"{place}/scans/a.jpg", photo("a.jpg"))
    command = ["batch", f"{place}/scans", "-o", f"{place}/out", "--palette", HEX, "--json"]
    t2c(*command)
    (tmp_path / "state").rename(tmp_path / "lost")
    (result,) = lines(t2c(*command).stdout)
    assert result["results"] == [] and result["kept"] == [f"{place}/out/a-1.jpg"]


def test_captions_beside_pictures_and_local_results():
    place = f"memory://album-{uuid.uuid4().hex[:8]}"
    put(f"{place}/a.jpg", photo("a.jpg"))
    put(f"{place}/b.jpg", photo("b.jpg"))
    Path("text").write_text("old mill")
    put(f"{place}/a.txt", Path("text"))
    t2c("batch", place, "-o", "out", "--captions", "sidecar", "--phrase", "autumn")
    found = {path.name: read_recipe(path) for path in Path("out").glob("*.jpg")}
    assert {name: one and one.colors["phrase"] for name, one in found.items()} == {
        "a-1.jpg": "old mill", "b-1.jpg": "autumn",
    }  # fmt: skip


def test_what_cannot_be_reached_is_a_sentence():
    place = f"memory://album-{uuid.uuid4().hex[:8]}"
    assert f"{place}' is not there" in " ".join(t2c("batch", place, "-o", "out", "--auto", code=2).stderr.split())
    error = " ".join(t2c("batch", "nosuch://a/b", "-o", "out", "--auto", code=2).stderr.split())
    assert "nosuch://a/b cannot be reached" in error
    put(f"{place}/bad.jpg", photo("bad.png"))
    put(f"{place}/worse.jpg", Path(__file__))
    result = t2c("batch", place, "-o", "out", "--auto", code=1)
    assert f"{place}/worse.jpg" in result.stderr.replace("\n", "") and "/tmp" not in result.stderr


@pytest.mark.parametrize(
    ("path", "url"),
    [("s3:/b/a.jpg", "s3://b/a.jpg"), ("s3://b/a.jpg", "s3://b/a.jpg"), ("a/b.jpg", None), ("c:/a.jpg", None),
     ("/a:/b.jpg", None), ("memory:/x", "memory://x"), ("file:///tmp/a", "file:///tmp/a")],
)  # fmt: skip
def test_urls_survive_as_paths(path: str, url: str | None):
    assert is_remote(Path(path)) == (url is not None)
    assert location(Path(path)) == (url or str(Path(path)))


def test_titles_inside_pictures_at_urls_are_captions(place: str):
    inner = b'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">harbour at dawn</rdf:li></rdf:Alt></dc:title>'
    titled = photo("titled.jpg")
    Image.open(titled).save("with-title.jpg", xmp=b"<x:xmpmeta><rdf:RDF>" + inner + b"</rdf:RDF></x:xmpmeta>")
    put(f"{place}/a.jpg", Path("with-title.jpg"))
    put(f"{place}/b.jpg", titled)
    t2c("batch", place, "-o", "out", "--captions", "metadata", "--phrase", "autumn")
    found = {path.name: read_recipe(path) for path in Path("out").glob("*.jpg")}
    assert {name: one and one.colors["phrase"] for name, one in found.items()} == {
        "a-1.jpg": "harbour at dawn", "b-1.jpg": "autumn",
    }  # fmt: skip


def test_errors_of_storage_libraries_are_sentences_and_our_own_faults_are_not(monkeypatch: pytest.MonkeyPatch):
    """Each kind of error that a file system may raise; one that it may not is no sentence about networks."""
    botocore = pytest.importorskip("botocore.exceptions")
    from t2c_engine.albums import storage

    for error in (
        botocore.NoCredentialsError(),
        botocore.ClientError({"Error": {"Code": "403", "Message": "no"}}, "GetObject"),
        TimeoutError("late"),
        ValueError("no such protocol"),
    ):

        def fail(path: str, error: Exception = error, **options: Any) -> Any:
            raise error

        monkeypatch.setattr(storage, "_system", lambda path, fail=fail: (type("Far", (), {"find": fail}), "x"))
        with pytest.raises(UsageError, match="memory://x cannot be reached"):
            storage.list_files(Path("memory:/x"))
    monkeypatch.setattr(storage, "_system", lambda path: (None, "x"))
    with pytest.raises(AttributeError):
        storage.list_files(Path("memory:/x"))
