"""Examples of a style: every kind of file a person may have, and hostile ones, which give a sentence each."""

import csv
import io
import json
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from t2c_engine.errors import UsageError
from t2c_engine.palettes.files import write_palette
from t2c_engine.palettes.palette import Palette
from trainer.styles.examples import MAX_READ, read_examples, swatches_of

WARM = Palette.from_hex("#8c2f1b,#d98c3f,#f2d8a7,#5b6b3a,#2b2a33", "old harbour")


def texts(folder: Path) -> dict[str, tuple[str, ...]]:
    return {one.text: one.palette.hex for one in read_examples(folder).examples}


@pytest.mark.parametrize("ending", [".gpl", ".aco", ".ase", ".hex", ".txt"])
def test_a_palette_file_gives_its_name_or_the_files(tmp_path, ending):
    write_palette(tmp_path / f"old_harbour-2024{ending}", WARM)
    assert texts(tmp_path) == {"old harbour": WARM.hex}


@pytest.mark.parametrize("stem", ["IMG_0042", "untitled", "palette-3", "12"])
def test_a_name_that_says_nothing_is_no_text(tmp_path, stem):
    write_palette(tmp_path / f"{stem}.hex", WARM)
    found = read_examples(tmp_path)
    assert not found.examples and "no name" in found.left_out[0].reason and found.left_out[0].colors == WARM.hex


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "name,c1,c2\nold harbour,#8c2f1b,#d98c3f\n"),
        ("a.csv", "old harbour;8c2f1b;d98c3f\n"),
        ("a.csv", "id,description,colours\n7,old harbour,#8c2f1b #d98c3f\n"),
        ("a.tsv", "text\thex\nold harbour\t8c2f1b d98c3f\n"),
        ("a.jsonl", '{"text": "old harbour", "hex": ["#8c2f1b", "#d98c3f"]}\n'),
        ("a.json", '[{"title": "old harbour", "colors": ["8c2f1b", "d98c3f"]}]'),
        (
            "a.json",
            '{"palettes": [{"name": "old harbour", "swatches": [{"hex": "#8c2f1b"}, {"r": 217, "g": 140, "b": 63}]}]}',
        ),
        ("a.json", '{"description": "old harbour", "palette": [[140, 47, 27], [217, 140, 63]]}'),
        ("a.json", '{"old harbour": ["#8c2f1b", "#d98c3f"]}'),
    ],
)
def test_tables_and_json_hold_texts_with_colors(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    colors = next(iter(texts(tmp_path).values()))
    assert colors == ("#8c2f1b", "#d98c3f")


def test_rows_that_cannot_be_used_are_told(tmp_path):
    (tmp_path / "a.csv").write_text("text,hex\nharbour,#8c2f1b #d98c3f\n,#8c2f1b\nsea,nothing\n")
    found = read_examples(tmp_path)
    assert [one.text for one in found.examples] == ["harbour"]
    assert [(one.source, one.reason) for one in found.left_out] == [
        ("a.csv, row 2", "it has no text"),
        ("a.csv, row 3", "it holds no colour that can be read"),
    ]


def test_a_drawn_palette_gives_its_colors_and_a_photograph_five(tmp_path):
    strip = np.repeat(np.array(WARM.colors, np.uint8)[None], 40, 0).repeat(30, 1)
    Image.fromarray(np.pad(strip, ((20, 20), (10, 10), (0, 0)), constant_values=255)).save(tmp_path / "a.png")
    noise = np.random.default_rng(0).integers(0, 255, (80, 120, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "b.jpg")
    Image.fromarray(noise).save(tmp_path / "DSC0007.jpg")
    (tmp_path / "a.txt").write_text("old harbour\n")
    (tmp_path / "captions.csv").write_text("file_name,caption\nb.jpg,confetti\n")
    found = read_examples(tmp_path)
    assert [(one.text, len(one.palette.colors)) for one in found.examples] == [("old harbour", 5), ("confetti", 5)]
    assert found.examples[0].palette.hex == WARM.hex and found.pictures == 2
    assert [(one.source, one.reason[:10]) for one in found.left_out] == [("DSC0007.jpg", "no caption")]


def test_swatches_are_few_flat_colors():
    assert swatches_of(np.zeros((8, 8, 3))) is None
    halves = np.zeros((8, 8, 3))
    halves[:, 4:] = 1.0
    assert swatches_of(halves) == Palette(((0, 0, 0), (255, 255, 255)))


def png_bomb(side: int) -> bytes:
    """A PNG of a few bytes that claims side x side pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">L", len(body)) + kind + body + struct.pack(">L", zlib.crc32(kind + body))

    head = struct.pack(">LLBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1 << 20), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_hostile_files_give_a_sentence_each(tmp_path):
    (tmp_path / "huge picture.png").write_bytes(png_bomb(200_000))
    (tmp_path / "bomb.zip").write_bytes(b"PK\x03\x04" + bytes(40))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("mergedimage.png", bytes(1 << 22))
    (tmp_path / "layers.ora").write_bytes(archive.getvalue())
    (tmp_path / "long.gpl").write_bytes(b"GIMP Palette\n" + b"1 2 3 x\n" * 400_000)
    (tmp_path / "many.gpl").write_bytes(b"GIMP Palette\n" + b"1 2 3\n" * 5_000)
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "bell.csv").write_text("text,hex\n\x1b[2Jsea\x07 \u202esky,#8c2f1b #d98c3f\n")
    (tmp_path / "zero.gpl").write_bytes(b"\0" * 100)
    found = read_examples(tmp_path)
    assert [one.text for one in found.examples] == ["[2Jsea sky"], "control characters are taken out"
    reasons = {one.source: one.reason for one in found.left_out}
    assert set(reasons) == {path.name for path in tmp_path.iterdir()} - {"bell.csv"}
    assert all(one.strip() and "\n" not in one and str(tmp_path) not in one for one in reasons.values())
    assert "larger than 1 MB" in reasons["long.gpl"] and "more than 1024 colours" in reasons["many.gpl"]


def test_too_many_palettes_and_no_folder_are_refused(tmp_path):
    rows = "".join(f"text {index},#8c2f1b #d98c3f\n" for index in range(MAX_READ + 10))
    (tmp_path / "a.csv").write_text("text,hex\n" + rows)
    with pytest.raises(UsageError, match="more than 20000"):
        read_examples(tmp_path)
    with pytest.raises(UsageError, match="is not there"):
        read_examples(tmp_path / "nowhere")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["a.gpl", "a.csv", "a.tsv", "a.json", "a.jsonl", "a.ase", "a.png", "captions.csv"]),
    content=st.binary(max_size=300) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
    | st.recursive(st.none() | st.text(max_size=8) | st.integers(-300, 300), lambda one: st.lists(one, max_size=3)
                   | st.dictionaries(st.sampled_from(["text", "hex", "name", "colors"]), one, max_size=3)).map(
        lambda value: json.dumps(value).encode()),
)  # fmt: skip
def test_any_bytes_give_examples_or_a_reason(tmp_path, name, content):
    for old in tmp_path.iterdir():
        old.unlink()
    (tmp_path / name).write_bytes(content)
    found = read_examples(tmp_path)
    assert all(one.text.isprintable() and one.palette.colors for one in found.examples)
    assert all(one.reason for one in found.left_out)


def test_the_cleaned_copy_can_be_read_again(tmp_path):
    from trainer.styles.check import Checked, write_cleaned

    write_palette(tmp_path / "in.gpl", WARM)
    kept = tuple(read_examples(tmp_path).examples)
    cleaned, out = write_cleaned(Checked(kept, (0,), (), ()), tmp_path / "run")
    assert texts(cleaned) == {"old harbour": WARM.hex}
    assert next(csv.reader(out.open())) == ["source", "text", "colours", "reason"]
