"""Model cards and weights: export, search order, and every way in which files can be wrong."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from t2c_engine import models
from t2c_engine.errors import ModelError, OutputError
from t2c_engine.models import export_model, find_model, load_weights, scan_models, weights_path

TENSORS = {"layer.weight": np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4), "words": np.arange(6, dtype=np.int8)}


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """Three empty folders instead of the real ones: named in the environment, the user's, the package's."""
    monkeypatch.setenv("T2C_MODELS", str(tmp_path / "named"))
    monkeypatch.setattr(models, "user_folder", lambda: tmp_path / "user")
    monkeypatch.setattr(models, "PACKAGE_FOLDER", tmp_path / "package")
    return tmp_path


def export(folder: Path, name: str = "small", **changes: Any) -> models.ModelCard:
    values: dict[str, Any] = {"version": "1.0", "kind": "palette", "licence": "MIT", "data": ["PAT (é)"]}
    return export_model(folder, TENSORS, name=name, **{**values, "config": {"hidden": 150}, **changes})


def test_an_exported_model_is_found_and_loads(places):
    card = export(places / "package", figures={"best of 5": 18.5}, attribution=["by someone"], conditions=["palette"])
    assert find_model("palette") == card and scan_models() == ([card], [])
    weights = load_weights(card)
    assert weights["layer.weight"].dtype == np.float16 and weights["words"].dtype == np.int8
    np.testing.assert_allclose(weights["layer.weight"], TENSORS["layer.weight"], atol=1e-3)
    assert sorted(path.name for path in (places / "package").iterdir()) == ["small.json", "small.safetensors"]
    assert json.loads((places / "package/small.json").read_text("utf-8"))["data"] == ["PAT (é)"]


def test_export_is_repeatable_and_replaces(places):
    first = export(places / "package")
    content = weights_path(first).read_bytes()
    assert export(places / "package") == first and weights_path(first).read_bytes() == content
    assert export(places / "package", version="2.0").version == find_model("palette").version == "2.0"


def test_search_order_and_defaults(places):
    export(places / "package", "shipped", default=True)
    export(places / "user", "mine")
    assert find_model("palette").name == "shipped"
    assert find_model("palette", "mine").folder == places / "user"
    export(places / "named", "shipped", version="9", default=True)
    assert find_model("palette").version == "9"
    assert len(scan_models()[0]) == 2
    with pytest.raises(ModelError, match="shipped, mine"):
        find_model("palette", "other")
    with pytest.raises(ModelError, match="No colorizer model"):
        find_model("colorizer")


@pytest.mark.parametrize("harm", ["flip", "cut", "longer", "empty"])
def test_tampered_weights_are_not_loaded(places, harm):
    card = export(places / "package")
    path = weights_path(card)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes({"flip": bytes(content), "cut": content[:-1], "longer": content + b"!", "empty": b""}[harm])
    os.utime(path, ns=(1, 1))  # a changed file is noticed in the same process
    with pytest.raises(ModelError, match="sha256 differs"):
        weights_path(card)


def test_missing_weights_and_no_safetensors(places):
    card = export(places / "package")
    (places / "package/small.safetensors").write_bytes(b"not safetensors")
    fake = json.loads((places / "package/small.json").read_text())
    fake["size"], fake["sha256"] = 15, hashlib.sha256(b"not safetensors").hexdigest()
    (places / "package/small.json").write_text(json.dumps(fake))
    with pytest.raises(ModelError, match="no readable safetensors"):
        load_weights(find_model("palette"))
    (places / "package/small.safetensors").unlink()
    with pytest.raises(ModelError, match="missing"):
        weights_path(card)


@pytest.mark.parametrize(
    "change",
    [
        {"file": "../small.safetensors"},
        {"file": "small.pkl"},
        {"kind": "virus"},
        {"size": "12"},
        {"sha256": "xyz"},
        {"name": ""},
        {"data": [1]},
        {"config": None},
        {"licence": None},
        None,
    ],
)
def test_an_unreadable_card_is_named_and_hides_no_other(places, change):
    export(places / "package", "good")
    export(places / "package", "bad")
    path = places / "package/bad.json"
    if change is None:
        path.write_bytes(b"{\xff")
    else:
        path.write_text(json.dumps(json.loads(path.read_text()) | change))
    cards, problems = scan_models()
    assert [card.name for card in cards] == ["good"]
    assert len(problems) == 1 and "bad.json" in str(problems[0])
    assert find_model("palette").name == "good"
    with pytest.raises(ModelError, match=r"bad\.json"):
        find_model("palette", "bad")


def test_weights_that_float16_cannot_hold_are_not_exported(places):
    for value in (np.nan, np.inf, 1e6):
        with pytest.raises(ModelError, match="'w' is not finite"):
            export_model(places, {"w": np.array([value])}, name="x", version="1", kind="palette", licence="MIT")
    with pytest.raises(ModelError, match="plain name"):
        export(places / "package", "../x")
    assert not (places / "package").exists()


def test_export_into_a_file_is_an_output_error(places):
    (places / "package").write_text("a file")
    with pytest.raises(OutputError, match="cannot be written"):
        export(places / "package")
    assert (places / "package").read_text() == "a file"
